/* sales.h: which shows there are and whether they sell, folded from shows.events; and who paused
 * them. Pure but for memory; one thread. */
#ifndef CLI_SALES_H
#define CLI_SALES_H

#include "base/map.h"
#include "bus/follower.h"

struct sale {
    struct text show_id; /* of its own, as is the actor */
    bool paused;
    bool over;             /* cancelled or archived: nothing is sold any more */
    struct text paused_by; /* actor of the last word that paused it; empty: nobody named */
    /* of whoever switches it */
    struct text asked; /* ce_id of the command it was sent; data NULL: none. Its own */
    bool answered;
    enum code refused; /* code_COUNT: it was not */
};

/* S_init is {0}. In the order in which shows were created. */
struct sales {
    struct sale **items;
    size_t count;
    struct map by_id;
};

/* Takes one accepted event (`item` of FOLLOWER_MESSAGE). */
void sales_take(struct sales *sales, const struct follower_item *item);
struct sale *sales_find(const struct sales *sales, struct text show_id); /* NULL: no such show */
void sales_release(struct sales *sales);

#endif
