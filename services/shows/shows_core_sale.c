/* What becomes of held seats: more time, a sale, or back they come. Each a ladder of guards, one
 * reason each, in the order of the table. */
#include "services/shows/shows_core_state.h"

static bool held(const struct hold *hold)
{
    return hold && hold->state == HOLD_HELD;
}

/* ---- extending ------------------------------------------------------------------------------- */

/* A checkout moves the deadline by its window, but not for ever, and never shortens the hold. */
static int64_t pay_until(const struct hold *hold, int64_t now_ms)
{
    const struct show *show = hold->show;
    int64_t window_ms = show->pay_window_s * 1000;
    int64_t last_ms = hold->held_at_ms + show->hold_ttl_s * 1000 + window_ms;
    int64_t until_ms = now_ms + window_ms < last_ms ? now_ms + window_ms : last_ms;
    return until_ms > hold->expires_at_ms ? until_ms : hold->expires_at_ms;
}

/* Staff may hold seats until the last time that a message can say; there is none behind it. */
static int64_t pinned_until(const struct hold *hold)
{
    return hold->expires_at_ms < TIME_MS_MAX - PIN_MS ? hold->expires_at_ms + PIN_MS : TIME_MS_MAX;
}

static enum cause cause_of_extension(enum message_type type)
{
    switch ((int)type) {
    case MESSAGE_ExtensionRequested:
        return cause_staff;
    case MESSAGE_PaymentUnknown:
        return cause_pin;
    }
    return cause_checkout;
}

static bool find_unextendable(const struct hold *hold, const struct message *input, int64_t now_ms,
                              enum reason *reason)
{
    if (!held(hold))
        *reason = reason_gone;
    else if (hold->show->cancelled)
        *reason = reason_show_cancelled;
    else if (input->type == MESSAGE_PaymentUnknown && hold->pinned)
        *reason = reason_limit;
    else if (input->type == MESSAGE_ExtensionRequested &&
             (input->until_at_ms < now_ms || input->until_at_ms > hold->show->starts_at_ms))
        *reason = reason_deadline;
    else
        return false;
    return true;
}

/* The amount goes with it: checkout does not know it otherwise. */
static void put_charge(struct message *outcome, const struct hold *hold)
{
    message_set(outcome, pay_by_ms, outcome->expires_at_ms);
    message_set(outcome, lines, hold_lines(hold));
    message_set(outcome, amount_minor, hold->amount_minor);
    message_set(outcome, currency, hold->show->currency);
}

bool decide_extension(const struct shows *shows, const struct message *input, int64_t now_ms,
                      struct message *outcome)
{
    const struct hold *hold = shows_find_hold(shows, input->show_id, input->reservation_id);
    enum cause cause = cause_of_extension(input->type);
    enum reason reason;
    if (find_unextendable(hold, input, now_ms, &reason)) {
        reject(shows, input, MESSAGE_ExtensionRejected, reason, outcome);
        message_set(outcome, cause, cause);
        message_copy(outcome, input, payment_id);
        return true;
    }
    message_init(outcome, MESSAGE_HoldExtended);
    put_change(outcome, hold->show, &hold->show->seats);
    message_set(outcome, reservation_id, hold->reservation_id);
    message_set(outcome, cause, cause);
    message_copy(outcome, input, payment_id);
    message_set(outcome, expires_at_ms,
                cause == cause_staff ? input->until_at_ms
                : cause == cause_pin ? pinned_until(hold)
                                     : pay_until(hold, now_ms));
    if (cause == cause_checkout)
        put_charge(outcome, hold);
    return true;
}

/* ---- selling --------------------------------------------------------------------------------- */

static bool right_amount(const struct hold *hold, const struct payment *payment)
{
    return payment->amount_minor == hold->amount_minor &&
           text_equal(payment->currency, hold->show->currency);
}

/* An expired hold is sold all the same if nothing stands against it now: sold_out, person_limit. */
static bool find_lost(const struct hold *hold, enum reason *reason)
{
    struct lines lines = hold_lines(hold);
    struct wish wish = {.show = hold->show, .wanted = &lines, .channel = hold->channel};
    if (find_shortage(&wish, reason)) {
        *reason = reason_sold_out;
        return true;
    }
    if (hold->person)
        wish.party = hold->person->party;
    *reason = reason_person_limit;
    return beyond_person(&wish);
}

/* Why this payment buys nothing, in the order of the table. */
static bool find_unsellable(const struct hold *hold, const struct payment *payment,
                            enum reason *reason)
{
    bool again = hold && hold->state == HOLD_EXPIRED;
    if (hold == NULL)
        *reason = reason_unknown_reservation;
    else if (hold->state == HOLD_SOLD)
        *reason = reason_already_sold;
    else if (hold->show->cancelled)
        *reason = reason_show_cancelled;
    else if (!held(hold) && !again)
        *reason = reason_gone;
    else if (!right_amount(hold, payment))
        *reason = reason_amount;
    else
        return again && find_lost(hold, reason);
    return true;
}

bool decide_sale(const struct shows *shows, const struct message *input, struct message *outcome)
{
    const struct hold *hold = shows_find_hold(shows, input->show_id, input->reservation_id);
    enum reason reason;
    if (find_unsellable(hold, &input->payment, &reason)) {
        reject(shows, input, MESSAGE_SaleRejected, reason, outcome);
        message_copy(outcome, input, payment);
        return true;
    }
    bool again = hold->state == HOLD_EXPIRED;
    struct lines lines = hold_lines(hold);
    struct after seats = hold->show->seats;
    seats_change(&seats, &lines, again ? SEATS_SELL_FREE : SEATS_SELL_HELD);
    message_init(outcome, MESSAGE_SeatsSold);
    put_change(outcome, hold->show, &seats);
    message_set(outcome, reservation_id, hold->reservation_id);
    message_copy(outcome, input, payment);
    message_set(outcome, lines, lines);
    message_set(outcome, quantity, hold->quantity);
    message_set(outcome, reacquired, again);
    return true;
}

/* ---- returning ------------------------------------------------------------------------------- */

/* All tickets asked for are still sold; a hold has none. */
static bool has_tickets(const struct hold *hold, const struct message *input)
{
    struct numbers tickets = hold_tickets(hold);
    return !message_has(input, numbers) ||
           (hold->state == HOLD_SOLD && numbers_within(&input->numbers, &tickets));
}

static bool find_unreleasable(const struct hold *hold, const struct message *input, int64_t now_ms,
                              enum reason *reason)
{
    bool sold = hold && hold->state == HOLD_SOLD;
    if ((!held(hold) && !sold) || !has_tickets(hold, input))
        *reason = reason_gone;
    else if (sold && input->expect == expect_hold)
        *reason = reason_already_sold;
    else if (sold && input->by == by_customer && now_ms >= hold->show->customer_cancel_until_ms)
        *reason = reason_too_late;
    else
        return false;
    return true;
}

static enum cause cause_of_return(enum by by)
{
    switch (by) {
    case by_customer:
        return cause_customer;
    case by_staff:
        return cause_staff;
    case by_show:
    case by_COUNT:
        return cause_show;
    }
    return cause_show;
}

/* What a return says beyond a release: which tickets, what they cost, and of which payment. */
static void put_return(struct message *outcome, const struct hold *hold,
                       const struct message *input, const struct numbers *tickets)
{
    message_set(outcome, payment, hold->payment);
    message_set(outcome, numbers, *tickets);
    message_set(outcome, lines, hold_lines_of(hold, tickets));
    message_set(outcome, amount_minor, lines_amount_minor(&outcome->lines));
    message_set(outcome, currency, hold->show->currency);
    message_copy(outcome, input, refund);
    message_set(outcome, cause, cause_of_return(input->by));
}

bool decide_release(const struct shows *shows, const struct message *input, int64_t now_ms,
                    struct message *outcome)
{
    const struct hold *hold = shows_find_hold(shows, input->show_id, input->reservation_id);
    enum reason reason;
    if (find_unreleasable(hold, input, now_ms, &reason))
        return reject(shows, input, MESSAGE_ReleaseRejected, reason, outcome);
    bool sold = hold->state == HOLD_SOLD;
    struct numbers tickets = message_has(input, numbers) ? input->numbers : hold_tickets(hold);
    struct lines lines = hold_lines_of(hold, &tickets);
    struct after seats = hold->show->seats;
    seats_change(&seats, &lines, sold ? SEATS_RETURN : SEATS_UNHOLD);
    message_init(outcome, sold ? MESSAGE_SeatsReturned : MESSAGE_HoldReleased);
    put_change(outcome, hold->show, &seats);
    message_set(outcome, reservation_id, hold->reservation_id);
    message_set(outcome, quantity, numbers_count(&tickets));
    if (sold)
        put_return(outcome, hold, input, &tickets);
    return true;
}
