/* A follower of the moment: to the end as it is now, and away. */
#include "api/log_questions.h"

#include "api/feed.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/rfc3339.h"
#include "bus/follower.h"
#include "schemas/json.h"
#include "story/flow.h"
#include "story/subject.h"

#include <string.h>

enum {
    POLL_MS = 10,
    FEED_READ_MAX = 2000 /* records of one partition that one feed looks through */
};

static const int event_topics[FEED_TOPIC_COUNT] = {TOPIC_SHOWS_EVENTS, TOPIC_RESERVATIONS_EVENTS,
                                                   TOPIC_CHECKOUT_EVENTS};

/* One reading. `take` sees every record. */
struct reading {
    const struct clerk *clerk;
    struct bus *bus;
    struct follower *follower;
    struct arena arena;
    struct follower_item item;
    bool lost;
    void (*take)(struct reading *reading, const struct bus_event *event, enum follower_news news);
    void (*put)(struct reading *reading, struct buffer *result); /* all was read */
};

/* Until everything was read; false: it took too long, or is no longer wanted. */
static bool read_to_end(struct reading *reading)
{
    int64_t until_ms = clock_monotonic_ms() + LOG_WAIT_MS;
    struct bus_event event;
    reading->lost = follower_began_beyond(reading->follower);
    while (!reading->lost && !follower_caught_up(reading->follower)) {
        if (clock_monotonic_ms() > until_ms || atomic_load(reading->clerk->over))
            return false;
        if (!bus_poll(reading->bus, POLL_MS, &event))
            continue;
        arena_reset(&reading->arena);
        enum follower_news news =
            follower_read(reading->follower, &event, &reading->arena, &reading->item);
        reading->lost |= news == FOLLOWER_LOST;
        if (event.type == BUS_RECORD && !reading->lost)
            reading->take(reading, &event, news);
    }
    return true;
}

/* Reads to the end, says how that went, and lets the follower go. */
static void answer_by(struct reading *reading, struct buffer *result)
{
    if (!read_to_end(reading))
        buffer_byte(result, LOG_UNREACHABLE);
    else if (reading->lost)
        buffer_byte(result, LOG_OTHER);
    else
        reading->put(reading, result);
    follower_free(reading->follower);
    arena_release(&reading->arena);
}

/* ---- cursors --------------------------------------------------------------------------------- */

void feed_positions(const struct fence *all, int partition_count, struct fence *fences)
{
    for (int i = 0; i < FEED_TOPIC_COUNT * partition_count; i++)
        fences[i] = fence_position(
            &all[event_topics[i / partition_count] * partition_count + i % partition_count]);
}

void feed_cursor_print(const struct fence *fences, int partition_count, struct buffer *out)
{
    positions_print(fences, FEED_TOPIC_COUNT * partition_count, out);
}

bool feed_cursor_parse(struct text cursor, int partition_count, struct fence *fences)
{
    return positions_parse(cursor, fences, FEED_TOPIC_COUNT * partition_count);
}

/* ---- the feed -------------------------------------------------------------------------------- */

struct feed_reading {
    struct reading reading; /* first: `take` knows it by this address */
    struct feed feed;
    const struct feed_wish *wish;
    bool cut; /* some partition was not read to its end */
};

static bool is_wished(const struct feed_wish *wish, struct text type)
{
    struct text rest = wish->types;
    while (rest.size) {
        struct text each = text_trim(text_cut(&rest, ','));
        bool whole = text_equal(each, type);
        bool last = each.size && each.size < type.size &&
                    memcmp(type.data + type.size - each.size, each.data, each.size) == 0 &&
                    type.data[type.size - each.size - 1] == '.';
        if (whole || last)
            return true;
    }
    return wish->types.size == 0;
}

/* Attributes as they are in the record, the place in the log, and the data. */
static void put_event(struct buffer *out, const struct follower_item *item)
{
    const struct bus_record *record = item->record;
    struct buffer place = {0};
    size_t at;
    json_put_open(out, NULL, '{');
    for (int i = 0; i < record->header_count && i < BUS_HEADERS_MAX; i++) {
        char name[32];
        struct text attribute = record->headers[i].name;
        bool is_traceparent = text_is(attribute, "traceparent");
        if (!is_traceparent && !text_starts(attribute, "ce_"))
            continue;
        size_t skipped = is_traceparent ? 0 : strlen("ce_");
        if (attribute.size - skipped >= sizeof name)
            continue;
        memcpy(name, attribute.data + skipped, attribute.size - skipped);
        name[attribute.size - skipped] = '\0';
        json_put_text(out, name, record->headers[i].value);
    }
    place_print(&item->place, &place);
    json_put_text(out, "position", buffer_view(&place));
    json_put_text(out, "datacontenttype", text_of("application/json"));
    if (json_problem(record->value, &at) == NULL)
        json_put_raw(out, "data", record->value);
    json_put_close(out, '}');
    buffer_release(&place);
}

static void find_cause(struct feed_item *item, struct text source_text)
{
    struct source source;
    if (!source_parse(source_text, &source) || source.timer)
        return;
    item->cause = (struct place){topic_named(source.topic), source.partition, source.offset};
    item->caused = item->cause.topic >= 0 && topic_is_events(item->cause.topic);
}

static void take_event(struct reading *reading, const struct bus_event *event,
                       enum follower_news news)
{
    struct feed_reading *self = memory_owner(reading, struct feed_reading, reading);
    const struct fence *after =
        follower_position(reading->follower, event->topic, event->partition);
    bool accepted = news == FOLLOWER_MESSAGE || news == FOLLOWER_STRANGE;
    if (after->in_doubt || after->next != event->offset + 1)
        return; /* it is read again */
    struct feed_item *item = memory_new(sizeof *item);
    item->place = reading->item.place;
    item->append_ms = event->record.append_ms;
    item->after = fence_position(after);
    if (accepted)
        find_cause(item, reading->item.reading.source);
    if (accepted && is_wished(self->wish, reading->item.reading.type))
        put_event(&item->text, &reading->item);
    feed_add(&self->feed, item);
    const struct feed_queue *queue = feed_queue_of(&self->feed, event->topic, event->partition);
    if (queue->told_count >= self->wish->limit || queue->count >= FEED_READ_MAX) {
        follower_leave(reading->follower, event->topic, event->partition);
        self->cut = true;
    }
}

static struct fence *all_positions(const struct feed_wish *wish, int partition_count)
{
    struct fence *all = memory_new((size_t)(TOPIC_COUNT * partition_count) * sizeof *all);
    for (int i = 0; i < TOPIC_COUNT * partition_count; i++)
        all[i] = fence_start();
    for (int i = 0; i < FEED_TOPIC_COUNT && wish->positions; i++)
        memcpy(&all[event_topics[i] * partition_count], &wish->positions[i * partition_count],
               (size_t)partition_count * sizeof *all);
    return all;
}

static void put_cursor(const struct feed *feed, struct buffer *result)
{
    int partitions = feed->partition_count;
    struct fence *fences = memory_new((size_t)(FEED_TOPIC_COUNT * partitions) * sizeof *fences);
    feed_positions(feed->positions, partitions, fences);
    feed_cursor_print(fences, partitions, result);
    memory_free(fences);
}

static void put_feed(struct reading *reading, struct buffer *result)
{
    struct feed_reading *self = memory_owner(reading, struct feed_reading, reading);
    struct buffer list = {0};
    struct feed_item *item = NULL;
    int64_t count = 0;
    while (count < self->wish->limit && (item = feed_next(&self->feed)) != NULL) {
        if (item->text.size) {
            buffer_print(&list, "%s%s", count ? "," : "", item->text.data);
            count++;
        }
        feed_item_free(item);
    }
    buffer_byte(result, self->cut || count == self->wish->limit ? LOG_MORE : LOG_END);
    put_cursor(&self->feed, result);
    buffer_byte(result, '\n');
    buffer_text(result, buffer_view(&list));
    buffer_release(&list);
}

void log_feed(struct clerk *clerk, struct request *request, struct buffer *result)
{
    const struct installation *installation = &clerk->edge->installation;
    struct feed_reading self = {
        .reading = {clerk, clerk_log(clerk), .take = take_event, .put = put_feed},
        .wish = request->errand.details};
    if (self.reading.bus == NULL) {
        buffer_byte(result, LOG_UNREACHABLE);
        return;
    }
    struct fence *positions = all_positions(self.wish, installation->partition_count);
    feed_init(&self.feed, installation->partition_count, positions);
    self.reading.follower =
        follower_new(self.reading.bus, installation, event_topics, FEED_TOPIC_COUNT, positions);
    answer_by(&self.reading, result);
    feed_release(&self.feed);
    memory_free(positions);
}

/* ---- the story of a reservation -------------------------------------------------------------- */

struct flow_reading {
    struct reading reading; /* first: `take` knows it by this address */
    struct text reservation_id;
    struct record_list list;
};

static void take_step(struct reading *reading, const struct bus_event *event,
                      enum follower_news news)
{
    struct flow_reading *self = memory_owner(reading, struct flow_reading, reading);
    bool unreadable = news == FOLLOWER_VOID && !topic_is_events(event->topic);
    if ((news == FOLLOWER_MESSAGE || unreadable) &&
        subject_of(&reading->item.message, self->reservation_id) != SUBJECT_NONE)
        record_list_add(&self->list, news, &reading->item);
}

static void put_flow(struct reading *reading, struct buffer *result)
{
    struct flow_reading *self = memory_owner(reading, struct flow_reading, reading);
    struct flow flow;
    struct buffer members = {0};
    record_list_sort(&self->list);
    flow_build(&flow, &self->list);
    flow_print_json(&flow, &members);
    buffer_byte(result, LOG_END);
    buffer_text(result, buffer_view(&members));
    buffer_release(&members);
    flow_release(&flow);
}

void log_flow(struct clerk *clerk, struct request *request, struct buffer *result)
{
    static const int all_topics[TOPIC_COUNT] = {0, 1, 2, 3, 4, 5};
    const struct installation *installation = &clerk->edge->installation;
    struct flow_reading self = {
        .reading = {clerk, clerk_log(clerk), .take = take_step, .put = put_flow},
        .reservation_id = text_of(request->errand.reservation_id)};
    if (self.reading.bus == NULL) {
        buffer_byte(result, LOG_UNREACHABLE);
        return;
    }
    int own = topic_partition_of(text_of(request->errand.show_id), installation->partition_count);
    self.reading.follower =
        follower_new(self.reading.bus, installation, all_topics, TOPIC_COUNT, NULL);
    follower_only(self.reading.follower, self.reservation_id);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < installation->partition_count; partition++)
            if (partition != own)
                follower_leave(self.reading.follower, topic, partition);
    answer_by(&self.reading, result);
    record_list_release(&self.list);
}
