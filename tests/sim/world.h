/* world.h: a small theatre district in one thread: a simulated log, service processes that crash
 * and freeze, a crowd that buys and cancels, and a judge who reads the topics afterwards.
 *
 * Everything follows from one seed; the same seed gives the same log, byte for byte. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "base/prng.h"
#include "bus/envelope.h"
#include "bus/service.h"
#include "bus/sim.h"

enum {
    WORLD_PARTITIONS = 2,
    WORLD_SERVICES = 3,
    WORLD_INSTANCES = 2, /* of each service */
    WORLD_SHOWS = 2,
    WORLD_RESERVATIONS = 60,
    WORLD_ERRANDS = 400 /* of the provider, waiting */
};
#define WORLD_START_MS INT64_C(1790000000000)

struct process {
    const struct service_descriptor *descriptor;
    char instance[16];
    struct bus *bus; /* NULL: dead */
    struct service *service;
    bool frozen;
};

/* What happened, added up over all seeds: a point that never fired was not tested. */
struct tally {
    uint64_t commands, outcomes, repeats, crashes, freezes, clock_steps, long_waits;
    uint64_t claims, fenced, stepped_down, voids, timers, lost, doubts;
    uint64_t by_type[MESSAGE_COUNT];
    uint64_t by_reason[reason_COUNT];
    uint64_t by_code[code_COUNT];
    struct sim_counts faults;
};

/* What the payment provider will say, and when. */
struct errand {
    int64_t at_ms;
    enum message_type type; /* RecordPayment or RecordRefund */
    char show_id[16], reservation_id[37], id[37], provider_ref[24];
    enum result result;
    enum repaid repaid;
    int64_t amount_minor, attempt;
};

struct provider {
    struct fence read[WORLD_PARTITIONS]; /* of checkout.events */
    struct errand errands[WORLD_ERRANDS];
    int errand_count;
    int next_ref;
};

struct world {
    struct prng prng;
    struct sim *sim;
    struct installation installation;
    struct bus *crowd_bus;
    struct process processes[WORLD_SERVICES * WORLD_INSTANCES];
    struct envelope envelope;
    struct provider provider;
    struct tally *tally;
    bool trace;
    int clock_steps;
    const struct sim_faults *faults; /* in force now */
    int next_reservation, reservations_max;
    int next_command;
};

struct world *world_new(uint64_t seed, struct tally *tally, bool trace);
void world_free(struct world *world);

/* The evening: `rounds` rounds of buying under faults, then the faults end and everything comes to
 * rest. */
void world_run(struct world *world, int rounds);

/* One command of the crowd, sometimes twice, sometimes nonsense (crowd.c). */
void crowd_act(struct world *world);
void crowd_open(struct world *world); /* creates the shows */
void crowd_publish(struct world *world, int topic, struct message *message);

/* The payment provider and the staff who pay refunds by hand: read checkout.events and answer, in
 * time, late, twice, wrongly or never (provider.c). */
void provider_open(struct world *world);
void provider_act(struct world *world);

/* Reads the topics and says what is wrong with them: NULL when nothing is. The text is the world's.
 * (judge.c) */
const char *judge(struct world *world);

/* A hash over every record of every topic: two runs of one seed must agree. */
uint64_t world_hash(const struct world *world);

/* "show-0" … and the reservation ids. */
const char *world_show_id(int show, char out[16]);
const char *world_reservation_id(uint64_t number, char out[37]);

#endif
