/* One table for the command line and the environment. */
#include "paydesk/settings.h"

#include "process/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 1024 };

/* What was said, before it is looked at. */
struct words {
    const char *secret, *secret_file, *script, *otherwise, *delay;
};

enum { SPECS_MAX = 16 };

static int settings_specs(struct settings *settings, struct words *words,
                          struct option_spec specs[SPECS_MAX])
{
    const struct option_spec rows[] = {
        BUS_OPTIONS(&settings->bus),
        OPTION_TEXT("data", "DIR", "STAGEDOOR_DATA", &settings->data,
                    "folder of its ledger, payments-PROVIDER.db (var)"),
        OPTION_TEXT("edge", "URL", "STAGEDOOR_PAYDESK_EDGE", &settings->edge,
                    "who is told (http://127.0.0.1:3000)"),
        OPTION_TEXT("provider", "NAME", "STAGEDOOR_PAYDESK_PROVIDER", &settings->provider,
                    "whose payments it takes (paydesk)"),
        OPTION_TEXT("secret-file", "FILE", "STAGEDOOR_PAYDESK_SECRET_FILE", &words->secret_file,
                    "the secret shared with the edge: a line whsec_..., or the\n"
                    "                            edge's file of keys with its line 'callback "
                    "PROVIDER whsec_...'"),
        OPTION_TEXT("secret", "SECRET", "STAGEDOOR_PAYDESK_SECRET", &words->secret,
                    "the same; others on this machine can read a command line"),
        OPTION_TEXT("delay", "TIME", "STAGEDOOR_PAYDESK_DELAY", &words->delay,
                    "from being asked to answering (1s)"),
        OPTION_TEXT("script", "SCRIPT", "STAGEDOOR_PAYDESK_SCRIPT", &words->script,
                    "what becomes of the first payment, the second ...; the last\n"
                    "                            step repeats: "
                    "succeed*3,fail,late:90s,refund-fail:2"),
        OPTION_TEXT("default", "STEP", "STAGEDOOR_PAYDESK_DEFAULT", &words->otherwise,
                    "what comes after the script, in place of its last step"),
        OPTION_ADMIN(&settings->admin),
        OPTION_LOG_LEVEL(&settings->log_level),
        OPTION_LOG_FORMAT(&settings->log_format),
        BUS_OPTION_CHECK(&settings->check),
    };
    _Static_assert(sizeof rows / sizeof *rows <= SPECS_MAX, "there is room for all rows");
    memcpy(specs, rows, sizeof rows);
    return sizeof rows / sizeof *rows;
}

static const char about[] =
    "a payment provider to develop against\n"
    "It is asked for money through the log and answers by signed callbacks, as a script says.\n";
static const char more[] =
    "Steps of payments: succeed, fail, late:TIME (after pay_by; 60s), unknown,\n"
    "unknown-then-succeed:TIME (5s), unknown-then-fail:TIME (5s), twice (told twice),\n"
    "captured-twice, wrong-amount, wrong-currency, silent. Of refunds: refund-complete,\n"
    "refund-fail:ATTEMPTS (1, or always), refund-silent. STEP*N: N in a row. Times: 250ms,\n"
    "90s, 5m, 1h. Exit codes: 0 stopped as asked, 100 wrong usage, 111 the system failed.\n";

static bool wrong(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, SETTINGS_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return false;
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

static bool read_secret(const struct words *words, const char *provider, struct signature_key *key,
                        char *error)
{
    if (words->secret_file)
        return read_secret_file(words->secret_file, provider, key, error);
    if (words->secret == NULL)
        return wrong(error, "a secret shared with the edge is needed: --secret-file FILE; one is "
                            "made with: echo whsec_$(openssl rand -base64 32)");
    const char *problem = signature_key_parse(text_of(words->secret), key);
    return problem == NULL || wrong(error, "the secret is none: %s", problem);
}

static bool is_provider(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_-";
    size_t size = strlen(name);
    return size >= 1 && size <= 64 && strspn(name, allowed) == size;
}

static bool read_script(const struct words *words, struct settings *settings, char *error)
{
    char problem[SCRIPT_ERROR_SIZE];
    if (!script_parse(text_of(words->script), words->otherwise, &settings->script, problem))
        return wrong(error, "the script: %s", problem);
    buffer_print(&settings->bytes, "%s%s%s", words->script, words->otherwise ? ", then " : "",
                 words->otherwise ? words->otherwise : "");
    settings->script_text = settings->bytes.data;
    return true;
}

static bool read_meanings(const struct words *words, struct settings *settings, char *error)
{
    if (strncmp(settings->edge, "http://", 7) != 0 && strncmp(settings->edge, "https://", 8) != 0)
        return wrong(error, "'%.200s' is no address of an edge; like http://127.0.0.1:3000",
                     settings->edge);
    if (!is_provider(settings->provider))
        return wrong(error, "'%.200s' is no name of a provider: 1 to 64 letters, digits, '_', '-'",
                     settings->provider);
    if (!script_time_parse(text_of(words->delay), &settings->delay_ms))
        return wrong(error, "'%.200s' is no time to wait; like 250ms or 2s", words->delay);
    return read_script(words, settings, error) &&
           read_secret(words, settings->provider, &settings->key, error);
}

enum options_result settings_read(int argc, char **argv, struct settings *settings,
                                  struct buffer *said)
{
    struct option_spec specs[SPECS_MAX];
    struct words words = {.script = "", .delay = "1s"};
    struct operands none;
    char error[SETTINGS_ERROR_SIZE];
    *settings =
        (struct settings){.data = "var", .edge = "http://127.0.0.1:3000", .provider = "paydesk"};
    const struct option_table table = {.program = PAYDESK_PROGRAM,
                                       .operands = "",
                                       .about = about,
                                       .more = more,
                                       .specs = specs,
                                       .count = settings_specs(settings, &words, specs),
                                       .file = &settings->file,
                                       .words = &settings_words,
                                       .sections = (const char *const[]){"paydesk", NULL}};
    enum options_result result = options_parse(&table, argc, argv, &none, said);
    if (result != OPTIONS_OK || read_meanings(&words, settings, error))
        return result;
    buffer_string(said, error);
    return OPTIONS_WRONG;
}

void settings_release(struct settings *settings)
{
    explicit_bzero(&settings->key, sizeof settings->key);
    buffer_release(&settings->bytes);
    option_file_release(&settings->file);
}
