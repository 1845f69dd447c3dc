/* Tickets: looking at them, passing one on, and the door. */
#include "api/handlers.h"

#include "base/rfc3339.h"
#include "schemas/json.h"
#include "schemas/ticket.h"

#include <stdio.h>
#include <string.h>

static void set_ids(struct edge *edge, struct request *request, struct message *command,
                    const struct reservation *reservation)
{
    struct errand *errand = &request->errand;
    view_set(errand->reservation_id, sizeof errand->reservation_id,
             text_of(reservation->reservation_id));
    view_set(errand->show_id, sizeof errand->show_id, text_of(reservation->show_id));
    message_set(command, show_id, text_of(errand->show_id));
    errand->show = view_show(&edge->view, command->show_id);
}

/* ---- GET /v1/reservations/{rid}/tickets ------------------------------------------------------ */

static void answer_tickets(struct edge *edge, struct request *request,
                           const struct reservation *reservation)
{
    struct buffer *out = answer_open(request, 200);
    json_put_text(out, "reservation_id", text_of(request->errand.reservation_id));
    json_put_text(out, "show_id", text_of(request->errand.show_id));
    if (reservation && reservation->ticket_count)
        render_tickets(out, edge_keys(edge), reservation);
    else
        json_put_raw(out, "tickets", text_of("[]"));
    answer_close(request);
}

void handle_tickets(struct edge *edge, struct request *request)
{
    const struct reservation *reservation;
    edge_lock(edge);
    if (request_find_named(edge, request, &reservation))
        answer_tickets(edge, request, reservation);
    edge_unlock(edge);
}

/* ---- POST /v1/reservations/{rid}/tickets/{ticket}/transfer ----------------------------------- */

static bool transfer_look(struct edge *edge, struct request *request)
{
    const struct reservation *reservation;
    const struct replay *replay = request_replay(edge, request, &reservation);
    if (answer_if_settled(request, replay))
        return true;
    if (replay == NULL || replay->answer == MESSAGE_NONE)
        return false;
    answer_tickets(edge, request, reservation);
    return true;
}

static void transfer_late(struct edge *edge, struct request *request)
{
    answer_accepted(request, "/v1/reservations/%s/tickets", request->errand.reservation_id);
    answer_tickets(edge, request, request_reservation(edge, request));
    request->answer.status = 202;
}

static const struct errand_kind transfer = {"transfer", transfer_look, transfer_late};

static void begin_transfer(struct edge *edge, struct request *request, struct message *command)
{
    const struct reservation *reservation;
    struct text ticket_id = request->parts[1], of = {NULL, 0};
    int64_t number;
    if (!request_find_named(edge, request, &reservation))
        return;
    if (reservation == NULL || !ticket_id_parse(ticket_id, &of, &number) ||
        !text_is(of, reservation->reservation_id)) {
        problem_answer(request, PROBLEM_not_found, "the reservation has no such ticket");
        return;
    }
    const struct ticket_state *ticket = view_ticket(reservation, number);
    message_set(command, ticket_id, ticket_id);
    message_set(command, generation, ticket ? ticket->generation : 1);
    set_ids(edge, request, command, reservation);
    if (!command_check(request, command))
        return;
    errand_prepare(edge, request, command);
    errand_begin(edge, request, &transfer, request_wait_ms(request));
}

void handle_transfer(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct body body;
    struct holder holder = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    message_init(&command, MESSAGE_TransferTicket);
    if (body_open(&body, request, false)) {
        body_require(&body, "name", body_text(&body, "name", &holder.name));
        body_text(&body, "email", &holder.email);
        body_text(&body, "phone", &holder.phone);
    }
    message_set(&command, holder, holder);
    if (!body_close(&body) || !request_identify(edge, request, false))
        return;
    edge_lock(edge);
    begin_transfer(edge, request, &command);
    edge_unlock(edge);
}

/* ---- POST /v1/checkins ----------------------------------------------------------------------- */

/* What the one at the door needs to see. `reservation` NULL: nobody knows such a ticket. */
static struct buffer *open_at_door(struct request *request, const struct reservation *reservation,
                                   int http_status, const char *status)
{
    struct buffer *out = answer_open(request, http_status);
    char time[RFC3339_SIZE];
    struct text of, ticket_id = request->errand.name;
    int64_t number = 0;
    json_put_text(out, "status", text_of(status));
    if (reservation && ticket_id_parse(ticket_id, &of, &number)) {
        const struct ticket_state *ticket = view_ticket(reservation, number);
        json_put_text(out, "ticket_id", ticket_id);
        json_put_text(out, "show_id", text_of(reservation->show_id));
        json_put_text(out, "reference", text_of(reservation->reference));
        json_put_text(out, "name",
                      ticket && ticket->holder.name.data ? ticket->holder.name
                                                         : reservation->holder.name);
        if (ticket && ticket->list_id[0]) {
            json_put_text(out, "seen_at", text_of(rfc3339_print(ticket->entry_at_ms, time)));
            json_put_text(out, "entry", text_of(entry_name(ticket->entry)));
        }
    }
    return out;
}

static void reject_at_door(struct request *request, const struct reservation *reservation,
                           enum reason reason)
{
    struct buffer *out = open_at_door(request, reservation, 200, "rejected");
    json_put_text(out, "reason", text_of(reason_name(reason)));
    json_put_text(out, "detail", text_of(problem_reason_text(reason)));
    answer_close(request);
}

static bool check_in_look(struct edge *edge, struct request *request)
{
    const struct reservation *reservation;
    const struct replay *replay = request_replay(edge, request, &reservation);
    if (answer_if_settled(request, replay))
        return true;
    if (replay == NULL || replay->answer == MESSAGE_NONE)
        return false;
    if (replay->answer == MESSAGE_CheckInRejected) {
        reject_at_door(request, reservation, replay->reason);
        return true;
    }
    open_at_door(request, reservation, 200, "ok");
    answer_close(request);
    return true;
}

/* Nobody is let in on a promise: the door asks again with the same nonce. */
static void check_in_late(struct edge *edge, struct request *request)
{
    const struct reservation *reservation = request_reservation(edge, request);
    answer_header(request, "Retry-After", "1");
    open_at_door(request, reservation, 202, "undecided");
    answer_close(request);
}

static const struct errand_kind check_in = {"check in", check_in_look, check_in_late};

/* A scan is known by ticket, list and nonce, as the services know it: the same scan asked again,
 * here or at another edge, is the same command. */
static void identify_scan(struct edge *edge, struct request *request, const struct message *command)
{
    char scan[TICKET_ID_SIZE_MAX + 2 * ID_SIZE_MAX + 3];
    snprintf(scan, sizeof scan, "%.*s %.*s %.*s", TEXT_PRINT(command->ticket_id),
             TEXT_PRINT(command->list_id), TEXT_PRINT(command->nonce));
    ids_step(edge_keys(edge), "check-in", text_of(scan), request->errand.command_id);
}

/* Whether all but the ticket is within the log's limits. false: answered. */
static bool scan_check(struct request *request, struct message *command)
{
    message_set(command, show_id, text_of("-"));
    message_set(command, ticket_id, text_of("00000000-0000-0000-0000-000000000000-1"));
    message_set(command, generation, 1);
    return command_check(request, command);
}

static void begin_check_in(struct edge *edge, struct request *request, struct message *command,
                           struct text code)
{
    struct text ticket_id, reservation_id;
    int64_t generation, number;
    const struct reservation *reservation = NULL;
    if (!scan_check(request, command))
        return;
    if (ids_ticket_code_parse(code, &ticket_id, &generation) &&
        ticket_id_parse(ticket_id, &reservation_id, &number))
        reservation = view_reservation(&edge->view, reservation_id);
    if (reservation == NULL ||
        !ids_ticket_code_valid(edge_keys(edge), text_of(reservation->show_id), code)) {
        reject_at_door(request, NULL, reason_void); /* nobody gave it out: nothing to write down */
        return;
    }
    request->errand.name = ticket_id;
    message_set(command, ticket_id, ticket_id);
    message_set(command, generation, generation);
    set_ids(edge, request, command, reservation);
    if (request->headers.idempotency_key.size == 0)
        identify_scan(edge, request, command);
    errand_prepare(edge, request, command);
    errand_begin(edge, request, &check_in, request_wait_ms(request));
}

void handle_check_in(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct body body;
    struct text code = {NULL, 0};
    message_init(&command, MESSAGE_CheckInTicket);
    message_set(&command, entry, entry_in);
    if (body_open(&body, request, false)) {
        body_require(&body, "code", body_text(&body, "code", &code));
        body_take(&body, text, "list_id", &command, list_id);
        body_require(&body, "list_id", message_has(&command, list_id));
        body_take(&body, text, "nonce", &command, nonce);
        body_require(&body, "nonce", message_has(&command, nonce));
        body_take(&body, entry, "entry", &command, entry);
        body_take(&body, bool, "force", &command, force);
    }
    if (!body_close(&body) || !request_identify(edge, request, false))
        return;
    edge_lock(edge);
    begin_check_in(edge, request, &command, code);
    edge_unlock(edge);
}
