/* register_rows.h: shows and reservations as the JSON texts the register keeps. Written and read
 * by the same build or a later one: REGISTER_LAYOUT is raised when a reader must not try. Pure;
 * any thread. */
#ifndef API_REGISTER_ROWS_H
#define API_REGISTER_ROWS_H

#include "api/view.h"

enum { REGISTER_LAYOUT = 4 };

void row_put_reservation(struct buffer *out, const struct reservation *reservation);
void row_put_show(struct buffer *out, const struct show *show); /* without its replays */
void row_put_replays(struct buffer *out, const struct replays *replays);

/* NULL: the text is none of ours. The caller owns the result. */
struct reservation *row_read_reservation(struct text text);
struct show *row_read_show(struct text text);
void row_read_replays(struct text text, struct replays *replays);

#endif
