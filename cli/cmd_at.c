/* at: a show as it stood at some moment of the log.
 *
 * The seats are what the last event of shows up to then says they are (`after`); what is on sale
 * and how the reservations stand is folded from all events up to then. A moment is a position in
 * shows.events of the show's partition, or a time of the log's own clock; the other topics are
 * read up to the append time of that record. */
#include "base/clock.h"
#include "cli/log_reader.h"
#include "cli/show_print.h"
#include "cli/when.h"

#include <stdio.h>

struct at_command {
    const struct command *command;
    struct log_options log;
    int64_t offset; /* -1: not given */
    const char *time_text;
    bool json;

    struct log_reader reader;
    struct show_fold fold;
    int64_t at_ms; /* what happened later does not count */
};

/* ---- the moment ------------------------------------------------------------------------------ */
static int find_moment(struct at_command *at)
{
    int end = END_OK;
    int64_t now_ms = clock_wall_ms();
    at->at_ms = now_ms;
    if (at->time_text && !when_parse(text_of(at->time_text), now_ms, &at->at_ms))
        return command_fail(at->command, END_USAGE, "--time takes " WHEN_HELP "; not '%s'",
                            at->time_text);
    if (at->at_ms > now_ms) { /* nobody knows yet: as it stands now */
        at->at_ms = now_ms;
        at->time_text = NULL;
    }
    if (at->offset >= 0) {
        int partition =
            topic_partition_of(at->fold.show_id, at->reader.installation.partition_count);
        struct place place = {TOPIC_SHOWS_EVENTS, partition, at->offset};
        if (log_reader_at(&at->reader, &place, &end))
            at->at_ms = at->reader.item.record->append_ms;
    }
    return end;
}

static bool is_in_time(const struct at_command *at, const struct follower_item *item)
{
    if (at->offset >= 0 && item->place.topic == TOPIC_SHOWS_EVENTS)
        return item->place.offset <= at->offset;
    /* Now is whatever the log says, also when its clock is ahead of ours. */
    return (at->offset < 0 && at->time_text == NULL) || item->record->append_ms <= at->at_ms;
}

/* ---- reading --------------------------------------------------------------------------------- */
static int read_log(struct at_command *at)
{
    struct log_wish wish = {.containing = at->fold.show_id};
    enum log_step step;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        wish.topics[topic] = topic_is_events(topic);
    log_reader_restart(&at->reader, &wish);
    while ((step = log_reader_next(&at->reader)) == LOG_ITEM)
        if (at->reader.news == FOLLOWER_MESSAGE && is_in_time(at, &at->reader.item))
            show_fold_take(&at->fold, &at->reader.item);
    return step == LOG_OVER ? at->reader.end : END_OK;
}

static int print(const struct at_command *at)
{
    struct buffer out = {0};
    bool ever = at->offset < 0 && at->time_text == NULL;
    if (!at->fold.known) {
        int end = command_fail(at->command, END_NO,
                               "there %s no show '%.*s'%s; the log is '%s', another: --bus URL",
                               ever ? "is" : "was", TEXT_PRINT(at->fold.show_id),
                               ever ? "" : " then", log_url(&at->log, &out));
        buffer_release(&out);
        return end;
    }
    if (at->json)
        show_print_json(&at->fold, at->at_ms, &out);
    else
        show_print(&at->fold, at->at_ms, &out);
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
    return at->reader.lost ? END_NO : END_OK;
}

static int run(struct at_command *at)
{
    int end;
    if (!log_reader_open(&at->reader, at->command, &at->log, NULL, &end))
        return end;
    end = find_moment(at);
    if (end == END_OK)
        end = read_log(at);
    if (end == END_OK)
        end = print(at);
    log_reader_close(&at->reader);
    show_fold_release(&at->fold);
    return end;
}

int command_at(const struct command *command, int argc, char **argv)
{
    static struct at_command at;
    at = (struct at_command){.command = command, .offset = -1};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&at.log),
        OPTION_COUNT("offset", 0, "N", NULL, &at.offset, 0, COUNTER_MAX,
                     "up to this record of shows.events in the show's partition"),
        OPTION_TEXT("time", "TIME", NULL, &at.time_text, WHEN_HELP " (now)"),
        OPTION_FLAG("json", 0, NULL, &at.json, "one JSON document"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (operands.count != 1 || operands.items[0][0] == '\0')
        return command_fail(command, END_USAGE, "say which show; see --help");
    if (at.offset >= 0 && at.time_text)
        return command_fail(command, END_USAGE, "say --offset or --time, not both");
    at.fold.show_id = text_of(operands.items[0]);
    return run(&at);
}
