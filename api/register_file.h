/* register_file.h: what the register's parts share. Not for others to include. */
#ifndef API_REGISTER_FILE_H
#define API_REGISTER_FILE_H

#include "api/register.h"

#include <sqlite3.h>

enum statement {
    PUT_ABOUT,
    PUT_POSITION,
    PUT_SHOW,
    PUT_REPLAYS,
    PUT_RESERVATION,
    PUT_PAYMENT,
    STATEMENT_COUNT
};

/* What changed since the last batch, copied, and the positions it stands for. */
struct batch {
    struct show *shows;
    struct reservation *reservations;
    struct fence *positions; /* NULL: nothing to write */
    bool shows_replays;
};

struct register_file {
    struct edge *edge;
    sqlite3 *writer; /* the register thread's */
    sqlite3_stmt *statements[STATEMENT_COUNT];
    sqlite3 *reader; /* point reads, under the edge's lock */
    sqlite3_stmt *find, *find_any;
    struct batch batch;    /* kept until it is written */
    struct fence *written; /* positions in the file */
    struct buffer row;
    pthread_t thread;
    pthread_cond_t news; /* with the edge's lock: something was posted, or the end */
    struct clerk_jobs jobs;
    bool running, stopping;
};

/* data NULL binds the empty text. Borrowed until the statement is reset. */
void register_bind(sqlite3_stmt *statement, int at, struct text text);
struct text register_column(sqlite3_stmt *statement, int at); /* until the next step */

#endif
