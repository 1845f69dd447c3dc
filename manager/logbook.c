/* Appending, and turning the page. */
#include "manager/logbook.h"

#include "base/clock.h"
#include "base/folder.h"
#include "base/memory.h"
#include "base/rfc3339.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct logbook {
    char *folder;
    int fd; /* -1: it could not be opened again */
    size_t size, size_max;
    uint64_t dropped_count;
    struct buffer line;
};

static const char separator[] = " | ";

/* Of the current one (0) or an older one. */
static void path_of(const struct logbook *logbook, int age, char out[PATH_MAX])
{
    if (age == 0)
        snprintf(out, PATH_MAX, "%s/" LOGBOOK_NAME, logbook->folder);
    else
        snprintf(out, PATH_MAX, "%s/" LOGBOOK_NAME ".%d", logbook->folder, age);
}

static bool begin(struct logbook *logbook)
{
    char path[PATH_MAX];
    struct stat found;
    path_of(logbook, 0, path);
    logbook->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (logbook->fd < 0)
        return false;
    logbook->size = fstat(logbook->fd, &found) == 0 ? (size_t)found.st_size : 0;
    return true;
}

struct logbook *logbook_open(const char *folder, size_t size_max)
{
    if (!folder_make(folder))
        return NULL;
    struct logbook *logbook = memory_new(sizeof *logbook);
    logbook->folder = strdup(folder);
    logbook->size_max = size_max;
    if (begin(logbook))
        return logbook;
    int why = errno;
    logbook_close(logbook);
    errno = why;
    return NULL;
}

void logbook_close(struct logbook *logbook)
{
    if (logbook == NULL)
        return;
    if (logbook->fd >= 0)
        close(logbook->fd);
    buffer_release(&logbook->line);
    free(logbook->folder);
    memory_free(logbook);
}

static void end_page(struct logbook *logbook)
{
    if (logbook->fd >= 0)
        close(logbook->fd);
    logbook->fd = -1;
}

static void turn_page(struct logbook *logbook)
{
    char from[PATH_MAX], to[PATH_MAX];
    end_page(logbook);
    for (int age = LOGBOOK_OLDER_MAX; age > 0; age--) {
        path_of(logbook, age - 1, from);
        path_of(logbook, age, to);
        rename(from, to);
    }
}

void logbook_empty(struct logbook *logbook)
{
    char path[PATH_MAX];
    end_page(logbook);
    for (int age = 0; age <= LOGBOOK_OLDER_MAX; age++) {
        path_of(logbook, age, path);
        unlink(path);
    }
    logbook->dropped_count = 0;
}

static void put_line(struct buffer *out, const char *name, struct text line)
{
    char now[RFC3339_SIZE];
    rfc3339_print(clock_wall_ms(), now);
    buffer_print(out, "%s %s%s", now, name, separator);
    buffer_text(out, line);
    buffer_byte(out, '\n');
}

void logbook_write(struct logbook *logbook, const char *name, struct text line)
{
    struct buffer *out = &logbook->line;
    buffer_clear(out);
    if (logbook->dropped_count) {
        struct buffer said = {0};
        buffer_print(&said, "%llu lines could not be written here",
                     (unsigned long long)logbook->dropped_count);
        put_line(out, "stagedoor", buffer_view(&said));
        buffer_release(&said);
    }
    put_line(out, name, line);
    if (logbook->fd >= 0 && logbook->size + out->size > logbook->size_max)
        turn_page(logbook);
    if (logbook->fd < 0 && !begin(logbook)) {
        logbook->dropped_count++;
        return;
    }
    if (write(logbook->fd, out->data, out->size) == (ssize_t)out->size) {
        logbook->size += out->size;
        logbook->dropped_count = 0;
        return;
    }
    logbook->dropped_count++;
    if (ftruncate(logbook->fd, (off_t)logbook->size) != 0) /* half a line is none */
        end_page(logbook);
}

bool logbook_parse(struct text text, struct logbook_line *out)
{
    int64_t time_ms;
    struct text rest = text;
    out->time = text_cut(&rest, ' ');
    out->name = text_cut(&rest, ' ');
    if (!rfc3339_parse(out->time, &time_ms) || out->name.size == 0 || !text_starts(rest, "| "))
        return false;
    out->line = text_from(rest.data + 2, rest.size - 2);
    return true;
}
