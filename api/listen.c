/* Where the sockets come from. */
#include "api/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACTIVATED_FIRST = 3 };

/* ---- systemd's sockets ----------------------------------------------------------------------- */

/* How many, from ACTIVATED_FIRST on. Meant for a parent of ours: not for us. */
static int activated_count(void)
{
    int64_t process, count;
    if (!text_to_i64(text_of(getenv("LISTEN_PID")), &process) || process != getpid() ||
        !text_to_i64(text_of(getenv("LISTEN_FDS")), &count))
        return 0;
    return count > LISTENERS_MAX + 1 ? LISTENERS_MAX + 1 : (int)count;
}

static bool learn_address(struct listen_address *listener, int descriptor)
{
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof own;
    int listening = 0;
    socklen_t listening_size = sizeof listening;
    return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) == 0 &&
           listening && getsockname(descriptor, (struct sockaddr *)&own, &size) == 0 &&
           (own.ss_family == AF_INET || own.ss_family == AF_INET6) &&
           getnameinfo((struct sockaddr *)&own, size, listener->host, sizeof listener->host,
                       listener->port, sizeof listener->port, NI_NUMERICHOST | NI_NUMERICSERV) == 0;
}

bool listen_activated(struct options *options, char *error)
{
    int count = activated_count();
    if (count > LISTENERS_MAX) {
        snprintf(error, LISTEN_ERROR_SIZE, "systemd opened too many sockets; at most %d",
                 LISTENERS_MAX);
        return false;
    }
    for (int i = 0; i < count; i++) {
        struct listen_address listener = {.activated = ACTIVATED_FIRST + i};
        if (!learn_address(&listener, listener.activated)) {
            snprintf(error, LISTEN_ERROR_SIZE,
                     "descriptor %d of systemd is no listening TCP socket; in the .socket unit say "
                     "ListenStream=HOST:PORT",
                     listener.activated);
            return false;
        }
        options->listeners[i] = listener;
        options->listener_count = count;
    }
    return true;
}

/* ---- binding, or taking over ----------------------------------------------------------------- */

/* The descriptor handed down for HOST:PORT, or -1. */
static int inherited(const struct listen_address *listener)
{
    if (listener->activated)
        return listener->activated;
    struct text rest = text_of(getenv("STAGEDOOR_LISTEN_FDS"));
    char wanted[sizeof listener->host + sizeof listener->port + 4];
    char bracketed[sizeof wanted + 2];
    snprintf(wanted, sizeof wanted, "%s:%s", listener->host, listener->port);
    snprintf(bracketed, sizeof bracketed, "[%s]:%s", listener->host, listener->port);
    while (rest.size) {
        struct text place = text_cut(&rest, ',');
        struct text number = text_cut(&place, '=');
        int64_t descriptor;
        if ((text_is(place, wanted) || text_is(place, bracketed)) &&
            text_to_i64(number, &descriptor) && descriptor > 2 && descriptor < 65536)
            return (int)descriptor;
    }
    return -1;
}

/* Port 0 becomes the one the kernel chose. */
static void learn_port(struct listen_address *listener, int descriptor)
{
    int port = socket_port(descriptor);
    if (port)
        snprintf(listener->port, sizeof listener->port, "%d", port);
}

bool listen_all(struct options *options, int sockets[LISTENERS_MAX], char *error)
{
    for (int i = 0; i < options->listener_count; i++) {
        sockets[i] = inherited(&options->listeners[i]);
        options->listeners[i].lent = sockets[i] >= 0;
        if (sockets[i] >= 0) {
            int flags = fcntl(sockets[i], F_GETFL);
            fcntl(sockets[i], F_SETFD, FD_CLOEXEC);
            if (flags >= 0)
                fcntl(sockets[i], F_SETFL, flags | O_NONBLOCK);
        } else {
            sockets[i] =
                socket_listen(options->listeners[i].host, options->listeners[i].port, error);
        }
        if (sockets[i] < 0) {
            while (i-- > 0)
                close(sockets[i]);
            return false;
        }
        learn_port(&options->listeners[i], sockets[i]);
    }
    return true;
}
