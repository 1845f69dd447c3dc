/* logbook.h: what everyone said, kept in a file when the terminal is gone.
 *
 *     2026-11-21T19:30:00.123Z shows-1 | 2026-11-21T19:30:00.122Z info shows/2: claimed at 815
 *
 * When it was heard, from whom, and the line. FOLDER/stagedoor.log; beyond LOGBOOK_SIZE_MAX a new
 * one is begun and the older become stagedoor.log.1, .2 … A full disk must not stop the sale: lines
 * that cannot be written are dropped, and their count is the next line that can. One thread. */
#ifndef MANAGER_LOGBOOK_H
#define MANAGER_LOGBOOK_H

#include "base/text.h"

enum {
    LOGBOOK_SIZE_MAX = 16 * 1024 * 1024,
    LOGBOOK_OLDER_MAX = 4 /* at most 80 MiB in all */
};

#define LOGBOOK_FOLDER "logs"
#define LOGBOOK_NAME   "stagedoor.log"

struct logbook;

/* Makes the folder if need be and goes on behind what is there; a new file is begun beyond
 * `size_max` bytes. NULL with errno set. Given back with logbook_close. */
struct logbook *logbook_open(const char *folder, size_t size_max);
void logbook_close(struct logbook *logbook); /* NULL is allowed */

void logbook_write(struct logbook *logbook, const char *name, struct text line);

/* Everything written so far is gone. */
void logbook_empty(struct logbook *logbook);

/* A line of the file, without its newline, in its parts, borrowed. false: it is none of ours. Pure.
 */
struct logbook_line {
    struct text time, name, line;
};
bool logbook_parse(struct text text, struct logbook_line *out);

#endif
