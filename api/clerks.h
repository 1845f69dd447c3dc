/* clerks.h: who looks things up, in the register's file and in the log, off the serving threads.
 *
 *     handler ──clerks_begin──▶ register: what the view has is written ──▶ a clerk ──▶ resumed
 *                  └────────────── about the log ───────────────────────▶
 *
 * A few threads take what is to be done in the order in which it came, each with a handle of its
 * own; only one of them reads the log, which may take long. They have less right to the processor
 * than all others. A question whose errand ended meanwhile is not looked up.
 *
 * Threads: as said; a job runs on a clerk's thread, without any lock. */
#ifndef API_CLERKS_H
#define API_CLERKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CLERK_COUNT = 2 };

struct buffer;
struct bus;
struct edge;
struct errand_kind;
struct request;
struct sqlite3;

/* What a job has to work with. */
struct clerk {
    struct edge *edge;
    struct sqlite3 *file;     /* the register's */
    struct bus *log;          /* NULL: not opened yet; see clerk_log */
    const _Atomic bool *over; /* they are about to stop: what takes long is given up */
};

/* Once through; it may be posted again, also by itself. */
struct clerk_job {
    void (*run)(struct clerk_job *job, struct clerk *clerk);
    struct clerk_job *next;
};

/* First in, first out; {0} is empty. */
struct clerk_jobs {
    struct clerk_job *first, *last;
};
void clerk_jobs_add(struct clerk_jobs *jobs, struct clerk_job *job);
struct clerk_job *clerk_jobs_take(struct clerk_jobs *jobs); /* NULL: there is none */

struct clerks;

/* Opens the register's file once for each. NULL: `error` says why. */
struct clerks *clerks_new(struct edge *edge, char *error);
void clerks_start(struct clerks *clerks);
void clerks_stop(struct clerks *clerks); /* after what was posted */
void clerks_free(struct clerks *clerks); /* NULL is allowed */

/* Any thread. false: they are about to stop, and will not run it. */
bool clerks_post(struct clerks *clerks, struct clerk_job *job);
bool clerks_post_log(struct clerks *clerks, struct clerk_job *job); /* for the one who reads it */

/* errand_begin; if it waits then, its question is answered (errand_tell) once what the view has now
 * is in the register's file. Under the edge's lock. */
void clerks_begin(struct edge *edge, struct request *request, const struct errand_kind *kind,
                  void (*question)(struct clerk *clerk, struct request *request,
                                   struct buffer *result),
                  int64_t wait_ms);

/* Has a waiting errand's question about the log answered (errand_tell). Under the edge's lock. */
void clerks_ask_log(struct edge *edge, struct request *request);

/* The handle on the log, for reading. NULL: it cannot be reached now; the next one asks again. */
struct bus *clerk_log(struct clerk *clerk);

#endif
