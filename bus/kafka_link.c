/* Is anybody there? BUS_DOWN and BUS_UP.
 *
 *     UP ──a handle lost all its connections──▶ DOUBTED ──the probe failed, BUS_DOWN──▶ DOWN
 *      ◀──────────────the probe was answered────────┘                                     │
 *      ◀──────────────the probe was answered, BUS_UP──────────────────────────────────────┘
 *
 * A lost connection alone says little: brokers close those that were idle for ten minutes. And a
 * record or an acknowledgement alone says little, because it may have waited in a queue since
 * before. So a probe decides: a question to any broker, which librdkafka keeps until there is one
 * to ask or its time is up. It goes out on the consumer's connection and may wait there behind a
 * long poll; its time is longer than that. */
#include "bus/kafka.h"

#include "base/clock.h"

#include <stdio.h>

static void kafka_probe(struct kafka_bus *kafka)
{
    rd_kafka_AdminOptions_t *options = kafka_admin_options(
        kafka->consumer, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, KAFKA_PROBE_TIMEOUT_MS);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, kafka->topic_names[0]);
    rd_kafka_DescribeConfigs(kafka->consumer, &resource, 1, options, kafka->probes);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(options);
    kafka->probing = true;
    kafka->probe_at_ms = clock_monotonic_ms() + KAFKA_PROBE_INTERVAL_MS;
}

void kafka_link_doubt(struct kafka_bus *kafka, const char *complaint)
{
    if (!kafka->trouble[0])
        kafka_trouble_print(complaint, kafka->trouble);
    if (kafka->link == KAFKA_LINK_UP && kafka->topic_count > 0)
        kafka->link = KAFKA_LINK_DOUBTED;
}

static void kafka_probe_failed(struct kafka_bus *kafka)
{
    char reason[KAFKA_REASON_SIZE];
    if (kafka->link != KAFKA_LINK_DOUBTED)
        return;
    kafka->link = KAFKA_LINK_DOWN;
    snprintf(reason, sizeof reason, "cannot reach '%.96s': %.128s", kafka->address,
             kafka->trouble[0] ? kafka->trouble : "no answer");
    kafka_note(kafka, BUS_DOWN, 0, 0, 0, reason);
}

static void kafka_probe_answered(struct kafka_bus *kafka)
{
    if (kafka->link == KAFKA_LINK_DOWN)
        kafka_note(kafka, BUS_UP, 0, 0, 0, NULL);
    kafka->link = KAFKA_LINK_UP;
    kafka->trouble[0] = '\0';
}

bool kafka_link_turn(struct kafka_bus *kafka)
{
    if (kafka->link == KAFKA_LINK_UP)
        return false;
    if (!kafka->probing) {
        if (clock_monotonic_ms() >= kafka->probe_at_ms)
            kafka_probe(kafka);
        return false;
    }
    rd_kafka_event_t *event = rd_kafka_queue_poll(kafka->probes, 0);
    if (!event)
        return false;
    kafka->probing = false;
    if (rd_kafka_event_error(event))
        kafka_probe_failed(kafka);
    else
        kafka_probe_answered(kafka);
    rd_kafka_event_destroy(event);
    return true;
}

int64_t kafka_link_due_ms(const struct kafka_bus *kafka)
{
    return kafka->link == KAFKA_LINK_UP || kafka->probing ? INT64_MAX : kafka->probe_at_ms;
}

bool kafka_errors_turn(struct kafka_bus *kafka, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 0);
    if (!event)
        return false;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
        const char *complaint = rd_kafka_event_error_string(event);
        if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
            kafka_link_doubt(kafka, complaint);
        else if (!rd_kafka_event_error_is_fatal(event))
            kafka_trouble_print(complaint, kafka->trouble);
    }
    rd_kafka_event_destroy(event);
    return true;
}
