/* Sentences with holes in them.
 *
 *     {field}              the field's value in words; nothing when it is not there
 *     {field|yes|no}       of a truth: one of the two texts
 *     [ … {field} … ]      all of it only when every field named inside is there
 */
#include "story/story.h"

#include "story/words.h"

#include <assert.h>

static const char *const sentences[MESSAGE_COUNT] = {
    [MESSAGE_CreateShow] = "asks for a new show, \"{name}\", on {starts_at_ms}, {capacity} seats"
                           "[: {tiers}]",
    [MESSAGE_UpdateShow] = "asks to change the show[, name \"{name}\"][, start {starts_at_ms}]"
                           "[, tiers {tiers}][, on sale from {on_sale_at_ms}]"
                           "[, off sale at {off_sale_at_ms}][, at most {max_per_order} an order]"
                           "[, at most {max_per_person} a person]"
                           "[, if nothing happened since {expected_seq}]",
    [MESSAGE_SetCapacity] = "asks for a capacity of {capacity}[{force|, by force|}]"
                            "[, if nothing happened since {expected_seq}]",
    [MESSAGE_SetBlock] = "asks to keep {block_quantity} seats as {block_id}"
                         "[, if it was {expected_quantity}][ ({note})]",
    [MESSAGE_OpenSale] = "asks to open the sale[: {why}]",
    [MESSAGE_PauseSale] = "asks to pause the sale[: {why}]",
    [MESSAGE_CancelShow] = "asks to cancel the show[: {why}][; refund {refund}]",
    [MESSAGE_ShowCreated] =
        "made the show \"{name}\" on {starts_at_ms}, {capacity} seats: {tiers}; "
        "on sale from {on_sale_at_ms} until {off_sale_at_ms}",
    [MESSAGE_ShowUpdated] = "changed the show: \"{name}\" on {starts_at_ms}, {tiers}; "
                            "on sale from {on_sale_at_ms} until {off_sale_at_ms}",
    [MESSAGE_CapacityChanged] = "changed the capacity from {old_capacity} to {capacity}"
                                "[{forced|, by force|}]; {after}",
    [MESSAGE_BlockSet] = "keeps {block_quantity} seats as {block_id}[ ({note})]; {after}",
    [MESSAGE_SaleOpened] = "opened the sale[: {why}]",
    [MESSAGE_SalePaused] = "paused the sale[: {why}]",
    [MESSAGE_ShowCancelled] = "cancelled the show: {why}; refund {refund}",
    [MESSAGE_ShowArchived] = "archived the show",
    [MESSAGE_SeatsHeld] = "held {lines} until {expires_at_ms} for [{amount_minor}]; {after}",
    [MESSAGE_HoldRejected] = "could not hold the seats: {reason}, {available} available"
                             "[; try again in {retry_after_s} s]",
    [MESSAGE_HoldResized] = "changed the hold from {old_lines} to {lines}, now {amount_minor}; "
                            "{after}",
    [MESSAGE_ResizeRejected] = "did not change the hold: {reason}, {available} available"
                               "[; try again in {retry_after_s} s]",
    [MESSAGE_HoldExtended] = "holds the seats until {expires_at_ms} (for {cause})"
                             "[, to be paid by {pay_by_ms}][: {amount_minor}]",
    [MESSAGE_ExtensionRejected] = "did not extend the hold (for {cause}): {reason}",
    [MESSAGE_SeatsSold] = "sold {lines}, {payment}[{reacquired|, taken again after expiry|}]; "
                          "{after}",
    [MESSAGE_SaleRejected] = "did not sell: {reason}; {payment} is to go back",
    [MESSAGE_HoldReleased] = "let {quantity} held seats go; {after}",
    [MESSAGE_SeatsReturned] = "took back {lines} ({numbers}) by {cause}, {amount_minor}, "
                              "refund {refund}; {after}",
    [MESSAGE_ReleaseRejected] = "did not take the seats back: {reason}",
    [MESSAGE_HoldExpired] = "let {quantity} seats go: the hold ran out at {expires_at_ms}; {after}",

    [MESSAGE_RequestReservation] = "asks for {wanted}[ for {holder}][, {channel}]",
    [MESSAGE_ChangeReservation] = "asks for {wanted} instead",
    [MESSAGE_UpdateReservation] = "asks to update the reservation[, holder {holder}]"
                                  "[, note \"{note}\"]",
    [MESSAGE_ExtendReservation] = "asks to keep the seats until {until_at_ms}",
    [MESSAGE_CancelReservation] = "asks to cancel [{numbers} ]for the {by}[: {why}]"
                                  "[; refund {refund}]",
    [MESSAGE_CheckInTicket] = "scans ticket {ticket_id} (generation {generation}) at {list_id}, "
                              "{entry}[{force|, by force|}]",
    [MESSAGE_TransferTicket] = "asks to hand ticket {ticket_id} to {holder}",
    [MESSAGE_ReservationRequested] = "took it down: {wanted}[ for {holder}], {channel}",
    [MESSAGE_ReservationRejected] = "the reservation is rejected: {reason}, {available} available",
    [MESSAGE_ChangeRequested] = "took down the change to {wanted}",
    [MESSAGE_ReservationUpdated] = "updated the reservation[, holder {holder}][, note \"{note}\"]",
    [MESSAGE_ExtensionRequested] = "took down the wish for time until {until_at_ms}",
    [MESSAGE_CancellationRequested] = "took down the cancellation[ of {numbers}] by {by}"
                                      "[: {why}]; refund {refund}",
    [MESSAGE_ReservationReleased] = "the reservation is released",
    [MESSAGE_ReservationCancelled] = "cancelled {numbers}; {remaining} left",
    [MESSAGE_CancellationRejected] = "the cancellation is rejected: {reason}",
    [MESSAGE_ReservationExpired] = "the reservation has expired",
    [MESSAGE_ReservationConfirmed] = "confirmed as {reference}: tickets {tickets}",
    [MESSAGE_TicketCheckedIn] = "let ticket {ticket_id} {entry} at {list_id}"
                                "[{forced|, by force|}]",
    [MESSAGE_CheckInRejected] = "did not let ticket {ticket_id} {entry} at {list_id}: {reason}",
    [MESSAGE_TicketTransferred] = "ticket {ticket_id} belongs to {holder} now "
                                  "(generation {generation})",
    [MESSAGE_ShowCancellationStarted] = "winds up what is open of the show, reservations: {open}; "
                                        "refund {refund}",
    [MESSAGE_ShowCancellationFinished] = "every reservation of the show is wound up",
    [MESSAGE_ReservationsArchived] = "archived the reservations of the show",

    [MESSAGE_StartCheckout] = "wants to pay: {method}, by the {by}[, at {provider}]",
    [MESSAGE_RecordPayment] = "reports a payment at {provider}: {result}, {amount_minor} "
                              "({provider_ref})[: {failure}]",
    [MESSAGE_RecordRefund] = "reports a refund: {repaid}[, try {attempt}][ ({provider_ref})]"
                             "[: {note}]",
    [MESSAGE_CheckoutStarted] = "began a checkout: {method}, by the {by}[, at {provider}]"
                                "[, in place of {supersedes}]",
    [MESSAGE_CheckoutRejected] = "the checkout is rejected: {reason}",
    [MESSAGE_PaymentRequested] = "asks {provider} for {amount_minor} by {pay_by_ms}",
    [MESSAGE_PaymentSucceeded] = "has the payment: {payment}",
    [MESSAGE_PaymentFailed] = "the payment failed at {provider}[: {failure}]"
                              "[{retryable|; it may be tried again|; no more tries}]",
    [MESSAGE_PaymentUnknown] = "nobody knows yet what became of the payment at {provider} "
                               "({provider_ref})",
    [MESSAGE_PaymentAbandoned] = "gave up on the payment at {provider}",
    [MESSAGE_RefundRequested] = "owes {amount_minor} back ({cause}), try {attempt}"
                                "[{manual|, by hand|}]; it was {payment}",
    [MESSAGE_RefundCompleted] = "{amount_minor} went back at try {attempts}"
                                "[ ({provider_ref})]",
    [MESSAGE_RefundFailed] = "the refund failed at try {attempts}[: {note}]"
                             "[{manual|; somebody has to see to it|}]",
    [MESSAGE_PaymentsArchived] = "archived the payments of the show",

    [MESSAGE_Refused] = "refused[ {command}]: {code}[, {field}]: {detail}",
    [MESSAGE_Installed] = "made the log {installation} with {partitions} partitions",
    [MESSAGE_Claimed] = "{service} on {host} (process {pid}, version {version}) took over",
    [MESSAGE_Progress] = "read on",
};

/* ---- a value in words ------------------------------------------------------------------------ */
struct telling {
    struct buffer *out;
    const struct message *message;
    int64_t near_ms;
};

static void say_text(const struct telling *telling, const struct text *text)
{
    words_safe(telling->out, *text, NOTE_SIZE_MAX);
}

static void say_number(const struct telling *telling, const int64_t *number)
{
    buffer_i64(telling->out, *number);
}

static void say_time(const struct telling *telling, const int64_t *at_ms)
{
    words_time(telling->out, *at_ms, telling->near_ms);
}

static struct text currency_of(const struct message *message)
{
    if (message_has(message, currency))
        return message->currency;
    return message_has(message, payment) ? message->payment.currency : (struct text){NULL, 0};
}

static void say_amount(const struct telling *telling, const int64_t *amount_minor)
{
    words_money(telling->out, *amount_minor, currency_of(telling->message));
}

static void say_holder(const struct telling *telling, const struct holder *holder)
{
    say_text(telling, &holder->name);
}

static void say_numbers(const struct telling *telling, const struct numbers *numbers)
{
    bool many = numbers_next(numbers, numbers_next(numbers, 0)) != 0;
    buffer_string(telling->out, many ? "tickets " : "ticket ");
    words_numbers(telling->out, numbers);
}

/* A pin is what shows calls it; people ask why. */
static void say_cause(const struct telling *telling, const enum cause *cause)
{
    buffer_string(telling->out, *cause == cause_pin ? "an unknown payment" : cause_name(*cause));
}

static void say_tiers(const struct telling *telling, const struct tiers *tiers)
{
    words_tiers(telling->out, tiers, currency_of(telling->message));
}

/* What is said of each kind: either a function of its own, or the name of its word. */
#define SAY_ID(value)          say_text(telling, value)
#define SAY_UUID(value)        say_text(telling, value)
#define SAY_TICKET_ID(value)   say_text(telling, value)
#define SAY_NAME(value)        say_text(telling, value)
#define SAY_NOTE(value)        say_text(telling, value)
#define SAY_LABEL(value)       say_text(telling, value)
#define SAY_CURRENCY(value)    say_text(telling, value)
#define SAY_FINGERPRINT(value) say_text(telling, value)
#define SAY_TIME(value)        say_time(telling, value)
#define SAY_AMOUNT(value)      say_amount(telling, value)
#define SAY_SEATS(value)       say_number(telling, value)
#define SAY_QUANTITY(value)    say_number(telling, value)
#define SAY_HOLD_TTL(value)    say_number(telling, value)
#define SAY_PAY_WINDOW(value)  say_number(telling, value)
#define SAY_COUNTER(value)     say_number(telling, value)
#define SAY_BOOL(value)        buffer_string(telling->out, *(value) ? "yes" : "no")
#define SAY_CHANNEL(value)     buffer_string(telling->out, channel_name(*(value)))
#define SAY_BY(value)          buffer_string(telling->out, by_name(*(value)))
#define SAY_REFUND(value)      buffer_string(telling->out, refund_name(*(value)))
#define SAY_METHOD(value)      buffer_string(telling->out, method_name(*(value)))
#define SAY_EXPECT(value)      buffer_string(telling->out, expect_name(*(value)))
#define SAY_ENTRY(value)       buffer_string(telling->out, entry_name(*(value)))
#define SAY_RESULT(value)      buffer_string(telling->out, result_name(*(value)))
#define SAY_REPAID(value)      buffer_string(telling->out, repaid_name(*(value)))
#define SAY_CAUSE(value)       say_cause(telling, value)
#define SAY_REASON(value)      buffer_string(telling->out, reason_name(*(value)))
#define SAY_CODE(value)        buffer_string(telling->out, code_name(*(value)))
#define SAY_HOLDER(value)      say_holder(telling, value)
#define SAY_TIERS(value)       say_tiers(telling, value)
#define SAY_WANTED(value)      words_lines(telling->out, value)
#define SAY_LINES(value)       words_lines(telling->out, value)
#define SAY_TICKETS(value)     words_tickets(telling->out, value)
#define SAY_NUMBERS(value)     say_numbers(telling, value)
#define SAY_PAYMENT(value)     words_payment(telling->out, value)
#define SAY_AFTER(value)       words_after(telling->out, value)

static void say_field(const struct telling *telling, enum field field)
{
    const struct message *message = telling->message;
    switch (field) {
#define FIELD(name, json, kind)                                                                    \
    case FIELD_##name:                                                                             \
        SAY_##kind(&message->name);                                                                \
        return;
#include "schemas/messages.def"
    case FIELD_COUNT:
        return;
    }
}

/* Only truths have a yes and a no. */
static bool truth_of(const struct message *message, enum field field)
{
    return (field == FIELD_force && message->force) || (field == FIELD_forced && message->forced) ||
           (field == FIELD_manual && message->manual) ||
           (field == FIELD_retryable && message->retryable) ||
           (field == FIELD_reacquired && message->reacquired);
}

/* ---- the sentence ---------------------------------------------------------------------------- */
static enum field field_named(struct text name)
{
    static const char *const names[FIELD_COUNT] = {
#define FIELD(name, json, kind) [FIELD_##name] = #name,
#include "schemas/messages.def"
    };
    for (int field = 0; field < FIELD_COUNT; field++)
        if (text_is(name, names[field]))
            return (enum field)field;
    return FIELD_COUNT;
}

/* Says what stands in the braces. false: the field is not there. */
static bool say_hole(const struct telling *telling, struct text hole)
{
    enum field field = field_named(text_cut(&hole, '|'));
    assert(field < FIELD_COUNT);
    if (!telling->message->has[field])
        return false;
    if (hole.data == NULL) {
        say_field(telling, field);
        return true;
    }
    struct text yes = text_cut(&hole, '|');
    buffer_text(telling->out, truth_of(telling->message, field) ? yes : hole);
    return true;
}

/* Says a piece without brackets. false: some field in it is not there. */
static bool say_piece(const struct telling *telling, struct text piece)
{
    bool whole = true;
    while (piece.size) {
        buffer_text(telling->out, text_cut(&piece, '{'));
        if (piece.data)
            whole = say_hole(telling, text_cut(&piece, '}')) && whole;
    }
    return whole;
}

void story_tell(struct buffer *out, const struct message *message, int64_t near_ms)
{
    struct telling telling = {out, message, near_ms};
    if (message->type == MESSAGE_NONE) {
        buffer_string(out, "something that cannot be read");
        return;
    }
    struct text rest = text_of(sentences[message->type]);
    while (rest.size) {
        say_piece(&telling, text_cut(&rest, '['));
        if (rest.data == NULL)
            break;
        size_t start = out->size;
        if (!say_piece(&telling, text_cut(&rest, ']')) && out->data) {
            out->size = start;
            out->data[start] = '\0';
        }
    }
}

const char *story_sentence(enum message_type type)
{
    return sentences[type];
}
