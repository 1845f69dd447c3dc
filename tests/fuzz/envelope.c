/* Records as CloudEvents, in binary and structured mode. The first byte names the topic; the rest
 * is a record (record.h).
 *
 * A record that is read gives a message that can be written, and the record written reads as the
 * same message in the same bytes. What is said against one that cannot be read is printable,
 * whoever wrote it: it becomes a field of an event of ours. */
#include "bus/envelope.h"
#include "cli/examples.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/record.h"

#include <assert.h>
#include <string.h>

struct outcome {
    enum envelope_result result;
    struct message message;
    struct codec_error error;
};

static void read(const struct bus_record *record, int topic, struct arena *arena,
                 struct outcome *outcome)
{
    struct place place = {topic, 3, 815};
    outcome->result = envelope_read(record, &place, arena, &outcome->message, &outcome->error);
    assert((outcome->result == ENVELOPE_OK) == (outcome->error.detail[0] == '\0'));
    for (const char *at = outcome->error.detail; *at; at++)
        assert(*at >= ' ' && *at <= '~');
    assert(topic_is_events(topic) || outcome->message.id.size > 0);
}

static void compare_context(const struct message *a, const struct message *b)
{
    assert(a->type == b->type && a->at_ms == b->at_ms);
    assert(text_equal(a->id, b->id) && text_equal(a->cause_id, b->cause_id));
    assert(text_equal(a->actor, b->actor) && text_equal(a->traceparent, b->traceparent));
    assert(memcmp(a->has, b->has, sizeof a->has) == 0);
}

/* The speaker whose topic it is; `any` message is said by whoever says it. */
static enum speaker speaker_of(int topic)
{
    return (enum speaker)(SPEAKER_shows + topic / 2);
}

static const struct bus_record *write_record(struct envelope *envelope,
                                             const struct message *message, int topic)
{
    enum speaker speaker = message_speaker(message->type);
    envelope_open(envelope, message, speaker == SPEAKER_any ? speaker_of(topic) : speaker);
    return envelope_close(envelope);
}

static void check_writing(const struct message *message, int topic, struct arena *arena)
{
    static struct outcome back;
    struct envelope envelope = {0}, again = {0};
    struct buffer once = {0}, twice = {0};
    const struct bus_record *record = write_record(&envelope, message, topic);
    record_text_print(record, &once);
    read(record, topic, arena, &back);
    assert(back.result == ENVELOPE_OK);
    compare_context(message, &back.message);
    record_text_print(write_record(&again, &back.message, topic), &twice);
    assert(text_equal(buffer_view(&once), buffer_view(&twice)));
    buffer_release(&once);
    buffer_release(&twice);
    envelope_release(&envelope);
    envelope_release(&again);
}

void fuzz_one(struct text input)
{
    static struct outcome first, second;
    struct arena arena = {0};
    struct record_text made;
    int topic = (int)(fuzz_byte(&input) % TOPIC_COUNT);
    record_text_read(&made, input);
    read(&made.record, topic, &arena, &first);
    read(&made.record, topic, &arena, &second);
    assert(first.result == second.result);
    assert(strcmp(first.error.detail, second.error.detail) == 0);
    compare_context(&first.message, &second.message);
    if (first.result == ENVELOPE_OK)
        check_writing(&first.message, topic, &arena);
    arena_release(&arena);
    record_text_release(&made);
}

/* ---- first inputs: each example in both modes ------------------------------------------------ */

static void put_example(struct buffer *out, enum message_type type, int topic)
{
    enum speaker speaker = message_speaker(type);
    buffer_byte(out, (char)(topic + TOPIC_COUNT * 11));
    buffer_string(out, "ce_type: ");
    message_type_print(type, speaker == SPEAKER_any ? speaker_of(topic) : speaker, out);
    buffer_string(out,
                  "\nce_id: 1\nce_time: 2026-11-21T19:30:00.000Z\nce_causationid: c\n"
                  "ce_actor: public\ntraceparent: 00-1-2-00\ncontent-type: application/json\n\n");
    buffer_text(out, example_text(type));
}

static void put_structured(struct buffer *out, enum message_type type, int topic)
{
    buffer_byte(out, (char)(topic + TOPIC_COUNT * 11));
    buffer_string(out, "content-type: application/cloudevents+json; charset=utf-8\n\n"
                       "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"x\",\"type\":\"");
    message_type_print(type, message_speaker(type), out);
    buffer_string(out, "\",\"data\":");
    buffer_text(out, example_text(type));
    buffer_string(out, "}");
}

void fuzz_seeds(void)
{
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        enum message_type type = (enum message_type)i;
        bool command = message_role(type) == ROLE_COMMAND;
        int topic = message_speaker(type) > SPEAKER_checkout
                        ? TOPIC_SHOWS_EVENTS
                        : 2 * (int)message_speaker(type) + !command;
        struct buffer seed = {0};
        put_example(&seed, type, topic);
        fuzz_seed(buffer_view(&seed));
        buffer_clear(&seed);
        if (command) {
            put_structured(&seed, type, topic);
            fuzz_seed(buffer_view(&seed));
        }
        buffer_release(&seed);
        fuzz_word(message_name(type));
    }
    fuzz_word("application/cloudevents+json");
    fuzz_word("\"data\":");
    fuzz_word("ce_type: stagedoor.");
}
