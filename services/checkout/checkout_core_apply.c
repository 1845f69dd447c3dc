/* Folding what was decided: the only writer of the state. */
#include "services/checkout/checkout_core_state.h"

#include "schemas/payment.h"

#include <assert.h>

/* ---- making and freeing ---------------------------------------------------------------------- */

struct checkout *checkout_new(void)
{
    return memory_new(sizeof(struct checkout));
}

static void free_attempt(struct attempt *attempt)
{
    text_free(&attempt->payment_id);
    text_free(&attempt->fingerprint);
    text_free(&attempt->provider);
    text_free(&attempt->return_url);
    for (int i = 0; i < result_COUNT; i++)
        text_free(&attempt->told[i]);
    for (int i = 0; i < attempt->capture_count; i++) {
        text_free(&attempt->captures[i].provider_ref);
        text_free(&attempt->captures[i].fingerprint);
    }
    memory_free(attempt->captures);
    memory_free(attempt);
}

static void free_orders(struct till *till)
{
    for (size_t i = 0; i < till->attempt_count; i++)
        free_attempt(till->attempts[i]);
    for (size_t i = 0; i < till->order_count; i++) {
        text_free(&till->orders[i]->key);
        memory_free(till->orders[i]);
    }
    memory_free(till->attempts);
    memory_free(till->orders);
    till->attempts = NULL;
    till->orders = NULL;
    till->attempt_count = till->order_count = 0;
}

static void free_refund(struct repayment *refund)
{
    text_free(&refund->refund_id);
    text_free(&refund->reservation_id);
    payment_free(&refund->payment);
    text_free(&refund->completed_by);
    recent_release(&refund->commands);
    memory_free(refund);
}

void checkout_free(struct checkout *checkout)
{
    for (size_t i = 0; i < checkout->till_count; i++) {
        struct till *till = checkout->till_list[i];
        free_orders(till);
        for (size_t k = 0; k < till->refund_count; k++)
            free_refund(till->refunds[k]);
        memory_free(till->refunds);
        text_free(&till->show_id);
        memory_free(till);
    }
    memory_free(checkout->till_list);
    map_release(&checkout->tills);
    map_release(&checkout->orders);
    map_release(&checkout->attempts);
    map_release(&checkout->refunds);
    heap_release(&checkout->due);
    memory_free(checkout);
}

static struct till *till_of(struct checkout *checkout, struct text show_id)
{
    struct till *till = map_find(&checkout->tills, show_id);
    if (till)
        return till;
    till = memory_new(sizeof *till);
    till->show_id = text_copy(show_id);
    map_insert_take(&checkout->tills, till->show_id, till);
    checkout->till_list = memory_append(checkout->till_list, checkout->till_count++, till);
    return till;
}

/* ---- attempts -------------------------------------------------------------------------------- */

static struct order *order_of(struct checkout *checkout, const struct message *outcome)
{
    char key[ORDER_KEY_SIZE];
    struct order *order = order_find(checkout, outcome);
    if (order)
        return order;
    order = memory_new(sizeof *order);
    order->till = till_of(checkout, outcome->show_id);
    order->key = text_copy(order_key(outcome, key));
    order->reservation_id = (struct text){order->key.data + outcome->show_id.size + 1,
                                          order->key.size - outcome->show_id.size - 1};
    map_insert_take(&checkout->orders, order->key, order);
    order->till->orders = memory_append(order->till->orders, order->till->order_count++, order);
    return order;
}

static struct attempt *add_attempt(struct checkout *checkout, struct order *order,
                                   struct text payment_id, enum attempt_status status)
{
    struct attempt *attempt = memory_new(sizeof *attempt);
    struct till *till = order->till;
    attempt->payment_id = text_copy(payment_id);
    attempt->order = order;
    attempt->status = status;
    map_insert_take(&checkout->attempts, attempt->payment_id, attempt);
    till->attempts = memory_append(till->attempts, till->attempt_count++, attempt);
    return attempt;
}

static void apply_started(struct checkout *checkout, const struct message *outcome)
{
    struct order *order = order_of(checkout, outcome);
    if (order->current && attempt_open(order->current))
        order->current->status = ATTEMPT_SUPERSEDED;
    struct attempt *attempt = add_attempt(checkout, order, outcome->payment_id, ATTEMPT_STARTED);
    attempt->method = outcome->method;
    if (message_has(outcome, fingerprint))
        attempt->fingerprint = text_copy(outcome->fingerprint);
    if (message_has(outcome, provider))
        attempt->provider = text_copy(outcome->provider);
    if (message_has(outcome, return_url))
        attempt->return_url = text_copy(outcome->return_url);
    order->current = attempt;
    order->started++;
}

/* Money of an attempt nobody started is remembered as well: it must not come twice. */
static void apply_succeeded(struct checkout *checkout, const struct message *outcome)
{
    const struct payment *payment = &outcome->payment;
    struct attempt *attempt = map_find(&checkout->attempts, payment->payment_id);
    if (attempt == NULL)
        attempt = add_attempt(checkout, order_of(checkout, outcome), payment->payment_id,
                              ATTEMPT_SUCCEEDED);
    attempt->status = ATTEMPT_SUCCEEDED;
    if (payment->provider_ref.data == NULL)
        return;
    attempt->captures = memory_grow(attempt->captures, (size_t)(attempt->capture_count + 1) *
                                                           sizeof *attempt->captures);
    attempt->captures[attempt->capture_count++] = (struct capture){
        text_copy(payment->provider_ref),
        text_copy(message_has(outcome, fingerprint) ? outcome->fingerprint : text_of(""))};
}

static struct attempt *attempt_at(const struct checkout *checkout, const struct message *outcome)
{
    struct attempt *attempt = map_find(&checkout->attempts, outcome->payment_id);
    assert(attempt != NULL);
    return attempt;
}

static void apply_trouble(struct attempt *attempt, enum result result,
                          const struct message *outcome)
{
    attempt->told[result] =
        text_copy(message_has(outcome, fingerprint) ? outcome->fingerprint : text_of(""));
    if (result == result_failed)
        attempt->status = ATTEMPT_FAILED;
    else if (attempt->status == ATTEMPT_REQUESTED)
        attempt->status = ATTEMPT_UNKNOWN;
}

/* ---- refunds --------------------------------------------------------------------------------- */

static struct repayment *add_refund(struct checkout *checkout, const struct message *outcome)
{
    struct repayment *refund = memory_new(sizeof *refund);
    struct till *till = till_of(checkout, outcome->show_id);
    refund->refund_id = text_copy(outcome->refund_id);
    refund->reservation_id = text_copy(outcome->reservation_id);
    refund->till = till;
    refund->payment = payment_copy(&outcome->payment);
    refund->amount_minor = outcome->amount_minor;
    refund->cause = outcome->cause;
    refund->manual = outcome->manual;
    refund->first_at_ms = outcome->at_ms;
    refund->commands.capacity = REFUND_COMMANDS_REMEMBERED;
    refund->due.seq = checkout->refunds_ever++;
    map_insert_take(&checkout->refunds, refund->refund_id, refund);
    till->refunds = memory_append(till->refunds, till->refund_count++, refund);
    return refund;
}

static void set_due(struct checkout *checkout, struct repayment *refund)
{
    int64_t at_ms = refund_due_at(refund);
    if (at_ms == INT64_MAX)
        heap_remove(&checkout->due, &refund->due);
    else
        heap_set_take(&checkout->due, &refund->due, at_ms, refund->due.seq);
}

static void apply_refund(struct checkout *checkout, const struct message *outcome)
{
    struct repayment *refund = map_find(&checkout->refunds, outcome->refund_id);
    if (refund == NULL)
        refund = add_refund(checkout, outcome);
    switch ((int)outcome->type) {
    case MESSAGE_RefundRequested:
        refund->attempt = outcome->attempt;
        refund->failed = false;
        break;
    case MESSAGE_RefundFailed:
        refund->manual = outcome->manual;
        if (outcome->cause_id.size == 0)
            break; /* given up by the timer: what became of the last attempt may still be told */
        refund->failed = true;
        refund->failed_at_ms = outcome->at_ms;
        break;
    case MESSAGE_RefundCompleted:
        refund->completed = true;
        if (message_has(outcome, fingerprint))
            refund->completed_by = text_copy(outcome->fingerprint);
        break;
    }
    answered_remember(&refund->commands, outcome);
    set_due(checkout, refund);
}

/* ---- refusals and archives ------------------------------------------------------------------- */

/* A refusal is an answer: the same payment id asked again gets none. */
static void apply_refused(struct checkout *checkout, const struct message *outcome)
{
    struct repayment *refund =
        message_has(outcome, refund_id) ? map_find(&checkout->refunds, outcome->refund_id) : NULL;
    if (refund)
        answered_remember(&refund->commands, outcome);
    if (!message_has(outcome, command) || !text_is(outcome->command, "StartCheckout") ||
        !message_has(outcome, payment_id) || !message_has(outcome, reservation_id) ||
        !message_has(outcome, show_id) || outcome->code == code_misrouted ||
        till_archived(checkout, outcome->show_id) ||
        map_find(&checkout->attempts, outcome->payment_id))
        return;
    struct attempt *attempt =
        add_attempt(checkout, order_of(checkout, outcome), outcome->payment_id, ATTEMPT_REFUSED);
    if (message_has(outcome, fingerprint))
        attempt->fingerprint = text_copy(outcome->fingerprint);
}

/* Refunds under way stay, with their timers. */
static void apply_archived(struct checkout *checkout, struct till *till)
{
    size_t kept = 0;
    for (size_t i = 0; i < till->attempt_count; i++)
        map_remove(&checkout->attempts, till->attempts[i]->payment_id);
    for (size_t i = 0; i < till->order_count; i++)
        map_remove(&checkout->orders, till->orders[i]->key);
    free_orders(till);
    for (size_t i = 0; i < till->refund_count; i++) {
        struct repayment *refund = till->refunds[i];
        if (!refund->completed) {
            till->refunds[kept++] = refund;
            continue;
        }
        map_remove(&checkout->refunds, refund->refund_id);
        free_refund(refund);
    }
    till->refund_count = kept;
    till->archived = true;
}

/* ---- all ------------------------------------------------------------------------------------- */

void checkout_apply(struct checkout *checkout, const struct message *outcome)
{
    switch ((int)outcome->type) {
    case MESSAGE_CheckoutStarted:
        apply_started(checkout, outcome);
        return;
    case MESSAGE_CheckoutRejected:
        attempt_at(checkout, outcome)->status = ATTEMPT_REJECTED;
        return;
    case MESSAGE_PaymentRequested:
        attempt_at(checkout, outcome)->status = ATTEMPT_REQUESTED;
        return;
    case MESSAGE_PaymentAbandoned:
        attempt_at(checkout, outcome)->status = ATTEMPT_ABANDONED;
        return;
    case MESSAGE_PaymentSucceeded:
        apply_succeeded(checkout, outcome);
        return;
    case MESSAGE_PaymentFailed:
        apply_trouble(attempt_at(checkout, outcome), result_failed, outcome);
        return;
    case MESSAGE_PaymentUnknown:
        apply_trouble(attempt_at(checkout, outcome), result_unknown, outcome);
        return;
    case MESSAGE_RefundRequested:
    case MESSAGE_RefundCompleted:
    case MESSAGE_RefundFailed:
        apply_refund(checkout, outcome);
        return;
    case MESSAGE_PaymentsArchived:
        apply_archived(checkout, till_of(checkout, outcome->show_id));
        return;
    case MESSAGE_Refused:
        apply_refused(checkout, outcome);
        return;
    }
}
