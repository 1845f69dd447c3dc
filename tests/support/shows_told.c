/* Books kept from events alone, written after messages.md and not after the core: sums are counted
 * anew each time, and nothing is remembered that an event does not say. */
#include "tests/support/shows_told.h"

#include "base/memory.h"
#include "services/shows/shows_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SHOWS_MAX = 16, HOLDS_MAX = 512, BLOCKS_MAX = 8, WORD_SIZE = 40 };
enum { GRACE_MS = 30000, PINNED_MS = 1800000 };
#define DAYS_30_MS INT64_C(2592000000)
#define NO_REASON  reason_COUNT

enum told_state { NEVER, HELD, SOLD, RELEASED, EXPIRED, RETURNED };

struct told_tier {
    char tier_id[WORD_SIZE];
    int64_t price, capacity; /* -1: no cap */
    int64_t held, sold;
};

struct told_show {
    char show_id[WORD_SIZE], currency[4];
    bool paused, cancelled, archived, ever_held;
    int64_t seq, capacity, oversold_by, starts_at_ms, on_sale_at_ms, off_sale_at_ms;
    int64_t customer_cancel_until_ms, max_per_order, max_per_person, hold_ttl_ms, pay_window_ms;
    char block_ids[BLOCKS_MAX][WORD_SIZE];
    int64_t blocks[BLOCKS_MAX];
    int tier_count;
    struct told_tier tiers[TIERS_MAX];
};

struct told_line {
    char tier_id[WORD_SIZE];
    int64_t quantity, price;
};

struct told_lines {
    int count;
    struct told_line items[LINES_MAX];
};

struct told_hold {
    char reservation_id[WORD_SIZE], party[WORD_SIZE], payment_id[WORD_SIZE];
    struct told_show *show;
    enum told_state state;
    enum channel channel;
    bool paying, pinned;
    struct told_lines lines; /* as held or sold: tickets are numbered through them */
    bool back[NUMBERS_MAX + 1];
    int64_t paid_minor, held_at_ms, expires_at_ms;
};

struct told {
    struct play *play;
    int64_t last_ms; /* of the last outcome */
    int show_count, hold_count;
    struct told_show shows[SHOWS_MAX];
    struct told_hold holds[HOLDS_MAX];
};

/* ---- looking up ------------------------------------------------------------------------------ */

static void set_word(char *target, size_t size, struct text text)
{
    assert_in_range(text.size, 0, size - 1);
    snprintf(target, size, "%.*s", TEXT_PRINT(text));
}

static struct told_show *find_show(const struct told *told, struct text show_id)
{
    for (int i = 0; i < told->show_count; i++)
        if (text_is(show_id, told->shows[i].show_id))
            return (struct told_show *)(uintptr_t)&told->shows[i];
    return NULL;
}

static struct told_hold *find_hold(const struct told *told, struct text reservation_id)
{
    for (int i = 0; i < told->hold_count; i++)
        if (text_is(reservation_id, told->holds[i].reservation_id))
            return (struct told_hold *)(uintptr_t)&told->holds[i];
    return NULL;
}

/* The hold that a message of that show means; an archived show has none. */
static struct told_hold *hold_of(const struct told *told, const struct message *message)
{
    struct told_hold *hold = find_hold(told, message->reservation_id);
    return hold && hold->state != NEVER && text_is(message->show_id, hold->show->show_id) ? hold
                                                                                          : NULL;
}

static struct told_tier *find_tier(const struct told_show *show, const char *tier_id)
{
    for (int i = 0; i < show->tier_count; i++)
        if (strcmp(show->tiers[i].tier_id, tier_id) == 0)
            return (struct told_tier *)(uintptr_t)&show->tiers[i];
    return NULL;
}

/* ---- counting -------------------------------------------------------------------------------- */

struct sums {
    int64_t held, sold, blocked, rest;
};

static struct sums sums_of(const struct told_show *show)
{
    struct sums sums = {0};
    for (int i = 0; i < show->tier_count; i++) {
        sums.held += show->tiers[i].held;
        sums.sold += show->tiers[i].sold;
    }
    for (int i = 0; i < BLOCKS_MAX; i++)
        sums.blocked += show->blocks[i];
    sums.rest = show->capacity - sums.held - sums.sold - sums.blocked;
    return sums;
}

static int64_t not_below_zero(int64_t number)
{
    return number > 0 ? number : 0;
}

static int64_t free_seats(const struct told_show *show)
{
    return not_below_zero(sums_of(show).rest);
}

/* The lines of these tickets; NULL: of all that did not come back. */
static struct told_lines lines_of(const struct told_hold *hold, const struct numbers *tickets)
{
    struct told_lines lines = {0};
    int64_t ticket = 0;
    for (int i = 0; i < hold->lines.count; i++) {
        struct told_line line = hold->lines.items[i];
        line.quantity = 0;
        for (int64_t k = 0; k < hold->lines.items[i].quantity; k++) {
            ticket++;
            line.quantity += tickets ? numbers_has(tickets, ticket) : !hold->back[ticket];
        }
        if (line.quantity)
            lines.items[lines.count++] = line;
    }
    return lines;
}

static int64_t quantity_of(const struct told_lines *lines)
{
    int64_t sum = 0;
    for (int i = 0; i < lines->count; i++)
        sum += lines->items[i].quantity;
    return sum;
}

static int64_t amount_of(const struct told_lines *lines)
{
    int64_t sum = 0;
    for (int i = 0; i < lines->count; i++)
        sum += lines->items[i].quantity * lines->items[i].price;
    return sum;
}

static int64_t seats_of(const struct told_hold *hold)
{
    struct told_lines lines = lines_of(hold, NULL);
    return quantity_of(&lines);
}

/* What somebody has of a show, held or sold. */
static int64_t seats_of_person(const struct told *told, const struct told_show *show,
                               const char *party)
{
    int64_t sum = 0;
    for (int i = 0; i < told->hold_count; i++) {
        const struct told_hold *hold = &told->holds[i];
        if (hold->show == show && (hold->state == HELD || hold->state == SOLD) &&
            strcmp(hold->party, party) == 0)
            sum += seats_of(hold);
    }
    return sum;
}

/* ---- why not: the ladders -------------------------------------------------------------------- */

/* Somebody asks for seats. */
struct ask {
    const struct told *told;
    const struct told_show *show;
    const struct told_hold *hold; /* what shall change; NULL: it is new */
    struct told_lines wanted;     /* with the price it would have */
    enum channel channel;
    char party[WORD_SIZE]; /* "": not said */
    int64_t now_ms;
};

static int64_t sum_of_tier(const struct told_lines *lines, const char *tier_id)
{
    int64_t sum = 0;
    for (int i = 0; i < lines->count; i++)
        if (strcmp(lines->items[i].tier_id, tier_id) == 0)
            sum += lines->items[i].quantity;
    return sum;
}

static int64_t more_of_tier(const struct ask *ask, const char *tier_id)
{
    int64_t own = ask->hold ? sum_of_tier(&ask->hold->lines, tier_id) : 0;
    return sum_of_tier(&ask->wanted, tier_id) - own;
}

static int64_t more(const struct ask *ask)
{
    return quantity_of(&ask->wanted) - (ask->hold ? seats_of(ask->hold) : 0);
}

static struct ask ask_of(const struct told *told, const struct told_show *show,
                         const struct told_hold *hold, const struct message *input, int64_t now_ms)
{
    struct ask ask = {.told = told, .show = show, .hold = hold, .now_ms = now_ms};
    ask.channel = hold ? hold->channel : input->channel;
    if (hold)
        memcpy(ask.party, hold->party, sizeof ask.party);
    else if (message_has(input, party))
        set_word(ask.party, sizeof ask.party, input->party);
    ask.wanted.count = input->wanted.count;
    for (int i = 0; i < input->wanted.count; i++) {
        struct told_line *line = &ask.wanted.items[i];
        set_word(line->tier_id, sizeof line->tier_id, input->wanted.items[i].tier_id);
        line->quantity = input->wanted.items[i].quantity;
        const struct told_tier *tier = find_tier(show, line->tier_id);
        line->price = tier ? tier->price : 0;
        for (int k = 0; hold && k < hold->lines.count; k++)
            if (strcmp(hold->lines.items[k].tier_id, line->tier_id) == 0)
                line->price = hold->lines.items[k].price;
    }
    return ask;
}

static enum reason why_not_open(const struct ask *ask)
{
    bool any = false;
    for (int i = 0; i < ask->wanted.count; i++)
        any = any || more_of_tier(ask, ask->wanted.items[i].tier_id) > 0;
    if (any && ask->channel != channel_boxoffice && ask->now_ms < ask->show->on_sale_at_ms)
        return reason_not_on_sale;
    if (any && ask->show->paused)
        return reason_sale_paused;
    if (any && ask->channel != channel_boxoffice && ask->now_ms >= ask->show->off_sale_at_ms)
        return reason_sale_closed;
    return NO_REASON;
}

static enum reason why_not_allowed(const struct ask *ask)
{
    const struct told_show *show = ask->show;
    int64_t quantity = quantity_of(&ask->wanted);
    for (int i = 0; i < ask->wanted.count; i++)
        if (find_tier(show, ask->wanted.items[i].tier_id) == NULL)
            return reason_no_such_tier;
    if ((more(ask) > 0 && quantity > show->max_per_order) ||
        amount_of(&ask->wanted) > INT64_C(1000000000000))
        return reason_limit;
    if (more(ask) <= 0 || show->max_per_person == 0)
        return NO_REASON;
    if (ask->party[0] == '\0')
        return reason_party_required;
    return seats_of_person(ask->told, show, ask->party) + more(ask) > show->max_per_person
               ? reason_person_limit
               : NO_REASON;
}

static enum reason why_no_seats(const struct ask *ask)
{
    struct sums sums = sums_of(ask->show);
    bool grows = more(ask) > 0;
    bool gone = grows && quantity_of(&ask->wanted) > ask->show->capacity - sums.sold - sums.blocked;
    bool taken = grows && more(ask) > sums.rest;
    for (int i = 0; i < ask->wanted.count; i++) {
        const char *tier_id = ask->wanted.items[i].tier_id;
        const struct told_tier *tier = find_tier(ask->show, tier_id);
        int64_t more_here = more_of_tier(ask, tier_id);
        if (tier->capacity < 0 || more_here <= 0)
            continue;
        gone = gone || sum_of_tier(&ask->wanted, tier_id) > tier->capacity - tier->sold;
        taken = taken || more_here > tier->capacity - tier->sold - tier->held;
    }
    return gone ? reason_sold_out : taken ? reason_all_held : NO_REASON;
}

static enum reason why_not_seats(const struct ask *ask)
{
    enum reason reason = why_not_open(ask);
    if (reason == NO_REASON)
        reason = why_not_allowed(ask);
    return reason == NO_REASON ? why_no_seats(ask) : reason;
}

static enum reason why_not_hold(const struct told *told, const struct message *input,
                                int64_t now_ms)
{
    const struct told_show *show = find_show(told, input->show_id);
    if (show == NULL)
        return reason_no_such_show;
    if (show->archived)
        return reason_archived;
    if (show->cancelled)
        return reason_show_cancelled;
    struct ask ask = ask_of(told, show, NULL, input, now_ms);
    return why_not_seats(&ask);
}

static enum reason why_not_resize(const struct told *told, const struct message *input,
                                  int64_t now_ms)
{
    const struct told_hold *hold = hold_of(told, input);
    if (hold == NULL || hold->state != HELD)
        return reason_gone;
    if (hold->paying)
        return reason_paying;
    if (hold->show->cancelled)
        return reason_show_cancelled;
    struct ask ask = ask_of(told, hold->show, hold, input, now_ms);
    return why_not_seats(&ask);
}

static enum reason why_not_extend(const struct told *told, const struct message *input,
                                  int64_t now_ms)
{
    const struct told_hold *hold = hold_of(told, input);
    if (hold == NULL || hold->state != HELD)
        return reason_gone;
    if (hold->show->cancelled)
        return reason_show_cancelled;
    if (input->type == MESSAGE_PaymentUnknown && hold->pinned)
        return reason_limit;
    if (input->type == MESSAGE_ExtensionRequested &&
        (input->until_at_ms < now_ms || input->until_at_ms > hold->show->starts_at_ms))
        return reason_deadline;
    return NO_REASON;
}

static enum reason why_not_again(const struct told *told, const struct told_hold *hold)
{
    struct ask ask = {.told = told, .show = hold->show, .wanted = hold->lines};
    if (why_no_seats(&ask) != NO_REASON)
        return reason_sold_out;
    bool counted = hold->party[0] && hold->show->max_per_person;
    return counted && seats_of_person(told, hold->show, hold->party) + more(&ask) >
                          hold->show->max_per_person
               ? reason_person_limit
               : NO_REASON;
}

static enum reason why_not_sell(const struct told *told, const struct message *input)
{
    const struct told_hold *hold = hold_of(told, input);
    if (hold == NULL)
        return reason_unknown_reservation;
    if (hold->state == SOLD)
        return reason_already_sold;
    if (hold->show->cancelled)
        return reason_show_cancelled;
    if (hold->state != HELD && hold->state != EXPIRED)
        return reason_gone;
    if (input->payment.amount_minor != amount_of(&hold->lines) ||
        !text_is(input->payment.currency, hold->show->currency))
        return reason_amount;
    return hold->state == EXPIRED ? why_not_again(told, hold) : NO_REASON;
}

static enum reason why_not_release(const struct told *told, const struct message *input,
                                   int64_t now_ms)
{
    const struct told_hold *hold = hold_of(told, input);
    if (hold == NULL || (hold->state != HELD && hold->state != SOLD))
        return reason_gone;
    if (message_has(input, numbers)) {
        int64_t all = quantity_of(&hold->lines);
        for (int64_t at = numbers_next(&input->numbers, 0); at;
             at = numbers_next(&input->numbers, at))
            if (hold->state != SOLD || at > all || hold->back[at])
                return reason_gone;
    }
    if (hold->state == HELD)
        return NO_REASON;
    if (input->expect == expect_hold)
        return reason_already_sold;
    return input->by == by_customer && now_ms >= hold->show->customer_cancel_until_ms
               ? reason_too_late
               : NO_REASON;
}

static enum reason why_not(const struct told *told, const struct message *input, int64_t now_ms)
{
    switch ((int)input->type) {
    case MESSAGE_ReservationRequested:
        return why_not_hold(told, input, now_ms);
    case MESSAGE_ChangeRequested:
        return why_not_resize(told, input, now_ms);
    case MESSAGE_ExtensionRequested:
    case MESSAGE_CheckoutStarted:
    case MESSAGE_PaymentUnknown:
        return why_not_extend(told, input, now_ms);
    case MESSAGE_PaymentSucceeded:
        return why_not_sell(told, input);
    case MESSAGE_CancellationRequested:
        return why_not_release(told, input, now_ms);
    }
    return NO_REASON; /* commands are refused by code */
}

/* ---- what is there to be had ----------------------------------------------------------------- */

static int64_t could_have(const struct told *told, const struct message *input)
{
    const struct told_hold *hold = hold_of(told, input);
    const struct told_show *show = find_show(told, input->show_id);
    bool resize = input->type == MESSAGE_ChangeRequested;
    if (show == NULL || show->archived || (resize && (hold == NULL || hold->state != HELD)))
        return 0;
    if (resize && hold->paying)
        return seats_of(hold);
    int64_t free = free_seats(show), sum = 0;
    struct ask ask = ask_of(told, show, NULL, input, 0);
    for (int i = 0; i < ask.wanted.count; i++) {
        const struct told_tier *tier = find_tier(show, ask.wanted.items[i].tier_id);
        if (tier)
            sum += tier->capacity < 0 ? free
                                      : not_below_zero(tier->capacity - tier->held - tier->sold);
    }
    return (resize ? seats_of(hold) : 0) + (sum < free ? sum : free);
}

static void check_rejection(const struct told *told, const struct message *input,
                            const struct message *event)
{
    const struct told_show *show = find_show(told, input->show_id);
    bool known = show && !show->archived;
    assert_int_equal(message_has(event, seq), known);
    assert_int_equal(message_has(event, after), known);
    assert_true(text_equal(event->reservation_id, input->reservation_id));
    assert_true(text_equal(event->show_id, input->show_id));
    assert_int_equal(message_has(event, payment_id), message_has(input, payment_id));
    if (message_has(event, available))
        assert_int_equal(event->available, could_have(told, input));
    assert_int_equal(message_has(event, retry_after_s), event->reason == reason_all_held);
}

/* ---- folding: the show ----------------------------------------------------------------------- */

/* The tiers of an event in their order; what was held and sold of them stays. */
static void fold_tiers(struct told_show *show, const struct tiers *tiers)
{
    struct told_show before = *show;
    show->tier_count = tiers->count;
    for (int i = 0; i < tiers->count; i++) {
        struct told_tier *tier = &show->tiers[i];
        *tier = (struct told_tier){.price = tiers->items[i].amount_minor,
                                   .capacity = tiers->items[i].capacity};
        set_word(tier->tier_id, sizeof tier->tier_id, tiers->items[i].tier_id);
        const struct told_tier *old = find_tier(&before, tier->tier_id);
        tier->held = old ? old->held : 0;
        tier->sold = old ? old->sold : 0;
        assert_true(tier->capacity < 0 || tier->capacity >= tier->held + tier->sold);
    }
    for (int i = 0; before.ever_held && i < before.tier_count; i++)
        assert_non_null(find_tier(show, before.tiers[i].tier_id));
}

static void fold_show(struct told_show *show, const struct message *event)
{
    assert_true(!show->ever_held || text_is(event->currency, show->currency));
    set_word(show->currency, sizeof show->currency, event->currency);
    fold_tiers(show, &event->tiers);
    show->capacity = event->capacity;
    show->starts_at_ms = event->starts_at_ms;
    show->on_sale_at_ms = event->on_sale_at_ms;
    show->off_sale_at_ms = event->off_sale_at_ms;
    show->customer_cancel_until_ms = event->customer_cancel_until_ms;
    show->max_per_order = event->max_per_order;
    show->max_per_person = message_has(event, max_per_person) ? event->max_per_person : 0;
    show->hold_ttl_ms = event->hold_ttl_s * 1000;
    show->pay_window_ms = event->pay_window_s * 1000;
}

static void fold_capacity(struct told_show *show, const struct message *event)
{
    bool below = event->capacity < show->capacity - sums_of(show).rest;
    assert_int_equal(event->old_capacity, show->capacity);
    assert_int_equal(event->forced, below);
    show->capacity = event->capacity;
}

static void fold_block(struct told_show *show, const struct message *event)
{
    for (int i = 0; i < BLOCKS_MAX; i++) {
        if (show->block_ids[i][0] && !text_is(event->block_id, show->block_ids[i]))
            continue;
        assert_true(event->block_quantity - show->blocks[i] <= free_seats(show));
        set_word(show->block_ids[i], WORD_SIZE, event->block_id);
        show->blocks[i] = event->block_quantity;
        return;
    }
    fail_msg("too many blocks for this test");
}

static void check_archiving(const struct told *told, const struct told_show *show,
                            const struct message *event)
{
    int64_t due_ms = show->starts_at_ms + DAYS_30_MS;
    assert_int_equal(event->at_ms, due_ms > told->last_ms ? due_ms : told->last_ms);
    assert_int_equal(sums_of(show).held, 0);
    assert_true(!show->cancelled || sums_of(show).sold == 0);
}

/* ---- folding: a hold ------------------------------------------------------------------------- */

static void move(struct told_show *show, const struct told_lines *lines, int64_t held, int64_t sold)
{
    for (int i = 0; i < lines->count; i++) {
        struct told_tier *tier = find_tier(show, lines->items[i].tier_id);
        tier->held += held * lines->items[i].quantity;
        tier->sold += sold * lines->items[i].quantity;
        assert_true(tier->held >= 0 && tier->sold >= 0);
    }
}

static void expect_lines(const struct lines *said, const struct told_lines *lines)
{
    assert_int_equal(said->count, lines->count);
    for (int i = 0; i < lines->count; i++) {
        assert_true(text_is(said->items[i].tier_id, lines->items[i].tier_id));
        assert_int_equal(said->items[i].quantity, lines->items[i].quantity);
        assert_int_equal(said->items[i].unit_amount_minor, lines->items[i].price);
    }
}

/* The lines of the event, what they sum up to, and its currency. */
static void expect_seats(const struct told_show *show, const struct message *event,
                         const struct told_lines *lines)
{
    expect_lines(&event->lines, lines);
    assert_int_equal(event->quantity, quantity_of(lines));
    if (message_has(event, amount_minor))
        assert_int_equal(event->amount_minor, amount_of(lines));
    if (message_has(event, currency))
        assert_true(text_is(event->currency, show->currency));
}

static void fold_held(struct told *told, struct told_show *show, const struct message *input,
                      const struct message *event)
{
    struct told_hold *hold = find_hold(told, event->reservation_id);
    if (hold == NULL) {
        hold = &told->holds[told->hold_count++];
        assert_in_range(told->hold_count, 1, HOLDS_MAX);
    }
    assert_int_equal(hold->state, NEVER);
    struct ask ask = ask_of(told, show, NULL, input, event->at_ms);
    *hold = (struct told_hold){.show = show, .state = HELD, .channel = event->channel};
    set_word(hold->reservation_id, WORD_SIZE, event->reservation_id);
    if (message_has(event, party))
        set_word(hold->party, WORD_SIZE, event->party);
    assert_string_equal(hold->party, ask.party);
    assert_int_equal(event->channel, input->channel);
    hold->lines = ask.wanted;
    hold->held_at_ms = event->at_ms;
    hold->expires_at_ms = event->expires_at_ms;
    assert_int_equal(event->expires_at_ms, event->at_ms + show->hold_ttl_ms);
    expect_seats(show, event, &hold->lines);
    move(show, &hold->lines, 1, 0);
    show->ever_held = true;
}

static void fold_resized(struct told *told, struct told_hold *hold, const struct message *input,
                         const struct message *event)
{
    struct ask ask = ask_of(told, hold->show, hold, input, event->at_ms);
    assert_int_equal(hold->state, HELD);
    expect_lines(&event->old_lines, &hold->lines);
    expect_seats(hold->show, event, &ask.wanted);
    move(hold->show, &hold->lines, -1, 0);
    move(hold->show, &ask.wanted, 1, 0);
    hold->lines = ask.wanted;
}

static void fold_checkout(struct told_hold *hold, const struct message *event)
{
    int64_t last_ms = hold->held_at_ms + hold->show->hold_ttl_ms + hold->show->pay_window_ms;
    int64_t until_ms = event->at_ms + hold->show->pay_window_ms;
    until_ms = until_ms < last_ms ? until_ms : last_ms;
    until_ms = until_ms > hold->expires_at_ms ? until_ms : hold->expires_at_ms;
    assert_int_equal(event->expires_at_ms, until_ms);
    assert_int_equal(event->pay_by_ms, until_ms);
    assert_int_equal(event->amount_minor, amount_of(&hold->lines));
    assert_true(text_is(event->currency, hold->show->currency));
    expect_lines(&event->lines, &hold->lines);
    hold->paying = true;
}

/* Invariant 9. */
static void fold_extended(struct told_hold *hold, const struct message *input,
                          const struct message *event)
{
    assert_int_equal(hold->state, HELD);
    if (message_has(input, payment_id))
        assert_true(text_equal(event->payment_id, input->payment_id));
    switch ((int)input->type) {
    case MESSAGE_CheckoutStarted:
        assert_int_equal(event->cause, cause_checkout);
        fold_checkout(hold, event);
        break;
    case MESSAGE_PaymentUnknown:
        assert_int_equal(event->cause, cause_pin);
        assert_int_equal(event->expires_at_ms, hold->expires_at_ms < TIME_MS_MAX - PINNED_MS
                                                   ? hold->expires_at_ms + PINNED_MS
                                                   : TIME_MS_MAX);
        hold->pinned = true;
        break;
    default:
        assert_int_equal(event->cause, cause_staff);
        assert_int_equal(event->expires_at_ms, input->until_at_ms);
    }
    if (event->cause != cause_checkout)
        assert_false(message_has(event, pay_by_ms) || message_has(event, lines) ||
                     message_has(event, amount_minor) || message_has(event, currency));
    hold->expires_at_ms = event->expires_at_ms;
}

static void fold_sold(struct told_hold *hold, const struct message *input,
                      const struct message *event)
{
    bool again = hold->state == EXPIRED;
    assert_true(hold->state == HELD || again);
    assert_int_equal(event->reacquired, again);
    assert_true(text_equal(event->payment.payment_id, input->payment.payment_id));
    expect_seats(hold->show, event, &hold->lines);
    move(hold->show, &hold->lines, again ? 0 : -1, 1);
    set_word(hold->payment_id, WORD_SIZE, event->payment.payment_id);
    hold->paid_minor = event->payment.amount_minor;
    hold->state = SOLD;
}

static void fold_returned(struct told_hold *hold, const struct message *input,
                          const struct message *event)
{
    static const enum cause causes[] = {cause_customer, cause_staff, cause_show};
    struct told_lines lines = lines_of(hold, message_has(input, numbers) ? &input->numbers : NULL);
    struct told_lines said = lines_of(hold, &event->numbers);
    assert_int_equal(hold->state, SOLD);
    expect_seats(hold->show, event, &lines);
    assert_int_equal(quantity_of(&said), event->quantity);
    assert_int_equal(numbers_count(&event->numbers), event->quantity);
    assert_true(text_is(event->payment.payment_id, hold->payment_id));
    assert_int_equal(event->payment.amount_minor, hold->paid_minor);
    assert_int_equal(event->refund, input->refund);
    assert_int_equal(event->cause, causes[input->by]);
    move(hold->show, &lines, 0, -1);
    for (int64_t at = 1; at <= NUMBERS_MAX; at++) {
        if (!numbers_has(&event->numbers, at))
            continue;
        assert_false(hold->back[at]); /* each ticket once */
        hold->back[at] = true;
    }
    if (seats_of(hold) == 0)
        hold->state = RETURNED;
}

static void fold_ended(struct told *told, struct told_hold *hold, const struct message *event)
{
    assert_int_equal(hold->state, HELD);
    assert_int_equal(event->quantity, seats_of(hold));
    move(hold->show, &hold->lines, -1, 0);
    hold->state = RELEASED;
    if (event->type == MESSAGE_HoldReleased)
        return;
    int64_t due_ms = hold->expires_at_ms + GRACE_MS;
    assert_int_equal(event->expires_at_ms, hold->expires_at_ms);
    assert_int_equal(event->at_ms, due_ms > told->last_ms ? due_ms : told->last_ms);
    hold->state = EXPIRED;
}

/* Invariant 3: the life of a hold. */
static void fold_hold(struct told *told, struct told_show *show, const struct message *input,
                      const struct message *event)
{
    struct told_hold *hold = hold_of(told, event);
    if (event->type == MESSAGE_SeatsHeld) {
        fold_held(told, show, input, event);
        return;
    }
    assert_non_null(hold);
    switch ((int)event->type) {
    case MESSAGE_HoldResized:
        fold_resized(told, hold, input, event);
        return;
    case MESSAGE_HoldExtended:
        fold_extended(hold, input, event);
        return;
    case MESSAGE_SeatsSold:
        fold_sold(hold, input, event);
        return;
    case MESSAGE_SeatsReturned:
        fold_returned(hold, input, event);
        return;
    }
    fold_ended(told, hold, event);
}

/* ---- folding: all ---------------------------------------------------------------------------- */

/* Invariants 1 and 2: `after` is this fold, and nothing is sold beyond the capacity. */
static void check_after(struct told_show *show, const struct message *event)
{
    const struct after *after = &event->after;
    struct sums sums = sums_of(show);
    assert_int_equal(after->tier_count, show->tier_count);
    for (int i = 0; i < show->tier_count; i++) {
        assert_true(text_is(after->tiers[i].tier_id, show->tiers[i].tier_id));
        assert_int_equal(after->tiers[i].held, show->tiers[i].held);
        assert_int_equal(after->tiers[i].sold, show->tiers[i].sold);
    }
    assert_int_equal(after->capacity, show->capacity);
    assert_int_equal(after->held, sums.held);
    assert_int_equal(after->sold, sums.sold);
    assert_int_equal(after->blocked, sums.blocked);
    assert_int_equal(after->free, not_below_zero(sums.rest));
    assert_int_equal(after->oversold_by, not_below_zero(-sums.rest));
    if (after->oversold_by > show->oversold_by)
        assert_true(event->type == MESSAGE_CapacityChanged && event->forced);
    show->oversold_by = after->oversold_by;
}

static void fold_switch(struct told_show *show, const struct message *event)
{
    switch ((int)event->type) {
    case MESSAGE_SaleOpened:
        show->paused = false;
        return;
    case MESSAGE_SalePaused:
        show->paused = true;
        return;
    case MESSAGE_ShowCancelled:
        show->cancelled = true;
        return;
    }
}

static void fold_event(struct told *told, struct told_show *show, const struct message *input,
                       const struct message *event)
{
    bool command = input && message_role(input->type) == ROLE_COMMAND;
    assert_false(show->archived || (command && show->cancelled));
    if (message_has(event, tiers))
        fold_show(show, event);
    else if (message_has(event, reservation_id))
        fold_hold(told, show, input, event);
    else if (event->type == MESSAGE_CapacityChanged)
        fold_capacity(show, event);
    else if (event->type == MESSAGE_BlockSet)
        fold_block(show, event);
    else
        fold_switch(show, event);
    assert_int_equal(event->seq, ++show->seq);
    check_after(show, event);
}

/* Its seats are nobody's any more, and its reservations may be of another show one day. */
static void archive(struct told *told, struct told_show *show, const struct message *event)
{
    check_archiving(told, show, event);
    show->archived = true;
    for (int i = 0; i < told->hold_count; i++)
        if (told->holds[i].show == show)
            told->holds[i].state = NEVER;
}

static void check_refusal(const struct told *told, const struct message *input,
                          const struct message *event)
{
    const struct told_show *show = find_show(told, input->show_id);
    bool create = input->type == MESSAGE_CreateShow;
    assert_int_equal(message_role(input->type), ROLE_COMMAND);
    if (show == NULL)
        assert_int_equal(event->code, create ? code_invalid : code_not_found);
    else if (show->archived)
        assert_int_equal(event->code, code_archived);
    else if (create)
        assert_int_equal(event->code, code_conflict);
    else if (show->cancelled)
        assert_true(event->code == code_conflict || event->code == code_wrong_state);
    else
        assert_true(event->code == code_conflict || event->code == code_wrong_state ||
                    event->code == code_precondition || event->code == code_invalid);
}

/* Nobody is asked while a hold is overdue. */
static void check_due(const struct told *told, int64_t now_ms)
{
    for (int i = 0; i < told->hold_count; i++)
        assert_true(told->holds[i].state != HELD ||
                    told->holds[i].expires_at_ms + GRACE_MS > now_ms);
}

static void check_reason(const struct told *told, const struct message *input,
                         const struct message *event)
{
    enum reason expected = why_not(told, input, event->at_ms);
    const char *said = message_has(event, reason) ? reason_name(event->reason) : "no reason";
    assert_string_equal(said, expected == NO_REASON ? "no reason" : reason_name(expected));
}

static struct told_show *add_show(struct told *told, struct text show_id)
{
    struct told_show *show = &told->shows[told->show_count++];
    assert_in_range(told->show_count, 1, SHOWS_MAX);
    set_word(show->show_id, sizeof show->show_id, show_id);
    return show;
}

static void hear(void *user, const struct message *event)
{
    struct told *told = user;
    const struct message *input = play_heard(told->play);
    assert_true(event->at_ms >= told->last_ms);
    if (input) {
        check_due(told, event->at_ms);
        check_reason(told, input, event);
    }
    struct told_show *show = message_has(event, show_id) ? find_show(told, event->show_id) : NULL;
    if (event->type == MESSAGE_Refused) {
        check_refusal(told, input, event);
    } else if (message_has(event, reason)) {
        check_rejection(told, input, event);
        assert_true(!message_has(event, seq) || event->seq == show->seq);
        if (message_has(event, after))
            check_after(show, event);
    } else {
        assert_int_equal(show == NULL, event->type == MESSAGE_ShowCreated);
        show = show ? show : add_show(told, event->show_id);
        fold_event(told, show, input, event);
        if (event->type == MESSAGE_ShowArchived)
            archive(told, show, event);
    }
    told->last_ms = event->at_ms;
}

/* ---- for others ------------------------------------------------------------------------------ */

struct told *told_open(struct play *play)
{
    struct told *told = memory_new(sizeof *told);
    told->play = play;
    play_watch(play, hear, told);
    return told;
}

void told_close(struct told *told)
{
    memory_free(told);
}

static const struct told_hold *numbered(const struct told *told, int reservation)
{
    char id[WORD_SIZE];
    snprintf(id, sizeof id, "a0000000-0000-4000-8000-%012d", reservation);
    const struct told_hold *hold = find_hold(told, text_of(id));
    return hold && hold->state != NEVER ? hold : NULL;
}

bool told_has_show(const struct told *told, const char *show_id)
{
    return find_show(told, text_of(show_id)) != NULL;
}

bool told_has_hold(const struct told *told, int reservation)
{
    return numbered(told, reservation) != NULL;
}

int64_t told_amount_minor(const struct told *told, int reservation)
{
    const struct told_hold *hold = numbered(told, reservation);
    return hold ? amount_of(&hold->lines) : 0;
}

void told_table(const struct play_row *rows, size_t count, const char *always)
{
    for (size_t i = 0; i < count; i++) {
        struct play *play = play_open(&shows_service);
        struct told *told = told_open(play);
        play_script(play, always);
        play_script(play, rows[i].given);
        play_expect(play, play_step(play, rows[i].when), rows[i].then);
        play_close(play);
        told_close(told);
    }
}
