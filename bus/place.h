/* place.h: where a record lies, and how that is written: "shows.events/2@815". Pure; any thread. */
#ifndef BUS_PLACE_H
#define BUS_PLACE_H

#include "bus/topics.h"

struct place {
    int topic;
    int partition;
    int64_t offset;
};

/* false: it is no place of any log of ours. */
bool place_parse(struct text text, struct place *place);
void place_print(const struct place *place, struct buffer *out);

#endif
