/* Money: attempts to pay, and refunds. */
#include "services/checkout/checkout_core.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "schemas/refusal.h"

#include <assert.h>
#include <string.h>

enum attempt_status {
    ATTEMPT_REFUSED,
    ATTEMPT_STARTED,
    ATTEMPT_SUCCEEDED,
    ATTEMPT_REJECTED,
    ATTEMPT_SUPERSEDED
};

struct attempt {
    struct text payment_id;
    struct text fingerprint; /* of its StartCheckout */
    struct order *order;     /* NULL: refused, because the reservation is another show's */
    enum method method;
    enum attempt_status status;
};

/* What is to be paid for one reservation. Nobody checks here whether it is that show's: shows will
 * say so, and a wrong show named first must not stand in the way of the right one. */
struct order {
    struct text key;         /* "<show_id>/<reservation_id>" */
    struct attempt *current; /* the latest one started */
    int started;             /* attempts, of CHECKOUT_ATTEMPTS_MAX */
};

struct checkout {
    struct map orders;   /* key → struct order */
    struct map attempts; /* payment_id → struct attempt */
    struct order **order_list;
    size_t order_count;
    struct attempt **attempt_list;
    size_t attempt_count;
};

/* ---- starting -------------------------------------------------------------------------------- */

enum { ORDER_KEY_SIZE = ID_SIZE_MAX + 1 + UUID_SIZE };

static struct text order_key(const struct message *message, char out[ORDER_KEY_SIZE])
{
    size_t size = message->show_id.size;
    assert(size + 1 + message->reservation_id.size <= ORDER_KEY_SIZE);
    memcpy(out, message->show_id.data, size);
    out[size] = '/';
    memcpy(out + size + 1, message->reservation_id.data, message->reservation_id.size);
    return text_from(out, size + 1 + message->reservation_id.size);
}

static struct order *order_of(const struct checkout *checkout, const struct message *message)
{
    char key[ORDER_KEY_SIZE];
    return map_find(&checkout->orders, order_key(message, key));
}

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

static bool decide_start(const struct checkout *checkout, const struct message *input,
                         struct message *outcome)
{
    const struct attempt *attempt = map_find(&checkout->attempts, input->payment_id);
    const struct order *order = order_of(checkout, input);
    if (attempt && attempt->order == order && text_equal(attempt->fingerprint, input->fingerprint))
        return false;
    if (attempt)
        return refuse(outcome, input, code_conflict, "payment_id",
                      "there is a payment with this id already, and it was started differently");
    if (input->by == by_show)
        return refuse(outcome, input, code_invalid, "by", "must be customer or staff");
    if (staff_only(input->method) && input->by != by_staff)
        return refuse(outcome, input, code_forbidden, "method",
                      "cash, card and comp are taken by staff only");
    if (order && order->started >= CHECKOUT_ATTEMPTS_MAX)
        return refuse(outcome, input, code_wrong_state, NULL,
                      "three attempts to pay were made; the last one stays open");
    message_init(outcome, MESSAGE_CheckoutStarted);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_copy(outcome, input, payment_id);
    message_copy(outcome, input, method);
    message_copy(outcome, input, by);
    message_copy(outcome, input, fingerprint);
    if (order && order->current && order->current->status == ATTEMPT_STARTED)
        message_set(outcome, supersedes, order->current->payment_id);
    return true;
}

/* ---- what shows says ------------------------------------------------------------------------- */

/* The attempt the answer is for, if it is the one still going. */
static const struct attempt *going(const struct checkout *checkout, const struct message *input)
{
    const struct order *order = order_of(checkout, input);
    const struct attempt *current = order ? order->current : NULL;
    bool open = current && current->status == ATTEMPT_STARTED && input->cause == cause_checkout &&
                message_has(input, payment_id) &&
                text_equal(current->payment_id, input->payment_id);
    return open ? current : NULL;
}

static bool reject(const struct message *input, enum reason reason, struct message *outcome)
{
    message_init(outcome, MESSAGE_CheckoutRejected);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_copy(outcome, input, payment_id);
    message_set(outcome, reason, reason);
    return true;
}

static bool decide_extended(const struct checkout *checkout, const struct message *input,
                            struct message *outcome)
{
    const struct attempt *attempt = going(checkout, input);
    if (attempt == NULL)
        return false;
    if (attempt->method == method_none && input->amount_minor > 0)
        return reject(input, reason_amount_due, outcome);
    message_init(outcome, MESSAGE_PaymentSucceeded);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_set(outcome, payment,
                (struct payment){
                    .payment_id = attempt->payment_id,
                    .method = attempt->method,
                    .amount_minor = input->amount_minor,
                    .currency = input->currency,
                });
    return true;
}

static bool decide_refund(const struct message *input, int64_t amount_minor, enum cause cause,
                          struct message *outcome)
{
    char refund_id[UUID_SIZE];
    const struct payment *payment = &input->payment;
    if (amount_minor == 0 || payment->amount_minor == 0 || payment->method == method_comp)
        return false;
    message_init(outcome, MESSAGE_RefundRequested);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_copy(outcome, input, payment);
    uuid_from_name(input->id, refund_id);
    message_set(outcome, refund_id, arena_text(outcome->arena, text_of(refund_id)));
    message_set(outcome, amount_minor, amount_minor);
    message_set(outcome, currency, payment->currency);
    message_set(outcome, cause, cause);
    message_set(outcome, manual, payment->method == method_cash || payment->method == method_card);
    return true;
}

bool checkout_decide(const struct checkout *checkout, const struct message *input,
                     struct message *outcome)
{
    switch ((int)input->type) {
    case MESSAGE_StartCheckout:
        return decide_start(checkout, input, outcome);
    case MESSAGE_HoldExtended:
        return decide_extended(checkout, input, outcome);
    case MESSAGE_ExtensionRejected:
        return going(checkout, input) && reject(input, input->reason, outcome);
    case MESSAGE_SaleRejected:
        return decide_refund(input, input->payment.amount_minor, cause_sale_rejected, outcome);
    case MESSAGE_SeatsReturned:
        return input->refund == refund_full &&
               decide_refund(input, input->amount_minor, cause_cancelled, outcome);
    }
    return false;
}

/* ---- folding --------------------------------------------------------------------------------- */

static struct order *add_order(struct checkout *checkout, const struct message *outcome)
{
    char key[ORDER_KEY_SIZE];
    struct order *order = order_of(checkout, outcome);
    if (order)
        return order;
    order = memory_new(sizeof *order);
    order->key = text_copy(order_key(outcome, key));
    map_insert_take(&checkout->orders, order->key, order);
    checkout->order_list = memory_append(checkout->order_list, checkout->order_count++, order);
    return order;
}

static struct attempt *add_attempt(struct checkout *checkout, struct order *order,
                                   const struct message *outcome, enum attempt_status status)
{
    struct attempt *attempt = memory_new(sizeof *attempt);
    attempt->payment_id = text_copy(outcome->payment_id);
    if (message_has(outcome, fingerprint))
        attempt->fingerprint = text_copy(outcome->fingerprint);
    attempt->order = order;
    attempt->status = status;
    map_insert_take(&checkout->attempts, attempt->payment_id, attempt);
    checkout->attempt_list =
        memory_append(checkout->attempt_list, checkout->attempt_count++, attempt);
    return attempt;
}

static void apply_started(struct checkout *checkout, const struct message *outcome)
{
    struct order *order = add_order(checkout, outcome);
    if (order->current && order->current->status == ATTEMPT_STARTED)
        order->current->status = ATTEMPT_SUPERSEDED;
    order->current = add_attempt(checkout, order, outcome, ATTEMPT_STARTED);
    order->current->method = outcome->method;
    order->started++;
}

/* A refusal is an answer: the same payment id asked again gets none. */
static void apply_refused(struct checkout *checkout, const struct message *outcome)
{
    if (!message_has(outcome, payment_id) || !message_has(outcome, reservation_id) ||
        !message_has(outcome, show_id) || outcome->code == code_misrouted ||
        map_find(&checkout->attempts, outcome->payment_id))
        return;
    add_attempt(checkout, add_order(checkout, outcome), outcome, ATTEMPT_REFUSED);
}

static void end_attempt(struct checkout *checkout, struct text payment_id,
                        enum attempt_status status)
{
    struct attempt *attempt = map_find(&checkout->attempts, payment_id);
    assert(attempt != NULL);
    attempt->status = status;
}

void checkout_apply(struct checkout *checkout, const struct message *outcome)
{
    switch ((int)outcome->type) {
    case MESSAGE_CheckoutStarted:
        apply_started(checkout, outcome);
        return;
    case MESSAGE_PaymentSucceeded:
        end_attempt(checkout, outcome->payment.payment_id, ATTEMPT_SUCCEEDED);
        return;
    case MESSAGE_CheckoutRejected:
        end_attempt(checkout, outcome->payment_id, ATTEMPT_REJECTED);
        return;
    case MESSAGE_Refused:
        apply_refused(checkout, outcome);
        return;
    }
}

struct checkout *checkout_new(void)
{
    return memory_new(sizeof(struct checkout));
}

void checkout_free(struct checkout *checkout)
{
    for (size_t i = 0; i < checkout->attempt_count; i++) {
        text_free(&checkout->attempt_list[i]->payment_id);
        text_free(&checkout->attempt_list[i]->fingerprint);
        memory_free(checkout->attempt_list[i]);
    }
    for (size_t i = 0; i < checkout->order_count; i++) {
        text_free(&checkout->order_list[i]->key);
        memory_free(checkout->order_list[i]);
    }
    memory_free(checkout->attempt_list);
    memory_free(checkout->order_list);
    map_release(&checkout->orders);
    map_release(&checkout->attempts);
    memory_free(checkout);
}
