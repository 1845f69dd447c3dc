/* startup: a systemd unit that resurrects this house when the machine starts. */
#include "base/folder.h"
#include "cli/connect.h"
#include "cli/house.h"
#include "cli/saved.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNIT_NAME "stagedoor.service"

static bool for_everyone(void)
{
    return geteuid() == 0;
}

static void print_unit(const char *program, const char *folder, const char *data,
                       struct buffer *out)
{
    buffer_print(out,
                 "# written by: stagedoor startup\n"
                 "[Unit]\n"
                 "Description=Stagedoor, the house in %s\n"
                 "Documentation=man:stagedoor(1)\n"
                 "After=network-online.target\n"
                 "Wants=network-online.target\n"
                 "\n"
                 "[Service]\n"
                 "WorkingDirectory=%s\n"
                 "ExecStart=%s resurrect --foreground --data %s\n"
                 "ExecReload=%s reload all --data %s\n",
                 data, folder, program, data, program, data);
    buffer_print(out,
                 "Type=notify\n"
                 "WatchdogSec=30\n"
                 "KillMode=mixed\n"
                 "TimeoutStopSec=30\n"
                 "Restart=always\n"
                 "RestartSec=1\n"
                 "LimitNOFILE=65536\n"
                 "NoNewPrivileges=yes\n"
                 "\n"
                 "[Install]\n"
                 "WantedBy=%s\n",
                 for_everyone() ? "multi-user.target" : "default.target");
}

static int write_unit(const struct command *command, struct text unit)
{
    char folder[PATH_MAX] = "/etc/systemd/system", path[PATH_MAX + sizeof UNIT_NAME + 1];
    const char *home = getenv("HOME"), *user = for_everyone() ? "" : "--user ";
    if (!for_everyone())
        snprintf(folder, sizeof folder, "%s/.config/systemd/user", home ? home : "");
    snprintf(path, sizeof path, "%s/" UNIT_NAME, folder);
    FILE *file = folder_make(folder) ? fopen(path, "we") : NULL;
    bool good = file && fwrite(unit.data, 1, unit.size, file) == unit.size;
    if (file)
        good = fclose(file) == 0 && good;
    if (!good)
        return command_fail(command, END_SYSTEM, "cannot write '%s': %s; say --print", path,
                            strerror(errno));
    printf("wrote %s; now:\n  systemctl %sdaemon-reload\n  systemctl %senable --now " UNIT_NAME
           "\n",
           path, user, user);
    if (!for_everyone())
        printf("  loginctl enable-linger    # so that it runs while you are not signed in\n");
    return END_OK;
}

int command_startup(const struct command *command, int argc, char **argv)
{
    const char *data = DATA_DEFAULT;
    bool print = false;
    char program[PATH_MAX], folder[PATH_MAX];
    struct buffer unit = {0};
    struct saved saved;
    const struct option_spec specs[] = {
        HOUSE_OPTION(&data),
        OPTION_FLAG("print", 0, NULL, &print, "print the unit, and write nothing"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if ((end = saved_read(command, data, &saved)) != END_OK)
        return end;
    saved_release(&saved);
    if (!house_own_program(program) || getcwd(folder, sizeof folder) == NULL)
        return command_fail(command, END_SYSTEM, "cannot find myself: %s", strerror(errno));
    print_unit(program, folder, data, &unit);
    if (print)
        printf("%s", unit.data);
    else
        end = write_unit(command, buffer_view(&unit));
    buffer_release(&unit);
    return end;
}
