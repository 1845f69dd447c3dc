/* examine.h: what about the place a log lies in is not as it should be: versions, the broker's
 * settings, copies that are missing, the file. Only looked at, never changed.
 *
 * Whether the topics are fit is said by bus_topics itself. One thread, that of the handle. */
#ifndef BUS_EXAMINE_H
#define BUS_EXAMINE_H

#include "bus/bus.h"

enum bus_state {
    BUS_FINE,
    BUS_NOTE,  /* good to know */
    BUS_WRONG, /* it works, and will not always */
    BUS_GRAVE  /* records can be lost, or nothing works */
};

struct bus_finding {
    enum bus_state state;
    const char *about; /* what was looked at; static */
    char text[BUS_ERROR_SIZE];
    char mend[BUS_ERROR_SIZE]; /* a command, or what a person does; "": nothing is to be done */
};

/* Who is told. */
struct bus_examination {
    void (*tell)(void *context, const struct bus_finding *finding);
    void *context;
};

/* Tells everything that was looked at, what is fine too. The handle may know its topics or not. */
void bus_examine(struct bus *bus, const struct bus_examination *examination);

/* For those who look: one finding. */
void bus_examined(const struct bus_examination *examination, enum bus_state state,
                  const char *about, const char *mend, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
