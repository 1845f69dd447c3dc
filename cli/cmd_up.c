/* up: the whole theatre on one machine, from one terminal. */
#include "base/clock.h"
#include "base/crc.h"
#include "base/memory.h"
#include "cli/connect.h"
#include "manager/doorway.h"
#include "manager/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DOORWAYS_MAX = SUPERVISOR_FDS_MAX,
    EDGES_MAX = 16,
    INSTANCES_MAX = 16,
    ARGV_MAX = 60,
    PATIENCE_MS = 10 * 1000, /* then say what is waited for */
    NAME_SIZE = 32,
    GROUP_INSTANCE_SIZE = 64
};

static const char *const services[] = {"shows", "reservations", "checkout"};
enum { SERVICE_COUNT = sizeof services / sizeof *services };
_Static_assert(SERVICE_COUNT *INSTANCES_MAX + EDGES_MAX + 4 <= SUPERVISOR_CHILDREN_MAX,
               "ready, seed and the paydesk have room beside them");

struct up {
    const struct command *command;
    struct log_options log;
    struct option_list listen, edge_args;
    const char *paydesk; /* its script; NULL: none */
    int64_t instance_count, edge_count, partition_count;
    bool seed, colours_off;

    char folder[PATH_MAX]; /* of the programs */
    struct buffer bus_url;
    uint32_t identity; /* tells this installation's members from those of another `up` */
    struct doorway doorways[DOORWAYS_MAX];
    int doorway_count;
    struct supervisor *supervisor;
    bool ready[SERVICE_COUNT][INSTANCES_MAX];
    bool edge_ready, open;
    int end;
};

/* ---- before anything runs -------------------------------------------------------------------- */
static bool make_folder(const char *path)
{
    char part[PATH_MAX];
    struct stat found;
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    if (mkdir(part, 0700) != 0 && errno != EEXIST)
        return false;
    return stat(part, &found) == 0 && S_ISDIR(found.st_mode);
}

/* One `up` a folder: the lock goes with the process. */
static int take_folder(struct up *up)
{
    char path[PATH_MAX + 300], real[PATH_MAX];
    if (!make_folder(up->log.data) || realpath(up->log.data, real) == NULL)
        return command_fail(up->command, END_SYSTEM, "cannot make folder '%s': %s", up->log.data,
                            strerror(errno));
    snprintf(path, sizeof path, "%s/up.lock", real);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return command_fail(up->command, END_SYSTEM, "cannot write '%s': %s", path,
                            strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0)
        return command_fail(up->command, END_SYSTEM,
                            "stagedoor is running already in folder '%s'; another: --data DIR",
                            up->log.data);
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    snprintf(path, sizeof path, "%s:%s", host, real);
    up->identity = crc32_of(path, strlen(path));
    return END_OK;
}

static void print_program(const struct up *up, const char *name, struct buffer *out)
{
    buffer_clear(out);
    buffer_print(out, "%s/stagedoor%s%s", up->folder, name[0] ? "-" : "", name);
}

static int find_programs(struct up *up)
{
    const char *names[] = {"shows", "reservations", "checkout", "edge",
                           up->paydesk ? "paydesk" : "edge"};
    ssize_t size = readlink("/proc/self/exe", up->folder, sizeof up->folder - 1);
    if (size <= 0)
        return command_fail(up->command, END_SYSTEM, "cannot find my own program: %s",
                            strerror(errno));
    up->folder[size] = '\0';
    *strrchr(up->folder, '/') = '\0';
    struct buffer path = {0};
    int end = END_OK;
    for (size_t i = 0; end == END_OK && i < sizeof names / sizeof *names; i++) {
        print_program(up, names[i], &path);
        if (access(path.data, X_OK) != 0)
            end = command_fail(up->command, END_SYSTEM, "cannot run '%s': %s; try: make all",
                               path.data, strerror(errno));
    }
    buffer_release(&path);
    return end;
}

static int open_doorways(struct up *up)
{
    char error[DOORWAY_TEXT_SIZE + 200];
    if (up->listen.count == 0)
        up->listen.items[up->listen.count++] = text_of("127.0.0.1:3000");
    if (up->listen.count > DOORWAYS_MAX)
        return command_fail(up->command, END_USAGE, "at most %d --listen", DOORWAYS_MAX);
    for (int i = 0; i < up->listen.count; i++) {
        struct doorway *doorway = &up->doorways[i];
        struct text text = up->listen.items[i];
        if (!doorway_parse(text, doorway))
            return command_fail(up->command, END_USAGE,
                                "'%.*s' is no address to listen on; like 127.0.0.1:3000",
                                TEXT_PRINT(text));
        up->doorway_count++;
        if (!doorway_open(doorway, error, sizeof error))
            return command_fail(up->command, END_SYSTEM, "%s", error);
    }
    return END_OK;
}

static void close_doorways(struct up *up)
{
    for (int i = 0; i < up->doorway_count; i++)
        doorway_close(&up->doorways[i]);
}

/* The topics are made here, before anyone could run into their absence. */
static int make_log(struct up *up)
{
    struct installation installation;
    int end;
    struct bus *bus =
        log_open(up->command, &up->log, true, (int)up->partition_count, &installation, &end);
    bus_close(bus);
    log_url(&up->log, &up->bus_url);
    return end == END_NO ? END_SYSTEM : end;
}

/* ---- the company ----------------------------------------------------------------------------- */
/* Arguments being gathered; the texts stay alive as long as this. */
struct arguments {
    char *items[ARGV_MAX + 1];
    int count;
};

static void add_argument(struct arguments *arguments, const char *argument)
{
    assert(arguments->count < ARGV_MAX);
    arguments->items[arguments->count++] = strdup(argument);
}

static void add_option(struct arguments *arguments, const char *name, const char *value)
{
    if (value == NULL)
        return;
    add_argument(arguments, name);
    add_argument(arguments, value);
}

static void add_program(struct arguments *arguments, const struct up *up, const char *name)
{
    struct buffer path = {0};
    print_program(up, name, &path);
    add_argument(arguments, path.data);
    buffer_release(&path);
}

static void arguments_release(struct arguments *arguments)
{
    for (int i = 0; i < arguments->count; i++)
        free(arguments->items[i]);
}

static void instance_name(const struct up *up, int service, int instance, char out[NAME_SIZE])
{
    if (up->instance_count == 1)
        snprintf(out, NAME_SIZE, "%s", services[service]);
    else
        snprintf(out, NAME_SIZE, "%s-%d", services[service], instance + 1);
}

static void start_service(struct up *up, int service, int instance)
{
    char name[NAME_SIZE], member[GROUP_INSTANCE_SIZE];
    struct arguments arguments = {.count = 0};
    instance_name(up, service, instance, name);
    snprintf(member, sizeof member, "%s-%d-%08x", services[service], instance + 1, up->identity);
    add_program(&arguments, up, services[service]);
    add_option(&arguments, "--bus", up->bus_url.data);
    add_option(&arguments, "--group-instance", member);
    add_option(&arguments, "--topic-prefix", up->log.topic_prefix);
    struct child_spec spec = {
        .name = name, .role = CHILD_SERVICE, .argv = (const char *const *)arguments.items};
    supervisor_add(up->supervisor, &spec);
    arguments_release(&arguments);
}

/* The paydesk asks nothing of a customer, so it has no page: who goes there to pay comes straight
 * back to the shows. */
static const char *pay_url(const struct up *up, struct buffer *out)
{
    char url[DOORWAY_TEXT_SIZE];
    buffer_print(out, "paydesk=%s/?payment={payment_id}", doorway_url(&up->doorways[0], url));
    return up->paydesk ? out->data : NULL;
}

/* All edges take their connections from the same sockets and believe the same keys; each has a
 * register of its own. */
static void start_edge(struct up *up, int number)
{
    struct arguments arguments = {.count = 0};
    struct buffer env = {0}, pay = {0}, data = {0};
    int fds[DOORWAYS_MAX];
    char text[DOORWAY_TEXT_SIZE], name[NAME_SIZE] = "edge";
    buffer_string(&data, up->log.data);
    if (number > 0) {
        snprintf(name, sizeof name, "edge-%d", number + 1);
        buffer_print(&data, "/%s", name);
    }
    add_program(&arguments, up, "edge");
    add_option(&arguments, "--bus", up->bus_url.data);
    add_option(&arguments, "--data", data.data);
    add_option(&arguments, "--keys", up->log.data);
    add_option(&arguments, "--topic-prefix", up->log.topic_prefix);
    add_option(&arguments, "--pay-url", pay_url(up, &pay));
    buffer_string(&env, "STAGEDOOR_LISTEN_FDS=");
    for (int i = 0; i < up->doorway_count; i++) {
        add_option(&arguments, "--listen", doorway_print(&up->doorways[i], true, text));
        buffer_print(&env, "%s%d=%s", i ? "," : "", STDERR_FILENO + 1 + i,
                     doorway_print(&up->doorways[i], false, text));
        fds[i] = up->doorways[i].fd;
    }
    for (int i = 0; i < up->edge_args.count; i++) {
        struct text copy = text_copy(up->edge_args.items[i]);
        add_argument(&arguments, copy.data);
        text_free(&copy);
    }
    struct child_spec spec = {.name = name,
                              .role = CHILD_EDGE,
                              .argv = (const char *const *)arguments.items,
                              .env = env.data,
                              .fds = fds,
                              .fd_count = up->doorway_count};
    supervisor_add(up->supervisor, &spec);
    arguments_release(&arguments);
    buffer_release(&data);
    buffer_release(&pay);
    buffer_release(&env);
}

/* Its secret lies among the edge's keys, so it is started when they are there for sure. */
static void start_paydesk(struct up *up)
{
    char url[DOORWAY_TEXT_SIZE];
    struct arguments arguments = {.count = 0};
    struct buffer keys = {0};
    const char *secret = getenv("STAGEDOOR_PAYDESK_SECRET");
    buffer_print(&keys, "%s/keys", up->log.data);
    add_program(&arguments, up, "paydesk");
    add_option(&arguments, "--bus", up->bus_url.data);
    add_option(&arguments, "--data", up->log.data);
    add_option(&arguments, "--topic-prefix", up->log.topic_prefix);
    add_option(&arguments, "--edge", doorway_url(&up->doorways[0], url));
    add_option(&arguments, "--script", up->paydesk);
    add_option(&arguments, "--secret-file", secret && secret[0] ? NULL : keys.data);
    struct child_spec spec = {
        .name = "paydesk", .role = CHILD_EDGE, .argv = (const char *const *)arguments.items};
    supervisor_add(up->supervisor, &spec);
    arguments_release(&arguments);
    buffer_release(&keys);
}

/* One of our own commands, once. */
static void start_task(struct up *up, const char *name, const char *option, const char *value)
{
    char url[DOORWAY_TEXT_SIZE];
    struct arguments arguments = {.count = 0};
    add_program(&arguments, up, "");
    add_argument(&arguments, name);
    add_option(&arguments, "--url", doorway_url(&up->doorways[0], url));
    add_option(&arguments, option, value);
    if (strcmp(name, "ready") == 0)
        add_argument(&arguments, "--quiet");
    struct child_spec spec = {
        .name = name, .role = CHILD_TASK, .argv = (const char *const *)arguments.items};
    supervisor_add(up->supervisor, &spec);
    arguments_release(&arguments);
}

/* ---- the evening ----------------------------------------------------------------------------- */
static void note_ready(struct up *up, const char *who)
{
    char name[NAME_SIZE];
    for (int service = 0; service < SERVICE_COUNT; service++)
        for (int instance = 0; instance < up->instance_count; instance++) {
            instance_name(up, service, instance, name);
            if (strcmp(name, who) == 0)
                up->ready[service][instance] = true;
        }
}

/* Who has not said yet that it is ready; the empty text: everyone has. */
static void print_missing(const struct up *up, struct buffer *out)
{
    char name[NAME_SIZE];
    for (int service = 0; service < SERVICE_COUNT; service++)
        for (int instance = 0; instance < up->instance_count; instance++) {
            instance_name(up, service, instance, name);
            if (!up->ready[service][instance])
                buffer_print(out, "%s%s", out->size ? ", " : "", name);
        }
    if (!up->edge_ready)
        buffer_print(out, "%sedge", out->size ? ", " : "");
}

static void announce(struct up *up)
{
    char url[DOORWAY_TEXT_SIZE], key[KEY_SIZE_MAX];
    doorway_url(&up->doorways[0], url);
    printf("open: %s\n", url);
    if (read_signin(up->log.data, key))
        printf("sign in: %s/boxoffice#key=%s\n", url, key);
    fflush(stdout);
    up->open = true;
    if (up->paydesk)
        start_paydesk(up);
    if (up->seed)
        start_task(up, "seed", "--data", up->log.data);
}

static void task_ended(struct up *up, const char *name, int code)
{
    if (strcmp(name, "ready") == 0 && code == END_OK)
        up->edge_ready = true;
    else if (strcmp(name, "ready") == 0 && !supervisor_stopping(up->supervisor))
        supervisor_say(up->supervisor, "cannot tell whether the edge is ready; stop and try again");
    else if (strcmp(name, "seed") == 0 && code != END_OK)
        supervisor_say(up->supervisor, "seeding failed; try again with: stagedoor seed");
}

static void take_news(struct up *up, const struct supervisor_event *event)
{
    switch (event->news) {
    case SUPERVISOR_READY:
        note_ready(up, event->name);
        return;
    case SUPERVISOR_TASK_END:
        task_ended(up, event->name, event->code);
        return;
    case SUPERVISOR_MISUSED:
        supervisor_say(up->supervisor, "%s does not take its arguments (above); stopping",
                       event->name);
        up->end = END_USAGE;
        supervisor_stop(up->supervisor);
        return;
    case SUPERVISOR_NOTHING:
    case SUPERVISOR_STOPPED:
        return;
    }
}

static int run_all(struct up *up)
{
    int64_t started_at_ms = clock_monotonic_ms(), say_at_ms = started_at_ms + PATIENCE_MS;
    for (;;) {
        struct supervisor_event event = supervisor_poll(up->supervisor, 1000);
        if (event.news == SUPERVISOR_STOPPED)
            return up->end;
        take_news(up, &event);
        if (supervisor_stopping(up->supervisor)) {
            close_doorways(up);
            continue;
        }
        if (up->open)
            continue;
        struct buffer missing = {0};
        print_missing(up, &missing);
        if (missing.size == 0) {
            announce(up);
        } else if (clock_monotonic_ms() >= say_at_ms) {
            supervisor_say(up->supervisor, "still waiting for %s", missing.data);
            say_at_ms += PATIENCE_MS;
        }
        buffer_release(&missing);
    }
}

static int run(struct up *up)
{
    bool colours = !up->colours_off && isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;
    up->supervisor = supervisor_new(STDERR_FILENO, colours);
    if (up->supervisor == NULL)
        return command_fail(up->command, END_SYSTEM, "cannot listen for signals: %s",
                            strerror(errno));
    for (int service = 0; service < SERVICE_COUNT; service++)
        for (int instance = 0; instance < up->instance_count; instance++)
            start_service(up, service, instance);
    for (int number = 0; number < up->edge_count; number++)
        start_edge(up, number);
    start_task(up, "ready", "--wait", "86400");
    int end = run_all(up);
    supervisor_free(up->supervisor);
    return end;
}

int command_up(const struct command *command, int argc, char **argv)
{
    struct up up = {
        .command = command, .log = {.data = DATA_DEFAULT}, .instance_count = 1, .edge_count = 1};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&up.log),
        OPTION_LIST("listen", "HOST:PORT[=ROLE]", "STAGEDOOR_LISTEN", &up.listen,
                    "where the edge answers, repeatable (127.0.0.1:3000)"),
        OPTION_FLAG("seed", 0, "STAGEDOOR_SEED", &up.seed,
                    "load the sample's shows once it is open"),
        OPTION_COUNT("instances", 0, "N", "STAGEDOOR_INSTANCES", &up.instance_count, 1,
                     INSTANCES_MAX, "of each service; they share the partitions (1)"),
        OPTION_COUNT("edges", 0, "N", "STAGEDOOR_EDGES", &up.edge_count, 1, EDGES_MAX,
                     "at the same address (1)"),
        OPTION_COUNT("partitions", 0, "N", "STAGEDOOR_PARTITIONS", &up.partition_count, 1,
                     PARTITIONS_MAX, "of every topic, when they are made (4)"),
        OPTION_LIST("edge-arg", "ARG", "STAGEDOOR_EDGE_ARGS", &up.edge_args,
                    "one more argument of stagedoor-edge, repeatable"),
        OPTION_TEXT("paydesk", "SCRIPT", NULL, &up.paydesk,
                    "a payment provider to develop against as well; 'succeed', or a script as in "
                    "stagedoor-paydesk --help"),
        OPTION_FLAG("no-colour", 0, NULL, &up.colours_off, "even on a terminal"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if ((end = find_programs(&up)) == END_OK && (end = take_folder(&up)) == END_OK &&
        (end = open_doorways(&up)) == END_OK && (end = make_log(&up)) == END_OK)
        end = run(&up);
    close_doorways(&up);
    buffer_release(&up.bus_url);
    return end;
}
