/* What staff may do to a show: make it, change it, resize it, block seats, open and pause its sale,
 * cancel it. */
#include "schemas/refusal.h"
#include "services/shows/shows_core_state.h"

#include <assert.h>

static const struct tier standard = {TEXT("standard"), TEXT("Standard"), 0, -1};

/* ---- the fields of a show -------------------------------------------------------------------- */

static bool same_tier_twice(const struct tiers *tiers)
{
    for (int i = 0; i < tiers->count; i++)
        for (int k = 0; k < i; k++)
            if (text_equal(tiers->items[i].tier_id, tiers->items[k].tier_id))
                return true;
    return false;
}

/* What no show may be, whether new or changed. `outcome` holds the complete show; on a breach it
 * becomes the refusal. */
static bool refuse_show(struct message *outcome, const struct message *input)
{
    if (same_tier_twice(&outcome->tiers))
        return refuse(outcome, input, code_invalid, "tiers", "two tiers have the same tier_id");
    if (outcome->off_sale_at_ms <= outcome->on_sale_at_ms)
        return refuse(outcome, input, code_invalid, "off_sale_at_ms",
                      "the sale ends before it begins; without off_sale_at_ms it ends when the "
                      "show starts");
    return false;
}

static void put_tier_uses(struct message *outcome, const struct show *show)
{
    struct after *seats = &outcome->after;
    seats->tier_count = outcome->tiers.count;
    for (int i = 0; i < outcome->tiers.count; i++) {
        struct after before = show ? show->seats : (struct after){.tier_count = 0};
        const struct tier_use *use = seats_tier(&before, outcome->tiers.items[i].tier_id);
        seats->tiers[i] = (struct tier_use){outcome->tiers.items[i].tier_id, use ? use->held : 0,
                                            use ? use->sold : 0};
    }
}

#define TAKE_OR(outcome, input, field, value)                                                      \
    message_set(outcome, field, message_has(input, field) ? (input)->field : (value))

static bool decide_create(const struct shows *shows, const struct message *input, int64_t now_ms,
                          struct message *outcome)
{
    const struct show *show = shows_find(shows, input->show_id);
    if (shows_archived(shows, input->show_id))
        return refuse_archived(outcome, input);
    if (show && text_equal(show->fingerprint, input->fingerprint))
        return false;
    if (show)
        return refuse(outcome, input, code_conflict, "show_id",
                      "there is a show with this id already, and it was made differently");
    if (input->starts_at_ms <= now_ms)
        return refuse(outcome, input, code_invalid, "starts_at_ms", "the show lies in the past");
    message_init(outcome, MESSAGE_ShowCreated);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, name);
    message_copy(outcome, input, starts_at_ms);
    message_copy(outcome, input, capacity);
    message_copy(outcome, input, currency);
    message_copy(outcome, input, max_per_person);
    message_copy(outcome, input, fingerprint);
    message_copy(outcome, input, tiers);
    if (!message_has(input, tiers))
        message_set(outcome, tiers, (struct tiers){1, {standard}});
    TAKE_OR(outcome, input, on_sale_at_ms, now_ms);
    TAKE_OR(outcome, input, off_sale_at_ms, input->starts_at_ms);
    TAKE_OR(outcome, input, max_per_order, MAX_PER_ORDER_DEFAULT);
    TAKE_OR(outcome, input, hold_ttl_s, HOLD_TTL_S_DEFAULT);
    TAKE_OR(outcome, input, pay_window_s, PAY_WINDOW_S_DEFAULT);
    TAKE_OR(outcome, input, customer_cancel_until_ms, input->starts_at_ms);
    if (refuse_show(outcome, input))
        return true;
    if (message_has(input, off_sale_at_ms) && input->off_sale_at_ms <= now_ms)
        return refuse(outcome, input, code_invalid, "off_sale_at_ms",
                      "the sale would be over already");
    message_set(outcome, seq, 1);
    message_set(outcome, after, (struct after){.capacity = input->capacity});
    put_tier_uses(outcome, NULL);
    seats_balance(&outcome->after);
    return true;
}

/* ---- changing -------------------------------------------------------------------------------- */

static bool drops_tier(const struct show *show, const struct tiers *tiers)
{
    for (int i = 0; i < show->tiers.count; i++) {
        bool kept = false;
        for (int k = 0; k < tiers->count; k++)
            kept = kept || text_equal(tiers->items[k].tier_id, show->tiers.items[i].tier_id);
        if (!kept)
            return true;
    }
    return false;
}

static bool tier_below_use(const struct show *show, const struct tiers *tiers)
{
    for (int i = 0; i < tiers->count; i++) {
        struct after seats = show->seats;
        const struct tier_use *use = seats_tier(&seats, tiers->items[i].tier_id);
        if (use && tiers->items[i].capacity >= 0 &&
            tiers->items[i].capacity < use->held + use->sold)
            return true;
    }
    return false;
}

static bool refuse_update(const struct show *show, const struct message *input, int64_t now_ms,
                          struct message *outcome)
{
    if (message_has(input, starts_at_ms) && input->starts_at_ms <= now_ms)
        return refuse(outcome, input, code_invalid, "starts_at_ms", "the show lies in the past");
    if (show->ever_held && message_has(input, currency) &&
        !text_equal(input->currency, show->currency))
        return refuse(outcome, input, code_wrong_state, "currency",
                      "the currency stays once a seat was held");
    if (show->ever_held && message_has(input, tiers) && drops_tier(show, &input->tiers))
        return refuse(outcome, input, code_wrong_state, "tiers",
                      "a tier stays once a seat was held; give it capacity 0 to close it");
    if (message_has(input, tiers) && tier_below_use(show, &input->tiers))
        return refuse(outcome, input, code_precondition, "tiers",
                      "a tier's capacity is below what is held and sold of it");
    return false;
}

/* What was not given follows the start, if it did so before. */
static int64_t follows_start(int64_t time_ms, const struct show *show, const struct message *input)
{
    bool moved = message_has(input, starts_at_ms) && time_ms == show->starts_at_ms;
    return moved ? input->starts_at_ms : time_ms;
}

static bool decide_update(const struct show *show, const struct message *input, int64_t now_ms,
                          struct message *outcome)
{
    if (refuse_update(show, input, now_ms, outcome))
        return true;
    message_init(outcome, MESSAGE_ShowUpdated);
    put_change(outcome, show, &show->seats);
    message_set(outcome, capacity, show->seats.capacity);
    TAKE_OR(outcome, input, name, show->name);
    TAKE_OR(outcome, input, starts_at_ms, show->starts_at_ms);
    TAKE_OR(outcome, input, currency, show->currency);
    TAKE_OR(outcome, input, tiers, show->tiers);
    TAKE_OR(outcome, input, on_sale_at_ms, show->on_sale_at_ms);
    TAKE_OR(outcome, input, off_sale_at_ms, follows_start(show->off_sale_at_ms, show, input));
    TAKE_OR(outcome, input, max_per_order, show->max_per_order);
    TAKE_OR(outcome, input, hold_ttl_s, show->hold_ttl_s);
    TAKE_OR(outcome, input, pay_window_s, show->pay_window_s);
    TAKE_OR(outcome, input, customer_cancel_until_ms,
            follows_start(show->customer_cancel_until_ms, show, input));
    message_copy(outcome, input, max_per_person);
    if (!message_has(input, max_per_person) && show->max_per_person)
        message_set(outcome, max_per_person, show->max_per_person);
    message_copy(outcome, input, fingerprint);
    if (refuse_show(outcome, input))
        return true;
    put_tier_uses(outcome, show);
    return true;
}

/* ---- seats ----------------------------------------------------------------------------------- */

static bool decide_capacity(const struct show *show, const struct message *input,
                            struct message *outcome)
{
    bool forced = message_has(input, force) && input->force;
    bool below = input->capacity < seats_in_use(&show->seats);
    if (below && !forced)
        return refuse(outcome, input, code_precondition, "capacity",
                      "more seats than that are held, sold or blocked; force records the rest as "
                      "oversold");
    struct after seats = show->seats;
    seats.capacity = input->capacity;
    seats_balance(&seats);
    message_init(outcome, MESSAGE_CapacityChanged);
    put_change(outcome, show, &seats);
    message_set(outcome, capacity, input->capacity);
    message_set(outcome, old_capacity, show->seats.capacity);
    message_set(outcome, forced, below);
    message_copy(outcome, input, fingerprint);
    return true;
}

static bool decide_block(const struct show *show, const struct message *input,
                         struct message *outcome)
{
    const struct block *block = show_block(show, input->block_id);
    int64_t old = block ? block->quantity : 0;
    if (message_has(input, expected_quantity) && input->expected_quantity != old)
        return refuse(outcome, input, code_precondition, "expected_quantity",
                      "the block has another quantity now; read it again");
    if (input->block_quantity - old > show->seats.free)
        return refuse(outcome, input, code_precondition, "quantity",
                      "not that many seats are free");
    struct after seats = show->seats;
    seats.blocked += input->block_quantity - old;
    seats_balance(&seats);
    message_init(outcome, MESSAGE_BlockSet);
    put_change(outcome, show, &seats);
    message_copy(outcome, input, block_id);
    message_copy(outcome, input, block_quantity);
    message_copy(outcome, input, note);
    message_copy(outcome, input, fingerprint);
    return true;
}

static bool decide_switch(const struct show *show, const struct message *input,
                          enum message_type type, struct message *outcome)
{
    message_init(outcome, type);
    put_change(outcome, show, &show->seats);
    message_copy(outcome, input, why);
    if (type == MESSAGE_ShowCancelled)
        message_copy(outcome, input, refund);
    message_copy(outcome, input, fingerprint);
    return true;
}

bool decide_show_command(const struct shows *shows, const struct message *input, int64_t now_ms,
                         struct message *outcome)
{
    const struct show *show = shows_find(shows, input->show_id);
    bool any;
    if (input->type == MESSAGE_CreateShow)
        return decide_create(shows, input, now_ms, outcome);
    if (shows_archived(shows, input->show_id))
        return refuse_archived(outcome, input);
    if (show == NULL)
        return refuse(outcome, input, code_not_found, "show_id", "there is no such show");
    if (answered_before(&show->commands, input, outcome, &any))
        return any;
    if (show->cancelled)
        return refuse(outcome, input, code_wrong_state, NULL,
                      "the show is cancelled; nothing of it changes any more");
    if (message_has(input, expected_seq) && input->expected_seq != show->seq)
        return refuse(outcome, input, code_precondition, "expected_seq",
                      "the show has changed since; read it again");
    switch ((int)input->type) {
    case MESSAGE_UpdateShow:
        return decide_update(show, input, now_ms, outcome);
    case MESSAGE_SetCapacity:
        return decide_capacity(show, input, outcome);
    case MESSAGE_SetBlock:
        return decide_block(show, input, outcome);
    case MESSAGE_OpenSale:
        return decide_switch(show, input, MESSAGE_SaleOpened, outcome);
    case MESSAGE_PauseSale:
        return decide_switch(show, input, MESSAGE_SalePaused, outcome);
    case MESSAGE_CancelShow:
        return decide_switch(show, input, MESSAGE_ShowCancelled, outcome);
    }
    assert(false);
    return false;
}
