/* The routes of the course project, kept working: the same verbs, paths, field names and texts,
 * with true statuses.
 *
 * The sample knows no holds, no ids and no retries, so its one-step requests are errands of several
 * commands:
 *
 *     reserve  RequestReservation ──SeatsHeld──▶ StartCheckout none ──ReservationConfirmed──▶ done
 *     cancel   find by name in the register ──▶ CancelReservation, full ──SeatsReturned──▶ done
 *     hold     SetBlock "sample" with expected_quantity; who is refused for it tries again
 */
#include "api/handlers.h"

#include "api/register.h"
#include "api/sample_body.h"
#include "schemas/json.h"

#include <string.h>

enum { SAMPLE_TRIES_MAX = 1000, SAMPLE_WAIT_MS = 10 * 1000 };

static const char block_id[] = "sample";

/* ---- answers --------------------------------------------------------------------------------- */

static void put_show(struct buffer *out, const char *name, const struct show *show)
{
    json_put_open(out, name, '{');
    json_put_text(out, "_id", text_of(show->show_id));
    json_put_text(out, "name", text_of(show->name));
    json_put_i64(out, "houseSize", show->capacity);
    json_put_i64(out, "reserved", show->held + show->sold + show->blocked);
    json_put_close(out, '}');
}

static void answer_sample_show(struct request *request, const struct show *show)
{
    struct buffer *out = &request->answer.body;
    buffer_clear(out);
    put_show(out, NULL, show);
    request->answer.status = 200;
    request->answer.content_type = "application/json";
}

static void answer_done(struct request *request, const char *what, struct text name, int64_t guests)
{
    struct buffer *out = answer_open(request, 200);
    json_put_bool(out, what, true);
    json_put_text(out, "showID", text_of(request->errand.show_id));
    json_put_text(out, "name", name);
    json_put_i64(out, "guests", guests);
    answer_close(request);
}

static void answer_unknown(struct request *request)
{
    problem_answer(request, PROBLEM_not_found, "there is no such show");
}

static void sample_late(struct edge *edge, struct request *request)
{
    (void)edge;
    problem_answer(request, PROBLEM_overloaded,
                   "this takes longer than usual and may still happen; look again");
}

/* ---- GET /show/:id --------------------------------------------------------------------------- */

void handle_sample_show(struct edge *edge, struct request *request)
{
    edge_lock(edge);
    const struct show *show = view_show(&edge->view, request->parts[0]);
    if (show)
        answer_sample_show(request, show);
    edge_unlock(edge);
    if (show == NULL)
        answer_unknown(request);
}

/* ---- GET / and GET /reservations/:showID: lists from the register ---------------------------- */

static void put_shows(struct edge *edge, struct buffer *out, const char *name)
{
    json_put_open(out, name, '[');
    for (int i = 0; i < edge->view.show_count; i++)
        put_show(out, NULL, edge->view.list[i]);
    json_put_close(out, ']');
}

static bool all_look(struct edge *edge, struct request *request)
{
    if (!request->errand.answered)
        return false;
    struct buffer *out = answer_open(request, 200);
    put_shows(edge, out, "shows");
    json_put_raw(out, "reservations", buffer_view(&request->errand.result));
    answer_close(request);
    return true;
}

static bool list_look(struct edge *edge, struct request *request)
{
    (void)edge;
    if (!request->errand.answered)
        return false;
    buffer_clear(&request->answer.body);
    buffer_text(&request->answer.body, buffer_view(&request->errand.result));
    request->answer.status = 200;
    request->answer.content_type = "application/json";
    return true;
}

static const struct errand_kind list_all = {"list all", all_look, sample_late};
static const struct errand_kind list_show = {"list show", list_look, sample_late};

static void ask(struct edge *edge, struct request *request, const struct errand_kind *kind,
                void (*question)(struct clerk *, struct request *, struct buffer *))
{
    edge_lock(edge);
    clerks_begin(edge, request, kind, question, SAMPLE_WAIT_MS);
    edge_unlock(edge);
}

static void answer_shows(struct edge *edge, struct request *request, const char *name)
{
    struct buffer *out = &request->answer.body;
    if (name)
        answer_open(request, 200);
    edge_lock(edge);
    put_shows(edge, out, name);
    edge_unlock(edge);
    if (name)
        json_put_close(out, '}');
    request->answer.status = 200;
    request->answer.content_type = "application/json";
}

/* Who has reserved is for those who may know it. */
void handle_sample_all(struct edge *edge, struct request *request)
{
    bool may_know = edge->open_sample || request_is_staff(request);
    switch (request->listener) {
    case LISTENER_API:
    case LISTENER_SHOWS:
        answer_shows(edge, request, NULL);
        return;
    case LISTENER_RESERVATIONS:
        if (may_know)
            ask(edge, request, &list_show, register_list_all);
        else
            problem_answer(request, PROBLEM_unauthorized,
                           "send Authorization: Bearer with a key of role boxoffice");
        return;
    case LISTENER_MONOLITH:
    case LISTENER_COUNT:
        break;
    }
    if (may_know)
        ask(edge, request, &list_all, register_list_all);
    else
        answer_shows(edge, request, "shows");
}

void handle_sample_reservations(struct edge *edge, struct request *request)
{
    view_set(request->errand.show_id, VIEW_ID_SIZE, request->parts[0]);
    ask(edge, request, &list_show, register_list_show);
}

/* ---- PUT /hold-seats and /release-seats ------------------------------------------------------ */

/* Makes the next SetBlock from how the block stands now. false: it cannot be, and is answered. */
static bool send_block(struct edge *edge, struct request *request, const struct show *show)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    const struct block *block = view_block(show, text_of(block_id));
    int64_t old = block ? block->quantity : 0;
    if (errand->count > show->free) {
        problem_answer(request, PROBLEM_sold_out, "not enough seats");
        return false;
    }
    if (old + errand->count < 0) {
        problem_answer(request, PROBLEM_precondition, "only %lld seats are held this way",
                       (long long)old);
        return false;
    }
    message_init(&command, MESSAGE_SetBlock);
    message_set(&command, show_id, text_of(errand->show_id));
    message_set(&command, block_id, text_of(block_id));
    message_set(&command, block_quantity, old + errand->count);
    message_set(&command, expected_quantity, old);
    errand_send(edge, request, &command);
    return true;
}

/* A refusal for its precondition means that someone else was faster: the next try has an id of
 * its own, worked out from this one, so that a retry of the whole request walks the same way. */
static bool block_look(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    const struct show *show = view_show(&edge->view, text_of(errand->show_id));
    for (;;) {
        const struct replay *replay = view_replay(&show->replays, text_of(errand->command_id));
        if (replay && answer_if_reused(request, replay->fingerprint))
            return true;
        if (replay && replay->answer == MESSAGE_BlockSet) {
            answer_sample_show(request, show);
            return true;
        }
        bool again =
            (errand->refused && errand->refused_code == code_precondition) ||
            (replay && replay->answer == MESSAGE_Refused && replay->code == code_precondition);
        if (!again)
            return answer_if_refused(request, replay);
        if (errand->stage++ == SAMPLE_TRIES_MAX) {
            problem_answer(request, PROBLEM_overloaded, "too many change this at once; try again");
            return true;
        }
        char next[UUID_SIZE];
        ids_step(edge_keys(edge), "again", text_of(errand->command_id), next);
        memcpy(errand->command_id, next, sizeof next);
        if (!send_block(edge, request, show))
            return true;
    }
}

static const struct errand_kind block = {"sample block", block_look, sample_late};

static void change_block(struct edge *edge, struct request *request, int sign)
{
    struct errand *errand = &request->errand;
    struct sample_body body;
    if (!sample_body_read(request, &body, SAMPLE_SHOW | SAMPLE_COUNT) ||
        !request_identify(edge, request, false))
        return;
    view_set(errand->show_id, VIEW_ID_SIZE, body.show_id);
    errand->count = sign * body.count;
    edge_lock(edge);
    const struct show *show = view_show(&edge->view, text_of(errand->show_id));
    if (show == NULL)
        answer_unknown(request);
    else if (view_replay(&show->replays, text_of(errand->command_id)) ||
             send_block(edge, request, show))
        errand_begin(edge, request, &block, SAMPLE_WAIT_MS);
    edge_unlock(edge);
}

void handle_sample_hold(struct edge *edge, struct request *request)
{
    change_block(edge, request, 1);
}

void handle_sample_release(struct edge *edge, struct request *request)
{
    change_block(edge, request, -1);
}

/* ---- POST /reserve and /reserveTickets ------------------------------------------------------- */

enum reserve_stage { RESERVING, PAYING };

static void start_checkout(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    errand->stage = PAYING;
    ids_step(edge_keys(edge), "checkout", text_of(errand->reservation_id), errand->command_id);
    message_init(&command, MESSAGE_StartCheckout);
    message_set(&command, show_id, text_of(errand->show_id));
    message_set(&command, reservation_id, text_of(errand->reservation_id));
    message_set(&command, payment_id, text_of(errand->command_id));
    message_set(&command, method, method_none);
    message_set(&command, by, by_customer);
    errand_send(edge, request, &command);
}

/* Held: pays at once. true: answered. */
static bool held_look(struct edge *edge, struct request *request,
                      const struct reservation *reservation)
{
    if (reservation->booking == BOOKING_UNKNOWN || reservation->booking == BOOKING_REFUSED)
        return false;
    if (answer_if_reused(request, reservation->fingerprint))
        return true;
    if (reservation->seats == SEATS_REJECTED) {
        answer_rejected(edge, request, reservation);
        return true;
    }
    if (reservation->seats != SEATS_UNKNOWN)
        start_checkout(edge, request);
    return false;
}

static bool paid_look(struct request *request, const struct reservation *reservation)
{
    const struct attempt *attempt =
        view_attempt_of(reservation, text_of(request->errand.command_id));
    if (attempt == NULL)
        return false;
    if (attempt->money == MONEY_REJECTED)
        answer_reason(request, attempt->money_reason);
    else if (attempt->extension == EXTENSION_SALE_REJECTED)
        answer_reason(request, attempt->seats_reason);
    else if (attempt->extension != EXTENSION_SOLD || reservation->booking < BOOKING_CONFIRMED)
        return false;
    else
        answer_done(request, "success", reservation->holder.name, reservation->quantity);
    return true;
}

static bool sample_reserve_look(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    const struct reservation *reservation =
        view_reservation(&edge->view, text_of(errand->reservation_id));
    const struct replay *replay =
        reservation ? view_replay(&reservation->replays, text_of(errand->command_id)) : NULL;
    if (replay && answer_if_reused(request, replay->fingerprint))
        return true;
    if (answer_if_refused(request, replay))
        return true;
    if (reservation && errand->stage == RESERVING && held_look(edge, request, reservation))
        return true;
    return reservation && errand->stage == PAYING && paid_look(request, reservation);
}

static const struct errand_kind reserve = {"sample reserve", sample_reserve_look, sample_late};

/* The tier to sell: the first, and only if it is free of charge. Under the lock. */
static bool find_tier(struct edge *edge, struct request *request, struct text *tier_id)
{
    const struct show *show = view_show(&edge->view, text_of(request->errand.show_id));
    request->errand.show = (struct show *)show;
    if (show == NULL)
        answer_unknown(request);
    else if (show->tiers[0].amount_minor > 0)
        problem_answer(request, PROBLEM_payment_required,
                       "payment_required: this show has a price");
    else
        *tier_id = arena_text(&request->arena, show->tiers[0].tier_id);
    return request->answer.status == 0;
}

void handle_sample_reserve(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    struct sample_body body;
    struct text tier_id;
    if (!sample_body_read(request, &body, SAMPLE_SHOW | SAMPLE_COUNT | SAMPLE_NAME) ||
        !request_identify(edge, request, false))
        return;
    view_set(errand->show_id, VIEW_ID_SIZE, body.show_id);
    ids_step(edge_keys(edge), errand->show_id, text_of(errand->command_id), errand->command_id);
    memcpy(errand->reservation_id, errand->command_id, UUID_SIZE);
    edge_lock(edge);
    bool found = find_tier(edge, request, &tier_id);
    edge_unlock(edge);
    if (!found)
        return;
    message_init(&command, MESSAGE_RequestReservation);
    message_set(&command, show_id, text_of(errand->show_id));
    message_set(&command, reservation_id, text_of(errand->reservation_id));
    message_set(&command, wanted, (struct lines){1, {{tier_id, body.count, 0}}});
    message_set(&command, holder, (struct holder){body.name, {NULL, 0}, {NULL, 0}});
    message_set(&command, channel, channel_web);
    if (!command_check(request, &command))
        return;
    errand_prepare(edge, request, &command);
    edge_lock(edge);
    errand_begin(edge, request, &reserve, SAMPLE_WAIT_MS);
    edge_unlock(edge);
}

/* ---- DELETE /cancel -------------------------------------------------------------------------- */

enum cancel_stage { FINDING, CANCELLING };

static void send_cancel(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    errand->stage = CANCELLING;
    view_set(errand->reservation_id, UUID_SIZE, buffer_view(&errand->result));
    const struct reservation *reservation =
        view_reservation(&edge->view, text_of(errand->reservation_id));
    struct text state = arena_print(&request->arena, "%s@%lld", errand->reservation_id,
                                    reservation ? (long long)reservation->offsets[0] : -1);
    ids_step(edge_keys(edge), "cancel", state, errand->command_id);
    message_init(&command, MESSAGE_CancelReservation);
    message_set(&command, show_id, text_of(errand->show_id));
    message_set(&command, reservation_id, text_of(errand->reservation_id));
    message_set(&command, by, by_staff);
    message_set(&command, refund, refund_full);
    errand_send(edge, request, &command);
}

static bool found_look(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    if (!errand->answered)
        return false;
    if (errand->result.size == 0)
        problem_answer(request, PROBLEM_not_found, "no reservation under that name");
    else if (errand->result.size > UUID_SIZE)
        problem_answer(request, PROBLEM_wrong_state,
                       "several reservations under that name; cancel by id");
    else
        send_cancel(edge, request);
    return errand->stage == FINDING;
}

static bool sample_cancel_look(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    if (errand->stage == FINDING && (found_look(edge, request) || errand->stage == FINDING))
        return errand->answered;
    const struct reservation *reservation =
        view_reservation(&edge->view, text_of(errand->reservation_id));
    const struct replay *replay =
        reservation ? view_replay(&reservation->replays, text_of(errand->command_id)) : NULL;
    if (answer_if_refused(request, replay))
        return true;
    if (replay == NULL || replay->answer == MESSAGE_NONE)
        return false;
    if (replay->answer == MESSAGE_ReleaseRejected)
        answer_reason(request, replay->reason);
    else
        answer_done(request, "canceled", reservation->holder.name, reservation->quantity);
    return true;
}

static const struct errand_kind cancel = {"sample cancel", sample_cancel_look, sample_late};

void handle_sample_cancel(struct edge *edge, struct request *request)
{
    struct sample_body body;
    if (!sample_body_read(request, &body, SAMPLE_SHOW | SAMPLE_NAME))
        return;
    envelope_fingerprint(buffer_view(&request->body), request->errand.fingerprint);
    view_set(request->errand.show_id, VIEW_ID_SIZE, body.show_id);
    request->errand.name = body.name;
    edge_lock(edge);
    bool known = view_show(&edge->view, body.show_id) != NULL;
    edge_unlock(edge);
    if (known)
        ask(edge, request, &cancel, register_find_name);
    else
        answer_unknown(request);
}
