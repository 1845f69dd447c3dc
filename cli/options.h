/* options.h: a command line, read by a table.
 *
 * Each row names an option, where its value goes and one line of help; the same table reads the
 * environment, the command line and prints --help. `--name value`, `--name=value`, `-n value`,
 * `-nvalue`, options and operands in any order, `--` ends the options. The command line wins over
 * the environment, the environment over what the target holds before the call. Pure but for
 * getenv; one thread. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/text.h"

enum { OPTION_LIST_MAX = 32, OPERANDS_MAX = 16, OPTIONS_ERROR_SIZE = 256 };

/* An option that may be given several times. Texts are borrowed from argv or the environment. */
struct option_list {
    struct text items[OPTION_LIST_MAX];
    int count;
};

struct option_spec {
    const char *name;     /* "bus" for --bus */
    char letter;          /* 'c' for -c; 0: none */
    const char *argument; /* "URL", for help; of a flag NULL */
    const char *env;      /* read first; of a list split at commas; NULL: none */
    const char *help;

    /* Where it goes; exactly one is set. */
    bool *flag;
    const char **text;
    int64_t *count; /* a whole number, least .. most */
    struct option_list *list;
    int64_t least, most;
};

/* The rows, one line each. `letter` 0 and `env` NULL: none. */
#define OPTION_FLAG(name_, letter_, env_, target, help_)                                           \
    {                                                                                              \
        .name = name_, .letter = letter_, .env = env_, .flag = target, .help = help_               \
    }
#define OPTION_TEXT(name_, argument_, env_, target, help_)                                         \
    {                                                                                              \
        .name = name_, .argument = argument_, .env = env_, .text = target, .help = help_           \
    }
#define OPTION_LIST(name_, argument_, env_, target, help_)                                         \
    {                                                                                              \
        .name = name_, .argument = argument_, .env = env_, .list = target, .help = help_           \
    }
#define OPTION_COUNT(name_, letter_, argument_, env_, target, least_, most_, help_)                \
    {                                                                                              \
        .name = name_, .letter = letter_, .argument = argument_, .env = env_, .count = target,     \
        .least = least_, .most = most_, .help = help_                                              \
    }

/* What is no option, in order. */
struct operands {
    const char *items[OPERANDS_MAX];
    int count;
};

enum options_result {
    OPTIONS_OK,
    OPTIONS_HELP, /* --help was there; nothing else was looked at behind it */
    OPTIONS_WRONG /* `error` says what, in one line for people */
};

/* argv[0] is skipped. */
enum options_result options_parse(const struct option_spec *specs, int count, int argc, char **argv,
                                  struct operands *operands, char error[OPTIONS_ERROR_SIZE]);

/* The options part of --help. */
void options_help(const struct option_spec *specs, int count, struct buffer *out);

#endif
