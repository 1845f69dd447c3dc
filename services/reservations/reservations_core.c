/* Bookings: two commands, and the answers of shows. */
#include "services/reservations/reservations_core.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/recent.h"
#include "schemas/refusal.h"

#include <assert.h>

enum { BOOKING_COMMANDS_REMEMBERED = 16 };

enum booking_status {
    BOOKING_REFUSED,
    BOOKING_REQUESTED,
    BOOKING_REJECTED,
    BOOKING_CONFIRMED,
    BOOKING_RELEASED,
    BOOKING_EXPIRED,
    BOOKING_CANCELLED
};

struct booking {
    struct text reservation_id;
    struct text show_id;
    struct text fingerprint; /* of its RequestReservation */
    enum booking_status status;
    bool cancelling; /* shows has been asked and has not answered yet */
    struct recent commands;
};

struct reservations {
    struct map bookings; /* reservation_id → struct booking */
    struct booking **list;
    size_t count;
};

/* ---- deciding -------------------------------------------------------------------------------- */

static struct booking *find(const struct reservations *reservations, const struct message *message)
{
    struct booking *booking = map_find(&reservations->bookings, message->reservation_id);
    return booking && text_equal(booking->show_id, message->show_id) ? booking : NULL;
}

static bool same_tier_twice(const struct lines *lines)
{
    for (int i = 0; i < lines->count; i++)
        for (int k = 0; k < i; k++)
            if (text_equal(lines->items[i].tier_id, lines->items[k].tier_id))
                return true;
    return false;
}

static bool decide_request(const struct reservations *reservations, const struct message *input,
                           struct message *outcome)
{
    const struct booking *booking = map_find(&reservations->bookings, input->reservation_id);
    if (booking && text_equal(booking->show_id, input->show_id) &&
        text_equal(booking->fingerprint, input->fingerprint))
        return false;
    if (booking)
        return refuse(outcome, input, code_conflict, "reservation_id",
                      "there is a reservation with this id already, and it asked for something "
                      "else");
    if (same_tier_twice(&input->wanted))
        return refuse(outcome, input, code_invalid, "lines",
                      "two lines name the same tier; add their quantities");
    message_init(outcome, MESSAGE_ReservationRequested);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_copy(outcome, input, wanted);
    message_copy(outcome, input, holder);
    message_copy(outcome, input, channel);
    message_copy(outcome, input, party);
    message_copy(outcome, input, fingerprint);
    return true;
}

static bool refuse_cancel(const struct booking *booking, const struct message *input,
                          struct message *outcome)
{
    if (input->by == by_show)
        return refuse(outcome, input, code_invalid, "by", "must be customer or staff");
    if (booking->cancelling)
        return refuse(outcome, input, code_wrong_state, NULL,
                      "a cancellation of this reservation is under way");
    switch (booking->status) {
    case BOOKING_REQUESTED:
    case BOOKING_CONFIRMED:
        return false;
    case BOOKING_REFUSED:
    case BOOKING_REJECTED:
    case BOOKING_RELEASED:
    case BOOKING_EXPIRED:
    case BOOKING_CANCELLED:
        break;
    }
    return refuse(outcome, input, code_wrong_state, NULL,
                  "there is nothing left to cancel in this reservation");
}

static bool decide_cancel(const struct reservations *reservations, const struct message *input,
                          struct message *outcome)
{
    const struct booking *booking = find(reservations, input);
    bool any;
    if (booking == NULL)
        return refuse(outcome, input, code_not_found, "reservation_id",
                      "there is no such reservation for this show");
    if (answered_before(&booking->commands, input, outcome, &any))
        return any;
    if (refuse_cancel(booking, input, outcome))
        return true;
    message_init(outcome, MESSAGE_CancellationRequested);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    /* Who cancels a hold must not lose tickets that were bought in the meantime. */
    message_set(outcome, expect, booking->status == BOOKING_CONFIRMED ? expect_any : expect_hold);
    message_copy(outcome, input, why);
    message_copy(outcome, input, by);
    message_copy(outcome, input, refund);
    message_copy(outcome, input, fingerprint);
    return true;
}

/* What the customer reads out at the door: the first 40 bits of the id in Crockford's base 32. */
static struct text reference_of(struct text reservation_id, struct arena *arena)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char reference[8];
    uint64_t high = 0, rest = 0;
    bool good =
        text_to_hex64((struct text){arena_print(arena, "%.8s%.4s%.4s", reservation_id.data,
                                                reservation_id.data + 9, reservation_id.data + 14)
                                        .data,
                                    16},
                      &high);
    assert(good);
    rest = high >> 24;
    for (int i = 7; i >= 0; i--, rest >>= 5)
        reference[i] = digits[rest & 31];
    return arena_text(arena, text_from(reference, sizeof reference));
}

static bool decide_confirmation(const struct message *input, struct message *outcome)
{
    struct tickets tickets = {.count = input->lines.count};
    int64_t first = 1;
    for (int i = 0; i < input->lines.count; i++) {
        const struct line *line = &input->lines.items[i];
        tickets.items[i] = (struct ticket_range){line->tier_id, first, line->quantity};
        first += line->quantity;
    }
    message_init(outcome, MESSAGE_ReservationConfirmed);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_set(outcome, reference, reference_of(input->reservation_id, outcome->arena));
    message_set(outcome, tickets, tickets);
    return true;
}

static bool answer(const struct message *input, enum message_type type, struct message *outcome)
{
    message_init(outcome, type);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    switch ((int)type) {
    case MESSAGE_ReservationRejected:
        message_copy(outcome, input, reason);
        message_copy(outcome, input, available);
        break;
    case MESSAGE_CancellationRejected:
        message_copy(outcome, input, reason);
        break;
    case MESSAGE_ReservationCancelled:
        message_set(outcome, remaining, 0);
        break;
    }
    return true;
}

/* What shows says. Of a booking that is not known here, a newer owner took the request, and we have
 * not read its claim yet: nothing we say would count. */
static bool decide_answer(const struct reservations *reservations, const struct message *input,
                          struct message *outcome)
{
    if (!message_has(input, reservation_id) || find(reservations, input) == NULL)
        return false;
    switch ((int)input->type) {
    case MESSAGE_HoldRejected:
        return answer(input, MESSAGE_ReservationRejected, outcome);
    case MESSAGE_HoldReleased:
        return answer(input, MESSAGE_ReservationReleased, outcome);
    case MESSAGE_SeatsReturned:
        return answer(input, MESSAGE_ReservationCancelled, outcome);
    case MESSAGE_ReleaseRejected:
        return answer(input, MESSAGE_CancellationRejected, outcome);
    case MESSAGE_HoldExpired:
        return answer(input, MESSAGE_ReservationExpired, outcome);
    case MESSAGE_SeatsSold:
        return decide_confirmation(input, outcome);
    }
    return false;
}

bool reservations_decide(const struct reservations *reservations, const struct message *input,
                         struct message *outcome)
{
    switch ((int)input->type) {
    case MESSAGE_RequestReservation:
        return decide_request(reservations, input, outcome);
    case MESSAGE_CancelReservation:
        return decide_cancel(reservations, input, outcome);
    }
    return decide_answer(reservations, input, outcome);
}

/* ---- folding --------------------------------------------------------------------------------- */

static struct booking *add(struct reservations *reservations, const struct message *outcome,
                           enum booking_status status)
{
    struct booking *booking = memory_new(sizeof *booking);
    booking->reservation_id = text_copy(outcome->reservation_id);
    booking->show_id = text_copy(outcome->show_id);
    if (message_has(outcome, fingerprint))
        booking->fingerprint = text_copy(outcome->fingerprint);
    booking->status = status;
    booking->commands.capacity = BOOKING_COMMANDS_REMEMBERED;
    reservations->list = memory_append(reservations->list, reservations->count++, booking);
    map_insert_take(&reservations->bookings, booking->reservation_id, booking);
    return booking;
}

/* A refusal is an answer: a request refused for good is a reservation that never was one. */
static void apply_refused(struct reservations *reservations, const struct message *outcome)
{
    if (!message_has(outcome, reservation_id) || !message_has(outcome, show_id) ||
        outcome->code == code_misrouted)
        return;
    bool request = message_has(outcome, command) && text_is(outcome->command, "RequestReservation");
    struct booking *booking = find(reservations, outcome);
    if (booking && !request)
        answered_remember(&booking->commands, outcome);
    else if (request && map_find(&reservations->bookings, outcome->reservation_id) == NULL)
        add(reservations, outcome, BOOKING_REFUSED);
}

static void set_status(struct booking *booking, enum booking_status status)
{
    booking->status = status;
    booking->cancelling = false;
}

void reservations_apply(struct reservations *reservations, const struct message *outcome)
{
    if (outcome->type == MESSAGE_Refused) {
        apply_refused(reservations, outcome);
        return;
    }
    if (outcome->type == MESSAGE_ReservationRequested) {
        add(reservations, outcome, BOOKING_REQUESTED);
        return;
    }
    struct booking *booking = find(reservations, outcome);
    assert(booking != NULL);
    switch ((int)outcome->type) {
    case MESSAGE_CancellationRequested:
        booking->cancelling = true;
        answered_remember(&booking->commands, outcome);
        return;
    case MESSAGE_CancellationRejected:
        booking->cancelling = false;
        return;
    case MESSAGE_ReservationRejected:
        set_status(booking, BOOKING_REJECTED);
        return;
    case MESSAGE_ReservationReleased:
        set_status(booking, BOOKING_RELEASED);
        return;
    case MESSAGE_ReservationCancelled:
        set_status(booking, BOOKING_CANCELLED);
        return;
    case MESSAGE_ReservationExpired:
        booking->status = BOOKING_EXPIRED; /* a cancellation under way is still to be answered */
        return;
    case MESSAGE_ReservationConfirmed:
        booking->status = BOOKING_CONFIRMED;
        return;
    }
}

struct reservations *reservations_new(void)
{
    return memory_new(sizeof(struct reservations));
}

void reservations_free(struct reservations *reservations)
{
    for (size_t i = 0; i < reservations->count; i++) {
        struct booking *booking = reservations->list[i];
        text_free(&booking->reservation_id);
        text_free(&booking->show_id);
        text_free(&booking->fingerprint);
        recent_release(&booking->commands);
        memory_free(booking);
    }
    memory_free(reservations->list);
    map_release(&reservations->bookings);
    memory_free(reservations);
}
