#include "cli/manager_call.h"

#include "manager/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct call {
    const struct command *command;
    manager_line *tell;
    void *context;
    int end; /* -1: not yet */
};

static int nobody(const struct command *command, const char *data)
{
    if (errno == EACCES || errno == EPERM)
        return command_fail(command, END_SYSTEM,
                            "'%s/" CONTROL_NAME "' is another user's; ask as the one who runs it",
                            data);
    return command_fail(command, END_NO,
                        "nobody runs the house in folder '%s'; start it: stagedoor up -d --data %s "
                        "(or say --data DIR)",
                        data, data);
}

static bool ask(int fd, const char *const words[], int count)
{
    struct buffer request = {0};
    for (int i = 0; i < count; i++)
        buffer_print(&request, "%s%s", i ? " " : "", words[i]);
    buffer_byte(&request, '\n');
    bool sent = write(fd, request.data, request.size) == (ssize_t)request.size;
    buffer_release(&request);
    return sent;
}

static void hear(struct call *call, struct text text)
{
    const char *problem;
    size_t at;
    int64_t end;
    struct text error;
    struct json *line = json_parse(text, &problem, &at);
    if (line == NULL)
        return; /* of a newer manager, perhaps */
    if (json_i64(json_member(line, "end"), &end)) {
        call->end = (int)end;
        if (json_text(json_member(line, "error"), &error))
            command_fail(call->command, call->end, "%.*s", TEXT_PRINT(error));
    } else if (call->tell) {
        call->tell(call->context, line, text);
    }
    json_free(line);
}

int manager_call(const struct command *command, const char *data, const char *const words[],
                 int count, bool until_gone, manager_line *tell, void *context)
{
    struct call call = {command, tell, context, -1};
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    for (int i = 0; i < count; i++)
        if (words[i][0] == '\0' || strpbrk(words[i], " \n"))
            return command_fail(command, END_USAGE, "'%s' is no name", words[i]);
    int fd = control_connect(data);
    if (fd < 0)
        return nobody(command, data);
    FILE *answer = ask(fd, words, count) ? fdopen(fd, "r") : NULL;
    if (answer == NULL)
        close(fd);
    while (answer && (size = getline(&line, &room, answer)) > 0)
        hear(&call, text_trim(text_from(line, (size_t)size - (line[size - 1] == '\n'))));
    if (answer)
        fclose(answer);
    free(line);
    if (call.end >= 0)
        return call.end;
    return until_gone ? END_OK
                      : command_fail(command, END_SYSTEM, "the manager ended before it answered");
}
