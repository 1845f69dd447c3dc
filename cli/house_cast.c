/* Who is started with which arguments. */
#include "cli/house.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGV_MAX = 60, MEMBER_SIZE = 64 };

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

/* Where whoever runs the house asks this instance how it is (docs/metrics.md). */
static void add_admin(struct arguments *arguments, const struct house *house, const char *name)
{
    struct buffer address = {0};
    buffer_print(&address, "unix:%s/" HOUSE_ADMIN_FOLDER "/%s", house->log.data, name);
    add_option(arguments, "--admin", address.data);
    buffer_release(&address);
}

static void add_program(struct arguments *arguments, const struct house *house, const char *name)
{
    struct buffer path = {0};
    house_program(house, name, &path);
    add_argument(arguments, path.data);
    buffer_release(&path);
}

static void arguments_release(struct arguments *arguments)
{
    for (int i = 0; i < arguments->count; i++)
        free(arguments->items[i]);
}

static void cast_service(struct house *house, const char *part, const char *name)
{
    char member[MEMBER_SIZE];
    struct arguments arguments = {.count = 0};
    snprintf(member, sizeof member, "%s-%08x", name, house->identity);
    add_program(&arguments, house, part);
    add_option(&arguments, "--bus", house->bus_url.data);
    add_option(&arguments, "--group-instance", member);
    add_admin(&arguments, house, name);
    add_option(&arguments, "--topic-prefix", house->log.bus.topic_prefix);
    struct child_spec spec = {
        .name = name, .role = CHILD_SERVICE, .argv = (const char *const *)arguments.items};
    supervisor_add(house->supervisor, &spec);
    arguments_release(&arguments);
}

/* The paydesk asks nothing of a customer, so it has no page: who goes there to pay comes straight
 * back to the shows. */
static const char *pay_url(const struct house *house, struct buffer *out)
{
    char url[DOORWAY_TEXT_SIZE];
    buffer_print(out, "paydesk=%s/?payment={payment_id}", doorway_url(&house->doorways[0], url));
    return house->paydesk ? out->data : NULL;
}

/* All edges take their connections from the same sockets and believe the same keys; each has a
 * register of its own. */
static void cast_edge(struct house *house, int number, const char *name)
{
    struct arguments arguments = {.count = 0};
    struct buffer env = {0}, pay = {0}, data = {0};
    int fds[HOUSE_DOORWAYS_MAX];
    char text[DOORWAY_TEXT_SIZE];
    buffer_string(&data, house->log.data);
    if (number > 1)
        buffer_print(&data, "/%s", name);
    add_program(&arguments, house, "edge");
    add_option(&arguments, "--bus", house->bus_url.data);
    add_option(&arguments, "--data", data.data);
    add_option(&arguments, "--keys", house->log.data);
    add_admin(&arguments, house, name);
    add_option(&arguments, "--topic-prefix", house->log.bus.topic_prefix);
    add_option(&arguments, "--pay-url", pay_url(house, &pay));
    buffer_string(&env, "STAGEDOOR_LISTEN_FDS=");
    for (int i = 0; i < house->doorway_count; i++) {
        add_option(&arguments, "--listen", doorway_print(&house->doorways[i], true, text));
        buffer_print(&env, "%s%d=%s", i ? "," : "", STDERR_FILENO + 1 + i,
                     doorway_print(&house->doorways[i], false, text));
        fds[i] = house->doorways[i].fd;
    }
    for (int i = 0; i < house->edge_args.count; i++) {
        struct text copy = text_copy(house->edge_args.items[i]);
        add_argument(&arguments, copy.data);
        text_free(&copy);
    }
    struct child_spec spec = {.name = name,
                              .role = CHILD_EDGE,
                              .argv = (const char *const *)arguments.items,
                              .env = env.data,
                              .fds = fds,
                              .fd_count = house->doorway_count};
    supervisor_add(house->supervisor, &spec);
    arguments_release(&arguments);
    buffer_release(&data);
    buffer_release(&pay);
    buffer_release(&env);
}

/* Its secret lies among the edge's keys, so it is started when they are there for sure. */
static void cast_paydesk(struct house *house, const char *name)
{
    char url[DOORWAY_TEXT_SIZE];
    struct arguments arguments = {.count = 0};
    struct buffer keys = {0};
    const char *secret = getenv("STAGEDOOR_PAYDESK_SECRET");
    buffer_print(&keys, "%s/keys", house->log.data);
    add_program(&arguments, house, "paydesk");
    add_admin(&arguments, house, name);
    add_option(&arguments, "--bus", house->bus_url.data);
    add_option(&arguments, "--data", house->log.data);
    add_option(&arguments, "--topic-prefix", house->log.bus.topic_prefix);
    add_option(&arguments, "--edge", doorway_url(&house->doorways[0], url));
    add_option(&arguments, "--script", house->paydesk);
    add_option(&arguments, "--secret-file", secret && secret[0] ? NULL : keys.data);
    struct child_spec spec = {
        .name = name, .role = CHILD_EDGE, .argv = (const char *const *)arguments.items};
    supervisor_add(house->supervisor, &spec);
    arguments_release(&arguments);
    buffer_release(&keys);
}

void house_cast(void *context, const char *part, int number, const char *name)
{
    struct house *house = context;
    if (strcmp(part, "edge") == 0)
        cast_edge(house, number, name);
    else if (strcmp(part, "paydesk") == 0)
        cast_paydesk(house, name);
    else
        cast_service(house, part, name);
}

/* One of our own commands, once. */
void house_task(struct house *house, const char *name, const char *option, const char *value)
{
    char url[DOORWAY_TEXT_SIZE];
    struct arguments arguments = {.count = 0};
    add_program(&arguments, house, "");
    add_argument(&arguments, name);
    add_option(&arguments, "--url", doorway_url(&house->doorways[0], url));
    add_option(&arguments, option, value);
    if (strcmp(name, "ready") == 0)
        add_argument(&arguments, "--quiet");
    struct child_spec spec = {
        .name = name, .role = CHILD_TASK, .argv = (const char *const *)arguments.items};
    supervisor_add(house->supervisor, &spec);
    arguments_release(&arguments);
}
