/* listen.h: the sockets the edge serves: its own, or those of somebody who stays when it goes, so
 * that it can be replaced without refusing a connection. The supervisor hands down sockets for what
 * --listen says, in STAGEDOOR_LISTEN_FDS ("3=127.0.0.1:3000,4=…"); systemd says by its sockets
 * where to listen (sd_listen_fds(3)). Main thread. */
#ifndef API_LISTEN_H
#define API_LISTEN_H

#include "api/options.h"
#include "process/sockets.h"

enum { LISTEN_ERROR_SIZE = SOCKETS_ERROR_SIZE };

/* The sockets of systemd, if it has opened any for this process, become the listeners, whatever
 * --listen says. false: `error` (LISTEN_ERROR_SIZE bytes) says what to do. */
bool listen_activated(struct options *options, char *error);

/* One listening socket per listener of the options. On port 0 a free one is taken and written
 * into the options. false: `error` (LISTEN_ERROR_SIZE bytes) says what to do; nothing stays
 * open. */
bool listen_all(struct options *options, int sockets[LISTENERS_MAX], char *error);

#endif
