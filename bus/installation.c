/* Making the topics of an installation, and finding out which one they are. */
#include "bus/installation.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory.h"
#include "bus/envelope.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 10 * 1000, POLL_MS = 100 };

/* What one event partition begins with. */
struct beginning {
    bool known; /* its first record was read */
    bool good;  /* the first record is an installation record */
    char id[UUID_SIZE];
    int64_t partitions;
};

struct opening {
    struct bus *bus;
    int partition_count;
    struct beginning *beginnings; /* TOPIC_COUNT × partition_count; event topics only */
    struct bus_error *error;
    struct arena arena;
};

static struct beginning *beginning_of(struct opening *opening, int topic, int partition)
{
    return &opening->beginnings[topic * opening->partition_count + partition];
}

/* Writes the record to every event partition that has none, and waits until the bus has them. */
static enum bus_result write_records(struct opening *opening, const char *id)
{
    struct message message;
    struct envelope envelope = {0};
    int waiting = 0;
    bool failed = false;
    message_init(&message, MESSAGE_Installed);
    message_set(&message, installation, text_of(id));
    message_set(&message, partitions, opening->partition_count);
    envelope_open(&envelope, &message, SPEAKER_bus);
    const struct bus_record *record = envelope_close(&envelope);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < opening->partition_count; partition++) {
            if (!topic_is_events(topic) || beginning_of(opening, topic, partition)->known)
                continue;
            failed = failed || bus_append(opening->bus, topic, partition, record, 0) != BUS_OK;
            waiting++;
        }
    int64_t deadline = clock_monotonic_ms() + WAIT_MS;
    while (waiting > 0 && !failed && clock_monotonic_ms() < deadline) {
        struct bus_event event;
        if (!bus_poll(opening->bus, POLL_MS, &event))
            continue;
        waiting -= event.type == BUS_APPENDED;
        failed = event.type == BUS_FAILED;
    }
    envelope_release(&envelope);
    if (waiting == 0 && !failed)
        return BUS_OK;
    snprintf(opening->error->text, BUS_ERROR_SIZE,
             "the installation record could not be written to every event topic; "
             "try again: stagedoor topics create");
    return BUS_UNREACHABLE;
}

static void read_beginning(struct opening *opening, const struct bus_event *event)
{
    struct beginning *beginning = beginning_of(opening, event->topic, event->partition);
    struct place place = {event->topic, event->partition, event->offset};
    struct message message;
    struct codec_error error;
    beginning->known = true;
    beginning->good =
        event->offset == 0 &&
        envelope_read(&event->record, &place, &opening->arena, &message, &error) == ENVELOPE_OK &&
        message.type == MESSAGE_Installed;
    if (beginning->good) {
        memcpy(beginning->id, message.installation.data, UUID_SIZE - 1);
        beginning->partitions = message.partitions;
    }
    arena_reset(&opening->arena);
    bus_unfollow(opening->bus, event->topic, event->partition);
}

/* Reads first records until all are known, or `wait_ms` passed. */
static int read_records(struct opening *opening, int wait_ms)
{
    int missing = 0;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < opening->partition_count; partition++)
            if (topic_is_events(topic) && !beginning_of(opening, topic, partition)->known) {
                bus_follow(opening->bus, topic, partition, 0);
                missing++;
            }
    int64_t deadline = clock_monotonic_ms() + wait_ms;
    while (missing > 0 && clock_monotonic_ms() < deadline) {
        struct bus_event event;
        if (!bus_poll(opening->bus, POLL_MS, &event) || event.type != BUS_RECORD)
            continue;
        read_beginning(opening, &event);
        missing--;
    }
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < opening->partition_count; partition++)
            if (topic_is_events(topic))
                bus_unfollow(opening->bus, topic, partition);
    return missing;
}

static enum bus_result compare(struct opening *opening, struct installation *installation)
{
    const struct beginning *first = beginning_of(opening, TOPIC_SHOWS_EVENTS, 0);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < opening->partition_count; partition++) {
            const struct beginning *this = beginning_of(opening, topic, partition);
            const char *why = NULL;
            if (!topic_is_events(topic))
                continue;
            if (!this->known)
                why = "has no installation record yet; make it with: stagedoor topics create";
            else if (!this->good)
                why = "does not begin with an installation record, so it is not Stagedoor's; use "
                      "another --topic-prefix";
            else if (strcmp(this->id, first->id) != 0)
                why = "belongs to another installation than the rest; topics were made again or "
                      "mixed: restore them or start anew with another --topic-prefix";
            else if (this->partitions != opening->partition_count)
                why = "was made with another partition count; the count can never change";
            if (why == NULL)
                continue;
            snprintf(opening->error->text, BUS_ERROR_SIZE, "topic '%s' partition %d %s",
                     topic_name(topic), partition, why);
            return BUS_UNFIT;
        }
    memcpy(installation->id, first->id, UUID_SIZE);
    installation->partition_count = opening->partition_count;
    return BUS_OK;
}

/* The id of the making that was interrupted, or a new one. */
static const char *id_to_write(struct opening *opening, char id[UUID_SIZE])
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < opening->partition_count; partition++)
            if (beginning_of(opening, topic, partition)->good)
                return beginning_of(opening, topic, partition)->id;
    return uuid_random(id);
}

static enum bus_result make_and_read(struct opening *opening, bool create, bool made,
                                     struct installation *installation)
{
    char id[UUID_SIZE];
    enum bus_result result = made ? write_records(opening, uuid_random(id)) : BUS_OK;
    if (result != BUS_OK)
        return result;
    int missing = read_records(opening, WAIT_MS);
    if (missing > 0 && create) {
        /* Whoever made the topics did not live to write all records: finish it. */
        result = write_records(opening, id_to_write(opening, id));
        if (result == BUS_OK)
            read_records(opening, WAIT_MS);
    }
    return result == BUS_OK ? compare(opening, installation) : result;
}

enum bus_result installation_open(struct bus *bus, bool create, int partition_count,
                                  struct installation *installation, struct bus_error *error)
{
    struct bus_topic_spec specs[TOPIC_COUNT];
    if (create && partition_count == 0)
        partition_count = PARTITIONS_DEFAULT;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        specs[topic] = (struct bus_topic_spec){topic_name(topic), partition_count, create, false};
    enum bus_result result = bus_topics(bus, specs, TOPIC_COUNT, error);
    if (result != BUS_OK)
        return result;
    struct opening opening = {.bus = bus, .partition_count = specs[0].partition_count};
    size_t count = (size_t)(TOPIC_COUNT * opening.partition_count);
    opening.error = error;
    opening.beginnings = memory_new(count * sizeof *opening.beginnings);
    result = make_and_read(&opening, create, specs[TOPIC_SHOWS_EVENTS].created, installation);
    memory_free(opening.beginnings);
    arena_release(&opening.arena);
    return result;
}

enum bus_result installation_connect(struct bus **bus, const char *url,
                                     const struct bus_options *options, bool create,
                                     int partition_count, struct installation *installation,
                                     struct bus_error *error)
{
    enum bus_result result = bus_open(bus, url, options, error);
    if (result != BUS_OK)
        return result;
    result = installation_open(*bus, create, partition_count, installation, error);
    if (result == BUS_OK)
        return BUS_OK;
    bus_close(*bus);
    *bus = NULL;
    return result;
}
