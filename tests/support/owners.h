/* owners.h: one or two instances of shows on a simulated log, each stepped when time passes. What a
 * function is told of a partition is that of the first one. One thread. */
#ifndef SUPPORT_OWNERS_H
#define SUPPORT_OWNERS_H

#include "bus/service.h"
#include "tests/support/core_play.h"

enum { OWNERS_STEP_MS = 10 };

struct owner {
    struct bus *bus;
    struct service *service;
};

struct owners {
    struct play_log *log;
    struct owner processes[2]; /* those that run are stepped */
    uint64_t starts;
};

struct owners *owners_open(uint64_t seed);
void owners_start(struct owners *house, int number);
/* kill -9, or a polite close that leaves the group. */
void owners_stop(struct owner *process, bool crash);
void owners_close(struct owners *house);
void owners_turn(struct owners *house);
void owners_pass(struct owners *house, int64_t by_ms);
/* One turn whose appends meet with that. */
void owners_turn_under(struct owners *house, struct sim_faults faults);
bool owners_ready(const struct owners *house);
void owners_settle(struct owners *house);
/* Of the first process. */
const struct vitals *owners_counts(const struct owners *house);
enum desk_phase owners_phase(const struct owners *house, int partition);
const void *owners_state(const struct owners *house, int partition);
int64_t owners_held(const struct owners *house, int partition);
/* A house with a show in each partition, and one owner. */
struct owners *owners_opened(uint64_t seed, int capacity);
/* A member who never claims; "z" gets the second partition, "0" the first. */
struct bus *owners_stranger(struct owners *house, const char *instance);

#endif
