/* One SQLite file, one transaction a turn. */
#include "paydesk/ledger.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LAYOUT "1"

enum state { PLANNED, OWED, TOLD, REFUSED, CANCELLED };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS about(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS counters(name TEXT PRIMARY KEY, next INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS positions(part INTEGER PRIMARY KEY, next INTEGER, claim INTEGER,"
    "  nonce INTEGER, n INTEGER);"
    "CREATE TABLE IF NOT EXISTS requests(subject TEXT PRIMARY KEY, counter TEXT, show_id TEXT,"
    "  step TEXT) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS requests_by_show ON requests(show_id);"
    "CREATE TABLE IF NOT EXISTS answers(seq INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT,"
    "  show_id TEXT, webhook_id TEXT, result TEXT, provider_ref TEXT, body TEXT, firm INTEGER,"
    "  at_ms INTEGER, state INTEGER, tries INTEGER, problem TEXT);"
    "CREATE INDEX IF NOT EXISTS answers_by_time ON answers(state, at_ms, seq);"
    "CREATE INDEX IF NOT EXISTS answers_by_subject ON answers(subject, seq);"
    "CREATE INDEX IF NOT EXISTS answers_by_show ON answers(show_id);";

/* Of a subject only the first answer that is owed. The states are those of the enum above. */
#define OWED_IN_ORDER                                                                              \
    " FROM answers AS mine WHERE state = 1 AND NOT EXISTS(SELECT 1 FROM answers AS earlier"        \
    " WHERE earlier.subject = mine.subject AND earlier.seq < mine.seq AND earlier.state = 1)"
#define PLANNED_FOR_IT " WHERE subject = ?1 AND state = 0"
#define ANSWER_COLUMNS                                                                             \
    " seq, subject, show_id, webhook_id, result, provider_ref, body, firm, at_ms, tries "

enum statement {
    GET_ABOUT,
    PUT_ABOUT,
    GET_COUNTER,
    PUT_COUNTER,
    DROP_COUNTERS,
    GET_POSITION,
    PUT_POSITION,
    GET_REQUEST,
    PUT_REQUEST,
    LAST_SEQ,
    PLAN,
    CANCEL,
    COUNT_FIRM,
    FOUND,
    DUE,
    SET_OWED,
    OWE_REFUSED,
    GET_OWED,
    SET_STATE,
    AGAIN,
    NEXT_PLANNED,
    NEXT_OWED,
    COUNT_OWED,
    FORGET_REQUESTS,
    FORGET_ANSWERS,
    STATEMENT_COUNT
};

static const char *const texts[STATEMENT_COUNT] = {
    [GET_ABOUT] = "SELECT value FROM about WHERE name = ?1",
    [PUT_ABOUT] = "INSERT OR REPLACE INTO about VALUES(?1, ?2)",
    [GET_COUNTER] = "SELECT next FROM counters WHERE name = ?1",
    [PUT_COUNTER] = "INSERT OR REPLACE INTO counters VALUES(?1, ?2)",
    [DROP_COUNTERS] = "DELETE FROM counters",
    [GET_POSITION] = "SELECT next, claim, nonce, n FROM positions WHERE part = ?1",
    [PUT_POSITION] = "INSERT OR REPLACE INTO positions VALUES(?1, ?2, ?3, ?4, ?5)",
    [GET_REQUEST] = "SELECT step FROM requests WHERE subject = ?1",
    [PUT_REQUEST] = "INSERT OR REPLACE INTO requests VALUES(?1, ?2, ?3, ?4)",
    [LAST_SEQ] = "SELECT coalesce(max(seq), 0) FROM answers",
    [PLAN] = "INSERT INTO answers VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, NULL)",
    [CANCEL] = "UPDATE answers SET state = 4" PLANNED_FOR_IT " AND firm = 0",
    [COUNT_FIRM] = "SELECT count(*) FROM answers" PLANNED_FOR_IT " AND firm = 1",
    [FOUND] = "UPDATE answers SET state = 2" PLANNED_FOR_IT
              " AND result = ?2 AND provider_ref = ?3 AND seq > ?4",
    [DUE] = "SELECT" ANSWER_COLUMNS "FROM answers WHERE state = 0 AND at_ms <= ?1"
            " ORDER BY at_ms, seq LIMIT 1",
    [SET_OWED] = "UPDATE answers SET state = 1 WHERE seq = ?1",
    [OWE_REFUSED] = "UPDATE answers SET state = 1, at_ms = ?1 WHERE state = 3",
    [GET_OWED] = "SELECT" ANSWER_COLUMNS OWED_IN_ORDER " AND at_ms <= ?1"
                 " ORDER BY at_ms, seq LIMIT 1 OFFSET ?2",
    [SET_STATE] = "UPDATE answers SET state = ?2, problem = ?3, tries = tries + 1 WHERE seq = ?1",
    [AGAIN] = "UPDATE answers SET at_ms = ?2, problem = ?3, tries = tries + 1 WHERE seq = ?1",
    [NEXT_PLANNED] = "SELECT min(at_ms) FROM answers WHERE state = 0",
    [NEXT_OWED] = "SELECT min(at_ms)" OWED_IN_ORDER,
    [COUNT_OWED] = "SELECT count(*) FROM answers WHERE state = 1",
    [FORGET_REQUESTS] = "DELETE FROM requests WHERE show_id = ?1 AND counter = 'payments'",
    [FORGET_ANSWERS] = "DELETE FROM answers WHERE show_id = ?1 AND state IN (2, 4)",
};

struct ledger {
    sqlite3 *file;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    int lock;
    bool begun, failed;
    int64_t seq_at_start; /* answers above were planned since the file was opened */
    char problem[LEDGER_ERROR_SIZE];
};

/* ---- statements ------------------------------------------------------------------------------ */

static void fail(struct ledger *ledger)
{
    if (!ledger->failed)
        snprintf(ledger->problem, sizeof ledger->problem, "the ledger cannot be used: %s",
                 sqlite3_errmsg(ledger->file));
    ledger->failed = true;
}

/* The statement, ready to be bound; what it gave before is no longer borrowed. */
static sqlite3_stmt *fresh(struct ledger *ledger, enum statement which)
{
    sqlite3_stmt *statement = ledger->statements[which];
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return statement;
}

static void bind_text(sqlite3_stmt *statement, int at, struct text text)
{
    sqlite3_bind_text(statement, at, text.data ? text.data : "", (int)text.size, SQLITE_TRANSIENT);
}

/* Begins the turn's transaction when nothing has been written in it yet. */
static void write_row(struct ledger *ledger, sqlite3_stmt *statement)
{
    if (ledger->failed)
        return;
    if (!ledger->begun &&
        sqlite3_exec(ledger->file, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        fail(ledger);
        return;
    }
    ledger->begun = true;
    if (sqlite3_step(statement) != SQLITE_DONE)
        fail(ledger);
    sqlite3_reset(statement);
}

static bool read_row(struct ledger *ledger, sqlite3_stmt *statement)
{
    if (ledger->failed)
        return false;
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        fail(ledger);
    return result == SQLITE_ROW;
}

static struct text column_text(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_text(statement, at);
    return text_from(data, data ? (size_t)sqlite3_column_bytes(statement, at) : 0);
}

static int64_t read_number(struct ledger *ledger, sqlite3_stmt *statement, int64_t otherwise)
{
    int64_t number = otherwise;
    if (read_row(ledger, statement) && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return number;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The lock goes with the process, however that ends. */
static bool take_lock(struct ledger *ledger, const char *path, char *error)
{
    char lock[4096];
    snprintf(lock, sizeof lock, "%s.lock", path);
    ledger->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ledger->lock < 0) {
        snprintf(error, LEDGER_ERROR_SIZE, "cannot write '%.400s': %s", lock, strerror(errno));
        return false;
    }
    if (flock(ledger->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    snprintf(error, LEDGER_ERROR_SIZE,
             "another paydesk works with '%.300s'; a second one needs a --provider, or a --data, "
             "of its own",
             path);
    return false;
}

static bool prepare(struct ledger *ledger)
{
    bool good = sqlite3_exec(ledger->file,
                             "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                             "PRAGMA busy_timeout=5000;",
                             NULL, NULL, NULL) == SQLITE_OK &&
                sqlite3_exec(ledger->file, schema, NULL, NULL, NULL) == SQLITE_OK;
    for (int i = 0; i < STATEMENT_COUNT && good; i++)
        good = sqlite3_prepare_v3(ledger->file, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &ledger->statements[i], NULL) == SQLITE_OK;
    if (good)
        ledger->seq_at_start = read_number(ledger, fresh(ledger, LAST_SEQ), 0);
    return good && !ledger->failed;
}

struct ledger *ledger_open(const char *path, char *error)
{
    struct ledger *ledger = memory_new(sizeof *ledger);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    ledger->lock = -1;
    if (strcmp(path, ":memory:") != 0 && !take_lock(ledger, path, error)) {
        ledger_close(ledger);
        return NULL;
    }
    if (sqlite3_open_v2(path, &ledger->file, flags, NULL) == SQLITE_OK && prepare(ledger))
        return ledger;
    snprintf(error, LEDGER_ERROR_SIZE, "cannot use '%.300s': %.150s", path,
             sqlite3_errmsg(ledger->file));
    ledger_close(ledger);
    return NULL;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(ledger->statements[i]);
    sqlite3_close(ledger->file);
    if (ledger->lock >= 0)
        close(ledger->lock);
    memory_free(ledger);
}

bool ledger_commit(struct ledger *ledger, char *error)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_reset(ledger->statements[i]); /* a reader left open would hold the file */
    if (!ledger->failed && ledger->begun) {
        if (sqlite3_exec(ledger->file, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
            fail(ledger);
        ledger->begun = false;
    }
    if (ledger->failed)
        snprintf(error, LEDGER_ERROR_SIZE, "%s", ledger->problem);
    return !ledger->failed;
}

/* ---- whose it is ----------------------------------------------------------------------------- */

static void put_about(struct ledger *ledger, const char *name, struct text value)
{
    sqlite3_stmt *statement = fresh(ledger, PUT_ABOUT);
    bind_text(statement, 1, text_of(name));
    bind_text(statement, 2, value);
    write_row(ledger, statement);
}

/* Whether it says so already; `*absent`: it says nothing. */
static bool about_is(struct ledger *ledger, const char *name, struct text value, bool *absent)
{
    sqlite3_stmt *statement = fresh(ledger, GET_ABOUT);
    bind_text(statement, 1, text_of(name));
    *absent = !read_row(ledger, statement);
    bool same = !*absent && text_equal(column_text(statement, 0), value);
    sqlite3_reset(statement);
    return same;
}

bool ledger_claim(struct ledger *ledger, const struct installation *installation,
                  const char *provider, int64_t now_ms, int *refused_count, char *error)
{
    char partitions[16];
    snprintf(partitions, sizeof partitions, "%d", installation->partition_count);
    const struct {
        const char *name;
        struct text value;
    } facts[] = {{"layout", TEXT(LAYOUT)},
                 {"provider", text_of(provider)},
                 {"installation", text_of(installation->id)},
                 {"partitions", text_of(partitions)}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        bool absent, same = about_is(ledger, facts[i].name, facts[i].value, &absent);
        if (same)
            continue;
        if (!absent) {
            snprintf(error, LEDGER_ERROR_SIZE,
                     "the ledger is of another %s; move it away if nothing in it matters any more",
                     facts[i].name);
            return false;
        }
        put_about(ledger, facts[i].name, facts[i].value);
    }
    sqlite3_stmt *statement = fresh(ledger, OWE_REFUSED);
    sqlite3_bind_int64(statement, 1, now_ms);
    write_row(ledger, statement);
    *refused_count = sqlite3_changes(ledger->file);
    return ledger_commit(ledger, error);
}

/* ---- places ---------------------------------------------------------------------------------- */

struct fence ledger_position(struct ledger *ledger, int partition)
{
    struct fence fence = fence_start();
    sqlite3_stmt *statement = fresh(ledger, GET_POSITION);
    sqlite3_bind_int(statement, 1, partition);
    if (read_row(ledger, statement))
        fence = (struct fence){
            .next = sqlite3_column_int64(statement, 0),
            .claim = sqlite3_column_int64(statement, 1),
            .nonce = (uint64_t)sqlite3_column_int64(statement, 2),
            .n = (uint64_t)sqlite3_column_int64(statement, 3),
        };
    sqlite3_reset(statement);
    return fence;
}

void ledger_put_position(struct ledger *ledger, int partition, const struct fence *fence)
{
    struct fence position = fence_position(fence);
    sqlite3_stmt *statement = fresh(ledger, PUT_POSITION);
    sqlite3_bind_int(statement, 1, partition);
    sqlite3_bind_int64(statement, 2, position.next);
    sqlite3_bind_int64(statement, 3, position.claim);
    sqlite3_bind_int64(statement, 4, (int64_t)position.nonce);
    sqlite3_bind_int64(statement, 5, (int64_t)position.n);
    write_row(ledger, statement);
}

bool ledger_put_script(struct ledger *ledger, struct text script)
{
    bool absent;
    if (about_is(ledger, "script", script, &absent))
        return false;
    put_about(ledger, "script", script);
    write_row(ledger, fresh(ledger, DROP_COUNTERS));
    return !absent;
}

int64_t ledger_count(struct ledger *ledger, const char *counter)
{
    sqlite3_stmt *statement = fresh(ledger, GET_COUNTER);
    bind_text(statement, 1, text_of(counter));
    int64_t next = read_number(ledger, statement, 0);
    statement = fresh(ledger, PUT_COUNTER);
    bind_text(statement, 1, text_of(counter));
    sqlite3_bind_int64(statement, 2, next + 1);
    write_row(ledger, statement);
    return next;
}

bool ledger_find_request(struct ledger *ledger, struct text subject, struct buffer *step)
{
    sqlite3_stmt *statement = fresh(ledger, GET_REQUEST);
    bind_text(statement, 1, subject);
    bool found = read_row(ledger, statement);
    if (found)
        buffer_text(step, column_text(statement, 0));
    sqlite3_reset(statement);
    return found;
}

void ledger_put_request(struct ledger *ledger, const char *counter, struct text subject,
                        struct text show_id, struct text step)
{
    sqlite3_stmt *statement = fresh(ledger, PUT_REQUEST);
    bind_text(statement, 1, subject);
    bind_text(statement, 2, text_of(counter));
    bind_text(statement, 3, show_id);
    bind_text(statement, 4, step);
    write_row(ledger, statement);
}

/* ---- answers --------------------------------------------------------------------------------- */

void ledger_plan(struct ledger *ledger, const struct ledger_answer *answer)
{
    sqlite3_stmt *statement = fresh(ledger, PLAN);
    const struct text columns[] = {answer->subject, answer->show_id,      answer->webhook_id,
                                   answer->result,  answer->provider_ref, answer->body};
    for (int i = 0; i < 6; i++)
        bind_text(statement, i + 1, columns[i]);
    sqlite3_bind_int(statement, 7, answer->firm);
    sqlite3_bind_int64(statement, 8, answer->at_ms);
    write_row(ledger, statement);
}

int ledger_cancel(struct ledger *ledger, struct text subject, int *firm)
{
    sqlite3_stmt *statement = fresh(ledger, COUNT_FIRM);
    bind_text(statement, 1, subject);
    *firm = (int)read_number(ledger, statement, 0);
    statement = fresh(ledger, CANCEL);
    bind_text(statement, 1, subject);
    write_row(ledger, statement);
    return ledger->failed ? 0 : sqlite3_changes(ledger->file);
}

bool ledger_found(struct ledger *ledger, struct text subject, struct text result,
                  struct text provider_ref)
{
    sqlite3_stmt *statement = fresh(ledger, FOUND);
    bind_text(statement, 1, subject);
    bind_text(statement, 2, result);
    bind_text(statement, 3, provider_ref);
    sqlite3_bind_int64(statement, 4, ledger->seq_at_start);
    write_row(ledger, statement);
    return !ledger->failed && sqlite3_changes(ledger->file) > 0;
}

static void read_answer(sqlite3_stmt *row, struct ledger_answer *answer)
{
    *answer = (struct ledger_answer){
        .seq = sqlite3_column_int64(row, 0),
        .subject = column_text(row, 1),
        .show_id = column_text(row, 2),
        .webhook_id = column_text(row, 3),
        .result = column_text(row, 4),
        .provider_ref = column_text(row, 5),
        .body = column_text(row, 6),
        .firm = sqlite3_column_int(row, 7) != 0,
        .at_ms = sqlite3_column_int64(row, 8),
        .tries = sqlite3_column_int64(row, 9),
    };
}

bool ledger_happen(struct ledger *ledger, int64_t now_ms, struct ledger_answer *answer)
{
    sqlite3_stmt *due = fresh(ledger, DUE), *owe = fresh(ledger, SET_OWED);
    sqlite3_bind_int64(due, 1, now_ms);
    if (!read_row(ledger, due))
        return false;
    read_answer(due, answer);
    sqlite3_bind_int64(owe, 1, answer->seq);
    write_row(ledger, owe);
    return !ledger->failed;
}

bool ledger_owed(struct ledger *ledger, int64_t now_ms, int n, struct ledger_answer *answer)
{
    sqlite3_stmt *statement = fresh(ledger, GET_OWED);
    sqlite3_bind_int64(statement, 1, now_ms);
    sqlite3_bind_int(statement, 2, n);
    if (!read_row(ledger, statement))
        return false;
    read_answer(statement, answer);
    return true;
}

static void set_state(struct ledger *ledger, int64_t seq, enum state state, struct text problem)
{
    sqlite3_stmt *statement = fresh(ledger, SET_STATE);
    sqlite3_bind_int64(statement, 1, seq);
    sqlite3_bind_int(statement, 2, (int)state);
    bind_text(statement, 3, problem);
    write_row(ledger, statement);
}

void ledger_told(struct ledger *ledger, int64_t seq)
{
    set_state(ledger, seq, TOLD, text_of(""));
}

void ledger_refused(struct ledger *ledger, int64_t seq, struct text problem)
{
    set_state(ledger, seq, REFUSED, problem);
}

void ledger_again(struct ledger *ledger, int64_t seq, int64_t at_ms, struct text problem)
{
    sqlite3_stmt *statement = fresh(ledger, AGAIN);
    sqlite3_bind_int64(statement, 1, seq);
    sqlite3_bind_int64(statement, 2, at_ms);
    bind_text(statement, 3, problem);
    write_row(ledger, statement);
}

int64_t ledger_next_planned_ms(struct ledger *ledger)
{
    return read_number(ledger, fresh(ledger, NEXT_PLANNED), INT64_MAX);
}

int64_t ledger_next_owed_ms(struct ledger *ledger)
{
    return read_number(ledger, fresh(ledger, NEXT_OWED), INT64_MAX);
}

int64_t ledger_owed_count(struct ledger *ledger)
{
    return read_number(ledger, fresh(ledger, COUNT_OWED), 0);
}

void ledger_forget(struct ledger *ledger, struct text show_id)
{
    sqlite3_stmt *statement = fresh(ledger, FORGET_REQUESTS);
    bind_text(statement, 1, show_id);
    write_row(ledger, statement);
    statement = fresh(ledger, FORGET_ANSWERS);
    bind_text(statement, 1, show_id);
    write_row(ledger, statement);
}
