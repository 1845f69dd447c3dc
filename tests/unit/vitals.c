/* What a service tells of itself while it works on the simulated log. */
#include "bus/telling.h"

#include "base/log.h"
#include "base/memory.h"
#include "services/shows/shows_service.h"
#include "tests/support/core_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { STEP_MS = 10 };

struct house {
    struct play_log *log;
    struct bus *buses[2];
    struct service *services[2];
};

static int64_t now_us; /* the machine's clock, of the house that is open */

static int64_t clock_us(void)
{
    return now_us += 7; /* microseconds from one look to the next */
}

static void enter(struct house *house, int number)
{
    static const char *const instances[] = {"a", "b"};
    struct service_options options = {instances[number], (uint64_t)number + 1, clock_us};
    house->buses[number] = play_log_enter(house->log, instances[number]);
    house->services[number] =
        service_new(house->buses[number], &shows_service, &house->log->installation, &options);
}

static void leave(struct house *house, int number)
{
    if (house->services[number] == NULL)
        return;
    service_free(house->services[number]);
    bus_leave(house->buses[number]);
    bus_close(house->buses[number]);
    house->services[number] = NULL;
}

static void pass(struct house *house, int64_t by_ms)
{
    struct bus_event event;
    for (int64_t passed = 0; passed < by_ms; passed += STEP_MS) {
        sim_advance(house->log->sim, STEP_MS);
        now_us = sim_now_ms(house->log->sim) * 1000;
        for (int i = 0; i < 2; i++)
            if (house->services[i])
                service_step(house->services[i], now_us / 1000, 0);
        while (bus_poll(house->log->door, 0, &event))
            ;
    }
}

/* A house with a show of four seats in each partition, and an owner who has looked around. */
static struct house *opened(void)
{
    struct house *house = memory_new(sizeof *house);
    house->log = play_log_open(1);
    enter(house, 0);
    play_say(house->log, 0, "CreateShow capacity=4");
    play_say(house->log, 1, "CreateShow capacity=4");
    pass(house, 5000);
    assert_true(service_ready(house->services[0]));
    return house;
}

static void close_house(struct house *house)
{
    leave(house, 0);
    leave(house, 1);
    play_log_close(house->log);
    memory_free(house);
}

static const struct vitals *vitals(const struct house *house)
{
    return service_vitals(house->services[0]);
}

/* The metrics have the line, whole. */
static void expect_line(const struct house *house, const char *line)
{
    struct buffer out = {0}, wanted = {0};
    service_metrics(house->services[0], &out);
    buffer_print(&wanted, "\n%s\n", line);
    if (strstr(out.data, wanted.data) == NULL)
        fail_msg("'%s' is not told in:\n%s", line, out.data);
    buffer_release(&out);
    buffer_release(&wanted);
}

/* "ready", or the reasons why not. */
static void expect_status(const struct house *house, int number, const char *words)
{
    struct buffer out = {0};
    struct readiness readiness = {.count = 0};
    struct front_subject subject = service_subject(&shows_service);
    subject.readiness(house->services[number], now_us / 1000, &readiness);
    readiness_put_line(&readiness, &out);
    if (out.size == 0) {
        buffer_string(&out, "ready");
        subject.well(house->services[number], &out);
    }
    if (strncmp(out.data, words, strlen(words)) != 0)
        fail_msg("'%s' is told, not '%s'", out.data, words);
    buffer_release(&out);
}

/* ---- counted --------------------------------------------------------------------------------- */

static void vitals__count_decisions_by_what_was_decided(void **state)
{
    struct house *house = opened();
    (void)state;
    play_request(house->log, 0, 1, 3);
    play_request(house->log, 0, 2, 3);
    play_request(house->log, 1, 3, 1);
    play_raw(house->log, TOPIC_SHOWS_COMMANDS, 0, "stagedoor.shows.OpenSale", NULL, "{");
    pass(house, 2000);
    expect_line(house, "stagedoor_outcomes_total{type=\"ShowCreated\"} 2");
    expect_line(house, "stagedoor_outcomes_total{type=\"SeatsHeld\"} 2");
    expect_line(house, "stagedoor_outcomes_total{type=\"HoldRejected\"} 1");
    expect_line(house, "stagedoor_outcomes_total{type=\"SaleOpened\"} 0"); /* told, though never */
    expect_line(house, "stagedoor_refusals_total{code=\"undecodable\"} 1");
    expect_line(house, "stagedoor_rejections_total{reason=\"all_held\"} 1");
    expect_line(house, "stagedoor_claims_total 2");
    expect_line(house, "stagedoor_bus_up 1");
    close_house(house);
}

static void vitals__time_each_decision_and_its_way(void **state)
{
    struct house *house = opened();
    (void)state;
    uint64_t before = histogram_count(&vitals(house)->appending);
    uint64_t live = histogram_count(&vitals(house)->deciding);
    for (int i = 1; i <= 3; i++) {
        play_request(house->log, 0, i, 1);
        pass(house, 500);
    }
    assert_int_equal(histogram_count(&vitals(house)->appending), before + 3);
    assert_int_equal(histogram_count(&vitals(house)->answering), before + 3);
    assert_int_equal(histogram_count(&vitals(house)->deciding), live + 3);
    close_house(house);
}

/* A timer answers nothing, but is appended like the rest. */
static void vitals__a_timer_answers_no_input(void **state)
{
    struct house *house = opened();
    (void)state;
    play_request(house->log, 0, 1, 1);
    pass(house, 1000);
    uint64_t appended = histogram_count(&vitals(house)->appending);
    uint64_t answered = histogram_count(&vitals(house)->answering);
    pass(house, 700 * 1000);
    expect_line(house, "stagedoor_timer_decisions_total 1");
    expect_line(house, "stagedoor_outcomes_total{type=\"HoldExpired\"} 1");
    assert_int_equal(histogram_count(&vitals(house)->appending), appended + 1);
    assert_int_equal(histogram_count(&vitals(house)->answering), answered);
    close_house(house);
}

/* ---- how things stand ------------------------------------------------------------------------ */

static void vitals__seats_of_all_shows(void **state)
{
    struct house *house = opened();
    (void)state;
    play_request(house->log, 0, 1, 3);
    play_request(house->log, 1, 2, 2);
    pass(house, 2000);
    expect_line(house, "stagedoor_seats{state=\"held\"} 5");
    expect_line(house, "stagedoor_seats{state=\"free\"} 3");
    play_pay(house->log, 0, 1);
    pass(house, 2000);
    expect_line(house, "stagedoor_seats{state=\"held\"} 2");
    expect_line(house, "stagedoor_seats{state=\"sold\"} 3");
    close_house(house);
}

static void vitals__an_owner_that_is_ready_says_what_it_owns(void **state)
{
    struct house *house = opened();
    (void)state;
    expect_status(house, 0, "ready, owns 0 1 of 2 partitions");
    expect_line(house, "stagedoor_partitions{state=\"running\"} 2");
    expect_line(house, "stagedoor_input_lag_records{topic=\"shows.commands\",partition=\"0\"} 0");
    expect_line(house, "stagedoor_recovery_records 0");
    expect_line(house, "stagedoor_service_ready 1");
    close_house(house);
}

/* What it cannot get hold of is behind; half a minute of it, and it is not ready any more. */
static void vitals__behind_by_so_many_for_so_long(void **state)
{
    struct house *house = opened();
    (void)state;
    play_fault(house->log,
               (struct sim_faults){.partition_starved = 1000, .starved_ms = 600 * 1000});
    for (int i = 0; i < 1234; i++)
        play_say(house->log, 0, "OpenSale");
    pass(house, 3000);
    expect_line(house,
                "stagedoor_input_lag_records{topic=\"shows.commands\",partition=\"0\"} 1234");
    expect_status(house, 0, "ready");
    pass(house, 40 * 1000);
    expect_status(house, 0, "behind by 1 234 records, the oldest of them waits for ");
    close_house(house);
}

static void vitals__recovering_so_many_of_so_many(void **state)
{
    struct house *house = opened();
    (void)state;
    for (int i = 0; i < 1500; i++)
        play_say(house->log, 0, "OpenSale");
    pass(house, 5000);
    leave(house, 0);
    enter(house, 0);
    play_fault(house->log, (struct sim_faults){.delivery_delayed = 1000, .delay_ms = 60 * 1000});
    pass(house, 1000);
    expect_status(house, 0, "recovering 0 of 1 506; asks for partitions when it has recovered");
    play_heal(house->log);
    pass(house, 200 * 1000);
    expect_status(house, 0, "ready, owns 0 1 of 2 partitions");
    close_house(house);
}

static void vitals__a_log_out_of_reach(void **state)
{
    struct house *house = opened();
    (void)state;
    sim_outage(house->log->sim, true);
    pass(house, 2000);
    expect_status(house, 0, "no bus: ");
    expect_line(house, "stagedoor_bus_up 0");
    expect_line(house, "stagedoor_bus_outages_total 1");
    sim_outage(house->log->sim, false);
    pass(house, 2000);
    expect_status(house, 0, "ready");
    expect_line(house, "stagedoor_bus_reconnects_total 1");
    close_house(house);
}

static void vitals__a_loop_that_does_not_turn(void **state)
{
    struct house *house = opened();
    (void)state;
    now_us += INT64_C(11) * 1000 * 1000;
    expect_status(house, 0, "the loop has not turned for 11 s");
    close_house(house);
}

/* Somebody else takes a partition over: one claim is lost, and the records behind it are void. */
static void vitals__claims_that_others_took(void **state)
{
    struct house *house = opened();
    (void)state;
    play_claim(house->log, TOPIC_SHOWS_EVENTS, 0, house->log->installation.id);
    pass(house, 100);
    expect_line(house, "stagedoor_claims_lost_total 1");
    play_raw(house->log, TOPIC_SHOWS_EVENTS, 1, "stagedoor.shows.SaleOpened",
             "1-0123456789abcdef.1", "{}");
    pass(house, 100);
    expect_line(house, "stagedoor_void_records_total 1");
    close_house(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vitals__count_decisions_by_what_was_decided),
        cmocka_unit_test(vitals__time_each_decision_and_its_way),
        cmocka_unit_test(vitals__a_timer_answers_no_input),
        cmocka_unit_test(vitals__seats_of_all_shows),
        cmocka_unit_test(vitals__an_owner_that_is_ready_says_what_it_owns),
        cmocka_unit_test(vitals__behind_by_so_many_for_so_long),
        cmocka_unit_test(vitals__recovering_so_many_of_so_many),
        cmocka_unit_test(vitals__a_log_out_of_reach),
        cmocka_unit_test(vitals__a_loop_that_does_not_turn),
        cmocka_unit_test(vitals__claims_that_others_took),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
