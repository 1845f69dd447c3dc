/* sqlite_archive.h: an embedded log as one file, to keep and to go back to.
 *
 * The archive is itself a database with the log's tables, so it can be looked into with the sqlite3
 * shell, and a table `sqlar` of small files (the format of `sqlite3 -A`). It is made while the log
 * is in use and holds what was committed at one moment. Who is at work at the log is not in it.
 *
 * What is made of it again is another log: it goes on from that moment differently from the one it
 * was taken of. So it gets a new installation id, and nobody who remembers a later place of the old
 * one can take it for that. Offsets, stamps and sources stay. Blocking; any thread. */
#ifndef BUS_SQLITE_ARCHIVE_H
#define BUS_SQLITE_ARCHIVE_H

#include "bus/bus.h"

/* Copies the log at `log_path` into `archive`, an empty file or none. false: `error` says why. */
bool archive_make(const char *log_path, const char *archive, struct bus_error *error);

/* Puts a small file into the archive, and gets it out again; get: false with an empty `error`: it
 * is not in there. */
bool archive_put(const char *archive, const char *name, struct text bytes, struct bus_error *error);
bool archive_get(const char *archive, const char *name, struct buffer *bytes,
                 struct bus_error *error);

struct archive_facts {
    int64_t record_count;
    int64_t newest_ms; /* append time of its last record; 0: none */
};
bool archive_look(const char *archive, struct archive_facts *facts, struct bus_error *error);

/* Makes a log at `log_path`, an empty file or none, of the archive. */
bool archive_unpack(const char *archive, const char *log_path, struct bus_error *error);

#endif
