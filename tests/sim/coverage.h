/* coverage.h: what came together in an evening, seen in the log it left: cancellations at every
 * step of a sale, storms of expiries, records that landed behind a newer claim. Counts, and judges
 * nothing. */
#ifndef TESTS_SIM_COVERAGE_H
#define TESTS_SIM_COVERAGE_H

#include "base/map.h"
#include "tests/sim/world.h"

struct coverage {
    struct world *world;
    struct map holds; /* reservation_id → enum point: what a cancellation would meet there */
    struct arena arena;
    int expired_in_a_row[WORLD_PARTITIONS];
    int64_t claims[TOPIC_COUNT][WORLD_PARTITIONS];
};

void coverage_open(struct coverage *coverage, struct world *world);
void coverage_release(struct coverage *coverage);

/* Every record of the topics, in the order of its partition. */
void coverage_record(struct coverage *coverage, const struct place *place,
                     const struct bus_record *record);

/* An accepted event, likewise. `context`: the coverage. */
void coverage_event(void *context, const struct place *place, const struct message *event,
                    struct text source, struct text value);

#endif
