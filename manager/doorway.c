/* Listening sockets, opened before anyone serves from them. */
#include "manager/doorway.h"

#include "process/sockets.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, PORT_MAX = 65535 };

static bool copy(struct text text, char *out, size_t size)
{
    if (text.size == 0 || text.size >= size || memchr(text.data, '\0', text.size))
        return false;
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

bool doorway_parse(struct text text, struct doorway *doorway)
{
    *doorway = (struct doorway){.fd = -1};
    struct text rest = text, address = text_cut(&rest, '=');
    if (rest.data && !copy(rest, doorway->role, sizeof doorway->role))
        return false;
    size_t colon = address.size;
    while (colon > 0 && address.data[colon - 1] != ':')
        colon--;
    int64_t port;
    if (colon == 0 || !text_to_i64(text_from(address.data + colon, address.size - colon), &port) ||
        port > PORT_MAX)
        return false;
    doorway->port = (int)port;
    struct text host = text_from(address.data, colon - 1);
    if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = text_from(host.data + 1, host.size - 2);
    else if (host.size && memchr(host.data, ':', host.size))
        return false;
    return copy(host, doorway->host, sizeof doorway->host);
}

static bool is_v6(const char *host)
{
    return strchr(host, ':') != NULL;
}

const char *doorway_print(const struct doorway *doorway, bool role, char out[DOORWAY_TEXT_SIZE])
{
    const char *format = is_v6(doorway->host) ? "[%s]:%d%s%s" : "%s:%d%s%s";
    bool with = role && doorway->role[0];
    snprintf(out, DOORWAY_TEXT_SIZE, format, doorway->host, doorway->port, with ? "=" : "",
             with ? doorway->role : "");
    return out;
}

const char *doorway_url(const struct doorway *doorway, char out[DOORWAY_TEXT_SIZE])
{
    const char *host = doorway->host;
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    if (strcmp(host, "::") == 0)
        host = "::1";
    snprintf(out, DOORWAY_TEXT_SIZE, is_v6(host) ? "http://[%s]:%d" : "http://%s:%d", host,
             doorway->port);
    return out;
}

static bool bind_to(struct doorway *doorway, const struct addrinfo *address)
{
    int yes = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int problem = errno;
        close(fd);
        errno = problem;
        return false;
    }
    doorway->fd = fd;
    doorway->port = socket_port(fd);
    return true;
}

bool doorway_open(struct doorway *doorway, char *error, size_t error_size)
{
    char text[DOORWAY_TEXT_SIZE], port[16];
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_ADDRCONFIG},
                    *found = NULL;
    snprintf(port, sizeof port, "%d", doorway->port);
    doorway_print(doorway, false, text);
    int problem = getaddrinfo(doorway->host, port, &wanted, &found);
    if (problem != 0) {
        snprintf(error, error_size, "cannot listen on '%s': %s", text, gai_strerror(problem));
        return false;
    }
    bool bound = bind_to(doorway, found);
    const char *advice = "";
    if (!bound && errno == EADDRINUSE)
        advice = "; is stagedoor running already? another port: --listen HOST:PORT";
    if (!bound)
        snprintf(error, error_size, "cannot listen on '%s': %s%s", text, strerror(errno), advice);
    freeaddrinfo(found);
    return bound;
}

void doorway_close(struct doorway *doorway)
{
    if (doorway->fd >= 0)
        close(doorway->fd);
    doorway->fd = -1;
}
