/* The service processes: started, given their turns, dying in the middle of one. */
#include "tests/sim/world.h"

#include "base/clock.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"
#include "tests/sim/clock.h"

#include <stdio.h>

static const struct sim_faults quiet;

int world_process_count(const struct world *world)
{
    return WORLD_SERVICES * world->instances;
}

/* What it would not start on is for the disaster to judge: before, every log is fit. */
void process_start(struct world *world, struct process *process)
{
    struct bus_options options = {.client = process->descriptor->name,
                                  .instance = process->instance};
    struct service_options service_options = {process->instance, prng_next(&world->prng),
                                              clock_monotonic_us};
    struct installation installation;
    struct bus_error error;
    process->bus = sim_bus_open(world->sim, &options);
    process->frozen = false;
    /* Opening waits in a loop of its own: it gets a quiet moment, and a clock that goes on. */
    sim_set_faults(world->sim, &quiet);
    clock_hurry(true);
    enum bus_result result = installation_open(process->bus, false, 0, &installation, &error);
    clock_hurry(false);
    sim_set_faults(world->sim, &world->faults);
    process->refused = result != BUS_OK;
    if (process->refused) {
        story_tell(world, "%s will not start: %s", process->instance, error.text);
        bus_close(process->bus);
        process->bus = NULL;
        return;
    }
    process->service =
        service_new(process->bus, process->descriptor, &installation, &service_options);
}

static void count(struct world *world, const struct process *process)
{
    const struct vitals *counts = service_vitals(process->service);
    world->tally->claims += counts->claims;
    world->tally->voids += counts->voids;
    world->tally->timers += counts->timers;
    world->tally->lost += counts->lost;
    world->tally->points[POINT_fenced] += counts->fenced;
    world->tally->points[POINT_stepped_down] += counts->stepped_down;
}

void process_end(struct world *world, struct process *process, bool crash)
{
    count(world, process);
    service_free(process->service);
    if (crash)
        sim_crash(process->bus);
    else
        bus_close(process->bus);
    process->bus = NULL;
    process->service = NULL;
}

void process_thaw(struct world *world, struct process *process)
{
    if (!process->frozen)
        return;
    process->frozen = false;
    sim_freeze(process->bus, false);
    story_tell(world, "%s goes on", process->instance);
}

/* Nobody may think that the log's clock shows more than it does, or what is due comes too early. */
static void check_clock(struct world *world, const struct process *process)
{
    for (int partition = 0; partition < WORLD_PARTITIONS && world->clock_back_ms == 0;
         partition++) {
        if (service_phase(process->service, partition) != DESK_RUNNING)
            continue;
        int64_t ahead_ms = service_log_ms(process->service, partition, sim_now_ms(world->sim)) -
                           sim_log_ms(world->sim);
        if (ahead_ms > 0 && world->breach[0] == '\0')
            snprintf(world->breach, sizeof world->breach,
                     "invariant 9: %s takes the log's clock for %lld ms later than it is",
                     process->instance, (long long)ahead_ms);
    }
}

/* A turn it may not live to the end of. */
void process_step(struct world *world, struct process *process)
{
    world->acting = process;
    if (setjmp(world->death) == 0) {
        service_step(process->service, sim_now_ms(world->sim), 0);
        check_clock(world, process);
    } else {
        process_end(world, world->acting, true);
    }
    world->acting = NULL;
}
