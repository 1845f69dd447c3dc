/* Reading: short looks into the database, and delivery out of what they copied.
 *
 * A look is one read transaction that copies the next chunk of every followed partition that has
 * none left; then the statements are reset, so no reader ever holds up a checkpoint. Delivery goes
 * round the partitions that have something, one record each.
 *
 * When to look: after bus_follow, when a chunk is used up and more was there, and when something
 * may have been committed: the wake file was touched, or, every 20 ms, PRAGMA data_version moved.
 *
 * Each chunk starts one record before the position asked for. If that record is still there, the
 * log is still the one that was read; if it is not, the partition's bounds say whether the position
 * is good all the same (it is the log's start) or the partition is LOST. */
#include "bus/sqlite.h"

#include "base/clock.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>

void sqlite_reader_start(struct sqlite_bus *handle)
{
    struct sqlite_reader *reader = &handle->reader;
    reader->partition_total = handle->topic_count * handle->partition_count;
    reader->partitions = memory_new((size_t)reader->partition_total * sizeof *reader->partitions);
    reader->newest = 1;
}

void sqlite_reader_release(struct sqlite_bus *handle)
{
    for (int i = 0; i < handle->reader.partition_total; i++) {
        memory_free(handle->reader.partitions[i].rows);
        buffer_release(&handle->reader.partitions[i].bytes);
    }
    memory_free(handle->reader.partitions);
}

static struct sqlite_partition *partition_of(struct sqlite_bus *handle, int topic, int partition)
{
    return &handle->reader.partitions[topic * handle->partition_count + partition];
}

static void stop_following(struct sqlite_reader *reader, struct sqlite_partition *place)
{
    if (place->following)
        reader->following_count--;
    place->following = false;
}

void sqlite_follow(struct sqlite_bus *handle, int topic, int partition, int64_t offset)
{
    struct sqlite_reader *reader = &handle->reader;
    struct sqlite_partition *place = partition_of(handle, topic, partition);
    stop_following(reader, place);
    place->following = true;
    reader->following_count++;
    place->more = place->announce = true;
    place->at_end = false;
    place->lost = NULL;
    place->next = offset;
    place->row_count = place->row_taken = 0;
    reader->look_wanted = true;
}

void sqlite_unfollow(struct sqlite_bus *handle, int topic, int partition)
{
    stop_following(&handle->reader, partition_of(handle, topic, partition));
}

/* ---- the ready list -------------------------------------------------------------------------- */

static bool has_something(const struct sqlite_partition *place)
{
    return place->following && (place->row_taken < place->row_count || place->lost ||
                                (place->at_end && place->announce));
}

static void make_ready(struct sqlite_reader *reader, struct sqlite_partition *place)
{
    if (place->queued || !has_something(place))
        return;
    place->queued = true;
    place->ready_next = NULL;
    if (reader->ready_first)
        reader->ready_last->ready_next = place;
    else
        reader->ready_first = place;
    reader->ready_last = place;
}

static struct sqlite_partition *next_ready(struct sqlite_reader *reader)
{
    while (reader->ready_first) {
        struct sqlite_partition *place = reader->ready_first;
        reader->ready_first = place->ready_next;
        place->queued = false;
        if (has_something(place))
            return place;
    }
    return NULL;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void copy_row(struct sqlite_partition *place, sqlite3_stmt *statement)
{
    if (!place->rows)
        place->rows = memory_new(SQLITE_CHUNK_ROWS_MAX * sizeof *place->rows);
    struct sqlite_row *row = &place->rows[place->row_count++];
    *row = (struct sqlite_row){.append_ms = sqlite3_column_int64(statement, 1),
                               .at = place->bytes.size};
    size_t sizes[3];
    for (int i = 0; i < 3; i++) {
        const void *data = sqlite3_column_blob(statement, 2 + i);
        sizes[i] = (size_t)sqlite3_column_bytes(statement, 2 + i);
        if (sizes[i])
            buffer_add(&place->bytes, data, sizes[i]);
    }
    row->has_key = sqlite3_column_type(statement, 2) != SQLITE_NULL;
    row->has_value = sqlite3_column_type(statement, 4) != SQLITE_NULL;
    row->key_size = sizes[0];
    row->headers_size = sizes[1];
    row->value_size = sizes[2];
}

/* The record before the position is not there. */
static int check_bounds(struct sqlite_bus *handle, struct sqlite_partition *place, int topic,
                        int partition)
{
    sqlite3_stmt *statement = sqlite_bound(&handle->reading, SQL_RECORD_BOUNDS, "ii",
                                           handle->topics[topic].id, (int64_t)partition);
    int code = sqlite3_step(statement);
    bool empty = code == SQLITE_ROW && sqlite3_column_type(statement, 0) == SQLITE_NULL;
    int64_t start = sqlite3_column_int64(statement, 0);
    int64_t end = empty ? 0 : sqlite3_column_int64(statement, 1) + 1;
    sqlite3_reset(statement);
    if (code != SQLITE_ROW)
        return code;
    code = sqlite_topic_same(handle, &handle->reading, topic);
    if (code == SQLITE_TOPIC_GONE)
        place->lost = "the topic was deleted or made again";
    else if (place->next < start)
        place->lost = "the log starts after this offset: records were deleted";
    else if (place->next > end)
        place->lost = "the log ends before this offset: it was cut or made again";
    return code == SQLITE_TOPIC_GONE ? SQLITE_OK : code;
}

/* Copies the next chunk of a partition that has no rows left. */
static int fetch(struct sqlite_bus *handle, struct sqlite_partition *place, int topic,
                 int partition)
{
    buffer_clear(&place->bytes);
    place->row_count = place->row_taken = 0;
    place->at_end = place->more = false;
    bool predecessor = place->next == 0;
    sqlite3_stmt *statement =
        sqlite_bound(&handle->reading, SQL_RECORD_CHUNK, "iii", handle->topics[topic].id,
                     (int64_t)partition, predecessor ? 0 : place->next - 1);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t offset = sqlite3_column_int64(statement, 0);
        if (offset == place->next - 1) {
            predecessor = true;
            continue;
        }
        if (offset != place->next + place->row_count)
            place->lost = "the log has a hole at this offset: records were deleted";
        else
            copy_row(place, statement);
        place->more =
            place->row_count == SQLITE_CHUNK_ROWS_MAX || place->bytes.size >= SQLITE_CHUNK_SIZE_MAX;
        if (place->lost || place->more)
            break;
    }
    sqlite3_reset(statement);
    place->at_end = code == SQLITE_DONE;
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        place->row_count = 0;
    else if (predecessor)
        return SQLITE_OK;
    else
        code = check_bounds(handle, place, topic, partition);
    return code;
}

static bool wants_look(const struct sqlite_reader *reader, const struct sqlite_partition *place)
{
    return place->following && !place->lost && place->row_taken == place->row_count &&
           (place->more || place->looked_at != reader->newest);
}

/* Inside the read transaction. */
static int look_round(struct sqlite_bus *handle)
{
    struct sqlite_reader *reader = &handle->reader;
    int rows = 0, start = reader->turn;
    for (int i = 0; i < reader->partition_total; i++) {
        int number = (start + i) % reader->partition_total;
        struct sqlite_partition *place = &reader->partitions[number];
        if (!wants_look(reader, place))
            continue;
        if (rows >= SQLITE_LOOK_ROWS_MAX) {
            reader->turn = number; /* it comes first next time */
            reader->look_wanted = true;
            break;
        }
        int code = fetch(handle, place, number / handle->partition_count,
                         number % handle->partition_count);
        if (code != SQLITE_OK) {
            place->more = true;
            return code;
        }
        place->looked_at = reader->newest;
        rows += place->row_count;
        make_ready(reader, place);
    }
    return SQLITE_OK;
}

static int64_t data_version(struct sqlite_bus *handle)
{
    sqlite3_stmt *statement = handle->reading.statements[SQL_DATA_VERSION];
    int64_t version = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0)
                                                            : -1; /* never equal: look */
    sqlite3_reset(statement);
    return version;
}

bool sqlite_reader_look(struct sqlite_bus *handle, int64_t now_ms)
{
    struct sqlite_reader *reader = &handle->reader;
    if (!reader->look_wanted || now_ms < reader->retry_at_ms)
        return false;
    reader->look_wanted = false;
    sqlite_patience(&handle->reading, SQLITE_READ_TIMEOUT_MS);
    int code = sqlite_run(handle->reading.statements[SQL_BEGIN_READ]);
    if (code == SQLITE_OK) {
        int64_t version = data_version(handle);
        if (version != reader->version_seen)
            reader->newest++; /* a look for a backlog sees what is new elsewhere too */
        reader->version_seen = version;
        sqlite_group_look(handle);
        code = sqlite_finish(&handle->reading, look_round(handle));
    }
    reader->down = code != SQLITE_OK;
    reader->down_code = code;
    if (reader->down) {
        reader->look_wanted = true;
        reader->retry_at_ms = clock_monotonic_ms() + SQLITE_TICK_MS;
    }
    return reader->ready_first != NULL;
}

void sqlite_reader_news(struct sqlite_bus *handle)
{
    handle->reader.newest++;
    handle->reader.look_wanted = true;
}

/* Whether file and topics are still those of bus_topics. */
static void check_presence(struct sqlite_bus *handle)
{
    struct sqlite_reader *reader = &handle->reader;
    bool same_file = sqlite_store_same_file(handle);
    for (int topic = 0; topic < handle->topic_count; topic++) {
        const char *lost = NULL;
        if (!same_file)
            lost = "the database file was deleted or replaced";
        else if (sqlite_topic_same(handle, &handle->reading, topic) == SQLITE_TOPIC_GONE)
            lost = "the topic was deleted or made again";
        for (int i = 0; lost && i < handle->partition_count; i++) {
            struct sqlite_partition *place = partition_of(handle, topic, i);
            place->lost = lost;
            make_ready(reader, place);
        }
    }
}

void sqlite_reader_tick(struct sqlite_bus *handle, int64_t now_ms)
{
    struct sqlite_reader *reader = &handle->reader;
    if (data_version(handle) != reader->version_seen)
        sqlite_reader_news(handle);
    if (now_ms < reader->presence_at_ms)
        return;
    reader->presence_at_ms = now_ms + SQLITE_PRESENCE_MS;
    check_presence(handle);
}

/* ---- delivering ------------------------------------------------------------------------------ */

static struct text column(const struct buffer *bytes, size_t at, size_t size, bool has)
{
    if (!has)
        return (struct text){0};
    return text_from(size ? bytes->data + at : "", size);
}

static void take_row(struct sqlite_reader *reader, struct sqlite_partition *place,
                     struct bus_event *event)
{
    const struct sqlite_row *row = &place->rows[place->row_taken++];
    struct bus_record *record = &event->record;
    size_t headers_at = row->at + row->key_size, value_at = headers_at + row->headers_size;
    event->type = BUS_RECORD;
    event->offset = place->next++;
    record->append_ms = row->append_ms;
    record->key = column(&place->bytes, row->at, row->key_size, row->has_key);
    record->value = column(&place->bytes, value_at, row->value_size, row->has_value);
    record->headers = reader->headers;
    record->header_count = row->headers_size
                               ? sqlite_headers_read(place->bytes.data + headers_at,
                                                     row->headers_size, reader->headers)
                               : 0;
    place->announce = true;
    if (place->row_taken == place->row_count && (place->more || place->looked_at != reader->newest))
        reader->look_wanted = true;
}

bool sqlite_reader_deliver(struct sqlite_bus *handle, struct bus_event *event)
{
    struct sqlite_reader *reader = &handle->reader;
    struct sqlite_partition *place = next_ready(reader);
    if (!place)
        return false;
    int number = (int)(place - reader->partitions);
    *event = (struct bus_event){.topic = number / handle->partition_count,
                                .partition = number % handle->partition_count,
                                .offset = place->next};
    if (place->row_taken < place->row_count) {
        take_row(reader, place, event);
        make_ready(reader, place);
    } else if (place->lost) {
        event->type = BUS_LOST;
        event->reason = place->lost;
        stop_following(reader, place);
    } else {
        event->type = BUS_CAUGHT_UP;
        place->announce = false;
    }
    return true;
}

/* A reader of a WAL waits for nobody, or is told at once that it would have to. */
int64_t sqlite_end_at_once(struct sqlite_bus *handle, int topic, int partition)
{
    int64_t offset;
    sqlite_patience(&handle->reading, 0);
    return sqlite_topic_end(handle, &handle->reading, topic, partition, &offset) == SQLITE_OK
               ? offset
               : -1;
}

enum bus_result sqlite_end(struct sqlite_bus *handle, int topic, int partition, int64_t *offset)
{
    sqlite_patience(&handle->reading, SQLITE_READ_TIMEOUT_MS);
    int code = sqlite_topic_end(handle, &handle->reading, topic, partition, offset);
    return code == SQLITE_OK ? BUS_OK : BUS_UNREACHABLE;
}
