#include "cli/admin_call.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { SOCKET_SIZE = 100, TIMEOUT_MS = 2000 };

static size_t keep(char *bytes, size_t size, size_t count, void *body)
{
    buffer_add(body, bytes, size * count);
    return size * count;
}

static int call(const char *socket, const char *method, const char *url, struct buffer *body)
{
    CURL *curl = curl_easy_init();
    long status = 0;
    if (curl == NULL)
        return 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    return (int)status;
}

int admin_call(const char *folder, const char *name, const char *method, const char *path,
               struct buffer *body)
{
    char socket[SOCKET_SIZE];
    struct buffer url = {0};
    int opened = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), status = 0;
    buffer_clear(body);
    if (opened < 0)
        return 0;
    /* The path of a socket must be short, that of a folder need not. */
    buffer_print(&url, "http://stagedoor%s", path);
    if (snprintf(socket, sizeof socket, "/proc/self/fd/%d/%s", opened, name) < SOCKET_SIZE)
        status = call(socket, method, url.data, body);
    buffer_release(&url);
    close(opened);
    return status;
}
