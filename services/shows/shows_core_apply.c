/* Folding what was decided: the only writer of the state. Nothing here asks whether; that was
 * decided. */
#include "schemas/payment.h"
#include "schemas/refusal.h"
#include "services/shows/shows_core_state.h"

#include <assert.h>
#include <string.h>

/* ---- keeping texts --------------------------------------------------------------------------- */

static void set_text(struct text *target, struct text text)
{
    struct text copy = text_copy(text); /* first: the old one may be what is set */
    text_free(target);
    *target = copy;
}

static void free_tiers(struct tiers *tiers)
{
    for (int i = 0; i < tiers->count; i++) {
        text_free(&tiers->items[i].tier_id);
        text_free(&tiers->items[i].name);
    }
    tiers->count = 0;
}

/* Lines, uses and holds point at the tier ids of the show: an id that stays keeps its bytes. */
static void set_tiers(struct show *show, const struct tiers *tiers)
{
    struct tiers old = show->tiers;
    struct after before = show->seats;
    show->tiers.count = show->seats.tier_count = tiers->count;
    for (int i = 0; i < tiers->count; i++) {
        struct tier tier = tiers->items[i];
        struct text kept = {NULL, 0};
        for (int k = 0; k < old.count; k++)
            if (text_equal(old.items[k].tier_id, tier.tier_id)) {
                kept = old.items[k].tier_id;
                old.items[k].tier_id = (struct text){NULL, 0};
            }
        tier.tier_id = kept.data ? kept : text_copy(tier.tier_id);
        tier.name = text_copy(tier.name);
        const struct tier_use *use = seats_tier(&before, tier.tier_id);
        show->tiers.items[i] = tier;
        show->seats.tiers[i] =
            (struct tier_use){tier.tier_id, use ? use->held : 0, use ? use->sold : 0};
    }
    free_tiers(&old);
}

/* Takes the lines over; their tier ids become those of the show. */
static void set_lines(struct hold *hold, const struct lines *lines)
{
    hold->lines = memory_grow(hold->lines, (size_t)lines->count * sizeof *hold->lines);
    hold->line_count = lines->count;
    for (int i = 0; i < lines->count; i++) {
        const struct tier *tier = show_tier(hold->show, lines->items[i].tier_id);
        assert(tier != NULL);
        hold->lines[i] = lines->items[i];
        hold->lines[i].tier_id = tier->tier_id;
    }
}

/* ---- the timers of a show -------------------------------------------------------------------- */

/* The show is due when its first hold is; without holds, when it may be archived. Ties are settled
 * by the order of creation. */
static void set_due(struct shows *shows, struct show *show)
{
    const struct heap_node *first = heap_first(&show->expiries);
    if (first)
        heap_set_take(&shows->due, &show->due, first->at_ms, show->due.seq);
    else if (show->cancelled && show->seats.sold > 0)
        heap_remove(&shows->due, &show->due);
    else
        heap_set_take(&shows->due, &show->due, show->starts_at_ms + ARCHIVE_AFTER_MS,
                      show->due.seq);
}

static void set_expiry(struct hold *hold)
{
    struct show *show = hold->show;
    if (hold->state == HOLD_HELD)
        heap_set_take(&show->expiries, &hold->expiry, hold->expires_at_ms + HOLD_GRACE_MS,
                      hold->expiry.seq);
    else
        heap_remove(&show->expiries, &hold->expiry);
}

/* ---- shows ----------------------------------------------------------------------------------- */

static void apply_fields(struct show *show, const struct message *outcome)
{
    set_text(&show->name, outcome->name);
    set_text(&show->currency, outcome->currency);
    set_tiers(show, &outcome->tiers);
    show->starts_at_ms = outcome->starts_at_ms;
    show->on_sale_at_ms = outcome->on_sale_at_ms;
    show->off_sale_at_ms = outcome->off_sale_at_ms;
    show->customer_cancel_until_ms = outcome->customer_cancel_until_ms;
    show->max_per_order = outcome->max_per_order;
    show->max_per_person = message_has(outcome, max_per_person) ? outcome->max_per_person : 0;
    show->hold_ttl_s = outcome->hold_ttl_s;
    show->pay_window_s = outcome->pay_window_s;
}

static struct show *apply_created(struct shows *shows, const struct message *outcome)
{
    struct show *show = memory_new(sizeof *show);
    show->commands.capacity = SHOW_COMMANDS_REMEMBERED;
    set_text(&show->show_id, outcome->show_id);
    if (message_has(outcome, fingerprint))
        set_text(&show->fingerprint, outcome->fingerprint);
    show->seats.capacity = outcome->capacity;
    show->due.seq = shows->created++;
    apply_fields(show, outcome);
    map_insert_take(&shows->shows, show->show_id, show);
    show->place = shows->count;
    shows->list = memory_append(shows->list, shows->count++, show);
    return show;
}

static void apply_block(struct show *show, const struct message *outcome)
{
    struct block *block = (struct block *)(uintptr_t)show_block(show, outcome->block_id);
    int64_t old = block ? block->quantity : 0;
    if (block == NULL) {
        show->blocks =
            memory_grow(show->blocks, (size_t)(show->block_count + 1) * sizeof *show->blocks);
        block = &show->blocks[show->block_count++];
        *block = (struct block){text_copy(outcome->block_id), 0};
    }
    block->quantity = outcome->block_quantity;
    show->seats.blocked += outcome->block_quantity - old;
}

/* ---- holds ----------------------------------------------------------------------------------- */

static struct person *person_of(struct show *show, struct text party)
{
    struct person *person = map_find(&show->persons, party);
    if (person)
        return person;
    person = memory_new(sizeof *person);
    person->party = text_copy(party);
    map_insert_take(&show->persons, person->party, person);
    show->person_list = memory_append(show->person_list, show->person_count++, person);
    return person;
}

static void count_person(struct hold *hold, int64_t quantity)
{
    if (hold->person)
        hold->person->quantity += quantity;
}

static void keep_hold(struct shows *shows, struct hold *hold)
{
    struct show *show = hold->show;
    hold->expiry.seq = shows->held++;
    show->holds = memory_append(show->holds, show->hold_count++, hold);
    map_insert_take(&shows->holds, hold->reservation_id, hold);
}

static void apply_held(struct shows *shows, struct show *show, const struct message *outcome)
{
    struct hold *hold = memory_new(sizeof *hold);
    hold->reservation_id = text_copy(outcome->reservation_id);
    hold->show = show;
    hold->state = HOLD_HELD;
    hold->channel = outcome->channel;
    set_lines(hold, &outcome->lines);
    hold->quantity = outcome->quantity;
    hold->amount_minor = outcome->amount_minor;
    hold->held_at_ms = outcome->at_ms;
    hold->expires_at_ms = outcome->expires_at_ms;
    if (message_has(outcome, party))
        hold->person = person_of(show, outcome->party);
    keep_hold(shows, hold);
    count_person(hold, hold->quantity);
    seats_change(&show->seats, &outcome->lines, SEATS_HOLD);
    show->ever_held = true;
    set_expiry(hold);
}

static void apply_resized(struct hold *hold, const struct message *outcome)
{
    seats_change(&hold->show->seats, &outcome->old_lines, SEATS_UNHOLD);
    seats_change(&hold->show->seats, &outcome->lines, SEATS_HOLD);
    count_person(hold, outcome->quantity - hold->quantity);
    set_lines(hold, &outcome->lines);
    hold->quantity = outcome->quantity;
    hold->amount_minor = outcome->amount_minor;
}

static void apply_extended(struct hold *hold, const struct message *outcome)
{
    hold->paying = hold->paying || outcome->cause == cause_checkout;
    hold->pinned = hold->pinned || outcome->cause == cause_pin;
    hold->expires_at_ms = outcome->expires_at_ms;
    set_expiry(hold);
}

static void apply_sold(struct hold *hold, const struct message *outcome)
{
    bool again = outcome->reacquired;
    seats_change(&hold->show->seats, &outcome->lines, again ? SEATS_SELL_FREE : SEATS_SELL_HELD);
    if (again)
        count_person(hold, hold->quantity);
    hold->payment = payment_copy(&outcome->payment);
    hold->state = HOLD_SOLD;
    set_expiry(hold);
}

static void apply_returned(struct hold *hold, const struct message *outcome)
{
    if (hold->returned == NULL)
        hold->returned = memory_new(sizeof *hold->returned);
    numbers_join(hold->returned, &outcome->numbers);
    seats_change(&hold->show->seats, &outcome->lines, SEATS_RETURN);
    count_person(hold, -outcome->quantity);
    hold->quantity -= outcome->quantity;
    if (hold->quantity > 0)
        return;
    payment_free(&hold->payment);
    hold->state = HOLD_RETURNED;
}

static void apply_unheld(struct hold *hold, enum hold_state state)
{
    struct lines lines = hold_lines(hold);
    seats_change(&hold->show->seats, &lines, SEATS_UNHOLD);
    count_person(hold, -hold->quantity);
    hold->state = state;
    set_expiry(hold);
}

static void apply_to_hold(struct hold *hold, const struct message *outcome)
{
    switch ((int)outcome->type) {
    case MESSAGE_HoldResized:
        apply_resized(hold, outcome);
        return;
    case MESSAGE_HoldExtended:
        apply_extended(hold, outcome);
        return;
    case MESSAGE_SeatsSold:
        apply_sold(hold, outcome);
        return;
    case MESSAGE_SeatsReturned:
        apply_returned(hold, outcome);
        return;
    case MESSAGE_HoldReleased:
        apply_unheld(hold, HOLD_RELEASED);
        return;
    case MESSAGE_HoldExpired:
        apply_unheld(hold, HOLD_EXPIRED);
        return;
    }
}

/* ---- the end of a show ----------------------------------------------------------------------- */

static void free_hold(struct hold *hold)
{
    text_free(&hold->reservation_id);
    payment_free(&hold->payment);
    memory_free(hold->lines);
    memory_free(hold->returned);
    memory_free(hold);
}

static void free_show(struct show *show)
{
    text_free(&show->show_id);
    text_free(&show->name);
    text_free(&show->currency);
    text_free(&show->fingerprint);
    free_tiers(&show->tiers);
    for (int i = 0; i < show->block_count; i++)
        text_free(&show->blocks[i].block_id);
    for (size_t i = 0; i < show->person_count; i++) {
        text_free(&show->person_list[i]->party);
        memory_free(show->person_list[i]);
    }
    for (size_t i = 0; i < show->hold_count; i++)
        free_hold(show->holds[i]);
    memory_free(show->blocks);
    memory_free(show->person_list);
    memory_free(show->holds);
    map_release(&show->persons);
    recent_release(&show->commands);
    heap_release(&show->expiries);
    memory_free(show);
}

/* Only the id stays, so that nobody takes it for another show. */
static void apply_archived(struct shows *shows, struct show *show)
{
    struct archived *archived = memory_new(sizeof *archived);
    archived->show_id = text_copy(show->show_id);
    map_insert_take(&shows->archived, archived->show_id, archived);
    shows->archived_list = memory_append(shows->archived_list, shows->archived_count++, archived);
    for (size_t i = 0; i < show->hold_count; i++)
        map_remove(&shows->holds, show->holds[i]->reservation_id);
    map_remove(&shows->shows, show->show_id);
    heap_remove(&shows->due, &show->due);
    shows->list[show->place] = shows->list[--shows->count];
    shows->list[show->place]->place = show->place;
    free_show(show);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* What changes the show itself; everything else that changes it concerns one of its holds. */
static void apply_to_show(struct shows *shows, struct show *show, const struct message *outcome)
{
    switch ((int)outcome->type) {
    case MESSAGE_ShowUpdated:
        apply_fields(show, outcome);
        return;
    case MESSAGE_CapacityChanged:
        show->seats.capacity = outcome->capacity;
        return;
    case MESSAGE_BlockSet:
        apply_block(show, outcome);
        return;
    case MESSAGE_SaleOpened:
        show->paused = false;
        return;
    case MESSAGE_SalePaused:
        show->paused = true;
        return;
    case MESSAGE_ShowCancelled:
        show->cancelled = true;
        return;
    case MESSAGE_SeatsHeld:
        apply_held(shows, show, outcome);
        return;
    }
    struct hold *hold = shows_find_hold(shows, show->show_id, outcome->reservation_id);
    assert(hold != NULL);
    apply_to_hold(hold, outcome);
}

static bool changes_show(enum message_type type)
{
    switch ((int)type) {
    case MESSAGE_HoldRejected:
    case MESSAGE_ResizeRejected:
    case MESSAGE_ExtensionRejected:
    case MESSAGE_SaleRejected:
    case MESSAGE_ReleaseRejected:
    case MESSAGE_Refused:
        return false;
    }
    return true;
}

void shows_apply(struct shows *shows, const struct message *outcome)
{
    struct show *show = message_has(outcome, show_id) ? shows_find(shows, outcome->show_id) : NULL;
    bool changes = changes_show(outcome->type);
    assert(!changes || show || outcome->type == MESSAGE_ShowCreated);
    if (outcome->type == MESSAGE_ShowArchived) {
        apply_archived(shows, show);
        return;
    }
    if (outcome->type == MESSAGE_ShowCreated)
        show = apply_created(shows, outcome);
    else if (changes)
        apply_to_show(shows, show, outcome);
    if (changes) {
        show->seq = outcome->seq;
        seats_balance(&show->seats);
        set_due(shows, show);
    }
    if (show)
        answered_remember(&show->commands, outcome);
}

/* ---- making and freeing ---------------------------------------------------------------------- */

struct shows *shows_new(void)
{
    return memory_new(sizeof(struct shows));
}

void shows_free(struct shows *shows)
{
    for (size_t i = 0; i < shows->count; i++)
        free_show(shows->list[i]);
    for (size_t i = 0; i < shows->archived_count; i++) {
        text_free(&shows->archived_list[i]->show_id);
        memory_free(shows->archived_list[i]);
    }
    memory_free(shows->list);
    memory_free(shows->archived_list);
    map_release(&shows->shows);
    map_release(&shows->holds);
    map_release(&shows->archived);
    heap_release(&shows->due);
    memory_free(shows);
}
