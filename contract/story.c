/* Which reactions make a story, and how one is drawn. */
#include "contract/story.h"

#include "contract/contract.h"

enum { INPUTS_MAX = 12, TIMERS_MAX = 4 };

/* Both lists end with MESSAGE_NONE. */
static const struct story {
    const char *title;
    enum message_type inputs[INPUTS_MAX]; /* told with all that any service answers to them */
    enum message_type timers[TIMERS_MAX]; /* outcomes of timers */
} stories[] = {
    {"A show is put on, and put away",
     {MESSAGE_CreateShow, MESSAGE_UpdateShow, MESSAGE_SetCapacity, MESSAGE_SetBlock,
      MESSAGE_OpenSale, MESSAGE_PauseSale, MESSAGE_ShowArchived, MESSAGE_NONE},
     {MESSAGE_ShowArchived, MESSAGE_NONE}},
    {"Seats are held",
     {MESSAGE_RequestReservation, MESSAGE_ReservationRequested, MESSAGE_HoldRejected,
      MESSAGE_ChangeReservation, MESSAGE_ChangeRequested, MESSAGE_ExtendReservation,
      MESSAGE_ExtensionRequested, MESSAGE_UpdateReservation, MESSAGE_HoldExpired, MESSAGE_NONE},
     {MESSAGE_HoldExpired, MESSAGE_NONE}},
    {"Seats are paid for",
     {MESSAGE_StartCheckout, MESSAGE_CheckoutStarted, MESSAGE_HoldExtended,
      MESSAGE_ExtensionRejected, MESSAGE_RecordPayment, MESSAGE_PaymentUnknown,
      MESSAGE_PaymentSucceeded, MESSAGE_SeatsSold, MESSAGE_NONE},
     {MESSAGE_NONE}},
    {"Seats are given back, and money",
     {MESSAGE_CancelReservation, MESSAGE_CancellationRequested, MESSAGE_HoldReleased,
      MESSAGE_SeatsReturned, MESSAGE_ReleaseRejected, MESSAGE_SaleRejected, MESSAGE_RecordRefund,
      MESSAGE_NONE},
     {MESSAGE_RefundRequested, MESSAGE_RefundFailed, MESSAGE_NONE}},
    {"A show is cancelled",
     {MESSAGE_CancelShow, MESSAGE_ShowCancelled, MESSAGE_NONE},
     {MESSAGE_CancellationRequested, MESSAGE_ShowCancellationFinished, MESSAGE_NONE}},
    {"At the door", {MESSAGE_CheckInTicket, MESSAGE_TransferTicket, MESSAGE_NONE}, {MESSAGE_NONE}},
};
enum { STORIES = sizeof stories / sizeof *stories };

static bool told(const enum message_type *list, enum message_type type)
{
    for (; *list != MESSAGE_NONE; list++)
        if (*list == type)
            return true;
    return false;
}

/* ---- every reaction in one story ------------------------------------------------------------- */

/* `needed`: it is to be told once, else not at all. Answers how many breaches that is. */
static int tell(struct buffer *breaches, const char *what, const char *name, int times, bool needed,
                const char *why_not)
{
    if (times == needed)
        return 0;
    buffer_print(breaches, "contract/story.c:1: %s%s is told in %d stories", what, name, times);
    if (needed)
        buffer_string(breaches, "; put it into one\n");
    else
        buffer_print(breaches, ", and %s; take it out\n", why_not);
    return 1;
}

static int check_type(enum message_type type, bool is_input, bool is_due, struct buffer *breaches)
{
    int inputs = 0, timers = 0;
    for (int i = 0; i < STORIES; i++) {
        inputs += told(stories[i].inputs, type);
        timers += told(stories[i].timers, type);
    }
    return tell(breaches, is_input ? "what follows " : "", message_name(type), inputs, is_input,
                "no service reacts to it") +
           tell(breaches, "the timer's ", message_name(type), timers, is_due, "no timer says it");
}

int story_check(const struct service_descriptor *const *services, int count,
                struct buffer *breaches)
{
    int wrong = 0;
    bool input[MESSAGE_COUNT] = {false}, timer[MESSAGE_COUNT] = {false};
    for (int i = 0; i < count; i++)
        for (int k = 0; k < services[i]->reaction_count; k++) {
            const struct service_reaction *reaction = &services[i]->reactions[k];
            if (reaction->input != MESSAGE_NONE)
                input[reaction->input] = true;
            for (int o = 0; reaction->input == MESSAGE_NONE && o < reaction->outcome_count; o++)
                timer[reaction->outcomes[o]] = true;
        }
    for (int type = 0; type < MESSAGE_COUNT; type++)
        wrong += check_type((enum message_type)type, input[type], timer[type], breaches);
    return wrong;
}

/* ---- drawing --------------------------------------------------------------------------------- */

struct drawing {
    const struct service_descriptor *const *services;
    int count;
    const struct story *story;
    struct buffer lines;          /* the arrows */
    struct buffer *out;           /* the boxes */
    bool is_drawn[MESSAGE_COUNT]; /* has a box */
    bool is_said[MESSAGE_COUNT];  /* an arrow leads to it */
    bool has_timer[SPEAKER_any];
};

static bool is_heard(const struct drawing *drawing, enum message_type type)
{
    for (int i = 0; i < drawing->count; i++)
        if (contract_reaction(drawing->services[i], type))
            return true;
    return false;
}

static void draw_box(struct drawing *drawing, enum message_type type)
{
    const char *name = message_name(type);
    const char *open = "[", *close = "]";
    if (drawing->is_drawn[type])
        return;
    drawing->is_drawn[type] = true;
    if (message_role(type) == ROLE_COMMAND)
        open = "[/", close = "/]";
    else if (!is_heard(drawing, type))
        open = "([", close = "])";
    buffer_print(drawing->out, "    %s%s%s%s:::%s\n", name, open, name, close,
                 speaker_name(message_speaker(type)));
}

static void draw_arrow(struct drawing *drawing, const char *from, enum message_type to)
{
    draw_box(drawing, to);
    drawing->is_said[to] = true;
    buffer_print(&drawing->lines, "    %s --> %s\n", from, message_name(to));
}

static void draw_timer(struct drawing *drawing, const struct service_descriptor *service,
                       const struct service_reaction *reaction)
{
    struct buffer name = {0};
    buffer_print(&name, "%s_timer", service->name);
    for (int i = 0; i < reaction->outcome_count; i++) {
        if (!told(drawing->story->timers, reaction->outcomes[i]))
            continue;
        if (!drawing->has_timer[service->speaker])
            buffer_print(drawing->out, "    %s{{the timer of %s}}:::%s\n", name.data, service->name,
                         service->name);
        drawing->has_timer[service->speaker] = true;
        draw_arrow(drawing, name.data, reaction->outcomes[i]);
    }
    buffer_release(&name);
}

static void draw_reaction(struct drawing *drawing, const struct service_reaction *reaction)
{
    draw_box(drawing, reaction->input);
    for (int i = 0; i < reaction->outcome_count; i++)
        if (reaction->outcomes[i] != MESSAGE_Refused)
            draw_arrow(drawing, message_name(reaction->input), reaction->outcomes[i]);
}

/* What comes from another drawing, or goes on in one. */
static void draw_ends(struct drawing *drawing)
{
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        enum message_type type = (enum message_type)i;
        if (!drawing->is_drawn[type] || message_role(type) == ROLE_COMMAND)
            continue;
        bool goes_on = is_heard(drawing, type) && !told(drawing->story->inputs, type);
        if (goes_on || !drawing->is_said[type])
            buffer_print(drawing->out, "    class %s elsewhere\n", message_name(type));
    }
}

static void draw(const struct service_descriptor *const *services, int count,
                 const struct story *story, struct buffer *out)
{
    struct drawing drawing = {.services = services, .count = count, .story = story, .out = out};
    buffer_print(out, "#### %s\n\n```mermaid\nflowchart LR\n", story->title);
    for (int i = 0; i < count; i++) {
        const struct service_reaction *timer = contract_reaction(services[i], MESSAGE_NONE);
        if (timer)
            draw_timer(&drawing, services[i], timer);
    }
    for (const enum message_type *input = story->inputs; *input != MESSAGE_NONE; input++)
        for (int i = 0; i < count; i++) {
            const struct service_reaction *reaction = contract_reaction(services[i], *input);
            if (reaction)
                draw_reaction(&drawing, reaction);
        }
    buffer_text(out, buffer_view(&drawing.lines));
    draw_ends(&drawing);
    buffer_string(out, "    classDef shows fill:#fbe3d0,stroke:#b3541e,color:#3b1c0a\n"
                       "    classDef reservations fill:#d9e8f6,stroke:#2c6aa0,color:#0d2a45\n"
                       "    classDef checkout fill:#dcefdc,stroke:#3a7d44,color:#12331a\n"
                       "    classDef elsewhere stroke-dasharray:6 4\n"
                       "```\n\n");
    buffer_release(&drawing.lines);
}

void story_print(const struct service_descriptor *const *services, int count, struct buffer *out)
{
    for (int i = 0; i < STORIES; i++)
        draw(services, count, &stories[i], out);
}
