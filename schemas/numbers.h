/* numbers.h: a set of ticket numbers, 1 to 1000: which of a reservation's tickets are meant.
 *
 * A plain value: copy it, {0} is the empty set. Pure; any thread. */
#ifndef SCHEMAS_NUMBERS_H
#define SCHEMAS_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

enum { NUMBERS_MAX = 1000 };

struct numbers {
    uint64_t bits[(NUMBERS_MAX + 63) / 64]; /* bit n - 1: number n is in */
};

bool numbers_has(const struct numbers *numbers, int64_t number); /* false beyond the limits, too */
void numbers_add(struct numbers *numbers, int64_t number);       /* within the limits */
void numbers_add_range(struct numbers *numbers, int64_t first, int64_t count);

/* The smallest number above `number`; 0: there is none. Start at 0. */
int64_t numbers_next(const struct numbers *numbers, int64_t number);

int64_t numbers_count(const struct numbers *numbers);
/* Of these, how many lie in first … first + count - 1. */
int64_t numbers_count_range(const struct numbers *numbers, int64_t first, int64_t count);

void numbers_join(struct numbers *numbers, const struct numbers *others);
void numbers_remove(struct numbers *numbers, const struct numbers *others);
bool numbers_within(const struct numbers *numbers, const struct numbers *others); /* all of them */
bool numbers_meet(const struct numbers *numbers, const struct numbers *others);   /* any of them */

#endif
