/* sim.h: the log in memory, with one seed and every fault a real one can have. For tests only.
 *
 * A `struct sim` is the cluster; handles on it are opened with sim_bus_open and speak bus.h.
 * Nothing happens on its own: time is sim_advance, and a handle's bus_poll never waits. The same
 * seed and the same calls give the same events. One thread. */
#ifndef BUS_SIM_H
#define BUS_SIM_H

#include "bus/bus.h"

struct sim;

/* Chances per thousand, drawn at every append or delivery; all 0: a perfect log. */
struct sim_faults {
    int append_lost;    /* reported failed, never lands */
    int append_lied;    /* lands, reported failed */
    int append_doubled; /* lands twice, reported once, without an offset */
    int append_late;    /* reported failed, lands up to late_ms later, also behind a newer claim */
    int late_ms;
    int append_untold;    /* it landed, and the answer does not say where */
    int suffix_lost;      /* this append and all in flight behind it on its partition are lost */
    int queue_full;       /* BUS_FULL */
    int delivery_delayed; /* a partition's deliveries to one handle stall for up to delay_ms; a
                             CAUGHT_UP that stalls is old news when it comes */
    int delay_ms;
    int partition_starved; /* the same for up to starved_ms: the others go far ahead meanwhile */
    int starved_ms;
    int acknowledgement_ms; /* upper bound of the time between append and its answer */
    int rebalance;          /* membership is shuffled, at any poll */
};

/* How often each fault fired, in the order of struct sim_faults' chances. */
struct sim_counts {
    uint64_t append_lost, append_lied, append_doubled, append_late, append_untold, suffix_lost,
        queue_full, delivery_delayed, partition_starved, rebalance, crash;
};

struct sim *sim_new(uint64_t seed, int64_t start_ms);
void sim_free(struct sim *sim); /* after its handles were closed or crashed */

void sim_set_faults(struct sim *sim,
                    const struct sim_faults *faults); /* copied; may change at any time */
const struct sim_counts *sim_counts(const struct sim *sim);

/* Time, seen by append_ms and by what is delayed. sim_step_clock moves only the log's clock (±), as
 * NTP would. */
int64_t sim_now_ms(const struct sim *sim);
int64_t sim_log_ms(const struct sim *sim); /* the log's clock, steps included */
void sim_advance(struct sim *sim, int64_t by_ms);
void sim_step_clock(struct sim *sim, int64_t by_ms);
void sim_stop_clock(struct sim *sim, bool stopped); /* the log's clock stands still, or goes on */

/* A new handle (a process). bus_close ends it politely; sim_crash as kill -9 does: appends in
 * flight may land now, later or never, membership ends when the session times out, and the handle
 * is freed. */
struct bus *sim_bus_open(struct sim *sim, const struct bus_options *options);
void sim_crash(struct bus *bus);

/* Where a process may die in the middle of its work: nothing it does between two calls of its
 * handle can be seen by anyone. */
enum sim_moment { SIM_BEFORE_POLL, SIM_AFTER_POLL, SIM_BEFORE_APPEND, SIM_AFTER_APPEND };

/* `witness` is told of every such moment of every handle (after a poll only if it gave something)
 * and need not return: it may leave by longjmp and have the handle crashed. NULL: nobody does. */
void sim_watch(struct sim *sim,
               void (*witness)(void *context, struct bus *bus, enum sim_moment moment),
               void *context);

/* A frozen process: its handle gets nothing and its appends in flight stay there, until thawed; its
 * membership times out meanwhile. */
void sim_freeze(struct bus *bus, bool frozen);

/* Looking and meddling, past every fault. Here a topic is its number in the order of creation,
 * which is everybody's index when all handles name the same list. */
int64_t sim_end(const struct sim *sim, int topic, int partition);
bool sim_record(const struct sim *sim, int topic, int partition, int64_t offset,
                struct bus_record *record);
/* The tail is gone. A reader that was beyond it is told when it looks while the log is too short;
 * half of them do at once, the others may find that it has grown again, and notice nothing. */
void sim_truncate(struct sim *sim, int topic, int partition, int64_t offset);

void sim_eat(struct sim *sim, int topic, int partition, int64_t below); /* the head is gone */
void sim_hole(struct sim *sim, int topic, int partition); /* an offset that holds no record */

/* The log is out of everybody's reach, or back. Meanwhile nothing lands or is delivered, and what
 * is appended fails when its time is up: half of that is lost, the rest lands when it is over. */
void sim_outage(struct sim *sim, bool down);

void sim_add_partition(struct sim *sim, int topic); /* an empty one, as an admin tool would */

#endif
