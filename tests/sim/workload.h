/* workload.h: kinds of evenings. What the seed does not say, the workload does. */
#ifndef TESTS_SIM_WORKLOAD_H
#define TESTS_SIM_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

enum { WORKLOADS_MAX = 9, ACTS = 8 };

struct workload {
    const char *name;
    int one_in; /* drawn this rarely; the first of the table takes the rest */
    int shows;
    int64_t capacity; /* of the odd shows four times as much, in three tiers with prices */
    bool priced;      /* all shows are odd */
    int reservations; /* how many are made */
    int rounds;
    int acts_per_round_pct; /* 40: in two rounds of five somebody acts; 500: five in every round */
    int weights[ACTS];      /* of the acts, in the order of the points: request … garbage */
};

const struct workload *workload_of(uint64_t seed);
const struct workload *workload_named(const char *name); /* NULL: no such */
int workload_number(const struct workload *workload);
const struct workload *workload_at(int number); /* NULL: behind the last */

#endif
