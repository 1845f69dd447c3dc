/* SQLite copies a database in use by itself (VACUUM INTO); what is done around it makes the copy an
 * archive, and an archive a log. */
#include "bus/sqlite_archive.h"

#include "base/uuid.h"
#include "bus/sqlite.h"

#include <stdio.h>
#include <string.h>

enum { BUSY_MS = 10 * 1000 };

static const char sqlar[] = "CREATE TABLE IF NOT EXISTS sqlar(name TEXT PRIMARY KEY, mode INT,"
                            " mtime INT, sz INT, data BLOB)";

/* ---- one database, one thing done to it ------------------------------------------------------ */
static bool failed(sqlite3 *db, const char *verb, const char *path, struct bus_error *error)
{
    int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    sqlite_describe(path, verb, code,
                    db && (code & 0xff) == SQLITE_CANTOPEN ? sqlite3_system_errno(db) : 0,
                    error->text, sizeof error->text);
    sqlite3_close(db);
    return false;
}

/* NULL: `error` is set. */
static sqlite3 *open_file(const char *path, struct bus_error *error)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *version = NULL;
    error->text[0] = '\0';
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(db, BUSY_MS) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &version, NULL) != SQLITE_OK ||
        sqlite3_step(version) != SQLITE_ROW) {
        sqlite3_finalize(version);
        failed(db, "read", path, error);
        return NULL;
    }
    int64_t number = sqlite3_column_int64(version, 0);
    sqlite3_finalize(version);
    if (number == SQLITE_SCHEMA_VERSION)
        return db;
    snprintf(error->text, sizeof error->text,
             "'%.300s' is no log of ours, or one of another version (%lld, not %d)", path,
             (long long)number, SQLITE_SCHEMA_VERSION);
    sqlite3_close(db);
    return NULL;
}

static bool close_file(sqlite3 *db)
{
    sqlite3_close(db);
    return true;
}

/* One statement with up to three texts; its rows are passed over. */
static bool run(sqlite3 *db, const char *sql, const char *a, const char *b, const char *c)
{
    const char *texts[] = {a, b, c};
    sqlite3_stmt *statement = NULL;
    bool good = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK;
    for (int i = 0; good && i < 3; i++)
        if (texts[i])
            sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC);
    int code = SQLITE_ROW;
    while (good && code == SQLITE_ROW)
        code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return good && code == SQLITE_DONE;
}

static bool copy(const char *from, const char *to, struct bus_error *error)
{
    sqlite3 *db = open_file(from, error);
    if (db == NULL)
        return false;
    return run(db, "VACUUM INTO ?1", to, NULL, NULL) ? close_file(db)
                                                     : failed(db, "copy", from, error);
}

/* ---- the archive ----------------------------------------------------------------------------- */
bool archive_make(const char *log_path, const char *archive, struct bus_error *error)
{
    if (!copy(log_path, archive, error))
        return false;
    sqlite3 *db = open_file(archive, error);
    if (db == NULL)
        return false;
    bool good = run(db, sqlar, NULL, NULL, NULL) &&
                run(db, "DELETE FROM members", NULL, NULL, NULL) &&
                run(db, "DELETE FROM owners", NULL, NULL, NULL);
    return good ? close_file(db) : failed(db, "write", archive, error);
}

bool archive_put(const char *archive, const char *name, struct text bytes, struct bus_error *error)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = open_file(archive, error);
    if (db == NULL)
        return false;
    bool good = sqlite3_prepare_v2(db,
                                   "INSERT INTO sqlar VALUES(?1, 33152, strftime('%s', 'now'),"
                                   " ?2, ?3)", /* 33152: a file, 0600 */
                                   -1, &statement, NULL) == SQLITE_OK;
    if (good) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, (int64_t)bytes.size);
        sqlite3_bind_blob64(statement, 3, bytes.size ? bytes.data : "", bytes.size, SQLITE_STATIC);
        good = sqlite3_step(statement) == SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    return good ? close_file(db) : failed(db, "write", archive, error);
}

bool archive_get(const char *archive, const char *name, struct buffer *bytes,
                 struct bus_error *error)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = open_file(archive, error);
    if (db == NULL)
        return false;
    if (sqlite3_prepare_v2(db, "SELECT data FROM sqlar WHERE name = ?1 AND sz = length(data)", -1,
                           &statement, NULL) != SQLITE_OK) {
        snprintf(error->text, sizeof error->text,
                 "'%.300s' is a log, but no backup of one; see stagedoor backup --help", archive);
        sqlite3_close(db);
        return false;
    }
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    buffer_clear(bytes);
    if (code == SQLITE_ROW)
        buffer_add(bytes, sqlite3_column_blob(statement, 0),
                   (size_t)sqlite3_column_bytes(statement, 0));
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return failed(db, "read", archive, error);
    sqlite3_close(db);
    return code == SQLITE_ROW;
}

bool archive_look(const char *archive, struct archive_facts *facts, struct bus_error *error)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = open_file(archive, error);
    if (db == NULL)
        return false;
    if (sqlite3_prepare_v2(db, "SELECT count(*), max(append_ms) FROM records", -1, &statement,
                           NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return failed(db, "read", archive, error);
    }
    facts->record_count = sqlite3_column_int64(statement, 0);
    facts->newest_ms = sqlite3_column_int64(statement, 1);
    sqlite3_finalize(statement);
    return close_file(db);
}

/* ---- a log again ----------------------------------------------------------------------------- */
/* The ids stand in installation records and claims, in headers and value, and nowhere else. */
static bool rename_installation(sqlite3 *db, const char *id)
{
    char renewed[UUID_SIZE];
    return run(db,
               "UPDATE records SET headers = replace(headers, ?1, ?2),"
               " value = replace(value, ?1, ?2) WHERE typeof(value) = 'text' AND"
               " (headers LIKE '%ce_type: stagedoor.bus.Installed%' OR"
               "  headers LIKE '%ce_type: stagedoor.bus.Claimed%')",
               id, uuid_random(renewed), NULL);
}

/* A file may hold several, told apart by the prefix of their topics. */
static bool rename_installations(sqlite3 *db)
{
    sqlite3_stmt *ids = NULL;
    bool good = sqlite3_prepare_v2(db,
                                   "SELECT DISTINCT json_extract(value, '$.installation')"
                                   " FROM records WHERE \"offset\" = 0 AND json_valid(value) AND"
                                   " headers LIKE '%ce_type: stagedoor.bus.Installed%'"
                                   " ORDER BY 1", /* sorted: all are read before one is changed */
                                   -1, &ids, NULL) == SQLITE_OK;
    while (good && sqlite3_step(ids) == SQLITE_ROW) {
        const char *id = (const char *)sqlite3_column_text(ids, 0);
        good = id == NULL || strlen(id) != UUID_SIZE - 1 || rename_installation(db, id);
    }
    sqlite3_finalize(ids);
    return good;
}

bool archive_unpack(const char *archive, const char *log_path, struct bus_error *error)
{
    if (!copy(archive, log_path, error))
        return false;
    sqlite3 *db = open_file(log_path, error);
    if (db == NULL)
        return false;
    /* The keys were in there: nothing may be left of them where others may read. */
    bool good = run(db, "PRAGMA secure_delete = ON", NULL, NULL, NULL) &&
                run(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) &&
                run(db, "DROP TABLE sqlar", NULL, NULL, NULL) && rename_installations(db) &&
                run(db, "COMMIT", NULL, NULL, NULL);
    return good ? close_file(db) : failed(db, "write", log_path, error);
}
