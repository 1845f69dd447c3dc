/* Taking seats: what a hold needs, and a live hold that shall become another. One ladder for both,
 * one reason each, in the order of the table. */
#include "services/shows/shows_core_state.h"

#include <assert.h>

/* ---- what is wanted, and what is had --------------------------------------------------------- */

/* Wanted of one tier, over all lines. */
static int64_t wanted_of(const struct wish *wish, struct text tier_id)
{
    int64_t sum = 0;
    for (int i = 0; i < wish->wanted->count; i++)
        if (text_equal(wish->wanted->items[i].tier_id, tier_id))
            sum += wish->wanted->items[i].quantity;
    return sum;
}

/* The hold's own line of a tier, or NULL. */
static const struct line *line_had(const struct wish *wish, struct text tier_id)
{
    for (int i = 0; wish->hold && i < wish->hold->line_count; i++)
        if (text_equal(wish->hold->lines[i].tier_id, tier_id))
            return &wish->hold->lines[i];
    return NULL;
}

static int64_t had_of(const struct wish *wish, struct text tier_id)
{
    const struct line *line = line_had(wish, tier_id);
    return line ? line->quantity : 0;
}

static int64_t had(const struct wish *wish)
{
    return wish->hold ? wish->hold->quantity : 0;
}

/* How many seats more than before; not positive if a hold does not grow. */
static int64_t growth(const struct wish *wish)
{
    return lines_quantity(wish->wanted) - had(wish);
}

static bool some_tier_grows(const struct wish *wish)
{
    for (int i = 0; i < wish->wanted->count; i++) {
        struct text tier_id = wish->wanted->items[i].tier_id;
        if (wanted_of(wish, tier_id) > had_of(wish, tier_id))
            return true;
    }
    return false;
}

/* ---- whether there are seats ----------------------------------------------------------------- */

/* Seats of the tier that nobody bought (held ones may come back), and those free right now.
 * INT64_MAX: no cap. */
static int64_t tier_unsold(const struct show *show, const struct tier *tier, bool and_not_held)
{
    for (int i = 0; i < show->seats.tier_count; i++) {
        const struct tier_use *use = &show->seats.tiers[i];
        if (tier->capacity >= 0 && text_equal(use->tier_id, tier->tier_id))
            return tier->capacity - use->sold - (and_not_held ? use->held : 0);
    }
    return INT64_MAX;
}

static int64_t at_least_none(int64_t seats)
{
    return seats > 0 ? seats : 0;
}

/* How many could be had now of what was asked for, with those that are had. */
static int64_t available_for(const struct wish *wish)
{
    int64_t tiers = 0, free = wish->show->seats.free;
    for (int i = 0; i < wish->wanted->count && tiers < free; i++) {
        const struct tier *tier = show_tier(wish->show, wish->wanted->items[i].tier_id);
        int64_t here = tier ? at_least_none(tier_unsold(wish->show, tier, true)) : 0;
        tiers = here >= free - tiers ? free : tiers + here;
    }
    return had(wish) + tiers;
}

bool find_shortage(const struct wish *wish, enum reason *reason)
{
    const struct after *seats = &wish->show->seats;
    int64_t quantity = lines_quantity(wish->wanted), more = growth(wish);
    bool sold_out = more > 0 && quantity > seats->capacity - seats->sold - seats->blocked;
    bool all_held = more > 0 && more > seats->free;
    for (int i = 0; i < wish->wanted->count; i++) {
        const struct tier *tier = show_tier(wish->show, wish->wanted->items[i].tier_id);
        assert(tier != NULL);
        int64_t wanted = wanted_of(wish, tier->tier_id);
        int64_t more_here = wanted - had_of(wish, tier->tier_id);
        sold_out = sold_out || (more_here > 0 && wanted > tier_unsold(wish->show, tier, false));
        all_held = all_held || (more_here > 0 && more_here > tier_unsold(wish->show, tier, true));
    }
    *reason = sold_out ? reason_sold_out : reason_all_held;
    return sold_out || all_held;
}

/* ---- the rules of the sale ------------------------------------------------------------------- */

static bool find_closed(const struct wish *wish, int64_t now_ms, enum reason *reason)
{
    bool window = wish->channel != channel_boxoffice;
    if (window && now_ms < wish->show->on_sale_at_ms)
        *reason = reason_not_on_sale;
    else if (wish->show->paused)
        *reason = reason_sale_paused;
    else if (window && now_ms >= wish->show->off_sale_at_ms)
        *reason = reason_sale_closed;
    else
        return false;
    return true;
}

static bool all_tiers_known(const struct wish *wish)
{
    for (int i = 0; i < wish->wanted->count; i++)
        if (show_tier(wish->show, wish->wanted->items[i].tier_id) == NULL)
            return false;
    return true;
}

/* The lines with their price: a tier that is had keeps its own, others take today's. false: more
 * money than a sale may have. */
static bool price(const struct wish *wish, struct lines *lines)
{
    *lines = *wish->wanted;
    for (int i = 0; i < lines->count; i++) {
        const struct tier *tier = show_tier(wish->show, lines->items[i].tier_id);
        const struct line *line = line_had(wish, tier->tier_id);
        lines->items[i].tier_id = tier->tier_id;
        lines->items[i].unit_amount_minor = line ? line->unit_amount_minor : tier->amount_minor;
    }
    return lines_amount_minor(lines) <= AMOUNT_MINOR_MAX;
}

bool beyond_person(const struct wish *wish)
{
    const struct person *person = map_find(&wish->show->persons, wish->party);
    return wish->show->max_per_person && wish->party.data &&
           (person ? person->quantity : 0) + growth(wish) > wish->show->max_per_person;
}

/* Everything before the question whether there are seats. */
static bool find_rule(const struct wish *wish, int64_t now_ms, enum reason *reason)
{
    struct lines lines;
    bool grows = growth(wish) > 0;
    if (wish->show->cancelled) {
        *reason = reason_show_cancelled;
        return true;
    }
    if (some_tier_grows(wish) && find_closed(wish, now_ms, reason))
        return true;
    if (!all_tiers_known(wish))
        *reason = reason_no_such_tier;
    else if ((grows && lines_quantity(wish->wanted) > wish->show->max_per_order) ||
             !price(wish, &lines))
        *reason = reason_limit;
    else if (grows && wish->show->max_per_person && wish->party.data == NULL)
        *reason = reason_party_required;
    else if (grows && beyond_person(wish))
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

static bool reject_seats(const struct shows *shows, const struct message *input,
                         enum message_type type, enum reason reason, int64_t available,
                         struct message *outcome)
{
    reject(shows, input, type, reason, outcome);
    message_set(outcome, available, available);
    return true;
}

/* Whether the wish cannot be granted; then `outcome` says why. */
static bool reject_wish(const struct shows *shows, const struct wish *wish,
                        const struct message *input, enum message_type type, int64_t now_ms,
                        struct message *outcome)
{
    enum reason reason;
    if (!find_rule(wish, now_ms, &reason) && !find_shortage(wish, &reason))
        return false;
    reject_seats(shows, input, type, reason, available_for(wish), outcome);
    if (reason == reason_all_held)
        message_set(outcome, retry_after_s, retry_after_s(wish->show, now_ms));
    return true;
}

static void put_price(struct message *outcome, const struct wish *wish)
{
    price(wish, &outcome->lines);
    outcome->has[FIELD_lines] = true;
    message_set(outcome, quantity, lines_quantity(&outcome->lines));
    message_set(outcome, amount_minor, lines_amount_minor(&outcome->lines));
    message_set(outcome, currency, wish->show->currency);
}

/* ---- holding --------------------------------------------------------------------------------- */

bool decide_hold(const struct shows *shows, const struct message *input, int64_t now_ms,
                 struct message *outcome)
{
    const struct show *show = shows_find(shows, input->show_id);
    if (show == NULL)
        return reject_seats(shows, input, MESSAGE_HoldRejected,
                            shows_archived(shows, input->show_id) ? reason_archived
                                                                  : reason_no_such_show,
                            0, outcome);
    struct wish wish = {.show = show, .wanted = &input->wanted, .channel = input->channel};
    if (message_has(input, party))
        wish.party = input->party;
    if (reject_wish(shows, &wish, input, MESSAGE_HoldRejected, now_ms, outcome))
        return true;
    struct after seats = show->seats;
    message_init(outcome, MESSAGE_SeatsHeld);
    put_price(outcome, &wish);
    seats_change(&seats, &outcome->lines, SEATS_HOLD);
    put_change(outcome, show, &seats);
    message_copy(outcome, input, reservation_id);
    message_set(outcome, expires_at_ms, now_ms + show->hold_ttl_s * 1000);
    message_copy(outcome, input, channel);
    message_copy(outcome, input, party);
    return true;
}

/* ---- resizing -------------------------------------------------------------------------------- */

bool decide_resize(const struct shows *shows, const struct message *input, int64_t now_ms,
                   struct message *outcome)
{
    const struct hold *hold = shows_find_hold(shows, input->show_id, input->reservation_id);
    if (hold == NULL || hold->state != HOLD_HELD)
        return reject_seats(shows, input, MESSAGE_ResizeRejected, reason_gone, 0, outcome);
    if (hold->paying)
        return reject_seats(shows, input, MESSAGE_ResizeRejected, reason_paying, hold->quantity,
                            outcome);
    struct wish wish = {hold->show, hold, &input->wanted, hold->channel, {NULL, 0}};
    if (hold->person)
        wish.party = hold->person->party;
    if (reject_wish(shows, &wish, input, MESSAGE_ResizeRejected, now_ms, outcome))
        return true;
    struct after seats = hold->show->seats;
    struct lines old = hold_lines(hold);
    message_init(outcome, MESSAGE_HoldResized);
    put_price(outcome, &wish);
    seats_change(&seats, &old, SEATS_UNHOLD);
    seats_change(&seats, &outcome->lines, SEATS_HOLD);
    put_change(outcome, hold->show, &seats);
    message_set(outcome, reservation_id, hold->reservation_id);
    message_set(outcome, old_lines, old);
    return true;
}
