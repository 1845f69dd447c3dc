/* The JSON Schema of each message, from the tables the codec reads by: they cannot disagree. */
#include "schemas/codec.h"
#include "schemas/json.h"
#include "schemas/shape.h"

static void put_shape(struct buffer *out, struct shape shape);

static void put_kind(struct buffer *out, const char *name, enum kind kind)
{
    const struct kind_row *row = kind_row(kind);
    json_put_open(out, name, '{');
    json_put_text(out, "description", text_of(row->meaning));
    switch (row->family) {
    case FAMILY_TEXT:
        json_put_text(out, "type", text_of("string"));
        json_put_i64(out, "minLength", row->min);
        json_put_i64(out, "maxLength", row->max);
        if (row->pattern)
            json_put_text(out, "pattern", text_of(row->pattern));
        break;
    case FAMILY_INTEGER:
        json_put_text(out, "type", text_of("integer"));
        json_put_i64(out, "minimum", row->min);
        json_put_i64(out, "maximum", row->max);
        break;
    case FAMILY_BOOL:
        json_put_text(out, "type", text_of("boolean"));
        break;
    case FAMILY_WORD:
        json_put_open(out, "enum", '[');
        for (int i = 0; row->words[i]; i++)
            json_put_text(out, NULL, text_of(row->words[i]));
        json_put_close(out, ']');
        break;
    case FAMILY_OBJECT:
        put_shape(out, row->shape);
        break;
    case FAMILY_LIST:
        json_put_text(out, "type", text_of("array"));
        json_put_i64(out, "minItems", row->min);
        json_put_i64(out, "maxItems", row->max);
        json_put_open(out, "items", '{');
        put_shape(out, row->shape);
        json_put_close(out, '}');
        break;
    case FAMILY_NUMBERS:
        json_put_text(out, "type", text_of("array"));
        json_put_i64(out, "minItems", row->min);
        json_put_i64(out, "maxItems", row->max);
        json_put_bool(out, "uniqueItems", true);
        json_put_open(out, "items", '{');
        json_put_text(out, "type", text_of("integer"));
        json_put_i64(out, "minimum", 1);
        json_put_i64(out, "maximum", row->max);
        json_put_close(out, '}');
        break;
    }
    json_put_close(out, '}');
}

static void put_shape(struct buffer *out, struct shape shape)
{
    json_put_text(out, "type", text_of("object"));
    json_put_open(out, "required", '[');
    for (int i = 0; i < shape.count; i++)
        if (shape.members[i].required)
            json_put_text(out, NULL, text_of(shape.members[i].json));
    json_put_close(out, ']');
    json_put_open(out, "properties", '{');
    for (int i = 0; i < shape.count; i++)
        put_kind(out, shape.members[i].json, shape.members[i].kind);
    json_put_close(out, '}');
}

void codec_schema(enum message_type type, struct buffer *out)
{
    struct buffer title = {0};
    message_type_print(type, message_speaker(type), &title);
    buffer_byte(out, '{');
    json_put_text(out, "$schema", text_of("https://json-schema.org/draft/2020-12/schema"));
    json_put_text(out, "title", buffer_view(&title));
    put_shape(out, message_shape(type));
    buffer_byte(out, '}');
    buffer_release(&title);
}
