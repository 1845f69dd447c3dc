/* How long bus_poll waits. Only where there is a clock. */
#include "tests/bus/plays/plays.h"

#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void settle(struct role *role)
{
    struct bus_event event;
    while (bus_poll(role->bus, 200, &event))
        ;
}

static void polling_waits_no_longer_than_asked(struct stage *stage)
{
    struct role *role = role_enter(stage, "role");
    struct bus_event event;
    settle(role);
    int64_t before_ms = clock_monotonic_ms();
    assert_false(bus_poll(role->bus, 0, &event));
    assert_in_range(clock_monotonic_ms() - before_ms, 0, 100);
    before_ms = clock_monotonic_ms();
    assert_false(bus_poll(role->bus, 400, &event));
    assert_in_range(clock_monotonic_ms() - before_ms, 350, 1000);
}

struct waker {
    struct bus *bus;
    int delay_ms;
};

static void *wake(void *argument)
{
    struct waker *waker = argument;
    usleep((useconds_t)waker->delay_ms * 1000); /* so that the poll is in progress, or not yet */
    bus_wake(waker->bus);
    return NULL;
}

static void waking_makes_polling_return(struct stage *stage)
{
    struct role *role = role_enter(stage, "role");
    struct bus_event event;
    settle(role);
    for (int i = 0; i < 10; i++) {
        struct waker waker = {role->bus, i % 2 ? 30 : 0};
        pthread_t thread;
        int64_t before_ms = clock_monotonic_ms();
        assert_int_equal(pthread_create(&thread, NULL, wake, &waker), 0);
        assert_false(bus_poll(role->bus, 10000, &event));
        pthread_join(thread, NULL);
        assert_in_range(clock_monotonic_ms() - before_ms, 0, 2000);
    }
    bus_wake(role->bus); /* nobody polls: the next one returns */
    int64_t before_ms = clock_monotonic_ms();
    assert_false(bus_poll(role->bus, 10000, &event));
    assert_in_range(clock_monotonic_ms() - before_ms, 0, 1000);
    before_ms = clock_monotonic_ms();
    assert_false(bus_poll(role->bus, 300, &event)); /* and only that one */
    assert_in_range(clock_monotonic_ms() - before_ms, 250, 1000);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* From another process's append to our poll's return; both read the same monotonic clock. */
static void an_append_elsewhere_wakes_the_reader(struct stage *stage)
{
    enum { ROUNDS = 40 };
    int64_t took_us[ROUNDS];
    struct player *writer = player_enter(stage, "writer");
    UNTIL(stage, writer->ready);
    struct role *reader = role_enter(stage, "reader");
    settle(reader);
    bus_follow(reader->bus, ACTS, 0, 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct bus_event event = {.type = BUS_CAUGHT_UP};
        player_say_time(writer, ACTS, 0);
        while (event.type != BUS_RECORD) {
            int64_t before_ms = clock_monotonic_ms();
            if (!bus_poll(reader->bus, 10000, &event))
                fail_msg("nothing came in %lld ms", (long long)(clock_monotonic_ms() - before_ms));
        }
        char text[32] = "";
        memcpy(text, event.record.value.data, event.record.value.size);
        took_us[i] = clock_monotonic_us() - atoll(text);
    }
    qsort(took_us, ROUNDS, sizeof took_us[0], by_value);
    print_message("             append to another process's poll: p50 %lld us, slowest %lld us\n",
                  (long long)took_us[ROUNDS / 2], (long long)took_us[ROUNDS - 1]);
    assert_in_range(took_us[ROUNDS / 2], 0, 100000);
    assert_in_range(took_us[ROUNDS - 2], 0, 1000000); /* one slow round is the machine's */
}

/* How long it takes until an event of that kind comes, asked in one long poll after the other. */
static int64_t wait_for(struct role *role, enum bus_event_type type)
{
    struct bus_event event = {.type = BUS_CAUGHT_UP};
    int64_t before_ms = clock_monotonic_ms();
    while (event.type != type)
        if (!bus_poll(role->bus, 10000, &event))
            fail_msg("an event of type %d does not end the wait", (int)type);
    return clock_monotonic_ms() - before_ms;
}

static void answers_and_assignments_end_the_wait(struct stage *stage)
{
    struct role *role = role_enter(stage, "role");
    settle(role);
    for (int i = 0; i < 5; i++) {
        role_say(role, ACTS, 0, "%d", i);
        assert_in_range(wait_for(role, BUS_APPENDED), 0, 2000);
    }
    assert_int_equal(bus_join(role->bus, stage->prefix, both_topics, STAGE_TOPICS), BUS_OK);
    assert_in_range(wait_for(role, BUS_SETTLED), 0, 6000);
}

static struct bus *woken_by_signal;

static void wake_in_handler(int number)
{
    (void)number;
    bus_wake(woken_by_signal);
}

static void *raise_soon(void *thread)
{
    usleep(30000); /* so that the poll is in progress */
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

static void a_signal_handler_may_wake(struct stage *stage)
{
    struct role *role = role_enter(stage, "role");
    struct bus_event event;
    pthread_t own = pthread_self(), other;
    settle(role);
    woken_by_signal = role->bus;
    struct sigaction action = {.sa_handler = wake_in_handler}, before;
    sigaction(SIGUSR1, &action, &before);
    assert_int_equal(pthread_create(&other, NULL, raise_soon, &own), 0);
    int64_t before_ms = clock_monotonic_ms();
    assert_false(bus_poll(role->bus, 10000, &event));
    assert_in_range(clock_monotonic_ms() - before_ms, 0, 2000);
    pthread_join(other, NULL);
    sigaction(SIGUSR1, &before, NULL);
}

const struct play waiting_plays[] = {
    PLAY(polling_waits_no_longer_than_asked, REAL),
    PLAY(waking_makes_polling_return, REAL | THREADS),
    PLAY(answers_and_assignments_end_the_wait, REAL | THREADS),
    PLAY(a_signal_handler_may_wake, REAL | THREADS),
    PLAY(an_append_elsewhere_wakes_the_reader, REAL),
    {0},
};
