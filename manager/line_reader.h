/* line_reader.h: what a child says, a line at a time, each with the child's name before it.
 *
 *     shows           | 2026-11-21T19:30:00.123Z info shows/2: claimed at 815
 *
 * Bytes come in any pieces; out come whole lines without their newline and without the control
 * characters that could move a terminal's cursor. Pure; one thread. */
#ifndef MANAGER_LINE_READER_H
#define MANAGER_LINE_READER_H

#include "base/text.h"

enum { LINE_SIZE_MAX = 2000 }; /* a longer line goes on in the next */

/* S_init is {0}. */
struct line_reader {
    char bytes[LINE_SIZE_MAX];
    size_t size;
};

/* Gives the next whole line out of the bytes held and those at `*rest`, which moves on. false: none
 * yet, and `*rest` is used up. `*line` is borrowed until the next call. */
bool line_reader_next(struct line_reader *reader, struct text *rest, struct text *line);

/* What is left without a newline when the child is gone; false: nothing. */
bool line_reader_last(struct line_reader *reader, struct text *line);

/* Appends the line with its prefix and newline. `width`: the name is padded to it. `colour`: 0:
 * none, else the number of an ANSI colour, 31 .. 36. */
void line_prefix(const char *name, int width, int colour, struct text line, struct buffer *out);

#endif
