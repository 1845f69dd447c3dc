/* edge.h: what the parts of one edge share.
 *
 *     HTTP threads ──commands──▶ queue ──▶ bus thread ──▶ log
 *          ▲                                  │
 *          └── resumed ◀── errands ◀── view ◀─┘ events        register thread: view ──▶ register.db
 *
 * One lock guards the view and the errands. It is held for lookups, folding one event and
 * rendering one answer; never for parsing a body, talking to the bus or writing a file. Source:
 * architecture §2.4. */
#ifndef API_EDGE_H
#define API_EDGE_H

#include "api/errand.h"
#include "keys/keys.h"
#include "api/limits.h"
#include "api/measures.h"
#include "api/options.h"
#include "api/playbill.h"
#include "api/request.h"
#include "api/view.h"
#include "bus/fence.h"
#include "bus/following.h"
#include "bus/installation.h"

#include <pthread.h>
#include <stdatomic.h>

struct register_file;
struct viewers;
struct bus_thread;

struct edge {
    const struct options *options;
    const struct keys *_Atomic keys; /* those of now; older ones stay for who still reads them */
    struct installation installation;
    bool open_sample; /* the sample's routes need no key */

    pthread_mutex_t lock; /* everything below */
    struct view view;
    struct errands errands;
    struct fence *positions; /* TOPIC_COUNT × partition_count, of what the view has folded */
    bool caught_up, down, draining;
    bool unwritten;   /* the register could not be written when it was tried last */
    const char *lost; /* why this edge may not answer; NULL: it may */

    struct measures measures;
    struct following following; /* how the reading of the log goes, for people */
    struct playbill playbill;   /* has a lock of its own, as has the next */
    struct limits limits;
    struct register_file *register_file;
    struct clerks *clerks;   /* NULL: the register's thread does their work, but for the log */
    struct viewers *viewers; /* NULL: nobody can watch */
    void (*wake)(struct edge *edge); /* makes the bus thread look at its queue; any thread */
    struct bus_thread *bus_thread;
};

/* Everything that is not handed out by other parts; `edge` is {0}, or has its options. */
void edge_init(struct edge *edge);
void edge_release(struct edge *edge);

static inline const struct keys *edge_keys(const struct edge *edge)
{
    return atomic_load(&edge->keys);
}

static inline void edge_lock(struct edge *edge)
{
    pthread_mutex_lock(&edge->lock);
}

static inline void edge_unlock(struct edge *edge)
{
    pthread_mutex_unlock(&edge->lock);
}

/* Resumes those whose errands ended. Without the lock. */
void edge_resume(struct edge *edge, struct request *list);

/* Takes the list of those to resume. Under the lock. */
struct request *edge_take_done(struct edge *edge);

#endif
