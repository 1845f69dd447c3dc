/* The table is the rule; tests/e2e/test_secured.py holds it against a broker that keeps to it. */
#include "cli/acls.h"

#include "bus/topics.h"

#define BIT(topic) (1u << TOPIC_##topic)

enum {
    EVENTS = BIT(SHOWS_EVENTS) | BIT(RESERVATIONS_EVENTS) | BIT(CHECKOUT_EVENTS),
    COMMANDS = BIT(SHOWS_COMMANDS) | BIT(RESERVATIONS_COMMANDS) | BIT(CHECKOUT_COMMANDS),
    ALL = EVENTS | COMMANDS
};

/* All read all events: that the topics belong together is seen by their first records. */
static const struct role {
    const char *user;
    unsigned reads, writes;
    bool has_group; /* of its name */
} roles[] = {
    {"shows", EVENTS | BIT(SHOWS_COMMANDS), BIT(SHOWS_EVENTS), true},
    {"reservations", EVENTS | BIT(RESERVATIONS_COMMANDS), BIT(RESERVATIONS_EVENTS), true},
    {"checkout", EVENTS | BIT(CHECKOUT_COMMANDS), BIT(CHECKOUT_EVENTS), true},
    {"edge", ALL, COMMANDS, false},
    {"paydesk", EVENTS, 0, false},
    {"tools", ALL, 0, false},
};
enum { ROLE_COUNT = sizeof roles / sizeof *roles };

static void put_topics(unsigned topics, const char *prefix, struct buffer *out)
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        if (topics & 1u << topic)
            buffer_print(out, " --topic '%s%s'", prefix, topic_name(topic));
}

static void put_allow(const struct role *role, const char *user_prefix, struct buffer *out)
{
    buffer_print(out, " --allow-principal 'User:%s%s'", user_prefix, role->user);
}

static const char top[] =
    "#!/bin/sh\n"
    "# What each program may do with Kafka, and nothing more. Run it with the rights of an\n"
    "# administrator: sh acls.sh --bootstrap-server HOST:PORT [--command-config FILE]\n"
    "# The topics are made by an administrator, too: stagedoor topics create.\n"
    "set -eu\n"
    "allow() { \"${KAFKA_ACLS:-kafka-acls.sh}\" \"$@\"; }\n";

void acls_print(const char *topic_prefix, const char *user_prefix, struct buffer *out)
{
    const char *prefix = topic_prefix ? topic_prefix : "";
    buffer_print(out, "%s\n# All look whether the topics are fit.\nallow \"$@\" --add", top);
    for (int i = 0; i < ROLE_COUNT; i++)
        put_allow(&roles[i], user_prefix, out);
    buffer_string(out, " --operation Describe --operation DescribeConfigs");
    put_topics(ALL, prefix, out);
    for (int i = 0; i < ROLE_COUNT; i++) {
        const struct role *role = &roles[i];
        buffer_print(out, "\n\n# %s\nallow \"$@\" --add", role->user);
        put_allow(role, user_prefix, out);
        buffer_string(out, " --operation Read");
        put_topics(role->reads, prefix, out);
        if (role->has_group)
            buffer_print(out, " --group '%s%s'", prefix, role->user);
        if (role->writes == 0)
            continue;
        buffer_string(out, "\nallow \"$@\" --add");
        put_allow(role, user_prefix, out);
        buffer_string(out, " --operation Write");
        put_topics(role->writes, prefix, out);
    }
    buffer_string(out, "\n\n# Who writes nowhere has a producer all the same, to ask for the ends "
                       "of partitions.\nallow \"$@\" --add");
    for (int i = 0; i < ROLE_COUNT; i++)
        if (roles[i].writes == 0)
            put_allow(&roles[i], user_prefix, out);
    buffer_string(out, " --operation IdempotentWrite --cluster\n");
}
