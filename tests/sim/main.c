/* stagedoor-sim: runs seeds, each twice, and judges them.
 *
 *     stagedoor-sim --seeds N [--from S] [--rounds R]     prints "N passed, N failed" and what was
 * covered stagedoor-sim --seed X --trace                      one seed, with every accepted event
 */
#include "tests/sim/world.h"

#include "base/clock.h"
#include "base/log.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS_DEFAULT = 1200 };

/* `breach` NULL: nobody judges it. */
static uint64_t run_seed(uint64_t seed, int rounds, bool trace, struct tally *tally,
                         const char **breach)
{
    struct world *world = world_new(seed, tally, trace);
    world_run(world, rounds);
    if (breach)
        *breach = judge(world);
    uint64_t hash = world_hash(world);
    world_free(world);
    return hash;
}

static bool passes(uint64_t seed, int rounds, bool trace, struct tally *tally)
{
    static struct tally second;
    const char *breach;
    uint64_t hash = run_seed(seed, rounds, trace, tally, &breach);
    if (breach) {
        printf("seed %llu: %s\n", (unsigned long long)seed, breach);
        return false;
    }
    if (run_seed(seed, rounds, false, &second, NULL) == hash)
        return true;
    printf("seed %llu: two runs differ\n", (unsigned long long)seed);
    return false;
}

/* A point that never fired was not tested. */
static int print_point(const char *name, uint64_t count)
{
    printf("  %-24s %llu%s\n", name, (unsigned long long)count, count ? "" : "   <- never");
    return count == 0;
}

/* The whole vocabulary is spoken. Refused{internal} needs a core that dies: tests/unit. */
static int print_words(const struct tally *tally)
{
    int missing = 0;
    for (enum message_type type = 0; type < MESSAGE_COUNT; type++)
        if (message_role(type) == ROLE_EVENT)
            missing += print_point(message_name(type), tally->by_type[type]);
    for (enum reason reason = 0; reason < reason_COUNT; reason++)
        missing += print_point(reason_name(reason), tally->by_reason[reason]);
    for (enum code code = 0; code < code_COUNT; code++)
        if (code != code_internal)
            missing += print_point(code_name(code), tally->by_code[code]);
    return missing;
}

static int print_tally(const struct tally *tally)
{
    const struct sim_counts *faults = &tally->faults;
    int missing = 0;
    printf("%llu commands, %llu outcomes, %llu repeats without one; %llu claims, %llu fenced, %llu "
           "stepped "
           "down, %llu void records, %llu lost\n",
           (unsigned long long)tally->commands, (unsigned long long)tally->outcomes,
           (unsigned long long)tally->repeats, (unsigned long long)tally->claims,
           (unsigned long long)tally->fenced, (unsigned long long)tally->stepped_down,
           (unsigned long long)tally->voids, (unsigned long long)tally->lost);
    missing += print_point("crash", tally->crashes);
    missing += print_point("freeze", tally->freezes);
    missing += print_point("clock step", tally->clock_steps);
    missing += print_point("long wait", tally->long_waits);
    missing += print_point("append lost", faults->append_lost);
    missing += print_point("append lied", faults->append_lied);
    missing += print_point("append doubled", faults->append_doubled);
    missing += print_point("append late", faults->append_late);
    missing += print_point("suffix lost", faults->suffix_lost);
    missing += print_point("queue full", faults->queue_full);
    missing += print_point("delivery delayed", faults->delivery_delayed);
    missing += print_point("rebalance", faults->rebalance);
    missing += print_point("doubtful stamp", tally->doubts);
    missing += print_point("fenced", tally->fenced);
    missing += print_point("stepped down", tally->stepped_down);
    missing += print_words(tally);
    return missing;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'n'},  {"from", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},   {"trace", no_argument, NULL, 't'},
        {"rounds", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0},
    };
    static struct tally tally;
    uint64_t from = 1, count = 100;
    int rounds = ROUNDS_DEFAULT, failed = 0;
    bool trace = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return 100;
        if (option == 'n')
            count = strtoull(optarg, NULL, 10);
        else if (option == 'f')
            from = strtoull(optarg, NULL, 10);
        else if (option == 's')
            from = strtoull(optarg, NULL, 10), count = 1;
        else if (option == 'r')
            rounds = atoi(optarg);
        else
            trace = true;
    }
    log_set_level(trace ? LOG_INFO : LOG_ERROR);
    int64_t start_ms = clock_monotonic_ms();
    for (uint64_t seed = from; seed < from + count; seed++)
        failed += !passes(seed, rounds, trace, &tally);
    int64_t took_ms = clock_monotonic_ms() - start_ms + 1;
    int missing = print_tally(&tally);
    printf("%.1f seeds/s, each run twice\n", (double)count * 1000 / (double)took_ms);
    printf("%llu passed, %d failed\n", (unsigned long long)count - (unsigned)failed, failed);
    return failed || (missing && count >= 1000);
}
