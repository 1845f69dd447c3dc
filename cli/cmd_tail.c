/* tail: the log as the services read it: what counts, and with --raw what does not and why.
 *
 * Whether a record counts depends on the records before it, so the log is always read from its
 * start; what is printed is another matter. The history comes partition by partition, so it is kept
 * and sorted by append time before it is printed; what arrives live is printed as it comes. */
#include "base/memory.h"
#include "cli/log_reader.h"
#include "cli/tail_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINES_DEFAULT = 10,
    LINES_MOST = 1000000,
    HISTORY_MAX = 200000 /* from the start: printed in sorted pieces of this many */
};

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

    struct log_reader reader;
    bool live;
    struct past *pasts;
    size_t count, capacity;
    uint64_t seq;
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
static void take(struct tail *tail)
{
    enum follower_news news = tail->reader.news;
    const struct follower_item *item = &tail->reader.item;
    struct buffer line = {0};
    if (!tail->raw && (news == FOLLOWER_CLAIM || news == FOLLOWER_VOID))
        return;
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

static void read_log(struct tail *tail)
{
    while (!ferror(stdout))
        switch (log_reader_next(&tail->reader)) {
        case LOG_ITEM:
            take(tail);
            break;
        case LOG_END:
            print_history(tail);
            if (!tail->follow)
                return;
            break;
        case LOG_OVER:
            return;
        }
}

/* ---- the command ----------------------------------------------------------------------------- */
static int choose_topics(const struct tail *tail, const struct operands *operands,
                         struct log_wish *wish)
{
    for (int i = 0; i < operands->count; i++) {
        int topic = topic_named(text_of(operands->items[i]));
        if (topic < 0)
            return topic_unknown(tail->command, operands->items[i]);
        wish->topics[topic] = true;
    }
    return END_OK;
}

static int run(struct tail *tail, const struct log_options *log, const struct operands *operands)
{
    struct log_wish wish = {.patient = true};
    int end = choose_topics(tail, operands, &wish);
    if (end != END_OK || !log_reader_open(&tail->reader, tail->command, log, &wish, &end))
        return end;
    log_reader_heed_signals();
    read_log(tail);
    end = tail->reader.lost ? END_NO : END_OK;
    log_reader_close(&tail->reader);
    cut(tail, 0, false);
    memory_free(tail->pasts);
    return end;
}

int command_tail(const struct command *command, int argc, char **argv)
{
    struct log_options log = {0};
    static struct tail tail;
    tail = (struct tail){.command = command, .last_count = LINES_DEFAULT};
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
