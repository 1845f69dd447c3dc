/* What checkout hears, what it may say to each, and how its core is called. */
#include "services/checkout/checkout_service.h"

#include "services/checkout/checkout_core.h"

SERVICE_STATE(checkout)

static bool decide(const void *state, const struct message *input, int64_t now_ms,
                   struct message *outcome)
{
    (void)now_ms;
    return checkout_decide(state, input, outcome);
}

static int64_t due_at(const void *state)
{
    return checkout_due_at(state);
}

static bool due(const void *state, int64_t now_ms, struct message *outcome)
{
    return checkout_due(state, now_ms, outcome);
}

static const struct service_reaction reactions[] = {
    {MESSAGE_StartCheckout, 2, {MESSAGE_CheckoutStarted, MESSAGE_Refused}},
    {MESSAGE_RecordPayment,
     4,
     {MESSAGE_PaymentSucceeded, MESSAGE_PaymentFailed, MESSAGE_PaymentUnknown, MESSAGE_Refused}},
    {MESSAGE_RecordRefund, 3, {MESSAGE_RefundCompleted, MESSAGE_RefundFailed, MESSAGE_Refused}},
    {MESSAGE_HoldExtended,
     3,
     {MESSAGE_PaymentRequested, MESSAGE_PaymentSucceeded, MESSAGE_CheckoutRejected}},
    {MESSAGE_ExtensionRejected, 1, {MESSAGE_CheckoutRejected}},
    {MESSAGE_SaleRejected, 1, {MESSAGE_RefundRequested}},
    {MESSAGE_SeatsReturned, 1, {MESSAGE_RefundRequested}},
    {MESSAGE_HoldExpired, 1, {MESSAGE_PaymentAbandoned}},
    {MESSAGE_HoldReleased, 1, {MESSAGE_PaymentAbandoned}},
    {MESSAGE_SeatsSold, 1, {MESSAGE_PaymentAbandoned}},
    {MESSAGE_ShowArchived, 1, {MESSAGE_PaymentsArchived}},
    {MESSAGE_NONE, 2, {MESSAGE_RefundRequested, MESSAGE_RefundFailed}},
};

static const enum message_type finals[] = {
    MESSAGE_CheckoutRejected, MESSAGE_PaymentRequested, MESSAGE_PaymentFailed,
    MESSAGE_PaymentAbandoned, MESSAGE_RefundRequested,  MESSAGE_RefundCompleted,
    MESSAGE_RefundFailed,     MESSAGE_PaymentsArchived,
};

const struct service_descriptor checkout_service = {
    .name = "checkout",
    .keeps = "the money",
    .speaker = SPEAKER_checkout,
    .inputs = {TOPIC_CHECKOUT_COMMANDS, TOPIC_SHOWS_EVENTS},
    .input_count = 2,
    .output = TOPIC_CHECKOUT_EVENTS,
    .rules = 2,
    .state_new = state_new,
    .state_free = state_free,
    .decide = decide,
    .due_at = due_at,
    .due = due,
    .apply = apply,
    .reactions = reactions,
    .reaction_count = sizeof reactions / sizeof *reactions,
    .finals = finals,
    .final_count = sizeof finals / sizeof *finals,
};
