/* The seats: every guard of every ladder, in its order; the life of a hold; and a fold of the
 * events' own that every `after` is held against. */
#include "tests/support/core_play.h"

#include "base/memory.h"
#include "base/prng.h"
#include "services/shows/shows_core.h"
#include "services/shows/shows_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- the fold of the test -------------------------------------------------------------------- */

enum { TOLD_SHOWS = 8, TOLD_HOLDS = 512, TOLD_BLOCKS = 8 };

enum told_state { TOLD_NONE, TOLD_HELD, TOLD_SOLD, TOLD_RELEASED, TOLD_EXPIRED, TOLD_RETURNED };

struct told_tier {
    char tier_id[16];
    int64_t held, sold;
};

struct told_show {
    char show_id[16];
    int64_t seq, capacity, oversold_by, blocks[TOLD_BLOCKS];
    char block_ids[TOLD_BLOCKS][16];
    int tier_count;
    struct told_tier tiers[TIERS_MAX];
};

struct told_hold {
    char reservation_id[40];
    struct told_show *show;
    enum told_state state;
    struct lines lines;
    char tier_ids[LINES_MAX][16];
    int64_t quantity, expires_at_ms;
};

struct told {
    int show_count, hold_count;
    struct told_show shows[TOLD_SHOWS];
    struct told_hold holds[TOLD_HOLDS];
};

static struct told_show *told_show(struct told *told, struct text show_id)
{
    for (int i = 0; i < told->show_count; i++)
        if (text_is(show_id, told->shows[i].show_id))
            return &told->shows[i];
    struct told_show *show = &told->shows[told->show_count++];
    assert_in_range(told->show_count, 1, TOLD_SHOWS);
    snprintf(show->show_id, sizeof show->show_id, "%.*s", TEXT_PRINT(show_id));
    return show;
}

static struct told_hold *told_hold(struct told *told, const struct message *event)
{
    for (int i = 0; i < told->hold_count; i++)
        if (text_is(event->reservation_id, told->holds[i].reservation_id))
            return &told->holds[i];
    struct told_hold *hold = &told->holds[told->hold_count++];
    assert_in_range(told->hold_count, 1, TOLD_HOLDS);
    snprintf(hold->reservation_id, sizeof hold->reservation_id, "%.*s",
             TEXT_PRINT(event->reservation_id));
    return hold;
}

static struct told_tier *told_tier(struct told_show *show, struct text tier_id)
{
    for (int i = 0; i < show->tier_count; i++)
        if (text_is(tier_id, show->tiers[i].tier_id))
            return &show->tiers[i];
    return NULL;
}

/* The tiers of an event in their order; what was held and sold of them stays. */
static void fold_tiers(struct told_show *show, const struct tiers *tiers)
{
    struct told_show before = *show;
    show->tier_count = tiers->count;
    for (int i = 0; i < tiers->count; i++) {
        const struct told_tier *old = told_tier(&before, tiers->items[i].tier_id);
        struct told_tier *tier = &show->tiers[i];
        *tier = (struct told_tier){"", old ? old->held : 0, old ? old->sold : 0};
        snprintf(tier->tier_id, sizeof tier->tier_id, "%.*s", TEXT_PRINT(tiers->items[i].tier_id));
    }
}

static void fold_block(struct told_show *show, const struct message *event)
{
    for (int i = 0; i < TOLD_BLOCKS; i++) {
        if (show->block_ids[i][0] && !text_is(event->block_id, show->block_ids[i]))
            continue;
        snprintf(show->block_ids[i], sizeof show->block_ids[i], "%.*s",
                 TEXT_PRINT(event->block_id));
        show->blocks[i] = event->block_quantity;
        return;
    }
    fail_msg("too many blocks for this test");
}

static void move(struct told_hold *hold, int64_t held, int64_t sold)
{
    for (int i = 0; i < hold->lines.count; i++) {
        struct told_tier *tier = told_tier(hold->show, text_of(hold->tier_ids[i]));
        tier->held += held * hold->lines.items[i].quantity;
        tier->sold += sold * hold->lines.items[i].quantity;
        assert_true(tier->held >= 0 && tier->sold >= 0);
    }
}

static void take_lines(struct told_hold *hold, struct told_show *show, const struct message *event)
{
    int64_t amount_minor = 0;
    hold->show = show;
    hold->lines = event->lines;
    hold->quantity = 0;
    for (int i = 0; i < event->lines.count; i++) {
        const struct line *line = &event->lines.items[i];
        snprintf(hold->tier_ids[i], sizeof hold->tier_ids[i], "%.*s", TEXT_PRINT(line->tier_id));
        hold->quantity += line->quantity;
        amount_minor += line->quantity * line->unit_amount_minor;
    }
    assert_int_equal(event->amount_minor, amount_minor);
}

/* Invariant 3: the life of a hold. */
static void fold_hold(struct told *told, struct told_show *show, const struct message *event)
{
    struct told_hold *hold = told_hold(told, event);
    enum told_state before = hold->state;
    switch ((int)event->type) {
    case MESSAGE_SeatsHeld:
        assert_int_equal(before, TOLD_NONE);
        take_lines(hold, show, event);
        move(hold, 1, 0);
        hold->state = TOLD_HELD;
        break;
    case MESSAGE_HoldExtended:
        assert_int_equal(before, TOLD_HELD);
        assert_true(event->expires_at_ms >= hold->expires_at_ms);
        hold->expires_at_ms = event->expires_at_ms;
        return;
    case MESSAGE_SeatsSold:
        assert_int_equal(before, event->reacquired ? TOLD_EXPIRED : TOLD_HELD);
        move(hold, event->reacquired ? 0 : -1, 1);
        hold->state = TOLD_SOLD;
        break;
    case MESSAGE_HoldExpired:
        assert_true(event->at_ms >= hold->expires_at_ms + HOLD_GRACE_MS);
        assert_int_equal(event->expires_at_ms, hold->expires_at_ms);
        __attribute__((fallthrough));
    case MESSAGE_HoldReleased:
        assert_int_equal(before, TOLD_HELD);
        move(hold, -1, 0);
        hold->state = event->type == MESSAGE_HoldExpired ? TOLD_EXPIRED : TOLD_RELEASED;
        break;
    case MESSAGE_SeatsReturned:
        assert_int_equal(before, TOLD_SOLD);
        move(hold, 0, -1);
        hold->state = TOLD_RETURNED;
        break;
    }
    assert_int_equal(event->quantity, hold->quantity);
    if (message_has(event, expires_at_ms))
        hold->expires_at_ms = event->expires_at_ms;
}

static bool changes(enum message_type type)
{
    return type != MESSAGE_HoldRejected && type != MESSAGE_ExtensionRejected &&
           type != MESSAGE_SaleRejected && type != MESSAGE_ReleaseRejected;
}

/* Invariants 1 and 2: `after` is this fold, and nothing is sold beyond the capacity. */
static void check_after(struct told_show *show, const struct message *event)
{
    const struct after *after = &event->after;
    int64_t held = 0, sold = 0, blocked = 0;
    assert_int_equal(after->tier_count, show->tier_count);
    for (int i = 0; i < show->tier_count; i++) {
        assert_true(text_is(after->tiers[i].tier_id, show->tiers[i].tier_id));
        assert_int_equal(after->tiers[i].held, show->tiers[i].held);
        assert_int_equal(after->tiers[i].sold, show->tiers[i].sold);
        held += show->tiers[i].held;
        sold += show->tiers[i].sold;
    }
    for (int i = 0; i < TOLD_BLOCKS; i++)
        blocked += show->blocks[i];
    int64_t rest = show->capacity - held - sold - blocked;
    assert_int_equal(after->capacity, show->capacity);
    assert_int_equal(after->held, held);
    assert_int_equal(after->sold, sold);
    assert_int_equal(after->blocked, blocked);
    assert_int_equal(after->free, rest > 0 ? rest : 0);
    assert_int_equal(after->oversold_by, rest < 0 ? -rest : 0);
    if (after->oversold_by > show->oversold_by)
        assert_true(event->type == MESSAGE_CapacityChanged && event->forced);
    show->oversold_by = after->oversold_by;
}

static void fold(void *user, const struct message *event)
{
    struct told *told = user;
    if (event->type == MESSAGE_Refused || !message_has(event, after))
        return;
    struct told_show *show = told_show(told, event->show_id);
    show->seq += changes(event->type);
    assert_int_equal(event->seq, show->seq);
    if (message_has(event, capacity))
        show->capacity = event->capacity;
    if (message_has(event, tiers))
        fold_tiers(show, &event->tiers);
    if (event->type == MESSAGE_BlockSet)
        fold_block(show, event);
    else if (message_has(event, reservation_id) && changes(event->type))
        fold_hold(told, show, event);
    check_after(show, event);
}

/* ---- tables, each row folded ----------------------------------------------------------------- */

#define OPENED "CreateShow tiers=standard:1500 capacity=4 id=create"

static void run(const struct play_row *rows, size_t count, const char *always)
{
    for (size_t i = 0; i < count; i++) {
        struct told *told = memory_new(sizeof *told);
        struct play *play = play_open(&shows_service);
        play_watch(play, fold, told);
        play_script(play, always);
        play_script(play, rows[i].given);
        const struct message *outcome = play_step(play, rows[i].when);
        play_expect(play, outcome, rows[i].then);
        play_close(play);
        memory_free(told);
    }
}

#define RUN(rows, always) run(rows, sizeof(rows) / sizeof *(rows), always)

static void shows_core__creates_a_show_with_its_defaults(void **state)
{
    static const struct play_row rows[] = {
        {"", "@5 CreateShow name=Tempest capacity=7 actor=box-office id=c1 fingerprint=5",
         "ShowCreated name=Tempest starts_at_ms=T864000 capacity=7 currency=EUR on_sale_at_ms=T5 "
         "off_sale_at_ms=T864000 max_per_order=10 max_per_person=- hold_ttl_s=600 pay_window_s=600 "
         "customer_cancel_until_ms=T864000 seq=1 after.capacity=7 after.free=7 after.held=0 "
         "tiers.0.tier_id=standard tiers.0.name=Standard tiers.0.amount_minor=0 "
         "tiers.0.capacity=- tiers.1=- after.tiers.0.tier_id=standard fingerprint=5 "
         "actor=box-office cause_id=c1 at_ms=T5"},
        {"",
         "CreateShow tiers=a:100:2,b:50 on_sale_at_ms=T10 off_sale_at_ms=T20 max_per_order=3 "
         "max_per_person=2 hold_ttl_s=60 pay_window_s=61 customer_cancel_until_ms=T30",
         "ShowCreated tiers=a:100:2,b:50 on_sale_at_ms=T10 off_sale_at_ms=T20 max_per_order=3 "
         "max_per_person=2 hold_ttl_s=60 pay_window_s=61 customer_cancel_until_ms=T30"},
        {"", "CreateShow capacity=0", "ShowCreated capacity=0 after.free=0"},
    };
    (void)state;
    RUN(rows, "");
}

static void shows_core__refuses_to_create(void **state)
{
    static const struct play_row rows[] = {
        /* a repeat, whatever the time */
        {"", "CreateShow tiers=standard:1500 capacity=4 id=other", "none"},
        {"", "@864001 CreateShow tiers=standard:1500 capacity=4", "none"},
        /* conflict, then the past, then the tiers, then the window */
        {"", "CreateShow capacity=5", "Refused code=conflict field=show_id show_id=s1"},
        {"", "CreateShow capacity=5 starts_at_ms=T0", "Refused code=conflict"},
        {"", "@864000 CreateShow s2", "Refused code=invalid field=starts_at_ms show_id=s2"},
        {"", "@863999.999 CreateShow s2", "ShowCreated"},
        {"", "CreateShow s2 starts_at_ms=T0 tiers=a,a", "Refused code=invalid field=starts_at_ms"},
        {"", "CreateShow s2 tiers=a,b,a", "Refused code=invalid field=tiers"},
        {"", "CreateShow s2 tiers=a,a off_sale_at_ms=T0", "Refused code=invalid field=tiers"},
        {"", "CreateShow s2 off_sale_at_ms=T0", "Refused code=invalid field=off_sale_at_ms"},
        {"", "CreateShow s2 off_sale_at_ms=T0.001", "ShowCreated"},
        {"", "CreateShow s2 on_sale_at_ms=T864000",
         "Refused code=invalid field=off_sale_at_ms command=CreateShow"},
    };
    (void)state;
    RUN(rows, OPENED);
}

static void shows_core__commands_share_one_ladder(void **state)
{
    static const struct play_row rows[] = {
        {"", "SetCapacity s2 capacity=9 expected_seq=7", "Refused code=not_found field=show_id"},
        {"", "UpdateShow s2 currency=USD", "Refused code=not_found"},
        {"", "SetBlock s2 quantity=1", "Refused code=not_found"},
        {"", "OpenSale s2", "Refused code=not_found"},
        {"", "PauseSale s2", "Refused code=not_found"},
        /* a repeat has none, even when it would be refused now */
        {"SetCapacity capacity=9 expected_seq=1 id=c1 fingerprint=1",
         "SetCapacity capacity=9 expected_seq=1 id=c1 fingerprint=1", "none"},
        {"SetCapacity capacity=9 id=c1 fingerprint=1", "OpenSale id=c1 fingerprint=1", "none"},
        {"PauseSale id=c1 fingerprint=1", "PauseSale id=c1 fingerprint=1", "none"},
        /* conflict before precondition */
        {"SetCapacity capacity=9 id=c1 fingerprint=1",
         "SetCapacity capacity=8 expected_seq=7 id=c1 fingerprint=2",
         "Refused code=conflict field=-"},
        /* refusals are remembered as answers */
        {"SetCapacity capacity=9 expected_seq=7 id=c1 fingerprint=1 -> Refused",
         "SetCapacity capacity=9 expected_seq=1 id=c1 fingerprint=1", "none"},
        {"SetCapacity capacity=9 expected_seq=7 id=c1 fingerprint=1 -> Refused",
         "SetCapacity capacity=9 id=c1 fingerprint=2", "Refused code=conflict"},
        {"CreateShow capacity=5 id=c1 fingerprint=1 -> Refused", "OpenSale id=c1 fingerprint=1",
         "none"},
        /* what created the show is remembered too */
        {"", "OpenSale id=create", "Refused code=conflict"},
        /* precondition before everything of the command itself */
        {"", "SetCapacity capacity=9 expected_seq=2",
         "Refused code=precondition field=expected_seq"},
        {"ReservationRequested r1 lines=standard:2", "SetCapacity capacity=1 expected_seq=1",
         "Refused code=precondition field=expected_seq"},
        {"", "UpdateShow tiers=a,a expected_seq=3", "Refused code=precondition field=expected_seq"},
        {"", "SetCapacity capacity=9 expected_seq=1", "CapacityChanged seq=2"},
    };
    (void)state;
    RUN(rows, OPENED);
}

static void shows_core__updates(void **state)
{
    static const struct play_row rows[] = {
        {"", "UpdateShow name=Othello",
         "ShowUpdated name=Othello starts_at_ms=T864000 capacity=4 "
         "max_per_order=10 seq=2 max_per_person=- tiers=standard:1500"},
        {"", "UpdateShow", "ShowUpdated name=Tempest seq=2"},
        {"UpdateShow max_per_person=3", "UpdateShow name=B", "ShowUpdated max_per_person=3"},
        /* what was not given follows the start; what was given stays */
        {"", "UpdateShow starts_at_ms=T900000",
         "ShowUpdated off_sale_at_ms=T900000 customer_cancel_until_ms=T900000"},
        {"UpdateShow off_sale_at_ms=T800000", "UpdateShow starts_at_ms=T900000",
         "ShowUpdated off_sale_at_ms=T800000 customer_cancel_until_ms=T900000"},
        {"UpdateShow customer_cancel_until_ms=T700000", "UpdateShow starts_at_ms=T900000",
         "ShowUpdated off_sale_at_ms=T900000 customer_cancel_until_ms=T700000"},
        {"", "UpdateShow starts_at_ms=T900000 off_sale_at_ms=T864000",
         "ShowUpdated off_sale_at_ms=T864000 customer_cancel_until_ms=T900000"},
        {"", "UpdateShow off_sale_at_ms=T800000 on_sale_at_ms=T10 hold_ttl_s=61 pay_window_s=62",
         "ShowUpdated off_sale_at_ms=T800000 on_sale_at_ms=T10 hold_ttl_s=61 pay_window_s=62"},
        /* tiers and currency, until a seat was held */
        {"", "UpdateShow tiers=vip:9000 currency=USD",
         "ShowUpdated tiers=vip:9000 currency=USD after.tiers.0.tier_id=vip"},
        {"ReservationRequested r1", "UpdateShow tiers=vip:9000:1,standard:1600 currency=EUR",
         "ShowUpdated tiers=vip:9000:1,standard:1600 after.tiers.1.held=1 after.tiers.0.held=0"},
        /* currency before tiers dropped before tiers too small before doubled before the window */
        {"ReservationRequested r1", "UpdateShow currency=USD tiers=vip",
         "Refused code=wrong_state field=currency"},
        {"ReservationRequested r1; CancellationRequested r1", "UpdateShow currency=USD",
         "Refused code=wrong_state field=currency"},
        {"ReservationRequested r1; CancellationRequested r1", "UpdateShow tiers=vip,vip",
         "Refused code=wrong_state field=tiers"},
        {"UpdateShow tiers=standard:1500,b; ReservationRequested r1",
         "UpdateShow tiers=standard:1500:0", "Refused code=wrong_state field=tiers"},
        {"ReservationRequested r1 lines=standard:2", "UpdateShow tiers=standard:1500:1",
         "Refused code=precondition field=tiers"},
        {"ReservationRequested r1 lines=standard:2; PaymentSucceeded r1 payment=p1:cash:3000:EUR",
         "UpdateShow tiers=standard:1500:1", "Refused code=precondition field=tiers"},
        {"ReservationRequested r1 lines=standard:2", "UpdateShow tiers=standard:1500:2",
         "ShowUpdated tiers=standard:1500:2"},
        {"ReservationRequested r1 lines=standard:2", "UpdateShow tiers=standard:0:1,a,a",
         "Refused code=precondition field=tiers"},
        {"", "UpdateShow tiers=a,a off_sale_at_ms=T0", "Refused code=invalid field=tiers"},
        {"", "UpdateShow on_sale_at_ms=T864000", "Refused code=invalid field=off_sale_at_ms"},
        {"", "UpdateShow off_sale_at_ms=T0 id=c1 fingerprint=3",
         "Refused code=invalid field=off_sale_at_ms fingerprint=3 cause_id=c1 show_id=s1"},
    };
    (void)state;
    RUN(rows, OPENED);
}

static void shows_core__capacity_and_blocks(void **state)
{
    static const struct play_row rows[] = {
        {"", "SetCapacity capacity=9",
         "CapacityChanged capacity=9 old=4 forced=false after.free=9"},
        {"", "SetCapacity capacity=9 force=true", "CapacityChanged forced=false"},
        {"ReservationRequested r1 lines=standard:3", "SetCapacity capacity=3",
         "CapacityChanged after.free=0 after.oversold_by=0"},
        {"ReservationRequested r1 lines=standard:3", "SetCapacity capacity=2",
         "Refused code=precondition field=capacity"},
        {"ReservationRequested r1 lines=standard:3", "SetCapacity capacity=2 force=false",
         "Refused code=precondition field=capacity"},
        {"SetBlock quantity=1; ReservationRequested r1 lines=standard:2; ReservationRequested r2; "
         "PaymentSucceeded r2",
         "SetCapacity capacity=3", "Refused code=precondition field=capacity"},
        {"ReservationRequested r1 lines=standard:3", "SetCapacity capacity=1 force=true",
         "CapacityChanged forced=true old=4 after.oversold_by=2 after.free=0 after.held=3"},
        {"ReservationRequested r1 lines=standard:3; SetCapacity capacity=1 force=true",
         "CancellationRequested r1", "HoldReleased after.oversold_by=0 after.free=1"},
        {"ReservationRequested r1 lines=standard:2; ReservationRequested r2; "
         "SetCapacity capacity=2 force=true",
         "CancellationRequested r2", "HoldReleased after.oversold_by=0 after.free=0"},
        {"", "SetBlock block_id=vip quantity=4 note=critics",
         "BlockSet block_id=vip quantity=4 note=critics after.blocked=4 after.free=0"},
        {"", "SetBlock quantity=5", "Refused code=precondition field=quantity"},
        {"SetBlock quantity=3", "SetBlock quantity=4", "BlockSet after.blocked=4"},
        {"SetBlock quantity=3", "SetBlock block_id=kill quantity=2",
         "Refused code=precondition field=quantity"},
        {"SetBlock quantity=3; SetBlock block_id=kill quantity=1", "SetBlock quantity=0",
         "BlockSet quantity=0 after.blocked=1 after.free=3"},
        {"SetBlock quantity=3; SetCapacity capacity=1 force=true", "SetBlock quantity=2",
         "BlockSet after.blocked=2 after.oversold_by=1"},
        /* the quantity somebody saw, before the seats */
        {"SetBlock quantity=3", "SetBlock quantity=4 expected_quantity=3", "BlockSet"},
        {"", "SetBlock quantity=4 expected_quantity=0", "BlockSet"},
        {"SetBlock quantity=3", "SetBlock quantity=9 expected_quantity=2",
         "Refused code=precondition field=expected_quantity"},
        {"", "SetBlock quantity=1 expected_quantity=1",
         "Refused code=precondition field=expected_quantity"},
        {"", "OpenSale reason=again", "SaleOpened reason=again seq=2"},
        {"OpenSale", "OpenSale", "SaleOpened seq=3"},
        {"PauseSale reason=rain; ReservationRequested r1 -> HoldRejected reason=sale_paused",
         "OpenSale", "SaleOpened seq=3"},
        {"PauseSale; OpenSale", "ReservationRequested r1", "SeatsHeld"},
    };
    (void)state;
    RUN(rows, OPENED);
}

/* ---- holding --------------------------------------------------------------------------------- */

static void shows_core__holds(void **state)
{
    static const struct play_row rows[] = {
        {"", "@7 ReservationRequested r1 lines=standard:3 channel=api party=eve id=e1",
         "SeatsHeld reservation_id=r1 lines=standard:3:1500 quantity=3 amount_minor=4500 "
         "currency=EUR expires_at_ms=T607 channel=api party=eve seq=2 after.held=3 after.free=1 "
         "cause_id=e1 at_ms=T7"},
        {"", "ReservationRequested r1 lines=standard:4", "SeatsHeld after.free=0 party=-"},
        {"UpdateShow tiers=vip:5000,standard:1500",
         "ReservationRequested r1 lines=standard:1,vip:2",
         "SeatsHeld lines=standard:1:1500,vip:2:5000 amount_minor=11500 after.tiers.0.held=2"},
        /* the price is fixed when the seats are held */
        {"ReservationRequested r1; UpdateShow tiers=standard:9900", "CheckoutStarted r1",
         "HoldExtended lines=standard:1:1500 amount_minor=1500"},
        {"UpdateShow hold_ttl_s=60", "@1 ReservationRequested r1", "SeatsHeld expires_at_ms=T61"},
        /* the box office sells outside the window */
        {"UpdateShow on_sale_at_ms=T50", "@49.999 ReservationRequested r1 channel=boxoffice",
         "SeatsHeld"},
        {"", "@864000 ReservationRequested r1 channel=boxoffice", "SeatsHeld"},
        {"UpdateShow on_sale_at_ms=T50", "@50 ReservationRequested r1", "SeatsHeld"},
        {"", "@863999.999 ReservationRequested r1", "SeatsHeld"},
        /* up to each limit */
        {"SetCapacity capacity=40", "ReservationRequested r1 lines=standard:10", "SeatsHeld"},
        {"UpdateShow max_per_person=3; ReservationRequested r1 party=eve",
         "ReservationRequested r2 party=eve lines=standard:2", "SeatsHeld"},
        {"UpdateShow max_per_person=1; ReservationRequested r1 party=eve",
         "ReservationRequested r2 party=adam", "SeatsHeld"},
        {"UpdateShow max_per_person=1; ReservationRequested r1 party=eve; "
         "CancellationRequested r1",
         "ReservationRequested r2 party=eve", "SeatsHeld"},
        {"UpdateShow max_per_person=1; ReservationRequested r1 party=eve",
         "@630 ReservationRequested r2 party=eve", "SeatsHeld"},
        {"UpdateShow max_per_person=1; ReservationRequested r1 party=eve; PaymentSucceeded r1; "
         "CancellationRequested r1 expect=any",
         "ReservationRequested r2 party=eve", "SeatsHeld"},
        {"UpdateShow tiers=standard:1500:2", "ReservationRequested r1 lines=standard:2",
         "SeatsHeld"},
    };
    (void)state;
    RUN(rows, OPENED);
}

static void shows_core__rejects_holds_by_the_rules(void **state)
{
    static const struct play_row rows[] = {
        {"", "ReservationRequested r1 s2",
         "HoldRejected reason=no_such_show available=0 seq=- after=- show_id=s2"},
        {"UpdateShow on_sale_at_ms=T50", "@49.999 ReservationRequested r1",
         "HoldRejected reason=not_on_sale available=4 seq=2 after.free=4"},
        {"PauseSale", "ReservationRequested r1", "HoldRejected reason=sale_paused"},
        {"PauseSale", "ReservationRequested r1 channel=boxoffice",
         "HoldRejected reason=sale_paused"},
        {"", "@864000 ReservationRequested r1", "HoldRejected reason=sale_closed"},
        {"UpdateShow off_sale_at_ms=T9", "@9 ReservationRequested r1 channel=api",
         "HoldRejected reason=sale_closed"},
        {"", "ReservationRequested r1 lines=standard:1,balcony:1",
         "HoldRejected reason=no_such_tier"},
        {"SetCapacity capacity=40", "ReservationRequested r1 lines=standard:11",
         "HoldRejected reason=limit available=40 retry_after_s=-"},
        {"SetCapacity capacity=40; UpdateShow tiers=a,b", "ReservationRequested r1 lines=a:6,b:5",
         "HoldRejected reason=limit"},
        {"UpdateShow tiers=standard:600000000000", "ReservationRequested r1 lines=standard:2",
         "HoldRejected reason=limit"},
        {"UpdateShow max_per_person=3", "ReservationRequested r1",
         "HoldRejected reason=party_required"},
        {"UpdateShow max_per_person=3; ReservationRequested r1 party=eve lines=standard:2",
         "ReservationRequested r2 party=eve lines=standard:2",
         "HoldRejected reason=person_limit available=2"},
        /* who held before there was a cap counts too */
        {"ReservationRequested r1 party=eve lines=standard:2; UpdateShow max_per_person=2",
         "ReservationRequested r2 party=eve", "HoldRejected reason=person_limit"},
    };
    (void)state;
    RUN(rows, OPENED);
}

/* Who breaks two rules at once is told the earlier one. */
static void shows_core__the_order_of_the_rules_of_a_hold(void **state)
{
    static const struct play_row rows[] = {
        {"UpdateShow on_sale_at_ms=T50; PauseSale", "ReservationRequested r1",
         "HoldRejected reason=not_on_sale"},
        {"PauseSale", "@864000 ReservationRequested r1", "HoldRejected reason=sale_paused"},
        {"", "@864000 ReservationRequested r1 lines=balcony:1", "HoldRejected reason=sale_closed"},
        {"", "ReservationRequested r1 lines=balcony:11", "HoldRejected reason=no_such_tier"},
        {"UpdateShow max_per_person=3", "ReservationRequested r1 lines=standard:11",
         "HoldRejected reason=limit"},
        {"UpdateShow max_per_person=3", "ReservationRequested r1 lines=standard:5",
         "HoldRejected reason=party_required"},
        {"UpdateShow max_per_person=3", "ReservationRequested r1 party=eve lines=standard:5",
         "HoldRejected reason=person_limit"},
        {"ReservationRequested r1 lines=standard:4", "ReservationRequested r2 lines=standard:5",
         "HoldRejected reason=sold_out"},
    };
    (void)state;
    RUN(rows, OPENED);
}

static void shows_core__tells_sold_out_from_all_held(void **state)
{
    static const struct play_row rows[] = {
        {"", "ReservationRequested r1 lines=standard:5",
         "HoldRejected reason=sold_out available=4 retry_after_s=-"},
        {"SetBlock quantity=1", "ReservationRequested r1 lines=standard:4",
         "HoldRejected reason=sold_out available=3"},
        {"ReservationRequested r1; PaymentSucceeded r1", "ReservationRequested r2 lines=standard:4",
         "HoldRejected reason=sold_out available=3"},
        {"ReservationRequested r1", "@10 ReservationRequested r2 lines=standard:4",
         "HoldRejected reason=all_held available=3 retry_after_s=620 seq=2"},
        {"ReservationRequested r1", "@10.001 ReservationRequested r2 lines=standard:4",
         "HoldRejected reason=all_held retry_after_s=620"},
        {"ReservationRequested r1", "@629.999 ReservationRequested r2 lines=standard:4",
         "HoldRejected reason=all_held retry_after_s=1"},
        {"ReservationRequested r1", "@630 ReservationRequested r2 lines=standard:4", "SeatsHeld"},
        /* the soonest to expire */
        {"ReservationRequested r1; @100 ReservationRequested r2; CheckoutStarted r1",
         "ReservationRequested r3 lines=standard:3",
         "HoldRejected reason=all_held retry_after_s=630"},
        /* a tier's own capacity */
        {"UpdateShow tiers=a:1:2,b", "ReservationRequested r1 lines=b:1,a:3",
         "HoldRejected reason=sold_out available=4"},
        {"UpdateShow tiers=a:1:2,b", "ReservationRequested r1 lines=a:3",
         "HoldRejected reason=sold_out available=2"},
        {"UpdateShow tiers=a:1:2,b; ReservationRequested r1 lines=a:1",
         "ReservationRequested r2 lines=a:2", "HoldRejected reason=all_held available=1"},
        {"UpdateShow tiers=a:1:2,b; ReservationRequested r1 lines=a:1; "
         "PaymentSucceeded r1 payment=p1:cash:1:EUR",
         "ReservationRequested r2 lines=a:2", "HoldRejected reason=sold_out available=1"},
        {"UpdateShow tiers=a:1:2,b", "ReservationRequested r1 lines=a:2,a:1",
         "HoldRejected reason=sold_out"},
        {"UpdateShow tiers=a:1:0,b", "ReservationRequested r1 lines=a:1",
         "HoldRejected reason=sold_out available=0"},
        /* oversold: none until the wanted seats are free again */
        {"ReservationRequested r1 lines=standard:3; SetCapacity capacity=2 force=true",
         "ReservationRequested r2", "HoldRejected reason=all_held available=0"},
        {"ReservationRequested r1 lines=standard:3; SetCapacity capacity=2 force=true; "
         "PaymentSucceeded r1 payment=p1:cash:4500:EUR",
         "ReservationRequested r2", "HoldRejected reason=sold_out available=0"},
    };
    (void)state;
    RUN(rows, OPENED);
}

/* ---- the life of a hold ---------------------------------------------------------------------- */

static void shows_core__expires_half_a_minute_after_it_said(void **state)
{
    static const struct play_row rows[] = {
        {"ReservationRequested r1 lines=standard:2", "@629.999", "none"},
        {"ReservationRequested r1 lines=standard:2", "@630",
         "HoldExpired reservation_id=r1 quantity=2 expires_at_ms=T600 seq=3 after.free=4 "
         "at_ms=T630 cause_id=-"},
        {"ReservationRequested r1", "@5000", "HoldExpired at_ms=T630"},
        /* a live hold is live during its grace, for everything */
        {"ReservationRequested r1", "@629.999 CheckoutStarted r1",
         "HoldExtended expires_at_ms=T1200"},
        {"ReservationRequested r1", "@629.999 PaymentSucceeded r1", "SeatsSold reacquired=false"},
        {"ReservationRequested r1", "@629.999 CancellationRequested r1", "HoldReleased"},
        {"ReservationRequested r1", "@630 CheckoutStarted r1", "ExtensionRejected reason=gone"},
        {"ReservationRequested r1", "@630 CancellationRequested r1", "ReleaseRejected reason=gone"},
        {"ReservationRequested r1", "@630 PaymentSucceeded r1", "SeatsSold reacquired=true"},
        /* what ended otherwise does not expire */
        {"ReservationRequested r1; PaymentSucceeded r1", "@9999", "none"},
        {"ReservationRequested r1; CancellationRequested r1", "@9999", "none"},
        /* in the order of their times, then of their making */
        {"ReservationRequested r1; ReservationRequested r2; @630 -> HoldExpired reservation_id=r2",
         "@631", "none"},
        {"CreateShow s2 tiers=standard:1; ReservationRequested r2 s2; @1 ReservationRequested r1; "
         "@630 -> HoldExpired reservation_id=r2",
         "@631", "HoldExpired reservation_id=r1 show_id=s1"},
        {"CreateShow s2 tiers=standard:1; ReservationRequested r2 s2; ReservationRequested r1",
         "@630", "HoldExpired reservation_id=r2 show_id=s2"},
        {"ReservationRequested r1; @10 ReservationRequested r2; @20 CheckoutStarted r1; "
         "@640 -> HoldExpired reservation_id=r2",
         "@650", "HoldExpired reservation_id=r1 expires_at_ms=T620 at_ms=T650"},
    };
    (void)state;
    RUN(rows, OPENED);
}

static void shows_core__a_checkout_extends(void **state)
{
    static const struct play_row rows[] = {
        /* never shorter */
        {"UpdateShow pay_window_s=60; ReservationRequested r1", "@1 CheckoutStarted r1 p7",
         "HoldExtended cause=checkout payment_id=p7 expires_at_ms=T600 pay_by_ms=T600 "
         "lines=standard:1:1500 amount_minor=1500 currency=EUR seq=4 after.held=1"},
        {"UpdateShow pay_window_s=60; ReservationRequested r1", "@540.001 CheckoutStarted r1",
         "HoldExtended expires_at_ms=T600.001 pay_by_ms=T600.001"},
        /* never beyond the time to hold and the time to pay */
        {"ReservationRequested r1", "@500 CheckoutStarted r1", "HoldExtended pay_by_ms=T1100"},
        {"ReservationRequested r1; @500 CheckoutStarted r1; @1000 CheckoutStarted r1",
         "@1100 CheckoutStarted r1", "HoldExtended pay_by_ms=T1200 expires_at_ms=T1200"},
        {"ReservationRequested r1; @600 CheckoutStarted r1", "@1229.999 CheckoutStarted r1",
         "HoldExtended pay_by_ms=T1200"},
        {"ReservationRequested r1; @600 CheckoutStarted r1", "@1230 CheckoutStarted r1",
         "ExtensionRejected reason=gone"},
        {"@5 ReservationRequested r1", "@620 CheckoutStarted r1", "HoldExtended pay_by_ms=T1205"},
        {"ReservationRequested r1; UpdateShow hold_ttl_s=60 pay_window_s=60",
         "@100 CheckoutStarted r1", "HoldExtended pay_by_ms=T600"},
        /* gone, whatever the end */
        {"", "CheckoutStarted r1 p3",
         "ExtensionRejected cause=checkout payment_id=p3 reservation_id=r1 reason=gone seq=1 "
         "after.free=4"},
        {"", "CheckoutStarted r1 s2", "ExtensionRejected reason=gone seq=- after=-"},
        {"CreateShow s2; ReservationRequested r1", "CheckoutStarted r1 s2",
         "ExtensionRejected reason=gone seq=1"},
        {"ReservationRequested r1; CancellationRequested r1", "CheckoutStarted r1",
         "ExtensionRejected reason=gone"},
        {"ReservationRequested r1; PaymentSucceeded r1", "CheckoutStarted r1",
         "ExtensionRejected reason=gone"},
        {"ReservationRequested r1; PaymentSucceeded r1; CancellationRequested r1 expect=any",
         "CheckoutStarted r1", "ExtensionRejected reason=gone"},
    };
    (void)state;
    RUN(rows, OPENED);
}

static void shows_core__sells(void **state)
{
    static const struct play_row rows[] = {
        {"ReservationRequested r1 lines=standard:2",
         "PaymentSucceeded r1 payment=p1:card:3000:EUR:ref-1:bank",
         "SeatsSold payment=p1:card:3000:EUR:ref-1:bank lines=standard:2:1500 quantity=2 "
         "reacquired=false after.sold=2 after.held=0 seq=3"},
        {"UpdateShow tiers=standard:0; ReservationRequested r1",
         "PaymentSucceeded r1 payment=p1:none:0:EUR", "SeatsSold after.sold=1"},
        {"ReservationRequested r1; @630 -> HoldExpired", "PaymentSucceeded r1",
         "SeatsSold reacquired=true after.sold=1 after.held=0 after.free=3"},
        /* what shows is asked by others is nothing to it */
        {"ReservationRequested r1; PaymentSucceeded r1", "RefundRequested r1", "none"},
        {"ReservationRequested r1", "ReservationReleased r1", "none"},
        /* each reason */
        {"", "PaymentSucceeded r1 payment=p4:card:70:EUR:ref",
         "SaleRejected reason=unknown_reservation payment=p4:card:70:EUR:ref seq=1"},
        {"", "PaymentSucceeded r1 s2", "SaleRejected reason=unknown_reservation seq=- after=-"},
        {"CreateShow s2; ReservationRequested r1", "PaymentSucceeded r1 s2",
         "SaleRejected reason=unknown_reservation"},
        {"ReservationRequested r1; PaymentSucceeded r1", "PaymentSucceeded r1 payment=p2",
         "SaleRejected reason=already_sold seq=3 after.sold=1"},
        {"ReservationRequested r1; CancellationRequested r1", "PaymentSucceeded r1",
         "SaleRejected reason=gone"},
        {"ReservationRequested r1; PaymentSucceeded r1; CancellationRequested r1 expect=any",
         "PaymentSucceeded r1 payment=p2", "SaleRejected reason=gone"},
        {"ReservationRequested r1", "PaymentSucceeded r1 payment=p1:card:1499:EUR",
         "SaleRejected reason=amount after.held=1"},
        {"ReservationRequested r1", "PaymentSucceeded r1 payment=p1:card:1501:EUR",
         "SaleRejected reason=amount"},
        {"ReservationRequested r1", "PaymentSucceeded r1 payment=p1:card:1500:USD",
         "SaleRejected reason=amount"},
        {"ReservationRequested r1; @630; ReservationRequested r2 lines=standard:4",
         "PaymentSucceeded r1", "SaleRejected reason=sold_out"},
        {"ReservationRequested r1; @630; SetBlock quantity=4", "PaymentSucceeded r1",
         "SaleRejected reason=sold_out"},
        {"UpdateShow tiers=standard:1500:2; ReservationRequested r1; @630; "
         "ReservationRequested r2 lines=standard:2",
         "PaymentSucceeded r1", "SaleRejected reason=sold_out"},
        {"UpdateShow max_per_person=1; ReservationRequested r1 party=eve; @630; "
         "ReservationRequested r2 party=eve",
         "PaymentSucceeded r1", "SaleRejected reason=person_limit"},
        {"UpdateShow max_per_person=1; ReservationRequested r1 party=eve; @630",
         "PaymentSucceeded r1", "SeatsSold reacquired=true"},
        /* it counts again for its person */
        {"UpdateShow max_per_person=1; ReservationRequested r1 party=eve; @630; "
         "PaymentSucceeded r1",
         "ReservationRequested r2 party=eve", "HoldRejected reason=person_limit"},
        /* the order */
        {"ReservationRequested r1; PaymentSucceeded r1",
         "PaymentSucceeded r1 payment=p2:card:9:EUR", "SaleRejected reason=already_sold"},
        {"ReservationRequested r1; CancellationRequested r1",
         "PaymentSucceeded r1 payment=p2:card:9:EUR", "SaleRejected reason=gone"},
        {"ReservationRequested r1; @630; SetBlock quantity=4",
         "PaymentSucceeded r1 payment=p2:card:9:EUR", "SaleRejected reason=amount"},
        {"UpdateShow max_per_person=1; ReservationRequested r1 party=eve; @630; "
         "ReservationRequested r2 party=eve; SetBlock quantity=3",
         "PaymentSucceeded r1", "SaleRejected reason=sold_out"},
        /* a live hold needs no free seat and no cap */
        {"ReservationRequested r1 lines=standard:4; SetCapacity capacity=1 force=true; "
         "UpdateShow max_per_person=1",
         "PaymentSucceeded r1 payment=p1:cash:6000:EUR", "SeatsSold after.oversold_by=3"},
    };
    (void)state;
    RUN(rows, OPENED);
}

/* Without a cap per person a named party is no reason to turn a payment away. */
static void shows_core__reacquires_for_a_party_without_a_cap(void **state)
{
    static const struct play_row rows[] = {
        {"ReservationRequested r1 party=eve; @630 -> HoldExpired", "PaymentSucceeded r1",
         "SeatsSold reacquired=true"},
    };
    (void)state;
    RUN(rows, OPENED);
}

static void shows_core__releases_and_returns(void **state)
{
    static const struct play_row rows[] = {
        {"ReservationRequested r1 lines=standard:2", "CancellationRequested r1",
         "HoldReleased quantity=2 reservation_id=r1 after.held=0 after.free=4 seq=3"},
        {"ReservationRequested r1", "CancellationRequested r1 expect=any", "HoldReleased"},
        {"ReservationRequested r1 lines=standard:2; "
         "PaymentSucceeded r1 payment=p5:card:3000:EUR:ref",
         "CancellationRequested r1 expect=any refund=none",
         "SeatsReturned payment=p5:card:3000:EUR:ref lines=standard:2:1500 quantity=2 "
         "amount_minor=3000 currency=EUR refund=none cause=customer after.sold=0 after.free=4"},
        {"ReservationRequested r1; PaymentSucceeded r1",
         "CancellationRequested r1 expect=any by=staff", "SeatsReturned cause=staff refund=full"},
        {"ReservationRequested r1; PaymentSucceeded r1",
         "CancellationRequested r1 expect=any by=show", "SeatsReturned cause=show"},
        {"ReservationRequested r1; @630; PaymentSucceeded r1",
         "CancellationRequested r1 expect=any", "SeatsReturned"},
        /* gone */
        {"", "CancellationRequested r1", "ReleaseRejected reason=gone reservation_id=r1 seq=1"},
        {"", "CancellationRequested r1 s2", "ReleaseRejected reason=gone seq=- after=-"},
        {"CreateShow s2; ReservationRequested r1", "CancellationRequested r1 s2",
         "ReleaseRejected reason=gone"},
        {"ReservationRequested r1; CancellationRequested r1", "CancellationRequested r1",
         "ReleaseRejected reason=gone"},
        {"ReservationRequested r1; PaymentSucceeded r1; CancellationRequested r1 expect=any",
         "CancellationRequested r1 expect=any", "ReleaseRejected reason=gone"},
        /* who cancels a hold must not lose tickets bought in the meantime */
        {"ReservationRequested r1; PaymentSucceeded r1", "CancellationRequested r1 by=staff",
         "ReleaseRejected reason=already_sold after.sold=1"},
        {"UpdateShow customer_cancel_until_ms=T50; ReservationRequested r1; PaymentSucceeded r1",
         "@50 CancellationRequested r1", "ReleaseRejected reason=already_sold"},
        /* too late, for customers only */
        {"UpdateShow customer_cancel_until_ms=T50; ReservationRequested r1; PaymentSucceeded r1",
         "@50 CancellationRequested r1 expect=any", "ReleaseRejected reason=too_late"},
        {"UpdateShow customer_cancel_until_ms=T50; ReservationRequested r1; PaymentSucceeded r1",
         "@49.999 CancellationRequested r1 expect=any", "SeatsReturned"},
        {"UpdateShow customer_cancel_until_ms=T50; ReservationRequested r1; PaymentSucceeded r1",
         "@50 CancellationRequested r1 expect=any by=staff", "SeatsReturned"},
        {"UpdateShow customer_cancel_until_ms=T50; ReservationRequested r1",
         "@50 CancellationRequested r1 expect=any", "HoldReleased"},
    };
    (void)state;
    RUN(rows, OPENED);
}

/* ---- what is remembered ---------------------------------------------------------------------- */

static void give(struct play *play, const char *expectation, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void give(struct play *play, const char *expectation, const char *format, ...)
{
    char step[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(step, sizeof step, format, arguments);
    va_end(arguments);
    play_expect(play, play_step(play, step), expectation);
}

/* CreateShow is the first of 64; the 64th command after it pushes it out. */
static void shows_core__remembers_the_last_64_commands(void **state)
{
    struct play *play = play_open(&shows_service);
    (void)state;
    play_script(play, "CreateShow id=c0 fingerprint=0");
    for (int i = 1; i < 64; i++)
        give(play, i % 3 ? "SaleOpened" : "Refused", "%s id=c%d fingerprint=%d",
             i % 3 ? "OpenSale" : "SetCapacity capacity=1 expected_seq=0", i, i);
    for (int i = 0; i < 64; i++)
        give(play, "none", "OpenSale id=c%d fingerprint=%d", i, i);
    give(play, "SaleOpened", "OpenSale id=c64 fingerprint=64");
    give(play, "none", "OpenSale id=c1 fingerprint=1");
    give(play, "SaleOpened", "OpenSale id=c0 fingerprint=0"); /* forgotten: pushes out c1 */
    give(play, "none", "OpenSale id=c2 fingerprint=2");
    give(play, "Refused code=conflict", "OpenSale id=c2 fingerprint=1");
    give(play, "SaleOpened", "OpenSale id=c1 fingerprint=1");
    play_close(play);
}

/* Ids of commands are remembered for each show by itself. */
static void shows_core__shows_do_not_share_command_ids(void **state)
{
    static const struct play_row rows[] = {
        {"CreateShow s2; OpenSale id=c1 fingerprint=1", "OpenSale s2 id=c1 fingerprint=2",
         "SaleOpened show_id=s2"},
    };
    (void)state;
    RUN(rows, OPENED);
}

static void shows_core__tells_the_seats_of_a_show(void **state)
{
    struct play *play = play_open(&shows_service);
    struct after seats = {0};
    (void)state;
    assert_false(shows_seats(play_state(play), text_of("s1"), &seats));
    play_script(play, OPENED "; ReservationRequested r1 lines=standard:3");
    assert_true(shows_seats(play_state(play), text_of("s1"), &seats));
    assert_int_equal(seats.held, 3);
    assert_int_equal(seats.free, 1);
    assert_false(shows_seats(play_state(play), text_of("s2"), &seats));
    play_close(play);
}

/* ---- at random ------------------------------------------------------------------------------- */

static struct prng prng;

static int dice(int sides)
{
    return (int)prng_below(&prng, (uint64_t)sides);
}

static const char *one_of(const char *const *words, int count)
{
    return words[dice(count)];
}

#define ONE_OF(...)                                                                                \
    one_of((const char *const[]){__VA_ARGS__},                                                     \
           (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

static void random_command(char *step, size_t size, int64_t now_s)
{
    int show = 1 + dice(3);
    switch (dice(7)) {
    case 0:
        snprintf(step, size, "SetCapacity s%d capacity=%d force=%s", show, dice(30),
                 ONE_OF("true", "false"));
        return;
    case 1:
        snprintf(step, size, "SetBlock s%d block_id=b%d quantity=%d", show, dice(3), dice(6));
        return;
    case 2:
        snprintf(step, size, "%s s%d id=c%d", ONE_OF("OpenSale", "OpenSale", "PauseSale"), show,
                 dice(200));
        return;
    case 3:
        snprintf(step, size, "UpdateShow s%d tiers=%s", show,
                 ONE_OF("a:100,b:200", "a:150:9,b:200:5", "b:1,a:1,c:1:3", "a:1", "a:7,a:8"));
        return;
    case 4:
        snprintf(step, size, "UpdateShow s%d max_per_person=%d hold_ttl_s=%d", show, 3 + dice(5),
                 60 + dice(600));
        return;
    case 5:
        snprintf(step, size, "UpdateShow s%d currency=%s starts_at_ms=T%lld", show,
                 ONE_OF("EUR", "EUR", "USD"), (long long)now_s + dice(100000));
        return;
    default:
        snprintf(step, size, "CreateShow s%d capacity=%d tiers=a:100,b:200", show, 10 + dice(20));
    }
}

static void random_step(char *step, size_t size, int64_t now_s)
{
    int reservation = dice(400);
    /* Of one reservation, always the same show, mostly. */
    int show = 1 + (dice(50) ? reservation : dice(3)) % 3;
    switch (dice(10)) {
    case 0:
        random_command(step, size, now_s);
        return;
    case 1:
    case 2:
    case 3:
    case 4:
        snprintf(step, size, "ReservationRequested r%d s%d lines=%s:%d channel=%s %s", reservation,
                 show, ONE_OF("a", "b", "a:1,b", "c"), 1 + dice(4), ONE_OF("web", "boxoffice"),
                 ONE_OF("", "party=eve", "party=adam"));
        return;
    case 5:
        snprintf(step, size, "CheckoutStarted r%d s%d p%d", reservation, show, dice(1000));
        return;
    case 6:
    case 7:
        snprintf(step, size, "PaymentSucceeded r%d s%d payment=p%d:card:%d:EUR", reservation, show,
                 dice(1000), 100 * (1 + dice(5)));
        return;
    default:
        snprintf(step, size, "CancellationRequested r%d s%d expect=%s by=%s", reservation, show,
                 ONE_OF("hold", "any"), ONE_OF("customer", "staff"));
    }
}

/* A reservation is asked for once: that is promised by whoever asks. */
static bool asked_before(struct told *told, const char *step)
{
    int reservation = 0;
    char id[40];
    if (sscanf(step, "ReservationRequested r%d", &reservation) != 1)
        return false;
    snprintf(id, sizeof id, "a0000000-0000-4000-8000-%012d", reservation);
    for (int i = 0; i < told->hold_count; i++)
        if (strcmp(told->holds[i].reservation_id, id) == 0)
            return true;
    return false;
}

static void shows_core__keeps_its_books_whatever_comes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct told *told = memory_new(sizeof *told);
        struct play *play = play_open(&shows_service);
        char step[256], timed[320];
        int64_t now_s = 0;
        prng.state = seed;
        play_watch(play, fold, told);
        for (int i = 0; i < 600; i++) {
            now_s += dice(20) ? dice(10) : dice(700);
            random_step(step, sizeof step, now_s);
            if (asked_before(told, step))
                continue;
            /* The log's clock may step back; time does not. */
            snprintf(timed, sizeof timed, "@%lld %s", (long long)(dice(30) ? now_s : now_s / 2),
                     step);
            play_step(play, timed);
        }
        play_close(play);
        memory_free(told);
    }
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (message_speaker((enum message_type)type) == SPEAKER_shows &&
            message_role((enum message_type)type) == ROLE_EVENT)
            assert_true(play_seen()->types[type] > 0);
}

static void shows_core__every_reason_and_code_occurred(void **state)
{
    (void)state;
    /* the loop's, and checkout's */
    static const char *const codes[] = {"undecodable", "unknown_type", "misrouted",
                                        "internal",    "forbidden",    NULL};
    static const char *const reasons[] = {"amount_due", NULL};
    play_expect_codes_seen(codes);
    play_expect_reasons_seen(reasons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_core__creates_a_show_with_its_defaults),
        cmocka_unit_test(shows_core__refuses_to_create),
        cmocka_unit_test(shows_core__commands_share_one_ladder),
        cmocka_unit_test(shows_core__updates),
        cmocka_unit_test(shows_core__capacity_and_blocks),
        cmocka_unit_test(shows_core__holds),
        cmocka_unit_test(shows_core__rejects_holds_by_the_rules),
        cmocka_unit_test(shows_core__the_order_of_the_rules_of_a_hold),
        cmocka_unit_test(shows_core__tells_sold_out_from_all_held),
        cmocka_unit_test(shows_core__expires_half_a_minute_after_it_said),
        cmocka_unit_test(shows_core__a_checkout_extends),
        cmocka_unit_test(shows_core__sells),
        cmocka_unit_test(shows_core__reacquires_for_a_party_without_a_cap),
        cmocka_unit_test(shows_core__releases_and_returns),
        cmocka_unit_test(shows_core__remembers_the_last_64_commands),
        cmocka_unit_test(shows_core__shows_do_not_share_command_ids),
        cmocka_unit_test(shows_core__tells_the_seats_of_a_show),
        cmocka_unit_test(shows_core__keeps_its_books_whatever_comes),
        cmocka_unit_test(shows_core__every_reason_and_code_occurred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
