/* log.h: lines for the people who run this, to standard error.
 *
 *     2026-11-21T19:30:00.123Z info shows/2: claimed at 815, 20 ms after start
 *     time=2026-11-21T19:30:00.123Z level=info subject=shows/2 message="claimed at 815, 20 ms …"
 *     {"time":"2026-11-21T19:30:00.123Z","level":"info","subject":"shows/2","message":"claimed …"}
 *
 * lower case, subject first, what to do next when something is wrong. Never a secret. A line is one
 * line, whatever is in it. When standard error is systemd's journal, each begins with its priority
 * (sd-daemon(3)), and text leaves out what the journal knows itself. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_LOGFMT, LOG_JSON };

/* Lines below `level` are not written. Default LOG_INFO. */
void log_set_level(enum log_level level);
enum log_level log_level(void);
bool log_level_parse(const char *name, enum log_level *level); /* debug, info, warning, error */
const char *log_level_name(enum log_level level);
/* For who would have to work to find out what to say. */
bool log_wants(enum log_level level);

/* Default LOG_TEXT. */
void log_set_format(enum log_format format);
bool log_format_parse(const char *name, enum log_format *format); /* text, logfmt, json */

/* `subject`: who speaks ("shows/2", "edge"). Adds the newline. */
void log_line(enum log_level level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
