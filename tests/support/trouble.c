/* Each trouble, three times. */
#include "tests/support/trouble.h"

#include "bus/kafka.h"
#include "bus/sqlite.h"
#include "tests/support/broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000 };

static sqlite3 *open_database(const struct stage *stage)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(stage->url + strlen("sqlite:"), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, PATIENCE_MS);
    return db;
}

static void lock_database(struct stage *stage, bool locked)
{
    if (locked) {
        stage->lock = open_database(stage);
        assert_int_equal(sqlite3_exec(stage->lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    } else {
        sqlite3_close(stage->lock);
        stage->lock = NULL;
    }
}

void trouble_outage(struct stage *stage, bool down)
{
    switch (stage->backend->kind) {
    case ON_SIM:
        sim_outage(stage->sim, down);
        return;
    case ON_SQLITE:
        lock_database(stage, down);
        return;
    case ON_KAFKA:
        down ? broker_kill() : broker_up();
    }
}

void trouble_silence(struct stage *stage, bool silent)
{
    if (stage->backend->kind == ON_KAFKA)
        broker_freeze(silent);
    else
        trouble_outage(stage, silent);
}

void trouble_over(struct stage *stage)
{
    if (stage->backend->kind == ON_SIM)
        sim_outage(stage->sim, false);
    else if (stage->lock)
        lock_database(stage, false);
}

/* ---- on Kafka, as a stranger ----------------------------------------------------------------- */

static rd_kafka_t *stranger(const struct stage *stage, const char *transactional_id)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", stage->url + strlen("kafka://"), text,
                      sizeof text);
    if (transactional_id)
        rd_kafka_conf_set(conf, "transactional.id", transactional_id, text, sizeof text);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(handle);
    return handle;
}

static void delete_records(const struct stage *stage, const char *name, int partition,
                           int64_t below)
{
    rd_kafka_t *handle = stranger(stage, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, name, partition)->offset = below;
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

static void produce_in_transaction(const struct stage *stage, const char *name, int partition,
                                   const char *value)
{
    rd_kafka_t *handle = stranger(stage, name);
    assert_null(rd_kafka_init_transactions(handle, PATIENCE_MS));
    assert_null(rd_kafka_begin_transaction(handle));
    rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(name), RD_KAFKA_V_PARTITION(partition),
                      RD_KAFKA_V_VALUE((void *)value, strlen(value)),
                      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    assert_null(rd_kafka_commit_transaction(handle, PATIENCE_MS));
    rd_kafka_destroy(handle);
}

/* ---- what the log has lost or never had ------------------------------------------------------ */

void trouble_eat(struct stage *stage, int topic, int partition, int64_t below)
{
    char text[256];
    switch (stage->backend->kind) {
    case ON_SIM:
        sim_eat(stage->sim, topic, partition, below);
        return;
    case ON_SQLITE:
        snprintf(text, sizeof text,
                 "DELETE FROM records WHERE partition = %d AND \"offset\" < %lld AND topic ="
                 " (SELECT id FROM topics WHERE name = '%s%s')",
                 partition, (long long)below, stage->prefix, stage_topic_name(topic));
        sqlite3 *db = open_database(stage);
        assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        return;
    case ON_KAFKA:
        snprintf(text, sizeof text, "%s%s", stage->prefix, stage_topic_name(topic));
        delete_records(stage, text, partition, below);
    }
}

void trouble_hole(struct stage *stage, int topic, int partition, const char *value)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", stage->prefix, stage_topic_name(topic));
    if (stage->backend->kind == ON_KAFKA) {
        produce_in_transaction(stage, name, partition, value);
        return;
    }
    assert_int_equal(stage->backend->kind, ON_SIM); /* SQLite has no holes */
    struct role *stranger = role_enter(stage, "stranger");
    role_say(stranger, topic, partition, "%s", value);
    UNTIL(stage, role_unanswered(stranger) == 0);
    role_close(stranger);
    sim_hole(stage->sim, topic, partition);
}
