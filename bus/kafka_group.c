/* Membership: a handle that subscribes, answers rebalances, and reads nothing.
 *
 * Eager `range` over topics of equal counts gives partition p of all of them to one member, so a
 * number is owned when p of every topic is. Its partitions are paused as soon as they are assigned.
 *
 * A rebalance takes everything away and gives some of it back a moment later; both are reported as
 * they come. A member whose instance was taken over (fenced) reports BUS_REVOKED for all it had; it
 * comes back after a while, see kafka_group_expelled.
 *
 * The instance is static (group.instance.id): a handle that is closed keeps its place for its
 * successor. Only unsubscribing first, as kafka_leave does, gives it up. */
#include "bus/kafka.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static int kafka_at_least(int value, int least)
{
    return value < least ? least : value;
}

static rd_kafka_t *kafka_group_open(struct kafka_bus *kafka, struct bus_error *error)
{
    char session[16], heartbeat[16], rejoin[16], answer[16];
    int session_ms = kafka->session_timeout_ms, beat_ms = session_ms / 6;
    snprintf(session, sizeof session, "%d", session_ms);
    snprintf(rejoin, sizeof rejoin, "%d", kafka_at_least(session_ms, KAFKA_REJOIN_TIMEOUT_MIN_MS));
    snprintf(answer, sizeof answer, "%d", kafka_at_least(session_ms, KAFKA_ANSWER_TIMEOUT_MS));
    snprintf(heartbeat, sizeof heartbeat, "%d", beat_ms > 500 ? 500 : beat_ms < 50 ? 50 : beat_ms);
    const struct kafka_setting settings[] = {
        {"group.id", kafka->group_name},
        {"group.instance.id", kafka->instance},
        {"session.timeout.ms", session},
        {"heartbeat.interval.ms", heartbeat},
        /* How long the broker waits for members that do not join again, and so how long a member
         * waits for its answer before it asks anew; five minutes by default. Also the longest time
         * between two polls. */
        {"max.poll.interval.ms", rejoin},
        {"socket.timeout.ms", answer},              /* a dead leader is not waited for longer */
        {"partition.assignment.strategy", "range"}, /* cooperative-sticky is broken until 2.10 */
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"allow.auto.create.topics", "false"},
        {"auto.offset.reset", "error"},
        /* what a fetch could bring between assign and pause */
        {"queued.min.messages", "1"},
        {"fetch.message.max.bytes", "1024"},
        {NULL, NULL},
    };
    return kafka_handle_open(kafka, RD_KAFKA_CONSUMER, settings,
                             RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR, error);
}

/* The installation's prefix goes before the group as before the topics: two installations on one
 * cluster are strangers. */
static char *kafka_group_named(const struct kafka_bus *kafka, const char *group)
{
    size_t size = strlen(kafka->prefix) + strlen(group) + 1;
    char *name = memory_new(size);
    snprintf(name, size, "%s%s", kafka->prefix, group);
    return name;
}

/* A handle of its own for each membership; what is asked for is in `joined`. */
static bool kafka_group_enter(struct kafka_bus *kafka)
{
    struct bus_error error = {.text = ""};
    kafka->group = kafka_group_open(kafka, &error);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (kafka->group) {
        rd_kafka_poll_set_consumer(kafka->group);
        kafka->group_queue = kafka_queue_take(kafka, rd_kafka_queue_get_consumer(kafka->group));
        err = rd_kafka_subscribe(kafka->group, kafka->joined);
    }
    kafka->entered_ms = clock_monotonic_ms();
    kafka->enter_again_ms = INT64_MAX;
    if (!kafka->group || err)
        log_line(LOG_ERROR, kafka->client, "cannot join '%s': %s", kafka->group_name,
                 kafka->group ? rd_kafka_err2str(err) : error.text);
    return kafka->group && !err;
}

enum bus_result kafka_join(struct bus *bus, const char *group, const int *topics, int topic_count)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    if (kafka->group)
        kafka_leave(bus);
    memory_free(kafka->group_name);
    kafka->group_name = kafka_group_named(kafka, group);
    kafka_joined_free(kafka);
    kafka->joined = rd_kafka_topic_partition_list_new(topic_count);
    for (int i = 0; i < topic_count; i++)
        rd_kafka_topic_partition_list_add(kafka->joined, kafka->topic_names[topics[i]],
                                          RD_KAFKA_PARTITION_UA);
    kafka->enter_wait_ms = KAFKA_ENTER_WAIT_FIRST_MS;
    return kafka_group_enter(kafka) ? BUS_OK : BUS_INVALID;
}

void kafka_joined_free(struct kafka_bus *kafka)
{
    if (kafka->joined)
        rd_kafka_topic_partition_list_destroy(kafka->joined);
    kafka->joined = NULL;
}

static void kafka_own(struct kafka_bus *kafka, int partition, bool owned)
{
    if (kafka->owned[partition] == owned)
        return;
    kafka->owned[partition] = owned;
    kafka_note(kafka, owned ? BUS_ASSIGNED : BUS_REVOKED, 0, partition, 0, NULL);
}

static void kafka_disown_all(struct kafka_bus *kafka)
{
    for (int partition = 0; partition < kafka->partition_count; partition++)
        kafka_own(kafka, partition, false);
}

static void kafka_assigned(struct kafka_bus *kafka, rd_kafka_topic_partition_list_t *list)
{
    /* An offset of our own, so that nobody is asked for one; nothing is read from there. */
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = 0;
    rd_kafka_resp_err_t err = rd_kafka_assign(kafka->group, list);
    if (!err)
        err = rd_kafka_pause_partitions(kafka->group, list);
    if (err)
        log_line(LOG_WARNING, kafka->client, "membership of '%s': %s", kafka->group_name,
                 rd_kafka_err2str(err));
    for (int partition = 0; partition < kafka->partition_count; partition++) {
        int count = 0;
        for (int i = 0; i < list->cnt; i++)
            count += list->elems[i].partition == partition;
        kafka_own(kafka, partition, count == kafka->joined->cnt);
    }
    kafka_note(kafka, BUS_SETTLED, 0, 0, 0, NULL);
}

static void kafka_rebalance(struct kafka_bus *kafka, rd_kafka_event_t *event)
{
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        kafka_assigned(kafka, rd_kafka_event_topic_partition_list(event));
        return;
    }
    rd_kafka_assign(kafka->group, NULL); /* librdkafka waits for this before it goes on */
    kafka_disown_all(kafka);
}

/* The group has a younger member of our name, and librdkafka is done with the handle for good. That
 * is another process by mistake, or ourselves: a broker that was frozen longer than the session may
 * read that we join anew before it reads a heartbeat of our former self, and fences that. Staying
 * out would leave the partitions to nobody. So we come back, the later the more often we were sent
 * away: two of one name would else chase each other for ever. */
static void kafka_group_expelled(struct kafka_bus *kafka, const char *complaint)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - kafka->entered_ms > KAFKA_ENTER_FORGIVEN_MS)
        kafka->enter_wait_ms = KAFKA_ENTER_WAIT_FIRST_MS;
    kafka->enter_again_ms = now_ms + kafka->enter_wait_ms;
    log_line(LOG_WARNING, kafka->client,
             "out of group '%s', joining again in %d ms; does another process use the instance "
             "'%s'? %s",
             kafka->group_name, kafka->enter_wait_ms, kafka->instance, complaint);
    kafka->enter_wait_ms *= 2;
    if (kafka->enter_wait_ms > KAFKA_ENTER_WAIT_MAX_MS)
        kafka->enter_wait_ms = KAFKA_ENTER_WAIT_MAX_MS;
    kafka_disown_all(kafka);
}

static void kafka_group_enter_again(struct kafka_bus *kafka)
{
    enum { PATIENCE_MS = 500 };
    kafka_queue_release(&kafka->group_queue);
    kafka_handles_discard(&kafka->group, 1, clock_monotonic_ms() + PATIENCE_MS);
    if (!kafka_group_enter(kafka))
        kafka->enter_again_ms = clock_monotonic_ms() + kafka->enter_wait_ms;
}

static void kafka_group_error(struct kafka_bus *kafka, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t err = rd_kafka_event_error(event);
    const char *complaint = rd_kafka_event_error_string(event);
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        kafka_link_doubt(kafka, complaint);
    } else if (rd_kafka_event_error_is_fatal(event)) {
        kafka_group_expelled(kafka, complaint);
    } else if (err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) {
        log_line(LOG_WARNING, kafka->client, "slept too long for group '%s'; joining again",
                 kafka->group_name);
    }
}

bool kafka_group_turn(struct kafka_bus *kafka)
{
    if (kafka->enter_again_ms <= clock_monotonic_ms())
        kafka_group_enter_again(kafka);
    rd_kafka_event_t *event = kafka->group ? rd_kafka_queue_poll(kafka->group_queue, 0) : NULL;
    if (!event)
        return false;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        kafka_rebalance(kafka, event);
    else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
        kafka_group_error(kafka, event);
    rd_kafka_event_destroy(event);
    return true;
}

/* Serves the group's queue for a short while. */
static void kafka_group_serve(struct kafka_bus *kafka)
{
    enum { SLICE_MS = 10 };
    rd_kafka_event_t *event = rd_kafka_queue_poll(kafka->group_queue, SLICE_MS);
    if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        kafka_rebalance(kafka, event);
    if (event)
        rd_kafka_event_destroy(event);
}

/* librdkafka forgets the member id when it sends the goodbye. */
static bool kafka_is_member(const struct kafka_bus *kafka)
{
    char *member = rd_kafka_memberid(kafka->group);
    bool is = member && *member;
    if (member)
        rd_kafka_mem_free(kafka->group, member);
    return is;
}

void kafka_leave(struct bus *bus)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    int64_t deadline_ms = clock_monotonic_ms() + KAFKA_LEAVE_TIMEOUT_MS;
    kafka->enter_again_ms = INT64_MAX;
    if (!kafka->group)
        return;
    rd_kafka_unsubscribe(kafka->group);
    while (kafka_is_member(kafka) && clock_monotonic_ms() < deadline_ms - 1000)
        kafka_group_serve(kafka);
    /* The goodbye is on its way; closing waits until it has been heard. */
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(kafka->group, kafka->group_queue);
    while (!error && !rd_kafka_consumer_closed(kafka->group) &&
           clock_monotonic_ms() < deadline_ms - 500)
        kafka_group_serve(kafka);
    if (error)
        rd_kafka_error_destroy(error);
    kafka_disown_all(kafka);
    kafka_queue_release(&kafka->group_queue);
    kafka_handles_discard(&kafka->group, 1, deadline_ms);
    kafka->group = NULL;
}
