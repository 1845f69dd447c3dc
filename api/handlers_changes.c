/* A reservation that is changed: other seats, another name, more time, given back. One errand for
 * all: the command is answered by what came of it. */
#include "api/handlers.h"

#include "schemas/json.h"

#include <string.h>

static void answer_not_resized(struct request *request, const struct replay *replay)
{
    struct buffer *out = problem_open(request, problem_of_reason(replay->reason), "%s",
                                      problem_reason_text(replay->reason));
    if (replay->available >= 0)
        json_put_i64(out, "available", replay->available);
    answer_close(request);
}

static bool change_look(struct edge *edge, struct request *request)
{
    const struct reservation *reservation;
    const struct replay *replay = request_replay(edge, request, &reservation);
    if (answer_if_settled(request, replay))
        return true;
    if (replay == NULL || replay->answer == MESSAGE_NONE)
        return false;
    if (replay->answer == MESSAGE_ResizeRejected)
        answer_not_resized(request, replay);
    else if (replay->answer == MESSAGE_ReleaseRejected ||
             replay->answer == MESSAGE_ExtensionRejected)
        answer_reason(request, replay->reason);
    else
        answer_reservation(request, edge_keys(edge), 200, reservation, NULL);
    return true;
}

static void change_late(struct edge *edge, struct request *request)
{
    answer_accepted(request, "/v1/reservations/%s", request->errand.reservation_id);
    answer_present(edge, request, 202, false);
}

static const struct errand_kind change = {"change", change_look, change_late};

/* The command is about what request_find_named has found. Under the lock. */
static void begin(struct edge *edge, struct request *request, struct message *command)
{
    struct errand *errand = &request->errand;
    message_set(command, show_id, text_of(errand->show_id));
    message_set(command, reservation_id, text_of(errand->reservation_id));
    char etag[TAG_SIZE];
    const struct reservation *reservation;
    const struct replay *repeated = request_replay(edge, request, &reservation);
    if (reservation && !repeated &&
        answer_unless_matching(request, render_reservation_tag(reservation, etag)))
        return;
    if (!command_check(request, command))
        return;
    errand->show = view_show(&edge->view, command->show_id);
    errand_prepare(edge, request, command);
    errand_begin(edge, request, &change, request_wait_ms(request));
}

/* ---- PATCH /v1/reservations/{rid} ------------------------------------------------------------ */

/* What the body has; what it has not stays as it is. */
struct wish {
    bool has_lines, has_quantity, has_note;
    struct lines lines;
    int64_t quantity;
    struct holder holder; /* data NULL: not mentioned */
    struct text note;
};

static bool mentions_holder(const struct wish *wish)
{
    return wish->holder.name.data || wish->holder.email.data || wish->holder.phone.data;
}

static bool read_wish(struct request *request, struct wish *wish)
{
    struct body body;
    *wish = (struct wish){.quantity = 0};
    if (!body_open(&body, request, false))
        return body_close(&body);
    wish->has_lines = body_lines(&body, &wish->lines);
    wish->has_quantity = body_i64(&body, "quantity", &wish->quantity);
    body_text(&body, "name", &wish->holder.name);
    body_text(&body, "email", &wish->holder.email);
    body_text(&body, "phone", &wish->holder.phone);
    wish->has_note = body_text(&body, "note", &wish->note);
    bool seats = wish->has_lines || wish->has_quantity;
    bool person = mentions_holder(wish) || wish->has_note;
    if (body.good && wish->has_lines && wish->has_quantity)
        problem_field(request, "/quantity", "give either lines or quantity");
    else if (body.good && seats && person)
        problem_field(request, wish->has_lines ? "/lines" : "/quantity",
                      "change the seats, or who has them; not both at once");
    else if (body.good && !seats && !person)
        problem_field(request, "", "give lines, quantity, name, email, phone or note");
    body.good = body.good && request->answer.status == 0;
    return body_close(&body);
}

/* `quantity` alone: of the only tier it has. */
static bool wish_for_seats(struct request *request, const struct wish *wish,
                           const struct reservation *reservation, struct message *command)
{
    message_init(command, MESSAGE_ChangeReservation);
    if (wish->has_lines) {
        message_set(command, wanted, wish->lines);
        return true;
    }
    if (reservation && reservation->line_count == 1) {
        message_set(command, wanted,
                    (struct lines){1, {{reservation->lines[0].tier_id, wish->quantity, 0}}});
        return true;
    }
    problem_field(request, "/quantity", "there are several tiers: give lines");
    return false;
}

static void wish_for_person(const struct wish *wish, const struct reservation *reservation,
                            struct message *command)
{
    struct holder holder = wish->holder;
    message_init(command, MESSAGE_UpdateReservation);
    if (wish->has_note)
        message_set(command, note, wish->note);
    if (!mentions_holder(wish))
        return;
    if (reservation && holder.name.data == NULL)
        holder.name = reservation->holder.name;
    if (reservation && holder.email.data == NULL)
        holder.email = reservation->holder.email;
    if (reservation && holder.phone.data == NULL)
        holder.phone = reservation->holder.phone;
    message_set(command, holder, holder);
}

void handle_change(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    static _Thread_local struct wish wish;
    const struct reservation *reservation;
    bool good = true;
    if (!request_identify(edge, request, false) || !read_wish(request, &wish))
        return;
    edge_lock(edge);
    if (request_find_named(edge, request, &reservation) &&
        !errand_is_answered(edge, request, &change)) {
        if (wish.has_lines || wish.has_quantity)
            good = wish_for_seats(request, &wish, reservation, &command);
        else
            wish_for_person(&wish, reservation, &command);
        if (good)
            begin(edge, request, &command);
    }
    edge_unlock(edge);
}

/* ---- POST /v1/reservations/{rid}/extend ------------------------------------------------------ */

static void change_as(struct edge *edge, struct request *request, struct message *command)
{
    const struct reservation *reservation;
    edge_lock(edge);
    if (request_find_named(edge, request, &reservation))
        begin(edge, request, command);
    edge_unlock(edge);
}

void handle_extend(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct body body;
    message_init(&command, MESSAGE_ExtendReservation);
    if (body_open(&body, request, false)) {
        body_take(&body, time, "until", &command, until_at_ms);
        body_require(&body, "until", message_has(&command, until_at_ms));
    }
    if (body_close(&body) && request_identify(edge, request, false))
        change_as(edge, request, &command);
}

/* ---- giving back ----------------------------------------------------------------------------- */

/* By staff: all or some of the tickets, the money or not. */
void handle_cancel(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct body body;
    message_init(&command, MESSAGE_CancelReservation);
    message_set(&command, by, by_staff);
    message_set(&command, refund, refund_full);
    if (body_open(&body, request, true)) {
        body_take(&body, text, "reason", &command, why);
        body_take(&body, refund, "refund", &command, refund);
        if (body_tickets(&body, "tickets", request->parts[0], &command.numbers))
            command.has[FIELD_numbers] = true;
    }
    if (body_close(&body) && request_identify(edge, request, false))
        change_as(edge, request, &command);
}

/* DELETE: all of it, by whoever has it. */
void handle_give_back(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct body body;
    const struct reservation *reservation;
    message_init(&command, MESSAGE_CancelReservation);
    message_set(&command, by, request_is_staff(request) ? by_staff : by_customer);
    message_set(&command, refund, refund_full);
    if (body_open(&body, request, true))
        body_take(&body, text, "reason", &command, why);
    if (!body_close(&body) || !request_identify(edge, request, false))
        return;
    edge_lock(edge);
    if (request_find_named(edge, request, &reservation)) {
        enum reservation_status status = reservation ? view_status(reservation) : STATUS_REQUESTED;
        bool gone = status == STATUS_RELEASED || status == STATUS_CANCELLED;
        if (gone && request->headers.idempotency_key.size == 0)
            answer_reservation(request, edge_keys(edge), 200, reservation, NULL); /* as was asked */
        else
            begin(edge, request, &command);
    }
    edge_unlock(edge);
}
