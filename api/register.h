/* register.h: everything the edge ever knew, in a SQLite file: DIR/register.db.
 *
 * The hot view forgets finished reservations; the register keeps them all, for searches, lists and
 * retries that come late. A thread of its own writes what changed in batches: it copies under the
 * edge's lock, together with the log positions the copy stands for, and writes both in one
 * transaction. So a restart takes up positions, shows and open reservations from here and follows
 * the log on from there. Losing the file costs a longer start and nothing else.
 *
 * Questions (lists, searches, tables) go to the clerks after what the view had when they came is
 * written: who asks reads his own writes, and no serving thread waits for a disk.
 *
 * Threads: register_open, _load, _start, _stop by the main thread; register_post and the view's
 * store under the edge's lock; questions on a clerk's. */
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

/* The same, and hands what was posted before to the clerks; without any, does it itself. */
bool register_turn(struct register_file *file);

/* To be done once what the view has now is written, or cannot be written now. Under the edge's
 * lock. false: the thread is about to stop, and it will not be done. */
bool register_post(struct register_file *file, struct clerk_job *job);

/* One more handle on the file, for reading. NULL: `error` says why. */
struct sqlite3 *register_open_again(const struct register_file *file, char *error);
void register_close_again(struct sqlite3 *handle); /* NULL is allowed */

/* ---- questions ------------------------------------------------------------------------------- */

/* Whose payment or refund errand.name is: "<reservation_id> <show_id>\n" of the first 16
 * reservations that know it, requested or not. */
void register_find_payment(struct clerk *clerk, struct request *request, struct buffer *result);

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
void register_list(struct clerk *clerk, struct request *request, struct buffer *result);

/* The same, one by one. true: there are more than `limit`. */
bool register_each(const struct clerk *clerk, struct text show_id, const struct list_wish *wish,
                   void (*tell)(void *context, const struct reservation *reservation),
                   void *context);

/* What needs a person (attention.h), of all shows; asked and told as by register_list. */
void register_attention(struct clerk *clerk, struct request *request, struct buffer *result);

/* Members of the report on errand.show_id (report.h); errand.details is its currency. */
void register_report(struct clerk *clerk, struct request *request, struct buffer *result);

/* The sample's lists: {showID: [{name, guests}]} of all shows, or [{name, guests}] of
 * errand.show_id; of what is held, being paid or confirmed. */
void register_list_all(struct clerk *clerk, struct request *request, struct buffer *result);
void register_list_show(struct clerk *clerk, struct request *request, struct buffer *result);

/* The ids of such reservations of errand.show_id under errand.name, 36 characters each, at most
 * two. */
void register_find_name(struct clerk *clerk, struct request *request, struct buffer *result);

#endif
