/* tail_print.h: a record of the log as one line, for people or for programs. Pure; one thread. */
#ifndef CLI_TAIL_PRINT_H
#define CLI_TAIL_PRINT_H

#include "bus/follower.h"

/* "19:30:00.123 shows.events/2@815 SeatsHeld spring-gala reservation_id=… quantity=2 free=98/100",
 * with a newline. News other than messages say in words what they are. */
void tail_print_line(enum follower_news news, const struct follower_item *item, struct buffer *out);

/* The same as a JSON object and a newline: time, place, context, and the value as `data`. */
void tail_print_json(enum follower_news news, const struct follower_item *item, struct buffer *out);

#endif
