/* Money: attempts to pay, and what shows says about them. */
#include "services/checkout/checkout_core.h"

#include "services/checkout/checkout_core_state.h"

#include <assert.h>
#include <string.h>

/* ---- looking up ------------------------------------------------------------------------------ */

struct text order_key(const struct message *message, char out[ORDER_KEY_SIZE])
{
    size_t size = message->show_id.size;
    assert(size + 1 + message->reservation_id.size <= ORDER_KEY_SIZE);
    memcpy(out, message->show_id.data, size);
    out[size] = '/';
    memcpy(out + size + 1, message->reservation_id.data, message->reservation_id.size);
    return text_from(out, size + 1 + message->reservation_id.size);
}

struct order *order_find(const struct checkout *checkout, const struct message *message)
{
    char key[ORDER_KEY_SIZE];
    return map_find(&checkout->orders, order_key(message, key));
}

bool till_archived(const struct checkout *checkout, struct text show_id)
{
    const struct till *till = map_find(&checkout->tills, show_id);
    return till && till->archived;
}

bool attempt_open(const struct attempt *attempt)
{
    switch (attempt->status) {
    case ATTEMPT_STARTED:
    case ATTEMPT_REQUESTED:
    case ATTEMPT_UNKNOWN:
        return true;
    case ATTEMPT_REFUSED:
    case ATTEMPT_SUCCEEDED:
    case ATTEMPT_FAILED:
    case ATTEMPT_REJECTED:
    case ATTEMPT_SUPERSEDED:
    case ATTEMPT_ABANDONED:
        return false;
    }
    return false;
}

/* ---- starting -------------------------------------------------------------------------------- */

static bool staff_only(enum method method)
{
    switch (method) {
    case method_none:
    case method_external:
        return false;
    case method_cash:
    case method_card:
    case method_comp:
    case method_COUNT:
        return true;
    }
    return true;
}

static bool refuse_start(const struct order *order, const struct message *input,
                         struct message *outcome)
{
    if (input->by == by_show)
        return refuse(outcome, input, code_invalid, "by", "must be customer or staff");
    if (input->method == method_external && !message_has(input, provider))
        return refuse(outcome, input, code_invalid, "provider",
                      "an external payment needs the name of its provider");
    if (staff_only(input->method) && input->by != by_staff)
        return refuse(outcome, input, code_forbidden, "method",
                      "cash, card and comp are taken by staff only");
    return order && order->started >= CHECKOUT_ATTEMPTS_MAX &&
           refuse(outcome, input, code_wrong_state, NULL,
                  "three attempts to pay were made; the last one stays open");
}

static bool decide_start(const struct checkout *checkout, const struct message *input,
                         struct message *outcome)
{
    const struct attempt *attempt = map_find(&checkout->attempts, input->payment_id);
    const struct order *order = order_find(checkout, input);
    if (attempt && attempt->order == order && text_equal(attempt->fingerprint, input->fingerprint))
        return false;
    if (attempt)
        return refuse(outcome, input, code_conflict, "payment_id",
                      "there is a payment with this id already, and it was started differently");
    if (till_archived(checkout, input->show_id))
        return refuse_archived(outcome, input);
    if (refuse_start(order, input, outcome))
        return true;
    message_init(outcome, MESSAGE_CheckoutStarted);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_copy(outcome, input, payment_id);
    message_copy(outcome, input, method);
    message_copy(outcome, input, by);
    message_copy(outcome, input, provider);
    message_copy(outcome, input, return_url);
    message_copy(outcome, input, fingerprint);
    if (order && order->current && attempt_open(order->current))
        message_set(outcome, supersedes, order->current->payment_id);
    return true;
}

/* ---- what shows says ------------------------------------------------------------------------- */

/* The attempt the answer is for, if it is the one that waits for it. */
static const struct attempt *waiting(const struct checkout *checkout, const struct message *input)
{
    const struct order *order = order_find(checkout, input);
    const struct attempt *current = order ? order->current : NULL;
    bool open = current && current->status == ATTEMPT_STARTED && input->cause == cause_checkout &&
                message_has(input, payment_id) &&
                text_equal(current->payment_id, input->payment_id);
    return open ? current : NULL;
}

static void open_outcome(const struct message *input, enum message_type type,
                         struct message *outcome)
{
    message_init(outcome, type);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
}

static bool reject(const struct message *input, enum reason reason, struct message *outcome)
{
    open_outcome(input, MESSAGE_CheckoutRejected, outcome);
    message_copy(outcome, input, payment_id);
    message_set(outcome, reason, reason);
    return true;
}

static bool request(const struct attempt *attempt, const struct message *input,
                    struct message *outcome)
{
    open_outcome(input, MESSAGE_PaymentRequested, outcome);
    message_copy(outcome, input, payment_id);
    message_set(outcome, provider, attempt->provider);
    message_copy(outcome, input, pay_by_ms);
    message_copy(outcome, input, amount_minor);
    message_copy(outcome, input, currency);
    if (attempt->return_url.data)
        message_set(outcome, return_url, attempt->return_url);
    return true;
}

static bool decide_extended(const struct checkout *checkout, const struct message *input,
                            struct message *outcome)
{
    const struct attempt *attempt = waiting(checkout, input);
    if (attempt == NULL)
        return false;
    if (attempt->method == method_none && input->amount_minor > 0)
        return reject(input, reason_amount_due, outcome);
    if (attempt->method == method_external && input->amount_minor > 0)
        return request(attempt, input, outcome);
    open_outcome(input, MESSAGE_PaymentSucceeded, outcome);
    message_set(outcome, payment,
                (struct payment){
                    .payment_id = attempt->payment_id,
                    .method = attempt->method,
                    .amount_minor = input->amount_minor,
                    .currency = input->currency,
                });
    return true;
}

/* The seats are gone or paid: whoever still asks the customer for money stops. */
static bool decide_abandoned(const struct checkout *checkout, const struct message *input,
                             struct message *outcome)
{
    const struct order *order = order_find(checkout, input);
    const struct attempt *current = order ? order->current : NULL;
    if (current == NULL ||
        (current->status != ATTEMPT_REQUESTED && current->status != ATTEMPT_UNKNOWN) ||
        (input->type == MESSAGE_SeatsSold &&
         text_equal(input->payment.payment_id, current->payment_id)))
        return false;
    open_outcome(input, MESSAGE_PaymentAbandoned, outcome);
    message_set(outcome, payment_id, current->payment_id);
    message_set(outcome, provider, current->provider);
    return true;
}

bool checkout_decide(const struct checkout *checkout, const struct message *input,
                     struct message *outcome)
{
    switch ((int)input->type) {
    case MESSAGE_StartCheckout:
        return decide_start(checkout, input, outcome);
    case MESSAGE_RecordPayment:
        return decide_payment(checkout, input, outcome);
    case MESSAGE_RecordRefund:
        return decide_repayment(checkout, input, outcome);
    case MESSAGE_HoldExtended:
        return decide_extended(checkout, input, outcome);
    case MESSAGE_ExtensionRejected:
        return waiting(checkout, input) && reject(input, input->reason, outcome);
    case MESSAGE_SaleRejected:
        return decide_refund(input, input->payment.amount_minor, cause_sale_rejected, outcome);
    case MESSAGE_SeatsReturned:
        return input->refund == refund_full &&
               decide_refund(input, input->amount_minor, cause_cancelled, outcome);
    case MESSAGE_HoldExpired:
    case MESSAGE_HoldReleased:
    case MESSAGE_SeatsSold:
        return decide_abandoned(checkout, input, outcome);
    case MESSAGE_ShowArchived:
        message_init(outcome, MESSAGE_PaymentsArchived);
        message_copy(outcome, input, show_id);
        return true;
    }
    return false;
}
