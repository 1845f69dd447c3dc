/* Refused events told, and the records they are about. */
#include "cli/refused.h"

#include "base/rfc3339.h"
#include "story/words.h"
#include "schemas/json.h"

enum { CODE_COLUMN = 12, PLACE_COLUMN = 28 };

bool refused_place(const struct kept *refusal, struct place *place)
{
    struct source source;
    struct text text = record_header(&refusal->record, "sd_source", NULL);
    if (text.data == NULL || !source_parse(text, &source) || source.timer)
        return false;
    *place = (struct place){topic_named(source.topic), source.partition, source.offset};
    return place->topic >= 0;
}

/* ---- a refusal ------------------------------------------------------------------------------- */
static void put_place(struct buffer *out, const struct kept *refusal)
{
    struct place place;
    if (refused_place(refusal, &place))
        place_print(&place, out);
    else
        buffer_byte(out, '?');
}

static void put_id(struct buffer *out, const char **before, const char *name, bool there,
                   struct text id)
{
    if (!there || id.size == 0)
        return;
    buffer_print(out, "%s%s ", *before, name);
    words_safe(out, id, LABEL_SIZE_MAX);
    *before = ", ";
}

static void put_ids(struct buffer *out, const struct message *refusal)
{
    const char *before = " (";
    put_id(out, &before, "show", message_has(refusal, show_id), refusal->show_id);
    put_id(out, &before, "reservation", message_has(refusal, reservation_id),
           refusal->reservation_id);
    put_id(out, &before, "payment", message_has(refusal, payment_id), refusal->payment_id);
    put_id(out, &before, "refund", message_has(refusal, refund_id), refusal->refund_id);
    put_id(out, &before, "ticket", message_has(refusal, ticket_id), refusal->ticket_id);
    put_id(out, &before, "by", true, refusal->actor);
    buffer_string(out, before[0] == ',' ? ")" : "");
}

void refused_print_line(const struct kept *refusal, struct buffer *out)
{
    struct arena arena = {0};
    struct message message;
    kept_message(refusal, &arena, &message);
    words_time(out, refusal->append_ms, -1);
    buffer_string(out, "  ");
    size_t start = out->size;
    put_place(out, refusal);
    words_pad(out, start, PLACE_COLUMN);
    buffer_print(out, " %-*s ", CODE_COLUMN, code_name(message.code));
    if (message_has(&message, command))
        buffer_print(out, "%.*s: ", TEXT_PRINT(message.command));
    if (message_has(&message, field))
        buffer_print(out, "%.*s: ", TEXT_PRINT(message.field));
    buffer_text(out, message.detail);
    put_ids(out, &message);
    buffer_byte(out, '\n');
    arena_release(&arena);
}

static void put_time(struct buffer *out, int64_t at_ms)
{
    char time[RFC3339_SIZE];
    json_put_text(out, "time", text_of(rfc3339_print(at_ms < 0 ? 0 : at_ms, time)));
}

static void put_place_member(struct buffer *out, const char *name, const struct place *place)
{
    struct buffer text = {0};
    place_print(place, &text);
    json_put_text(out, name, buffer_view(&text));
    buffer_release(&text);
}

static void put_member(struct buffer *out, const char *name, bool there, struct text text)
{
    if (there && text.size)
        json_put_text(out, name, text);
}

static void put_refusal(struct buffer *out, const char *name, const struct kept *refusal)
{
    struct arena arena = {0};
    struct message message;
    struct place place;
    kept_message(refusal, &arena, &message);
    json_put_open(out, name, '{');
    put_time(out, refusal->append_ms);
    if (refused_place(refusal, &place))
        put_place_member(out, "place", &place);
    put_place_member(out, "answer", &refusal->place);
    json_put_text(out, "code", text_of(code_name(message.code)));
    put_member(out, "command", message_has(&message, command), message.command);
    put_member(out, "field", message_has(&message, field), message.field);
    put_member(out, "detail", true, message.detail);
    put_member(out, "show_id", message_has(&message, show_id), message.show_id);
    put_member(out, "reservation_id", message_has(&message, reservation_id),
               message.reservation_id);
    put_member(out, "payment_id", message_has(&message, payment_id), message.payment_id);
    put_member(out, "refund_id", message_has(&message, refund_id), message.refund_id);
    put_member(out, "ticket_id", message_has(&message, ticket_id), message.ticket_id);
    put_member(out, "actor", true, message.actor);
    put_member(out, "command_id", true, message.cause_id);
    json_put_close(out, '}');
    arena_release(&arena);
}

void refused_print_json(const struct kept *refusal, struct buffer *out)
{
    put_refusal(out, NULL, refusal);
    buffer_byte(out, '\n');
}

/* ---- finding one ----------------------------------------------------------------------------- */
static int find_refusal(struct log_reader *reader, const struct place *place,
                        struct refused_record *found)
{
    struct buffer name = {0};
    int end = END_OK;
    place_print(place, &name);
    buffer_byte(&name, '#');
    struct log_wish wish = {.containing = buffer_view(&name)};
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        wish.topics[topic] = topic_is_events(topic);
    log_reader_restart(reader, &wish);
    enum log_step step;
    while ((step = log_reader_next(reader)) == LOG_ITEM)
        if (reader->news == FOLLOWER_MESSAGE && reader->item.message.type == MESSAGE_Refused &&
            text_starts(record_header(reader->item.record, "sd_source", NULL), name.data))
            found->refusal = record_list_add(&found->list, reader->news, &reader->item);
    if (step == LOG_OVER)
        end = reader->end;
    buffer_release(&name);
    return end;
}

int refused_find(struct log_reader *reader, const struct place *place, struct refused_record *found)
{
    int end;
    *found = (struct refused_record){0};
    if (!log_reader_at(reader, place, &end))
        return end;
    found->record = record_list_add(&found->list, FOLLOWER_VOID, &reader->item);
    return find_refusal(reader, place, found);
}

void refused_release(struct refused_record *found)
{
    record_list_release(&found->list);
}

/* ---- the record itself ----------------------------------------------------------------------- */
void refused_print_record(const struct refused_record *found, struct buffer *out)
{
    const struct bus_record *record = &found->record->record;
    place_print(&found->record->place, out);
    buffer_string(out, ", appended ");
    words_time(out, found->record->append_ms, -1);
    buffer_string(out, " UTC\n");
    if (found->refusal) {
        buffer_string(out, "refused: ");
        refused_print_line(found->refusal, out);
    } else {
        buffer_string(out, "nobody has refused it\n");
    }
    buffer_string(out, "\nkey: ");
    if (record->key.data)
        words_visible(out, record->key, false);
    else
        buffer_string(out, "(none)");
    buffer_byte(out, '\n');
    for (int i = 0; i < record->header_count; i++) {
        words_visible(out, record->headers[i].name, false);
        buffer_string(out, ": ");
        words_visible(out, record->headers[i].value, false);
        buffer_byte(out, '\n');
    }
    buffer_byte(out, '\n');
    words_visible(out, record->value, true);
    buffer_byte(out, '\n');
}

/* Text when it can stand in JSON, else hex under another name. */
static void put_bytes(struct buffer *out, const char *name, const char *hex_name, struct text bytes)
{
    static const char digits[] = "0123456789abcdef";
    struct buffer quoted = {0};
    size_t at;
    json_put_text(&quoted, NULL, bytes);
    bool good = json_problem(buffer_view(&quoted), &at) == NULL;
    if (good) {
        json_put_raw(out, name, buffer_view(&quoted));
        buffer_release(&quoted);
        return;
    }
    buffer_clear(&quoted);
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        buffer_byte(&quoted, digits[byte >> 4]);
        buffer_byte(&quoted, digits[byte & 15]);
    }
    json_put_text(out, hex_name, buffer_view(&quoted));
    buffer_release(&quoted);
}

void refused_print_record_json(const struct refused_record *found, struct buffer *out)
{
    const struct bus_record *record = &found->record->record;
    json_put_open(out, NULL, '{');
    put_place_member(out, "place", &found->record->place);
    put_time(out, found->record->append_ms);
    if (record->key.data)
        put_bytes(out, "key", "key_hex", record->key);
    json_put_open(out, "headers", '[');
    for (int i = 0; i < record->header_count; i++) {
        json_put_open(out, NULL, '{');
        put_bytes(out, "name", "name_hex", record->headers[i].name);
        put_bytes(out, "value", "value_hex", record->headers[i].value);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    put_bytes(out, "value", "value_hex", record->value);
    if (found->refusal)
        put_refusal(out, "refused", found->refusal);
    json_put_close(out, '}');
    buffer_byte(out, '\n');
}
