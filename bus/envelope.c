/* CloudEvents in Kafka records, both ways. */
#include "bus/envelope.h"

#include "base/crc.h"
#include "base/rfc3339.h"
#include "bus/fence.h"
#include "schemas/json.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void envelope_fingerprint(struct text body, char out[17])
{
    /* Two CRCs of different polynomials: enough to tell an honest repeat from another body. */
    snprintf(out, 17, "%08x%08x", crc32_of(body.data, body.size),
             crc32c_add(0, body.data, body.size));
}

/* ---- reading --------------------------------------------------------------------------------- */

struct reading {
    const struct bus_record *record;
    const struct place *place;
    struct arena *arena;
    struct message *message;
    struct codec_error *error;
};

__attribute__((format(printf, 3, 4))) static enum envelope_result
refuse(struct reading *r, enum envelope_result result, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    r->error->field[0] = '\0';
    vsnprintf(r->error->detail, sizeof r->error->detail, format, arguments);
    va_end(arguments);
    /* A stranger's bytes are quoted in it, and it becomes a field of an event of ours. */
    for (char *at = r->error->detail; *at; at++)
        if (*at < 0x20 || *at > 0x7e)
            *at = '?';
    return result;
}

/* The service whose topic this is. */
static enum speaker speaker_of(int topic)
{
    return (enum speaker)(SPEAKER_shows + topic / 2);
}

static enum envelope_result find_type(struct reading *r, struct text ce_type,
                                      enum message_type *type)
{
    enum speaker speaker;
    bool events = topic_is_events(r->place->topic);
    *type = message_type_parse(ce_type, &speaker);
    if (ce_type.size == 0)
        return refuse(r, ENVELOPE_UNDECODABLE,
                      "no ce_type header; give it, as in kcat -H ce_type=stagedoor.%s.NAME",
                      speaker_name(speaker_of(r->place->topic)));
    if (*type == MESSAGE_NONE)
        return refuse(r, ENVELOPE_UNKNOWN_TYPE, "no message is called '%.*s'", TEXT_PRINT(ce_type));
    enum message_role role = message_role(*type);
    if (role == (events ? ROLE_COMMAND : ROLE_EVENT) || (!events && role == ROLE_BUS) ||
        (role != ROLE_BUS && speaker != speaker_of(r->place->topic)))
        return refuse(r, ENVELOPE_UNKNOWN_TYPE, "'%.*s' does not belong into %s",
                      TEXT_PRINT(ce_type), topic_name(r->place->topic));
    return ENVELOPE_OK;
}

static struct text header(struct reading *r, const char *name, size_t size_max)
{
    struct text text = record_header(r->record, name, NULL);
    return text.size && text.size <= size_max ? arena_text(r->arena, text) : (struct text){NULL, 0};
}

static void read_context(struct reading *r)
{
    struct message *message = r->message;
    message->id = header(r, "ce_id", LABEL_SIZE_MAX);
    message->cause_id = header(r, "ce_causationid", LABEL_SIZE_MAX);
    message->correlation_id = header(r, "ce_correlationid", LABEL_SIZE_MAX);
    message->actor = header(r, "ce_actor", LABEL_SIZE_MAX);
    message->traceparent = header(r, "traceparent", LABEL_SIZE_MAX);
    if (!rfc3339_parse(record_header(r->record, "ce_time", NULL), &message->at_ms))
        message->at_ms = 0;
}

static enum envelope_result result_of(enum codec_result result)
{
    switch (result) {
    case CODEC_OK:
        return ENVELOPE_OK;
    case CODEC_INVALID:
        return ENVELOPE_INVALID;
    case CODEC_UNDECODABLE:
        return ENVELOPE_UNDECODABLE;
    }
    return ENVELOPE_UNDECODABLE;
}

static enum envelope_result read_binary(struct reading *r)
{
    enum message_type type;
    struct text ce_type = record_header(r->record, "ce_type", NULL);
    enum envelope_result result = find_type(r, ce_type, &type);
    if (result != ENVELOPE_OK)
        return result;
    return result_of(codec_decode(type, r->record->value, r->arena, r->message, r->error));
}

static struct text member_text(struct reading *r, const struct json *object, const char *name)
{
    struct text text = {NULL, 0};
    const struct json *value = json_member(object, name);
    if (value && json_text(value, &text) && text.size && text.size <= LABEL_SIZE_MAX)
        return arena_text(r->arena, text);
    return (struct text){NULL, 0};
}

static enum envelope_result read_event(struct reading *r, const struct json *event)
{
    enum message_type type;
    enum envelope_result result = find_type(r, member_text(r, event, "type"), &type);
    const struct json *data = json_member(event, "data");
    if (result != ENVELOPE_OK)
        return result;
    if (data == NULL)
        return refuse(r, ENVELOPE_UNDECODABLE, "the structured CloudEvent has no \"data\" object");
    result = result_of(codec_decode_value(type, data, r->arena, r->message, r->error));
    struct text id = member_text(r, event, "id");
    read_context(r);
    if (id.size)
        r->message->id = id;
    return result;
}

static enum envelope_result read_structured(struct reading *r)
{
    const char *problem;
    size_t at;
    if (r->record->value.size > MESSAGE_SIZE_MAX)
        return refuse(r, ENVELOPE_UNDECODABLE, "the value has %zu bytes; at most %d are allowed",
                      r->record->value.size, MESSAGE_SIZE_MAX);
    struct json *event = json_parse(r->record->value, &problem, &at);
    if (event == NULL)
        return refuse(r, ENVELOPE_UNDECODABLE, "the value is not JSON: %s, at byte %zu", problem,
                      at);
    enum envelope_result result =
        json_is_object(event)
            ? read_event(r, event)
            : refuse(r, ENVELOPE_UNDECODABLE, "the value is not a structured CloudEvent");
    json_free(event);
    return result;
}

/* What a publisher of commands may leave out. */
static void set_defaults(struct reading *r)
{
    char fingerprint[17];
    if (r->message->id.size == 0)
        r->message->id = arena_print(r->arena, "%s/%d/%lld", topic_name(r->place->topic),
                                     r->place->partition, (long long)r->place->offset);
    if (r->message->type == MESSAGE_NONE || message_has(r->message, fingerprint))
        return;
    envelope_fingerprint(r->record->value, fingerprint);
    message_set(r->message, fingerprint, arena_text(r->arena, text_of(fingerprint)));
}

enum envelope_result envelope_read(const struct bus_record *record, const struct place *place,
                                   struct arena *arena, struct message *message,
                                   struct codec_error *error)
{
    struct reading reading = {record, place, arena, message, error};
    struct text content = record_header(record, "content-type", NULL);
    bool command = !topic_is_events(place->topic);
    message_init(message, MESSAGE_NONE);
    *error = (struct codec_error){"", ""};
    enum envelope_result result = command && text_starts(content, "application/cloudevents+json")
                                      ? read_structured(&reading)
                                      : read_binary(&reading);
    if (message->id.size == 0)
        read_context(&reading);
    if (command)
        set_defaults(&reading);
    return result;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Everything is printed into one buffer; the views are cut from it at the end, when it no longer
 * moves. */
static void add_header(struct envelope *envelope, const char *name)
{
    assert(envelope->header_count < BUS_HEADERS_MAX);
    envelope->starts[envelope->header_count] = envelope->bytes.size;
    envelope->headers[envelope->header_count++].name = text_of(name);
}

void envelope_header(struct envelope *envelope, const char *name, struct text value)
{
    add_header(envelope, name);
    buffer_text(&envelope->bytes, value);
}

static void optional_header(struct envelope *envelope, const char *name, struct text value)
{
    if (value.size)
        envelope_header(envelope, name, value);
}

static struct text subject_of(const struct message *message)
{
    return message_has(message, show_id) ? message->show_id : (struct text){NULL, 0};
}

static struct text correlation_of(const struct message *message)
{
    if (message->correlation_id.size)
        return message->correlation_id;
    return message_has(message, reservation_id) ? message->reservation_id : subject_of(message);
}

void envelope_open(struct envelope *envelope, const struct message *message, enum speaker speaker)
{
    char time[RFC3339_SIZE];
    struct text no_key = {NULL, 0};
    buffer_clear(&envelope->bytes);
    envelope->header_count = 0;
    codec_encode(message, &envelope->bytes);
    envelope->record = (struct bus_record){.value = {NULL, envelope->bytes.size}};
    envelope->record.key = message->type == MESSAGE_Refused ? no_key : subject_of(message);

    envelope_header(envelope, "ce_specversion", text_of("1.0"));
    optional_header(envelope, "ce_id", message->id);
    add_header(envelope, "ce_type");
    message_type_print(message->type, speaker, &envelope->bytes);
    add_header(envelope, "ce_source");
    buffer_print(&envelope->bytes, "stagedoor/%s", speaker_name(speaker));
    if (message->at_ms)
        envelope_header(envelope, "ce_time", text_of(rfc3339_print(message->at_ms, time)));
    optional_header(envelope, "ce_subject", subject_of(message));
    envelope_header(envelope, "content-type", text_of("application/json"));
    optional_header(envelope, "ce_correlationid", correlation_of(message));
    optional_header(envelope, "ce_causationid", message->cause_id);
    optional_header(envelope, "ce_actor", message->actor);
    optional_header(envelope, "traceparent", message->traceparent);
}

const struct bus_record *envelope_close(struct envelope *envelope)
{
    const char *bytes = envelope->bytes.data;
    envelope->starts[envelope->header_count] = envelope->bytes.size;
    for (int i = 0; i < envelope->header_count; i++)
        envelope->headers[i].value = (struct text){bytes + envelope->starts[i],
                                                   envelope->starts[i + 1] - envelope->starts[i]};
    envelope->record.value.data = bytes;
    envelope->record.headers = envelope->headers;
    envelope->record.header_count = envelope->header_count;
    return &envelope->record;
}

void envelope_release(struct envelope *envelope)
{
    buffer_release(&envelope->bytes);
}
