/* edges.h: the HTTP edge in the simulated world: two edges before the same log, run by hand in the
 * one thread, without sockets; customers who ask them, ask again, go away; and a judge of what they
 * were told.
 *
 *     customers.c ──visits──▶ edges.c (route_request, bus_thread_turn, register_turn) ──▶ the log
 *          ▲                     │
 *          └────── answers ◀─────┘       edges_judge.c: the journal, and all views, against the log
 *
 * The seam to the world is the functions at the end. Everything follows from the world's seed,
 * the answers too: they are in the world's edges_hash. */
#ifndef TESTS_SIM_EDGES_H
#define TESTS_SIM_EDGES_H

#include "api/edge.h"
#include "api/ids.h"
#include "tests/sim/world.h"

enum {
    EDGES = 2,
    CUSTOMERS = 12,
    ASKS_MAX = 6,
    BODIES_MAX = 2,
    ASK_TEXT_SIZE = 160,
    SEATS_TOLD = 4
};

enum ask_kind { ASK_RESERVE, ASK_CHECKOUT, ASK_CANCEL, ASK_LOOK, ASK_SHOW };

/* One Idempotency-Key and what is asked under it, however often. */
struct ask {
    enum ask_kind kind;
    struct customer *customer;
    enum verb verb;
    char path[ASK_TEXT_SIZE];
    char key[40];
    char bodies[BODIES_MAX][ASK_TEXT_SIZE]; /* the second by mistake, under the same key */
    int body_count;
    char command_id[UUID_SIZE]; /* what every edge must derive */
    int sent_count, last_edge;
    bool settled; /* the first body has its final answer */
    int64_t again_at_ms;
};

struct customer {
    int show;
    char show_id[16];
    char reservation_id[UUID_SIZE];
    char secret[SECRET_SIZE]; /* "": not told yet */
    struct ask asks[ASKS_MAX];
    int ask_count; /* the first one reserves */
    struct ask look, look_at_show;
};

/* One line of the journal: an answer, and how long the log was when it was given. */
struct given {
    struct ask *ask;
    int body, status, edge;
    int64_t at_ms;
    char code[24];                  /* of a problem */
    char named[UUID_SIZE];          /* the reservation */
    char said[20];                  /* its status */
    int64_t offsets[TOPIC_COUNT];   /* of the ETag, and the proof of a refusal; -1: none */
    int64_t log_ends[TOPIC_COUNT];  /* of the show's partition, as is the next */
    int64_t log_known[TOPIC_COUNT]; /* when that edge started: so much it must know */
    int life;                       /* of that edge */
    int64_t seats[SEATS_TOLD];      /* of a show: capacity, held, sold, blocked */
};

/* One request on one connection, as http.c keeps it. */
struct visit {
    struct request request; /* first: errands know it by this address */
    struct window *window;
    struct ask *ask;
    int body;
    bool routed, waited, gone; /* gone: nobody reads the answer */
    char authorization[160];
    char prefer[16];
    struct visit *next; /* of the window */
};

/* One edge process. */
struct window {
    struct edges *edges;
    struct options options;
    struct edge edge;
    struct bus *bus; /* the edge's */
    bool up, frozen;
    int life;                                         /* counts its starts */
    int64_t log_known[TOPIC_COUNT][WORLD_PARTITIONS]; /* the log's ends when it started */
    const char *folder;                               /* of its register; NULL: it keeps none */
    struct register_file *file;                       /* NULL likewise */
    bool unwritable;                                  /* the register */
    struct visit *visits;
};

struct edges {
    struct world *world;
    struct prng prng;
    struct keys keys;
    bool resting;
    int64_t rested_at_ms; /* when the rest began */
    struct window windows[EDGES];
    void *keepers[EDGES]; /* keep the registers while their edges are down */
    struct customer customers[CUSTOMERS];
    int key_count;
    struct given *journal;
    size_t given_count, given_max;
};

/* ---- edges.c --------------------------------------------------------------------------------- */

/* Starts an edge, unless the log is out of reach; then it is not `up`. It reads the log from its
 * start, or from where the register in `folder` stands; NULL: it keeps none. */
void window_open(struct edges *edges, struct window *window, const char *folder);
void window_crash(struct window *window);
void window_turn(struct window *window);

/* A request on its way to an edge that is up; it is routed at the edge's next turn. */
struct visit *window_visit(struct window *window, struct ask *ask, int body);

/* ---- customers.c ----------------------------------------------------------------------------- */
void customers_act(struct edges *edges);
/* An answer has arrived. */
void customers_told(struct visit *visit);
/* The first ask that has no final answer; NULL: none. */
const struct ask *customers_waiting(const struct edges *edges);
/* Whether the same request would get the same answer for ever. */
bool given_is_final(const struct given *given);

/* ---- the seam -------------------------------------------------------------------------------- */

/* Edges for some seeds: world->edges stays NULL for the others. All functions allow that. */
void edges_open(struct world *world);

/* A round: customers ask, edges turn; mishaps if `faults`. */
void edges_act(struct world *world, bool faults);

/* No faults any more: all edges come up, and customers ask only until all is answered. */
void edges_rest(struct world *world);

/* All is over: they read to the end what was written last. */
void edges_read_on(struct world *world);

/* At rest: NULL when nothing is wrong, else what; the text is the world's (edges_judge.c). */
const char *edges_judge(struct world *world);

void edges_free(struct world *world);

#endif
