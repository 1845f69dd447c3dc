/* options.h: what a program is told when it starts, read by a table.
 *
 * Each row names an option, where its value goes and one line of help; the same table reads the
 * environment, the command line and prints --help (manual.h: in other ways, too). `--name
 * value`, `--name=value`, `-n value`, `-nvalue`, options and operands in any order, `--` ends
 * the options. The command line wins over the environment, the environment over what the target
 * holds before the call. One thread. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/log.h"
#include "base/text.h"

enum { OPTION_LIST_MAX = 32, OPTIONS_MAX = 64, OPERANDS_MAX = 16 };

/* An option that may be given several times. Texts are borrowed from argv or the environment. */
struct option_list {
    struct text items[OPTION_LIST_MAX];
    int count;
};

struct option_spec {
    const char *name;     /* "bus" for --bus */
    char letter;          /* 'c' for -c; 0: none */
    const char *argument; /* "URL", for help; of a flag NULL */
    const char *env;      /* its variable; of a list split at commas; NULL: none */
    const char *help;
    const char *needed; /* an example of the text that must be given; NULL: it need not be */

    /* Where it goes; exactly one is set. */
    bool *flag;
    const char **text;
    int64_t *count; /* a whole number, least .. most; so is `number` */
    int *number;
    struct option_list *list;
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

/* What a program can be told. */
struct option_table {
    const char *program;  /* "stagedoor-shows", "stagedoor tail" */
    const char *operands; /* for the usage line: "[TOPIC…]"; "": it takes none */
    const char *about; /* lines of --help above the options, the first says what it is; and ... */
    const char *more;  /* ... below them; each ended by a newline; NULL: none */
    const struct option_spec *specs;
    int count; /* at most OPTIONS_MAX */
};

/* What is no option, in order. */
struct operands {
    const char *items[OPERANDS_MAX];
    int count;
};

enum options_result {
    OPTIONS_OK,
    OPTIONS_ANSWERED, /* --help or --version was there, and nothing was looked at behind it: `said`
                         is for standard output */
    OPTIONS_WRONG     /* `said` says what, for people: one line without its end */
};

/* argv[0] is skipped. `said` is left alone if all is well. */
enum options_result options_parse(const struct option_table *table, int argc, char **argv,
                                  struct operands *operands, struct buffer *said);

/* Prints and releases what was said when `result` is not OPTIONS_OK; returns the exit code. */
int options_end(const char *program, enum options_result result, struct buffer *said);

/* Both. false: it is over, and `*end` is the exit code. */
bool options_read(const struct option_table *table, int argc, char **argv,
                  struct operands *operands, int *end);

#endif
