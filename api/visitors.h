/* visitors.h: the connections there are: how many of one address, and who keeps us waiting.
 *
 * libmicrohttpd ends a connection that is silent; one that sends a byte a second is not, and would
 * keep its place for ever. So each visitor owes something by a time: the headers, the body, the
 * next request. And one address has a number of places, unless it is a trusted proxy, which speaks
 * for many. Any thread: a lock of its own, and none for what a visitor owes. */
#ifndef API_VISITORS_H
#define API_VISITORS_H

#include "api/address.h"

#include <stdint.h>

struct visitors;
struct visitor;

/* `per_address_max` connections of one customer; `trusted` is borrowed. */
struct visitors *visitors_new(int per_address_max, const struct networks *trusted);
void visitors_free(struct visitors *visitors); /* all have left */

/* Whether there is a place for one more of that address. */
bool visitors_admit(struct visitors *visitors, const struct address *address);

/* Comes in with something due by `due_ms`, monotonic; INT64_MAX: nothing. */
struct visitor *visitors_enter(struct visitors *visitors, const struct address *address, int socket,
                               int64_t due_ms);
void visitors_leave(struct visitors *visitors, struct visitor *visitor);

/* What he owes from now on is due by then. */
void visitor_expect(struct visitor *visitor, int64_t due_ms);

/* Cuts the connections of those who are late. */
void visitors_sweep(struct visitors *visitors, int64_t now_ms);

#endif
