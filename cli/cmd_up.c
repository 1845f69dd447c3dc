/* up: the whole theatre on one machine, from one terminal or without one. */
#include "base/clock.h"
#include "cli/background.h"
#include "cli/house.h"
#include "manager/manager.h"
#include "process/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 10 * 1000 /* then say what is waited for */ };

struct up {
    struct house house;
    struct option_list scale;
    int64_t instance_count, edge_count, memory_limit_mib;
    bool seed, colours_off, detached;

    int counts[HOUSE_PART_COUNT];
    struct company *company;
    struct manager *manager;
    struct notify notify; /* if systemd runs us */
    bool edge_ready, open, stopping;
    int end;
};

/* ---- the evening ----------------------------------------------------------------------------- */
/* Who has not said yet that it is ready; the empty text: everyone has. */
static void print_missing(const struct up *up, struct buffer *out)
{
    for (int i = 0; i < supervisor_count(up->house.supervisor); i++) {
        struct child_look child;
        supervisor_look(up->house.supervisor, i, &child);
        if (child.role != CHILD_TASK && !child.ready)
            buffer_print(out, "%s%s", out->size ? ", " : "", child.name);
    }
    if (!up->edge_ready)
        buffer_print(out, "%san answer of the edge", out->size ? ", " : "");
}

static void announce(struct up *up)
{
    char url[DOORWAY_TEXT_SIZE], key[KEY_SIZE_MAX];
    doorway_url(&up->house.doorways[0], url);
    printf("open: %s\n", url);
    if (read_signin(up->house.log.data, key))
        printf("sign in: %s/boxoffice#key=%s\n", url, key);
    fflush(stdout);
    up->open = true;
    if (up->detached) {
        supervisor_speak_to(up->house.supervisor, -1);
        background_leave();
    }
    if (up->house.paydesk)
        company_open(up->company, "paydesk", 1);
    if (up->seed)
        house_task(&up->house, "seed", "--data", up->house.log.data);
}

static void task_ended(struct up *up, const char *name, int code)
{
    struct supervisor *supervisor = up->house.supervisor;
    if (strcmp(name, "ready") == 0 && code == END_OK)
        up->edge_ready = true;
    else if (strcmp(name, "ready") == 0 && !supervisor_stopping(supervisor))
        supervisor_say(supervisor, "cannot tell whether the edge is ready; stop and try again");
    else if (strcmp(name, "seed") == 0 && code != END_OK)
        supervisor_say(supervisor, "seeding failed; try again with: stagedoor seed");
}

static void misused(struct up *up, const char *name)
{
    supervisor_say(up->house.supervisor, "%s does not take its arguments (above)%s", name,
                   up->open ? "" : "; stopping");
    if (up->open)
        return;
    up->end = END_USAGE;
    supervisor_stop(up->house.supervisor);
}

/* Nobody is let in any more. */
static void begin_to_stop(struct up *up)
{
    if (up->stopping)
        return;
    up->stopping = true;
    notify_stopping(&up->notify);
    house_close_doorways(&up->house);
}

static int run_all(struct up *up)
{
    int64_t say_at_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (;;) {
        struct supervisor_event event = manager_poll(up->manager, 1000);
        if (event.news == SUPERVISOR_STOPPED)
            return up->end;
        notify_tend(&up->notify, clock_monotonic_ms(), up->open, up->open ? "open" : "opening");
        if (event.news == SUPERVISOR_TASK_END)
            task_ended(up, event.name, event.code);
        else if (event.news == SUPERVISOR_MISUSED)
            misused(up, event.name);
        if (supervisor_stopping(up->house.supervisor)) {
            begin_to_stop(up);
            continue;
        }
        if (up->open)
            continue;
        struct buffer missing = {0};
        print_missing(up, &missing);
        if (missing.size == 0) {
            announce(up);
        } else if (clock_monotonic_ms() >= say_at_ms) {
            supervisor_say(up->house.supervisor, "still waiting for %s", missing.data);
            say_at_ms += PATIENCE_MS;
        }
        buffer_release(&missing);
    }
}

static int manage(struct up *up, struct control *control, struct logbook *logbook)
{
    struct buffer about = {0};
    house_json(&up->house, &about);
    up->company = company_new(up->house.supervisor, house_parts, house_part_count(&up->house),
                              house_cast, &up->house);
    struct manager_options options = {.supervisor = up->house.supervisor,
                                      .company = up->company,
                                      .control = control,
                                      .logbook = logbook,
                                      .house = about.data,
                                      .memory_limit_bytes = up->memory_limit_mib << 20};
    up->manager = manager_new(&options);
    for (int i = 0; i < HOUSE_PART_COUNT - 1; i++)
        company_open(up->company, house_parts[i].name, up->counts[i]);
    house_task(&up->house, "ready", "--wait", "86400");
    int end = run_all(up);
    manager_free(up->manager);
    company_free(up->company);
    buffer_release(&about);
    return end;
}

static int run(struct up *up)
{
    const struct command *command = up->house.command;
    const char *data = up->house.log.data;
    char logs[PATH_MAX], error[SOCKETS_ERROR_SIZE];
    bool colours =
        !up->colours_off && !up->detached && isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;
    snprintf(logs, sizeof logs, "%s/" LOGBOOK_FOLDER, data);
    int end = END_SYSTEM;
    struct logbook *logbook = logbook_open(logs, LOGBOOK_SIZE_MAX);
    struct control *control = logbook ? control_open(data, error) : NULL;
    up->house.supervisor = control ? supervisor_new(STDERR_FILENO, colours, logbook) : NULL;
    if (logbook == NULL)
        command_fail(command, end, "cannot write in folder '%s': %s", logs, strerror(errno));
    else if (control == NULL)
        command_fail(command, end, "%s", error);
    else if (up->house.supervisor == NULL)
        command_fail(command, end, "cannot listen for signals: %s", strerror(errno));
    else
        end = manage(up, control, logbook);
    if (up->house.supervisor)
        supervisor_free(up->house.supervisor);
    logbook_close(logbook);
    control_close(control); /* last: whoever asked for the end sees it now */
    return end;
}

/* ---- how many -------------------------------------------------------------------------------- */
static int count_parts(struct up *up)
{
    for (int i = 0; i < HOUSE_PART_COUNT; i++)
        up->counts[i] = (int)(i < HOUSE_SERVICE_COUNT ? up->instance_count : up->edge_count);
    for (int i = 0; i < up->scale.count; i++) {
        struct text count = up->scale.items[i], part = text_cut(&count, '=');
        int which = 0;
        uint64_t number;
        while (which < HOUSE_PART_COUNT - 1 && !text_is(part, house_parts[which].name))
            which++;
        if (which == HOUSE_PART_COUNT - 1 || !text_to_u64(count, &number) ||
            number > HOUSE_INSTANCES_MAX)
            return command_fail(up->house.command, END_USAGE,
                                "'%.*s' does not say how many of whom; like --scale edge=2, at "
                                "most %d",
                                TEXT_PRINT(up->scale.items[i]), HOUSE_INSTANCES_MAX);
        up->counts[which] = (int)number;
    }
    return END_OK;
}

int command_up(const struct command *command, int argc, char **argv)
{
    struct up up = {.house = {.command = command, .log = {.data = DATA_DEFAULT}},
                    .instance_count = 1,
                    .edge_count = 1};
    struct house *house = &up.house;
    const struct option_spec specs[] = {
        LOG_OPTIONS(&house->log),
        OPTION_FLAG("detach", 'd', NULL, &up.detached,
                    "leave the terminal once it is open; stagedoor ls, logs, down speak to it"),
        OPTION_LIST("listen", "HOST:PORT[=ROLE]", "STAGEDOOR_LISTEN", &house->listen,
                    "where the edges answer, repeatable (127.0.0.1:3000)"),
        OPTION_FLAG("seed", 0, "STAGEDOOR_SEED", &up.seed,
                    "load the sample's shows once it is open"),
        OPTION_COUNT("instances", 0, "N", "STAGEDOOR_INSTANCES", &up.instance_count, 1,
                     HOUSE_INSTANCES_MAX, "of each service; they share the partitions (1)"),
        OPTION_COUNT("edges", 0, "N", "STAGEDOOR_EDGES", &up.edge_count, 1, HOUSE_INSTANCES_MAX,
                     "at the same address (1)"),
        OPTION_LIST("scale", "PART=N", NULL, &up.scale,
                    "so many of shows, reservations, checkout or edge, repeatable"),
        OPTION_COUNT("memory-limit", 0, "MIB", "STAGEDOOR_MEMORY_LIMIT", &up.memory_limit_mib, 0,
                     1024 * 1024, "reload an instance that takes more (0: none)"),
        OPTION_COUNT("partitions", 0, "N", "STAGEDOOR_PARTITIONS", &house->partition_count, 1,
                     PARTITIONS_MAX, "of every topic, when they are made (4)"),
        OPTION_LIST("edge-arg", "ARG", "STAGEDOOR_EDGE_ARGS", &house->edge_args,
                    "one more argument of stagedoor-edge, repeatable"),
        OPTION_TEXT("paydesk", "SCRIPT", NULL, &house->paydesk,
                    "a payment provider to develop against as well; 'succeed', or a script as in "
                    "stagedoor-paydesk --help"),
        OPTION_FLAG("no-colour", 0, NULL, &up.colours_off, "even on a terminal"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if ((end = count_parts(&up)) != END_OK)
        return end;
    if (up.detached && background_enter(&end))
        return end;
    notify_open(&up.notify);
    if ((end = house_open(house)) == END_OK)
        end = run(&up);
    house_close(house);
    notify_close(&up.notify);
    return end;
}
