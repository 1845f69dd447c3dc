/* Holding, extending, selling and returning seats: each a ladder of guards, one reason each, in the
 * order of the table. */
#include "services/shows/shows_core_state.h"

#include <assert.h>

/* ---- what is missing ------------------------------------------------------------------------- */

static int64_t quantity_of(const struct lines *lines)
{
    int64_t sum = 0;
    for (int i = 0; i < lines->count; i++)
        sum += lines->items[i].quantity;
    return sum;
}

/* Wanted of one tier, over all lines. */
static int64_t wanted_of(const struct lines *lines, struct text tier_id)
{
    int64_t sum = 0;
    for (int i = 0; i < lines->count; i++)
        if (text_equal(lines->items[i].tier_id, tier_id))
            sum += lines->items[i].quantity;
    return sum;
}

/* Seats of the tier that nobody bought (held ones may come back), and those free right now.
 * INT64_MAX: no cap. */
static int64_t tier_unsold(const struct show *show, const struct tier *tier, bool and_not_held)
{
    struct after seats = show->seats;
    const struct tier_use *use = seats_tier(&seats, tier->tier_id);
    assert(use != NULL);
    if (tier->capacity < 0)
        return INT64_MAX;
    return tier->capacity - use->sold - (and_not_held ? use->held : 0);
}

static int64_t at_least_none(int64_t seats)
{
    return seats > 0 ? seats : 0;
}

/* How many could be had now of what was asked for. */
static int64_t available_for(const struct show *show, const struct lines *lines)
{
    int64_t tiers = 0;
    for (int i = 0; i < lines->count; i++) {
        const struct tier *tier = show_tier(show, lines->items[i].tier_id);
        int64_t here = tier ? at_least_none(tier_unsold(show, tier, true)) : 0;
        if (here >= show->seats.free)
            return show->seats.free;
        tiers += here;
    }
    return tiers < show->seats.free ? tiers : show->seats.free;
}

bool find_shortage(const struct show *show, const struct lines *lines, struct shortage *shortage)
{
    int64_t quantity = quantity_of(lines);
    bool sold_out = quantity > show->seats.capacity - show->seats.sold - show->seats.blocked;
    bool all_held = quantity > show->seats.free;
    for (int i = 0; i < lines->count; i++) {
        const struct tier *tier = show_tier(show, lines->items[i].tier_id);
        int64_t wanted = wanted_of(lines, lines->items[i].tier_id);
        assert(tier != NULL);
        sold_out = sold_out || wanted > tier_unsold(show, tier, false);
        all_held = all_held || wanted > tier_unsold(show, tier, true);
    }
    *shortage =
        (struct shortage){sold_out ? reason_sold_out : reason_all_held, available_for(show, lines)};
    return sold_out || all_held;
}

/* ---- holding --------------------------------------------------------------------------------- */

static bool find_closed(const struct show *show, const struct message *input, int64_t now_ms,
                        enum reason *reason)
{
    bool window = input->channel != channel_boxoffice;
    if (window && now_ms < show->on_sale_at_ms)
        *reason = reason_not_on_sale;
    else if (show->paused)
        *reason = reason_sale_paused;
    else if (window && now_ms >= show->off_sale_at_ms)
        *reason = reason_sale_closed;
    else
        return false;
    return true;
}

static bool all_tiers_known(const struct show *show, const struct lines *lines)
{
    for (int i = 0; i < lines->count; i++)
        if (show_tier(show, lines->items[i].tier_id) == NULL)
            return false;
    return true;
}

/* The lines at today's prices, their sum; false: more money than a sale may have. */
static bool price(const struct show *show, const struct lines *wanted, struct lines *lines,
                  int64_t *amount_minor)
{
    *lines = *wanted;
    *amount_minor = 0;
    for (int i = 0; i < lines->count; i++) {
        const struct tier *tier = show_tier(show, lines->items[i].tier_id);
        lines->items[i].tier_id = tier->tier_id;
        lines->items[i].unit_amount_minor = tier->amount_minor;
        *amount_minor += tier->amount_minor * lines->items[i].quantity; /* ≤ 16 · 10^15 */
    }
    return *amount_minor <= AMOUNT_MINOR_MAX;
}

static bool beyond_person(const struct show *show, struct text party, int64_t quantity)
{
    const struct person *person = map_find(&show->persons, party);
    return (person ? person->quantity : 0) + quantity > show->max_per_person;
}

static bool reject_hold(const struct show *show, const struct message *input, enum reason reason,
                        int64_t available, struct message *outcome)
{
    message_init(outcome, MESSAGE_HoldRejected);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_set(outcome, reason, reason);
    message_set(outcome, available, available);
    put_unchanged(outcome, show);
    return true;
}

/* Everything before the question whether there are seats. */
static bool find_rule(const struct show *show, const struct message *input, int64_t now_ms,
                      enum reason *reason)
{
    struct lines lines;
    int64_t amount_minor, quantity = quantity_of(&input->wanted);
    if (find_closed(show, input, now_ms, reason))
        return true;
    if (!all_tiers_known(show, &input->wanted))
        *reason = reason_no_such_tier;
    else if (quantity > show->max_per_order || !price(show, &input->wanted, &lines, &amount_minor))
        *reason = reason_limit;
    else if (show->max_per_person && !message_has(input, party))
        *reason = reason_party_required;
    else if (show->max_per_person && beyond_person(show, input->party, quantity))
        *reason = reason_person_limit;
    else
        return false;
    return true;
}

static int64_t retry_after_s(const struct show *show, int64_t now_ms)
{
    const struct heap_node *first = heap_first(&show->expiries);
    int64_t left_ms = first ? first->at_ms - now_ms : 0;
    return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

bool decide_hold(const struct shows *shows, const struct message *input, int64_t now_ms,
                 struct message *outcome)
{
    const struct show *show = shows_find(shows, input->show_id);
    enum reason reason;
    struct shortage shortage;
    if (show == NULL)
        return reject_hold(NULL, input, reason_no_such_show, 0, outcome);
    if (find_rule(show, input, now_ms, &reason))
        return reject_hold(show, input, reason, available_for(show, &input->wanted), outcome);
    if (find_shortage(show, &input->wanted, &shortage)) {
        reject_hold(show, input, shortage.reason, shortage.available, outcome);
        if (shortage.reason == reason_all_held)
            message_set(outcome, retry_after_s, retry_after_s(show, now_ms));
        return true;
    }
    int64_t amount_minor;
    struct after seats = show->seats;
    message_init(outcome, MESSAGE_SeatsHeld);
    price(show, &input->wanted, &outcome->lines, &amount_minor);
    outcome->has[FIELD_lines] = true;
    seats_change(&seats, &outcome->lines, SEATS_HOLD);
    put_change(outcome, show, &seats);
    message_copy(outcome, input, reservation_id);
    message_set(outcome, quantity, quantity_of(&outcome->lines));
    message_set(outcome, amount_minor, amount_minor);
    message_set(outcome, currency, show->currency);
    message_set(outcome, expires_at_ms, now_ms + show->hold_ttl_s * 1000);
    message_copy(outcome, input, channel);
    message_copy(outcome, input, party);
    return true;
}

/* ---- extending ------------------------------------------------------------------------------- */

bool decide_extension(const struct shows *shows, const struct message *input, int64_t now_ms,
                      struct message *outcome)
{
    const struct hold *hold = shows_find_hold(shows, input->show_id, input->reservation_id);
    if (hold == NULL || hold->state != HOLD_HELD) {
        message_init(outcome, MESSAGE_ExtensionRejected);
        message_copy(outcome, input, show_id);
        message_copy(outcome, input, reservation_id);
        message_set(outcome, cause, cause_checkout);
        message_copy(outcome, input, payment_id);
        message_set(outcome, reason, reason_gone);
        put_unchanged(outcome, shows_find(shows, input->show_id));
        return true;
    }
    const struct show *show = hold->show;
    int64_t window_ms = show->pay_window_s * 1000;
    int64_t last_ms = hold->held_at_ms + show->hold_ttl_s * 1000 + window_ms;
    int64_t until_ms = now_ms + window_ms < last_ms ? now_ms + window_ms : last_ms;
    if (until_ms < hold->expires_at_ms)
        until_ms = hold->expires_at_ms; /* a checkout never shortens a hold */
    message_init(outcome, MESSAGE_HoldExtended);
    put_change(outcome, show, &show->seats);
    message_set(outcome, reservation_id, hold->reservation_id);
    message_set(outcome, cause, cause_checkout);
    message_copy(outcome, input, payment_id);
    message_set(outcome, expires_at_ms, until_ms);
    message_set(outcome, pay_by_ms, until_ms);
    message_set(outcome, lines, hold->lines);
    message_set(outcome, amount_minor, hold->amount_minor);
    message_set(outcome, currency, show->currency);
    return true;
}

/* ---- selling --------------------------------------------------------------------------------- */

static bool right_amount(const struct hold *hold, const struct payment *payment)
{
    return payment->amount_minor == hold->amount_minor &&
           text_equal(payment->currency, hold->show->currency);
}

/* Why this payment buys nothing, in the order of the table. */
static bool find_unsellable(const struct hold *hold, const struct payment *payment,
                            enum reason *reason)
{
    struct shortage shortage;
    bool again = hold && hold->state == HOLD_EXPIRED;
    if (hold == NULL)
        *reason = reason_unknown_reservation;
    else if (hold->state == HOLD_SOLD)
        *reason = reason_already_sold;
    else if (hold->state != HOLD_HELD && !again)
        *reason = reason_gone;
    else if (!right_amount(hold, payment))
        *reason = reason_amount;
    else if (again && find_shortage(hold->show, &hold->lines, &shortage))
        *reason = reason_sold_out;
    else if (again && hold->show->max_per_person && hold->person &&
             beyond_person(hold->show, hold->person->party, hold->quantity))
        *reason = reason_person_limit;
    else
        return false;
    return true;
}

bool decide_sale(const struct shows *shows, const struct message *input, struct message *outcome)
{
    const struct hold *hold = shows_find_hold(shows, input->show_id, input->reservation_id);
    enum reason reason;
    if (find_unsellable(hold, &input->payment, &reason)) {
        message_init(outcome, MESSAGE_SaleRejected);
        message_copy(outcome, input, show_id);
        message_copy(outcome, input, reservation_id);
        message_copy(outcome, input, payment);
        message_set(outcome, reason, reason);
        put_unchanged(outcome, shows_find(shows, input->show_id));
        return true;
    }
    bool again = hold->state == HOLD_EXPIRED;
    struct after seats = hold->show->seats;
    seats_change(&seats, &hold->lines, again ? SEATS_SELL_FREE : SEATS_SELL_HELD);
    message_init(outcome, MESSAGE_SeatsSold);
    put_change(outcome, hold->show, &seats);
    message_set(outcome, reservation_id, hold->reservation_id);
    message_copy(outcome, input, payment);
    message_set(outcome, lines, hold->lines);
    message_set(outcome, quantity, hold->quantity);
    message_set(outcome, reacquired, again);
    return true;
}

/* ---- returning ------------------------------------------------------------------------------- */

static bool find_unreleasable(const struct hold *hold, const struct message *input, int64_t now_ms,
                              enum reason *reason)
{
    bool held = hold && hold->state == HOLD_HELD;
    bool sold = hold && hold->state == HOLD_SOLD;
    if (!held && !sold)
        *reason = reason_gone;
    else if (sold && input->expect == expect_hold)
        *reason = reason_already_sold;
    else if (sold && input->by == by_customer && now_ms >= hold->show->customer_cancel_until_ms)
        *reason = reason_too_late;
    else
        return false;
    return true;
}

static enum cause cause_of(enum by by)
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

bool decide_release(const struct shows *shows, const struct message *input, int64_t now_ms,
                    struct message *outcome)
{
    const struct hold *hold = shows_find_hold(shows, input->show_id, input->reservation_id);
    enum reason reason;
    if (find_unreleasable(hold, input, now_ms, &reason)) {
        message_init(outcome, MESSAGE_ReleaseRejected);
        message_copy(outcome, input, show_id);
        message_copy(outcome, input, reservation_id);
        message_set(outcome, reason, reason);
        put_unchanged(outcome, shows_find(shows, input->show_id));
        return true;
    }
    bool sold = hold->state == HOLD_SOLD;
    struct after seats = hold->show->seats;
    seats_change(&seats, &hold->lines, sold ? SEATS_RETURN : SEATS_UNHOLD);
    message_init(outcome, sold ? MESSAGE_SeatsReturned : MESSAGE_HoldReleased);
    put_change(outcome, hold->show, &seats);
    message_set(outcome, reservation_id, hold->reservation_id);
    message_set(outcome, quantity, hold->quantity);
    if (!sold)
        return true;
    message_set(outcome, payment, hold->payment);
    message_set(outcome, lines, hold->lines);
    message_set(outcome, amount_minor, hold->amount_minor);
    message_set(outcome, currency, hold->show->currency);
    message_copy(outcome, input, refund);
    message_set(outcome, cause, cause_of(input->by));
    return true;
}
