/* doorway.h: an address to listen on, and the socket that does.
 *
 *     HOST:PORT[=ROLE]      127.0.0.1:3000   [::1]:3000   0.0.0.0:3001=shows   127.0.0.1:0
 *
 * The sockets belong to the supervisor, so that connections queue instead of being refused while an
 * edge starts again. One thread. */
#ifndef MANAGER_DOORWAY_H
#define MANAGER_DOORWAY_H

#include "base/text.h"

enum { DOORWAY_HOST_SIZE = 256, DOORWAY_ROLE_SIZE = 32, DOORWAY_TEXT_SIZE = 320 };

struct doorway {
    char host[DOORWAY_HOST_SIZE]; /* without brackets */
    int port;                     /* 0 until doorway_open: any free one */
    char role[DOORWAY_ROLE_SIZE]; /* "" : not given */
    int fd;                       /* -1 until doorway_open */
};

/* Reads the text; false: it is no such address. Pure. */
bool doorway_parse(struct text text, struct doorway *doorway);

/* HOST:PORT as the edge wants it, with the role or without; returns `out`. Pure. */
const char *doorway_print(const struct doorway *doorway, bool role, char out[DOORWAY_TEXT_SIZE]);

/* "http://HOST:PORT" for a client on this machine; returns `out`. Pure. */
const char *doorway_url(const struct doorway *doorway, char out[DOORWAY_TEXT_SIZE]);

/* Binds and listens; `fd` and `port` are set. false: `error` says why, for people. Closed with
 * doorway_close. */
bool doorway_open(struct doorway *doorway, char *error, size_t error_size);
void doorway_close(struct doorway *doorway);

#endif
