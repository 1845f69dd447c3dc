/* Reading: every followed partition is started and stopped by itself, all into one queue.
 *
 * This is librdkafka's legacy simple consumer. Its newer assign() would do too, but there every
 * change goes through the state machine of all partitions together, and re-following one means
 * unassign, wait, assign; here stop and start are one round trip to librdkafka's own thread, with
 * no broker involved, and disturb nobody.
 *
 * Nothing stale: stopping raises the partition's version inside librdkafka, and what was fetched
 * under an older one is thrown away when it comes off the queue. Only the verdict "offset out of
 * range" carries no version; kafka_verdict looks whether it is about where we read now.
 *
 * One message at a time, as events: the batch calls of librdkafka 2.0.2 skip offsets, and the plain
 * consume calls tell of a deleted topic in the log only. */
#include "bus/kafka.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

bool kafka_consumer_open(struct kafka_bus *kafka, struct bus_error *error)
{
    static const struct kafka_setting settings[] = {
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"},
        {"allow.auto.create.topics", "false"},
        {"check.crcs", "true"},
        {"fetch.min.bytes", "1"},
        {"fetch.wait.max.ms", "100"}, /* see kafka_follow */
        /* Small enough to be here whole before KAFKA_ANSWER_TIMEOUT_MS on a slow line. */
        {"fetch.max.bytes", "1048576"},
        {"fetch.error.backoff.ms", "10"},
        {"topic.metadata.refresh.interval.ms", "60000"},
        /* A full local queue makes 2.0.2 look away for a second: it must hold what we can eat in
         * one. These are counted over all partitions, because they share one queue. */
        {"queued.min.messages", "400000"},
        {"queued.max.messages.kbytes", "131072"},
        {NULL, NULL},
    };
    kafka->consumer =
        kafka_handle_open(kafka, RD_KAFKA_CONSUMER, settings, RD_KAFKA_EVENT_ERROR, error);
    if (!kafka->consumer)
        return false;
    kafka->consumer_queue = kafka_queue_take(kafka, rd_kafka_queue_get_main(kafka->consumer));
    kafka->records = kafka_queue_take(kafka, rd_kafka_queue_new(kafka->consumer));
    kafka->probes = kafka_queue_take(kafka, rd_kafka_queue_new(kafka->consumer));
    return true;
}

void kafka_lent_release(struct kafka_bus *kafka)
{
    if (kafka->lent)
        rd_kafka_event_destroy(kafka->lent);
    kafka->lent = NULL;
}

void kafka_consumer_close(struct kafka_bus *kafka)
{
    kafka_lent_release(kafka);
    for (int topic = 0; kafka->follows && topic < kafka->topic_count; topic++)
        for (int partition = 0; partition < kafka->partition_count; partition++)
            kafka_unfollow(&kafka->bus, topic, partition);
    kafka_topics_free(kafka, &kafka->consumer_topics);
    kafka_queue_release(&kafka->records);
    kafka_queue_release(&kafka->consumer_queue);
}

/* ---- following ------------------------------------------------------------------------------- */

static void kafka_lose(struct kafka_bus *kafka, int topic, int partition, const char *reason)
{
    struct kafka_follow *follow = kafka_follow_of(kafka, topic, partition);
    int64_t offset = follow->next;
    kafka_unfollow(&kafka->bus, topic, partition);
    kafka_note(kafka, BUS_LOST, topic, partition, offset, reason);
}

/* An offset the log does not have is found out by the broker, with the first fetch: no question
 * asked ahead, so this never waits. The price of one connection: a partition started while the
 * broker holds back an empty answer for others joins in with the next fetch, hence the short
 * fetch.wait.max.ms. New records of what is already followed end the wait at once. */
void kafka_follow(struct bus *bus, int topic, int partition, int64_t offset)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    struct kafka_follow *follow = kafka_follow_of(kafka, topic, partition);
    kafka_unfollow(bus, topic, partition);
    *follow = (struct kafka_follow){.active = true, .next = offset, .position = offset};
    if (rd_kafka_consume_start_queue(kafka->consumer_topics[topic], partition, offset,
                                     kafka->records)) {
        follow->active = false; /* nothing to stop */
        kafka_lose(kafka, topic, partition, rd_kafka_err2str(rd_kafka_last_error()));
    }
}

/* What was said of the partition and not yet heard, is not said. */
static void kafka_notes_forget(struct kafka_bus *kafka, int topic, int partition)
{
    int kept = kafka->note_first;
    for (int i = kafka->note_first; i < kafka->note_count; i++) {
        const struct kafka_note *note = &kafka->notes[i];
        if (note->type != BUS_LOST || note->topic != topic || note->partition != partition)
            kafka->notes[kept++] = *note;
    }
    kafka->note_count = kept;
}

void kafka_unfollow(struct bus *bus, int topic, int partition)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    struct kafka_follow *follow = kafka_follow_of(kafka, topic, partition);
    kafka_notes_forget(kafka, topic, partition);
    if (follow->active && rd_kafka_consume_stop(kafka->consumer_topics[topic], partition))
        log_line(LOG_WARNING, kafka->client, "cannot stop reading '%s'/%d: %s",
                 kafka->topic_names[topic], partition, rd_kafka_err2str(rd_kafka_last_error()));
    follow->active = false;
}

/* ---- what comes off the queue ---------------------------------------------------------------- */

static void kafka_record(struct kafka_bus *kafka, const rd_kafka_message_t *message,
                         struct bus_event *event)
{
    rd_kafka_headers_t *headers = NULL;
    int count = 0;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t total = rd_kafka_header_cnt(headers);
        for (; count < BUS_HEADERS_MAX && (size_t)count < total; count++) {
            const char *name;
            const void *value;
            size_t size;
            rd_kafka_header_get_all(headers, (size_t)count, &name, &value, &size);
            kafka->headers[count] =
                (struct bus_header){.name = text_of(name), .value = text_from(value, size)};
        }
        count += total > BUS_HEADERS_MAX;
    }
    *event = (struct bus_event){
        .type = BUS_RECORD,
        .topic = kafka_topic_number(message->rkt),
        .partition = message->partition,
        .offset = message->offset,
        .record = {.key = text_from(message->key, message->key_len),
                   .value = text_from(message->payload, message->len),
                   .headers = kafka->headers,
                   .header_count = count,
                   .append_ms = rd_kafka_message_timestamp(message, NULL)},
    };
}

enum kafka_meaning { KAFKA_PASSES, KAFKA_OUT_OF_RANGE, KAFKA_GONE, KAFKA_CORRUPT };

/* librdkafka's codes for one partition, mapped once. It goes on by itself after what passes. After
 * any other it would skip or stand still in silence, so an unknown one counts as lost too. */
static enum kafka_meaning kafka_meaning_of(rd_kafka_resp_err_t err)
{
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return KAFKA_OUT_OF_RANGE;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return KAFKA_GONE;
    case RD_KAFKA_RESP_ERR_UNKNOWN: /* the broker had a mishap of its own */
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: /* until an administrator repairs it */
        return KAFKA_PASSES;
    default:
        return KAFKA_CORRUPT;
    }
}

/* The broker says the offset is out of range. It may mean a place where we do not read any more:
 * then start over, because librdkafka has stopped fetching either way. */
static void kafka_verdict(struct kafka_bus *kafka, int topic, int partition, int64_t offset)
{
    struct kafka_follow *follow = kafka_follow_of(kafka, topic, partition);
    char reason[KAFKA_REASON_SIZE];
    if (offset != follow->next && offset != follow->position) {
        kafka_follow(&kafka->bus, topic, partition, follow->next);
        return;
    }
    snprintf(reason, sizeof reason,
             "'%.128s'/%d has no offset %lld: the log was cut short, made again or eaten",
             kafka->topic_names[topic], partition, (long long)offset);
    kafka_lose(kafka, topic, partition, reason);
}

static void kafka_trouble(struct kafka_bus *kafka, int topic, int partition, int64_t offset,
                          rd_kafka_event_t *event)
{
    char reason[KAFKA_REASON_SIZE];
    const char *complaint = rd_kafka_event_error_string(event);
    switch (kafka_meaning_of(rd_kafka_event_error(event))) {
    case KAFKA_PASSES:
        log_line(LOG_DEBUG, kafka->client, "reading '%s'/%d: %s", kafka->topic_names[topic],
                 partition, complaint);
        return;
    case KAFKA_OUT_OF_RANGE:
        kafka_verdict(kafka, topic, partition, offset);
        return;
    case KAFKA_GONE:
        snprintf(reason, sizeof reason, "'%.128s'/%d does not exist any more: was it deleted?",
                 kafka->topic_names[topic], partition);
        break;
    case KAFKA_CORRUPT:
        snprintf(reason, sizeof reason, "'%.96s'/%d cannot be read at %lld: %.96s",
                 kafka->topic_names[topic], partition, (long long)offset, complaint);
        break;
    }
    kafka_lose(kafka, topic, partition, reason);
}

static bool kafka_caught_up(struct kafka_bus *kafka, int topic, int partition, int64_t offset,
                            struct bus_event *event)
{
    struct kafka_follow *follow = kafka_follow_of(kafka, topic, partition);
    if (offset < follow->next)
        return false;
    follow->position = offset;
    *event = (struct bus_event){
        .type = BUS_CAUGHT_UP, .topic = topic, .partition = partition, .offset = offset};
    return true;
}

/* News of one partition that is not a record. True: it became `event`. */
static bool kafka_news(struct kafka_bus *kafka, rd_kafka_event_t *news, struct bus_event *event)
{
    bool taken = false;
    rd_kafka_topic_partition_t *about = rd_kafka_event_topic_partition(news);
    if (!about)
        return false;
    int topic = 0;
    while (topic < kafka->topic_count && strcmp(kafka->topic_names[topic], about->topic) != 0)
        topic++;
    if (topic < kafka->topic_count && about->partition >= 0 &&
        about->partition < kafka->partition_count &&
        kafka_follow_of(kafka, topic, about->partition)->active) {
        if (rd_kafka_event_error(news) == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            taken = kafka_caught_up(kafka, topic, about->partition, about->offset, event);
        else
            kafka_trouble(kafka, topic, about->partition, about->offset, news);
    }
    rd_kafka_topic_partition_destroy(about);
    return taken;
}

/* True: the record became `event`, which points into it. */
static bool kafka_message(struct kafka_bus *kafka, rd_kafka_event_t *fetched,
                          struct bus_event *event)
{
    const rd_kafka_message_t *message = rd_kafka_event_message_next(fetched);
    if (!message || message->err)
        return false; /* errors come as such */
    struct kafka_follow *follow =
        kafka_follow_of(kafka, kafka_topic_number(message->rkt), message->partition);
    if (!follow->active || message->offset < follow->next)
        return false;
    follow->next = follow->position = message->offset + 1;
    kafka_record(kafka, message, event);
    return true;
}

bool kafka_records_turn(struct kafka_bus *kafka, struct bus_event *event)
{
    rd_kafka_event_t *fetched;
    if (!kafka->follows)
        return false;
    while ((fetched = rd_kafka_queue_poll(kafka->records, 0))) {
        bool is_record = rd_kafka_event_type(fetched) == RD_KAFKA_EVENT_FETCH;
        bool taken =
            is_record ? kafka_message(kafka, fetched, event) : kafka_news(kafka, fetched, event);
        if (is_record && taken)
            kafka->lent = fetched;
        else
            rd_kafka_event_destroy(fetched);
        if (taken)
            return true;
        if (kafka->note_first < kafka->note_count)
            return false; /* a loss, and it comes before what follows */
    }
    return false;
}

/* As of the last fetch: the broker says with each where the partition ends. */
int64_t kafka_end_heard(struct bus *bus, int topic, int partition)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    int64_t low, high;
    rd_kafka_resp_err_t err = rd_kafka_get_watermark_offsets(
        kafka->consumer, kafka->topic_names[topic], partition, &low, &high);
    return err || high < 0 ? -1 : high;
}
