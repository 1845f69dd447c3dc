/* A point that never fired was not tested. */
#include "tests/sim/tally.h"

#include <stdio.h>

void tally_add(struct tally *sum, const struct tally *more)
{
    uint64_t *to = (uint64_t *)(void *)sum;
    const uint64_t *from = (const uint64_t *)(const void *)more;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

static int print_count(const char *name, uint64_t count)
{
    printf("  %-28s %llu%s\n", name, (unsigned long long)count, count ? "" : "   <- never");
    return count == 0;
}

/* The whole vocabulary is spoken. Refused{internal} needs a core that dies: tests/unit. */
static int print_words(const struct tally *tally)
{
    int missing = 0;
    for (enum message_type type = 0; type < MESSAGE_COUNT; type++)
        if (message_role(type) == ROLE_EVENT)
            missing += print_count(message_name(type), tally->by_type[type]);
    for (enum reason reason = 0; reason < reason_COUNT; reason++)
        missing += print_count(reason_name(reason), tally->by_reason[reason]);
    for (enum code code = 0; code < code_COUNT; code++)
        if (code != code_internal)
            missing += print_count(code_name(code), tally->by_code[code]);
    return missing;
}

int tally_print(const struct tally *tally)
{
    int missing = 0;
    printf("%llu runs, %llu commands, %llu outcomes, %llu repeats without one; %llu claims, %llu "
           "void records, %llu times lost\n",
           (unsigned long long)tally->runs, (unsigned long long)tally->commands,
           (unsigned long long)tally->outcomes, (unsigned long long)tally->repeats,
           (unsigned long long)tally->claims, (unsigned long long)tally->voids,
           (unsigned long long)tally->lost);
    for (int i = 0; workload_at(i); i++)
        missing += print_count(workload_at(i)->name, tally->by_workload[i]);
    for (int i = 0; i < POINT_COUNT; i++)
        missing += print_count(point_name((enum point)i), tally->points[i]);
    return missing + print_words(tally);
}
