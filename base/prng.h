/* prng.h: numbers that look random and come again with the same seed (splitmix64, Steele et al.
 * 2014). For jitter, nonces and simulation; never for secrets. One thread. */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct prng {
    uint64_t state;
};

uint64_t prng_next(struct prng *prng);
uint64_t prng_below(struct prng *prng, uint64_t bound);         /* 0 .. bound-1; bound > 0 */
bool prng_chance(struct prng *prng, uint64_t one, uint64_t in); /* true `one` times `in` */

/* A seed from the kernel's random source: differs in every process. */
uint64_t prng_seed_random(void);

#endif
