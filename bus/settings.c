/* The words of all programs, in one place. */
#include "bus/settings.h"

#include "base/exit_code.h"
#include "bus/installation.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A program knows its own names; these are for telling a setting of another one from a typing
 * error. tests/e2e/test_config.py holds them against what the programs say of themselves. */
static const char *const names[] = {
    "admin",
    "burst",
    "bus",
    "connections-max",
    "cors-origin",
    "data",
    "default",
    "delay",
    "edge",
    "edge-arg",
    "edges",
    "group-instance",
    "in-flight-max",
    "instances",
    "kafka.",
    "key",
    "key-rate",
    "keys",
    "listen",
    "log-format",
    "log-level",
    "memory-limit",
    "partitions",
    "pay-url",
    "per-address-max",
    "provider",
    "rate",
    "sample",
    "script",
    "secret",
    "secret-file",
    "seed",
    "session-timeout",
    "topic-prefix",
    "trusted-proxy",
    "url",
    NULL,
};

static const char *const sections[] = {
    "edge", "shows", "reservations", "checkout", "services", "paydesk", "stagedoor", NULL,
};

const struct option_words settings_words = {names, sections};

struct bus_options bus_settings_options(const struct bus_settings *settings, const char *client)
{
    return (struct bus_options){
        .client = client, .topic_prefix = settings->topic_prefix, .kafka = &settings->kafka};
}

bool bus_settings_would_make(const char *url)
{
    static const char scheme[] = "sqlite:";
    size_t size = sizeof scheme - 1;
    return strncmp(url, scheme, size) == 0 && url[size] && access(url + size, F_OK) != 0;
}

int bus_settings_check(const struct bus_settings *settings, const char *program,
                       int partition_count)
{
    struct bus_options options = bus_settings_options(settings, "check");
    struct installation installation;
    struct bus_error error;
    struct bus *bus = NULL;
    enum bus_result result = BUS_UNFIT;
    if (bus_settings_would_make(settings->url))
        snprintf(error.text, sizeof error.text,
                 "there is no log at '%.300s'; try: stagedoor topics create --bus %.100s",
                 settings->url, settings->url);
    else
        result = installation_connect(&bus, settings->url, &options, false, partition_count,
                                      &installation, &error);
    bus_close(bus);
    if (result != BUS_OK) {
        fprintf(stderr, "%s: %s\n", program, error.text);
        return END_NO;
    }
    printf("%s: fit to start; installation %s on '%s', %d partitions\n", program, installation.id,
           settings->url, installation.partition_count);
    return END_OK;
}
