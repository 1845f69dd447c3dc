/* settings.h: what every program that opens a bus can be told about it, and how.
 *
 * The rows of an option table (base/options.h) for a `struct bus_settings`, so that --bus,
 * --topic-prefix and -X mean the same in all programs; and the words that may stand in the one file
 * (--config) that all of them read. */
#ifndef BUS_SETTINGS_H
#define BUS_SETTINGS_H

#include "base/options.h"
#include "bus/bus.h"

/* Texts are borrowed. */
struct bus_settings {
    const char *url;
    const char *topic_prefix; /* NULL: none */
    struct option_properties kafka;
};

#define BUS_KAFKA_ENV "STAGEDOOR_KAFKA"

/* What stands behind the row of --bus, which not every program needs. */
#define BUS_OPTIONS_MORE(settings)                                                                 \
    OPTION_TEXT("topic-prefix", "TEXT", "STAGEDOOR_TOPIC_PREFIX", &(settings)->topic_prefix,       \
                "put before every topic name; separates installations"),                           \
        OPTION_PROPERTIES("kafka", 'X', BUS_KAFKA_ENV, &(settings)->kafka,                         \
                          "a property of librdkafka, like sasl.username=alice; may be repeated")

#define BUS_OPTIONS(settings)                                                                      \
    OPTION_NEEDED("bus", "URL", "STAGEDOOR_BUS", &(settings)->url, "sqlite:var/bus.db",            \
                  "kafka://HOST:PORT[,…] or sqlite:PATH"),                                         \
        BUS_OPTIONS_MORE(settings)

/* Whether opening would make the file of an sqlite bus: who only looks leaves none behind. */
bool bus_settings_would_make(const char *url);

/* --check, of whoever could start now. */
#define BUS_OPTION_CHECK(target)                                                                   \
    OPTION_FLAG("check", 0, NULL, target,                                                          \
                "say whether this would start, the bus and its topics included: 0 yes, 1 no")

/* Looks at the bus once, prints one line, and returns the exit code: END_OK when it answers, its
 * topics are fit and there are `partition_count` partitions (0: any), else END_NO. */
int bus_settings_check(const struct bus_settings *settings, const char *program,
                       int partition_count);

/* For bus_open, to be completed; borrows from `settings`. */
struct bus_options bus_settings_options(const struct bus_settings *settings, const char *client);

/* All that may stand in the file: what has a variable, in any program. */
extern const struct option_words settings_words;

#endif
