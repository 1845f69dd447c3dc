/* The names in messages.def, and looking them up. */
#include "schemas/message.h"

#include <assert.h>
#include <string.h>

struct row {
    struct text name;
    enum speaker speaker;
    enum message_role role;
};

#define ROLE(role) ROLE_##role
static const struct row rows[MESSAGE_COUNT] = {
#define MESSAGE(name, service, role, ...)                                                          \
    [MESSAGE_##name] = {TEXT(#name), SPEAKER_##service, ROLE(role)},
#include "schemas/messages.def"
};

static const char *const speakers[] = {"shows", "reservations", "checkout", "any", "bus"};

void message_init(struct message *message, enum message_type type)
{
    message->type = type;
    message->id = message->cause_id = message->correlation_id = (struct text){NULL, 0};
    message->actor = message->traceparent = (struct text){NULL, 0};
    message->at_ms = 0;
    memset(message->has, 0, sizeof message->has);
}

static const struct row *row_of(enum message_type type)
{
    assert(type >= 0 && type < MESSAGE_COUNT);
    return &rows[type];
}

const char *message_name(enum message_type type)
{
    return row_of(type)->name.data;
}

enum message_role message_role(enum message_type type)
{
    return row_of(type)->role;
}

enum speaker message_speaker(enum message_type type)
{
    return row_of(type)->speaker;
}

const char *speaker_name(enum speaker speaker)
{
    return speakers[speaker];
}

enum message_type message_named(struct text name)
{
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (text_equal(name, rows[type].name))
            return (enum message_type)type;
    return MESSAGE_NONE;
}

void message_type_print(enum message_type type, enum speaker speaker, struct buffer *out)
{
    enum speaker own = message_speaker(type);
    buffer_string(out, "stagedoor.");
    buffer_string(out, speakers[own == SPEAKER_any ? speaker : own]);
    buffer_byte(out, '.');
    buffer_string(out, message_name(type));
}

static bool speaker_named(struct text name, enum speaker *speaker)
{
    for (int i = 0; i < (int)(sizeof speakers / sizeof *speakers); i++)
        if (text_is(name, speakers[i])) {
            *speaker = (enum speaker)i;
            return i != SPEAKER_any;
        }
    return false;
}

enum message_type message_type_parse(struct text ce_type, enum speaker *speaker)
{
    struct text rest = ce_type;
    if (!text_is(text_cut(&rest, '.'), "stagedoor") ||
        !speaker_named(text_cut(&rest, '.'), speaker))
        return MESSAGE_NONE;
    enum message_type type = message_named(rest);
    if (type == MESSAGE_NONE)
        return MESSAGE_NONE;
    enum speaker own = message_speaker(type);
    bool fits = own == SPEAKER_any ? *speaker != SPEAKER_bus : own == *speaker;
    return fits ? type : MESSAGE_NONE;
}

#define WORD(name, word) #word,
#define WORDS(enum_name, ...)                                                                      \
    static const char *const enum_name##_words[] = {__VA_ARGS__};                                  \
    const char *enum_name##_name(enum enum_name value)                                             \
    {                                                                                              \
        assert(value < enum_name##_COUNT);                                                         \
        return enum_name##_words[value];                                                           \
    }                                                                                              \
    bool enum_name##_named(struct text name, enum enum_name *value)                                \
    {                                                                                              \
        for (int i = 0; i < (int)enum_name##_COUNT; i++)                                           \
            if (text_is(name, enum_name##_words[i])) {                                             \
                *value = (enum enum_name)i;                                                        \
                return true;                                                                       \
            }                                                                                      \
        return false;                                                                              \
    }
#include "schemas/messages.def"
#undef WORD
