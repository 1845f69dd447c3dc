/* A refused command made ready to be said again, where it belongs.
 *
 * Identity is what makes this safe and what makes it subtle: services remember the ce_ids they
 * answered, refusals included, and have no second outcome for the same. So the copy gets an id of
 * its own. Commands that are known by what they are about (a reservation_id, a payment_id) are
 * repeats all the same once that was decided. */
#include "cli/refused.h"

#include "base/uuid.h"

static void add_header(struct republication *again, const char *name, struct text value)
{
    if (again->record.header_count < BUS_HEADERS_MAX && value.data)
        again->headers[again->record.header_count++] = (struct bus_header){text_of(name), value};
}

/* What the copy gets anew, or what only its first place could say. */
static bool is_replaced(struct text name)
{
    return text_is(name, "ce_id") || text_is(name, "ce_source") || text_starts(name, "sd_") ||
           text_is(name, "ce_republishes");
}

static void copy_headers(struct republication *again, const struct bus_record *record)
{
    for (int i = 0; i < record->header_count; i++)
        if (!is_replaced(record->headers[i].name) &&
            again->record.header_count < BUS_HEADERS_MAX - 3)
            again->headers[again->record.header_count++] = record->headers[i];
}

/* The event inside becomes the value, its context the headers. */
static void unfold(struct republication *again, const struct message *message)
{
    struct buffer value = {0}, type = {0};
    codec_encode(message, &value);
    message_type_print(message->type, message_speaker(message->type), &type);
    again->record.value = arena_text(&again->arena, buffer_view(&value));
    add_header(again, "ce_specversion", text_of("1.0"));
    add_header(again, "ce_type", arena_text(&again->arena, buffer_view(&type)));
    add_header(again, "content-type", text_of("application/json"));
    add_header(again, "ce_actor", message->actor);
    add_header(again, "ce_correlationid", message->correlation_id);
    buffer_release(&value);
    buffer_release(&type);
}

void republication_build(struct republication *again, const struct kept *record, bool same_id,
                         int partition_count, const char **why)
{
    struct message message;
    struct codec_error error;
    char id[UUID_SIZE];
    struct text content = record_header(&record->record, "content-type", NULL);
    *again = (struct republication){.topic = record->place.topic};
    enum envelope_result result =
        envelope_read(&record->record, &record->place, &again->arena, &message, &error);
    *why = result == ENVELOPE_OK ? NULL
                                 : arena_print(&again->arena, "%s%s%s", error.field,
                                               error.field[0] ? ": " : "", error.detail)
                                       .data;
    again->record.value = record->record.value;
    if (result == ENVELOPE_OK && text_starts(content, "application/cloudevents+json"))
        unfold(again, &message);
    else
        copy_headers(again, &record->record);
    again->id = same_id ? message.id : arena_text(&again->arena, text_of(uuid_random(id)));
    struct buffer place = {0};
    place_print(&record->place, &place);
    add_header(again, "ce_id", again->id);
    add_header(again, "ce_source", text_of("stagedoor/republish"));
    add_header(again, "ce_republishes", arena_text(&again->arena, buffer_view(&place)));
    buffer_release(&place);
    again->record.key = message_has(&message, show_id) ? message.show_id : record->record.key;
    again->partition = again->record.key.data
                           ? topic_partition_of(again->record.key, partition_count)
                           : record->place.partition;
    again->record.headers = again->headers;
}

void republication_release(struct republication *again)
{
    arena_release(&again->arena);
}
