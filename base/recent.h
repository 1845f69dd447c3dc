/* recent.h: the last few names seen, each with a mark, to tell a repeat from something new.
 *
 * A ring: remembering one more than it holds forgets the oldest. Pure but for memory; one thread.
 */
#ifndef BASE_RECENT_H
#define BASE_RECENT_H

#include "base/text.h"

struct recent_item {
    struct text name;
    struct text mark;
};

/* S_init is {.capacity = N}; the ring itself is allocated at the first name. */
struct recent {
    int capacity;
    int count;
    int next;
    struct recent_item *items;
};

enum recent_answer {
    RECENT_NEW,
    RECENT_REPEAT,
    RECENT_CONFLICT
}; /* CONFLICT: same name, other mark */

enum recent_answer recent_ask(const struct recent *recent, struct text name, struct text mark);
void recent_remember(struct recent *recent, struct text name, struct text mark); /* copies both */
void recent_release(struct recent *recent);

#endif
