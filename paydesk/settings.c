/* One table for the command line and the environment. */
#include "paydesk/settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 1024 };

enum name {
    BUS,
    TOPIC_PREFIX,
    DATA,
    EDGE,
    PROVIDER,
    SECRET,
    SECRET_FILE,
    SCRIPT,
    DEFAULT,
    DELAY,
    LOG_LEVEL,
    NAME_COUNT
};

static const struct {
    const char *option, *variable, *otherwise;
} names[NAME_COUNT] = {
    [BUS] = {"bus", "STAGEDOOR_BUS", NULL},
    [TOPIC_PREFIX] = {"topic-prefix", "STAGEDOOR_TOPIC_PREFIX", NULL},
    [DATA] = {"data", "STAGEDOOR_DATA", "var"},
    [EDGE] = {"edge", "STAGEDOOR_PAYDESK_EDGE", "http://127.0.0.1:3000"},
    [PROVIDER] = {"provider", "STAGEDOOR_PAYDESK_PROVIDER", "paydesk"},
    [SECRET] = {"secret", "STAGEDOOR_PAYDESK_SECRET", NULL},
    [SECRET_FILE] = {"secret-file", "STAGEDOOR_PAYDESK_SECRET_FILE", NULL},
    [SCRIPT] = {"script", "STAGEDOOR_PAYDESK_SCRIPT", ""},
    [DEFAULT] = {"default", "STAGEDOOR_PAYDESK_DEFAULT", NULL},
    [DELAY] = {"delay", "STAGEDOOR_PAYDESK_DELAY", "1s"},
    [LOG_LEVEL] = {"log-level", "STAGEDOOR_LOG_LEVEL", "info"},
};

const char *settings_help(void)
{
    return "usage: stagedoor-paydesk --bus URL --edge URL --secret-file FILE [options]\n\n"
           "A payment provider to develop against: it is asked for money through the log and\n"
           "answers by signed callbacks, as a script says.\n\n"
           "  --bus URL           kafka://HOST:PORT[,...] or sqlite:PATH\n"
           "  --topic-prefix P    put before every topic name\n"
           "  --data DIR          folder of its ledger, payments-PROVIDER.db (var)\n"
           "  --edge URL          who is told (http://127.0.0.1:3000)\n"
           "  --provider NAME     whose payments it takes (paydesk)\n"
           "  --secret-file FILE  the secret shared with the edge: a line whsec_..., or the "
           "edge's\n"
           "                      file of keys with its line 'callback PROVIDER whsec_...'\n"
           "  --secret SECRET     the same; others on this machine can read a command line\n"
           "  --delay TIME        from being asked to answering (1s)\n"
           "  --script SCRIPT     what becomes of the first payment, the second ...; the last\n"
           "                      step repeats: succeed*3,fail,late:90s,refund-fail:2\n"
           "  --default STEP      what comes after the script, in place of its last step\n"
           "  --log-level LEVEL   debug, info, warning or error\n"
           "  --version, --help\n\n"
           "Steps of payments: succeed, fail, late:TIME (after pay_by; 60s), unknown,\n"
           "unknown-then-succeed:TIME (5s), unknown-then-fail:TIME (5s), twice (told twice),\n"
           "captured-twice, wrong-amount, wrong-currency, silent. Of refunds: refund-complete,\n"
           "refund-fail:ATTEMPTS (1, or always), refund-silent. STEP*N: N in a row. Times: 250ms,\n"
           "90s, 5m, 1h.\n\n"
           "Each is also read from the environment: STAGEDOOR_BUS, STAGEDOOR_TOPIC_PREFIX,\n"
           "STAGEDOOR_DATA, STAGEDOOR_LOG_LEVEL and, of the rest, STAGEDOOR_PAYDESK_SECRET and\n"
           "so on. Exit codes: 0 stopped as asked, 100 usage, 111 the system failed.\n";
}

static bool wrong(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, SETTINGS_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- words ----------------------------------------------------------------------------------- */

static void read_environment(const char *values[NAME_COUNT])
{
    for (int i = 0; i < NAME_COUNT; i++) {
        const char *value = getenv(names[i].variable);
        values[i] = value && value[0] ? value : names[i].otherwise;
    }
}

static bool read_words(int argc, char **argv, const char *values[NAME_COUNT],
                       struct settings *settings, char *error)
{
    struct option options[NAME_COUNT + 3] = {{NULL, 0, NULL, 0}};
    enum { HELP = NAME_COUNT, VERSION };
    for (int i = 0; i < NAME_COUNT; i++)
        options[i] = (struct option){names[i].option, required_argument, NULL, i};
    options[HELP] = (struct option){"help", no_argument, NULL, HELP};
    options[VERSION] = (struct option){"version", no_argument, NULL, VERSION};
    opterr = 0;
    optind = 0; /* from the start, should this be called again */
    for (int option; (option = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        settings->help = settings->help || option == HELP || option == 'h';
        settings->version = settings->version || option == VERSION;
        if (option == ':')
            return wrong(error, "'%s' needs a value; see --help", argv[optind - 1]);
        if (option == '?')
            return wrong(error, "there is no option '%s'; see --help", argv[optind - 1]);
        if (option < NAME_COUNT)
            values[option] = optarg;
    }
    if (optind < argc)
        return wrong(error, "'%s' is no option; see --help", argv[optind]);
    return true;
}

/* ---- what they mean -------------------------------------------------------------------------- */

/* Finds the secret in a line, or the empty text: the line is the secret, or one of the edge's keys
 * that gives it to the provider. */
static struct text secret_in(struct text line, const char *provider)
{
    while (line.size && (unsigned char)line.data[line.size - 1] <= ' ')
        line.size--;
    if (text_starts(line, "whsec_"))
        return line;
    struct text rest = line, word = text_cut(&rest, ' '), name = text_cut(&rest, ' ');
    return text_is(word, "callback") && text_is(name, provider) ? rest : text_of("");
}

static bool read_secret_file(const char *path, const char *provider, struct signature_key *key,
                             char *error)
{
    char line[LINE_SIZE];
    bool found = false;
    const char *problem = NULL;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return wrong(error, "cannot read the secret in '%.200s': %s", path, strerror(errno));
    while (!found && fgets(line, sizeof line, file)) {
        struct text secret = secret_in(text_of(line), provider);
        found = secret.size > 0;
        problem = found ? signature_key_parse(secret, key) : NULL;
    }
    fclose(file);
    explicit_bzero(line, sizeof line);
    if (!found)
        return wrong(error,
                     "'%.200s' has no secret of '%s'; in the edge's file of keys it is a line: "
                     "callback %s whsec_$(openssl rand -base64 32)",
                     path, provider, provider);
    return problem == NULL || wrong(error, "the secret in '%.200s' is none: %s", path, problem);
}

static bool read_secret(const char *const values[NAME_COUNT], struct signature_key *key,
                        char *error)
{
    if (values[SECRET_FILE])
        return read_secret_file(values[SECRET_FILE], values[PROVIDER], key, error);
    if (values[SECRET] == NULL)
        return wrong(error, "a secret shared with the edge is needed: --secret-file FILE; one is "
                            "made with: echo whsec_$(openssl rand -base64 32)");
    const char *problem = signature_key_parse(text_of(values[SECRET]), key);
    return problem == NULL || wrong(error, "the secret is none: %s", problem);
}

static bool is_provider(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_-";
    size_t size = strlen(name);
    return size >= 1 && size <= 64 && strspn(name, allowed) == size;
}

static bool read_script(const char *const values[NAME_COUNT], struct settings *settings,
                        char *error)
{
    char problem[SCRIPT_ERROR_SIZE];
    if (!script_parse(text_of(values[SCRIPT]), values[DEFAULT], &settings->script, problem))
        return wrong(error, "the script: %s", problem);
    buffer_print(&settings->bytes, "%s%s%s", values[SCRIPT], values[DEFAULT] ? ", then " : "",
                 values[DEFAULT] ? values[DEFAULT] : "");
    settings->script_text = settings->bytes.data;
    return true;
}

static bool read_meanings(const char *const values[NAME_COUNT], struct settings *settings,
                          char *error)
{
    settings->bus = values[BUS];
    settings->topic_prefix = values[TOPIC_PREFIX];
    settings->data = values[DATA];
    settings->edge = values[EDGE];
    settings->provider = values[PROVIDER];
    if (settings->bus == NULL)
        return wrong(error, "--bus URL is needed, like sqlite:var/bus.db; see --help");
    if (strncmp(settings->edge, "http://", 7) != 0 && strncmp(settings->edge, "https://", 8) != 0)
        return wrong(error, "'%.200s' is no address of an edge; like http://127.0.0.1:3000",
                     settings->edge);
    if (!is_provider(settings->provider))
        return wrong(error, "'%.200s' is no name of a provider: 1 to 64 letters, digits, '_', '-'",
                     settings->provider);
    if (!script_time_parse(text_of(values[DELAY]), &settings->delay_ms))
        return wrong(error, "'%.200s' is no time to wait; like 250ms or 2s", values[DELAY]);
    if (!log_level_parse(values[LOG_LEVEL], &settings->log_level))
        return wrong(error, "the log level '%.200s' is none of debug, info, warning, error",
                     values[LOG_LEVEL]);
    return read_script(values, settings, error) && read_secret(values, &settings->key, error);
}

bool settings_read(int argc, char **argv, struct settings *settings, char *error)
{
    const char *values[NAME_COUNT];
    *settings = (struct settings){.bus = NULL};
    read_environment(values);
    if (!read_words(argc, argv, values, settings, error))
        return false;
    return settings->help || settings->version || read_meanings(values, settings, error);
}

void settings_release(struct settings *settings)
{
    explicit_bzero(&settings->key, sizeof settings->key);
    buffer_release(&settings->bytes);
}
