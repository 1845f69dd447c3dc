/* One line, one write: lines of several processes on one terminal do not mix. */
#include "base/log.h"

#include "base/clock.h"
#include "base/rfc3339.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {"debug", "info", "warning", "error"};
static const char *const format_names[] = {"text", "logfmt", "json"};
static _Atomic int lowest = LOG_INFO;
static _Atomic int chosen = LOG_TEXT;

void log_set_level(enum log_level level)
{
    atomic_store(&lowest, (int)level);
}

enum log_level log_level(void)
{
    return (enum log_level)atomic_load(&lowest);
}

const char *log_level_name(enum log_level level)
{
    return names[level];
}

bool log_wants(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

void log_set_format(enum log_format format)
{
    atomic_store(&chosen, (int)format);
}

/* The number of `name` among `count` names; -1: it is not there. */
static int number_of(const char *const *all, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(all[i], name) == 0)
            return i;
    return -1;
}

bool log_level_parse(const char *name, enum log_level *level)
{
    int number = number_of(names, LOG_ERROR + 1, name);
    if (number >= 0)
        *level = (enum log_level)number;
    return number >= 0;
}

bool log_format_parse(const char *name, enum log_format *format)
{
    int number = number_of(format_names, LOG_JSON + 1, name);
    if (number >= 0)
        *format = (enum log_format)number;
    return number >= 0;
}

/* ---- the journal ----------------------------------------------------------------------------- */

/* Standard error is what systemd made for the journal, and was not redirected since. */
static bool is_journal(void)
{
    char own[64];
    struct stat status;
    const char *stream = getenv("JOURNAL_STREAM");
    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
        return false;
    snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    return strcmp(stream, own) == 0;
}

/* As syslog has them. */
static int priority_of(enum log_level level)
{
    static const int priorities[] = {7, 6, 4, 3};
    return priorities[level];
}

/* ---- a line ---------------------------------------------------------------------------------- */

struct entry {
    const char *time, *subject;
    enum log_level level;
    bool journal;
    struct text message;
};

/* Whatever a stranger's words are in it, they cannot look like a line of ours. */
static void put_plain(struct buffer *line, struct text message)
{
    for (size_t i = 0; i < message.size; i++) {
        unsigned char byte = (unsigned char)message.data[i];
        if (byte < ' ' || byte == 0x7f)
            buffer_print(line, "\\x%02x", byte);
        else
            buffer_byte(line, (char)byte);
    }
}

static void put_text(struct buffer *line, const struct entry *entry)
{
    if (!entry->journal)
        buffer_print(line, "%s %s ", entry->time, names[entry->level]);
    buffer_print(line, "%s: ", entry->subject);
    put_plain(line, entry->message);
}

static void put_logfmt(struct buffer *line, const struct entry *entry)
{
    buffer_print(line, "time=%s level=%s subject=%s message=", entry->time, names[entry->level],
                 entry->subject);
    buffer_quoted(line, entry->message);
}

static void put_json(struct buffer *line, const struct entry *entry)
{
    buffer_print(line, "{\"time\":\"%s\",\"level\":\"%s\",\"subject\":", entry->time,
                 names[entry->level]);
    buffer_quoted(line, text_of(entry->subject));
    buffer_string(line, ",\"message\":");
    buffer_quoted(line, entry->message);
    buffer_byte(line, '}');
}

static void put_entry(struct buffer *line, const struct entry *entry)
{
    if (entry->journal)
        buffer_print(line, "<%d>", priority_of(entry->level));
    switch ((enum log_format)atomic_load(&chosen)) {
    case LOG_TEXT:
        put_text(line, entry);
        break;
    case LOG_LOGFMT:
        put_logfmt(line, entry);
        break;
    case LOG_JSON:
        put_json(line, entry);
        break;
    }
    buffer_byte(line, '\n');
}

void log_line(enum log_level level, const char *subject, const char *format, ...)
{
    if (!log_wants(level))
        return;
    char time[RFC3339_SIZE];
    struct buffer message = {0}, line = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&message, format, arguments);
    va_end(arguments);
    const struct entry entry = {rfc3339_print(clock_wall_ms(), time), subject, level, is_journal(),
                                buffer_view(&message)};
    put_entry(&line, &entry);
    ssize_t written = write(STDERR_FILENO, line.data, line.size);
    (void)written; /* there is nobody left to tell */
    buffer_release(&message);
    buffer_release(&line);
}
