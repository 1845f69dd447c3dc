/* Stands between codec_decode and its callers, by the linker's --wrap. */
#include "tests/sim/memo.h"

#include "base/memory.h"
#include "schemas/codec.h"

#include <stddef.h>
#include <string.h>

enum { SHELVES = 4096 };

/* Where each field lies in a message. */
static const struct {
    size_t offset, size;
} fields[FIELD_COUNT] = {
#define FIELD(name, json, kind) {offsetof(struct message, name), sizeof(TYPE_##kind)},
#include "schemas/messages.def"
};

_Static_assert(FIELD_COUNT <= UINT8_MAX, "a field is kept in a byte");

struct memory_of_value {
    struct memory_of_value *next; /* on the same shelf */
    uint64_t hash;
    struct text text;
    enum message_type type;
    enum codec_result result;
    struct codec_error *error; /* NULL: none */
    int field_count;
    uint8_t *fields; /* those it has; a message is large and mostly empty */
    char *bytes;     /* their values, one after the other */
};

static struct {
    bool on;
    struct memory_of_value *shelves[SHELVES];
    struct arena arena;
} memo;

enum codec_result __real_codec_decode(enum message_type type, struct text text, struct arena *arena,
                                      struct message *message, struct codec_error *error);
enum codec_result __wrap_codec_decode(enum message_type type, struct text text, struct arena *arena,
                                      struct message *message, struct codec_error *error);

void memo_use(bool on)
{
    memo.on = on;
}

void memo_forget(void)
{
    memset(memo.shelves, 0, sizeof memo.shelves);
    arena_reset(&memo.arena);
}

/* Eight bytes at a time: this is looked up for every record that anybody reads. */
static uint64_t hash_of(enum message_type type, struct text text)
{
    uint64_t hash = (uint64_t)type, word;
    size_t at = 0;
    for (; at + sizeof word <= text.size; at += sizeof word) {
        memcpy(&word, text.data + at, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    for (; at < text.size; at++)
        hash = (hash ^ (unsigned char)text.data[at]) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static void keep(struct memory_of_value *known, const struct message *message)
{
    size_t size = 0;
    for (int i = 0; i < FIELD_COUNT; i++)
        if (message->has[i]) {
            known->field_count++;
            size += fields[i].size;
        }
    known->fields = arena_take(&memo.arena, (size_t)known->field_count + 1);
    known->bytes = arena_take(&memo.arena, size + 1);
    uint8_t *field = known->fields;
    char *bytes = known->bytes;
    for (int i = 0; i < FIELD_COUNT; i++)
        if (message->has[i]) {
            *field++ = (uint8_t)i;
            memcpy(bytes, (const char *)message + fields[i].offset, fields[i].size);
            bytes += fields[i].size;
        }
}

static void give(const struct memory_of_value *known, struct message *message)
{
    const char *bytes = known->bytes;
    message_init(message, known->type);
    for (int i = 0; i < known->field_count; i++) {
        int field = known->fields[i];
        message->has[field] = true;
        memcpy((char *)message + fields[field].offset, bytes, fields[field].size);
        bytes += fields[field].size;
    }
}

static struct memory_of_value *recall(enum message_type type, struct text text)
{
    static struct message message;
    struct codec_error error;
    uint64_t hash = hash_of(type, text);
    struct memory_of_value **shelf = &memo.shelves[hash % SHELVES];
    for (struct memory_of_value *known = *shelf; known; known = known->next)
        if (known->hash == hash && known->type == type && text_equal(known->text, text))
            return known;
    struct memory_of_value *known = arena_take(&memo.arena, sizeof *known);
    *known = (struct memory_of_value){.next = *shelf, .hash = hash, .type = type};
    known->text = arena_text(&memo.arena, text);
    known->result = __real_codec_decode(type, text, &memo.arena, &message, &error);
    if (known->result != CODEC_OK) {
        known->error = arena_take(&memo.arena, sizeof error);
        *known->error = error;
    }
    keep(known, &message);
    return *shelf = known;
}

enum codec_result __wrap_codec_decode(enum message_type type, struct text text, struct arena *arena,
                                      struct message *message, struct codec_error *error)
{
    if (!memo.on)
        return __real_codec_decode(type, text, arena, message, error);
    const struct memory_of_value *known = recall(type, text);
    give(known, message);
    error->field[0] = error->detail[0] = '\0';
    if (known->error)
        *error = *known->error;
    return known->result;
}
