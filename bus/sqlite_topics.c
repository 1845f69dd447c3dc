/* Topics: found or made in one write transaction, so that of several processes that start together
 * exactly one makes them, and a refusal leaves nothing half made. */
#include "bus/sqlite.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static int find(struct sqlite_connection *connection, const char *name, struct sqlite_topic *topic,
                int *partition_count)
{
    sqlite3_stmt *statement = sqlite_bound(connection, SQL_TOPIC_FIND, "s", name);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        topic->id = sqlite3_column_int64(statement, 0);
        *partition_count = sqlite3_column_int(statement, 1);
        snprintf(topic->incarnation, sizeof topic->incarnation, "%s",
                 (const char *)sqlite3_column_text(statement, 2));
    }
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int make(struct sqlite_connection *connection, const char *name, int partition_count,
                struct sqlite_topic *topic)
{
    sqlite_random_hex(topic->incarnation);
    int code = sqlite_run(sqlite_bound(connection, SQL_TOPIC_MAKE, "sis", name,
                                       (int64_t)partition_count, topic->incarnation));
    topic->id = sqlite3_last_insert_rowid(connection->db);
    return code;
}

static int find_all(struct sqlite_bus *handle, const struct bus_topic_spec *specs, int count,
                    struct sqlite_topic *topics, int *found)
{
    int code = SQLITE_OK;
    struct buffer name = {0};
    for (int i = 0; i < count && code == SQLITE_OK; i++) {
        buffer_clear(&name);
        buffer_print(&name, "%s%s", handle->prefix, specs[i].name);
        code = find(&handle->writing, name.data, &topics[i], &found[i]);
    }
    buffer_release(&name);
    return code;
}

/* The count that all topics shall have: that of one that is there, else the first asked for. */
static int common_count(const struct bus_topic_spec *specs, int count, const int *found)
{
    for (int i = 0; i < count; i++)
        if (found[i])
            return found[i];
    for (int i = 0; i < count; i++)
        if (specs[i].partition_count)
            return specs[i].partition_count;
    return 0;
}

/* Whether `found` partitions (0: missing) answer the spec; else says in `error` why not. */
static bool fits(const struct sqlite_bus *handle, const struct bus_topic_spec *spec, int found,
                 int common, struct bus_error *error)
{
    int own = found ? found : spec->partition_count ? spec->partition_count : common;
    char *text = error->text;
    size_t size = sizeof error->text;
    if (!found && !spec->may_create)
        snprintf(text, size,
                 "topic '%s%s' is missing and may not be made here; try: stagedoor topics create",
                 handle->prefix, spec->name);
    else if (own <= 0)
        snprintf(text, size, "topic '%s%s' is missing; say how many partitions it shall have",
                 handle->prefix, spec->name);
    else if (spec->partition_count && own != spec->partition_count)
        snprintf(text, size,
                 "topic '%s%s' has %d partitions, not %d; the count is fixed when it is made",
                 handle->prefix, spec->name, own, spec->partition_count);
    else if (own != common)
        snprintf(
            text, size,
            "topic '%s%s' would have %d partitions and others have %d; all need the same count",
            handle->prefix, spec->name, own, common);
    return !text[0];
}

/* Inside the transaction. SQLITE_MISMATCH with `error` set: unfit. */
static int find_or_make(struct sqlite_bus *handle, struct bus_topic_spec *specs, int count,
                        struct sqlite_topic *topics, struct bus_error *error)
{
    int *found = memory_new((size_t)count * sizeof *found);
    struct buffer name = {0};
    int code = find_all(handle, specs, count, topics, found);
    int common = common_count(specs, count, found);
    for (int i = 0; i < count && code == SQLITE_OK; i++)
        if (!fits(handle, &specs[i], found[i], common, error))
            code = SQLITE_MISMATCH;
    for (int i = 0; i < count && code == SQLITE_OK; i++) {
        specs[i].created = !found[i];
        if (found[i])
            continue;
        buffer_clear(&name);
        buffer_print(&name, "%s%s", handle->prefix, specs[i].name);
        code = make(&handle->writing, name.data, common, &topics[i]);
    }
    buffer_release(&name);
    memory_free(found);
    handle->partition_count = common;
    return code;
}

enum bus_result sqlite_topics(struct sqlite_bus *handle, struct bus_topic_spec *specs, int count,
                              struct bus_error *error)
{
    struct sqlite_topic *topics = memory_new((size_t)count * sizeof *topics);
    sqlite_patience(&handle->writing, SQLITE_OPEN_TIMEOUT_MS);
    int code = sqlite_begin_write(&handle->writing);
    if (code == SQLITE_OK)
        code = sqlite_finish(&handle->writing, find_or_make(handle, specs, count, topics, error));
    if (code != SQLITE_OK) {
        for (int i = 0; i < count; i++)
            specs[i].created = false; /* rolled back */
        if (!error->text[0])
            sqlite_describe(handle->path, "make topics in", code, 0, error->text,
                            sizeof error->text);
        memory_free(topics);
        return sqlite_result(code); /* SQLITE_MISMATCH: unfit */
    }
    for (int i = 0; i < count; i++)
        specs[i].partition_count = handle->partition_count;
    handle->topics = topics;
    handle->topic_count = count;
    return BUS_OK;
}

int sqlite_topic_same(struct sqlite_bus *handle, struct sqlite_connection *connection, int topic)
{
    const struct sqlite_topic *known = &handle->topics[topic];
    sqlite3_stmt *statement =
        sqlite_bound(connection, SQL_TOPIC_SAME, "is", known->id, known->incarnation);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? SQLITE_TOPIC_GONE : code;
}

int sqlite_topic_end(struct sqlite_bus *handle, struct sqlite_connection *connection, int topic,
                     int partition, int64_t *offset)
{
    sqlite3_stmt *statement = sqlite_bound(connection, SQL_RECORD_LAST, "ii",
                                           handle->topics[topic].id, (int64_t)partition);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *offset = sqlite3_column_type(statement, 0) == SQLITE_NULL
                      ? 0
                      : sqlite3_column_int64(statement, 0) + 1;
    sqlite3_reset(statement);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}
