/* Instances of a service that come and go: what is given away, taken over and kept. */
#include "bus/service.h"

#include "base/log.h"
#include "services/shows/shows_service.h"
#include "tests/support/owners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PARTITIONS = PLAY_PARTITIONS, STEP_MS = OWNERS_STEP_MS, EVENTS = TOPIC_SHOWS_EVENTS };

static void service__assigned_again_it_goes_on_with_its_epoch(void **state)
{
    struct owners *house = owners_opened(1, 10);
    const void *before = owners_state(house, 1);
    (void)state;
    struct bus *other = owners_stranger(house, "z");
    owners_pass(house, 50);
    assert_int_equal(owners_phase(house, 0), DESK_RUNNING);
    assert_int_equal(owners_phase(house, 1), DESK_RETIRED);
    assert_true(owners_ready(house));
    play_say(house->log, 1, "OpenSale");
    owners_pass(house, 500);
    play_expect_told(house->log, 1, "| ShowCreated"); /* it is not its turn */
    bus_leave(other);
    owners_pass(house, 500);
    assert_int_equal(owners_phase(house, 1), DESK_RUNNING);
    play_expect_told(house->log, 1, "| ShowCreated SaleOpened");
    assert_int_equal(owners_counts(house)->claims, PARTITIONS);
    assert_ptr_equal(owners_state(house, 1), before);
    bus_close(other);
    owners_close(house);
}

/* However long it takes to read what was decided: nobody gives anything away meanwhile. */
static void service__takes_nothing_before_it_could_go_on_with_it(void **state)
{
    struct owners *house = owners_opened(1, 10);
    (void)state;
    for (int i = 0; i < 20; i++)
        play_say(house->log, 1, "OpenSale");
    owners_pass(house, 1000);
    owners_start(house, 1);
    const struct service *second = house->processes[1].service;
    play_fault(house->log, (struct sim_faults){.delivery_delayed = 1000, .delay_ms = 2000});
    for (int i = 0; i < 5; i++) {
        owners_pass(house, 1000);
        assert_int_equal(owners_phase(house, 0), DESK_RUNNING);
        assert_int_equal(owners_phase(house, 1), DESK_RUNNING);
        assert_false(service_vitals(second)->warm);
    }
    play_heal(house->log);
    while (service_phase(second, 1) != DESK_RUNNING && service_phase(second, 0) != DESK_RUNNING)
        owners_pass(house, STEP_MS);
    const void *before = service_state(second, 1);
    owners_pass(house, 200);
    assert_true(service_ready(second));
    owners_stop(&house->processes[0], false);
    owners_pass(house, 50); /* nothing is read anew */
    assert_int_equal(service_phase(second, 0), DESK_RUNNING);
    assert_int_equal(service_phase(second, 1), DESK_RUNNING);
    assert_ptr_equal(service_state(second, 1), before);
    owners_close(house);
}

/* Given away, it follows on: a newer claim ends its epoch; given back, it must claim again. */
static void service__a_newer_claim_while_retired_ends_the_epoch(void **state)
{
    struct owners *house = owners_opened(1, 10);
    (void)state;
    struct bus *other = owners_stranger(house, "z");
    owners_pass(house, 50);
    play_claim(house->log, EVENTS, 1, house->log->installation.id);
    owners_pass(house, 50);
    assert_int_equal(owners_phase(house, 1), DESK_FOLDING);
    bus_leave(other);
    play_say(house->log, 1, "OpenSale");
    owners_settle(house);
    play_expect_told(house->log, 1, "| ShowCreated | | SaleOpened");
    bus_close(other);
    owners_close(house);
}

static void service__fenced_while_clean_it_keeps_its_state(void **state)
{
    struct owners *house = owners_opened(1, 10);
    (void)state;
    play_request(house->log, 0, 1, 2);
    owners_pass(house, 50);
    const void *before = owners_state(house, 0);
    play_claim(house->log, EVENTS, 0, house->log->installation.id);
    owners_pass(house, 50);
    assert_int_equal(owners_phase(house, 0), DESK_FOLDING);
    assert_int_equal(owners_phase(house, 1), DESK_RUNNING);
    assert_int_equal(owners_counts(house)->fenced, 1);
    assert_int_equal(owners_counts(house)->stepped_down, 0);
    assert_ptr_equal(owners_state(house, 0), before);
    play_request(house->log, 0, 2, 3);
    owners_pass(house, 900);
    assert_int_equal(owners_phase(house, 0), DESK_FOLDING); /* it does not fight back at once */
    assert_false(owners_ready(house));
    owners_settle(house);
    play_expect_told(house->log, 0, "| ShowCreated SeatsHeld | | SeatsHeld");
    assert_ptr_equal(owners_state(house, 0), before);
    assert_int_equal(owners_held(house, 0), 5);
    owners_close(house);
}

/* What it appended before the newer claim did not all count: it must not trust its state. */
static void service__fenced_with_appends_under_way_it_starts_over(void **state)
{
    int unclean = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct owners *house = owners_opened(seed, 10);
        play_request(house->log, 0, 1, 2);
        owners_turn_under(
            house, (struct sim_faults){.acknowledgement_ms = 400}); /* decided, and on its way */
        play_claim(house->log, EVENTS, 0, house->log->installation.id);
        owners_pass(house, 1000);
        unclean += owners_counts(house)->stepped_down > 0;
        owners_settle(house);
        play_expect_times(house->log, 0, "SeatsHeld", 1);
        assert_int_equal(owners_held(house, 0), 2);
        owners_close(house);
    }
    assert_true(unclean > 5);
}

static void service__drains_before_it_ends(void **state)
{
    struct owners *house = owners_opened(1, 100);
    (void)state;
    for (int i = 1; i <= 20; i++)
        play_request(house->log, 0, i, 1);
    play_fault(house->log, (struct sim_faults){.acknowledgement_ms = 500});
    owners_turn(house);
    assert_false(service_drained(house->processes[0].service)); /* decided, not read back */
    play_say(house->log, 0, "OpenSale");
    int turns = 0;
    for (; turns < 200 && !service_drained(house->processes[0].service); turns++)
        owners_pass(house, STEP_MS);
    assert_in_range(turns, 2, 199);
    play_expect_times(house->log, 0, "SeatsHeld", 20);
    play_expect_times(house->log, 0, "SaleOpened", 0); /* nothing new was begun */
    owners_pass(house, 500);
    play_expect_times(house->log, 0, "SaleOpened", 0);
    owners_stop(&house->processes[0], false);
    owners_start(house, 0);
    owners_settle(house);
    play_expect_times(house->log, 0, "SaleOpened", 1);
    play_expect_times(house->log, 0, "SeatsHeld", 20);
    owners_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(service__assigned_again_it_goes_on_with_its_epoch),
        cmocka_unit_test(service__takes_nothing_before_it_could_go_on_with_it),
        cmocka_unit_test(service__a_newer_claim_while_retired_ends_the_epoch),
        cmocka_unit_test(service__fenced_while_clean_it_keeps_its_state),
        cmocka_unit_test(service__fenced_with_appends_under_way_it_starts_over),
        cmocka_unit_test(service__drains_before_it_ends),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
