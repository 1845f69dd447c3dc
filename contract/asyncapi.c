/* The document, part by part, in the order of AsyncAPI: info, servers, channels, operations,
 * components. */
#include "contract/asyncapi.h"

#include "base/version.h"
#include "contract/asyncapi_headers.h"
#include "contract/contract.h"
#include "schemas/json.h"

struct document {
    const struct service_descriptor *const *services;
    int count;
    const struct text *examples;
    struct buffer *out;
};

/* ---- small words ----------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void put(struct buffer *out, const char *name,
                                                      const char *format, ...)
{
    struct buffer text = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&text, format, arguments);
    va_end(arguments);
    json_put_text(out, name, buffer_view(&text));
    buffer_release(&text);
}

/* "name": {"$ref": …}; name NULL: an item of a list. */
__attribute__((format(printf, 3, 4))) static void put_ref(struct buffer *out, const char *name,
                                                          const char *format, ...)
{
    struct buffer text = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&text, format, arguments);
    va_end(arguments);
    json_put_open(out, name, '{');
    json_put_text(out, "$ref", buffer_view(&text));
    json_put_close(out, '}');
    buffer_release(&text);
}

/* The name of a message in components: alone it says who speaks, but for Refused. */
static void put_message_ref(struct buffer *out, enum message_type type, enum speaker speaker)
{
    if (message_speaker(type) == SPEAKER_any)
        put_ref(out, message_name(type), "#/components/messages/%s.%s", speaker_name(speaker),
                message_name(type));
    else
        put_ref(out, message_name(type), "#/components/messages/%s", message_name(type));
}

static void put_said(struct buffer *out, int topic, enum message_type type)
{
    put_ref(out, NULL, "#/channels/%s/messages/%s", topic_name(topic), message_name(type));
}

/* Whether the message is found on the topic. */
static bool is_on(int topic, enum message_type type)
{
    if (message_role(type) == ROLE_BUS || message_speaker(type) == SPEAKER_any)
        return topic_is_events(topic);
    return contract_topic(type) == topic;
}

static enum speaker speaker_of(int topic)
{
    return (enum speaker)(topic / 2);
}

/* ---- info, servers --------------------------------------------------------------------------- */

static const char info[] =
    "Stagedoor sells tickets. Three services, shows, reservations and checkout, never call each "
    "other: each reads topics, decides, and appends what it decided to its own event topic. "
    "One input has at most one outcome, and that one record is the decision, its payload and the "
    "mark that the input is consumed. "
    "An operation here is what a service does about one input; its reply lists the possible "
    "outcomes, one of which follows, or none: a repeat has no outcome, and what does not concern "
    "a service is passed over in silence. Besides, every command may be Refused. "
    "Whoever publishes a command need give no more than the header ce_type and a JSON value, with "
    "the show_id as key; structured CloudEvents (content-type application/cloudevents+json) are "
    "read as well on command topics. "
    "A reader of an event topic must apply the acceptance rule of bus/fence.h to the sd_ headers: "
    "what a fenced owner wrote lies in the topic and does not count.";

static void put_info(struct document *document)
{
    struct buffer *out = document->out;
    json_put_open(out, "info", '{');
    json_put_text(out, "title", text_of("Stagedoor"));
    json_put_text(out, "version", text_of(STAGEDOOR_VERSION));
    json_put_text(out, "description", text_of(info));
    json_put_open(out, "license", '{');
    json_put_text(out, "name", text_of("MIT"));
    json_put_close(out, '}');
    json_put_close(out, '}');
    json_put_text(out, "defaultContentType", text_of("application/json"));
    json_put_open(out, "servers", '{');
    json_put_open(out, "local", '{');
    json_put_text(out, "host", text_of("localhost:9092"));
    json_put_text(out, "protocol", text_of("kafka"));
    json_put_text(out, "description",
                  text_of("The broker that make kafka-up starts, or any other Kafka; "
                          "without one, the same records lie in an SQLite file."));
    json_put_close(out, '}');
    json_put_close(out, '}');
}

/* ---- channels -------------------------------------------------------------------------------- */

static void put_channel_bindings(struct buffer *out)
{
    /* As bus/kafka_topics.c makes them; bus/kafka_check.c insists on all but the size. */
    json_put_open(out, "bindings", '{');
    json_put_open(out, "kafka", '{');
    json_put_i64(out, "partitions", PARTITIONS_DEFAULT);
    json_put_open(out, "topicConfiguration", '{');
    json_put_open(out, "cleanup.policy", '[');
    json_put_text(out, NULL, text_of("delete"));
    json_put_close(out, ']');
    json_put_i64(out, "retention.ms", -1);
    json_put_i64(out, "retention.bytes", -1);
    json_put_i64(out, "max.message.bytes", 1048588);
    json_put_text(out, "message.timestamp.type", text_of("LogAppendTime"));
    json_put_close(out, '}');
    json_put_text(out, "bindingVersion", text_of("0.5.0"));
    json_put_close(out, '}');
    json_put_close(out, '}');
}

static void put_channel(struct document *document, int topic)
{
    struct buffer *out = document->out;
    const char *owner = speaker_name(speaker_of(topic));
    json_put_open(out, topic_name(topic), '{');
    json_put_text(out, "address", text_of(topic_name(topic)));
    put(out, "title", topic_is_events(topic) ? "What %s decided" : "What %s is asked to do", owner);
    put(out, "description",
        "%s The key is the show_id, the partition CRC-32 of the key modulo the count, as "
        "librdkafka does it by default; what concerns one show lies in one partition, of the same "
        "number in all topics. The count is fixed when the topics are made. Records are kept for "
        "ever: the state of every service is a fold over its events.",
        topic_is_events(topic)
            ? "Written by one owner for each partition, who claimed it; only accepted records "
              "count."
            : "Open to everyone.");
    json_put_open(out, "messages", '{');
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (is_on(topic, (enum message_type)type))
            put_message_ref(out, (enum message_type)type, speaker_of(topic));
    json_put_close(out, '}');
    put_channel_bindings(out);
    json_put_close(out, '}');
}

static void put_channels(struct document *document)
{
    json_put_open(document->out, "channels", '{');
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        put_channel(document, topic);
    json_put_close(document->out, '}');
}

/* ---- operations ------------------------------------------------------------------------------ */

static void put_outcomes(struct buffer *out, const struct service_descriptor *service,
                         const struct service_reaction *reaction)
{
    json_put_open(out, "messages", '[');
    for (int i = 0; i < reaction->outcome_count; i++)
        put_said(out, service->output, reaction->outcomes[i]);
    json_put_close(out, ']');
}

static void put_reaction(struct document *document, const struct service_descriptor *service,
                         const struct service_reaction *reaction)
{
    struct buffer *out = document->out;
    int topic = contract_topic(reaction->input);
    json_put_text(out, "action", text_of("receive"));
    put(out, "title", "%s, on %s", service->name, message_name(reaction->input));
    put_ref(out, "channel", "#/channels/%s", topic_name(topic));
    json_put_open(out, "messages", '[');
    put_said(out, topic, reaction->input);
    json_put_close(out, ']');
    json_put_open(out, "reply", '{');
    put_ref(out, "channel", "#/channels/%s", topic_name(service->output));
    put_outcomes(out, service, reaction);
    json_put_close(out, '}');
    put_ref(out, "bindings", "#/components/operationBindings/%s", service->name);
}

static void put_timer(struct document *document, const struct service_descriptor *service,
                      const struct service_reaction *reaction)
{
    struct buffer *out = document->out;
    json_put_text(out, "action", text_of("send"));
    put(out, "title", "%s, when it is time", service->name);
    json_put_text(out, "description",
                  text_of("Decided without an input, when it is due by the log's own clock, and "
                          "after every input that was appended before: the header sd_source is "
                          "timer."));
    put_ref(out, "channel", "#/channels/%s", topic_name(service->output));
    put_outcomes(out, service, reaction);
}

static void put_bookkeeping(struct document *document, const struct service_descriptor *service)
{
    struct buffer *out = document->out;
    struct buffer name = {0};
    buffer_print(&name, "%s.owner", service->name);
    json_put_open(out, name.data, '{');
    json_put_text(out, "action", text_of("send"));
    put(out, "title", "%s, about itself", service->name);
    json_put_text(out, "description",
                  text_of("Claimed: a new owner of the partition, from here on. Progress: how far "
                          "it read without anything to say. Neither has a key, or is part of any "
                          "show."));
    put_ref(out, "channel", "#/channels/%s", topic_name(service->output));
    json_put_open(out, "messages", '[');
    put_said(out, service->output, MESSAGE_Claimed);
    put_said(out, service->output, MESSAGE_Progress);
    json_put_close(out, ']');
    json_put_close(out, '}');
    buffer_release(&name);
}

static void put_operations(struct document *document)
{
    struct buffer *out = document->out;
    json_put_open(out, "operations", '{');
    for (int i = 0; i < document->count; i++) {
        const struct service_descriptor *service = document->services[i];
        for (int k = 0; k < service->reaction_count; k++) {
            const struct service_reaction *reaction = &service->reactions[k];
            bool timer = reaction->input == MESSAGE_NONE;
            struct buffer name = {0};
            buffer_print(&name, "%s.%s", service->name,
                         timer ? "timer" : message_name(reaction->input));
            json_put_open(out, name.data, '{');
            (timer ? put_timer : put_reaction)(document, service, reaction);
            json_put_close(out, '}');
            buffer_release(&name);
        }
        put_bookkeeping(document, service);
    }
    json_put_close(out, '}');
}

/* ---- components ------------------------------------------------------------------------------ */

/* Who does something about it: "event of shows; heard by reservations, checkout". */
static void put_summary(struct document *document, enum message_type type, enum speaker speaker)
{
    struct buffer text = {0};
    const char *comma = "";
    bool command = message_role(type) == ROLE_COMMAND;
    if (message_role(type) == ROLE_BUS)
        buffer_string(&text, "record of the bus; no part of any show");
    else if (message_speaker(type) == SPEAKER_any)
        buffer_print(&text, "event of %s; final: the answer to whoever sent the command",
                     speaker_name(speaker));
    else
        buffer_print(&text, command ? "command to %s" : "event of %s; ", speaker_name(speaker));
    for (int i = 0; i < document->count && !command; i++)
        if (contract_reaction(document->services[i], type)) {
            buffer_print(&text, "%s%s", *comma ? comma : "heard by ", document->services[i]->name);
            comma = ", ";
        }
    if (!*comma && contract_topic(type) >= 0 && !command)
        buffer_string(&text, "final: for views, adapters and people");
    json_put_text(document->out, "summary", buffer_view(&text));
    buffer_release(&text);
}

static void put_headers(struct buffer *out, enum message_type type, struct text ce_type)
{
    json_put_open(out, "headers", '{');
    json_put_text(out, "type", text_of("object"));
    json_put_open(out, "allOf", '[');
    put_ref(out, NULL, "#/components/schemas/%s", headers_name(headers_of(type)));
    json_put_open(out, NULL, '{');
    json_put_open(out, "properties", '{');
    json_put_open(out, "ce_type", '{');
    json_put_text(out, "const", ce_type);
    json_put_close(out, '}');
    json_put_close(out, '}');
    json_put_close(out, '}');
    json_put_close(out, ']');
    json_put_close(out, '}');
}

static void put_example(struct document *document, enum message_type type, struct text ce_type)
{
    struct buffer *out = document->out;
    if (document->examples[type].size == 0)
        return;
    json_put_open(out, "examples", '[');
    json_put_open(out, NULL, '{');
    if (message_role(type) == ROLE_COMMAND) { /* all that a publisher must give */
        json_put_open(out, "headers", '{');
        json_put_text(out, "ce_type", ce_type);
        json_put_close(out, '}');
    }
    json_put_raw(out, "payload", document->examples[type]);
    json_put_close(out, '}');
    json_put_close(out, ']');
}

static const struct binding {
    const char *name;
    const char *types[2]; /* NULL: no more */
    const char *description;
} command_key = {"commandKey",
                 {"string", "null"},
                 "The show_id of the payload, which leads it into its partition. What counts is "
                 "the partition: a publisher who puts it there may give another key, or none."},
  event_key = {"eventKey", {"string", NULL}, "The show_id of the payload."},
  no_key = {"noKey", {"null", NULL}, "None: it lies in the partition of what it is about."};

static const struct binding *key_of(enum message_type type)
{
    if (contract_topic(type) < 0)
        return &no_key;
    return message_role(type) == ROLE_COMMAND ? &command_key : &event_key;
}

static void put_message(struct document *document, const char *name, enum message_type type,
                        enum speaker speaker)
{
    static const char *const roles[] = {
        [ROLE_COMMAND] = "command", [ROLE_EVENT] = "event", [ROLE_BUS] = "bus"};
    struct buffer *out = document->out;
    struct buffer ce_type = {0};
    message_type_print(type, speaker, &ce_type);
    json_put_open(out, name, '{');
    json_put_text(out, "name", buffer_view(&ce_type));
    json_put_text(out, "title", text_of(message_name(type)));
    put_summary(document, type, speaker);
    json_put_open(out, "tags", '[');
    json_put_open(out, NULL, '{');
    json_put_text(out, "name", text_of(roles[message_role(type)]));
    json_put_close(out, '}');
    json_put_close(out, ']');
    put_headers(out, type, buffer_view(&ce_type));
    put_ref(out, "payload", "./json/%s.%s.schema.json", speaker_name(message_speaker(type)),
            message_name(type));
    if (message_role(type) != ROLE_BUS)
        put_ref(out, "correlationId", "#/components/correlationIds/entity");
    put_ref(out, "bindings", "#/components/messageBindings/%s", key_of(type)->name);
    put_example(document, type, buffer_view(&ce_type));
    json_put_close(out, '}');
    buffer_release(&ce_type);
}

static void put_messages(struct document *document)
{
    json_put_open(document->out, "messages", '{');
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        enum message_type type = (enum message_type)i;
        if (message_speaker(type) != SPEAKER_any)
            put_message(document, message_name(type), type, message_speaker(type));
        for (int k = 0; k < document->count && message_speaker(type) == SPEAKER_any; k++) {
            struct buffer name = {0};
            buffer_print(&name, "%s.%s", document->services[k]->name, message_name(type));
            put_message(document, name.data, type, document->services[k]->speaker);
            buffer_release(&name);
        }
    }
    json_put_close(document->out, '}');
}

static void put_correlation(struct buffer *out)
{
    json_put_open(out, "correlationIds", '{');
    json_put_open(out, "entity", '{');
    json_put_text(out, "description", text_of("The reservation_id, else the show_id."));
    json_put_text(out, "location", text_of("$message.header#/ce_correlationid"));
    json_put_close(out, '}');
    json_put_close(out, '}');
}

static void put_key(struct buffer *out, const struct binding *binding)
{
    json_put_open(out, binding->name, '{');
    json_put_open(out, "kafka", '{');
    json_put_open(out, "key", '{');
    json_put_text(out, "description", text_of(binding->description));
    json_put_open(out, "type", '[');
    for (int i = 0; i < 2 && binding->types[i]; i++)
        json_put_text(out, NULL, text_of(binding->types[i]));
    json_put_close(out, ']');
    json_put_close(out, '}');
    json_put_text(out, "bindingVersion", text_of("0.5.0"));
    json_put_close(out, '}');
    json_put_close(out, '}');
}

static void put_group(struct buffer *out, const struct service_descriptor *service)
{
    json_put_open(out, service->name, '{');
    json_put_open(out, "kafka", '{');
    json_put_open(out, "groupId", '{');
    json_put_text(out, "description",
                  text_of("Says who should own a partition. Whose word counts is said by the "
                          "claims, and offsets of the group are never read."));
    json_put_text(out, "type", text_of("string"));
    json_put_text(out, "const", text_of(service->name));
    json_put_close(out, '}');
    json_put_text(out, "bindingVersion", text_of("0.5.0"));
    json_put_close(out, '}');
    json_put_close(out, '}');
}

static void put_components(struct document *document)
{
    struct buffer *out = document->out;
    json_put_open(out, "components", '{');
    put_messages(document);
    json_put_open(out, "schemas", '{');
    headers_print(out);
    json_put_close(out, '}');
    put_correlation(out);
    json_put_open(out, "messageBindings", '{');
    put_key(out, &command_key);
    put_key(out, &event_key);
    put_key(out, &no_key);
    json_put_close(out, '}');
    json_put_open(out, "operationBindings", '{');
    for (int i = 0; i < document->count; i++)
        put_group(out, document->services[i]);
    json_put_close(out, '}');
    json_put_close(out, '}');
}

void asyncapi_print(const struct service_descriptor *const *services, int count,
                    const struct text *examples, struct buffer *out)
{
    struct document document = {services, count, examples, out};
    buffer_byte(out, '{');
    json_put_text(out, "asyncapi", text_of("3.0.0"));
    put_info(&document);
    put_channels(&document);
    put_operations(&document);
    put_components(&document);
    json_put_close(out, '}');
}
