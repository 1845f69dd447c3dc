/* The reading for the auditor: every partition to its end, in the order the auditor can use. */
#include "cli/log_audit.h"

#include "base/clock.h"
#include "cli/verify_print.h"

#include <stdio.h>
#include <unistd.h>

enum {
    POLL_MS = 100,
    TURN = 256,       /* records, before looking which partitions to read on with */
    PROGRESS_MS = 200 /* between two looks of the bar */
};

/* One partition of one topic, on its way to its end. */
struct way {
    int64_t next, end;
    bool followed;
};

struct judging {
    const struct command *command;
    struct bus *bus;
    struct installation installation;
    struct audit *audit;
    struct way ways[TOPIC_COUNT][PARTITIONS_MAX];
    uint64_t read, total;
    bool bar;
    int64_t began_ms, shown_ms;
};

/* ---- the bar --------------------------------------------------------------------------------- */

static void show_progress(struct judging *judging)
{
    struct buffer line = {0};
    int64_t now_ms = clock_monotonic_ms();
    if (!judging->bar || now_ms < judging->shown_ms + PROGRESS_MS)
        return;
    judging->shown_ms = now_ms;
    verify_print_progress(judging->read, judging->total,
                          judging->read * 1000 / (uint64_t)(now_ms - judging->began_ms + 1), &line);
    fwrite(line.data, 1, line.size, stderr);
    buffer_release(&line);
}

static void clear_progress(const struct judging *judging)
{
    if (judging->bar)
        fprintf(stderr, "\r\033[K");
}

/* ---- reading --------------------------------------------------------------------------------- */

#define FOR_WAYS(judging, topic, partition)                                                        \
    for (int topic = 0; topic < TOPIC_COUNT; topic++)                                              \
        for (int partition = 0; partition < (judging)->installation.partition_count; partition++)

static bool at_end(const struct way *way)
{
    return way->next >= way->end;
}

static void follow(struct judging *judging, int topic, int partition)
{
    struct way *way = &judging->ways[topic][partition];
    if (way->followed || at_end(way))
        return;
    way->followed = true;
    bus_follow(judging->bus, topic, partition, way->next);
}

static void unfollow(struct judging *judging, int topic, int partition)
{
    judging->ways[topic][partition].followed = false;
    bus_unfollow(judging->bus, topic, partition);
}

static int read_ends(struct judging *judging)
{
    FOR_WAYS(judging, topic, partition)
    {
        struct way *way = &judging->ways[topic][partition];
        if (bus_end(judging->bus, topic, partition, &way->end) != BUS_OK)
            return command_fail(judging->command, END_SYSTEM,
                                "cannot read the end of %s/%d; try again", topic_name(topic),
                                partition);
        judging->total += (uint64_t)way->end;
    }
    return END_OK;
}

/* Reads on with what the auditor can use next; else with everything. false: all was read. */
static bool choose_ways(struct judging *judging)
{
    bool left = false, any = false;
    FOR_WAYS(judging, topic, partition)
    {
        const struct way *way = &judging->ways[topic][partition];
        left = left || !at_end(way);
        if (audit_wants(judging->audit, topic, partition))
            follow(judging, topic, partition);
        else if (way->followed)
            unfollow(judging, topic, partition);
        any = any || way->followed;
    }
    if (left && !any)
        FOR_WAYS(judging, topic, partition) follow(judging, topic, partition);
    return left;
}

/* Everything below `offset` was delivered. */
static void pass(struct judging *judging, const struct bus_event *event, int64_t offset)
{
    struct way *way = &judging->ways[event->topic][event->partition];
    if (offset > way->next)
        way->next = offset;
    if (!at_end(way))
        return;
    audit_reached(judging->audit, event->topic, event->partition, way->end);
    if (way->followed)
        unfollow(judging, event->topic, event->partition);
}

static int take(struct judging *judging, const struct bus_event *event)
{
    struct place place = {event->topic, event->partition, event->offset};
    switch ((int)event->type) {
    case BUS_RECORD:
        if (event->offset < judging->ways[event->topic][event->partition].end) {
            audit_read(judging->audit, &place, &event->record);
            judging->read++;
        }
        pass(judging, event, event->offset + 1);
        break;
    case BUS_CAUGHT_UP:
        pass(judging, event, event->offset);
        break;
    case BUS_LOST:
        return command_fail(judging->command, END_NO, "%s/%d@%lld: lost: %s",
                            topic_name(event->topic), event->partition, (long long)event->offset,
                            event->reason);
    case BUS_DOWN:
        command_fail(judging->command, END_SYSTEM, "%s; trying again",
                     event->reason ? event->reason : "the connection is lost");
        break;
    }
    return END_OK;
}

static int read_log(struct judging *judging)
{
    int end = END_OK;
    while (end == END_OK && choose_ways(judging)) {
        struct bus_event event;
        for (int i = 0; i < TURN && end == END_OK; i++) {
            if (!bus_poll(judging->bus, POLL_MS, &event))
                break;
            end = take(judging, &event);
        }
        show_progress(judging);
    }
    clear_progress(judging);
    return end;
}

struct audit *log_audit(const struct command *command, struct bus *bus,
                        const struct installation *installation,
                        const struct audit_options *options, bool at_rest, int *end)
{
    static struct judging judging;
    judging = (struct judging){.command = command,
                               .bus = bus,
                               .installation = *installation,
                               .bar = isatty(STDERR_FILENO),
                               .began_ms = clock_monotonic_ms()};
    *end = read_ends(&judging);
    if (*end != END_OK)
        return NULL;
    judging.audit = audit_new(installation, options);
    *end = read_log(&judging);
    if (*end == END_OK) {
        audit_finish(judging.audit, at_rest, 0);
        return judging.audit;
    }
    audit_free(judging.audit);
    return NULL;
}
