/* Of the first ones of all partitions, the oldest whose cause was told. */
#include "api/feed.h"

#include "base/memory.h"

void feed_init(struct feed *feed, int partition_count, const struct fence *positions)
{
    size_t count = (size_t)(TOPIC_COUNT * partition_count);
    *feed = (struct feed){.partition_count = partition_count};
    feed->queues = memory_new(count * sizeof *feed->queues);
    feed->positions = memory_new(count * sizeof *feed->positions);
    memcpy(feed->positions, positions, count * sizeof *positions);
}

void feed_item_free(struct feed_item *item)
{
    buffer_release(&item->text);
    memory_free(item);
}

void feed_release(struct feed *feed)
{
    for (int i = 0; i < TOPIC_COUNT * feed->partition_count; i++)
        for (struct feed_item *next, *item = feed->queues[i].first; item; item = next) {
            next = item->next;
            feed_item_free(item);
        }
    memory_free(feed->queues);
    memory_free(feed->positions);
}

static int number_of(const struct feed *feed, const struct place *place)
{
    return place->topic * feed->partition_count + place->partition;
}

const struct feed_queue *feed_queue_of(const struct feed *feed, int topic, int partition)
{
    return &feed->queues[topic * feed->partition_count + partition];
}

void feed_add(struct feed *feed, struct feed_item *item)
{
    struct feed_queue *queue = &feed->queues[number_of(feed, &item->place)];
    item->next = NULL;
    if (queue->last)
        queue->last->next = item;
    else
        queue->first = item;
    queue->last = item;
    queue->count++;
    queue->told_count += item->text.size > 0;
}

static bool may_be_told(const struct feed *feed, const struct feed_item *item)
{
    return !item->caused || item->cause.partition >= feed->partition_count ||
           feed->positions[number_of(feed, &item->cause)].next > item->cause.offset;
}

struct feed_item *feed_next(struct feed *feed)
{
    struct feed_queue *found = NULL;
    for (int i = 0; i < TOPIC_COUNT * feed->partition_count; i++) {
        struct feed_item *first = feed->queues[i].first;
        if (first && may_be_told(feed, first) &&
            (found == NULL || first->append_ms < found->first->append_ms))
            found = &feed->queues[i];
    }
    if (found == NULL)
        return NULL;
    struct feed_item *item = found->first;
    found->first = item->next;
    if (found->first == NULL)
        found->last = NULL;
    feed->positions[number_of(feed, &item->place)] = item->after;
    return item;
}
