/* A reservation: asking for seats, and looking at it. */
#include "api/handlers.h"

#include "schemas/json.h"

#include <string.h>

static const char *print_secret(struct edge *edge, struct request *request)
{
    char *secret = arena_take(&request->arena, SECRET_SIZE);
    ids_secret(edge_keys(edge), text_of(request->errand.show_id),
               text_of(request->errand.reservation_id), secret);
    return secret;
}

void answer_present(struct edge *edge, struct request *request, int status, bool with_secret)
{
    const struct reservation *reservation = request_reservation(edge, request);
    const char *secret = with_secret ? print_secret(edge, request) : NULL;
    if (reservation)
        answer_reservation(request, edge_keys(edge), status, reservation, secret);
    else
        answer_requested(request, status, text_of(request->errand.reservation_id),
                         text_of(request->errand.show_id), secret);
}

/* ---- POST /v1/shows/{id}/reservations -------------------------------------------------------- */

/* Both are needed: the request's own fingerprint, for another body may have the same key, and
 * what shows said. */
static bool reserve_look(struct edge *edge, struct request *request)
{
    const struct reservation *reservation;
    const struct replay *replay = request_replay(edge, request, &reservation);
    if (answer_if_settled(request, replay))
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
    answer_reservation(request, edge_keys(edge), 201, reservation, print_secret(edge, request));
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
    ids_party(edge_keys(edge), contact, party);
    message_set(command, party, text_of(party));
}

static enum channel channel_of(const struct request *request)
{
    if (request_is_staff(request))
        return channel_boxoffice;
    return request->caller.has_api_key ? channel_api : channel_web;
}

/* {lines, name, email?, phone?}, or {quantity, …} of `tier_id`; empty: quantity alone says too
 * little. */
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

/* The tier that is meant by a number of seats alone, copied; empty: there were always several. It
 * is the one that stood alone last: who asks once more, when there are others as well, means the
 * same. false: there is no such show, and it is answered. */
static bool find_tier(struct edge *edge, struct request *request, struct text show_id,
                      struct text *tier_id)
{
    edge_lock(edge);
    const struct show *show = view_show(&edge->view, show_id);
    *tier_id = (struct text){NULL, 0};
    if (show && show->lone_tier[0])
        *tier_id = arena_text(&request->arena, text_of(show->lone_tier));
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
    const struct reservation *reservation = request_reservation(edge, request);
    if (reservation == NULL)
        return false;
    enum reservation_status status = view_status(reservation);
    if (request->headers.if_none_match.size == 0 &&
        (status == STATUS_REQUESTED || status == STATUS_PAYING))
        return false;
    answer_reservation(request, edge_keys(edge), 200, reservation, NULL);
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

void handle_reservation(struct edge *edge, struct request *request)
{
    const struct reservation *reservation;
    int64_t wait_ms;
    if (!request_poll(request, &wait_ms))
        return;
    edge_lock(edge);
    if (!request_find_named(edge, request, &reservation)) {
        edge_unlock(edge);
        return;
    }
    if (wait_ms == 0)
        answer_present(edge, request, 200, false);
    else
        errand_begin(edge, request, &watch, wait_ms);
    edge_unlock(edge);
}
