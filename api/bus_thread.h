/* bus_thread.h: the one thread that talks to the log: follows all events, folds them into the
 * view, wakes who waits for them, and appends the commands the HTTP threads have queued. It owns
 * the bus handle. */
#ifndef API_BUS_THREAD_H
#define API_BUS_THREAD_H

#include "api/edge.h"
#include "bus/bus.h"

struct bus_thread;

/* Opens the bus, trying again while nobody answers, for up to `patience_ms` or until `give_up` says
 * so, and learns which installation it is. On BUS_OK edge->bus_thread is set; else `error` says
 * what to do. */
enum bus_result bus_thread_open(struct edge *edge, int64_t patience_ms, bool (*give_up)(void),
                                struct bus_error *error);

/* For tests: on a handle already open, which it takes over; its topics are not known to it yet. */
struct bus_thread *bus_thread_on(struct edge *edge, struct bus *bus, struct bus_error *error);

/* Starts following at edge->positions (NULL: from the start, and makes them). */
void bus_thread_follow(struct bus_thread *thread);

/* Runs one turn: sends, polls up to `timeout_ms`, folds what came. For tests without the thread. */
void bus_thread_turn(struct bus_thread *thread, int64_t timeout_ms);

void bus_thread_start(struct bus_thread *thread); /* the thread itself */
void bus_thread_stop(struct bus_thread *thread);  /* joins it, if it runs */
void bus_thread_close(struct bus_thread *thread); /* the handle; NULL is allowed */

#endif
