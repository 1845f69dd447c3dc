/* How a commit in one process wakes the readers in the others: the wake file.
 *
 * A watch on the database or its WAL fires while the commit is still being written, and never again
 * after; so the appender changes one byte of PATH-wake after each COMMIT, and every handle watches
 * that file by inotify. A touch that is lost (the writer died in between, somebody deleted the
 * file) costs a reader one tick of 20 ms and nothing else. */
#include "bus/sqlite.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

int sqlite_wake_open(struct sqlite_bus *handle, char *failed, size_t failed_size)
{
    snprintf(failed, failed_size, "%s-wake", handle->path);
    handle->wake_fd = open(failed, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (handle->wake_fd < 0)
        return errno;
    handle->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (handle->watch_fd < 0)
        return errno;
    if (inotify_add_watch(handle->watch_fd, failed, IN_MODIFY) < 0)
        return errno;
    handle->news_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return handle->news_fd < 0 ? errno : 0;
}

void sqlite_wake_close(struct sqlite_bus *handle)
{
    int fds[] = {handle->wake_fd, handle->watch_fd, handle->news_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

void sqlite_wake_touch(struct sqlite_bus *handle)
{
    /* Which byte does not matter; a failure (disk full) leaves the readers their tick. */
    ssize_t written = pwrite(handle->wake_fd, "!", 1, 0);
    (void)written;
}

void sqlite_news_signal(struct sqlite_bus *handle)
{
    /* Fails only when the counter is full, and then the loop is awake anyway. */
    uint64_t one = 1;
    int before = errno;
    ssize_t written = write(handle->news_fd, &one, sizeof one);
    (void)written;
    errno = before;
}

bool sqlite_wake_wait(struct sqlite_bus *handle, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = handle->news_fd, .events = POLLIN},
                            {.fd = handle->watch_fd, .events = POLLIN}};
    if (poll(fds, 2, timeout_ms) <= 0)
        return false; /* a signal counts as a time-out: the caller looks and sleeps again */
    uint64_t count;
    if (fds[0].revents && read(handle->news_fd, &count, sizeof count) < 0)
        return false;
    if (!fds[1].revents)
        return false;
    char events[4096];
    while (read(handle->watch_fd, events, sizeof events) == (ssize_t)sizeof events)
        ;
    return true;
}
