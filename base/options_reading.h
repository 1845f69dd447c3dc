/* options_reading.h: a reading under way, shared by base/options*.c. Not for anyone else. */
#ifndef BASE_OPTIONS_READING_H
#define BASE_OPTIONS_READING_H

#include "base/options.h"

/* What became of a row so far. The command line is read first, for it wins, then the environment,
 * then the file. */
struct option_given {
    struct option_origin origin;
    struct buffer words; /* as they were given */
};

struct option_reading {
    const struct option_table *table;
    struct option_spec specs[OPTIONS_MAX]; /* the table's and, behind them, our own */
    int count;
    const char *config;
    bool print_config;
    struct option_given given[OPTIONS_MAX];
    struct buffer *said;
    int argc;
    char **argv;
    int next;
};

/* Says what is wrong; returns false. */
bool option_wrong(struct option_reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One value from `origin`, whether or not somebody else gave one: that was asked before. `value`
 * stays as long as argv. false: it was said what is wrong. */
bool option_give(struct option_reading *reading, int row, const char *value,
                 struct option_origin origin);

/* One property, unless somebody who wins gave it. */
bool option_give_property(struct option_reading *reading, int row, struct text name,
                          const char *value, struct option_origin origin);

/* ---- options_file.c -------------------------------------------------------------------------- */

bool option_file_read(struct option_reading *reading);

/* ---- options_print.c ------------------------------------------------------------------------- */

void option_print_help(const struct option_table *table, struct buffer *out);
void option_print_config(const struct option_reading *reading);

/* Whether its value is not for everybody's eyes. */
bool option_is_secret(struct text name);

/* "STAGEDOOR_KAFKA" and "sasl.password": STAGEDOOR_KAFKA_SASL_PASSWORD. */
void option_property_variable(const char *env, const char *name, struct buffer *out);

#endif
