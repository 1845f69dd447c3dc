/* Processes die; what matters is that someone is there when they do. */
#include "manager/supervisor.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/memory.h"
#include "manager/line_reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    NAME_WIDTH_MIN = 12,
    ARGUMENTS_MAX = 64,
    FDS_ABOVE = 100, /* the supervisor's copies lie here, out of the way of the child's 3, 4, … */
    READ_SIZE = 16 * 1024,
    READS_PER_TURN = 4,
    PATIENCE_MS = 50 /* for a reader of our output that is a little slow */
};

static const char own_name[] = "stagedoor";

enum child_state { CHILD_WAITING, CHILD_RUNNING, CHILD_OVER };

struct child {
    char *name;
    enum child_role role;
    char *argv[ARGUMENTS_MAX];
    char *env;
    int fds[SUPERVISOR_FDS_MAX];
    int fd_count;

    enum child_state state;
    pid_t pid;
    int output; /* its standard output and error; -1: closed */
    struct line_reader reader;
    int64_t started_at_ms;
    int64_t start_at_ms; /* WAITING */
    int backoff_ms;
    int restart_count;
    int code;
    bool ready;
    enum supervisor_news tell; /* not yet told */
};

struct supervisor {
    int output;
    int signals;
    bool colours;
    bool dropping;
    uint64_t dropped_count;
    struct child *children[SUPERVISOR_CHILDREN_MAX];
    int count;
    int width;
    bool stopping;
    bool services_told;
    bool killed;
    int64_t stop_at_ms;
    struct buffer line;
};

/* ---- pure ------------------------------------------------------------------------------------ */
int supervisor_backoff_ms(int last_ms, int64_t alive_ms)
{
    if (last_ms == 0 || alive_ms >= BACKOFF_FORGIVEN_MS)
        return BACKOFF_FIRST_MS;
    return last_ms * 2 < BACKOFF_MAX_MS ? last_ms * 2 : BACKOFF_MAX_MS;
}

bool supervisor_says_ready(struct text line)
{
    static const char word[] = ": ready";
    return line.size && memmem(line.data, line.size, word, sizeof word - 1) != NULL;
}

/* ---- lines ----------------------------------------------------------------------------------- */
static bool taken(const struct supervisor *supervisor)
{
    struct pollfd poll_output = {.fd = supervisor->output, .events = POLLOUT};
    return poll(&poll_output, 1, supervisor->dropping ? 0 : PATIENCE_MS) == 1;
}

static void print(struct supervisor *supervisor, const char *name, int colour, struct text line)
{
    if (!taken(supervisor)) {
        supervisor->dropping = true;
        supervisor->dropped_count++;
        return;
    }
    struct buffer *out = &supervisor->line;
    buffer_clear(out);
    if (supervisor->dropping) {
        buffer_print(out, "%-*s | %llu lines were dropped, because nobody read them\n",
                     supervisor->width, own_name, (unsigned long long)supervisor->dropped_count);
        supervisor->dropping = false;
        supervisor->dropped_count = 0;
    }
    line_prefix(name, supervisor->width, supervisor->colours ? colour : 0, line, out);
    ssize_t written = write(supervisor->output, out->data, out->size);
    (void)written; /* there is nobody left to tell */
}

static int colour_of(const struct supervisor *supervisor, const struct child *child)
{
    static const int colours[] = {36, 32, 35, 34, 33};
    for (int i = 0; i < supervisor->count; i++)
        if (supervisor->children[i] == child)
            return colours[(size_t)i % (sizeof colours / sizeof *colours)];
    return 0;
}

void supervisor_say(struct supervisor *supervisor, const char *format, ...)
{
    struct buffer line = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&line, format, arguments);
    va_end(arguments);
    print(supervisor, own_name, 0, buffer_view(&line));
    buffer_release(&line);
}

static void hear(struct supervisor *supervisor, struct child *child, struct text line)
{
    print(supervisor, child->name, colour_of(supervisor, child), line);
    if (!child->ready && child->role != CHILD_TASK && supervisor_says_ready(line)) {
        child->ready = true;
        child->tell = SUPERVISOR_READY;
    }
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

static void listen_to(struct supervisor *supervisor, struct child *child)
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
static void become(const struct child *child, int output, pid_t parent)
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
    execv(child->argv[0], child->argv);
    dprintf(STDERR_FILENO, "cannot start '%s': %s\n", child->argv[0], strerror(errno));
    _exit(END_SYSTEM);
}

static void start_later(struct child *child, int64_t alive_ms)
{
    child->backoff_ms = supervisor_backoff_ms(child->backoff_ms, alive_ms);
    child->start_at_ms = clock_monotonic_ms() + child->backoff_ms;
    child->state = CHILD_WAITING;
    child->restart_count++;
}

static void start(struct supervisor *supervisor, struct child *child)
{
    int ends[2];
    pid_t parent = getpid(), pid = -1;
    if (pipe2(ends, O_CLOEXEC) == 0) {
        pid = fork();
        if (pid == 0)
            become(child, ends[1], parent);
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
    child->started_at_ms = clock_monotonic_ms();
    child->state = CHILD_RUNNING;
}

void supervisor_add(struct supervisor *supervisor, const struct child_spec *spec)
{
    assert(supervisor->count < SUPERVISOR_CHILDREN_MAX && spec->fd_count <= SUPERVISOR_FDS_MAX);
    struct child *child = memory_new(sizeof *child);
    child->name = strdup(spec->name);
    child->role = spec->role;
    child->output = -1;
    child->env = spec->env ? strdup(spec->env) : NULL;
    for (int i = 0; spec->argv[i]; i++) {
        assert(i < ARGUMENTS_MAX - 1);
        child->argv[i] = strdup(spec->argv[i]);
    }
    child->fd_count = spec->fd_count;
    for (int i = 0; i < spec->fd_count; i++)
        child->fds[i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC, FDS_ABOVE);
    supervisor->children[supervisor->count++] = child;
    int width = (int)strlen(spec->name);
    supervisor->width = width > supervisor->width ? width : supervisor->width;
    if (supervisor->stopping)
        child->state = CHILD_OVER;
    else
        start(supervisor, child);
}

/* ---- dying ----------------------------------------------------------------------------------- */
static void print_end(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(out, size, "ended with exit code %d", WEXITSTATUS(status));
}

static void died(struct supervisor *supervisor, struct child *child, int status)
{
    char end[100];
    int64_t alive_ms = clock_monotonic_ms() - child->started_at_ms;
    listen_to(supervisor, child);
    close_output(supervisor, child);
    print_end(status, end, sizeof end);
    child->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    child->pid = 0;
    child->ready = false;
    child->state = CHILD_OVER;
    if (child->role == CHILD_TASK) {
        child->tell = SUPERVISOR_TASK_END;
    } else if (supervisor->stopping) {
        if (child->code != 0)
            supervisor_say(supervisor, "%s %s", child->name, end);
    } else if (child->code == END_USAGE) {
        child->tell = SUPERVISOR_MISUSED;
    } else {
        child->tell = SUPERVISOR_NOTHING;
        start_later(child, alive_ms);
        supervisor_say(supervisor, "%s %s after %.1f s; starting it again in %d ms (restart %d)",
                       child->name, end, (double)alive_ms / 1000, child->backoff_ms,
                       child->restart_count);
    }
}

static void reap(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->count; i++) {
        struct child *child = supervisor->children[i];
        int status;
        if (child->state == CHILD_RUNNING && waitpid(child->pid, &status, WNOHANG) == child->pid)
            died(supervisor, child, status);
    }
}

/* ---- stopping -------------------------------------------------------------------------------- */
static int tell_all(struct supervisor *supervisor, bool services, int signal_number)
{
    int told_count = 0;
    for (int i = 0; i < supervisor->count; i++) {
        struct child *child = supervisor->children[i];
        if (child->state != CHILD_RUNNING || (child->role == CHILD_SERVICE) != services)
            continue;
        told_count++;
        if (signal_number)
            kill(child->pid, signal_number);
    }
    return told_count;
}

void supervisor_stop(struct supervisor *supervisor)
{
    if (supervisor->stopping)
        return;
    supervisor->stopping = true;
    supervisor->stop_at_ms = clock_monotonic_ms();
    for (int i = 0; i < supervisor->count; i++)
        if (supervisor->children[i]->state == CHILD_WAITING)
            supervisor->children[i]->state = CHILD_OVER;
    tell_all(supervisor, false, SIGTERM);
}

bool supervisor_stopping(const struct supervisor *supervisor)
{
    return supervisor->stopping;
}

static void kill_all(struct supervisor *supervisor, const char *why)
{
    supervisor->killed = true;
    int count = tell_all(supervisor, false, SIGKILL) + tell_all(supervisor, true, SIGKILL);
    if (count)
        supervisor_say(supervisor, "%s: killing %d that still ran", why, count);
}

/* The next step of stopping that is due; says whether everyone is gone. */
static bool stop_on(struct supervisor *supervisor)
{
    int64_t elapsed_ms = clock_monotonic_ms() - supervisor->stop_at_ms;
    int edges = tell_all(supervisor, false, 0);
    if (!supervisor->services_told && (edges == 0 || elapsed_ms >= STOP_EDGES_MS)) {
        supervisor->services_told = true;
        tell_all(supervisor, true, SIGTERM);
    }
    if (!supervisor->killed && elapsed_ms >= STOP_ALL_MS)
        kill_all(supervisor, "not stopped in time");
    return edges + tell_all(supervisor, true, 0) == 0;
}

static void asked_to_stop(struct supervisor *supervisor, uint32_t signal_number)
{
    if (supervisor->stopping) {
        kill_all(supervisor, "asked twice");
        return;
    }
    supervisor_say(supervisor, "stopping (%s)", strsignal((int)signal_number));
    supervisor_stop(supervisor);
}

static void read_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            asked_to_stop(supervisor, info.ssi_signo);
    reap(supervisor);
}

/* ---- the loop -------------------------------------------------------------------------------- */
static void start_due(struct supervisor *supervisor)
{
    int64_t now_ms = clock_monotonic_ms();
    for (int i = 0; i < supervisor->count; i++) {
        struct child *child = supervisor->children[i];
        if (child->state == CHILD_WAITING && child->start_at_ms <= now_ms)
            start(supervisor, child);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the loop must turn again even if nothing happens. */
static int64_t next_due_ms(const struct supervisor *supervisor, int64_t until_ms)
{
    for (int i = 0; i < supervisor->count; i++)
        if (supervisor->children[i]->state == CHILD_WAITING)
            until_ms = earlier(until_ms, supervisor->children[i]->start_at_ms);
    if (supervisor->stopping && !supervisor->services_told)
        until_ms = earlier(until_ms, supervisor->stop_at_ms + STOP_EDGES_MS);
    if (supervisor->stopping && !supervisor->killed)
        until_ms = earlier(until_ms, supervisor->stop_at_ms + STOP_ALL_MS);
    return until_ms;
}

static void turn(struct supervisor *supervisor, int64_t until_ms)
{
    struct pollfd polls[SUPERVISOR_CHILDREN_MAX + 1];
    polls[0] = (struct pollfd){.fd = supervisor->signals, .events = POLLIN};
    for (int i = 0; i < supervisor->count; i++)
        polls[i + 1] = (struct pollfd){.fd = supervisor->children[i]->output, .events = POLLIN};
    int64_t wait_ms = next_due_ms(supervisor, until_ms) - clock_monotonic_ms();
    int count = poll(polls, (nfds_t)supervisor->count + 1, wait_ms > 0 ? (int)wait_ms : 0);
    if (count <= 0)
        return;
    for (int i = 0; i < supervisor->count; i++)
        if (polls[i + 1].revents)
            listen_to(supervisor, supervisor->children[i]);
    if (polls[0].revents)
        read_signals(supervisor);
}

static bool find_news(struct supervisor *supervisor, struct supervisor_event *event)
{
    for (int i = 0; i < supervisor->count; i++) {
        struct child *child = supervisor->children[i];
        if (child->tell == SUPERVISOR_NOTHING)
            continue;
        *event = (struct supervisor_event){child->tell, child->name, child->code};
        child->tell = SUPERVISOR_NOTHING;
        return true;
    }
    return false;
}

struct supervisor_event supervisor_poll(struct supervisor *supervisor, int timeout_ms)
{
    struct supervisor_event event = {SUPERVISOR_NOTHING, NULL, 0};
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    for (;;) {
        if (find_news(supervisor, &event))
            return event;
        if (supervisor->stopping && stop_on(supervisor)) {
            event.news = SUPERVISOR_STOPPED;
            return event;
        }
        start_due(supervisor);
        turn(supervisor, until_ms);
        if (clock_monotonic_ms() >= until_ms) {
            find_news(supervisor, &event);
            return event;
        }
    }
}

bool supervisor_child_ready(const struct supervisor *supervisor, const char *name)
{
    for (int i = 0; i < supervisor->count; i++)
        if (strcmp(supervisor->children[i]->name, name) == 0)
            return supervisor->children[i]->ready;
    return false;
}

/* ---- life ------------------------------------------------------------------------------------ */
struct supervisor *supervisor_new(int output, bool colours)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals < 0)
        return NULL;
    struct supervisor *supervisor = memory_new(sizeof *supervisor);
    supervisor->output = output;
    supervisor->signals = signals;
    supervisor->colours = colours;
    supervisor->width = NAME_WIDTH_MIN;
    return supervisor;
}

static void child_free(struct child *child)
{
    if (child->state == CHILD_RUNNING) {
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
    }
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

void supervisor_free(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->count; i++)
        child_free(supervisor->children[i]);
    close(supervisor->signals);
    buffer_release(&supervisor->line);
    memory_free(supervisor);
}
