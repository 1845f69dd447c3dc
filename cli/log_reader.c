/* The loop around a follower: polls, judges, and finds out when all has been read. */
#include "cli/log_reader.h"

#include "base/clock.h"

#include <signal.h>

enum {
    POLL_MS = 10,
    LOOK_EVERY = 64, /* records, for the end of the history */
    PATIENCE_MS = 30 * 1000
};

static volatile sig_atomic_t asked_to_stop;

static void on_signal(int number)
{
    (void)number;
    asked_to_stop = 1;
}

void log_reader_heed_signals(void)
{
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
}

/* ---- beginning and ending -------------------------------------------------------------------- */
static void begin(struct log_reader *reader, const struct log_wish *wish)
{
    int topics[TOPIC_COUNT], count = 0;
    bool any = false;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        any = any || wish->topics[topic];
    reader->wish = *wish;
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        reader->wish.topics[topic] = !any || wish->topics[topic];
        if (reader->wish.topics[topic])
            topics[count++] = topic;
    }
    memset(reader->caught_up, 0, sizeof reader->caught_up);
    reader->ended = false;
    reader->heard_ms = clock_monotonic_ms();
    reader->follower = follower_new(reader->bus, &reader->installation, topics, count, NULL);
    follower_only(reader->follower, wish->containing);
}

bool log_reader_open(struct log_reader *reader, const struct command *command,
                     const struct log_options *options, const struct log_wish *wish, int *end)
{
    *reader = (struct log_reader){.command = command};
    reader->bus = log_open(command, options, false, 0, &reader->installation, end);
    if (reader->bus == NULL)
        return false;
    if (wish)
        begin(reader, wish);
    return true;
}

static void stop(struct log_reader *reader)
{
    follower_free(reader->follower);
    reader->follower = NULL;
}

void log_reader_close(struct log_reader *reader)
{
    stop(reader);
    bus_close(reader->bus);
    reader->bus = NULL;
    arena_release(&reader->arena);
}

void log_reader_restart(struct log_reader *reader, const struct log_wish *wish)
{
    stop(reader);
    begin(reader, wish);
}

/* ---- reading --------------------------------------------------------------------------------- */
/* Everything there was when the reading began has been read. */
static bool at_end(const struct log_reader *reader)
{
    if (follower_caught_up(reader->follower))
        return true;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < reader->installation.partition_count; partition++)
            if (reader->wish.topics[topic] && !reader->caught_up[topic][partition])
                return false;
    return true;
}

static void note(struct log_reader *reader, const struct bus_event *event)
{
    if (event->type == BUS_CAUGHT_UP)
        reader->caught_up[event->topic][event->partition] = true;
    if (event->type == BUS_DOWN)
        command_fail(reader->command, END_SYSTEM, "%s; trying again",
                     event->reason ? event->reason : "the connection is lost");
    else
        reader->heard_ms = clock_monotonic_ms();
}

/* Whether the event is news for the user. */
static bool take(struct log_reader *reader, const struct bus_event *event)
{
    arena_reset(&reader->arena);
    note(reader, event);
    reader->news = follower_read(reader->follower, event, &reader->arena, &reader->item);
    if (reader->news == FOLLOWER_LOST) {
        const struct place *place = &reader->item.place;
        reader->lost = true;
        reader->caught_up[place->topic][place->partition] = true;
        command_fail(reader->command, END_NO, "%s/%d@%lld: lost: %s", topic_name(place->topic),
                     place->partition, (long long)place->offset, reader->item.why);
    }
    if (reader->news == FOLLOWER_PROGRESS)
        return reader->wish.progress;
    return reader->news != FOLLOWER_NOTHING && reader->news != FOLLOWER_LOST;
}

static enum log_step give_up(struct log_reader *reader)
{
    reader->end = command_fail(reader->command, END_SYSTEM,
                               "the log has not answered for %d s; is it running? try: stagedoor "
                               "topics check",
                               PATIENCE_MS / 1000);
    return LOG_OVER;
}

enum log_step log_reader_next(struct log_reader *reader)
{
    while (!asked_to_stop) {
        struct bus_event *event = &reader->event;
        bool some = bus_poll(reader->bus, POLL_MS, event);
        bool look = !some || event->type != BUS_RECORD || ++reader->record_count % LOOK_EVERY == 0;
        if (some && take(reader, event))
            return LOG_ITEM;
        if (reader->ended && reader->until_ms && clock_monotonic_ms() >= reader->until_ms)
            break;
        if (reader->ended || !look)
            continue;
        if (at_end(reader)) {
            reader->ended = true;
            return LOG_END;
        }
        if (!reader->wish.patient && clock_monotonic_ms() - reader->heard_ms > PATIENCE_MS)
            return give_up(reader);
    }
    reader->end = reader->lost ? END_NO : END_OK;
    return LOG_OVER;
}

/* ---- one record ------------------------------------------------------------------------------ */
static int there_is_none(const struct log_reader *reader, const struct place *place)
{
    return command_fail(reader->command, END_NO, "there is no record at %s/%d@%lld",
                        topic_name(place->topic), place->partition, (long long)place->offset);
}

bool log_reader_at(struct log_reader *reader, const struct place *place, int *end)
{
    int64_t log_end, begun_ms = clock_monotonic_ms();
    stop(reader);
    *end = END_OK;
    if (place->partition >= reader->installation.partition_count ||
        (bus_end(reader->bus, place->topic, place->partition, &log_end) == BUS_OK &&
         place->offset >= log_end)) {
        *end = there_is_none(reader, place);
        return false;
    }
    bus_follow(reader->bus, place->topic, place->partition, place->offset);
    while (clock_monotonic_ms() - begun_ms < PATIENCE_MS) {
        struct bus_event *event = &reader->event;
        if (!bus_poll(reader->bus, POLL_MS, event) ||
            (event->type != BUS_RECORD && event->type != BUS_LOST))
            continue;
        if (event->type == BUS_LOST || event->offset != place->offset) {
            *end = there_is_none(reader, place);
            return false;
        }
        reader->item = (struct follower_item){.place = *place, .record = &event->record};
        return true;
    }
    give_up(reader);
    *end = reader->end;
    return false;
}
