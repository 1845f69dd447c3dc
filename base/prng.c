/* splitmix64: one word of state, good enough to wander through every interleaving. */
#include "base/prng.h"

#include <assert.h>
#include <sys/random.h>

uint64_t prng_next(struct prng *prng)
{
    uint64_t z = prng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    assert(bound > 0);
    return prng_next(prng) % bound;
}

bool prng_chance(struct prng *prng, uint64_t one, uint64_t in)
{
    return prng_below(prng, in) < one;
}

uint64_t prng_seed_random(void)
{
    uint64_t seed = 0;
    ssize_t got = getrandom(&seed, sizeof seed, 0);
    assert(got == (ssize_t)sizeof seed);
    return seed;
}
