/* One child: how it begins, speaks and ends. */
#include "manager/supervisor_internal.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FDS_ABOVE = 100, /* the supervisor's copies lie here, out of the way of the child's 3, 4, … */
    READ_SIZE = 16 * 1024,
    READS_PER_TURN = 4
};

/* ---- being there ----------------------------------------------------------------------------- */
struct child *child_new(const struct child_spec *spec, int number)
{
    struct child *child = memory_new(sizeof *child);
    assert(spec->fd_count <= SUPERVISOR_FDS_MAX);
    child->name = strdup(spec->name);
    child->role = spec->role;
    child->number = number;
    child->output = -1;
    child->env = spec->env ? strdup(spec->env) : NULL;
    for (int i = 0; spec->argv[i]; i++) {
        assert(i < ARGUMENTS_MAX - 1);
        child->argv[i] = strdup(spec->argv[i]);
    }
    child->watchdog_ms = spec->watchdog_ms ? spec->watchdog_ms : WATCHDOG_MS;
    child->fd_count = spec->fd_count;
    for (int i = 0; i < spec->fd_count; i++)
        child->fds[i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC, FDS_ABOVE);
    return child;
}

void child_free(struct child *child)
{
    if (child->output >= 0)
        close(child->output);
    for (int i = 0; i < child->fd_count; i++)
        close(child->fds[i]);
    for (int i = 0; child->argv[i]; i++)
        free(child->argv[i]);
    free(child->env);
    free(child->name);
    memory_free(child);
}

/* ---- what it says ---------------------------------------------------------------------------- */
static int colour_of(const struct child *child)
{
    static const int colours[] = {36, 32, 35, 34, 33};
    return colours[(size_t)child->number % (sizeof colours / sizeof *colours)];
}

static void hear(struct supervisor *supervisor, struct child *child, struct text line)
{
    voice_line(supervisor, child->name, colour_of(child), line);
}

void child_notice(struct child *child, const struct notice *notice)
{
    if (notice->ready && !child->ready) {
        child->ready = true;
        child->tell = SUPERVISOR_READY;
    }
    if (notice->status[0])
        memcpy(child->status, notice->status, sizeof child->status);
    if (notice->alive && child->state == CHILD_RUNNING)
        child->kill_at_ms = clock_monotonic_ms() + child->watchdog_ms;
}

static void close_output(struct supervisor *supervisor, struct child *child)
{
    struct text line;
    if (child->output < 0)
        return;
    if (line_reader_last(&child->reader, &line))
        hear(supervisor, child, line);
    close(child->output);
    child->output = -1;
}

void child_listen(struct supervisor *supervisor, struct child *child)
{
    char bytes[READ_SIZE];
    for (int i = 0; i < READS_PER_TURN && child->output >= 0; i++) {
        ssize_t size = read(child->output, bytes, sizeof bytes);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size <= 0) {
            close_output(supervisor, child);
            return;
        }
        struct text rest = text_from(bytes, (size_t)size), line;
        while (line_reader_next(&child->reader, &rest, &line))
            hear(supervisor, child, line);
    }
}

/* ---- starting -------------------------------------------------------------------------------- */
static void tell_whom_to_notify(const struct supervisor *supervisor, const struct child *child)
{
    char watchdog_us[24];
    snprintf(watchdog_us, sizeof watchdog_us, "%d000", child->watchdog_ms);
    setenv("NOTIFY_SOCKET", supervisor->notices.address, 1);
    setenv("WATCHDOG_USEC", watchdog_us, 1);
    unsetenv("WATCHDOG_PID");
}

static void become(const struct supervisor *supervisor, const struct child *child, int output,
                   pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it died before the line above */
        _exit(END_SYSTEM);
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        _exit(END_SYSTEM);
    for (int i = 0; i < child->fd_count; i++)
        if (dup2(child->fds[i], STDERR_FILENO + 1 + i) < 0)
            _exit(END_SYSTEM);
    if (child->env)
        putenv(child->env);
    tell_whom_to_notify(supervisor, child);
    execv(child->argv[0], child->argv);
    dprintf(STDERR_FILENO, "cannot start '%s': %s\n", child->argv[0], strerror(errno));
    _exit(END_SYSTEM);
}

int supervisor_backoff_ms(int last_ms, int64_t alive_ms)
{
    if (last_ms == 0 || alive_ms >= BACKOFF_FORGIVEN_MS)
        return BACKOFF_FIRST_MS;
    return last_ms * 2 < BACKOFF_MAX_MS ? last_ms * 2 : BACKOFF_MAX_MS;
}

static void start_later(struct child *child, int64_t alive_ms)
{
    child->backoff_ms = supervisor_backoff_ms(child->backoff_ms, alive_ms);
    child->start_at_ms = clock_monotonic_ms() + child->backoff_ms;
    child->state = CHILD_WAITING;
    child->restart_count++;
}

void child_start(struct supervisor *supervisor, struct child *child)
{
    int ends[2];
    pid_t parent = getpid(), pid = -1;
    if (pipe2(ends, O_CLOEXEC) == 0) {
        pid = fork();
        if (pid == 0)
            become(supervisor, child, ends[1], parent);
        close(ends[1]);
        if (pid < 0)
            close(ends[0]);
    }
    if (pid < 0) {
        start_later(child, 0);
        supervisor_say(supervisor, "cannot start %s: %s; trying again in %d ms", child->name,
                       strerror(errno), child->backoff_ms);
        return;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    child->pid = pid;
    child->output = ends[0];
    child->reader.size = 0;
    child->ready = false;
    child->status[0] = '\0';
    child->kill_at_ms = 0;
    child->started_at_ms = clock_monotonic_ms();
    child->state = CHILD_RUNNING;
}

/* ---- dying ----------------------------------------------------------------------------------- */
static void print_end(int status, char out[END_SIZE])
{
    if (WIFSIGNALED(status))
        snprintf(out, END_SIZE, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(out, END_SIZE, "ended with exit code %d", WEXITSTATUS(status));
}

static void start_again(struct supervisor *supervisor, struct child *child, int64_t alive_ms)
{
    child->deaths_in_a_row = alive_ms < BACKOFF_FORGIVEN_MS ? child->deaths_in_a_row + 1 : 1;
    start_later(child, alive_ms);
    supervisor_say(supervisor, "%s %s after %.1f s; starting it again in %d ms (restart %d)",
                   child->name, child->last_end, (double)alive_ms / 1000, child->backoff_ms,
                   child->restart_count);
    if (child->deaths_in_a_row == CRASH_LOOP_DEATHS)
        supervisor_say(supervisor,
                       "%s ended %d times in a row and will be started again every %d s; why: "
                       "stagedoor logs %s",
                       child->name, CRASH_LOOP_DEATHS, BACKOFF_MAX_MS / 1000, child->name);
}

void child_died(struct supervisor *supervisor, struct child *child, int status)
{
    int64_t alive_ms = clock_monotonic_ms() - child->started_at_ms;
    bool was_told = child->state == CHILD_ENDING || supervisor->stopping;
    child_listen(supervisor, child);
    close_output(supervisor, child);
    print_end(status, child->last_end);
    child->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    child->pid = 0;
    child->ready = false;
    child->status[0] = '\0';
    child->tell = SUPERVISOR_ENDED;
    child->state = CHILD_OVER;
    if (child->role == CHILD_TASK) {
        child->tell = SUPERVISOR_TASK_END;
    } else if (was_told) {
        if (child->code != 0)
            supervisor_say(supervisor, "%s %s", child->name, child->last_end);
    } else if (child->code == END_USAGE) {
        child->tell = SUPERVISOR_MISUSED;
    } else {
        start_again(supervisor, child, alive_ms);
    }
}
