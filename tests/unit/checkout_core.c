/* The money: who may start a payment, what the answers of shows and of a provider make of it, and
 * what is given back. */
#include "tests/support/core_play.h"

#include "services/checkout/checkout_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RUN(rows) PLAY_TABLE(checkout_service, rows, "")

#define STARTED "StartCheckout r1 p1 by=staff fingerprint=1;"
#define FREE    "StartCheckout r1 p1 method=none by=customer fingerprint=1;"

/* A payment with a provider: begun, and once the hold was extended, asked for. */
#define BEGUN      "StartCheckout r1 p1 method=external provider=bank by=customer fingerprint=1;"
#define ASKED      BEGUN "HoldExtended r1 p1;"
#define AGAIN_STEP "StartCheckout r1 p2 method=external provider=bank by=customer fingerprint=2"
#define AGAIN      AGAIN_STEP ";"
#define PAID       ASKED "RecordPayment r1 p1 provider_ref=z1 fingerprint=9;"

static void checkout_core__starts(void **state)
{
    static const struct play_row rows[] = {
        {"", "@4 StartCheckout r1 p1 method=card by=staff id=c1 fingerprint=3 actor=till",
         "CheckoutStarted show_id=s1 reservation_id=r1 payment_id=p1 method=card by=staff "
         "supersedes=- fingerprint=3 cause_id=c1 actor=till at_ms=T4"},
        {"", "StartCheckout r1 p1 method=none by=customer", "CheckoutStarted method=none"},
        {"", "StartCheckout r1 p1 method=cash by=staff", "CheckoutStarted method=cash"},
        {"", "StartCheckout r1 p1 method=comp by=staff", "CheckoutStarted method=comp"},
        {"", "StartCheckout r1 p1 method=external provider=bank return_url=back by=customer",
         "CheckoutStarted method=external provider=bank return_url=back by=customer"},
        {"", "StartCheckout r1 p1 method=external provider=bank by=staff",
         "CheckoutStarted method=external return_url=- by=staff"},
        /* the open attempt is superseded, an ended one is not */
        {STARTED, "StartCheckout r1 p2 by=staff", "CheckoutStarted payment_id=p2 supersedes=p1"},
        {STARTED "StartCheckout r1 p2 by=staff;", "StartCheckout r1 p3 by=staff",
         "CheckoutStarted supersedes=p2"},
        {STARTED "HoldExtended r1 p1;", "StartCheckout r1 p2 by=staff",
         "CheckoutStarted supersedes=-"},
        {STARTED "ExtensionRejected r1 p1;", "StartCheckout r1 p2 by=staff",
         "CheckoutStarted supersedes=-"},
        {STARTED, "StartCheckout r2 p2 by=staff", "CheckoutStarted supersedes=-"},
        /* asked for, or in doubt: open */
        {ASKED, AGAIN_STEP, "CheckoutStarted supersedes=p1"},
        {ASKED "RecordPayment r1 p1 result=unknown;", AGAIN_STEP, "CheckoutStarted supersedes=p1"},
        {BEGUN "RecordPayment r1 p1 result=unknown;", AGAIN_STEP, "CheckoutStarted supersedes=p1"},
        {BEGUN "RecordPayment r1 p1 result=failed;", AGAIN_STEP, "CheckoutStarted supersedes=-"},
        {ASKED "RecordPayment r1 p1 result=failed;", AGAIN_STEP, "CheckoutStarted supersedes=-"},
        {PAID, AGAIN_STEP, "CheckoutStarted supersedes=-"},
        {ASKED "HoldExpired r1;", AGAIN_STEP, "CheckoutStarted supersedes=-"},
        /* what still comes for the superseded one opens nothing and closes nothing */
        {ASKED AGAIN "RecordPayment r1 p1 result=unknown;", "StartCheckout r1 p3 by=staff",
         "CheckoutStarted supersedes=p2"},
        {ASKED AGAIN "RecordPayment r1 p1 result=failed;", "StartCheckout r1 p3 by=staff",
         "CheckoutStarted supersedes=p2"},
        {ASKED AGAIN "RecordPayment r1 p1;", "StartCheckout r1 p3 by=staff",
         "CheckoutStarted supersedes=p2"},
        {ASKED "HoldExpired r1; RecordPayment r1 p1 result=unknown;", AGAIN_STEP,
         "CheckoutStarted supersedes=-"},
        /* money of a payment nobody started is no attempt */
        {"RecordPayment r1 p9;", AGAIN_STEP, "CheckoutStarted supersedes=-"},
        {STARTED "RecordPayment r1 p9;", AGAIN_STEP, "CheckoutStarted supersedes=p1"},
        {STARTED "RecordPayment r1 p9; StartCheckout r1 p2 by=staff;",
         "StartCheckout r1 p3 by=staff", "CheckoutStarted supersedes=p2"},
    };
    (void)state;
    RUN(rows);
}

#define THREE                                                                                      \
    STARTED "StartCheckout r1 p2 by=staff fingerprint=2; StartCheckout r1 p3 by=staff "            \
            "fingerprint=3;"

static void checkout_core__refuses_to_start(void **state)
{
    static const struct play_row rows[] = {
        /* a repeat, whatever became of it */
        {STARTED, "StartCheckout r1 p1 by=staff fingerprint=1 id=other", "none"},
        {STARTED "HoldExtended r1 p1;", "StartCheckout r1 p1 by=staff fingerprint=1", "none"},
        {STARTED "ExtensionRejected r1 p1;", "StartCheckout r1 p1 fingerprint=1", "none"},
        {STARTED "StartCheckout r1 p2 by=staff;", "StartCheckout r1 p1 fingerprint=1", "none"},
        {THREE, "StartCheckout r1 p3 by=staff fingerprint=3", "none"},
        /* conflict: the body, the reservation, the show */
        {STARTED, "StartCheckout r1 p1 by=staff fingerprint=2",
         "Refused code=conflict field=payment_id payment_id=p1 reservation_id=r1"},
        {STARTED, "StartCheckout r2 p1 by=staff fingerprint=1",
         "Refused code=conflict field=payment_id"},
        {STARTED, "StartCheckout r1 p1 s2 by=staff fingerprint=1",
         "Refused code=conflict field=payment_id"},
        /* another show's name for the reservation is no business of checkout's, nor in its way */
        {STARTED, "StartCheckout r1 p2 s2 by=staff", "CheckoutStarted supersedes=-"},
        {"StartCheckout r1 p2 s2 by=staff;", "StartCheckout r1 p1 by=staff",
         "CheckoutStarted supersedes=-"},
        /* then by, then the method, then the attempts */
        {STARTED, "StartCheckout r1 p1 by=show fingerprint=2", "Refused code=conflict"},
        {"", "StartCheckout r1 p1 method=card by=show", "Refused code=invalid field=by"},
        {"", "StartCheckout r1 p1 method=none by=show", "Refused code=invalid field=by"},
        {"", "StartCheckout r1 p1 method=cash by=customer", "Refused code=forbidden field=method"},
        {"", "StartCheckout r1 p1 method=card by=customer", "Refused code=forbidden field=method"},
        {"", "StartCheckout r1 p1 method=comp by=customer", "Refused code=forbidden field=method"},
        {THREE, "StartCheckout r1 p4 by=show", "Refused code=invalid field=by"},
        {THREE, "StartCheckout r1 p4 by=customer", "Refused code=forbidden"},
        {THREE, "StartCheckout r1 p4 by=staff", "Refused code=wrong_state field=-"},
        {THREE, "StartCheckout r2 p4 by=staff", "CheckoutStarted"},
        {"", "StartCheckout r1 p1 method=external by=customer",
         "Refused code=invalid field=provider"},
        {"", "StartCheckout r1 p1 method=external by=show", "Refused code=invalid field=by"},
        {THREE, "StartCheckout r1 p4 method=external by=customer",
         "Refused code=invalid field=provider"},
        /* a payment id that money came with is taken */
        {"RecordPayment r1 p9;", "StartCheckout r1 p9 by=staff",
         "Refused code=conflict field=payment_id"},
        /* the third stays open */
        {THREE "StartCheckout r1 p4 by=staff -> Refused; HoldExtended r1 p3; "
               "StartCheckout r1 p5 by=staff -> Refused code=wrong_state;",
         "StartCheckout r1 p4 by=staff fingerprint=4", "Refused code=conflict"},
        {ASKED AGAIN "StartCheckout r1 p3 method=external provider=bank by=customer; "
                     "HoldExtended r1 p3; StartCheckout r1 p4 by=staff -> Refused;",
         "HoldExpired r1", "PaymentAbandoned payment_id=p3"},
        {THREE "StartCheckout r1 p4 by=staff -> Refused;", "HoldExtended r1 p3",
         "PaymentSucceeded payment=p3:cash:1500:EUR"},
        /* attempts that failed count, refused ones do not */
        {STARTED "ExtensionRejected r1 p1; StartCheckout r1 p2 by=staff; ExtensionRejected r1 p2; "
                 "StartCheckout r1 p3 by=staff; ExtensionRejected r1 p3",
         "StartCheckout r1 p4 by=staff", "Refused code=wrong_state"},
        {"StartCheckout r1 p1 by=customer -> Refused; StartCheckout r1 p2 by=customer -> Refused; "
         "StartCheckout r1 p3 by=customer -> Refused",
         "StartCheckout r1 p4 by=staff", "CheckoutStarted supersedes=-"},
        /* a refusal is an answer */
        {"StartCheckout r1 p1 by=customer fingerprint=1 -> Refused code=forbidden",
         "StartCheckout r1 p1 by=customer fingerprint=1", "none"},
        {"StartCheckout r1 p1 by=customer fingerprint=1 -> Refused code=forbidden",
         "StartCheckout r1 p1 by=staff fingerprint=2", "Refused code=conflict field=payment_id"},
        {THREE "StartCheckout r1 p4 by=staff fingerprint=4 -> Refused;",
         "StartCheckout r1 p4 by=staff fingerprint=4", "none"},
        /* the refused one is not the open one */
        {STARTED "StartCheckout r1 p2 by=customer -> Refused;", "StartCheckout r1 p3 by=staff",
         "CheckoutStarted supersedes=p1"},
    };
    (void)state;
    RUN(rows);
}

static void checkout_core__hears_that_the_hold_was_extended(void **state)
{
    static const struct play_row rows[] = {
        {STARTED, "HoldExtended r1 p1 amount_minor=4500 currency=USD id=e1",
         "PaymentSucceeded reservation_id=r1 show_id=s1 payment=p1:cash:4500:USD "
         "payment.provider=- payment.provider_ref=- cause_id=e1"},
        {"StartCheckout r1 p1 method=comp by=staff",
         "HoldExtended r1 p1 amount_minor=4500 currency=EUR",
         "PaymentSucceeded payment=p1:comp:4500:EUR"},
        {STARTED, "HoldExtended r1 p1 amount_minor=0 currency=EUR",
         "PaymentSucceeded payment=p1:cash:0:EUR"},
        {FREE, "HoldExtended r1 p1 amount_minor=0 currency=EUR",
         "PaymentSucceeded payment=p1:none:0:EUR"},
        {FREE, "HoldExtended r1 p1 amount_minor=1 currency=EUR",
         "CheckoutRejected reason=amount_due payment_id=p1 reservation_id=r1 show_id=s1"},
        /* only the attempt that is going, and only once */
        {"", "HoldExtended r1 p1", "none"},
        {STARTED, "HoldExtended r1 p2", "none"},
        {STARTED, "HoldExtended r2 p1", "none"},
        {STARTED, "HoldExtended r1 p1 cause=staff", "none"},
        {STARTED, "HoldExtended r1 cause=checkout", "none"},
        {STARTED "StartCheckout r1 p2 by=staff;", "HoldExtended r1 p1", "none"},
        {STARTED "StartCheckout r1 p2 by=staff;", "HoldExtended r1 p2", "PaymentSucceeded"},
        {STARTED "HoldExtended r1 p1;", "HoldExtended r1 p1", "none"},
        {FREE "HoldExtended r1 p1 amount_minor=1;", "HoldExtended r1 p1 amount_minor=0", "none"},
        {"StartCheckout r1 p1 by=customer -> Refused", "HoldExtended r1 p1", "none"},
    };
    (void)state;
    RUN(rows);
}

static void checkout_core__hears_that_the_hold_is_gone(void **state)
{
    static const struct play_row rows[] = {
        {STARTED, "ExtensionRejected r1 p1 reason=gone id=e1",
         "CheckoutRejected reason=gone payment_id=p1 reservation_id=r1 show_id=s1 cause_id=e1"},
        {"", "ExtensionRejected r1 p1", "none"},
        {STARTED, "ExtensionRejected r1 p2", "none"},
        {STARTED, "ExtensionRejected r1", "none"},
        {STARTED, "ExtensionRejected r1 p1 cause=staff", "none"},
        {STARTED "StartCheckout r1 p2 by=staff;", "ExtensionRejected r1 p1", "none"},
        {STARTED "ExtensionRejected r1 p1;", "ExtensionRejected r1 p1", "none"},
        {STARTED "HoldExtended r1 p1;", "ExtensionRejected r1 p1", "none"},
        /* nothing to say */
        {STARTED, "SeatsHeld r1", "none"},
        {STARTED, "SeatsSold r1", "none"},
        {STARTED, "HoldExpired r1", "none"},
        {STARTED, "HoldReleased r1", "none"},
    };
    (void)state;
    RUN(rows);
}

/* ---- payments of a provider ------------------------------------------------------------------ */

static void checkout_core__asks_a_provider(void **state)
{
    static const struct play_row rows[] = {
        {BEGUN, "@4 HoldExtended r1 p1 amount_minor=4500 currency=USD pay_by_ms=T900 id=e1",
         "PaymentRequested show_id=s1 reservation_id=r1 payment_id=p1 provider=bank "
         "pay_by_ms=T900 amount_minor=4500 currency=USD return_url=- cause_id=e1 at_ms=T4"},
        {"StartCheckout r1 p1 method=external provider=till-2 return_url=back by=staff",
         "HoldExtended r1 p1", "PaymentRequested provider=till-2 return_url=back"},
        /* nothing is due: there is nobody to ask */
        {BEGUN, "HoldExtended r1 p1 amount_minor=0",
         "PaymentSucceeded payment=p1:external:0:EUR payment.provider=- payment.provider_ref=-"},
        {BEGUN, "ExtensionRejected r1 p1 reason=show_cancelled",
         "CheckoutRejected reason=show_cancelled"},
        {ASKED, "HoldExtended r1 p1", "none"},
        {ASKED, "ExtensionRejected r1 p1", "none"},
        /* a pin or a deadline of the staff asks nobody, and does not stand in the way */
        {BEGUN, "HoldExtended r1 p1 cause=pin", "none"},
        {BEGUN, "HoldExtended r1 p1 cause=staff", "none"},
        {STARTED, "HoldExtended r1 p1 cause=pin amount_minor=1500 currency=EUR", "none"},
        {BEGUN "HoldExtended r1 p1 cause=pin -> none; HoldExtended r1 cause=staff -> none",
         "HoldExtended r1 p1", "PaymentRequested"},
        {ASKED "RecordPayment r1 p1 result=unknown;", "HoldExtended r1 p1 cause=pin", "none"},
        {ASKED "RecordPayment r1 p1 result=unknown;", "ExtensionRejected r1 p1 cause=pin", "none"},
        {BEGUN, "ExtensionRejected r1 p1 cause=pin", "none"},
        /* only the attempt that still waits for the answer of shows */
        {BEGUN AGAIN, "HoldExtended r1 p1", "none"},
        {BEGUN AGAIN, "HoldExtended r1 p2", "PaymentRequested payment_id=p2"},
        {BEGUN "RecordPayment r1 p1;", "HoldExtended r1 p1", "none"},
        {BEGUN "RecordPayment r1 p1 result=failed;", "HoldExtended r1 p1", "none"},
        {BEGUN "RecordPayment r1 p1 result=unknown;", "HoldExtended r1 p1", "PaymentRequested"},
        {BEGUN "RecordPayment r1 p1 result=unknown;", "ExtensionRejected r1 p1",
         "CheckoutRejected"},
    };
    (void)state;
    RUN(rows);
}

#define RECORD "RecordPayment r1 p1 provider_ref=z1 fingerprint=7 "

static void checkout_core__says_what_became_of_a_payment(void **state)
{
    static const struct play_row rows[] = {
        {ASKED, "@9 " RECORD "amount_minor=1500 currency=EUR provider=bank id=c9 actor=bank",
         "PaymentSucceeded show_id=s1 reservation_id=r1 payment=p1:external:1500:EUR:z1:bank "
         "fingerprint=7 cause_id=c9 actor=bank at_ms=T9"},
        {ASKED, "@9 " RECORD "result=failed failure=no-money id=c9 actor=bank",
         "PaymentFailed show_id=s1 reservation_id=r1 payment_id=p1 retryable=true provider=bank "
         "provider_ref=z1 failure=no-money fingerprint=7 cause_id=c9 actor=bank at_ms=T9"},
        {ASKED, RECORD "result=failed", "PaymentFailed failure=-"},
        {ASKED, "@9 " RECORD "result=unknown failure=timeout id=c9 actor=bank",
         "PaymentUnknown show_id=s1 reservation_id=r1 payment_id=p1 provider=bank "
         "provider_ref=z1 failure=- fingerprint=7 cause_id=c9 actor=bank at_ms=T9"},
        /* another try is worth while as long as there is one left, whoever failed */
        {ASKED AGAIN, "RecordPayment r1 p1 result=failed", "PaymentFailed retryable=true"},
        {ASKED AGAIN, "RecordPayment r1 p2 result=failed", "PaymentFailed retryable=true"},
        {ASKED AGAIN "StartCheckout r1 p3 by=staff;", "RecordPayment r1 p3 result=failed",
         "PaymentFailed retryable=false"},
        {ASKED AGAIN "StartCheckout r1 p3 by=staff;", "RecordPayment r1 p1 result=failed",
         "PaymentFailed retryable=false"},
        {ASKED "StartCheckout r2 p2 by=staff; StartCheckout r2 p3 by=staff; "
               "StartCheckout r1 p4 by=customer -> Refused; RecordPayment r1 p5;",
         "RecordPayment r1 p1 result=failed", "PaymentFailed retryable=true"},
        /* whatever the attempt came to */
        {BEGUN, RECORD "result=unknown", "PaymentUnknown"},
        {BEGUN, RECORD "result=failed", "PaymentFailed"},
        {BEGUN "ExtensionRejected r1 p1;", RECORD "result=unknown", "PaymentUnknown"},
        {BEGUN "ExtensionRejected r1 p1;", RECORD "result=failed", "PaymentFailed"},
        {ASKED "HoldExpired r1;", RECORD "result=unknown", "PaymentUnknown"},
        {ASKED "HoldExpired r1;", RECORD "result=failed", "PaymentFailed"},
        {ASKED AGAIN, RECORD "result=unknown", "PaymentUnknown"},
    };
    (void)state;
    RUN(rows);
}

static void checkout_core__refuses_a_result(void **state)
{
    static const struct play_row rows[] = {
        /* not_found; only an attempt that was begun is one */
        {"", "RecordPayment r1 p1 result=failed fingerprint=7 id=c9",
         "Refused code=not_found field=payment_id show_id=s1 reservation_id=r1 payment_id=p1 "
         "command=RecordPayment fingerprint=7 cause_id=c9"},
        {"", "RecordPayment r1 p1 result=unknown", "Refused code=not_found field=payment_id"},
        {"StartCheckout r1 p1 by=customer -> Refused", "RecordPayment r1 p1 result=failed",
         "Refused code=not_found"},
        {"StartCheckout r1 p1 by=customer -> Refused", "RecordPayment r1 p1 result=unknown",
         "Refused code=not_found"},
        /* it may have come before its attempt */
        {"RecordPayment r1 p1 result=failed fingerprint=7 -> Refused;" ASKED,
         "RecordPayment r1 p1 result=failed fingerprint=7", "PaymentFailed"},
        /* then conflict: the payment of another reservation, or of another show's */
        {ASKED, "RecordPayment r2 p1 result=failed",
         "Refused code=conflict field=reservation_id reservation_id=r2 payment_id=p1"},
        {ASKED, "RecordPayment r2 p1 result=unknown", "Refused code=conflict field=reservation_id"},
        {ASKED, "RecordPayment r1 p1 s2 result=failed", "Refused code=conflict show_id=s2"},
        {ASKED, "RecordPayment r1 p1 s2 result=unknown", "Refused code=conflict show_id=s2"},
        {ASKED RECORD "result=failed;", "RecordPayment r2 p1 result=failed fingerprint=7",
         "Refused code=conflict field=reservation_id"},
        {PAID, "RecordPayment r2 p1 result=unknown", "Refused code=conflict field=reservation_id"},
        {"RecordPayment r1 p9;", "RecordPayment r2 p9 result=failed", "Refused code=conflict"},
        /* then the rank. Equal: a repeat, or a conflict */
        {ASKED RECORD "result=unknown;", RECORD "result=unknown id=other", "none"},
        {ASKED RECORD "result=unknown;", "RecordPayment r1 p1 result=unknown fingerprint=8",
         "Refused code=conflict field=-"},
        {ASKED RECORD "result=failed;", RECORD "result=failed id=other", "none"},
        {ASKED RECORD "result=failed;", "RecordPayment r1 p1 result=failed fingerprint=8",
         "Refused code=conflict field=-"},
        /* higher: news */
        {ASKED RECORD "result=unknown;", RECORD "result=failed", "PaymentFailed"},
        {ASKED RECORD "result=unknown;", RECORD, "PaymentSucceeded"},
        {ASKED RECORD "result=failed;", RECORD, "PaymentSucceeded"},
        {ASKED RECORD "result=unknown;" RECORD "result=failed;", RECORD, "PaymentSucceeded"},
        /* lower: overtaken, whatever its body */
        {ASKED RECORD "result=failed;", RECORD "result=unknown", "none"},
        {ASKED RECORD "result=unknown;" RECORD "result=failed;",
         "RecordPayment r1 p1 result=unknown fingerprint=8", "none"},
        {ASKED RECORD ";", RECORD "result=unknown", "none"},
        {ASKED RECORD ";", RECORD "result=failed", "none"},
        {ASKED RECORD "result=failed;" RECORD ";",
         "RecordPayment r1 p1 result=failed fingerprint=8", "none"},
        {ASKED RECORD "result=unknown;" RECORD ";",
         "RecordPayment r1 p1 result=unknown fingerprint=8", "none"},
        {STARTED "HoldExtended r1 p1;", "RecordPayment r1 p1 result=failed", "none"},
        {"RecordPayment r1 p9;", "RecordPayment r1 p9 result=failed", "none"},
    };
    (void)state;
    RUN(rows);
}

/* Money that can be read is never refused: it ends in a sale or in a refund, and shows says in
 * which. */
static void checkout_core__takes_all_money(void **state)
{
    static const struct play_row rows[] = {
        /* the same capture again: none, or a conflict */
        {PAID, "RecordPayment r1 p1 provider_ref=z1 fingerprint=9 id=other", "none"},
        {PAID, "RecordPayment r1 p1 provider_ref=z1 fingerprint=8",
         "Refused code=conflict field=-"},
        {PAID "RecordPayment r1 p1 provider_ref=z2 fingerprint=8;",
         "RecordPayment r1 p1 provider_ref=z1 fingerprint=9", "none"},
        {PAID "HoldExpired r1 -> none", "RecordPayment r1 p1 provider_ref=z1 fingerprint=9",
         "none"},
        /* the money came twice */
        {PAID, "RecordPayment r1 p1 provider_ref=z2 fingerprint=9",
         "PaymentSucceeded reservation_id=r1 payment=p1:external:1500:EUR:z2:bank"},
        {PAID "RecordPayment r1 p1 provider_ref=z2;", "RecordPayment r1 p1 provider_ref=z3",
         "PaymentSucceeded payment.provider_ref=z3"},
        {STARTED "HoldExtended r1 p1;", "RecordPayment r1 p1",
         "PaymentSucceeded payment.method=external"},
        /* a number of the provider is one payment's, not all payments' */
        {PAID, "RecordPayment r2 p2 provider_ref=z1 fingerprint=9", "PaymentSucceeded"},
        /* not what was asked for */
        {ASKED, "RecordPayment r1 p1 amount_minor=1 currency=USD provider=moon",
         "PaymentSucceeded payment=p1:external:1:USD:x:moon"},
        {ASKED, "RecordPayment r1 p1 amount_minor=0", "PaymentSucceeded payment.amount_minor=0"},
        /* of a payment nobody started */
        {"", "RecordPayment r5 p9 s2 provider_ref=z1 amount_minor=70",
         "PaymentSucceeded show_id=s2 reservation_id=r5 payment=p9:external:70:EUR:z1:bank"},
        {"RecordPayment r5 p9 fingerprint=9;", "RecordPayment r5 p9 fingerprint=9", "none"},
        {"RecordPayment r5 p9 fingerprint=9;", "RecordPayment r5 p9 fingerprint=8",
         "Refused code=conflict"},
        {"RecordPayment r5 p9 provider_ref=z1;", "RecordPayment r5 p9 provider_ref=z2",
         "PaymentSucceeded"},
        {"StartCheckout r1 p1 by=customer -> Refused", "RecordPayment r1 p1", "PaymentSucceeded"},
        {THREE "StartCheckout r1 p4 by=staff -> Refused", "RecordPayment r1 p4",
         "PaymentSucceeded"},
        /* it pays for what its own attempt was for */
        {ASKED, "RecordPayment r2 p1", "PaymentSucceeded show_id=s1 reservation_id=r1"},
        {ASKED, "RecordPayment r1 p1 s2", "PaymentSucceeded show_id=s1 reservation_id=r1"},
        {ASKED "StartCheckout r2 p2 s2 by=staff;", "RecordPayment r2 p1 s2",
         "PaymentSucceeded show_id=s1 reservation_id=r1"},
        /* early, and late */
        {BEGUN, "RecordPayment r1 p1", "PaymentSucceeded"},
        {BEGUN "ExtensionRejected r1 p1;", "RecordPayment r1 p1", "PaymentSucceeded"},
        {ASKED "RecordPayment r1 p1 result=failed;", "RecordPayment r1 p1", "PaymentSucceeded"},
        {ASKED "HoldExpired r1;", "RecordPayment r1 p1", "PaymentSucceeded"},
        {BEGUN AGAIN, "RecordPayment r1 p1", "PaymentSucceeded payment.payment_id=p1"},
        {ASKED AGAIN, "RecordPayment r1 p1", "PaymentSucceeded payment.payment_id=p1"},
        /* which does not end the attempt that superseded it */
        {ASKED AGAIN "RecordPayment r1 p1;", "HoldExtended r1 p2",
         "PaymentRequested payment_id=p2"},
    };
    (void)state;
    RUN(rows);
}

static void checkout_core__abandons_what_was_asked_for_in_vain(void **state)
{
    static const struct play_row rows[] = {
        {ASKED, "@9 HoldExpired r1 id=e9",
         "PaymentAbandoned show_id=s1 reservation_id=r1 payment_id=p1 provider=bank cause_id=e9 "
         "at_ms=T9"},
        {ASKED, "HoldReleased r1", "PaymentAbandoned payment_id=p1"},
        {ASKED, "SeatsSold r1 payment=p9:cash:1500:EUR", "PaymentAbandoned payment_id=p1"},
        {ASKED, "SeatsSold r1 payment=p1:external:1500:EUR", "none"},
        {ASKED RECORD "result=unknown;", "HoldExpired r1", "PaymentAbandoned payment_id=p1"},
        {ASKED RECORD "result=unknown;", "HoldReleased r1", "PaymentAbandoned payment_id=p1"},
        {ASKED RECORD "result=unknown;", "SeatsSold r1 payment=p9", "PaymentAbandoned"},
        {ASKED RECORD "result=unknown;", "SeatsSold r1 payment=p1", "none"},
        /* a merely started one gets its answer from shows */
        {BEGUN, "HoldExpired r1", "none"},
        {BEGUN, "HoldReleased r1", "none"},
        {BEGUN, "SeatsSold r1 payment=p9", "none"},
        {BEGUN RECORD "result=unknown;", "HoldExpired r1", "none"},
        {BEGUN "HoldExpired r1 -> none", "ExtensionRejected r1 p1", "CheckoutRejected"},
        /* nobody asks any more */
        {BEGUN "ExtensionRejected r1 p1;", "HoldExpired r1", "none"},
        {ASKED RECORD "result=failed;", "HoldExpired r1", "none"},
        {PAID, "HoldExpired r1", "none"},
        {PAID, "SeatsSold r1 payment=p9", "none"},
        {ASKED "HoldExpired r1;", "HoldExpired r1", "none"},
        {ASKED "HoldExpired r1;", "SeatsSold r1 payment=p9", "none"},
        {ASKED "HoldExpired r1;" RECORD "result=unknown;", "SeatsSold r1 payment=p9", "none"},
        /* not the superseded one: to cancel that is said already */
        {ASKED AGAIN, "HoldExpired r1", "none"},
        {ASKED AGAIN RECORD "result=unknown;", "HoldExpired r1", "none"},
        {ASKED AGAIN "HoldExtended r1 p2;", "HoldExpired r1", "PaymentAbandoned payment_id=p2"},
        {ASKED AGAIN "HoldExtended r1 p2; HoldExpired r1;", "HoldReleased r1", "none"},
        /* the late money of the superseded one buys the seats */
        {ASKED AGAIN "HoldExtended r1 p2; RecordPayment r1 p1;",
         "SeatsSold r1 payment=p1:external:1500:EUR", "PaymentAbandoned payment_id=p2"},
        /* of that reservation of that show */
        {ASKED, "HoldExpired r2", "none"},
        {ASKED, "HoldExpired r1 s2", "none"},
        {"", "HoldExpired r1", "none"},
        {ASKED, "SaleRejected r1 payment=p9:comp", "none"},
        {ASKED, "SeatsReturned r1 payment=p9 refund=none", "none"},
    };
    (void)state;
    RUN(rows);
}

/* ---- refunds --------------------------------------------------------------------------------- */

static void checkout_core__gives_back(void **state)
{
    static const struct play_row rows[] = {
        /* from the record alone: no attempt need be known */
        {"", "@4 SaleRejected r1 s1 payment=p7:external:1500:USD:z1:bank id=e1",
         "RefundRequested reservation_id=r1 show_id=s1 payment=p7:external:1500:USD:z1:bank "
         "amount_minor=1500 currency=USD cause=sale_rejected manual=false attempt=1 cause_id=e1 "
         "at_ms=T4"},
        {"", "SaleRejected r1 payment=p7:card:1500:EUR", "RefundRequested manual=true"},
        {"", "SaleRejected r1 payment=p7:cash:1500:EUR", "RefundRequested manual=true"},
        {"", "SaleRejected r1 payment=p7:none:1500:EUR", "RefundRequested manual=false"},
        {"", "SaleRejected r1 payment=p7:comp:1500:EUR", "none"},
        {"", "SaleRejected r1 payment=p7:cash:0:EUR", "none"},
        {"", "SaleRejected r1 payment=p7:external:0:EUR", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:card:3000:EUR amount_minor=1200",
         "RefundRequested payment=p7:card:3000:EUR amount_minor=1200 currency=EUR cause=cancelled "
         "manual=true attempt=1"},
        {"", "SeatsReturned r1 refund=full payment=p7:external:3000:EUR amount_minor=1200",
         "RefundRequested manual=false"},
        {"", "SeatsReturned r1 refund=none payment=p7:card:3000:EUR", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:comp:3000:EUR", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:card:0:EUR amount_minor=0", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:card:3000:EUR amount_minor=0", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:card:0:EUR amount_minor=5", "none"},
        /* whoever cancelled */
        {"", "SeatsReturned r1 cause=customer", "RefundRequested cause=cancelled"},
        {"", "SeatsReturned r1 cause=staff", "RefundRequested cause=cancelled"},
        {"", "SeatsReturned r1 cause=show", "RefundRequested cause=cancelled"},
        /* and why ever it bought nothing */
        {"", "SaleRejected r1 reason=unknown_reservation", "RefundRequested cause=sale_rejected"},
        {"", "SaleRejected r1 reason=already_sold", "RefundRequested cause=sale_rejected"},
        {"", "SaleRejected r1 reason=show_cancelled", "RefundRequested cause=sale_rejected"},
        {"", "SaleRejected r1 reason=gone", "RefundRequested cause=sale_rejected"},
        {"", "SaleRejected r1 reason=amount", "RefundRequested cause=sale_rejected"},
        {"", "SaleRejected r1 reason=sold_out", "RefundRequested cause=sale_rejected"},
        {"", "SaleRejected r1 reason=person_limit", "RefundRequested cause=sale_rejected"},
        /* each for itself */
        {"SeatsReturned r1 payment=p7:card:3000:EUR amount_minor=1000",
         "SeatsReturned r1 payment=p7:card:3000:EUR amount_minor=2000",
         "RefundRequested refund_id=f2 amount_minor=2000 attempt=1"},
        {"SaleRejected r1 payment=p7:external:1500:EUR:z1:bank",
         "SaleRejected r1 payment=p7:external:1500:EUR:z2:bank",
         "RefundRequested refund_id=f2 payment.provider_ref=z2"},
        /* it changes nothing about attempts */
        {ASKED "SaleRejected r1 payment=p1;", "HoldExpired r1", "PaymentAbandoned"},
    };
    (void)state;
    RUN(rows);
}

/* f1: 1500 EUR of r1, asked for when the curtain rose; of a provider, and by hand. */
#define OWED        "@0 SaleRejected r1 payment=p1:external:1500:EUR:z1:bank;"
#define BY_HAND     "@0 SaleRejected r1 payment=p1:cash:1500:EUR;"
#define DONE        "RecordRefund f1 r1 fingerprint=1 id=k1;"
#define FAILED      "RecordRefund f1 r1 result=failed fingerprint=1 id=k1;"
#define ASKED_AGAIN OWED FAILED "@60;" /* f1 was asked for a second time then */

static void checkout_core__says_what_became_of_a_refund(void **state)
{
    static const struct play_row rows[] = {
        {OWED, "@9 RecordRefund f1 r1 provider_ref=z9 note=ok fingerprint=7 id=k7 actor=bank",
         "RefundCompleted show_id=s1 reservation_id=r1 refund_id=f1 amount_minor=1500 "
         "currency=EUR attempts=1 provider_ref=z9 note=ok fingerprint=7 cause_id=k7 actor=bank "
         "at_ms=T9"},
        {OWED, "RecordRefund f1 r1", "RefundCompleted provider_ref=- note=-"},
        {"SeatsReturned r1 payment=p1:external:3000:USD:z1 amount_minor=700", "RecordRefund f1 r1",
         "RefundCompleted amount_minor=700 currency=USD"},
        {OWED,
         "@9 RecordRefund f1 r1 result=failed provider_ref=z9 note=no fingerprint=7 id=k7 "
         "actor=bank",
         "RefundFailed show_id=s1 reservation_id=r1 refund_id=f1 attempts=1 manual=false "
         "provider_ref=z9 note=no fingerprint=7 cause_id=k7 actor=bank at_ms=T9"},
        /* of the current attempt, of that one by name, of an old one */
        {OWED, "RecordRefund f1 r1 attempt=1", "RefundCompleted attempts=1"},
        {OWED, "RecordRefund f1 r1 result=failed attempt=1", "RefundFailed attempts=1"},
        {ASKED_AGAIN, "RecordRefund f1 r1", "RefundCompleted attempts=2"},
        {ASKED_AGAIN, "RecordRefund f1 r1 attempt=1", "RefundCompleted attempts=2"},
        {ASKED_AGAIN, "RecordRefund f1 r1 attempt=2 result=failed", "RefundFailed attempts=2"},
        {ASKED_AGAIN, "RecordRefund f1 r1 result=failed", "RefundFailed attempts=2"},
        {ASKED_AGAIN, "RecordRefund f1 r1 attempt=1 result=failed", "none"},
        {ASKED_AGAIN "RecordRefund f1 r1 result=failed;",
         "RecordRefund f1 r1 attempt=1 result=failed", "none"},
        /* completed, whatever it came to before, and nothing is asked for any more */
        {OWED FAILED, "@59 RecordRefund f1 r1", "RefundCompleted attempts=1"},
        {OWED FAILED "RecordRefund f1 r1", "@600000", "none"},
        {OWED DONE, "@600000", "none"},
        {ASKED_AGAIN "RecordRefund f1 r1;", "@600000", "none"},
        {BY_HAND, "RecordRefund f1 r1", "RefundCompleted attempts=1"},
        {BY_HAND FAILED, "RecordRefund f1 r1", "RefundCompleted attempts=1"},
        {OWED "@259200;", "RecordRefund f1 r1", "RefundCompleted attempts=1"},
        {ASKED_AGAIN "@259200;", "RecordRefund f1 r1", "RefundCompleted attempts=2"},
        {OWED "@259200;" DONE, "@600000", "none"},
    };
    (void)state;
    RUN(rows);
}

static void checkout_core__refuses_to_record_a_refund(void **state)
{
    static const struct play_row rows[] = {
        {"", "RecordRefund f1 r1 fingerprint=7 id=k7",
         "Refused code=not_found field=refund_id refund_id=f1 reservation_id=r1 show_id=s1 "
         "command=RecordRefund fingerprint=7 cause_id=k7"},
        {OWED, "RecordRefund f9 r1 result=failed", "Refused code=not_found field=refund_id"},
        /* the command was answered */
        {OWED FAILED, "RecordRefund f1 r1 result=failed fingerprint=1 id=k1", "none"},
        {OWED FAILED, "RecordRefund f1 r1 result=failed fingerprint=2 id=k1",
         "Refused code=conflict field=-"},
        {OWED FAILED, "RecordRefund f1 r1 fingerprint=2 id=k1", "Refused code=conflict field=-"},
        {OWED DONE, "RecordRefund f1 r1 result=failed fingerprint=2 id=k1",
         "Refused code=conflict field=-"},
        /* … also while the next attempt is under way: a redelivery must not fail that one */
        {ASKED_AGAIN, "RecordRefund f1 r1 result=failed fingerprint=1 id=k1", "none"},
        {OWED "RecordRefund f1 r2 fingerprint=3 id=k3 -> Refused code=conflict",
         "RecordRefund f1 r2 fingerprint=3 id=k3", "none"},
        {OWED "RecordRefund f1 r2 fingerprint=3 id=k3 -> Refused code=conflict",
         "RecordRefund f1 r1 fingerprint=1 id=k3", "Refused code=conflict field=-"},
        /* another reservation, or another show's */
        {OWED, "RecordRefund f1 r2", "Refused code=conflict field=reservation_id"},
        {OWED, "RecordRefund f1 r2 result=failed", "Refused code=conflict field=reservation_id"},
        {OWED, "RecordRefund f1 r1 s2", "Refused code=conflict field=reservation_id show_id=s2"},
        {OWED DONE, "RecordRefund f1 r2 fingerprint=1", "Refused code=conflict"},
        /* an attempt there never was */
        {OWED, "RecordRefund f1 r1 attempt=2", "Refused code=invalid field=attempt"},
        {OWED, "RecordRefund f1 r1 attempt=0", "Refused code=invalid field=attempt"},
        {ASKED_AGAIN, "RecordRefund f1 r1 attempt=3", "Refused code=invalid field=attempt"},
        {OWED, "RecordRefund f1 r2 attempt=2", "Refused code=conflict field=reservation_id"},
        /* done is done, but if it was done twice a person should know */
        {OWED DONE, "RecordRefund f1 r1 fingerprint=1 id=other", "none"},
        {OWED DONE, "RecordRefund f1 r1 fingerprint=2", "Refused code=conflict field=refund_id"},
        {OWED DONE, "RecordRefund f1 r1 result=failed", "none"},
        {OWED FAILED "RecordRefund f1 r1;", "RecordRefund f1 r1 result=failed", "none"},
        {BY_HAND DONE, "RecordRefund f1 r1 fingerprint=2", "Refused code=conflict field=refund_id"},
        {OWED DONE "RecordRefund f1 r1 fingerprint=2 id=k2 -> Refused",
         "RecordRefund f1 r1 fingerprint=2 id=k2", "none"},
        /* an attempt fails once */
        {OWED FAILED, "RecordRefund f1 r1 result=failed fingerprint=1", "none"},
        {OWED FAILED, "RecordRefund f1 r1 result=failed fingerprint=2", "none"},
        {BY_HAND FAILED, "RecordRefund f1 r1 result=failed fingerprint=2", "none"},
        {OWED "@259200;" FAILED, "RecordRefund f1 r1 result=failed fingerprint=2", "none"},
    };
    (void)state;
    RUN(rows);
}

/* Each refund remembers its last sixteen commands, and what became of it for good. */
static void checkout_core__remembers_sixteen_commands_of_a_refund(void **state)
{
    struct play *play = play_open(&checkout_service);
    char step[80];
    (void)state;
    play_script(play, OWED "@0 SaleRejected r2;" DONE);
    for (int i = 2; i <= 16; i++) {
        snprintf(step, sizeof step, "RecordRefund f1 r1 fingerprint=%d id=k%d", i, i);
        play_expect(play, play_step(play, step), "Refused code=conflict field=refund_id");
    }
    /* Another refund has a ring of its own. */
    play_script(play, "RecordRefund f2 r2 result=failed id=k17");
    play_expect(play, play_step(play, "RecordRefund f1 r1 result=failed fingerprint=99 id=k2"),
                "Refused code=conflict field=-");
    play_expect(play, play_step(play, "RecordRefund f1 r1 result=failed fingerprint=99 id=k1"),
                "Refused code=conflict field=-");
    play_expect(play, play_step(play, "RecordRefund f1 r1 fingerprint=17 id=k17"),
                "Refused code=conflict field=refund_id");
    play_expect(play, play_step(play, "RecordRefund f1 r1 result=failed fingerprint=99 id=k1"),
                "none");
    play_expect(play, play_step(play, "RecordRefund f1 r1 result=failed fingerprint=99 id=k2"),
                "Refused code=conflict field=-");
    play_close(play);
}

/* ---- the timer of refunds -------------------------------------------------------------------- */

static void checkout_core__asks_again_and_gives_up(void **state)
{
    static const struct play_row rows[] = {
        {OWED "@10;" FAILED, "@69.999", "none"},
        {OWED "@10;" FAILED, "@70",
         "RefundRequested show_id=s1 reservation_id=r1 refund_id=f1 "
         "payment=p1:external:1500:EUR:z1:bank amount_minor=1500 currency=EUR cause=sale_rejected "
         "manual=false attempt=2 cause_id=- at_ms=T70"},
        {"SeatsReturned r1 s2 payment=p1:external:3000:USD amount_minor=700;"
         "RecordRefund f1 r1 s2 result=failed",
         "@60",
         "RefundRequested show_id=s2 amount_minor=700 currency=USD payment.amount_minor=3000 "
         "payment.provider_ref=- cause=cancelled"},
        /* while nobody says it failed, it is under way */
        {OWED, "@259199.999", "none"},
        {ASKED_AGAIN, "@259199.999", "none"},
        /* three days after it was first asked for, whatever became of it */
        {OWED, "@259200",
         "RefundFailed show_id=s1 reservation_id=r1 refund_id=f1 attempts=1 manual=true "
         "provider_ref=- note=- fingerprint=- cause_id=- at_ms=T259200"},
        {"@50 SaleRejected r1 payment=p1:external", "@259249.999", "none"},
        {"@50 SaleRejected r1 payment=p1:external", "@259250", "RefundFailed at_ms=T259250"},
        {ASKED_AGAIN, "@259200", "RefundFailed attempts=2 manual=true at_ms=T259200"},
        {OWED "@259139.999;" FAILED, "@259199.999", "RefundRequested attempt=2"},
        {OWED "@259139.999;" FAILED "@259199.999;", "@259200",
         "RefundFailed attempts=2 at_ms=T259200"},
        {OWED "@259140;" FAILED, "@259200", "RefundFailed attempts=1 manual=true at_ms=T259200"},
        {OWED "@259140.001;" FAILED, "@259300", "RefundFailed attempts=1 at_ms=T259200"},
        {OWED "@259141;" FAILED, "@259300", "RefundFailed attempts=1 manual=true at_ms=T259200"},
        {OWED "@259199.999;" FAILED, "@259200", "RefundFailed attempts=1 manual=true"},
        /* what is due comes before what is said at the same time */
        {OWED FAILED, "@60 RecordRefund f1 r1 result=failed", "RefundFailed attempts=2"},
        {OWED, "@259200 RecordRefund f1 r1 result=failed",
         "RefundFailed attempts=1 manual=true"}, /* news, though a person has it already */
        /* then it is a matter for a person */
        {OWED "@259200;", "@900000", "none"},
        {OWED "@259140;" FAILED "@259200;", "@900000", "none"},
        {BY_HAND, "@900000", "none"},
        {BY_HAND FAILED, "@900000", "none"},
        {BY_HAND, "RecordRefund f1 r1 result=failed", "RefundFailed attempts=1 manual=true"},
        /* two at the same time: the one that was asked for first */
        {OWED "SaleRejected r2 payment=p2:external;", "@259200", "RefundFailed refund_id=f2"},
        {OWED "SaleRejected r2 payment=p2:external; RecordRefund f2 r2 result=failed;" FAILED,
         "@60", "RefundRequested refund_id=f2"},
    };
    (void)state;
    RUN(rows);
}

static void checkout_core__is_patient_by_a_fixed_table(void **state)
{
    static const int64_t waits_s[] = {60, 300, 1800, 7200, 43200, 43200, 43200, 43200};
    struct play *play = play_open(&checkout_service);
    char text[160];
    int64_t now_s = 1000;
    (void)state;
    play_script(play, "@1000 SaleRejected r1 payment=p1:external");
    for (int i = 0; i < 8; i++) {
        now_s += 7; /* each wait begins when the failure is recorded */
        snprintf(text, sizeof text, "@%lld RecordRefund f1 r1 result=failed", (long long)now_s);
        play_script(play, text);
        now_s += waits_s[i];
        snprintf(text, sizeof text, "@%lld.999", (long long)now_s - 1);
        play_expect(play, play_step(play, text), "none");
        snprintf(text, sizeof text, "@%lld", (long long)now_s);
        const struct message *outcome = play_step(play, text);
        snprintf(text, sizeof text, "RefundRequested attempt=%d at_ms=T%lld", i + 2,
                 (long long)now_s);
        play_expect(play, outcome, text);
    }
    play_expect(play, play_step(play, "@260200"), "RefundFailed attempts=9 at_ms=T260200");
    play_close(play);
}

/* ---- a show that is over --------------------------------------------------------------------- */

static void checkout_core__forgets_the_payments_of_a_show_that_is_over(void **state)
{
    static const struct play_row rows[] = {
        {"", "@9 ShowArchived s2 id=e9", "PaymentsArchived show_id=s2 cause_id=e9 at_ms=T9"},
        {ASKED, "ShowArchived", "PaymentsArchived show_id=s1"},
        {"ShowArchived", "StartCheckout r1 p1 by=staff fingerprint=1",
         "Refused code=archived field=show_id payment_id=p1 command=StartCheckout fingerprint=1"},
        {STARTED "ShowArchived", "StartCheckout r1 p1 by=staff fingerprint=1",
         "Refused code=archived"},
        {STARTED "ShowArchived", "StartCheckout r1 p1 by=staff fingerprint=2",
         "Refused code=archived"},
        {"ShowArchived; StartCheckout r1 p1 by=staff fingerprint=1 -> Refused",
         "StartCheckout r1 p1 by=staff fingerprint=1", "Refused code=archived"},
        /* before invalid and forbidden, but after the payment of another show */
        {"ShowArchived", "StartCheckout r1 p1 by=show", "Refused code=archived"},
        {"ShowArchived", "StartCheckout r1 p1 method=external by=staff", "Refused code=archived"},
        {"ShowArchived", "StartCheckout r1 p1 by=customer", "Refused code=archived"},
        {"StartCheckout r1 p1 s2 by=staff; ShowArchived s1", "StartCheckout r1 p1 by=staff",
         "Refused code=conflict field=payment_id"},
        /* money of which nothing is known any more */
        {PAID "ShowArchived", "RecordPayment r1 p1 provider_ref=z1 fingerprint=9",
         "Refused code=archived field=show_id payment_id=p1 command=RecordPayment"},
        {ASKED "ShowArchived", "RecordPayment r1 p1", "Refused code=archived"},
        {ASKED "ShowArchived", "RecordPayment r1 p1 result=failed", "Refused code=archived"},
        {ASKED "ShowArchived", "RecordPayment r1 p1 result=unknown", "Refused code=archived"},
        {"ShowArchived", "RecordPayment r1 p9", "Refused code=archived"},
        {"ShowArchived", "RecordPayment r1 p9 result=failed", "Refused code=archived"},
        /* what shows still says of it */
        {BEGUN "ShowArchived", "HoldExtended r1 p1", "none"},
        {BEGUN "ShowArchived", "ExtensionRejected r1 p1", "none"},
        {ASKED "ShowArchived", "HoldExpired r1", "none"},
        {ASKED "ShowArchived", "SeatsSold r1 payment=p9", "none"},
        /* other shows go on; their money may name it by mistake */
        {ASKED "ShowArchived s2", "HoldExpired r1", "PaymentAbandoned"},
        {ASKED "ShowArchived s2", "RecordPayment r1 p1 s2", "PaymentSucceeded show_id=s1"},
        {ASKED "ShowArchived s2", "RecordPayment r1 p1 s2 result=failed", "Refused code=conflict"},
        {ASKED "ShowArchived s1", "StartCheckout r1 p1 s2 by=staff", "CheckoutStarted"},
        {ASKED "ShowArchived s1", "RecordPayment r1 p1 s2",
         "PaymentSucceeded show_id=s2 reservation_id=r1"},
    };
    (void)state;
    RUN(rows);
}

static void checkout_core__keeps_the_refunds_of_a_show_that_is_over(void **state)
{
    static const struct play_row rows[] = {
        {OWED "ShowArchived", "RecordRefund f1 r1", "RefundCompleted attempts=1 amount_minor=1500"},
        {OWED "ShowArchived", "RecordRefund f1 r1 result=failed", "RefundFailed manual=false"},
        {OWED "ShowArchived;" FAILED, "@60",
         "RefundRequested attempt=2 payment=p1:external:1500:EUR:z1:bank show_id=s1"},
        {OWED FAILED "ShowArchived", "@60", "RefundRequested attempt=2"},
        {ASKED_AGAIN "ShowArchived", "RecordRefund f1 r1 result=failed", "RefundFailed attempts=2"},
        {OWED "ShowArchived", "@259200", "RefundFailed attempts=1 manual=true"},
        {BY_HAND "ShowArchived", "RecordRefund f1 r1", "RefundCompleted"},
        {OWED "@259200; ShowArchived", "RecordRefund f1 r1", "RefundCompleted"},
        {OWED "@259200; ShowArchived", "@900000", "none"},
        {OWED "ShowArchived", "RecordRefund f1 r2", "Refused code=conflict field=reservation_id"},
        /* its commands are still known, and its end, if it ended afterwards */
        {OWED FAILED "ShowArchived; @60", "RecordRefund f1 r1 result=failed fingerprint=1 id=k1",
         "none"},
        {OWED "ShowArchived;" DONE, "RecordRefund f1 r1 fingerprint=1", "none"},
        {OWED "ShowArchived;" DONE, "RecordRefund f1 r1 fingerprint=2", "Refused code=conflict"},
        /* those that were done before are forgotten */
        {OWED DONE "ShowArchived", "RecordRefund f1 r1 fingerprint=1", "Refused code=archived"},
        {OWED DONE "ShowArchived", "RecordRefund f1 r1 fingerprint=2 result=failed",
         "Refused code=archived field=show_id refund_id=f1 command=RecordRefund"},
        {OWED DONE "ShowArchived", "@900000", "none"},
        {"ShowArchived", "RecordRefund f9 r1", "Refused code=archived"},
        /* some done, some not, and other shows' */
        {OWED "SaleRejected r2 payment=p2:external; SaleRejected r3 payment=p3:external;"
              "RecordRefund f2 r2; ShowArchived;",
         "RecordRefund f3 r3", "RefundCompleted"},
        {OWED "SaleRejected r2 payment=p2:external; RecordRefund f2 r2; ShowArchived;",
         "RecordRefund f2 r2", "Refused code=archived"},
        {OWED DONE "ShowArchived s2", "RecordRefund f1 r1 fingerprint=2", "Refused code=conflict"},
        /* the last money came just before the show was over */
        {PAID "ShowArchived", "SaleRejected r1 payment=p1:external:1500:EUR:z1:bank",
         "RefundRequested refund_id=f1 manual=false attempt=1"},
        {"ShowArchived;" OWED, "RecordRefund f1 r1", "RefundCompleted"},
        {"ShowArchived;" OWED FAILED, "@60", "RefundRequested attempt=2"},
        {"ShowArchived;" OWED, "@259200", "RefundFailed manual=true"},
        {"ShowArchived;" OWED DONE, "RecordRefund f1 r1 fingerprint=2", "Refused code=conflict"},
    };
    (void)state;
    RUN(rows);
}

/* The id of a refund is that of what caused it: whoever decides it again gives it the same. */
static void checkout_core__a_refund_keeps_its_id(void **state)
{
    static const char *const causes[] = {
        "SaleRejected r1 id=shows/0/5-00000000000000ab.1",
        "SaleRejected r2 id=shows/0/5-00000000000000ab.1",
        "SeatsReturned r1 id=shows/0/5-00000000000000ab.1",
        "SaleRejected r1 id=shows/0/5-00000000000000ab.2",
    };
    char ids[4][40];
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct play *play = play_open(&checkout_service);
        play_script(play, i % 2 ? STARTED : "");
        const struct message *outcome = play_step(play, causes[i]);
        play_expect(play, outcome, "RefundRequested");
        snprintf(ids[i], sizeof ids[i], "%.*s", TEXT_PRINT(outcome->refund_id));
        play_close(play);
    }
    /* UUID 5 of that name: another build, another machine, the same. */
    assert_string_equal(ids[0], "f1203543-e6d9-5f4d-9af1-758d7b1789ba");
    assert_string_equal(ids[1], ids[0]);
    assert_string_equal(ids[2], ids[0]);
    assert_string_not_equal(ids[3], ids[0]);
}

/* A refusal of the loop is the answer to an attempt where it lies in the right place and says that
 * it refused one. */
static void checkout_core__takes_the_loops_refusals_for_answers(void **state)
{
    static const struct {
        enum code code;
        const char *command; /* "": it could not be read */
        const char *then;
    } rows[] = {{code_invalid, "StartCheckout", "none"},
                {code_internal, "StartCheckout", "none"},
                {code_misrouted, "StartCheckout", "CheckoutStarted supersedes=-"},
                {code_invalid, "RecordPayment", "CheckoutStarted supersedes=-"},
                {code_undecodable, "", "CheckoutStarted supersedes=-"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message refusal;
        struct play *play = play_open(&checkout_service);
        message_init(&refusal, MESSAGE_Refused);
        message_set(&refusal, code, rows[i].code);
        message_set(&refusal, detail, text_of("x"));
        if (rows[i].command[0])
            message_set(&refusal, command, text_of(rows[i].command));
        message_set(&refusal, show_id, text_of("s1"));
        message_set(&refusal, reservation_id, text_of("a0000000-0000-4000-8000-000000000001"));
        message_set(&refusal, payment_id, text_of("b0000000-0000-4000-8000-000000000001"));
        message_set(&refusal, fingerprint, text_of("0000000000000001"));
        play_apply(play, &refusal);
        play_expect(play, play_step(play, "StartCheckout r1 p1 by=staff fingerprint=1"),
                    rows[i].then);
        play_close(play);
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void checkout_core__every_code_occurred(void **state)
{
    (void)state;
    /* the loop's, and other cores' */
    static const char *const others[] = {"undecodable", "unknown_type", "misrouted", "internal",
                                         "checked_in",  "precondition", NULL};
    play_expect_codes_seen(others);
    assert_true(play_seen()->reasons[reason_amount_due] > 0);
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (message_speaker((enum message_type)type) == SPEAKER_checkout &&
            message_role((enum message_type)type) == ROLE_EVENT)
            assert_true(play_seen()->types[type] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkout_core__starts),
        cmocka_unit_test(checkout_core__refuses_to_start),
        cmocka_unit_test(checkout_core__hears_that_the_hold_was_extended),
        cmocka_unit_test(checkout_core__hears_that_the_hold_is_gone),
        cmocka_unit_test(checkout_core__asks_a_provider),
        cmocka_unit_test(checkout_core__says_what_became_of_a_payment),
        cmocka_unit_test(checkout_core__refuses_a_result),
        cmocka_unit_test(checkout_core__takes_all_money),
        cmocka_unit_test(checkout_core__abandons_what_was_asked_for_in_vain),
        cmocka_unit_test(checkout_core__gives_back),
        cmocka_unit_test(checkout_core__says_what_became_of_a_refund),
        cmocka_unit_test(checkout_core__refuses_to_record_a_refund),
        cmocka_unit_test(checkout_core__remembers_sixteen_commands_of_a_refund),
        cmocka_unit_test(checkout_core__asks_again_and_gives_up),
        cmocka_unit_test(checkout_core__is_patient_by_a_fixed_table),
        cmocka_unit_test(checkout_core__forgets_the_payments_of_a_show_that_is_over),
        cmocka_unit_test(checkout_core__keeps_the_refunds_of_a_show_that_is_over),
        cmocka_unit_test(checkout_core__a_refund_keeps_its_id),
        cmocka_unit_test(checkout_core__takes_the_loops_refusals_for_answers),
        cmocka_unit_test(checkout_core__every_code_occurred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
