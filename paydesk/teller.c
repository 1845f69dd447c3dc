/* From events to planned answers. */
#include "paydesk/teller.h"

#include "base/log.h"
#include "schemas/codec.h"

#include <assert.h>

enum { ANSWERS_MAX = 2 };

/* When an answer happens. */
enum moment { AFTER_DELAY, AFTER_PAY_BY, AFTER_THE_FIRST };

/* What is not as it was asked. */
enum twist { AS_ASKED, OTHER_AMOUNT, OTHER_CURRENCY, SAME_AGAIN, SECOND_CAPTURE };

struct play {
    enum result result;
    enum moment moment;
    enum twist twist;
};

struct plot {
    int count;
    struct play plays[ANSWERS_MAX];
};

/* The answers to a payment, by the script's word; those of refunds need no table. */
static const struct plot plots[SCRIPT_REFUND_COMPLETE] = {
    [SCRIPT_SUCCEED] = {1, {{result_succeeded, AFTER_DELAY, AS_ASKED}}},
    [SCRIPT_FAIL] = {1, {{result_failed, AFTER_DELAY, AS_ASKED}}},
    [SCRIPT_LATE] = {1, {{result_succeeded, AFTER_PAY_BY, AS_ASKED}}},
    [SCRIPT_UNKNOWN] = {1, {{result_unknown, AFTER_DELAY, AS_ASKED}}},
    [SCRIPT_UNKNOWN_THEN_SUCCEED] = {2,
                                     {{result_unknown, AFTER_DELAY, AS_ASKED},
                                      {result_succeeded, AFTER_THE_FIRST, AS_ASKED}}},
    [SCRIPT_UNKNOWN_THEN_FAIL] = {2,
                                  {{result_unknown, AFTER_DELAY, AS_ASKED},
                                   {result_failed, AFTER_THE_FIRST, AS_ASKED}}},
    [SCRIPT_TWICE] = {2,
                      {{result_succeeded, AFTER_DELAY, AS_ASKED},
                       {result_succeeded, AFTER_DELAY, SAME_AGAIN}}},
    [SCRIPT_CAPTURED_TWICE] = {2,
                               {{result_succeeded, AFTER_DELAY, AS_ASKED},
                                {result_succeeded, AFTER_DELAY, SECOND_CAPTURE}}},
    [SCRIPT_WRONG_AMOUNT] = {1, {{result_succeeded, AFTER_DELAY, OTHER_AMOUNT}}},
    [SCRIPT_WRONG_CURRENCY] = {1, {{result_succeeded, AFTER_DELAY, OTHER_CURRENCY}}},
    [SCRIPT_SILENT] = {0, {{result_unknown, AFTER_DELAY, AS_ASKED}}},
};

static bool is_own(const struct teller *teller, struct text provider)
{
    return text_is(provider, teller->provider);
}

/* Encodes the command and plans it. */
static void plan(struct teller *teller, struct ledger_answer *answer, const struct message *command)
{
    struct buffer body = {0};
    codec_encode(command, &body);
    answer->body = buffer_view(&body);
    ledger_plan(teller->ledger, answer);
    buffer_release(&body);
}

/* ---- payments -------------------------------------------------------------------------------- */

static void twist_money(struct message *command, const struct message *event, enum twist twist)
{
    int64_t amount = event->amount_minor;
    struct text test = text_of("XTS");
    message_set(command, amount_minor, amount);
    message_set(command, currency, event->currency);
    if (twist == OTHER_AMOUNT)
        message_set(command, amount_minor, amount > 1 ? amount - 1 : amount + 1);
    if (twist == OTHER_CURRENCY)
        message_set(command, currency, text_equal(event->currency, test) ? text_of("EUR") : test);
}

static int64_t moment_ms(const struct teller *teller, const struct message *event,
                         int64_t logged_at_ms, enum moment moment, int64_t argument)
{
    switch (moment) {
    case AFTER_DELAY:
        return logged_at_ms + teller->delay_ms;
    case AFTER_PAY_BY:
        return event->pay_by_ms + argument;
    case AFTER_THE_FIRST:
        return logged_at_ms + teller->delay_ms + argument;
    }
    return logged_at_ms;
}

/* The n-th answer to a payment. */
static void plan_payment(struct teller *teller, const struct message *event, int n,
                         const struct play *play, int64_t at_ms)
{
    struct buffer reference = {0}, webhook_id = {0};
    struct message command;
    bool second = play->twist == SECOND_CAPTURE;
    buffer_print(&reference, "ch_%.*s%s", TEXT_PRINT(event->payment_id), second ? "_2" : "");
    buffer_print(&webhook_id, "msg_%.*s_%d", TEXT_PRINT(event->payment_id),
                 play->twist == SAME_AGAIN ? n - 1 : n);
    message_init(&command, MESSAGE_RecordPayment);
    message_copy(&command, event, show_id);
    message_copy(&command, event, payment_id);
    message_copy(&command, event, reservation_id);
    message_set(&command, result, play->result);
    twist_money(&command, event, play->twist);
    message_set(&command, provider, text_of(teller->provider));
    message_set(&command, provider_ref, buffer_view(&reference));
    if (play->result == result_failed)
        message_set(&command, failure, text_of("the card was declined"));
    struct ledger_answer answer = {
        .subject = event->payment_id,
        .show_id = event->show_id,
        .webhook_id = buffer_view(&webhook_id),
        .result = text_of(result_name(play->result)),
        .provider_ref = buffer_view(&reference),
        .firm = play->moment == AFTER_PAY_BY,
        .at_ms = at_ms,
    };
    plan(teller, &answer, &command);
    buffer_release(&reference);
    buffer_release(&webhook_id);
}

static void hear_payment_requested(struct teller *teller, const struct message *event,
                                   int64_t logged_at_ms)
{
    struct buffer step_text = {0};
    if (!is_own(teller, event->provider))
        return;
    if (ledger_find_request(teller->ledger, event->payment_id, &step_text)) {
        log_line(LOG_WARNING, teller->provider, "payment %.*s: asked for a second time; ignored",
                 TEXT_PRINT(event->payment_id));
        buffer_release(&step_text);
        return;
    }
    int64_t n = ledger_count(teller->ledger, "payments");
    struct script_step step = script_payment(teller->script, n);
    script_step_print(step, &step_text);
    ledger_put_request(teller->ledger, "payments", event->payment_id, event->show_id,
                       buffer_view(&step_text));
    log_line(LOG_INFO, teller->provider,
             "payment %.*s: no. %lld, %lld minor units of %.*s for show %.*s: %s",
             TEXT_PRINT(event->payment_id), (long long)n + 1, (long long)event->amount_minor,
             TEXT_PRINT(event->currency), TEXT_PRINT(event->show_id), step_text.data);
    assert(step.word < SCRIPT_REFUND_COMPLETE);
    const struct plot *plot = &plots[step.word];
    for (int i = 0; i < plot->count; i++)
        plan_payment(teller, event, i + 1, &plot->plays[i],
                     moment_ms(teller, event, logged_at_ms, plot->plays[i].moment, step.argument));
    buffer_release(&step_text);
}

static void cancel(struct teller *teller, struct text payment_id, const char *why)
{
    struct buffer step = {0};
    int firm, count;
    if (!ledger_find_request(teller->ledger, payment_id, &step))
        return; /* of another provider, or never asked for */
    count = ledger_cancel(teller->ledger, payment_id, &firm);
    const char *effect = firm    ? "but the script says it is paid all the same"
                         : count ? "the intent is cancelled"
                                 : "nothing is left to cancel; what came of it stays";
    log_line(LOG_INFO, teller->provider, "payment %.*s: %s; %s", TEXT_PRINT(payment_id), why,
             effect);
    buffer_release(&step);
}

/* ---- refunds --------------------------------------------------------------------------------- */

/* A refund is given its step when it first appears; its later attempts find it again. */
static struct script_step refund_step(struct teller *teller, const struct message *event)
{
    struct buffer text = {0};
    struct script_step step;
    char error[SCRIPT_ERROR_SIZE];
    bool known = ledger_find_request(teller->ledger, event->refund_id, &text) &&
                 script_step_parse(buffer_view(&text), &step, error);
    if (!known) {
        step = script_refund(teller->script, ledger_count(teller->ledger, "refunds"));
        buffer_clear(&text);
        script_step_print(step, &text);
        ledger_put_request(teller->ledger, "refunds", event->refund_id, event->show_id,
                           buffer_view(&text));
    }
    log_line(LOG_INFO, teller->provider,
             "refund %.*s: attempt %lld, %lld minor units of %.*s from %.*s: %s",
             TEXT_PRINT(event->refund_id), (long long)event->attempt,
             (long long)event->amount_minor, TEXT_PRINT(event->currency),
             TEXT_PRINT(event->payment.provider_ref), text.data);
    buffer_release(&text);
    return step;
}

static void plan_refund(struct teller *teller, const struct message *event, enum repaid repaid,
                        int64_t at_ms)
{
    struct buffer reference = {0}, webhook_id = {0};
    struct message command;
    buffer_print(&reference, "re_%.*s_%lld", TEXT_PRINT(event->refund_id),
                 (long long)event->attempt);
    buffer_print(&webhook_id, "msg_%.*s_%lld", TEXT_PRINT(event->refund_id),
                 (long long)event->attempt);
    message_init(&command, MESSAGE_RecordRefund);
    message_copy(&command, event, show_id);
    message_copy(&command, event, refund_id);
    message_copy(&command, event, reservation_id);
    message_set(&command, repaid, repaid);
    message_copy(&command, event, attempt);
    message_set(&command, provider_ref, buffer_view(&reference));
    if (repaid == repaid_failed)
        message_set(&command, note, text_of("the bank sent it back"));
    struct ledger_answer answer = {
        .subject = event->refund_id,
        .show_id = event->show_id,
        .webhook_id = buffer_view(&webhook_id),
        .result = text_of(repaid_name(repaid)),
        .provider_ref = buffer_view(&reference),
        .firm = true,
        .at_ms = at_ms,
    };
    plan(teller, &answer, &command);
    buffer_release(&reference);
    buffer_release(&webhook_id);
}

static void hear_refund_requested(struct teller *teller, const struct message *event,
                                  int64_t logged_at_ms)
{
    if (event->manual || !is_own(teller, event->payment.provider))
        return;
    struct script_step step = refund_step(teller, event);
    if (step.word == SCRIPT_REFUND_SILENT)
        return;
    bool fails = step.word == SCRIPT_REFUND_FAIL &&
                 (step.argument == SCRIPT_ALWAYS || event->attempt <= step.argument);
    plan_refund(teller, event, fails ? repaid_failed : repaid_completed,
                logged_at_ms + teller->delay_ms);
}

/* ---- what the log has already ---------------------------------------------------------------- */

/* Only when a lost ledger is made again from the log: what was answered in its former life is not
 * done anew. */
static void find(struct teller *teller, struct text subject, const char *result,
                 struct text provider_ref)
{
    if (!teller->caught_up && ledger_found(teller->ledger, subject, text_of(result), provider_ref))
        log_line(LOG_INFO, teller->provider, "%.*s: %s, as the log knows already",
                 TEXT_PRINT(subject), result);
}

static void find_payment(struct teller *teller, struct text payment_id, struct text provider,
                         const char *result, struct text provider_ref)
{
    if (is_own(teller, provider))
        find(teller, payment_id, result, provider_ref);
}

static void find_refund(struct teller *teller, const struct message *event, const char *result)
{
    if (message_has(event, provider_ref))
        find(teller, event->refund_id, result, event->provider_ref);
}

/* ---- one event, one moment ------------------------------------------------------------------- */

void teller_hear(struct teller *teller, const struct message *event, int64_t logged_at_ms)
{
    switch ((int)event->type) {
    case MESSAGE_PaymentRequested:
        hear_payment_requested(teller, event, logged_at_ms);
        return;
    case MESSAGE_PaymentAbandoned:
        cancel(teller, event->payment_id, "abandoned");
        return;
    case MESSAGE_CheckoutStarted:
        if (message_has(event, supersedes))
            cancel(teller, event->supersedes, "superseded");
        return;
    case MESSAGE_RefundRequested:
        hear_refund_requested(teller, event, logged_at_ms);
        return;
    case MESSAGE_PaymentSucceeded:
        find_payment(teller, event->payment.payment_id, event->payment.provider, "succeeded",
                     event->payment.provider_ref);
        return;
    case MESSAGE_PaymentFailed:
        find_payment(teller, event->payment_id, event->provider, "failed", event->provider_ref);
        return;
    case MESSAGE_PaymentUnknown:
        find_payment(teller, event->payment_id, event->provider, "unknown", event->provider_ref);
        return;
    case MESSAGE_RefundCompleted:
        find_refund(teller, event, "completed");
        return;
    case MESSAGE_RefundFailed:
        find_refund(teller, event, "failed");
        return;
    case MESSAGE_PaymentsArchived:
        ledger_forget(teller->ledger, event->show_id);
        return;
    }
}

void teller_act(struct teller *teller, int64_t now_ms)
{
    struct ledger_answer answer;
    if (!teller->caught_up)
        return;
    while (ledger_happen(teller->ledger, now_ms, &answer))
        log_line(LOG_INFO, teller->provider, "%.*s: %.*s, %.*s; the edge is to be told",
                 TEXT_PRINT(answer.subject), TEXT_PRINT(answer.result),
                 TEXT_PRINT(answer.provider_ref));
}
