/* How long the brokers take to answer, from the statistics that librdkafka gives every few seconds.
 *
 * Of the producer alone: its questions are answered at once, those of a consumer when there is
 * something to read. The document is large and all we want of it are a few numbers, which always
 * look the same; so it is searched, not parsed. */
#include "bus/kafka.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The number behind `name`, before `end`; -1: it is not there. */
static int64_t number_of(const char *from, const char *end, const char *name)
{
    const char *found = strstr(from, name);
    return found && found < end ? strtoll(found + strlen(name), NULL, 10) : -1;
}

int64_t kafka_statistics_answer_us(const char *statistics)
{
    static const char begins[] = "\"rtt\":";
    int64_t slowest_us = -1;
    for (const char *at = strstr(statistics, begins); at; at = strstr(at + 1, begins)) {
        const char *end = strchr(at, '}');
        if (end && number_of(at, end, "\"cnt\":") > 0) {
            int64_t us = number_of(at, end, "\"avg\":");
            slowest_us = us > slowest_us ? us : slowest_us;
        }
    }
    return slowest_us;
}

void kafka_statistics_hear(struct kafka_bus *kafka, const char *statistics)
{
    int64_t answer_us = kafka_statistics_answer_us(statistics);
    if (answer_us >= 0) /* else nothing was asked meanwhile: what was known last is still good */
        atomic_store(&kafka->answer_us, answer_us);
}

struct bus_health kafka_health(const struct bus *bus)
{
    const struct kafka_bus *kafka = memory_owner(bus, const struct kafka_bus, bus);
    return (struct bus_health){atomic_load(&kafka->answer_us)};
}
