/* What people set of librdkafka by -X, and what they may not: whatever a promise of bus.h, or the
 * fence, would be broken by is ours to set. */
#include "bus/kafka.h"

#include <stdio.h>
#include <string.h>

struct kafka_fixed {
    const char *names[4]; /* with their other names */
    const char *why;
};

static const struct kafka_fixed fixed[] = {
    {{"bootstrap.servers", "metadata.broker.list"}, "the brokers are named by --bus"},
    {{"client.id"}, "each program says who it is"},
    {{"acks", "request.required.acks"}, "what is acknowledged must be on all replicas"},
    {{"enable.idempotence", "enable.gapless.guarantee", "transactional.id"},
     "appends must keep their order, and the fence takes the place of transactions"},
    {{"message.timeout.ms", "delivery.timeout.ms"}, "every append is answered within a known time"},
    {{"queue.buffering.max.messages", "queue.buffering.max.kbytes"},
     "as much as may be in flight must fit in"},
    {{"isolation.level"}, "one hung transaction of a stranger would stop all readers"},
    {{"enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store"},
     "where a reader stands is in the log, not in the group"},
    {{"enable.partition.eof"}, "an owner must know when it has read all there is"},
    {{"auto.offset.reset"}, "an offset that is gone must be told, not skipped"},
    {{"check.crcs"}, "a record that was damaged on its way must not be believed"},
    {{"allow.auto.create.topics"}, "topics are made with settings that keep their records"},
    {{"group.id", "group.instance.id"}, "who is in which group follows from --group-instance"},
    {{"session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms"},
     "they follow from --session-timeout"},
    {{"partition.assignment.strategy", "group.protocol", "group.remote.assignor"},
     "a partition number must have one owner in all topics"},
};

static const char *kafka_why_fixed(const char *name)
{
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        for (int j = 0; j < 4 && fixed[i].names[j]; j++)
            if (strcmp(fixed[i].names[j], name) == 0)
                return fixed[i].why;
    return NULL;
}

bool kafka_properties_check(const struct option_properties *properties, struct bus_error *error)
{
    for (int i = 0; properties && i < properties->count; i++) {
        const char *name = properties->items[i].name, *why = kafka_why_fixed(name);
        if (why == NULL)
            continue;
        snprintf(error->text, sizeof error->text, "-X %s cannot be set: %s; leave it out", name,
                 why);
        return false;
    }
    return true;
}

bool kafka_properties_set(rd_kafka_conf_t *conf, const struct option_properties *properties,
                          struct bus_error *error)
{
    char text[BUS_ERROR_SIZE - 100];
    for (int i = 0; properties && i < properties->count; i++) {
        const struct option_property *property = &properties->items[i];
        if (rd_kafka_conf_set(conf, property->name, property->value, text, sizeof text) ==
            RD_KAFKA_CONF_OK)
            continue;
        snprintf(error->text, sizeof error->text, "-X %s: %s", property->name, text);
        return false;
    }
    return true;
}
