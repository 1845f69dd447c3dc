/* One walk over the shapes for reading, one for writing. */
#include "schemas/codec.h"

#include "schemas/json.h"
#include "schemas/shape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Where in the document the reading is: a chain on the stack, printed only when needed. */
struct step {
    const struct step *up;
    const char *name; /* NULL: the item `place` of a list */
    int place;
};

struct reading {
    struct arena *arena;
    struct codec_error *error;
    const struct step *at;
};

static bool read_shape(struct reading *r, struct shape shape, const struct json *object,
                       void *target, bool *has);

static void print_path(const struct step *step, char *out, size_t size)
{
    if (step == NULL)
        return;
    print_path(step->up, out, size);
    size_t used = strlen(out);
    if (step->name)
        snprintf(out + used, size - used, "%s%s", used ? "/" : "", step->name);
    else
        snprintf(out + used, size - used, "/%d", step->place);
}

__attribute__((format(printf, 2, 3))) static bool fail(struct reading *r, const char *format, ...)
{
    va_list arguments;
    if (r->error->detail[0])
        return false; /* the first problem is the one that is told */
    print_path(r->at, r->error->field, sizeof r->error->field);
    va_start(arguments, format);
    vsnprintf(r->error->detail, sizeof r->error->detail, format, arguments);
    va_end(arguments);
    return false;
}

static bool read_text(struct reading *r, const struct kind_row *row, const struct json *value,
                      struct text *target)
{
    struct text text;
    if (!json_text(value, &text) || text.size < (size_t)row->min || text.size > (size_t)row->max ||
        !row->good(text))
        return fail(r, "must be %s", row->meaning);
    *target = arena_text(r->arena, text);
    return true;
}

static bool read_integer(struct reading *r, const struct kind_row *row, const struct json *value,
                         int64_t *target)
{
    int64_t number;
    if (!json_i64(value, &number) || number < row->min || number > row->max)
        return fail(r, "must be %s", row->meaning);
    *target = number;
    return true;
}

static bool read_word(struct reading *r, const struct kind_row *row, const struct json *value,
                      unsigned *target)
{
    struct text text;
    char list[160] = "";
    if (json_text(value, &text))
        for (unsigned i = 0; row->words[i]; i++)
            if (text_is(text, row->words[i])) {
                *target = i;
                return true;
            }
    for (unsigned i = 0; row->words[i] && strlen(list) + 24 < sizeof list; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "",
                 row->words[i]);
    return fail(r, "must be one of %s", list);
}

static bool read_items(struct reading *r, const struct kind_row *row, const struct json *value,
                       char *item_at, struct step *step)
{
    for (const struct json *item = json_first(value); item; item = json_next(item), step->place++) {
        if (!json_is_object(item))
            return fail(r, "must be an object");
        memset(item_at, 0, row->item_size); /* an item has parts that its shape does not read */
        if (!read_shape(r, row->shape, item, item_at, NULL))
            return false;
        item_at += row->item_size;
    }
    return true;
}

static bool read_list(struct reading *r, const struct kind_row *row, const struct json *value,
                      int *count)
{
    struct step step = {r->at, NULL, 0};
    if (!json_is_array(value) || json_size(value) < row->min || json_size(value) > row->max)
        return fail(r, "must be a list of %s", row->meaning);
    r->at = &step;
    bool good = read_items(r, row, value, (char *)count + row->items_offset, &step);
    r->at = step.up;
    *count = step.place;
    return good;
}

static bool read_numbers(struct reading *r, const struct kind_row *row, const struct json *value,
                         struct numbers *target)
{
    int64_t number;
    *target = (struct numbers){0};
    if (!json_is_array(value) || json_size(value) < row->min || json_size(value) > row->max)
        return fail(r, "must be a list of %s", row->meaning);
    for (const struct json *item = json_first(value); item; item = json_next(item)) {
        if (!json_i64(item, &number) || number < 1 || number > NUMBERS_MAX ||
            numbers_has(target, number))
            return fail(r, "must be a list of %s", row->meaning);
        numbers_add(target, number);
    }
    return true;
}

static bool read_value(struct reading *r, enum kind kind, const struct json *value, void *target)
{
    const struct kind_row *row = kind_row(kind);
    switch (row->family) {
    case FAMILY_TEXT:
        return read_text(r, row, value, target);
    case FAMILY_INTEGER:
        return read_integer(r, row, value, target);
    case FAMILY_BOOL:
        return json_bool(value, target) || fail(r, "must be true or false");
    case FAMILY_WORD:
        return read_word(r, row, value, target);
    case FAMILY_OBJECT:
        if (!json_is_object(value))
            return fail(r, "must be an object: %s", row->meaning);
        return read_shape(r, row->shape, value, target, NULL);
    case FAMILY_LIST:
        return read_list(r, row, value, target);
    case FAMILY_NUMBERS:
        return read_numbers(r, row, value, target);
    }
    return false;
}

/* Absence inside a nested object: no bytes, or -1. */
static void set_absent(enum kind kind, void *target)
{
    if (kind_row(kind)->family == FAMILY_TEXT)
        *(struct text *)target = (struct text){NULL, 0};
    else if (kind_row(kind)->family == FAMILY_INTEGER)
        *(int64_t *)target = -1;
}

/* Reads every member that is good, even behind a bad one: a refusal names what could be read. */
static bool read_shape(struct reading *r, struct shape shape, const struct json *object,
                       void *target, bool *has)
{
    struct step step = {r->at, NULL, 0};
    bool good = true;
    r->at = &step;
    for (int i = 0; i < shape.count; i++) {
        const struct member *member = &shape.members[i];
        const struct json *value = json_member(object, member->json);
        void *place = (char *)target + member->offset;
        step.name = member->json;
        if (value == NULL && member->required)
            good = fail(r, "is missing");
        else if (value == NULL && has == NULL)
            set_absent(member->kind, place);
        else if (value && !read_value(r, member->kind, value, place))
            good = false;
        else if (value && has)
            has[member->field] = true;
    }
    r->at = step.up;
    return good;
}

enum codec_result codec_decode_value(enum message_type type, const struct json *value,
                                     struct arena *arena, struct message *message,
                                     struct codec_error *error)
{
    struct reading reading = {arena, error, NULL};
    assert(message != NULL);
    message_init(message, type);
    *error = (struct codec_error){"", ""};
    if (!json_is_object(value)) {
        fail(&reading, "the value is not a JSON object");
        return CODEC_UNDECODABLE;
    }
    return read_shape(&reading, message_shape(type), value, message, message->has) ? CODEC_OK
                                                                                   : CODEC_INVALID;
}

enum codec_result codec_decode(enum message_type type, struct text text, struct arena *arena,
                               struct message *message, struct codec_error *error)
{
    struct reading reading = {arena, error, NULL};
    const char *problem;
    size_t at;
    message_init(message, type);
    *error = (struct codec_error){"", ""};
    if (text.size > MESSAGE_SIZE_MAX) {
        fail(&reading, "the value has %zu bytes; at most %d are allowed", text.size,
             MESSAGE_SIZE_MAX);
        return CODEC_UNDECODABLE;
    }
    struct json *document = json_parse(text, &problem, &at);
    if (document == NULL) {
        fail(&reading, "the value is not JSON: %s, at byte %zu", problem, at);
        return CODEC_UNDECODABLE;
    }
    enum codec_result result = codec_decode_value(type, document, arena, message, error);
    json_free(document);
    return result;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_shape(struct shape shape, const void *source, const bool *has,
                        struct buffer *out);

static bool is_absent(enum kind kind, const void *source)
{
    const struct kind_row *row = kind_row(kind);
    return (row->family == FAMILY_TEXT && ((const struct text *)source)->data == NULL) ||
           (row->family == FAMILY_INTEGER && *(const int64_t *)source == -1);
}

static void write_list(const struct kind_row *row, const char *name, const int *count,
                       struct buffer *out)
{
    const char *item_at = (const char *)count + row->items_offset;
    assert(*count >= 0 && *count <= row->max);
    json_put_open(out, name, '[');
    for (int i = 0; i < *count; i++, item_at += row->item_size) {
        json_put_open(out, NULL, '{');
        write_shape(row->shape, item_at, NULL, out);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void write_numbers(const char *name, const struct numbers *numbers, struct buffer *out)
{
    json_put_open(out, name, '[');
    for (int64_t number = numbers_next(numbers, 0); number; number = numbers_next(numbers, number))
        json_put_i64(out, NULL, number);
    json_put_close(out, ']');
}

static void write_value(enum kind kind, const char *name, const void *source, struct buffer *out)
{
    const struct kind_row *row = kind_row(kind);
    switch (row->family) {
    case FAMILY_TEXT:
        json_put_text(out, name, *(const struct text *)source);
        return;
    case FAMILY_INTEGER:
        json_put_i64(out, name, *(const int64_t *)source);
        return;
    case FAMILY_BOOL:
        json_put_bool(out, name, *(const bool *)source);
        return;
    case FAMILY_WORD:
        json_put_text(out, name, text_of(row->words[*(const unsigned *)source]));
        return;
    case FAMILY_OBJECT:
        json_put_open(out, name, '{');
        write_shape(row->shape, source, NULL, out);
        json_put_close(out, '}');
        return;
    case FAMILY_LIST:
        write_list(row, name, source, out);
        return;
    case FAMILY_NUMBERS:
        write_numbers(name, source, out);
        return;
    }
}

static void write_shape(struct shape shape, const void *source, const bool *has, struct buffer *out)
{
    for (int i = 0; i < shape.count; i++) {
        const struct member *member = &shape.members[i];
        const void *place = (const char *)source + member->offset;
        bool absent =
            has ? !has[member->field] : !member->required && is_absent(member->kind, place);
        assert(!(absent && member->required));
        if (!absent)
            write_value(member->kind, member->json, place, out);
    }
}

void codec_encode(const struct message *message, struct buffer *out)
{
    struct shape shape = message_shape(message->type);
    bool allowed[FIELD_COUNT] = {false};
    for (int i = 0; i < shape.count; i++)
        allowed[shape.members[i].field] = true;
    for (int i = 0; i < FIELD_COUNT; i++)
        assert(allowed[i] || !message->has[i]);
    /* A document of its own, whatever was in `out`: the comma logic looks at the last byte. */
    buffer_byte(out, '{');
    write_shape(shape, message, message->has, out);
    buffer_byte(out, '}');
}
