/* What the log says: about the customers' reservations, about the shows' seats, and as a view. */
#include "tests/sim/edges_judge.h"

#include "base/memory.h"

/* One more item behind `count` of them; grows at powers of two. */
static void *grow(void *items, size_t count, size_t item_size)
{
    return count & (count - 1) ? items : memory_grow(items, (count ? 2 * count : 1) * item_size);
}

static void note_seats(struct edges_judge *judge, const struct message *event, int64_t offset)
{
    int show = 0, shows = judge->edges->world->workload->shows;
    char id[16];
    if (!message_has(event, after))
        return;
    while (show < shows && !text_is(event->show_id, world_show_id(show, id)))
        show++;
    if (show == shows)
        return;
    const struct after *after = &event->after;
    size_t count = judge->seats_counts[show]++;
    judge->seats[show] = grow(judge->seats[show], count, sizeof **judge->seats);
    judge->seats[show][count] =
        (struct seats_from){offset, {after->capacity, after->held, after->sold, after->blocked}};
}

static void note(struct edges_judge *judge, const struct place *place,
                 const struct bus_record *record)
{
    static struct message message;
    struct codec_error error;
    if (envelope_read(record, place, &judge->arena, &message, &error) != ENVELOPE_OK)
        return;
    if (topic_is_events(place->topic))
        view_apply(&judge->fold, &message, place);
    note_seats(judge, &message, place->offset);
    const struct customer *customer = message_has(&message, reservation_id)
                                          ? map_find(&judge->customers, message.reservation_id)
                                          : NULL;
    /* What came into the wrong partition was refused there, and no edge says more of it. */
    if (customer == NULL ||
        topic_partition_of(text_of(customer->show_id), WORLD_PARTITIONS) != place->partition)
        return;
    size_t at = (size_t)(customer - judge->edges->customers);
    size_t count = judge->word_counts[at]++;
    judge->words[at] = grow(judge->words[at], count, sizeof **judge->words);
    struct word *word = &judge->words[at][count];
    *word = (struct word){.type = message.type,
                          .topic = place->topic,
                          .offset = place->offset,
                          .id = message.id,
                          .cause_id = message.cause_id,
                          .reason = reason_COUNT,
                          .code = code_COUNT};
    if (message_has(&message, payment_id))
        word->payment_id = message.payment_id;
    else if (message_has(&message, payment))
        word->payment_id = message.payment.payment_id;
    if (message_has(&message, supersedes))
        word->supersedes = message.supersedes;
    if (message_has(&message, fingerprint))
        word->fingerprint = message.fingerprint;
    if (message_has(&message, reason))
        word->reason = message.reason;
    if (message_has(&message, code))
        word->code = message.code;
}

static void read_partition(struct edges_judge *judge, int topic, int partition)
{
    const struct sim *sim = judge->edges->world->sim;
    struct fence fence = fence_start();
    struct fence_reading reading;
    struct bus_record record;
    struct place place = {topic, partition, 0};
    while (place.offset < sim_end(sim, topic, partition)) {
        enum fence_verdict verdict = FENCE_VOID;
        int64_t next = place.offset + 1;
        if (sim_record(sim, topic, partition, place.offset, &record)) { /* else a hole */
            verdict = FENCE_ACCEPTED;
            if (topic_is_events(topic))
                verdict = fence_read(&fence, place.offset, &record, &reading);
            if (verdict == FENCE_DOUBT)
                next = fence.doubt;
            if (verdict == FENCE_CLEARED)
                next = fence.next;
        }
        if (verdict == FENCE_LOST)
            return;
        if (verdict == FENCE_ACCEPTED)
            note(judge, &place, &record);
        place.offset = next;
    }
}

void words_read(struct edges_judge *judge)
{
    struct edges *edges = judge->edges;
    for (int i = 0; i < CUSTOMERS; i++)
        if (edges->customers[i].ask_count)
            map_insert_take(&judge->customers, text_of(edges->customers[i].reservation_id),
                            &edges->customers[i]);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
            read_partition(judge, topic, partition);
}

void words_release(struct edges_judge *judge)
{
    for (int i = 0; i < CUSTOMERS; i++)
        memory_free(judge->words[i]);
    for (int i = 0; i < SHOWS_MAX; i++)
        memory_free(judge->seats[i]);
    view_release(&judge->fold);
    map_release(&judge->customers);
    arena_release(&judge->arena);
}
