/* verify: reads the whole log to the ends it had when the reading began, and has it judged. */
#include "audit/audit.h"
#include "base/clock.h"
#include "cli/connect.h"
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

struct verify {
    const struct command *command;
    bool replay, json, running, steady_clock;
    int64_t clock_slack_ms;

    struct bus *bus;
    struct installation installation;
    struct audit *audit;
    struct way ways[TOPIC_COUNT][PARTITIONS_MAX];
    uint64_t read, total;
    bool bar;
    int64_t began_ms, shown_ms;
};

/* ---- the bar --------------------------------------------------------------------------------- */

static void show_progress(struct verify *verify)
{
    struct buffer line = {0};
    int64_t now_ms = clock_monotonic_ms();
    if (!verify->bar || now_ms < verify->shown_ms + PROGRESS_MS)
        return;
    verify->shown_ms = now_ms;
    verify_print_progress(verify->read, verify->total,
                          verify->read * 1000 / (uint64_t)(now_ms - verify->began_ms + 1), &line);
    fwrite(line.data, 1, line.size, stderr);
    buffer_release(&line);
}

static void clear_progress(const struct verify *verify)
{
    if (verify->bar)
        fprintf(stderr, "\r\033[K");
}

/* ---- reading --------------------------------------------------------------------------------- */

#define FOR_WAYS(verify, topic, partition)                                                         \
    for (int topic = 0; topic < TOPIC_COUNT; topic++)                                              \
        for (int partition = 0; partition < (verify)->installation.partition_count; partition++)

static bool at_end(const struct way *way)
{
    return way->next >= way->end;
}

static void follow(struct verify *verify, int topic, int partition)
{
    struct way *way = &verify->ways[topic][partition];
    if (way->followed || at_end(way))
        return;
    way->followed = true;
    bus_follow(verify->bus, topic, partition, way->next);
}

static void unfollow(struct verify *verify, int topic, int partition)
{
    verify->ways[topic][partition].followed = false;
    bus_unfollow(verify->bus, topic, partition);
}

static int read_ends(struct verify *verify)
{
    FOR_WAYS(verify, topic, partition)
    {
        struct way *way = &verify->ways[topic][partition];
        if (bus_end(verify->bus, topic, partition, &way->end) != BUS_OK)
            return command_fail(verify->command, END_SYSTEM,
                                "cannot read the end of %s/%d; try again", topic_name(topic),
                                partition);
        verify->total += (uint64_t)way->end;
    }
    return END_OK;
}

/* Reads on with what the auditor can use next; else with everything. false: all was read. */
static bool choose_ways(struct verify *verify)
{
    bool left = false, any = false;
    FOR_WAYS(verify, topic, partition)
    {
        const struct way *way = &verify->ways[topic][partition];
        left = left || !at_end(way);
        if (audit_wants(verify->audit, topic, partition))
            follow(verify, topic, partition);
        else if (way->followed)
            unfollow(verify, topic, partition);
        any = any || way->followed;
    }
    if (left && !any)
        FOR_WAYS(verify, topic, partition) follow(verify, topic, partition);
    return left;
}

/* Everything below `offset` was delivered. */
static void pass(struct verify *verify, const struct bus_event *event, int64_t offset)
{
    struct way *way = &verify->ways[event->topic][event->partition];
    if (offset > way->next)
        way->next = offset;
    if (!at_end(way))
        return;
    audit_reached(verify->audit, event->topic, event->partition, way->end);
    if (way->followed)
        unfollow(verify, event->topic, event->partition);
}

static int take(struct verify *verify, const struct bus_event *event)
{
    struct place place = {event->topic, event->partition, event->offset};
    switch ((int)event->type) {
    case BUS_RECORD:
        if (event->offset < verify->ways[event->topic][event->partition].end) {
            audit_read(verify->audit, &place, &event->record);
            verify->read++;
        }
        pass(verify, event, event->offset + 1);
        break;
    case BUS_CAUGHT_UP:
        pass(verify, event, event->offset);
        break;
    case BUS_LOST:
        return command_fail(verify->command, END_NO, "%s/%d@%lld: lost: %s",
                            topic_name(event->topic), event->partition, (long long)event->offset,
                            event->reason);
    case BUS_DOWN:
        command_fail(verify->command, END_SYSTEM, "%s; trying again",
                     event->reason ? event->reason : "the connection is lost");
        break;
    }
    return END_OK;
}

static int read_log(struct verify *verify)
{
    int end = END_OK;
    while (end == END_OK && choose_ways(verify)) {
        struct bus_event event;
        for (int i = 0; i < TURN && end == END_OK; i++) {
            if (!bus_poll(verify->bus, POLL_MS, &event))
                break;
            end = take(verify, &event);
        }
        show_progress(verify);
    }
    clear_progress(verify);
    return end;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int judge(struct verify *verify)
{
    struct audit_options options = {.replay = verify->replay,
                                    .steady_clock = verify->steady_clock,
                                    .clock_slack_ms = verify->clock_slack_ms};
    struct buffer out = {0};
    verify->began_ms = clock_monotonic_ms();
    verify->audit = audit_new(&verify->installation, &options);
    int end = read_log(verify);
    if (end == END_OK) {
        audit_finish(verify->audit, !verify->running, 0);
        if (verify->json)
            verify_print_json(verify->audit, &out);
        else
            verify_print_text(verify->audit, &out);
        fwrite(out.data, 1, out.size, stdout);
        buffer_release(&out);
        end = audit_first(verify->audit) ? END_NO : END_OK;
    }
    audit_free(verify->audit);
    return end;
}

int command_verify(const struct command *command, int argc, char **argv)
{
    static struct verify verify;
    struct log_options log = {0};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&log),
        OPTION_FLAG("replay", 0, NULL, &verify.replay,
                    "also decide everything again and compare byte for byte"),
        OPTION_FLAG("steady-clock", 0, NULL, &verify.steady_clock,
                    "the broker's clock was never set back: also check what waits for its time"),
        OPTION_COUNT("clock-slack", 0, "MS", NULL, &verify.clock_slack_ms, 0, 3600 * 1000,
                     "but by so much, as a clock that is kept in time is (0)"),
        OPTION_FLAG("running", 0, NULL, &verify.running,
                    "services are at work: what they have not read yet is not missing"),
        OPTION_FLAG("json", 0, NULL, &verify.json, "one JSON object"),
    };
    struct operands operands;
    int end;
    verify = (struct verify){.command = command, .bar = isatty(STDERR_FILENO)};
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    verify.bus = log_open(command, &log, false, 0, &verify.installation, &end);
    if (verify.bus == NULL)
        return end;
    end = read_ends(&verify);
    if (end == END_OK)
        end = judge(&verify);
    bus_close(verify.bus);
    return end;
}
