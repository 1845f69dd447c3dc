/* The vocabulary as a list: from the same tables that decide what is taken. */
#include "cli/publish_list.h"

#include "bus/topics.h"
#include "story/words.h"
#include "schemas/describe.h"
#include "schemas/json.h"

#include <string.h>

enum { FIELD_COLUMN = 30 };

int publish_topic_of(enum message_type command)
{
    return TOPIC_SHOWS_COMMANDS + 2 * (int)message_speaker(command);
}

/* ---- for people ------------------------------------------------------------------------------ */
static void put_words(struct buffer *out, const struct described *field)
{
    for (int i = 0; field->words[i]; i++)
        buffer_print(out, "%s%s", i ? ", " : "one of: ", field->words[i]);
}

static void put_field(struct buffer *out, const struct described *field)
{
    int depth = 0;
    const char *name = field->path;
    for (const char *at = field->path; *at; at++)
        if (*at == '.') {
            depth++;
            name = at + 1;
        }
    size_t start = out->size;
    buffer_string(out, "    ");
    for (int i = 0; i < depth; i++)
        buffer_string(out, "    ");
    buffer_print(out, "%c %s", field->needed ? '*' : ' ', name);
    words_pad(out, start, FIELD_COLUMN);
    buffer_byte(out, ' ');
    if (field->words)
        put_words(out, field);
    else
        buffer_string(out, field->meaning);
    buffer_byte(out, '\n');
}

void publish_list(struct buffer *out)
{
    static struct described fields[DESCRIBED_MAX];
    buffer_string(out, "* is needed, the others may be left out. One to start from: stagedoor "
                       "publish --example TYPE\n");
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        if (topic_is_events(topic))
            continue;
        buffer_print(out, "\n%s\n", topic_name(topic));
        for (int type = 0; type < MESSAGE_COUNT; type++) {
            if (message_role((enum message_type)type) != ROLE_COMMAND ||
                publish_topic_of((enum message_type)type) != topic)
                continue;
            buffer_print(out, "  %s\n", message_name((enum message_type)type));
            int count = describe_message((enum message_type)type, fields);
            for (int i = 0; i < count; i++)
                put_field(out, &fields[i]);
        }
    }
}

/* ---- for programs ---------------------------------------------------------------------------- */
static void put_json_field(struct buffer *out, const struct described *field)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "path", text_of(field->path));
    json_put_bool(out, "needed", field->needed);
    json_put_text(out, "kind", text_of(field->kind));
    json_put_text(out, "meaning", text_of(field->meaning));
    if (field->words) {
        json_put_open(out, "words", '[');
        for (int i = 0; field->words[i]; i++)
            json_put_text(out, NULL, text_of(field->words[i]));
        json_put_close(out, ']');
    }
    json_put_close(out, '}');
}

static void put_json_command(struct buffer *out, enum message_type type)
{
    static struct described fields[DESCRIBED_MAX];
    struct buffer line = {0}, ce_type = {0};
    message_type_print(type, message_speaker(type), &ce_type);
    json_put_open(&line, NULL, '{');
    json_put_text(&line, "topic", text_of(topic_name(publish_topic_of(type))));
    json_put_text(&line, "name", text_of(message_name(type)));
    json_put_text(&line, "type", buffer_view(&ce_type));
    json_put_open(&line, "fields", '[');
    int count = describe_message(type, fields);
    for (int i = 0; i < count; i++)
        put_json_field(&line, &fields[i]);
    json_put_close(&line, ']');
    json_put_close(&line, '}');
    buffer_text(out, buffer_view(&line));
    buffer_byte(out, '\n');
    buffer_release(&line);
    buffer_release(&ce_type);
}

void publish_list_json(struct buffer *out)
{
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (message_role((enum message_type)type) == ROLE_COMMAND)
            put_json_command(out, (enum message_type)type);
}
