/* Sets of ticket numbers, a bit each. */
#include "schemas/numbers.h"

#include <assert.h>

enum { WORDS_COUNT = sizeof(struct numbers) / sizeof(uint64_t) };

bool numbers_has(const struct numbers *numbers, int64_t number)
{
    return number >= 1 && number <= NUMBERS_MAX &&
           (numbers->bits[(number - 1) / 64] >> ((number - 1) % 64) & 1) != 0;
}

void numbers_add(struct numbers *numbers, int64_t number)
{
    assert(number >= 1 && number <= NUMBERS_MAX);
    numbers->bits[(number - 1) / 64] |= UINT64_C(1) << ((number - 1) % 64);
}

void numbers_add_range(struct numbers *numbers, int64_t first, int64_t count)
{
    for (int64_t number = first; number < first + count; number++)
        numbers_add(numbers, number);
}

int64_t numbers_next(const struct numbers *numbers, int64_t number)
{
    uint64_t above = ~UINT64_C(0) << (number % 64);
    for (int64_t at = number / 64; at < WORDS_COUNT; at++, above = ~UINT64_C(0)) {
        uint64_t left = numbers->bits[at] & above;
        if (left)
            return at * 64 + __builtin_ctzll(left) + 1;
    }
    return 0;
}

int64_t numbers_count(const struct numbers *numbers)
{
    int64_t count = 0;
    for (int i = 0; i < WORDS_COUNT; i++)
        count += __builtin_popcountll(numbers->bits[i]);
    return count;
}

int64_t numbers_count_range(const struct numbers *numbers, int64_t first, int64_t count)
{
    int64_t found = 0;
    for (int64_t number = first; number < first + count; number++)
        found += numbers_has(numbers, number);
    return found;
}

void numbers_join(struct numbers *numbers, const struct numbers *others)
{
    for (int i = 0; i < WORDS_COUNT; i++)
        numbers->bits[i] |= others->bits[i];
}

void numbers_remove(struct numbers *numbers, const struct numbers *others)
{
    for (int i = 0; i < WORDS_COUNT; i++)
        numbers->bits[i] &= ~others->bits[i];
}

bool numbers_within(const struct numbers *numbers, const struct numbers *others)
{
    for (int i = 0; i < WORDS_COUNT; i++)
        if (numbers->bits[i] & ~others->bits[i])
            return false;
    return true;
}

bool numbers_meet(const struct numbers *numbers, const struct numbers *others)
{
    for (int i = 0; i < WORDS_COUNT; i++)
        if (numbers->bits[i] & others->bits[i])
            return true;
    return false;
}
