/* Reading the script, and finding one's place in it. */
#include "paydesk/script.h"

#include <assert.h>
#include <stdio.h>

enum argument_kind { TAKES_NOTHING, TAKES_TIME, TAKES_ATTEMPTS };

struct word {
    const char *name;
    enum argument_kind takes;
    int64_t argument; /* when none is written */
};

static const struct word words[SCRIPT_WORD_COUNT] = {
    [SCRIPT_SUCCEED] = {"succeed", TAKES_NOTHING, 0},
    [SCRIPT_FAIL] = {"fail", TAKES_NOTHING, 0},
    [SCRIPT_LATE] = {"late", TAKES_TIME, 60 * 1000},
    [SCRIPT_UNKNOWN] = {"unknown", TAKES_NOTHING, 0},
    [SCRIPT_UNKNOWN_THEN_SUCCEED] = {"unknown-then-succeed", TAKES_TIME, 5 * 1000},
    [SCRIPT_UNKNOWN_THEN_FAIL] = {"unknown-then-fail", TAKES_TIME, 5 * 1000},
    [SCRIPT_TWICE] = {"twice", TAKES_NOTHING, 0},
    [SCRIPT_CAPTURED_TWICE] = {"captured-twice", TAKES_NOTHING, 0},
    [SCRIPT_WRONG_AMOUNT] = {"wrong-amount", TAKES_NOTHING, 0},
    [SCRIPT_WRONG_CURRENCY] = {"wrong-currency", TAKES_NOTHING, 0},
    [SCRIPT_SILENT] = {"silent", TAKES_NOTHING, 0},
    [SCRIPT_REFUND_COMPLETE] = {"refund-complete", TAKES_NOTHING, 0},
    [SCRIPT_REFUND_FAIL] = {"refund-fail", TAKES_ATTEMPTS, 1},
    [SCRIPT_REFUND_SILENT] = {"refund-silent", TAKES_NOTHING, 0},
};

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}};

static bool is_of_refunds(enum script_word word)
{
    return word >= SCRIPT_REFUND_COMPLETE;
}

static bool wrong(char *error, struct text text, const char *why)
{
    snprintf(error, SCRIPT_ERROR_SIZE, "'%.*s' %s", text.size > 80 ? 80 : (int)text.size,
             text.data ? text.data : "", why);
    return false;
}

static struct text trimmed(struct text text)
{
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\n'))
        text = text_from(text.data + 1, text.size - 1);
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\n'))
        text.size--;
    return text;
}

/* ---- steps ----------------------------------------------------------------------------------- */

bool script_time_parse(struct text text, int64_t *time_ms)
{
    size_t digits = 0;
    int64_t number;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    if (!text_to_i64(text_from(text.data, digits), &number))
        return false;
    struct text unit = text_from(text.data + digits, text.size - digits);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text_is(unit, units[i].name) && number <= SCRIPT_TIME_MAX_MS / units[i].ms) {
            *time_ms = number * units[i].ms;
            return true;
        }
    return false;
}

static bool read_argument(struct text text, enum argument_kind takes, int64_t *argument)
{
    switch (takes) {
    case TAKES_NOTHING:
        return false;
    case TAKES_TIME:
        return script_time_parse(text, argument);
    case TAKES_ATTEMPTS:
        if (text_is(text, "always")) {
            *argument = SCRIPT_ALWAYS;
            return true;
        }
        return text_to_i64(text, argument) && *argument >= 1 && *argument <= SCRIPT_TIMES_MAX;
    }
    return false;
}

bool script_step_parse(struct text text, struct script_step *step, char *error)
{
    static const char *const hints[] = {
        [TAKES_NOTHING] = "takes nothing behind a colon",
        [TAKES_TIME] = "needs a time behind its colon, like 250ms, 90s, 5m or 1h; at most a week",
        [TAKES_ATTEMPTS] = "needs a number of attempts behind its colon, or 'always'",
    };
    struct text argument = text, name = text_cut(&argument, ':');
    for (int i = 0; i < SCRIPT_WORD_COUNT; i++) {
        const struct word *word = &words[i];
        if (!text_is(name, word->name))
            continue;
        *step = (struct script_step){(enum script_word)i, word->argument};
        if (argument.data == NULL || read_argument(argument, word->takes, &step->argument))
            return true;
        return wrong(error, text, hints[word->takes]);
    }
    return wrong(error, name, "is no step of a script; see --help");
}

void script_step_print(struct script_step step, struct buffer *out)
{
    const struct word *word = &words[step.word];
    buffer_string(out, word->name);
    switch (word->takes) {
    case TAKES_NOTHING:
        return;
    case TAKES_TIME:
        buffer_print(out, ":%lld%s", (long long)(step.argument / (step.argument % 1000 ? 1 : 1000)),
                     step.argument % 1000 ? "ms" : "s");
        return;
    case TAKES_ATTEMPTS:
        if (step.argument == SCRIPT_ALWAYS)
            buffer_string(out, ":always");
        else
            buffer_print(out, ":%lld", (long long)step.argument);
        return;
    }
}

/* ---- scripts --------------------------------------------------------------------------------- */

static bool add(struct script *script, struct script_step step, int64_t times, char *error)
{
    struct script_list *list = is_of_refunds(step.word) ? &script->refunds : &script->payments;
    if (list->count == SCRIPT_ITEMS_MAX)
        return wrong(error, text_of(words[step.word].name), "is one step too many for a script");
    list->steps[list->count] = step;
    list->times[list->count++] = times;
    return true;
}

static bool read_item(struct text item, struct script *script, char *error)
{
    struct script_step step;
    struct text factor = item, text = text_cut(&factor, '*');
    int64_t times = 1;
    bool counted = factor.data != NULL;
    if (counted && (!text_to_i64(factor, &times) || times < 1 || times > SCRIPT_TIMES_MAX))
        return wrong(error, item, "says how often with '*' and a number from 1 to 1000000");
    return script_step_parse(text, &step, error) && add(script, step, times, error);
}

bool script_parse(struct text text, const char *otherwise, struct script *script, char *error)
{
    struct script_step step;
    struct text rest = trimmed(text);
    *script = (struct script){.payments = {.count = 0}};
    while (rest.size) {
        struct text item = text_cut(&rest, ',');
        if (!read_item(trimmed(item), script, error))
            return false;
        if (rest.data && rest.size == 0)
            return wrong(error, text, "ends with a comma");
    }
    if (otherwise &&
        (!script_step_parse(text_of(otherwise), &step, error) || !add(script, step, 1, error)))
        return false;
    if (script->payments.count == 0)
        add(script, (struct script_step){SCRIPT_SUCCEED, 0}, 1, error);
    if (script->refunds.count == 0)
        add(script, (struct script_step){SCRIPT_REFUND_COMPLETE, 0}, 1, error);
    return true;
}

static struct script_step step_at(const struct script_list *list, int64_t n)
{
    assert(list->count > 0);
    int i = 0;
    while (i < list->count - 1 && n >= list->times[i])
        n -= list->times[i++];
    return list->steps[i];
}

struct script_step script_payment(const struct script *script, int64_t n)
{
    return step_at(&script->payments, n);
}

struct script_step script_refund(const struct script *script, int64_t n)
{
    return step_at(&script->refunds, n);
}
