/* What a reader of the log tells of itself, on the simulated one. */
#include "bus/following.h"

#include "base/memory.h"
#include "bus/telling.h"
#include "tests/support/core_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { STEP_MS = 10 };

struct desk {
    struct play_log *log;
    struct bus *bus;
    struct follower *follower;
    struct following following;
    struct arena arena;
    struct follower_item item;
};

/* Follows what shows says, from the start. */
static struct desk *opened(void)
{
    static const int topics[] = {TOPIC_SHOWS_COMMANDS, TOPIC_SHOWS_EVENTS};
    struct desk *desk = memory_new(sizeof *desk);
    desk->log = play_log_open(1);
    for (int i = 0; i < 1234; i++) /* of a command topic every record counts */
        play_say(desk->log, 0, "OpenSale");
    desk->bus = play_log_enter(desk->log, "reader");
    desk->follower = follower_new(desk->bus, &desk->log->installation, topics, 2, NULL);
    atomic_store(&desk->following.bus, desk->bus);
    return desk;
}

static void close_desk(struct desk *desk)
{
    follower_free(desk->follower);
    bus_close(desk->bus);
    play_log_close(desk->log);
    arena_release(&desk->arena);
    memory_free(desk);
}

static int64_t now_ms(const struct desk *desk)
{
    return sim_now_ms(desk->log->sim);
}

static void pass(struct desk *desk, int64_t by_ms)
{
    struct bus_event event;
    for (int64_t passed = 0; passed < by_ms; passed += STEP_MS) {
        sim_advance(desk->log->sim, STEP_MS);
        while (bus_poll(desk->bus, 0, &event)) {
            following_hear(&desk->following, &event,
                           follower_read(desk->follower, &event, &desk->arena, &desk->item));
            arena_reset(&desk->arena);
        }
        following_look(&desk->following, desk->follower, now_ms(desk), sim_log_ms(desk->log->sim));
        while (bus_poll(desk->log->door, 0, &event))
            ;
    }
}

static void hold_back(struct desk *desk)
{
    play_fault(desk->log, (struct sim_faults){.partition_starved = 1000, .starved_ms = 600 * 1000});
}

static void expect_status(const struct desk *desk, const char *words)
{
    struct readiness readiness = {.count = 0};
    struct buffer out = {0};
    following_readiness(&desk->following, now_ms(desk), &readiness);
    readiness_put_line(&readiness, &out);
    if (strncmp(out.size ? out.data : "", words, strlen(words)) != 0 || (!words[0] && out.size))
        fail_msg("'%s' is told, not '%s'", out.size ? out.data : "", words);
    buffer_release(&out);
}

static void expect_line(const struct desk *desk, const char *line)
{
    struct buffer out = {0}, wanted = {0};
    following_metrics(&desk->following, &out);
    buffer_print(&wanted, "\n%s\n", line);
    if (strstr(out.data, wanted.data) == NULL)
        fail_msg("'%s' is not told in:\n%s", line, out.data);
    buffer_release(&out);
    buffer_release(&wanted);
}

static void following__nothing_is_known_without_a_bus(void **state)
{
    struct following following = {.down = false};
    struct readiness readiness = {.count = 0};
    struct buffer out = {0};
    (void)state;
    following_readiness(&following, 5, &readiness);
    readiness_put_line(&readiness, &out);
    assert_string_equal(out.data, "no bus: the log does not answer; is it running?");
    buffer_release(&out);
}

static void following__recovering_so_many_of_so_many(void **state)
{
    struct desk *desk = opened();
    (void)state;
    hold_back(desk);
    pass(desk, 2 * FOLLOWING_EVERY_MS);
    expect_status(desk, "recovering 0 of 1 236"); /* and an installation record in two partitions */
    expect_line(desk, "stagedoor_recovery_records 1236");
    play_heal(desk->log);
    pass(desk, 700 * 1000);
    expect_status(desk, "");
    expect_line(desk, "stagedoor_events_read_total 1234");
    expect_line(desk, "stagedoor_recovery_records 0");
    close_desk(desk);
}

/* After an hour without news one record is not an hour late. */
static void following__behind_by_so_many_for_so_long(void **state)
{
    struct desk *desk = opened();
    (void)state;
    pass(desk, 5000);
    sim_advance(desk->log->sim, 3600 * 1000);
    pass(desk, 1000);
    hold_back(desk);
    play_say(desk->log, 0, "OpenSale");
    pass(desk, 3000);
    expect_line(desk, "stagedoor_view_lag_records 1");
    expect_status(desk, "");
    pass(desk, 40 * 1000);
    expect_status(desk, "behind by 1 records, the oldest of them waits for 4");
    play_heal(desk->log);
    pass(desk, 700 * 1000);
    expect_line(desk, "stagedoor_view_lag_records 0");
    expect_line(desk, "stagedoor_view_lag_seconds 0");
    expect_status(desk, "");
    close_desk(desk);
}

static void following__a_log_out_of_reach(void **state)
{
    struct desk *desk = opened();
    (void)state;
    pass(desk, 5000);
    sim_outage(desk->log->sim, true);
    pass(desk, 2000);
    expect_status(desk, "no bus: ");
    expect_line(desk, "stagedoor_bus_up 0");
    sim_outage(desk->log->sim, false);
    pass(desk, 2000);
    expect_status(desk, "");
    expect_line(desk, "stagedoor_bus_reconnects_total 1");
    close_desk(desk);
}

static void following__voids_and_loops_that_stand_still(void **state)
{
    struct desk *desk = opened();
    (void)state;
    play_raw(desk->log, TOPIC_SHOWS_EVENTS, 1, "stagedoor.shows.SaleOpened", "1-0123456789abcdef.1",
             "{}");
    pass(desk, 5000);
    expect_line(desk, "stagedoor_void_records_total 1");
    sim_advance(desk->log->sim, TELLING_STILL_MAX_MS + 2000);
    expect_status(desk, "the loop has not turned for 12 s");
    close_desk(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(following__nothing_is_known_without_a_bus),
        cmocka_unit_test(following__recovering_so_many_of_so_many),
        cmocka_unit_test(following__behind_by_so_many_for_so_long),
        cmocka_unit_test(following__a_log_out_of_reach),
        cmocka_unit_test(following__voids_and_loops_that_stand_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
