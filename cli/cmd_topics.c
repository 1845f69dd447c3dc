/* topics: making the log, and looking whether it is fit to sell from. */
#include "cli/acls.h"
#include "cli/connect.h"

#include <stdio.h>
#include <string.h>

static int print_topics(const struct command *command, struct bus *bus,
                        const struct installation *installation)
{
    printf("installation %s, %d partitions\n", installation->id, installation->partition_count);
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        printf("%-22s", topic_name(topic));
        for (int partition = 0; partition < installation->partition_count; partition++) {
            int64_t end;
            if (bus_end(bus, topic, partition, &end) != BUS_OK) {
                printf("\n");
                return command_fail(command, END_SYSTEM, "cannot read the end of %s/%d",
                                    topic_name(topic), partition);
            }
            printf(" %8lld", (long long)end);
        }
        printf("\n");
    }
    return END_OK;
}

static int print_acls(const char *topic_prefix, const char *user_prefix)
{
    struct buffer out = {0};
    acls_print(topic_prefix, user_prefix, &out);
    fputs(out.data, stdout);
    buffer_release(&out);
    return END_OK;
}

int command_topics(const struct command *command, int argc, char **argv)
{
    struct log_options log = {0};
    int64_t partition_count = 0;
    const char *user_prefix = "";
    const struct option_spec specs[] = {
        LOG_OPTIONS(&log),
        OPTION_COUNT("partitions", 0, "N", NULL, &partition_count, 1, PARTITIONS_MAX,
                     "of every topic; fixed once they are made (create: 4; check: what is there)"),
        OPTION_TEXT("user-prefix", "TEXT", NULL, &user_prefix,
                    "acls: put before shows, reservations, checkout, edge, paydesk and tools"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (operands.count == 1 && strcmp(operands.items[0], "acls") == 0)
        return print_acls(log.bus.topic_prefix, user_prefix);
    bool create = operands.count == 1 && strcmp(operands.items[0], "create") == 0;
    if (operands.count != 1 || (!create && strcmp(operands.items[0], "check") != 0))
        return command_fail(command, END_USAGE, "say create, check or acls; see --help");
    struct installation installation;
    struct bus *bus = log_open(command, &log, create, (int)partition_count, &installation, &end);
    if (bus == NULL)
        return end;
    end = print_topics(command, bus, &installation);
    bus_close(bus);
    return end;
}
