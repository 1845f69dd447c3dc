/* Time, processes and misfortunes. */
#include "tests/sim/world.h"

#include "base/crc.h"
#include "base/memory.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"

#include <assert.h>
#include <stdio.h>

enum { PROCESSES = WORLD_SERVICES * WORLD_INSTANCES };

static const struct service_descriptor *const services[WORLD_SERVICES] = {
    &shows_service, &reservations_service, &checkout_service};

static const struct sim_faults quiet;
static const struct sim_faults faulty = {
    .append_lost = 5,
    .append_lied = 5,
    .append_doubled = 5,
    .append_late = 5,
    .late_ms = 5000,
    .suffix_lost = 3,
    .queue_full = 10,
    .delivery_delayed = 10,
    .delay_ms = 500,
    .acknowledgement_ms = 20,
    .rebalance = 1,
};

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

/* ---- processes ------------------------------------------------------------------------------- */

static void process_start(struct world *world, struct process *process)
{
    struct bus_options options = {.client = process->descriptor->name,
                                  .instance = process->instance};
    struct service_options service_options = {process->instance, prng_next(&world->prng)};
    struct installation installation;
    struct bus_error error;
    process->bus = sim_bus_open(world->sim, &options);
    /* Opening waits by the wall clock, which stands still here: it gets a quiet moment. */
    sim_set_faults(world->sim, &quiet);
    enum bus_result result = installation_open(process->bus, false, 0, &installation, &error);
    assert(result == BUS_OK);
    sim_set_faults(world->sim, world->faults);
    process->service =
        service_new(process->bus, process->descriptor, &installation, &service_options);
    process->frozen = false;
}

static void process_count(struct world *world, const struct process *process)
{
    const struct service_counts *counts = service_counts(process->service);
    world->tally->claims += counts->claims;
    world->tally->fenced += counts->fenced;
    world->tally->stepped_down += counts->stepped_down;
    world->tally->voids += counts->voids;
    world->tally->timers += counts->timers;
    world->tally->lost += counts->lost;
}

static void process_end(struct world *world, struct process *process, bool crash)
{
    process_count(world, process);
    service_free(process->service);
    if (crash)
        sim_crash(process->bus);
    else
        bus_close(process->bus);
    process->bus = NULL;
    process->service = NULL;
}

struct world *world_new(uint64_t seed, struct tally *tally, bool trace)
{
    struct world *world = memory_new(sizeof *world);
    struct bus_options options = {.client = "crowd"};
    struct bus_error error;
    world->prng.state = seed;
    world->tally = tally;
    world->trace = trace;
    world->faults = &quiet;
    world->reservations_max = WORLD_RESERVATIONS;
    world->sim = sim_new(prng_next(&world->prng), WORLD_START_MS);
    world->crowd_bus = sim_bus_open(world->sim, &options);
    enum bus_result result =
        installation_open(world->crowd_bus, true, WORLD_PARTITIONS, &world->installation, &error);
    assert(result == BUS_OK);
    for (int i = 0; i < PROCESSES; i++) {
        struct process *process = &world->processes[i];
        process->descriptor = services[i / WORLD_INSTANCES];
        snprintf(process->instance, sizeof process->instance, "%.10s-%d", process->descriptor->name,
                 i % WORLD_INSTANCES);
        process_start(world, process);
    }
    return world;
}

static void add_faults(struct tally *tally, const struct sim_counts *counts)
{
    tally->faults.append_lost += counts->append_lost;
    tally->faults.append_lied += counts->append_lied;
    tally->faults.append_doubled += counts->append_doubled;
    tally->faults.append_late += counts->append_late;
    tally->faults.suffix_lost += counts->suffix_lost;
    tally->faults.queue_full += counts->queue_full;
    tally->faults.delivery_delayed += counts->delivery_delayed;
    tally->faults.rebalance += counts->rebalance;
    tally->faults.crash += counts->crash;
}

void world_free(struct world *world)
{
    for (int i = 0; i < PROCESSES; i++)
        if (world->processes[i].bus)
            process_end(world, &world->processes[i], false);
    add_faults(world->tally, sim_counts(world->sim));
    bus_close(world->crowd_bus);
    sim_free(world->sim);
    envelope_release(&world->envelope);
    memory_free(world);
}

/* ---- misfortunes ----------------------------------------------------------------------------- */

static void mishap(struct world *world, struct process *process)
{
    if (process->bus == NULL) {
        if (prng_chance(&world->prng, 1, 20))
            process_start(world, process);
        return;
    }
    if (prng_chance(&world->prng, 1, 300)) {
        world->tally->crashes++;
        process_end(world, process, true);
    } else if (prng_chance(&world->prng, 1, process->frozen ? 30 : 400)) {
        world->tally->freezes += !process->frozen;
        process->frozen = !process->frozen;
        sim_freeze(process->bus, process->frozen);
    }
}

static void turn(struct world *world, bool faults)
{
    struct bus_event event;
    for (int i = 0; i < PROCESSES; i++) {
        struct process *process = &world->processes[i];
        if (faults)
            mishap(world, process);
        if (process->bus && !process->frozen && prng_chance(&world->prng, 3, 4))
            service_step(process->service, sim_now_ms(world->sim), 0);
    }
    while (bus_poll(world->crowd_bus, 0, &event))
        ; /* the crowd does not look whether its commands landed: it asks again */
}

/* Mostly milliseconds; now and then long enough for holds to expire. */
static void pass_time(struct world *world, bool faults)
{
    uint64_t dice = prng_below(&world->prng, 1000);
    if (faults && dice < 2) {
        sim_step_clock(world->sim, (int64_t)prng_below(&world->prng, 7200000) - 3600000);
        world->clock_steps++;
        world->tally->clock_steps++;
    } else if (dice < 5) {
        sim_advance(world->sim, (int64_t)prng_below(&world->prng, 100000));
        world->tally->long_waits++;
    } else {
        sim_advance(world->sim, (int64_t)prng_below(&world->prng, dice < 200 ? 1000 : 20));
    }
}

/* Days later: refunds are asked for again and given up, and the books of the shows are closed. */
static void pass_days(struct world *world)
{
    for (int hour = 0; hour < 4 * 24; hour += 4) {
        sim_advance(world->sim, INT64_C(4) * 3600 * 1000);
        for (int i = 0; i < 30; i++) {
            turn(world, false);
            provider_act(world);
            sim_advance(world->sim, 300);
        }
    }
    sim_advance(world->sim, INT64_C(60) * 24 * 3600 * 1000);
    world->reservations_max += WORLD_RESERVATIONS; /* who comes for a show that is long over */
    for (int i = 0; i < 20; i++)
        crowd_act(world);
    for (int i = 0; i < 300; i++) {
        crowd_act(world);
        turn(world, false);
        sim_advance(world->sim, i < 100 ? 20 : 300);
    }
}

static bool at_rest(const struct world *world)
{
    for (int i = 0; i < PROCESSES; i++)
        if (!service_ready(world->processes[i].service))
            return false;
    return true;
}

static void come_to_rest(struct world *world)
{
    world->faults = &quiet;
    sim_set_faults(world->sim, world->faults);
    for (int i = 0; i < PROCESSES; i++) {
        struct process *process = &world->processes[i];
        if (process->bus == NULL)
            process_start(world, process);
        if (process->frozen) {
            process->frozen = false;
            sim_freeze(process->bus, false);
        }
    }
    /* Long enough for every back-off, hold and late append; in steps, so that nobody's session
     * times out. */
    for (int i = 0; i < 700 || (i < 3000 && !at_rest(world)); i++) {
        sim_advance(world->sim, i < 200 || i > 600 ? 20 : 900);
        turn(world, false);
        provider_act(world);
    }
    /* A hold made before the clock went back lives that much longer. */
    for (int i = 0; i < world->clock_steps * 2 * 3600 / 5; i++) {
        sim_advance(world->sim, 5000);
        turn(world, false);
    }
}

void world_run(struct world *world, int rounds)
{
    crowd_open(world);
    provider_open(world);
    for (int round = 0; round < rounds; round++) {
        if (round == 20) {
            world->faults = &faulty;
            sim_set_faults(world->sim, world->faults);
        }
        if (prng_chance(&world->prng, 1, 3))
            crowd_act(world);
        provider_act(world);
        turn(world, round >= 20);
        pass_time(world, round >= 20);
    }
    come_to_rest(world);
    if (prng_chance(&world->prng, 1, 4)) {
        pass_days(world);
        come_to_rest(world);
    }
}

/* ---- hash ------------------------------------------------------------------------------------ */

uint64_t world_hash(const struct world *world)
{
    uint64_t hash = 0;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++) {
            struct bus_record record;
            for (int64_t at = 0; sim_record(world->sim, topic, partition, at, &record); at++) {
                /* The claim and installation records name this machine's process. */
                hash = hash * 0x9e3779b97f4a7c15u + (uint64_t)record.append_ms + record.value.size;
                struct text stamp = record_header(&record, "sd_stamp", NULL);
                hash ^= crc32c_add(0, stamp.data, stamp.size);
            }
        }
    return hash;
}
