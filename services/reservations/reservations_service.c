/* What reservations hears, what it may say to each, and how its core is called. */
#include "services/reservations/reservations_service.h"

#include "services/reservations/reservations_core.h"

SERVICE_STATE(reservations)

static bool decide(const void *state, const struct message *input, int64_t now_ms,
                   struct message *outcome)
{
    (void)now_ms;
    return reservations_decide(state, input, outcome);
}

static int64_t due_at(const void *state)
{
    return reservations_due_at(state);
}

static bool due(const void *state, int64_t now_ms, struct message *outcome)
{
    return reservations_due(state, now_ms, outcome);
}

static const struct service_reaction reactions[] = {
    {MESSAGE_RequestReservation, 2, {MESSAGE_ReservationRequested, MESSAGE_Refused}},
    {MESSAGE_ChangeReservation, 2, {MESSAGE_ChangeRequested, MESSAGE_Refused}},
    {MESSAGE_UpdateReservation, 2, {MESSAGE_ReservationUpdated, MESSAGE_Refused}},
    {MESSAGE_ExtendReservation, 2, {MESSAGE_ExtensionRequested, MESSAGE_Refused}},
    {MESSAGE_CancelReservation, 2, {MESSAGE_CancellationRequested, MESSAGE_Refused}},
    {MESSAGE_CheckInTicket, 3, {MESSAGE_TicketCheckedIn, MESSAGE_CheckInRejected, MESSAGE_Refused}},
    {MESSAGE_TransferTicket, 2, {MESSAGE_TicketTransferred, MESSAGE_Refused}},
    {MESSAGE_HoldRejected, 1, {MESSAGE_ReservationRejected}},
    {MESSAGE_HoldReleased, 1, {MESSAGE_ReservationReleased}},
    {MESSAGE_SeatsReturned, 1, {MESSAGE_ReservationCancelled}},
    {MESSAGE_ReleaseRejected, 1, {MESSAGE_CancellationRejected}},
    {MESSAGE_HoldExpired, 1, {MESSAGE_ReservationExpired}},
    {MESSAGE_SeatsSold, 1, {MESSAGE_ReservationConfirmed}},
    {MESSAGE_ShowCancelled, 1, {MESSAGE_ShowCancellationStarted}},
    {MESSAGE_ShowArchived, 1, {MESSAGE_ReservationsArchived}},
    {MESSAGE_NONE, 2, {MESSAGE_CancellationRequested, MESSAGE_ShowCancellationFinished}},
};

static const enum message_type finals[] = {
    MESSAGE_ReservationRejected,  MESSAGE_ReservationUpdated,      MESSAGE_ReservationReleased,
    MESSAGE_ReservationCancelled, MESSAGE_CancellationRejected,    MESSAGE_ReservationExpired,
    MESSAGE_ReservationConfirmed, MESSAGE_TicketCheckedIn,         MESSAGE_CheckInRejected,
    MESSAGE_TicketTransferred,    MESSAGE_ShowCancellationStarted, MESSAGE_ShowCancellationFinished,
    MESSAGE_ReservationsArchived,
};

const struct service_descriptor reservations_service = {
    .name = "reservations",
    .keeps = "the bookings",
    .speaker = SPEAKER_reservations,
    .inputs = {TOPIC_RESERVATIONS_COMMANDS, TOPIC_SHOWS_EVENTS},
    .input_count = 2,
    .output = TOPIC_RESERVATIONS_EVENTS,
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
