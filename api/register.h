/* register.h: everything the edge ever knew, in a SQLite file: DIR/register.db.
 *
 * The hot view forgets finished reservations; the register keeps them all, for searches, lists and
 * retries that come late. A thread of its own writes what changed in batches: it copies under the
 * edge's lock, together with the log positions the copy stands for, and writes both in one
 * transaction. So a restart takes up positions, shows and open reservations from here and follows
 * the log on from there. Losing the file costs a longer start and nothing else.
 *
 * Questions (lists, searches) run on that thread too, after what the view had when they came is
 * written: who asks reads his own writes, and no serving thread waits for a disk.
 *
 * Threads: register_open, _load, _start, _stop by the main thread; register_ask and the view's
 * store under the edge's lock; questions on the register's own. */
#ifndef API_REGISTER_H
#define API_REGISTER_H

#include "api/edge.h"

enum {
    REGISTER_ERROR_SIZE = 512,
    REGISTER_INTERVAL_MS = 100,
    REGISTER_EARLY_MAX = 1024 /* reservations nobody requested that stay in memory */
};

struct register_file;

/* Opens or makes FOLDER/register.db. NULL: `error` says why. */
struct register_file *register_open(const char *folder, char *error);

/* If the file is of the edge's installation: takes positions, shows and open reservations into
 * the edge; if it is of another or of an older layout: empties it and says so. Then it is the
 * view's store. false: `error` says why. */
bool register_load(struct register_file *file, struct edge *edge, char *error);

void register_start(struct register_file *file); /* the thread */
void register_stop(struct register_file *file);  /* joins it after a last batch */
void register_close(struct register_file *file); /* NULL is allowed */

/* Writes what changed now, as the thread does. For tests without it, and by it. false: it could
 * not be written. */
bool register_flush(struct register_file *file);

/* The same, and answers what was asked before. */
bool register_turn(struct register_file *file);

/* Has a waiting errand's question answered (errand_tell). Under the lock. */
void register_ask(struct register_file *file, struct request *request);

/* Work for the register's thread that no waiting request stands for: run once, after what the view
 * had when it was posted is written, without the lock. It may post itself again. */
struct register_job {
    void (*run)(struct register_job *job, struct register_file *file);
    struct register_job *next;
};

/* Any thread, without the lock. false: the thread is about to stop, and will not run it. */
bool register_post(struct register_file *file, struct register_job *job);

/* ---- questions ------------------------------------------------------------------------------- */

/* Whose payment or refund errand.name is: "<reservation_id> <show_id>\n" of the first 16
 * reservations that know it, requested or not. */
void register_find_payment(struct register_file *file, struct request *request,
                           struct buffer *result);

/* What is asked of a list of reservations; empty: nothing. */
struct list_wish {
    struct text status;
    struct text q;    /* in the name or email, or the whole reference or id */
    int64_t after_ms; /* the place of the last one that was told */
    struct text after_id;
    int64_t limit;
};

/* Of errand.show_id by errand.details, a struct list_wish: the place of the last one told if there
 * are more, "<ms>.<id>", a line end, and the reservations as JSON objects with commas between. */
void register_list(struct register_file *file, struct request *request, struct buffer *result);

/* The same, one by one, on the register's thread. true: there are more than `limit`. */
bool register_each(struct register_file *file, struct text show_id, const struct list_wish *wish,
                   void (*tell)(void *context, const struct reservation *reservation),
                   void *context);

/* The sample's lists: {showID: [{name, guests}]} of all shows, or [{name, guests}] of
 * errand.show_id; of what is held, being paid or confirmed. */
void register_list_all(struct register_file *file, struct request *request, struct buffer *result);
void register_list_show(struct register_file *file, struct request *request, struct buffer *result);

/* The ids of such reservations of errand.show_id under errand.name, 36 characters each, at most
 * two. */
void register_find_name(struct register_file *file, struct request *request, struct buffer *result);

#endif
