/* What a customer or staff may ask of a booking. */
#include "services/reservations/reservations_core_state.h"

static bool same_tier_twice(const struct lines *lines)
{
    for (int i = 0; i < lines->count; i++)
        for (int k = 0; k < i; k++)
            if (text_equal(lines->items[i].tier_id, lines->items[k].tier_id))
                return true;
    return false;
}

static bool refuse_lines(const struct message *input, struct message *outcome)
{
    return same_tier_twice(&input->wanted) &&
           refuse(outcome, input, code_invalid, "lines",
                  "two lines name the same tier; add their quantities");
}

static void open_outcome(const struct message *input, enum message_type type,
                         struct message *outcome)
{
    message_init(outcome, type);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_copy(outcome, input, fingerprint);
}

/* ---- asking for seats ------------------------------------------------------------------------ */

static bool decide_request(const struct reservations *reservations, const struct message *input,
                           struct message *outcome)
{
    const struct booking *booking = map_find(&reservations->bookings, input->reservation_id);
    if (booking && text_equal(booking->house->show_id, input->show_id) &&
        text_equal(booking->fingerprint, input->fingerprint))
        return false;
    if (booking)
        return refuse(outcome, input, code_conflict, "reservation_id",
                      "there is a reservation with this id already, and it asked for something "
                      "else");
    if (refuse_lines(input, outcome))
        return true;
    open_outcome(input, MESSAGE_ReservationRequested, outcome);
    message_copy(outcome, input, wanted);
    message_copy(outcome, input, holder);
    message_copy(outcome, input, channel);
    message_copy(outcome, input, party);
    return true;
}

/* ---- changing -------------------------------------------------------------------------------- */

/* Only a hold can get other seats or more time; whether it still is one, shows knows. */
static bool refuse_unheld(const struct booking *booking, const struct message *input,
                          struct message *outcome)
{
    return booking->status != BOOKING_REQUESTED &&
           refuse(outcome, input, code_wrong_state, NULL,
                  "the seats of this reservation are not held, or already paid");
}

static bool decide_change(const struct booking *booking, const struct message *input,
                          struct message *outcome)
{
    if (refuse_lines(input, outcome) || refuse_unheld(booking, input, outcome))
        return true;
    open_outcome(input, MESSAGE_ChangeRequested, outcome);
    message_copy(outcome, input, wanted);
    return true;
}

static bool decide_extend(const struct booking *booking, const struct message *input,
                          struct message *outcome)
{
    if (refuse_unheld(booking, input, outcome))
        return true;
    open_outcome(input, MESSAGE_ExtensionRequested, outcome);
    message_copy(outcome, input, until_at_ms);
    return true;
}

static bool decide_update(const struct booking *booking, const struct message *input,
                          struct message *outcome)
{
    if (!message_has(input, holder) && !message_has(input, note))
        return refuse(outcome, input, code_invalid, "holder", "give a holder or a note to change");
    if (!booking_open(booking))
        return refuse(outcome, input, code_wrong_state, NULL, "this reservation is over");
    open_outcome(input, MESSAGE_ReservationUpdated, outcome);
    message_copy(outcome, input, holder);
    message_copy(outcome, input, note);
    return true;
}

/* ---- cancelling ------------------------------------------------------------------------------ */

static bool any_used(const struct booking *booking, const struct numbers *tickets)
{
    for (int64_t number = numbers_next(tickets, 0); number; number = numbers_next(tickets, number))
        if (ticket_at(booking, number).used)
            return true;
    return false;
}

static bool refuse_cancel(const struct booking *booking, const struct message *input,
                          struct message *outcome)
{
    struct numbers valid = tickets_valid(booking), pending = tickets_pending(booking);
    bool some = message_has(input, numbers);
    if (input->by == by_show)
        return refuse(outcome, input, code_invalid, "by", "must be customer or staff");
    if (!booking_open(booking))
        return refuse(outcome, input, code_wrong_state, NULL,
                      "there is nothing left to cancel in this reservation");
    if (some && !numbers_within(&input->numbers, &valid))
        return refuse(outcome, input, code_wrong_state, "tickets",
                      "one of these tickets was not issued, or is cancelled already");
    if (some ? numbers_meet(&input->numbers, &pending) : booking->pending_count > 0)
        return refuse(outcome, input, code_wrong_state, NULL,
                      "a cancellation of this reservation is under way");
    if (input->by == by_customer && any_used(booking, some ? &input->numbers : &valid))
        return refuse(outcome, input, code_checked_in, NULL,
                      "a ticket was used at the door; ask the staff");
    return false;
}

static bool decide_cancel(const struct booking *booking, const struct message *input,
                          struct message *outcome)
{
    if (refuse_cancel(booking, input, outcome))
        return true;
    open_outcome(input, MESSAGE_CancellationRequested, outcome);
    /* Who cancels a hold must not lose tickets that were bought in the meantime. */
    message_set(outcome, expect, booking->status == BOOKING_CONFIRMED ? expect_any : expect_hold);
    message_copy(outcome, input, numbers);
    message_copy(outcome, input, why);
    message_copy(outcome, input, by);
    message_copy(outcome, input, refund);
    return true;
}

/* ---- all ------------------------------------------------------------------------------------- */

bool decide_booking_command(const struct reservations *reservations, const struct message *input,
                            struct message *outcome)
{
    const struct booking *booking = booking_find(reservations, input);
    bool any;
    if (house_archived(reservations, input->show_id))
        return refuse_archived(outcome, input);
    if (input->type == MESSAGE_RequestReservation)
        return decide_request(reservations, input, outcome);
    if (booking == NULL)
        return refuse(outcome, input, code_not_found, "reservation_id",
                      "there is no such reservation for this show");
    if (answered_before(&booking->commands, input, outcome, &any))
        return any;
    switch ((int)input->type) {
    case MESSAGE_ChangeReservation:
        return decide_change(booking, input, outcome);
    case MESSAGE_ExtendReservation:
        return decide_extend(booking, input, outcome);
    case MESSAGE_UpdateReservation:
        return decide_update(booking, input, outcome);
    }
    return decide_cancel(booking, input, outcome);
}
