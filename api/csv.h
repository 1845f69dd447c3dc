/* csv.h: rows for spreadsheets (RFC 4180): commas, lines that end with CR LF, quotes where they are
 * needed. Pure; any thread. */
#ifndef API_CSV_H
#define API_CSV_H

#include "base/text.h"

/* Text from outside: what a spreadsheet would take for a formula gets an apostrophe in front. */
void csv_text(struct buffer *row, struct text text);
/* Text of our own, as it is. */
void csv_plain(struct buffer *row, struct text text);
void csv_i64(struct buffer *row, int64_t number);
/* After the last cell. */
void csv_end(struct buffer *row);

#endif
