/* owners: who sells what. One line for each service and partition: the instance whose word counts,
 * since when, and whether anything waits for it. */
#include "base/clock.h"
#include "base/rfc3339.h"
#include "cli/log_reader.h"
#include "cli/owners.h"
#include "cli/show_print.h"
#include "schemas/json.h"
#include "story/words.h"

#include <stdio.h>

enum { NAME_MAX = 40 };

/* ---- for people ------------------------------------------------------------------------------ */
static void put_name(struct buffer *out, const struct owner *owner)
{
    words_safe(out, owner->instance, NAME_MAX);
    buffer_string(out, " on ");
    words_safe(out, owner->host, NAME_MAX);
    buffer_print(out, " (pid %lld)", (long long)owner->pid);
}

static void put_line(struct buffer *out, int service, int partition, const struct owner_look *look)
{
    const struct owner *owner = look->owner;
    size_t start = out->size;
    buffer_print(out, "%s/%d", topic_name(parts[service].output), partition);
    words_pad(out, start, 24);
    start = out->size;
    buffer_string(out, owner_state_name(look->state));
    words_pad(out, start, 11);
    if (look->state == OWNER_NOBODY) {
        buffer_string(out, look->waiting_count ? "has never been claimed; is the service running?\n"
                                               : "has never been claimed\n");
        return;
    }
    put_name(out, owner);
    buffer_string(out, " since ");
    show_print_moment(out, owner->since_ms);
    buffer_print(out, ", epoch %lld, %lld accepted", (long long)owner->claim,
                 (long long)owner->record_count);
    if (look->waiting_count) {
        buffer_print(out, "; %lld waiting, the oldest for ", (long long)look->waiting_count);
        words_span(out, look->waiting_ms);
    }
    if (look->state == OWNER_SILENT) {
        buffer_string(out, "; its last word was ");
        words_span(out, look->quiet_ms);
        buffer_string(out, " ago");
    }
    if (look->changes_lately)
        buffer_print(out, "; %lld changes of owner in 10 minutes", (long long)look->changes_lately);
    buffer_byte(out, '\n');
}

/* ---- for programs ---------------------------------------------------------------------------- */
static void put_safe(struct buffer *out, const char *name, struct text text)
{
    struct buffer safe = {0};
    words_safe(&safe, text, LABEL_SIZE_MAX);
    json_put_text(out, name, buffer_view(&safe));
    buffer_release(&safe);
}

static void put_json(struct buffer *out, int service, int partition, const struct owner_look *look)
{
    const struct owner *owner = look->owner;
    char since[RFC3339_SIZE];
    json_put_open(out, NULL, '{');
    json_put_text(out, "service", text_of(parts[service].name));
    json_put_i64(out, "partition", partition);
    json_put_text(out, "state", text_of(owner_state_name(look->state)));
    if (look->state != OWNER_NOBODY) {
        put_safe(out, "instance", owner->instance);
        put_safe(out, "host", owner->host);
        json_put_i64(out, "pid", owner->pid);
        put_safe(out, "version", owner->version);
        json_put_i64(out, "rules", owner->rules);
        json_put_text(out, "since", text_of(rfc3339_print(owner->since_ms, since)));
        json_put_i64(out, "epoch", owner->claim);
        json_put_i64(out, "accepted", owner->record_count);
        json_put_i64(out, "quiet_ms", look->quiet_ms);
    }
    json_put_i64(out, "waiting", look->waiting_count);
    json_put_i64(out, "waiting_ms", look->waiting_ms);
    json_put_i64(out, "claims_lately", look->claims_lately);
    json_put_i64(out, "changes_lately", look->changes_lately);
    json_put_close(out, '}');
}

static void print(const struct owners *owners, bool json)
{
    struct buffer out = {0};
    int64_t now_ms = clock_wall_ms();
    if (json)
        json_put_open(&out, NULL, '[');
    for (int service = 0; service < SERVICES; service++)
        for (int partition = 0; partition < owners->partition_count; partition++) {
            struct owner_look look = owners_look(owners, service, partition, now_ms);
            if (json)
                put_json(&out, service, partition, &look);
            else
                put_line(&out, service, partition, &look);
        }
    if (json) {
        json_put_close(&out, ']');
        buffer_byte(&out, '\n');
    }
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
}

/* ---- the command ----------------------------------------------------------------------------- */
int command_owners(const struct command *command, int argc, char **argv)
{
    struct log_options log = {0};
    static struct log_reader reader;
    struct owners owners = {0};
    bool json = false;
    const struct option_spec specs[] = {
        LOG_OPTIONS(&log),
        OPTION_FLAG("json", 0, NULL, &json, "one JSON array"),
    };
    struct operands operands;
    struct log_wish wish = {.progress = true};
    int end;
    enum log_step step;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (!log_reader_open(&reader, command, &log, &wish, &end))
        return end;
    owners.partition_count = reader.installation.partition_count;
    while ((step = log_reader_next(&reader)) == LOG_ITEM)
        owners_take(&owners, reader.news, &reader.item);
    end = step == LOG_OVER ? reader.end : reader.lost ? END_NO : END_OK;
    if (step == LOG_END)
        print(&owners, json);
    log_reader_close(&reader);
    owners_release(&owners);
    return end;
}
