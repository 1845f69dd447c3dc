/* The evening from its beginning to its end: whose turn it is, and how time passes. */
#include "tests/sim/edges.h"

#include "base/crc.h"
#include "base/memory.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"
#include "tests/sim/clock.h"

#include <assert.h>
#include <stdio.h>

enum {
    ROUNDS_BEFORE = 20, /* the first misfortune */
    TURN_MS = 20,
    /* Holds, their grace, payments that are not known, and what staff granted. */
    REST_MS = 3000 * 1000,
    REST_STEP_MS = 60 * 1000,
    PATIENCE_MS = 600 * 1000 /* until everybody has settled */
};

static const struct service_descriptor *const services[WORLD_SERVICES] = {
    &shows_service, &reservations_service, &checkout_service};

const char *world_show_id(int show, char out[16])
{
    snprintf(out, 16, "show-%d", show);
    return out;
}

const char *world_reservation_id(uint64_t number, char out[37])
{
    snprintf(out, 37, "%08llx-0000-4000-8000-%012llx",
             (unsigned long long)(number * 2654435761u % 0xffffffffu), (unsigned long long)number);
    return out;
}

void world_count(struct world *world, enum point point)
{
    world->tally->points[point]++;
}

/* What the plan leaves out is drawn all the same, so that the rest strikes as it did. */
bool world_strikes(struct world *world, enum point point, uint64_t one, uint64_t in)
{
    if (!prng_chance(&world->prng, one, in) || world->plan->without[point])
        return false;
    world_count(world, point);
    return true;
}

uint64_t world_dice(struct world *world, uint64_t sides)
{
    return prng_below(&world->prng, sides);
}

/* ---- opening and closing --------------------------------------------------------------------- */

struct world *world_new(const struct plan *plan, struct tally *tally, bool tell)
{
    struct world *world = memory_new(sizeof *world);
    struct bus_options options = {.client = "crowd"};
    struct bus_error error;
    world->plan = plan;
    world->prng.state = plan->seed;
    world->tally = tally;
    world->workload = plan->workload ? plan->workload : workload_of(plan->seed);
    world->reservations_max = world->workload->reservations;
    world->instances = prng_chance(&world->prng, 1, 6) ? WORLD_INSTANCES_MAX : 2;
    world->untold = prng_chance(&world->prng, 1, 12) && !plan->without[POINT_append_untold];
    world->faults.append_untold = world->untold ? 1000 : 0;
    world->sim = sim_new(prng_next(&world->prng), WORLD_START_MS);
    clock_follow(world->sim);
    sim_set_faults(world->sim, &world->faults);
    if (tell)
        story_open(world);
    tally->runs++;
    tally->by_workload[workload_number(world->workload)]++;
    world->crowd_bus = sim_bus_open(world->sim, &options);
    enum bus_result result =
        installation_open(world->crowd_bus, true, WORLD_PARTITIONS, &world->installation, &error);
    assert(result == BUS_OK);
    for (int i = 0; i < world_process_count(world); i++) {
        struct process *process = &world->processes[i];
        unsigned char number = (unsigned char)(i % world->instances);
        process->descriptor = services[i / world->instances];
        snprintf(process->instance, sizeof process->instance, "%.10s-%d", process->descriptor->name,
                 number);
        process_start(world, process);
        assert(process->bus);
    }
    edges_open(world);
    return world;
}

static void count_faults(struct world *world)
{
    const struct sim_counts *counts = sim_counts(world->sim);
    uint64_t *points = world->tally->points;
    points[POINT_append_lost] += counts->append_lost;
    points[POINT_append_lied] += counts->append_lied;
    points[POINT_append_doubled] += counts->append_doubled;
    points[POINT_append_untold] += counts->append_untold;
    points[POINT_append_late] += counts->append_late;
    points[POINT_suffix_lost] += counts->suffix_lost;
    points[POINT_queue_full] += counts->queue_full;
    points[POINT_delivery_delayed] += counts->delivery_delayed;
    points[POINT_partition_starved] += counts->partition_starved;
    points[POINT_rebalance] += counts->rebalance;
}

void world_free(struct world *world)
{
    for (int i = 0; i < world_process_count(world); i++)
        if (world->processes[i].bus)
            process_end(world, &world->processes[i], false);
    count_faults(world);
    edges_free(world);
    bus_close(world->crowd_bus);
    clock_follow(NULL);
    sim_free(world->sim);
    story_free(world);
    envelope_release(&world->envelope);
    memory_free(world);
}

/* ---- turns and time -------------------------------------------------------------------------- */

void world_turn(struct world *world, bool misfortunes)
{
    struct bus_event event;
    if (misfortunes)
        mishaps_strike(world);
    for (int i = 0; i < world_process_count(world); i++) {
        struct process *process = &world->processes[i];
        if (process->bus && !process->frozen && prng_chance(&world->prng, 3, 4))
            process_step(world, process);
    }
    edges_act(world, misfortunes);
    while (bus_poll(world->crowd_bus, 0, &event))
        ; /* the crowd does not look whether its commands landed: it asks again */
    story_read(world);
}

/* Mostly milliseconds; now and then long enough for holds to expire. */
static void pass_time(struct world *world)
{
    uint64_t dice = world_dice(world, 1000);
    if (dice < 5 && !world->plan->without[POINT_long_wait]) {
        sim_advance(world->sim, (int64_t)world_dice(world, 100000));
        world_count(world, POINT_long_wait);
    } else {
        sim_advance(world->sim, (int64_t)world_dice(world, dice < 200 ? 1000 : 20));
    }
}

static int64_t written(const struct world *world)
{
    int64_t sum = 0;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
            sum += sim_end(world->sim, topic, partition);
    return sum;
}

void world_settle(struct world *world, int64_t for_ms, int64_t step_max_ms, bool provider)
{
    int64_t until_ms = sim_now_ms(world->sim) + for_ms, step_ms = TURN_MS;
    for (int64_t before = -1, now; sim_now_ms(world->sim) < until_ms; before = now) {
        sim_advance(world->sim, step_ms);
        world_turn(world, false);
        if (provider)
            provider_act(world);
        now = written(world);
        step_ms = now != before ? TURN_MS : step_ms * 3 / 2;
        step_ms = step_ms < step_max_ms ? step_ms : step_max_ms;
    }
}

static bool at_rest(const struct world *world)
{
    for (int i = 0; i < world_process_count(world); i++)
        if (world->processes[i].bus && !service_ready(world->processes[i].service))
            return false;
    return true;
}

static void come_to_rest(struct world *world)
{
    mishaps_end(world);
    edges_rest(world);
    world_settle(world, 20 * 1000, 1000, true);
    world_settle(world, REST_MS, REST_STEP_MS, true);
    /* A hold made before the clock went back lives that much longer. */
    world_settle(world, world->clock_back_ms, REST_STEP_MS, true);
    world_settle(world, REST_STEP_MS, 1000, false);
    for (int64_t until_ms = sim_now_ms(world->sim) + PATIENCE_MS;
         !at_rest(world) && sim_now_ms(world->sim) < until_ms;)
        world_settle(world, TURN_MS, TURN_MS, false);
}

/* Days later: refunds are asked for again and given up, and the books of the shows are closed. */
static void pass_days(struct world *world)
{
    story_tell(world, "four days pass, and two months");
    world_settle(world, INT64_C(4) * 24 * 3600 * 1000, INT64_C(2) * 3600 * 1000, true);
    sim_advance(world->sim, INT64_C(60) * 24 * 3600 * 1000);
    world->reservations_max += world->workload->reservations; /* for a show that is long over */
    for (int i = 0; i < 20; i++)
        crowd_act(world);
    for (int i = 0; i < 120; i++) {
        crowd_act(world);
        world_turn(world, false);
        sim_advance(world->sim, i < 100 ? 20 : 300);
    }
}

/* ---- the evening ----------------------------------------------------------------------------- */

static void act(struct world *world)
{
    int left = world->workload->acts_per_round_pct;
    for (; left >= 100; left -= 100)
        crowd_act(world);
    if (world_dice(world, 100) < (uint64_t)left)
        crowd_act(world);
}

static void play(struct world *world)
{
    int rounds = world->plan->rounds ? world->plan->rounds : world->workload->rounds;
    crowd_open(world);
    provider_open(world);
    for (int round = 0; round < rounds; round++) {
        if (round == ROUNDS_BEFORE)
            mishaps_begin(world);
        act(world);
        provider_act(world);
        world_turn(world, round >= ROUNDS_BEFORE);
        pass_time(world);
    }
    come_to_rest(world);
    if (world_strikes(world, POINT_days_later, 1, 10)) {
        pass_days(world);
        come_to_rest(world);
    }
}

const char *world_run(struct world *world, bool judged)
{
    play(world);
    edges_read_on(world);
    const char *breach = judged ? judge(world) : NULL;
    if (judged && !breach)
        breach = edges_judge(world);
    edges_free(world); /* they believe what they have read, and are not asked about lies */
    if (!breach && prng_chance(&world->prng, 1, 8))
        breach = disaster(world);
    return breach;
}

/* ---- hash ------------------------------------------------------------------------------------ */

uint64_t world_hash(const struct world *world)
{
    uint64_t hash = world->edges_hash;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++) {
            struct bus_record record;
            for (int64_t at = 0; at < sim_end(world->sim, topic, partition); at++) {
                if (!sim_record(world->sim, topic, partition, at, &record))
                    continue;
                /* The claim and installation records name this machine's process. */
                hash = hash * 0x9e3779b97f4a7c15u + (uint64_t)record.append_ms + record.value.size;
                struct text stamp = record_header(&record, "sd_stamp", NULL);
                hash ^= crc32c_add(0, stamp.data, stamp.size);
            }
        }
    return hash;
}
