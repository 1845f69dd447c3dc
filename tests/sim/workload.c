/* The table of workloads. */
#include "tests/sim/workload.h"

#include "base/prng.h"

#include <string.h>

static const struct workload workloads[] = {
    // clang-format off
    /* name, 1 in, shows, capacity, priced, reservations, rounds, acts %, weights of: request,
     * check out, change, cancel, visit, manage, stray payment, garbage */
    {"evening",       0, 2,  12, false,    40,  450,  45, {35, 20, 8, 10, 9, 11,  3, 4}},
    {"hot",           8, 1,  10, false,   150,  350,  60, {62, 14, 2, 14, 2,  3,  1, 2}},
    {"one-seat",     10, 1,   1, false,   120,  350,  60, {55, 15, 2, 22, 1,  2,  2, 1}},
    {"many-shows",   12, 8,   5, false,    80,  450,  50, {45, 22, 5, 10, 5, 10,  1, 2}},
    {"rebuy",        10, 1,   4, true,     60,  400,  55, {34, 26, 6, 26, 4,  2,  1, 1}},
    {"money",         6, 1,  10, true,     40,  450,  45, {22, 38, 2, 14, 4,  3, 15, 2}},
    {"second-thoughts", 20, 1, 30, true,   60,  450,  90, {18, 10, 38, 16, 8,  6,  2, 2}},
    {"door",         15, 1,  20, false,    12,  450,  90, {12, 15, 2,  4, 56, 3,  1, 2}},
    {"full-house", 1000, 1, 100, false, 10000, 2500, 420, {94,  2, 0,  2, 0,  1,  0, 1}},
    // clang-format on
};
enum { WORKLOAD_COUNT = sizeof workloads / sizeof *workloads };
_Static_assert((int)WORKLOAD_COUNT <= (int)WORKLOADS_MAX, "room in the tally");

const struct workload *workload_of(uint64_t seed)
{
    struct prng prng = {seed ^ 0x9e3779b97f4a7c15u};
    for (int i = WORKLOAD_COUNT - 1; i > 0; i--)
        if (prng_chance(&prng, 1, (uint64_t)workloads[i].one_in))
            return &workloads[i];
    return &workloads[0];
}

const struct workload *workload_named(const char *name)
{
    for (int i = 0; i < WORKLOAD_COUNT; i++)
        if (strcmp(workloads[i].name, name) == 0)
            return &workloads[i];
    return NULL;
}

int workload_number(const struct workload *workload)
{
    return (int)(workload - workloads);
}

const struct workload *workload_at(int number)
{
    return number >= 0 && number < WORKLOAD_COUNT ? &workloads[number] : NULL;
}
