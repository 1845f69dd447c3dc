/* A fence per partition, and messages for whoever wants to see what was accepted. */
#include "bus/follower.h"

#include "base/memory.h"

#include <assert.h>

struct watched {
    bool followed;
    bool checking; /* the claim it stood at is being read again, before it goes on */
    struct fence fence;
    int64_t began;   /* where it was then */
    int64_t target;  /* the end when the following began; -1: not known yet */
    int64_t reached; /* the bus says that everything before it was delivered */
};

struct follower {
    struct bus *bus;
    struct installation installation;
    uint64_t void_count;
    bool began_beyond;
    struct text only;
    struct watched watched[]; /* TOPIC_COUNT × partition_count */
};

static struct watched *watched_of(const struct follower *follower, int topic, int partition)
{
    assert(topic >= 0 && topic < TOPIC_COUNT);
    return (struct watched *)&follower
        ->watched[topic * follower->installation.partition_count + partition];
}

struct follower *follower_new(struct bus *bus, const struct installation *installation,
                              const int *topics, int topic_count, const struct fence *positions)
{
    int partitions = installation->partition_count;
    size_t count = (size_t)(TOPIC_COUNT * partitions);
    struct follower *follower = memory_new(sizeof *follower + count * sizeof *follower->watched);
    follower->bus = bus;
    follower->installation = *installation;
    for (size_t i = 0; i < count; i++)
        follower->watched[i].fence = positions ? positions[i] : fence_start();
    for (int i = 0; i < topic_count; i++)
        for (int partition = 0; partition < partitions; partition++) {
            struct watched *watched = watched_of(follower, topics[i], partition);
            watched->followed = true;
            watched->began = watched->fence.next;
            if (bus_end(bus, topics[i], partition, &watched->target) != BUS_OK)
                watched->target = -1; /* asked again later */
            follower->began_beyond |= watched->target >= 0 && watched->fence.next > watched->target;
            watched->checking = topic_is_events(topics[i]) && watched->fence.claim >= 0;
            bus_follow(bus, topics[i], partition,
                       watched->checking ? watched->fence.claim : watched->fence.next);
        }
    return follower;
}

void follower_only(struct follower *follower, struct text text)
{
    follower->only = text;
}

static bool holds(struct text text, struct text part)
{
    return text.size >= part.size && memmem(text.data, text.size, part.data, part.size) != NULL;
}

static bool is_wanted(const struct follower *follower, const struct bus_record *record)
{
    if (follower->only.data == NULL || holds(record->value, follower->only) ||
        holds(record->key, follower->only))
        return true;
    for (int i = 0; i < record->header_count && i < BUS_HEADERS_MAX; i++)
        if (holds(record->headers[i].value, follower->only))
            return true;
    return false;
}

void follower_free(struct follower *follower)
{
    if (follower == NULL)
        return;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < follower->installation.partition_count; partition++)
            if (watched_of(follower, topic, partition)->followed)
                bus_unfollow(follower->bus, topic, partition);
    memory_free(follower);
}

void follower_leave(struct follower *follower, int topic, int partition)
{
    bus_unfollow(follower->bus, topic, partition);
    watched_of(follower, topic, partition)->followed = false;
}

static enum follower_news report_lost(struct follower *follower, struct follower_item *item,
                                      const char *why)
{
    follower_leave(follower, item->place.topic, item->place.partition);
    item->why = why;
    return FOLLOWER_LOST;
}

static enum follower_news read_message(struct follower *follower, struct arena *arena,
                                       struct follower_item *item)
{
    struct codec_error error;
    if (!is_wanted(follower, item->record))
        return FOLLOWER_NOTHING;
    enum envelope_result result =
        envelope_read(item->record, &item->place, arena, &item->message, &error);
    if (result == ENVELOPE_OK)
        return FOLLOWER_MESSAGE;
    item->why =
        arena_print(arena, "%s%s%s", error.field, error.field[0] ? ": " : "", error.detail).data;
    if (topic_is_events(item->place.topic))
        return FOLLOWER_STRANGE;
    follower->void_count++;
    return FOLLOWER_VOID;
}

static enum follower_news read_installed(struct follower *follower, struct arena *arena,
                                         struct follower_item *item)
{
    struct codec_error error;
    enum envelope_result result =
        envelope_read(item->record, &item->place, arena, &item->message, &error);
    if (result == ENVELOPE_OK && text_is(item->message.installation, follower->installation.id))
        return FOLLOWER_NOTHING;
    return report_lost(follower, item, "the topic belongs to another installation");
}

/* A log that was cut and grew again would speak of other epochs, and all of it would be void. */
static enum follower_news check_claim(struct follower *follower, struct watched *watched,
                                      struct follower_item *item)
{
    struct fence before = fence_start();
    const struct fence *after = &watched->fence;
    if (item->place.offset != after->claim ||
        fence_read(&before, item->place.offset, item->record, &item->reading) != FENCE_CLAIMED ||
        item->reading.nonce != after->nonce)
        return report_lost(follower, item,
                           "the claim is not there that was read before: it is another log");
    watched->checking = false;
    bus_follow(follower->bus, item->place.topic, item->place.partition, after->next);
    return FOLLOWER_NOTHING;
}

static enum follower_news read_record(struct follower *follower, struct arena *arena,
                                      struct follower_item *item)
{
    struct watched *watched = watched_of(follower, item->place.topic, item->place.partition);
    if (watched->checking)
        return check_claim(follower, watched, item);
    if (!topic_is_events(item->place.topic)) {
        watched->fence.next = item->place.offset + 1;
        return read_message(follower, arena, item);
    }
    enum fence_verdict verdict =
        fence_read(&watched->fence, item->place.offset, item->record, &item->reading);
    item->why = item->reading.why;
    switch (verdict) {
    case FENCE_INSTALLED:
        return read_installed(follower, arena, item);
    case FENCE_VOID:
        follower->void_count++;
        return is_wanted(follower, item->record) ? FOLLOWER_VOID : FOLLOWER_NOTHING;
    case FENCE_CLAIMED:
        if (!text_is(item->reading.installation, follower->installation.id))
            return report_lost(follower, item, "a claim of another installation");
        return FOLLOWER_CLAIM;
    case FENCE_ACCEPTED:
        return read_message(follower, arena, item);
    case FENCE_PROGRESS:
        return FOLLOWER_PROGRESS;
    case FENCE_DOUBT:
        bus_follow(follower->bus, item->place.topic, item->place.partition, watched->fence.doubt);
        return FOLLOWER_NOTHING;
    case FENCE_CLEARED:
        bus_follow(follower->bus, item->place.topic, item->place.partition, watched->fence.next);
        return FOLLOWER_NOTHING;
    case FENCE_LOST:
        return report_lost(follower, item, item->reading.why);
    }
    return FOLLOWER_NOTHING;
}

/* Behind the last record a backend may have offsets of its own, which nobody is ever shown. */
static void note_reached(struct follower *follower, const struct bus_event *event)
{
    struct watched *watched = watched_of(follower, event->topic, event->partition);
    if (watched->followed && !watched->checking && !watched->fence.in_doubt &&
        event->offset > watched->reached)
        watched->reached = event->offset;
}

enum follower_news follower_read(struct follower *follower, const struct bus_event *event,
                                 struct arena *arena, struct follower_item *item)
{
    if (event->type == BUS_CAUGHT_UP)
        note_reached(follower, event);
    if (event->type != BUS_RECORD && event->type != BUS_LOST)
        return FOLLOWER_NOTHING;
    if (!watched_of(follower, event->topic, event->partition)->followed)
        return FOLLOWER_NOTHING;
    *item = (struct follower_item){
        .place = {event->topic, event->partition, event->offset},
        .record = &event->record,
    };
    if (event->type == BUS_LOST)
        return report_lost(follower, item, event->reason);
    return read_record(follower, arena, item);
}

const struct fence *follower_position(const struct follower *follower, int topic, int partition)
{
    return &watched_of(follower, topic, partition)->fence;
}

bool follower_caught_up(const struct follower *follower)
{
    bool all = true;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < follower->installation.partition_count; partition++) {
            struct watched *watched = watched_of(follower, topic, partition);
            if (!watched->followed)
                continue;
            if (watched->target < 0)
                bus_end(follower->bus, topic, partition, &watched->target);
            all = all && watched->target >= 0 && !watched->checking &&
                  (watched->fence.next >= watched->target || watched->reached >= watched->target);
        }
    return all;
}

bool follower_began_beyond(const struct follower *follower)
{
    return follower->began_beyond;
}

uint64_t follower_void_count(const struct follower *follower)
{
    return follower->void_count;
}

struct follower_way follower_way(const struct follower *follower)
{
    struct follower_way way = {0, 0};
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int i = 0; i < follower->installation.partition_count; i++) {
            const struct watched *watched = watched_of(follower, topic, i);
            if (!watched->followed)
                continue;
            int64_t at = watched->fence.next, end = bus_end_heard(follower->bus, topic, i);
            end = end < watched->target ? watched->target : end;
            at = at < watched->reached ? watched->reached : at;
            way.gone += at - watched->began;
            way.all += (end > at ? end : at) - watched->began;
        }
    return way;
}
