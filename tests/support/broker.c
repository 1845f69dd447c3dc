/* Over compose/local-kafka/kafka.sh. */
#include "tests/support/broker.h"

#include "base/clock.h"

#include <dirent.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { FREEZE_WITHIN_MS = 30 * 1000 };

static char address[32]; /* "": none was started */

static void call(const char *verb)
{
    char command[256];
    snprintf(command, sizeof command,
             "KAFKA_DIR=var/test-kafka-%d KAFKA_PORT=0 compose/local-kafka/kafka.sh %s >&2",
             (int)getpid(), verb);
    if (system(command) != 0)
        fail_msg("'%s' failed; run it from the root of the sources", command);
}

static int number(const char *file)
{
    char path[128];
    int number = 0;
    snprintf(path, sizeof path, "var/test-kafka-%d/%s", (int)getpid(), file);
    FILE *stream = fopen(path, "r");
    if (!stream || fscanf(stream, "%d", &number) != 1)
        fail_msg("cannot read '%s'", path);
    fclose(stream);
    return number;
}

static bool runs(void)
{
    char pid[128];
    snprintf(pid, sizeof pid, "var/test-kafka-%d/pid", (int)getpid());
    return access(pid, F_OK) == 0;
}

const char *broker_address(void)
{
    if (runs())
        broker_freeze(false); /* what a failed test left behind */
    call("up");
    snprintf(address, sizeof address, "localhost:%d", number("port"));
    return address;
}

void broker_kill(void)
{
    call("kill");
}

void broker_up(void)
{
    call("up");
}

/* kill returns before every thread has stopped; one in the middle of an fsync takes its time. */
static bool all_stopped(int pid)
{
    char path[300], state = 'T';
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = opendir(path);
    assert_non_null(threads);
    for (struct dirent *each; state == 'T' && (each = readdir(threads));) {
        if (each->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/stat", pid, each->d_name);
        FILE *stream = fopen(path, "r");
        if (stream && fscanf(stream, "%*d (%*[^)]) %c", &state) != 1)
            state = '?';
        if (stream)
            fclose(stream);
    }
    closedir(threads);
    return state == 'T';
}

void broker_freeze(bool frozen)
{
    int pid = number("pid");
    int64_t until_ms = clock_monotonic_ms() + FREEZE_WITHIN_MS;
    kill(pid, frozen ? SIGSTOP : SIGCONT);
    while (frozen && !all_stopped(pid)) {
        if (clock_monotonic_ms() > until_ms)
            fail_msg("the broker does not stop within %d ms", FREEZE_WITHIN_MS);
        sched_yield();
    }
}

void broker_gone(void)
{
    if (!address[0])
        return;
    if (runs())
        broker_freeze(false);
    call("wipe");
    address[0] = '\0';
}
