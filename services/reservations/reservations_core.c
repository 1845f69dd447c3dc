/* Bookings: which question goes where, and what shows says about them. */
#include "services/reservations/reservations_core.h"

#include "base/arena.h"
#include "schemas/ticket.h"
#include "services/reservations/reservations_core_state.h"

#include <assert.h>

/* ---- looking up ------------------------------------------------------------------------------ */

struct house *house_find(const struct reservations *reservations, struct text show_id)
{
    return map_find(&reservations->houses, show_id);
}

bool house_archived(const struct reservations *reservations, struct text show_id)
{
    const struct house *house = house_find(reservations, show_id);
    return house && house->archived;
}

struct booking *booking_find(const struct reservations *reservations, const struct message *message)
{
    struct booking *booking = map_find(&reservations->bookings, message->reservation_id);
    return booking && text_equal(booking->house->show_id, message->show_id) ? booking : NULL;
}

struct booking *booking_of_ticket(const struct reservations *reservations, struct text ticket_id,
                                  int64_t *number)
{
    struct text reservation_id;
    bool good = ticket_id_parse(ticket_id, &reservation_id, number);
    return good ? map_find(&reservations->bookings, reservation_id) : NULL;
}

struct numbers tickets_valid(const struct booking *booking)
{
    struct numbers tickets = {{0}};
    numbers_add_range(&tickets, 1, booking->ticket_count);
    if (booking->cancelled)
        numbers_remove(&tickets, booking->cancelled);
    return tickets;
}

struct numbers tickets_pending(const struct booking *booking)
{
    struct numbers tickets = {{0}};
    for (int i = 0; i < booking->pending_count; i++)
        if (booking->pending[i].all)
            numbers_add_range(&tickets, 1, booking->ticket_count);
        else
            numbers_join(&tickets, &booking->pending[i].tickets);
    return tickets;
}

bool booking_open(const struct booking *booking)
{
    switch (booking->status) {
    case BOOKING_REQUESTED:
    case BOOKING_CONFIRMED:
        return true;
    case BOOKING_REFUSED:
    case BOOKING_REJECTED:
    case BOOKING_RELEASED:
    case BOOKING_EXPIRED:
    case BOOKING_CANCELLED:
        return false;
    }
    return false;
}

struct ticket ticket_at(const struct booking *booking, int64_t number)
{
    assert(number >= 1 && number <= booking->ticket_count);
    return booking->tickets ? booking->tickets[number - 1]
                            : (struct ticket){.generation = 1,
                                              .commands = {.capacity = TICKET_COMMANDS_REMEMBERED}};
}

bool ticket_in(const struct ticket *ticket, struct text list_id)
{
    for (int i = 0; i < ticket->door_count; i++)
        if (text_equal(ticket->doors[i].list_id, list_id))
            return ticket->doors[i].in;
    return false;
}

void put_transfer_key(int64_t generation, struct buffer *key)
{
    buffer_byte(key, '\n');
    buffer_i64(key, generation);
}

void put_entry_key(const struct message *message, struct buffer *key)
{
    buffer_byte(key, '\n');
    buffer_text(key, message->list_id);
    buffer_byte(key, '/');
    buffer_text(key, message->nonce);
}

/* ---- what shows says ------------------------------------------------------------------------- */

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

static void put_tickets(const struct message *input, struct message *outcome)
{
    struct tickets tickets = {.count = input->lines.count};
    int64_t first = 1;
    for (int i = 0; i < input->lines.count; i++) {
        const struct line *line = &input->lines.items[i];
        tickets.items[i] = (struct ticket_range){line->tier_id, first, line->quantity};
        first += line->quantity;
    }
    message_set(outcome, reference, reference_of(input->reservation_id, outcome->arena));
    message_set(outcome, tickets, tickets);
}

/* Of a booking, every answer begins alike; one to a cancellation names its request, because
 * whoever folds this sees outcomes only. */
static void open_answer(const struct message *input, enum message_type type,
                        struct message *outcome)
{
    message_init(outcome, type);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    if (message_may(type, FIELD_answers) && input->cause_id.size)
        message_set(outcome, answers, input->cause_id);
}

static bool decide_cancelled(const struct booking *booking, const struct message *input,
                             struct message *outcome)
{
    struct numbers left = tickets_valid(booking);
    numbers_remove(&left, &input->numbers);
    open_answer(input, MESSAGE_ReservationCancelled, outcome);
    message_copy(outcome, input, numbers);
    message_set(outcome, remaining, numbers_count(&left));
    return true;
}

/* Of a booking that is not known here, a newer owner took the request and we have not read its
 * claim yet, or the show is archived: nothing we say would count. */
static bool decide_answer(const struct reservations *reservations, const struct message *input,
                          struct message *outcome)
{
    const struct booking *booking =
        message_has(input, reservation_id) ? booking_find(reservations, input) : NULL;
    if (booking == NULL)
        return false;
    switch ((int)input->type) {
    case MESSAGE_HoldRejected:
        open_answer(input, MESSAGE_ReservationRejected, outcome);
        message_copy(outcome, input, reason);
        message_copy(outcome, input, available);
        return true;
    case MESSAGE_HoldReleased:
        open_answer(input, MESSAGE_ReservationReleased, outcome);
        return true;
    case MESSAGE_SeatsReturned:
        return decide_cancelled(booking, input, outcome);
    case MESSAGE_ReleaseRejected:
        open_answer(input, MESSAGE_CancellationRejected, outcome);
        message_copy(outcome, input, reason);
        return true;
    case MESSAGE_HoldExpired:
        open_answer(input, MESSAGE_ReservationExpired, outcome);
        return true;
    case MESSAGE_SeatsSold:
        open_answer(input, MESSAGE_ReservationConfirmed, outcome);
        put_tickets(input, outcome);
        return true;
    }
    return false;
}

static bool decide_show_cancelled(const struct reservations *reservations,
                                  const struct message *input, struct message *outcome)
{
    const struct house *house = house_find(reservations, input->show_id);
    int64_t open = 0;
    for (size_t i = 0; house && i < house->booking_count; i++)
        open += booking_open(house->bookings[i]);
    message_init(outcome, MESSAGE_ShowCancellationStarted);
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, refund);
    message_set(outcome, open, open);
    return true;
}

bool reservations_decide(const struct reservations *reservations, const struct message *input,
                         struct message *outcome)
{
    switch ((int)input->type) {
    case MESSAGE_RequestReservation:
    case MESSAGE_ChangeReservation:
    case MESSAGE_UpdateReservation:
    case MESSAGE_ExtendReservation:
    case MESSAGE_CancelReservation:
        return decide_booking_command(reservations, input, outcome);
    case MESSAGE_CheckInTicket:
        return decide_entry(reservations, input, outcome);
    case MESSAGE_TransferTicket:
        return decide_transfer(reservations, input, outcome);
    case MESSAGE_ShowCancelled:
        return decide_show_cancelled(reservations, input, outcome);
    case MESSAGE_ShowArchived:
        message_init(outcome, MESSAGE_ReservationsArchived);
        message_copy(outcome, input, show_id);
        return true;
    }
    return decide_answer(reservations, input, outcome);
}

/* ---- the timer: winding up a cancelled show -------------------------------------------------- */

int64_t reservations_due_at(const struct reservations *reservations)
{
    const struct heap_node *first = heap_first(&reservations->due);
    return first ? first->at_ms : INT64_MAX;
}

bool reservations_due(const struct reservations *reservations, int64_t now_ms,
                      struct message *outcome)
{
    if (reservations_due_at(reservations) > now_ms)
        return false;
    const struct house *house = memory_owner(heap_first(&reservations->due), struct house, due);
    if (house->cancellation.next == house->cancellation.end) {
        message_init(outcome, MESSAGE_ShowCancellationFinished);
        message_set(outcome, show_id, house->show_id);
        return true;
    }
    const struct booking *booking = house->bookings[house->cancellation.next];
    message_init(outcome, MESSAGE_CancellationRequested);
    message_set(outcome, show_id, house->show_id);
    message_set(outcome, reservation_id, booking->reservation_id);
    message_set(outcome, expect, expect_any);
    message_set(outcome, by, by_show);
    message_set(outcome, refund, house->cancellation.refund);
    return true;
}
