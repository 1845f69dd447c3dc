/* http.h: libmicrohttpd, and nothing but: sockets in, requests out, answers back.
 *
 * One daemon per listener, each with its own epoll threads. A waiting request is a suspended
 * connection; it is resumed once, by whoever ended its errand. Connections that send their
 * request too slowly are cut: libmicrohttpd's own timeout is for silence only, and a byte a
 * second would hold a place for ever. */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "api/edge.h"

enum {
    HTTP_THREADS = 2,
    HTTP_CONNECTION_MEMORY = 16 * 1024, /* headers in and out; bodies are elsewhere */
    HTTP_HEADERS_WITHIN_MS = 5 * 1000,  /* of a new connection */
    HTTP_BODY_WITHIN_MS = 10 * 1000,
    HTTP_IDLE_MS = 60 * 1000, /* between two requests, the next one's headers included */
    HTTP_SILENCE_S = 30
};

struct http;

/* Serves `sockets`, listening already, one per listener of the options; takes them over. NULL:
 * `error` says why. */
struct http *http_start(struct edge *edge, const int *sockets, int count, struct bus_error *error);

/* Cuts the connections that are too slow. Called about once a second, by any one thread. */
void http_sweep(struct http *http);

/* Takes no more connections; those there are go on. */
void http_quiesce(struct http *http);

/* Ends everything. No errand may be waiting any more. */
void http_stop(struct http *http);

#endif
