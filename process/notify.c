/* The datagram. */
#include "process/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* "/run/…", or "@…" of the abstract namespace. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || size >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, size);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t whole = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, whole) != 0) {
        close(descriptor);
        descriptor = -1;
    }
    return descriptor;
}

/* Half of what systemd waits, as it advises. */
static int64_t watchdog_of_environment(void)
{
    int64_t us, process;
    const char *meant_for = getenv("WATCHDOG_PID");
    if (!text_to_i64(text_of(getenv("WATCHDOG_USEC")), &us) ||
        (meant_for && (!text_to_i64(text_of(meant_for), &process) || process != getpid())))
        return 0;
    return us / 2000;
}

void notify_open(struct notify *notify)
{
    const char *path = getenv("NOTIFY_SOCKET");
    *notify = (struct notify){.socket = path ? connect_to(path) : -1};
    notify->watchdog_ms = watchdog_of_environment();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *notify)
{
    if (notify->socket >= 0)
        close(notify->socket);
    notify->socket = -1;
}

static void say(struct notify *notify, const struct buffer *words)
{
    if (words->size == 0 || notify->socket < 0)
        return;
    ssize_t sent = send(notify->socket, words->data, words->size, MSG_NOSIGNAL);
    (void)sent; /* systemd is busy, or gone: it will miss a sign of life, and ask for more */
}

bool notify_wants(const struct notify *notify, int64_t now_ms, bool ready)
{
    return notify->socket >= 0 && (now_ms >= notify->look_at_ms || (ready && !notify->ready));
}

void notify_tend(struct notify *notify, int64_t now_ms, bool ready, const char *status)
{
    struct buffer words = {0};
    if (notify->socket < 0)
        return;
    if (ready && !notify->ready)
        buffer_string(&words, "READY=1\n");
    notify->ready = notify->ready || ready;
    if (!notify->ready)
        buffer_print(&words, "EXTEND_TIMEOUT_USEC=%d000000\n", NOTIFY_MORE_TIME_S);
    if (strncmp(notify->status, status, sizeof notify->status - 1) != 0) {
        snprintf(notify->status, sizeof notify->status, "%s", status);
        buffer_print(&words, "STATUS=%s\n", notify->status);
    }
    if (notify->watchdog_ms && now_ms >= notify->alive_at_ms) {
        buffer_string(&words, "WATCHDOG=1\n");
        notify->alive_at_ms = now_ms + notify->watchdog_ms;
    }
    int64_t soon_ms = notify->watchdog_ms && notify->watchdog_ms < NOTIFY_EVERY_MS
                          ? notify->watchdog_ms
                          : NOTIFY_EVERY_MS;
    notify->look_at_ms = now_ms + soon_ms;
    say(notify, &words);
    buffer_release(&words);
}

void notify_stopping(struct notify *notify)
{
    struct buffer words = {0};
    buffer_string(&words, "STOPPING=1\nSTATUS=stopping\n");
    say(notify, &words);
    buffer_release(&words);
}
