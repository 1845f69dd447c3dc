/* sockets.h: sockets that listen. Any thread. */
#ifndef PROCESS_SOCKETS_H
#define PROCESS_SOCKETS_H

#include <stddef.h>

enum { SOCKETS_ERROR_SIZE = 512 };

/* Listens at a name or number of a host and a port; 0: any free one. -1: `error`
 * (SOCKETS_ERROR_SIZE bytes) says why and what to do. */
int socket_listen(const char *host, const char *port, char *error);

/* The same at a path, however long. What an earlier process left there is taken away; what still
 * answers is not. */
int socket_listen_at(const char *path, char *error);

/* To what listens there; -1: errno says why. */
int socket_connect_at(const char *path);

/* The port it has. */
int socket_port(int descriptor);

#endif
