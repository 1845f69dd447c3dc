#include "tests/support/owners.h"

#include "base/memory.h"
#include "services/shows/shows_core.h"
#include "services/shows/shows_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct owners *owners_open(uint64_t seed)
{
    struct owners *house = memory_new(sizeof *house);
    house->log = play_log_open(seed);
    return house;
}

void owners_start(struct owners *house, int number)
{
    static const char *const instances[] = {"a", "b"};
    struct owner *process = &house->processes[number];
    struct service_options options = {instances[number], ++house->starts, NULL}; /* new nonces */
    process->bus = play_log_enter(house->log, instances[number]);
    process->service =
        service_new(process->bus, &shows_service, &house->log->installation, &options);
}

void owners_stop(struct owner *process, bool crash)
{
    if (process->bus == NULL)
        return;
    service_free(process->service);
    if (!crash)
        bus_leave(process->bus);
    (crash ? sim_crash : bus_close)(process->bus);
    process->bus = NULL;
}

void owners_close(struct owners *house)
{
    owners_stop(&house->processes[0], false);
    owners_stop(&house->processes[1], false);
    play_log_close(house->log);
    memory_free(house);
}

void owners_turn(struct owners *house)
{
    struct bus_event event;
    for (int i = 0; i < 2; i++)
        if (house->processes[i].bus)
            service_step(house->processes[i].service, sim_now_ms(house->log->sim), 0);
    while (bus_poll(house->log->door, 0, &event))
        ;
}

void owners_pass(struct owners *house, int64_t by_ms)
{
    for (int64_t passed = 0; passed < by_ms; passed += OWNERS_STEP_MS) {
        sim_advance(house->log->sim, OWNERS_STEP_MS);
        owners_turn(house);
    }
}

void owners_turn_under(struct owners *house, struct sim_faults faults)
{
    play_fault(house->log, faults);
    owners_turn(house);
    play_heal(house->log);
}

bool owners_ready(const struct owners *house)
{
    for (int i = 0; i < 2; i++)
        if (house->processes[i].bus && !service_ready(house->processes[i].service))
            return false;
    return true;
}

void owners_settle(struct owners *house)
{
    for (int i = 0; i < 6000 && !owners_ready(house); i++)
        owners_pass(house, OWNERS_STEP_MS);
    owners_pass(house, 100);
    assert_true(owners_ready(house));
}

const struct vitals *owners_counts(const struct owners *house)
{
    return service_vitals(house->processes[0].service);
}

enum desk_phase owners_phase(const struct owners *house, int partition)
{
    return service_phase(house->processes[0].service, partition);
}

const void *owners_state(const struct owners *house, int partition)
{
    return service_state(house->processes[0].service, partition);
}

int64_t owners_held(const struct owners *house, int partition)
{
    struct after seats;
    assert_true(
        shows_seats(owners_state(house, partition), text_of(play_show_ids[partition]), &seats));
    return seats.held;
}

struct owners *owners_opened(uint64_t seed, int capacity)
{
    struct owners *house = owners_open(seed);
    owners_start(house, 0);
    play_say(house->log, 0, "CreateShow capacity=%d", capacity);
    play_say(house->log, 1, "CreateShow capacity=%d", capacity);
    owners_settle(house);
    play_expect_told(house->log, 0, "| ShowCreated");
    return house;
}

struct bus *owners_stranger(struct owners *house, const char *instance)
{
    struct bus *bus = play_log_enter(house->log, instance);
    bus_join(bus, "shows", shows_service.inputs, shows_service.input_count);
    return bus;
}
