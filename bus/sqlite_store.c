/* The database file: how it is opened, what is in it, and what its failures are called.
 *
 *     topics(id, name, partition_count, incarnation)      name with prefix; a topic made again gets
 *                                                         a new id and incarnation
 *     records(topic, partition, offset, append_ms, key, headers, value)
 *     log                                                 a view of both, for people
 *     members, owners, generations                        see sqlite_group.c
 *
 * WAL with synchronous=FULL: a commit that was reported survives power loss, and readers never wait
 * for writers. WAL keeps its index in shared memory, so all processes must be on one machine:
 * network file systems are refused. Nobody here may open() the database file itself: closing such a
 * descriptor would drop SQLite's own locks (POSIX advisory locks belong to the process). */
#include "bus/sqlite.h"

#include "base/clock.h"
#include "base/prng.h"
#include "base/memory.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>

static const char schema[] =
    "CREATE TABLE topics(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " partition_count INTEGER NOT NULL, incarnation TEXT NOT NULL);"
    "CREATE TABLE records(topic INTEGER NOT NULL, partition INTEGER NOT NULL,"
    " \"offset\" INTEGER NOT NULL, append_ms INTEGER NOT NULL, key, headers TEXT NOT NULL, value,"
    " PRIMARY KEY(topic, partition, \"offset\")) WITHOUT ROWID;"
    "CREATE TABLE generations(group_name TEXT PRIMARY KEY, generation INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE members(group_name TEXT NOT NULL, instance TEXT NOT NULL, nonce TEXT NOT NULL,"
    " client TEXT NOT NULL, session_timeout_ms INTEGER NOT NULL, beats INTEGER NOT NULL,"
    " PRIMARY KEY(group_name, instance)) WITHOUT ROWID;"
    "CREATE TABLE owners(group_name TEXT NOT NULL, partition INTEGER NOT NULL,"
    " instance TEXT NOT NULL, nonce TEXT NOT NULL, PRIMARY KEY(group_name, partition))"
    " WITHOUT ROWID;"
    "CREATE VIEW log AS SELECT topics.name AS topic, partition, \"offset\","
    " strftime('%Y-%m-%dT%H:%M:%fZ', append_ms / 1000.0, 'unixepoch') AS appended, key, headers,"
    " value FROM records JOIN topics ON topics.id = records.topic;"
    "PRAGMA user_version = 1;";
_Static_assert(SQLITE_SCHEMA_VERSION == 1, "the schema's text sets it");

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_TOPIC_FIND] = "SELECT id, partition_count, incarnation FROM topics WHERE name = ?1",
    [SQL_TOPIC_MAKE] = "INSERT INTO topics(name, partition_count, incarnation) VALUES(?1, ?2, ?3)",
    [SQL_TOPIC_SAME] = "SELECT 1 FROM topics WHERE id = ?1 AND incarnation = ?2",
    /* Changes nothing, but writes a page: what a disk that was full must be able to do again. */
    [SQL_TOPIC_PROBE] = "UPDATE topics SET partition_count = partition_count WHERE id = ?1",
    [SQL_RECORD_INSERT] = "INSERT INTO records VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_RECORD_LAST] = "SELECT max(\"offset\") FROM records WHERE topic = ?1 AND partition = ?2",
    [SQL_RECORD_BOUNDS] =
        "SELECT (SELECT min(\"offset\") FROM records WHERE topic = ?1 AND partition = ?2),"
        " (SELECT max(\"offset\") FROM records WHERE topic = ?1 AND partition = ?2)",
    [SQL_RECORD_CHUNK] =
        "SELECT \"offset\", append_ms, key, headers, value FROM records"
        " WHERE topic = ?1 AND partition = ?2 AND \"offset\" >= ?3 ORDER BY \"offset\"",
    [SQL_GENERATION] = "SELECT generation FROM generations WHERE group_name = ?1",
    [SQL_GENERATION_NEXT] = "INSERT INTO generations VALUES(?1, 1)"
                            " ON CONFLICT(group_name) DO UPDATE SET generation = generation + 1",
    [SQL_MEMBER_JOIN] = "INSERT OR REPLACE INTO members VALUES(?1, ?2, ?3, ?4, ?5, 0)",
    [SQL_MEMBER_BEAT] = "UPDATE members SET beats = beats + 1"
                        " WHERE group_name = ?1 AND instance = ?2 AND nonce = ?3",
    [SQL_MEMBER_NONCE] = "SELECT 1 FROM members WHERE group_name = ?1 AND instance = ?2",
    [SQL_MEMBER_LIST] = "SELECT instance, nonce, session_timeout_ms, beats FROM members"
                        " WHERE group_name = ?1 ORDER BY instance",
    [SQL_MEMBER_REMOVE] =
        "DELETE FROM members WHERE group_name = ?1 AND instance = ?2 AND nonce = ?3",
    [SQL_OWNER_LIST] = "SELECT partition, nonce FROM owners WHERE group_name = ?1",
    [SQL_OWNER_TAKE] = "INSERT OR REPLACE INTO owners VALUES(?1, ?2, ?3, ?4)",
    [SQL_OWNER_RELEASE] =
        "DELETE FROM owners WHERE group_name = ?1 AND partition = ?2 AND nonce = ?3",
    [SQL_OWNER_RELEASE_ALL] = "DELETE FROM owners WHERE group_name = ?1 AND instance = ?2",
};

/* ---- failures -------------------------------------------------------------------------------- */

static const char *what_to_do(int code, int system_errno)
{
    if (system_errno == ENOENT)
        return "does the folder exist? try: mkdir -p";
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "is another process stopped while it writes?";
    case SQLITE_FULL:
        return "free some space";
    case SQLITE_IOERR:
        return "is the disk full or failing? see the kernel's log";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return "is the folder writable?";
    case SQLITE_READONLY:
        return "is the file writable?";
    case SQLITE_NOTADB:
        return "is this another program's file?";
    case SQLITE_CORRUPT:
        return "stop everything that uses it and restore a backup";
    }
    return "see https://sqlite.org/rescode.html";
}

void sqlite_describe(const char *path, const char *verb, int code, int system_errno, char *text,
                     size_t size)
{
    if (code == SQLITE_TIMED_OUT)
        snprintf(text, size, "cannot %s '%s': no answer in time; is the disk hanging?", verb, path);
    else if (code == SQLITE_TOPIC_GONE)
        snprintf(text, size, "cannot %s '%s': the topic was deleted or made again; start over",
                 verb, path);
    else if (code == SQLITE_FILE_GONE)
        snprintf(text, size, "cannot %s '%s': the file was deleted or replaced; start over", verb,
                 path);
    else {
        char what[128];
        snprintf(what, sizeof what, "%s",
                 system_errno ? strerror(system_errno) : sqlite3_errstr(code));
        what[0] = (char)tolower((unsigned char)what[0]);
        snprintf(text, size, "cannot %s '%s': %s; %s", verb, path, what,
                 what_to_do(code, system_errno));
    }
}

enum bus_result sqlite_result(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
        return BUS_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
    case SQLITE_PROTOCOL:
        return BUS_UNREACHABLE;
    }
    return BUS_UNFIT;
}

/* ---- statements ------------------------------------------------------------------------------ */

void sqlite_patience(struct sqlite_connection *connection, int64_t patience_ms)
{
    connection->patience_until_ms = clock_monotonic_ms() + patience_ms;
}

/* SQLite's own handler starts with sleeps of whole milliseconds; a commit here takes a tenth of
 * one. */
static int wait_for_lock(void *argument, int tries)
{
    const struct sqlite_connection *connection = argument;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= connection->patience_until_ms || now_ms >= atomic_load(connection->cut_ms))
        return 0;
    struct timespec pause = {.tv_nsec = tries < 20 ? 50000 : tries < 60 ? 250000 : 2000000};
    nanosleep(&pause, NULL);
    return 1;
}

static int count_frames(void *argument, sqlite3 *db, const char *name, int frames)
{
    (void)db, (void)name;
    ((struct sqlite_connection *)argument)->wal_frames = frames;
    return SQLITE_OK;
}

sqlite3_stmt *sqlite_bound(struct sqlite_connection *connection, enum sqlite_statement statement,
                           const char *types, ...)
{
    sqlite3_stmt *prepared = connection->statements[statement];
    va_list arguments;
    va_start(arguments, types);
    for (int i = 1; *types; types++, i++) {
        int code = *types == 'i' ? sqlite3_bind_int64(prepared, i, va_arg(arguments, int64_t))
                                 : sqlite3_bind_text(prepared, i, va_arg(arguments, const char *),
                                                     -1, SQLITE_STATIC);
        assert(code == SQLITE_OK);
    }
    va_end(arguments);
    return prepared;
}

int sqlite_run(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int sqlite_begin_write(struct sqlite_connection *connection)
{
    return sqlite_run(connection->statements[SQL_BEGIN_WRITE]);
}

int sqlite_finish(struct sqlite_connection *connection, int code)
{
    if (code == SQLITE_OK)
        code = sqlite_run(connection->statements[SQL_COMMIT]);
    /* Some failures have rolled back by themselves. */
    if (code != SQLITE_OK && !sqlite3_get_autocommit(connection->db))
        sqlite_run(connection->statements[SQL_ROLLBACK]);
    return code;
}

char *sqlite_copy(const char *string)
{
    size_t size = strlen(string) + 1;
    return memcpy(memory_new(size), string, size);
}

void sqlite_random_hex(char text[SQLITE_INCARNATION_SIZE])
{
    snprintf(text, SQLITE_INCARNATION_SIZE, "%016" PRIx64, prng_seed_random());
}

/* ---- where the file lies --------------------------------------------------------------------- */

static const struct {
    uint32_t magic;
    const char *name;
} network_file_systems[] = {
    {0x6969, "nfs"},      {0x517b, "smb"},     {0xfe534d42, "smb"},  {0xff534d42, "cifs"},
    {0x00c36400, "ceph"}, {0x5346414f, "afs"}, {0x73757245, "coda"},
};

/* The name of a FUSE file system that lies on another machine, from the line of its mount. */
static bool remote_fuse(dev_t device, char *name, size_t name_size)
{
    static const char *const remote[] = {"fuse.sshfs", "fuse.rclone",     "fuse.s3fs",
                                         "fuse.davfs", "fuse.gvfsd-fuse", "fuse.glusterfs"};
    char line[4096], type[64];
    bool found = false;
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts)
        return false;
    while (!found && fgets(line, sizeof line, mounts)) {
        unsigned major_number, minor_number;
        const char *dash = strstr(line, " - ");
        if (!dash || sscanf(line, "%*d %*d %u:%u", &major_number, &minor_number) != 2 ||
            sscanf(dash, " - %63s", type) != 1 || makedev(major_number, minor_number) != device)
            continue;
        for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++)
            found = found || strcmp(type, remote[i]) == 0;
    }
    fclose(mounts);
    if (found)
        snprintf(name, name_size, "%s", type);
    return found;
}

/* Looks at the file, or at the folder it will be made in. What cannot be looked at will not be
 * opened either. */
static enum bus_result check_place(const struct sqlite_bus *handle, struct bus_error *error)
{
    char folder[4096], name[64] = "";
    struct statfs place;
    struct stat file;
    if (handle->path[0] == ':' || strlen(handle->path) >= sizeof folder) {
        snprintf(error->text, sizeof error->text, "'%.200s' is no path of a file; use sqlite:PATH",
                 handle->path);
        return BUS_INVALID;
    }
    snprintf(folder, sizeof folder, "%s", handle->path);
    if (stat(folder, &file) != 0) {
        char *slash = strrchr(folder, '/');
        if (slash)
            slash[slash == folder] = '\0';
        else
            snprintf(folder, sizeof folder, ".");
    }
    if (stat(folder, &file) != 0 || statfs(folder, &place) != 0)
        return BUS_OK;
    for (size_t i = 0; i < sizeof network_file_systems / sizeof network_file_systems[0]; i++)
        if ((uint32_t)place.f_type == network_file_systems[i].magic)
            snprintf(name, sizeof name, "%s", network_file_systems[i].name);
    if (!name[0] && !remote_fuse(file.st_dev, name, sizeof name))
        return BUS_OK;
    snprintf(error->text, sizeof error->text,
             "cannot use '%s': it lies on a network file system (%s), where its locks do not hold; "
             "use a local disk",
             handle->path, name);
    return BUS_UNFIT;
}

bool sqlite_store_same_file(const struct sqlite_bus *handle)
{
    struct stat file;
    return stat(handle->path, &file) == 0 && file.st_dev == handle->file_device &&
           file.st_ino == handle->file_inode;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int read_number(sqlite3 *db, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? SQLITE_CORRUPT : code;
}

static int open_connection(const struct sqlite_bus *handle, struct sqlite_connection *connection)
{
    int code =
        sqlite3_open_v2(handle->path, &connection->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_extended_result_codes(connection->db, 1);
    sqlite3_busy_handler(connection->db, wait_for_lock, connection);
    sqlite_patience(connection, SQLITE_OPEN_TIMEOUT_MS);
    if (sqlite3_db_readonly(connection->db, "main") == 1)
        return SQLITE_READONLY;
    return SQLITE_OK;
}

/* Whether the file is ours to use. `fresh`: nothing is in it yet. Inside a transaction: another
 * process may be making the schema between the two questions. */
static int look_at_version(struct sqlite_bus *handle, bool *fresh, struct bus_error *error)
{
    int64_t version = 0, things = 0;
    sqlite3 *db = handle->writing.db;
    int code = read_number(db, "PRAGMA user_version", &version);
    if (code == SQLITE_OK)
        code = read_number(db, "SELECT count(*) FROM sqlite_schema", &things);
    *fresh = version == 0 && things == 0;
    if (code != SQLITE_OK || *fresh || version == SQLITE_SCHEMA_VERSION)
        return code;
    if (version == 0)
        snprintf(error->text, sizeof error->text,
                 "'%s' is a database of another program; give another path", handle->path);
    else
        snprintf(error->text, sizeof error->text,
                 "'%s' has schema version %" PRIi64 " and this program knows %d; use the version "
                 "of stagedoor that made it",
                 handle->path, version, SQLITE_SCHEMA_VERSION);
    return SQLITE_MISMATCH;
}

/* The switch to WAL needs the file for itself and does not always ask the busy handler. */
static int switch_to_wal(struct sqlite_connection *connection)
{
    for (int tries = 0;; tries++) {
        int code = sqlite3_exec(connection->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if ((code & 0xff) != SQLITE_BUSY || !wait_for_lock(connection, tries))
            return code;
    }
}

static int make_schema(struct sqlite_bus *handle, struct bus_error *error)
{
    bool fresh;
    sqlite3 *db = handle->writing.db;
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return code;
    code = look_at_version(handle, &fresh, error); /* another process may have been first */
    if (code == SQLITE_OK && fresh)
        code = sqlite3_exec(db, schema, NULL, NULL, NULL);
    int end = sqlite3_exec(db, code == SQLITE_OK ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
    return code == SQLITE_OK ? end : code;
}

static int prepare(struct sqlite_connection *connection)
{
    /* The WAL is cut back to this when it starts over. */
    int code = sqlite3_exec(connection->db,
                            "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864", NULL,
                            NULL, NULL);
    for (int i = 0; code == SQLITE_OK && i < SQL_COUNT; i++)
        code = sqlite3_prepare_v3(connection->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &connection->statements[i], NULL);
    /* Takes the place of the automatic checkpoint, which would run before the commit is told. */
    sqlite3_wal_hook(connection->db, count_frames, connection);
    return code;
}

static int open_all(struct sqlite_bus *handle, struct bus_error *error)
{
    bool fresh = false;
    int code = open_connection(handle, &handle->writing);
    if (code == SQLITE_OK)
        code = sqlite3_exec(handle->writing.db, "BEGIN", NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        code = look_at_version(handle, &fresh, error);
        int ended = sqlite3_exec(handle->writing.db, "COMMIT", NULL, NULL, NULL);
        code = code == SQLITE_OK ? ended : code;
    }
    if (code == SQLITE_OK)
        code = switch_to_wal(&handle->writing);
    if (code == SQLITE_OK && fresh)
        code = make_schema(handle, error);
    if (code == SQLITE_OK)
        code = prepare(&handle->writing);
    if (code == SQLITE_OK)
        code = open_connection(handle, &handle->reading);
    if (code == SQLITE_OK)
        code = prepare(&handle->reading);
    return code;
}

enum bus_result sqlite_store_open(struct sqlite_bus *handle, struct bus_error *error)
{
    char failed[4096];
    struct stat file;
    assert(sqlite3_threadsafe());
    enum bus_result result = check_place(handle, error);
    if (result != BUS_OK)
        return result;
    int code = open_all(handle, error);
    if (code != SQLITE_OK) {
        sqlite3 *db = handle->reading.db ? handle->reading.db : handle->writing.db;
        if (!error->text[0])
            sqlite_describe(handle->path, "open", code,
                            (code & 0xff) == SQLITE_CANTOPEN ? sqlite3_system_errno(db) : 0,
                            error->text, sizeof error->text);
        return sqlite_result(code);
    }
    int system_errno = sqlite_wake_open(handle, failed, sizeof failed);
    if (system_errno) {
        sqlite_describe(failed, "open", SQLITE_CANTOPEN, system_errno, error->text,
                        sizeof error->text);
        return BUS_UNREACHABLE;
    }
    if (stat(handle->path, &file) != 0) {
        sqlite_describe(handle->path, "open", SQLITE_FILE_GONE, 0, error->text, sizeof error->text);
        return BUS_UNREACHABLE;
    }
    handle->file_device = file.st_dev;
    handle->file_inode = file.st_ino;
    return BUS_OK;
}

static void disconnect(struct sqlite_connection *connection)
{
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(connection->statements[i]);
    sqlite3_close(connection->db);
}

void sqlite_store_close(struct sqlite_bus *handle)
{
    disconnect(&handle->reading);
    disconnect(&handle->writing);
}
