/* log.h: lines for the people who run this, to standard error.
 *
 *     2026-11-21T19:30:00.123Z info shows/2: claimed at 815, 20 ms after start
 *
 * lower case, subject first, what to do next when something is wrong. Never a secret. Any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Lines below `level` are not written. Default LOG_INFO. */
void log_set_level(enum log_level level);
bool log_level_parse(const char *name, enum log_level *level); /* debug, info, warning, error */

/* `subject`: who speaks ("shows/2", "edge"). Adds the newline. */
void log_line(enum log_level level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
