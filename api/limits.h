/* limits.h: who asks too often: a token bucket for each caller.
 *
 * A caller's bucket holds `burst` tokens and gets `rate` of them a second; a request takes one. The
 * table has room for LIMITS_CALLERS and forgets whose bucket is fullest, which is who has asked
 * least; so memory is bounded, and a crowd of addresses can at most make each other's buckets full.
 * Any thread: the table has a lock of its own, held for one lookup. */
#ifndef API_LIMITS_H
#define API_LIMITS_H

#include "base/text.h"

#include <pthread.h>

enum { LIMITS_CALLERS = 16 * 1024 };

struct bucket {
    uint64_t hash;   /* 0: nobody's */
    int64_t full_us; /* when it will be full again if nothing is taken */
};

/* Init by limits_init. */
struct limits {
    pthread_mutex_t lock;
    uint64_t salt;          /* so that nobody chooses who shares his bucket */
    struct bucket *buckets; /* NULL: nobody asked yet */
};

void limits_init(struct limits *limits);
void limits_release(struct limits *limits);

/* Takes a token of the caller of that name. 0: taken; else so many milliseconds until there is one.
 * `rate` a second, `burst` at once, both ≥ 1; `now_ms` of a clock that never goes back. */
int64_t limits_take(struct limits *limits, struct text caller, int rate, int burst, int64_t now_ms);

#endif
