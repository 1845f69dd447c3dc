/* house.h: an edge in front of the three real services, on the simulated log: one thread, no
 * sockets. What happens, happens in house_turn. */
#ifndef TESTS_SUPPORT_EDGE_HOUSE_H
#define TESTS_SUPPORT_EDGE_HOUSE_H

#include "api/edge.h"
#include "api/register.h"
#include "bus/service.h"
#include "bus/sim.h"

/* Of an admin, and of the signers of callbacks: paydesk is secret 0, cardbox 1. */
#define HOUSE_ADMIN "Bearer open sesame"

enum { HOUSE_SERVICES = 3, HOUSE_TURNS_MAX = 400 };

struct house {
    struct keys keys;
    struct sim *sim;
    struct bus *buses[HOUSE_SERVICES]; /* shows, reservations, checkout */
    struct service *services[HOUSE_SERVICES];
    bool closed[HOUSE_SERVICES]; /* does not step */
    struct edge edge;
    struct options options;
    struct register_file *file;
    char folder[64];
    int64_t now_ms;
    int suspended, resumed; /* requests, since the start */
    bool lost_an_edge;
};

/* Everybody is ready. `partition_count` 0: as many as usual. */
struct house *house_new(int partition_count);
void house_free(struct house *house);

/* The edge alone, as if its process ended and started again; or as if it died in the middle of
 * something, and another is opened: then nothing is given back that it had, nor, by house_free,
 * what the log has for it. */
void house_open_edge(struct house *house);
void house_close_edge(struct house *house);
void house_lose_edge(struct house *house);

/* A millisecond passes; everybody steps once. */
void house_turn(struct house *house);

/* A request to be filled in, routed, finished and ended. */
struct request *house_request(struct house *house, enum verb verb, struct text path);
/* Turns until it is answered and its appends are too, at most HOUSE_TURNS_MAX times. */
void house_finish(struct house *house, struct request *request);
void house_end(struct request *request);

#endif
