/* The loop on the simulated log, with the shows core: who decides, what happens when appends and
 * owners fail, what time means, and what stops a partition. */
#include "bus/service.h"

#include "base/log.h"
#include "services/shows/shows_service.h"
#include "tests/support/owners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PARTITIONS = PLAY_PARTITIONS, STEP_MS = OWNERS_STEP_MS, EVENTS = TOPIC_SHOWS_EVENTS };

/* ---- owning ---------------------------------------------------------------------------------- */

static void service__claims_and_becomes_ready(void **state)
{
    struct owners *house = owners_open(1);
    (void)state;
    owners_start(house, 0);
    assert_int_equal(owners_phase(house, 0), DESK_FOLDING);
    owners_settle(house);
    for (int partition = 0; partition < PARTITIONS; partition++) {
        struct bus_record record;
        char expected[200];
        assert_int_equal(owners_phase(house, partition), DESK_RUNNING);
        assert_true(sim_record(house->log->sim, EVENTS, partition, 1, &record));
        snprintf(
            expected, sizeof expected,
            "{\"installation\":\"%s\",\"partitions\":2,\"service\":\"shows\",\"instance\":\"a\",",
            house->log->installation.id);
        assert_true(text_starts(record.value, expected));
        assert_true(record.key.data == NULL && record_header(&record, "sd_claim", NULL).size == 53);
    }
    assert_int_equal(owners_counts(house)->claims, PARTITIONS);
    owners_pass(house, 60000); /* and then there is nothing to say */
    play_expect_told(house->log, 0, "|");
    owners_close(house);
}

static void service__answers_each_input_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct owners *house = owners_opened(seed, 4);
        play_request(house->log, 0, 1, 3);
        owners_pass(house, 50);
        play_say(house->log, 0, "PauseSale");
        play_say(house->log, 1, "OpenSale");
        play_raw(house->log, TOPIC_SHOWS_COMMANDS, 0, "what", NULL, "{}");
        owners_pass(house, 50);
        play_request(house->log, 0, 2, 1);
        owners_pass(house, 50);
        play_expect_told(house->log, 0,
                         "| ShowCreated SeatsHeld SalePaused unknown_type HoldRejected");
        play_expect_told(house->log, 1, "| ShowCreated SaleOpened");
        play_expect_answered_once(house->log, TOPIC_SHOWS_COMMANDS, 0);
        assert_int_equal(owners_held(house, 0), 3);
        assert_int_equal(owners_counts(house)->decided, 7);
        owners_close(house);
    }
}

/* What makes an outcome the commit: stamp, source, positions of all inputs, id, cause and time. */
static void service__an_outcome_names_its_cause_and_every_position(void **state)
{
    struct owners *house = owners_opened(1, 4);
    struct bus_record record, source;
    struct fence positions[3];
    char expected[128];
    (void)state;
    play_request(house->log, 0, 1, 3); /* behind the installation record and a claim */
    owners_pass(house, 50);
    play_say(house->log, 0, "PauseSale id=pause");
    owners_pass(house, 50);
    assert_true(sim_record(house->log->sim, EVENTS, 0, 4, &record));
    assert_true(sim_record(house->log->sim, TOPIC_SHOWS_COMMANDS, 0, 1, &source));
    struct text stamp = record_header(&record, "sd_stamp", NULL);
    snprintf(expected, sizeof expected, "shows/0/%.*s", TEXT_PRINT(stamp));
    assert_true(text_is(record_header(&record, "ce_id", NULL), expected));
    assert_true(text_is(record_header(&record, "ce_causationid", NULL), "pause"));
    snprintf(expected, sizeof expected, "shows.commands/0@1#%08x", source_crc(&source));
    assert_true(text_is(record_header(&record, "sd_source", NULL), expected));
    assert_true(positions_parse(record_header(&record, "sd_positions", NULL), positions, 3));
    assert_int_equal(positions[0].next, 2);
    assert_int_equal(positions[1].next, 3);
    assert_true(positions[1].claim == 1 && positions[1].nonce == 0xaa && positions[1].n == 1);
    assert_int_equal(positions[2].next, 1);
    assert_int_equal(positions[2].claim, -1);
    assert_true(text_is(record.key, "s1"));
    owners_close(house);
}

static void service__a_restart_goes_on_without_answering_twice(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct owners *house = owners_opened(seed, 100);
        int reservations = 0;
        for (int round = 0; round < 6; round++) {
            for (int i = 0; i < 5; i++) {
                play_request(house->log, 0, ++reservations, 1);
                play_say(house->log, 0, "OpenSale");
            }
            owners_pass(house, STEP_MS * (round % 3)); /* in the middle of it, now and then */
            owners_stop(&house->processes[0], round % 2 == 0);
            play_sleep_until(house->log, 10 * (round + 1));
            owners_start(house, 0);
            owners_settle(house);
        }
        play_expect_times(house->log, 0, "ShowCreated", 1);
        play_expect_times(house->log, 0, "SeatsHeld", 30);
        play_expect_times(house->log, 0, "SaleOpened", 30);
        assert_int_equal(owners_held(house, 0), 30);
        play_expect_answered_once(house->log, TOPIC_SHOWS_COMMANDS, 0);
        owners_close(house);
    }
}

/* An owner is frozen, another takes over; thawed it may still speak: its word does not count. */
static void service__of_two_claimants_one_counts(void **state)
{
    uint64_t voids = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct owners *house = owners_opened(seed, 100);
        struct owner frozen = house->processes[0];
        play_request(house->log, 0, 1, 1);
        sim_freeze(frozen.bus, true);
        house->processes[0].bus = NULL;
        owners_start(house, 1);
        owners_pass(house, 8000); /* its session times out */
        assert_int_equal(service_phase(house->processes[1].service, 0), DESK_RUNNING);
        for (int i = 0; i < 5; i++)
            play_say(house->log, 0, "OpenSale");
        house->processes[0] = frozen;
        sim_freeze(frozen.bus, false);
        owners_turn(house);
        play_request(house->log, 0, 2, 1);
        owners_pass(house, 20000);
        owners_settle(house);
        play_expect_times(house->log, 0, "SeatsHeld", 2);
        play_expect_times(house->log, 0, "SaleOpened", 5);
        play_expect_answered_once(house->log, TOPIC_SHOWS_COMMANDS, 0);
        assert_int_equal(owners_phase(house, 0) == DESK_RUNNING,
                         service_phase(house->processes[1].service, 0) != DESK_RUNNING);
        voids += service_vitals(house->processes[1].service)->voids;
        owners_close(house);
    }
    assert_true(voids > 0); /* it did speak */
}

/* ---- appends that fail ----------------------------------------------------------------------- */

static void service__a_failed_append_steps_down_and_recovers(void **state)
{
    struct owners *house = owners_opened(1, 10);
    (void)state;
    play_request(house->log, 0, 1, 2);
    owners_turn_under(house, (struct sim_faults){.append_lost = 1000});
    play_request(house->log, 0, 2, 3);
    owners_pass(house, 20);
    assert_int_equal(owners_counts(house)->stepped_down, 1);
    owners_settle(house);
    play_expect_told(house->log, 0, "| ShowCreated | SeatsHeld SeatsHeld");
    play_expect_told(house->log, 1, "| ShowCreated"); /* the other went on */
    assert_int_equal(owners_held(house, 0), 5);
    owners_close(house);
}

/* Reported failed, and in the log all the same: it counts, and the input is not answered again. */
static void service__an_append_that_lied_counts(void **state)
{
    struct owners *house = owners_opened(1, 10);
    (void)state;
    play_request(house->log, 0, 1, 2);
    owners_turn_under(house, (struct sim_faults){.append_lied = 1000});
    owners_settle(house);
    play_expect_told(house->log, 0, "| ShowCreated SeatsHeld |");
    assert_int_equal(owners_held(house, 0), 2);
    owners_close(house);
}

/* It lands behind the claim of the one who gave it up. */
static void service__a_late_append_is_void(void **state)
{
    int late = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct owners *house = owners_opened(seed, 10);
        play_request(house->log, 0, 1, 2);
        owners_turn_under(house, (struct sim_faults){.append_late = 1000, .late_ms = 9000});
        owners_pass(house, 10000);
        owners_settle(house);
        play_expect_times(house->log, 0, "SeatsHeld", 1);
        assert_int_equal(owners_held(house, 0), 2);
        late += owners_counts(house)->voids > 0;
        owners_close(house);
    }
    assert_true(late > 10);
}

static void service__a_doubled_append_does_no_harm(void **state)
{
    struct owners *house = owners_opened(1, 10);
    (void)state;
    play_request(house->log, 0, 1, 2);
    owners_turn_under(house, (struct sim_faults){.append_doubled = 1000});
    owners_pass(house, 100);
    play_expect_told(house->log, 0, "| ShowCreated SeatsHeld");
    assert_true(owners_counts(house)->voids > 0);
    assert_int_equal(owners_counts(house)->stepped_down, 0);
    owners_close(house);
}

/* Neither read back nor refused: after ten seconds it is taken for lost. */
static void service__an_unread_append_steps_down(void **state)
{
    uint64_t stepped_down = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct owners *house = owners_opened(seed, 10);
        play_say(house->log, 0, "OpenSale");
        owners_turn_under(house, (struct sim_faults){.acknowledgement_ms = 25000});
        owners_pass(house, 60000);
        owners_settle(house);
        play_expect_times(house->log, 0, "SaleOpened", 1);
        play_expect_answered_once(house->log, TOPIC_SHOWS_COMMANDS, 0);
        stepped_down += owners_counts(house)->stepped_down;
        owners_close(house);
    }
    assert_in_range(stepped_down, 3, 19); /* some came in time */
}

static void service__a_full_queue_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct owners *house = owners_opened(seed, 1000);
        for (int i = 1; i <= 60; i++) {
            play_heal(house->log); /* the door is never closed */
            play_request(house->log, 0, i, 1);
            play_say(house->log, 0, "OpenSale");
            play_fault(house->log,
                       (struct sim_faults){.queue_full = 700, .acknowledgement_ms = 30});
            if (i % 5 == 0)
                for (int k = 0; k < STEP_MS; k++) {
                    sim_advance(house->log->sim, 1);
                    service_step(house->processes[0].service, sim_now_ms(house->log->sim), 0);
                }
        }
        play_heal(house->log);
        owners_pass(house, 1000);
        play_expect_times(house->log, 0, "SeatsHeld", 60);
        play_expect_answered_once(house->log, TOPIC_SHOWS_COMMANDS, 0);
        assert_int_equal(owners_counts(house)->stepped_down, 0);
        assert_true(sim_counts(house->log->sim)->queue_full > 20);
        owners_close(house);
    }
}

/* ---- progress -------------------------------------------------------------------------------- */

static void repeat(struct owners *house, int count)
{
    while (count-- > 0)
        play_say(house->log, 0, "CreateShow capacity=4"); /* again */
    owners_pass(house, 200);
}

static void service__says_how_far_it_came_after_five_idle_seconds(void **state)
{
    struct owners *house = owners_opened(1, 4);
    struct fence positions[3];
    struct bus_record record;
    (void)state;
    repeat(house, 3);
    owners_pass(house, 4700);
    play_expect_told(house->log, 0, "| ShowCreated");
    assert_int_equal(owners_counts(house)->skipped, 3);
    owners_pass(house, 200);
    play_expect_told(house->log, 0, "| ShowCreated ~");
    assert_true(sim_record(house->log->sim, EVENTS, 0, 3, &record));
    assert_true(positions_parse(record_header(&record, "sd_positions", NULL), positions, 3));
    assert_int_equal(positions[0].next, 4);
    assert_null(record.key.data);
    owners_pass(house, 60000); /* once */
    play_expect_told(house->log, 0, "| ShowCreated ~");
    play_expect_told(house->log, 1, "| ShowCreated");
    owners_close(house);
}

static void service__says_how_far_it_came_after_a_thousand(void **state)
{
    struct owners *house = owners_opened(1, 4);
    (void)state;
    repeat(house, SERVICE_SKIPPED_MAX - 1);
    play_expect_told(house->log, 0, "| ShowCreated");
    repeat(house, 1);
    play_expect_told(house->log, 0, "| ShowCreated ~");
    owners_close(house);
}

/* Two services that told each other how far they came would never rest. */
static void service__bus_records_are_not_worth_a_word(void **state)
{
    struct owners *house = owners_opened(1, 4);
    (void)state;
    for (int i = 0; i < 50; i++) {
        play_raw(house->log, TOPIC_CHECKOUT_EVENTS, 0, "stagedoor.bus.Progress",
                 play_next_stamp(house->log, TOPIC_CHECKOUT_EVENTS, 0),
                 "{\"service\":\"checkout\"}");
        play_raw(house->log, TOPIC_CHECKOUT_EVENTS, 0, "x", NULL, "");
        play_claim(house->log, TOPIC_RESERVATIONS_EVENTS, 0, house->log->installation.id);
    }
    owners_pass(house, 30000);
    play_expect_told(house->log, 0, "| ShowCreated");
    assert_int_equal(owners_counts(house)->skipped, 0);
    assert_int_equal(owners_counts(house)->voids, 50);
    owners_close(house);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* A hold of ten minutes and its grace, and then the service is not there for an hour. */
static struct owners *with_a_hold(uint64_t seed)
{
    struct owners *house = owners_opened(seed, 4);
    play_request(house->log, 0, 1, 4);
    owners_pass(house, 100);
    play_expect_told(house->log, 0, "| ShowCreated SeatsHeld");
    owners_stop(&house->processes[0], false);
    return house;
}

static void service__what_was_logged_before_is_decided_before(void **state)
{
    static const struct {
        int64_t paid_s;
        const char *told;
    } rows[] = {
        {629, "SeatsSold HoldRejected"},
        {631, "HoldExpired SeatsSold HoldRejected"}, /* bought again */
        {700, "HoldExpired SeatsHeld SaleRejected"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (uint64_t seed = 1; seed <= 10; seed++) {
            struct owners *house = with_a_hold(seed);
            int64_t end = sim_end(house->log->sim, EVENTS, 0);
            for (int64_t at_s = 600; at_s <= 800; at_s++) {
                play_sleep_until(house->log, at_s);
                if (at_s == rows[i].paid_s)
                    play_pay(house->log, 0, 1);
                if (at_s == 650)
                    play_request(house->log, 0, 2, 4);
            }
            play_sleep_until(house->log, 1000);
            owners_start(house, 0);
            owners_settle(house);
            assert_string_equal(play_told_from(house->log, 0, end + 1), rows[i].told);
            owners_close(house);
        }
}

static void service__a_hold_expires_on_time(void **state)
{
    struct owners *house = owners_opened(1, 4);
    struct bus_record record;
    (void)state;
    play_request(house->log, 0, 1, 4);
    int64_t held_ms = sim_now_ms(house->log->sim);
    owners_pass(house, 629900);
    play_expect_told(house->log, 0, "| ShowCreated SeatsHeld");
    sim_advance(house->log->sim, 200);
    play_request(house->log, 0, 2, 4); /* read before anyone looked at the time */
    owners_pass(house, 100);
    play_expect_told(house->log, 0, "| ShowCreated SeatsHeld HoldExpired SeatsHeld");
    assert_true(sim_record(house->log->sim, EVENTS, 0, 4, &record));
    assert_true(text_is(record_header(&record, "sd_source", NULL), "timer"));
    owners_pass(house, 640000);
    play_expect_times(house->log, 0, "HoldExpired", 2);
    assert_int_equal(owners_counts(house)->timers, 2);
    assert_true(sim_record(house->log->sim, EVENTS, 0, 6, &record));
    assert_in_range(record.append_ms, held_ms + 2 * 630000, held_ms + 2 * 630300);
    assert_int_equal(owners_held(house, 0), 0);
    owners_close(house);
}

/* Live, but an input stalls: the timer waits until everything logged before it was read. */
static void service__a_timer_waits_for_the_inputs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct owners *house = owners_opened(seed, 4);
        play_request(house->log, 0, 1, 4);
        owners_pass(house, 627000);
        play_fault(house->log, (struct sim_faults){.delivery_delayed = 1000, .delay_ms = 9000});
        play_pay(house->log, 0, 1);
        owners_pass(house, 30000);
        play_heal(house->log);
        owners_pass(house, 30000);
        play_expect_told(house->log, 0, "| ShowCreated SeatsHeld SeatsSold");
        owners_close(house);
    }
}

/* Three topics, one order: that of the log's clock. */
static void service__a_backlog_is_merged_by_append_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct owners *house = with_a_hold(seed);
        int64_t end = sim_end(house->log->sim, EVENTS, 0);
        for (int i = 0; i < 20; i++) {
            sim_advance(house->log->sim, 5);
            if (i % 4 == 0)
                play_say(house->log, 0, "SetCapacity capacity=%d", 5 + i);
            else if (i % 4 == 1)
                play_request(house->log, 0, 10 + i, 1);
            else if (i % 4 == 2)
                play_pay(house->log, 0, 10 + i - 1);
            else
                play_say(house->log, 0, "SetCapacity capacity=%d force=true", i);
        }
        owners_start(house, 0);
        owners_settle(house);
        const char *at = play_told_from(house->log, 0, end + 1);
        static const char *const round = "CapacityChanged SeatsHeld SeatsSold CapacityChanged";
        for (int i = 0; i < 5; i++, at += strlen(round) + 1)
            assert_memory_equal(at, round, strlen(round));
        owners_close(house);
    }
}

/* The log's clock steps: time does not go back, and no one expires before their time. */
static void service__the_clock_may_step_back(void **state)
{
    struct owners *house = owners_opened(1, 4);
    (void)state;
    owners_pass(house, 1000);
    sim_step_clock(house->log->sim, -3600000);
    play_request(house->log, 0, 1, 1);
    owners_pass(house, 700000);
    owners_stop(&house->processes[0], true);
    owners_start(house, 0);
    owners_settle(house);
    sim_step_clock(house->log->sim, 3600000);
    owners_pass(house, 100);
    play_say(house->log, 0, "OpenSale");
    owners_pass(house, 700000);
    owners_settle(house);
    play_expect_times(house->log, 0, "SeatsHeld", 1);
    play_expect_times(house->log, 0, "HoldExpired", 1);
    owners_close(house);
}

/* ---- what stops a partition ------------------------------------------------------------------ */

static void expect_lost(struct owners *house, int partition)
{
    if (house->processes[0].bus == NULL)
        owners_start(house, 0);
    owners_settle(house);
    assert_int_equal(owners_phase(house, partition), DESK_LOST);
    assert_int_equal(owners_phase(house, 1 - partition), DESK_RUNNING);
    assert_int_equal(owners_counts(house)->lost, 1);
    assert_null(owners_state(house, partition));
    int64_t end = sim_end(house->log->sim, EVENTS, partition);
    play_say(house->log, partition, "OpenSale");
    play_say(house->log, 1 - partition, "OpenSale");
    owners_pass(house, 20000);
    assert_int_equal(sim_end(house->log->sim, EVENTS, partition), end); /* not a word more */
    assert_int_equal(play_times(house->log, 1 - partition, "SaleOpened"), 1);
    owners_close(house);
}

static void service__another_source_than_was_answered_is_lost(void **state)
{
    (void)state;
    for (int kept = 0; kept < 3; kept++) {
        struct owners *house = owners_opened(1, 4);
        play_say(house->log, 0, "PauseSale");
        owners_pass(house, 100);
        owners_stop(&house->processes[0], false);
        sim_truncate(house->log->sim, TOPIC_SHOWS_COMMANDS, 0, kept ? 1 : 0);
        for (int i = 0; i < (kept < 2 ? 3 : 0); i++) /* kept 2: it is only shorter */
            play_say(house->log, 0, "PauseSale reason=other");
        expect_lost(house, 0);
    }
}

static void service__a_log_that_was_cut_is_lost(void **state)
{
    struct owners *house = owners_opened(1, 4);
    (void)state;
    play_request(house->log, 0, 1, 1);
    owners_pass(house, 100);
    owners_stop(&house->processes[0], false);
    sim_truncate(house->log->sim, TOPIC_RESERVATIONS_EVENTS, 0, 2);
    play_request(house->log, 0, 2, 1); /* the last source is another event now */
    expect_lost(house, 0);
    house = owners_opened(1, 4);
    sim_truncate(house->log->sim, EVENTS, 1, 2); /* its own, while it looks */
    expect_lost(house, 1);
}

static void service__a_claim_of_another_installation_is_lost(void **state)
{
    static const int topics[] = {EVENTS, TOPIC_RESERVATIONS_EVENTS, TOPIC_CHECKOUT_EVENTS};
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct owners *house = owners_opened(1, 4);
        if (i % 2)
            owners_stop(&house->processes[0], false);
        play_claim(house->log, topics[i / 2], 0, "99999999-9999-4999-8999-999999999999");
        expect_lost(house, 0);
    }
}

/* A newer build was here: nobody may guess what it meant. */
static void service__an_accepted_event_of_unknown_type_is_lost(void **state)
{
    static const struct {
        int topic;
        bool running;
        const char *type;
    } rows[] = {
        {TOPIC_CHECKOUT_EVENTS, true, "stagedoor.checkout.Upgraded"},
        {TOPIC_CHECKOUT_EVENTS, false, "stagedoor.checkout.Upgraded"},
        {TOPIC_CHECKOUT_EVENTS, true, "stagedoor.checkout.PaymentSucceeded"}, /* of another shape */
        {EVENTS, false, "stagedoor.shows.Upgraded"},
        {EVENTS, false, "stagedoor.shows.SaleOpened"},
    };
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct owners *house = owners_opened(1, 4);
        if (!rows[i].running)
            owners_stop(&house->processes[0], false);
        play_raw(house->log, rows[i].topic, 1, rows[i].type,
                 play_next_stamp(house->log, rows[i].topic, 1), "{}");
        expect_lost(house, 1);
    }
}

/* Anyone may write into a topic. What is not ours is void, and the evening goes on. */
static void service__garbage_and_forged_stamps_stall_nothing(void **state)
{
    static const char *const stamps[] = {NULL,
                                         "nonsense",
                                         "0-0000000000000000.1",
                                         "1-00000000000000bb.1",
                                         "2-00000000000000aa.1",
                                         "99-00000000000000aa.1"};
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct owners *house = owners_opened(seed, 100);
        for (int i = 0; i < 6; i++) {
            play_raw(house->log, TOPIC_RESERVATIONS_EVENTS, 0,
                     "stagedoor.reservations.ReservationRequested", stamps[i], "{}");
            play_raw(house->log, EVENTS, 0, "stagedoor.shows.SeatsHeld", stamps[i], "not json");
            play_request(house->log, 0, i + 1, 1);
            owners_pass(house, i % 2 ? 50 : 0);
        }
        owners_pass(house, 200);
        play_expect_times(house->log, 0, "SeatsHeld", 6);
        assert_int_equal(owners_phase(house, 0), DESK_RUNNING);
        assert_int_equal(owners_counts(house)->voids, 12);
        assert_int_equal(owners_counts(house)->lost, 0);
        owners_stop(&house->processes[0], true);
        owners_start(house, 0);
        owners_settle(house);
        assert_int_equal(owners_held(house, 0), 6);
        owners_close(house);
    }
}

/* ---- commands that never reach the core ------------------------------------------------------ */

static void service__refuses_and_names_the_source(void **state)
{
    static const struct {
        const char *type, *value, *code;
    } rows[] = {
        {"stagedoor.shows.OpenSale", "not json", "undecodable"},
        {"stagedoor.shows.OpenSale", "", "undecodable"},
        {"", "{}", "undecodable"},
        {"stagedoor.shows.OpenSail", "{}", "unknown_type"},
        {"stagedoor.checkout.StartCheckout", "{}", "unknown_type"},
        {"stagedoor.shows.SeatsHeld", "{}", "unknown_type"},
        {"stagedoor.shows.OpenSale", "{}", "invalid"},
        {"stagedoor.shows.OpenSale", "{\"show_id\":\"show-0\"}", "misrouted"},
        {"stagedoor.shows.OpenSale", "{\"show_id\":\"s1\"}", "SaleOpened"},
    };
    struct owners *house = owners_opened(1, 4);
    struct bus_record record;
    (void)state;
    for (int i = 0; i < 9; i++) {
        play_raw(house->log, TOPIC_SHOWS_COMMANDS, 0, rows[i].type, NULL, rows[i].value);
        owners_pass(house, 50);
        char source[64];
        assert_string_equal(play_told_from(house->log, 0, 3 + i), rows[i].code);
        assert_true(sim_record(house->log->sim, EVENTS, 0, 3 + i, &record));
        snprintf(source, sizeof source, "shows.commands/0@%d#", 1 + i);
        assert_true(text_starts(record_header(&record, "sd_source", NULL), source));
        assert_int_equal(record.key.data == NULL, i < 8);
    }
    play_expect_answered_once(house->log, TOPIC_SHOWS_COMMANDS, 0);
    play_expect_told(house->log, 1, "| ShowCreated"); /* misrouted: nobody opened that sale */
    owners_close(house);
}

/* ---- reading ahead --------------------------------------------------------------------------- */

/* One input lags: of the other so much is read ahead, and no more, and nothing twice. */
static void fall_behind(struct owners *house)
{
    owners_stop(&house->processes[0], false);
    for (int i = 0; i < 3 * SERVICE_QUEUE_MAX; i++)
        play_say(house->log, 0, "OpenSale");
    play_request(house->log, 0, 1, 1); /* the youngest of all */
    owners_start(house, 0);
}

static void service__reads_ahead_but_not_too_far(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct owners *house = owners_opened(seed, 4);
        fall_behind(house);
        play_fault(house->log, (struct sim_faults){.delivery_delayed = 5, .delay_ms = 300});
        owners_pass(house, 5000);
        play_heal(house->log);
        owners_settle(house);
        play_expect_times(house->log, 0, "SaleOpened", 3 * SERVICE_QUEUE_MAX);
        play_expect_answered_once(house->log, TOPIC_SHOWS_COMMANDS, 0);
        owners_close(house);
    }
}

/* Given away while it had read ahead: it follows its own topic, and no input any more. */
static void service__a_retired_desk_follows_no_input(void **state)
{
    int paused = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct owners *house = owners_opened(seed, 4);
        fall_behind(house);
        play_fault(house->log, (struct sim_faults){.delivery_delayed = 1000, .delay_ms = 1000});
        while (owners_phase(house, 0) != DESK_RUNNING)
            owners_pass(house, STEP_MS);
        play_heal(house->log);
        owners_pass(house, 300); /* some inputs are read by now, some are not */
        struct bus *other = owners_stranger(house, "0"); /* before "a": takes the first partition */
        owners_pass(house, 2000);
        assert_int_equal(owners_phase(house, 0), DESK_RETIRED);
        paused += play_times(house->log, 0, "SaleOpened") == 0;
        struct bus_event event;
        play_say(house->log, 0, "OpenSale");
        while (bus_poll(house->processes[0].bus, 0, &event))
            if (event.type == BUS_RECORD && event.topic != EVENTS && event.partition == 0)
                fail_msg("%s is still followed", topic_name(event.topic));
        bus_close(other);
        owners_close(house);
    }
    assert_true(paused > 0);
}

/* Somebody copies our epoch: with the next n it speaks for us, else a word of ours is void. */
static uint64_t forge(int n)
{
    struct owners *house = owners_opened(1, 4);
    struct bus_record record;
    char stamp[64];
    assert_true(sim_record(house->log->sim, EVENTS, 0, 2, &record));
    struct text own = record_header(&record, "sd_stamp", NULL);
    snprintf(stamp, sizeof stamp, "%.*s%d", (int)own.size - 1, own.data, n);
    play_raw(house->log, EVENTS, 0, "stagedoor.bus.Progress", stamp, "{\"service\":\"shows\"}");
    owners_pass(house, 30000);
    uint64_t times = owners_counts(house)->stepped_down;
    owners_close(house);
    return times;
}

static void service__a_copied_stamp_does_not_kill(void **state)
{
    int status = -1;
    (void)state;
    assert_int_equal(forge(1), 0); /* a double */
    assert_int_equal(forge(9), 1);
    pid_t child = fork();
    if (child == 0) {
        forge(2);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        fail_msg("ended by signal %d", WTERMSIG(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(service__claims_and_becomes_ready),
        cmocka_unit_test(service__answers_each_input_once),
        cmocka_unit_test(service__an_outcome_names_its_cause_and_every_position),
        cmocka_unit_test(service__a_restart_goes_on_without_answering_twice),
        cmocka_unit_test(service__of_two_claimants_one_counts),
        cmocka_unit_test(service__a_failed_append_steps_down_and_recovers),
        cmocka_unit_test(service__an_append_that_lied_counts),
        cmocka_unit_test(service__a_late_append_is_void),
        cmocka_unit_test(service__a_doubled_append_does_no_harm),
        cmocka_unit_test(service__an_unread_append_steps_down),
        cmocka_unit_test(service__a_full_queue_loses_nothing),
        cmocka_unit_test(service__says_how_far_it_came_after_five_idle_seconds),
        cmocka_unit_test(service__says_how_far_it_came_after_a_thousand),
        cmocka_unit_test(service__bus_records_are_not_worth_a_word),
        cmocka_unit_test(service__what_was_logged_before_is_decided_before),
        cmocka_unit_test(service__a_hold_expires_on_time),
        cmocka_unit_test(service__a_timer_waits_for_the_inputs),
        cmocka_unit_test(service__a_backlog_is_merged_by_append_time),
        cmocka_unit_test(service__the_clock_may_step_back),
        cmocka_unit_test(service__another_source_than_was_answered_is_lost),
        cmocka_unit_test(service__a_log_that_was_cut_is_lost),
        cmocka_unit_test(service__a_claim_of_another_installation_is_lost),
        cmocka_unit_test(service__an_accepted_event_of_unknown_type_is_lost),
        cmocka_unit_test(service__garbage_and_forged_stamps_stall_nothing),
        cmocka_unit_test(service__refuses_and_names_the_source),
        cmocka_unit_test(service__reads_ahead_but_not_too_far),
        cmocka_unit_test(service__a_retired_desk_follows_no_input),
        cmocka_unit_test(service__a_copied_stamp_does_not_kill),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
