/* The file of an embedded log, and what lies beside it. */
#include "base/memory.h"
#include "bus/sqlite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAL_SIZE_MAX = 256 * 1024 * 1024 };

struct examination {
    struct sqlite_bus *handle;
    const struct bus_examination *told;
};

static void look_at_pages(const struct examination *exam)
{
    sqlite3_stmt *statement = NULL;
    const char *path = exam->handle->path;
    const char *said = "it cannot be read";
    if (sqlite3_prepare_v2(exam->handle->reading.db, "PRAGMA quick_check(1)", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        said = (const char *)sqlite3_column_text(statement, 0);
    if (said && strcmp(said, "ok") == 0)
        bus_examined(exam->told, BUS_FINE, "file", "", "'%s' is whole", path);
    else
        bus_examined(
            exam->told, BUS_GRAVE, "file",
            "stop everything that uses it, keep a copy, and restore a backup: stagedoor restore",
            "'%s' is damaged: %.200s", path, said ? said : "SQLite does not say how");
    sqlite3_finalize(statement);
}

/* It starts over whenever nobody reads an old state of it. */
static void look_at_wal(const struct examination *exam)
{
    char path[4096];
    struct stat wal;
    snprintf(path, sizeof path, "%s-wal", exam->handle->path);
    if (stat(path, &wal) == 0 && wal.st_size > WAL_SIZE_MAX)
        bus_examined(exam->told, BUS_WRONG, "file",
                     "end whoever has it open for long: fuser -v FILE",
                     "'%.300s' has %lld MB and does not start over: somebody reads without an end",
                     path, (long long)(wal.st_size / (1024 * 1024)));
}

void sqlite_examine(struct bus *bus, const struct bus_examination *examination)
{
    struct sqlite_bus *handle = memory_owner(bus, struct sqlite_bus, bus);
    struct examination exam = {handle, examination};
    int version = sqlite3_libversion_number();
    bus_examined(examination, version < 3037000 ? BUS_WRONG : BUS_FINE, "versions",
                 version < 3037000 ? "install SQLite 3.37 or newer" : "", "SQLite %s",
                 sqlite3_libversion());
    look_at_pages(&exam);
    look_at_wal(&exam);
}
