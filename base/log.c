/* One line, one write: lines of several processes on one terminal do not mix. */
#include "base/log.h"

#include "base/clock.h"
#include "base/rfc3339.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"debug", "info", "warning", "error"};
static _Atomic int lowest = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&lowest, (int)level);
}

bool log_level_parse(const char *name, enum log_level *level)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (strcmp(names[i], name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

void log_line(enum log_level level, const char *subject, const char *format, ...)
{
    if ((int)level < atomic_load(&lowest))
        return;
    char time[RFC3339_SIZE];
    struct buffer line = {0};
    va_list arguments;
    buffer_print(&line, "%s %s %s: ", rfc3339_print(clock_wall_ms(), time), names[level], subject);
    va_start(arguments, format);
    buffer_vprint(&line, format, arguments);
    va_end(arguments);
    buffer_byte(&line, '\n');
    ssize_t written = write(STDERR_FILENO, line.data, line.size);
    (void)written; /* there is nobody left to tell */
    buffer_release(&line);
}
