/* One libmicrohttpd daemon with one thread. */
#include "process/admin.h"

#include "base/log.h"
#include "base/memory.h"
#include "schemas/json.h"

#include <assert.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 32, CONNECTION_TIMEOUT_S = 30, HOST_SIZE = 256, PORT_SIZE = 8 };

static const char unix_scheme[] = "unix:";

struct admin {
    struct admin_source source;
    const char *subject;
    struct MHD_Daemon *daemon;
    char *path; /* of its socket; NULL: it has a port */
};

/* ---- answers --------------------------------------------------------------------------------- */

struct page {
    int status;
    const char *content_type;
    struct buffer body;
};

static const char plain[] = "text/plain; charset=utf-8";

static bool wants_text(struct MHD_Connection *connection)
{
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
    return accept && strstr(accept, "text/plain");
}

static struct page live_page(const struct admin *admin)
{
    struct page page = {.content_type = plain};
    bool live = admin->source.live(admin->source.self);
    page.status = live ? 200 : 503;
    buffer_string(&page.body, live ? "live\n" : "not live: its loop does not turn any more\n");
    return page;
}

static struct page ready_page(const struct admin *admin, struct MHD_Connection *connection)
{
    struct readiness readiness = {.count = 0};
    admin->source.ready(admin->source.self, &readiness);
    bool text = wants_text(connection);
    struct page page = {.status = readiness_is_good(&readiness) ? 200 : 503,
                        .content_type = text ? plain : "application/json"};
    if (text) {
        readiness_put_text(&readiness, &page.body);
        return page;
    }
    json_put_open(&page.body, NULL, '{');
    readiness_put_json(&readiness, &page.body);
    json_put_close(&page.body, '}');
    buffer_byte(&page.body, '\n');
    return page;
}

static struct page metrics_page(const struct admin *admin)
{
    struct page page = {.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8"};
    admin->source.metrics(admin->source.self, &page.body);
    return page;
}

static struct page other_page(int status, const char *words)
{
    struct page page = {.status = status, .content_type = plain};
    buffer_string(&page.body, words);
    return page;
}

/* Whoever asks over a network has no key, and may only look. */
static bool is_from_here(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL)
        return false;
    if (info->client_addr->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)info->client_addr)->sin_addr.s_addr) >> 24 ==
               IN_LOOPBACKNET;
    if (info->client_addr->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)info->client_addr)->sin6_addr);
    return info->client_addr->sa_family == AF_UNIX;
}

static struct page level_page(void)
{
    struct page page = {.status = 200, .content_type = plain};
    buffer_print(&page.body, "%s\n", log_level_name(log_level()));
    return page;
}

/* PUT /loglevel?level=debug */
static struct page set_level_page(const struct admin *admin, struct MHD_Connection *connection)
{
    enum log_level level;
    const char *word = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "level");
    if (!is_from_here(connection))
        return other_page(403, "the level is changed from the machine itself\n");
    if (word == NULL || !log_level_parse(word, &level))
        return other_page(400, "say ?level=debug, info, warning or error\n");
    log_set_level(level);
    log_line(LOG_WARNING, admin->subject, "logs from level %s on now, as it was asked to", word);
    return level_page();
}

static struct page page_of(const struct admin *admin, struct MHD_Connection *connection,
                           const char *path, const char *method)
{
    bool level = strcmp(path, "/loglevel") == 0;
    if (level && strcmp(method, "PUT") == 0)
        return set_level_page(admin, connection);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return other_page(405, "GET is answered here, and PUT /loglevel\n");
    if (level)
        return level_page();
    if (strcmp(path, "/livez") == 0)
        return live_page(admin);
    if (strcmp(path, "/readyz") == 0)
        return ready_page(admin, connection);
    if (strcmp(path, "/metrics") == 0)
        return metrics_page(admin);
    return other_page(404, "there are /livez, /readyz, /metrics and /loglevel\n");
}

static enum MHD_Result handle(void *self, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **slot)
{
    static char begun;
    (void)version, (void)data;
    if (*slot == NULL) { /* an answer to this call would end the connection */
        *slot = &begun;
        return MHD_YES;
    }
    if (*size) { /* nobody reads a body here */
        *size = 0;
        return MHD_YES;
    }
    struct page page = page_of(self, connection, path, method);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(page.body.size, page.body.data, MHD_RESPMEM_MUST_COPY);
    buffer_release(&page.body);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_NO;
    if (MHD_add_response_header(response, "Content-Type", page.content_type) &&
        MHD_add_response_header(response, "Cache-Control", "no-store"))
        result = MHD_queue_response(connection, (unsigned)page.status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- where ----------------------------------------------------------------------------------- */

static bool split(const char *address, char host[HOST_SIZE], char port[PORT_SIZE])
{
    const char *colon = strrchr(address, ':');
    uint64_t number;
    if (colon == NULL || colon == address || !text_to_u64(text_of(colon + 1), &number) ||
        number > UINT16_MAX)
        return false;
    size_t size = (size_t)(colon - address);
    if (size >= HOST_SIZE)
        return false;
    bool bracketed = address[0] == '[';
    if (bracketed ? size < 3 || address[size - 1] != ']' : memchr(address, ':', size) != NULL)
        return false;
    snprintf(host, HOST_SIZE, "%.*s", (int)size - 2 * bracketed, address + bracketed);
    snprintf(port, PORT_SIZE, "%d", (int)number);
    return true;
}

bool option_read_admin(void *address, const char *value)
{
    char host[HOST_SIZE], port[PORT_SIZE];
    size_t scheme = strlen(unix_scheme);
    *(const char **)address = value;
    return strncmp(value, unix_scheme, scheme) == 0 ? value[scheme] != '\0'
                                                    : split(value, host, port);
}

static int open_at_port(const char *address, const char *subject, char *error)
{
    char host[HOST_SIZE], port[PORT_SIZE];
    bool good = split(address, host, port);
    assert(good); /* or option_read_admin would have said no */
    int descriptor = socket_listen(host, port, error);
    if (descriptor >= 0)
        log_line(LOG_INFO, subject, "metrics at http://%s%s%s:%d/metrics",
                 strchr(host, ':') ? "[" : "", host, strchr(host, ':') ? "]" : "",
                 socket_port(descriptor));
    return descriptor;
}

static int open_at_path(struct admin *admin, const char *path, const char *subject, char *error)
{
    int descriptor = socket_listen_at(path, error);
    if (descriptor < 0)
        return -1;
    admin->path = (char *)text_copy(text_of(path)).data;
    log_line(LOG_INFO, subject, "metrics at %s, path /metrics", path);
    return descriptor;
}

struct admin *admin_start(const char *address, const char *subject,
                          const struct admin_source *source, char *error)
{
    struct admin *admin = memory_new(sizeof *admin);
    bool at_path = strncmp(address, unix_scheme, strlen(unix_scheme)) == 0;
    int descriptor = at_path ? open_at_path(admin, address + strlen(unix_scheme), subject, error)
                             : open_at_port(address, subject, error);
    admin->source = *source;
    admin->subject = subject;
    if (descriptor >= 0)
        admin->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL,
                                         handle, admin, MHD_OPTION_LISTEN_SOCKET, descriptor,
                                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                                         MHD_OPTION_CONNECTION_TIMEOUT,
                                         (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_END);
    if (admin->daemon)
        return admin;
    if (descriptor >= 0) {
        snprintf(error, SOCKETS_ERROR_SIZE, "cannot serve '%.200s'", address);
        close(descriptor);
    }
    admin_stop(admin);
    return NULL;
}

void admin_stop(struct admin *admin)
{
    if (admin == NULL)
        return;
    if (admin->daemon)
        MHD_stop_daemon(admin->daemon); /* and closes the socket */
    if (admin->path)
        unlink(admin->path);
    memory_free(admin->path);
    memory_free(admin);
}
