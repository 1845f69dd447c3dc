/* The fold of checkout.events: what was to be paid, what came in, and what went back. */
#include "audit/book.h"

#include "base/uuid.h"

#define REFUND_GIVE_UP_MS (INT64_C(3) * 24 * 3600 * 1000)

/* ---- looking up ------------------------------------------------------------------------------ */

static struct attempt *find_attempt(const struct book *book, struct text payment_id)
{
    struct attempt *attempt = map_find(&book->attempts, payment_id);
    return attempt && !attempt->order->show->payments_archived ? attempt : NULL;
}

static struct order *find_order(struct audit *audit, const struct book *book,
                                const struct message *message)
{
    struct text key = print_key(audit, message->show_id, message->reservation_id);
    struct order *order = map_find(&book->orders, key);
    return order && !order->show->payments_archived ? order : NULL;
}

static struct order *order_of(struct hearing *hearing)
{
    struct audit *audit = hearing->audit;
    const struct message *event = hearing->event;
    struct order *order = find_order(audit, hearing->book, event);
    if (order)
        return order;
    struct text key = print_key(audit, event->show_id, event->reservation_id);
    map_remove(&hearing->book->orders, key);
    order = keep(audit, sizeof *order);
    order->key = keep_text(audit, key);
    order->reservation_id = keep_text(audit, event->reservation_id);
    order->show = show_of(audit, hearing->book, event->show_id);
    map_insert_take(&hearing->book->orders, order->key, order);
    return order;
}

static struct attempt *add_attempt(struct hearing *hearing, struct text payment_id,
                                   enum attempt_state state)
{
    struct audit *audit = hearing->audit;
    struct attempt *attempt = keep(audit, sizeof *attempt);
    map_remove(&hearing->book->attempts, payment_id);
    attempt->payment_id = keep_text(audit, payment_id);
    attempt->order = order_of(hearing);
    attempt->state = state;
    map_insert_take(&hearing->book->attempts, attempt->payment_id, attempt);
    return attempt;
}

struct capture *find_capture(struct audit *audit, const struct book *book,
                             const struct payment *payment)
{
    return map_find(&book->captures, print_key(audit, payment->payment_id, payment->provider_ref));
}

static bool is_open(const struct attempt *attempt)
{
    return attempt->state == ATTEMPT_STARTED || attempt->state == ATTEMPT_REQUESTED ||
           attempt->state == ATTEMPT_UNKNOWN;
}

/* The attempt that waits for this answer about its hold. */
static struct attempt *waiting(struct audit *audit, const struct book *book,
                               const struct message *answer)
{
    const struct order *order = find_order(audit, book, answer);
    struct attempt *current = order ? order->current : NULL;
    return current && current->state == ATTEMPT_STARTED && answer->cause == cause_checkout &&
                   message_has(answer, payment_id) &&
                   text_equal(answer->payment_id, current->payment_id)
               ? current
               : NULL;
}

/* The attempt that a provider still asks money for, though the seats went another way. */
static struct attempt *in_vain(struct audit *audit, const struct book *book,
                               const struct message *end)
{
    const struct order *order = find_order(audit, book, end);
    struct attempt *current = order ? order->current : NULL;
    bool asking =
        current && (current->state == ATTEMPT_REQUESTED || current->state == ATTEMPT_UNKNOWN);
    bool own = asking && end->type == MESSAGE_SeatsSold &&
               text_equal(end->payment.payment_id, current->payment_id);
    return asking && !own ? current : NULL;
}

/* ---- attempts -------------------------------------------------------------------------------- */

static void fold_started(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    struct audit *audit = hearing->audit;
    struct order *order = order_of(hearing);
    bool supersedes = order->current && is_open(order->current);
    if (find_attempt(hearing->book, event->payment_id))
        BREACH(hearing, 4, "payment %.*s was started before", TEXT_PRINT(event->payment_id));
    if (order->started >= CHECKOUT_ATTEMPTS_MAX)
        BREACH(hearing, 10, "a fourth attempt to pay for one reservation");
    if (event->by != by_staff && event->method != method_none && event->method != method_external)
        BREACH(hearing, 10, "%s is taken by staff only", method_name(event->method));
    if (!both_same(message_has(event, supersedes), event->supersedes, supersedes,
                   supersedes ? order->current->payment_id : (struct text){NULL, 0}))
        BREACH(hearing, 12, "it does not supersede the attempt that is open");
    if (supersedes)
        order->current->state = ATTEMPT_SUPERSEDED;
    struct attempt *attempt = add_attempt(hearing, event->payment_id, ATTEMPT_STARTED);
    attempt->method = event->method;
    if (message_has(event, fingerprint))
        attempt->fingerprint = keep_text(audit, event->fingerprint);
    if (message_has(event, provider))
        attempt->provider = keep_text(audit, event->provider);
    order->current = attempt;
    order->started++;
}

/* 13: what a provider is asked for is what the hold costs. */
static void fold_requested(struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    struct attempt *attempt = input ? waiting(hearing->audit, hearing->book, input)
                                    : find_attempt(hearing->book, event->payment_id);
    if (attempt == NULL || !text_equal(attempt->payment_id, event->payment_id)) {
        BREACH(hearing, 13, "money is asked for, but no attempt waits with its hold extended");
        return;
    }
    if (attempt->method != method_external ||
        !both_same(true, event->provider, attempt->provider.data != NULL, attempt->provider))
        BREACH(hearing, 13, "money is asked of another provider than was begun with");
    if (input &&
        (event->amount_minor != input->amount_minor ||
         !text_equal(event->currency, input->currency) || event->pay_by_ms != input->pay_by_ms))
        BREACH(hearing, 13, "%lld %.*s is asked for, but the hold costs %lld %.*s",
               (long long)event->amount_minor, TEXT_PRINT(event->currency),
               (long long)input->amount_minor, TEXT_PRINT(input->currency));
    attempt->state = ATTEMPT_REQUESTED;
}

static void fold_rejected(struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    struct attempt *attempt = find_attempt(hearing->book, event->payment_id);
    bool due = event->reason == reason_amount_due;
    if (attempt == NULL) {
        BREACH(hearing, 14, "payment %.*s was never started", TEXT_PRINT(event->payment_id));
        return;
    }
    if (input && input->type == MESSAGE_ExtensionRejected && event->reason != input->reason)
        BREACH(hearing, 5, "shows said %s, it says %s", reason_name(input->reason),
               reason_name(event->reason));
    if (input && input->type == MESSAGE_HoldExtended &&
        (!due || attempt->method != method_none || input->amount_minor == 0))
        BREACH(hearing, 5, "the hold was extended, and nothing stands against the checkout");
    attempt->state = ATTEMPT_REJECTED;
}

static void fold_abandoned(struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    struct attempt *attempt = find_attempt(hearing->book, event->payment_id);
    if (attempt == NULL || (input && in_vain(hearing->audit, hearing->book, input) != attempt)) {
        BREACH(hearing, 14, "payment %.*s is not one that a provider still asks for in vain",
               TEXT_PRINT(event->payment_id));
        return;
    }
    attempt->state = ATTEMPT_ABANDONED;
}

static void fold_trouble(struct hearing *hearing, enum result result)
{
    const struct message *event = hearing->event;
    struct attempt *attempt = find_attempt(hearing->book, event->payment_id);
    if (attempt == NULL) {
        BREACH(hearing, 14, "payment %.*s was never started", TEXT_PRINT(event->payment_id));
        return;
    }
    if (hearing->input && hearing->input->result != result)
        BREACH(hearing, 14, "the record says %s", result_name(hearing->input->result));
    if (result == result_failed &&
        event->retryable != (attempt->order->started < CHECKOUT_ATTEMPTS_MAX))
        BREACH(hearing, 5, "it says that another attempt is %s", event->retryable ? "open" : "not");
    attempt->told[result] = keep_text(
        hearing->audit, message_has(event, fingerprint) ? event->fingerprint : text_of(""));
    if (result == result_failed)
        attempt->state = ATTEMPT_FAILED;
    else if (attempt->state == ATTEMPT_REQUESTED)
        attempt->state = ATTEMPT_UNKNOWN;
}

/* ---- money that came: 12, 13 ----------------------------------------------------------------- */

static void check_paid_here(struct hearing *hearing, const struct attempt *attempt)
{
    const struct payment *payment = &hearing->event->payment;
    const struct message *input = hearing->input;
    if (attempt == NULL || waiting(hearing->audit, hearing->book, input) != attempt ||
        payment->method != attempt->method)
        BREACH(hearing, 13, "no attempt of that kind waited for its hold to be extended");
    if (payment->amount_minor != input->amount_minor ||
        !text_equal(payment->currency, input->currency))
        BREACH(hearing, 13, "%lld %.*s were paid, but the hold costs %lld %.*s",
               (long long)payment->amount_minor, TEXT_PRINT(payment->currency),
               (long long)input->amount_minor, TEXT_PRINT(input->currency));
    if (payment->amount_minor > 0 &&
        (payment->method == method_none || payment->method == method_external))
        BREACH(hearing, 12, "it succeeded, but nobody took the money");
}

static void check_recorded(struct hearing *hearing, const struct attempt *attempt)
{
    const struct message *event = hearing->event, *input = hearing->input;
    struct payment told = {input->payment_id, input->provider,     input->provider_ref,
                           method_external,   input->amount_minor, input->currency};
    struct text show_id = attempt ? attempt->order->show->show_id : input->show_id;
    struct text reservation_id = attempt ? attempt->order->reservation_id : input->reservation_id;
    if (input->result != result_succeeded || !same_payment(&event->payment, &told))
        BREACH(hearing, 12, "it is another payment than the one recorded");
    if (!text_equal(event->show_id, show_id) || !text_equal(event->reservation_id, reservation_id))
        BREACH(hearing, 12, "it pays for another reservation than it was begun for");
}

static void fold_succeeded(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    const struct payment *payment = &event->payment;
    struct audit *audit = hearing->audit;
    struct attempt *attempt = find_attempt(hearing->book, payment->payment_id);
    struct capture *before = find_capture(audit, hearing->book, payment);
    if (hearing->input && hearing->input->type == MESSAGE_HoldExtended)
        check_paid_here(hearing, attempt);
    else if (hearing->input)
        check_recorded(hearing, attempt);
    if (before && attempt && attempt->captured == (payment->provider_ref.data != NULL) &&
        (attempt->captured || attempt->state == ATTEMPT_SUCCEEDED))
        BREACH(hearing, 12, "payment %.*s succeeded before: the same money twice",
               TEXT_PRINT(payment->payment_id));
    if (attempt == NULL)
        attempt = add_attempt(hearing, payment->payment_id, ATTEMPT_SUCCEEDED);
    attempt->state = ATTEMPT_SUCCEEDED;
    attempt->captured = attempt->captured || payment->provider_ref.data;
    if (before)
        map_remove(&hearing->book->captures, before->key);
    struct capture *capture = keep(audit, sizeof *capture);
    capture->key = keep_text(audit, print_key(audit, payment->payment_id, payment->provider_ref));
    capture->currency = keep_text(audit, payment->currency);
    capture->method = payment->method;
    capture->amount_minor = payment->amount_minor;
    capture->place = hearing->place;
    capture->append_ms = hearing->append_ms;
    if (message_has(event, fingerprint))
        capture->fingerprint = keep_text(audit, event->fingerprint);
    map_insert_take(&hearing->book->captures, capture->key, capture);
    list_add(&audit->captures, capture);
}

/* ---- money that goes back: 12 ---------------------------------------------------------------- */

static struct repayment *add_refund(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    struct audit *audit = hearing->audit;
    struct repayment *refund = keep(audit, sizeof *refund);
    refund->refund_id = keep_text(audit, event->refund_id);
    refund->reservation_id = keep_text(audit, event->reservation_id);
    refund->show = show_of(audit, hearing->book, event->show_id);
    refund->amount_minor = event->amount_minor;
    refund->currency = keep_text(audit, event->currency);
    refund->manual = event->manual;
    refund->first_at_ms = event->at_ms;
    refund->commands.capacity = REFUND_COMMANDS;
    map_insert_take(&hearing->book->refunds, refund->refund_id, refund);
    list_add(&audit->refunds, refund);
    return refund;
}

/* What was completed when a show's payments were archived is forgotten. */
static struct repayment *find_refund(const struct book *book, struct text refund_id)
{
    struct repayment *refund = map_find(&book->refunds, refund_id);
    bool forgotten =
        refund && refund->completed && refund->show->payments_archived && !refund->outlived;
    return forgotten ? NULL : refund;
}

static int64_t refund_due(const struct message *cause)
{
    bool returned = cause->type == MESSAGE_SeatsReturned;
    if ((returned && cause->refund != refund_full) || cause->payment.method == method_comp ||
        cause->payment.amount_minor == 0)
        return 0;
    return returned ? cause->amount_minor : cause->payment.amount_minor;
}

static void check_refund(struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    char refund_id[UUID_SIZE];
    enum method method = event->payment.method;
    bool by_hand = method == method_cash || method == method_card;
    uuid_from_name(input->id, refund_id);
    if (!text_is(event->refund_id, refund_id))
        BREACH(hearing, 12, "its refund_id is not the one its cause makes: it could come twice");
    if (event->amount_minor != refund_due(input) || !same_payment(&event->payment, &input->payment))
        BREACH(hearing, 12, "%lld is to go back, but %lld is due of payment %.*s",
               (long long)event->amount_minor, (long long)refund_due(input),
               TEXT_PRINT(input->payment.payment_id));
    if (event->manual != by_hand || event->attempt != 1 ||
        !text_equal(event->currency, event->payment.currency))
        BREACH(hearing, 12, "the refund is asked for in another way than its payment came");
}

static void fold_first_refund(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    struct capture *capture = find_capture(hearing->audit, hearing->book, &event->payment);
    if (hearing->input)
        check_refund(hearing);
    add_refund(hearing)->attempt = event->attempt;
    if (capture == NULL) {
        BREACH(hearing, 12, "a refund of payment %.*s, which never succeeded",
               TEXT_PRINT(event->payment.payment_id));
        return;
    }
    capture->refunded_minor += event->amount_minor;
    if (capture->refunded_minor > capture->amount_minor)
        BREACH(hearing, 12, "%lld goes back of a payment of %lld",
               (long long)capture->refunded_minor, (long long)capture->amount_minor);
}

static int64_t patience_ms(int64_t attempt)
{
    static const int64_t minutes[] = {1, 5, 30, 120};
    return (attempt >= 1 && attempt <= 4 ? minutes[attempt - 1] : 12 * 60) * 60 * 1000;
}

static void fold_refund_again(struct hearing *hearing, struct repayment *refund)
{
    const struct message *event = hearing->event;
    if (!hearing->timer)
        BREACH(hearing, 12, "refund %.*s was asked for before", TEXT_PRINT(event->refund_id));
    else if (refund->completed || refund->manual || !refund->failed)
        BREACH(hearing, 12, "the refund is asked for again, though it is %s",
               refund->completed ? "completed"
               : refund->manual  ? "given to a person"
                                 : "still under way");
    if (event->attempt != refund->attempt + 1 || event->amount_minor != refund->amount_minor)
        BREACH(hearing, 12, "attempt %lld of %lld follows attempt %lld of %lld",
               (long long)event->attempt, (long long)event->amount_minor,
               (long long)refund->attempt, (long long)refund->amount_minor);
    if (hearing->timer && event->at_ms < refund->failed_at_ms + patience_ms(refund->attempt))
        BREACH(hearing, 9, "the refund is asked for again too early");
    refund->attempt = event->attempt;
    refund->failed = false;
}

static void fold_refund_requested(struct hearing *hearing)
{
    struct repayment *refund = find_refund(hearing->book, hearing->event->refund_id);
    if (refund) {
        fold_refund_again(hearing, refund);
        return;
    }
    if (hearing->timer)
        BREACH(hearing, 12, "a timer asks for refund %.*s, which nothing caused",
               TEXT_PRINT(hearing->event->refund_id));
    map_remove(&hearing->book->refunds, hearing->event->refund_id);
    fold_first_refund(hearing);
}

static void fold_refund_told(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    struct repayment *refund = find_refund(hearing->book, event->refund_id);
    bool completed = event->type == MESSAGE_RefundCompleted;
    if (refund == NULL) {
        BREACH(hearing, 12, "refund %.*s was never asked for", TEXT_PRINT(event->refund_id));
        return;
    }
    if (refund->completed)
        BREACH(hearing, 12, "refund %.*s was completed before", TEXT_PRINT(event->refund_id));
    if (event->attempts != refund->attempt)
        BREACH(hearing, 12, "%lld attempts, but it was asked for %lld times",
               (long long)event->attempts, (long long)refund->attempt);
    if (completed && (event->amount_minor != refund->amount_minor ||
                      !text_equal(event->currency, refund->currency)))
        BREACH(hearing, 12, "%lld went back, but %lld was due", (long long)event->amount_minor,
               (long long)refund->amount_minor);
    if (hearing->timer && event->at_ms < refund->first_at_ms + REFUND_GIVE_UP_MS)
        BREACH(hearing, 9, "the refund is given up in less than three days");
    if (completed) {
        refund->completed = true;
        refund->outlived = refund->show->payments_archived;
        refund->completed_by = keep_text(
            hearing->audit, message_has(event, fingerprint) ? event->fingerprint : text_of(""));
    } else {
        refund->manual = event->manual;
        if (!hearing->timer) { /* given up: what became of the last attempt may still be told */
            refund->failed = true;
            refund->failed_at_ms = event->at_ms;
        }
    }
    remember_answer(&refund->commands, event);
}

/* ---- refusals: 12 ---------------------------------------------------------------------------- */

/* Money that came is not refused: only where the same number was told in other words, or where
 * nobody knows it and the show's books are closed. */
static void check_refused_payment(struct hearing *hearing, const struct show *show)
{
    const struct message *input = hearing->input;
    struct payment payment = {.payment_id = input->payment_id, .provider_ref = input->provider_ref};
    const struct capture *before = find_capture(hearing->audit, hearing->book, &payment);
    bool closed =
        show && show->payments_archived && !find_attempt(hearing->book, input->payment_id);
    bool retold = before && !text_equal(before->fingerprint, input->fingerprint);
    if (!(closed && hearing->event->code == code_archived) &&
        !(retold && hearing->event->code == code_conflict))
        BREACH(hearing, 12, "a payment that succeeded is refused as %s: the money is nowhere",
               code_name(hearing->event->code));
}

/* Of a refund under way every word counts, however long its show is over. */
static void check_refused_refund(struct hearing *hearing, const struct repayment *refund)
{
    enum code code = hearing->event->code;
    if (refund && (code == code_archived || code == code_not_found))
        BREACH(hearing, 12, "refund %.*s is under way, but what became of it is refused as %s",
               TEXT_PRINT(refund->refund_id), code_name(code));
}

/* ---- all ------------------------------------------------------------------------------------- */

static void fold_refused(struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    const struct show *show = find_show(hearing->book, event);
    struct repayment *refund =
        message_has(event, refund_id) ? find_refund(hearing->book, event->refund_id) : NULL;
    if (input && input->type == MESSAGE_RecordPayment && input->result == result_succeeded)
        check_refused_payment(hearing, show);
    if (input && input->type == MESSAGE_RecordRefund)
        check_refused_refund(hearing, refund);
    bool start = message_has(event, command) && text_is(event->command, "StartCheckout");
    if (refund)
        remember_answer(&refund->commands, event);
    if (!start || !message_has(event, payment_id) || !message_has(event, reservation_id) ||
        !message_has(event, show_id) || event->code == code_misrouted ||
        (show && show->payments_archived) || find_attempt(hearing->book, event->payment_id))
        return;
    struct attempt *attempt = add_attempt(hearing, event->payment_id, ATTEMPT_REFUSED);
    if (message_has(event, fingerprint))
        attempt->fingerprint = keep_text(hearing->audit, event->fingerprint);
}

void fold_money(struct hearing *hearing)
{
    switch ((int)hearing->event->type) {
    case MESSAGE_CheckoutStarted:
        fold_started(hearing);
        return;
    case MESSAGE_PaymentRequested:
        fold_requested(hearing);
        return;
    case MESSAGE_CheckoutRejected:
        fold_rejected(hearing);
        return;
    case MESSAGE_PaymentAbandoned:
        fold_abandoned(hearing);
        return;
    case MESSAGE_PaymentSucceeded:
        fold_succeeded(hearing);
        return;
    case MESSAGE_PaymentFailed:
        fold_trouble(hearing, result_failed);
        return;
    case MESSAGE_PaymentUnknown:
        fold_trouble(hearing, result_unknown);
        return;
    case MESSAGE_RefundRequested:
        fold_refund_requested(hearing);
        return;
    case MESSAGE_RefundCompleted:
    case MESSAGE_RefundFailed:
        fold_refund_told(hearing);
        return;
    case MESSAGE_PaymentsArchived:
        show_of(hearing->audit, hearing->book, hearing->event->show_id)->payments_archived = true;
        return;
    case MESSAGE_Refused:
        fold_refused(hearing);
        return;
    }
}

/* ---- what calls for an outcome --------------------------------------------------------------- */

static enum answer answer_to_payment(struct audit *audit, const struct book *book,
                                     const struct message *input)
{
    const struct attempt *attempt = find_attempt(book, input->payment_id);
    struct payment payment = {.payment_id = input->payment_id, .provider_ref = input->provider_ref};
    if (attempt == NULL)
        return ANSWER_MUST;
    if (input->result == result_succeeded) {
        const struct capture *capture = find_capture(audit, book, &payment);
        return capture && text_equal(capture->fingerprint, input->fingerprint) ? ANSWER_NONE
                                                                               : ANSWER_MUST;
    }
    if (attempt->state == ATTEMPT_REFUSED ||
        !text_equal(attempt->order->reservation_id, input->reservation_id) ||
        !text_equal(attempt->order->show->show_id, input->show_id))
        return ANSWER_MUST;
    if (attempt->state == ATTEMPT_SUCCEEDED || attempt->captured ||
        (input->result == result_unknown && attempt->told[result_failed].data))
        return ANSWER_NONE;
    struct text told = attempt->told[input->result];
    return told.data && text_equal(told, input->fingerprint) ? ANSWER_NONE : ANSWER_MUST;
}

static enum answer answer_to_refund(const struct book *book, const struct message *input)
{
    const struct repayment *refund = find_refund(book, input->refund_id);
    if (refund == NULL)
        return ANSWER_MUST;
    enum recent_answer before = recent_ask(&refund->commands, input->id, input->fingerprint);
    if (before != RECENT_NEW)
        return before == RECENT_REPEAT ? ANSWER_NONE : ANSWER_MUST;
    int64_t attempt = message_has(input, attempt) ? input->attempt : refund->attempt;
    bool done = refund->completed && input->repaid == repaid_completed &&
                !text_equal(refund->completed_by, input->fingerprint);
    if (!text_equal(refund->reservation_id, input->reservation_id) ||
        !text_equal(refund->show->show_id, input->show_id) || attempt < 1 ||
        attempt > refund->attempt || done)
        return ANSWER_MUST;
    bool failed_before =
        input->repaid == repaid_failed && (attempt < refund->attempt || refund->failed);
    return refund->completed || failed_before ? ANSWER_NONE : ANSWER_MUST;
}

static enum answer answer_to_start(struct audit *audit, const struct book *book,
                                   const struct message *input)
{
    const struct show *show = find_show(book, input);
    const struct attempt *attempt = find_attempt(book, input->payment_id);
    if ((show && show->payments_archived) || attempt == NULL)
        return ANSWER_MUST;
    return attempt->order == find_order(audit, book, input) &&
                   text_equal(attempt->fingerprint, input->fingerprint)
               ? ANSWER_NONE
               : ANSWER_MUST;
}

enum answer answer_of_checkout(struct audit *audit, const struct book *book,
                               const struct message *input)
{
    switch ((int)input->type) {
    case MESSAGE_StartCheckout:
        return answer_to_start(audit, book, input);
    case MESSAGE_RecordPayment:
        return answer_to_payment(audit, book, input);
    case MESSAGE_RecordRefund:
        return answer_to_refund(book, input);
    case MESSAGE_HoldExtended:
    case MESSAGE_ExtensionRejected:
        return waiting(audit, book, input) ? ANSWER_MUST : ANSWER_NONE;
    case MESSAGE_SaleRejected:
    case MESSAGE_SeatsReturned:
        return refund_due(input) > 0 ? ANSWER_MUST : ANSWER_NONE;
    case MESSAGE_HoldExpired:
    case MESSAGE_HoldReleased:
    case MESSAGE_SeatsSold:
        return in_vain(audit, book, input) ? ANSWER_MUST : ANSWER_NONE;
    case MESSAGE_ShowArchived:
        return ANSWER_MUST;
    }
    return ANSWER_NONE;
}

/* 12: captured − refunded = what valid tickets cost + what was kept on return. */
void money_at_rest(struct audit *audit)
{
    for (size_t i = 0; i < audit->captures.count; i++) {
        const struct capture *capture = audit->captures.items[i];
        const struct hold *hold = capture->sold;
        int64_t kept = capture->amount_minor - capture->refunded_minor;
        int64_t right = hold ? hold->left_amount_minor + hold->kept_on_return_minor : 0;
        if (capture->method == method_comp || (hold == NULL && !capture->rejected) ||
            (hold && hold->paid != capture))
            continue; /* unanswered, or of seats sold twice: said already */
        if (kept != right)
            breach_at(audit, 12, &capture->place, capture->append_ms,
                      "%lld %.*s of this payment are kept, but its valid tickets and what was "
                      "kept on return make %lld",
                      (long long)kept, TEXT_PRINT(capture->currency), (long long)right);
    }
}
