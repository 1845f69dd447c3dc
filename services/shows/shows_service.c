/* What shows hears, what it may say to each, and how its core is called. */
#include "services/shows/shows_service.h"

#include "services/shows/shows_core.h"

SERVICE_STATE(shows)

static bool decide(const void *state, const struct message *input, int64_t now_ms,
                   struct message *outcome)
{
    return shows_decide(state, input, now_ms, outcome);
}

static int64_t due_at(const void *state)
{
    return shows_due_at(state);
}

static bool due(const void *state, int64_t now_ms, struct message *outcome)
{
    return shows_due(state, now_ms, outcome);
}

static void seats(const void *state, struct after *all)
{
    shows_all_seats(state, all);
}

static const struct service_reaction reactions[] = {
    {MESSAGE_CreateShow, 2, {MESSAGE_ShowCreated, MESSAGE_Refused}},
    {MESSAGE_UpdateShow, 2, {MESSAGE_ShowUpdated, MESSAGE_Refused}},
    {MESSAGE_SetCapacity, 2, {MESSAGE_CapacityChanged, MESSAGE_Refused}},
    {MESSAGE_SetBlock, 2, {MESSAGE_BlockSet, MESSAGE_Refused}},
    {MESSAGE_OpenSale, 2, {MESSAGE_SaleOpened, MESSAGE_Refused}},
    {MESSAGE_PauseSale, 2, {MESSAGE_SalePaused, MESSAGE_Refused}},
    {MESSAGE_CancelShow, 2, {MESSAGE_ShowCancelled, MESSAGE_Refused}},
    {MESSAGE_ReservationRequested, 2, {MESSAGE_SeatsHeld, MESSAGE_HoldRejected}},
    {MESSAGE_ChangeRequested, 2, {MESSAGE_HoldResized, MESSAGE_ResizeRejected}},
    {MESSAGE_ExtensionRequested, 2, {MESSAGE_HoldExtended, MESSAGE_ExtensionRejected}},
    {MESSAGE_CheckoutStarted, 2, {MESSAGE_HoldExtended, MESSAGE_ExtensionRejected}},
    {MESSAGE_PaymentUnknown, 2, {MESSAGE_HoldExtended, MESSAGE_ExtensionRejected}},
    {MESSAGE_PaymentSucceeded, 2, {MESSAGE_SeatsSold, MESSAGE_SaleRejected}},
    {MESSAGE_CancellationRequested,
     3,
     {MESSAGE_HoldReleased, MESSAGE_SeatsReturned, MESSAGE_ReleaseRejected}},
    {MESSAGE_NONE, 2, {MESSAGE_HoldExpired, MESSAGE_ShowArchived}},
};

static const enum message_type finals[] = {
    MESSAGE_ShowCreated, MESSAGE_ShowUpdated, MESSAGE_CapacityChanged,
    MESSAGE_BlockSet,    MESSAGE_SaleOpened,  MESSAGE_SalePaused,
    MESSAGE_SeatsHeld,   MESSAGE_HoldResized, MESSAGE_ResizeRejected,
};

const struct service_descriptor shows_service = {
    .name = "shows",
    .keeps = "the seats",
    .speaker = SPEAKER_shows,
    .inputs = {TOPIC_SHOWS_COMMANDS, TOPIC_RESERVATIONS_EVENTS, TOPIC_CHECKOUT_EVENTS},
    .input_count = 3,
    .output = TOPIC_SHOWS_EVENTS,
    .rules = 2,
    .state_new = state_new,
    .state_free = state_free,
    .decide = decide,
    .due_at = due_at,
    .due = due,
    .apply = apply,
    .seats = seats,
    .reactions = reactions,
    .reaction_count = sizeof reactions / sizeof *reactions,
    .finals = finals,
    .final_count = sizeof finals / sizeof *finals,
};
