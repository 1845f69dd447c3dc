/* The judge: shows every record of every topic to the auditor, which knows the invariants, with the
 * cores deciding everything again; and looks at what only the world knows: who owns what when all
 * has come to rest, and what the owners remember. The first breach is told with its place. */
#include "tests/sim/world.h"

#include "audit/audit.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_core.h"
#include "services/shows/shows_service.h"

#include <stdio.h>

enum { TIMER_SLACK_MS = 10000 }; /* the last steps of the clock, and turns that were missed */

struct judge {
    struct world *world;
    struct audit *audit;
    char text[600]; /* "": no breach */
};

static const struct service_descriptor *const services[] = {&shows_service, &reservations_service,
                                                            &checkout_service};

__attribute__((format(printf, 3, 4))) static void
breach(struct judge *judge, const struct place *place, const char *format, ...)
{
    va_list arguments;
    if (judge->text[0])
        return;
    int size = snprintf(judge->text, sizeof judge->text, "%s/%d@%lld: ", topic_name(place->topic),
                        place->partition, (long long)place->offset);
    va_start(arguments, format);
    vsnprintf(judge->text + size, sizeof judge->text - (size_t)size, format, arguments);
    va_end(arguments);
}

/* ---- the log --------------------------------------------------------------------------------- */

static void trace(void *context, const struct place *place, const struct message *event,
                  struct text source, struct text value)
{
    (void)context;
    printf("%s/%d@%lld %s %.*s %.*s\n", topic_name(place->topic), place->partition,
           (long long)place->offset, message_name(event->type), TEXT_PRINT(value),
           TEXT_PRINT(source));
}

/* A record of each topic in turn, so that the auditor has little to keep. */
static void read_log(struct judge *judge)
{
    struct bus_record record;
    bool more = true;
    for (int64_t offset = 0; more; offset++) {
        more = false;
        for (int topic = 0; topic < TOPIC_COUNT; topic++)
            for (int partition = 0; partition < WORLD_PARTITIONS; partition++) {
                struct place place = {topic, partition, offset};
                if (!sim_record(judge->world->sim, topic, partition, offset, &record))
                    continue;
                audit_read(judge->audit, &place, &record);
                more = true;
            }
    }
    audit_finish(judge->audit, true, sim_log_ms(judge->world->sim) - TIMER_SLACK_MS);
}

static void tell(struct judge *judge)
{
    const struct audit_counts *counts = audit_counts(judge->audit);
    const struct audit_breach *first = audit_first(judge->audit);
    struct tally *tally = judge->world->tally;
    tally->outcomes += counts->outcomes;
    tally->repeats += counts->repeats;
    tally->doubts += counts->doubts;
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
    for (int show = 0; show < WORLD_SHOWS; show++) {
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

static void check_owners(struct judge *judge)
{
    for (int k = 0; k < WORLD_SERVICES; k++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++) {
            struct place place = {services[k]->output, partition, -1};
            int owners = 0;
            for (int i = 0; i < WORLD_INSTANCES; i++) {
                const struct service *service =
                    judge->world->processes[k * WORLD_INSTANCES + i].service;
                if (service_phase(service, partition) != DESK_RUNNING)
                    continue;
                owners++;
                if (k == 0)
                    check_state(judge, service, partition);
            }
            if (owners != 1)
                breach(judge, &place, "liveness: %d owners at rest", owners);
        }
}

const char *judge(struct world *world)
{
    static struct judge judge;
    struct audit_options options = {.replay = true, .told = world->trace ? trace : NULL};
    judge = (struct judge){.world = world};
    judge.audit = audit_new(&world->installation, &options);
    read_log(&judge);
    tell(&judge);
    check_owners(&judge);
    audit_free(judge.audit);
    return judge.text[0] ? judge.text : NULL;
}
