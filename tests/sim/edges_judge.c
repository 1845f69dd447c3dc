/* The judge of the edges: what customers were told stands in the log, and stood there before it was
 * told; one key has one meaning; nobody waits for ever; and at rest every edge knows the same. */
#include "tests/sim/edges_judge.h"

#include "api/problem.h"

#include <stdio.h>
#include <string.h>

void edges_breach(struct edges_judge *judge, const char *format, ...)
{
    char *text = judge->edges->world->breach;
    va_list arguments;
    if (text[0])
        return;
    va_start(arguments, format);
    vsnprintf(text, WORLD_BREACH_SIZE, format, arguments);
    va_end(arguments);
}

/* ---- what an answer stands on ---------------------------------------------------------------- */

/* A line of the journal and the words about its reservation that were in the log by then. */
struct proof {
    const struct given *given;
    const struct ask *ask;
    const struct word *words;
    size_t count;
    char fingerprint[17];
};

static const struct word *next_word(const struct proof *proof, enum message_type type,
                                    const struct word *after)
{
    const struct word *word = after ? after + 1 : proof->words;
    for (; word < proof->words + proof->count; word++)
        if (word->type == type && word->offset < proof->given->log_ends[word->topic])
            return word;
    return NULL;
}

static bool is_said(const struct proof *proof, enum message_type type)
{
    return next_word(proof, type, NULL) != NULL;
}

static bool is_said_of(const struct proof *proof, enum message_type type)
{
    const struct word *word = NULL;
    while ((word = next_word(proof, type, word)))
        if (text_is(word->payment_id, proof->ask->command_id))
            return true;
    return false;
}

static bool is_problem(const struct proof *proof, enum problem problem)
{
    return problem_status(problem) == proof->given->status &&
           strcmp(problem_code(problem), proof->given->code) == 0;
}

/* The command itself, in the words that are answered. */
static bool is_taken(const struct proof *proof)
{
    static const enum message_type commands[] = {MESSAGE_RequestReservation, MESSAGE_StartCheckout,
                                                 MESSAGE_CancelReservation};
    const struct word *word = NULL;
    while ((word = next_word(proof, commands[proof->ask->kind], word)))
        if (text_is(word->id, proof->ask->command_id) &&
            text_is(word->fingerprint, proof->fingerprint))
            return true;
    return false;
}

/* Another body under the same key was taken first. */
static bool is_reused(const struct proof *proof)
{
    for (const struct word *word = proof->words; word < proof->words + proof->count; word++)
        if (word->offset < proof->given->log_ends[word->topic] &&
            (text_is(word->cause_id, proof->ask->command_id) ||
             text_is(word->payment_id, proof->ask->command_id)) &&
            word->fingerprint.size && !text_is(word->fingerprint, proof->fingerprint))
            return true;
    return false;
}

static bool is_refused(const struct proof *proof)
{
    const struct word *word = NULL;
    while ((word = next_word(proof, MESSAGE_Refused, word)))
        if (text_is(word->cause_id, proof->ask->command_id) &&
            text_is(word->fingerprint, proof->fingerprint) &&
            is_problem(proof, problem_of_code(word->code)))
            return true;
    return false;
}

/* A word of that type gives the reason that was told; `cause` empty: any cause. */
static bool is_reason(const struct proof *proof, enum message_type type, struct text cause,
                      struct text payment_id)
{
    const struct word *word = NULL;
    while ((word = next_word(proof, type, word)))
        if ((cause.size == 0 || text_equal(word->cause_id, cause)) &&
            (payment_id.size == 0 || text_equal(word->payment_id, payment_id)) &&
            is_problem(proof, problem_of_reason(word->reason)))
            return true;
    return false;
}

/* ---- each kind of answer --------------------------------------------------------------------- */

static bool reserve_stands(const struct proof *proof)
{
    const struct given *given = proof->given;
    struct text none = {NULL, 0};
    if (given->status == 201)
        return is_said(proof, MESSAGE_SeatsHeld) &&
               strcmp(given->named, proof->ask->command_id) == 0;
    return is_reason(proof, MESSAGE_HoldRejected, none, none);
}

static bool is_superseded(const struct proof *proof)
{
    const struct word *word = NULL;
    while ((word = next_word(proof, MESSAGE_CheckoutStarted, word)))
        if (text_is(word->supersedes, proof->ask->command_id))
            return true;
    return false;
}

static bool checkout_stands(const struct proof *proof)
{
    struct text none = {NULL, 0}, payment_id = text_of(proof->ask->command_id);
    if (proof->given->status == 201)
        return is_said_of(proof, MESSAGE_PaymentRequested) ||
               (is_said_of(proof, MESSAGE_SeatsSold) &&
                is_said(proof, MESSAGE_ReservationConfirmed));
    return is_reason(proof, MESSAGE_CheckoutRejected, none, payment_id) ||
           is_reason(proof, MESSAGE_SaleRejected, none, payment_id) ||
           (is_problem(proof, PROBLEM_wrong_state) &&
            (is_superseded(proof) || is_said_of(proof, MESSAGE_PaymentFailed)));
}

static bool cancel_stands(const struct proof *proof)
{
    struct text none = {NULL, 0};
    const struct word *asked = NULL, *word;
    while ((asked = next_word(proof, MESSAGE_CancellationRequested, asked))) {
        if (!text_is(asked->cause_id, proof->ask->command_id) ||
            !text_is(asked->fingerprint, proof->fingerprint))
            continue;
        if (proof->given->status != 200)
            return is_reason(proof, MESSAGE_ReleaseRejected, asked->id, none);
        for (word = NULL; (word = next_word(proof, MESSAGE_HoldReleased, word));)
            if (text_equal(word->cause_id, asked->id))
                return true;
        for (word = NULL; (word = next_word(proof, MESSAGE_SeatsReturned, word));)
            if (text_equal(word->cause_id, asked->id))
                return true;
    }
    return false;
}

/* What is said of a reservation was said by then. */
static bool look_stands(const struct proof *proof)
{
    static const struct {
        const char *status;
        enum message_type types[2];
    } rows[] = {{"requested", {MESSAGE_RequestReservation, MESSAGE_RequestReservation}},
                {"rejected", {MESSAGE_HoldRejected, MESSAGE_Refused}},
                {"held", {MESSAGE_SeatsHeld, MESSAGE_SeatsHeld}},
                {"paying", {MESSAGE_CheckoutStarted, MESSAGE_SeatsSold}},
                {"payment_unknown", {MESSAGE_PaymentUnknown, MESSAGE_PaymentUnknown}},
                {"confirmed", {MESSAGE_ReservationConfirmed, MESSAGE_ReservationConfirmed}},
                {"released", {MESSAGE_HoldReleased, MESSAGE_HoldReleased}},
                {"expired", {MESSAGE_HoldExpired, MESSAGE_HoldExpired}},
                {"cancelled", {MESSAGE_SeatsReturned, MESSAGE_ReservationCancelled}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].status, proof->given->said) == 0)
            return is_said(proof, rows[i].types[0]) || is_said(proof, rows[i].types[1]);
    return false;
}

/* Offsets that an answer names were in the log. */
static bool places_exist(const struct given *given)
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        if (given->offsets[topic] >= given->log_ends[topic])
            return false;
    return true;
}

/* What was in the log when the edge started is known to it. */
static bool is_up_to_date(const struct proof *proof)
{
    for (const struct word *word = proof->words; word < proof->words + proof->count; word++)
        if (topic_is_events(word->topic) && word->offset < proof->given->log_known[word->topic] &&
            word->offset > proof->given->offsets[word->topic])
            return false;
    return true;
}

/* It was not there yet when the edge started. */
static bool is_unknown_show(const struct edges_judge *judge, const struct given *given)
{
    int show = given->ask->customer->show;
    return given->status == 404 &&
           (judge->seats_counts[show] == 0 ||
            judge->seats[show][0].offset >= given->log_known[TOPIC_SHOWS_EVENTS]);
}

/* The seats are those of the place that is named. */
static bool show_stands(const struct edges_judge *judge, const struct given *given)
{
    int show = given->ask->customer->show;
    int64_t offset = given->offsets[TOPIC_SHOWS_EVENTS];
    const struct seats_from *found = NULL;
    for (size_t i = 0; i < judge->seats_counts[show]; i++)
        if (judge->seats[show][i].offset <= offset)
            found = &judge->seats[show][i];
        else if (judge->seats[show][i].offset < given->log_known[TOPIC_SHOWS_EVENTS])
            return false;
    return found && memcmp(found->seats, given->seats, sizeof found->seats) == 0;
}

static bool stands(const struct edges_judge *judge, const struct proof *proof)
{
    const struct given *given = proof->given;
    if (!places_exist(given))
        return false;
    if (given->status == 503)
        return true; /* nothing is claimed */
    if (given->status == 202)
        return is_taken(proof);
    if (given->status == 422)
        return is_reused(proof);
    switch (proof->ask->kind) {
    case ASK_RESERVE:
        return is_unknown_show(judge, given) || reserve_stands(proof) || is_refused(proof);
    case ASK_CHECKOUT:
        return checkout_stands(proof) || is_refused(proof);
    case ASK_CANCEL:
        return cancel_stands(proof) || is_refused(proof);
    case ASK_LOOK:
        return given->status == 200 && look_stands(proof) && is_up_to_date(proof);
    case ASK_SHOW:
        return is_unknown_show(judge, given) || (given->status == 200 && show_stands(judge, given));
    }
    return false;
}

static const char *kind_name(enum ask_kind kind)
{
    static const char *const names[] = {"reserve", "checkout", "cancel", "look", "look at show"};
    return names[kind];
}

static void check_given(struct edges_judge *judge, const struct given *given)
{
    const struct ask *ask = given->ask;
    size_t at = (size_t)(ask->customer - judge->edges->customers);
    struct proof proof = {given, ask, judge->words[at], judge->word_counts[at], ""};
    envelope_fingerprint(text_of(ask->bodies[given->body]), proof.fingerprint);
    if (!stands(judge, &proof))
        edges_breach(judge,
                     "edge-%d told %s at %lld: %d %s %s, of body %d, %s %s, but the log did not "
                     "say so",
                     given->edge, ask->customer->reservation_id, (long long)given->at_ms,
                     given->status, given->code, given->said, given->body, kind_name(ask->kind),
                     ask->command_id);
}

/* ---- one key, one meaning -------------------------------------------------------------------- */

static bool is_same(const struct given *a, const struct given *b)
{
    return a->status == b->status && strcmp(a->code, b->code) == 0 &&
           (a->status >= 300 || strcmp(a->named, b->named) == 0);
}

/* Its key means what it said from then on: it was understood, and not another's. */
static bool was_taken(const struct given *given)
{
    return given && given->status != 400 && given->status != 422;
}

/* All final answers to one body are one; and but one body has one that is not "reused". What was
 * not understood was not sent, and another time, or at another edge, it may be. */
static void check_ask(struct edges_judge *judge, const struct ask *ask)
{
    const struct edges *edges = judge->edges;
    const struct given *finals[BODIES_MAX] = {NULL};
    for (size_t i = 0; i < edges->given_count; i++) {
        const struct given *given = &edges->journal[i];
        if (given->ask != ask || !given_is_final(given))
            continue;
        const struct given *first = finals[given->body];
        finals[given->body] = given;
        if (first && first->status != 400 && !is_same(first, given))
            edges_breach(judge, "%s %s of %s: edge-%d told %d %s at %lld, edge-%d %d %s at %lld",
                         kind_name(ask->kind), ask->command_id, ask->customer->reservation_id,
                         first->edge, first->status, first->code, (long long)first->at_ms,
                         given->edge, given->status, given->code, (long long)given->at_ms);
    }
    if (was_taken(finals[0]) && was_taken(finals[1]))
        edges_breach(judge, "%s %s of %s: both bodies were answered, %d and %d",
                     kind_name(ask->kind), ask->command_id, ask->customer->reservation_id,
                     finals[0]->status, finals[1]->status);
}

/* An edge that lives on forgets nothing: what it tells of a reservation grows. */
static void check_growth(struct edges_judge *judge, const struct ask *ask)
{
    const struct edges *edges = judge->edges;
    const struct given *last[EDGES] = {NULL};
    for (size_t i = 0; i < edges->given_count; i++) {
        const struct given *given = &edges->journal[i], **before = &last[given->edge];
        if (given->ask != ask || given->status != 200)
            continue;
        for (int topic = 0; topic < TOPIC_COUNT && *before; topic++)
            if ((*before)->life == given->life && given->offsets[topic] < (*before)->offsets[topic])
                edges_breach(judge, "edge-%d forgot something of %s between %lld and %lld",
                             given->edge, ask->path, (long long)(*before)->at_ms,
                             (long long)given->at_ms);
        *before = given;
    }
}

static void check_customer(struct edges_judge *judge, const struct customer *customer)
{
    size_t at = (size_t)(customer - judge->edges->customers);
    int held = 0;
    for (size_t i = 0; i < judge->word_counts[at]; i++)
        held += judge->words[at][i].type == MESSAGE_SeatsHeld;
    if (held > 1)
        edges_breach(judge, "%s is held %d times", customer->reservation_id, held);
    for (int i = 0; i < customer->ask_count; i++)
        check_ask(judge, &customer->asks[i]);
    check_growth(judge, &customer->look);
    check_growth(judge, &customer->look_at_show);
}

/* Where the seats of the show last changed, up to `offset`; -1: they had not. */
static int64_t last_change(const struct edges_judge *judge, int show, int64_t offset)
{
    int64_t found = -1;
    for (size_t i = 0; i < judge->seats_counts[show]; i++)
        if (judge->seats[show][i].offset <= offset)
            found = judge->seats[show][i].offset;
    return found;
}

/* Who was told that seats are held finds them so when he looks at the show. */
static void check_own_writes(struct edges_judge *judge)
{
    const struct edges *edges = judge->edges;
    struct {
        int life;
        int64_t offset; /* the highest of shows.events that the edge has told */
    } told[EDGES][SHOWS_MAX] = {{{0, 0}}};
    for (size_t i = 0; i < edges->given_count; i++) {
        const struct given *given = &edges->journal[i];
        int show = given->ask->customer->show, edge = given->edge;
        int64_t offset = given->offsets[TOPIC_SHOWS_EVENTS];
        if (told[edge][show].life != given->life)
            told[edge][show].offset = -1;
        told[edge][show].life = given->life;
        if (given->ask->kind == ASK_SHOW && given->status == 200 &&
            offset < last_change(judge, show, told[edge][show].offset))
            edges_breach(judge, "edge-%d told an older show %s at %lld than it had told before",
                         edge, given->ask->customer->show_id, (long long)given->at_ms);
        if (offset > told[edge][show].offset)
            told[edge][show].offset = offset;
    }
}

/* ---- nobody waits ---------------------------------------------------------------------------- */

static void check_waiting(struct edges_judge *judge)
{
    const struct ask *ask = customers_waiting(judge->edges);
    if (ask)
        edges_breach(judge, "liveness: %s %s of %s has no final answer", kind_name(ask->kind),
                     ask->command_id, ask->customer->reservation_id);
    for (int i = 0; i < EDGES; i++) {
        const struct window *window = &judge->edges->windows[i];
        const struct edge *edge = &window->edge;
        int in_flight = edge->errands.in_flight;
        for (int k = 0; k < edge->view.show_count; k++)
            in_flight += edge->view.list[k]->in_flight;
        if (in_flight || window->visits || edge->errands.waiting.count ||
            heap_first(&edge->errands.deadlines))
            edges_breach(judge, "liveness: edge-%d still has somebody waiting", i);
    }
}

const char *edges_judge(struct world *world)
{
    struct edges *edges = world->edges;
    if (edges == NULL)
        return NULL;
    struct edges_judge judge = {.edges = edges};
    check_waiting(&judge);
    words_read(&judge);
    for (size_t i = 0; i < edges->given_count; i++)
        check_given(&judge, &edges->journal[i]);
    for (int i = 0; i < CUSTOMERS; i++)
        check_customer(&judge, &edges->customers[i]);
    check_own_writes(&judge);
    views_check(&judge);
    words_release(&judge);
    return world->breach[0] ? world->breach : NULL;
}
