/* The seats: which question goes to which ladder, and the arithmetic they share. */
#include "services/shows/shows_core.h"

#include "services/shows/shows_core_state.h"

#include <assert.h>

/* ---- looking up ------------------------------------------------------------------------------ */

struct show *shows_find(const struct shows *shows, struct text show_id)
{
    return map_find(&shows->shows, show_id);
}

bool shows_archived(const struct shows *shows, struct text show_id)
{
    return map_find(&shows->archived, show_id) != NULL;
}

struct hold *shows_find_hold(const struct shows *shows, struct text show_id,
                             struct text reservation_id)
{
    struct hold *hold = map_find(&shows->holds, reservation_id);
    return hold && text_equal(hold->show->show_id, show_id) ? hold : NULL;
}

const struct tier *show_tier(const struct show *show, struct text tier_id)
{
    for (int i = 0; i < show->tiers.count; i++)
        if (text_equal(show->tiers.items[i].tier_id, tier_id))
            return &show->tiers.items[i];
    return NULL;
}

const struct block *show_block(const struct show *show, struct text block_id)
{
    for (int i = 0; i < show->block_count; i++)
        if (text_equal(show->blocks[i].block_id, block_id))
            return &show->blocks[i];
    return NULL;
}

bool shows_seats(const struct shows *shows, struct text show_id, struct after *seats)
{
    const struct show *show = shows_find(shows, show_id);
    if (show)
        *seats = show->seats;
    return show != NULL;
}

void shows_all_seats(const struct shows *shows, struct after *all)
{
    for (size_t i = 0; i < shows->count; i++) {
        const struct after *seats = &shows->list[i]->seats;
        all->capacity += seats->capacity;
        all->held += seats->held;
        all->sold += seats->sold;
        all->blocked += seats->blocked;
        all->free += seats->free;
        all->oversold_by += seats->oversold_by;
    }
}

/* ---- seats ----------------------------------------------------------------------------------- */

struct tier_use *seats_tier(struct after *seats, struct text tier_id)
{
    for (int i = 0; i < seats->tier_count; i++)
        if (text_equal(seats->tiers[i].tier_id, tier_id))
            return &seats->tiers[i];
    return NULL;
}

int64_t seats_in_use(const struct after *seats)
{
    return seats->held + seats->sold + seats->blocked;
}

void seats_balance(struct after *seats)
{
    int64_t rest = seats->capacity - seats_in_use(seats);
    seats->free = rest > 0 ? rest : 0;
    seats->oversold_by = rest < 0 ? -rest : 0;
}

void seats_change(struct after *seats, const struct lines *lines, enum seat_change change)
{
    int held = change == SEATS_HOLD                                  ? 1
               : change == SEATS_UNHOLD || change == SEATS_SELL_HELD ? -1
                                                                     : 0;
    int sold = change == SEATS_RETURN                                   ? -1
               : change == SEATS_SELL_HELD || change == SEATS_SELL_FREE ? 1
                                                                        : 0;
    for (int i = 0; i < lines->count; i++) {
        struct tier_use *use = seats_tier(seats, lines->items[i].tier_id);
        int64_t quantity = lines->items[i].quantity;
        assert(use != NULL);
        use->held += held * quantity;
        use->sold += sold * quantity;
        seats->held += held * quantity;
        seats->sold += sold * quantity;
        assert(use->held >= 0 && use->sold >= 0); /* invariant 1: never clamped */
    }
    seats_balance(seats);
}

/* ---- lines and tickets ----------------------------------------------------------------------- */

int64_t lines_quantity(const struct lines *lines)
{
    int64_t sum = 0;
    for (int i = 0; i < lines->count; i++)
        sum += lines->items[i].quantity;
    return sum;
}

int64_t lines_amount_minor(const struct lines *lines)
{
    int64_t sum = 0; /* at most 16 · 10^15 */
    for (int i = 0; i < lines->count; i++)
        sum += lines->items[i].quantity * lines->items[i].unit_amount_minor;
    return sum;
}

struct numbers hold_tickets(const struct hold *hold)
{
    struct numbers tickets = {{0}};
    for (int i = 0, first = 1; i < hold->line_count; i++) {
        numbers_add_range(&tickets, first, hold->lines[i].quantity);
        first += (int)hold->lines[i].quantity;
    }
    if (hold->returned)
        numbers_remove(&tickets, hold->returned);
    return tickets;
}

struct lines hold_lines_of(const struct hold *hold, const struct numbers *tickets)
{
    struct lines lines;
    lines.count = 0;
    for (int i = 0, first = 1; i < hold->line_count; i++) {
        const struct line *line = &hold->lines[i];
        int64_t quantity = numbers_count_range(tickets, first, line->quantity);
        first += (int)line->quantity;
        if (quantity == 0)
            continue;
        lines.items[lines.count] = *line;
        lines.items[lines.count++].quantity = quantity;
    }
    return lines;
}

struct lines hold_lines(const struct hold *hold)
{
    struct numbers tickets = hold_tickets(hold);
    return hold_lines_of(hold, &tickets);
}

/* ---- what every outcome says ----------------------------------------------------------------- */

void put_change(struct message *outcome, const struct show *show, const struct after *seats)
{
    message_set(outcome, show_id, show->show_id);
    message_set(outcome, seq, show->seq + 1);
    message_set(outcome, after, *seats);
}

void put_unchanged(struct message *outcome, const struct show *show)
{
    if (show == NULL)
        return;
    message_set(outcome, seq, show->seq);
    message_set(outcome, after, show->seats);
}

bool reject(const struct shows *shows, const struct message *input, enum message_type type,
            enum reason reason, struct message *outcome)
{
    message_init(outcome, type);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_set(outcome, reason, reason);
    put_unchanged(outcome, shows_find(shows, input->show_id));
    return true;
}

/* ---- deciding -------------------------------------------------------------------------------- */

bool shows_decide(const struct shows *shows, const struct message *input, int64_t now_ms,
                  struct message *outcome)
{
    switch ((int)input->type) {
    case MESSAGE_CreateShow:
    case MESSAGE_UpdateShow:
    case MESSAGE_SetCapacity:
    case MESSAGE_SetBlock:
    case MESSAGE_OpenSale:
    case MESSAGE_PauseSale:
    case MESSAGE_CancelShow:
        return decide_show_command(shows, input, now_ms, outcome);
    case MESSAGE_ReservationRequested:
        return decide_hold(shows, input, now_ms, outcome);
    case MESSAGE_ChangeRequested:
        return decide_resize(shows, input, now_ms, outcome);
    case MESSAGE_CheckoutStarted:
    case MESSAGE_ExtensionRequested:
    case MESSAGE_PaymentUnknown:
        return decide_extension(shows, input, now_ms, outcome);
    case MESSAGE_PaymentSucceeded:
        return decide_sale(shows, input, outcome);
    case MESSAGE_CancellationRequested:
        return decide_release(shows, input, now_ms, outcome);
    }
    return false; /* what the others decided among themselves */
}

int64_t shows_due_at(const struct shows *shows)
{
    const struct heap_node *first = heap_first(&shows->due);
    return first ? first->at_ms : INT64_MAX;
}

static void expire(const struct show *show, struct message *outcome)
{
    const struct hold *hold = memory_owner(heap_first(&show->expiries), struct hold, expiry);
    struct lines lines = hold_lines(hold);
    struct after seats = show->seats;
    seats_change(&seats, &lines, SEATS_UNHOLD);
    message_init(outcome, MESSAGE_HoldExpired);
    put_change(outcome, show, &seats);
    message_set(outcome, reservation_id, hold->reservation_id);
    message_set(outcome, quantity, hold->quantity);
    message_set(outcome, expires_at_ms, hold->expires_at_ms);
}

bool shows_due(const struct shows *shows, int64_t now_ms, struct message *outcome)
{
    if (shows_due_at(shows) > now_ms)
        return false;
    const struct show *show = memory_owner(heap_first(&shows->due), struct show, due);
    if (heap_first(&show->expiries)) {
        expire(show, outcome);
        return true;
    }
    message_init(outcome, MESSAGE_ShowArchived);
    put_change(outcome, show, &show->seats);
    return true;
}
