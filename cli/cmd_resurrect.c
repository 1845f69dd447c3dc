/* resurrect: the house as it was saved. */
#include "cli/connect.h"
#include "cli/house.h"
#include "cli/saved.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 200 };

static int run_saved(const struct command *command, const struct saved *saved, bool foreground)
{
    char program[PATH_MAX], name[] = "stagedoor", up[] = "up", detach[] = "--detach";
    char *words[WORDS_MAX + 1] = {name, up};
    int count = 2;
    if (!foreground)
        words[count++] = detach;
    for (const struct json *item = json_first(saved->arguments); item && count < WORDS_MAX;
         item = json_next(item)) {
        struct text argument;
        if (json_text(item, &argument))
            words[count++] = strndup(argument.data, argument.size); /* goes with this program */
    }
    if (house_own_program(program))
        execv(program, words);
    return command_fail(command, END_SYSTEM, "cannot run myself: %s", strerror(errno));
}

int command_resurrect(const struct command *command, int argc, char **argv)
{
    const char *data = DATA_DEFAULT;
    bool foreground = false;
    struct saved saved;
    const struct option_spec specs[] = {
        HOUSE_OPTION(&data),
        OPTION_FLAG("foreground", 0, NULL, &foreground, "stay in this terminal"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if ((end = saved_read(command, data, &saved)) != END_OK)
        return end;
    end = run_saved(command, &saved, foreground);
    saved_release(&saved);
    return end;
}
