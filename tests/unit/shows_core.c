/* The shows themselves: what staff may do to one, its end, and what of it is remembered. */
#include "tests/support/core_play.h"
#include "tests/support/shows_told.h"

#include "services/shows/shows_core.h"
#include "services/shows/shows_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define OPENED "CreateShow tiers=standard:1500 capacity=4 id=create"

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
    TOLD_TABLE(rows, "");
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
        /* a sale that would be over; the tiers and the order of the window before it */
        {"", "@100 CreateShow s2 on_sale_at_ms=T10 off_sale_at_ms=T100",
         "Refused code=invalid field=off_sale_at_ms"},
        {"", "@100 CreateShow s2 on_sale_at_ms=T10 off_sale_at_ms=T100.001", "ShowCreated"},
        {"", "@100 CreateShow s2 on_sale_at_ms=T10 off_sale_at_ms=T50 tiers=a,a",
         "Refused code=invalid field=tiers"},
        {"", "@100 CreateShow s2 on_sale_at_ms=T10", "ShowCreated on_sale_at_ms=T10"},
    };
    (void)state;
    TOLD_TABLE(rows, OPENED);
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
    TOLD_TABLE(rows, OPENED);
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
        /* not into the past, whatever else; the sale may end at once */
        {"", "@100 UpdateShow starts_at_ms=T100", "Refused code=invalid field=starts_at_ms"},
        {"", "@100 UpdateShow starts_at_ms=T100.001", "ShowUpdated starts_at_ms=T100.001"},
        {"ReservationRequested r1", "@100 UpdateShow starts_at_ms=T99 currency=USD tiers=a,a",
         "Refused code=invalid field=starts_at_ms"},
        {"", "@100 UpdateShow off_sale_at_ms=T50", "ShowUpdated off_sale_at_ms=T50"},
        {"", "@864001 UpdateShow name=Late", "ShowUpdated starts_at_ms=T864000 name=Late"},
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
    TOLD_TABLE(rows, OPENED);
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
    TOLD_TABLE(rows, OPENED);
}

/* ---- its end --------------------------------------------------------------------------------- */

#define SOLD2                                                                                      \
    "ReservationRequested r1 lines=standard:2; PaymentSucceeded r1 payment=p1:cash:3000:EUR;"
#define CANCEL "CancelShow id=end fingerprint=1;"

static void shows_core__cancels_a_show(void **state)
{
    static const struct play_row rows[] = {
        {"", "@8 CancelShow reason=fire refund=none id=c1 fingerprint=1 actor=boss",
         "ShowCancelled show_id=s1 reason=fire refund=none fingerprint=1 seq=2 after.free=4 "
         "cause_id=c1 actor=boss at_ms=T8"},
        {"PauseSale", "CancelShow refund=full", "ShowCancelled refund=full seq=3"},
        /* it moves no seat */
        {SOLD2 "SetBlock quantity=1; ReservationRequested r2", "CancelShow",
         "ShowCancelled after.sold=2 after.held=1 after.blocked=1 after.free=0"},
        /* even when it has begun */
        {"", "@864001 CancelShow", "ShowCancelled"},
        {"", "CancelShow s2", "Refused code=not_found field=show_id"},
        /* repeats before the state */
        {CANCEL, "CancelShow id=end fingerprint=1", "none"},
        {CANCEL, "CancelShow id=end fingerprint=2", "Refused code=conflict field=-"},
        {"OpenSale id=c1 fingerprint=1;" CANCEL, "OpenSale id=c1 fingerprint=1", "none"},
        {"OpenSale id=c1 fingerprint=1;" CANCEL, "OpenSale id=c1 fingerprint=2",
         "Refused code=conflict"},
        {CANCEL, "CreateShow tiers=standard:1500 capacity=4 id=other", "none"},
        {CANCEL, "CreateShow capacity=5", "Refused code=conflict field=show_id"},
        /* nothing of it changes any more; the state before everything of the command itself */
        {CANCEL, "CancelShow refund=full", "Refused code=wrong_state command=CancelShow field=-"},
        {CANCEL, "OpenSale", "Refused code=wrong_state"},
        {CANCEL, "PauseSale", "Refused code=wrong_state"},
        {CANCEL, "SetBlock quantity=9 expected_quantity=3", "Refused code=wrong_state"},
        {CANCEL, "SetCapacity capacity=9 expected_seq=7", "Refused code=wrong_state"},
        {SOLD2 CANCEL, "SetCapacity capacity=0 force=true", "Refused code=wrong_state"},
        {CANCEL, "UpdateShow name=B starts_at_ms=T0 expected_seq=7", "Refused code=wrong_state"},
        {CANCEL "UpdateShow name=B id=c1 fingerprint=1 -> Refused",
         "UpdateShow name=B id=c1 fingerprint=1", "none"},
        /* another show is another matter */
        {"CreateShow s2;" CANCEL, "ReservationRequested r1 s2", "SeatsHeld"},
        {"CreateShow s2;" CANCEL, "OpenSale s2", "SaleOpened"},
    };
    (void)state;
    TOLD_TABLE(rows, OPENED);
}

/* What was begun is wound up: nothing held, extended or sold, everything released or returned. */
static void shows_core__winds_a_cancelled_show_up(void **state)
{
    static const struct play_row rows[] = {
        {CANCEL, "ReservationRequested r1",
         "HoldRejected reason=show_cancelled available=4 retry_after_s=- seq=2"},
        {CANCEL, "ReservationRequested r1 channel=boxoffice", "HoldRejected reason=show_cancelled"},
        {"UpdateShow on_sale_at_ms=T50; PauseSale;" CANCEL,
         "ReservationRequested r1 lines=balcony:99", "HoldRejected reason=show_cancelled"},
        {CANCEL, "@864000 ReservationRequested r1", "HoldRejected reason=show_cancelled"},
        /* a resize: gone, paying, then this; smaller ones, too */
        {"ReservationRequested r1 lines=standard:2;" CANCEL, "ChangeRequested r1",
         "ResizeRejected reason=show_cancelled available=4 seq=3"},
        {"PauseSale;" CANCEL, "ChangeRequested r1", "ResizeRejected reason=gone available=0"},
        {"ReservationRequested r1; CheckoutStarted r1;" CANCEL, "ChangeRequested r1",
         "ResizeRejected reason=paying"},
        {"ReservationRequested r1; PauseSale;" CANCEL, "ChangeRequested r1 lines=balcony:9",
         "ResizeRejected reason=show_cancelled"},
        /* more time: gone, then this, whoever asks */
        {"ReservationRequested r1;" CANCEL, "CheckoutStarted r1 p2",
         "ExtensionRejected reason=show_cancelled cause=checkout payment_id=p2 seq=3 after.held=1"},
        {"ReservationRequested r1; CheckoutStarted r1 p2;" CANCEL, "PaymentUnknown r1 p2",
         "ExtensionRejected reason=show_cancelled cause=pin payment_id=p2"},
        {"ReservationRequested r1; PaymentUnknown r1;" CANCEL, "PaymentUnknown r1",
         "ExtensionRejected reason=show_cancelled cause=pin"},
        {"ReservationRequested r1;" CANCEL, "ExtensionRequested r1 until_at_ms=T864001",
         "ExtensionRejected reason=show_cancelled cause=staff payment_id=-"},
        {CANCEL, "CheckoutStarted r1", "ExtensionRejected reason=gone"},
        {"ReservationRequested r1; CancellationRequested r1;" CANCEL, "ExtensionRequested r1",
         "ExtensionRejected reason=gone"},
        /* a sale: unknown and sold before it, gone and the amount after it */
        {"ReservationRequested r1; CheckoutStarted r1;" CANCEL, "PaymentSucceeded r1",
         "SaleRejected reason=show_cancelled payment=p1:cash:1500:EUR after.held=1"},
        {CANCEL, "PaymentSucceeded r1", "SaleRejected reason=unknown_reservation"},
        {SOLD2 CANCEL, "PaymentSucceeded r1 payment=p2", "SaleRejected reason=already_sold"},
        {"ReservationRequested r1; CancellationRequested r1;" CANCEL, "PaymentSucceeded r1",
         "SaleRejected reason=show_cancelled"},
        {SOLD2 "CancellationRequested r1 expect=any;" CANCEL, "PaymentSucceeded r1 payment=p2",
         "SaleRejected reason=show_cancelled"},
        {"ReservationRequested r1; @630;" CANCEL, "PaymentSucceeded r1",
         "SaleRejected reason=show_cancelled"},
        {"ReservationRequested r1;" CANCEL, "PaymentSucceeded r1 payment=p1:card:9:USD",
         "SaleRejected reason=show_cancelled"},
        /* back they come */
        {"ReservationRequested r1;" CANCEL, "CancellationRequested r1 expect=any by=show",
         "HoldReleased quantity=1 after.held=0"},
        {SOLD2 CANCEL, "CancellationRequested r1 expect=any by=show refund=none",
         "SeatsReturned cause=show refund=none tickets=1+2 quantity=2 after.sold=0"},
        {SOLD2 CANCEL, "CancellationRequested r1 expect=any tickets=2",
         "SeatsReturned cause=customer tickets=2"},
        {SOLD2 "UpdateShow customer_cancel_until_ms=T5;" CANCEL,
         "@5 CancellationRequested r1 expect=any by=customer", "ReleaseRejected reason=too_late"},
        {SOLD2 "UpdateShow customer_cancel_until_ms=T5;" CANCEL,
         "@5 CancellationRequested r1 expect=any by=show", "SeatsReturned"},
        {"ReservationRequested r1;" CANCEL, "@629.999", "none"},
        {"ReservationRequested r1;" CANCEL, "@630", "HoldExpired reservation_id=r1"},
    };
    (void)state;
    TOLD_TABLE(rows, OPENED);
}

/* 30 days after T864000 is T3456000. */
static void shows_core__archives_a_show_after_30_days(void **state)
{
    static const struct play_row rows[] = {
        {"", "@3455999.999", "none"},
        {"", "@3456000",
         "ShowArchived show_id=s1 seq=2 after.capacity=4 after.free=4 at_ms=T3456000 cause_id=-"},
        {"", "@9999999", "ShowArchived at_ms=T3456000"},
        {"@3456000 -> ShowArchived", "@9999999", "none"},
        {SOLD2 "SetBlock quantity=1; PauseSale", "@3456000",
         "ShowArchived seq=6 after.sold=2 after.blocked=1"},
        /* its beginning may move */
        {"UpdateShow starts_at_ms=T900000; @3456000 -> none", "@3491999.999", "none"},
        {"UpdateShow starts_at_ms=T900000", "@3492000", "ShowArchived at_ms=T3492000"},
        {"UpdateShow starts_at_ms=T100", "@2592100", "ShowArchived at_ms=T2592100"},
        {"@864100 UpdateShow starts_at_ms=T864200; @3456199.999 -> none", "@3456200",
         "ShowArchived"},
        /* not while something is held */
        {"@3455999.999 ReservationRequested r1 channel=boxoffice", "@3456629.998", "none"},
        {"@3455999.999 ReservationRequested r1 channel=boxoffice", "@3456629.999",
         "ShowArchived seq=4 after.held=0 at_ms=T3456629.999"},
        {"@3455000 ReservationRequested r1 channel=boxoffice; CheckoutStarted r1; "
         "PaymentUnknown r1; @3456000 -> none",
         "@3457429.999", "none"},
        {"@3455999 ReservationRequested r1 channel=boxoffice; @3456100 CancellationRequested r1",
         "@3456100", "ShowArchived at_ms=T3456100"},
        {"@3455999 ReservationRequested r1 channel=boxoffice; @3456100 PaymentSucceeded r1",
         "@3456100", "ShowArchived at_ms=T3456100 after.sold=1"},
        {"@3455999 ReservationRequested r1 channel=boxoffice; "
         "@3456000 ReservationRequested r2 channel=boxoffice; @3456100 CancellationRequested r1; "
         "@3456100 -> none",
         "@3456630", "ShowArchived after.held=0"},
        /* who expires in that very millisecond expires before */
        {"@3455370 ReservationRequested r1 channel=boxoffice", "@3455999.999", "none"},
        {"@3455370 ReservationRequested r1 channel=boxoffice", "@3456000",
         "ShowArchived seq=4 at_ms=T3456000"},
        /* a cancelled one, not while something is sold */
        {CANCEL, "@3456000", "ShowArchived seq=3"},
        {CANCEL, "@3455999.999", "none"},
        {SOLD2 CANCEL, "@9999999", "none"},
        {SOLD2 CANCEL "CancellationRequested r1 expect=any by=show", "@3455999.999", "none"},
        {SOLD2 CANCEL "CancellationRequested r1 expect=any by=show", "@3456000", "ShowArchived"},
        {SOLD2 CANCEL "@5000000 CancellationRequested r1 expect=any by=show tickets=2", "@9999999",
         "none"},
        {SOLD2 CANCEL "@5000000 CancellationRequested r1 expect=any by=show tickets=2; "
                      "@5000001 CancellationRequested r1 expect=any by=show",
         "@5000001", "ShowArchived after.sold=0 at_ms=T5000001"},
        {SOLD2 "ReservationRequested r2;" CANCEL "@630 -> HoldExpired; @3456000 -> none; "
               "@3456001 CancellationRequested r1 expect=any by=show",
         "@3456001", "ShowArchived"},
        /* in the order of their times, then of their making */
        {"CreateShow s2; @3456000 -> ShowArchived show_id=s2", "@3456001", "none"},
        {"CreateShow s2; UpdateShow s1 starts_at_ms=T864000.001; "
         "@3456000 -> ShowArchived show_id=s2",
         "@3456000.001", "ShowArchived show_id=s1"},
        {"CreateShow s2; @3455370 ReservationRequested r1 s2 channel=boxoffice; "
         "@3456000 -> ShowArchived show_id=s2",
         "@3456001", "none"},
    };
    (void)state;
    TOLD_TABLE(rows, OPENED);
}

#define ARCHIVED "@3456000 -> ShowArchived;"

static void shows_core__an_archived_show_is_closed(void **state)
{
    static const struct play_row rows[] = {
        {"", "CreateShow tiers=standard:1500 capacity=4",
         "Refused code=archived field=show_id command=CreateShow show_id=s1"},
        {"", "CreateShow starts_at_ms=T9000000 capacity=9", "Refused code=archived"},
        {"", "CreateShow starts_at_ms=T0 tiers=a,a", "Refused code=archived"},
        {"", "UpdateShow starts_at_ms=T0 expected_seq=99", "Refused code=archived field=show_id"},
        {"", "SetCapacity capacity=9 expected_seq=1", "Refused code=archived"},
        {"", "SetBlock quantity=9", "Refused code=archived"},
        {"", "OpenSale", "Refused code=archived"},
        {"", "PauseSale", "Refused code=archived"},
        {"", "CancelShow", "Refused code=archived"},
        /* its memory of commands is gone as well */
        {"", "OpenSale id=c1 fingerprint=1", "Refused code=archived"},
        {"", "OpenSale id=c1 fingerprint=2", "Refused code=archived"},
        /* whoever still asks: no seats to tell of */
        {"", "ReservationRequested r9 lines=balcony:1",
         "HoldRejected reason=archived available=0 retry_after_s=- seq=- after=-"},
        {"", "ReservationRequested r1", "HoldRejected reason=archived"},
        {"", "ChangeRequested r1", "ResizeRejected reason=gone available=0 seq=- after=-"},
        {"", "ExtensionRequested r1", "ExtensionRejected reason=gone cause=staff seq=- after=-"},
        {"", "CheckoutStarted r1 p3",
         "ExtensionRejected reason=gone cause=checkout payment_id=p3 seq=- after=-"},
        {"", "PaymentUnknown r1 p3",
         "ExtensionRejected reason=gone cause=pin payment_id=p3 seq=- after=-"},
        {"", "PaymentSucceeded r1 payment=p3",
         "SaleRejected reason=unknown_reservation payment=p3:cash:1500:EUR seq=- after=-"},
        {"", "PaymentSucceeded r2", "SaleRejected reason=unknown_reservation"},
        {"", "CancellationRequested r1 expect=any by=staff",
         "ReleaseRejected reason=gone seq=- after=-"},
        /* a reservation's id may be used for another show; the archived one does not know it */
        {"CreateShow s3 starts_at_ms=T9000000; ReservationRequested r1 s3", "CheckoutStarted r1 s3",
         "HoldExtended"},
        {"CreateShow s3 starts_at_ms=T9000000; ReservationRequested r1 s3", "CheckoutStarted r1 s1",
         "ExtensionRejected reason=gone seq=-"},
    };
    (void)state;
    TOLD_TABLE(rows,
               OPENED "; UpdateShow max_per_person=3; OpenSale id=c1 fingerprint=1; "
                      "SetBlock quantity=1; ReservationRequested r1 party=eve; "
                      "PaymentSucceeded r1; ReservationRequested r2 party=adam; @630;" ARCHIVED);
}

/* Shows lie in one list: one that goes leaves the others where they are found. */
static void shows_core__archives_among_others(void **state)
{
    static const struct play_row rows[] = {
        {"", "ReservationRequested r4 s1", "HoldRejected reason=archived"},
        {"", "ReservationRequested r4 s2", "SeatsHeld seq=3 after.held=2"},
        {"", "ReservationRequested r4 s3", "SeatsHeld seq=3 after.held=2"},
        {"", "@9456630", "ShowArchived show_id=s3"},
        {"@9456630 -> ShowArchived", "CreateShow s2", "Refused code=archived"},
        {"@9456630 -> ShowArchived; CreateShow s4 starts_at_ms=T9900000",
         "ReservationRequested r2 s4", "SeatsHeld"},
        {"CancelShow s2; @9456630 -> ShowArchived", "CreateShow s4 starts_at_ms=T9900000",
         "ShowCreated"},
        {"CreateShow s4 starts_at_ms=T9900000", "ReservationRequested r1 s4", "SeatsHeld seq=2"},
    };
    (void)state;
    TOLD_TABLE(rows,
               "CreateShow s1; ReservationRequested r1 s1; "
               "CreateShow s2 starts_at_ms=T4000000; CreateShow s3 starts_at_ms=T4000000;" ARCHIVED
               "ReservationRequested r2 s2; ReservationRequested r3 s3");
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
    TOLD_TABLE(rows, OPENED);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_core__creates_a_show_with_its_defaults),
        cmocka_unit_test(shows_core__refuses_to_create),
        cmocka_unit_test(shows_core__commands_share_one_ladder),
        cmocka_unit_test(shows_core__updates),
        cmocka_unit_test(shows_core__capacity_and_blocks),
        cmocka_unit_test(shows_core__cancels_a_show),
        cmocka_unit_test(shows_core__winds_a_cancelled_show_up),
        cmocka_unit_test(shows_core__archives_a_show_after_30_days),
        cmocka_unit_test(shows_core__an_archived_show_is_closed),
        cmocka_unit_test(shows_core__archives_among_others),
        cmocka_unit_test(shows_core__remembers_the_last_64_commands),
        cmocka_unit_test(shows_core__shows_do_not_share_command_ids),
        cmocka_unit_test(shows_core__tells_the_seats_of_a_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
