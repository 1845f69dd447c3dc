/* timings.h: how long things took: every value kept, sorted when asked.
 *
 * A million values are 8 MB and sort in 0.1 s, so there is no need for a histogram and its error.
 * One thread. */
#ifndef CLI_TIMINGS_H
#define CLI_TIMINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* S_init is {0}. */
struct timings {
    int64_t *values_us;
    size_t count;
    size_t capacity;
    bool sorted;
};

void timings_add(struct timings *timings, int64_t value_us);

/* The smallest value that at least `percent` per cent of the values do not exceed (nearest rank);
 * 100: the largest; 0 when there is none. */
int64_t timings_percentile_us(struct timings *timings, double percent);

void timings_release(struct timings *timings);

#endif
