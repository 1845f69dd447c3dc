/* The kafka backend: opening, the poll that sleeps on one descriptor, closing.
 *
 * The rest, one idea per file: kafka_handle.c (what all handles share), kafka_topics.c and
 * kafka_check.c (bus_topics), kafka_produce.c, kafka_consume.c, kafka_group.c, kafka_link.c.
 *
 * bus_poll asks the queues in turn without waiting, and only when all are empty sleeps on the
 * eventfd. Every queue writes to it when it becomes non-empty. Reading the eventfd comes before
 * asking the queues again, so nothing that arrives in between is slept over. */
#include "bus/kafka.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void kafka_note(struct kafka_bus *kafka, enum bus_event_type type, int topic, int partition,
                int64_t offset, const char *reason)
{
    if (kafka->note_first == kafka->note_count)
        kafka->note_first = kafka->note_count = 0;
    if (kafka->note_count == kafka->note_capacity) {
        kafka->note_capacity = kafka->note_capacity ? 2 * kafka->note_capacity : 16;
        kafka->notes =
            memory_grow(kafka->notes, (size_t)kafka->note_capacity * sizeof(*kafka->notes));
    }
    struct kafka_note *note = &kafka->notes[kafka->note_count++];
    *note =
        (struct kafka_note){.type = type, .topic = topic, .partition = partition, .offset = offset};
    snprintf(note->reason, sizeof note->reason, "%s", reason ? reason : "");
}

static bool kafka_notes_turn(struct kafka_bus *kafka, struct bus_event *event)
{
    if (kafka->note_first == kafka->note_count)
        return false;
    kafka->told = kafka->notes[kafka->note_first++];
    *event = (struct bus_event){.type = kafka->told.type,
                                .topic = kafka->told.topic,
                                .partition = kafka->told.partition,
                                .offset = kafka->told.offset,
                                .reason = kafka->told.reason};
    return true;
}

/* The queues that are mostly empty. What they hold becomes notes. */
static bool kafka_small_turn(struct kafka_bus *kafka)
{
    bool moved = kafka_errors_turn(kafka, kafka->consumer_queue);
    moved |= kafka_group_turn(kafka);
    moved |= kafka_link_turn(kafka);
    return moved;
}

/* One event if there is one. Records and delivery reports take turns at being first, so that
 * neither can starve the other. */
static bool kafka_take(struct kafka_bus *kafka, struct bus_event *event)
{
    unsigned turn = kafka->turn++;
    if (turn % KAFKA_SMALL_TURNS == 0)
        kafka_small_turn(kafka);
    do {
        if (kafka_notes_turn(kafka, event))
            return true;
        if (turn % 2 ? kafka_reports_turn(kafka, event) || kafka_records_turn(kafka, event)
                     : kafka_records_turn(kafka, event) || kafka_reports_turn(kafka, event))
            return true;
    } while (kafka_small_turn(kafka) || kafka->note_first < kafka->note_count);
    return false;
}

static void kafka_sleep(struct kafka_bus *kafka, int64_t until_ms)
{
    int64_t due_ms = kafka_link_due_ms(kafka), now_ms = clock_monotonic_ms();
    int64_t wait_ms = (due_ms < until_ms ? due_ms : until_ms) - now_ms;
    struct pollfd wait = {.fd = kafka->wake_fd, .events = POLLIN};
    if (poll(&wait, 1, wait_ms < 0 ? 0 : wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms) <= 0)
        return;
    uint64_t count;
    ssize_t got = read(kafka->wake_fd, &count, sizeof count);
    assert(got == sizeof count || errno == EAGAIN || errno == EINTR);
}

static bool kafka_poll(struct bus *bus, int timeout_ms, struct bus_event *event)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    int64_t until_ms = 0;
    kafka_lent_release(kafka);
    for (;;) {
        if (atomic_exchange(&kafka->woken, false))
            return false;
        if (kafka_take(kafka, event))
            return true;
        if (timeout_ms <= 0)
            return false;
        int64_t now_ms = clock_monotonic_ms();
        if (until_ms == 0)
            until_ms = now_ms + timeout_ms;
        if (now_ms >= until_ms)
            return false;
        kafka_sleep(kafka, until_ms);
    }
}

static void kafka_wake(struct bus *bus)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    int saved = errno;
    atomic_store(&kafka->woken, true);
    ssize_t put = write(kafka->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)put; /* full: then it is readable, which is all we want */
    errno = saved;
}

static void kafka_free(struct kafka_bus *kafka)
{
    kafka_names_free(kafka);
    memory_free(kafka->follows);
    memory_free(kafka->owned);
    memory_free(kafka->notes);
    memory_free(kafka->address);
    memory_free(kafka->client);
    memory_free(kafka->instance);
    memory_free(kafka->prefix);
    memory_free(kafka->group_name);
    kafka_joined_free(kafka);
    if (kafka->wake_fd >= 0)
        close(kafka->wake_fd);
    memory_free(kafka);
}

static void kafka_close(struct bus *bus)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    int64_t deadline_ms = clock_monotonic_ms() + KAFKA_CLOSE_TIMEOUT_MS;
    kafka_consumer_close(kafka);
    kafka_queue_release(&kafka->probes);
    kafka_queue_release(&kafka->group_queue);
    rd_kafka_t *handles[] = {kafka->consumer, kafka->group, kafka_producer_let_go(kafka)};
    kafka_handles_discard(handles, 3, deadline_ms);
    kafka_free(kafka);
}

static const struct bus_backend kafka_backend = {
    .name = "kafka",
    .topics = kafka_topics,
    .append = kafka_append,
    .follow = kafka_follow,
    .unfollow = kafka_unfollow,
    .join = kafka_join,
    .leave = kafka_leave,
    .end = kafka_end,
    .copied = kafka_copied,
    .examine = kafka_examine,
    .end_heard = kafka_end_heard,
    .health = kafka_health,
    .poll = kafka_poll,
    .wake = kafka_wake,
    .close = kafka_close,
};

static char *kafka_copy(const char *string)
{
    return (char *)text_copy(text_of(string)).data;
}

static struct kafka_bus *kafka_new(const char *address, const struct bus_options *options)
{
    char random[UUID_SIZE];
    struct kafka_bus *kafka = memory_new(sizeof *kafka);
    kafka->bus.backend = &kafka_backend;
    kafka->address = kafka_copy(address);
    kafka->client = kafka_copy(options->client ? options->client : "stagedoor");
    kafka->instance = kafka_copy(options->instance ? options->instance : uuid_random(random));
    kafka->prefix = kafka_copy(options->topic_prefix);
    kafka->session_timeout_ms = options->session_timeout_ms ? options->session_timeout_ms : 6000;
    kafka->in_flight_max = options->in_flight_max ? options->in_flight_max : BUS_IN_FLIGHT_DEFAULT;
    kafka->append_timeout_ms = options->append_timeout_ms ? options->append_timeout_ms : 30000;
    if (options->kafka)
        kafka->properties = *options->kafka;
    kafka->batch_size = KAFKA_BATCH_SIZE_MAX;
    kafka->enter_again_ms = INT64_MAX;
    atomic_init(&kafka->answer_us, -1);
    kafka->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return kafka;
}

enum bus_result kafka_bus_open(struct bus **bus, const char *address,
                               const struct bus_options *options, struct bus_error *error)
{
    struct kafka_bus *kafka = kafka_new(address, options);
    enum bus_result result = BUS_OK;
    if (kafka->wake_fd < 0) {
        snprintf(error->text, sizeof error->text, "cannot make a wake-up descriptor: %s",
                 strerror(errno));
        result = BUS_UNREACHABLE;
    } else if (!kafka_properties_check(&kafka->properties, error) ||
               !kafka_consumer_open(kafka, error)) {
        result = BUS_INVALID;
    } else {
        const struct rd_kafka_metadata *metadata;
        if (rd_kafka_metadata(kafka->consumer, 0, NULL, &metadata, KAFKA_OPEN_TIMEOUT_MS))
            result = kafka_unreachable(kafka, error);
        else
            rd_kafka_metadata_destroy(metadata);
    }
    if (result != BUS_OK) {
        kafka_close(&kafka->bus);
        return result;
    }
    log_line(LOG_DEBUG, kafka->client, "bus 'kafka://%s' answers; librdkafka %s", kafka->address,
             rd_kafka_version_str());
    *bus = &kafka->bus;
    return BUS_OK;
}
