/* logs: what everyone said, out of the manager's logbook, whether it runs or not. */
#include "base/memory.h"
#include "cli/connect.h"
#include "cli/manager_call.h"
#include "manager/logbook.h"
#include "story/words.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES_DEFAULT = 20, LINES_MOST = 1000000 };

struct logs {
    const struct command *command;
    const char *data;
    bool follow, json;
    int64_t last_count;
    char who[64]; /* "": everyone */

    char folder[PATH_MAX];
    struct text *last; /* a ring of the newest lines, until they are printed; then NULL */
    int64_t seen_count;
    FILE *file; /* the current one */
    char *line;
    size_t room;
};

/* ---- whose lines ----------------------------------------------------------------------------- */
/* "shows" means shows-1, shows-2 … as well. */
static bool meant(const struct logs *logs, struct text name)
{
    size_t size = strlen(logs->who);
    return size == 0 || text_is(name, logs->who) ||
           (text_starts(name, logs->who) && name.data[size] == '-');
}

static void take_name(void *context, const struct json *line, struct text text)
{
    struct logs *logs = context;
    struct text name;
    (void)text;
    if (json_text(json_member(line, "name"), &name))
        snprintf(logs->who, sizeof logs->who, "%.*s", TEXT_PRINT(name));
}

/* A number of `stagedoor ls` is known to the manager alone. */
static int find_who(struct logs *logs, const char *who)
{
    uint64_t number;
    snprintf(logs->who, sizeof logs->who, "%s", who);
    if (!text_to_u64(text_of(who), &number))
        return END_OK;
    const char *words[] = {"ls", who};
    return manager_call(logs->command, logs->data, words, 2, false, take_name, logs);
}

/* ---- lines ----------------------------------------------------------------------------------- */
static void print(const struct logs *logs, struct text text)
{
    struct logbook_line parts;
    struct buffer out = {0}, line = {0};
    if (!logbook_parse(text, &parts))
        return;
    if (logs->json) {
        json_put_open(&out, NULL, '{');
        json_put_text(&out, "time", parts.time);
        json_put_text(&out, "name", parts.name);
        words_visible(&line, parts.line, true); /* whatever its bytes are, this is JSON */
        json_put_text(&out, "line", buffer_view(&line));
        json_put_close(&out, '}');
    } else {
        buffer_print(&out, "%-14.*s | ", TEXT_PRINT(parts.name));
        buffer_text(&out, parts.line);
    }
    buffer_byte(&out, '\n');
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
    buffer_release(&line);
}

static void take(struct logs *logs, struct text text)
{
    struct logbook_line parts;
    if (!logbook_parse(text, &parts) || !meant(logs, parts.name))
        return;
    if (logs->last == NULL) {
        print(logs, text);
    } else if (logs->last_count) {
        struct text *place = &logs->last[logs->seen_count++ % logs->last_count];
        text_free(place);
        *place = text_copy(text);
    }
}

static void print_last(struct logs *logs)
{
    int64_t first = logs->seen_count > logs->last_count ? logs->seen_count - logs->last_count : 0;
    struct text *last = logs->last;
    for (int64_t i = first; i < logs->seen_count; i++)
        print(logs, last[i % logs->last_count]);
    for (int64_t i = 0; i < logs->last_count; i++)
        text_free(&last[i]);
    memory_free(last);
    logs->last = NULL;
    fflush(stdout);
}

/* All whole lines that are there now. */
static void read_on(struct logs *logs)
{
    ssize_t size;
    clearerr(logs->file);
    while ((size = getline(&logs->line, &logs->room, logs->file)) > 0) {
        if (logs->line[size - 1] != '\n') { /* it is being written */
            fseek(logs->file, -(long)size, SEEK_CUR);
            break;
        }
        take(logs, text_from(logs->line, (size_t)size - 1));
    }
    fflush(stdout);
}

static FILE *open_file(const struct logs *logs, int age)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, age ? "%s/" LOGBOOK_NAME ".%d" : "%s/" LOGBOOK_NAME, logs->folder,
             age);
    return fopen(path, "re");
}

/* From the oldest to the current one, which stays open. */
static void read_history(struct logs *logs)
{
    for (int age = LOGBOOK_OLDER_MAX; age >= 0; age--) {
        if (logs->file)
            fclose(logs->file);
        logs->file = open_file(logs, age);
        if (logs->file)
            read_on(logs);
    }
}

/* ---- following ------------------------------------------------------------------------------- */
/* A new page was begun, or all was emptied. */
static void turn_page(struct logs *logs)
{
    struct stat ours, newest;
    FILE *file = open_file(logs, 0);
    if (file == NULL)
        return;
    bool same = logs->file && fstat(fileno(logs->file), &ours) == 0 &&
                fstat(fileno(file), &newest) == 0 && ours.st_ino == newest.st_ino;
    if (same) {
        fclose(file);
        return;
    }
    if (logs->file) {
        read_on(logs); /* what came before the page was turned */
        fclose(logs->file);
    }
    logs->file = file;
}

static int follow(struct logs *logs)
{
    char events[4096];
    int watch = inotify_init1(IN_CLOEXEC);
    if (watch < 0 || inotify_add_watch(watch, logs->folder, IN_MODIFY | IN_CREATE) < 0)
        return command_fail(logs->command, END_SYSTEM, "cannot watch folder '%s': %s", logs->folder,
                            strerror(errno));
    do {
        turn_page(logs);
        if (logs->file)
            read_on(logs);
    } while (!ferror(stdout) && read(watch, events, sizeof events) > 0);
    return END_OK;
}

int command_logs(const struct command *command, int argc, char **argv)
{
    struct logs logs = {.command = command, .data = DATA_DEFAULT, .last_count = LINES_DEFAULT};
    const struct option_spec specs[] = {
        HOUSE_OPTION(&logs.data),
        OPTION_FLAG("follow", 'f', NULL, &logs.follow, "go on with what is said from now on"),
        OPTION_COUNT("lines", 'n', "N", NULL, &logs.last_count, 0, LINES_MOST,
                     "of those said already (20)"),
        OPTION_FLAG("json", 0, NULL, &logs.json, "{time, name, line}, an object a line"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (operands.count > 1)
        return command_fail(command, END_USAGE, "say one name, or none for everyone");
    if (operands.count && (end = find_who(&logs, operands.items[0])) != END_OK)
        return end;
    snprintf(logs.folder, sizeof logs.folder, "%s/" LOGBOOK_FOLDER, logs.data);
    if (access(logs.folder, R_OK | X_OK) != 0)
        return command_fail(command, END_NO, "no logs in '%s': %s; say --data DIR", logs.folder,
                            strerror(errno));
    logs.last = memory_new((size_t)(logs.last_count + 1) * sizeof *logs.last);
    read_history(&logs);
    print_last(&logs);
    if (logs.follow)
        end = follow(&logs);
    if (logs.file)
        fclose(logs.file);
    free(logs.line);
    return end;
}
