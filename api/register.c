/* The register's file and its batches. */
#include "api/register.h"

#include "api/attention.h"
#include "api/clerks.h"
#include "api/register_file.h"
#include "api/register_rows.h"
#include "base/log.h"
#include "base/memory.h"
#include "schemas/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RETRY_MS = 1000, LAYOUT_SIZE = 16 };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS about(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS positions(topic INTEGER, part INTEGER, next INTEGER, claim INTEGER,"
    "  nonce INTEGER, n INTEGER, PRIMARY KEY(topic, part)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS shows(show_id TEXT PRIMARY KEY, value TEXT NOT NULL,"
    "  replays TEXT NOT NULL DEFAULT '[]') WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS reservations(reservation_id TEXT NOT NULL, show_id TEXT NOT NULL,"
    "  name TEXT NOT NULL, quantity INTEGER NOT NULL, status TEXT NOT NULL,"
    "  finished INTEGER NOT NULL, created_at_ms INTEGER NOT NULL, value TEXT NOT NULL,"
    "  reference TEXT NOT NULL, email TEXT NOT NULL, attention INTEGER NOT NULL,"
    "  PRIMARY KEY(reservation_id, show_id));"
    "CREATE TABLE IF NOT EXISTS payments(id TEXT, reservation_id TEXT, show_id TEXT,"
    "  PRIMARY KEY(id, reservation_id, show_id)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS by_time ON reservations(show_id, created_at_ms, reservation_id);"
    "CREATE INDEX IF NOT EXISTS by_name ON reservations(show_id, name);"
    "CREATE INDEX IF NOT EXISTS unfinished ON reservations(finished) WHERE finished = 0;"
    "CREATE INDEX IF NOT EXISTS attention ON reservations(attention) WHERE attention = 1;"
    "CREATE INDEX IF NOT EXISTS early ON reservations(status) WHERE status = '';";

static const char emptying[] = "DROP TABLE IF EXISTS about; DROP TABLE IF EXISTS positions;"
                               "DROP TABLE IF EXISTS shows; DROP TABLE IF EXISTS reservations;"
                               "DROP TABLE IF EXISTS payments;";

static const char *const texts[STATEMENT_COUNT] = {
    [PUT_ABOUT] = "INSERT OR REPLACE INTO about VALUES(?, ?)",
    [PUT_POSITION] = "INSERT OR REPLACE INTO positions VALUES(?, ?, ?, ?, ?, ?)",
    [PUT_SHOW] = "INSERT INTO shows(show_id, value) VALUES(?, ?)"
                 " ON CONFLICT(show_id) DO UPDATE SET value = excluded.value",
    [PUT_REPLAYS] = "UPDATE shows SET replays = ? WHERE show_id = ?",
    [PUT_RESERVATION] =
        "INSERT INTO reservations VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT(reservation_id, show_id) DO UPDATE SET"
        " name = excluded.name, quantity = excluded.quantity, status = excluded.status,"
        " finished = excluded.finished, created_at_ms = excluded.created_at_ms,"
        " value = excluded.value, reference = excluded.reference, email = excluded.email,"
        " attention = excluded.attention",
    [PUT_PAYMENT] = "INSERT OR IGNORE INTO payments VALUES(?, ?, ?)",
};

/* One reservation, whether somebody requested it or not; the first requested one of that id. */
static const char find_text[] =
    "SELECT value FROM reservations WHERE reservation_id = ?1 AND show_id = ?2";
static const char find_any_text[] =
    "SELECT value FROM reservations WHERE reservation_id = ?1 AND status <> ''"
    " ORDER BY show_id LIMIT 1";

void register_bind(sqlite3_stmt *statement, int at, struct text text)
{
    sqlite3_bind_text(statement, at, text.data ? text.data : "", (int)text.size, SQLITE_STATIC);
}

struct text register_column(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_text(statement, at);
    return text_from(data, data ? (size_t)sqlite3_column_bytes(statement, at) : 0);
}

/* ---- opening --------------------------------------------------------------------------------- */

static sqlite3 *open_handle(const char *path, char *error)
{
    sqlite3 *handle = NULL;
    if (sqlite3_open_v2(path, &handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) == SQLITE_OK &&
        sqlite3_exec(handle,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000;"
                     "PRAGMA mmap_size=1073741824;",
                     NULL, NULL, NULL) == SQLITE_OK)
        return handle;
    snprintf(error, REGISTER_ERROR_SIZE, "cannot open '%s': %s", path, sqlite3_errmsg(handle));
    sqlite3_close(handle);
    return NULL;
}

static bool prepare(struct register_file *file, char *error)
{
    bool good = sqlite3_exec(file->writer, schema, NULL, NULL, NULL) == SQLITE_OK;
    for (int i = 0; i < STATEMENT_COUNT && good; i++)
        good = sqlite3_prepare_v3(file->writer, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &file->statements[i], NULL) == SQLITE_OK;
    if (!good)
        snprintf(error, REGISTER_ERROR_SIZE,
                 "the register cannot be used: %s; remove it to make a new one",
                 sqlite3_errmsg(file->writer));
    return good;
}

static bool prepare_reader(struct register_file *file, char *error)
{
    if (sqlite3_prepare_v3(file->reader, find_text, -1, SQLITE_PREPARE_PERSISTENT, &file->find,
                           NULL) == SQLITE_OK &&
        sqlite3_prepare_v3(file->reader, find_any_text, -1, SQLITE_PREPARE_PERSISTENT,
                           &file->find_any, NULL) == SQLITE_OK)
        return true;
    snprintf(error, REGISTER_ERROR_SIZE, "the register cannot be read: %s",
             sqlite3_errmsg(file->reader));
    return false;
}

static bool about_is(struct register_file *file, const char *name, const char *value)
{
    sqlite3_stmt *statement;
    bool same = false;
    if (sqlite3_prepare_v2(file->writer, "SELECT value FROM about WHERE name = ?", -1, &statement,
                           NULL) != SQLITE_OK)
        return false;
    register_bind(statement, 1, text_of(name));
    if (sqlite3_step(statement) == SQLITE_ROW)
        same = text_is(register_column(statement, 0), value);
    sqlite3_finalize(statement);
    return same;
}

static const char *layout_text(char out[LAYOUT_SIZE])
{
    snprintf(out, LAYOUT_SIZE, "%d", REGISTER_LAYOUT);
    return out;
}

/* Tables of another layout are in the way of today's statements. */
static void clear_other_layout(struct register_file *file)
{
    char layout[LAYOUT_SIZE];
    if (about_is(file, "layout", layout_text(layout)) ||
        sqlite3_exec(file->writer, "SELECT 1 FROM about", NULL, NULL, NULL) != SQLITE_OK)
        return;
    log_line(LOG_INFO, "edge", "the register is of another version; it is emptied and read anew");
    sqlite3_exec(file->writer, emptying, NULL, NULL, NULL);
}

struct register_file *register_open(const char *folder, char *error)
{
    char path[4096];
    struct register_file *file = memory_new(sizeof *file);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&file->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    snprintf(path, sizeof path, "%s/register.db", folder);
    file->writer = open_handle(path, error);
    if (file->writer)
        clear_other_layout(file);
    file->reader = file->writer ? open_handle(path, error) : NULL;
    if (file->reader && prepare(file, error) && prepare_reader(file, error))
        return file;
    register_close(file);
    return NULL;
}

struct sqlite3 *register_open_again(const struct register_file *file, char *error)
{
    return open_handle(sqlite3_db_filename(file->writer, "main"), error);
}

void register_close_again(struct sqlite3 *handle)
{
    sqlite3_close(handle);
}

static void forget_statements(struct register_file *file)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(file->statements[i]);
    sqlite3_finalize(file->find);
    sqlite3_finalize(file->find_any);
    memset(file->statements, 0, sizeof file->statements);
    file->find = file->find_any = NULL;
}

/* Written or not: it is forgotten. */
static void free_batch(struct batch *batch)
{
    for (struct show *next, *each = batch->shows; each; each = next) {
        next = each->next_dirty;
        view_show_free(each);
    }
    for (struct reservation *next, *each = batch->reservations; each; each = next) {
        next = each->next_dirty;
        view_reservation_free(each);
    }
    memory_free(batch->positions);
    *batch = (struct batch){0};
}

void register_close(struct register_file *file)
{
    if (file == NULL)
        return;
    forget_statements(file);
    sqlite3_close(file->reader);
    sqlite3_close(file->writer);
    pthread_cond_destroy(&file->news);
    buffer_release(&file->row);
    free_batch(&file->batch);
    memory_free(file->written);
    memory_free(file);
}

/* ---- reading --------------------------------------------------------------------------------- */

static struct reservation *load(void *self, struct text reservation_id, struct text show_id)
{
    struct register_file *file = self;
    struct reservation *found = NULL;
    sqlite3_stmt *statement = show_id.size ? file->find : file->find_any;
    register_bind(statement, 1, reservation_id);
    if (show_id.size)
        register_bind(statement, 2, show_id);
    if (sqlite3_step(statement) == SQLITE_ROW)
        found = row_read_reservation(register_column(statement, 0));
    sqlite3_reset(statement);
    return found;
}

static void put_about(struct register_file *file, const char *name, const char *value)
{
    sqlite3_stmt *statement = file->statements[PUT_ABOUT];
    register_bind(statement, 1, text_of(name));
    register_bind(statement, 2, text_of(value));
    sqlite3_step(statement);
    sqlite3_reset(statement);
}

/* Runs a query and hands every row to `take`. */
static bool each_row(sqlite3 *handle, const char *query,
                     void (*take)(struct edge *, sqlite3_stmt *), struct edge *edge)
{
    sqlite3_stmt *statement;
    int result = SQLITE_ERROR;
    if (sqlite3_prepare_v2(handle, query, -1, &statement, NULL) != SQLITE_OK)
        return false;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        take(edge, statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE;
}

static void take_position(struct edge *edge, sqlite3_stmt *row)
{
    int topic = sqlite3_column_int(row, 0), partition = sqlite3_column_int(row, 1);
    if (topic < 0 || topic >= TOPIC_COUNT || partition < 0 ||
        partition >= edge->installation.partition_count)
        return;
    edge->positions[topic * edge->installation.partition_count + partition] = (struct fence){
        .next = sqlite3_column_int64(row, 2),
        .claim = sqlite3_column_int64(row, 3),
        .nonce = (uint64_t)sqlite3_column_int64(row, 4),
        .n = (uint64_t)sqlite3_column_int64(row, 5),
    };
}

static void take_show(struct edge *edge, sqlite3_stmt *row)
{
    struct show *show = row_read_show(register_column(row, 0));
    if (show == NULL)
        return;
    row_read_replays(register_column(row, 1), &show->replays);
    view_take_show(&edge->view, show);
}

static void take_reservation(struct edge *edge, sqlite3_stmt *row)
{
    struct reservation *reservation = row_read_reservation(register_column(row, 0));
    if (reservation)
        view_take_reservation(&edge->view, reservation);
}

static void note_early(struct edge *edge, sqlite3_stmt *row)
{
    (void)row;
    edge->view.store_is_early = true;
}

static bool start_anew(struct register_file *file, const char *partitions, const char *layout,
                       char *error)
{
    bool used = !about_is(file, "installation", file->edge->installation.id) &&
                about_is(file, "layout", layout);
    forget_statements(file);
    if (used)
        log_line(LOG_WARNING, "edge",
                 "the register is of another installation; it is emptied and read anew");
    if (sqlite3_exec(file->writer, emptying, NULL, NULL, NULL) != SQLITE_OK ||
        !prepare(file, error) || !prepare_reader(file, error))
        return false;
    put_about(file, "installation", file->edge->installation.id);
    put_about(file, "partitions", partitions);
    put_about(file, "layout", layout);
    return true;
}

bool register_load(struct register_file *file, struct edge *edge, char *error)
{
    char partitions[16], layout[LAYOUT_SIZE];
    size_t count = (size_t)(TOPIC_COUNT * edge->installation.partition_count);
    snprintf(partitions, sizeof partitions, "%d", edge->installation.partition_count);
    layout_text(layout);
    file->edge = edge;
    edge->register_file = file;
    edge->view.store = (struct view_store){load, file};
    edge->positions = memory_grow(edge->positions, count * sizeof *edge->positions);
    for (size_t i = 0; i < count; i++)
        edge->positions[i] = fence_start();
    bool ours = about_is(file, "installation", edge->installation.id) &&
                about_is(file, "partitions", partitions) && about_is(file, "layout", layout);
    if (!ours && !start_anew(file, partitions, layout, error))
        return false;
    file->written = memory_new(count * sizeof *file->written);
    bool read = each_row(file->writer, "SELECT topic, part, next, claim, nonce, n FROM positions",
                         take_position, edge) &&
                each_row(file->writer, "SELECT value, replays FROM shows", take_show, edge) &&
                each_row(file->writer, "SELECT value FROM reservations WHERE finished = 0",
                         take_reservation, edge) &&
                each_row(file->writer, "SELECT 1 FROM reservations WHERE status = '' LIMIT 1",
                         note_early, edge);
    memcpy(file->written, edge->positions, count * sizeof *file->written);
    if (!read)
        snprintf(error, REGISTER_ERROR_SIZE,
                 "the register cannot be read: %s; remove it to make a new one",
                 sqlite3_errmsg(file->writer));
    return read;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Under the edge's lock: everything that changed, and where the log had been read to. */
static void copy_changes(struct register_file *file)
{
    struct edge *edge = file->edge;
    struct view *view = &edge->view;
    size_t size =
        (size_t)(TOPIC_COUNT * edge->installation.partition_count) * sizeof *edge->positions;
    if (memcmp(file->written, edge->positions, size) == 0)
        return;
    file->batch.positions = memory_new(size);
    memcpy(file->batch.positions, edge->positions, size);
    for (struct reservation *next, *each = view->dirty; each; each = next) {
        next = each->next_dirty;
        struct reservation *copy = view_reservation_copy(each);
        copy->next_dirty = file->batch.reservations;
        file->batch.reservations = copy;
        each->dirty = false;
    }
    view->dirty = NULL;
    for (struct show *next, *each = view->dirty_shows; each; each = next) {
        next = each->next_dirty;
        struct show *copy = view_show_copy(each);
        copy->next_dirty = file->batch.shows;
        file->batch.shows = copy;
        each->dirty = each->replays_dirty = false;
    }
    view->dirty_shows = NULL;
}

/* Under the edge's lock: what is finished and written leaves; its next reader finds it in the
 * register. What nobody requested yet is soon requested as a rule, so a number of them stays. */
static void let_settled_go(struct register_file *file)
{
    struct view *view = &file->edge->view;
    struct reservation *each = view->settled, **kept = &view->settled;
    int early_count = 0;
    for (struct reservation *next; each; each = next) {
        next = each->next_settled;
        each->settled = false;
        if (!view_may_leave(each))
            continue;
        if (!each->dirty && (view_is_requested(each) || ++early_count > REGISTER_EARLY_MAX)) {
            view_let_go(view, each);
            continue;
        }
        each->settled = true;
        *kept = each;
        kept = &each->next_settled;
    }
    *kept = NULL;
}

static bool put(struct register_file *file, enum statement which)
{
    sqlite3_stmt *statement = file->statements[which];
    bool good = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return good;
}

static bool put_payment(struct register_file *file, const struct reservation *reservation,
                        const char *id)
{
    sqlite3_stmt *statement = file->statements[PUT_PAYMENT];
    register_bind(statement, 1, text_of(id));
    register_bind(statement, 2, text_of(reservation->reservation_id));
    register_bind(statement, 3, text_of(reservation->show_id));
    return put(file, PUT_PAYMENT);
}

static bool put_payments(struct register_file *file, const struct reservation *reservation)
{
    bool good = true;
    for (int i = 0; i < reservation->attempt_count && good; i++)
        good = put_payment(file, reservation, reservation->attempts[i].payment_id);
    for (int i = 0; i < reservation->repayment_count && good; i++)
        good = put_payment(file, reservation, reservation->repayments[i].refund_id);
    return good;
}

/* What nobody requested has no status, and is in no list. */
static const char *status_of(const struct reservation *reservation)
{
    return view_is_requested(reservation) ? view_status_name(view_status(reservation)) : "";
}

static bool put_reservation(struct register_file *file, const struct reservation *reservation)
{
    sqlite3_stmt *statement = file->statements[PUT_RESERVATION];
    buffer_clear(&file->row);
    row_put_reservation(&file->row, reservation);
    register_bind(statement, 1, text_of(reservation->reservation_id));
    register_bind(statement, 2, text_of(reservation->show_id));
    register_bind(statement, 3, reservation->holder.name);
    sqlite3_bind_int64(statement, 4, view_seat_count(reservation));
    register_bind(statement, 5, text_of(status_of(reservation)));
    sqlite3_bind_int(statement, 6, view_may_leave(reservation));
    sqlite3_bind_int64(statement, 7, reservation->created_at_ms);
    register_bind(statement, 8, buffer_view(&file->row));
    register_bind(statement, 9, text_of(reservation->reference));
    register_bind(statement, 10, reservation->holder.email);
    sqlite3_bind_int(statement, 11, attention_needed(reservation));
    return put(file, PUT_RESERVATION) && put_payments(file, reservation);
}

static bool put_show(struct register_file *file, const struct show *show)
{
    sqlite3_stmt *statement = file->statements[PUT_SHOW];
    buffer_clear(&file->row);
    row_put_show(&file->row, show);
    register_bind(statement, 1, text_of(show->show_id));
    register_bind(statement, 2, buffer_view(&file->row));
    if (!put(file, PUT_SHOW))
        return false;
    if (!show->replays_dirty)
        return true;
    statement = file->statements[PUT_REPLAYS];
    buffer_clear(&file->row);
    row_put_replays(&file->row, &show->replays);
    register_bind(statement, 1, buffer_view(&file->row));
    register_bind(statement, 2, text_of(show->show_id));
    return put(file, PUT_REPLAYS);
}

static bool put_positions(struct register_file *file)
{
    sqlite3_stmt *statement = file->statements[PUT_POSITION];
    int partitions = file->edge->installation.partition_count;
    bool good = true;
    for (int at = 0; at < TOPIC_COUNT * partitions && good; at++) {
        const struct fence *fence = &file->batch.positions[at];
        if (fence_same_position(fence, &file->written[at]))
            continue;
        sqlite3_bind_int(statement, 1, at / partitions);
        sqlite3_bind_int(statement, 2, at % partitions);
        sqlite3_bind_int64(statement, 3, fence->next);
        sqlite3_bind_int64(statement, 4, fence->claim);
        sqlite3_bind_int64(statement, 5, (int64_t)fence->nonce);
        sqlite3_bind_int64(statement, 6, (int64_t)fence->n);
        good = put(file, PUT_POSITION);
    }
    return good;
}

static bool write_batch(struct register_file *file)
{
    bool good = sqlite3_exec(file->writer, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
    for (const struct show *each = file->batch.shows; each && good; each = each->next_dirty)
        good = put_show(file, each);
    for (const struct reservation *each = file->batch.reservations; each && good;
         each = each->next_dirty)
        good = put_reservation(file, each);
    good = good && put_positions(file) &&
           sqlite3_exec(file->writer, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (good)
        return true;
    log_line(LOG_ERROR, "edge", "the register cannot be written: %s; trying again",
             sqlite3_errmsg(file->writer));
    sqlite3_exec(file->writer, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

bool register_flush(struct register_file *file)
{
    struct edge *edge = file->edge;
    edge_lock(edge);
    if (file->batch.positions == NULL)
        copy_changes(file);
    edge_unlock(edge);
    if (file->batch.positions) {
        if (!write_batch(file))
            return false;
        memory_free(file->written);
        file->written = file->batch.positions;
        file->batch.positions = NULL;
        free_batch(&file->batch);
    }
    edge_lock(edge);
    let_settled_go(file);
    edge_unlock(edge);
    return true;
}

/* ---- the thread ------------------------------------------------------------------------------ */

bool register_post(struct register_file *file, struct clerk_job *job)
{
    if (file->stopping)
        return false;
    clerk_jobs_add(&file->jobs, job);
    pthread_cond_signal(&file->news);
    return true;
}

static void hand_over(struct register_file *file, struct clerk_jobs *jobs)
{
    struct clerk self = {.edge = file->edge, .file = file->writer};
    for (struct clerk_job *job; (job = clerk_jobs_take(jobs)) != NULL;)
        if (file->edge->clerks == NULL || !clerks_post(file->edge->clerks, job))
            job->run(job, &self);
}

bool register_turn(struct register_file *file)
{
    edge_lock(file->edge);
    struct clerk_jobs jobs = file->jobs;
    file->jobs = (struct clerk_jobs){0};
    edge_unlock(file->edge);
    bool kept = file->batch.positions != NULL; /* it could not be written, and there is more now */
    bool written = register_flush(file) && (!kept || register_flush(file));
    edge_lock(file->edge);
    file->edge->unwritten = !written;
    edge_unlock(file->edge);
    hand_over(file, &jobs);
    return written;
}

/* Waits for work or the end, at most `wait_ms`. true: it is the end. */
static bool await(struct register_file *file, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until.tv_sec += wait_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    edge_lock(file->edge);
    while (!file->stopping && file->jobs.first == NULL &&
           pthread_cond_timedwait(&file->news, &file->edge->lock, &until) != ETIMEDOUT)
        continue;
    bool stopping = file->stopping;
    edge_unlock(file->edge);
    return stopping;
}

static void *run(void *argument)
{
    struct register_file *file = argument;
    bool stopping = false, written = true;
    while (!stopping) {
        stopping = await(file, written ? REGISTER_INTERVAL_MS : RETRY_MS);
        written = register_turn(file);
    }
    return NULL;
}

void register_start(struct register_file *file)
{
    file->running = pthread_create(&file->thread, NULL, run, file) == 0;
}

void register_stop(struct register_file *file)
{
    edge_lock(file->edge);
    file->stopping = true;
    pthread_cond_signal(&file->news);
    edge_unlock(file->edge);
    if (file->running)
        pthread_join(file->thread, NULL);
    file->running = false;
}
