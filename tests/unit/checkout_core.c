/* The money: who may start a payment, what the answer of shows makes of it, and what is given back.
 */
#include "tests/support/core_play.h"

#include "base/prng.h"
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

static void checkout_core__starts(void **state)
{
    static const struct play_row rows[] = {
        {"", "@4 StartCheckout r1 p1 method=card by=staff id=c1 fingerprint=3 actor=till",
         "CheckoutStarted show_id=s1 reservation_id=r1 payment_id=p1 method=card by=staff "
         "supersedes=- fingerprint=3 cause_id=c1 actor=till at_ms=T4"},
        {"", "StartCheckout r1 p1 method=none by=customer", "CheckoutStarted method=none"},
        {"", "StartCheckout r1 p1 method=cash by=staff", "CheckoutStarted method=cash"},
        {"", "StartCheckout r1 p1 method=comp by=staff", "CheckoutStarted method=comp"},
        /* the open attempt is superseded, an ended one is not */
        {STARTED, "StartCheckout r1 p2 by=staff", "CheckoutStarted payment_id=p2 supersedes=p1"},
        {STARTED "StartCheckout r1 p2 by=staff;", "StartCheckout r1 p3 by=staff",
         "CheckoutStarted supersedes=p2"},
        {STARTED "HoldExtended r1 p1;", "StartCheckout r1 p2 by=staff",
         "CheckoutStarted supersedes=-"},
        {STARTED "ExtensionRejected r1 p1;", "StartCheckout r1 p2 by=staff",
         "CheckoutStarted supersedes=-"},
        {STARTED, "StartCheckout r2 p2 by=staff", "CheckoutStarted supersedes=-"},
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
        /* the third stays open */
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

static void checkout_core__gives_back(void **state)
{
    static const struct play_row rows[] = {
        /* from the record alone: no attempt need be known */
        {"", "SaleRejected r1 s1 payment=p7:card:1500:USD:ref-1:bank id=e1",
         "RefundRequested reservation_id=r1 show_id=s1 payment=p7:card:1500:USD:ref-1:bank "
         "amount_minor=1500 currency=USD cause=sale_rejected manual=true cause_id=e1"},
        {"", "SaleRejected r1 payment=p7:cash:1500:EUR", "RefundRequested manual=true"},
        {"", "SaleRejected r1 payment=p7:none:1500:EUR", "RefundRequested manual=false"},
        {"", "SaleRejected r1 payment=p7:comp:1500:EUR", "none"},
        {"", "SaleRejected r1 payment=p7:cash:0:EUR", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:card:3000:EUR amount_minor=1200",
         "RefundRequested payment=p7:card:3000:EUR amount_minor=1200 currency=EUR cause=cancelled "
         "manual=true"},
        {"", "SeatsReturned r1 refund=none payment=p7:card:3000:EUR", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:comp:3000:EUR", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:card:0:EUR amount_minor=0", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:card:3000:EUR amount_minor=0", "none"},
        {"", "SeatsReturned r1 refund=full payment=p7:card:0:EUR amount_minor=5", "none"},
        {STARTED "HoldExtended r1 p1;", "SaleRejected r1 payment=p1:cash:1500:EUR",
         "RefundRequested payment=p1:cash:1500:EUR"},
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

/* A refusal of the loop is an answer where it lies in the right place. */
static void checkout_core__takes_the_loops_refusals_for_answers(void **state)
{
    static const struct {
        enum code code;
        const char *then;
    } rows[] = {{code_invalid, "none"},
                {code_internal, "none"},
                {code_misrouted, "CheckoutStarted supersedes=-"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message refusal;
        struct play *play = play_open(&checkout_service);
        message_init(&refusal, MESSAGE_Refused);
        message_set(&refusal, code, rows[i].code);
        message_set(&refusal, detail, text_of("x"));
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

/* ---- at random ------------------------------------------------------------------------------- */

enum { ORDERS = 12, PAYMENTS = 60 };

/* What the events say of one reservation. */
struct order {
    int started, open; /* open: number of the payment, or -1 */
};

static int payment_number(struct text payment_id)
{
    uint64_t number = 0;
    struct text digits = {payment_id.data + 24, 12};
    while (digits.size > 1 && digits.data[0] == '0')
        digits.data++, digits.size--;
    assert_true(text_to_u64(digits, &number));
    return (int)number;
}

static void take_outcome(struct order *order, const struct message *outcome)
{
    if (outcome == NULL)
        return;
    switch ((int)outcome->type) {
    case MESSAGE_CheckoutStarted:
        assert_int_equal(message_has(outcome, supersedes), order->open >= 0);
        if (order->open >= 0)
            assert_int_equal(payment_number(outcome->supersedes), order->open);
        order->open = payment_number(outcome->payment_id);
        assert_in_range(++order->started, 1, CHECKOUT_ATTEMPTS_MAX);
        return;
    case MESSAGE_PaymentSucceeded:
        assert_int_equal(payment_number(outcome->payment.payment_id), order->open);
        order->open = -1;
        return;
    case MESSAGE_CheckoutRejected:
        assert_int_equal(payment_number(outcome->payment_id), order->open);
        order->open = -1;
        return;
    }
}

static void random_step(struct prng *prng, char *step, size_t size, int reservation)
{
    static const char *const methods[] = {"none", "cash", "card", "comp"};
    int payment = reservation * 5 + (int)prng_below(prng, 6);
    switch (prng_below(prng, 6)) {
    case 0:
    case 1:
    case 2:
        snprintf(step, size, "StartCheckout r%d p%d method=%s by=%s fingerprint=%d", reservation,
                 payment, methods[prng_below(prng, 4)],
                 prng_chance(prng, 1, 4) ? "customer" : "staff", prng_chance(prng, 1, 5) ? 2 : 1);
        return;
    case 3:
        snprintf(step, size, "HoldExtended r%d p%d amount_minor=%d currency=EUR", reservation,
                 payment, (int)prng_below(prng, 2) * 700);
        return;
    case 4:
        snprintf(step, size, "ExtensionRejected r%d p%d", reservation, payment);
        return;
    default:
        snprintf(step, size, "SaleRejected r%d payment=p%d:%s", reservation, payment,
                 methods[prng_below(prng, 4)]);
    }
}

static void checkout_core__keeps_one_attempt_open_whatever_comes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct prng prng = {seed};
        struct play *play = play_open(&checkout_service);
        struct order orders[ORDERS];
        char step[160];
        for (int i = 0; i < ORDERS; i++)
            orders[i] = (struct order){0, -1};
        for (int i = 0; i < 400; i++) {
            int reservation = (int)prng_below(&prng, ORDERS);
            random_step(&prng, step, sizeof step, reservation);
            take_outcome(&orders[reservation], play_step(play, step));
        }
        play_close(play);
    }
}

static void checkout_core__every_code_occurred(void **state)
{
    (void)state;
    /* the loop's, and shows' */
    static const char *const others[] = {"undecodable", "unknown_type", "misrouted", "internal",
                                         "not_found",   "precondition", NULL};
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
        cmocka_unit_test(checkout_core__gives_back),
        cmocka_unit_test(checkout_core__a_refund_keeps_its_id),
        cmocka_unit_test(checkout_core__takes_the_loops_refusals_for_answers),
        cmocka_unit_test(checkout_core__keeps_one_attempt_open_whatever_comes),
        cmocka_unit_test(checkout_core__every_code_occurred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
