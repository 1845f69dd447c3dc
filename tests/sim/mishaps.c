/* What strikes processes, the clock and the log. */
#include "tests/sim/world.h"

#include <assert.h>
#include <stdio.h>

/* Chances per thousand at every append, delivery or poll. */
static struct sim_faults faults_of(const struct plan *plan)
{
    struct sim_faults faults = {
        .append_lost = 5,
        .append_lied = 5,
        .append_doubled = 5,
        .append_late = 5,
        .late_ms = 5000,
        .suffix_lost = 3,
        .queue_full = 10,
        .delivery_delayed = 10,
        .delay_ms = 500,
        .partition_starved = 1,
        .starved_ms = 120000,
        .acknowledgement_ms = 20,
        .rebalance = 1,
    };
    int *const chances[] = {
        [POINT_append_lost] = &faults.append_lost,
        [POINT_append_lied] = &faults.append_lied,
        [POINT_append_doubled] = &faults.append_doubled,
        [POINT_append_late] = &faults.append_late,
        [POINT_suffix_lost] = &faults.suffix_lost,
        [POINT_queue_full] = &faults.queue_full,
        [POINT_delivery_delayed] = &faults.delivery_delayed,
        [POINT_partition_starved] = &faults.partition_starved,
        [POINT_rebalance] = &faults.rebalance,
    };
    for (size_t i = 0; i < sizeof chances / sizeof *chances; i++)
        if (chances[i] && plan->without[i])
            *chances[i] = 0;
    return faults;
}

/* ---- death in the middle of a turn ----------------------------------------------------------- */

static bool recovering(const struct world *world, const struct process *process)
{
    for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
        if (service_phase(process->service, partition) == DESK_FOLDING &&
            sim_end(world->sim, process->descriptor->output, partition) > 2)
            return true;
    return false;
}

static void witness(void *context, struct bus *bus, enum sim_moment moment)
{
    static const enum point points[] = {
        [SIM_BEFORE_POLL] = POINT_crash_before_poll,
        [SIM_AFTER_POLL] = POINT_crash_after_poll,
        [SIM_BEFORE_APPEND] = POINT_crash_before_append,
        [SIM_AFTER_APPEND] = POINT_crash_after_append,
    };
    struct world *world = context;
    if (moment == SIM_BEFORE_POLL && world->acting && world->acting->bus == bus &&
        world_strikes(world, POINT_slow_turn, 1, 100))
        sim_advance(world->sim, (int64_t)world_dice(world, world_dice(world, 20) ? 100 : 5000));
    bool append = moment == SIM_BEFORE_APPEND || moment == SIM_AFTER_APPEND;
    if (!world->acting || world->acting->bus != bus ||
        !world_strikes(world, points[moment], 1, append ? 400 : 4000))
        return;
    if (recovering(world, world->acting))
        world_count(world, POINT_crash_recovering);
    story_tell(world, "%s dies: %s", world->acting->instance, point_name(points[moment]));
    longjmp(world->death, 1);
}

/* ---- between turns --------------------------------------------------------------------------- */

static void strike(struct world *world, struct process *process)
{
    if (process->bus == NULL) {
        if (prng_chance(&world->prng, 1, 20))
            process_start(world, process);
        return;
    }
    if (world_strikes(world, POINT_crash, 1, 500)) {
        story_tell(world, "%s dies", process->instance);
        process_end(world, process, true);
    } else if (process->frozen) {
        if (prng_chance(&world->prng, 1, 30))
            process_thaw(world, process);
    } else if (world_strikes(world, POINT_freeze, 1, 400)) {
        story_tell(world, "%s freezes", process->instance);
        process->frozen = true;
        sim_freeze(process->bus, true);
    }
}

/* Everything that is left piles up meanwhile, and whoever comes back reads an hour at once. */
static void close_for_an_hour(struct world *world)
{
    int which = (int)world_dice(world, WORLD_SERVICES) * world->instances;
    story_tell(world, "%s is down for an hour", world->processes[which].descriptor->name);
    for (int i = which; i < which + world->instances; i++)
        if (world->processes[i].bus)
            process_end(world, &world->processes[i], true);
    for (int minute = 0; minute < 60; minute += 4) {
        crowd_act(world);
        for (int turn = 0; turn < 3; turn++) {
            world_turn(world, false);
            sim_advance(world->sim, 80000);
        }
        provider_act(world);
    }
}

static void strike_clock(struct world *world)
{
    if (world->clock_goes_on_ms && sim_now_ms(world->sim) >= world->clock_goes_on_ms) {
        sim_stop_clock(world->sim, false);
        world->clock_goes_on_ms = 0;
    }
    if (world_strikes(world, POINT_clock_step, 1, 500)) {
        int64_t by_ms = (int64_t)world_dice(world, 7200000) - 3600000;
        story_tell(world, "the log's clock is set by %lld s", (long long)by_ms / 1000);
        sim_step_clock(world->sim, by_ms);
        world->clock_back_ms += by_ms < 0 ? -by_ms : 0;
    }
    if (!world->clock_goes_on_ms && world_strikes(world, POINT_clock_still, 1, 800)) {
        int64_t for_ms = 1000 + (int64_t)world_dice(world, 120000);
        story_tell(world, "the log's clock stands still for %lld s", (long long)for_ms / 1000);
        sim_stop_clock(world->sim, true);
        world->clock_goes_on_ms = sim_now_ms(world->sim) + for_ms;
        world->clock_back_ms += for_ms + 100000; /* a long wait may overshoot */
    }
}

/* Out of reach for seconds; or an offset that holds nothing, as transaction markers do. */
static void strike_log(struct world *world)
{
    if (world->log_back_ms && sim_now_ms(world->sim) >= world->log_back_ms) {
        story_tell(world, "the log is back");
        sim_outage(world->sim, false);
        world->log_back_ms = 0;
    }
    if (!world->log_back_ms && world_strikes(world, POINT_log_outage, 1, 1000)) {
        story_tell(world, "the log is out of reach");
        sim_outage(world->sim, true);
        world->log_back_ms = sim_now_ms(world->sim) + 100 + (int64_t)world_dice(world, 60000);
    }
    if (world_strikes(world, POINT_log_hole, 1, 200))
        sim_hole(world->sim, (int)world_dice(world, TOPIC_COUNT),
                 (int)world_dice(world, WORLD_PARTITIONS));
}

static void count_owners(struct world *world)
{
    for (int k = 0; k < WORLD_SERVICES; k++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++) {
            int owners = 0;
            for (int i = 0; i < world->instances; i++) {
                const struct process *process = &world->processes[k * world->instances + i];
                owners +=
                    process->bus && service_phase(process->service, partition) == DESK_RUNNING;
            }
            if (owners == 2)
                world_count(world, POINT_two_owners);
            if (owners > 2)
                world_count(world, POINT_three_owners);
        }
}

void mishaps_strike(struct world *world)
{
    for (int i = 0; i < world_process_count(world); i++)
        strike(world, &world->processes[i]);
    strike_clock(world);
    strike_log(world);
    if (world_strikes(world, POINT_service_down_an_hour, 1, 4000))
        close_for_an_hour(world);
    count_owners(world);
}

void mishaps_begin(struct world *world)
{
    world->faults = faults_of(world->plan);
    world->faults.append_untold = world->untold ? 1000 : 0;
    sim_set_faults(world->sim, &world->faults);
    sim_watch(world->sim, witness, world);
}

void mishaps_end(struct world *world)
{
    world->faults = (struct sim_faults){.append_untold = world->untold ? 1000 : 0};
    sim_set_faults(world->sim, &world->faults);
    sim_watch(world->sim, NULL, NULL);
    sim_stop_clock(world->sim, false);
    world->clock_goes_on_ms = 0;
    sim_outage(world->sim, false);
    world->log_back_ms = 0;
    story_tell(world, "no more misfortunes");
    for (int i = 0; i < world_process_count(world); i++) {
        if (world->processes[i].bus == NULL)
            process_start(world, &world->processes[i]);
        else
            process_thaw(world, &world->processes[i]);
    }
}
