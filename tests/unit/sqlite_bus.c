/* What is particular to the embedded bus; what it shares with the others is in tests/bus.
 *
 * Other processes are this program again, run with a role as its first argument: a SQLite
 * connection must not cross a fork, an exec closes everything. Nothing here sleeps: every wait is a
 * bus_poll with a deadline. */
#include "bus/bus.h"

#include "base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, SESSION_MS = 600, PARTITIONS = 4 };

/* ---- a folder for each test ------------------------------------------------------------------ */

struct place {
    char folder[64];
    char path[80];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    strcpy(place->folder, "/tmp/sqlite_bus.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/bus.db", place->folder);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    static const char *const names[] = {"", "-wal", "-shm", "-wake", "-journal"};
    struct place *place = *state;
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s%s", place->path, names[i]);
        unlink(path);
    }
    rmdir(place->folder);
    free(place);
    return 0;
}

/* ---- handles --------------------------------------------------------------------------------- */

static enum bus_result try_open(struct bus **bus, const char *path,
                                const struct bus_options *options, struct bus_error *error)
{
    char url[128];
    snprintf(url, sizeof url, "sqlite:%s", path);
    return bus_open(bus, url, options, error);
}

/* Topics "in" and "out", made when they are missing. */
static struct bus *open_with(const char *path, const struct bus_options *options)
{
    struct bus *bus;
    struct bus_error error;
    struct bus_topic_spec specs[2] = {{"in", PARTITIONS, true, false},
                                      {"out", PARTITIONS, true, false}};
    if (try_open(&bus, path, options, &error) != BUS_OK ||
        bus_topics(bus, specs, 2, &error) != BUS_OK)
        fail_msg("%s", error.text);
    return bus;
}

static struct bus *open_bus(const char *path)
{
    return open_with(path, &(struct bus_options){.client = "test"});
}

static struct bus *open_member(const char *path, const char *instance)
{
    struct bus *bus = open_with(path, &(struct bus_options){.client = "test",
                                                            .instance = instance,
                                                            .session_timeout_ms = SESSION_MS});
    int topic = 0;
    assert_int_equal(bus_join(bus, "group", &topic, 1), BUS_OK);
    return bus;
}

static enum bus_result append(struct bus *bus, int partition, const char *value, uint64_t tag)
{
    struct bus_record record = {.key = text_of("key"), .value = text_of(value)};
    return bus_append(bus, 0, partition, &record, tag);
}

/* The next event of `type`; others are passed over. */
static struct bus_event await(struct bus *bus, enum bus_event_type type)
{
    struct bus_event event = {0};
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (clock_monotonic_ms() < until_ms)
        if (bus_poll(bus, 100, &event) && event.type == type)
            return event;
    fail_msg("no event of type %d within %d ms", type, PATIENCE_MS);
    return event;
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, PATIENCE_MS);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ---- other processes ------------------------------------------------------------------------- */

struct child {
    pid_t pid;
    int out; /* what it prints */
};

static struct child start(const char *role, const char *path)
{
    struct child child;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "sqlite_bus", role, path, (char *)NULL);
        _exit(111);
    }
    close(ends[1]);
    child.out = ends[0];
    return child;
}

static int finish(struct child *child)
{
    int status;
    close(child->out);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char read_byte(struct child *child)
{
    char byte;
    assert_int_equal(read(child->out, &byte, 1), 1);
    return byte;
}

static int say(char byte)
{
    return write(1, &byte, 1) == 1 ? 0 : 1;
}

/* Appends 0, 1, 2 … to partition 0, 50 at a time, and prints a byte per acknowledgement. */
static int play_writer(const char *path)
{
    struct bus *bus = open_bus(path);
    struct bus_event event;
    char value[32];
    for (uint64_t sent = 0, answered = 0;;) {
        for (; sent - answered < 50; sent++) {
            snprintf(value, sizeof value, "%llu", (unsigned long long)sent);
            if (append(bus, 0, value, sent) != BUS_OK)
                return 1;
        }
        if (bus_poll(bus, PATIENCE_MS, &event) && event.type == BUS_APPENDED) {
            answered++;
            if (say('a'))
                return 0;
        }
    }
}

/* Exits with 1 if this process made both topics, 0 if none, 2 otherwise. */
static int play_maker(const char *path)
{
    struct bus *bus;
    struct bus_error error;
    struct bus_topic_spec specs[2] = {{"in", PARTITIONS, true, false},
                                      {"out", PARTITIONS, true, false}};
    if (try_open(&bus, path, &(struct bus_options){.client = "maker"}, &error) != BUS_OK ||
        bus_topics(bus, specs, 2, &error) != BUS_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 3;
    }
    bus_close(bus);
    return specs[0].created != specs[1].created ? 2 : specs[0].created;
}

/* A member that prints A and R for each assigned and revoked partition number. */
static int play_member(const char *path)
{
    struct bus *bus = open_member(path, "b");
    struct bus_event event;
    for (;;)
        if (bus_poll(bus, PATIENCE_MS, &event) &&
            (event.type == BUS_ASSIGNED || event.type == BUS_REVOKED) &&
            say(event.type == BUS_ASSIGNED ? 'A' : 'R'))
            return 0;
}

/* ---- records --------------------------------------------------------------------------------- */

static void assert_text(struct text got, struct text wanted)
{
    assert_int_equal(got.data == NULL, wanted.data == NULL);
    assert_int_equal(got.size, wanted.size);
    if (wanted.size)
        assert_memory_equal(got.data, wanted.data, wanted.size);
}

static void sqlite__any_bytes_come_back(void **state)
{
    struct place *place = *state;
    static const struct bus_header headers[] = {
        {TEXT("ce_type"), TEXT("stagedoor.shows.SeatsHeld")},
        {TEXT("ce_type"), TEXT("twice")},
        {TEXT("a:b: c"), TEXT(" : \\ \\n \\x00 ")},
        {TEXT("lines\nin it"), TEXT("one\ntwo\r\n\tthree\n")},
        {TEXT("bytes"), TEXT("\x00\x01\x7f\x80\xff")},
        {TEXT("utf-8"), TEXT("Z\xc3\xbcrich")},
        {TEXT("empty"), TEXT("")},
        {TEXT(""), TEXT("no name")},
        {TEXT("no value"), {NULL, 0}},
    };
    enum { COUNT = sizeof headers / sizeof headers[0] };
    static const struct bus_record records[] = {
        {TEXT("show-1"), TEXT("{\"a\":1}"), headers, COUNT, 0},
        {{NULL, 0}, TEXT("\x00\xff bytes"), NULL, 0, 0},
        {TEXT(""), TEXT(""), NULL, 0, 0},
        {TEXT("\xed\xa0\x80"), {NULL, 0}, headers, 1, 0},
    };
    struct bus *bus = open_bus(place->path);
    bus_follow(bus, 0, 2, 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(bus_append(bus, 0, 2, &records[i], 0), BUS_OK);
    for (int i = 0; i < 4; i++) {
        struct bus_event event = await(bus, BUS_RECORD);
        assert_int_equal(event.offset, i);
        assert_text(event.record.key, records[i].key);
        assert_text(event.record.value, records[i].value);
        assert_int_equal(event.record.header_count, records[i].header_count);
        assert_in_range(clock_wall_ms() - event.record.append_ms, 0, PATIENCE_MS);
        for (int j = 0; j < records[i].header_count; j++) {
            assert_text(event.record.headers[j].name, headers[j].name);
            assert_text(event.record.headers[j].value, headers[j].value);
        }
    }
    bus_close(bus);
}

static void sqlite__people_can_read_the_log(void **state)
{
    struct place *place = *state;
    struct bus_header headers[] = {{TEXT("ce_type"), TEXT("SeatsHeld")},
                                   {TEXT("note"), TEXT("a\nb")}};
    struct bus_record record = {TEXT("show-1"), TEXT("{\"seats\":2}"), headers, 2, 0};
    struct bus *bus = open_with(place->path, &(struct bus_options){.topic_prefix = "west."});
    assert_int_equal(bus_append(bus, 1, 3, &record, 7), BUS_OK);
    await(bus, BUS_APPENDED);
    sqlite3 *db;
    sqlite3_stmt *row;
    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT topic || '/' || partition || '@' || \"offset\","
                                        " key, headers, value, typeof(value) FROM log",
                                        -1, &row, NULL),
                     SQLITE_OK);
    static const char *const wanted[] = {
        "west.out/3@0", "show-1", "ce_type: SeatsHeld\nnote: a\\nb\n", "{\"seats\":2}", "text"};
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    for (int i = 0; i < 5; i++)
        assert_string_equal((const char *)sqlite3_column_text(row, i), wanted[i]);
    sqlite3_finalize(row);
    sqlite3_close(db);
    bus_close(bus);
}

/* People may also write into it; the bus must survive what they write. */
static void sqlite__rows_written_by_hand_are_read(void **state)
{
    struct place *place = *state;
    bus_close(open_bus(place->path));
    run_sql(place->path,
            "INSERT INTO records SELECT 1, 0, 0, 5, 'k', 'a:b' || char(10) || 'c: \\q\\x1', 42;"
            "INSERT INTO records SELECT 1, 0, 1, 5, 'k', group_concat('h: v', char(10)), 'v' FROM"
            " (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
            " SELECT i FROM n);");
    struct bus *bus = open_bus(place->path);
    bus_follow(bus, 0, 0, 0);
    struct bus_event event = await(bus, BUS_RECORD);
    assert_int_equal(event.record.append_ms, 5);
    assert_int_equal(event.record.header_count, 2);
    assert_text(event.record.headers[0].name, (struct text)TEXT("a"));
    assert_text(event.record.headers[0].value, (struct text)TEXT("b"));
    assert_text(event.record.headers[1].value, (struct text)TEXT("\\q\\x1"));
    assert_text(event.record.value, (struct text)TEXT("42"));
    event = await(bus, BUS_RECORD);
    assert_int_equal(event.record.header_count, BUS_HEADERS_MAX + 1);
    bus_close(bus);
}

/* ---- the log over time ----------------------------------------------------------------------- */

static void sqlite__offsets_go_on_after_reopening(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < 3; i++) {
        int64_t end;
        struct bus *bus = open_bus(place->path);
        assert_int_equal(bus_end(bus, 0, 1, &end), BUS_OK);
        assert_int_equal(end, i);
        assert_int_equal(append(bus, 1, "v", (uint64_t)i), BUS_OK);
        struct bus_event event = await(bus, BUS_APPENDED);
        assert_int_equal(event.offset, i);
        assert_int_equal(event.tag, i);
        bus_close(bus);
    }
}

static void sqlite__close_writes_what_is_queued(void **state)
{
    struct place *place = *state;
    int64_t end;
    struct bus *bus = open_bus(place->path);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(append(bus, 0, "v", i), BUS_OK);
    bus_close(bus);
    bus = open_bus(place->path);
    assert_int_equal(bus_end(bus, 0, 0, &end), BUS_OK);
    assert_int_equal(end, 1000);
    bus_close(bus);
}

/* More than a chunk per partition, all at once, to a reader that was there before. */
static void sqlite__another_handle_reads_in_order(void **state)
{
    struct place *place = *state;
    enum { EACH = 700 };
    struct bus *writer = open_bus(place->path), *reader = open_bus(place->path);
    int64_t next[PARTITIONS] = {0};
    for (int p = 0; p < PARTITIONS; p++) {
        bus_follow(reader, 0, p, 0);
        assert_int_equal(await(reader, BUS_CAUGHT_UP).offset, 0);
    }
    for (int i = 0; i < EACH * PARTITIONS; i++)
        assert_int_equal(append(writer, i % PARTITIONS, "v", 0), BUS_OK);
    for (int caught = 0; caught < PARTITIONS;) {
        struct bus_event event;
        assert_true(bus_poll(reader, PATIENCE_MS, &event));
        if (event.type == BUS_RECORD)
            assert_int_equal(event.offset, next[event.partition]++);
        else if (event.type == BUS_CAUGHT_UP)
            assert_int_equal(event.offset, next[event.partition]);
        caught += event.type == BUS_CAUGHT_UP && event.offset == EACH;
    }
    bus_close(writer);
    bus_close(reader);
}

static void sqlite__a_killed_writer_loses_nothing_acknowledged(void **state)
{
    struct place *place = *state;
    struct child child = start("writer", place->path);
    char bytes[256], value[32];
    int64_t acknowledged = 0, read_count = 0, end;
    while (acknowledged < 500)
        acknowledged += read(child.out, bytes, sizeof bytes);
    kill(child.pid, SIGKILL);
    for (ssize_t more; (more = read(child.out, bytes, sizeof bytes)) > 0;)
        acknowledged += more;
    finish(&child);
    struct bus *bus = open_bus(place->path);
    assert_int_equal(bus_end(bus, 0, 0, &end), BUS_OK);
    assert_true(end >= acknowledged);
    bus_follow(bus, 0, 0, 0);
    for (; read_count < end; read_count++) {
        struct bus_event event = await(bus, BUS_RECORD);
        snprintf(value, sizeof value, "%lld", (long long)read_count);
        assert_text(event.record.value, text_of(value));
    }
    assert_int_equal(append(bus, 0, "next", 1), BUS_OK);
    assert_int_equal(await(bus, BUS_APPENDED).offset, end);
    bus_close(bus);
}

/* ---- lost ------------------------------------------------------------------------------------ */

static void sqlite__a_log_that_is_not_the_same_is_lost(void **state)
{
    static const struct {
        const char *given;
        int64_t offset;
        bool lost;
    } table[] = {
        /* ten records, 0 to 9, then … | follow from | lost */
        {"SELECT 1", 0, false},
        {"SELECT 1", 10, false},
        {"SELECT 1", 11, true},
        {"DELETE FROM records WHERE \"offset\" < 4", 3, true},
        {"DELETE FROM records WHERE \"offset\" < 4", 4, false},
        {"DELETE FROM records WHERE \"offset\" >= 4", 4, false},
        {"DELETE FROM records WHERE \"offset\" >= 4", 5, true},
        {"DELETE FROM records WHERE \"offset\" = 6", 2, true},
        {"DELETE FROM records", 1, true},
        {"DELETE FROM records", 0, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        void *own;
        make_place(&own);
        struct place *place = own;
        struct bus_event event;
        struct bus *bus = open_bus(place->path);
        for (uint64_t j = 0; j < 10; j++)
            assert_int_equal(append(bus, 0, "v", j), BUS_OK);
        for (int j = 0; j < 10; j++)
            await(bus, BUS_APPENDED);
        run_sql(place->path, table[i].given);
        bus_follow(bus, 0, 0, table[i].offset);
        do
            assert_true(bus_poll(bus, PATIENCE_MS, &event));
        while (event.type != BUS_LOST && event.type != BUS_CAUGHT_UP);
        if ((event.type == BUS_LOST) != table[i].lost)
            fail_msg("%s, followed from %d", table[i].given, (int)table[i].offset);
        bus_close(bus);
        remove_place(&own);
    }
    (void)state;
}

static void sqlite__a_log_cut_while_followed_is_lost(void **state)
{
    struct place *place = *state;
    struct bus *bus = open_bus(place->path);
    bus_follow(bus, 0, 0, 0);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(append(bus, 0, "v", i), BUS_OK);
    while (await(bus, BUS_CAUGHT_UP).offset < 10)
        ;
    run_sql(place->path, "DELETE FROM records WHERE \"offset\" >= 5");
    assert_int_equal(await(bus, BUS_LOST).offset, 10);
    bus_close(bus);
}

/* In either order. */
static void await_failed_and_lost(struct bus *bus, const char *says)
{
    struct bus_event event;
    for (bool failed = false, lost = false; !failed || !lost;) {
        assert_true(bus_poll(bus, PATIENCE_MS, &event));
        if (event.type != BUS_FAILED && event.type != BUS_LOST)
            continue;
        assert_non_null(strstr(event.reason, says));
        failed = failed || event.type == BUS_FAILED;
        lost = lost || event.type == BUS_LOST;
    }
}

static void sqlite__a_topic_made_again_is_lost(void **state)
{
    struct place *place = *state;
    struct bus *bus = open_bus(place->path);
    bus_follow(bus, 0, 0, 0);
    await(bus, BUS_CAUGHT_UP);
    run_sql(place->path, "DELETE FROM topics WHERE name = 'in';"
                         "INSERT INTO topics(name, partition_count, incarnation)"
                         " VALUES('in', 4, 'another')");
    assert_int_equal(append(bus, 0, "v", 1), BUS_OK);
    await_failed_and_lost(bus, "made again");
    bus_close(bus);
}

static void sqlite__a_file_that_was_replaced_takes_nothing(void **state)
{
    struct place *place = *state;
    char away[128];
    struct bus *bus = open_bus(place->path);
    bus_follow(bus, 0, 0, 0);
    await(bus, BUS_CAUGHT_UP);
    snprintf(away, sizeof away, "%s-away", place->path);
    assert_int_equal(rename(place->path, away), 0);
    assert_int_equal(append(bus, 0, "v", 1), BUS_OK);
    await_failed_and_lost(bus, "deleted or replaced");
    bus_close(bus);
    unlink(away);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void sqlite__unfit_files_are_refused(void **state)
{
    static const struct {
        const char *given;
        enum bus_result result;
        const char *says;
    } table[] = {
        {"PRAGMA user_version = 99", BUS_UNFIT, "schema version 99 and this program knows 1"},
        {"CREATE TABLE cats(name)", BUS_UNFIT, "another program"},
    };
    struct place *place = *state;
    struct bus *bus;
    struct bus_error error;
    const struct bus_options options = {.client = "test"};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        unlink(place->path);
        run_sql(place->path, table[i].given);
        assert_int_equal(try_open(&bus, place->path, &options, &error), table[i].result);
        assert_non_null(strstr(error.text, table[i].says));
        assert_null(bus);
    }
    FILE *file = fopen(place->path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("no database at all\n", file);
    fclose(file);
    assert_int_equal(try_open(&bus, place->path, &options, &error), BUS_UNFIT);
    assert_non_null(strstr(error.text, "file is not a database"));
    assert_int_equal(try_open(&bus, ":memory:", &options, &error), BUS_INVALID);
    assert_int_equal(try_open(&bus, "/nonexistent/bus.db", &options, &error), BUS_UNREACHABLE);
    assert_string_equal(error.text, "cannot open '/nonexistent/bus.db': no such file or directory; "
                                    "does the folder exist? try: mkdir -p");
}

static void sqlite__unfit_topics_are_refused_whole(void **state)
{
    static const struct {
        struct bus_topic_spec specs[2];
        const char *says;
    } table[] = {
        {{{"in", 4, true, false}, {"new", 5, true, false}}, "'new' would have 5 partitions"},
        {{{"new", 0, true, false}, {"in", 5, true, false}}, "'in' has 4 partitions, not 5"},
        {{{"in", 0, true, false}, {"other", 0, false, false}}, "'other' is missing and may not"},
    };
    struct place *place = *state;
    struct bus *bus;
    struct bus_error error;
    const struct bus_options options = {.client = "test"};
    struct bus_topic_spec blank = {"in", 0, true, false};
    assert_int_equal(try_open(&bus, place->path, &options, &error), BUS_OK);
    assert_int_equal(bus_topics(bus, &blank, 1, &error), BUS_UNFIT);
    assert_non_null(strstr(error.text, "say how many partitions"));
    bus_close(bus);
    bus_close(open_bus(place->path));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bus_topic_spec specs[2] = {table[i].specs[0], table[i].specs[1]};
        assert_int_equal(try_open(&bus, place->path, &options, &error), BUS_OK);
        assert_int_equal(bus_topics(bus, specs, 2, &error), BUS_UNFIT);
        if (!strstr(error.text, table[i].says))
            fail_msg("%s", error.text);
        assert_false(specs[0].created || specs[1].created);
        bus_close(bus);
    }
    struct bus_topic_spec specs[2] = {{"new", 0, true, false}, {"out", 0, false, false}};
    assert_int_equal(try_open(&bus, place->path, &options, &error), BUS_OK);
    assert_int_equal(bus_topics(bus, specs, 2, &error), BUS_OK);
    assert_true(specs[0].created && !specs[1].created); /* nothing above was half made */
    assert_int_equal(specs[0].partition_count, PARTITIONS);
    bus_close(bus);
}

static void sqlite__of_many_processes_one_makes_the_topics(void **state)
{
    enum { COUNT = 6 };
    struct place *place = *state;
    struct child children[COUNT];
    int made = 0;
    for (int i = 0; i < COUNT; i++)
        children[i] = start("maker", place->path);
    for (int i = 0; i < COUNT; i++) {
        int code = finish(&children[i]);
        assert_in_range(code, 0, 1);
        made += code;
    }
    assert_int_equal(made, 1);
}

/* ---- trouble --------------------------------------------------------------------------------- */

/* Somebody else holds the write lock until the caller closes it. */
static sqlite3 *lock_database(const char *path)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, PATIENCE_MS);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void sqlite__appends_too_late_fail_in_order(void **state)
{
    struct place *place = *state;
    struct bus *bus = open_with(
        place->path, &(struct bus_options){.append_timeout_ms = 150, .in_flight_max = 10});
    sqlite3 *lock = lock_database(place->path);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(append(bus, 0, "v", i), BUS_OK);
    assert_int_equal(append(bus, 0, "v", 10), BUS_FULL);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(await(bus, BUS_FAILED).tag, i);
    sqlite3_close(lock);
    uint64_t tag = 100;
    struct bus_event event = {0};
    for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
         event.type != BUS_APPENDED && clock_monotonic_ms() < until_ms;) {
        assert_int_equal(append(bus, 0, "v", ++tag), BUS_OK);
        do
            assert_true(bus_poll(bus, PATIENCE_MS, &event));
        while (event.type != BUS_APPENDED && event.type != BUS_FAILED);
        assert_int_equal(event.tag, tag);
    }
    assert_int_equal(event.type, BUS_APPENDED);
    bus_close(bus);
}

static void sqlite__close_is_bounded_under_a_foreign_lock(void **state)
{
    struct place *place = *state;
    struct bus *bus = open_bus(place->path);
    sqlite3 *lock = lock_database(place->path);
    assert_int_equal(append(bus, 0, "v", 1), BUS_OK);
    int64_t start_ms = clock_monotonic_ms();
    bus_close(bus);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, 4000);
    sqlite3_close(lock);
}

static void sqlite__a_full_disk_is_an_outage(void **state)
{
    struct place *place = *state;
    struct rlimit before, small;
    struct bus *bus = open_bus(place->path);
    struct bus_event event;
    static char large[32 * 1024];
    bool failed = false, down = false;
    memset(large, 'v', sizeof large - 1);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1024 * 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (uint64_t i = 0; i < 1000 && !(failed && down); i++) {
        assert_int_equal(append(bus, 0, large, i), BUS_OK);
        do {
            assert_true(bus_poll(bus, PATIENCE_MS, &event));
            down = down || event.type == BUS_DOWN;
        } while (event.type != BUS_APPENDED && event.type != BUS_FAILED);
        failed = event.type == BUS_FAILED;
        assert_true(!failed || down);
        assert_true(!failed || strstr(event.reason, place->path));
    }
    assert_true(failed);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    await(bus, BUS_UP);
    assert_int_equal(append(bus, 0, large, 5000), BUS_OK);
    assert_int_equal(await(bus, BUS_APPENDED).tag, 5000);
    bus_close(bus);
}

static void sqlite__wake_ends_a_poll(void **state)
{
    struct place *place = *state;
    struct bus *bus = open_bus(place->path);
    struct bus_event event;
    int64_t start_ms = clock_monotonic_ms();
    bus_wake(bus);
    assert_false(bus_poll(bus, PATIENCE_MS, &event));
    assert_in_range(clock_monotonic_ms() - start_ms, 0, PATIENCE_MS / 2);
    bus_close(bus);
}

/* ---- membership ------------------------------------------------------------------------------ */

/* Counts the events of a kind until `wanted` have come. */
static void await_count(struct bus *bus, enum bus_event_type type, int wanted)
{
    for (int i = 0; i < wanted; i++)
        await(bus, type);
}

static void sqlite__shares_follow_the_members(void **state)
{
    struct place *place = *state;
    bool owned[2][PARTITIONS] = {0};
    struct bus *members[2];
    struct bus_event event;
    members[0] = open_member(place->path, "a");
    await_count(members[0], BUS_ASSIGNED, PARTITIONS);
    members[1] = open_member(place->path, "b");
    for (int p = 0; p < PARTITIONS; p++)
        owned[0][p] = true;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (!(owned[0][0] && owned[0][1] && owned[1][2] && owned[1][3])) {
        assert_true(clock_monotonic_ms() < until_ms);
        for (int i = 0; i < 2; i++)
            if (bus_poll(members[i], 10, &event) &&
                (event.type == BUS_ASSIGNED || event.type == BUS_REVOKED)) {
                owned[i][event.partition] = event.type == BUS_ASSIGNED;
                /* the owner before has been told first */
                assert_false(owned[0][event.partition] && owned[1][event.partition]);
            }
    }
    int64_t left_ms = clock_monotonic_ms();
    bus_leave(members[1]);
    await_count(members[1], BUS_REVOKED, 2);
    await_count(members[0], BUS_ASSIGNED, 2);
    assert_in_range(clock_monotonic_ms() - left_ms, 0, PATIENCE_MS);
    bus_close(members[1]);
    bus_close(members[0]);
}

static void sqlite__a_silent_member_is_taken_out(void **state)
{
    struct place *place = *state;
    struct bus *first = open_member(place->path, "a"), *second;
    await_count(first, BUS_ASSIGNED, PARTITIONS);
    bus_close(first); /* without leaving */
    int64_t start_ms = clock_monotonic_ms();
    second = open_member(place->path, "b");
    await_count(second, BUS_ASSIGNED, PARTITIONS);
    assert_in_range(clock_monotonic_ms() - start_ms, SESSION_MS / 2, PATIENCE_MS);
    bus_close(second);
}

static void sqlite__a_successor_takes_its_place_at_once(void **state)
{
    struct place *place = *state;
    struct bus *before = open_member(place->path, "a"), *after;
    await_count(before, BUS_ASSIGNED, PARTITIONS);
    after = open_member(place->path, "a");
    await_count(after, BUS_ASSIGNED, PARTITIONS);
    await_count(before, BUS_REVOKED, PARTITIONS);
    bus_leave(before); /* does not take the successor's place away */
    struct bus_event event;
    int64_t until_ms = clock_monotonic_ms() + 2 * SESSION_MS;
    while (clock_monotonic_ms() < until_ms)
        if (bus_poll(after, 50, &event))
            assert_int_not_equal(event.type, BUS_REVOKED);
    bus_close(before);
    bus_close(after);
}

static void sqlite__a_frozen_member_loses_and_joins_again(void **state)
{
    struct place *place = *state;
    struct child child = start("member", place->path);
    for (int i = 0; i < PARTITIONS; i++)
        assert_int_equal(read_byte(&child), 'A');
    kill(child.pid, SIGSTOP);
    struct bus *bus = open_member(place->path, "a");
    await_count(bus, BUS_ASSIGNED, PARTITIONS);
    kill(child.pid, SIGCONT);
    for (int i = 0; i < PARTITIONS; i++)
        assert_int_equal(read_byte(&child), 'R');
    await_count(bus, BUS_REVOKED, PARTITIONS / 2);
    for (int i = 0; i < PARTITIONS / 2; i++)
        assert_int_equal(read_byte(&child), 'A');
    kill(child.pid, SIGKILL);
    await_count(bus, BUS_ASSIGNED, PARTITIONS / 2);
    finish(&child);
    bus_close(bus);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, make_place, remove_place)

int main(int argument_count, char **arguments)
{
    if (argument_count == 3 && strcmp(arguments[1], "writer") == 0)
        return play_writer(arguments[2]);
    if (argument_count == 3 && strcmp(arguments[1], "maker") == 0)
        return play_maker(arguments[2]);
    if (argument_count == 3 && strcmp(arguments[1], "member") == 0)
        return play_member(arguments[2]);
    const struct CMUnitTest tests[] = {
        CASE(sqlite__any_bytes_come_back),
        CASE(sqlite__people_can_read_the_log),
        CASE(sqlite__rows_written_by_hand_are_read),
        CASE(sqlite__offsets_go_on_after_reopening),
        CASE(sqlite__close_writes_what_is_queued),
        CASE(sqlite__another_handle_reads_in_order),
        CASE(sqlite__a_killed_writer_loses_nothing_acknowledged),
        cmocka_unit_test(sqlite__a_log_that_is_not_the_same_is_lost),
        CASE(sqlite__a_log_cut_while_followed_is_lost),
        CASE(sqlite__a_topic_made_again_is_lost),
        CASE(sqlite__a_file_that_was_replaced_takes_nothing),
        CASE(sqlite__unfit_files_are_refused),
        CASE(sqlite__unfit_topics_are_refused_whole),
        CASE(sqlite__of_many_processes_one_makes_the_topics),
        CASE(sqlite__appends_too_late_fail_in_order),
        CASE(sqlite__close_is_bounded_under_a_foreign_lock),
        CASE(sqlite__a_full_disk_is_an_outage),
        CASE(sqlite__wake_ends_a_poll),
        CASE(sqlite__shares_follow_the_members),
        CASE(sqlite__a_silent_member_is_taken_out),
        CASE(sqlite__a_successor_takes_its_place_at_once),
        CASE(sqlite__a_frozen_member_loses_and_joins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
