/* Taking seats: every guard of the one ladder that a new hold and a resize walk, in its order. */
#include "tests/support/core_play.h"
#include "tests/support/shows_told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define OPENED "CreateShow tiers=standard:1500 capacity=4 id=create"

/* ---- holding --------------------------------------------------------------------------------- */

static void shows_core_seats__holds(void **state)
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
    TOLD_TABLE(rows, OPENED);
}

static void shows_core_seats__rejects_holds_by_the_rules(void **state)
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
    TOLD_TABLE(rows, OPENED);
}

/* Who breaks two rules at once is told the earlier one. */
static void shows_core_seats__the_order_of_the_rules_of_a_hold(void **state)
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
    TOLD_TABLE(rows, OPENED);
}

static void shows_core_seats__tells_sold_out_from_all_held(void **state)
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
    TOLD_TABLE(rows, OPENED);
}

/* ---- resizing -------------------------------------------------------------------------------- */

#define THREE_TIERS "CreateShow capacity=10 max_per_order=6 tiers=a:100,b:200:3,c:50"
#define HOLD        "ReservationRequested r1 lines=a:2,b:1;"

static void shows_core_seats__resizes(void **state)
{
    static const struct play_row rows[] = {
        {HOLD, "@9 ChangeRequested r1 lines=a:3,b:1 id=e9",
         "HoldResized show_id=s1 reservation_id=r1 old=a:2:100,b:1:200 lines=a:3:100,b:1:200 "
         "quantity=4 amount_minor=500 currency=EUR seq=3 after.held=4 after.free=6 "
         "after.tiers.0.held=3 cause_id=e9 at_ms=T9"},
        {HOLD, "ChangeRequested r1 lines=a:1",
         "HoldResized old=a:2:100,b:1:200 lines=a:1:100 quantity=1 amount_minor=100 "
         "after.tiers.1.held=0 after.held=1"},
        {HOLD, "ChangeRequested r1 lines=c:6", "HoldResized lines=c:6:50 amount_minor=300"},
        {HOLD, "ChangeRequested r1 lines=b:1,a:2", "HoldResized lines=b:1:200,a:2:100 seq=3"},
        {HOLD, "ChangeRequested r1 lines=a:2,b:1", "HoldResized lines=a:2:100,b:1:200 seq=3"},
        {HOLD "ChangeRequested r1 lines=c:1", "ChangeRequested r1 lines=a:1",
         "HoldResized old=c:1:50 lines=a:1:100"},
        /* what is had keeps its price, what is new has today's; what was given up is not had */
        {HOLD "UpdateShow tiers=a:111,b:222:3,c:55", "ChangeRequested r1 lines=a:4,c:2",
         "HoldResized lines=a:4:100,c:2:55 amount_minor=510"},
        {HOLD "ChangeRequested r1 lines=b:1; UpdateShow tiers=a:111,b:222:3,c:55",
         "ChangeRequested r1 lines=a:1,b:2", "HoldResized lines=a:1:111,b:2:200"},
        {HOLD "UpdateShow tiers=a:111,b:222:3,c:55; ChangeRequested r1 lines=a:1,c:1; "
              "UpdateShow tiers=a:1,b:2:3,c:3",
         "ChangeRequested r1 lines=a:1,b:1,c:1", "HoldResized lines=a:1:100,b:1:2,c:1:55"},
        /* no deadline changes */
        {HOLD "@100 ChangeRequested r1 lines=a:1", "@629.999", "none"},
        {HOLD "@100 ChangeRequested r1 lines=a:5", "@630",
         "HoldExpired quantity=5 expires_at_ms=T600 after.held=0"},
        {HOLD "@100 ExtensionRequested r1 until_at_ms=T2000; ChangeRequested r1 lines=a:1",
         "@2029.999", "none"},
        {HOLD "@100 ChangeRequested r1 lines=a:1", "@200 CheckoutStarted r1",
         "HoldExtended expires_at_ms=T800 lines=a:1:100 amount_minor=100"},
        {HOLD "@100 ChangeRequested r1 lines=a:1", "@700 ChangeRequested r1 lines=a:1",
         "ResizeRejected reason=gone"},
        {HOLD, "@629.999 ChangeRequested r1 lines=a:1", "HoldResized"},
        /* what it is now is what is paid, released and sold */
        {HOLD "ChangeRequested r1 lines=a:1,c:2", "PaymentSucceeded r1 payment=p1:cash:200:EUR",
         "SeatsSold lines=a:1:100,c:2:50 quantity=3 after.sold=3 after.held=0"},
        {HOLD "ChangeRequested r1 lines=a:1", "PaymentSucceeded r1 payment=p1:cash:400:EUR",
         "SaleRejected reason=amount"},
        {HOLD "ChangeRequested r1 lines=a:5", "CancellationRequested r1",
         "HoldReleased quantity=5 after.held=0 after.free=10"},
        {HOLD "ChangeRequested r1 lines=c:2; PaymentSucceeded r1 payment=p1:cash:100:EUR",
         "CancellationRequested r1 expect=any tickets=2",
         "SeatsReturned lines=c:1:50 amount_minor=50"},
        {HOLD "ChangeRequested r1 lines=c:2; @630", "PaymentSucceeded r1 payment=p1:cash:100:EUR",
         "SeatsSold reacquired=true lines=c:2:50"},
        /* the least and the most */
        {"ReservationRequested r1 lines=a:4; ReservationRequested r2 lines=c:4",
         "ChangeRequested r1 lines=a:6", "HoldResized after.free=0"},
        {"ReservationRequested r1 lines=b:2", "ChangeRequested r1 lines=b:3", "HoldResized"},
        {"ReservationRequested r1 lines=b:2; SetBlock quantity=7", "ChangeRequested r1 lines=b:3",
         "HoldResized after.free=0 after.blocked=7"},
    };
    (void)state;
    TOLD_TABLE(rows, THREE_TIERS);
}

/* Who takes nothing more asks nobody: a smaller hold, and within one total another tier. */
static void shows_core_seats__shrinks_and_swaps_whenever(void **state)
{
    static const struct play_row rows[] = {
        {HOLD "UpdateShow on_sale_at_ms=T50", "ChangeRequested r1 lines=a:1,b:1", "HoldResized"},
        {HOLD "PauseSale", "ChangeRequested r1 lines=b:1", "HoldResized"},
        {HOLD "PauseSale", "ChangeRequested r1 lines=b:1,a:2", "HoldResized"},
        {HOLD "UpdateShow off_sale_at_ms=T5", "@5 ChangeRequested r1 lines=a:1", "HoldResized"},
        /* a swap takes seats of a tier: the sale must be open for it */
        {HOLD "UpdateShow on_sale_at_ms=T50", "ChangeRequested r1 lines=a:1,b:2",
         "ResizeRejected reason=not_on_sale"},
        {HOLD "PauseSale", "ChangeRequested r1 lines=c:1", "ResizeRejected reason=sale_paused"},
        {HOLD "UpdateShow off_sale_at_ms=T5", "@5 ChangeRequested r1 lines=b:2",
         "ResizeRejected reason=sale_closed"},
        /* fewer seats may be more than the limit allows now, and the person */
        {"ReservationRequested r1 lines=a:6; UpdateShow max_per_order=3",
         "ChangeRequested r1 lines=a:5", "HoldResized quantity=5"},
        {"ReservationRequested r1 lines=a:6; UpdateShow max_per_order=3",
         "ChangeRequested r1 lines=a:3,c:3", "HoldResized quantity=6"},
        {"ReservationRequested r1 lines=a:6; UpdateShow max_per_order=3",
         "ChangeRequested r1 lines=a:6,c:1", "ResizeRejected reason=limit"},
        {"ReservationRequested r1 lines=a:2; UpdateShow max_per_order=3",
         "ChangeRequested r1 lines=a:3", "HoldResized"},
        {"ReservationRequested r1 lines=a:6 party=eve; UpdateShow max_per_person=3",
         "ChangeRequested r1 lines=a:5", "HoldResized"},
        {"ReservationRequested r1 lines=a:6 party=eve; UpdateShow max_per_person=3",
         "ChangeRequested r1 lines=c:6", "HoldResized"},
        {"ReservationRequested r1 lines=a:2; UpdateShow max_per_person=3",
         "ChangeRequested r1 lines=c:2", "HoldResized"},
        /* no total is asked for, only the tier that grows */
        {"ReservationRequested r1 lines=a:3; SetCapacity capacity=1 force=true",
         "ChangeRequested r1 lines=c:3", "HoldResized after.oversold_by=2 after.free=0"},
        {"ReservationRequested r1 lines=a:3; SetCapacity capacity=1 force=true",
         "ChangeRequested r1 lines=a:2", "HoldResized after.oversold_by=1"},
        {"ReservationRequested r1 lines=a:3; SetCapacity capacity=1 force=true",
         "ChangeRequested r1 lines=c:1", "HoldResized after.oversold_by=0 after.free=0"},
        {"ReservationRequested r1 lines=a:3; SetBlock quantity=7",
         "ChangeRequested r1 lines=a:1,b:2", "HoldResized after.free=0"},
        {"ReservationRequested r1 lines=a:4; ReservationRequested r2 lines=b:3",
         "ChangeRequested r1 lines=a:3,b:1", "ResizeRejected reason=all_held"},
        {"ReservationRequested r1 lines=a:4; ReservationRequested r2 lines=b:3; "
         "PaymentSucceeded r2 payment=p2:cash:600:EUR",
         "ChangeRequested r1 lines=b:1", "ResizeRejected reason=sold_out"},
    };
    (void)state;
    TOLD_TABLE(rows, THREE_TIERS);
}

static void shows_core_seats__rejects_resizes_by_the_rules(void **state)
{
    static const struct play_row rows[] = {
        /* gone */
        {"", "ChangeRequested r1 lines=a:1",
         "ResizeRejected show_id=s1 reservation_id=r1 reason=gone available=0 retry_after_s=- "
         "seq=1 after.free=10"},
        {"", "ChangeRequested r1 s2 lines=a:1", "ResizeRejected reason=gone seq=- after=-"},
        {"CreateShow s2;" HOLD, "ChangeRequested r1 s2 lines=a:1",
         "ResizeRejected reason=gone seq=1"},
        {HOLD "CancellationRequested r1", "ChangeRequested r1 lines=a:1",
         "ResizeRejected reason=gone"},
        {HOLD "PaymentSucceeded r1 payment=p1:cash:400:EUR", "ChangeRequested r1 lines=a:1",
         "ResizeRejected reason=gone available=0 after.sold=3"},
        {HOLD "PaymentSucceeded r1 payment=p1:cash:400:EUR; "
              "CancellationRequested r1 expect=any tickets=1",
         "ChangeRequested r1 lines=a:1", "ResizeRejected reason=gone"},
        {HOLD, "@630 ChangeRequested r1 lines=a:1", "ResizeRejected reason=gone"},
        /* once a checkout began, ever: not even smaller */
        {HOLD "CheckoutStarted r1", "ChangeRequested r1 lines=a:1",
         "ResizeRejected reason=paying available=3 retry_after_s=- seq=3"},
        {HOLD "CheckoutStarted r1; ExtensionRequested r1 until_at_ms=T1", "ChangeRequested r1",
         "ResizeRejected reason=paying"},
        /* staff may give time, and a pin is no checkout */
        {HOLD "ExtensionRequested r1 until_at_ms=T900", "ChangeRequested r1 lines=a:1",
         "HoldResized"},
        {HOLD "PaymentUnknown r1", "ChangeRequested r1 lines=a:1", "HoldResized"},
        /* the sale, of the hold's own channel */
        {HOLD "UpdateShow on_sale_at_ms=T50", "@49.999 ChangeRequested r1 lines=a:3,b:1",
         "ResizeRejected reason=not_on_sale available=10"},
        {HOLD "UpdateShow on_sale_at_ms=T50", "@50 ChangeRequested r1 lines=a:3", "HoldResized"},
        {HOLD "PauseSale", "ChangeRequested r1 lines=a:3,b:1", "ResizeRejected reason=sale_paused"},
        {HOLD "UpdateShow off_sale_at_ms=T50", "@50 ChangeRequested r1 lines=a:3",
         "ResizeRejected reason=sale_closed"},
        {HOLD "UpdateShow off_sale_at_ms=T50", "@49.999 ChangeRequested r1 lines=a:3",
         "HoldResized"},
        {"ReservationRequested r1 lines=a:1 channel=boxoffice; UpdateShow on_sale_at_ms=T50",
         "ChangeRequested r1 lines=a:2", "HoldResized"},
        {"ReservationRequested r1 lines=a:1 channel=boxoffice; UpdateShow off_sale_at_ms=T50",
         "@50 ChangeRequested r1 lines=a:2", "HoldResized"},
        {"ReservationRequested r1 lines=a:1 channel=boxoffice; PauseSale",
         "ChangeRequested r1 lines=a:2", "ResizeRejected reason=sale_paused"},
        {HOLD, "ChangeRequested r1 lines=x:1", "ResizeRejected reason=no_such_tier available=3"},
        {HOLD, "ChangeRequested r1 lines=a:2,x:1",
         "ResizeRejected reason=no_such_tier available=10"},
        /* seats and money */
        {HOLD, "ChangeRequested r1 lines=a:7", "ResizeRejected reason=limit available=10"},
        {HOLD, "ChangeRequested r1 lines=a:3,c:4", "ResizeRejected reason=limit"},
        {HOLD "UpdateShow tiers=a:1,b:1,c:400000000000", "ChangeRequested r1 lines=c:3",
         "ResizeRejected reason=limit"},
        {HOLD "UpdateShow tiers=a:1,b:1,c:1000000000000", "ChangeRequested r1 lines=c:1",
         "HoldResized amount_minor=1000000000000"},
        {HOLD "UpdateShow tiers=a:1,b:1,c:1000000000000", "ChangeRequested r1 lines=c:1,a:1",
         "ResizeRejected reason=limit"},
        {HOLD "UpdateShow tiers=a:1000000000000,b:1,c:1", "ChangeRequested r1 lines=a:6",
         "HoldResized amount_minor=600"},
    };
    (void)state;
    TOLD_TABLE(rows, THREE_TIERS);
}

static void shows_core_seats__a_hold_grows_within_the_cap_of_its_person(void **state)
{
    static const struct play_row rows[] = {
        {"ReservationRequested r1 lines=a:2; UpdateShow max_per_person=9",
         "ChangeRequested r1 lines=a:3", "ResizeRejected reason=party_required"},
        {"ReservationRequested r1 lines=a:2 party=eve; UpdateShow max_per_person=3",
         "ChangeRequested r1 lines=a:3", "HoldResized"},
        {"ReservationRequested r1 lines=a:2 party=eve; UpdateShow max_per_person=3",
         "ChangeRequested r1 lines=a:2,c:2", "ResizeRejected reason=person_limit available=10"},
        {"ReservationRequested r1 lines=a:2 party=eve; ReservationRequested r2 lines=a:1 party=eve;"
         "UpdateShow max_per_person=3",
         "ChangeRequested r1 lines=a:3", "ResizeRejected reason=person_limit"},
        {"ReservationRequested r1 lines=a:2 party=eve; ReservationRequested r2 lines=a:1 party=eve;"
         "UpdateShow max_per_person=3; ChangeRequested r1 lines=a:1",
         "ChangeRequested r2 lines=a:2", "HoldResized"},
        {"ReservationRequested r1 lines=a:2 party=eve; UpdateShow max_per_person=3; "
         "ChangeRequested r1 lines=a:3",
         "ReservationRequested r2 lines=a:1 party=eve", "HoldRejected reason=person_limit"},
        {"ReservationRequested r1 lines=a:3 party=eve; UpdateShow max_per_person=3; "
         "ChangeRequested r1 lines=a:1; @630 -> HoldExpired",
         "ReservationRequested r2 lines=a:3 party=eve", "SeatsHeld"},
    };
    (void)state;
    TOLD_TABLE(rows, THREE_TIERS);
}

/* Sold: it would not help if every other hold came back; one's own seats are one's own. */
static void shows_core_seats__tells_sold_out_from_all_held_of_a_resize(void **state)
{
    static const struct play_row rows[] = {
        {HOLD "SetCapacity capacity=4", "ChangeRequested r1 lines=a:5",
         "ResizeRejected reason=sold_out available=4 retry_after_s=-"},
        {HOLD "SetBlock quantity=6", "ChangeRequested r1 lines=a:5",
         "ResizeRejected reason=sold_out available=4"},
        {HOLD "SetBlock quantity=6", "ChangeRequested r1 lines=a:4", "HoldResized"},
        {HOLD "ReservationRequested r2 lines=a:6; PaymentSucceeded r2 payment=p2:cash:600:EUR",
         "ChangeRequested r1 lines=a:5", "ResizeRejected reason=sold_out available=4"},
        {HOLD "@10 ReservationRequested r2 lines=a:6", "@20 ChangeRequested r1 lines=a:5",
         "ResizeRejected reason=all_held available=4 retry_after_s=610 seq=3 after.free=1"},
        {HOLD "ReservationRequested r2 lines=a:6; @10 CancellationRequested r2",
         "ChangeRequested r1 lines=a:5", "HoldResized"},
        {HOLD "ReservationRequested r2 lines=a:6; SetCapacity capacity=8 force=true",
         "ChangeRequested r1 lines=a:4", "ResizeRejected reason=all_held available=3"},
        {HOLD "SetCapacity capacity=2 force=true", "ChangeRequested r1 lines=a:4",
         "ResizeRejected reason=sold_out available=3"},
        /* a tier's cap is partly one's own */
        {HOLD, "ChangeRequested r1 lines=b:4", "ResizeRejected reason=sold_out available=5"},
        {HOLD "ReservationRequested r2 lines=b:1", "ChangeRequested r1 lines=b:2", "HoldResized"},
        {HOLD "ReservationRequested r2 lines=b:1", "ChangeRequested r1 lines=b:3",
         "ResizeRejected reason=all_held available=4"},
        {HOLD "ReservationRequested r2 lines=b:2", "ChangeRequested r1 lines=a:2,b:2",
         "ResizeRejected reason=all_held available=8"},
        {HOLD "ReservationRequested r2 lines=b:1; PaymentSucceeded r2 payment=p2:cash:200:EUR",
         "ChangeRequested r1 lines=b:3", "ResizeRejected reason=sold_out available=4"},
        {HOLD "ReservationRequested r2 lines=b:1; PaymentSucceeded r2 payment=p2:cash:200:EUR",
         "ChangeRequested r1 lines=b:2", "HoldResized"},
        /* a tier that is over its cap is nobody's business but whose line of it grows */
        {HOLD "ReservationRequested r2 lines=b:2", "ChangeRequested r1 lines=a:3,b:1",
         "HoldResized"},
        /* sold out in one tier before all held in another, and in the total */
        {HOLD "ReservationRequested r2 lines=b:2,a:4", "ChangeRequested r1 lines=b:4",
         "ResizeRejected reason=sold_out"},
        {HOLD "SetCapacity capacity=4; ReservationRequested r2 lines=b:1",
         "ChangeRequested r1 lines=b:3,a:2", "ResizeRejected reason=sold_out available=3"},
    };
    (void)state;
    TOLD_TABLE(rows, THREE_TIERS);
}

/* Each row breaks the rule it is told of, and all behind it. */
static void shows_core_seats__the_order_of_the_rules_of_a_resize(void **state)
{
    static const struct play_row rows[] = {
        {"CheckoutStarted r1; CancellationRequested r1; CancelShow", "ChangeRequested r1 lines=x:9",
         "ResizeRejected reason=gone"},
        {"CheckoutStarted r1; PauseSale; CancelShow", "ChangeRequested r1 lines=x:9",
         "ResizeRejected reason=paying"},
        {"UpdateShow on_sale_at_ms=T50; PauseSale; CancelShow", "ChangeRequested r1 lines=x:9",
         "ResizeRejected reason=show_cancelled"},
        {"UpdateShow on_sale_at_ms=T50; PauseSale", "ChangeRequested r1 lines=x:9",
         "ResizeRejected reason=not_on_sale"},
        {"UpdateShow off_sale_at_ms=T50; PauseSale", "@50 ChangeRequested r1 lines=x:9",
         "ResizeRejected reason=sale_paused"},
        {"UpdateShow off_sale_at_ms=T50", "@50 ChangeRequested r1 lines=x:9",
         "ResizeRejected reason=sale_closed"},
        {"", "ChangeRequested r1 lines=a:9,x:1", "ResizeRejected reason=no_such_tier"},
        {"UpdateShow max_per_person=3", "ChangeRequested r1 lines=b:12",
         "ResizeRejected reason=limit"},
        {"UpdateShow max_per_person=3", "ChangeRequested r1 lines=b:6",
         "ResizeRejected reason=person_limit"},
        {"SetCapacity capacity=3; ReservationRequested r2 lines=b:1 party=adam",
         "ChangeRequested r1 lines=b:5", "ResizeRejected reason=sold_out"},
    };
    (void)state;
    TOLD_TABLE(rows, THREE_TIERS "; ReservationRequested r1 lines=a:2 party=eve");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_core_seats__holds),
        cmocka_unit_test(shows_core_seats__rejects_holds_by_the_rules),
        cmocka_unit_test(shows_core_seats__the_order_of_the_rules_of_a_hold),
        cmocka_unit_test(shows_core_seats__tells_sold_out_from_all_held),
        cmocka_unit_test(shows_core_seats__resizes),
        cmocka_unit_test(shows_core_seats__shrinks_and_swaps_whenever),
        cmocka_unit_test(shows_core_seats__rejects_resizes_by_the_rules),
        cmocka_unit_test(shows_core_seats__a_hold_grows_within_the_cap_of_its_person),
        cmocka_unit_test(shows_core_seats__tells_sold_out_from_all_held_of_a_resize),
        cmocka_unit_test(shows_core_seats__the_order_of_the_rules_of_a_resize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
