/* Running, running again, shrinking. */
#include "tests/sim/run.h"

#include "tests/sim/memo.h"

#include <stdio.h>
#include <string.h>

static void run(const struct plan *plan, struct tally *tally, bool tell, bool judged,
                struct run_result *result)
{
    memo_use(judged);
    struct world *world = world_new(plan, tally, tell);
    const char *breach = world_run(world, judged);
    snprintf(result->breach, sizeof result->breach, "%s", breach ? breach : "");
    result->hash = world_hash(world);
    world_free(world);
    memo_forget();
}

void run_once(const struct plan *plan, struct tally *tally, bool tell, struct run_result *result)
{
    run(plan, tally, tell, true, result);
}

void run_twice(const struct plan *plan, struct tally *tally, struct run_result *result)
{
    static struct tally uncounted;
    struct run_result again;
    run(plan, tally, false, true, result);
    if (result->breach[0])
        return;
    run(plan, &uncounted, false, false, &again);
    if (again.hash != result->hash)
        snprintf(result->breach, sizeof result->breach, "two runs of it differ");
}

/* ---- shrinking ------------------------------------------------------------------------------- */

static bool fails(const struct plan *plan, uint64_t *hash)
{
    static struct tally uncounted;
    struct run_result result;
    run_once(plan, &uncounted, false, &result);
    *hash = result.hash;
    return result.breach[0] != '\0';
}

static void shrink_rounds(struct plan *plan, int *tries)
{
    uint64_t hash;
    for (int step = plan->rounds / 2; step > 0 && *tries > 0; step /= 2)
        while (plan->rounds > step && (*tries)-- > 0) {
            struct plan smaller = *plan;
            smaller.rounds -= step;
            if (!fails(&smaller, &hash))
                break;
            *plan = smaller;
        }
}

/* What makes no difference is not left out: it would only be told. */
static void shrink_points(struct plan *plan, int *tries)
{
    static struct tally seen;
    struct run_result result;
    seen = (struct tally){0};
    run_once(plan, &seen, false, &result);
    for (int i = 0; i<POINT_COUNT && * tries> 0; i++) {
        uint64_t hash;
        if (plan->without[i] || !seen.points[i])
            continue;
        plan->without[i] = true;
        --*tries;
        if (!fails(plan, &hash) || hash == result.hash)
            plan->without[i] = false;
        else
            result.hash = hash;
    }
}

void run_shrink(struct plan *plan, int tries)
{
    if (!plan->workload)
        plan->workload = workload_of(plan->seed);
    if (!plan->rounds)
        plan->rounds = plan->workload->rounds;
    shrink_rounds(plan, &tries);
    shrink_points(plan, &tries);
    shrink_rounds(plan, &tries);
}

void plan_print(const struct plan *plan)
{
    const char *before = " --without ";
    printf("--seed %llu", (unsigned long long)plan->seed);
    if (plan->rounds)
        printf(" --rounds %d", plan->rounds);
    if (plan->workload)
        printf(" --workload %s", plan->workload->name);
    for (int i = 0; i < POINT_COUNT; i++)
        if (plan->without[i]) {
            printf("%s%s", before, point_name((enum point)i));
            before = ",";
        }
    printf("\n");
}
