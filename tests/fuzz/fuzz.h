/* fuzz.h: what every fuzz target shares.
 *
 * A target is a family of decoders and what must hold of any bytes they are given; assert says it.
 * It brings its own first inputs, made from the tables and examples in the sources, so that no copy
 * of them can grow stale. One thread. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/text.h"

/* ---- a target defines these ------------------------------------------------------------------ */

/* One input; borrowed, and not followed by a NUL. */
void fuzz_one(struct text input);

/* Gives the first inputs, by fuzz_seed, and words worth trying, by fuzz_word. */
void fuzz_seeds(void);

/* ---- and may call these ---------------------------------------------------------------------- */
void fuzz_seed(struct text input);
void fuzz_seed_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fuzz_word(const char *word);

/* Takes one byte off the front, or 0 of an empty input: for choosing. */
unsigned fuzz_byte(struct text *rest);

/* Like text_cut, but keeps what is behind the first occurrence of a longer mark. */
struct text fuzz_cut(struct text *rest, const char *mark);

#endif
