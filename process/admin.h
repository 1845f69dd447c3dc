/* admin.h: a listener for whoever runs a process: GET /livez, /readyz, /metrics and /loglevel, and
 * PUT /loglevel?level=debug from the machine itself; no more.
 *
 * Off unless asked for. It has no keys: let it listen on this machine, on a socket file, or on a
 * network for such things. It serves from a thread of its own, which calls what it was given and
 * must never wait for the process: a process that hangs still says so. */
#ifndef PROCESS_ADMIN_H
#define PROCESS_ADMIN_H

#include "base/options.h"
#include "process/readiness.h"
#include "process/sockets.h"

struct admin;

/* What there is to tell. Called by the admin's thread until admin_stop. */
struct admin_source {
    void *self;
    bool (*live)(void *self); /* false: it must be started anew */
    void (*ready)(void *self, struct readiness *readiness);
    void (*metrics)(void *self, struct buffer *out);
};

/* `address`: HOST:PORT, [HOST]:PORT, or unix:PATH; port 0 is a free one, and said in the log. NULL:
 * `error` (SOCKETS_ERROR_SIZE bytes) says why and what to do. `subject`, borrowed: who says in the
 * log where it is. */
struct admin *admin_start(const char *address, const char *subject,
                          const struct admin_source *source, char *error);
void admin_stop(struct admin *admin); /* NULL is allowed */

/* Its row in a table of options; the target is a const char *, NULL unless it is asked for. */
#define OPTION_ADMIN(address)                                                                      \
    OPTION_READ("admin", "ADDRESS", "STAGEDOOR_ADMIN", option_read_admin, address, NULL,           \
                "answer /livez, /readyz and /metrics at HOST:PORT or unix:PATH")
bool option_read_admin(void *address, const char *value);

#endif
