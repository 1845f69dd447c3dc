/* options.h: what a program is told when it starts, read by a table.
 *
 * Each row names an option, where its value goes and one line of help; the same table reads the
 * command line, the environment and a file, and prints --help (manual.h: in other ways, too) and
 * --print-config.
 *
 * The command line: `--name value`, `--name=value`, `-n value`, `-nvalue`, options and operands in
 * any order; `--` ends the options. It wins over the environment, that over the file, and the file
 * over what the target holds before the call.
 *
 * The file (--config FILE): `name = value`, a line each, of whatever has a variable too; lines that
 * begin with '#' are for people. Under [SECTION] stands what is for those programs alone, and there
 * it wins. What a program does not know is left to those that do; what nobody knows is an error.
 * One thread. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/log.h"
#include "base/text.h"

enum {
    OPTION_LIST_MAX = 32,
    OPTION_PROPERTIES_MAX = 48,
    OPTION_PROPERTY_SIZE = 64,
    OPTIONS_MAX = 64,
    OPERANDS_MAX = 16
};

enum option_source { OPTION_DEFAULT, OPTION_FILE, OPTION_ENVIRONMENT, OPTION_LINE };

struct option_origin {
    enum option_source source;
    int line; /* of the file, from 1 */
    int rank; /* of its section: the higher wins */
};

/* An option that may be given several times. Texts are borrowed from argv or the environment. */
struct option_list {
    struct text items[OPTION_LIST_MAX];
    int count;
};

/* Settings of somebody else's, handed through: `-X name=value`, NAME_… in the environment,
 * `x.name = value` in the file. Each name once, by whoever wins it. */
struct option_property {
    char name[OPTION_PROPERTY_SIZE];
    const char *value;
    struct option_origin origin;
};
struct option_properties {
    struct option_property items[OPTION_PROPERTIES_MAX];
    int count;
};

struct option_spec {
    const char *name;     /* "bus" for --bus */
    char letter;          /* 'c' for -c; 0: none */
    const char *argument; /* "URL", for help; of a flag NULL */
    const char *env;      /* its variable; NULL: none, and none in the file */
    const char *help;
    const char *needed; /* an example of the text that must be given; NULL: it need not be */

    /* Where it goes; exactly one is set. */
    bool *flag;
    const char **text;
    int64_t *count; /* a whole number, least .. most; so is `number` */
    int *number;
    struct option_list *list; /* in a variable or the file separated by commas */
    struct option_properties *properties;
    /* Once for each time it is given; false: the value is none. `value` stays as long as argv. */
    bool (*read)(void *target, const char *value);
    void *target;
    const char *otherwise; /* read when nobody gives one; NULL: nothing is */
    int64_t least, most;
};

/* The rows, one line each. `letter` 0 and `env` NULL: none. */
#define OPTION_FLAG(name_, letter_, env_, target_, help_)                                          \
    {                                                                                              \
        .name = name_, .letter = letter_, .env = env_, .flag = target_, .help = help_              \
    }
#define OPTION_TEXT(name_, argument_, env_, target_, help_)                                        \
    {                                                                                              \
        .name = name_, .argument = argument_, .env = env_, .text = target_, .help = help_          \
    }
#define OPTION_NEEDED(name_, argument_, env_, target_, example_, help_)                            \
    {                                                                                              \
        .name = name_, .argument = argument_, .env = env_, .text = target_, .needed = example_,    \
        .help = help_                                                                              \
    }
#define OPTION_LIST(name_, argument_, env_, target_, help_)                                        \
    {                                                                                              \
        .name = name_, .argument = argument_, .env = env_, .list = target_, .help = help_          \
    }
#define OPTION_COUNT(name_, letter_, argument_, env_, target_, least_, most_, help_)               \
    {                                                                                              \
        .name = name_, .letter = letter_, .argument = argument_, .env = env_, .count = target_,    \
        .least = least_, .most = most_, .help = help_                                              \
    }
#define OPTION_NUMBER(name_, argument_, env_, target_, least_, most_, help_)                       \
    {                                                                                              \
        .name = name_, .argument = argument_, .env = env_, .number = target_, .least = least_,     \
        .most = most_, .help = help_                                                               \
    }
#define OPTION_READ(name_, argument_, env_, read_, target_, otherwise_, help_)                     \
    {                                                                                              \
        .name = name_, .argument = argument_, .env = env_, .read = read_, .target = target_,       \
        .otherwise = otherwise_, .help = help_                                                     \
    }

#define OPTION_PROPERTIES(name_, letter_, env_, target_, help_)                                    \
    {                                                                                              \
        .name = name_, .letter = letter_, .argument = "NAME=VALUE", .env = env_,                   \
        .properties = target_, .help = help_                                                       \
    }

/* The row of how much is logged; the target is an enum log_level. */
#define OPTION_LOG_LEVEL(level)                                                                    \
    OPTION_READ("log-level", "LEVEL", "STAGEDOOR_LOG_LEVEL", option_read_log_level, level, "info", \
                "debug, info, warning or error")
bool option_read_log_level(void *level, const char *value);

/* And how it looks; the target is an enum log_format. */
#define OPTION_LOG_FORMAT(format)                                                                  \
    OPTION_READ("log-format", "FORMAT", "STAGEDOOR_LOG_FORMAT", option_read_log_format, format,    \
                "text", "text, logfmt or json")
bool option_read_log_format(void *format, const char *value);

/* What may stand in a file that several programs read; both ended by NULL. */
struct option_words {
    const char *const *names;
    const char *const *sections;
};

/* What was read from --config: values point into it. Given back with option_file_release. */
struct option_file {
    const char *path; /* NULL: there is none */
    char *bytes;
};
void option_file_release(struct option_file *file);

/* What a program can be told. */
struct option_table {
    const char *program;  /* "stagedoor-shows", "stagedoor tail" */
    const char *operands; /* for the usage line: "[TOPIC…]"; "": it takes none */
    const char *about; /* lines of --help above the options, the first says what it is; and ... */
    const char *more;  /* ... below them; each ended by a newline; NULL: none */
    const struct option_spec *specs;
    int count; /* at most OPTIONS_MAX less our own */

    /* NULL: it has no --config and no --print-config; `words` and `sections` are not looked at. */
    struct option_file *file;
    const struct option_words *words;
    const char *const *sections; /* its own, the one that wins first; ended by NULL */
};

/* What is no option, in order. */
struct operands {
    const char *items[OPERANDS_MAX];
    int count;
};

enum options_result {
    OPTIONS_OK,
    OPTIONS_ANSWERED, /* --help or --version was there, and nothing was looked at behind it, or
                         --print-config: `said` is for standard output */
    OPTIONS_WRONG     /* `said` says what, for people: one line without its end */
};

/* argv[0] is skipped. `said` is left alone if all is well. What is said never repeats the value of
 * a secret: of what is called a password, a secret or a key. */
enum options_result options_parse(const struct option_table *table, int argc, char **argv,
                                  struct operands *operands, struct buffer *said);

/* Prints and releases what was said when `result` is not OPTIONS_OK; returns the exit code. */
int options_end(const char *program, enum options_result result, struct buffer *said);

/* Both. false: it is over, and `*end` is the exit code. */
bool options_read(const struct option_table *table, int argc, char **argv,
                  struct operands *operands, int *end);

/* So that the programs started from now on are told the same by their environment, where others on
 * this machine cannot read it: the file, and what else was said of a row with `env`. */
void options_hand_on(const struct option_file *file, const char *env,
                     const struct option_properties *properties);

#endif
