/* Binding and listening. */
#include "process/sockets.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* -1, with errno as it was left by what failed. */
static int give_up(int descriptor)
{
    int reason = errno;
    close(descriptor);
    errno = reason;
    return -1;
}

static int listen_at(const struct sockaddr *address, socklen_t size)
{
    int yes = 1;
    int descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return -1;
    if (address->sa_family != AF_UNIX)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->sa_family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (bind(descriptor, address, size) == 0 && listen(descriptor, BACKLOG) == 0)
        return descriptor;
    return give_up(descriptor);
}

int socket_listen(const char *host, const char *port, char *error)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int descriptor = -1, problem = getaddrinfo(host, port, &hints, &found);
    if (problem) {
        snprintf(error, SOCKETS_ERROR_SIZE, "cannot find the address '%s': %s", host,
                 gai_strerror(problem));
        return -1;
    }
    for (const struct addrinfo *each = found; each && descriptor < 0; each = each->ai_next)
        descriptor = listen_at(each->ai_addr, each->ai_addrlen);
    if (descriptor < 0)
        snprintf(error, SOCKETS_ERROR_SIZE,
                 "cannot listen on '%s:%s': %s; is another server there? try another port", host,
                 port, strerror(errno));
    freeaddrinfo(found);
    return descriptor;
}

static int is_answered(const struct sockaddr_un *address)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int answered = descriptor >= 0 && connect(descriptor, (const struct sockaddr *)address,
                                              (socklen_t)sizeof *address) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return answered;
}

int socket_listen_at(const char *path, char *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        snprintf(error, SOCKETS_ERROR_SIZE,
                 "the path '%.200s' is too long for a socket; at most %zu", path,
                 sizeof address.sun_path - 1);
        return -1;
    }
    strcpy(address.sun_path, path);
    int descriptor = listen_at((struct sockaddr *)&address, (socklen_t)sizeof address);
    if (descriptor < 0 && errno == EADDRINUSE && !is_answered(&address)) {
        unlink(path);
        descriptor = listen_at((struct sockaddr *)&address, (socklen_t)sizeof address);
    }
    if (descriptor < 0)
        snprintf(error, SOCKETS_ERROR_SIZE,
                 "cannot listen at '%s': %s; is another process there? try another path", path,
                 strerror(errno));
    return descriptor;
}

int socket_port(int descriptor)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } own = {.v6 = {0}};
    socklen_t size = sizeof own;
    if (getsockname(descriptor, &own.any, &size) != 0)
        return 0;
    return ntohs(own.any.sa_family == AF_INET6 ? own.v6.sin6_port : own.v4.sin_port);
}
