/* The money at random, against a model of its own: what is said of payments and refunds in the
 * plainest way, over few shows, reservations and payments. Every outcome is foretold, the timer's
 * too. */
#include "tests/support/core_play.h"

#include "base/memory.h"
#include "base/prng.h"
#include "base/uuid.h"
#include "services/checkout/checkout_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SHOWS = 3, RESERVATIONS = 6, PAYMENTS = 24, NUMBERS = 4, DEBTS = 1000, COMMANDS = 16 };
enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };

/* ---- the model ------------------------------------------------------------------------------- */

enum standing { UNHEARD, TURNED_AWAY, BEGUN, ASKED, IN_DOUBT, PAID, FAILED, ENDED };

struct trial {
    enum standing standing;
    int show, reservation;
    int body; /* of its StartCheckout; 0: nobody began it */
    int method;
    int trouble_body[result_COUNT]; /* of what was said of it; 0: was not */
    int money_body[NUMBERS];        /* by number of the provider; 0: did not come */
};

struct account { /* of a reservation of a show */
    int begun;
    int current; /* a payment; -1: none */
};

struct debt {
    char id[UUID_SIZE];
    int show, reservation, attempt;
    int64_t amount, first_ms, failed_ms;
    bool manual, failed, settled, forgotten;
    int settled_body;
    int command_ids[COMMANDS], command_bodies[COMMANDS]; /* the last of them */
    int commands;                                        /* ever */
};

struct capture {
    int show, reservation, payment, method, number; /* number -1: none */
    int64_t amount;
};

struct model {
    struct play *play;
    struct trial trials[PAYMENTS];
    struct account accounts[SHOWS][RESERVATIONS];
    bool over[SHOWS];
    struct debt debts[DEBTS];
    int debt_count;
    struct capture last; /* the money that came last; payment -1: none yet */
    int64_t now_ms, said_ms, last_ms;
    const struct message *outcome; /* of the last step; NULL: none */
};

static int most_attempts, given_up_in_time, kept_to_the_end; /* over all walks */

static const char *const methods[] = {"none", "cash", "card", "comp", "external"};

static bool is_open(const struct trial *trial)
{
    return trial->standing == BEGUN || trial->standing == ASKED || trial->standing == IN_DOUBT;
}

static void forget_show(struct model *model, int show)
{
    model->over[show] = true;
    for (int i = 0; i < PAYMENTS; i++)
        if (model->trials[i].show == show)
            model->trials[i] = (struct trial){0};
    for (int i = 0; i < RESERVATIONS; i++)
        model->accounts[show][i] = (struct account){0, -1};
    for (int i = 0; i < model->debt_count; i++)
        if (model->debts[i].show == show && model->debts[i].settled)
            model->debts[i].forgotten = true;
}

/* ---- dice and words -------------------------------------------------------------------------- */

static struct prng prng;

static int dice(int sides)
{
    return (int)prng_below(&prng, (uint64_t)sides);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Of a payment, mostly its own reservation of its own show. */
static int some_reservation(int payment)
{
    return dice(12) ? payment / (PAYMENTS / RESERVATIONS) : dice(RESERVATIONS);
}

static int some_show(int payment)
{
    return dice(12) ? payment / (PAYMENTS / RESERVATIONS) % SHOWS : dice(SHOWS);
}

static void say(struct model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void foretold(struct model *model, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A step; the log's clock may have stepped back. */
static void say(struct model *model, const char *format, ...)
{
    char step[512];
    va_list arguments;
    model->said_ms = dice(30) ? model->now_ms : model->now_ms - dice(MINUTE_MS);
    int64_t since_ms = later(model->said_ms - PLAY_START_MS, 0);
    model->said_ms = PLAY_START_MS + since_ms;
    int size = snprintf(step, sizeof step, "@%lld.%03d ", (long long)(since_ms / SECOND_MS),
                        (int)(since_ms % SECOND_MS));
    va_start(arguments, format);
    vsnprintf(step + size, sizeof step - (size_t)size, format, arguments);
    va_end(arguments);
    model->outcome = play_step(model->play, step);
}

/* It had to be so. */
static void foretold(struct model *model, const char *format, ...)
{
    char expectation[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expectation, sizeof expectation, format, arguments);
    va_end(arguments);
    play_expect(model->play, model->outcome, expectation);
}

/* ---- attempts -------------------------------------------------------------------------------- */

/* Why an attempt may not begin; NULL: it may. */
static const char *why_not(const struct model *model, int show, int reservation, int method,
                           const char *by, bool provider)
{
    if (strcmp(by, "show") == 0)
        return "Refused code=invalid field=by";
    if (method == method_external && !provider)
        return "Refused code=invalid field=provider";
    if (method != method_none && method != method_external && strcmp(by, "staff") != 0)
        return "Refused code=forbidden field=method";
    return model->accounts[show][reservation].begun == CHECKOUT_ATTEMPTS_MAX
               ? "Refused code=wrong_state field=-"
               : NULL;
}

static void begin(struct model *model)
{
    int payment = dice(PAYMENTS), method = dice(2) ? dice(method_COUNT) : method_external;
    int show = some_show(payment), reservation = some_reservation(payment), body = 1 + !dice(4);
    const char *by = dice(20) == 0 ? "show" : dice(3) ? "staff" : "customer";
    bool provider = dice(12) > 0;
    struct trial *trial = &model->trials[payment];
    struct account *account = &model->accounts[show][reservation];
    say(model, "StartCheckout p%d r%d s%d method=%s by=%s fingerprint=%d %s", payment, reservation,
        show, methods[method], by, body, provider ? "provider=bank" : "");
    if (trial->standing != UNHEARD) {
        bool repeat = trial->show == show && trial->reservation == reservation;
        foretold(model,
                 repeat && trial->body == body ? "none" : "Refused code=conflict field=payment_id");
        return;
    }
    if (model->over[show]) {
        foretold(model, "Refused code=archived field=show_id");
        return;
    }
    *trial = (struct trial){
        .standing = BEGUN,
        .show = show,
        .reservation = reservation,
        .body = body,
        .method = method,
    };
    const char *refusal = why_not(model, show, reservation, method, by, provider);
    if (refusal) {
        trial->standing = TURNED_AWAY;
        foretold(model, "%s", refusal);
        return;
    }
    if (account->current >= 0 && is_open(&model->trials[account->current])) {
        model->trials[account->current].standing = ENDED;
        foretold(model, "CheckoutStarted payment_id=p%d supersedes=p%d method=%s by=%s", payment,
                 account->current, methods[method], by);
    } else {
        foretold(model, "CheckoutStarted payment_id=p%d supersedes=- method=%s by=%s", payment,
                 methods[method], by);
    }
    account->begun++;
    account->current = payment;
}

static void paid(struct model *model, int payment, int64_t amount, int number)
{
    struct trial *trial = &model->trials[payment];
    trial->standing = PAID;
    model->last = (struct capture){
        trial->show, trial->reservation, payment, trial->method, number, amount,
    };
    if (number >= 0)
        model->last.method = method_external;
}

/* Shows extends the hold, or does not. */
static void answer(struct model *model)
{
    static const char *const causes[] = {"pin", "staff", "checkout", "checkout", "checkout"};
    int payment = dice(PAYMENTS), show = some_show(payment), cause = dice(5);
    int reservation = some_reservation(payment), amount = dice(3) * 700;
    bool extended = dice(5) > 0;
    struct trial *trial = &model->trials[payment];
    if (extended)
        say(model, "HoldExtended r%d p%d s%d cause=%s amount_minor=%d currency=EUR pay_by_ms=T9",
            reservation, payment, show, causes[cause], amount);
    else
        say(model, "ExtensionRejected r%d p%d s%d cause=%s reason=gone", reservation, payment, show,
            causes[cause]);
    if (model->accounts[show][reservation].current != payment || trial->standing != BEGUN ||
        cause < 2) {
        foretold(model, "none");
    } else if (!extended || (trial->method == method_none && amount > 0)) {
        trial->standing = ENDED;
        foretold(model, "CheckoutRejected payment_id=p%d reason=%s", payment,
                 extended ? "amount_due" : "gone");
    } else if (trial->method == method_external && amount > 0) {
        trial->standing = ASKED;
        foretold(model, "PaymentRequested payment_id=p%d r%d s%d amount_minor=%d provider=bank",
                 payment, reservation, show, amount);
    } else {
        paid(model, payment, amount, -1);
        foretold(model, "PaymentSucceeded r%d s%d payment=p%d:%s:%d:EUR payment.provider_ref=-",
                 reservation, show, payment, methods[trial->method], amount);
    }
}

/* The hold ends, or its seats are sold. */
static void end_hold(struct model *model)
{
    int reservation = dice(RESERVATIONS), payment = dice(PAYMENTS), how = dice(3);
    int show = dice(12) ? reservation % SHOWS : dice(SHOWS);
    int current = model->accounts[show][reservation].current;
    if (how == 2)
        say(model, "SeatsSold r%d s%d payment=p%d", reservation, show, payment);
    else
        say(model, "%s r%d s%d", how ? "HoldExpired" : "HoldReleased", reservation, show);
    struct trial *trial = current >= 0 ? &model->trials[current] : NULL;
    if (trial == NULL || (trial->standing != ASKED && trial->standing != IN_DOUBT) ||
        (how == 2 && payment == current)) {
        foretold(model, "none");
        return;
    }
    trial->standing = ENDED;
    foretold(model, "PaymentAbandoned r%d s%d payment_id=p%d provider=bank", reservation, show,
             current);
}

/* ---- what a provider says -------------------------------------------------------------------- */

static void foretell_money(struct model *model, int payment, int show, int reservation, int number,
                           int body, int amount)
{
    struct trial *trial = &model->trials[payment];
    if (trial->money_body[number]) {
        foretold(model,
                 trial->money_body[number] == body ? "none" : "Refused code=conflict field=-");
        return;
    }
    if (trial->standing == UNHEARD) {
        trial->show = show;
        trial->reservation = reservation;
    }
    trial->money_body[number] = body;
    paid(model, payment, amount, number);
    foretold(model, "PaymentSucceeded s%d r%d payment=p%d:external:%d:EUR:z%d:bank fingerprint=%d",
             trial->show, trial->reservation, payment, amount, number, body);
}

static void foretell_trouble(struct model *model, int payment, int show, int reservation,
                             enum result result, int body)
{
    struct trial *trial = &model->trials[payment];
    bool failed = result == result_failed;
    if (trial->standing == UNHEARD || trial->standing == TURNED_AWAY) {
        foretold(model, "Refused code=not_found field=payment_id");
    } else if (trial->show != show || trial->reservation != reservation) {
        foretold(model, "Refused code=conflict field=reservation_id");
    } else if (trial->standing == PAID || (!failed && trial->trouble_body[result_failed])) {
        foretold(model, "none");
    } else if (trial->trouble_body[result]) {
        foretold(model,
                 trial->trouble_body[result] == body ? "none" : "Refused code=conflict field=-");
    } else if (failed) {
        trial->standing = FAILED;
        foretold(model, "PaymentFailed s%d r%d payment_id=p%d retryable=%s fingerprint=%d", show,
                 reservation, payment,
                 model->accounts[show][reservation].begun < 3 ? "true" : "false", body);
        trial->trouble_body[result] = body;
    } else {
        trial->standing = trial->standing == ASKED ? IN_DOUBT : trial->standing;
        foretold(model, "PaymentUnknown s%d r%d payment_id=p%d fingerprint=%d", show, reservation,
                 payment, body);
        trial->trouble_body[result] = body;
    }
}

static void record_payment(struct model *model)
{
    int payment = dice(PAYMENTS), show = some_show(payment), body = 1 + !dice(4);
    int reservation = some_reservation(payment), number = dice(NUMBERS), amount = dice(3) * 700;
    enum result result = (enum result)dice(result_COUNT);
    say(model,
        "RecordPayment p%d r%d s%d result=%s provider_ref=z%d fingerprint=%d amount_minor=%d",
        payment, reservation, show, result_name(result), number, body, amount);
    if (model->over[show] && model->trials[payment].standing == UNHEARD)
        foretold(model, "Refused code=archived field=show_id");
    else if (result == result_succeeded)
        foretell_money(model, payment, show, reservation, number, body, amount);
    else
        foretell_trouble(model, payment, show, reservation, result, body);
}

/* ---- refunds --------------------------------------------------------------------------------- */

static void owe(struct model *model, const struct capture *capture, int64_t amount)
{
    const struct message *outcome = model->outcome;
    struct debt *debt = &model->debts[model->debt_count++];
    assert_in_range(model->debt_count, 1, DEBTS);
    *debt = (struct debt){
        .show = capture->show,
        .reservation = capture->reservation,
        .attempt = 1,
        .amount = amount,
        .first_ms = outcome->at_ms,
        .manual = capture->method == method_cash || capture->method == method_card,
    };
    snprintf(debt->id, sizeof debt->id, "%.*s", TEXT_PRINT(outcome->refund_id));
    for (int i = 0; i < model->debt_count - 1; i++)
        assert_string_not_equal(model->debts[i].id, debt->id);
}

/* Shows rejects the money that came last, or gives back what it bought; or some other money. */
static void give_back(struct model *model)
{
    struct capture capture = model->last;
    int returned = dice(3) * 500;
    bool rejected = dice(2), full = dice(4) > 0;
    if (capture.payment < 0 || dice(6) == 0) {
        int reservation = dice(RESERVATIONS);
        capture = (struct capture){
            reservation % SHOWS, reservation, 90, dice(method_COUNT), -1, dice(3) * 700,
        };
    }
    char payment[96], number[24] = "";
    if (capture.number >= 0)
        snprintf(number, sizeof number, ":z%d:bank", capture.number);
    snprintf(payment, sizeof payment, "p%d:%s:%d:EUR%s", capture.payment, methods[capture.method],
             (int)capture.amount, number);
    if (rejected)
        say(model, "SaleRejected r%d s%d payment=%s", capture.reservation, capture.show, payment);
    else
        say(model, "SeatsReturned r%d s%d payment=%s amount_minor=%d refund=%s",
            capture.reservation, capture.show, payment, returned, full ? "full" : "none");
    int64_t amount = rejected ? capture.amount : returned;
    if (capture.amount == 0 || amount == 0 || capture.method == method_comp ||
        (!rejected && !full)) {
        foretold(model, "none");
        return;
    }
    bool manual = capture.method == method_cash || capture.method == method_card;
    foretold(model,
             "RefundRequested r%d s%d payment=%s amount_minor=%d attempt=1 manual=%s cause=%s",
             capture.reservation, capture.show, payment, (int)amount, manual ? "true" : "false",
             rejected ? "sale_rejected" : "cancelled");
    owe(model, &capture, amount);
}

/* The body of a command that was answered and is remembered; 0: there is none. */
static int answered_body(const struct debt *debt, int id)
{
    for (int i = 0; i < COMMANDS && i < debt->commands; i++)
        if (debt->command_ids[i] == id)
            return debt->command_bodies[i];
    return 0;
}

static void remember_command(struct debt *debt, int id, int body)
{
    debt->command_ids[debt->commands % COMMANDS] = id;
    debt->command_bodies[debt->commands++ % COMMANDS] = body;
}

struct repaying {
    int show, reservation, attempt, id, body; /* attempt -1: not said */
    bool completed;
};

static void foretell_repayment(struct model *model, struct debt *debt, const struct repaying *said)
{
    int before = answered_body(debt, said->id);
    if (before) {
        foretold(model, before == said->body ? "none" : "Refused code=conflict field=-");
        return;
    }
    if (debt->show != said->show || debt->reservation != said->reservation) {
        foretold(model, "Refused code=conflict field=reservation_id");
    } else if (said->attempt == 0 || said->attempt > debt->attempt) {
        foretold(model, "Refused code=invalid field=attempt");
    } else if (debt->settled && said->completed && said->body != debt->settled_body) {
        foretold(model, "Refused code=conflict field=refund_id");
    } else if (debt->settled ||
               (!said->completed &&
                (debt->failed || (said->attempt > 0 && said->attempt < debt->attempt)))) {
        foretold(model, "none");
        return;
    } else if (said->completed) {
        debt->settled = true;
        debt->settled_body = said->body;
        foretold(model, "RefundCompleted refund_id=%s r%d s%d attempts=%d amount_minor=%d",
                 debt->id, debt->reservation, debt->show, debt->attempt, (int)debt->amount);
    } else {
        debt->failed = true;
        debt->failed_ms = model->outcome->at_ms;
        foretold(model, "RefundFailed refund_id=%s r%d s%d attempts=%d manual=%s", debt->id,
                 debt->reservation, debt->show, debt->attempt, debt->manual ? "true" : "false");
    }
    remember_command(debt, said->id, said->body);
}

static void record_refund(struct model *model)
{
    static const char *const nobody = "c0000000-0000-4000-8000-000000000099";
    int back = 1 + dice(dice(4) ? 4 : 20);
    struct debt *debt =
        model->debt_count >= back && dice(20) ? &model->debts[model->debt_count - back] : NULL;
    struct repaying said = {dice(SHOWS), dice(RESERVATIONS), -1, dice(200), 1 + dice(3), !dice(6)};
    char attempt[24] = "";
    if (debt && dice(12))
        said.show = debt->show;
    if (debt && dice(12))
        said.reservation = debt->reservation;
    if (debt && dice(3) == 0) {
        said.attempt = dice(4) ? debt->attempt : dice(debt->attempt + 2);
        snprintf(attempt, sizeof attempt, "attempt=%d", said.attempt);
    }
    if (debt && debt->commands && dice(6) == 0)
        said.id = debt->command_ids[dice(debt->commands < COMMANDS ? debt->commands : COMMANDS)];
    say(model, "RecordRefund refund_id=%s r%d s%d result=%s id=k%d fingerprint=%d %s",
        debt ? debt->id : nobody, said.reservation, said.show,
        said.completed ? "completed" : "failed", said.id, said.body, attempt);
    if (debt == NULL || debt->forgotten)
        foretold(model, "Refused code=%s", model->over[said.show] ? "archived" : "not_found");
    else
        foretell_repayment(model, debt, &said);
}

/* ---- the timer ------------------------------------------------------------------------------- */

static int64_t gives_up_ms(const struct debt *debt)
{
    return debt->first_ms + INT64_C(72) * HOUR_MS;
}

static int64_t due_ms(const struct debt *debt)
{
    static const int64_t waits_ms[] = {MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS};
    if (debt->manual || debt->settled)
        return INT64_MAX;
    int64_t wait_ms = debt->attempt > 4 ? 12 * HOUR_MS : waits_ms[debt->attempt - 1];
    bool again = debt->failed && debt->failed_ms + wait_ms < gives_up_ms(debt);
    return again ? debt->failed_ms + wait_ms : gives_up_ms(debt);
}

/* The one that is due first, of several the one that is owed longest; NULL: none. */
static struct debt *first_due(struct model *model)
{
    struct debt *first = NULL;
    for (int i = 0; i < model->debt_count; i++)
        if (due_ms(&model->debts[i]) < (first ? due_ms(first) : INT64_MAX))
            first = &model->debts[i];
    return first;
}

static void take_timer(struct model *model, const struct message *outcome)
{
    struct debt *debt = first_due(model);
    assert_non_null(debt);
    int64_t at_ms = due_ms(debt);
    assert_true(outcome->at_ms == later(at_ms, model->last_ms));
    assert_true(text_is(outcome->refund_id, debt->id));
    if (at_ms == gives_up_ms(debt)) {
        assert_int_equal(outcome->type, MESSAGE_RefundFailed);
        assert_int_equal(outcome->attempts, debt->attempt);
        assert_true(outcome->manual);
        given_up_in_time += debt->failed;
        debt->manual = true; /* what became of the last attempt may still be told */
        return;
    }
    assert_int_equal(outcome->type, MESSAGE_RefundRequested);
    assert_int_equal(outcome->attempt, ++debt->attempt);
    assert_int_equal(outcome->amount_minor, debt->amount);
    assert_false(outcome->manual);
    debt->failed = false;
    if (debt->attempt > most_attempts)
        most_attempts = debt->attempt;
}

static void watch(void *user, const struct message *outcome)
{
    struct model *model = user;
    if (outcome->cause_id.size == 0)
        take_timer(model, outcome);
    else
        assert_true(outcome->at_ms == later(model->said_ms, model->last_ms));
    model->last_ms = outcome->at_ms;
}

/* ---- the walk -------------------------------------------------------------------------------- */

static void pass_time(struct model *model)
{
    const struct debt *debt = first_due(model);
    switch (dice(40)) {
    case 0:
        model->now_ms += dice(13 * HOUR_MS);
        return;
    case 1:
    case 2:
        model->now_ms += dice(2 * HOUR_MS);
        return;
    case 3:
    case 4:
    case 5:
    case 6: /* to the very moment, or just before it */
        if (debt)
            model->now_ms = later(model->now_ms, due_ms(debt) - dice(2));
        return;
    case 7:
    case 8:
    case 9:
        model->now_ms += dice(2 * MINUTE_MS);
        return;
    default:
        model->now_ms += dice(3 * SECOND_MS);
    }
}

static void walk_a_step(struct model *model, int step)
{
    int show = dice(SHOWS);
    pass_time(model);
    switch (dice(10)) {
    case 0:
        begin(model);
        break;
    case 1:
    case 2:
        answer(model);
        break;
    case 3:
        end_hold(model);
        break;
    case 4:
    case 5:
        record_payment(model);
        break;
    case 6:
        give_back(model);
        break;
    default:
        record_refund(model);
    }
    if (step > 300 && dice(300) == 0 && !model->over[show]) {
        say(model, "ShowArchived s%d", show);
        foretold(model, "PaymentsArchived show_id=s%d", show);
        forget_show(model, show);
    }
    const struct debt *debt = first_due(model);
    assert_true(debt == NULL || due_ms(debt) > model->said_ms);
}

/* At rest each refund is done or a matter for a person. */
static void rest(struct model *model)
{
    model->now_ms += 73 * HOUR_MS;
    say(model, "HoldExpired r99 s99");
    foretold(model, "none");
    assert_null(first_due(model));
    for (int i = 0; i < model->debt_count; i++)
        kept_to_the_end += model->over[model->debts[i].show] && !model->debts[i].forgotten;
}

static void checkout_random__is_foretold_by_a_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 90; seed++) {
        struct model *model = memory_new(sizeof *model);
        prng.state = seed;
        model->play = play_open(&checkout_service);
        model->now_ms = PLAY_START_MS;
        model->last.payment = -1;
        for (int i = 0; i < SHOWS * RESERVATIONS; i++)
            model->accounts[i / RESERVATIONS][i % RESERVATIONS].current = -1;
        play_watch(model->play, watch, model);
        for (int step = 0; step < 1000; step++)
            walk_a_step(model, step);
        rest(model);
        play_close(model->play);
        memory_free(model);
    }
}

/* The walks went where it is interesting. */
static void checkout_random__saw_all_of_it(void **state)
{
    static const char *const others[] = {"undecodable", "unknown_type", "misrouted", "internal",
                                         "checked_in",  "precondition", NULL};
    (void)state;
    play_expect_codes_seen(others);
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (message_speaker((enum message_type)type) == SPEAKER_checkout &&
            message_role((enum message_type)type) == ROLE_EVENT)
            assert_true(play_seen()->types[type] >= 20);
    assert_true(most_attempts >= 6);
    assert_true(given_up_in_time >= 20);
    assert_true(kept_to_the_end >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkout_random__is_foretold_by_a_model),
        cmocka_unit_test(checkout_random__saw_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
