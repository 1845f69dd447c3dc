/* notices.h: what children say of themselves to whoever started them: sd_notify(3).
 *
 * READY=1, STATUS=…, WATCHDOG=1, as datagrams to the socket named in NOTIFY_SOCKET: the words that
 * systemd hears as well, so a program says the same whoever manages it. The socket has no file
 * (unix(7), abstract); who speaks is told by the kernel. One thread. */
#ifndef MANAGER_NOTICES_H
#define MANAGER_NOTICES_H

#include <stdbool.h>
#include <sys/types.h>

enum { NOTICE_STATUS_SIZE = 256, NOTICES_ADDRESS_SIZE = 32 };

struct notices {
    int fd;
    char address[NOTICES_ADDRESS_SIZE]; /* for NOTIFY_SOCKET */
};

struct notice {
    pid_t pid;
    bool ready, alive;
    char status[NOTICE_STATUS_SIZE]; /* "": nothing was said of it */
};

/* false: errno says why. Given back with notices_close. */
bool notices_open(struct notices *notices);
void notices_close(struct notices *notices);

/* The next one; false: none now. */
bool notices_hear(struct notices *notices, struct notice *notice);

#endif
