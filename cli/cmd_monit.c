/* monit: the house as it is, once a second: who plays, how fast, how far behind, and what is
 * refused. */
#include "base/clock.h"
#include "cli/admin_call.h"
#include "cli/connect.h"
#include "cli/house.h"
#include "cli/manager_call.h"
#include "cli/process_facts.h"
#include "cli/scrape.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum {
    PROCESSES_MAX = SUPERVISOR_CHILDREN_MAX,
    REFUSALS_MAX = 64,
    REFUSALS_SHOWN = 8,
    LOOK_MS = 1000,
    COUNT_MOST = 1000000
};

/* What one process told. */
struct figures {
    double counted; /* requests of an edge, decisions of a service */
    double lag;     /* records behind */
    struct scrape_histogram took;
};

struct process {
    struct process_facts facts;
    bool seen;
    struct figures before, now;
    int64_t pid_before, pid_now; /* whose they are; 0: nobody told */
};

/* What was not done for somebody, and why. */
struct refusal {
    char code[48];
    double before, now;
};

struct monit {
    const struct command *command;
    const char *data;
    bool json, screen;
    int64_t count;

    struct process processes[PROCESSES_MAX];
    int process_count;
    struct refusal refusals[REFUSALS_MAX];
    int refusal_count;
    int64_t looked_ms[2]; /* the look before, and the last one */
    struct buffer body, out;
};

/* ---- figures --------------------------------------------------------------------------------- */
static void count_refusal(struct monit *monit, struct text code, double value)
{
    int i = 0;
    if (value == 0)
        return;
    while (i < monit->refusal_count && !text_is(code, monit->refusals[i].code))
        i++;
    if (i == REFUSALS_MAX || code.size >= sizeof monit->refusals->code)
        return;
    if (i == monit->refusal_count) {
        monit->refusals[monit->refusal_count++] = (struct refusal){.before = 0};
        snprintf(monit->refusals[i].code, sizeof monit->refusals->code, "%.*s", TEXT_PRINT(code));
    }
    monit->refusals[i].now += value;
}

static void take(struct monit *monit, struct figures *figures, const struct scrape_line *line)
{
    static const char *const counters[] = {"stagedoor_outcomes_total",
                                           "stagedoor_http_requests_total"};
    static const char *const lags[] = {"stagedoor_input_lag_records", "stagedoor_view_lag_records"};
    static const char *const durations[] = {"stagedoor_answer_duration_seconds_bucket",
                                            "stagedoor_edge_command_duration_seconds_bucket"};
    for (int i = 0; i < 2; i++) {
        if (text_is(line->name, counters[i]))
            figures->counted += line->value;
        else if (text_is(line->name, lags[i]))
            figures->lag += line->value;
        else if (text_is(line->name, durations[i]))
            scrape_add_bucket(&figures->took, line);
    }
    if (text_is(line->name, "stagedoor_refusals_total") ||
        text_is(line->name, "stagedoor_http_problems_total"))
        count_refusal(monit, scrape_label(line->labels, "code"), line->value);
    else if (text_is(line->name, "stagedoor_rejections_total"))
        count_refusal(monit, scrape_label(line->labels, "reason"), line->value);
}

static void scrape(struct monit *monit, struct process *process)
{
    struct buffer folder = {0};
    struct scrape_line line;
    buffer_print(&folder, "%s/" HOUSE_ADMIN_FOLDER, monit->data);
    bool told = process->facts.pid && admin_call(folder.data, process->facts.name, "GET",
                                                 "/metrics", &monit->body) == 200;
    buffer_release(&folder);
    process->before = process->now;
    process->pid_before = process->pid_now;
    process->now = (struct figures){.counted = 0};
    process->pid_now = told ? process->facts.pid : 0;
    struct text rest = told ? buffer_view(&monit->body) : text_of("");
    while (scrape_next(&rest, &line))
        take(monit, &process->now, &line);
}

/* Whether there are figures of two moments of one process. */
static bool compares(const struct process *process)
{
    return process->pid_now && process->pid_before == process->pid_now;
}

/* ---- a look ---------------------------------------------------------------------------------- */
static void take_process(void *context, const struct json *line, struct text text)
{
    struct monit *monit = context;
    struct process_facts facts;
    (void)text;
    process_facts_read(line, &facts);
    int i = 0;
    while (i < monit->process_count && strcmp(monit->processes[i].facts.name, facts.name) != 0)
        i++;
    if (i == PROCESSES_MAX)
        return;
    if (i == monit->process_count)
        monit->processes[monit->process_count++] = (struct process){.pid_now = 0};
    monit->processes[i].facts = facts;
    monit->processes[i].seen = true;
}

static void forget_the_unseen(struct monit *monit)
{
    int kept = 0;
    for (int i = 0; i < monit->process_count; i++)
        if (monit->processes[i].seen)
            monit->processes[kept++] = monit->processes[i];
    monit->process_count = kept;
}

static int look(struct monit *monit)
{
    const char *words[] = {"ls"};
    for (int i = 0; i < monit->process_count; i++)
        monit->processes[i].seen = false;
    for (int i = 0; i < monit->refusal_count; i++) {
        monit->refusals[i].before = monit->refusals[i].now;
        monit->refusals[i].now = 0;
    }
    int end = manager_call(monit->command, monit->data, words, 1, false, take_process, monit);
    forget_the_unseen(monit);
    for (int i = 0; end == END_OK && i < monit->process_count; i++)
        scrape(monit, &monit->processes[i]);
    monit->looked_ms[0] = monit->looked_ms[1];
    monit->looked_ms[1] = clock_monotonic_ms();
    return end;
}

/* ---- telling --------------------------------------------------------------------------------- */
/* Per second, between the last two looks. */
static double rate(const struct monit *monit, double before, double now)
{
    double s = (double)(monit->looked_ms[1] - monit->looked_ms[0]) / 1000;
    return s > 0 && now > before ? (now - before) / s : 0;
}

static void put_json(struct monit *monit, const struct process *process)
{
    struct buffer line = {0}, *out = &line;
    json_put_open(out, NULL, '{');
    json_put_text(out, "name", text_of(process->facts.name));
    json_put_text(out, "state", text_of(process->facts.state));
    json_put_i64(out, "restarts", process->facts.restarts);
    json_put_i64(out, "cpu_percent", process->facts.cpu_percent);
    json_put_i64(out, "memory_bytes", process->facts.memory_bytes);
    if (compares(process)) {
        double p99 = scrape_quantile(&process->before.took, &process->now.took, 0.99);
        json_put_i64(out, "per_second",
                     (int64_t)rate(monit, process->before.counted, process->now.counted));
        json_put_i64(out, "lag_records", (int64_t)process->now.lag);
        if (p99 >= 0)
            json_put_i64(out, "p99_us", (int64_t)(p99 * 1e6));
    }
    json_put_close(out, '}');
    buffer_text(&monit->out, buffer_view(out));
    buffer_byte(&monit->out, '\n');
    buffer_release(out);
}

static void put_row(struct monit *monit, const struct process *process)
{
    struct buffer *out = &monit->out;
    process_facts_row(&process->facts, out);
    if (compares(process)) {
        double p99 = scrape_quantile(&process->before.took, &process->now.took, 0.99);
        buffer_print(out, " %8.0f %7.0f",
                     rate(monit, process->before.counted, process->now.counted), process->now.lag);
        if (p99 >= 0)
            buffer_print(out, " %6.4g ms", p99 * 1000);
    }
    buffer_byte(out, '\n');
}

/* The most frequent first. */
static int compare_refusals(const void *a, const void *b)
{
    const struct refusal *left = a, *right = b;
    return (left->now < right->now) - (left->now > right->now);
}

static void put_refusals(struct monit *monit)
{
    struct buffer *out = &monit->out;
    qsort(monit->refusals, (size_t)monit->refusal_count, sizeof *monit->refusals, compare_refusals);
    buffer_string(out, "\nrefused\n");
    for (int i = 0; i < monit->refusal_count && i < REFUSALS_SHOWN; i++) {
        const struct refusal *refusal = &monit->refusals[i];
        buffer_print(out, "  %-32s %8.0f %8.0f/s\n", refusal->code, refusal->now,
                     rate(monit, refusal->before, refusal->now));
    }
    if (monit->refusal_count == 0)
        buffer_string(out, "  nothing so far\n");
}

static void tell(struct monit *monit)
{
    struct buffer *out = &monit->out;
    buffer_clear(out);
    if (monit->screen)
        buffer_string(out, "\033[H\033[2J");
    if (!monit->json) {
        process_facts_head(out);
        buffer_print(out, " %8s %7s %9s\n", "PER S", "LAG", "P99");
    }
    for (int i = 0; i < monit->process_count; i++)
        if (monit->json)
            put_json(monit, &monit->processes[i]);
        else
            put_row(monit, &monit->processes[i]);
    if (!monit->json)
        put_refusals(monit);
    if (monit->screen)
        buffer_string(out,
                      "\nper second: requests of an edge, decisions of a service; lag in records; "
                      "q ends\n");
    fwrite(out->data, 1, out->size, stdout);
    fflush(stdout);
}

/* ---- the terminal ---------------------------------------------------------------------------- */
/* Waits a second; whether q was typed. */
static bool is_over(const struct monit *monit)
{
    struct pollfd keys = {.fd = monit->screen ? STDIN_FILENO : -1, .events = POLLIN};
    char key = '\0';
    return poll(&keys, 1, LOOK_MS) == 1 && (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q');
}

static int watch(struct monit *monit)
{
    int end = look(monit);
    bool over = end == END_OK ? is_over(monit) : true;
    for (int64_t i = 0; !over && (monit->count == 0 || i < monit->count); i++) {
        if ((end = look(monit)) != END_OK)
            break;
        tell(monit);
        over = i + 1 == monit->count || ferror(stdout) || is_over(monit);
    }
    buffer_release(&monit->body);
    buffer_release(&monit->out);
    return end;
}

/* Keys come one by one, and are not printed. */
static int watch_on_screen(struct monit *monit)
{
    struct termios before, raw;
    bool keys = tcgetattr(STDIN_FILENO, &before) == 0;
    if (keys) {
        raw = before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    int end = watch(monit);
    if (keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return end;
}

int command_monit(const struct command *command, int argc, char **argv)
{
    static struct monit monit;
    monit = (struct monit){.command = command, .data = DATA_DEFAULT};
    const struct option_spec specs[] = {
        HOUSE_OPTION(&monit.data),
        OPTION_COUNT("count", 'n', "N", NULL, &monit.count, 0, COUNT_MOST,
                     "end after so many looks (0: never)"),
        OPTION_FLAG("json", 0, NULL, &monit.json, "an object a line for each, once a second"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    monit.screen = !monit.json && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
    return monit.screen ? watch_on_screen(&monit) : watch(&monit);
}
