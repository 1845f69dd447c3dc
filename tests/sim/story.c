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

/* The end of an id, which is where the simulator's differ. */
static void tell_id(const char *what, bool there, struct text id)
{
    if (there && id.size > 4)
        printf(" %s%.4s", what, id.data + id.size - 4);
}

static void tell_number(const char *what, bool there, int64_t number)
{
    if (there)
        printf(" %s %lld", what, (long long)number);
}

static void tell_word(bool there, const char *word)
{
    if (there)
        printf(" %s", word);
}

/* What matters of a message in half a line. */
static void tell_message(const struct place *place, const struct bus_record *record)
{
    static struct message message;
    struct arena arena = {0};
    struct codec_error error;
    const struct message *m = &message;
    if (envelope_read(record, place, &arena, &message, &error) != ENVELOPE_OK) {
        printf("%.*s %.*s", TEXT_PRINT(record_header(record, "ce_type", NULL)),
               record->value.size < 80 ? (int)record->value.size : 80, record->value.data);
    } else {
        printf("%s", message_name(m->type));
        if (message_has(m, show_id))
            printf(" %.*s", TEXT_PRINT(m->show_id));
        tell_id("r", message_has(m, reservation_id), m->reservation_id);
        tell_id("p", message_has(m, payment_id), m->payment_id);
        tell_id("p", message_has(m, payment), m->payment.payment_id);
        tell_id("b", message_has(m, refund_id), m->refund_id);
        if (message_has(m, ticket_id))
            printf(" ticket %.*s", TEXT_PRINT(m->ticket_id));
        if (message_has(m, nonce))
            printf(" nonce %.*s", TEXT_PRINT(m->nonce));
        tell_number("quantity", message_has(m, quantity), m->quantity);
        tell_number("amount", message_has(m, amount_minor), m->amount_minor);
        tell_number("capacity", message_has(m, capacity), m->capacity);
        tell_word(message_has(m, cause), cause_name(m->cause));
        tell_word(message_has(m, result), result_name(m->result));
        tell_word(message_has(m, repaid), repaid_name(m->repaid));
        tell_word(message_has(m, reason), reason_name(m->reason));
        tell_word(message_has(m, code), code_name(m->code));
        if (message_has(m, after))
            printf(" (held %lld, sold %lld, free %lld)", (long long)m->after.held,
                   (long long)m->after.sold, (long long)m->after.free);
    }
    if (!topic_is_events(place->topic))
        printf("  (%.*s)", TEXT_PRINT(m->id));
    arena_release(&arena);
}

/* A doubtful stamp is not followed up here: only what readers would say at once is told. */
static void tell_record(struct world *world, const struct place *place,
                        const struct bus_record *record)
{
    struct fence *fence = &world->story->fences[place->topic][place->partition];
    struct text source = record_header(record, "sd_source", NULL);
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
    printf("%s/%d@%lld%s ", topic_name(place->topic), place->partition, (long long)place->offset,
           word);
    tell_message(place, record);
    if (source.size)
        printf("  <- %.*s", TEXT_PRINT(source));
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
