/* Percentiles by nearest rank over all values. */
#include "cli/timings.h"

#include "base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

void timings_add(struct timings *timings, int64_t value_us)
{
    if (timings->count == timings->capacity) {
        timings->capacity = timings->capacity ? timings->capacity * 2 : 1024;
        timings->values_us = memory_grow(timings->values_us, timings->capacity * sizeof(int64_t));
    }
    timings->values_us[timings->count++] = value_us;
    timings->sorted = false;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t timings_percentile_us(struct timings *timings, double percent)
{
    assert(percent >= 0 && percent <= 100);
    if (timings->count == 0)
        return 0;
    if (!timings->sorted)
        qsort(timings->values_us, timings->count, sizeof(int64_t), compare);
    timings->sorted = true;
    double rank = ceil(percent / 100 * (double)timings->count);
    size_t place = rank < 1 ? 0 : (size_t)rank - 1;
    return timings->values_us[place < timings->count ? place : timings->count - 1];
}

void timings_release(struct timings *timings)
{
    memory_free(timings->values_us);
    *timings = (struct timings){0};
}
