/* What bus.h promises while the log is out of reach, and afterwards. */
#include "tests/bus/plays/plays.h"

#include "base/clock.h"
#include "tests/support/trouble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEFORE = 200, DURING = 20, APPEND_TIMEOUT_MS = 1500, OUTAGE_MS = 60000 };

/* The writer's BEFORE lines were acknowledged, the DURING lines behind them failed. Once more it
 * may append, everybody reads all of it, and of what failed each line is there once or never. */
static void assert_failed_lines(struct stage *stage, struct role *writer, struct role *reader)
{
    assert_int_equal(writer->failed_count, DURING);
    role_say(writer, ACTS, 0, "%d", BEFORE + DURING);
    UNTIL_WITHIN(stage, OUTAGE_MS, role_unanswered(writer) == 0);
    assert_int_equal(writer->appended_count, BEFORE + 1);
    struct role *late = role_enter(stage, "late");
    role_follow(late, ACTS, 0, 0);
    UNTIL_WITHIN(stage, OUTAGE_MS, late->caught_up[ACTS][0] >= 0);
    stage_listen(stage, 300);
    int times[BEFORE + DURING + 1] = {0};
    UNTIL(stage, reader->record_count >= late->record_count);
    for (int i = 0; i < late->record_count; i++) {
        struct text value = role_record(late, ACTS, 0, i)->event.record.value;
        assert_same_text(role_record(reader, ACTS, 0, i)->event.record.value, value);
        char line[16] = "";
        memcpy(line, value.data, value.size);
        times[atoi(line)]++;
    }
    for (int i = 0; i <= BEFORE + DURING; i++)
        if (times[i] > 1 || (times[i] == 0 && (i < BEFORE || i == BEFORE + DURING)))
            fail_msg("line %d was said once and heard %d times", i, times[i]);
}

static struct role *enter_and_say_lines(struct stage *stage, struct role **reader)
{
    stage->append_timeout_ms = APPEND_TIMEOUT_MS;
    struct role *writer = role_enter(stage, "writer");
    *reader = role_enter(stage, "reader");
    role_follow(*reader, ACTS, 0, 0);
    role_say_lines(writer, ACTS, 0, 0, BEFORE);
    UNTIL(stage, writer->appended_count == BEFORE && (*reader)->record_count == BEFORE);
    return writer;
}

/* On Kafka this is kill -9 and a new start, so BEFORE lines outlive it. */
static void an_outage_is_told_and_passes(struct stage *stage)
{
    struct role *reader, *writer = enter_and_say_lines(stage, &reader);
    trouble_outage(stage, true);
    role_say_lines(writer, ACTS, 0, BEFORE, DURING);
    UNTIL(stage, writer->down && role_unanswered(writer) == 0);
    assert_false(stage->backend->kind != ON_SQLITE && !reader->down);
    trouble_outage(stage, false);
    UNTIL_WITHIN(stage, OUTAGE_MS, !writer->down && !reader->down);
    assert_failed_lines(stage, writer, reader);
}

static void what_was_not_answered_in_time_has_failed(struct stage *stage)
{
    struct role *reader, *writer = enter_and_say_lines(stage, &reader);
    trouble_silence(stage, true);
    int64_t before_ms = stage_now_ms(stage);
    role_say_lines(writer, ACTS, 0, BEFORE, DURING);
    UNTIL(stage, role_unanswered(writer) == 0);
    assert_in_range(stage_now_ms(stage) - before_ms, APPEND_TIMEOUT_MS - 100,
                    APPEND_TIMEOUT_MS * 4);
    trouble_silence(stage, false);
    assert_failed_lines(stage, writer, reader);
}

/* Milliseconds since `*since_ms`, which becomes now. */
static int lap(int64_t *since_ms)
{
    int64_t now_ms = clock_monotonic_ms(), took_ms = now_ms - *since_ms;
    *since_ms = now_ms;
    return (int)took_ms;
}

/* A log that answers nothing and refuses nothing. SQLite can still be read. */
static void nothing_hangs_while_the_log_is_silent(struct stage *stage)
{
    bool readable = stage->backend->kind == ON_SQLITE;
    struct role *role = role_enter(stage, "role");
    assert_int_equal(bus_join(role->bus, stage->prefix, both_topics, STAGE_TOPICS), BUS_OK);
    UNTIL(stage, role_owned(role) == ALL);
    trouble_silence(stage, true);
    role_say(role, ACTS, 0, "in flight");
    int64_t end, since_ms = clock_monotonic_ms();
    assert_int_equal(bus_end(role->bus, ACTS, 0, &end), readable ? BUS_OK : BUS_UNREACHABLE);
    int end_ms = lap(&since_ms);
    role_follow(role, ACTS, 0, 0);
    role_follow(role, ACTS, 0, 0);
    role_unfollow(role, ACTS, 0);
    int follow_ms = lap(&since_ms);
    bus_leave(role->bus);
    int leave_ms = lap(&since_ms);
    role_close(role);
    int close_ms = lap(&since_ms);
    print_message("             end %d ms, follow %d ms, leave %d ms, close %d ms\n", end_ms,
                  follow_ms, leave_ms, close_ms);
    assert_true(end_ms < 1500 && follow_ms < 100 && leave_ms < 3500 && close_ms < 2500);
}

const struct play trouble_plays[] = {
    PLAY(an_outage_is_told_and_passes, ANYWHERE | BREAKS),
    PLAY(what_was_not_answered_in_time_has_failed, ANYWHERE | BREAKS),
    PLAY(nothing_hangs_while_the_log_is_silent, ANYWHERE | BREAKS),
    {0},
};
