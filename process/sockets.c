/* Binding and listening. */
#include "process/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
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

/* ---- at a path ------------------------------------------------------------------------------- */
/* A path that is too long for an address is shortened by way of its folder, which `*folder` holds
 * open then (-1: that was not needed). */
static bool address_at(const char *path, struct sockaddr_un *address, int *folder)
{
    char name[sizeof address->sun_path];
    const char *slash = strrchr(path, '/');
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    *folder = -1;
    if (strlen(path) < sizeof address->sun_path) {
        memcpy(address->sun_path, path, strlen(path) + 1);
        return true;
    }
    char above[PATH_MAX];
    errno = ENAMETOOLONG;
    if (slash == NULL || (size_t)(slash - path) >= sizeof above)
        return false;
    snprintf(above, sizeof above, "%.*s", (int)(slash - path), path);
    *folder = open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return false;
    int size = snprintf(name, sizeof name, "/proc/self/fd/%d/%s", *folder, slash + 1);
    memcpy(address->sun_path, name, sizeof name);
    errno = ENAMETOOLONG;
    return size < (int)sizeof name;
}

static void close_folder(int folder)
{
    int reason = errno;
    if (folder >= 0)
        close(folder);
    errno = reason;
}

int socket_connect_at(const char *path)
{
    struct sockaddr_un address;
    int folder, descriptor = -1;
    if (address_at(path, &address, &folder))
        descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 &&
        connect(descriptor, (struct sockaddr *)&address, (socklen_t)sizeof address) != 0)
        descriptor = give_up(descriptor);
    close_folder(folder);
    return descriptor;
}

static bool is_answered(const char *path)
{
    int descriptor = socket_connect_at(path);
    if (descriptor >= 0)
        close(descriptor);
    return descriptor >= 0;
}

int socket_listen_at(const char *path, char *error)
{
    struct sockaddr_un address;
    int folder, descriptor = -1;
    if (address_at(path, &address, &folder))
        descriptor = listen_at((struct sockaddr *)&address, (socklen_t)sizeof address);
    if (descriptor < 0 && errno == EADDRINUSE && !is_answered(path)) {
        unlink(path);
        descriptor = listen_at((struct sockaddr *)&address, (socklen_t)sizeof address);
    }
    close_folder(folder);
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
