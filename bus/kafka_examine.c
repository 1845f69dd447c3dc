/* A cluster as the one who runs it should see it. */
#include "base/memory.h"
#include "bus/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct examination {
    struct kafka_bus *kafka;
    const struct bus_examination *told;
    int broker_count;
};

/* ---- a broker's settings --------------------------------------------------------------------- */
enum comparison { IS, AT_MOST, AT_LEAST };

static const struct broker_rule {
    const char *setting;
    enum comparison comparison;
    const char *value;
    enum bus_state state;
    int brokers_min; /* matters only with so many brokers … */
    int brokers_max; /* … or so few; 0: any number */
    const char *why;
} broker_rules[] = {
    {"auto.create.topics.enable", IS, "false", BUS_WRONG, 0, 0,
     "a misspelt topic makes itself, with settings that lose records after a week"},
    {"unclean.leader.election.enable", IS, "false", BUS_NOTE, 2, 0,
     "our topics forbid it, others may lose records"},
    {"group.min.session.timeout.ms", AT_MOST, "6000", BUS_GRAVE, 0, 0,
     "services are not let into their groups, and nobody sells"},
    {"group.max.session.timeout.ms", AT_LEAST, "6000", BUS_GRAVE, 0, 0,
     "services are not let into their groups, and nobody sells"},
    {"group.initial.rebalance.delay.ms", AT_MOST, "1000", BUS_NOTE, 0, 0,
     "the first service of each group waits so long before it sells"},
    {"log.flush.interval.messages", AT_MOST, "1", BUS_NOTE, 0, 2,
     "a single broker tells 'written' before the disk has it: what was sold in the last seconds is "
     "lost when the power goes"},
};

static bool keeps(const struct broker_rule *rule, const char *value)
{
    switch (rule->comparison) {
    case IS:
        return strcmp(value, rule->value) == 0;
    case AT_MOST:
        return strtoll(value, NULL, 10) <= strtoll(rule->value, NULL, 10);
    case AT_LEAST:
        return strtoll(value, NULL, 10) >= strtoll(rule->value, NULL, 10);
    }
    return false;
}

static bool matters(const struct broker_rule *rule, int broker_count)
{
    return broker_count >= rule->brokers_min &&
           (rule->brokers_max == 0 || broker_count <= rule->brokers_max);
}

static void compare_settings(const struct examination *exam, int broker,
                             const rd_kafka_ConfigResource_t *resource)
{
    char mend[BUS_ERROR_SIZE];
    int broken = 0;
    for (size_t i = 0; i < sizeof broker_rules / sizeof *broker_rules; i++) {
        const struct broker_rule *rule = &broker_rules[i];
        const char *value = kafka_config(resource, rule->setting);
        if (value == NULL || !matters(rule, exam->broker_count) || keeps(rule, value))
            continue;
        broken++;
        snprintf(mend, sizeof mend, "set %s=%s in the broker's server.properties and restart it",
                 rule->setting, rule->value);
        bus_examined(exam->told, rule->state, "broker", mend, "broker %d has %s=%.64s: %s", broker,
                     rule->setting, value, rule->why);
    }
    if (broken == 0)
        bus_examined(exam->told, BUS_FINE, "broker", "", "broker %d is set as it should be",
                     broker);
}

static void look_at_broker(const struct examination *exam, int broker)
{
    char name[16];
    size_t count = 0;
    snprintf(name, sizeof name, "%d", broker);
    rd_kafka_t *handle = exam->kafka->consumer;
    rd_kafka_ConfigResource_t *asked = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_AdminOptions_t *options =
        kafka_admin_options(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, KAFKA_OPEN_TIMEOUT_MS);
    rd_kafka_DescribeConfigs(handle, &asked, 1, options, queue);
    rd_kafka_event_t *event = kafka_admin_wait(queue, KAFKA_OPEN_TIMEOUT_MS);
    const rd_kafka_ConfigResource_t **resources = NULL;
    if (event && !rd_kafka_event_error(event))
        resources = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &count);
    if (count == 1 && !rd_kafka_ConfigResource_error(resources[0]))
        compare_settings(exam, broker, resources[0]);
    else
        bus_examined(exam->told, BUS_NOTE, "broker",
                     "let this user describe the configs of the cluster",
                     "the settings of broker %d cannot be seen: %s", broker,
                     count == 1 ? rd_kafka_err2str(rd_kafka_ConfigResource_error(resources[0]))
                                : "no answer");
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(asked);
}

/* ---- copies ---------------------------------------------------------------------------------- */
static void look_at_topic(const struct examination *exam, const rd_kafka_metadata_topic_t *topic)
{
    int behind = 0, leaderless = 0, copies = 0;
    for (int i = 0; i < topic->partition_cnt; i++) {
        const rd_kafka_metadata_partition_t *partition = &topic->partitions[i];
        behind += partition->isr_cnt < partition->replica_cnt;
        leaderless += partition->leader < 0;
        copies = partition->replica_cnt;
    }
    if (leaderless)
        bus_examined(exam->told, BUS_GRAVE, "replicas", "start the brokers that are down",
                     "%d partitions of '%.128s' have no leader: nothing is sold there", leaderless,
                     topic->topic);
    else if (behind)
        bus_examined(exam->told, BUS_WRONG, "replicas", "look why a broker is down or slow",
                     "%d partitions of '%.128s' lack copies that are up to date", behind,
                     topic->topic);
    else if (copies == 1 && exam->broker_count > 1)
        bus_examined(
            exam->told, BUS_WRONG, "replicas",
            "stagedoor export, and import into topics made anew: they get up to three copies",
            "'%.128s' has one copy, though there are %d brokers", topic->topic, exam->broker_count);
}

static bool is_ours(const struct kafka_bus *kafka, const char *name)
{
    for (int i = 0; i < kafka->topic_count; i++)
        if (strcmp(kafka->topic_names[i], name) == 0)
            return true;
    return false;
}

void kafka_examine(struct bus *bus, const struct bus_examination *examination)
{
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    struct examination exam = {kafka, examination, 0};
    const struct rd_kafka_metadata *metadata;
    int version = rd_kafka_version();
    bus_examined(examination, version < 0x02000000 ? BUS_WRONG : BUS_FINE, "versions",
                 version < 0x02000000 ? "install librdkafka 2.0 or newer" : "", "librdkafka %s",
                 rd_kafka_version_str());
    if (rd_kafka_metadata(kafka->consumer, 1, NULL, &metadata, KAFKA_OPEN_TIMEOUT_MS)) {
        bus_examined(examination, BUS_GRAVE, "broker", "is Kafka running? try: make kafka-up",
                     "'%.128s' does not say which brokers there are", kafka->address);
        return;
    }
    exam.broker_count = metadata->broker_cnt;
    for (int i = 0; i < metadata->broker_cnt; i++)
        look_at_broker(&exam, metadata->brokers[i].id);
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (is_ours(kafka, metadata->topics[i].topic))
            look_at_topic(&exam, &metadata->topics[i]);
    rd_kafka_metadata_destroy(metadata);
}
