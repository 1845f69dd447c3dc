/* What systemd hears, on a socket of our own. */
#include "process/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct systemd {
    int socket;
    struct notify notify;
};

/* In the abstract namespace the kernel finds a name that is free. */
static struct systemd started(const char *watchdog_us, const char *watchdog_pid)
{
    struct systemd systemd;
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    socklen_t size = sizeof own.sun_family;
    char name[sizeof own.sun_path + 1];
    systemd.socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(systemd.socket, (struct sockaddr *)&own, size), 0);
    size = sizeof own;
    getsockname(systemd.socket, (struct sockaddr *)&own, &size);
    size -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
    snprintf(name, sizeof name, "@%.*s", (int)size - 1, own.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);
    if (watchdog_us)
        setenv("WATCHDOG_USEC", watchdog_us, 1);
    if (watchdog_pid)
        setenv("WATCHDOG_PID", watchdog_pid, 1);
    notify_open(&systemd.notify);
    return systemd;
}

static void stop(struct systemd *systemd)
{
    notify_close(&systemd->notify);
    close(systemd->socket);
}

static void expect(struct systemd *systemd, const char *words)
{
    char heard[1024];
    ssize_t size = recv(systemd->socket, heard, sizeof heard - 1, 0);
    heard[size < 0 ? 0 : size] = '\0';
    assert_string_equal(heard, words);
}

static void notify__nobody_asked(void **state)
{
    struct notify notify;
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify_open(&notify);
    assert_false(notify_wants(&notify, 0, true));
    notify_tend(&notify, 0, true, "ready");
    notify_stopping(&notify);
    notify_close(&notify);
}

static void notify__starting_ready_and_stopping(void **state)
{
    struct systemd systemd = started(NULL, NULL);
    (void)state;
    assert_null(getenv("NOTIFY_SOCKET")); /* children are not us */
    assert_true(notify_wants(&systemd.notify, 5, false));
    notify_tend(&systemd.notify, 5, false, "recovering 1 of 2");
    expect(&systemd, "EXTEND_TIMEOUT_USEC=60000000\nSTATUS=recovering 1 of 2\n");
    assert_false(notify_wants(&systemd.notify, 6, false));
    assert_true(notify_wants(&systemd.notify, 6, true)); /* that is told at once */
    notify_tend(&systemd.notify, 6, true, "ready");
    expect(&systemd, "READY=1\nSTATUS=ready\n");
    notify_tend(&systemd.notify, 2000, true, "ready");
    expect(&systemd, ""); /* no news */
    notify_tend(&systemd.notify, 4000, false, "no bus");
    expect(&systemd, "STATUS=no bus\n"); /* it has started all the same */
    notify_tend(&systemd.notify, 6000, true, "ready");
    expect(&systemd, "STATUS=ready\n");
    notify_stopping(&systemd.notify);
    expect(&systemd, "STOPPING=1\nSTATUS=stopping\n");
    stop(&systemd);
}

static void notify__signs_of_life_at_half_the_time(void **state)
{
    struct systemd systemd = started("3000000", NULL);
    (void)state;
    notify_tend(&systemd.notify, 100, true, "ready");
    expect(&systemd, "READY=1\nSTATUS=ready\nWATCHDOG=1\n");
    notify_tend(&systemd.notify, 1100, true, "ready");
    expect(&systemd, "");
    notify_tend(&systemd.notify, 1600, true, "ready");
    expect(&systemd, "WATCHDOG=1\n");
    stop(&systemd);
}

static void notify__a_watchdog_for_another_process(void **state)
{
    struct systemd systemd = started("3000000", "1");
    (void)state;
    notify_tend(&systemd.notify, 100, true, "ready");
    expect(&systemd, "READY=1\nSTATUS=ready\n");
    stop(&systemd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notify__nobody_asked),
        cmocka_unit_test(notify__starting_ready_and_stopping),
        cmocka_unit_test(notify__signs_of_life_at_half_the_time),
        cmocka_unit_test(notify__a_watchdog_for_another_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
