/* publish: one command into the log, as any other program may do it with kcat or a Kafka client. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/rfc3339.h"
#include "cli/append.h"
#include "cli/connect.h"
#include "cli/examples.h"
#include "cli/publish_list.h"
#include "schemas/codec.h"
#include "schemas/json.h"

#include <stdio.h>
#include <string.h>

enum { HEADERS_MAX = 8 };

struct publish {
    const struct command *command;
    const char *topic_text, *type_text, *key;
    struct text value;
    const char *id, *actor;
    bool force, json;
    int topic;
    struct buffer type; /* the whole ce_type */
    struct buffer input;
    struct arena arena; /* of a key taken from the value */
};

/* ---- what there is to say -------------------------------------------------------------------- */
static int print_list(bool json)
{
    struct buffer out = {0};
    if (json)
        publish_list_json(&out);
    else
        publish_list(&out);
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
    return END_OK;
}

static enum message_type type_named(const char *name)
{
    enum speaker speaker;
    enum message_type type = message_named(text_of(name));
    return type != MESSAGE_NONE ? type : message_type_parse(text_of(name), &speaker);
}

static int unknown_type(const struct command *command, const char *name)
{
    return command_fail(command, END_USAGE, "unknown type '%s'; see publish --list", name);
}

static int print_example(const struct command *command, const char *name)
{
    enum message_type type = type_named(name);
    struct buffer out = {0};
    if (type == MESSAGE_NONE)
        return unknown_type(command, name);
    example_print(type, clock_wall_ms(), &out);
    puts(out.data);
    buffer_release(&out);
    return END_OK;
}

/* ---- is it fit to be said -------------------------------------------------------------------- */
static int check_payload(struct publish *publish, enum message_type type)
{
    struct arena arena = {0};
    struct message message;
    struct codec_error error;
    int end = END_OK;
    if (codec_decode(type, publish->value, &arena, &message, &error) != CODEC_OK)
        end = command_fail(publish->command, END_NO, "%s%s%s; --force publishes it all the same",
                           error.field, error.field[0] ? ": " : "", error.detail);
    else if (message_has(&message, show_id) && !text_is(message.show_id, publish->key))
        end = command_fail(publish->command, END_NO,
                           "key '%s' is not the show_id '%.*s', so it may lie in a partition where "
                           "it is refused as misrouted; --force publishes it all the same",
                           publish->key, TEXT_PRINT(message.show_id));
    arena_release(&arena);
    return end;
}

/* Sets topic and type; everything but an unknown topic can be forced. */
static int check(struct publish *publish)
{
    publish->topic = topic_named(text_of(publish->topic_text));
    if (publish->topic < 0)
        return topic_unknown(publish->command, publish->topic_text);
    enum message_type type = type_named(publish->type_text);
    struct text service = text_of(topic_name(publish->topic));
    service = text_cut(&service, '.');
    if (type == MESSAGE_NONE)
        buffer_string(&publish->type, publish->type_text);
    else
        message_type_print(type, message_speaker(type), &publish->type);
    if (publish->force)
        return END_OK;
    if (type == MESSAGE_NONE)
        return unknown_type(publish->command, publish->type_text);
    if (message_role(type) != ROLE_COMMAND || topic_is_events(publish->topic))
        return command_fail(publish->command, END_NO,
                            "only commands can be published: what a service says without its stamp "
                            "counts for nobody; --force publishes it all the same");
    if (!text_is(service, speaker_name(message_speaker(type))))
        return command_fail(publish->command, END_NO, "%s is not spoken on %s; see publish --list",
                            message_name(type), publish->topic_text);
    return check_payload(publish, type);
}

/* ---- saying it ------------------------------------------------------------------------------- */
static void print_published(const struct publish *publish, const char *id,
                            const struct place *place)
{
    struct buffer where = {0}, out = {0};
    append_print(place, &where);
    json_put_open(&out, NULL, '{');
    json_put_text(&out, "place", buffer_view(&where));
    json_put_text(&out, "id", text_of(id));
    json_put_close(&out, '}');
    puts(publish->json ? out.data : where.data);
    buffer_release(&where);
    buffer_release(&out);
}

static int append(struct publish *publish, struct bus *bus, int partition_count)
{
    char random_id[UUID_SIZE], time[RFC3339_SIZE];
    const char *id = publish->id ? publish->id : uuid_random(random_id);
    struct bus_header headers[HEADERS_MAX] = {
        {TEXT("ce_specversion"), TEXT("1.0")},
        {TEXT("ce_id"), text_of(id)},
        {TEXT("ce_type"), buffer_view(&publish->type)},
        {TEXT("ce_source"), TEXT("stagedoor/publish")},
        {TEXT("ce_time"), text_of(rfc3339_print(clock_wall_ms(), time))},
        {TEXT("content-type"), TEXT("application/json")},
        {TEXT("ce_actor"), text_of(publish->actor)},
    };
    struct bus_record record = {.key = text_of(publish->key),
                                .value = publish->value,
                                .headers = headers,
                                .header_count = publish->actor ? 7 : 6};
    int partition = topic_partition_of(record.key, partition_count);
    struct place place;
    int end = append_record(publish->command, bus, publish->topic, partition, &record, &place);
    if (end != END_OK)
        return end;
    print_published(publish, id, &place);
    return END_OK;
}

/* "-": all of standard input. */
static int read_value(struct publish *publish, const char *operand)
{
    char bytes[4096];
    publish->value = text_of(operand);
    if (strcmp(operand, "-") != 0)
        return END_OK;
    for (size_t size; (size = fread(bytes, 1, sizeof bytes, stdin)) > 0;) {
        buffer_add(&publish->input, bytes, size);
        if (publish->input.size > BUS_VALUE_SIZE_MAX)
            return command_fail(publish->command, END_NO, "the record is too large");
    }
    publish->value = buffer_view(&publish->input);
    return END_OK;
}

static int publish_one(struct publish *publish, const struct log_options *log)
{
    struct installation installation;
    int end = check(publish);
    if (end != END_OK)
        return end;
    struct bus *bus = log_open(publish->command, log, false, 0, &installation, &end);
    if (bus == NULL)
        return end;
    end = append(publish, bus, installation.partition_count);
    bus_close(bus);
    return end;
}

/* TYPE JSON: topic and key follow from them. */
static int complete(struct publish *publish)
{
    struct message message;
    struct codec_error error;
    enum message_type type = type_named(publish->type_text);
    if (type == MESSAGE_NONE)
        return unknown_type(publish->command, publish->type_text);
    if (message_role(type) != ROLE_COMMAND)
        return command_fail(publish->command, END_NO,
                            "only commands can be published; see publish --list");
    publish->topic_text = topic_name(publish_topic_of(type));
    enum codec_result result =
        codec_decode(type, publish->value, &publish->arena, &message, &error);
    if (message_has(&message, show_id)) {
        publish->key = message.show_id.data;
        return END_OK;
    }
    return command_fail(
        publish->command, END_NO, "%s%s%s%s", result == CODEC_INVALID ? error.field : "",
        result == CODEC_INVALID ? ": " : "", error.detail,
        publish->force ? "; to publish it all the same, say TOPIC TYPE KEY JSON" : "");
}

static int run(struct publish *publish, const struct log_options *log,
               const struct operands *operands)
{
    bool whole = operands->count == 4;
    if (!whole && operands->count != 2)
        return command_fail(publish->command, END_USAGE,
                            "say TYPE JSON, or TOPIC TYPE KEY JSON; see --help");
    publish->topic_text = whole ? operands->items[0] : NULL;
    publish->type_text = operands->items[whole ? 1 : 0];
    publish->key = whole ? operands->items[2] : NULL;
    int end = read_value(publish, operands->items[operands->count - 1]);
    if (end == END_OK && !whole)
        end = complete(publish);
    if (end == END_OK)
        end = publish_one(publish, log);
    buffer_release(&publish->type);
    buffer_release(&publish->input);
    arena_release(&publish->arena);
    return end;
}

int command_publish(const struct command *command, int argc, char **argv)
{
    struct log_options log = {0};
    struct publish publish = {.command = command};
    const char *example = NULL;
    bool list = false;
    const struct option_spec specs[] = {
        LOG_OPTIONS(&log),
        OPTION_FLAG("force", 0, NULL, &publish.force, "whatever it is, without looking at it"),
        OPTION_TEXT("id", "ID", NULL, &publish.id,
                    "the ce_id; the same twice is one command (a random one)"),
        OPTION_TEXT("actor", "NAME", NULL, &publish.actor, "in whose name, for the record"),
        OPTION_FLAG("list", 0, NULL, &list, "print every command and what its fields may hold"),
        OPTION_TEXT("example", "TYPE", NULL, &example,
                    "print one to start from, or to be piped into publish TYPE -"),
        OPTION_FLAG("json", 0, NULL, &publish.json,
                    "say where it landed as JSON; with --list one command a line"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (list)
        return print_list(publish.json);
    if (example)
        return print_example(command, example);
    return run(&publish, &log, &operands);
}
