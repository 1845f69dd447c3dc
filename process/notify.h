/* notify.h: what systemd wants to hear of a unit of Type=notify: sd_notify(3).
 *
 * It is one datagram to the socket named in NOTIFY_SOCKET, so there is no library for it here:
 * libsystemd would bring four compressors along. Without that variable nothing is done. Nobody is
 * waited for. One thread. */
#ifndef PROCESS_NOTIFY_H
#define PROCESS_NOTIFY_H

#include "base/text.h"

enum { NOTIFY_STATUS_SIZE = 512, NOTIFY_EVERY_MS = 1000, NOTIFY_MORE_TIME_S = 60 };

struct notify {
    int socket;          /* -1: nobody wants to hear */
    int64_t watchdog_ms; /* how often a sign of life is sent; 0: it is not wanted */
    int64_t alive_at_ms; /* monotonic: the next one */
    int64_t look_at_ms;  /* monotonic: when notify_wants is true again */
    bool ready;          /* that was said */
    char status[NOTIFY_STATUS_SIZE];
};

/* Reads the environment, and takes NOTIFY_SOCKET and WATCHDOG_… out of it: they are not meant for
 * children. Before there are threads. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* Whether it is worth finding out how things stand. */
bool notify_wants(const struct notify *notify, int64_t now_ms, bool ready);

/* Says READY once it is so, STATUS when it is another, WATCHDOG when it is time to, and while it is
 * not ready yet that it takes longer. To be called by whatever must not hang. */
void notify_tend(struct notify *notify, int64_t now_ms, bool ready, const char *status);

void notify_stopping(struct notify *notify);

#endif
