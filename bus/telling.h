/* telling.h: what services and the bus tell of themselves: as metrics, and as readiness.
 *
 * Any thread: nothing but atomics is read, and nobody is waited for. What each metric means is in
 * docs/metrics.md. */
#ifndef BUS_TELLING_H
#define BUS_TELLING_H

#include "bus/bus.h"
#include "process/front.h"
#include "schemas/message.h"

struct service;
struct service_descriptor;

enum {
    TELLING_BEHIND_MAX_MS = 30 * 1000, /* who is further behind than this is not ready */
    TELLING_STILL_MAX_MS = 10 * 1000   /* nor whose loop has not turned for so long */
};

/* Of a handle, or of none yet (NULL). */
void bus_metrics(const struct bus *bus, bool down, uint64_t outages, uint64_t returns,
                 struct buffer *out);
void bus_readiness(bool down, struct readiness *readiness);

void seats_metrics(const struct after *seats, struct buffer *out);

/* Somebody follows the log, or handles it, and is so far behind; nothing is said of less than
 * TELLING_BEHIND_MAX_MS. */
void behind_readiness(int64_t records, int64_t oldest_ms, struct readiness *readiness);

/* Whether a loop turns, that has not for so long. */
void turning_readiness(int64_t still_ms, struct readiness *readiness);

/* How many records must be read before it is ready, and how many of them are. */
void recovery_metrics(int64_t read, int64_t to_read, struct buffer *out);

/* How long its loop has not turned. `now_ms`: monotonic, as everywhere here. */
int64_t service_still_ms(const struct service *service, int64_t now_ms);

void service_readiness(const struct service *service, int64_t now_ms, struct readiness *readiness);
void service_metrics(const struct service *service, struct buffer *out);

/* The same for its front; until there is a service it waits for the bus. */
struct front_subject service_subject(const struct service_descriptor *descriptor);

#endif
