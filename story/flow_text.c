/* A flow as a story for people, and as data for programs. */
#include "story/flow.h"
#include "story/story.h"
#include "story/words.h"
#include "base/rfc3339.h"
#include "schemas/json.h"

#include <stdlib.h>

enum { TIME_COLUMN = 13, LAG_COLUMN = 12, SPEAKER_SIZE_MAX = 40 };

/* What the step says; the caller's arena holds nothing else. */
static void tell(const struct flow_step *step, struct arena *arena, struct message *message,
                 struct buffer *out)
{
    arena_reset(arena);
    kept_message(step->kept, arena, message);
    story_tell(out, message, step->kept->append_ms);
}

static bool is_command(const struct flow_step *step)
{
    return !topic_is_events(step->kept->place.topic);
}

/* What there is to know about a step beside its words; NULL: nothing. */
static const char *remark_of(const struct flow_step *step)
{
    if (step->kept->news == FOLLOWER_STRANGE)
        return "written by a newer version than this one";
    if (step->repeats)
        return "it was asked and answered before, so it has no outcome";
    if (is_command(step) && step->effect_count == 0)
        return "no outcome yet";
    return NULL;
}

/* ---- for people ------------------------------------------------------------------------------ */
static void put_span(struct buffer *out, const char *sign, int64_t span_ms, size_t column)
{
    struct buffer text = {0};
    buffer_string(&text, sign);
    words_span(&text, span_ms);
    for (size_t width = text.size; width < column; width++)
        buffer_byte(out, ' ');
    buffer_text(out, buffer_view(&text));
    buffer_release(&text);
}

static void put_lag(struct buffer *out, const struct flow_step *step)
{
    if (step->cause)
        put_span(out, "+", llabs(step->kept->append_ms - step->cause->kept->append_ms), LAG_COLUMN);
    else
        for (int i = 0; i < LAG_COLUMN; i++)
            buffer_byte(out, ' ');
}

static void put_speaker(struct buffer *out, const struct flow_step *step,
                        const struct message *message)
{
    for (int i = 1; i < step->depth; i++)
        buffer_string(out, "  ");
    buffer_string(out, step->depth ? "└ " : "");
    if (step->timer)
        buffer_string(out, "timer of ");
    words_safe(out, flow_speaker(step->kept), SPEAKER_SIZE_MAX);
    if (is_command(step) && message->actor.size) {
        buffer_string(out, " (");
        words_safe(out, message->actor, SPEAKER_SIZE_MAX);
        buffer_byte(out, ')');
    }
    buffer_string(out, ": ");
}

static void put_step(struct buffer *out, const struct flow *flow, const struct flow_step *step,
                     struct arena *arena, struct message *message)
{
    struct buffer words = {0};
    tell(step, arena, message, &words);
    put_span(out, "", step->kept->append_ms - flow->began_ms, TIME_COLUMN);
    put_lag(out, step);
    buffer_string(out, "  ");
    put_speaker(out, step, message);
    buffer_text(out, buffer_view(&words));
    if (remark_of(step))
        buffer_print(out, " (%s)", remark_of(step));
    if (step->orphan) {
        buffer_string(out, " (answers ");
        place_print(&step->cause_place, out);
        buffer_byte(out, ')');
    }
    buffer_print(out, "  [%s ",
                 message->type == MESSAGE_NONE ? "unreadable" : message_name(message->type));
    place_print(&step->kept->place, out);
    buffer_string(out, "]\n");
    buffer_release(&words);
}

void flow_print_text(const struct flow *flow, struct buffer *out)
{
    struct arena arena = {0};
    struct message message;
    for (size_t i = 0; i < flow->count; i++) {
        if (i && flow->order[i]->depth == 0)
            buffer_byte(out, '\n');
        put_step(out, flow, flow->order[i], &arena, &message);
    }
    arena_release(&arena);
}

/* ---- for programs ---------------------------------------------------------------------------- */
static void put_moment(struct buffer *out, const char *name, int64_t at_ms)
{
    char time[RFC3339_SIZE];
    json_put_text(out, name,
                  text_of(rfc3339_print(at_ms < 0 || at_ms > TIME_MS_MAX ? 0 : at_ms, time)));
}

static void put_place(struct buffer *out, const char *name, const struct place *place)
{
    struct buffer text = {0};
    place_print(place, &text);
    json_put_text(out, name, buffer_view(&text));
    buffer_release(&text);
}

static void put_text(struct buffer *out, const char *name, struct text text)
{
    if (text.size)
        json_put_text(out, name, text);
}

static void put_cause(struct buffer *out, const struct flow_step *step)
{
    if (step->timer)
        json_put_bool(out, "timer", true);
    if (step->cause || step->orphan)
        put_place(out, "cause", &step->cause_place);
    if (step->cause)
        json_put_i64(out, "after_cause_ms", step->kept->append_ms - step->cause->kept->append_ms);
    if (step->repeats)
        put_place(out, "repeats", &step->repeats->kept->place);
    if (is_command(step))
        json_put_bool(out, "answered", step->effect_count > 0 || step->repeats);
}

static void put_value(struct buffer *out, const struct kept *kept)
{
    size_t at;
    struct text value = kept->record.value;
    if (value.size == 0 || json_problem(value, &at) != NULL)
        return;
    json_put_raw(out, "data", text_from("", 0));
    size_t start = out->size;
    buffer_text(out, value);
    for (size_t i = start; i < out->size; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
}

static void put_json_step(struct buffer *out, const struct flow *flow, const struct flow_step *step,
                          struct arena *arena, struct message *message)
{
    struct buffer words = {0}, speaker = {0};
    tell(step, arena, message, &words);
    words_safe(&speaker, flow_speaker(step->kept), LABEL_SIZE_MAX);
    json_put_open(out, NULL, '{');
    put_place(out, "place", &step->kept->place);
    put_moment(out, "time", step->kept->append_ms);
    json_put_i64(out, "after_first_ms", step->kept->append_ms - flow->began_ms);
    json_put_i64(out, "depth", step->depth);
    put_text(out, "who", buffer_view(&speaker));
    put_text(out, "actor", message->actor);
    if (message->type != MESSAGE_NONE)
        json_put_text(out, "type", text_of(message_name(message->type)));
    json_put_text(out, "role", text_of(is_command(step) ? "command" : "event"));
    put_text(out, "id", message->id);
    put_cause(out, step);
    json_put_text(out, "words", buffer_view(&words));
    put_value(out, step->kept);
    json_put_close(out, '}');
    buffer_release(&words);
    buffer_release(&speaker);
}

void flow_print_json(const struct flow *flow, struct buffer *out)
{
    struct arena arena = {0};
    struct message message;
    if (flow->count)
        put_moment(out, "began", flow->began_ms);
    json_put_open(out, "steps", '[');
    for (size_t i = 0; i < flow->count; i++)
        put_json_step(out, flow, flow->order[i], &arena, &message);
    json_put_close(out, ']');
    arena_release(&arena);
}
