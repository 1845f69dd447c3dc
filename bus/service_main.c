/* The program around the loop: command line, signals, watchdog, exit codes. */
#include "bus/service.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/prng.h"
#include "bus/settings.h"
#include "bus/telling.h"
#include "process/spans.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPEN_ATTEMPTS = 6, OPEN_WAIT_MS = 1000, DRAIN_MS = 3000, STEP_MS = 1000 };

struct settings {
    struct bus_settings bus;
    const char *instance;
    int partitions;         /* 0: as many as there are */
    int session_timeout_ms; /* 0: the bus's own */
    const char *admin;      /* NULL: nobody listens */
    enum log_level log_level;
    enum log_format log_format;
    bool check; /* only look whether all this would work */
};

static struct front front;
static struct option_file settings_file; /* as long as the process */

/* The handle that a signal wakes; NULL while it is not open, or not for much longer. */
static _Atomic(struct bus *) signalled_bus;
static volatile sig_atomic_t stop_signals;

static void on_signal(int number)
{
    (void)number;
    if (++stop_signals > 1)
        _exit(END_SYSTEM); /* asked twice: at once */
    struct bus *bus = atomic_load(&signalled_bus);
    if (bus)
        bus_wake(bus);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- watchdog -------------------------------------------------------------------------------- */

static _Atomic int64_t turned_ms;

/* A loop that hangs in a library holds its partitions for ever; a dead one gives them up. */
static void *watch(void *nothing)
{
    (void)nothing;
    while (true) {
        struct timespec pause = {1, 0};
        nanosleep(&pause, NULL);
        if (clock_monotonic_ms() - atomic_load(&turned_ms) <= SERVICE_WATCHDOG_MS)
            continue;
        log_line(LOG_ERROR, "watchdog",
                 "the loop has not turned for 30 s; ending the process, "
                 "the log has everything");
        abort();
    }
    return NULL;
}

static void start_watchdog(void)
{
    pthread_t thread;
    atomic_store(&turned_ms, clock_monotonic_ms());
    if (pthread_create(&thread, NULL, watch, NULL) == 0)
        pthread_detach(thread);
}

/* ---- command line ---------------------------------------------------------------------------- */

/* false: it is over, and `*end` is the exit code. */
static bool read_settings(int argc, char **argv, const struct service_descriptor *service,
                          struct settings *settings, int *end)
{
    const struct option_spec specs[] = {
        BUS_OPTIONS(&settings->bus),
        OPTION_NEEDED("group-instance", "ID", "STAGEDOOR_GROUP_INSTANCE", &settings->instance,
                      "shows-1", "who this is among its like, the same after a restart"),
        OPTION_NUMBER("partitions", "N", "STAGEDOOR_PARTITIONS", &settings->partitions, 1,
                      PARTITIONS_MAX, "refuse to start unless the topics have so many"),
        OPTION_NUMBER("session-timeout", "MS", "STAGEDOOR_SESSION_TIMEOUT",
                      &settings->session_timeout_ms, 1, 3600 * 1000,
                      "a silent instance loses its partitions after this (6000)"),
        OPTION_ADMIN(&settings->admin),
        OPTION_LOG_LEVEL(&settings->log_level),
        OPTION_LOG_FORMAT(&settings->log_format),
        BUS_OPTION_CHECK(&settings->check),
    };
    struct buffer program = {0}, about = {0};
    struct operands none;
    buffer_print(&program, "stagedoor-%s", service->name);
    buffer_print(&about,
                 "the service that keeps %s\n"
                 "Reads commands and what others decided, and says in a topic of its own what it "
                 "decides.\n",
                 service->keeps);
    const struct option_table table = {
        .program = program.data,
        .operands = "",
        .about = about.data,
        .more =
            SPANS_HELP "Exit codes: 0 stopped as asked, 100 wrong usage, 111 the system failed.\n",
        .specs = specs,
        .count = sizeof specs / sizeof *specs,
        .file = &settings_file,
        .words = &settings_words,
        .sections = (const char *const[]){service->name, "services", NULL}};
    *settings = (struct settings){.instance = NULL};
    bool go_on = options_read(&table, argc, argv, &none, end);
    buffer_release(&program);
    buffer_release(&about);
    return go_on;
}

/* ---- running --------------------------------------------------------------------------------- */

/* Tries for a while when nobody answers: services and their bus are often started together. */
static enum bus_result open_bus(const struct settings *settings, const char *name, struct bus **bus,
                                struct installation *installation, struct bus_error *error)
{
    struct bus_options options = bus_settings_options(&settings->bus, name);
    options.instance = settings->instance;
    options.session_timeout_ms = settings->session_timeout_ms;
    enum bus_result result = BUS_UNREACHABLE;
    for (int attempt = 0; attempt < OPEN_ATTEMPTS && stop_signals == 0; attempt++) {
        struct timespec pause = {0, OPEN_WAIT_MS * 1000000L - 1};
        if (attempt > 0)
            nanosleep(&pause, NULL);
        result = installation_connect(bus, settings->bus.url, &options, false, settings->partitions,
                                      installation, error);
        if (result == BUS_OK || result == BUS_INVALID || result == BUS_UNFIT)
            return result;
        front_waits(&front, error->text);
    }
    return result;
}

static int check(const struct settings *settings, const char *name)
{
    struct buffer program = {0};
    buffer_print(&program, "stagedoor-%s", name);
    int end = bus_settings_check(&settings->bus, program.data, settings->partitions);
    buffer_release(&program);
    return end;
}

static void run(struct service *service)
{
    while (stop_signals == 0) {
        atomic_store(&turned_ms, clock_monotonic_ms());
        service_step(service, clock_monotonic_ms(), STEP_MS);
        front_turned(&front);
    }
    front_stopping(&front);
    int64_t deadline = clock_monotonic_ms() + DRAIN_MS;
    while (!service_drained(service) && clock_monotonic_ms() < deadline)
        service_step(service, clock_monotonic_ms(), 10);
}

int service_main(int argc, char **argv, const struct service_descriptor *descriptor)
{
    struct settings settings;
    struct installation installation;
    struct bus *bus = NULL;
    struct bus_error error = {""};
    char why[SOCKETS_ERROR_SIZE];
    int end;
    if (!read_settings(argc, argv, descriptor, &settings, &end))
        return end;
    log_set_level(settings.log_level);
    log_set_format(settings.log_format);
    if (settings.check)
        return check(&settings, descriptor->name);
    catch_signals();
    spans_open(descriptor->name, settings.instance);
    struct front_subject subject = service_subject(descriptor);
    if (!front_open(&front, &subject, settings.admin, why)) {
        fprintf(stderr, "stagedoor-%s: %s\n", descriptor->name, why);
        return END_SYSTEM;
    }
    enum bus_result result = open_bus(&settings, descriptor->name, &bus, &installation, &error);
    if (result != BUS_OK) {
        if (error.text[0]) /* else it was to stop before it had begun */
            fprintf(stderr, "stagedoor-%s: %s\n", descriptor->name, error.text);
        return stop_signals ? END_OK : result == BUS_INVALID ? END_USAGE : END_SYSTEM;
    }
    atomic_store(&signalled_bus, bus);
    start_watchdog();
    struct service_options options = {settings.instance, prng_seed_random(), clock_monotonic_us};
    struct service *service = service_new(bus, descriptor, &installation, &options);
    front_shows(&front, service);
    run(service);
    front_close(&front);
    atomic_store(&signalled_bus, NULL);
    bus_leave(bus);
    service_free(service);
    bus_close(bus);
    spans_close();
    log_line(LOG_INFO, descriptor->name, "stopped");
    return END_OK;
}
