/* The appender: everything that is queued when it comes round goes into one transaction.
 *
 * Group commit without a timer: while one group waits for its fsync the next one gathers. A group
 * lands whole or not at all, and is answered whole, in the order of the calls, so a failure cannot
 * let a later append of one partition overtake an earlier one.
 *
 *     up   ── a group fails: BUS_DOWN, FAILED for all of it ──▶ down
 *     down ── a group, a beat or the probe commits: BUS_UP ───▶ up
 *
 * The clock of the log is the machine's wall clock, read under the write lock: one clock for all
 * processes, and in the order of the offsets unless somebody sets it. */
#include "bus/sqlite.h"

#include "base/clock.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

/* ---- the loop's side ------------------------------------------------------------------------- */

static void append_to_batch(struct sqlite_batch *batch, int topic, int partition,
                            const struct bus_record *record)
{
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity ? 2 * batch->capacity : 64;
        batch->items = memory_grow(batch->items, (size_t)batch->capacity * sizeof *batch->items);
    }
    struct sqlite_append *item = &batch->items[batch->count++];
    *item = (struct sqlite_append){.topic = topic,
                                   .partition = partition,
                                   .append_ms = record->append_ms,
                                   .has_key = record->key.data != NULL,
                                   .has_value = record->value.data != NULL,
                                   .at = batch->bytes.size,
                                   .key_size = record->key.size,
                                   .value_size = record->value.size};
    if (record->key.size)
        buffer_text(&batch->bytes, record->key);
    sqlite_headers_write(&batch->bytes, record);
    item->headers_size = batch->bytes.size - item->at - item->key_size;
    if (record->value.size)
        buffer_text(&batch->bytes, record->value);
}

enum bus_result sqlite_append(struct sqlite_bus *handle, int topic, int partition,
                              const struct bus_record *record, uint64_t tag)
{
    struct sqlite_appender *appender = &handle->appender;
    uint64_t in_flight_max = (uint64_t)handle->in_flight_max;
    if (appender->tail_seq - appender->head_seq >= in_flight_max)
        return BUS_FULL;
    int64_t deadline_ms = clock_monotonic_ms() + handle->append_timeout_ms;
    pthread_mutex_lock(&appender->lock);
    struct sqlite_batch *batch = &appender->filling;
    /* Appends that timed out are answered, but lie here until the appender is free. */
    bool full = batch->count >= handle->in_flight_max;
    if (!full) {
        if (batch->count == 0) {
            batch->first_seq = appender->tail_seq;
            batch->deadline_ms = deadline_ms;
        }
        append_to_batch(batch, topic, partition, record);
        if (appender->idle)
            pthread_cond_signal(&appender->work);
    }
    pthread_mutex_unlock(&appender->lock);
    if (full)
        return BUS_FULL;
    appender->ring[appender->tail_seq++ % in_flight_max] =
        (struct sqlite_outstanding){tag, topic, partition, deadline_ms};
    return BUS_OK;
}

void sqlite_appender_poke(struct sqlite_bus *handle)
{
    pthread_mutex_lock(&handle->appender.lock);
    handle->appender.poked = true;
    pthread_cond_signal(&handle->appender.work);
    pthread_mutex_unlock(&handle->appender.lock);
}

/* ---- telling the loop ------------------------------------------------------------------------ */

void sqlite_outbox_add(struct sqlite_bus *handle, struct sqlite_news news)
{
    struct sqlite_news_list *outbox = &handle->appender.outbox;
    if (outbox->count == outbox->capacity) {
        outbox->capacity = outbox->capacity ? 2 * outbox->capacity : 64;
        outbox->items = memory_grow(outbox->items, (size_t)outbox->capacity * sizeof(news));
    }
    outbox->items[outbox->count++] = news;
}

void sqlite_publish(struct sqlite_bus *handle)
{
    struct sqlite_appender *appender = &handle->appender;
    struct sqlite_news_list *outbox = &appender->outbox, *news = &appender->news;
    if (outbox->count == 0)
        return;
    pthread_mutex_lock(&appender->lock);
    if (news->count == 0) {
        struct sqlite_news_list empty = *news;
        *news = *outbox;
        *outbox = empty;
    } else {
        if (news->count + outbox->count > news->capacity) {
            news->capacity = 2 * (news->count + outbox->count);
            news->items = memory_grow(news->items, (size_t)news->capacity * sizeof *news->items);
        }
        memcpy(news->items + news->count, outbox->items,
               (size_t)outbox->count * sizeof *outbox->items);
        news->count += outbox->count;
    }
    pthread_mutex_unlock(&appender->lock);
    outbox->count = 0;
    sqlite_news_signal(handle);
}

void sqlite_appender_failed(struct sqlite_bus *handle, int code)
{
    struct sqlite_appender *appender = &handle->appender;
    appender->probe_at_ms = clock_monotonic_ms() + SQLITE_PROBE_MS;
    if (!appender->down)
        sqlite_outbox_add(handle, (struct sqlite_news){.type = BUS_DOWN, .code = code});
    appender->down = true;
}

void sqlite_appender_succeeded(struct sqlite_bus *handle)
{
    if (handle->appender.down)
        sqlite_outbox_add(handle, (struct sqlite_news){.type = BUS_UP});
    handle->appender.down = false;
}

/* ---- one group ------------------------------------------------------------------------------- */

static int next_offset(struct sqlite_bus *handle, int topic, int partition, int64_t *offset)
{
    struct sqlite_appender *appender = &handle->appender;
    int place = topic * handle->partition_count + partition;
    if (appender->next_set_in[place] == appender->transaction) {
        *offset = appender->next_offsets[place]++;
        return SQLITE_OK;
    }
    int code = sqlite_topic_end(handle, &handle->writing, topic, partition, offset);
    if (code != SQLITE_OK)
        return code;
    appender->next_offsets[place] = *offset + 1;
    appender->next_set_in[place] = appender->transaction;
    return SQLITE_OK;
}

static int bind_bytes(sqlite3_stmt *statement, int parameter, bool has, const char *data,
                      size_t size)
{
    if (!has)
        return sqlite3_bind_null(statement, parameter);
    /* An empty BLOB would be read back as NULL, so empty is TEXT. */
    return sqlite_plain_text(data, size)
               ? sqlite3_bind_text(statement, parameter, data, (int)size, SQLITE_STATIC)
               : sqlite3_bind_blob(statement, parameter, data, (int)size, SQLITE_STATIC);
}

static int insert(struct sqlite_bus *handle, const struct sqlite_append *item, int64_t offset,
                  int64_t append_ms)
{
    sqlite3_stmt *statement =
        sqlite_bound(&handle->writing, SQL_RECORD_INSERT, "iiii", handle->topics[item->topic].id,
                     (int64_t)item->partition, offset, append_ms);
    const struct buffer *bytes = &handle->appender.working.bytes;
    const char *key = bytes->data ? bytes->data + item->at : "";
    const char *headers = key + item->key_size, *value = headers + item->headers_size;
    int code = bind_bytes(statement, 5, item->has_key, key, item->key_size);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 6, headers, (int)item->headers_size, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = bind_bytes(statement, 7, item->has_value, value, item->value_size);
    int stepped = sqlite_run(statement);
    return code == SQLITE_OK ? stepped : code;
}

/* Inside the transaction. Answers go to the outbox, and are only good if it commits. */
static int write_group(struct sqlite_bus *handle)
{
    struct sqlite_appender *appender = &handle->appender;
    const struct sqlite_batch *group = &appender->working;
    int64_t append_ms = clock_wall_ms();
    appender->transaction++;
    if (!sqlite_store_same_file(handle))
        return SQLITE_FILE_GONE;
    for (int i = 0; i < group->count; i++) {
        const struct sqlite_append *item = &group->items[i];
        int64_t offset = 0;
        int code = SQLITE_OK;
        if (appender->topic_checked_in[item->topic] != appender->transaction)
            code = sqlite_topic_same(handle, &handle->writing, item->topic);
        appender->topic_checked_in[item->topic] = appender->transaction;
        if (code == SQLITE_OK)
            code = next_offset(handle, item->topic, item->partition, &offset);
        if (code == SQLITE_OK)
            code = insert(handle, item, offset, handle->bus.copying ? item->append_ms : append_ms);
        if (code != SQLITE_OK)
            return code;
        sqlite_outbox_add(handle, (struct sqlite_news){.type = BUS_APPENDED,
                                                       .seq = group->first_seq + (uint64_t)i,
                                                       .offset = offset});
    }
    return SQLITE_OK;
}

static void commit_group(struct sqlite_bus *handle)
{
    struct sqlite_appender *appender = &handle->appender;
    struct sqlite_batch *group = &appender->working;
    int answers_from = appender->outbox.count;
    int64_t begun_us = clock_monotonic_us();
    handle->writing.patience_until_ms = group->deadline_ms;
    int code = sqlite_begin_write(&handle->writing);
    if (code == SQLITE_OK)
        code = sqlite_finish(&handle->writing, write_group(handle));
    if (code == SQLITE_OK) {
        atomic_store(&appender->commit_us, clock_monotonic_us() - begun_us);
        sqlite_wake_touch(handle);
        sqlite_appender_succeeded(handle);
    } else {
        appender->outbox.count = answers_from; /* nothing of it was appended */
        if (code != SQLITE_TOPIC_GONE)         /* the other topics are still there */
            sqlite_appender_failed(handle, code);
        for (int i = 0; i < group->count; i++)
            sqlite_outbox_add(handle, (struct sqlite_news){.type = BUS_FAILED,
                                                           .code = code,
                                                           .seq = group->first_seq + (uint64_t)i});
    }
    group->count = 0;
    buffer_clear(&group->bytes);
}

/* ---- the WAL and the probe ------------------------------------------------------------------- */

/* After the answers are out, so that nobody waits for it. A WAL that other processes keep busy is
 * never wholly copied by the passive kind; beyond the hard limit readers and writers are waited
 * for, briefly. */
static void checkpoint(struct sqlite_bus *handle)
{
    struct sqlite_appender *appender = &handle->appender;
    int frames = handle->writing.wal_frames;
    if (frames < appender->checkpoint_frames) {
        if (frames < SQLITE_WAL_FRAMES_SOFT)
            appender->checkpoint_frames = SQLITE_WAL_FRAMES_SOFT; /* it has started over */
        return;
    }
    sqlite_patience(&handle->writing, 200);
    sqlite3_wal_checkpoint_v2(handle->writing.db, NULL,
                              frames >= SQLITE_WAL_FRAMES_HARD ? SQLITE_CHECKPOINT_RESTART
                                                               : SQLITE_CHECKPOINT_PASSIVE,
                              NULL, NULL);
    appender->checkpoint_frames = frames + SQLITE_WAL_FRAMES_SOFT;
}

static void probe(struct sqlite_bus *handle)
{
    sqlite_patience(&handle->writing, SQLITE_PROBE_MS / 2);
    int code = sqlite_begin_write(&handle->writing);
    if (code == SQLITE_OK)
        code = sqlite_store_same_file(handle)
                   ? sqlite_run(
                         sqlite_bound(&handle->writing, SQL_TOPIC_PROBE, "i", handle->topics[0].id))
                   : SQLITE_FILE_GONE;
    code = sqlite_finish(&handle->writing, code);
    if (code == SQLITE_OK)
        sqlite_appender_succeeded(handle);
    else
        sqlite_appender_failed(handle, code);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Under the lock: sleeps until there is work, a beat or a probe is due, or it shall stop. */
static void wait_for_work(struct sqlite_bus *handle)
{
    struct sqlite_appender *appender = &handle->appender;
    int64_t due_ms = sqlite_group_due_ms(handle);
    if (appender->down && appender->probe_at_ms < due_ms)
        due_ms = appender->probe_at_ms;
    appender->idle = true;
    while (appender->filling.count == 0 && !appender->poked && !appender->stop_asked &&
           clock_monotonic_ms() < due_ms) {
        struct timespec until = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};
        if (due_ms == INT64_MAX)
            pthread_cond_wait(&appender->work, &appender->lock);
        else
            pthread_cond_timedwait(&appender->work, &appender->lock, &until);
    }
    appender->idle = false;
}

static void *run(void *argument)
{
    struct sqlite_bus *handle = argument;
    struct sqlite_appender *appender = &handle->appender;
    for (;;) {
        pthread_mutex_lock(&appender->lock);
        wait_for_work(handle);
        bool stop = appender->stop_asked && appender->filling.count == 0;
        bool poked = appender->poked;
        appender->poked = false;
        struct sqlite_batch empty = appender->working;
        appender->working = appender->filling;
        appender->filling = empty;
        pthread_mutex_unlock(&appender->lock);
        if (stop)
            break;
        if (appender->working.count)
            commit_group(handle);
        sqlite_publish(handle);
        int64_t now_ms = clock_monotonic_ms();
        if (poked || now_ms >= sqlite_group_due_ms(handle))
            sqlite_group_turn(handle, now_ms);
        if (appender->down && now_ms >= appender->probe_at_ms)
            probe(handle);
        sqlite_publish(handle);
        checkpoint(handle);
    }
    pthread_mutex_lock(&appender->lock);
    appender->stopped = true;
    pthread_cond_signal(&appender->settled);
    pthread_mutex_unlock(&appender->lock);
    return NULL;
}

void sqlite_appender_start(struct sqlite_bus *handle)
{
    struct sqlite_appender *appender = &handle->appender;
    size_t places = (size_t)handle->topic_count * (size_t)handle->partition_count;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&appender->work, &attributes);
    pthread_cond_init(&appender->settled, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&appender->lock, NULL);
    appender->checkpoint_frames = SQLITE_WAL_FRAMES_SOFT;
    appender->next_offsets = memory_new(places * sizeof *appender->next_offsets);
    appender->next_set_in = memory_new(places * sizeof *appender->next_set_in);
    appender->topic_checked_in =
        memory_new((size_t)handle->topic_count * sizeof *appender->topic_checked_in);
    appender->ring = memory_new((size_t)handle->in_flight_max * sizeof *appender->ring);
    int code = pthread_create(&appender->thread, NULL, run, handle);
    assert(code == 0); /* no threads left: as with memory, the log has everything */
    appender->running = true;
}

bool sqlite_appender_stop(struct sqlite_bus *handle)
{
    struct sqlite_appender *appender = &handle->appender;
    if (!appender->running)
        return true;
    int64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + SQLITE_CLOSE_WAIT_MS;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    atomic_store(&appender->cut_ms, now_ms + SQLITE_CLOSE_FLUSH_MS);
    pthread_mutex_lock(&appender->lock);
    appender->stop_asked = true;
    pthread_cond_signal(&appender->work);
    for (int code = 0; !appender->stopped && code != ETIMEDOUT;)
        code = pthread_cond_timedwait(&appender->settled, &appender->lock, &until);
    bool stopped = appender->stopped;
    pthread_mutex_unlock(&appender->lock);
    if (stopped)
        pthread_join(appender->thread, NULL);
    else
        pthread_detach(appender->thread);
    return stopped;
}

void sqlite_appender_release(struct sqlite_bus *handle)
{
    struct sqlite_appender *appender = &handle->appender;
    if (!appender->running)
        return;
    struct sqlite_batch *batches[] = {&appender->filling, &appender->working};
    for (int i = 0; i < 2; i++) {
        memory_free(batches[i]->items);
        buffer_release(&batches[i]->bytes);
    }
    memory_free(appender->news.items);
    memory_free(appender->outbox.items);
    memory_free(appender->inbox.items);
    memory_free(appender->next_offsets);
    memory_free(appender->next_set_in);
    memory_free(appender->topic_checked_in);
    memory_free(appender->ring);
    pthread_mutex_destroy(&appender->lock);
    pthread_cond_destroy(&appender->work);
    pthread_cond_destroy(&appender->settled);
}
