/* topics.h: the six topics, by number. Every process knows all of them in this order, so a topic is
 * an `int` everywhere: the index in the list given to bus_topics. Pure; any thread. */
#ifndef BUS_TOPICS_H
#define BUS_TOPICS_H

#include "base/text.h"

enum topic {
    TOPIC_SHOWS_COMMANDS,
    TOPIC_SHOWS_EVENTS,
    TOPIC_RESERVATIONS_COMMANDS,
    TOPIC_RESERVATIONS_EVENTS,
    TOPIC_CHECKOUT_COMMANDS,
    TOPIC_CHECKOUT_EVENTS,
    TOPIC_COUNT
};

enum { PARTITIONS_DEFAULT = 4, PARTITIONS_MAX = 256 };

/* "shows.commands" and so on, without the installation's prefix. Static. */
const char *topic_name(int topic);

/* The topic of that name, or -1. */
int topic_named(struct text name);

/* Event topics are fenced and start with the installation record; command topics are open to
 * everyone. */
bool topic_is_events(int topic);

/* Where a key lies: CRC-32 of its bytes modulo the count, as librdkafka's partitioner does it for
 * keyed records, so that `kcat -K:` and the edge agree. */
int topic_partition_of(struct text key, int partition_count);

#endif
