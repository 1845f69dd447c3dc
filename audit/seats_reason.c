/* Why something is not to be had, in the order of the table: what every rejection is held against
 * (5), and every grant. */
#include "audit/book.h"

/* ---- whether there are seats ----------------------------------------------------------------- */

static int64_t had_of(const struct hold *hold, int tier)
{
    for (int i = 0; hold && i < hold->line_count; i++)
        if (hold->lines[i].tier == tier)
            return hold->lines[i].quantity;
    return 0;
}

static int64_t wanted_of(const struct lines *wanted, struct text tier_id)
{
    int64_t sum = 0;
    for (int i = 0; i < wanted->count; i++)
        if (text_equal(wanted->items[i].tier_id, tier_id))
            sum += wanted->items[i].quantity;
    return sum;
}

/* sold_out: it would not help if every other hold came back. */
static enum reason shortage(const struct show *show, const struct hold *hold,
                            const struct lines *wanted)
{
    int64_t unsold = show->capacity - show->sold - show->blocked;
    int64_t quantity = quantity_of_lines(wanted), more = quantity - (hold ? hold->quantity : 0);
    bool sold_out = more > 0 && quantity > unsold;
    bool all_held = more > 0 && more > unsold - show->held;
    for (int i = 0; i < wanted->count; i++) {
        int number = find_tier(show, wanted->items[i].tier_id);
        if (number < 0)
            continue;
        const struct seat_tier *tier = &show->tiers[number];
        int64_t here = wanted_of(wanted, tier->tier_id), more_here = here - had_of(hold, number);
        if (tier->capacity < 0 || more_here <= 0)
            continue;
        sold_out = sold_out || here > tier->capacity - tier->sold;
        all_held = all_held || more_here > tier->capacity - tier->sold - tier->held;
    }
    return sold_out ? reason_sold_out : all_held ? reason_all_held : reason_COUNT;
}

/* ---- the rules of the sale ------------------------------------------------------------------- */

static bool some_tier_grows(const struct show *show, const struct hold *hold,
                            const struct lines *wanted)
{
    for (int i = 0; i < wanted->count; i++) {
        int tier = find_tier(show, wanted->items[i].tier_id);
        if (wanted_of(wanted, wanted->items[i].tier_id) > (tier < 0 ? 0 : had_of(hold, tier)))
            return true;
    }
    return false;
}

static enum reason closed(const struct show *show, enum channel channel, int64_t now_ms)
{
    bool window = channel != channel_boxoffice;
    if (window && now_ms < show->on_sale_at_ms)
        return reason_not_on_sale;
    if (show->paused)
        return reason_sale_paused;
    return window && now_ms >= show->off_sale_at_ms ? reason_sale_closed : reason_COUNT;
}

static bool too_dear(const struct show *show, const struct hold *hold, const struct lines *wanted)
{
    int64_t sum = 0; /* at most 16 · 10^15 */
    for (int i = 0; i < wanted->count; i++) {
        int tier = find_tier(show, wanted->items[i].tier_id);
        int64_t unit = show->tiers[tier].amount_minor;
        for (int k = 0; hold && k < hold->line_count; k++)
            if (hold->lines[k].tier == tier)
                unit = hold->lines[k].unit_amount_minor;
        sum += unit * wanted->items[i].quantity;
    }
    return sum > AMOUNT_MINOR_MAX;
}

/* `hold`: what is had already and shall become `wanted`; NULL: nothing. */
static enum reason reason_not_to_take(const struct show *show, const struct hold *hold,
                                      const struct lines *wanted, enum channel channel,
                                      const struct person *person, bool has_party, int64_t now_ms)
{
    int64_t quantity = quantity_of_lines(wanted), more = quantity - (hold ? hold->quantity : 0);
    if (show->cancelled)
        return reason_show_cancelled;
    if (some_tier_grows(show, hold, wanted)) {
        enum reason reason = closed(show, channel, now_ms);
        if (reason != reason_COUNT)
            return reason;
    }
    for (int i = 0; i < wanted->count; i++)
        if (find_tier(show, wanted->items[i].tier_id) < 0)
            return reason_no_such_tier;
    if ((more > 0 && quantity > show->max_per_order) || too_dear(show, hold, wanted))
        return reason_limit;
    if (more > 0 && show->max_per_person && !has_party)
        return reason_party_required;
    if (more > 0 && show->max_per_person &&
        (person ? person->quantity : 0) + more > show->max_per_person)
        return reason_person_limit;
    return shortage(show, hold, wanted);
}

enum reason reason_not_to_hold(const struct show *show, const struct lines *wanted,
                               const struct message *request, int64_t now_ms)
{
    if (show == NULL || !show->created)
        return reason_no_such_show;
    if (show->archived)
        return reason_archived;
    bool has_party = message_has(request, party);
    return reason_not_to_take(show, NULL, wanted, request->channel,
                              has_party ? map_find(&show->persons, request->party) : NULL,
                              has_party, now_ms);
}

enum reason reason_not_to_resize(const struct hold *hold, const struct lines *wanted,
                                 int64_t now_ms)
{
    if (hold == NULL || hold->state != HOLD_HELD)
        return reason_gone;
    if (hold->paying)
        return reason_paying;
    return reason_not_to_take(hold->show, hold, wanted, hold->channel, hold->person,
                              hold->person != NULL, now_ms);
}

/* ---- what becomes of a hold ------------------------------------------------------------------ */

enum reason reason_not_to_extend(const struct hold *hold, const struct message *request,
                                 enum cause cause, int64_t now_ms)
{
    if (hold == NULL || hold->state != HOLD_HELD)
        return reason_gone;
    if (hold->show->cancelled)
        return reason_show_cancelled;
    if (cause == cause_pin && hold->pinned)
        return reason_limit;
    if (cause == cause_staff &&
        (request->until_at_ms < now_ms || request->until_at_ms > hold->show->starts_at_ms))
        return reason_deadline;
    return reason_COUNT;
}

static enum reason reason_not_to_reacquire(const struct hold *hold)
{
    struct lines lines;
    const struct show *show = hold->show;
    lines.count = hold->line_count;
    for (int i = 0; i < hold->line_count; i++)
        lines.items[i] =
            (struct line){show->tiers[hold->lines[i].tier].tier_id, hold->lines[i].quantity, 0};
    if (shortage(show, NULL, &lines) != reason_COUNT)
        return reason_sold_out;
    bool beyond = show->max_per_person && hold->person &&
                  hold->person->quantity + hold->quantity > show->max_per_person;
    return beyond ? reason_person_limit : reason_COUNT;
}

enum reason reason_not_to_sell(const struct hold *hold, const struct payment *payment)
{
    if (hold == NULL)
        return reason_unknown_reservation;
    if (hold->state == HOLD_SOLD)
        return reason_already_sold;
    if (hold->show->cancelled)
        return reason_show_cancelled;
    if (hold->state != HOLD_HELD && hold->state != HOLD_EXPIRED)
        return reason_gone;
    if (payment->amount_minor != hold->amount_minor ||
        !text_equal(payment->currency, hold->show->currency))
        return reason_amount;
    return hold->state == HOLD_EXPIRED ? reason_not_to_reacquire(hold) : reason_COUNT;
}

enum reason reason_not_to_release(const struct hold *hold, const struct message *request,
                                  int64_t now_ms)
{
    bool sold = hold && hold->state == HOLD_SOLD, held = hold && hold->state == HOLD_HELD;
    if (!sold && !held)
        return reason_gone;
    for (int64_t number = 0;
         message_has(request, numbers) && (number = numbers_next(&request->numbers, number)) != 0;)
        if (!sold || number > hold->quantity ||
            (hold->returned && numbers_has(hold->returned, number)))
            return reason_gone;
    if (sold && request->expect == expect_hold)
        return reason_already_sold;
    if (sold && request->by == by_customer && now_ms >= hold->show->customer_cancel_until_ms)
        return reason_too_late;
    return reason_COUNT;
}
