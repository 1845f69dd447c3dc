/* What becomes of a hold: more time, a sale, its end, and the tickets that come back. */
#include "tests/support/core_play.h"
#include "tests/support/shows_told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define OPENED "CreateShow tiers=standard:1500 capacity=4 id=create"

/* ---- the life of a hold ---------------------------------------------------------------------- */

static void shows_core_holds__expires_half_a_minute_after_it_said(void **state)
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
        {"ReservationRequested r1; @10 ReservationRequested r2; ExtensionRequested r1 "
         "until_at_ms=T610",
         "@640", "HoldExpired reservation_id=r2 at_ms=T640 after.held=0"},
        {"ReservationRequested r1; @10 ReservationRequested r2; ExtensionRequested r2 "
         "until_at_ms=T600; ChangeRequested r1 lines=standard:2",
         "@630", "HoldExpired reservation_id=r2 after.held=0"},
        {"ReservationRequested r1; ReservationRequested r2; ExtensionRequested r2 "
         "until_at_ms=T599.999",
         "@630", "HoldExpired reservation_id=r1 after.held=0"},
        {"ReservationRequested r1; @10 ReservationRequested r2; @20 CheckoutStarted r1; "
         "@640 -> HoldExpired reservation_id=r2",
         "@650", "HoldExpired reservation_id=r1 expires_at_ms=T620 at_ms=T650"},
    };
    (void)state;
    TOLD_TABLE(rows, OPENED);
}

static void shows_core_holds__a_checkout_extends(void **state)
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
    TOLD_TABLE(rows, OPENED);
}

static void shows_core_holds__staff_sets_the_time(void **state)
{
    static const struct play_row rows[] = {
        {"ReservationRequested r1 lines=standard:2", "@7 ExtensionRequested r1 until_at_ms=T5000",
         "HoldExtended cause=staff reservation_id=r1 expires_at_ms=T5000 payment_id=- pay_by_ms=- "
         "lines=- amount_minor=- currency=- seq=3 after.held=2 at_ms=T7"},
        {"ReservationRequested r1; ExtensionRequested r1 until_at_ms=T5000", "@5029.999", "none"},
        {"ReservationRequested r1; ExtensionRequested r1 until_at_ms=T5000", "@5030",
         "HoldExpired expires_at_ms=T5000 at_ms=T5030"},
        /* from now up to the start, shorter too, and as often as they like */
        {"ReservationRequested r1", "@9 ExtensionRequested r1 until_at_ms=T9",
         "HoldExtended expires_at_ms=T9"},
        {"ReservationRequested r1", "@9 ExtensionRequested r1 until_at_ms=T8.999",
         "ExtensionRejected cause=staff reason=deadline payment_id=- seq=2 after.held=1"},
        {"ReservationRequested r1", "ExtensionRequested r1 until_at_ms=T864000",
         "HoldExtended expires_at_ms=T864000"},
        {"ReservationRequested r1", "ExtensionRequested r1 until_at_ms=T864000.001",
         "ExtensionRejected reason=deadline"},
        {"ReservationRequested r1; ExtensionRequested r1 until_at_ms=T5000",
         "@8 ExtensionRequested "
         "r1 until_at_ms=T10",
         "HoldExtended expires_at_ms=T10"},
        {"ReservationRequested r1; ExtensionRequested r1 until_at_ms=T100", "@129.999", "none"},
        {"ReservationRequested r1; ExtensionRequested r1 until_at_ms=T100", "@130",
         "HoldExpired expires_at_ms=T100"},
        {"ReservationRequested r1; @9 ExtensionRequested r1 until_at_ms=T9",
         "@38.999 "
         "ExtensionRequested r1 until_at_ms=T50",
         "HoldExtended"},
        {"ReservationRequested r1; @9 ExtensionRequested r1 until_at_ms=T9",
         "@39 "
         "ExtensionRequested r1 until_at_ms=T50",
         "ExtensionRejected reason=gone"},
        {"ReservationRequested r1; ExtensionRequested r1 until_at_ms=T100; @130",
         "PaymentSucceeded r1", "SeatsSold reacquired=true"},
        /* the start as it is today; after it, none */
        {"ReservationRequested r1; UpdateShow starts_at_ms=T900",
         "ExtensionRequested r1 until_at_ms=T901", "ExtensionRejected reason=deadline"},
        {"@863990 ReservationRequested r1", "@864001 ExtensionRequested r1 until_at_ms=T864001",
         "ExtensionRejected reason=deadline"},
        /* it neither begins a checkout nor ends one */
        {"ReservationRequested r1; @10 ExtensionRequested r1 until_at_ms=T20",
         "@15 CheckoutStarted r1", "HoldExtended cause=checkout expires_at_ms=T615"},
        {"ReservationRequested r1; ExtensionRequested r1 until_at_ms=T5000",
         "@15 CheckoutStarted r1", "HoldExtended pay_by_ms=T5000"},
        {"ReservationRequested r1; @100 CheckoutStarted r1",
         "ExtensionRequested r1 "
         "until_at_ms=T200",
         "HoldExtended cause=staff expires_at_ms=T200"},
        /* gone before the deadline */
        {"", "ExtensionRequested r1 until_at_ms=T864001",
         "ExtensionRejected cause=staff reason=gone payment_id=- seq=1"},
        {"", "ExtensionRequested r1 s2", "ExtensionRejected cause=staff reason=gone seq=- after=-"},
        {"ReservationRequested r1; PaymentSucceeded r1",
         "ExtensionRequested r1 until_at_ms=T864001", "ExtensionRejected reason=gone"},
        {"ReservationRequested r1; CancellationRequested r1", "ExtensionRequested r1",
         "ExtensionRejected reason=gone"},
        {"ReservationRequested r1", "@630 ExtensionRequested r1 until_at_ms=T5000",
         "ExtensionRejected reason=gone"},
    };
    (void)state;
    TOLD_TABLE(rows, OPENED);
}

/* While nobody knows whether money came: half an hour more, once. */
static void shows_core_holds__an_unknown_payment_pins(void **state)
{
    static const struct play_row rows[] = {
        {"ReservationRequested r1; @100 CheckoutStarted r1 p4", "@300 PaymentUnknown r1 p4",
         "HoldExtended cause=pin payment_id=p4 reservation_id=r1 expires_at_ms=T2500 pay_by_ms=- "
         "lines=- amount_minor=- currency=- seq=4 after.held=1"},
        {"ReservationRequested r1; PaymentUnknown r1", "@2429.999", "none"},
        {"ReservationRequested r1; PaymentUnknown r1", "@2430",
         "HoldExpired expires_at_ms=T2400 at_ms=T2430"},
        {"ReservationRequested r1", "@629.999 PaymentUnknown r1",
         "HoldExtended expires_at_ms=T2400"},
        {"ReservationRequested r1", "@630 PaymentUnknown r1 p4",
         "ExtensionRejected cause=pin payment_id=p4 reason=gone"},
        /* once, whichever payment */
        {"ReservationRequested r1; PaymentUnknown r1 p1", "PaymentUnknown r1 p1",
         "ExtensionRejected cause=pin payment_id=p1 reason=limit seq=3 after.held=1"},
        {"ReservationRequested r1; PaymentUnknown r1 p1", "@2429.999 PaymentUnknown r1 p2",
         "ExtensionRejected cause=pin payment_id=p2 reason=limit"},
        {"ReservationRequested r1; PaymentUnknown r1 p1; CheckoutStarted r1 p2",
         "PaymentUnknown r1 p2", "ExtensionRejected reason=limit"},
        {"ReservationRequested r1; ReservationRequested r2; PaymentUnknown r1", "PaymentUnknown r2",
         "HoldExtended reservation_id=r2"},
        /* a rejected one does not count */
        {"PaymentUnknown r1 -> ExtensionRejected; ReservationRequested r1", "PaymentUnknown r1",
         "HoldExtended"},
        /* a checkout does not shorten it; on top of what staff gave; staff may take it away */
        {"ReservationRequested r1; @620 PaymentUnknown r1", "@2000 CheckoutStarted r1",
         "HoldExtended cause=checkout expires_at_ms=T2400 pay_by_ms=T2400"},
        {"ReservationRequested r1; ExtensionRequested r1 until_at_ms=T5000", "PaymentUnknown r1",
         "HoldExtended expires_at_ms=T6800"},
        {"ReservationRequested r1; ExtensionRequested r1 until_at_ms=T863999", "PaymentUnknown r1",
         "HoldExtended expires_at_ms=T865799"},
        {"ReservationRequested r1; PaymentUnknown r1; ExtensionRequested r1 until_at_ms=T10",
         "PaymentUnknown r1", "ExtensionRejected reason=limit"},
        /* staff held the seats until the end of all times: later than that cannot be written */
        {"UpdateShow starts_at_ms=T251602300799.999; ReservationRequested r1;"
         "ExtensionRequested r1 until_at_ms=T251602300799.999",
         "PaymentUnknown r1", "HoldExtended cause=pin expires_at_ms=T251602300799.999"},
        /* it sells and ends like any hold */
        {"ReservationRequested r1; PaymentUnknown r1", "@2429.999 PaymentSucceeded r1",
         "SeatsSold reacquired=false"},
        {"ReservationRequested r1; PaymentUnknown r1", "@2430 PaymentSucceeded r1",
         "SeatsSold reacquired=true"},
        {"ReservationRequested r1; PaymentUnknown r1", "CancellationRequested r1", "HoldReleased"},
        /* gone, whatever the end, before the limit */
        {"", "PaymentUnknown r1 p4", "ExtensionRejected cause=pin payment_id=p4 reason=gone seq=1"},
        {"", "PaymentUnknown r1 s2", "ExtensionRejected cause=pin reason=gone seq=- after=-"},
        {"ReservationRequested r1; PaymentSucceeded r1", "PaymentUnknown r1",
         "ExtensionRejected reason=gone"},
        {"ReservationRequested r1; PaymentUnknown r1; CancellationRequested r1",
         "PaymentUnknown r1", "ExtensionRejected reason=gone"},
    };
    (void)state;
    TOLD_TABLE(rows, OPENED);
}

static void shows_core_holds__sells(void **state)
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
    TOLD_TABLE(rows, OPENED);
}

/* Without a cap per person a named party is no reason to turn a payment away. */
static void shows_core_holds__reacquires_for_a_party_without_a_cap(void **state)
{
    static const struct play_row rows[] = {
        {"ReservationRequested r1 party=eve; @630 -> HoldExpired", "PaymentSucceeded r1",
         "SeatsSold reacquired=true"},
    };
    (void)state;
    TOLD_TABLE(rows, OPENED);
}

static void shows_core_holds__releases_and_returns(void **state)
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
    TOLD_TABLE(rows, OPENED);
}

/* ---- some of the tickets --------------------------------------------------------------------- */

/* Tickets 1 and 2 are of tier a, 3 to 5 of tier b. */
#define FIVE                                                                                       \
    "CreateShow capacity=5 tiers=a:100:4,b:200; ReservationRequested r1 lines=a:2,b:3 party=eve; " \
    "PaymentSucceeded r1 payment=p1:card:800:EUR:ref:bank;"
#define BACK "CancellationRequested r1 expect=any "

static void shows_core_holds__returns_some_tickets(void **state)
{
    static const struct play_row rows[] = {
        {"", BACK "tickets=2+3 by=staff refund=none id=e7",
         "SeatsReturned show_id=s1 reservation_id=r1 payment=p1:card:800:EUR:ref:bank tickets=2+3 "
         "lines=a:1:100,b:1:200 quantity=2 amount_minor=300 currency=EUR refund=none cause=staff "
         "seq=4 after.sold=3 after.held=0 after.free=2 after.tiers.0.sold=1 cause_id=e7"},
        {"", BACK "tickets=4", "SeatsReturned tickets=4 lines=b:1:200 amount_minor=200"},
        {"", BACK "tickets=1+2+3+4+5", "SeatsReturned quantity=5 amount_minor=800 after.sold=0"},
        {"", BACK "tickets=5+1", "SeatsReturned tickets=1+5 lines=a:1:100,b:1:200"},
        /* without tickets: all that are still sold */
        {"", BACK, "SeatsReturned tickets=1+2+3+4+5 lines=a:2:100,b:3:200 quantity=5"},
        {BACK "tickets=1+4", BACK,
         "SeatsReturned tickets=2+3+5 lines=a:1:100,b:2:200 quantity=3 "
         "amount_minor=500 payment=p1:card:800:EUR:ref:bank after.sold=0"},
        {BACK "tickets=1+2; " BACK "tickets=4", BACK,
         "SeatsReturned tickets=3+5 lines=b:2:200 seq=6"},
        /* each ticket once, and all of them or none */
        {BACK "tickets=2", BACK "tickets=2", "ReleaseRejected reason=gone seq=4 after.sold=4"},
        {BACK "tickets=2", BACK "tickets=1+2", "ReleaseRejected reason=gone after.sold=4"},
        {BACK "tickets=2", BACK "tickets=1", "SeatsReturned tickets=1 after.sold=3"},
        {"", BACK "tickets=6", "ReleaseRejected reason=gone"},
        {"", BACK "tickets=5+6", "ReleaseRejected reason=gone"},
        {"", BACK "tickets=1000", "ReleaseRejected reason=gone"},
        {BACK, BACK "tickets=1", "ReleaseRejected reason=gone"},
        {BACK "tickets=1+2+3; " BACK "tickets=4+5", BACK, "ReleaseRejected reason=gone"},
        {BACK "tickets=1+2+3; " BACK "tickets=4+5", BACK "tickets=4",
         "ReleaseRejected reason=gone"},
        /* the tickets, then the expectation, then the time */
        {"", "CancellationRequested r1 expect=hold tickets=6", "ReleaseRejected reason=gone"},
        {"", "CancellationRequested r1 expect=hold tickets=1",
         "ReleaseRejected reason=already_sold"},
        {"UpdateShow customer_cancel_until_ms=T5",
         "@5 CancellationRequested r1 expect=hold "
         "tickets=1",
         "ReleaseRejected reason=already_sold"},
        {"UpdateShow customer_cancel_until_ms=T5", "@5 " BACK "tickets=1",
         "ReleaseRejected reason=too_late"},
        {"UpdateShow customer_cancel_until_ms=T5", "@5 " BACK "tickets=6",
         "ReleaseRejected reason=gone"},
        {"UpdateShow customer_cancel_until_ms=T5", "@5 " BACK "tickets=1 by=staff",
         "SeatsReturned"},
        /* a hold has no tickets yet */
        {"SetCapacity capacity=9; ReservationRequested r2 lines=b:2",
         "CancellationRequested r2 expect=any tickets=1",
         "ReleaseRejected reason=gone after.held=2"},
        {"SetCapacity capacity=9; ReservationRequested r2 lines=b:2",
         "CancellationRequested r2 expect=hold tickets=1+2", "ReleaseRejected reason=gone"},
        {"", "CancellationRequested r9 expect=any tickets=1", "ReleaseRejected reason=gone"},
        {"CreateShow s2", BACK "s2 tickets=1", "ReleaseRejected reason=gone seq=1"},
    };
    (void)state;
    TOLD_TABLE(rows, FIVE);
}

static void shows_core_holds__what_came_back_is_free(void **state)
{
    static const struct play_row rows[] = {
        {BACK "tickets=3", "ReservationRequested r2 lines=b:1", "SeatsHeld after.free=0"},
        {BACK "tickets=3", "ReservationRequested r2 lines=b:2",
         "HoldRejected reason=sold_out available=1"},
        {"SetCapacity capacity=9; " BACK "tickets=1", "ReservationRequested r2 lines=a:3",
         "SeatsHeld after.tiers.0.sold=1 after.tiers.0.held=3"},
        {"SetCapacity capacity=9; " BACK "tickets=1", "ReservationRequested r2 lines=a:4",
         "HoldRejected reason=sold_out"},
        {"SetCapacity capacity=3 force=true", BACK "tickets=3",
         "SeatsReturned after.oversold_by=1 after.free=0"},
        {"SetCapacity capacity=3 force=true; " BACK "tickets=3",
         "ReservationRequested r2 lines=b:1", "HoldRejected reason=sold_out available=0"},
        {"SetCapacity capacity=3 force=true; " BACK "tickets=1+3+4",
         "ReservationRequested r2 lines=b:1", "SeatsHeld after.free=0"},
        {BACK "tickets=3", "SetCapacity capacity=4", "CapacityChanged forced=false"},
        {BACK "tickets=3", "SetBlock quantity=1", "BlockSet after.free=0"},
        {BACK "tickets=3; SetBlock quantity=1", "SetBlock quantity=2",
         "Refused code=precondition field=quantity"},
        {BACK "tickets=1+2", "UpdateShow tiers=a:100:0,b:200", "ShowUpdated"},
        {BACK "tickets=1", "UpdateShow tiers=a:100:0,b:200", "Refused code=precondition"},
        /* its person has fewer, and may have as many again */
        {"UpdateShow max_per_person=5; " BACK "tickets=1+2",
         "ReservationRequested r2 lines=b:2 party=eve", "SeatsHeld"},
        {"UpdateShow max_per_person=5; " BACK "tickets=1+2; SetCapacity capacity=9",
         "ReservationRequested r2 lines=b:3 party=eve", "HoldRejected reason=person_limit"},
        {"UpdateShow max_per_person=5; " BACK "tickets=1; SetCapacity capacity=9; "
         "ReservationRequested r2 lines=b:1 party=eve",
         "ChangeRequested r2 lines=b:2", "ResizeRejected reason=person_limit"},
        {"UpdateShow max_per_person=5; " BACK "tickets=1; SetCapacity capacity=9; "
         "ReservationRequested r2 lines=b:1 party=eve; " BACK "tickets=2",
         "ChangeRequested r2 lines=b:2", "HoldResized"},
        /* the rest is sold as before */
        {BACK "tickets=1+2+3+4", "PaymentSucceeded r1 payment=p2",
         "SaleRejected reason=already_sold"},
        {BACK "tickets=1+2+3+4; " BACK "tickets=5", "PaymentSucceeded r1 payment=p2:card:800:EUR",
         "SaleRejected reason=gone"},
        {BACK "tickets=1", "CheckoutStarted r1", "ExtensionRejected reason=gone"},
        {BACK "tickets=1", "PaymentUnknown r1", "ExtensionRejected reason=gone"},
        {BACK "tickets=1", "@9999", "none"},
    };
    (void)state;
    TOLD_TABLE(rows, FIVE);
}

/* An order may have a thousand tickets; the last has its number. */
static void shows_core_holds__returns_of_the_greatest_order(void **state)
{
    static const struct play_row rows[] = {
        {"", BACK "tickets=1000", "SeatsReturned tickets=1000 lines=b:1:2 after.sold=999"},
        {BACK "tickets=1+1000", BACK, "SeatsReturned quantity=998 lines=a:998:1 amount_minor=998"},
        {"", BACK "tickets=64+65", "SeatsReturned lines=a:2:1"},
    };
    (void)state;
    TOLD_TABLE(rows, "CreateShow capacity=1000 max_per_order=1000 tiers=a:1,b:2; "
                     "ReservationRequested r1 lines=a:999,b:1; "
                     "PaymentSucceeded r1 payment=p1:card:1001:EUR;");
}

/* Who paid too late gets the seats all the same, if nothing stands against it but the clock. */
static void shows_core_holds__reacquires(void **state)
{
    static const struct play_row rows[] = {
        /* the window and a pause are for who asks anew */
        {"PauseSale", "PaymentSucceeded r1", "SeatsSold reacquired=true"},
        {"UpdateShow off_sale_at_ms=T5", "PaymentSucceeded r1", "SeatsSold reacquired=true"},
        {"UpdateShow max_per_order=1 tiers=standard:9900", "PaymentSucceeded r1",
         "SeatsSold reacquired=true lines=standard:1:1500"},
        {"SetCapacity capacity=0", "PaymentSucceeded r1", "SaleRejected reason=sold_out"},
        {"ReservationRequested r2 lines=standard:3", "PaymentSucceeded r1",
         "SeatsSold after.free=0"},
        {"SetBlock quantity=3", "PaymentSucceeded r1", "SeatsSold"},
        {"ReservationRequested r2 lines=standard:3; SetCapacity capacity=2 force=true",
         "PaymentSucceeded r1", "SaleRejected reason=sold_out"},
        {"UpdateShow tiers=standard:1500:0", "PaymentSucceeded r1", "SaleRejected reason=sold_out"},
        /* the person's cap as it is now, with what they have now */
        {"UpdateShow max_per_person=1", "PaymentSucceeded r1", "SeatsSold"},
        {"UpdateShow max_per_person=2; ReservationRequested r2 party=eve lines=standard:2",
         "PaymentSucceeded r1", "SaleRejected reason=person_limit after.sold=0"},
        {"UpdateShow max_per_person=2; ReservationRequested r2 party=eve lines=standard:2; "
         "PaymentSucceeded r2 payment=p2:cash:3000:EUR; "
         "CancellationRequested r2 expect=any tickets=1",
         "PaymentSucceeded r1", "SeatsSold"},
        {"UpdateShow max_per_person=2; ReservationRequested r2 party=eve lines=standard:2; "
         "ChangeRequested r2 lines=standard:1",
         "PaymentSucceeded r1", "SeatsSold"},
        {"UpdateShow max_per_person=2; ReservationRequested r2 party=eve; PaymentSucceeded r1",
         "ChangeRequested r2 lines=standard:2", "ResizeRejected reason=person_limit"},
        /* and then it is a sale like any other */
        {"PaymentSucceeded r1", "PaymentSucceeded r1 payment=p2",
         "SaleRejected reason=already_sold"},
        {"PaymentSucceeded r1", "CancellationRequested r1 expect=any tickets=1",
         "SeatsReturned payment=p1:cash:1500:EUR"},
        {"PaymentSucceeded r1; CancellationRequested r1 expect=any",
         "PaymentSucceeded r1 payment=p2", "SaleRejected reason=gone"},
        {"PaymentSucceeded r1", "@9999", "none"},
        {"PaymentSucceeded r1", "ChangeRequested r1 lines=standard:1",
         "ResizeRejected reason=gone"},
    };
    (void)state;
    TOLD_TABLE(rows, OPENED "; ReservationRequested r1 party=eve; @630 -> HoldExpired");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_core_holds__expires_half_a_minute_after_it_said),
        cmocka_unit_test(shows_core_holds__a_checkout_extends),
        cmocka_unit_test(shows_core_holds__staff_sets_the_time),
        cmocka_unit_test(shows_core_holds__an_unknown_payment_pins),
        cmocka_unit_test(shows_core_holds__sells),
        cmocka_unit_test(shows_core_holds__reacquires_for_a_party_without_a_cap),
        cmocka_unit_test(shows_core_holds__releases_and_returns),
        cmocka_unit_test(shows_core_holds__returns_some_tickets),
        cmocka_unit_test(shows_core_holds__what_came_back_is_free),
        cmocka_unit_test(shows_core_holds__returns_of_the_greatest_order),
        cmocka_unit_test(shows_core_holds__reacquires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
