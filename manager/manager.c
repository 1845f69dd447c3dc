/* Listening, answering, looking after. */
#include "manager/manager.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/memory.h"
#include "manager/usage.h"
#include "schemas/json.h"

#include <stdio.h>

/* What a child took when it was last looked at. */
struct taken {
    pid_t pid;
    struct usage usage;
    int64_t at_ms;
    int64_t cpu_percent; /* since the look before; 100: one core */
};

struct manager {
    struct manager_options options;
    struct taken taken[SUPERVISOR_CHILDREN_MAX]; /* in the supervisor's order */
    int taken_count;
    int64_t look_at_ms;
    int client; /* who ordered the change under way; 0: nobody who wants to know */
    char event_name[COMPANY_NAME_SIZE]; /* whose news is told; it may be forgotten by then */
};

struct manager *manager_new(const struct manager_options *options)
{
    struct manager *manager = memory_new(sizeof *manager);
    manager->options = *options;
    supervisor_watch(options->supervisor, control_fd(options->control));
    return manager;
}

void manager_free(struct manager *manager)
{
    supervisor_watch(manager->options.supervisor, -1);
    memory_free(manager);
}

/* ---- what is taken --------------------------------------------------------------------------- */
static const struct taken *taken_by(const struct manager *manager, pid_t pid)
{
    static const struct taken nothing;
    for (int i = 0; pid && i < manager->taken_count; i++)
        if (manager->taken[i].pid == pid)
            return &manager->taken[i];
    return &nothing;
}

static struct taken look_at(const struct manager *manager, pid_t pid)
{
    const struct taken *before = taken_by(manager, pid);
    struct taken now = {.pid = pid, .at_ms = clock_monotonic_ms()};
    if (!usage_read(pid, &now.usage))
        return now;
    int64_t passed_ms = now.at_ms - before->at_ms;
    if (before->pid && passed_ms > 0)
        now.cpu_percent = (now.usage.cpu_ms - before->usage.cpu_ms) * 100 / passed_ms;
    return now;
}

static void limit_memory(struct manager *manager, const struct child_look *child, int64_t bytes)
{
    char error[COMPANY_ERROR_SIZE];
    int64_t limit = manager->options.memory_limit_bytes;
    if (limit == 0 || bytes <= limit || !child->ready || child->role == CHILD_TASK ||
        company_order(manager->options.company, text_of("reload"), text_of(child->name), NULL,
                      error) != COMPANY_BEGUN)
        return;
    supervisor_say(manager->options.supervisor, "%s takes %lld MiB, more than %lld; reloading it",
                   child->name, (long long)(bytes >> 20), (long long)(limit >> 20));
    manager->client = 0;
}

static void look_after_all(struct manager *manager)
{
    struct taken taken[SUPERVISOR_CHILDREN_MAX];
    int count = supervisor_count(manager->options.supervisor);
    if (clock_monotonic_ms() < manager->look_at_ms)
        return;
    manager->look_at_ms = clock_monotonic_ms() + MANAGER_LOOK_MS;
    for (int i = 0; i < count; i++) {
        struct child_look child;
        supervisor_look(manager->options.supervisor, i, &child);
        taken[i] = look_at(manager, child.pid);
        limit_memory(manager, &child, taken[i].usage.memory_bytes);
    }
    manager->taken_count = count;
    for (int i = 0; i < count; i++)
        manager->taken[i] = taken[i];
}

/* ---- ls -------------------------------------------------------------------------------------- */
static const char *state_of(const struct child_look *child)
{
    switch (child->state) {
    case CHILD_WAITING:
        return child->deaths_in_a_row >= CRASH_LOOP_DEATHS ? "crash loop" : "waiting";
    case CHILD_RUNNING:
        return child->ready                                  ? "ready"
               : child->deaths_in_a_row >= CRASH_LOOP_DEATHS ? "crash loop"
                                                             : "starting";
    case CHILD_ENDING:
        return "ending";
    case CHILD_OVER:
        return "stopped";
    }
    return "";
}

static void put_process(const struct manager *manager, const struct child_look *child,
                        struct buffer *out)
{
    const struct taken *taken = taken_by(manager, child->pid);
    json_put_open(out, NULL, '{');
    json_put_i64(out, "number", child->number);
    json_put_text(out, "name", text_of(child->name));
    json_put_text(out, "part",
                  text_of(company_part_of(manager->options.company, child->name)->name));
    json_put_text(out, "state", text_of(state_of(child)));
    json_put_bool(out, "ready", child->ready);
    json_put_text(out, "status", text_of(child->status));
    json_put_i64(out, "pid", child->pid);
    json_put_i64(out, "uptime_s",
                 child->pid ? (clock_monotonic_ms() - child->started_at_ms) / 1000 : 0);
    json_put_i64(out, "restarts", child->restart_count);
    json_put_i64(out, "deaths_in_a_row", child->deaths_in_a_row);
    json_put_text(out, "last_end", text_of(child->last_end));
    json_put_i64(out, "cpu_percent", taken->cpu_percent);
    json_put_i64(out, "memory_bytes", taken->usage.memory_bytes);
    json_put_open(out, "command", '[');
    for (int i = 0; child->argv[i]; i++)
        json_put_text(out, NULL, text_of(child->argv[i]));
    json_put_close(out, ']');
    json_put_close(out, '}');
}

static void answer_ls(struct manager *manager, int client, struct text who)
{
    const struct manager_options *house = &manager->options;
    struct buffer line = {0}, error = {0};
    int count = 0;
    for (int i = 0; i < supervisor_count(house->supervisor); i++) {
        struct child_look child;
        supervisor_look(house->supervisor, i, &child);
        if (!company_means(house->company, who, &child))
            continue;
        buffer_clear(&line);
        put_process(manager, &child, &line);
        control_answer(house->control, client, buffer_view(&line));
        count++;
    }
    bool missing = count == 0 && !text_is(who, "all");
    if (missing)
        buffer_print(&error, "there is no '%.*s'; stagedoor ls says who is there", TEXT_PRINT(who));
    control_end(house->control, client, missing ? END_NO : END_OK, buffer_view(&error));
    buffer_release(&line);
    buffer_release(&error);
}

/* ---- orders ---------------------------------------------------------------------------------- */
/* One line for each of `said`. */
static void answer_said(struct manager *manager, struct text said)
{
    while (said.size) {
        struct buffer line = {0};
        json_put_open(&line, NULL, '{');
        json_put_text(&line, "said", text_cut(&said, '\n'));
        json_put_close(&line, '}');
        control_answer(manager->options.control, manager->client, buffer_view(&line));
        buffer_release(&line);
    }
}

static void turn_company(struct manager *manager)
{
    struct buffer said = {0};
    enum company_state state = company_turn(manager->options.company, &said);
    if (manager->client)
        answer_said(manager, buffer_view(&said));
    buffer_release(&said);
    if (state != COMPANY_CHANGED && state != COMPANY_FAILED)
        return;
    control_end(manager->options.control, manager->client, state == COMPANY_FAILED, text_of(""));
    manager->client = 0;
}

static void answer_order(struct manager *manager, const struct control_request *request)
{
    char error[COMPANY_ERROR_SIZE];
    enum company_order order =
        company_order(manager->options.company, request->words[0],
                      request->count > 1 ? request->words[1] : text_of("all"),
                      request->count > 2 ? &request->words[2] : NULL, error);
    if (order == COMPANY_BEGUN)
        manager->client = request->client;
    else
        control_end(manager->options.control, request->client,
                    order == COMPANY_NOT_NOW ? END_NO : END_USAGE, text_of(error));
}

static void answer_about(struct manager *manager, int client)
{
    control_answer(manager->options.control, client, text_of(manager->options.house));
    control_end(manager->options.control, client, END_OK, text_of(""));
}

static void answer(struct manager *manager, const struct control_request *request)
{
    struct text verb = request->count ? request->words[0] : text_of("");
    struct control *control = manager->options.control;
    bool stopping = supervisor_stopping(manager->options.supervisor);
    if (text_is(verb, "ls")) {
        answer_ls(manager, request->client,
                  request->count > 1 ? request->words[1] : text_of("all"));
    } else if (text_is(verb, "about")) {
        answer_about(manager, request->client);
    } else if (text_is(verb, "flush")) {
        logbook_empty(manager->options.logbook);
        control_end(control, request->client, END_OK, text_of(""));
    } else if (text_is(verb, "down")) {
        /* The connection ends with the manager, so that who asked knows when it is done. */
        supervisor_stop(manager->options.supervisor);
    } else if (stopping) {
        control_end(control, request->client, END_NO, text_of("everything is being stopped"));
    } else {
        answer_order(manager, request);
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */
struct supervisor_event manager_poll(struct manager *manager, int timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    for (;;) {
        int64_t wait_ms = until_ms - clock_monotonic_ms();
        struct supervisor_event event =
            supervisor_poll(manager->options.supervisor, wait_ms > 0 ? (int)wait_ms : 0);
        struct control_request request;
        if (event.name) {
            snprintf(manager->event_name, COMPANY_NAME_SIZE, "%s", event.name);
            event.name = manager->event_name;
        }
        while (control_hear(manager->options.control, &request))
            answer(manager, &request);
        turn_company(manager);
        look_after_all(manager);
        if (event.news != SUPERVISOR_WATCHED || clock_monotonic_ms() >= until_ms)
            return event;
    }
}
