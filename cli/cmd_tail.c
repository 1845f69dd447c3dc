/* tail: the log as the services read it: what counts, and with --raw what does not and why.
 *
 * Whether a record counts depends on the records before it, so the log is always read from its
 * start; what is printed is another matter. The history comes partition by partition, so it is kept
 * and sorted by append time before it is printed; what arrives live is printed as it comes. */
#include "base/arena.h"
#include "base/memory.h"
#include "base/rfc3339.h"
#include "bus/follower.h"
#include "cli/connect.h"
#include "cli/tail_print.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINES_DEFAULT = 10,
    LINES_MOST = 1000000,
    HISTORY_MAX = 200000, /* from the start: printed in sorted pieces of this many */
    POLL_MS = 10,
    LOOK_EVERY = 64 /* records, for the end of the history */
};

static volatile sig_atomic_t asked_to_stop;

static void on_signal(int number)
{
    (void)number;
    asked_to_stop = 1;
}

/* A line of the history, not yet printed. */
struct past {
    int64_t at_ms;
    uint64_t seq; /* order of reading: within one millisecond and partition that of the log */
    struct text line;
};

struct tail {
    const struct command *command;
    bool json, raw, from_start, follow;
    int64_t last_count;

    struct bus *bus;
    struct installation installation;
    struct follower *follower;
    bool caught_up[TOPIC_COUNT][PARTITIONS_MAX];
    bool followed[TOPIC_COUNT];
    bool live;
    struct past *pasts;
    size_t count, capacity;
    uint64_t seq;
    bool lost;
};

/* ---- the history ----------------------------------------------------------------------------- */
static int compare(const void *a, const void *b)
{
    const struct past *left = a, *right = b;
    if (left->at_ms != right->at_ms)
        return left->at_ms < right->at_ms ? -1 : 1;
    return (left->seq > right->seq) - (left->seq < right->seq);
}

static void put_line(struct text line)
{
    fwrite(line.data, 1, line.size, stdout);
}

/* Sorts, and forgets all but the newest `keep`, printing those it forgets if `print`. */
static void cut(struct tail *tail, size_t keep, bool print)
{
    qsort(tail->pasts, tail->count, sizeof *tail->pasts, compare);
    size_t over = tail->count > keep ? tail->count - keep : 0;
    for (size_t i = 0; i < over; i++) {
        if (print)
            put_line(tail->pasts[i].line);
        text_free(&tail->pasts[i].line);
    }
    memmove(tail->pasts, tail->pasts + over, (tail->count - over) * sizeof *tail->pasts);
    tail->count -= over;
}

static void remember(struct tail *tail, int64_t at_ms, struct text line)
{
    if (tail->count == tail->capacity) {
        tail->capacity = tail->capacity ? tail->capacity * 2 : 256;
        tail->pasts = memory_grow(tail->pasts, tail->capacity * sizeof *tail->pasts);
    }
    tail->pasts[tail->count++] = (struct past){at_ms, tail->seq++, text_copy(line)};
    if (tail->from_start && tail->count >= HISTORY_MAX)
        cut(tail, 0, true);
    else if (!tail->from_start && tail->count >= 2 * (size_t)tail->last_count + HISTORY_MAX / 100)
        cut(tail, (size_t)tail->last_count, false);
}

static void print_history(struct tail *tail)
{
    if (!tail->from_start)
        cut(tail, (size_t)tail->last_count, false);
    cut(tail, 0, true);
    fflush(stdout);
    tail->live = true;
}

/* ---- reading --------------------------------------------------------------------------------- */
static void take(struct tail *tail, enum follower_news news, const struct follower_item *item)
{
    struct buffer line = {0};
    if (tail->json)
        tail_print_json(news, item, &line);
    else
        tail_print_line(news, item, &line);
    if (tail->live) {
        put_line(buffer_view(&line));
        fflush(stdout);
    } else {
        remember(tail, item->record->append_ms, buffer_view(&line));
    }
    buffer_release(&line);
}

static void take_event(struct tail *tail, const struct bus_event *event, struct arena *arena)
{
    struct follower_item item;
    if (event->type == BUS_CAUGHT_UP)
        tail->caught_up[event->topic][event->partition] = true;
    if (event->type == BUS_DOWN)
        command_fail(tail->command, END_SYSTEM, "%s; trying again",
                     event->reason ? event->reason : "the connection is lost");
    enum follower_news news = follower_read(tail->follower, event, arena, &item);
    switch (news) {
    case FOLLOWER_NOTHING:
        return;
    case FOLLOWER_MESSAGE:
    case FOLLOWER_STRANGE:
        take(tail, news, &item);
        return;
    case FOLLOWER_CLAIM:
    case FOLLOWER_VOID:
        if (tail->raw)
            take(tail, news, &item);
        return;
    case FOLLOWER_LOST:
        tail->lost = true;
        tail->caught_up[item.place.topic][item.place.partition] = true;
        command_fail(tail->command, END_NO, "%s/%d@%lld: lost: %s", topic_name(item.place.topic),
                     item.place.partition, (long long)item.place.offset, item.why);
        return;
    }
}

/* Everything there was when the reading began has been read. */
static bool at_end(const struct tail *tail)
{
    if (follower_caught_up(tail->follower))
        return true;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < tail->installation.partition_count; partition++)
            if (tail->followed[topic] && !tail->caught_up[topic][partition])
                return false;
    return true;
}

static void read_log(struct tail *tail)
{
    struct arena arena = {0};
    uint64_t record_count = 0;
    while (!asked_to_stop && !ferror(stdout)) {
        struct bus_event event;
        bool some = bus_poll(tail->bus, POLL_MS, &event);
        bool look = !some || event.type != BUS_RECORD || ++record_count % LOOK_EVERY == 0;
        if (some) {
            take_event(tail, &event, &arena);
            arena_reset(&arena);
        }
        if (tail->live || !look || !at_end(tail))
            continue;
        print_history(tail);
        if (!tail->follow)
            break;
    }
    arena_release(&arena);
}

/* ---- the command ----------------------------------------------------------------------------- */
static int choose_topics(struct tail *tail, const struct operands *operands,
                         int topics[TOPIC_COUNT], int *count)
{
    *count = 0;
    for (int topic = 0; operands->count == 0 && topic < TOPIC_COUNT; topic++)
        topics[(*count)++] = topic;
    for (int i = 0; i < operands->count; i++) {
        int topic = topic_named(text_of(operands->items[i]));
        if (topic < 0)
            return command_fail(tail->command, END_USAGE, "unknown topic '%s'; see publish --list",
                                operands->items[i]);
        bool twice = false;
        for (int j = 0; j < *count; j++)
            twice = twice || topics[j] == topic;
        if (!twice)
            topics[(*count)++] = topic;
    }
    for (int i = 0; i < *count; i++)
        tail->followed[topics[i]] = true;
    return END_OK;
}

static int run(struct tail *tail, const struct log_options *log, const struct operands *operands)
{
    int topics[TOPIC_COUNT], count;
    int end = choose_topics(tail, operands, topics, &count);
    if (end != END_OK)
        return end;
    tail->bus = log_open(tail->command, log, false, 0, &tail->installation, &end);
    if (tail->bus == NULL)
        return end;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    tail->follower = follower_new(tail->bus, &tail->installation, topics, count, NULL);
    read_log(tail);
    follower_free(tail->follower);
    bus_close(tail->bus);
    cut(tail, 0, false);
    memory_free(tail->pasts);
    return tail->lost ? END_NO : END_OK;
}

int command_tail(const struct command *command, int argc, char **argv)
{
    struct log_options log = {0};
    struct tail tail = {.command = command, .last_count = LINES_DEFAULT};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&log),
        OPTION_FLAG("follow", 'f', NULL, &tail.follow, "go on with what comes"),
        OPTION_COUNT("lines", 'n', "N", NULL, &tail.last_count, 0, LINES_MOST,
                     "of what is there print the last N (10)"),
        OPTION_FLAG("from-start", 0, NULL, &tail.from_start, "print all that is there"),
        OPTION_FLAG("json", 0, NULL, &tail.json, "one JSON object a line"),
        OPTION_FLAG("raw", 0, NULL, &tail.raw, "also claims, and what does not count and why"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    return run(&tail, &log, &operands);
}
