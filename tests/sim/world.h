/* world.h: a small theatre district in one thread: a simulated log, service processes that crash
 * and freeze, a crowd that buys and cancels, and a judge who reads the topics afterwards.
 *
 * Everything follows from a plan; the same plan gives the same log, byte for byte. In the order of
 * an evening:
 *
 *     shows are opened ──▶ rounds: the crowd acts, processes turn, time passes, misfortunes strike
 *       ──▶ the misfortunes end, everything comes to rest ──▶ (days later, and to rest again)
 *       ──▶ the judge reads ──▶ (the log itself lies: who notices?)                             */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "base/prng.h"
#include "bus/envelope.h"
#include "bus/service.h"
#include "bus/sim.h"
#include "tests/sim/points.h"
#include "tests/sim/workload.h"

#include <setjmp.h>

enum {
    WORLD_PARTITIONS = 2,
    WORLD_SERVICES = 3,
    WORLD_INSTANCES_MAX = 3, /* of each service; two in most evenings */
    WORLD_PROCESSES_MAX = WORLD_SERVICES * WORLD_INSTANCES_MAX,
    WORLD_NOTICES = 400, /* of the provider, waiting */
    WORLD_BREACH_SIZE = 600
};
#define WORLD_START_MS INT64_C(1790000000000)

/* What a run is made of. */
struct plan {
    uint64_t seed;
    int rounds;                      /* 0: as many as the workload has */
    const struct workload *workload; /* NULL: drawn from the seed */
    bool without[POINT_COUNT];
};

/* What happened, added up over all runs. Plain counters only: it is summed as an array. */
struct tally {
    uint64_t commands, outcomes, repeats, claims, voids, timers, lost, runs;
    uint64_t points[POINT_COUNT];
    uint64_t by_type[MESSAGE_COUNT];
    uint64_t by_reason[reason_COUNT];
    uint64_t by_code[code_COUNT];
    uint64_t by_workload[WORKLOADS_MAX];
};

struct process {
    const struct service_descriptor *descriptor;
    char instance[16];
    struct bus *bus; /* NULL: dead */
    struct service *service;
    bool frozen;
    bool refused; /* it would not start on this log */
};

/* What the payment provider will say, and when. */
struct notice {
    int64_t at_ms;
    enum message_type type; /* RecordPayment or RecordRefund */
    char show_id[16], reservation_id[37], id[37], provider_ref[24];
    enum result result;
    enum repaid repaid;
    int64_t amount_minor, attempt;
};

struct provider {
    struct fence read[WORLD_PARTITIONS]; /* of checkout.events … */
    int64_t at[WORLD_PARTITIONS];        /* … and which record comes next */
    struct notice notices[WORLD_NOTICES];
    int notice_count;
    int next_ref;
};

struct story;
struct edges;

struct world {
    const struct plan *plan;
    const struct workload *workload;
    struct prng prng;
    struct sim *sim;
    struct installation installation;
    struct bus *crowd_bus;
    int instances; /* of each service */
    struct process processes[WORLD_PROCESSES_MAX];
    struct process *acting; /* whose turn it is; NULL: nobody's */
    jmp_buf death;          /* of the acting one */
    struct envelope envelope;
    struct provider provider;
    struct edges *edges; /* NULL: none tonight */
    uint64_t edges_hash; /* of all they ever answered */
    struct tally *tally;
    struct story *story;      /* NULL: nobody listens */
    int64_t clock_back_ms;    /* how far the log's clock was set back, or stood still, in all */
    int64_t clock_goes_on_ms; /* when it does; 0: it goes */
    int64_t log_back_ms;      /* when it is within reach again; 0: it is */
    bool untold;              /* this log's answers never say where a record lies */
    struct sim_faults faults; /* in force now */
    int next_reservation, reservations_max;
    int next_command;
    char breach[WORLD_BREACH_SIZE];
};

struct world *world_new(const struct plan *plan, struct tally *tally, bool tell);
void world_free(struct world *world);

/* The whole evening; NULL: nothing is wrong, else what is. The text is the world's. `judged`: a
 * second run need not be. */
const char *world_run(struct world *world, bool judged);

/* A hash over every record of every topic: two runs of one plan must agree. */
uint64_t world_hash(const struct world *world);

/* Draws whether the point strikes now, `one` times `in`, and counts it. */
bool world_strikes(struct world *world, enum point point, uint64_t one, uint64_t in);
void world_count(struct world *world, enum point point);
uint64_t world_dice(struct world *world, uint64_t sides); /* 0 .. sides-1 */

/* Everybody's turn; time passes until `for_ms` are over, in steps that grow to `step_max_ms` while
 * nothing is written. */
void world_turn(struct world *world, bool misfortunes);
void world_settle(struct world *world, int64_t for_ms, int64_t step_max_ms, bool provider);

/* ---- processes (process.c) ------------------------------------------------------------------- */
int world_process_count(const struct world *world);
void process_start(struct world *world, struct process *process); /* or it is `refused` */
void process_end(struct world *world, struct process *process, bool crash);
void process_step(struct world *world, struct process *process);
void process_thaw(struct world *world, struct process *process);

/* ---- what strikes (mishaps.c) ---------------------------------------------------------------- */
void mishaps_begin(struct world *world);
void mishaps_strike(struct world *world); /* once a round */
void mishaps_end(struct world *world);    /* everybody is up again and the log behaves */

/* The log loses a tail, is made again, gets a partition, or was written by a newer build. NULL: it
 * was noticed, or did no harm; else what went wrong (disaster.c). */
const char *disaster(struct world *world);

/* ---- people ---------------------------------------------------------------------------------- */
/* One command of the crowd, sometimes twice, sometimes nonsense (crowd.c). */
void crowd_act(struct world *world);
void crowd_open(struct world *world); /* creates the shows */
bool crowd_is_priced(const struct world *world, int show);
void crowd_publish(struct world *world, int topic, struct message *message);
void garbage_publish(struct world *world); /* garbage.c */

/* The payment provider and the staff who pay refunds by hand: read checkout.events and answer, in
 * time, late, twice, wrongly or never (provider.c). */
void provider_open(struct world *world);
void provider_act(struct world *world);

/* Reads the topics and says what is wrong with them: NULL when nothing is. The text is the world's.
 * (judge.c) */
const char *judge(struct world *world);

/* ---- the story (story.c) --------------------------------------------------------------------- */
void story_open(struct world *world);
void story_free(struct world *world);
void story_tell(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void story_read(struct world *world); /* what was written since, each record with its verdict */

/* "show-0" … and the reservation ids. */
const char *world_show_id(int show, char out[16]);
const char *world_reservation_id(uint64_t number, char out[37]);

#endif
