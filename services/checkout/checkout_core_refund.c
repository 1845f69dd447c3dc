/* Giving money back: asked for from the record that causes it, asked for again while it fails, and
 * given to a person after three days. */
#include "services/checkout/checkout_core_state.h"

#include "base/arena.h"

/* ---- asking ---------------------------------------------------------------------------------- */

bool decide_refund(const struct message *input, int64_t amount_minor, enum cause cause,
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
    message_set(outcome, attempt, 1);
    return true;
}

/* ---- what became of it ----------------------------------------------------------------------- */

static bool refuse_repayment(const struct repayment *refund, const struct message *input,
                             struct message *outcome)
{
    if (!text_equal(refund->reservation_id, input->reservation_id) ||
        !text_equal(refund->till->show_id, input->show_id))
        return refuse(outcome, input, code_conflict, "reservation_id",
                      "this refund is for another reservation");
    if (message_has(input, attempt) && (input->attempt < 1 || input->attempt > refund->attempt))
        return refuse(outcome, input, code_invalid, "attempt", "it was not asked for that often");
    return refund->completed && input->repaid == repaid_completed &&
           !text_equal(refund->completed_by, input->fingerprint) &&
           refuse(outcome, input, code_conflict, "refund_id",
                  "this refund was completed already, in another way; if money went out twice, "
                  "get it back");
}

/* A failure of an attempt that failed already, or anything of a refund that is done. */
static bool is_repeat(const struct repayment *refund, const struct message *input)
{
    int64_t attempt = message_has(input, attempt) ? input->attempt : refund->attempt;
    return refund->completed ||
           (input->repaid == repaid_failed && (attempt < refund->attempt || refund->failed));
}

bool decide_repayment(const struct checkout *checkout, const struct message *input,
                      struct message *outcome)
{
    const struct repayment *refund = map_find(&checkout->refunds, input->refund_id);
    bool any, completed = input->repaid == repaid_completed;
    if (refund == NULL && till_archived(checkout, input->show_id))
        return refuse_archived(outcome, input);
    if (refund == NULL)
        return refuse(outcome, input, code_not_found, "refund_id", "there is no such refund");
    if (answered_before(&refund->commands, input, outcome, &any))
        return any;
    if (refuse_repayment(refund, input, outcome))
        return true;
    if (is_repeat(refund, input))
        return false;
    message_init(outcome, completed ? MESSAGE_RefundCompleted : MESSAGE_RefundFailed);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_copy(outcome, input, refund_id);
    message_set(outcome, attempts, refund->attempt);
    message_copy(outcome, input, provider_ref);
    message_copy(outcome, input, note);
    message_copy(outcome, input, fingerprint);
    if (completed) {
        message_set(outcome, amount_minor, refund->amount_minor);
        message_set(outcome, currency, refund->payment.currency);
    } else {
        message_set(outcome, manual, refund->manual);
    }
    return true;
}

/* ---- the timer ------------------------------------------------------------------------------- */

/* After the first failure, the second, … */
static int64_t patience_ms(int64_t attempt)
{
    static const int64_t minutes[] = {1, 5, 30, 120};
    return (attempt <= 4 ? minutes[attempt - 1] : 12 * 60) * 60 * 1000;
}

static int64_t give_up_at(const struct repayment *refund)
{
    return refund->first_at_ms + REFUND_GIVE_UP_MS;
}

int64_t refund_due_at(const struct repayment *refund)
{
    if (refund->manual || refund->completed)
        return INT64_MAX;
    int64_t again_ms = refund->failed_at_ms + patience_ms(refund->attempt);
    return refund->failed && again_ms < give_up_at(refund) ? again_ms : give_up_at(refund);
}

int64_t checkout_due_at(const struct checkout *checkout)
{
    const struct heap_node *first = heap_first(&checkout->due);
    return first ? first->at_ms : INT64_MAX;
}

static void give_up(const struct repayment *refund, struct message *outcome)
{
    message_set(outcome, attempts, refund->attempt);
    message_set(outcome, manual, true);
}

static void ask_again(const struct repayment *refund, struct message *outcome)
{
    message_set(outcome, payment, refund->payment);
    message_set(outcome, amount_minor, refund->amount_minor);
    message_set(outcome, currency, refund->payment.currency);
    message_set(outcome, cause, refund->cause);
    message_set(outcome, manual, false);
    message_set(outcome, attempt, refund->attempt + 1);
}

bool checkout_due(const struct checkout *checkout, int64_t now_ms, struct message *outcome)
{
    if (checkout_due_at(checkout) > now_ms)
        return false;
    const struct repayment *refund =
        memory_owner(heap_first(&checkout->due), struct repayment, due);
    bool last = refund_due_at(refund) == give_up_at(refund);
    message_init(outcome, last ? MESSAGE_RefundFailed : MESSAGE_RefundRequested);
    message_set(outcome, show_id, refund->till->show_id);
    message_set(outcome, reservation_id, refund->reservation_id);
    message_set(outcome, refund_id, refund->refund_id);
    if (last)
        give_up(refund, outcome);
    else
        ask_again(refund, outcome);
    return true;
}
