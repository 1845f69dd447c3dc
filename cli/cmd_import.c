/* import: a log made of an export, record by record at the places and with the times they had.
 *
 * So nothing in it has to be rewritten: claims, stamps, sources and positions name the same places
 * as before, and whoever remembers one (registers, cursors, ledgers) goes on from there. What was
 * written is read again and compared before it is a log that anybody may use. */
#include "base/clock.h"
#include "cli/connect.h"
#include "cli/files.h"
#include "cli/log_walk.h"
#include "schemas/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MS = 100, APPEND_TIMEOUT_MS = 120 * 1000 };

struct import {
    const struct command *command;
    struct log_options log;
    bool json;
    const char *path; /* "-": standard input */

    FILE *in;
    char *line; /* getline's */
    size_t line_size;
    uint64_t line_count;
    struct arena arena;
    struct log_line_read read;

    struct buffer url;         /* of the log that is asked for */
    const char *database;      /* sqlite: its path; else NULL */
    struct buffer making_path; /* sqlite: what it is called meanwhile … */
    struct buffer making_url;
    struct bus *bus;
    struct installation installation;
    struct log_sum sum, whole; /* of what was read, and what the export says */
    uint64_t open_count;       /* appends not answered */
    const char *failed;        /* the first that was not taken */
};

/* ---- the export ------------------------------------------------------------------------------ */
static int wrong_line(const struct import *import, const char *why)
{
    return command_fail(import->command, END_NO, "line %llu of '%s': %s",
                        (unsigned long long)import->line_count, import->path, why);
}

/* The next line; LOG_LINE_WRONG and one line printed when there is none. */
static enum log_line next_line(struct import *import, struct text *line)
{
    ssize_t size = getline(&import->line, &import->line_size, import->in);
    arena_reset(&import->arena);
    import->line_count++;
    if (size <= 0) {
        wrong_line(import,
                   "it ends here, without the line that says that this was all: it was cut");
        return LOG_LINE_WRONG;
    }
    *line = text_from(import->line, (size_t)size - (import->line[size - 1] == '\n'));
    enum log_line found = log_line_read(*line, &import->arena, &import->read);
    if (found == LOG_LINE_WRONG)
        wrong_line(import, import->read.why);
    return found;
}

static int read_head(struct import *import)
{
    struct text line;
    switch (next_line(import, &line)) {
    case LOG_LINE_HEAD:
        import->installation = import->read.installation;
        return END_OK;
    case LOG_LINE_WRONG:
        return END_NO;
    case LOG_LINE_RECORD:
    case LOG_LINE_TAIL:
        break;
    }
    return wrong_line(import, "an export does not begin so");
}

/* ---- the log to be --------------------------------------------------------------------------- */
static int find_target(struct import *import)
{
    static const char scheme[] = "sqlite:";
    log_url(&import->log, &import->url);
    if (strncmp(import->url.data, scheme, strlen(scheme)) != 0) {
        buffer_string(&import->making_url, import->url.data);
        return END_OK;
    }
    import->database = import->url.data + strlen(scheme);
    if (file_exists(import->database))
        return command_fail(import->command, END_NO,
                            "'%s' is there already, and is not overwritten; give another --bus",
                            import->database);
    buffer_print(&import->making_path, "%s.importing", import->database);
    buffer_print(&import->making_url, "%s%s", scheme, import->making_path.data);
    if (file_make(import->making_path.data, text_from("", 0), 0644))
        return END_OK;
    int end = command_fail(import->command, END_SYSTEM, "cannot make '%s': %s%s",
                           import->making_path.data, strerror(errno),
                           errno == EEXIST ? "; was an import interrupted? then remove it" : "");
    buffer_clear(&import->making_path);
    return end;
}

static int topics_are_there(const struct import *import, const char *name)
{
    return command_fail(import->command, END_NO,
                        "topic '%s%s' is there already; an import makes its own: give another "
                        "--topic-prefix, or delete the topics if they hold nothing of worth",
                        import->log.bus.topic_prefix ? import->log.bus.topic_prefix : "", name);
}

static int make_topics(struct import *import)
{
    struct bus_topic_spec specs[TOPIC_COUNT];
    struct bus_error error;
    struct bus_options options = bus_settings_options(&import->log.bus, "import");
    options.append_timeout_ms = APPEND_TIMEOUT_MS;
    options.copying = true;
    enum bus_result result = bus_open(&import->bus, import->making_url.data, &options, &error);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        specs[topic] = (struct bus_topic_spec){topic_name(topic),
                                               import->installation.partition_count, true, false};
    if (result == BUS_OK)
        result = bus_topics(import->bus, specs, TOPIC_COUNT, &error);
    if (result != BUS_OK)
        return command_fail(import->command, result == BUS_UNFIT ? END_NO : END_SYSTEM, "%s",
                            error.text);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        if (!specs[topic].created)
            return topics_are_there(import, specs[topic].name);
    return END_OK;
}

/* ---- the records ----------------------------------------------------------------------------- */
static void hear(struct import *import, int timeout_ms)
{
    struct bus_event event;
    while (bus_poll(import->bus, timeout_ms, &event)) {
        timeout_ms = 0;
        import->open_count -= event.type == BUS_APPENDED || event.type == BUS_FAILED;
        if (event.type == BUS_FAILED && import->failed == NULL)
            import->failed = "the log did not take a record";
        if (event.type == BUS_APPENDED && event.offset >= 0 && (uint64_t)event.offset != event.tag)
            import->failed = "somebody else writes to the topics";
    }
}

static int put_record(struct import *import, struct text line)
{
    const struct place *place = &import->read.place;
    const struct bus_record *record = &import->read.record;
    enum bus_result result;
    if (place->partition >= import->installation.partition_count ||
        place->offset != import->sum.ends[place->topic][place->partition])
        return wrong_line(import, "its record is not the next of its partition");
    log_sum_add(&import->sum, place, line);
    while ((result = bus_append(import->bus, place->topic, place->partition, record,
                                (uint64_t)place->offset)) == BUS_FULL &&
           import->failed == NULL)
        hear(import, POLL_MS);
    if (result == BUS_INVALID)
        return wrong_line(import, "its record is too large for this bus");
    import->open_count += result == BUS_OK;
    hear(import, 0);
    return END_OK;
}

static int put_records(struct import *import)
{
    int end = END_OK;
    struct text line;
    while (end == END_OK && import->failed == NULL)
        switch (next_line(import, &line)) {
        case LOG_LINE_RECORD:
            end = put_record(import, line);
            break;
        case LOG_LINE_TAIL:
            import->whole = import->read.sum;
            return log_sum_same(&import->sum, &import->whole)
                       ? END_OK
                       : wrong_line(import, "the records are not those that were exported");
        case LOG_LINE_HEAD:
            return wrong_line(import, "a second export begins");
        case LOG_LINE_WRONG:
            return END_NO;
        }
    return end;
}

static int await_answers(struct import *import)
{
    int64_t until_ms = clock_monotonic_ms() + 2 * APPEND_TIMEOUT_MS;
    while (import->open_count && import->failed == NULL && clock_monotonic_ms() < until_ms)
        hear(import, POLL_MS);
    if (import->failed == NULL && import->open_count)
        import->failed = "the log does not answer";
    return import->failed == NULL ? END_OK
                                  : command_fail(import->command, END_SYSTEM, "%s", import->failed);
}

/* What lies there now, byte for byte. */
static int compare(struct import *import)
{
    static struct log_sum there;
    int end =
        log_walk(import->command, import->bus, import->installation.partition_count, NULL, &there);
    if (end != END_OK || log_sum_same(&there, &import->whole))
        return end;
    return command_fail(import->command, END_NO,
                        "what lies in '%s' is not what was exported; does it change times, or did "
                        "somebody write to it?",
                        import->url.data);
}

static int settle(struct import *import)
{
    struct bus_error error;
    enum bus_result result = bus_copied(import->bus, &error);
    if (result != BUS_OK)
        return command_fail(import->command, END_SYSTEM, "%s", error.text);
    bus_close(import->bus);
    import->bus = NULL;
    if (import->database && !file_give_name(import->making_path.data, import->database))
        return command_fail(import->command, END_SYSTEM, "cannot make '%s': %s", import->database,
                            strerror(errno));
    return END_OK;
}

static void clean_up(struct import *import, int end, bool made)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-wake"};
    struct buffer path = {0};
    bus_close(import->bus);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes && import->making_path.size; i++) {
        buffer_clear(&path);
        buffer_print(&path, "%s%s", import->making_path.data, suffixes[i]);
        unlink(path.data);
    }
    if (end != END_OK && made && import->database == NULL)
        fprintf(
            stderr,
            "what was made is of no use, and nobody can start on it; delete the topics: "
            "kafka-topics --delete --topic '%s(shows|reservations|checkout).(commands|events)'\n",
            import->log.bus.topic_prefix ? import->log.bus.topic_prefix : "");
    buffer_release(&path);
}

static void print(const struct import *import)
{
    struct buffer out = {0};
    if (import->json) {
        json_put_open(&out, NULL, '{');
        json_put_text(&out, "import", text_of(import->path));
        json_put_text(&out, "bus", buffer_view(&import->url));
        json_put_text(&out, "installation", text_of(import->installation.id));
        json_put_i64(&out, "records", (int64_t)import->sum.record_count);
        json_put_close(&out, '}');
    } else {
        buffer_print(
            &out,
            "imported '%s' into %s: installation %s, %llu records, compared\n"
            "next: stagedoor verify --replay --running --bus %s; start everything on it, and never "
            "again on the old log",
            import->path, import->url.data, import->installation.id,
            (unsigned long long)import->sum.record_count, import->url.data);
    }
    puts(out.data);
    buffer_release(&out);
}

static int run(struct import *import)
{
    int end = read_head(import);
    if (end == END_OK)
        end = find_target(import);
    if (end == END_OK)
        end = make_topics(import);
    bool made = end == END_OK;
    if (end == END_OK)
        end = put_records(import);
    if (end == END_OK)
        end = await_answers(import);
    if (end == END_OK)
        end = compare(import);
    if (end == END_OK)
        end = settle(import);
    clean_up(import, end, made);
    if (end == END_OK)
        print(import);
    return end;
}

int command_import(const struct command *command, int argc, char **argv)
{
    static struct import import;
    import = (struct import){.command = command};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&import.log),
        OPTION_FLAG("json", 0, NULL, &import.json, "say what was made as JSON"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (operands.count != 1 || operands.items[0][0] == '\0')
        return command_fail(command, END_USAGE, "say which file, or -; see --help");
    import.path = operands.items[0];
    import.in = strcmp(import.path, "-") == 0 ? stdin : fopen(import.path, "re");
    if (import.in == NULL)
        return command_fail(command, END_SYSTEM, "cannot read '%s': %s", import.path,
                            strerror(errno));
    end = run(&import);
    if (import.in != stdin)
        fclose(import.in);
    free(import.line);
    arena_release(&import.arena);
    buffer_release(&import.url);
    buffer_release(&import.making_path);
    buffer_release(&import.making_url);
    return end;
}
