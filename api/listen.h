/* listen.h: the sockets the edge serves: its own, or those a supervisor handed down in
 * STAGEDOOR_LISTEN_FDS ("3=127.0.0.1:3000,4=…"), so that it can be replaced without refusing a
 * connection. Main thread. */
#ifndef API_LISTEN_H
#define API_LISTEN_H

#include "api/options.h"

/* One listening socket per listener of the options. On port 0 a free one is taken and written
 * into the options. false: `error` (OPTIONS_ERROR_SIZE bytes) says what to do; nothing stays
 * open. */
bool listen_all(struct options *options, int sockets[LISTENERS_MAX], char *error);

#endif
