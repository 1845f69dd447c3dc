/* The last act of some evenings: the log itself lies. Power was lost under an unflushed broker, a
 * topic was made again, partitions were added, a newer build was here. What must come of it is that
 * somebody says so and stops, never a wrong sale. */
#include "tests/sim/judge.h"

#include <assert.h>
#include <stdio.h>

enum { TAIL_MAX = 8, TURNS = 150, AFTERMATH_MS = 300 * 1000, STEP_MS = 5000 };

struct scene {
    struct world *world;
    int topic, partition;
    bool blackout; /* every process died with it */
};

static const char *say(struct scene *scene, const char *what)
{
    snprintf(scene->world->breach, WORLD_BREACH_SIZE, "%s/%d: %.500s", topic_name(scene->topic),
             scene->partition, what);
    return scene->world->breach;
}

static void restart_all(struct world *world)
{
    for (int i = 0; i < world_process_count(world); i++) {
        if (world->processes[i].bus)
            process_end(world, &world->processes[i], true);
        process_start(world, &world->processes[i]);
    }
}

/* People go on as if nothing had happened. */
static void go_on(struct scene *scene)
{
    struct world *world = scene->world;
    if (scene->blackout)
        restart_all(world);
    for (int i = 0; i < TURNS; i++) {
        if (i % 3 == 0)
            crowd_act(world);
        provider_act(world);
        world_turn(world, false);
        sim_advance(world->sim, 50);
    }
    world_settle(world, AFTERMATH_MS, STEP_MS, true);
}

/* Whether some process decides in the partition as if all were well. */
static bool is_running(const struct world *world, int topic, int partition)
{
    for (int i = 0; i < world_process_count(world); i++) {
        const struct process *process = &world->processes[i];
        if (process->bus && process->descriptor->output == topic &&
            service_phase(process->service, partition) == DESK_RUNNING)
            return true;
    }
    return false;
}

/* ---- a wrong sale ---------------------------------------------------------------------------- */

/* What shows says of its own seats holds whatever became of the other topics. */
static bool sold_wrongly(struct world *world, char *text, size_t size)
{
    static const int invariants[] = {1, 2, 3, 7};
    struct audit_options options = {0};
    struct audit *audit = audit_new(&world->installation, &options);
    bool wrong = false;
    judge_show(world, audit, NULL);
    audit_finish(audit, false, 0);
    for (size_t i = 0; i < sizeof invariants / sizeof *invariants; i++)
        if (audit_breach_count(audit, invariants[i])) {
            const struct audit_breach *first = audit_first(audit);
            wrong = true;
            snprintf(text, size, "a wrong sale after it (invariant %d; first breach: %d, %s)",
                     invariants[i], first->invariant, first->text);
        }
    audit_free(audit);
    return wrong;
}

static const char *verdict(struct scene *scene)
{
    char text[WORLD_BREACH_SIZE];
    return sold_wrongly(scene->world, text, sizeof text) ? say(scene, text) : NULL;
}

/* ---- a tail is lost -------------------------------------------------------------------------- */

static const char *lose_tail(struct scene *scene)
{
    struct world *world = scene->world;
    int64_t end = sim_end(world->sim, scene->topic, scene->partition);
    int64_t lost = 1 + (int64_t)world_dice(world, TAIL_MAX);
    if (end <= lost + 1)
        return NULL;
    world_count(world, POINT_tail_lost);
    story_tell(world, "%s/%d loses its last %lld records%s", topic_name(scene->topic),
               scene->partition, (long long)lost, scene->blackout ? ", and everybody died" : "");
    sim_truncate(world->sim, scene->topic, scene->partition, end - lost);
    go_on(scene);
    return verdict(scene);
}

/* ---- a topic is made again ------------------------------------------------------------------- */

/* Whether the service has said what came of a record of that command topic: so it had read it, and
 * remembers where. A log may have an end without records: offsets of its own, or some that nobody
 * came to read. */
static bool was_answered(const struct world *world, int topic, int partition)
{
    struct bus_record record;
    struct source source;
    for (int64_t at = sim_end(world->sim, topic + 1, partition) - 1; at >= 0; at--)
        if (sim_record(world->sim, topic + 1, partition, at, &record) &&
            source_parse(record_header(&record, "sd_source", NULL), &source) && !source.timer &&
            text_is(source.topic, topic_name(topic)) && source.partition == partition)
            return true;
    return false;
}

static const char *make_again(struct scene *scene)
{
    struct world *world = scene->world;
    bool read_before =
        !topic_is_events(scene->topic) && was_answered(world, scene->topic, scene->partition);
    world_count(world, POINT_topic_made_again);
    story_tell(world, "%s is made again, empty", topic_name(scene->topic));
    for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
        sim_truncate(world->sim, scene->topic, partition, 0);
    go_on(scene);
    if (topic_is_events(scene->topic) && is_running(world, scene->topic, scene->partition))
        return say(scene, "made again, and its service goes on");
    for (int i = 0; i < world_process_count(world) && topic_is_events(scene->topic); i++)
        if (scene->blackout && !world->processes[i].refused)
            return say(scene, "made again, and a service starts on it");
    if (read_before && is_running(world, scene->topic + 1, scene->partition))
        return say(scene, "made again, and whoever had read it goes on");
    return verdict(scene);
}

/* ---- partitions are added -------------------------------------------------------------------- */

static const char *add_partition(struct scene *scene)
{
    struct world *world = scene->world;
    world_count(world, POINT_partition_added);
    story_tell(world, "%s gets a partition", topic_name(scene->topic));
    sim_add_partition(world->sim, scene->topic);
    go_on(scene);
    for (int i = 0; i < world_process_count(world) && scene->blackout; i++)
        if (!world->processes[i].refused)
            return say(scene, "a partition was added, and a service starts on it");
    return verdict(scene);
}

/* ---- a newer build --------------------------------------------------------------------------- */

static void append(struct world *world, int topic, int partition, const char *type,
                   const struct bus_header *more, int count)
{
    struct bus_header headers[4] = {{TEXT("ce_type"), text_of(type)}};
    struct bus_record record = {.value = TEXT("{}"), .headers = headers, .header_count = 1};
    for (int i = 0; i < count; i++)
        headers[record.header_count++] = more[i];
    bus_append(world->crowd_bus, topic, partition, &record, 0);
    sim_advance(world->sim, 1);
}

/* It claimed the partition, said something this build does not know, and went. */
static const char *newer_build(struct scene *scene)
{
    struct world *world = scene->world;
    char claim[64], stamp[64];
    struct bus_record last;
    struct text positions = {NULL, 0};
    int64_t at = sim_end(world->sim, scene->topic, scene->partition);
    for (int64_t i = at - 1; i >= 0 && !positions.size; i--)
        if (sim_record(world->sim, scene->topic, scene->partition, i, &last))
            positions = record_header(&last, "sd_positions", NULL);
    if (!positions.size)
        return NULL;
    world_count(world, POINT_newer_build_was_here);
    story_tell(world, "a newer build takes %s/%d", topic_name(scene->topic), scene->partition);
    snprintf(claim, sizeof claim, "00000000000000ab/%s", world->installation.id);
    snprintf(stamp, sizeof stamp, "%lld-00000000000000ab.1", (long long)at);
    append(world, scene->topic, scene->partition, "stagedoor.bus.Claimed",
           &(struct bus_header){TEXT("sd_claim"), text_of(claim)}, 1);
    const struct bus_header headers[] = {{TEXT("sd_stamp"), text_of(stamp)},
                                         {TEXT("sd_source"), TEXT("timer")},
                                         {TEXT("sd_positions"), positions}};
    append(world, scene->topic, scene->partition, "stagedoor.shows.SeatsBlessed", headers, 3);
    go_on(scene);
    if (is_running(world, scene->topic, scene->partition))
        return say(scene, "a newer build was here, and this one goes on");
    return verdict(scene);
}

const char *disaster(struct world *world)
{
    static const struct {
        enum point point;
        const char *(*strike)(struct scene *scene);
    } kinds[] = {{POINT_tail_lost, lose_tail},
                 {POINT_tail_lost, lose_tail},
                 {POINT_topic_made_again, make_again},
                 {POINT_partition_added, add_partition},
                 {POINT_newer_build_was_here, newer_build}};
    int kind = (int)world_dice(world, sizeof kinds / sizeof *kinds);
    struct scene scene = {world, (int)world_dice(world, TOPIC_COUNT),
                          (int)world_dice(world, WORLD_PARTITIONS), world_dice(world, 2) == 0};
    if (kinds[kind].strike == newer_build)
        scene.topic |= 1; /* an event topic */
    if (world->plan->without[kinds[kind].point])
        return NULL;
    return kinds[kind].strike(&scene);
}
