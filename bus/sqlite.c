/* The embedded bus: one SQLite database in WAL mode is the log, for all processes of one machine.
 *
 * Where to read first: sqlite.h has the two threads and what lies between them; sqlite_store.c the
 * tables; sqlite_append.c group commit; sqlite_read.c delivery; sqlite_group.c membership. Here is
 * how a handle begins, how it waits and how it ends. */
#include "bus/sqlite.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/uuid.h"

#include <string.h>

static struct sqlite_bus *of(struct bus *bus)
{
    return memory_owner(bus, struct sqlite_bus, bus);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static bool deliver(struct sqlite_bus *handle, int64_t now_ms, struct bus_event *event)
{
    if (sqlite_answer(handle, now_ms, event) || sqlite_state_event(handle, event) ||
        sqlite_reader_deliver(handle, event))
        return true;
    return sqlite_reader_look(handle, now_ms) && sqlite_reader_deliver(handle, event);
}

/* How long to sleep: until the caller's deadline, the next tick, or an append is too late. */
static int sleep_ms(const struct sqlite_bus *handle, bool ticking, int64_t now_ms,
                    int64_t deadline_ms)
{
    int64_t until_ms = sqlite_answer_deadline_ms(handle);
    if (deadline_ms < until_ms)
        until_ms = deadline_ms;
    if (ticking && handle->tick_at_ms < until_ms)
        until_ms = handle->tick_at_ms;
    if (until_ms == INT64_MAX)
        return -1;
    int64_t left_ms = until_ms - now_ms;
    return left_ms < 0 ? 0 : left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

static bool poll_bus(struct bus *bus, int timeout_ms, struct bus_event *event)
{
    struct sqlite_bus *handle = of(bus);
    int64_t now_ms = clock_monotonic_ms();
    int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : now_ms + timeout_ms;
    for (bool slept = false;; slept = true) {
        if (atomic_load(&handle->woken) && atomic_exchange(&handle->woken, false))
            return false;
        if (deliver(handle, now_ms, event))
            return true;
        if (slept && now_ms >= deadline_ms)
            return false;
        bool ticking =
            handle->reader.following_count > 0 || atomic_load(&handle->group.generation_known) >= 0;
        if (sqlite_wake_wait(handle, sleep_ms(handle, ticking, now_ms, deadline_ms)))
            sqlite_reader_news(handle);
        now_ms = clock_monotonic_ms();
        if (ticking && now_ms >= handle->tick_at_ms) {
            handle->tick_at_ms = now_ms + SQLITE_TICK_MS;
            sqlite_reader_tick(handle, now_ms);
        }
    }
}

static void wake(struct bus *bus)
{
    atomic_store(&of(bus)->woken, true);
    sqlite_news_signal(of(bus));
}

/* ---- the rest of the table ------------------------------------------------------------------- */

static enum bus_result topics(struct bus *bus, struct bus_topic_spec *specs, int count,
                              struct bus_error *error)
{
    struct sqlite_bus *handle = of(bus);
    enum bus_result result = sqlite_topics(handle, specs, count, error);
    if (result != BUS_OK)
        return result;
    sqlite_reader_start(handle);
    sqlite_group_start(handle);
    sqlite_appender_start(handle);
    return BUS_OK;
}

static enum bus_result append(struct bus *bus, int topic, int partition,
                              const struct bus_record *record, uint64_t tag)
{
    return sqlite_append(of(bus), topic, partition, record, tag);
}

static void follow(struct bus *bus, int topic, int partition, int64_t offset)
{
    sqlite_follow(of(bus), topic, partition, offset);
}

static void unfollow(struct bus *bus, int topic, int partition)
{
    sqlite_unfollow(of(bus), topic, partition);
}

/* All topics have one count, so which of them the group reads changes nothing here. */
static enum bus_result join(struct bus *bus, const char *group, const int *joined, int count)
{
    (void)joined, (void)count;
    return sqlite_join(of(bus), group);
}

static void leave(struct bus *bus)
{
    sqlite_leave(of(bus));
}

static enum bus_result end(struct bus *bus, int topic, int partition, int64_t *offset)
{
    return sqlite_end(of(bus), topic, partition, offset);
}

static int64_t end_heard(struct bus *bus, int topic, int partition)
{
    return sqlite_end_at_once(of(bus), topic, partition);
}

static struct bus_health health(const struct bus *bus)
{
    const struct sqlite_bus *handle = memory_owner(bus, const struct sqlite_bus, bus);
    return (struct bus_health){atomic_load(&handle->appender.commit_us)};
}

static void release(struct sqlite_bus *handle)
{
    sqlite_appender_release(handle);
    sqlite_reader_release(handle);
    sqlite_group_release(handle);
    sqlite_store_close(handle);
    sqlite_wake_close(handle);
    memory_free(handle->topics);
    memory_free(handle->path);
    memory_free(handle->prefix);
    memory_free(handle->client);
    memory_free(handle->instance);
    memory_free(handle);
}

static void close_bus(struct bus *bus)
{
    /* An appender that hangs in the kernel goes on using the handle: leave it all to the exit. */
    if (sqlite_appender_stop(of(bus)))
        release(of(bus));
}

static const struct bus_backend backend = {
    .name = "sqlite",
    .topics = topics,
    .append = append,
    .follow = follow,
    .unfollow = unfollow,
    .join = join,
    .leave = leave,
    .end = end,
    .end_heard = end_heard,
    .health = health,
    .examine = sqlite_examine,
    .poll = poll_bus,
    .wake = wake,
    .close = close_bus,
};

enum bus_result sqlite_bus_open(struct bus **bus, const char *path,
                                const struct bus_options *options, struct bus_error *error)
{
    char random[UUID_SIZE];
    struct sqlite_bus *handle = memory_new(sizeof *handle);
    handle->bus.backend = &backend;
    handle->path = sqlite_copy(path);
    handle->prefix = sqlite_copy(options->topic_prefix ? options->topic_prefix : "");
    handle->client = sqlite_copy(options->client ? options->client : "");
    handle->instance = sqlite_copy(options->instance ? options->instance : uuid_random(random));
    handle->session_timeout_ms = options->session_timeout_ms ? options->session_timeout_ms : 6000;
    handle->in_flight_max = options->in_flight_max ? options->in_flight_max : BUS_IN_FLIGHT_DEFAULT;
    handle->append_timeout_ms = options->append_timeout_ms ? options->append_timeout_ms : 30000;
    handle->wake_fd = handle->watch_fd = handle->news_fd = -1;
    atomic_init(&handle->appender.cut_ms, INT64_MAX);
    atomic_init(&handle->appender.commit_us, -1);
    atomic_init(&handle->group.generation_known, -1);
    handle->reading.cut_ms = handle->writing.cut_ms = &handle->appender.cut_ms;
    enum bus_result result = sqlite_store_open(handle, error);
    if (result != BUS_OK) {
        release(handle);
        return result;
    }
    *bus = &handle->bus;
    return BUS_OK;
}
