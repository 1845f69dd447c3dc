/* A bucket is one time, when it will be full (the generic cell rate algorithm); short probes of an
 * open table. */
#include "api/limits.h"

#include "base/memory.h"

#include <sys/random.h>

enum { PROBES = 8 };

void limits_init(struct limits *limits)
{
    *limits = (struct limits){.buckets = NULL};
    pthread_mutex_init(&limits->lock, NULL);
}

void limits_release(struct limits *limits)
{
    memory_free(limits->buckets);
    pthread_mutex_destroy(&limits->lock);
}

static uint64_t hash_of(uint64_t salt, struct text caller)
{
    uint64_t hash = salt;
    for (size_t i = 0; i < caller.size; i++)
        hash = (hash ^ (unsigned char)caller.data[i]) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
    return hash ? hash : 1;
}

static void open_table(struct limits *limits)
{
    limits->buckets = memory_new(LIMITS_CALLERS * sizeof *limits->buckets);
    if (getrandom(&limits->salt, sizeof limits->salt, 0) != (ssize_t)sizeof limits->salt)
        memory_lacks("the salt of the callers' table");
}

/* The caller's, else one that nobody has, else that of whom has asked least of those nearby. */
static struct bucket *find(struct limits *limits, uint64_t hash)
{
    struct bucket *least = &limits->buckets[hash % LIMITS_CALLERS];
    for (int i = 0; i < PROBES; i++) {
        struct bucket *bucket = &limits->buckets[(hash + (uint64_t)i) % LIMITS_CALLERS];
        if (bucket->hash == hash)
            return bucket;
        if (bucket->full_us < least->full_us)
            least = bucket;
    }
    *least = (struct bucket){.hash = hash};
    return least;
}

int64_t limits_take(struct limits *limits, struct text caller, int rate, int burst, int64_t now_ms)
{
    int64_t token_us = 1000000 / rate, now_us = now_ms * 1000;
    pthread_mutex_lock(&limits->lock);
    if (limits->buckets == NULL)
        open_table(limits);
    struct bucket *bucket = find(limits, hash_of(limits->salt, caller));
    int64_t full_us = (bucket->full_us > now_us ? bucket->full_us : now_us) + token_us;
    int64_t over_us = full_us - now_us - burst * token_us;
    if (over_us <= 0)
        bucket->full_us = full_us;
    pthread_mutex_unlock(&limits->lock);
    return over_us > 0 ? (over_us + 999) / 1000 : 0;
}
