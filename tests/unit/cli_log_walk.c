/* The ends of a walk hold all that was read by whoever wrote what is before them, on a log that
 * grows meanwhile. */
#include "bus/backend.h"
#include "cli/log_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* A log of one partition that has grown since it was first asked where it ends. */
struct growing {
    struct bus bus;
    int64_t first_end[TOPIC_COUNT], end[TOPIC_COUNT];
    bool asked[TOPIC_COUNT], followed[TOPIC_COUNT];
    int64_t next[TOPIC_COUNT];
    const char *positions[TOPIC_COUNT]; /* of the record before the first end */
    int64_t hole;                       /* of shows.commands; -1: none */
    struct bus_header header;
};

static enum bus_result end(struct bus *bus, int topic, int partition, int64_t *offset)
{
    struct growing *log = (struct growing *)bus;
    (void)partition;
    *offset = log->asked[topic] ? log->end[topic] : log->first_end[topic];
    log->asked[topic] = true;
    return BUS_OK;
}

static void follow(struct bus *bus, int topic, int partition, int64_t offset)
{
    struct growing *log = (struct growing *)bus;
    (void)partition;
    log->followed[topic] = true;
    log->next[topic] = offset;
}

static void unfollow(struct bus *bus, int topic, int partition)
{
    (void)partition;
    ((struct growing *)bus)->followed[topic] = false;
}

static bool poll_log(struct bus *bus, int timeout_ms, struct bus_event *event)
{
    struct growing *log = (struct growing *)bus;
    (void)timeout_ms;
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        if (!log->followed[topic] || log->next[topic] >= log->end[topic])
            continue;
        log->next[topic] += topic == TOPIC_SHOWS_COMMANDS && log->next[topic] == log->hole;
        *event = (struct bus_event){.type = BUS_RECORD, .topic = topic};
        event->offset = log->next[topic]++;
        if (log->positions[topic] && event->offset == log->first_end[topic] - 1) {
            log->header = (struct bus_header){TEXT("sd_positions"), text_of(log->positions[topic])};
            event->record.headers = &log->header;
            event->record.header_count = 1;
        }
        return true;
    }
    fail_msg("the walk waits for what does not come");
    return false;
}

static const struct bus_backend backend = {
    .name = "growing", .end = end, .follow = follow, .unfollow = unfollow, .poll = poll_log};

static struct growing fresh(void)
{
    struct growing log = {.bus = {&backend, TOPIC_COUNT, 1, false}, .hole = -1};
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        log.first_end[topic] = 3;
        log.end[topic] = 9;
    }
    return log;
}

static const struct command command = {.name = "export", .operands = ""};

static void walks_to(struct growing *log, const int64_t expected[TOPIC_COUNT])
{
    static struct log_sum sum;
    assert_int_equal(log_walk(&command, &log->bus, 1, NULL, &sum), END_OK);
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        assert_int_equal(sum.ends[topic][0], expected[topic]);
        assert_false(log->followed[topic]);
    }
}

static void log_walk__stops_where_the_log_ended(void **state)
{
    struct growing log = fresh();
    (void)state;
    log.positions[TOPIC_SHOWS_EVENTS] = "3;3;3";
    walks_to(&log, (const int64_t[]){3, 3, 3, 3, 3, 3});
    log = fresh();
    log.first_end[TOPIC_SHOWS_EVENTS] = 0;
    walks_to(&log, (const int64_t[]){3, 0, 3, 3, 3, 3});
}

static void log_walk__ends_hold_what_was_read(void **state)
{
    struct growing log = fresh();
    (void)state;
    log.positions[TOPIC_SHOWS_EVENTS] = "5;4-00000000000000aa.7;0";
    walks_to(&log, (const int64_t[]){3, 3, 3, 3, 3, 3}); /* no stamp without a claim */
    log = fresh();
    log.positions[TOPIC_SHOWS_EVENTS] = "5;4@1-00000000000000aa.7;0";
    log.positions[TOPIC_CHECKOUT_EVENTS] = "0;6";
    walks_to(&log, (const int64_t[]){5, 6, 3, 4, 3, 3});
}

static void log_walk__no_end_is_set_behind_the_logs_own(void **state)
{
    struct growing log = fresh();
    (void)state;
    log.positions[TOPIC_SHOWS_EVENTS] = "1000000;0;0";
    log.positions[TOPIC_RESERVATIONS_EVENTS] = "nonsense";
    walks_to(&log, (const int64_t[]){9, 3, 3, 3, 3, 3});
}

static void log_walk__a_hole_is_told(void **state)
{
    static struct log_sum sum;
    struct growing log = fresh();
    (void)state;
    log.hole = 1;
    assert_int_equal(log_walk(&command, &log.bus, 1, NULL, &sum), END_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_walk__stops_where_the_log_ended),
        cmocka_unit_test(log_walk__ends_hold_what_was_read),
        cmocka_unit_test(log_walk__no_end_is_set_behind_the_logs_own),
        cmocka_unit_test(log_walk__a_hole_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
