/* The front of every backend: finds it by the url's scheme and checks what all of them would check.
 */
#include "bus/bus.h"

#include "bus/backend.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum bus_result bus_open(struct bus **bus, const char *url, const struct bus_options *options,
                         struct bus_error *error)
{
    static const char kafka[] = "kafka://", sqlite[] = "sqlite:";
    enum bus_result result = BUS_INVALID;
    *bus = NULL;
    error->text[0] = '\0';
    if (strncmp(url, kafka, strlen(kafka)) == 0 && url[strlen(kafka)])
        result = kafka_bus_open(bus, url + strlen(kafka), options, error);
    else if (strncmp(url, sqlite, strlen(sqlite)) == 0 && url[strlen(sqlite)])
        result = sqlite_bus_open(bus, url + strlen(sqlite), options, error);
    else
        snprintf(error->text, sizeof error->text,
                 "unknown bus '%s'; use kafka://HOST:PORT or sqlite:PATH", url);
    if (result == BUS_OK)
        (*bus)->copying = options->copying;
    return result;
}

enum bus_result bus_topics(struct bus *bus, struct bus_topic_spec *specs, int count,
                           struct bus_error *error)
{
    assert(bus->topic_count == 0 && count > 0);
    error->text[0] = '\0';
    enum bus_result result = bus->backend->topics(bus, specs, count, error);
    if (result != BUS_OK)
        return result;
    for (int i = 1; i < count; i++)
        if (specs[i].partition_count != specs[0].partition_count) {
            snprintf(error->text, sizeof error->text,
                     "topic '%s' has %d partitions and '%s' has %d; all topics need the same count",
                     specs[i].name, specs[i].partition_count, specs[0].name,
                     specs[0].partition_count);
            return BUS_UNFIT;
        }
    bus->topic_count = count;
    bus->partition_count = specs[0].partition_count;
    return BUS_OK;
}

static bool known(const struct bus *bus, int topic, int partition)
{
    return topic >= 0 && topic < bus->topic_count && partition >= 0 &&
           partition < bus->partition_count;
}

enum bus_result bus_append(struct bus *bus, int topic, int partition,
                           const struct bus_record *record, uint64_t tag)
{
    size_t size = record->key.size + record->value.size;
    for (int i = 0; i < record->header_count; i++)
        size += record->headers[i].name.size + record->headers[i].value.size;
    bool fits = size <= BUS_VALUE_SIZE_MAX && record->header_count <= BUS_HEADERS_MAX;
    if (!known(bus, topic, partition) || (!fits && !bus->copying))
        return BUS_INVALID;
    return bus->backend->append(bus, topic, partition, record, tag);
}

void bus_follow(struct bus *bus, int topic, int partition, int64_t offset)
{
    assert(known(bus, topic, partition) && offset >= 0);
    bus->backend->follow(bus, topic, partition, offset);
}

void bus_unfollow(struct bus *bus, int topic, int partition)
{
    assert(known(bus, topic, partition));
    bus->backend->unfollow(bus, topic, partition);
}

enum bus_result bus_join(struct bus *bus, const char *group, const int *topics, int topic_count)
{
    assert(bus->topic_count > 0 && topic_count > 0);
    for (int i = 0; i < topic_count; i++)
        if (!known(bus, topics[i], 0))
            return BUS_INVALID;
    return bus->backend->join(bus, group, topics, topic_count);
}

void bus_leave(struct bus *bus)
{
    bus->backend->leave(bus);
}

enum bus_result bus_end(struct bus *bus, int topic, int partition, int64_t *offset)
{
    assert(known(bus, topic, partition));
    return bus->backend->end(bus, topic, partition, offset);
}

int64_t bus_end_heard(struct bus *bus, int topic, int partition)
{
    assert(known(bus, topic, partition));
    return bus->backend->end_heard ? bus->backend->end_heard(bus, topic, partition) : -1;
}

struct bus_health bus_health(const struct bus *bus)
{
    return bus->backend->health ? bus->backend->health(bus) : (struct bus_health){-1};
}

enum bus_result bus_copied(struct bus *bus, struct bus_error *error)
{
    assert(bus->copying && bus->topic_count > 0);
    error->text[0] = '\0';
    return bus->backend->copied ? bus->backend->copied(bus, error) : BUS_OK;
}

bool bus_poll(struct bus *bus, int timeout_ms, struct bus_event *event)
{
    return bus->backend->poll(bus, timeout_ms, event);
}

void bus_wake(struct bus *bus)
{
    bus->backend->wake(bus);
}

void bus_close(struct bus *bus)
{
    if (bus)
        bus->backend->close(bus);
}
