#include "cli/log_walk.h"

#include "audit/parts.h"
#include "base/clock.h"
#include "bus/fence.h"

enum { POLL_MS = 100, PATIENCE_MS = 30 * 1000 };

struct walk {
    const struct command *command;
    struct bus *bus;
    int partition_count;
    const struct log_walk_wish *wish;
    struct log_sum *sum; /* its ends are how far we are */
    int64_t ends[TOPIC_COUNT][PARTITIONS_MAX];
    bool followed[TOPIC_COUNT][PARTITIONS_MAX]; /* as long as we are before the end */
    struct buffer line;
    int64_t heard_ms;
};

#define FOR_WAYS(walk, topic, partition)                                                           \
    for (int topic = 0; topic < TOPIC_COUNT; topic++)                                              \
        for (int partition = 0; partition < (walk)->partition_count; partition++)

/* ---- the ends -------------------------------------------------------------------------------- */
static int read_end(struct walk *walk, int topic, int partition)
{
    if (bus_end(walk->bus, topic, partition, &walk->ends[topic][partition]) == BUS_OK)
        return END_OK;
    return command_fail(walk->command, END_SYSTEM, "cannot read the end of %s/%d; try again",
                        topic_name(topic), partition);
}

static void choose(struct walk *walk, int topic, int partition)
{
    int64_t next = walk->sum->ends[topic][partition];
    bool wanted = next < walk->ends[topic][partition];
    if (wanted == walk->followed[topic][partition])
        return;
    walk->followed[topic][partition] = wanted;
    if (wanted)
        bus_follow(walk->bus, topic, partition, next);
    else
        bus_unfollow(walk->bus, topic, partition);
}

static int begin(struct walk *walk)
{
    FOR_WAYS(walk, topic, partition)
    {
        int end = read_end(walk, topic, partition);
        if (end != END_OK)
            return end;
    }
    FOR_WAYS(walk, topic, partition) choose(walk, topic, partition);
    return END_OK;
}

static bool is_done(const struct walk *walk)
{
    FOR_WAYS(walk, topic, partition)
    if (walk->sum->ends[topic][partition] < walk->ends[topic][partition])
        return false;
    return true;
}

static const struct part *writer_of(int topic)
{
    for (int i = 0; i < SERVICES; i++)
        if (parts[i].output == topic)
            return &parts[i];
    return NULL;
}

/* A stranger may have written any positions: no end is set behind the log's own. */
static int reach(struct walk *walk, int topic, int partition, int64_t wanted)
{
    if (wanted <= walk->ends[topic][partition])
        return END_OK;
    int end = read_end(walk, topic, partition);
    if (end == END_OK && walk->ends[topic][partition] > wanted)
        walk->ends[topic][partition] = wanted;
    choose(walk, topic, partition);
    return end;
}

static int reach_all(struct walk *walk, const struct bus_event *event)
{
    struct fence positions[FENCE_INPUTS_MAX];
    const struct part *part = writer_of(event->topic);
    int end = END_OK;
    if (part == NULL || !positions_parse(record_header(&event->record, "sd_positions", NULL),
                                         positions, part->input_count))
        return END_OK;
    for (int i = 0; i < part->input_count && end == END_OK; i++)
        end = reach(walk, part->inputs[i], event->partition, positions[i].next);
    return end;
}

/* ---- the records ----------------------------------------------------------------------------- */
static int hole(const struct walk *walk, const struct place *place, int64_t next)
{
    return command_fail(walk->command, END_NO,
                        "%s/%d has no record at offset %lld, and one behind it: somebody wrote to "
                        "it in a Kafka transaction; such a log cannot be copied place by place",
                        topic_name(place->topic), place->partition, (long long)next);
}

static int take_record(struct walk *walk, const struct bus_event *event)
{
    struct place place = {event->topic, event->partition, event->offset};
    int64_t next = walk->sum->ends[event->topic][event->partition];
    if (event->offset != next)
        return hole(walk, &place, next);
    buffer_clear(&walk->line);
    log_line_put_record(&walk->line, &place, &event->record);
    log_sum_add(walk->sum, &place, buffer_view(&walk->line));
    int end = reach_all(walk, event);
    if (end == END_OK && walk->wish && walk->wish->take &&
        !walk->wish->take(walk->wish->context, buffer_view(&walk->line)))
        end = END_SYSTEM;
    choose(walk, event->topic, event->partition); /* the record is no longer looked at */
    return end;
}

static int take(struct walk *walk, const struct bus_event *event)
{
    struct place place = {event->topic, event->partition, event->offset};
    int64_t next = walk->sum->ends[event->topic][event->partition];
    walk->heard_ms = clock_monotonic_ms();
    switch ((int)event->type) {
    case BUS_RECORD:
        return take_record(walk, event);
    case BUS_CAUGHT_UP:
        if (event->offset > next && next < walk->ends[event->topic][event->partition])
            return hole(walk, &place, next);
        return END_OK;
    case BUS_LOST:
        return command_fail(walk->command, END_NO, "%s/%d@%lld: lost: %s", topic_name(place.topic),
                            place.partition, (long long)place.offset, event->reason);
    case BUS_DOWN:
        command_fail(walk->command, END_SYSTEM, "%s; trying again",
                     event->reason ? event->reason : "the connection is lost");
    }
    return END_OK;
}

int log_walk(const struct command *command, struct bus *bus, int partition_count,
             const struct log_walk_wish *wish, struct log_sum *sum)
{
    static struct walk walk;
    walk = (struct walk){.command = command,
                         .bus = bus,
                         .partition_count = partition_count,
                         .wish = wish,
                         .sum = sum,
                         .heard_ms = clock_monotonic_ms()};
    *sum = (struct log_sum){0};
    int end = begin(&walk);
    while (end == END_OK && !is_done(&walk)) {
        struct bus_event event;
        if (bus_poll(bus, POLL_MS, &event))
            end = take(&walk, &event);
        if (end == END_OK && clock_monotonic_ms() - walk.heard_ms > PATIENCE_MS)
            end = command_fail(command, END_SYSTEM,
                               "the log has not answered for %d s; is it running? try: stagedoor "
                               "topics check",
                               PATIENCE_MS / 1000);
    }
    FOR_WAYS(&walk, topic, partition) bus_unfollow(bus, topic, partition);
    buffer_release(&walk.line);
    return end;
}
