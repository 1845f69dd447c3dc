/* The judge: shows every record of every topic to the auditor, which knows the invariants, with the
 * cores deciding everything again; and looks at what only the world knows: who owns what when all
 * has come to rest, and what the owners remember. The first breach is told with its place. */
#include "tests/sim/world.h"

#include "services/shows/shows_core.h"
#include "tests/sim/judge.h"

#include <stdio.h>

enum { TIMER_SLACK_MS = 10000 }; /* the last steps of the clock, and turns that were missed */

struct judge {
    struct world *world;
    struct audit *audit;
    struct coverage coverage;
};

__attribute__((format(printf, 3, 4))) static void
breach(struct judge *judge, const struct place *place, const char *format, ...)
{
    char *text = judge->world->breach;
    va_list arguments;
    if (text[0])
        return;
    int size = snprintf(text, WORLD_BREACH_SIZE, "%s/%d@%lld: ", topic_name(place->topic),
                        place->partition, (long long)place->offset);
    va_start(arguments, format);
    vsnprintf(text + size, WORLD_BREACH_SIZE - (size_t)size, format, arguments);
    va_end(arguments);
}

/* ---- the log --------------------------------------------------------------------------------- */

/* A record of each topic in turn, so that the auditor has little to keep. */
void judge_show(const struct world *world, struct audit *audit, struct coverage *coverage)
{
    const struct sim *sim = world->sim;
    struct bus_record record;
    bool more = true;
    for (int64_t offset = 0; more; offset++) {
        more = false;
        for (int topic = 0; topic < TOPIC_COUNT; topic++)
            for (int partition = 0; partition < WORLD_PARTITIONS; partition++) {
                struct place place = {topic, partition, offset};
                if (offset >= sim_end(sim, topic, partition))
                    continue;
                more = true;
                if (!sim_record(sim, topic, partition, offset, &record)) {
                    audit_reached(audit, topic, partition, offset + 1);
                    continue;
                }
                if (coverage)
                    coverage_record(coverage, &place, &record);
                audit_read(audit, &place, &record);
            }
    }
}

static void tell(struct judge *judge)
{
    const struct audit_counts *counts = audit_counts(judge->audit);
    const struct audit_breach *first = audit_first(judge->audit);
    struct tally *tally = judge->world->tally;
    tally->outcomes += counts->outcomes;
    tally->repeats += counts->repeats;
    tally->points[POINT_doubtful_stamp] += counts->doubts;
    for (int i = 0; i < MESSAGE_COUNT; i++)
        tally->by_type[i] += counts->by_type[i];
    for (int i = 0; i < reason_COUNT; i++)
        tally->by_reason[i] += counts->by_reason[i];
    for (int i = 0; i < code_COUNT; i++)
        tally->by_code[i] += counts->by_code[i];
    if (first)
        breach(judge, &first->place, "invariant %d: %s", first->invariant, first->text);
}

/* ---- at rest --------------------------------------------------------------------------------- */

/* The owner's state is the fold. */
static void check_state(struct judge *judge, const struct service *service, int partition)
{
    for (int show = 0; show < judge->world->workload->shows; show++) {
        char id[16];
        struct place place = {TOPIC_SHOWS_EVENTS, partition, -1};
        struct text show_id = text_of(world_show_id(show, id));
        struct after told, seats;
        if (topic_partition_of(show_id, WORLD_PARTITIONS) != partition)
            continue;
        bool there = audit_seats(judge->audit, show_id, &told);
        if (shows_seats(service_state(service, partition), show_id, &seats) != there ||
            (there &&
             (seats.sold != told.sold || seats.held != told.held || seats.blocked != told.blocked)))
            breach(judge, &place, "the owner's state is not the fold");
    }
}

static void check_partition(struct judge *judge, int k, int partition)
{
    struct world *world = judge->world;
    struct place place = {world->processes[k * world->instances].descriptor->output, partition, -1};
    int owners = 0;
    for (int i = 0; i < world->instances; i++) {
        const struct service *service = world->processes[k * world->instances + i].service;
        if (service_phase(service, partition) != DESK_RUNNING)
            continue;
        owners++;
        if (place.topic == TOPIC_SHOWS_EVENTS)
            check_state(judge, service, partition);
    }
    if (owners != 1)
        breach(judge, &place, "liveness: %d owners at rest", owners);
}

const char *judge(struct world *world)
{
    struct judge judge = {.world = world};
    struct audit_options options = {
        .replay = true, .told = coverage_event, .context = &judge.coverage};
    options.steady_clock = world->clock_back_ms == 0;
    coverage_open(&judge.coverage, world);
    judge.audit = audit_new(&world->installation, &options);
    judge_show(world, judge.audit, &judge.coverage);
    audit_finish(judge.audit, true, sim_log_ms(world->sim) - TIMER_SLACK_MS);
    tell(&judge);
    for (int k = 0; k < WORLD_SERVICES; k++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
            check_partition(&judge, k, partition);
    audit_free(judge.audit);
    coverage_release(&judge.coverage);
    return world->breach[0] ? world->breach : NULL;
}
