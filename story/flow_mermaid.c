/* A flow as a Mermaid sequenceDiagram. An arrow goes from the one who says something to those who
 * acted on it; what nobody acted on goes back to the one who asked. */
#include "story/flow.h"
#include "story/story.h"
#include "story/words.h"

enum { PUBLISHER, PARTY_COUNT = 1 + TOPIC_COUNT / 2 }; /* the services behind, in topic order */

static const char letters[PARTY_COUNT] = "PSRC";

static int party_of(const struct kept *kept)
{
    return topic_is_events(kept->place.topic) ? 1 + kept->place.topic / 2 : PUBLISHER;
}

/* What would end a statement or be taken for markup, as Mermaid's entities. */
static void put_escaped(struct buffer *out, struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        switch (text.data[i]) {
        case '#':
            buffer_string(out, "#35;");
            break;
        case ';':
            buffer_string(out, "#59;");
            break;
        case '<':
            buffer_string(out, "#lt;");
            break;
        case '>':
            buffer_string(out, "#gt;");
            break;
        default:
            buffer_byte(out, text.data[i]);
        }
}

/* ---- participants ---------------------------------------------------------------------------- */
/* "edge", or all who published. */
static void put_publishers(struct buffer *out, const struct flow *flow)
{
    struct buffer names = {0};
    for (size_t i = 0; i < flow->count; i++) {
        const struct kept *kept = flow->order[i]->kept;
        struct text name = flow_speaker(kept);
        if (party_of(kept) != PUBLISHER ||
            (names.size && memmem(names.data, names.size, name.data, name.size)))
            continue;
        buffer_string(&names, names.size ? ", " : "");
        words_safe(&names, name, ID_SIZE_MAX);
    }
    put_escaped(out, names.size ? buffer_view(&names) : text_of("edge"));
    buffer_release(&names);
}

static void put_participants(struct buffer *out, const struct flow *flow)
{
    static const int order[PARTY_COUNT] = {PUBLISHER, 1 + TOPIC_RESERVATIONS_EVENTS / 2,
                                           1 + TOPIC_SHOWS_EVENTS / 2,
                                           1 + TOPIC_CHECKOUT_EVENTS / 2};
    static const char *const names[PARTY_COUNT] = {"", "shows", "reservations", "checkout"};
    bool seen[PARTY_COUNT] = {true};
    for (size_t i = 0; i < flow->count; i++)
        seen[1 + flow->order[i]->kept->place.topic / 2] = true;
    for (int i = 0; i < PARTY_COUNT; i++) {
        if (!seen[order[i]])
            continue;
        buffer_print(out, "    participant %c as %s", letters[order[i]], names[order[i]]);
        if (order[i] == PUBLISHER)
            put_publishers(out, flow);
        buffer_byte(out, '\n');
    }
}

/* ---- arrows ---------------------------------------------------------------------------------- */
static void put_arrow(struct buffer *out, int from, const char *arrow, int to, struct text words)
{
    buffer_print(out, "    %c%s%c: ", letters[from], arrow, letters[to]);
    put_escaped(out, words);
    buffer_byte(out, '\n');
}

/* A command goes to its service; an event to every service that acted on it. */
static void put_arrows(struct buffer *out, const struct flow_step *step, bool refused,
                       struct text words)
{
    int from = party_of(step->kept);
    bool told[PARTY_COUNT] = {false};
    if (from == PUBLISHER) {
        put_arrow(out, from, step->repeats ? "--)" : "->>", 1 + step->kept->place.topic / 2, words);
        return;
    }
    for (size_t i = 0; i < step->effect_count; i++) {
        int to = party_of(step->effects[i]->kept);
        if (!told[to])
            put_arrow(out, from, "->>", to, words);
        told[to] = true;
    }
    if (step->effect_count == 0)
        put_arrow(out, from, refused ? "--x" : "-->>", PUBLISHER, words);
}

static void put_note(struct buffer *out, const struct flow *flow, const struct flow_step *step)
{
    buffer_print(out, "    Note over %c: %s",
                 letters[step->timer ? party_of(step->kept) : PUBLISHER],
                 step->timer ? "timer, " : "");
    words_span(out, step->kept->append_ms - flow->began_ms);
    buffer_string(out, " in\n");
}

void flow_print_mermaid(const struct flow *flow, struct buffer *out)
{
    struct arena arena = {0};
    struct message message;
    buffer_string(out, "sequenceDiagram\n");
    put_participants(out, flow);
    for (size_t i = 0; i < flow->count; i++) {
        const struct flow_step *step = flow->order[i];
        struct buffer words = {0};
        arena_reset(&arena);
        kept_message(step->kept, &arena, &message);
        if (message.type != MESSAGE_NONE)
            buffer_print(&words, "%s: ", message_name(message.type));
        story_tell(&words, &message, step->kept->append_ms);
        if (step->depth == 0)
            put_note(out, flow, step);
        put_arrows(out, step, message.type == MESSAGE_Refused, buffer_view(&words));
        buffer_release(&words);
    }
    arena_release(&arena);
}
