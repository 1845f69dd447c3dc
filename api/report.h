/* report.h: the evening in figures: a show's reservations, added up. Pure but for memory. */
#ifndef API_REPORT_H
#define API_REPORT_H

#include "api/view.h"

/* Of those reserved in one hour: what was sold of it and not given back. */
struct report_hour {
    int64_t at_ms, quantity, amount_minor;
};

/* How many, and how much money. */
struct report_sum {
    int64_t count, amount_minor;
};

/* S_init is {0}, but for the currency. */
struct report {
    const char *currency; /* of the show; borrowed */
    int64_t reservations[STATUS_CANCELLED + 1];
    struct report_sum paid[method_COUNT];
    struct report_sum refunded, refunding; /* given back; on its way */
    int64_t tickets, seen, inside; /* valid ones; ever at a door; let in and not out again */
    struct report_hour *hours;
    size_t hour_count;
};

/* `context` is the report. In the order in which they were made. */
void report_add(void *context, const struct reservation *reservation);

/* Members of a JSON object. */
void report_put(struct buffer *out, const struct report *report);
void report_release(struct report *report);

#endif
