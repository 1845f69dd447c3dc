/* restore: an installation on sqlite, made anew from a backup. */
#include "base/folder.h"
#include "cli/backup.h"
#include "cli/files.h"
#include "cli/log_audit.h"

#include <stdio.h>
#include <unistd.h>

static int refuse_to_overwrite(struct backup *backup)
{
    static const char *const names[] = {"keys", "signin", "register.db"};
    struct buffer path = {0};
    const char *found = file_exists(backup->path.data) ? backup->path.data : NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && found == NULL; i++)
        if (file_exists(backup_in_data(backup, names[i], &path)))
            found = path.data;
    int end = found == NULL
                  ? END_OK
                  : command_fail(backup->command, END_NO,
                                 "'%s' is there already, and is not overwritten; stop everything "
                                 "and move it away: mv %s %s.old",
                                 found, backup_data(backup), backup_data(backup));
    buffer_release(&path);
    return end;
}

/* The log is looked at before anything is called by its name. */
static int judge(struct backup *backup)
{
    struct log_options log = backup->log;
    struct audit_options options = {.replay = true};
    struct buffer url = {0};
    int end;
    buffer_print(&url, "sqlite:%s", backup->made_path.data);
    log.bus.url = url.data;
    struct bus *bus = log_open(backup->command, &log, false, 0, &backup->installation, &end);
    struct audit *audit =
        bus ? log_audit(backup->command, bus, &backup->installation, &options, false, &end) : NULL;
    if (audit && audit_first(audit))
        end = command_fail(backup->command, END_NO,
                           "nothing is restored: the log does not hold: %s; look into it: "
                           "stagedoor verify --bus sqlite:%s",
                           audit_first(audit)->text, backup->archive);
    audit_free(audit);
    bus_close(bus);
    buffer_release(&url);
    return end;
}

static int put_files(struct backup *backup)
{
    struct buffer path = {0}, bytes = {0};
    struct bus_error error;
    int end = END_OK;
    for (int i = 0; i < BACKUP_FILES && end == END_OK; i++) {
        if (!archive_get(backup->archive, backup_files[i], &bytes, &error)) {
            if (error.text[0])
                end = command_fail(backup->command, END_SYSTEM, "%s", error.text);
            continue;
        }
        backup->kept[i] =
            file_make(backup_in_data(backup, backup_files[i], &path), buffer_view(&bytes), 0600);
        if (!backup->kept[i])
            end = backup_failure(backup, "make", path.data);
    }
    buffer_release(&path);
    buffer_release(&bytes);
    return end;
}

static void take_files_back(const struct backup *backup)
{
    struct buffer path = {0};
    for (int i = 0; i < BACKUP_FILES; i++)
        if (backup->kept[i])
            unlink(backup_in_data(backup, backup_files[i], &path));
    buffer_release(&path);
}

static int make_again(struct backup *backup)
{
    struct bus_error error;
    struct buffer none = {0};
    int end = END_OK;
    if ((!archive_get(backup->archive, "", &none, &error) && error.text[0]) ||
        !archive_unpack(backup->archive, backup->made_path.data, &error) ||
        !archive_look(backup->made_path.data, &backup->facts, &error))
        end = command_fail(backup->command, END_SYSTEM, "%s", error.text);
    if (end == END_OK)
        end = judge(backup);
    if (end == END_OK)
        end = put_files(backup);
    /* The log last: where it is, all is there. */
    if (end == END_OK && !file_give_name(backup->made_path.data, backup->path.data))
        end = backup_failure(backup, "make", backup->path.data);
    if (end != END_OK)
        take_files_back(backup);
    buffer_release(&none);
    return end;
}

static int restore(struct backup *backup)
{
    int end = refuse_to_overwrite(backup);
    if (end != END_OK)
        return end;
    if (!folder_make(backup_data(backup)))
        return backup_failure(backup, "make", backup_data(backup));
    end = backup_make_empty(backup, backup->path.data, "restoring", 0644);
    if (end == END_OK)
        end = make_again(backup);
    backup_remove_made(backup);
    if (end != END_OK)
        return end;
    backup_print(backup, "restored");
    if (!backup->json)
        fprintf(stderr,
                "what was sold later than that is not in it, and is another log's: see 'Going back "
                "to a backup' in docs/runbook.md\nnext: stagedoor up --data %s\n",
                backup_data(backup));
    return END_OK;
}

int command_restore(const struct command *command, int argc, char **argv)
{
    return backup_run(command, argc, argv, restore);
}
