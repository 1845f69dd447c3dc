/* words.h: seats, tickets, money and times as people say them. Times are UTC. Everything is safe
 * for a terminal, whoever wrote it. Pure; any thread. */
#ifndef STORY_WORDS_H
#define STORY_WORDS_H

#include "schemas/message.h"

/* "EUR 25.00", "JPY 2500". */
void words_money(struct buffer *out, int64_t amount_minor, struct text currency);

/* "20:15:00" on the UTC day of `near_ms`, else "2026-11-21 20:15:00". `near_ms` -1: always whole.
 */
void words_time(struct buffer *out, int64_t at_ms, int64_t near_ms);

/* A length of time: "4 ms", "1.25 s", "2 min 5 s", "1 h 2 min", "3 d 4 h". */
void words_span(struct buffer *out, int64_t span_ms);

/* "1-3, 7". */
void words_numbers(struct buffer *out, const struct numbers *numbers);

void words_lines(struct buffer *out, const struct lines *lines);       /* "2 stalls, 1 circle" */
void words_tickets(struct buffer *out, const struct tickets *tickets); /* "stalls 1-2, circle 3" */
void words_tiers(struct buffer *out, const struct tiers *tiers, struct text currency);
void words_payment(struct buffer *out, const struct payment *payment);
void words_after(struct buffer *out, const struct after *after); /* "98 of 100 seats free" */

/* A stranger's bytes: control characters become '?', at most `size_max` bytes, cut between
 * characters and marked with "…". */
void words_safe(struct buffer *out, struct text text, size_t size_max);

/* Bytes as they are where they are printable UTF-8, and newlines and tabs if `lines`; all others as
 * \xNN. */
void words_visible(struct buffer *out, struct text text, bool lines);

/* How many columns a text of UTF-8 takes, wide characters aside. */
size_t words_width(struct text text);
void words_pad(struct buffer *out, size_t start, size_t columns);

#endif
