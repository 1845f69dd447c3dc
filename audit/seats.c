/* The fold of shows.events: every seat, every hold, by the words of the events alone. */
#include "audit/book.h"

#include "base/memory.h"

#define ARCHIVE_AFTER_MS (INT64_C(30) * 24 * 3600 * 1000)

/* ---- looking up ------------------------------------------------------------------------------ */

struct show *show_of(struct audit *audit, struct book *book, struct text show_id)
{
    struct show *show = map_find(&book->shows, show_id);
    if (show)
        return show;
    show = keep(audit, sizeof *show);
    show->show_id = keep_text(audit, show_id);
    show->commands.capacity = SHOW_COMMANDS;
    map_insert_take(&book->shows, show->show_id, show);
    list_add(&audit->shows, show);
    return show;
}

struct show *find_show(const struct book *book, const struct message *message)
{
    return message_has(message, show_id) ? map_find(&book->shows, message->show_id) : NULL;
}

struct hold *find_hold(const struct book *book, const struct message *message)
{
    struct hold *hold = map_find(&book->holds, message->reservation_id);
    return hold && !hold->show->archived && text_equal(hold->show->show_id, message->show_id)
               ? hold
               : NULL;
}

int find_tier(const struct show *show, struct text tier_id)
{
    for (int i = 0; i < show->order_count; i++)
        if (text_equal(show->tiers[show->order[i]].tier_id, tier_id))
            return show->order[i];
    return -1;
}

/* ---- seats ----------------------------------------------------------------------------------- */

static void move_seats(struct show *show, const struct hold *hold, int held, int sold)
{
    for (int i = 0; i < hold->line_count; i++) {
        struct seat_tier *tier = &show->tiers[hold->lines[i].tier];
        tier->held += held * hold->lines[i].quantity;
        tier->sold += sold * hold->lines[i].quantity;
        show->held += held * hold->lines[i].quantity;
        show->sold += sold * hold->lines[i].quantity;
    }
}

static void count_person(struct hold *hold, int64_t quantity)
{
    if (hold->person)
        hold->person->quantity += quantity;
}

/* The lines as told; false: a tier is not there. */
static bool set_lines(struct hearing *hearing, struct hold *hold, const struct lines *lines)
{
    hold->lines = keep(hearing->audit, (size_t)lines->count * sizeof *hold->lines);
    hold->line_count = 0;
    hold->quantity = 0;
    for (int i = 0; i < lines->count; i++) {
        const struct line *line = &lines->items[i];
        int tier = find_tier(hold->show, line->tier_id);
        if (tier < 0) {
            BREACH(hearing, 10, "it takes seats of the tier '%.*s', which the show does not have",
                   TEXT_PRINT(line->tier_id));
            continue;
        }
        hold->lines[hold->line_count++] =
            (struct seat_line){tier, line->quantity, line->unit_amount_minor};
        hold->quantity += line->quantity;
    }
    return hold->line_count == lines->count;
}

static bool same_lines(const struct hold *hold, const struct lines *lines)
{
    bool same = hold->line_count == lines->count;
    for (int i = 0; same && i < lines->count; i++)
        same =
            text_equal(hold->show->tiers[hold->lines[i].tier].tier_id, lines->items[i].tier_id) &&
            hold->lines[i].quantity == lines->items[i].quantity &&
            hold->lines[i].unit_amount_minor == lines->items[i].unit_amount_minor;
    return same;
}

int64_t tickets_of(const struct hold *hold, const struct numbers *numbers, struct lines *lines,
                   int64_t *amount_minor)
{
    int64_t first = 1, count = 0;
    lines->count = 0;
    *amount_minor = 0;
    for (int i = 0; i < hold->line_count; i++) {
        const struct seat_line *line = &hold->lines[i];
        int64_t here = numbers_count_range(numbers, first, line->quantity);
        first += line->quantity;
        if (here == 0)
            continue;
        lines->items[lines->count++] =
            (struct line){hold->show->tiers[line->tier].tier_id, here, line->unit_amount_minor};
        *amount_minor += here * line->unit_amount_minor;
        count += here;
    }
    return count;
}

/* ---- 1 and 2 --------------------------------------------------------------------------------- */

static void check_tiers(struct hearing *hearing, const struct show *show)
{
    const struct after *after = &hearing->event->after;
    bool same = after->tier_count == show->order_count;
    for (int i = 0; i < show->order_count; i++) {
        const struct seat_tier *tier = &show->tiers[show->order[i]];
        if (tier->held < 0 || tier->sold < 0)
            BREACH(hearing, 1, "tier '%.*s' has %lld held and %lld sold", TEXT_PRINT(tier->tier_id),
                   (long long)tier->held, (long long)tier->sold);
        same = same && text_equal(after->tiers[i].tier_id, tier->tier_id) &&
               after->tiers[i].held == tier->held && after->tiers[i].sold == tier->sold;
    }
    if (!same)
        BREACH(hearing, 2, "its `after` tells other tiers than the events before make");
}

static void check_after(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    const struct after *after = &event->after;
    int64_t rest = show->capacity - show->held - show->sold - show->blocked;
    int64_t oversold_by = rest < 0 ? -rest : 0;
    bool forced = event->type == MESSAGE_CapacityChanged && event->forced;
    if (show->held < 0 || show->sold < 0 || show->blocked < 0)
        BREACH(hearing, 1, "%lld held, %lld sold, %lld blocked", (long long)show->held,
               (long long)show->sold, (long long)show->blocked);
    if (oversold_by > show->oversold_by && !forced)
        BREACH(hearing, 1,
               "%lld seats more than there are: %lld held, %lld sold and %lld blocked "
               "of %lld",
               (long long)oversold_by, (long long)show->held, (long long)show->sold,
               (long long)show->blocked, (long long)show->capacity);
    show->oversold_by = oversold_by;
    if (after->capacity != show->capacity || after->held != show->held ||
        after->sold != show->sold || after->blocked != show->blocked ||
        after->free != (rest > 0 ? rest : 0) || after->oversold_by != oversold_by)
        BREACH(hearing, 2,
               "its `after` tells %lld held, %lld sold, %lld blocked of %lld, but the "
               "events make it %lld, %lld, %lld of %lld",
               (long long)after->held, (long long)after->sold, (long long)after->blocked,
               (long long)after->capacity, (long long)show->held, (long long)show->sold,
               (long long)show->blocked, (long long)show->capacity);
    check_tiers(hearing, show);
}

/* ---- the show -------------------------------------------------------------------------------- */

static int tier_number(struct hearing *hearing, struct show *show, struct text tier_id)
{
    for (int i = 0; i < show->tier_count; i++)
        if (text_equal(show->tiers[i].tier_id, tier_id))
            return i;
    show->tiers = memory_grow(show->tiers, (size_t)(show->tier_count + 1) * sizeof *show->tiers);
    show->tiers[show->tier_count] =
        (struct seat_tier){.tier_id = keep_text(hearing->audit, tier_id)};
    return show->tier_count++;
}

static void set_tiers(struct hearing *hearing, struct show *show, const struct tiers *tiers)
{
    for (int i = 0; i < show->tier_count; i++) {
        show->tiers[i].was_there = show->tiers[i].there;
        show->tiers[i].there = false;
    }
    show->order_count = tiers->count;
    for (int i = 0; i < tiers->count; i++) {
        int number = tier_number(hearing, show, tiers->items[i].tier_id);
        struct seat_tier *tier = &show->tiers[number];
        show->order[i] = number;
        tier->there = true;
        tier->amount_minor = tiers->items[i].amount_minor;
        tier->capacity = tiers->items[i].capacity;
        if (tier->capacity >= 0 && tier->held + tier->sold > tier->capacity)
            BREACH(hearing, 1, "tier '%.*s' is to have %lld seats, but %lld are held and sold",
                   TEXT_PRINT(tier->tier_id), (long long)tier->capacity,
                   (long long)(tier->held + tier->sold));
    }
    for (int i = 0; i < show->tier_count; i++)
        if (show->tiers[i].was_there && !show->tiers[i].there && show->ever_held)
            BREACH(hearing, 10, "the tier '%.*s' is gone, though seats were held already",
                   TEXT_PRINT(show->tiers[i].tier_id));
}

static void set_fields(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    if (show->ever_held && !text_equal(show->currency, event->currency))
        BREACH(hearing, 13, "the currency changed, though seats were held already");
    show->currency = keep_text(hearing->audit, event->currency);
    set_tiers(hearing, show, &event->tiers);
    show->starts_at_ms = event->starts_at_ms;
    show->on_sale_at_ms = event->on_sale_at_ms;
    show->off_sale_at_ms = event->off_sale_at_ms;
    show->customer_cancel_until_ms = event->customer_cancel_until_ms;
    show->max_per_order = event->max_per_order;
    show->max_per_person = message_has(event, max_per_person) ? event->max_per_person : 0;
    show->hold_ttl_s = event->hold_ttl_s;
    show->pay_window_s = event->pay_window_s;
}

static void fold_created(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    show->created = true;
    hearing->audit->counts.shows++;
    if (message_has(event, fingerprint))
        show->fingerprint = keep_text(hearing->audit, event->fingerprint);
    show->capacity = event->capacity;
    set_fields(hearing, show);
}

static void fold_capacity(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    bool below = event->capacity < show->held + show->sold + show->blocked;
    if (event->old_capacity != show->capacity)
        BREACH(hearing, 2, "the capacity was %lld, not %lld", (long long)show->capacity,
               (long long)event->old_capacity);
    if (event->forced && !below)
        BREACH(hearing, 2, "it says that it was forced, but the seats in use fit");
    if (event->forced && hearing->input &&
        !(message_has(hearing->input, force) && hearing->input->force))
        BREACH(hearing, 1, "the capacity is below what is in use, and nobody forced it");
    show->capacity = event->capacity;
}

static void fold_block(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    struct block *block = map_find(&show->blocks, event->block_id);
    if (block == NULL) {
        block = keep(hearing->audit, sizeof *block);
        block->block_id = keep_text(hearing->audit, event->block_id);
        map_insert_take(&show->blocks, block->block_id, block);
    }
    show->blocked += event->block_quantity - block->quantity;
    block->quantity = event->block_quantity;
}

static void fold_archived(struct hearing *hearing, struct show *show)
{
    if (!hearing->timer || hearing->event->at_ms < show->starts_at_ms + ARCHIVE_AFTER_MS)
        BREACH(hearing, 9, "archived less than 30 days after the show began");
    if (show->held != 0)
        BREACH(hearing, 3, "archived while %lld seats are held", (long long)show->held);
    if (show->cancelled && show->sold != 0)
        BREACH(hearing, 12, "archived while %lld seats of the cancelled show are still paid",
               (long long)show->sold);
    show->archived = true;
}

/* What staff did; false: it concerns a hold. */
static bool fold_show(struct hearing *hearing, struct show *show)
{
    switch ((int)hearing->event->type) {
    case MESSAGE_ShowCreated:
        fold_created(hearing, show);
        return true;
    case MESSAGE_ShowUpdated:
        set_fields(hearing, show);
        return true;
    case MESSAGE_CapacityChanged:
        fold_capacity(hearing, show);
        return true;
    case MESSAGE_BlockSet:
        fold_block(hearing, show);
        return true;
    case MESSAGE_SaleOpened:
        show->paused = false;
        return true;
    case MESSAGE_SalePaused:
        show->paused = true;
        return true;
    case MESSAGE_ShowCancelled:
        show->cancelled = true;
        return true;
    case MESSAGE_ShowArchived:
        fold_archived(hearing, show);
        return true;
    }
    return false;
}

/* ---- granting: against the same ladder as refusing ------------------------------------------- */

static int invariant_of(enum reason reason)
{
    switch (reason) {
    case reason_sold_out:
    case reason_all_held:
        return 1;
    case reason_gone:
    case reason_paying:
    case reason_already_sold:
        return 3;
    case reason_no_such_show:
    case reason_archived:
    case reason_unknown_reservation:
        return 14;
    case reason_amount:
        return 13;
    case reason_deadline:
        return 9;
    default:
        return 10;
    }
}

static void check_grant(struct hearing *hearing, enum reason reason)
{
    if (reason != reason_COUNT)
        BREACH(hearing, invariant_of(reason), "%s, though it was to be rejected: %s",
               message_name(hearing->event->type), reason_name(reason));
}

/* 13: what is told is what was asked for, at the price of today or of before. */
static void check_price(struct hearing *hearing, const struct hold *before, const struct show *show)
{
    const struct message *event = hearing->event;
    const struct lines *wanted = hearing->input ? &hearing->input->wanted : NULL;
    int64_t amount_minor = 0;
    for (int i = 0; i < event->lines.count; i++) {
        const struct line *line = &event->lines.items[i];
        int tier = find_tier(show, line->tier_id);
        int64_t unit = tier < 0 ? line->unit_amount_minor : show->tiers[tier].amount_minor;
        for (int k = 0; before && k < before->line_count; k++)
            if (before->lines[k].tier == tier)
                unit = before->lines[k].unit_amount_minor;
        if (line->unit_amount_minor != unit)
            BREACH(hearing, 13, "a seat of tier '%.*s' costs %lld, not %lld",
                   TEXT_PRINT(line->tier_id), (long long)unit, (long long)line->unit_amount_minor);
        if (wanted && (wanted->count != event->lines.count ||
                       !text_equal(wanted->items[i].tier_id, line->tier_id) ||
                       wanted->items[i].quantity != line->quantity))
            BREACH(hearing, 14, "it holds other seats than were asked for");
        amount_minor += line->unit_amount_minor * line->quantity;
    }
    if (amount_minor != event->amount_minor || !text_equal(event->currency, show->currency))
        BREACH(hearing, 13, "the amount is %lld %.*s, but the lines make %lld %.*s",
               (long long)event->amount_minor, TEXT_PRINT(event->currency), (long long)amount_minor,
               TEXT_PRINT(show->currency));
    if (event->quantity != quantity_of_lines(&event->lines))
        BREACH(hearing, 2, "the quantity is %lld, but the lines make %lld",
               (long long)event->quantity, (long long)quantity_of_lines(&event->lines));
}

/* ---- holds ----------------------------------------------------------------------------------- */

static struct person *person_of(struct audit *audit, struct show *show, struct text party)
{
    struct person *person = map_find(&show->persons, party);
    if (person)
        return person;
    person = keep(audit, sizeof *person);
    person->party = keep_text(audit, party);
    map_insert_take(&show->persons, person->party, person);
    return person;
}

static struct hold *hold_new(struct hearing *hearing, struct show *show)
{
    struct audit *audit = hearing->audit;
    struct text id = hearing->event->reservation_id;
    const struct hold *before = map_find(&hearing->book->holds, id);
    struct hold *hold = keep(audit, sizeof *hold);
    if (before && !before->show->archived)
        BREACH(hearing, 3, "reservation %.*s had a hold already", TEXT_PRINT(id));
    if (before)
        map_remove(&hearing->book->holds, id);
    hold->reservation_id = keep_text(audit, id);
    hold->show = show;
    map_insert_take(&hearing->book->holds, hold->reservation_id, hold);
    list_add(&audit->holds, hold);
    return hold;
}

static void fold_held(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    check_grant(hearing, reason_not_to_hold(show, &event->lines, event, event->at_ms));
    check_price(hearing, NULL, show);
    if (hearing->input && (hearing->input->channel != event->channel ||
                           !both_same(message_has(event, party), event->party,
                                      message_has(hearing->input, party), hearing->input->party)))
        BREACH(hearing, 14, "it is held for another channel or party than asked");
    if (event->expires_at_ms != event->at_ms + show->hold_ttl_s * 1000)
        BREACH(hearing, 9, "a hold of this show lives %lld s, this one %lld ms",
               (long long)show->hold_ttl_s, (long long)(event->expires_at_ms - event->at_ms));
    struct hold *hold = hold_new(hearing, show);
    hold->state = HOLD_HELD;
    hold->channel = event->channel;
    hold->held_at_ms = event->at_ms;
    hold->expires_at_ms = event->expires_at_ms;
    hold->amount_minor = event->amount_minor;
    hold->place = hearing->place;
    hold->place_ms = hearing->append_ms;
    if (message_has(event, party))
        hold->person = person_of(hearing->audit, show, event->party);
    set_lines(hearing, hold, &event->lines);
    move_seats(show, hold, 1, 0);
    count_person(hold, hold->quantity);
    show->ever_held = true;
}

static void fold_resized(struct hearing *hearing, struct hold *hold)
{
    const struct message *event = hearing->event;
    check_grant(hearing, reason_not_to_resize(hold, &event->lines, event->at_ms));
    check_price(hearing, hold, hold->show);
    if (!same_lines(hold, &event->old_lines))
        BREACH(hearing, 2, "the hold had other lines before than it says");
    move_seats(hold->show, hold, -1, 0);
    count_person(hold, -hold->quantity);
    set_lines(hearing, hold, &event->lines);
    move_seats(hold->show, hold, 1, 0);
    count_person(hold, hold->quantity);
    hold->amount_minor = event->amount_minor;
}

/* 9: when it may end now. */
static int64_t extended_until(const struct hold *hold, const struct message *event,
                              const struct message *input)
{
    const struct show *show = hold->show;
    int64_t window_ms = show->pay_window_s * 1000;
    int64_t last_ms = hold->held_at_ms + show->hold_ttl_s * 1000 + window_ms;
    int64_t until_ms = event->at_ms + window_ms;
    switch ((int)event->cause) {
    case cause_pin:
        return hold->expires_at_ms + PIN_MS;
    case cause_staff:
        return input ? input->until_at_ms : event->expires_at_ms;
    }
    if (until_ms > last_ms)
        until_ms = last_ms;
    return until_ms > hold->expires_at_ms ? until_ms : hold->expires_at_ms;
}

static void check_charge(struct hearing *hearing, const struct hold *hold)
{
    const struct message *event = hearing->event;
    if (!message_has(event, lines) || !same_lines(hold, &event->lines) ||
        !message_has(event, amount_minor) || event->amount_minor != hold->amount_minor ||
        !message_has(event, currency) || !text_equal(event->currency, hold->show->currency))
        BREACH(hearing, 13, "what is to be paid is not what is held: %lld %.*s",
               (long long)hold->amount_minor, TEXT_PRINT(hold->show->currency));
    if (!message_has(event, pay_by_ms) || event->pay_by_ms != event->expires_at_ms)
        BREACH(hearing, 9, "it is to be paid until another time than the hold lasts");
}

static enum cause cause_for(const struct message *input)
{
    switch ((int)input->type) {
    case MESSAGE_ExtensionRequested:
        return cause_staff;
    case MESSAGE_PaymentUnknown:
        return cause_pin;
    }
    return cause_checkout;
}

static void check_extension_cause(struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    if (input && (event->cause != cause_for(input) ||
                  !both_same(message_has(event, payment_id), event->payment_id,
                             message_has(input, payment_id), input->payment_id)))
        BREACH(hearing, 14, "it names another cause or payment than that of the %s it answers",
               message_name(input->type));
}

static void fold_extended(struct hearing *hearing, struct hold *hold)
{
    const struct message *event = hearing->event, *input = hearing->input;
    check_extension_cause(hearing);
    if (input || event->cause != cause_staff)
        check_grant(hearing, reason_not_to_extend(hold, input, event->cause, event->at_ms));
    int64_t until_ms = extended_until(hold, event, input);
    if (event->expires_at_ms != until_ms)
        BREACH(hearing, 9, "the hold may last until %lld, not %lld", (long long)until_ms,
               (long long)event->expires_at_ms);
    if (event->cause == cause_checkout)
        check_charge(hearing, hold);
    hold->paying = hold->paying || event->cause == cause_checkout;
    hold->pinned = hold->pinned || event->cause == cause_pin;
    hold->expires_at_ms = event->expires_at_ms;
}

bool same_payment(const struct payment *a, const struct payment *b)
{
    return text_equal(a->payment_id, b->payment_id) && a->method == b->method &&
           a->amount_minor == b->amount_minor && text_equal(a->currency, b->currency) &&
           both_same(a->provider.data != NULL, a->provider, b->provider.data != NULL,
                     b->provider) &&
           both_same(a->provider_ref.data != NULL, a->provider_ref, b->provider_ref.data != NULL,
                     b->provider_ref);
}

static void check_sale(struct hearing *hearing, const struct hold *hold)
{
    const struct message *event = hearing->event;
    enum reason reason = reason_not_to_sell(hold, &event->payment);
    bool again = hold->state == HOLD_EXPIRED;
    if (hold->state == HOLD_SOLD)
        BREACH(hearing, 3, "the seats of reservation %.*s are sold a second time",
               TEXT_PRINT(hold->reservation_id));
    else if (hold->state != HOLD_HELD && reason != reason_COUNT)
        BREACH(hearing, 7, "sold without a live hold, though it was to be rejected: %s",
               reason_name(reason));
    else
        check_grant(hearing, reason);
    if (event->reacquired != again && hold->state != HOLD_SOLD)
        BREACH(hearing, 7,
               event->reacquired ? "reacquired, but the hold had not expired"
                                 : "sold as if held, but the hold had expired");
    if (!same_lines(hold, &event->lines) || event->quantity != hold->quantity)
        BREACH(hearing, 3, "it sells other seats than were held");
    if (hearing->input && !same_payment(&event->payment, &hearing->input->payment))
        BREACH(hearing, 12, "it is sold for another payment than the one that succeeded");
}

static void fold_sold(struct hearing *hearing, struct hold *hold)
{
    const struct message *event = hearing->event;
    check_sale(hearing, hold);
    bool was_held = hold->state == HOLD_HELD, again = hold->state == HOLD_SOLD;
    move_seats(hold->show, hold, was_held ? -1 : 0, 1);
    if (!was_held)
        count_person(hold, hold->quantity);
    hold->state = HOLD_SOLD;
    hold->left = hold->quantity;
    hold->left_amount_minor = hold->amount_minor;
    struct capture *capture = find_capture(hearing->audit, hearing->book, &event->payment);
    if (capture == NULL)
        BREACH(hearing, 12, "it is sold for payment %.*s, which never succeeded",
               TEXT_PRINT(event->payment.payment_id));
    else
        capture->sold = hold;
    if (!again)
        hold->paid = capture;
}

static void fold_end(struct hearing *hearing, struct hold *hold, enum hold_state state)
{
    const struct message *event = hearing->event;
    if (hold->state != HOLD_HELD)
        BREACH(hearing, 3, "%s of what is not held: its seats came back, or were sold, before",
               message_name(event->type));
    else
        move_seats(hold->show, hold, -1, 0);
    if (event->quantity != hold->quantity)
        BREACH(hearing, 3, "%lld seats come back, but %lld are held", (long long)event->quantity,
               (long long)hold->quantity);
    if (hold->state == HOLD_HELD)
        count_person(hold, -hold->quantity);
    hold->state = state;
}

static void fold_expired(struct hearing *hearing, struct hold *hold)
{
    const struct message *event = hearing->event;
    if (event->expires_at_ms != hold->expires_at_ms)
        BREACH(hearing, 9, "the customer was told another time: %lld",
               (long long)hold->expires_at_ms);
    if (event->at_ms < hold->expires_at_ms + HOLD_GRACE_MS)
        BREACH(hearing, 9, "it expired %lld ms before its time and grace were over",
               (long long)(hold->expires_at_ms + HOLD_GRACE_MS - event->at_ms));
    fold_end(hearing, hold, HOLD_EXPIRED);
}

/* ---- returning ------------------------------------------------------------------------------- */

static struct numbers sold_tickets(const struct hold *hold)
{
    struct numbers tickets = first_numbers(hold->quantity);
    if (hold->returned)
        numbers_remove(&tickets, hold->returned);
    return tickets;
}

static bool same_told_lines(const struct lines *a, const struct lines *b)
{
    bool same = a->count == b->count;
    for (int i = 0; same && i < a->count; i++)
        same = text_equal(a->items[i].tier_id, b->items[i].tier_id) &&
               a->items[i].quantity == b->items[i].quantity &&
               a->items[i].unit_amount_minor == b->items[i].unit_amount_minor;
    return same;
}

static void check_return(struct hearing *hearing, const struct hold *hold)
{
    const struct message *event = hearing->event, *input = hearing->input;
    struct numbers sold = sold_tickets(hold);
    if (!numbers_within(&event->numbers, &sold))
        BREACH(hearing, 11, "a ticket comes back that is not sold, or came back before");
    if (input &&
        !(message_has(input, numbers) ? numbers_within(&event->numbers, &input->numbers) &&
                                            numbers_within(&input->numbers, &event->numbers)
                                      : numbers_within(&sold, &event->numbers)))
        BREACH(hearing, 11, "other tickets come back than were to");
    if (input && (event->refund != input->refund ||
                  event->cause != (input->by == by_customer ? cause_customer
                                   : input->by == by_staff  ? cause_staff
                                                            : cause_show)))
        BREACH(hearing, 12, "it has another refund or cause than was asked for");
}

static void fold_returned(struct hearing *hearing, struct hold *hold)
{
    const struct message *event = hearing->event;
    struct show *show = hold->show;
    struct lines lines;
    int64_t amount_minor, count = tickets_of(hold, &event->numbers, &lines, &amount_minor);
    check_return(hearing, hold);
    if (count != event->quantity || !same_told_lines(&lines, &event->lines))
        BREACH(hearing, 11, "%lld seats come back, but its tickets are %lld",
               (long long)event->quantity, (long long)count);
    if (amount_minor != event->amount_minor || !text_equal(event->currency, show->currency))
        BREACH(hearing, 13, "its tickets cost %lld %.*s, not %lld", (long long)amount_minor,
               TEXT_PRINT(show->currency), (long long)event->amount_minor);
    if (hold->paid && find_capture(hearing->audit, hearing->book, &event->payment) != hold->paid)
        BREACH(hearing, 12, "it names payment %.*s, but the seats were paid by another",
               TEXT_PRINT(event->payment.payment_id));
    for (int i = 0; i < lines.count; i++) {
        int tier = find_tier(show, lines.items[i].tier_id);
        show->sold -= lines.items[i].quantity;
        if (tier >= 0)
            show->tiers[tier].sold -= lines.items[i].quantity;
    }
    count_person(hold, -count);
    if (hold->returned == NULL)
        hold->returned = keep(hearing->audit, sizeof *hold->returned);
    numbers_join(hold->returned, &event->numbers);
    hold->left -= count;
    hold->left_amount_minor -= amount_minor;
    if (event->refund == refund_none)
        hold->kept_on_return_minor += amount_minor;
    if (hold->left <= 0)
        hold->state = HOLD_RETURNED;
}

static void check_release(struct hearing *hearing, const struct hold *hold)
{
    if (hearing->input)
        check_grant(hearing, reason_not_to_release(hold, hearing->input, hearing->event->at_ms));
    bool sold = hold->state == HOLD_SOLD;
    if (sold != (hearing->event->type == MESSAGE_SeatsReturned))
        BREACH(hearing, 3, sold ? "released, but the seats are sold" : "returned, but never sold");
}

static void fold_hold(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    if (event->type == MESSAGE_SeatsHeld) {
        fold_held(hearing, show);
        return;
    }
    struct hold *hold = find_hold(hearing->book, event);
    if (hold == NULL) {
        BREACH(hearing, event->type == MESSAGE_SeatsSold ? 7 : 3,
               "%s of reservation %.*s, which never had a hold", message_name(event->type),
               TEXT_PRINT(event->reservation_id));
        return;
    }
    switch ((int)event->type) {
    case MESSAGE_HoldResized:
        fold_resized(hearing, hold);
        break;
    case MESSAGE_HoldExtended:
        fold_extended(hearing, hold);
        break;
    case MESSAGE_SeatsSold:
        fold_sold(hearing, hold);
        break;
    case MESSAGE_HoldReleased:
        check_release(hearing, hold);
        fold_end(hearing, hold, HOLD_RELEASED);
        break;
    case MESSAGE_HoldExpired:
        fold_expired(hearing, hold);
        break;
    case MESSAGE_SeatsReturned:
        check_release(hearing, hold);
        fold_returned(hearing, hold);
        break;
    }
    hold->place = hearing->place;
    hold->place_ms = hearing->append_ms;
}

/* ---- rejections: 5 --------------------------------------------------------------------------- */

static enum reason right_reason(const struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    const struct hold *hold = find_hold(hearing->book, event);
    switch ((int)event->type) {
    case MESSAGE_HoldRejected:
        return reason_not_to_hold(find_show(hearing->book, event), &input->wanted, input,
                                  event->at_ms);
    case MESSAGE_ResizeRejected:
        return reason_not_to_resize(hold, &input->wanted, event->at_ms);
    case MESSAGE_ExtensionRejected:
        return reason_not_to_extend(hold, input, event->cause, event->at_ms);
    case MESSAGE_SaleRejected:
        return reason_not_to_sell(hold, &input->payment);
    }
    return reason_not_to_release(hold, input, event->at_ms);
}

static void fold_rejection(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    bool there = show && show->created && !show->archived;
    if (event->type == MESSAGE_ExtensionRejected)
        check_extension_cause(hearing);
    if (hearing->input) {
        enum reason reason = right_reason(hearing);
        if (reason != event->reason)
            BREACH(hearing, 5, "rejected as %s, but %s%s", reason_name(event->reason),
                   reason == reason_COUNT ? "nothing stands against it"
                                          : "the first that applies is ",
                   reason == reason_COUNT ? "" : reason_name(reason));
    }
    if (event->type == MESSAGE_SaleRejected) {
        struct capture *capture = find_capture(hearing->audit, hearing->book, &event->payment);
        if (hearing->input && !same_payment(&event->payment, &hearing->input->payment))
            BREACH(hearing, 12, "it rejects another payment than the one that succeeded");
        if (capture)
            capture->rejected = true;
    }
    if (message_has(event, seq) != there || message_has(event, after) != there)
        BREACH(hearing, 2,
               there ? "it does not say how the show is"
                     : "it says how a show is that is not there");
    if (!there || !message_has(event, seq) || !message_has(event, after))
        return;
    if (event->seq != show->seq)
        BREACH(hearing, 2, "it was rejected at seq %lld, but the show is at %lld",
               (long long)event->seq, (long long)show->seq);
    check_after(hearing, show);
}

static bool is_rejection(enum message_type type)
{
    return type == MESSAGE_HoldRejected || type == MESSAGE_ResizeRejected ||
           type == MESSAGE_ExtensionRejected || type == MESSAGE_SaleRejected ||
           type == MESSAGE_ReleaseRejected;
}

/* ---- all ------------------------------------------------------------------------------------- */

static void fold_change(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    bool created = event->type == MESSAGE_ShowCreated;
    if (created == show->created || show->archived) {
        BREACH(hearing, created ? 4 : 14, "%s of show '%.*s', which is %s",
               message_name(event->type), TEXT_PRINT(event->show_id),
               show->archived  ? "archived"
               : show->created ? "there already"
                               : "not there");
        return;
    }
    if (event->seq != show->seq + 1)
        BREACH(hearing, 2, "seq %lld follows %lld", (long long)event->seq, (long long)show->seq);
    show->seq = event->seq;
    if (show->cancelled && message_role(event->type) == ROLE_EVENT && hearing->input &&
        message_role(hearing->input->type) == ROLE_COMMAND)
        BREACH(hearing, 10, "%s after the show was cancelled", message_name(event->type));
    if (!fold_show(hearing, show))
        fold_hold(hearing, show);
    check_after(hearing, show);
}

void fold_seats(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    struct show *show = find_show(hearing->book, event);
    if (is_rejection(event->type)) {
        fold_rejection(hearing, show);
    } else if (event->type != MESSAGE_Refused) {
        show = show_of(hearing->audit, hearing->book, event->show_id);
        fold_change(hearing, show);
    }
    if (show && show->created && !show->archived)
        remember_answer(&show->commands, event);
}

enum answer answer_of_shows(const struct book *book, const struct message *input)
{
    const struct show *show = find_show(book, input);
    if (message_role(input->type) != ROLE_COMMAND)
        return ANSWER_MUST;
    if (show == NULL || !show->created || show->archived)
        return ANSWER_MUST;
    bool repeat = input->type == MESSAGE_CreateShow
                      ? text_equal(show->fingerprint, input->fingerprint)
                      : recent_ask(&show->commands, input->id, input->fingerprint) == RECENT_REPEAT;
    return repeat ? ANSWER_NONE : ANSWER_MUST;
}

/* 15: by the log's clock, as far as its last record shows it. */
void seats_at_rest(struct audit *audit)
{
    for (size_t i = 0; i < audit->holds.count; i++) {
        const struct hold *hold = audit->holds.items[i];
        if (hold->state == HOLD_HELD && !hold->show->archived &&
            hold->expires_at_ms + HOLD_GRACE_MS < audit->newest_ms)
            breach_at(audit, 15, &hold->place, hold->place_ms,
                      "reservation %.*s still holds %lld seats, %lld s after its time and grace",
                      TEXT_PRINT(hold->reservation_id), (long long)hold->quantity,
                      (long long)(audit->newest_ms - hold->expires_at_ms - HOLD_GRACE_MS) / 1000);
    }
}
