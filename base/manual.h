/* manual.h: what a program can be told, for readers other than a terminal: `--help=man` is its page
 * of the manual, as mdoc(7), and `--help=words` is what a shell may complete. Both are read from
 * the table that reads the command line, so they never tell anything else. Pure. */
#ifndef BASE_MANUAL_H
#define BASE_MANUAL_H

#include "base/options.h"

/* The name, how it is called, what it is about and its options. "stagedoor tail" is
 * stagedoor-tail(1), "stagedoor-edge" is stagedoor-edge(8). What is the same of all programs, and
 * what a table cannot know, is added where pages are installed (packaging/man). */
void manual_page(const struct option_table *table, struct buffer *out);

/* Lines of WORD, ARGUMENT and help, with tabs between them; ARGUMENT is "-" where none is taken.
 * What stands in the operands in small letters is a word as well: "create|check". */
void manual_words(const struct option_table *table, struct buffer *out);

/* ---- of what such pages are made ------------------------------------------------------------- */

void manual_name(const char *name, int section, struct text summary, struct buffer *out);

/* Text as people wrote it for --help: indented lines stay as they are, all others are filled. */
void manual_text(struct text text, struct buffer *out);

#endif
