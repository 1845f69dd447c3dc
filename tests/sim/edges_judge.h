/* edges_judge.h: what the judge of the edges is made of: what the log says (edges_words.c), whether
 * an answer stands on it (edges_judge.c), and the views (edges_views.c). */
#ifndef TESTS_SIM_EDGES_JUDGE_H
#define TESTS_SIM_EDGES_JUDGE_H

#include "tests/sim/edges.h"

enum { SHOWS_MAX = 16 };

/* What the log says that customers may be told: an accepted event, or a command. */
struct word {
    enum message_type type;
    int topic;
    int64_t offset;
    struct text id, cause_id; /* borrowed from the log, as is all below */
    struct text payment_id;   /* or the one it supersedes, of CheckoutStarted */
    struct text supersedes;
    struct text fingerprint;
    enum reason reason;
    enum code code;
};

/* The seats of a show from an offset on. */
struct seats_from {
    int64_t offset;
    int64_t seats[SEATS_TOLD];
};

struct edges_judge {
    struct edges *edges;
    struct seats_from *seats[SHOWS_MAX];
    size_t seats_counts[SHOWS_MAX];
    struct arena arena;   /* of all words */
    struct view fold;     /* of everything, each topic after the other */
    struct map customers; /* reservation id → struct customer */
    struct word *words[CUSTOMERS];
    size_t word_counts[CUSTOMERS];
};

/* The first is kept. */
void edges_breach(struct edges_judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads every record that counts, past the bus: the judge's looking must not move its dice. */
void words_read(struct edges_judge *judge);
void words_release(struct edges_judge *judge);

/* Every edge's view against the fold. */
void views_check(struct edges_judge *judge);

#endif
