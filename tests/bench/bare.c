/* The ceiling of the edge: libmicrohttpd, as api/http.c starts it, with one answer that never
 * changes.
 *
 *     bare BODY_FILE      prints the port it listens on, and serves until it is killed */
#include "api/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAG "\"0-1--1-1\""

static char begun;

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **slot)
{
    (void)path, (void)method, (void)version, (void)data, (void)size;
    if (*slot == NULL) {
        *slot = &begun;
        return MHD_YES;
    }
    const char *known = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-None-Match");
    return MHD_queue_response(connection, known && strcmp(known, TAG) == 0 ? 304 : 200, context);
}

static struct MHD_Response *read_body(const char *path)
{
    static char body[64 * 1024];
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(body, 1, sizeof body, file) : 0;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "ETag", TAG);
    MHD_add_response_header(response, "X-Log-Position", "0:1");
    MHD_add_response_header(response, "Cache-Control", "no-cache");
    MHD_add_response_header(response, "Content-Type", "application/json");
    if (file)
        fclose(file);
    return response;
}

int main(int count, char **arguments)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (count != 2)
        return EXIT_FAILURE;
    struct MHD_Response *response = read_body(arguments[1]);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle, response,
        MHD_OPTION_SOCK_ADDR, &own, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_THREADS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_SILENCE_S, MHD_OPTION_END);
    if (daemon == NULL)
        return EXIT_FAILURE;
    printf("%d\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    pause();
    return EXIT_SUCCESS;
}
