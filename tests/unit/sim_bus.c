/* The simulated log's own promises: the same seed gives the same events, every fault fires, and
 * what a frozen or crashed process leaves behind. What it shares with the real ones is in
 * tests/bus. */
#include "base/crc.h"
#include "base/prng.h"
#include "bus/sim.h"
#include "tests/support/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 4, START_MS = 1000000 };

static const struct sim_faults every_fault = {.append_lost = 30,
                                              .append_lied = 30,
                                              .append_doubled = 30,
                                              .append_untold = 30,
                                              .append_late = 30,
                                              .late_ms = 500,
                                              .suffix_lost = 10,
                                              .queue_full = 20,
                                              .delivery_delayed = 30,
                                              .delay_ms = 200,
                                              .acknowledgement_ms = 40,
                                              .rebalance = 5};

static const int topics[] = {0};

static struct bus *enter(struct sim *sim, const char *instance)
{
    struct bus_options options = {.client = "test", .instance = instance};
    struct bus_topic_spec spec = {"acts", PARTITIONS, true, false};
    struct bus_error error;
    struct bus *bus = sim_bus_open(sim, &options);
    assert_int_equal(bus_topics(bus, &spec, 1, &error), BUS_OK);
    return bus;
}

static enum bus_result say(struct bus *bus, int partition, const char *value, uint64_t tag)
{
    struct bus_record record = {.value = text_of(value)};
    return bus_append(bus, 0, partition, &record, tag);
}

static bool says(struct sim *sim, int partition, int64_t offset, const char *value)
{
    struct bus_record record;
    return sim_record(sim, 0, partition, offset, &record) && text_is(record.value, value);
}

static void expect(struct bus *bus, enum bus_event_type type, uint64_t tag)
{
    struct bus_event event;
    assert_true(bus_poll(bus, 0, &event));
    assert_int_equal(event.type, type);
    assert_int_equal(event.tag, tag);
}

static void expect_nothing(struct bus *bus)
{
    struct bus_event event;
    assert_false(bus_poll(bus, 0, &event));
}

/* How many numbers the handle was given and lost, polling it dry. */
static int assigned(struct bus *bus)
{
    struct bus_event event;
    int count = 0;
    while (bus_poll(bus, 0, &event))
        count += event.type == BUS_ASSIGNED ? 1 : event.type == BUS_REVOKED ? -1 : 0;
    return count;
}

/* ---- one seed, one story ------------------------------------------------------------------- */

static uint32_t hash_event(uint32_t sum, const struct bus_event *event)
{
    char line[128];
    int size = snprintf(line, sizeof line, "%d %d %lld %llu %lld", (int)event->type,
                        event->partition, (long long)event->offset, (unsigned long long)event->tag,
                        (long long)event->record.append_ms);
    sum = crc32c_add(sum, line, (size_t)size);
    return crc32c_add(sum, event->record.value.data, event->record.value.size);
}

/* Three processes append, read, freeze, thaw and crash under every fault; the checksum of all they
 * saw. `counts` gets the faults that fired. */
static uint32_t wander(uint64_t seed, int steps, struct sim_counts *counts)
{
    struct sim *sim = sim_new(seed, START_MS);
    struct prng prng = {seed ^ 1};
    struct bus *handles[3];
    bool frozen[3] = {false};
    uint32_t sum = 0;
    char value[32];
    sim_set_faults(sim, &every_fault);
    for (int i = 0; i < 3; i++)
        handles[i] = NULL;
    for (int step = 0; step < steps; step++) {
        int i = (int)prng_below(&prng, 3), partition = (int)prng_below(&prng, PARTITIONS);
        if (!handles[i]) {
            snprintf(value, sizeof value, "member-%d", i);
            handles[i] = enter(sim, value);
            assert_int_equal(bus_join(handles[i], "group", topics, 1), BUS_OK);
            for (int p = 0; p < PARTITIONS; p++)
                bus_follow(handles[i], 0, p, 0);
            frozen[i] = false;
        }
        snprintf(value, sizeof value, "%d", step);
        uint64_t deed = prng_below(&prng, 100);
        struct bus_event event;
        if (deed < 40 && !frozen[i])
            say(handles[i], partition, value, (uint64_t)step);
        else if (deed < 90)
            for (int n = 0; n < 5 && bus_poll(handles[i], 0, &event); n++)
                sum = hash_event(sum, &event);
        else if (deed < 97)
            sim_advance(sim, (int64_t)prng_below(&prng, 100));
        else if (deed < 98)
            sim_advance(sim, (int64_t)prng_below(&prng, 8000));
        else if (deed < 99)
            sim_freeze(handles[i], frozen[i] = !frozen[i]);
        else if (prng_chance(&prng, 1, 5)) {
            sim_crash(handles[i]);
            handles[i] = NULL;
        }
    }
    for (int i = 0; i < 3; i++)
        bus_close(handles[i]);
    *counts = *sim_counts(sim);
    sim_free(sim);
    return sum;
}

static void sim_bus__the_same_seed_gives_the_same_events(void **state)
{
    (void)state;
    struct sim_counts counts;
    uint32_t before = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint32_t sum = wander(seed, 2000, &counts);
        assert_int_equal(wander(seed, 2000, &counts), sum);
        assert_int_not_equal(sum, before);
        before = sum;
    }
}

static void sim_bus__every_fault_fires(void **state)
{
    (void)state;
    struct sim_counts counts;
    wander(7, 10000, &counts);
    assert_true(counts.append_lost > 0);
    assert_true(counts.append_lied > 0);
    assert_true(counts.append_doubled > 0);
    assert_true(counts.append_late > 0);
    assert_true(counts.suffix_lost > 0);
    assert_true(counts.queue_full > 0);
    assert_true(counts.delivery_delayed > 0);
    assert_true(counts.rebalance > 0);
    assert_true(counts.crash > 0);
}

static void sim_bus__no_fault_fires_unasked(void **state)
{
    (void)state;
    static const struct sim_counts none;
    struct sim *sim = sim_new(1, START_MS);
    struct bus *bus = enter(sim, "a");
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(say(bus, 0, "x", i), BUS_OK);
        assert_int_equal(sim_end(sim, 0, 0), (int64_t)i + 1); /* it lands at once */
        expect(bus, BUS_APPENDED, i);
    }
    assert_memory_equal(sim_counts(sim), &none, sizeof none);
    bus_close(bus);
    sim_free(sim);
}

/* ---- each fault by itself ------------------------------------------------------------------ */

static void sim_bus__a_lost_append_never_lands(void **state)
{
    (void)state;
    struct sim *sim = sim_new(2, START_MS);
    struct bus *bus = enter(sim, "a");
    sim_set_faults(sim, &(struct sim_faults){.append_lost = 1000});
    say(bus, 0, "x", 5);
    expect(bus, BUS_FAILED, 5);
    sim_advance(sim, 100000);
    assert_int_equal(sim_end(sim, 0, 0), 0);
    bus_close(bus);
    sim_free(sim);
}

static void sim_bus__a_lied_append_lands(void **state)
{
    (void)state;
    struct sim *sim = sim_new(3, START_MS);
    struct bus *bus = enter(sim, "a");
    sim_set_faults(sim, &(struct sim_faults){.append_lied = 1000});
    say(bus, 0, "x", 5);
    expect(bus, BUS_FAILED, 5);
    expect_nothing(bus);
    assert_true(says(sim, 0, 0, "x"));
    bus_close(bus);
    sim_free(sim);
}

static void sim_bus__a_doubled_append_lands_twice(void **state)
{
    (void)state;
    struct sim *sim = sim_new(4, START_MS);
    struct bus *bus = enter(sim, "a");
    sim_set_faults(sim, &(struct sim_faults){.append_doubled = 1000});
    say(bus, 0, "x", 5);
    expect(bus, BUS_APPENDED, 5);
    expect_nothing(bus);
    assert_int_equal(sim_end(sim, 0, 0), 2);
    assert_true(says(sim, 0, 1, "x"));
    bus_close(bus);
    sim_free(sim);
}

/* What is appended while the lost one is unanswered goes with it; what comes after does not. */
static void sim_bus__a_suffix_is_lost_until_it_is_answered(void **state)
{
    (void)state;
    struct sim *sim = sim_new(5, START_MS);
    struct bus *bus = enter(sim, "a");
    say(bus, 0, "before", 1);
    sim_set_faults(sim, &(struct sim_faults){.suffix_lost = 1000});
    say(bus, 0, "first", 2);
    sim_set_faults(sim, &(struct sim_faults){0});
    say(bus, 0, "behind", 3);
    say(bus, 1, "elsewhere", 4);
    assert_int_equal(sim_end(sim, 0, 0), 1);
    assert_int_equal(sim_end(sim, 0, 1), 1);
    int failed = 0, appended = 0;
    for (struct bus_event event; bus_poll(bus, 0, &event);) {
        assert_int_equal(event.type == BUS_FAILED, event.tag == 2 || event.tag == 3);
        *(event.type == BUS_FAILED ? &failed : &appended) += 1;
    }
    assert_int_equal(failed, 2);
    assert_int_equal(appended, 2);
    say(bus, 0, "after", 5);
    expect(bus, BUS_APPENDED, 5);
    assert_true(says(sim, 0, 1, "after"));
    bus_close(bus);
    sim_free(sim);
}

static void sim_bus__an_append_lands_after_its_writer_died(void **state)
{
    (void)state;
    struct sim *sim = sim_new(6, START_MS);
    struct bus *bus = enter(sim, "a"), *other = enter(sim, "b");
    sim_set_faults(sim, &(struct sim_faults){.append_late = 1000, .late_ms = 100});
    for (uint64_t i = 0; i < 20; i++)
        say(bus, 0, "late", i);
    sim_crash(bus);
    sim_set_faults(sim, &(struct sim_faults){0});
    say(other, 0, "claim", 1);
    sim_advance(sim, 100);
    assert_int_equal(sim_end(sim, 0, 0), 21);
    assert_true(says(sim, 0, 20, "late"));
    bus_close(other);
    sim_free(sim);
}

static void sim_bus__a_stall_ends(void **state)
{
    (void)state;
    struct sim *sim = sim_new(7, START_MS);
    struct bus *bus = enter(sim, "a");
    say(bus, 0, "x", 1);
    expect(bus, BUS_APPENDED, 1);
    sim_set_faults(sim, &(struct sim_faults){.delivery_delayed = 1000, .delay_ms = 50});
    bus_follow(bus, 0, 0, 0);
    expect_nothing(bus);
    sim_advance(sim, 50);
    expect(bus, BUS_RECORD, 0);
    expect_nothing(bus);
    sim_advance(sim, 50);
    expect(bus, BUS_CAUGHT_UP, 0);
    bus_close(bus);
    sim_free(sim);
}

/* Kafka and SQLite look first and tell later. */
static void sim_bus__caught_up_may_be_old_news(void **state)
{
    (void)state;
    struct sim *sim = sim_new(7, START_MS);
    struct bus *bus = enter(sim, "a"), *other = enter(sim, "b");
    sim_set_faults(sim, &(struct sim_faults){.delivery_delayed = 1000, .delay_ms = 50});
    bus_follow(bus, 0, 0, 0);
    expect_nothing(bus);
    say(other, 0, "x", 1);
    sim_advance(sim, 50);
    struct bus_event event;
    assert_true(bus_poll(bus, 0, &event));
    assert_int_equal(event.type, BUS_CAUGHT_UP);
    assert_int_equal(event.offset, 0);
    expect_nothing(bus);
    sim_advance(sim, 50);
    expect(bus, BUS_RECORD, 0);
    bus_close(bus);
    bus_close(other);
    sim_free(sim);
}

static void sim_bus__a_rebalance_leaves_one_owner_each(void **state)
{
    (void)state;
    struct sim *sim = sim_new(8, START_MS);
    struct bus *a = enter(sim, "a"), *b = enter(sim, "b");
    bus_join(a, "group", topics, 1);
    bus_join(b, "group", topics, 1);
    int of_a = assigned(a), of_b = assigned(b);
    assert_int_equal(of_a, 2);
    assert_int_equal(of_b, 2);
    for (int i = 0; i < 100; i++) {
        struct bus_event event;
        sim_set_faults(sim, &(struct sim_faults){.rebalance = 1000});
        if (bus_poll(i % 2 ? a : b, 0, &event))
            *(i % 2 ? &of_a : &of_b) += event.type == BUS_ASSIGNED ? 1 : -1;
        sim_set_faults(sim, &(struct sim_faults){0});
        of_a += assigned(a);
        of_b += assigned(b);
        assert_int_equal(of_a + of_b, PARTITIONS);
    }
    assert_int_equal(sim_counts(sim)->rebalance, 100);
    bus_close(a);
    bus_close(b);
    sim_free(sim);
}

/* ---- processes ----------------------------------------------------------------------------- */

static void sim_bus__a_frozen_process_does_nothing_until_thawed(void **state)
{
    (void)state;
    struct sim *sim = sim_new(9, START_MS);
    struct bus *owner = enter(sim, "a"), *other = enter(sim, "b");
    sim_set_faults(sim, &(struct sim_faults){.acknowledgement_ms = 1000});
    for (uint64_t i = 0; i < 10; i++)
        say(owner, 0, "old", i);
    int64_t landed = sim_end(sim, 0, 0);
    sim_freeze(owner, true);
    sim_advance(sim, 5000);
    expect_nothing(owner);
    assert_int_equal(sim_end(sim, 0, 0), landed);
    sim_set_faults(sim, &(struct sim_faults){0});
    say(other, 0, "claim", 1);
    assert_true(says(sim, 0, landed, "claim"));
    sim_freeze(owner, false); /* what it had in flight lands behind the claim */
    assert_int_equal(sim_end(sim, 0, 0), 11);
    assert_true(says(sim, 0, 10, "old"));
    for (uint64_t i = 0; i < 10; i++)
        expect(owner, BUS_APPENDED, i);
    bus_close(owner);
    bus_close(other);
    sim_free(sim);
}

static void sim_bus__a_frozen_member_is_replaced_and_comes_back(void **state)
{
    (void)state;
    struct sim *sim = sim_new(10, START_MS);
    struct bus *a = enter(sim, "a"), *b = enter(sim, "b");
    bus_join(a, "group", topics, 1);
    assert_int_equal(assigned(a), 4);
    bus_join(b, "group", topics, 1);
    assert_int_equal(assigned(a), -2);
    assert_int_equal(assigned(b), 2);
    sim_freeze(a, true);
    sim_advance(sim, 5999);
    assert_int_equal(assigned(b), 0);
    sim_advance(sim, 1);
    assert_int_equal(assigned(b), 2);
    sim_freeze(a, false);
    assert_int_equal(assigned(a), 0); /* loses two, gets two */
    assert_int_equal(assigned(b), -2);
    bus_close(a);
    bus_close(b);
    sim_free(sim);
}

static void sim_bus__a_namesake_fences_the_frozen_one(void **state)
{
    (void)state;
    struct sim *sim = sim_new(11, START_MS);
    struct bus *old = enter(sim, "a");
    bus_join(old, "group", topics, 1);
    assert_int_equal(assigned(old), 4);
    sim_freeze(old, true);
    struct bus *new = enter(sim, "a");
    bus_join(new, "group", topics, 1);
    assert_int_equal(assigned(new), 4);
    sim_freeze(old, false);
    assert_int_equal(assigned(old), -4);
    sim_advance(sim, 60000);
    assert_int_equal(assigned(new), 0);
    bus_close(old);
    old = new;
    sim_freeze(old, true);
    sim_advance(sim, 6000); /* its session ends before the successor comes */
    new = enter(sim, "a");
    bus_join(new, "group", topics, 1);
    assert_int_equal(assigned(new), 4);
    sim_freeze(old, false);
    assert_int_equal(assigned(old), -4);
    assert_int_equal(assigned(new), 0);
    bus_close(old);
    bus_close(new);
    sim_free(sim);
}

/* Of what a crash leaves in flight a beginning lands, never a later one without the earlier. */
static void sim_bus__a_crash_leaves_a_beginning(void **state)
{
    (void)state;
    int64_t least = 10, most = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct sim *sim = sim_new(seed, START_MS);
        struct bus *bus = enter(sim, "a");
        sim_set_faults(sim, &(struct sim_faults){.acknowledgement_ms = 1000});
        char value[2] = "0";
        for (uint64_t i = 0; i < 10; i++, value[0]++)
            say(bus, 0, value, i);
        sim_crash(bus);
        sim_advance(sim, 100000);
        int64_t end = sim_end(sim, 0, 0);
        for (int64_t i = 0; i < end; i++)
            assert_true(says(sim, 0, i, (char[]){(char)('0' + i), '\0'}));
        least = end < least ? end : least;
        most = end > most ? end : most;
        sim_free(sim);
    }
    assert_true(least < 3);
    assert_true(most > 3);
}

static void sim_bus__the_logs_clock_steps_alone(void **state)
{
    (void)state;
    struct sim *sim = sim_new(12, START_MS);
    struct bus *bus = enter(sim, "a");
    struct bus_record record;
    sim_step_clock(sim, -3600000);
    say(bus, 0, "x", 1);
    assert_int_equal(sim_now_ms(sim), START_MS);
    assert_true(sim_record(sim, 0, 0, 0, &record));
    assert_int_equal(record.append_ms, START_MS - 3600000);
    bus_wake(bus);
    expect_nothing(bus); /* woken, though there is something */
    expect(bus, BUS_APPENDED, 1);
    bus_close(bus);
    sim_free(sim);
}

/* ---- plays under faults: every event is held against bus.h by the roles' journals ---------- */

static int open_stage(void **state)
{
    static const struct stage_backend backend = {.name = "sim", .kind = ON_SIM};
    *state = stage_open(&backend, true);
    return 0;
}

static int close_stage(void **state)
{
    stage_close(*state);
    return 0;
}

static int value_of(const struct bus_record *record)
{
    return atoi(record->value.data);
}

/* Every append is answered; what is reported appended is there; what landed of one writer did so in
 * order, but for what was late or doubled. */
static void judge_faulty_run(struct sim *sim, struct role *writer, bool in_order)
{
    static int landed[4096];
    memset(landed, 0, sizeof landed);
    struct bus_record record;
    int last = -1;
    for (int64_t offset = 0; sim_record(sim, ACTS, 0, offset, &record); offset++) {
        int value = value_of(&record);
        assert_in_range(value, 0, writer->tag_next - 1);
        assert_true(!in_order || value > last);
        last = value;
        landed[value]++;
    }
    for (int i = 0; i < writer->seen_count; i++) {
        const struct bus_event *event = &writer->journal[i].event;
        if (event->type != BUS_APPENDED)
            continue;
        assert_true(landed[event->tag] >= 1);
        assert_true(event->offset >= 0 || landed[event->tag] == 2);
        if (event->offset < 0)
            continue; /* the log does not tell which of the two it means */
        assert_true(sim_record(sim, ACTS, 0, event->offset, &record));
        assert_int_equal(value_of(&record), (int)event->tag);
    }
}

static void sim_bus__a_failed_suffix_is_answered(void **state)
{
    struct stage *stage = *state;
    sim_set_faults(stage->sim, &(struct sim_faults){.suffix_lost = 20,
                                                    .append_lied = 20,
                                                    .append_lost = 20,
                                                    .acknowledgement_ms = 50});
    struct role *writer = role_enter(stage, "writer");
    for (int i = 0; i < 200; i++) {
        role_say_lines(writer, ACTS, 0, i * 10, 10);
        stage_listen(stage, i % 7 * 10);
    }
    UNTIL(stage, role_unanswered(writer) == 0);
    assert_true(writer->failed_count > 20 && writer->appended_count > 200);
    assert_true(sim_counts(stage->sim)->suffix_lost > 0);
    judge_faulty_run(stage->sim, writer, true);
}

static void sim_bus__a_late_append_lands_behind_a_newer_claim(void **state)
{
    struct stage *stage = *state;
    sim_set_faults(stage->sim, &(struct sim_faults){.append_late = 1000, .late_ms = 1000});
    struct role *zombie = role_enter(stage, "zombie");
    role_say_lines(zombie, ACTS, 0, 0, 20);
    UNTIL(stage, zombie->failed_count == 20);
    sim_set_faults(stage->sim, &(struct sim_faults){0});
    struct role *owner = role_enter(stage, "owner");
    role_say(owner, ACTS, 0, "claim");
    role_follow(owner, ACTS, 0, 0);
    UNTIL(stage, owner->record_count == 21);
    assert_false(role_heard(owner, ACTS, 0, 20, "claim")); /* somebody came later */
}

static void sim_bus__doubled_appends_are_answered_once(void **state)
{
    struct stage *stage = *state;
    sim_set_faults(stage->sim, &(struct sim_faults){.append_doubled = 300,
                                                    .append_late = 100,
                                                    .late_ms = 30,
                                                    .acknowledgement_ms = 20,
                                                    .delivery_delayed = 100,
                                                    .delay_ms = 40});
    struct role *writer = role_enter(stage, "writer");
    role_follow(writer, ACTS, 0, 0);
    role_say_lines(writer, ACTS, 0, 0, 1000);
    int64_t landed = 1000 + (int64_t)sim_counts(stage->sim)->append_doubled;
    UNTIL(stage, writer->record_count == landed && role_unanswered(writer) == 0);
    assert_true(landed > 1100);
    judge_faulty_run(stage->sim, writer, false);
}

static void sim_bus__a_cut_log_is_lost_to_those_ahead(void **state)
{
    struct stage *stage = *state;
    struct role *ahead = role_enter(stage, "ahead"), *behind = role_enter(stage, "behind");
    role_say_lines(ahead, ACTS, 0, 0, 10);
    role_follow(ahead, ACTS, 0, 0);
    UNTIL(stage, ahead->record_count == 10 && role_unanswered(ahead) == 0);
    role_follow(behind, ACTS, 0, 0);
    sim_truncate(stage->sim, ACTS, 0, 6);
    UNTIL(stage, ahead->lost_count == 1 && behind->caught_up[ACTS][0] == 6);
    role_say_lines(ahead, ACTS, 0, 6, 1);
    UNTIL(stage, behind->record_count == 7);
    assert_true(role_heard(behind, ACTS, 0, 5, "5") && role_heard(behind, ACTS, 0, 6, "6"));
}

/* As of Kafka and SQLite: who looks while it is too short is told, who comes later notices nothing.
 */
static void sim_bus__a_log_cut_and_grown_again_may_go_unnoticed(void **state)
{
    (void)state;
    int noticed = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim *sim = sim_new(seed, START_MS);
        struct bus *bus = enter(sim, "a");
        bus_follow(bus, 0, 0, 0);
        for (int i = 0; i < 3; i++)
            say(bus, 0, "old", 1);
        struct bus_event event;
        while (bus_poll(bus, 0, &event))
            ;
        sim_truncate(sim, 0, 0, 1);
        for (int i = 0; i < 4; i++)
            say(bus, 0, "new", 1);
        bool lost = false;
        int64_t read = -1;
        while (bus_poll(bus, 0, &event)) {
            lost |= event.type == BUS_LOST;
            read = event.type == BUS_RECORD ? event.offset : read;
        }
        assert_int_equal(read, lost ? -1 : 4); /* 1 and 2 are never seen */
        noticed += lost;
        bus_close(bus);
        sim_free(sim);
    }
    assert_in_range(noticed, 3, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_bus__the_same_seed_gives_the_same_events),
        cmocka_unit_test(sim_bus__every_fault_fires),
        cmocka_unit_test(sim_bus__no_fault_fires_unasked),
        cmocka_unit_test(sim_bus__a_lost_append_never_lands),
        cmocka_unit_test(sim_bus__a_lied_append_lands),
        cmocka_unit_test(sim_bus__a_doubled_append_lands_twice),
        cmocka_unit_test(sim_bus__a_suffix_is_lost_until_it_is_answered),
        cmocka_unit_test(sim_bus__an_append_lands_after_its_writer_died),
        cmocka_unit_test(sim_bus__a_stall_ends),
        cmocka_unit_test(sim_bus__caught_up_may_be_old_news),
        cmocka_unit_test(sim_bus__a_log_cut_and_grown_again_may_go_unnoticed),
        cmocka_unit_test(sim_bus__a_rebalance_leaves_one_owner_each),
        cmocka_unit_test(sim_bus__a_frozen_process_does_nothing_until_thawed),
        cmocka_unit_test(sim_bus__a_frozen_member_is_replaced_and_comes_back),
        cmocka_unit_test(sim_bus__a_namesake_fences_the_frozen_one),
        cmocka_unit_test(sim_bus__a_crash_leaves_a_beginning),
        cmocka_unit_test(sim_bus__the_logs_clock_steps_alone),
        cmocka_unit_test_setup_teardown(sim_bus__a_failed_suffix_is_answered, open_stage,
                                        close_stage),
        cmocka_unit_test_setup_teardown(sim_bus__a_late_append_lands_behind_a_newer_claim,
                                        open_stage, close_stage),
        cmocka_unit_test_setup_teardown(sim_bus__doubled_appends_are_answered_once, open_stage,
                                        close_stage),
        cmocka_unit_test_setup_teardown(sim_bus__a_cut_log_is_lost_to_those_ahead, open_stage,
                                        close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
