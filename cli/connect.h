/* connect.h: from a command's options to an open log, or to the edge's admin key.
 *
 * The options --bus, --data and --topic-prefix mean the same in every command. One thread. */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "bus/installation.h"
#include "bus/settings.h"
#include "cli/commands.h"

#define URL_DEFAULT  "http://127.0.0.1:3000"
#define DATA_DEFAULT "var"

enum { KEY_SIZE_MAX = 512 };

/* Where the log is. Texts are borrowed. */
struct log_options {
    struct bus_settings bus; /* url NULL: sqlite:DATA/bus.db */
    const char *data;
};

/* The rows of an option table for a `struct log_options`. */
#define LOG_OPTIONS(options)                                                                       \
    OPTION_TEXT("bus", "URL", "STAGEDOOR_BUS", &(options)->bus.url,                                \
                "kafka://HOST:PORT[,…] or sqlite:PATH (sqlite:DIR/bus.db)"),                       \
        OPTION_TEXT("data", "DIR", "STAGEDOOR_DATA", &(options)->data,                             \
                    "folder of bus, register and keys (var)"),                                     \
        BUS_OPTIONS_MORE(&(options)->bus)

/* The row of an option table for a command that asks about a house on this machine. */
#define HOUSE_OPTION(data)                                                                         \
    OPTION_TEXT("data", "DIR", "STAGEDOOR_DATA", data, "folder of the house (var)")

/* What was said of the log by file and line, for the programs that are started from now on. */
void log_hand_on(const struct log_options *options);

/* The log's url, in `out`. */
const char *log_url(const struct log_options *options, struct buffer *out);

/* Says which topics there are, as `name` is none; returns END_USAGE. */
int topic_unknown(const struct command *command, const char *name);

/* Opens the log and reads its installation, making it first if `create`. NULL: one line was
 * printed, and `*end` is the exit code: END_NO when the topics are missing or unfit, END_SYSTEM
 * when nobody answers, END_USAGE when the url makes no sense. Given back with bus_close. */
struct bus *log_open(const struct command *command, const struct log_options *options, bool create,
                     int partition_count, struct installation *installation, int *end);

/* The admin key that `stagedoor up` left in DATA/signin. false: there is none. */
bool read_signin(const char *data, char out[KEY_SIZE_MAX]);

#endif
