/* Every message's codec: what was read can be written, and is then the same message in the same
 * bytes, however it was spelled before. The first line names the message. */
#include "cli/examples.h"
#include "schemas/codec.h"
#include "schemas/shape.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

static enum codec_result read(enum message_type type, struct text value, struct arena *arena,
                              struct message *message, struct codec_error *error)
{
    enum codec_result result = codec_decode(type, value, arena, message, error);
    assert(message->type == type);
    assert((result == CODEC_OK) == (error->detail[0] == '\0'));
    assert(strlen(error->field) < sizeof error->field);
    for (int field = 0; field < FIELD_COUNT; field++)
        assert(!message->has[field] || message_may(type, (enum field)field));
    return result;
}

/* ---- whether two messages say the same, walked by the tables alone --------------------------- */

static bool same_shape(struct shape shape, const char *a, const char *b, const bool *has);

static bool same_value(enum kind kind, const char *a, const char *b)
{
    const struct kind_row *row = kind_row(kind);
    const char *item_a = a + row->items_offset, *item_b = b + row->items_offset;
    switch (row->family) {
    case FAMILY_TEXT:
        return text_equal(*(const struct text *)a, *(const struct text *)b);
    case FAMILY_INTEGER:
        return *(const int64_t *)a == *(const int64_t *)b;
    case FAMILY_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case FAMILY_WORD:
        return *(const unsigned *)a == *(const unsigned *)b;
    case FAMILY_OBJECT:
        return same_shape(row->shape, a, b, NULL);
    case FAMILY_NUMBERS:
        return memcmp(a, b, sizeof(struct numbers)) == 0;
    case FAMILY_LIST:
        break;
    }
    bool same = *(const int *)a == *(const int *)b;
    for (int i = 0; same && i < *(const int *)a; i++)
        same = same_shape(row->shape, item_a + (size_t)i * row->item_size,
                          item_b + (size_t)i * row->item_size, NULL);
    return same;
}

static bool same_shape(struct shape shape, const char *a, const char *b, const bool *has)
{
    for (int i = 0; i < shape.count; i++) {
        const struct member *member = &shape.members[i];
        if ((has == NULL || has[member->field]) &&
            !same_value(member->kind, a + member->offset, b + member->offset))
            return false;
    }
    return true;
}

void fuzz_one(struct text input)
{
    static struct message first, second;
    struct codec_error error, again;
    struct arena arena = {0};
    struct buffer written = {0}, rewritten = {0};
    enum message_type type = message_named(text_cut(&input, '\n'));
    if (type == MESSAGE_NONE)
        return;
    enum codec_result result = read(type, input, &arena, &first, &error);
    assert(read(type, input, &arena, &second, &again) == result);
    assert(strcmp(error.field, again.field) == 0 && strcmp(error.detail, again.detail) == 0);
    if (result == CODEC_OK) {
        codec_encode(&first, &written);
        assert(read(type, buffer_view(&written), &arena, &second, &again) == CODEC_OK);
        assert(memcmp(first.has, second.has, sizeof first.has) == 0);
        assert(same_shape(message_shape(type), (char *)&first, (char *)&second, first.has));
        codec_encode(&second, &rewritten);
        assert(text_equal(buffer_view(&written), buffer_view(&rewritten)));
    }
    buffer_release(&written);
    buffer_release(&rewritten);
    arena_release(&arena);
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The example with one number after the other 0: often a limit, and never nothing. */
static void seed_zeros(const char *name, struct text example)
{
    for (size_t i = 1; i < example.size; i++) {
        size_t end = i;
        while (example.data[i - 1] == ' ' && end < example.size && is_digit(example.data[end]))
            end++;
        if (end > i)
            fuzz_seed_print("%s\n%.*s0%.*s", name, (int)i, example.data, (int)(example.size - end),
                            example.data + end);
    }
}

void fuzz_seeds(void)
{
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct shape shape = message_shape((enum message_type)type);
        struct text example = example_text((enum message_type)type);
        const char *name = message_name((enum message_type)type);
        fuzz_seed_print("%s\n%.*s", name, TEXT_PRINT(example));
        seed_zeros(name, example);
        fuzz_word(name);
        for (int i = 0; i < shape.count; i++)
            fuzz_word(shape.members[i].json);
    }
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (const char *const *word = kind_row((enum kind)kind)->words; word && *word; word++)
            fuzz_word(*word);
}
