/* Is a topic fit to be an event log? Kafka's defaults are not: they delete after seven days and
 * believe the clients' clocks. Better to refuse at start than to find out in a week. */
#include "bus/kafka.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kafka_rule {
    const char *setting;
    const char *value;
    bool replicated_only;
    bool at_least; /* a number, and more is as good */
    const char *why;
};

static const struct kafka_rule rules[] = {
    {"cleanup.policy", "delete", false, false, "compaction would eat records"},
    {"retention.ms", "-1", false, false, "records would be deleted after a while"},
    {"retention.bytes", "-1", false, false, "records would be deleted when there are many"},
    {KAFKA_TIME_SETTING, "LogAppendTime", false, false, "time must be the log's own"},
    {"min.insync.replicas", "2", true, true, "an acknowledged record could be lost with one disk"},
    {"unclean.leader.election.enable", "false", true, false,
     "a replica that lags could become the log"},
};

const char *kafka_config(const rd_kafka_ConfigResource_t *resource, const char *name)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

static bool kafka_rule_kept(const struct kafka_rule *rule, const char *value)
{
    if (!value)
        return false;
    return rule->at_least ? atol(value) >= atol(rule->value) : strcmp(value, rule->value) == 0;
}

static enum bus_result kafka_check_one(struct kafka_bus *kafka,
                                       const rd_kafka_ConfigResource_t *resource, int replicas,
                                       struct bus_error *error)
{
    const char *name = rd_kafka_ConfigResource_name(resource);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct kafka_rule *rule = &rules[i];
        const char *value = kafka_config(resource, rule->setting);
        if (kafka->bus.copying && strcmp(rule->setting, KAFKA_TIME_SETTING) == 0)
            continue;
        if ((rule->replicated_only && replicas < 2) || kafka_rule_kept(rule, value))
            continue;
        snprintf(error->text, sizeof error->text,
                 "topic '%.96s' has %s=%.64s: %s; try: kafka-configs --bootstrap-server %.64s "
                 "--alter --topic %.96s --add-config %s=%s",
                 name, rule->setting, value ? value : "(hidden)", rule->why, kafka->address, name,
                 rule->setting, rule->value);
        return BUS_UNFIT;
    }
    const char *batch = kafka_config(resource, "max.message.bytes");
    long batch_max = batch ? atol(batch) : 0;
    if (batch_max < BUS_VALUE_SIZE_MAX + KAFKA_BATCH_OVERHEAD) {
        snprintf(error->text, sizeof error->text,
                 "topic '%.96s' has max.message.bytes=%ld: our largest record does not fit; try: "
                 "kafka-configs --bootstrap-server %.64s --alter --topic %.96s --add-config "
                 "max.message.bytes=1048588",
                 name, batch_max, kafka->address, name);
        return BUS_UNFIT;
    }
    if (batch_max < kafka->batch_size)
        kafka->batch_size = (int)batch_max;
    return BUS_OK;
}

/* A topic just made is not yet known to every broker, and its leaders not yet to themselves. */
static bool kafka_settling(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           err == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

static enum bus_result kafka_check_results(struct kafka_bus *kafka, const int *replicas,
                                           rd_kafka_event_t *event, bool *settling,
                                           struct bus_error *error)
{
    *settling = false;
    if (!event || rd_kafka_event_error(event))
        return kafka_unreachable(kafka, error);
    size_t count;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigResource_name(resources[i]);
        rd_kafka_resp_err_t err = rd_kafka_ConfigResource_error(resources[i]);
        *settling = kafka_settling(err);
        if (err) {
            snprintf(error->text, sizeof error->text, "cannot see the settings of '%.256s': %s",
                     name, rd_kafka_err2str(err));
            return BUS_UNFIT;
        }
        int topic = 0;
        while (topic < kafka->topic_count && strcmp(kafka->topic_names[topic], name) != 0)
            topic++;
        if (topic == kafka->topic_count)
            continue;
        enum bus_result result = kafka_check_one(kafka, resources[i], replicas[topic], error);
        if (result != BUS_OK)
            return result;
    }
    return BUS_OK;
}

static enum bus_result kafka_check_settings(struct kafka_bus *kafka, const int *replicas,
                                            bool *settling, struct bus_error *error)
{
    size_t count = (size_t)kafka->topic_count;
    rd_kafka_ConfigResource_t **resources = memory_new(count * sizeof(*resources));
    for (size_t i = 0; i < count; i++)
        resources[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, kafka->topic_names[i]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->consumer);
    rd_kafka_AdminOptions_t *options = kafka_admin_options(
        kafka->consumer, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, KAFKA_OPEN_TIMEOUT_MS);
    rd_kafka_DescribeConfigs(kafka->consumer, resources, count, options, queue);
    rd_kafka_event_t *event = kafka_admin_wait(queue, KAFKA_OPEN_TIMEOUT_MS);
    enum bus_result result = kafka_check_results(kafka, replicas, event, settling, error);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy_array(resources, count);
    memory_free(resources);
    return result;
}

/* Asks where every partition begins; false: nobody answered. `*settled`: all of them were known. */
static bool kafka_starts(struct kafka_bus *kafka, rd_kafka_topic_partition_list_t *list,
                         bool *settled)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING; /* as a time: that of the first record */
    rd_kafka_resp_err_t err =
        rd_kafka_offsets_for_times(kafka->consumer, list, KAFKA_OPEN_TIMEOUT_MS);
    *settled = !err;
    for (int i = 0; !err && i < list->cnt; i++) {
        *settled &= !list->elems[i].err;
        if (list->elems[i].err && !kafka_settling(list->elems[i].err))
            err = list->elems[i].err;
    }
    if (err && !kafka_settling(err))
        kafka_trouble_print(rd_kafka_err2str(err), kafka->trouble);
    return !err || kafka_settling(err);
}

/* A log that does not start at 0 has lost its beginning, and with it every state. */
static enum bus_result kafka_check_starts(struct kafka_bus *kafka,
                                          const struct bus_topic_spec *specs,
                                          struct bus_error *error)
{
    int64_t deadline_ms = clock_monotonic_ms() + KAFKA_SETTLE_TIMEOUT_MS;
    bool answered, settled;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int i = 0; i < kafka->topic_count; i++)
        rd_kafka_topic_partition_list_add_range(list, kafka->topic_names[i], 0,
                                                specs[i].partition_count - 1);
    while ((answered = kafka_starts(kafka, list, &settled)) && !settled &&
           clock_monotonic_ms() < deadline_ms)
        kafka_pause();
    enum bus_result result = answered && settled ? BUS_OK : kafka_unreachable(kafka, error);
    for (int i = 0; result == BUS_OK && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *found = &list->elems[i];
        if (found->offset <= 0)
            continue;
        snprintf(error->text, sizeof error->text,
                 "topic '%.128s' partition %d begins at offset %lld: its first records are gone, "
                 "and without them nothing can be known; restore the topic from a backup, or use "
                 "another topic prefix",
                 found->topic, found->partition, (long long)found->offset);
        result = BUS_UNFIT;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return result;
}

enum bus_result kafka_topics_check(struct kafka_bus *kafka, const struct bus_topic_spec *specs,
                                   const int *replicas, struct bus_error *error)
{
    int64_t deadline_ms = clock_monotonic_ms() + KAFKA_SETTLE_TIMEOUT_MS;
    bool settling;
    enum bus_result result;
    while ((result = kafka_check_settings(kafka, replicas, &settling, error)) != BUS_OK &&
           settling && clock_monotonic_ms() < deadline_ms)
        kafka_pause();
    return result == BUS_OK ? kafka_check_starts(kafka, specs, error) : result;
}
