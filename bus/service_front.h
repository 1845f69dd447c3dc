/* service_front.h: the side of a service's program that faces whoever runs it: the admin listener,
 * and systemd. Private to service_main.
 *
 * It is there before the bus is, and says so meanwhile. The loop's thread, but for what the admin's
 * own thread reads. */
#ifndef BUS_SERVICE_FRONT_H
#define BUS_SERVICE_FRONT_H

#include "bus/service.h"
#include "process/admin.h"
#include "process/notify.h"

struct service_front {
    const struct service_descriptor *descriptor;
    _Atomic(const struct service *) service; /* NULL: not yet */
    _Atomic bool stopping;
    struct admin *admin; /* NULL: not asked for */
    struct notify notify;
};

/* `address`: NULL for no admin listener. false: `error` (SOCKETS_ERROR_SIZE bytes) says why. */
bool front_open(struct service_front *front, const struct service_descriptor *descriptor,
                const char *address, char *error);

/* The bus does not answer yet. */
void front_waits(struct service_front *front, int64_t now_ms, const char *why);

/* There is a service from now on; front_close comes before service_free. */
void front_shows(struct service_front *front, const struct service *service);

void front_turned(struct service_front *front, int64_t now_ms); /* after each turn */
void front_stopping(struct service_front *front);
void front_close(struct service_front *front);

#endif
