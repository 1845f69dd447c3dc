/* A reservation: asking for seats, looking at it, giving it back. */
#include "api/handlers.h"

#include "base/rfc3339.h"
#include "schemas/json.h"

#include <string.h>

static struct reservation *find(struct edge *edge, struct request *request)
{
    return view_reservation(&edge->view, text_of(request->errand.reservation_id));
}

static const char *print_secret(struct edge *edge, struct request *request)
{
    char *secret = arena_take(&request->arena, SECRET_SIZE);
    ids_secret(&edge->keys, text_of(request->errand.show_id),
               text_of(request->errand.reservation_id), secret);
    return secret;
}

/* How it stands, whatever is known of it. */
static void answer_present(struct edge *edge, struct request *request, int status, bool with_secret)
{
    const struct reservation *reservation = find(edge, request);
    const char *secret = with_secret ? print_secret(edge, request) : NULL;
    if (reservation)
        answer_reservation(request, status, reservation, secret);
    else
        answer_requested(request, status, text_of(request->errand.reservation_id),
                         text_of(request->errand.show_id), secret);
}

/* ---- POST /v1/shows/{id}/reservations -------------------------------------------------------- */

/* Both are needed: the request's own fingerprint, for another body may have the same key, and
 * what shows said. */
static bool reserve_look(struct edge *edge, struct request *request)
{
    const struct reservation *reservation = find(edge, request);
    if (answer_if_refused(request, reservation ? view_replay(&reservation->replays,
                                                             text_of(request->errand.command_id))
                                               : NULL))
        return true;
    if (reservation == NULL || reservation->booking == BOOKING_UNKNOWN)
        return false;
    if (answer_if_reused(request, reservation->fingerprint))
        return true;
    if (reservation->seats == SEATS_UNKNOWN)
        return false;
    if (reservation->seats == SEATS_REJECTED) {
        answer_rejected(edge, request, reservation);
        return true;
    }
    answer_header(request, "Location", "/v1/reservations/%s", reservation->reservation_id);
    answer_reservation(request, 201, reservation, print_secret(edge, request));
    return true;
}

static void reserve_late(struct edge *edge, struct request *request)
{
    answer_accepted(request, "/v1/reservations/%s", request->errand.reservation_id);
    answer_present(edge, request, 202, true);
}

static const struct errand_kind reserve = {"reserve", reserve_look, reserve_late};

static void set_party(struct edge *edge, struct request *request, struct message *command)
{
    const struct holder *holder = &command->holder;
    struct text contact = holder->email.size ? holder->email : holder->phone;
    char *party = arena_take(&request->arena, UUID_SIZE);
    if (contact.size == 0)
        return;
    ids_party(&edge->keys, contact, party);
    message_set(command, party, text_of(party));
}

static enum channel channel_of(const struct request *request)
{
    if (request_is_staff(request))
        return channel_boxoffice;
    return request->caller.has_api_key ? channel_api : channel_web;
}

/* {lines, name, email?, phone?}, or {quantity, …} of a show with one tier, which is `tier_id`. */
static bool read_reserve(struct request *request, struct message *command, struct text tier_id)
{
    struct body body;
    struct lines lines;
    struct holder holder = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    int64_t quantity;
    if (!body_open(&body, request, false))
        return body_close(&body);
    body_require(&body, "name", body_text(&body, "name", &holder.name));
    body_text(&body, "email", &holder.email);
    body_text(&body, "phone", &holder.phone);
    bool has_lines = body_lines(&body, &lines);
    bool has_quantity = body_i64(&body, "quantity", &quantity);
    if (body.good && has_lines == has_quantity)
        problem_field(request, has_lines ? "/quantity" : "/lines", "give either lines or quantity");
    else if (body.good && has_quantity && tier_id.size == 0)
        problem_field(request, "/quantity", "this show has several tiers: give lines");
    body.good = body.good && request->answer.status == 0;
    if (has_quantity)
        lines = (struct lines){1, {{tier_id, quantity, 0}}};
    if (body.good) {
        message_set(command, wanted, lines);
        message_set(command, holder, holder);
    }
    return body_close(&body);
}

/* The tier of a show with only one, copied; empty for several. false: there is no such show, and
 * it is answered. */
static bool find_tier(struct edge *edge, struct request *request, struct text show_id,
                      struct text *tier_id)
{
    edge_lock(edge);
    const struct show *show = view_show(&edge->view, show_id);
    *tier_id = (struct text){NULL, 0};
    if (show && show->tier_count == 1)
        *tier_id = arena_text(&request->arena, show->tiers[0].tier_id);
    edge_unlock(edge);
    if (show == NULL)
        problem_answer(request, PROBLEM_not_found, "there is no such show");
    return show != NULL;
}

void handle_reserve(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    struct text show_id = request->parts[0], tier_id;
    if (!find_tier(edge, request, show_id, &tier_id) || !request_identify(edge, request, true))
        return;
    memcpy(errand->reservation_id, errand->command_id, UUID_SIZE);
    view_set(errand->show_id, sizeof errand->show_id, show_id);
    message_init(&command, MESSAGE_RequestReservation);
    message_set(&command, show_id, text_of(errand->show_id));
    message_set(&command, reservation_id, text_of(errand->reservation_id));
    message_set(&command, channel, channel_of(request));
    if (!read_reserve(request, &command, tier_id) || !command_check(request, &command))
        return;
    set_party(edge, request, &command);
    errand_prepare(edge, request, &command);
    edge_lock(edge);
    errand->show = view_show(&edge->view, show_id);
    errand_begin(edge, request, &reserve, request_wait_ms(request));
    edge_unlock(edge);
}

/* ---- GET /v1/reservations/{rid} -------------------------------------------------------------- */

static bool watch_look(struct edge *edge, struct request *request)
{
    const struct reservation *reservation = find(edge, request);
    if (reservation == NULL)
        return false;
    enum reservation_status status = view_status(reservation);
    if (request->headers.if_none_match.size == 0 &&
        (status == STATUS_REQUESTED || status == STATUS_PAYING))
        return false;
    answer_reservation(request, 200, reservation, NULL);
    if (request->answer.status == 200)
        return true;
    answer_clear(request);
    return false;
}

static void watch_late(struct edge *edge, struct request *request)
{
    answer_present(edge, request, 200, false);
}

static const struct errand_kind watch = {"watch", watch_look, watch_late};

/* Finds what the path names, if the caller may see it. false: 404, which reveals nothing. Under
 * the lock. */
static bool find_named(struct edge *edge, struct request *request,
                       const struct reservation **reservation)
{
    struct errand *errand = &request->errand;
    struct text show_id;
    if (request_may_see(edge, request, request->parts[0], &show_id)) {
        view_set(errand->reservation_id, sizeof errand->reservation_id, request->parts[0]);
        *reservation = find(edge, request);
        if (*reservation && (show_id.size == 0 || text_is(show_id, (*reservation)->show_id)))
            show_id = text_of((*reservation)->show_id);
        view_set(errand->show_id, sizeof errand->show_id, show_id);
        if (show_id.size)
            return true;
    }
    problem_answer(request, PROBLEM_not_found,
                   "there is no such reservation, or this key may not see it");
    return false;
}

void handle_reservation(struct edge *edge, struct request *request)
{
    const struct reservation *reservation;
    int64_t wait_ms = request_poll_ms(request);
    edge_lock(edge);
    if (!find_named(edge, request, &reservation)) {
        edge_unlock(edge);
        return;
    }
    if (wait_ms == 0)
        answer_present(edge, request, 200, false);
    else
        errand_begin(edge, request, &watch, wait_ms);
    edge_unlock(edge);
}

/* ---- DELETE /v1/reservations/{rid} ----------------------------------------------------------- */

static bool cancel_look(struct edge *edge, struct request *request)
{
    const struct reservation *reservation = find(edge, request);
    const struct replay *replay =
        reservation ? view_replay(&reservation->replays, text_of(request->errand.command_id))
                    : NULL;
    if (replay && answer_if_reused(request, replay->fingerprint))
        return true;
    if (answer_if_refused(request, replay))
        return true;
    if (replay == NULL || replay->answer == MESSAGE_NONE)
        return false;
    if (replay->answer == MESSAGE_ReleaseRejected)
        answer_reason(request, replay->reason);
    else
        answer_reservation(request, 200, reservation, NULL);
    return true;
}

static void cancel_late(struct edge *edge, struct request *request)
{
    answer_accepted(request, "/v1/reservations/%s", request->errand.reservation_id);
    answer_present(edge, request, 202, false);
}

static const struct errand_kind cancel = {"cancel", cancel_look, cancel_late};

static bool read_cancel(struct request *request, struct message *command)
{
    struct body body;
    struct text why;
    if (body_open(&body, request, true) && body_text(&body, "reason", &why))
        message_set(command, why, why);
    return body_close(&body);
}

void handle_cancel(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    const struct reservation *reservation;
    message_init(&command, MESSAGE_CancelReservation);
    if (!request_identify(edge, request, false) || !read_cancel(request, &command))
        return;
    message_set(&command, by, request_is_staff(request) ? by_staff : by_customer);
    message_set(&command, refund, refund_full);
    edge_lock(edge);
    if (find_named(edge, request, &reservation)) {
        enum reservation_status status = reservation ? view_status(reservation) : STATUS_REQUESTED;
        message_set(&command, show_id, text_of(errand->show_id));
        message_set(&command, reservation_id, text_of(errand->reservation_id));
        errand->show = view_show(&edge->view, command.show_id);
        if (request->headers.idempotency_key.size == 0 &&
            (status == STATUS_RELEASED || status == STATUS_CANCELLED)) {
            answer_reservation(request, 200, reservation, NULL); /* gone already, as was asked */
        } else if (command_check(request, &command)) {
            errand_prepare(edge, request, &command);
            errand_begin(edge, request, &cancel, request_wait_ms(request));
        }
    }
    edge_unlock(edge);
}

/* ---- POST /v1/reservations/{rid}/checkout ---------------------------------------------------- */

static void answer_paid(struct request *request, int status, const struct reservation *reservation)
{
    const struct attempt *attempt =
        reservation ? view_attempt_of(reservation, text_of(request->errand.command_id)) : NULL;
    char time[RFC3339_SIZE];
    struct buffer *out = answer_open(request, status);
    json_put_text(out, "payment_id", text_of(request->errand.command_id));
    json_put_text(out, "reservation_id", text_of(request->errand.reservation_id));
    if (attempt && attempt->pay_by_ms)
        json_put_text(out, "pay_by", text_of(rfc3339_print(attempt->pay_by_ms, time)));
    enum reservation_status now = reservation ? view_status(reservation) : STATUS_REQUESTED;
    json_put_text(out, "status", text_of(view_status_name(now)));
    json_put_open(out, "next", '{');
    json_put_text(out, "kind", text_of("none"));
    json_put_close(out, '}');
    answer_close(request);
}

static bool is_confirmed(const struct reservation *reservation)
{
    return reservation->booking == BOOKING_CONFIRMED || reservation->booking == BOOKING_CANCELLED;
}

/* StartCheckout of what shows has not decided yet would be refused as gone, for good. */
enum checkout_stage { CHECKOUT_SENT, CHECKOUT_WAITS };

static void make_checkout(struct request *request, struct message *command)
{
    struct errand *errand = &request->errand;
    message_init(command, MESSAGE_StartCheckout);
    message_set(command, show_id, text_of(errand->show_id));
    message_set(command, reservation_id, text_of(errand->reservation_id));
    message_set(command, payment_id, text_of(errand->command_id));
    message_set(command, method, (enum method)errand->count);
    message_set(command, by, request_is_staff(request) ? by_staff : by_customer);
}

static bool is_undecided(const struct reservation *reservation)
{
    return reservation == NULL || view_status(reservation) == STATUS_REQUESTED;
}

static bool checkout_look(struct edge *edge, struct request *request)
{
    struct text payment_id = text_of(request->errand.command_id);
    const struct reservation *reservation = find(edge, request);
    if (answer_if_refused(request,
                          reservation ? view_replay(&reservation->replays, payment_id) : NULL))
        return true;
    const struct attempt *attempt = reservation ? view_attempt_of(reservation, payment_id) : NULL;
    if (request->errand.stage == CHECKOUT_WAITS && attempt == NULL && !is_undecided(reservation)) {
        static _Thread_local struct message command;
        request->errand.stage = CHECKOUT_SENT;
        make_checkout(request, &command);
        errand_send(edge, request, &command);
    }
    if (attempt == NULL)
        return false;
    if (answer_if_reused(request, attempt->fingerprint))
        return true;
    if (attempt->money == MONEY_REJECTED)
        answer_reason(request, attempt->money_reason);
    else if (attempt->extension == EXTENSION_SALE_REJECTED)
        answer_reason(request, attempt->seats_reason);
    else if (attempt->extension == EXTENSION_SOLD && is_confirmed(reservation))
        answer_paid(request, 201, reservation);
    else if (attempt->superseded)
        problem_answer(request, PROBLEM_wrong_state,
                       "another payment of this reservation has begun since");
    else
        return false;
    return true;
}

static void checkout_late(struct edge *edge, struct request *request)
{
    if (request->errand.stage == CHECKOUT_WAITS) {
        problem_answer(request, PROBLEM_overloaded,
                       "nothing was sent; the seats are not held yet: try again with the same key");
        return;
    }
    answer_accepted(request, "/v1/reservations/%s", request->errand.reservation_id);
    answer_paid(request, 202, find(edge, request));
}

static const struct errand_kind checkout = {"checkout", checkout_look, checkout_late};

static bool read_checkout(struct request *request, struct message *command)
{
    struct body body;
    struct text word;
    enum method method;
    if (body_open(&body, request, false) &&
        body_require(&body, "method", body_text(&body, "method", &word))) {
        if (method_named(word, &method))
            message_set(command, method, method);
        else
            problem_field(request, "/method", "must be one of none, cash, card, comp");
        body.good = request->answer.status == 0;
    }
    return body_close(&body);
}

void handle_checkout(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    const struct reservation *reservation;
    bool staff = request_is_staff(request);
    edge_lock(edge);
    bool found = find_named(edge, request, &reservation);
    edge_unlock(edge);
    message_init(&command, MESSAGE_StartCheckout);
    if (!found || !request_identify(edge, request, true) || !read_checkout(request, &command))
        return;
    if (!staff && command.method != method_none) {
        problem_answer(request, PROBLEM_forbidden,
                       "cash, card and comp are taken at the box office");
        return;
    }
    errand->count = command.method;
    make_checkout(request, &command);
    if (!command_check(request, &command))
        return;
    edge_lock(edge);
    errand->stage = CHECKOUT_WAITS; /* the first look sends it, if it can be decided */
    errand->show = view_show(&edge->view, text_of(errand->show_id));
    errand_begin(edge, request, &checkout, request_wait_ms(request));
    edge_unlock(edge);
}
