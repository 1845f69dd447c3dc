/* loglevel: how much is logged, changed while they run. */
#include "cli/admin_call.h"
#include "cli/connect.h"
#include "cli/house.h"
#include "cli/manager_call.h"
#include "cli/process_facts.h"

#include <stdio.h>

struct change {
    const char *data;
    const char *level; /* NULL: it is only asked for */
    int failed_count;
};

static void tell(void *context, const struct json *line, struct text text)
{
    struct change *change = context;
    struct process_facts facts;
    struct buffer folder = {0}, path = {0}, answer = {0};
    (void)text;
    process_facts_read(line, &facts);
    buffer_print(&folder, "%s/" HOUSE_ADMIN_FOLDER, change->data);
    buffer_print(&path, "/loglevel%s%s", change->level ? "?level=" : "",
                 change->level ? change->level : "");
    int status = facts.pid == 0 ? 0
                                : admin_call(folder.data, facts.name, change->level ? "PUT" : "GET",
                                             path.data, &answer);
    change->failed_count += status != 200;
    if (status)
        printf("%-16s %s", facts.name, answer.data);
    else
        printf("%-16s does not answer\n", facts.name);
    buffer_release(&folder);
    buffer_release(&path);
    buffer_release(&answer);
}

int command_loglevel(const struct command *command, int argc, char **argv)
{
    struct change change = {.data = DATA_DEFAULT};
    const struct option_spec specs[] = {
        HOUSE_OPTION(&change.data),
    };
    struct operands operands;
    enum log_level level;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (operands.count < 1 || operands.count > 2)
        return command_fail(command, END_USAGE, "say: stagedoor loglevel %s", command->operands);
    change.level = operands.count == 2 ? operands.items[1] : NULL;
    if (change.level && !log_level_parse(change.level, &level))
        return command_fail(command, END_USAGE, "'%s' is no level: debug, info, warning or error",
                            change.level);
    const char *words[] = {"ls", operands.items[0]};
    end = manager_call(command, change.data, words, 2, false, tell, &change);
    return end == END_OK && change.failed_count ? END_SYSTEM : end;
}
