/* Processes die; what matters is that someone is there when they do. */
#include "manager/supervisor_internal.h"

#include "base/clock.h"
#include "base/memory.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAME_WIDTH_MIN = 14, OWN_FDS = 3 };

static bool runs(const struct child *child)
{
    return child->state == CHILD_RUNNING || child->state == CHILD_ENDING;
}

/* ---- who is there ---------------------------------------------------------------------------- */
void supervisor_add(struct supervisor *supervisor, const struct child_spec *spec)
{
    assert(supervisor->count < SUPERVISOR_CHILDREN_MAX);
    assert(supervisor_find(supervisor, spec->name) < 0);
    struct child *child = child_new(spec, ++supervisor->last_number);
    supervisor->children[supervisor->count++] = child;
    int width = (int)strlen(spec->name);
    supervisor->width = width > supervisor->width ? width : supervisor->width;
    if (supervisor->stopping)
        child->state = CHILD_OVER;
    else
        child_start(supervisor, child);
}

int supervisor_count(const struct supervisor *supervisor)
{
    return supervisor->count;
}

void supervisor_look(const struct supervisor *supervisor, int index, struct child_look *look)
{
    const struct child *child = supervisor->children[index];
    *look = (struct child_look){.name = child->name,
                                .argv = (const char *const *)child->argv,
                                .role = child->role,
                                .state = child->state,
                                .ready = child->ready,
                                .status = child->status,
                                .number = child->number,
                                .pid = child->pid,
                                .started_at_ms = child->started_at_ms,
                                .restart_count = child->restart_count,
                                .deaths_in_a_row = child->deaths_in_a_row,
                                .last_end = child->last_end};
}

int supervisor_find(const struct supervisor *supervisor, const char *name)
{
    for (int i = 0; i < supervisor->count; i++)
        if (strcmp(supervisor->children[i]->name, name) == 0)
            return i;
    return -1;
}

static struct child *child_named(const struct supervisor *supervisor, const char *name)
{
    int index = supervisor_find(supervisor, name);
    assert(index >= 0);
    return supervisor->children[index];
}

/* ---- one of them ----------------------------------------------------------------------------- */
void supervisor_begin(struct supervisor *supervisor, const char *name)
{
    struct child *child = child_named(supervisor, name);
    if (runs(child) || supervisor->stopping)
        return;
    child->backoff_ms = 0;
    child->deaths_in_a_row = 0;
    child_start(supervisor, child);
}

void supervisor_end(struct supervisor *supervisor, const char *name)
{
    struct child *child = child_named(supervisor, name);
    if (child->state == CHILD_WAITING)
        child->state = CHILD_OVER;
    if (child->state != CHILD_RUNNING)
        return;
    child->state = CHILD_ENDING;
    child->kill_at_ms = clock_monotonic_ms() + STOP_CHILD_MS;
    kill(child->pid, SIGTERM);
}

void supervisor_forget(struct supervisor *supervisor, const char *name)
{
    int index = supervisor_find(supervisor, name);
    assert(index >= 0 && supervisor->children[index]->state == CHILD_OVER);
    child_free(supervisor->children[index]);
    supervisor->count--;
    memmove(&supervisor->children[index], &supervisor->children[index + 1],
            (size_t)(supervisor->count - index) * sizeof *supervisor->children);
}

static void kill_late(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->count; i++) {
        struct child *child = supervisor->children[i];
        if (!runs(child) || child->kill_at_ms == 0 || clock_monotonic_ms() < child->kill_at_ms)
            continue;
        if (child->state == CHILD_ENDING)
            supervisor_say(supervisor, "%s did not end within %d s; killing it", child->name,
                           STOP_CHILD_MS / 1000);
        else
            supervisor_say(supervisor, "%s gave no sign of life for %g s; killing it", child->name,
                           child->watchdog_ms / 1000.0);
        kill(child->pid, SIGKILL);
        child->kill_at_ms += STOP_CHILD_MS;
    }
}

static void hear_notices(struct supervisor *supervisor)
{
    struct notice notice;
    while (notices_hear(&supervisor->notices, &notice))
        for (int i = 0; i < supervisor->count; i++)
            if (runs(supervisor->children[i]) && supervisor->children[i]->pid == notice.pid)
                child_notice(supervisor->children[i], &notice);
}

static void reap(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->count; i++) {
        struct child *child = supervisor->children[i];
        int status;
        if (runs(child) && waitpid(child->pid, &status, WNOHANG) == child->pid)
            child_died(supervisor, child, status);
    }
}

/* ---- stopping -------------------------------------------------------------------------------- */
static int tell_all(struct supervisor *supervisor, bool services, int signal_number)
{
    int told_count = 0;
    for (int i = 0; i < supervisor->count; i++) {
        struct child *child = supervisor->children[i];
        if (!runs(child) || (child->role == CHILD_SERVICE) != services)
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
            child_start(supervisor, child);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the loop must turn again even if nothing happens. */
static int64_t next_due_ms(const struct supervisor *supervisor, int64_t until_ms)
{
    for (int i = 0; i < supervisor->count; i++) {
        const struct child *child = supervisor->children[i];
        if (child->state == CHILD_WAITING)
            until_ms = earlier(until_ms, child->start_at_ms);
        if (runs(child) && child->kill_at_ms)
            until_ms = earlier(until_ms, child->kill_at_ms);
    }
    if (supervisor->stopping && !supervisor->services_told)
        until_ms = earlier(until_ms, supervisor->stop_at_ms + STOP_EDGES_MS);
    if (supervisor->stopping && !supervisor->killed)
        until_ms = earlier(until_ms, supervisor->stop_at_ms + STOP_ALL_MS);
    return until_ms;
}

/* Says whether there is something at the watched descriptor. */
static bool turn(struct supervisor *supervisor, int64_t until_ms)
{
    struct pollfd polls[SUPERVISOR_CHILDREN_MAX + OWN_FDS];
    polls[0] = (struct pollfd){.fd = supervisor->signals, .events = POLLIN};
    polls[1] = (struct pollfd){.fd = supervisor->watched, .events = POLLIN};
    polls[2] = (struct pollfd){.fd = supervisor->notices.fd, .events = POLLIN};
    for (int i = 0; i < supervisor->count; i++)
        polls[i + OWN_FDS] =
            (struct pollfd){.fd = supervisor->children[i]->output, .events = POLLIN};
    int64_t wait_ms = next_due_ms(supervisor, until_ms) - clock_monotonic_ms();
    int count = poll(polls, (nfds_t)supervisor->count + OWN_FDS, wait_ms > 0 ? (int)wait_ms : 0);
    if (count <= 0)
        return false;
    for (int i = 0; i < supervisor->count; i++)
        if (polls[i + OWN_FDS].revents)
            child_listen(supervisor, supervisor->children[i]);
    if (polls[2].revents)
        hear_notices(supervisor);
    if (polls[0].revents)
        read_signals(supervisor);
    return polls[1].revents != 0;
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
        kill_late(supervisor);
        if (turn(supervisor, until_ms)) {
            event.news = SUPERVISOR_WATCHED;
            return event;
        }
        if (clock_monotonic_ms() >= until_ms) {
            find_news(supervisor, &event);
            return event;
        }
    }
}

/* ---- life ------------------------------------------------------------------------------------ */
struct supervisor *supervisor_new(int output, bool colours, struct logbook *logbook)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    struct notices notices;
    if (signals < 0)
        return NULL;
    if (!notices_open(&notices)) {
        close(signals);
        return NULL;
    }
    struct supervisor *supervisor = memory_new(sizeof *supervisor);
    supervisor->notices = notices;
    supervisor->output = output;
    supervisor->signals = signals;
    supervisor->watched = -1;
    supervisor->logbook = logbook;
    supervisor->colours = colours;
    supervisor->width = NAME_WIDTH_MIN;
    return supervisor;
}

void supervisor_free(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->count; i++) {
        struct child *child = supervisor->children[i];
        if (runs(child)) {
            kill(child->pid, SIGKILL);
            waitpid(child->pid, NULL, 0);
        }
        child_free(child);
    }
    close(supervisor->signals);
    notices_close(&supervisor->notices);
    buffer_release(&supervisor->line);
    memory_free(supervisor);
}

void supervisor_watch(struct supervisor *supervisor, int fd)
{
    supervisor->watched = fd;
}
