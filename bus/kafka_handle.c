/* What every librdkafka handle of ours shares: settings, log, queues that wake, topic handles, and
 * an end that does not hang. */
#include "bus/kafka.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Runs in librdkafka's threads. A dead broker makes every handle complain several times a second;
 * BUS_DOWN says it once, so connection trouble is for debugging only. So is what we do on purpose
 * (CONFWARN: a setting that this type of handle does not need; TERMINATE: closed with appends in
 * flight) and what we say ourselves (FATAL). */
static void kafka_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    enum { SYSLOG_WARNING = 4 };
    static const char *const quieted[] = {"FAIL",     "ERROR",     "CONFWARN", "MAXPOLL",
                                          "REQTMOUT", "TERMINATE", "GETPID",   "FATAL"};
    bool quiet = level > SYSLOG_WARNING;
    for (size_t i = 0; i < sizeof quieted / sizeof *quieted; i++)
        quiet |= strcmp(facility, quieted[i]) == 0;
    const char *client = handle ? rd_kafka_name(handle) : "kafka";
    log_line(quiet ? LOG_DEBUG : LOG_WARNING, client, "librdkafka %s: %s", facility, text);
}

static bool kafka_set(rd_kafka_conf_t *conf, const struct kafka_setting *settings,
                      struct bus_error *error)
{
    char text[BUS_ERROR_SIZE - 32];
    for (; settings->name; settings++)
        if (rd_kafka_conf_set(conf, settings->name, settings->value, text, sizeof text)) {
            snprintf(error->text, sizeof error->text, "cannot set up kafka: %s", text);
            return false;
        }
    return true;
}

rd_kafka_t *kafka_handle_open(struct kafka_bus *kafka, rd_kafka_type_t type,
                              const struct kafka_setting *settings, int events,
                              struct bus_error *error)
{
    char client[21], answer[16], text[BUS_ERROR_SIZE / 2];
    /* librdkafka before 2.5 crashes on long ones */
    snprintf(client, sizeof client, "%s", kafka->client);
    snprintf(answer, sizeof answer, "%d", KAFKA_ANSWER_TIMEOUT_MS);
    const struct kafka_setting shared[] = {
        {"bootstrap.servers", kafka->address},
        {"client.id", client},
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"},
        /* A connection may die without a word (a firewall forgot it). Nothing but an answer that
         * does not come shows that, and librdkafka's own patience is a minute. */
        {"socket.timeout.ms", answer},
        {"isolation.level", "read_uncommitted"}, /* of bus_end too, which the producer answers */
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, kafka_log);
    rd_kafka_conf_set_events(conf, events);
    if (!kafka_set(conf, shared, error) || !kafka_set(conf, settings, error) ||
        !kafka_properties_set(conf, &kafka->properties, error)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_t *handle = rd_kafka_new(type, conf, text, sizeof text);
    if (!handle) {
        rd_kafka_conf_destroy(conf);
        snprintf(error->text, sizeof error->text,
                 "cannot use 'kafka://%.128s': %s; check the address", kafka->address, text);
    }
    return handle;
}

rd_kafka_queue_t *kafka_queue_take(struct kafka_bus *kafka, rd_kafka_queue_t *queue)
{
    rd_kafka_queue_io_event_enable(queue, kafka->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    return queue;
}

void kafka_queue_release(rd_kafka_queue_t **queue)
{
    if (!*queue)
        return;
    /* The queue may live on inside a handle that dies slowly, the descriptor's number not. */
    rd_kafka_queue_io_event_enable(*queue, -1, NULL, 0);
    rd_kafka_queue_destroy(*queue);
    *queue = NULL;
}

rd_kafka_topic_t **kafka_topics_new(struct kafka_bus *kafka, rd_kafka_t *handle)
{
    rd_kafka_topic_t **topics = memory_new((size_t)kafka->topic_count * sizeof(*topics));
    for (int i = 0; i < kafka->topic_count; i++) {
        char text[256];
        rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(handle);
        rd_kafka_topic_conf_set_opaque(conf, (void *)(intptr_t)i);
        /* Only a consumer has this one; a producer takes it and does not care. */
        rd_kafka_conf_res_t set =
            rd_kafka_topic_conf_set(conf, "auto.offset.reset", "error", text, sizeof text);
        assert(set == RD_KAFKA_CONF_OK);
        topics[i] = rd_kafka_topic_new(handle, kafka->topic_names[i], conf);
        assert(topics[i]); /* the name was good enough for the broker */
    }
    return topics;
}

void kafka_topics_free(struct kafka_bus *kafka, rd_kafka_topic_t ***topics)
{
    for (int i = 0; *topics && i < kafka->topic_count; i++)
        rd_kafka_topic_destroy((*topics)[i]);
    memory_free(*topics);
    *topics = NULL;
}

int kafka_topic_number(const rd_kafka_topic_t *topic)
{
    return (int)(intptr_t)rd_kafka_topic_opaque(topic);
}

static void *kafka_destroy(void *handle)
{
    /* No goodbye to the group: who wants to leave says so (bus_leave), and who does not keeps its
     * place for a successor. */
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

void kafka_handles_discard(rd_kafka_t *const *handles, int count, int64_t deadline_ms)
{
    enum { HANDLES_MAX = 3 };
    pthread_t threads[HANDLES_MAX];
    bool started[HANDLES_MAX] = {false};
    assert(count <= HANDLES_MAX);
    for (int i = 0; i < count; i++) {
        if (!handles[i])
            continue;
        started[i] = pthread_create(&threads[i], NULL, kafka_destroy, handles[i]) == 0;
        if (!started[i])
            log_line(LOG_WARNING, "kafka", "no thread to close a connection in; left open");
    }
    for (int i = 0; i < count; i++) {
        if (!started[i])
            continue;
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        int64_t until_ms = clock_wall_ms() + (left_ms > 0 ? left_ms : 0);
        struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
        if (pthread_timedjoin_np(threads[i], NULL, &until)) {
            pthread_detach(threads[i]);
            log_line(LOG_WARNING, "kafka", "a connection does not close in time; left to itself");
        }
    }
}

const char *kafka_trouble_print(const char *complaint, char out[KAFKA_REASON_SIZE])
{
    /* "localhost:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after
     * 0ms in state CONNECT)"; "localhost:9092/1: Disconnected: verify that … (after 5ms in …)" */
    static const char *const ends[] = {" (after ", ": verify ", ": might be caused"};
    const char *slash = strchr(complaint, '/');
    const char *name_end = slash ? strstr(slash, ": ") : NULL;
    const char *start = name_end ? name_end + 2 : complaint;
    const char *failed = strstr(start, " failed: "), *quoted = strstr(start, "': ");
    if (failed)
        start = failed + strlen(" failed: ");
    else if (quoted)
        start = quoted + strlen("': ");
    size_t size = strlen(start);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *end = strstr(start, ends[i]);
        if (end && (size_t)(end - start) < size)
            size = (size_t)(end - start);
    }
    snprintf(out, KAFKA_REASON_SIZE, "%.*s", (int)size, start);
    if (!isupper((unsigned char)out[1])) /* SASL stays what it is */
        out[0] = (char)tolower((unsigned char)out[0]);
    return out;
}
