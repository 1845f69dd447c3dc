/* stagedoor-edge: HTTP in front of the log. Starts the parts in order, waits for a signal, stops
 * them in order. */
#include "api/bus_thread.h"
#include "api/clerks.h"
#include "api/http.h"
#include "api/listen.h"
#include "api/register.h"
#include "api/standing.h"
#include "api/viewers.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/folder.h"
#include "base/memory.h"
#include "keys/keys_file.h"
#include "process/spans.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

enum {
    BUS_PATIENCE_MS = 15 * 1000,
    DRAIN_MS = 5 * 1000,
    DRAIN_LOOK_MS = 20,
    DRAIN_QUIET_MS = 200,
    FOLDER_PATIENCE_MS = DRAIN_MS + 5000,
    FOLDER_LOOK_MS = 50,
    CATCH_UP_MS = 1000,
    LENT_CATCH_UP_MS = 30 * 1000,
    CATCH_UP_LOOK_MS = 5
};

static _Noreturn void give_up(int code, const char *why)
{
    fprintf(stderr, EDGE_PROGRAM ": %s\n", why);
    exit(code);
}

/* Signals are taken by sigtimedwait in the main thread; every other thread inherits the block. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void end_at_once(int number)
{
    (void)number;
    _exit(END_SYSTEM);
}

/* The first signal was taken: whoever sends another has no patience. */
static void heed_the_second(const sigset_t *signals)
{
    const struct sigaction action = {.sa_handler = end_at_once};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static void make_folder(const char *folder)
{
    char why[4200];
    if (folder_make(folder))
        return;
    snprintf(why, sizeof why, "cannot make the folder '%s': %s; choose another with --data", folder,
             strerror(errno));
    give_up(END_SYSTEM, why);
}

/* Two edges on one register would overwrite each other's rows with older ones. One that is just
 * stopping may still have answers to give, so it is waited for. Locked until the process ends. */
static void take_folder(const char *folder)
{
    const struct timespec pause = {0, FOLDER_LOOK_MS * 1000 * 1000};
    int64_t until_ms = clock_monotonic_ms() + FOLDER_PATIENCE_MS;
    char why[4200];
    int opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (opened >= 0 && flock(opened, LOCK_EX | LOCK_NB) != 0) {
        if (clock_monotonic_ms() > until_ms) {
            snprintf(why, sizeof why,
                     "another edge uses the folder '%s'; give each its own with --data", folder);
            give_up(END_SYSTEM, why);
        }
        nanosleep(&pause, NULL);
    }
    if (opened >= 0)
        return;
    snprintf(why, sizeof why, "cannot open the folder '%s': %s; choose another with --data", folder,
             strerror(errno));
    give_up(END_SYSTEM, why);
}

static bool is_loopback_only(const struct options *options)
{
    for (int i = 0; i < options->listener_count; i++)
        if (!options_is_loopback(options->listeners[i].host))
            return false;
    return true;
}

static void read_options(int count, char **arguments, struct options *options)
{
    char error[LISTEN_ERROR_SIZE];
    struct buffer said = {0};
    enum options_result result = options_read_edge(count, arguments, options, &said);
    if (result != OPTIONS_OK)
        exit(options_end(EDGE_PROGRAM, result, &said));
    if (!listen_activated(options, error))
        give_up(END_USAGE, error);
    log_set_level(options->log_level);
    log_set_format(options->log_format);
}

static const char *keys_folder(const struct options *options)
{
    return options->keys[0] ? options->keys : options->data;
}

/* Each change of the file makes one more in memory: requests under way go on with the one they
 * began with. */
static const struct keys *load_keys(struct edge *edge, bool may_create, char *error)
{
    struct keys *keys = memory_new(sizeof *keys);
    if (keys_load(keys_folder(edge->options), may_create, keys, error))
        return keys;
    memory_free(keys);
    return NULL;
}

static void open_keys(struct edge *edge)
{
    char error[KEYS_ERROR_SIZE];
    bool loopback = is_loopback_only(edge->options);
    const struct keys *keys = load_keys(edge, loopback, error);
    if (keys == NULL)
        give_up(END_USAGE, error);
    atomic_store(&edge->keys, keys);
    edge->open_sample = keys->local && loopback;
}

/* Keys that are not there yet are made where that is safe. */
static _Noreturn void check(const struct options *options)
{
    char error[KEYS_ERROR_SIZE];
    static struct keys keys;
    const char *folder = keys_folder(options);
    const struct keys_version none = {0}, found = keys_version(folder);
    bool will_be_made = is_loopback_only(options) && memcmp(&found, &none, sizeof none) == 0;
    if (!keys_load(folder, false, &keys, error) && !will_be_made)
        give_up(END_NO, error);
    exit(bus_settings_check(&options->bus, EDGE_PROGRAM, 0));
}

static void look_at_keys(struct edge *edge, struct keys_version *known)
{
    char error[KEYS_ERROR_SIZE];
    struct keys_version found = keys_version(keys_folder(edge->options));
    if (memcmp(&found, known, sizeof found) == 0)
        return;
    *known = found;
    const struct keys *keys = load_keys(edge, false, error);
    if (keys)
        atomic_store(&edge->keys, keys);
    log_line(keys ? LOG_INFO : LOG_ERROR, "edge", "%s", keys ? "the keys have changed" : error);
    if (keys == NULL)
        log_line(LOG_ERROR, "edge", "the keys stay what they were");
}

/* Signals are only taken once it serves. */
static bool is_signalled(void)
{
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT);
}

static void open_log(struct edge *edge)
{
    struct bus_error error;
    char why[REGISTER_ERROR_SIZE];
    enum bus_result result = bus_thread_open(edge, BUS_PATIENCE_MS, is_signalled, &error);
    if (result != BUS_OK && is_signalled())
        exit(END_OK); /* it had not begun */
    if (result != BUS_OK)
        give_up(result == BUS_INVALID ? END_USAGE : END_SYSTEM, error.text);
    struct register_file *file = register_open(edge->options->data, why);
    if (file == NULL || !register_load(file, edge, why))
        give_up(END_SYSTEM, why);
    edge->clerks = clerks_new(edge, why);
    if (edge->clerks == NULL)
        give_up(END_SYSTEM, why);
    bus_thread_follow(edge->bus_thread);
    bus_thread_start(edge->bus_thread);
    clerks_start(edge->clerks);
    register_start(file);
}

/* Says where it is reached once it has caught up; until then requests are answered 503. */
static void announce(const struct edge *edge)
{
    for (int i = 0; i < edge->options->listener_count; i++) {
        const struct listen_address *listener = &edge->options->listeners[i];
        bool v6 = strchr(listener->host, ':') != NULL;
        log_line(LOG_INFO, "edge", "ready, http://%s%s%s:%s", v6 ? "[" : "", listener->host,
                 v6 ? "]" : "", listener->port);
    }
}

/* Whoever comes waits a little, too, rather than be told to come again; where the socket is lent,
 * another edge may answer him. But not for ever: who asks how far this one is must be told. */
static void wait_for_the_log(struct edge *edge, struct front *front)
{
    const struct timespec pause = {0, CATCH_UP_LOOK_MS * 1000 * 1000};
    bool lent = edge->options->listeners[0].lent, caught_up = false;
    int64_t until_ms = clock_monotonic_ms() + (lent ? LENT_CATCH_UP_MS : CATCH_UP_MS);
    while (!caught_up && !is_signalled() && clock_monotonic_ms() < until_ms) {
        nanosleep(&pause, NULL);
        front_turned(front);
        edge_lock(edge);
        caught_up = edge->caught_up;
        edge_unlock(edge);
    }
}

static void serve_until_signalled(struct edge *edge, struct http *http, struct front *front,
                                  const sigset_t *signals)
{
    struct timespec soon = {0, 20 * 1000 * 1000}, second = {1, 0};
    int64_t watchdog_ms = front->notify.watchdog_ms;
    if (watchdog_ms && watchdog_ms < 1000)
        second = (struct timespec){0, watchdog_ms * 1000 * 1000};
    struct keys_version known = keys_version(keys_folder(edge->options));
    bool announced = false;
    for (;;) {
        if (sigtimedwait(signals, NULL, announced ? &second : &soon) > 0)
            return;
        edge_lock(edge);
        bool caught_up = edge->caught_up;
        edge_unlock(edge);
        if (caught_up && !announced)
            announce(edge);
        announced = announced || caught_up;
        front_turned(front);
        look_at_keys(edge, &known);
        if (announced)
            http_sweep(http);
    }
}

/* Until nobody has waited for what he said for a while, or the time is up. Who only reads can be
 * told at any time how things stand. */
static void see_them_off(struct edge *edge)
{
    const struct timespec pause = {0, DRAIN_LOOK_MS * 1000 * 1000};
    int64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + DRAIN_MS, busy_ms = now_ms;
    while (now_ms < until_ms && now_ms - busy_ms < DRAIN_QUIET_MS) {
        nanosleep(&pause, NULL);
        now_ms = clock_monotonic_ms();
        edge_lock(edge);
        if (edge->errands.in_flight > edge->errands.reading)
            busy_ms = now_ms;
        edge_unlock(edge);
    }
}

/* No new connections. Those there are may ask once more, for each answer ends its connection; who
 * still waits in the end gets his 503. */
static void drain(struct edge *edge, struct http *http)
{
    const struct timespec pause = {0, DRAIN_LOOK_MS * 1000 * 1000};
    http_quiesce(http);
    see_them_off(edge);
    edge_lock(edge);
    edge->draining = true;
    errands_dismiss(edge);
    struct request *done = edge_take_done(edge);
    edge_unlock(edge);
    edge_resume(edge, done);
    nanosleep(&pause, NULL); /* for the last answers to be written */
}

int main(int count, char **arguments)
{
    static struct options options;
    static struct edge edge;
    static struct front front;
    struct bus_error error;
    char why[SOCKETS_ERROR_SIZE];
    int sockets[LISTENERS_MAX];
    sigset_t signals;
    read_options(count, arguments, &options);
    if (options.check)
        check(&options);
    block_signals(&signals);
    umask(077); /* keys and names of people */
    spans_open("edge", NULL);
    edge.options = &options;
    edge_init(&edge);
    front_shows(&front, &edge);
    if (!front_open(&front, edge_subject(), options.admin, why))
        give_up(END_SYSTEM, why);
    make_folder(options.data);
    take_folder(options.data);
    open_keys(&edge);
    if (!listen_all(&options, sockets, why))
        give_up(END_SYSTEM, why);
    open_log(&edge);
    edge.viewers = viewers_new(&edge);
    viewers_start(edge.viewers);
    wait_for_the_log(&edge, &front);
    struct http *http = http_start(&edge, sockets, options.listener_count, &error);
    if (http == NULL)
        give_up(END_SYSTEM, error.text);
    serve_until_signalled(&edge, http, &front, &signals);
    heed_the_second(&signals);
    front_stopping(&front);
    log_line(LOG_INFO, "edge", "stopping");
    drain(&edge, http);
    bus_thread_stop(edge.bus_thread);
    viewers_end(edge.viewers);
    register_stop(edge.register_file);
    clerks_stop(edge.clerks); /* no stream sleeps any more: nobody may when the shell stops */
    http_stop(http);
    front_close(&front);
    viewers_free(edge.viewers);
    clerks_free(edge.clerks);
    bus_thread_close(edge.bus_thread);
    register_close(edge.register_file);
    edge_release(&edge);
    spans_close();
    log_line(LOG_INFO, "edge", "stopped");
    return END_OK;
}
