/* reservations_csv.h: a show's reservations as a table that is made while it is sent.
 *
 * A piece at a time: when the reader has taken one, a clerk is asked for the next. So
 * a table of any length takes the memory of one piece, and a reader who stops reading holds no
 * thread. What changes meanwhile may be told as it was or as it is; nothing is told twice.
 *
 *     piece empty ──posted──▶ a clerk fills it ──woken──▶ read ──▶ piece empty … */
#ifndef API_RESERVATIONS_CSV_H
#define API_RESERVATIONS_CSV_H

#include "api/register.h"
#include "api/stream.h"

/* Copies what it is given. The shell's to release. */
struct stream *reservations_csv(struct edge *edge, struct text show_id,
                                const struct list_wish *wish);

#endif
