/* show_print.h: a folded show as text and as JSON. Pure; one thread. */
#ifndef CLI_SHOW_PRINT_H
#define CLI_SHOW_PRINT_H

#include "cli/show_fold.h"

/* "2026-11-21 19:30:00.123". */
void show_print_moment(struct buffer *out, int64_t at_ms);

/* "12 reservations: 3 held (6 seats), 9 confirmed (20 seats)", with a newline. */
void show_print_bookings(const struct show_fold *fold, struct buffer *out);
/* The same as member "reservations" of the JSON object open in `out`. */
void show_print_bookings_json(const struct show_fold *fold, struct buffer *out);

/* The show as it stood at `at_ms`: what it is, its sale, its seats, its tiers, its reservations. */
void show_print(const struct show_fold *fold, int64_t at_ms, struct buffer *out);
void show_print_json(const struct show_fold *fold, int64_t at_ms, struct buffer *out);

#endif
