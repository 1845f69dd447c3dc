/* front.h: the side of a program that faces whoever runs it: the admin listener, and systemd.
 *
 * It is there before what the program is for, and says so meanwhile. The thread that must not hang
 * calls front_turned, so that systemd notices when it does; the admin has a thread of its own. */
#ifndef PROCESS_FRONT_H
#define PROCESS_FRONT_H

#include "process/admin.h"
#include "process/notify.h"

#include <stdatomic.h>

/* What there is to tell. Any thread; `self` is NULL until front_shows. Static. */
struct front_subject {
    const char *name;
    int64_t still_max_ms; /* a process whose loop has not turned for longer must be started anew */
    int64_t (*still_ms)(const void *self, int64_t now_ms);
    bool (*ready)(const void *self); /* for the first time */
    void (*readiness)(const void *self, int64_t now_ms, struct readiness *readiness);
    void (*well)(const void *self, struct buffer *out); /* adds to "ready"; NULL: nothing */
    void (*metrics)(const void *self, struct buffer *out);
};

/* Of any process of ours, before what it tells itself. */
void process_metrics(struct buffer *out, const char *program);

struct front {
    const struct front_subject *subject;
    const void *_Atomic self;
    _Atomic bool stopping;
    struct admin *admin; /* NULL: not asked for */
    struct notify notify;
};

/* `address`: of the admin listener, NULL for none. Before there are threads. false: `error`
 * (SOCKETS_ERROR_SIZE bytes) says why. */
bool front_open(struct front *front, const struct front_subject *subject, const char *address,
                char *error);
void front_waits(struct front *front, const char *why); /* for what it cannot do without */
void front_shows(struct front *front, const void *self);
void front_turned(struct front *front); /* at least once a second */
void front_stopping(struct front *front);
void front_close(struct front *front); /* before `self` goes */

#endif
