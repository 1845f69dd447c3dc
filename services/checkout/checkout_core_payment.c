/* What a provider says became of a payment. Results rank unknown, failed, succeeded: a higher one
 * is news, a lower one was overtaken. Money that came is never refused. */
#include "services/checkout/checkout_core_state.h"

static const struct capture *find_capture(const struct attempt *attempt, struct text provider_ref)
{
    for (int i = 0; attempt && i < attempt->capture_count; i++)
        if (text_equal(attempt->captures[i].provider_ref, provider_ref))
            return &attempt->captures[i];
    return NULL;
}

static bool refuse_retold(struct text told, const struct message *input, struct message *outcome)
{
    return !text_equal(told, input->fingerprint) &&
           refuse(outcome, input, code_conflict, NULL,
                  "this result was recorded before, with another body");
}

/* It buys what its own attempt was for, if there is one; shows decides whether it buys anything. */
static bool decide_success(const struct attempt *attempt, const struct message *input,
                           struct message *outcome)
{
    const struct capture *capture = find_capture(attempt, input->provider_ref);
    if (capture)
        return refuse_retold(capture->fingerprint, input, outcome);
    message_init(outcome, MESSAGE_PaymentSucceeded);
    message_set(outcome, show_id, attempt ? attempt->order->till->show_id : input->show_id);
    message_set(outcome, reservation_id,
                attempt ? attempt->order->reservation_id : input->reservation_id);
    message_set(outcome, payment,
                (struct payment){
                    .payment_id = input->payment_id,
                    .provider = input->provider,
                    .provider_ref = input->provider_ref,
                    .method = method_external,
                    .amount_minor = input->amount_minor,
                    .currency = input->currency,
                });
    message_copy(outcome, input, fingerprint);
    return true;
}

/* Whether something higher was told already. */
static bool overtaken(const struct attempt *attempt, enum result result)
{
    return attempt->status == ATTEMPT_SUCCEEDED || attempt->capture_count > 0 ||
           (result == result_unknown && attempt->told[result_failed].data);
}

static bool decide_trouble(const struct attempt *attempt, const struct message *input,
                           struct message *outcome)
{
    bool failed = input->result == result_failed;
    if (attempt == NULL || attempt->status == ATTEMPT_REFUSED)
        return refuse(outcome, input, code_not_found, "payment_id", "there is no such payment");
    if (!text_equal(attempt->order->reservation_id, input->reservation_id) ||
        !text_equal(attempt->order->till->show_id, input->show_id))
        return refuse(outcome, input, code_conflict, "reservation_id",
                      "this payment is for another reservation");
    if (overtaken(attempt, input->result))
        return false;
    if (attempt->told[input->result].data)
        return refuse_retold(attempt->told[input->result], input, outcome);
    message_init(outcome, failed ? MESSAGE_PaymentFailed : MESSAGE_PaymentUnknown);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_copy(outcome, input, payment_id);
    message_copy(outcome, input, provider);
    message_copy(outcome, input, provider_ref);
    message_copy(outcome, input, fingerprint);
    if (failed) {
        message_set(outcome, retryable, attempt->order->started < CHECKOUT_ATTEMPTS_MAX);
        message_copy(outcome, input, failure);
    }
    return true;
}

bool decide_payment(const struct checkout *checkout, const struct message *input,
                    struct message *outcome)
{
    const struct attempt *attempt = map_find(&checkout->attempts, input->payment_id);
    if (attempt == NULL && till_archived(checkout, input->show_id))
        return refuse_archived(outcome, input);
    if (input->result == result_succeeded)
        return decide_success(attempt, input, outcome);
    return decide_trouble(attempt, input, outcome);
}
