/* Opening what a command works on, and saying in one line why not. */
#include "cli/connect.h"

#include <stdio.h>
#include <string.h>

const char *log_url(const struct log_options *options, struct buffer *out)
{
    buffer_clear(out);
    if (options->bus.url)
        buffer_string(out, options->bus.url);
    else
        buffer_print(out, "sqlite:%s/bus.db", options->data ? options->data : DATA_DEFAULT);
    return out->data;
}

void log_hand_on(const struct log_options *options)
{
    options_hand_on(command_file(), BUS_KAFKA_ENV, &options->bus.kafka);
}

int topic_unknown(const struct command *command, const char *name)
{
    struct buffer names = {0};
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        buffer_print(&names, "%s%s", topic ? ", " : "", topic_name(topic));
    int end =
        command_fail(command, END_USAGE, "unknown topic '%s'; there are: %s", name, names.data);
    buffer_release(&names);
    return end;
}

static int end_of(enum bus_result result)
{
    switch (result) {
    case BUS_OK:
        return END_OK;
    case BUS_UNFIT:
        return END_NO;
    case BUS_INVALID:
        return END_USAGE;
    case BUS_FULL:
    case BUS_UNREACHABLE:
        return END_SYSTEM;
    }
    return END_SYSTEM;
}

struct bus *log_open(const struct command *command, const struct log_options *options, bool create,
                     int partition_count, struct installation *installation, int *end)
{
    struct bus *bus = NULL;
    struct bus_error error = {""};
    struct buffer url = {0};
    struct bus_options bus_options = bus_settings_options(&options->bus, command->name);
    enum bus_result result = BUS_UNFIT;
    if (!create && bus_settings_would_make(log_url(options, &url)))
        snprintf(error.text, sizeof error.text,
                 "there is no log at '%.300s'; try: stagedoor topics create, or stagedoor up",
                 url.data);
    else
        result = installation_connect(&bus, log_url(options, &url), &bus_options, create,
                                      partition_count, installation, &error);
    buffer_release(&url);
    *end = end_of(result);
    if (result != BUS_OK)
        command_fail(command, *end, "%s", error.text);
    return bus;
}

bool read_signin(const char *data, char out[KEY_SIZE_MAX])
{
    struct buffer path = {0};
    buffer_print(&path, "%s/signin", data ? data : DATA_DEFAULT);
    FILE *file = fopen(path.data, "re");
    buffer_release(&path);
    if (file == NULL)
        return false;
    bool read = fgets(out, KEY_SIZE_MAX, file) != NULL;
    fclose(file);
    if (read)
        out[strcspn(out, "\r\n")] = '\0';
    return read && out[0];
}
