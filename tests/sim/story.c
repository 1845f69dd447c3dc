/* The story of one run, for people: what struck whom, and what was written, as it happens. */
#include "tests/sim/world.h"

#include "base/memory.h"

#include <stdio.h>

struct story {
    struct fence fences[TOPIC_COUNT][WORLD_PARTITIONS];
    int64_t read[TOPIC_COUNT][WORLD_PARTITIONS];
};

void story_open(struct world *world)
{
    world->story = memory_new(sizeof *world->story);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
            world->story->fences[topic][partition] = fence_start();
}

void story_free(struct world *world)
{
    memory_free(world->story);
    world->story = NULL;
}

static void print_time(const struct world *world)
{
    printf("%10.3f s  ", (double)(sim_now_ms(world->sim) - WORLD_START_MS) / 1000);
}

void story_tell(struct world *world, const char *format, ...)
{
    va_list arguments;
    if (!world->story)
        return;
    print_time(world);
    printf("** ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static const char *verdict_word(enum fence_verdict verdict)
{
    switch (verdict) {
    case FENCE_ACCEPTED:
    case FENCE_PROGRESS:
        return "";
    case FENCE_CLAIMED:
        return " (a new owner)";
    case FENCE_INSTALLED:
        return " (the installation)";
    case FENCE_VOID:
        return " (void)";
    case FENCE_DOUBT:
    case FENCE_CLEARED:
    case FENCE_LOST:
        return " (a claim that nobody read)";
    }
    return "";
}

/* A doubtful stamp is not followed up here: only what readers would say at once is told. */
static void tell_record(struct world *world, const struct place *place,
                        const struct bus_record *record)
{
    struct fence *fence = &world->story->fences[place->topic][place->partition];
    struct text type = record_header(record, "ce_type", NULL),
                source = record_header(record, "sd_source", NULL);
    struct fence_reading reading;
    const char *word = "";
    if (topic_is_events(place->topic)) {
        enum fence_verdict verdict = fence_read(fence, place->offset, record, &reading);
        word = verdict_word(verdict);
        if (verdict == FENCE_DOUBT) {
            fence->in_doubt = false;
            fence->next = place->offset + 1;
        }
    }
    print_time(world);
    printf("%s/%d@%lld%s %.*s %.*s", topic_name(place->topic), place->partition,
           (long long)place->offset, word, TEXT_PRINT(type),
           record->value.size < 2000 ? (int)record->value.size : 20, record->value.data);
    if (source.size)
        printf(" <- %.*s", TEXT_PRINT(source));
    printf("\n");
}

void story_read(struct world *world)
{
    struct bus_record record;
    if (!world->story)
        return;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
            for (int64_t *at = &world->story->read[topic][partition];
                 *at < sim_end(world->sim, topic, partition); ++*at) {
                struct place place = {topic, partition, *at};
                if (sim_record(world->sim, topic, partition, *at, &record))
                    tell_record(world, &place, &record);
            }
}
