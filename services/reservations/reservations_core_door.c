/* Tickets: at the door, and passed on to somebody else. */
#include "services/reservations/reservations_core_state.h"

#include "schemas/ticket.h"

/* As answered_before, and by the ticket's own identities: what was done is known by its key, what
 * was refused by the command's id. The id comes first: a conflict is answered once, too. */
static bool done_before(const struct ticket *ticket, const struct message *input,
                        struct message *outcome, bool *any)
{
    if (answered_before(&ticket->commands, input, outcome, any))
        return true;
    struct buffer key = {0};
    if (input->type == MESSAGE_TransferTicket)
        put_transfer_key(input->generation, &key);
    else
        put_entry_key(input, &key);
    enum recent_answer answer =
        recent_ask(&ticket->commands, buffer_view(&key), input->fingerprint);
    buffer_release(&key);
    *any = answer == RECENT_CONFLICT &&
           refuse(outcome, input, code_conflict, NULL,
                  "this was done to the ticket before, with another body");
    return answer != RECENT_NEW;
}

static bool cancelled(const struct booking *booking, int64_t number)
{
    struct numbers pending = tickets_pending(booking);
    return (booking->cancelled && numbers_has(booking->cancelled, number)) ||
           numbers_has(&pending, number);
}

/* ---- the door -------------------------------------------------------------------------------- */

/* Why nobody is let in or out on this ticket, in the order of the table. */
static bool find_unfit(const struct booking *booking, int64_t number, const struct ticket *ticket,
                       const struct message *input, enum reason *reason)
{
    if (ticket->generation != input->generation)
        *reason = reason_void;
    else if (cancelled(booking, number))
        *reason = reason_cancelled;
    else
        return false;
    return true;
}

static bool find_wrong_way(const struct ticket *ticket, const struct message *input,
                           enum reason *reason)
{
    bool in = ticket_in(ticket, input->list_id);
    *reason = in ? reason_already_in : reason_not_in;
    return in == (input->entry == entry_in);
}

static void open_entry(const struct message *input, enum message_type type, struct message *outcome)
{
    struct text reservation_id = {NULL, 0};
    int64_t number;
    ticket_id_parse(input->ticket_id, &reservation_id, &number);
    message_init(outcome, type);
    message_copy(outcome, input, show_id);
    message_set(outcome, reservation_id, reservation_id);
    message_copy(outcome, input, ticket_id);
    message_copy(outcome, input, generation);
    message_copy(outcome, input, fingerprint);
}

static bool answer_entry(const struct message *input, enum message_type type,
                         struct message *outcome)
{
    open_entry(input, type, outcome);
    message_copy(outcome, input, list_id);
    message_copy(outcome, input, entry);
    message_copy(outcome, input, nonce);
    return true;
}

static bool reject_entry(const struct message *input, enum reason reason, struct message *outcome)
{
    answer_entry(input, MESSAGE_CheckInRejected, outcome);
    message_set(outcome, reason, reason);
    return true;
}

bool decide_entry(const struct reservations *reservations, const struct message *input,
                  struct message *outcome)
{
    int64_t number = 0;
    const struct booking *booking = booking_of_ticket(reservations, input->ticket_id, &number);
    bool any, force = message_has(input, force) && input->force;
    enum reason reason;
    if (house_archived(reservations, input->show_id))
        return refuse_archived(outcome, input);
    if (booking && !text_equal(booking->house->show_id, input->show_id))
        return reject_entry(input, reason_wrong_show, outcome);
    if (booking == NULL || number > booking->ticket_count)
        return reject_entry(input, reason_void, outcome);
    struct ticket ticket = ticket_at(booking, number);
    if (done_before(&ticket, input, outcome, &any))
        return any;
    if (find_unfit(booking, number, &ticket, input, &reason))
        return reject_entry(input, reason, outcome);
    bool wrong_way = find_wrong_way(&ticket, input, &reason);
    if (wrong_way && !force)
        return reject_entry(input, reason, outcome);
    answer_entry(input, MESSAGE_TicketCheckedIn, outcome);
    message_set(outcome, forced, wrong_way);
    return true;
}

/* ---- passing on ------------------------------------------------------------------------------ */

static bool is_inside(const struct ticket *ticket)
{
    for (int i = 0; i < ticket->door_count; i++)
        if (ticket->doors[i].in)
            return true;
    return false;
}

static bool refuse_transfer(const struct booking *booking, int64_t number,
                            const struct ticket *ticket, const struct message *input,
                            struct message *outcome)
{
    if (ticket->generation != input->generation)
        return refuse(outcome, input, code_precondition, "generation",
                      "the ticket has another generation now; it is 1, and one more each "
                      "time the ticket is passed on");
    if (cancelled(booking, number))
        return refuse(outcome, input, code_wrong_state, "ticket_id", "the ticket is cancelled");
    return is_inside(ticket) && refuse(outcome, input, code_checked_in, "ticket_id",
                                       "the ticket is inside; whoever has it must come out first");
}

bool decide_transfer(const struct reservations *reservations, const struct message *input,
                     struct message *outcome)
{
    int64_t number = 0;
    const struct booking *booking = booking_of_ticket(reservations, input->ticket_id, &number);
    bool any;
    if (house_archived(reservations, input->show_id))
        return refuse_archived(outcome, input);
    if (booking == NULL || number > booking->ticket_count ||
        !text_equal(booking->house->show_id, input->show_id))
        return refuse(outcome, input, code_not_found, "ticket_id",
                      "there is no such ticket for this show");
    struct ticket ticket = ticket_at(booking, number);
    if (done_before(&ticket, input, outcome, &any))
        return any;
    if (refuse_transfer(booking, number, &ticket, input, outcome))
        return true;
    open_entry(input, MESSAGE_TicketTransferred, outcome);
    message_set(outcome, generation, input->generation + 1);
    message_copy(outcome, input, holder);
    return true;
}
