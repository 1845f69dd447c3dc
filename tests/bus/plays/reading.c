/* Following: from any offset, on and on, over again, and no more. */
#include "tests/bus/plays/plays.h"

#include "base/memory.h"
#include "base/prng.h"
#include "tests/support/trouble.h"

#include <string.h>

static void reading_starts_at_any_offset(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_say_lines(writer, ACTS, 0, 0, 50);
    UNTIL(stage, writer->appended_count == 50);
    for (int offset = 0; offset <= 50; offset += 10) {
        struct role *reader = role_enter(stage, "reader");
        role_follow(reader, ACTS, 0, offset);
        UNTIL(stage, reader->caught_up[ACTS][0] == 50);
        assert_int_equal(reader->record_count, 50 - offset);
        role_close(reader);
    }
}

static void following_goes_on_while_others_append(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_follow(reader, ACTS, 0, 0);
    for (int i = 0; i < 40; i++) {
        role_say_lines(writer, ACTS, 0, i * 10, 10);
        UNTIL(stage, reader->record_count >= i * 10 - 20);
    }
    UNTIL(stage, reader->record_count == 400);
    assert_lines(reader, ACTS, 0, 0, 400);
}

static void following_again_starts_over(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_say_lines(writer, ACTS, 0, 0, 200);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->record_count > 0);
    for (int i = 0; i < 20; i++) {
        role_follow(reader, ACTS, 0, i); /* what was fetched before must not come now */
        int heard = reader->record_count;
        UNTIL(stage, reader->record_count > heard);
    }
    UNTIL(stage, reader->next[ACTS][0] == 200);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->caught_up[ACTS][0] == 200);
}

static void unfollowing_takes_effect_at_once(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_unfollow(reader, ACTS, 3); /* never followed: nothing happens */
    role_say_lines(writer, ACTS, 0, 0, 500);
    role_say_lines(writer, ACTS, 1, 0, 500);
    UNTIL(stage, writer->appended_count == 1000);
    role_follow(reader, ACTS, 0, 0);
    role_follow(reader, ACTS, 1, 0);
    UNTIL(stage, reader->record_count > 0);
    role_unfollow(reader, ACTS, 0); /* the journal fails on anything more of it */
    role_say_lines(writer, ACTS, 0, 500, 10);
    UNTIL(stage, reader->next[ACTS][1] == 500);
    stage_listen(stage, 100);
    role_follow(reader, ACTS, 0, 505);
    UNTIL(stage, reader->next[ACTS][0] == 510);
}

static void caught_up_comes_for_an_empty_partition(struct stage *stage)
{
    struct role *reader = role_enter(stage, "reader");
    for (int p = 0; p < STAGE_PARTITIONS; p++)
        role_follow(reader, SCENES, p, 0);
    UNTIL(stage, reader->caught_up[SCENES][0] == 0 && reader->caught_up[SCENES][1] == 0 &&
                     reader->caught_up[SCENES][2] == 0 && reader->caught_up[SCENES][3] == 0);
}

static void caught_up_comes_after_each_burst(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_say_lines(writer, ACTS, 0, 0, 100);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->caught_up[ACTS][0] == 100);
    role_say_lines(writer, ACTS, 0, 100, 1);
    UNTIL(stage, reader->caught_up[ACTS][0] == 101);
    role_follow(reader, ACTS, 0, 101);
    UNTIL(stage, reader->caught_up[ACTS][0] == 101);
}

static void two_readers_see_the_same(struct stage *stage)
{
    struct role *a = role_enter(stage, "a"), *b = role_enter(stage, "b");
    role_follow(a, ACTS, 0, 0);
    for (int i = 0; i < 200; i++)
        role_say(i % 3 ? a : b, ACTS, 0, "%d", i);
    role_follow(b, ACTS, 0, 0);
    UNTIL(stage, a->record_count == 200 && b->record_count == 200);
    for (int i = 0; i < 200; i++) {
        const struct seen *one = role_record(a, ACTS, 0, i), *other = role_record(b, ACTS, 0, i);
        assert_same_text(one->event.record.value, other->event.record.value);
        assert_int_equal(one->event.record.append_ms, other->event.record.append_ms);
    }
}

static void end_agrees_with_readers(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    int64_t end = -1;
    assert_int_equal(bus_end(reader->bus, ACTS, 0, &end), BUS_OK);
    assert_int_equal(end, 0);
    for (int i = 1; i <= 5; i++) {
        role_say_lines(writer, ACTS, 0, i, 1);
        UNTIL(stage, writer->appended_count == i);
        assert_int_equal(bus_end(reader->bus, ACTS, 0, &end), BUS_OK);
        assert_int_equal(end, i);
    }
    assert_int_equal(bus_end(reader->bus, ACTS, 1, &end), BUS_OK);
    assert_int_equal(end, 0);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->caught_up[ACTS][0] == 5);
    assert_int_equal(reader->record_count, 5);
}

static void following_beyond_the_end_is_lost(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_say_lines(writer, ACTS, 0, 0, 3);
    UNTIL(stage, writer->appended_count == 3);
    role_follow(writer, ACTS, 0, 4);
    UNTIL(stage, writer->lost_count == 1);
    role_say_lines(writer, ACTS, 0, 3, 5); /* it is no longer followed: nothing of this comes */
    UNTIL(stage, writer->appended_count == 8);
    stage_listen(stage, 200);
    role_follow(writer, ACTS, 0, 3);
    UNTIL(stage, writer->record_count == 5);
    role_follow(writer, ACTS, 0, 1000);
    role_follow(writer, ACTS, 0, 7); /* before the answer: the older wish is forgotten */
    UNTIL(stage, writer->record_count == 6);
    stage_listen(stage, 200);
    assert_int_equal(writer->lost_count, 1);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The roles do anything at any time; their journals judge what comes. */
static void anything_in_any_order(struct stage *stage)
{
    struct role *roles[2] = {role_enter(stage, "a"), role_enter(stage, "b")};
    struct prng prng = {stage->seed};
    int64_t said[STAGE_PARTITIONS] = {0}, total = 0;
    for (int i = 0; i < 600; i++) {
        struct role *role = roles[prng_below(&prng, 2)];
        int p = (int)prng_below(&prng, STAGE_PARTITIONS);
        uint64_t deed = prng_below(&prng, 10);
        if (deed < 4) {
            int count = (int)prng_below(&prng, 30);
            role_say_lines(role, ACTS, p, 0, count);
            said[p] += count;
            total += count;
        } else if (deed < 6) {
            /* at most the end that everyone can know of */
            int64_t known = later(later(roles[0]->next[ACTS][p], roles[1]->next[ACTS][p]), 0);
            role_follow(role, ACTS, p, (int64_t)prng_below(&prng, (uint64_t)known + 1));
        } else if (deed < 7) {
            role_unfollow(role, ACTS, p);
        } else {
            stage_listen(stage, (int)prng_below(&prng, 5));
        }
    }
    for (int p = 0; p < STAGE_PARTITIONS; p++) {
        role_follow(roles[0], ACTS, p, 0);
        UNTIL(stage, roles[0]->next[ACTS][p] == said[p]);
    }
    UNTIL(stage, role_unanswered(roles[0]) + role_unanswered(roles[1]) == 0);
    assert_int_equal(roles[0]->appended_count + roles[1]->appended_count, total);
    assert_int_equal(roles[0]->lost_count + roles[1]->lost_count, 0);
}

static void following_below_the_start_is_lost(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_say_lines(writer, ACTS, 0, 0, 10);
    role_say_lines(writer, ACTS, 1, 0, 10);
    role_follow(writer, ACTS, 0, 0);
    UNTIL(stage, writer->appended_count == 20 && writer->caught_up[ACTS][0] == 10);
    trouble_eat(stage, ACTS, 0, 6);
    role_follow(reader, ACTS, 0, 5);
    role_follow(reader, ACTS, 1, 5);
    UNTIL(stage, reader->lost_count == 1 && reader->next[ACTS][1] == 10);
    role_follow(reader, ACTS, 0, 6);
    UNTIL(stage, reader->caught_up[ACTS][0] == 10);
    assert_true(role_heard(reader, ACTS, 0, 6, "6"));
    role_say_lines(reader, ACTS, 0, 10, 1); /* whoever is at the end goes on */
    UNTIL(stage, writer->next[ACTS][0] == 11 && reader->next[ACTS][0] == 11);
    assert_int_equal(writer->lost_count + reader->lost_count, 1);
}

static void holes_are_passed_over(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    stage->holes = true;
    role_follow(writer, ACTS, 0, 0);
    trouble_hole(stage, ACTS, 0, "0");
    trouble_hole(stage, ACTS, 0, "2");
    UNTIL(stage, writer->caught_up[ACTS][0] == 4);
    assert_int_equal(writer->record_count, 2);
    assert_true(role_heard(writer, ACTS, 0, 0, "0") && role_heard(writer, ACTS, 0, 2, "2"));
    int64_t end;
    assert_int_equal(bus_end(reader->bus, ACTS, 0, &end), BUS_OK);
    assert_int_equal(end, 4);
    for (int offset = 1; offset <= 4; offset++) {
        role_follow(reader, ACTS, 0, offset);
        UNTIL(stage, reader->caught_up[ACTS][0] == 4);
    }
    assert_int_equal(reader->record_count, 2);
    role_say(writer, ACTS, 0, "4");
    UNTIL(stage, reader->record_count == 3 && writer->record_count == 3);
    assert_true(role_heard(reader, ACTS, 0, 4, "4") && role_heard(writer, ACTS, 0, 4, "4"));
    assert_int_equal(reader->lost_count + writer->lost_count, 0);
}

/* The first record of the partition, still in the bus's memory. */
static struct bus_record first_record(struct stage *stage, struct role *reader)
{
    struct bus_event event = {.type = BUS_CAUGHT_UP};
    int64_t deadline_ms = stage_now_ms(stage) + STAGE_DEADLINE_MS;
    role_follow(reader, ACTS, 0, 0);
    while (event.type != BUS_RECORD)
        if (!bus_poll(reader->bus, 5, &event)) {
            assert_true(stage_now_ms(stage) < deadline_ms);
            if (stage->sim)
                sim_advance(stage->sim, 5);
        }
    return event.record;
}

/* Whatever else is asked of the handle meanwhile. */
static void a_record_stays_until_the_next_poll(struct stage *stage)
{
    enum { SIZE = 20000 };
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    char *letters = memory_new(SIZE);
    memset(letters, 'a', SIZE);
    struct bus_header header = {TEXT("name"), TEXT("value")};
    struct bus_record said = {
        .key = TEXT("key"), .value = {letters, SIZE}, .headers = &header, .header_count = 1};
    for (int i = 0; i < 50; i++)
        assert_int_equal(role_try(writer, ACTS, 0, &said), BUS_OK);
    UNTIL(stage, writer->appended_count == 50);
    int64_t end;
    struct bus_record heard = first_record(stage, reader);
    for (int i = 0; i < 50; i++)
        assert_int_equal(role_try(reader, ACTS, i % 2, &said), BUS_OK);
    role_follow(reader, ACTS, 1, 0);
    role_unfollow(reader, ACTS, 2);
    bus_end(reader->bus, ACTS, 0, &end);
    bus_wake(reader->bus);
    assert_same_text(heard.key, said.key);
    assert_same_text(heard.value, said.value);
    assert_int_equal(heard.header_count, 1);
    assert_same_text(heard.headers[0].name, header.name);
    assert_same_text(heard.headers[0].value, header.value);
    memory_free(letters);
}

static void the_end_is_heard_of_without_asking(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_follow(reader, ACTS, 0, 0);
    for (int i = 1; i <= 3; i++) {
        role_say_lines(writer, ACTS, 0, (i - 1) * 20, 20);
        assert_true(bus_end_heard(reader->bus, ACTS, 0) <= i * 20);
        UNTIL(stage, bus_end_heard(reader->bus, ACTS, 0) == i * 20);
    }
}

static void health_tells_how_long_the_log_takes(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    assert_int_equal(bus_health(writer->bus).answer_us, -1);
    role_say_lines(writer, ACTS, 0, 0, 20);
    UNTIL(stage, bus_health(writer->bus).answer_us > 0);
    assert_true(bus_health(writer->bus).answer_us < 5 * 1000 * 1000);
}

const struct play reading_plays[] = {
    PLAY(reading_starts_at_any_offset, ANYWHERE),
    PLAY(following_goes_on_while_others_append, ANYWHERE | THREADS),
    PLAY(following_again_starts_over, ANYWHERE | THREADS),
    PLAY(unfollowing_takes_effect_at_once, ANYWHERE | THREADS),
    PLAY(caught_up_comes_for_an_empty_partition, ANYWHERE),
    PLAY(caught_up_comes_after_each_burst, ANYWHERE),
    PLAY(two_readers_see_the_same, ANYWHERE),
    PLAY(end_agrees_with_readers, ANYWHERE),
    PLAY(the_end_is_heard_of_without_asking, ANYWHERE),
    PLAY(health_tells_how_long_the_log_takes, REAL),
    PLAY(following_beyond_the_end_is_lost, ANYWHERE),
    PLAY(following_below_the_start_is_lost, ANYWHERE),
    PLAY(holes_are_passed_over, ON_SIM | ON_KAFKA),
    PLAY(a_record_stays_until_the_next_poll, ANYWHERE | THREADS),
    PLAY(anything_in_any_order, ANYWHERE),
    {0},
};
