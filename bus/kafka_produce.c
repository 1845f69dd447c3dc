/* Appending: one idempotent producer, replaced when it dies.
 *
 * A fatal error (the broker and librdkafka disagree about sequence numbers, say after a broker was
 * killed) ends a producer for good. Then nothing more is taken (BUS_FULL) until everything in
 * flight at the old one has been answered, mostly with BUS_FAILED, and only then a new one opens:
 * so no append made after the break can land before an answer to one made before it. */
#include "bus/kafka.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(void *) >= sizeof(uint64_t), "a tag travels as librdkafka's opaque pointer");

bool kafka_producer_open(struct kafka_bus *kafka, struct bus_error *error)
{
    char timeout[16], batch[16], messages[16], statistics[16];
    snprintf(statistics, sizeof statistics, "%d", KAFKA_STATISTICS_MS);
    snprintf(timeout, sizeof timeout, "%d", kafka->append_timeout_ms);
    snprintf(batch, sizeof batch, "%d", kafka->batch_size);
    /* ours is the count that fills first */
    snprintf(messages, sizeof messages, "%d", kafka->in_flight_max + 1);
    const struct kafka_setting settings[] = {
        {"enable.idempotence", "true"}, /* keeps the order, drops the duplicates of retries */
        {"acks", "all"},
        {"linger.ms", "0"},
        {"socket.timeout.ms", "10000"}, /* longer than others: replicas are waited for */
        {"message.timeout.ms", timeout},
        {"batch.size", batch},
        {"message.max.bytes", "1000000"},
        {"queue.buffering.max.messages", messages},
        {"queue.buffering.max.kbytes", "1048576"},
        {"statistics.interval.ms", statistics},
        {NULL, NULL},
    };
    rd_kafka_t *producer =
        kafka_handle_open(kafka, RD_KAFKA_PRODUCER, settings,
                          RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS, error);
    if (!producer)
        return false;
    kafka->producer = producer;
    kafka->producer_queue = kafka_queue_take(kafka, rd_kafka_queue_get_main(producer));
    kafka->producer_topics = kafka_topics_new(kafka, producer);
    kafka->producer_broken = false;
    return true;
}

rd_kafka_t *kafka_producer_let_go(struct kafka_bus *kafka)
{
    rd_kafka_t *producer = kafka->producer;
    if (kafka->reports)
        rd_kafka_event_destroy(kafka->reports);
    kafka->reports = NULL;
    kafka_queue_release(&kafka->producer_queue);
    kafka_topics_free(kafka, &kafka->producer_topics);
    kafka->producer = NULL;
    return producer;
}

static void kafka_producer_break(struct kafka_bus *kafka)
{
    char text[KAFKA_REASON_SIZE] = "";
    if (kafka->producer_broken)
        return;
    kafka->producer_broken = true;
    rd_kafka_fatal_error(kafka->producer, text, sizeof text);
    log_line(LOG_WARNING, kafka->client, "producer broke with %d in flight, opening a new one: %s",
             kafka->in_flight, text);
    rd_kafka_purge(kafka->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                        RD_KAFKA_PURGE_F_NON_BLOCKING);
}

/* Once all is answered. When it fails we stay broken and try again at the next poll. */
static void kafka_producer_replace(struct kafka_bus *kafka)
{
    enum { PATIENCE_MS = 500 };
    struct bus_error error;
    rd_kafka_t *old = kafka_producer_let_go(kafka);
    kafka_handles_discard(&old, 1, clock_monotonic_ms() + PATIENCE_MS);
    if (!kafka_producer_open(kafka, &error))
        log_line(LOG_ERROR, kafka->client, "no new producer: %s", error.text);
}

static rd_kafka_headers_t *kafka_headers(const struct bus_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new((size_t)record->header_count);
    for (int i = 0; i < record->header_count; i++) {
        const struct bus_header *header = &record->headers[i];
        rd_kafka_header_add(headers, header->name.size ? header->name.data : "",
                            (ssize_t)header->name.size, header->value.data,
                            (ssize_t)header->value.size);
    }
    return headers;
}

enum bus_result kafka_append(struct bus *bus, int topic, int partition,
                             const struct bus_record *record, uint64_t tag)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    if (kafka->producer_broken || kafka->in_flight >= kafka->in_flight_max)
        return BUS_FULL;
    rd_kafka_headers_t *headers = record->header_count ? kafka_headers(record) : NULL;
    rd_kafka_resp_err_t err = rd_kafka_producev(
        kafka->producer, RD_KAFKA_V_RKT(kafka->producer_topics[topic]),
        RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(record->key.data, record->key.size),
        RD_KAFKA_V_VALUE((void *)record->value.data, record->value.size),
        RD_KAFKA_V_TIMESTAMP(kafka->bus.copying ? record->append_ms : 0),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)tag), RD_KAFKA_V_END);
    if (!err) {
        kafka->in_flight++; /* and the headers are librdkafka's now */
        return BUS_OK;
    }
    if (headers)
        rd_kafka_headers_destroy(headers);
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return BUS_FULL;
    if (err == RD_KAFKA_RESP_ERR__FATAL) {
        kafka_producer_break(kafka);
        return BUS_FULL;
    }
    log_line(LOG_ERROR, kafka->client, "cannot append to '%s'/%d: %s", kafka->topic_names[topic],
             partition, rd_kafka_err2str(err));
    return BUS_INVALID;
}

enum bus_result kafka_end(struct bus *bus, int topic, int partition, int64_t *offset)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    if (!kafka->producer)
        return BUS_UNREACHABLE;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *asked =
        rd_kafka_topic_partition_list_add(list, kafka->topic_names[topic], partition);
    asked->offset = RD_KAFKA_OFFSET_END; /* as a time: the offset after the last record */
    rd_kafka_resp_err_t err =
        rd_kafka_offsets_for_times(kafka->producer, list, KAFKA_END_TIMEOUT_MS);
    if (!err)
        err = list->elems[0].err;
    if (!err && list->elems[0].offset < 0)
        err = RD_KAFKA_RESP_ERR__NO_OFFSET;
    if (!err)
        *offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return err ? BUS_UNREACHABLE : BUS_OK;
}

/* ---- delivery reports ------------------------------------------------------------------------ */

static void kafka_report(struct kafka_bus *kafka, const rd_kafka_message_t *message,
                         struct bus_event *event)
{
    assert(kafka->in_flight > 0);
    kafka->in_flight--;
    *event = (struct bus_event){.type = message->err ? BUS_FAILED : BUS_APPENDED,
                                .topic = kafka_topic_number(message->rkt),
                                .partition = message->partition,
                                .offset = message->offset >= 0 ? message->offset : -1,
                                .tag = (uint64_t)(uintptr_t)message->_private,
                                .reason = message->err ? rd_kafka_err2str(message->err) : NULL};
}

/* The next batch of reports into kafka->reports; false when the queue is empty. */
static bool kafka_reports_fetch(struct kafka_bus *kafka)
{
    for (;;) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(kafka->producer_queue, 0);
        if (!event)
            return false;
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            kafka->reports = event;
            return true;
        }
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_STATS)
            kafka_statistics_hear(kafka, rd_kafka_event_stats(event));
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
            rd_kafka_resp_err_t err = rd_kafka_event_error(event);
            if (rd_kafka_event_error_is_fatal(event))
                kafka_producer_break(kafka);
            else if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
                kafka_link_doubt(kafka, rd_kafka_event_error_string(event));
            else
                kafka_trouble_print(rd_kafka_event_error_string(event), kafka->trouble);
        }
        rd_kafka_event_destroy(event);
    }
}

bool kafka_reports_turn(struct kafka_bus *kafka, struct bus_event *event)
{
    while (kafka->producer && (kafka->reports || kafka_reports_fetch(kafka))) {
        const rd_kafka_message_t *message = rd_kafka_event_message_next(kafka->reports);
        if (message) {
            kafka_report(kafka, message, event);
            return true;
        }
        rd_kafka_event_destroy(kafka->reports);
        kafka->reports = NULL;
    }
    if (kafka->producer_broken && kafka->in_flight == 0)
        kafka_producer_replace(kafka);
    return false;
}
