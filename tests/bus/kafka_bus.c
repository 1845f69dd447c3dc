/* What is particular to Kafka. What every bus promises is tested in conformance.c.
 *
 * Needs a broker of its own: STAGEDOOR_TEST_KAFKA=HOST:PORT. Every case works on topics of a random
 * prefix, so cases and runs do not meet. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "bus/bus.h"
#include "bus/kafka.h"
#include "tests/support/broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000 };

static const char *broker(void)
{
    const char *address = getenv("STAGEDOOR_TEST_KAFKA");
    if (!address || !*address)
        fail_msg("STAGEDOOR_TEST_KAFKA is not set; try: make kafka-up, then "
                 "STAGEDOOR_TEST_KAFKA=localhost:9092");
    return address;
}

/* Two topics of `partitions` each, under one prefix for the case. */
struct stage {
    char prefix[64];
    char first[80]; /* the full name of topic 0 */
};

static void stage_init(struct stage *stage)
{
    char random[UUID_SIZE];
    snprintf(stage->prefix, sizeof stage->prefix, "test.%s.", uuid_random(random));
    snprintf(stage->first, sizeof stage->first, "%sone", stage->prefix);
}

static struct bus *opened(const struct stage *stage, const char *client, const char *instance)
{
    char url[256];
    struct bus *bus;
    struct bus_error error;
    struct bus_options options = {.client = client,
                                  .instance = instance,
                                  .topic_prefix = stage->prefix,
                                  .session_timeout_ms = 6000,
                                  .append_timeout_ms =
                                      6 * PATIENCE_MS}; /* a broker starts slowly */
    snprintf(url, sizeof url, "kafka://%s", broker());
    if (bus_open(&bus, url, &options, &error) != BUS_OK)
        fail_msg("%s", error.text);
    return bus;
}

static enum bus_result topics(struct bus *bus, int partitions, struct bus_error *error)
{
    static struct bus_topic_spec specs[2];
    specs[0] = (struct bus_topic_spec){"one", partitions, true, false};
    specs[1] = (struct bus_topic_spec){"two", partitions, true, false};
    return bus_topics(bus, specs, 2, error);
}

static struct bus *ready(const struct stage *stage, const char *client, const char *instance,
                         int partitions)
{
    struct bus_error error;
    struct bus *bus = opened(stage, client, instance);
    if (topics(bus, partitions, &error) != BUS_OK)
        fail_msg("%s", error.text);
    return bus;
}

/* Polls until an event of `type` comes, dropping others. */
static struct bus_event expect(struct bus *bus, enum bus_event_type type)
{
    struct bus_event event;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (clock_monotonic_ms() < until_ms)
        if (bus_poll(bus, 100, &event) && event.type == type)
            return event;
    fail_msg("no event of type %d came", (int)type);
    return event;
}

static void put(struct bus *bus, int topic, int partition, const char *value)
{
    struct bus_record record = {.value = text_of(value)};
    assert_int_equal(bus_append(bus, topic, partition, &record, 1), BUS_OK);
}

/* ---- the topics, made from outside ----------------------------------------------------------- */

static rd_kafka_t *outsider(void)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", broker(), text, sizeof text);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(handle);
    return handle;
}

/* Whether the broker shows the topic with all its partitions. Asking for all topics makes none. */
static bool shown(rd_kafka_t *handle, const char *name, int partitions)
{
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(handle, 1, NULL, &metadata, PATIENCE_MS))
        return false;
    bool found = false;
    for (int i = 0; i < metadata->topic_cnt && !found; i++)
        found = strcmp(metadata->topics[i].topic, name) == 0 &&
                metadata->topics[i].partition_cnt == partitions;
    rd_kafka_metadata_destroy(metadata);
    return found;
}

/* As `kafka-topics --create` does it, with at most one setting of its own. The controller answers
 * when the topic is decided, and brokers hear of it a moment later: waits until one shows it. */
static void make_topic(const char *name, int partitions, const char *setting, const char *value)
{
    char text[256];
    rd_kafka_t *handle = outsider();
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, text, sizeof text);
    if (setting)
        rd_kafka_NewTopic_set_config(topic, setting, value);
    rd_kafka_CreateTopics(handle, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), 0);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (!shown(handle, name, partitions))
        assert_true(clock_monotonic_ms() < until_ms);
    rd_kafka_destroy(handle);
}

static void delete_topic(const char *name)
{
    rd_kafka_t *handle = outsider();
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(handle, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    assert_non_null(event);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
}

/* Eats the records of topic 0, partition 0 below `offset`. */
static void eat(const char *name, int64_t offset)
{
    rd_kafka_t *handle = outsider();
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, name, 0)->offset = offset;
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(handle, &records, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PATIENCE_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), 0);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
}

/* ---- opening --------------------------------------------------------------------------------- */

static void kafka__nobody_answers_says_what_to_do(void **state)
{
    (void)state;
    struct bus *bus;
    struct bus_error error;
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(bus_open(&bus, "kafka://localhost:1", &(struct bus_options){0}, &error),
                     BUS_UNREACHABLE);
    assert_null(bus);
    assert_string_equal(error.text, "cannot reach 'localhost:1': connection refused; is Kafka "
                                    "running? try: make kafka-up");
    assert_true(clock_monotonic_ms() - start_ms < 8000);
}

static void kafka__unknown_host_is_named(void **state)
{
    (void)state;
    struct bus *bus;
    struct bus_error error;
    assert_int_equal(
        bus_open(&bus, "kafka://no-such-host.invalid:9092", &(struct bus_options){0}, &error),
        BUS_UNREACHABLE);
    assert_non_null(strstr(error.text, "cannot reach 'no-such-host.invalid:9092': "));
}

/* given a topic made from outside | when it is told to the bus | then it is refused, and why */
static void kafka__unfit_topics_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        int partitions;
        const char *setting, *value, *says;
    } cases[] = {
        {2, "retention.ms", "604800000", "retention.ms=604800000"},
        {2, "retention.bytes", "1000000", "retention.bytes=1000000"},
        {2, "cleanup.policy", "compact", "cleanup.policy=compact"},
        {2, "message.timestamp.type", "CreateTime", "message.timestamp.type=CreateTime"},
        {2, "max.message.bytes", "65536", "max.message.bytes=65536"},
        {3, NULL, NULL, "has 3 partitions, not 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage stage;
        struct bus_error error;
        stage_init(&stage);
        make_topic(stage.first, cases[i].partitions, cases[i].setting, cases[i].value);
        struct bus *bus = opened(&stage, "unfit", NULL);
        assert_int_equal(topics(bus, 2, &error), BUS_UNFIT);
        if (!strstr(error.text, stage.first) || !strstr(error.text, cases[i].says))
            fail_msg("expected '%s' in: %s", cases[i].says, error.text);
        bus_close(bus);
    }
}

static void kafka__eaten_records_are_refused(void **state)
{
    (void)state;
    struct stage stage;
    struct bus_error error;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "eaten", NULL, 1);
    put(bus, 0, 0, "a");
    put(bus, 0, 0, "b");
    expect(bus, BUS_APPENDED);
    expect(bus, BUS_APPENDED);
    bus_close(bus);
    eat(stage.first, 1);
    bus = opened(&stage, "eaten", NULL);
    assert_int_equal(topics(bus, 1, &error), BUS_UNFIT);
    assert_non_null(strstr(error.text, "begins at offset 1"));
    bus_close(bus);
}

static void kafka__topics_of_the_brokers_making_are_taken(void **state)
{
    (void)state;
    struct stage stage;
    struct bus_error error;
    stage_init(&stage);
    make_topic(stage.first, 3, NULL, NULL);
    struct bus *bus = opened(&stage, "foreign", NULL);
    struct bus_topic_spec specs[] = {{"one", 0, false, false}, {"two", 3, true, false}};
    if (bus_topics(bus, specs, 2, &error) != BUS_OK)
        fail_msg("%s", error.text);
    assert_int_equal(specs[0].partition_count, 3);
    assert_false(specs[0].created);
    assert_true(specs[1].created);
    bus_close(bus);
}

static void kafka__missing_topic_that_may_not_be_created_is_unfit(void **state)
{
    (void)state;
    struct stage stage;
    struct bus_error error;
    stage_init(&stage);
    struct bus *bus = opened(&stage, "missing", NULL);
    struct bus_topic_spec spec = {"one", 0, false, false};
    assert_int_equal(bus_topics(bus, &spec, 1, &error), BUS_UNFIT);
    assert_non_null(strstr(error.text, "does not exist"));
    spec.partition_count = 1;
    spec.may_create = true;
    assert_int_equal(bus_topics(bus, &spec, 1, &error), BUS_OK);
    bus_close(bus);
}

/* ---- records --------------------------------------------------------------------------------- */

static void kafka__headers_and_key_are_binary_safe(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "binary", NULL, 1);
    static const char bytes[] = "a\0b\xff\r\n";
    struct text all = text_from(bytes, sizeof bytes);
    struct bus_header headers[] = {
        {text_of("ce_type"), all}, {text_of("empty"), text_of("")}, {text_of("ce_type"), all}};
    struct bus_record record = {.key = all, .value = all, .headers = headers, .header_count = 3};
    assert_int_equal(bus_append(bus, 0, 0, &record, 7), BUS_OK);
    record = (struct bus_record){.value = text_of("bare")};
    assert_int_equal(bus_append(bus, 0, 0, &record, 8), BUS_OK);
    bus_follow(bus, 0, 0, 0);
    struct bus_event event = expect(bus, BUS_RECORD);
    assert_true(text_equal(event.record.key, all));
    assert_true(text_equal(event.record.value, all));
    assert_int_equal(event.record.header_count, 3);
    assert_true(text_is(event.record.headers[0].name, "ce_type"));
    assert_true(text_equal(event.record.headers[0].value, all));
    assert_int_equal(event.record.headers[1].value.size, 0);
    assert_true(text_equal(event.record.headers[2].value, all));
    assert_true(llabs(event.record.append_ms - clock_wall_ms()) < 60000);
    event = expect(bus, BUS_RECORD);
    assert_null(event.record.key.data);
    assert_int_equal(event.record.header_count, 0);
    bus_close(bus);
}

/* A record that another program wrote with more headers than we take. */
static void kafka__too_many_headers_are_counted_as_one_more(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "many", NULL, 1);
    rd_kafka_t *handle = outsider();
    rd_kafka_headers_t *headers = rd_kafka_headers_new(40);
    for (int i = 0; i < 40; i++)
        rd_kafka_header_add(headers, "h", -1, &i, sizeof i);
    rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(stage.first), RD_KAFKA_V_PARTITION(0),
                      RD_KAFKA_V_VALUE("x", 1), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                      RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    assert_int_equal(rd_kafka_flush(handle, PATIENCE_MS), 0);
    rd_kafka_destroy(handle);
    bus_follow(bus, 0, 0, 0);
    assert_int_equal(expect(bus, BUS_RECORD).record.header_count, BUS_HEADERS_MAX + 1);
    bus_close(bus);
}

static void kafka__largest_record_lands_and_larger_is_refused(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "large", NULL, 1);
    char *bytes = memory_new(BUS_VALUE_SIZE_MAX + 1);
    struct bus_record record = {.value = text_from(bytes, BUS_VALUE_SIZE_MAX + 1)};
    assert_int_equal(bus_append(bus, 0, 0, &record, 1), BUS_INVALID);
    record.value.size--;
    for (int i = 0; i < 50; i++) /* several to a batch, so that the batch counts too */
        assert_int_equal(bus_append(bus, 0, 0, &record, 1), BUS_OK);
    bus_follow(bus, 0, 0, 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(expect(bus, BUS_RECORD).record.value.size, BUS_VALUE_SIZE_MAX);
    memory_free(bytes);
    bus_close(bus);
}

/* ---- following ------------------------------------------------------------------------------- */

static void fill(struct bus *bus, int topic, int partition, int count)
{
    char value[16];
    struct bus_event event;
    int answered = 0;
    for (int i = 0; i < count; i++) {
        snprintf(value, sizeof value, "%d", i);
        put(bus, topic, partition, value);
    }
    while (answered < count)
        if (bus_poll(bus, 100, &event)) {
            assert_int_equal(event.type, BUS_APPENDED);
            answered++;
        }
}

static void kafka__following_again_brings_nothing_stale(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static const int starts[] = {0, 4000, 10, 2500, 0, 4999};
    struct stage stage;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "again", NULL, 2);
    fill(bus, 0, 0, COUNT);
    fill(bus, 0, 1, COUNT);
    bus_follow(bus, 0, 1, 0);
    int64_t other = 0;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct bus_event event;
        bus_follow(bus, 0, 0, COUNT + 100); /* a verdict that comes too late to matter */
        bus_follow(bus, 0, 0, starts[i]);
        for (int64_t next = starts[i]; next < starts[i] + 700 && next < COUNT;) {
            if (!bus_poll(bus, PATIENCE_MS, &event))
                fail_msg("nothing comes at %lld", (long long)next);
            assert_int_not_equal(event.type, BUS_LOST);
            if (event.type != BUS_RECORD)
                continue;
            assert_int_equal(event.offset, event.partition == 0 ? next : other);
            next += event.partition == 0;
            other += event.partition == 1;
        }
    }
    bus_unfollow(bus, 0, 0);
    while (other < COUNT) {
        struct bus_event event = expect(bus, BUS_RECORD);
        assert_int_equal(event.partition, 1);
        assert_int_equal(event.offset, other++);
    }
    bus_close(bus);
}

static void kafka__offset_beyond_the_end_is_lost(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "beyond", NULL, 1);
    fill(bus, 0, 0, 3);
    bus_follow(bus, 0, 0, 4);
    struct bus_event event = expect(bus, BUS_LOST);
    assert_int_equal(event.offset, 4);
    assert_non_null(strstr(event.reason, "no offset 4"));
    bus_follow(bus, 0, 0, 3);
    assert_int_equal(expect(bus, BUS_CAUGHT_UP).offset, 3);
    int64_t end;
    assert_int_equal(bus_end(bus, 0, 0, &end), BUS_OK);
    assert_int_equal(end, 3);
    bus_close(bus);
}

static void kafka__deleted_topic_is_lost(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "deleted", NULL, 1);
    fill(bus, 0, 0, 3);
    bus_follow(bus, 0, 0, 0);
    expect(bus, BUS_CAUGHT_UP);
    delete_topic(stage.first);
    struct bus_event event = expect(bus, BUS_LOST);
    assert_int_equal(event.topic, 0);
    assert_int_equal(event.offset, 3);
    bus_close(bus);
}

static void kafka__topic_made_again_is_lost(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "remade", NULL, 1);
    fill(bus, 0, 0, 3);
    bus_follow(bus, 0, 0, 0);
    expect(bus, BUS_CAUGHT_UP);
    delete_topic(stage.first);
    make_topic(stage.first, 1, NULL, NULL);
    assert_int_equal(expect(bus, BUS_LOST).offset, 3);
    bus_close(bus);
}

/* ---- the producer ---------------------------------------------------------------------------- */

static void kafka__broken_producer_fails_all_and_is_replaced(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    struct stage stage;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "broken", NULL, 1);
    struct kafka_bus *kafka = memory_owner(bus, struct kafka_bus, bus);
    for (int i = 0; i < COUNT; i++)
        put(bus, 0, 0, "old");
    rd_kafka_test_fatal_error(kafka->producer, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              "a test wants it so");
    int answered = 0;
    struct bus_record record = {.value = text_of("new")};
    struct bus_event event;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (bus_append(bus, 0, 0, &record, 2) == BUS_FULL) {
        assert_true(clock_monotonic_ms() < until_ms);
        if (bus_poll(bus, 10, &event)) {
            assert_int_equal(event.tag, 1);
            answered++;
        }
    }
    assert_int_equal(answered, COUNT);
    assert_int_equal(expect(bus, BUS_APPENDED).tag, 2);
    bus_close(bus);
}

/* ---- membership ------------------------------------------------------------------------------ */

static const int both[] = {0, 1};

/* Polls all until the first owns `want[0]` partitions, the second `want[1]`, … */
static void settle(struct bus *const *buses, int count, int *owns, const int *want)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (;;) {
        bool settled = true;
        for (int i = 0; i < count; i++) {
            struct bus_event event;
            while (bus_poll(buses[i], 5, &event)) {
                assert_int_not_equal(event.type, BUS_RECORD);
                owns[i] += event.type == BUS_ASSIGNED;
                owns[i] -= event.type == BUS_REVOKED;
            }
            settled &= owns[i] == want[i];
        }
        if (settled)
            return;
        if (clock_monotonic_ms() > until_ms)
            fail_msg("membership does not settle: %d of %d", owns[0], want[0]);
    }
}

static void kafka__leaving_hands_over_at_once(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *buses[] = {ready(&stage, "a", "a", 4), ready(&stage, "b", "b", 4)};
    int owns[2] = {0};
    assert_int_equal(bus_join(buses[0], "group", both, 2), BUS_OK);
    settle(buses, 1, owns, (const int[]){4});
    assert_int_equal(bus_join(buses[1], "group", both, 2), BUS_OK);
    settle(buses, 2, owns, (const int[]){2, 2});
    int64_t start_ms = clock_monotonic_ms();
    bus_leave(buses[0]);
    int64_t left_ms = clock_monotonic_ms();
    settle(&buses[1], 1, &owns[1], (const int[]){4});
    print_message("leaving took %d ms, handing over %d ms\n", (int)(left_ms - start_ms),
                  (int)(clock_monotonic_ms() - start_ms));
    assert_true(clock_monotonic_ms() - start_ms < 3500); /* the session would take 6000 */
    bus_close(buses[0]);
    bus_close(buses[1]);
}

static void kafka__successor_takes_its_place_back(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *buses[] = {ready(&stage, "a", "a", 4), ready(&stage, "b", "b", 4)};
    int owns[2] = {0};
    bus_join(buses[0], "group", both, 2);
    settle(buses, 1, owns, (const int[]){4});
    bus_join(buses[1], "group", both, 2);
    settle(buses, 2, owns, (const int[]){2, 2});
    bus_close(buses[0]);
    buses[0] = ready(&stage, "a", "a", 4);
    owns[0] = 0;
    int64_t start_ms = clock_monotonic_ms();
    bus_join(buses[0], "group", both, 2);
    struct bus_event event;
    while (owns[0] < 2) {
        if (bus_poll(buses[0], 10, &event))
            owns[0] += event.type == BUS_ASSIGNED;
        if (bus_poll(buses[1], 0, &event)) /* the others notice nothing */
            fail_msg("the other member saw event %d", (int)event.type);
        assert_true(clock_monotonic_ms() - start_ms < 4000);
    }
    print_message("back after %d ms\n", (int)(clock_monotonic_ms() - start_ms));
    bus_close(buses[0]);
    bus_close(buses[1]);
}

static void kafka__same_instance_twice_takes_over_from_the_first(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *first = ready(&stage, "a", "same", 4), *second = ready(&stage, "b", "same", 4);
    int owns = 0;
    bus_join(first, "group", both, 2);
    settle(&first, 1, &owns, (const int[]){4});
    bus_join(second, "group", both, 2);
    int second_owns = 0;
    settle(&second, 1, &second_owns, (const int[]){4});
    settle(&first, 1, &owns, (const int[]){0});
    bus_close(first);
    bus_close(second);
}

/* A broker that was frozen fences a member that has only come back: nobody else has its partitions
 * then. Here a younger one of the same name fences it, and is gone. */
static void kafka__fenced_member_comes_back(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage);
    struct bus *first = ready(&stage, "a", "same", 4), *second = ready(&stage, "b", "same", 4);
    int owns = 0, second_owns = 0;
    bus_join(first, "group", both, 2);
    settle(&first, 1, &owns, (const int[]){4});
    bus_join(second, "group", both, 2);
    settle(&second, 1, &second_owns, (const int[]){4});
    settle(&first, 1, &owns, (const int[]){0});
    bus_close(second);
    settle(&first, 1, &owns, (const int[]){4});
    bus_close(first);
}

/* ---- a broker that dies, on a broker of this test's own -------------------------------------- */

static int own_broker_up(void **state)
{
    *state = getenv("STAGEDOOR_TEST_KAFKA");
    return setenv("STAGEDOOR_TEST_KAFKA", broker_address(), 1);
}

static int own_broker_gone(void **state)
{
    broker_gone();
    return *state ? setenv("STAGEDOOR_TEST_KAFKA", *state, 1) : unsetenv("STAGEDOOR_TEST_KAFKA");
}

struct killing {
    int answered, failed;
    int64_t next; /* offset */
};

/* Polls until `type`, checking all the rest: order, nothing lost. */
static void watch(struct bus *bus, enum bus_event_type type, struct killing *killing)
{
    struct bus_event event;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (clock_monotonic_ms() < until_ms) {
        if (!bus_poll(bus, 100, &event))
            continue;
        assert_int_not_equal(event.type, BUS_LOST);
        if (event.type == BUS_RECORD)
            assert_int_equal(event.offset, killing->next++);
        killing->answered += event.type == BUS_APPENDED || event.type == BUS_FAILED;
        killing->failed += event.type == BUS_FAILED;
        if (event.type == BUS_DOWN)
            print_message("down: %s\n", event.reason);
        if (event.type == type)
            return;
    }
    fail_msg("no event of type %d came", (int)type);
}

static void kafka__broker_killed_and_back(void **state)
{
    (void)state;
    struct stage stage;
    struct killing killing = {0};
    int64_t end;
    stage_init(&stage);
    struct bus *bus = ready(&stage, "killed", NULL, 1);
    bus_follow(bus, 0, 0, 0);
    for (int round = 1; round <= 2; round++) {
        put(bus, 0, 0, "before");
        watch(bus, BUS_RECORD, &killing);
        broker_kill();
        put(bus, 0, 0, "while down");
        watch(bus, BUS_DOWN, &killing);
        int64_t start_ms = clock_monotonic_ms();
        assert_int_equal(bus_end(bus, 0, 0, &end), BUS_UNREACHABLE);
        assert_true(clock_monotonic_ms() - start_ms < 1500);
        broker_up();
        watch(bus, BUS_UP, &killing);
        put(bus, 0, 0, "after");
        while (killing.answered < 3 * round)
            watch(bus, BUS_APPENDED, &killing);
        assert_int_equal(bus_end(bus, 0, 0, &end), BUS_OK);
        while (killing.next < end)
            watch(bus, BUS_RECORD, &killing);
    }
    assert_int_equal(killing.failed, 0);
    assert_int_equal(killing.next, 6);
    bus_close(bus);
}

int main(void)
{
    log_set_level(getenv("STAGEDOOR_TEST_DEBUG") ? LOG_DEBUG : LOG_WARNING);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kafka__nobody_answers_says_what_to_do),
        cmocka_unit_test(kafka__unknown_host_is_named),
        cmocka_unit_test(kafka__unfit_topics_are_refused_by_name),
        cmocka_unit_test(kafka__eaten_records_are_refused),
        cmocka_unit_test(kafka__topics_of_the_brokers_making_are_taken),
        cmocka_unit_test(kafka__missing_topic_that_may_not_be_created_is_unfit),
        cmocka_unit_test(kafka__headers_and_key_are_binary_safe),
        cmocka_unit_test(kafka__too_many_headers_are_counted_as_one_more),
        cmocka_unit_test(kafka__largest_record_lands_and_larger_is_refused),
        cmocka_unit_test(kafka__following_again_brings_nothing_stale),
        cmocka_unit_test(kafka__offset_beyond_the_end_is_lost),
        cmocka_unit_test(kafka__deleted_topic_is_lost),
        cmocka_unit_test(kafka__topic_made_again_is_lost),
        cmocka_unit_test(kafka__broken_producer_fails_all_and_is_replaced),
        cmocka_unit_test(kafka__leaving_hands_over_at_once),
        cmocka_unit_test(kafka__successor_takes_its_place_back),
        cmocka_unit_test(kafka__same_instance_twice_takes_over_from_the_first),
        cmocka_unit_test(kafka__fenced_member_comes_back),
        cmocka_unit_test_setup_teardown(kafka__broker_killed_and_back, own_broker_up,
                                        own_broker_gone),
    };
    if (getenv("STAGEDOOR_TEST_ONLY")) /* a pattern, as in kafka__broken* */
        cmocka_set_test_filter(getenv("STAGEDOOR_TEST_ONLY"));
    return cmocka_run_group_tests_name("kafka", tests, NULL, NULL);
}
