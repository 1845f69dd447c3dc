/* bus_topics: what is there, creating what is not, and waiting until it can be used. */
#include "bus/kafka.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TOPICS_MAX = 64 };

/* What the cluster says of our topics. */
struct kafka_census {
    int broker_count;
    int partitions[TOPICS_MAX]; /* 0: the topic is missing */
    int replicas[TOPICS_MAX];
    bool led[TOPICS_MAX]; /* every partition has a leader */
};

rd_kafka_AdminOptions_t *kafka_admin_options(rd_kafka_t *handle, rd_kafka_admin_op_t operation,
                                             int timeout_ms)
{
    char text[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(handle, operation);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text, sizeof text);
    return options;
}

void kafka_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000000}, NULL);
}

rd_kafka_event_t *kafka_admin_wait(rd_kafka_queue_t *queue, int timeout_ms)
{
    return rd_kafka_queue_poll(queue, timeout_ms + 500);
}

enum bus_result kafka_unreachable(struct kafka_bus *kafka, struct bus_error *error)
{
    while (kafka_errors_turn(kafka, kafka->consumer_queue))
        continue;
    snprintf(error->text, sizeof error->text, "cannot reach '%.128s': %.160s; %s", kafka->address,
             kafka->trouble[0] ? kafka->trouble : "no answer", kafka_advice(kafka->trouble));
    return BUS_UNREACHABLE;
}

static void kafka_census_topic(struct kafka_census *census, int topic,
                               const rd_kafka_metadata_topic_t *found)
{
    if (found->err && found->err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        return;
    census->partitions[topic] = found->partition_cnt;
    census->led[topic] = found->partition_cnt > 0;
    for (int i = 0; i < found->partition_cnt; i++) {
        census->led[topic] &= found->partitions[i].leader >= 0;
        census->replicas[topic] = found->partitions[i].replica_cnt;
    }
}

/* Asks for all topics: to ask for one by name may create it, where brokers are set up so. */
static bool kafka_census_take(struct kafka_bus *kafka, struct kafka_census *census)
{
    const struct rd_kafka_metadata *metadata;
    *census = (struct kafka_census){0};
    if (rd_kafka_metadata(kafka->consumer, 1, NULL, &metadata, KAFKA_OPEN_TIMEOUT_MS))
        return false;
    census->broker_count = metadata->broker_cnt;
    for (int i = 0; i < metadata->topic_cnt; i++)
        for (int topic = 0; topic < kafka->topic_count; topic++)
            if (strcmp(metadata->topics[i].topic, kafka->topic_names[topic]) == 0)
                kafka_census_topic(census, topic, &metadata->topics[i]);
    rd_kafka_metadata_destroy(metadata);
    return true;
}

/* ---- creating -------------------------------------------------------------------------------- */

/* What our topics are set to: that of `i`, NULL name: no more. */
static struct kafka_setting kafka_topic_setting(const struct kafka_bus *kafka, int replicas, int i)
{
    /* Limits a batch, not a record. Publishers send batches of up to a megabyte (kcat does), and
     * Kafka's own default leaves room for those. */
    static const char batch_max[] = "1048588";
    const struct kafka_setting settings[] = {
        {"cleanup.policy", "delete"},
        {"retention.ms", "-1"},
        {"retention.bytes", "-1"},
        {KAFKA_TIME_SETTING, kafka->bus.copying ? "CreateTime" : "LogAppendTime"},
        {"max.message.bytes", batch_max},
        {"unclean.leader.election.enable", "false"},
        {replicas > 1 ? "min.insync.replicas" : NULL, "2"},
        {NULL, NULL},
    };
    return settings[i];
}

static rd_kafka_NewTopic_t *kafka_new_topic(const struct kafka_bus *kafka, const char *name,
                                            int partition_count, int broker_count)
{
    char text[256];
    struct kafka_setting setting;
    int replicas = broker_count < 3 ? broker_count : 3;
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name, partition_count, replicas, text, sizeof text);
    if (!topic)
        return NULL;
    for (int i = 0; (setting = kafka_topic_setting(kafka, replicas, i)).name; i++)
        rd_kafka_NewTopic_set_config(topic, setting.name, setting.value);
    return topic;
}

/* `*again`: nothing is wrong with what was asked, but all brokers are fenced just now. */
static enum bus_result kafka_created(struct kafka_bus *kafka, struct bus_topic_spec *specs,
                                     rd_kafka_event_t *event, bool *again, struct bus_error *error)
{
    *again = false;
    if (!event || rd_kafka_event_error(event))
        return kafka_unreachable(kafka, error);
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
        const char *name = rd_kafka_topic_result_name(results[i]);
        for (int topic = 0; !err && topic < kafka->topic_count; topic++)
            specs[topic].created |= strcmp(name, kafka->topic_names[topic]) == 0;
        if (!err || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue; /* somebody was quicker: fine */
        const char *why = rd_kafka_topic_result_error_string(results[i]);
        snprintf(error->text, sizeof error->text, "cannot create topic '%.128s': %.256s", name,
                 why ? why : rd_kafka_err2str(err));
        *again = err == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR;
        return *again || err == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT ? BUS_UNREACHABLE : BUS_UNFIT;
    }
    return BUS_OK;
}

static enum bus_result kafka_create_once(struct kafka_bus *kafka, rd_kafka_NewTopic_t **topics,
                                         size_t count, struct bus_topic_spec *specs, bool *again,
                                         struct bus_error *error)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->consumer);
    rd_kafka_AdminOptions_t *options = kafka_admin_options(
        kafka->consumer, RD_KAFKA_ADMIN_OP_CREATETOPICS, KAFKA_SETTLE_TIMEOUT_MS);
    rd_kafka_CreateTopics(kafka->consumer, topics, count, options, queue);
    rd_kafka_event_t *event = kafka_admin_wait(queue, KAFKA_SETTLE_TIMEOUT_MS);
    enum bus_result result = kafka_created(kafka, specs, event, again, error);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return result;
}

static enum bus_result kafka_create(struct kafka_bus *kafka, rd_kafka_NewTopic_t **topics,
                                    size_t count, struct bus_topic_spec *specs,
                                    struct bus_error *error)
{
    int64_t deadline_ms = clock_monotonic_ms() + KAFKA_SETTLE_TIMEOUT_MS;
    bool again;
    enum bus_result result;
    while ((result = kafka_create_once(kafka, topics, count, specs, &again, error)) != BUS_OK &&
           again && clock_monotonic_ms() < deadline_ms)
        kafka_pause();
    if (result == BUS_OK)
        error->text[0] = '\0';
    return result;
}

/* The count that all topics shall have: that of one that is there, else the first asked for. */
static int kafka_common_count(const struct kafka_bus *kafka, const struct kafka_census *census,
                              const struct bus_topic_spec *specs)
{
    for (int i = 0; i < kafka->topic_count; i++)
        if (census->partitions[i])
            return census->partitions[i];
    for (int i = 0; i < kafka->topic_count; i++)
        if (specs[i].partition_count)
            return specs[i].partition_count;
    return 0;
}

static enum bus_result kafka_create_missing(struct kafka_bus *kafka,
                                            const struct kafka_census *census,
                                            struct bus_topic_spec *specs, struct bus_error *error)
{
    rd_kafka_NewTopic_t *topics[TOPICS_MAX];
    size_t count = 0;
    int common = kafka_common_count(kafka, census, specs);
    enum bus_result result = BUS_OK;
    for (int i = 0; i < kafka->topic_count && result == BUS_OK; i++) {
        if (census->partitions[i])
            continue;
        topics[count] = NULL;
        if (specs[i].may_create && common > 0)
            topics[count] =
                kafka_new_topic(kafka, kafka->topic_names[i], common, census->broker_count);
        if (topics[count]) {
            count++;
            continue;
        }
        result = BUS_UNFIT;
        snprintf(error->text, sizeof error->text, "topic '%.256s' does not exist%s",
                 kafka->topic_names[i],
                 specs[i].may_create ? " and cannot be created so; check its name and count"
                                     : "; try: stagedoor topics create");
    }
    if (result == BUS_OK && count > 0)
        result = kafka_create(kafka, topics, count, specs, error);
    rd_kafka_NewTopic_destroy_array(topics, count);
    return result;
}

/* ---- the whole of it ------------------------------------------------------------------------- */

static bool kafka_all_led(const struct kafka_bus *kafka, const struct kafka_census *census)
{
    for (int i = 0; i < kafka->topic_count; i++)
        if (!census->led[i])
            return false;
    return true;
}

static enum bus_result kafka_wait_for_leaders(struct kafka_bus *kafka, struct kafka_census *census,
                                              struct bus_error *error)
{
    int64_t deadline_ms = clock_monotonic_ms() + KAFKA_SETTLE_TIMEOUT_MS;
    while (!kafka_all_led(kafka, census)) {
        if (clock_monotonic_ms() > deadline_ms) {
            snprintf(error->text, sizeof error->text,
                     "the topics have no leaders yet at '%.256s'; are enough brokers running?",
                     kafka->address);
            return BUS_UNREACHABLE;
        }
        kafka_pause();
        if (!kafka_census_take(kafka, census))
            return kafka_unreachable(kafka, error);
    }
    return BUS_OK;
}

/* Asked before anything is created, so that nothing is made that does not fit; and again behind it,
 * because somebody else may have been quicker. */
static enum bus_result kafka_counts_fit(struct kafka_bus *kafka, const struct kafka_census *census,
                                        const struct bus_topic_spec *specs, struct bus_error *error)
{
    int common = kafka_common_count(kafka, census, specs);
    for (int i = 0; i < kafka->topic_count; i++) {
        int there = census->partitions[i], asked = specs[i].partition_count;
        if (there && asked && asked != there)
            snprintf(error->text, sizeof error->text,
                     "topic '%.256s' has %d partitions, not %d; the count is fixed when topics are "
                     "created: use %d, or another topic prefix",
                     kafka->topic_names[i], there, asked, there);
        else if ((there && there != common) || (asked && asked != common))
            snprintf(error->text, sizeof error->text,
                     "topic '%.256s' %s %d partitions and others have %d; all need the same count",
                     kafka->topic_names[i], there ? "has" : "would have", there ? there : asked,
                     common);
        if (error->text[0])
            return BUS_UNFIT;
    }
    return BUS_OK;
}

static void kafka_counts_take(struct kafka_bus *kafka, const struct kafka_census *census,
                              struct bus_topic_spec *specs)
{
    kafka->partition_count = kafka_common_count(kafka, census, specs);
    for (int i = 0; i < kafka->topic_count; i++)
        specs[i].partition_count = kafka->partition_count;
}

static void kafka_names_take(struct kafka_bus *kafka, struct bus_topic_spec *specs, int count)
{
    kafka->topic_names = memory_new((size_t)count * sizeof(*kafka->topic_names));
    kafka->topic_count = count;
    for (int i = 0; i < count; i++) {
        size_t size = strlen(kafka->prefix) + strlen(specs[i].name) + 1;
        kafka->topic_names[i] = memory_new(size);
        snprintf(kafka->topic_names[i], size, "%s%s", kafka->prefix, specs[i].name);
        specs[i].created = false;
    }
}

void kafka_names_free(struct kafka_bus *kafka)
{
    for (int i = 0; i < kafka->topic_count; i++)
        memory_free(kafka->topic_names[i]);
    memory_free(kafka->topic_names);
    kafka->topic_names = NULL;
    kafka->topic_count = kafka->partition_count = 0;
}

/* A producer takes up to a second for its first record to a topic it has not heard of, so it hears
 * of all of them now. Its failure is no failure: the first appends are slow, that is all. */
static bool kafka_ready(struct kafka_bus *kafka, struct bus_error *error)
{
    size_t partitions = (size_t)kafka->topic_count * (size_t)kafka->partition_count;
    kafka->follows = memory_new(partitions * sizeof(*kafka->follows));
    kafka->owned = memory_new((size_t)kafka->partition_count * sizeof(*kafka->owned));
    kafka->consumer_topics = kafka_topics_new(kafka, kafka->consumer);
    if (!kafka_producer_open(kafka, error))
        return false;
    const struct rd_kafka_metadata *metadata;
    rd_kafka_t *handles[] = {kafka->producer, kafka->consumer};
    for (int i = 0; i < 2; i++)
        if (!rd_kafka_metadata(handles[i], 0, NULL, &metadata, KAFKA_OPEN_TIMEOUT_MS))
            rd_kafka_metadata_destroy(metadata);
    return true;
}

/* A cluster may answer and have nobody who is ready: brokers that were too busy for their
 * heartbeats are fenced for a while. */
static enum bus_result kafka_first_census(struct kafka_bus *kafka, struct kafka_census *census,
                                          struct bus_error *error)
{
    int64_t deadline_ms = clock_monotonic_ms() + KAFKA_SETTLE_TIMEOUT_MS;
    for (;;) {
        if (!kafka_census_take(kafka, census))
            return kafka_unreachable(kafka, error);
        if (census->broker_count > 0)
            return BUS_OK;
        if (clock_monotonic_ms() > deadline_ms) {
            snprintf(error->text, sizeof error->text,
                     "no broker is ready at '%.256s'; look into their logs", kafka->address);
            return BUS_UNREACHABLE;
        }
        kafka_pause();
    }
}

enum bus_result kafka_topics(struct bus *bus, struct bus_topic_spec *specs, int count,
                             struct bus_error *error)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    struct kafka_census census;
    if (count > TOPICS_MAX || kafka->topic_count > 0) {
        snprintf(error->text, sizeof error->text, "at most %d topics, and only once", TOPICS_MAX);
        return BUS_INVALID;
    }
    kafka_names_take(kafka, specs, count);
    enum bus_result result = kafka_first_census(kafka, &census, error);
    if (result == BUS_OK)
        result = kafka_counts_fit(kafka, &census, specs, error);
    if (result == BUS_OK)
        result = kafka_create_missing(kafka, &census, specs, error);
    if (result == BUS_OK)
        result = kafka_wait_for_leaders(kafka, &census, error);
    if (result == BUS_OK)
        result = kafka_counts_fit(kafka, &census, specs, error);
    if (result == BUS_OK) {
        kafka_counts_take(kafka, &census, specs);
        result = kafka_topics_check(kafka, specs, census.replicas, error);
    }
    if (result != BUS_OK) {
        kafka_names_free(kafka); /* so that the caller may try again */
        return result;
    }
    return kafka_ready(kafka, error) ? BUS_OK : BUS_INVALID;
}

/* ---- a copy becomes a log -------------------------------------------------------------------- */

static enum bus_result kafka_altered(struct kafka_bus *kafka, rd_kafka_event_t *event,
                                     struct bus_error *error)
{
    size_t count;
    if (!event || rd_kafka_event_error(event))
        return kafka_unreachable(kafka, error);
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t err = rd_kafka_ConfigResource_error(resources[i]);
        if (!err)
            continue;
        const char *why = rd_kafka_ConfigResource_error_string(resources[i]);
        snprintf(error->text, sizeof error->text, "cannot change the settings of '%.128s': %.256s",
                 rd_kafka_ConfigResource_name(resources[i]), why ? why : rd_kafka_err2str(err));
        return BUS_UNFIT;
    }
    return BUS_OK;
}

/* All settings at once: what is not named falls back to the broker's own. */
static enum bus_result kafka_alter(struct kafka_bus *kafka, const struct kafka_census *census,
                                   struct bus_error *error)
{
    rd_kafka_ConfigResource_t *resources[TOPICS_MAX];
    struct kafka_setting setting;
    for (int topic = 0; topic < kafka->topic_count; topic++) {
        resources[topic] =
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, kafka->topic_names[topic]);
        for (int i = 0; (setting = kafka_topic_setting(kafka, census->replicas[topic], i)).name;
             i++)
            rd_kafka_ConfigResource_set_config(resources[topic], setting.name, setting.value);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->consumer);
    rd_kafka_AdminOptions_t *options = kafka_admin_options(
        kafka->consumer, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, KAFKA_SETTLE_TIMEOUT_MS);
    rd_kafka_AlterConfigs(kafka->consumer, resources, (size_t)kafka->topic_count, options, queue);
    rd_kafka_event_t *event = kafka_admin_wait(queue, KAFKA_SETTLE_TIMEOUT_MS);
    enum bus_result result = kafka_altered(kafka, event, error);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy_array(resources, (size_t)kafka->topic_count);
    return result;
}

/* What the controller has done, brokers learn a moment later. */
enum bus_result kafka_copied(struct bus *bus, struct bus_error *error)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    struct bus_topic_spec specs[TOPICS_MAX];
    struct kafka_census census;
    int64_t deadline_ms = clock_monotonic_ms() + KAFKA_SETTLE_TIMEOUT_MS;
    bus->copying = false;
    if (!kafka_census_take(kafka, &census))
        return kafka_unreachable(kafka, error);
    for (int topic = 0; topic < kafka->topic_count; topic++)
        specs[topic] = (struct bus_topic_spec){.partition_count = kafka->partition_count};
    enum bus_result result = kafka_alter(kafka, &census, error);
    while (result == BUS_OK) {
        error->text[0] = '\0';
        result = kafka_topics_check(kafka, specs, census.replicas, error);
        if (result != BUS_UNFIT || clock_monotonic_ms() > deadline_ms)
            return result;
        kafka_pause();
        result = BUS_OK;
    }
    return result;
}
