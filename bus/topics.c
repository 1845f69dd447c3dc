/* The one list of topics. */
#include "bus/topics.h"

#include "base/crc.h"

#include <assert.h>

static const char *const names[TOPIC_COUNT] = {
    [TOPIC_SHOWS_COMMANDS] = "shows.commands",
    [TOPIC_SHOWS_EVENTS] = "shows.events",
    [TOPIC_RESERVATIONS_COMMANDS] = "reservations.commands",
    [TOPIC_RESERVATIONS_EVENTS] = "reservations.events",
    [TOPIC_CHECKOUT_COMMANDS] = "checkout.commands",
    [TOPIC_CHECKOUT_EVENTS] = "checkout.events",
};

const char *topic_name(int topic)
{
    assert(topic >= 0 && topic < TOPIC_COUNT);
    return names[topic];
}

int topic_named(struct text name)
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        if (text_is(name, names[topic]))
            return topic;
    return -1;
}

bool topic_is_events(int topic)
{
    assert(topic >= 0 && topic < TOPIC_COUNT);
    return topic % 2 == 1;
}

int topic_partition_of(struct text key, int partition_count)
{
    assert(partition_count > 0);
    return (int)(crc32_of(key.data, key.size) % (uint32_t)partition_count);
}
