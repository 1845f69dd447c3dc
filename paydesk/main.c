/* stagedoor-paydesk: a payment provider to develop against. Command line, signals, exit codes. */
#include "base/exit_code.h"
#include "base/folder.h"
#include "paydesk/paydesk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OPEN_ATTEMPTS = 6, OPEN_WAIT_MS = 1000, DRAIN_MS = 2000, STEP_MS = 1000 };

static struct bus *signalled_bus;
static struct front front;
static volatile sig_atomic_t stop_signals;

static void on_signal(int number)
{
    (void)number;
    if (++stop_signals > 1)
        _exit(END_SYSTEM); /* asked twice: at once */
    if (signalled_bus)
        bus_wake(signalled_bus);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int complain(int code, const char *why)
{
    fprintf(stderr, PAYDESK_PROGRAM ": %s\n", why);
    return code;
}

/* Tries for a while when nobody answers: it is often started together with the log. */
static enum bus_result open_bus(const struct settings *settings, struct installation *installation,
                                struct bus_error *error)
{
    struct bus_options options = bus_settings_options(&settings->bus, "paydesk");
    enum bus_result result = BUS_UNREACHABLE;
    for (int attempt = 0; attempt < OPEN_ATTEMPTS && stop_signals == 0; attempt++) {
        struct timespec pause = {0, OPEN_WAIT_MS * 1000000L - 1};
        if (attempt > 0)
            nanosleep(&pause, NULL);
        result = bus_open(&signalled_bus, settings->bus.url, &options, error);
        if (result == BUS_OK)
            result = installation_open(signalled_bus, false, 0, installation, error);
        if (result == BUS_OK)
            return result;
        bus_close(signalled_bus);
        signalled_bus = NULL;
        if (result == BUS_INVALID || result == BUS_UNFIT)
            return result;
        front_waits(&front, error->text);
    }
    return result;
}

static int run(const struct settings *settings)
{
    struct installation installation;
    struct bus_error error = {""};
    char why[PAYDESK_ERROR_SIZE];
    enum bus_result result = open_bus(settings, &installation, &error);
    if (result != BUS_OK)
        return stop_signals            ? END_OK
               : result == BUS_INVALID ? complain(END_USAGE, error.text)
                                       : complain(END_SYSTEM, error.text);
    struct paydesk *paydesk = paydesk_open(signalled_bus, &installation, settings, why);
    if (paydesk == NULL) {
        bus_close(signalled_bus);
        return complain(END_SYSTEM, why);
    }
    bool good = true;
    front_shows(&front, paydesk);
    while (good && stop_signals == 0) {
        good = paydesk_turn(paydesk, STEP_MS, why);
        front_turned(&front);
    }
    front_stopping(&front);
    good = good && paydesk_drain(paydesk, DRAIN_MS, why);
    signalled_bus = NULL;
    front_close(&front);
    paydesk_close(paydesk);
    if (!good)
        return complain(END_SYSTEM, why);
    log_line(LOG_INFO, settings->provider, "stopped");
    return END_OK;
}

int main(int argc, char **argv)
{
    static struct settings settings;
    char error[SETTINGS_ERROR_SIZE];
    struct buffer said = {0};
    enum options_result result = settings_read(argc, argv, &settings, &said);
    if (result != OPTIONS_OK)
        return options_end(PAYDESK_PROGRAM, result, &said);
    log_set_level(settings.log_level);
    log_set_format(settings.log_format);
    if (settings.check) {
        int end = bus_settings_check(&settings.bus, PAYDESK_PROGRAM, 0);
        settings_release(&settings);
        return end;
    }
    umask(077);
    catch_signals();
    if (!folder_make(settings.data)) {
        snprintf(error, sizeof error, "cannot make the folder '%.200s': %s; choose another: --data",
                 settings.data, strerror(errno));
        return complain(END_SYSTEM, error);
    }
    struct front_subject subject = paydesk_subject();
    if (!front_open(&front, &subject, settings.admin, error))
        return complain(END_SYSTEM, error);
    int code = run(&settings);
    settings_release(&settings);
    return code;
}
