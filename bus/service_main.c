/* The program around the loop: command line, signals, watchdog, exit codes. */
#include "bus/service.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/prng.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPEN_ATTEMPTS = 6, OPEN_WAIT_MS = 1000, DRAIN_MS = 3000, STEP_MS = 1000 };

struct settings {
    const char *bus;
    const char *instance;
    const char *partitions;
    const char *prefix;
    const char *session_timeout;
    const char *log_level;
};

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

static void print_help(const char *name)
{
    printf("usage: stagedoor-%s --bus URL --group-instance ID [options]\n\n"
           "  --bus URL             kafka://HOST:PORT[,…] or sqlite:PATH\n"
           "  --group-instance ID   who this is among its like, the same after a restart\n"
           "  --partitions N        refuse to start unless the topics have N partitions\n"
           "  --topic-prefix TEXT   put before every topic name\n"
           "  --session-timeout MS  a silent instance loses its partitions after this (6000)\n"
           "  --log-level LEVEL     debug, info, warning or error\n\n"
           "Each is also read from STAGEDOOR_BUS, STAGEDOOR_GROUP_INSTANCE and so on.\n"
           "Exit codes: 0 stopped as asked, 100 usage, 111 the system failed.\n",
           name);
}

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

static int read_settings(int argc, char **argv, const struct service_descriptor *descriptor,
                         struct settings *settings)
{
    static const struct option options[] = {
        {"bus", required_argument, NULL, 'b'},
        {"group-instance", required_argument, NULL, 'i'},
        {"partitions", required_argument, NULL, 'p'},
        {"topic-prefix", required_argument, NULL, 't'},
        {"session-timeout", required_argument, NULL, 's'},
        {"log-level", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *settings = (struct settings){from_environment("STAGEDOOR_BUS"),
                                  from_environment("STAGEDOOR_GROUP_INSTANCE"),
                                  from_environment("STAGEDOOR_PARTITIONS"),
                                  from_environment("STAGEDOOR_TOPIC_PREFIX"),
                                  from_environment("STAGEDOOR_SESSION_TIMEOUT"),
                                  from_environment("STAGEDOOR_LOG_LEVEL")};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        const char **target = option == 'b'   ? &settings->bus
                              : option == 'i' ? &settings->instance
                              : option == 'p' ? &settings->partitions
                              : option == 't' ? &settings->prefix
                              : option == 's' ? &settings->session_timeout
                              : option == 'l' ? &settings->log_level
                                              : NULL;
        if (option == 'h') {
            print_help(descriptor->name);
            exit(END_OK);
        }
        if (target == NULL)
            return END_USAGE; /* getopt has said what is wrong */
        *target = optarg;
    }
    return END_OK;
}

static int usage(const char *name, const char *problem)
{
    fprintf(stderr, "stagedoor-%s: %s; see stagedoor-%s --help\n", name, problem, name);
    return END_USAGE;
}

/* An optional number: 0 when it was not given, -1 when it is none. */
static int number_of(const char *text, int max)
{
    uint64_t number;
    if (text == NULL)
        return 0;
    return text_to_u64(text_of(text), &number) && number >= 1 && number <= (uint64_t)max
               ? (int)number
               : -1;
}

/* ---- running --------------------------------------------------------------------------------- */

/* Tries for a while when nobody answers: services and their bus are often started together. */
static enum bus_result open_bus(const struct settings *settings, const char *name, int partitions,
                                struct bus **bus, struct installation *installation,
                                struct bus_error *error)
{
    struct bus_options options = {
        .client = name,
        .instance = settings->instance,
        .topic_prefix = settings->prefix,
        .session_timeout_ms = number_of(settings->session_timeout, 3600 * 1000),
    };
    enum bus_result result = BUS_UNREACHABLE;
    for (int attempt = 0; attempt < OPEN_ATTEMPTS && stop_signals == 0; attempt++) {
        struct timespec pause = {0, OPEN_WAIT_MS * 1000000L - 1};
        if (attempt > 0)
            nanosleep(&pause, NULL);
        result = installation_connect(bus, settings->bus, &options, false, partitions, installation,
                                      error);
        if (result == BUS_OK || result == BUS_INVALID || result == BUS_UNFIT)
            return result;
    }
    return result;
}

static void run(struct service *service)
{
    while (stop_signals == 0) {
        atomic_store(&turned_ms, clock_monotonic_ms());
        service_step(service, clock_monotonic_ms(), STEP_MS);
    }
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
    enum log_level level = LOG_INFO;
    int usage_error = read_settings(argc, argv, descriptor, &settings);
    if (usage_error)
        return usage_error;
    int partitions = number_of(settings.partitions, PARTITIONS_MAX);
    if (settings.bus == NULL || settings.instance == NULL)
        return usage(descriptor->name, "--bus and --group-instance are needed");
    if (partitions < 0 || number_of(settings.session_timeout, 3600 * 1000) < 0)
        return usage(descriptor->name, "a number is malformed");
    if (settings.log_level && !log_level_parse(settings.log_level, &level))
        return usage(descriptor->name, "the log level is unknown");
    log_set_level(level);
    catch_signals();
    enum bus_result result =
        open_bus(&settings, descriptor->name, partitions, &bus, &installation, &error);
    if (result != BUS_OK) {
        if (error.text[0]) /* else it was to stop before it had begun */
            fprintf(stderr, "stagedoor-%s: %s\n", descriptor->name, error.text);
        return stop_signals ? END_OK : END_SYSTEM;
    }
    atomic_store(&signalled_bus, bus);
    start_watchdog();
    struct service_options options = {settings.instance, prng_seed_random(), clock_monotonic_ms};
    struct service *service = service_new(bus, descriptor, &installation, &options);
    run(service);
    atomic_store(&signalled_bus, NULL);
    bus_leave(bus);
    service_free(service);
    bus_close(bus);
    log_line(LOG_INFO, descriptor->name, "stopped");
    return END_OK;
}
