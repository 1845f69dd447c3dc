/* Folding what was decided: the only writer of the state. */
#include "services/reservations/reservations_core_state.h"

#include <assert.h>

/* ---- making and freeing ---------------------------------------------------------------------- */

struct reservations *reservations_new(void)
{
    return memory_new(sizeof(struct reservations));
}

static void free_ticket(struct ticket *ticket)
{
    for (int i = 0; i < ticket->door_count; i++)
        text_free(&ticket->doors[i].list_id);
    memory_free(ticket->doors);
    recent_release(&ticket->commands);
}

static void free_booking(struct booking *booking)
{
    for (int64_t i = 0; booking->tickets && i < booking->ticket_count; i++)
        free_ticket(&booking->tickets[i]);
    for (int i = 0; i < booking->pending_count; i++)
        text_free(&booking->pending[i].request_id);
    text_free(&booking->reservation_id);
    text_free(&booking->fingerprint);
    recent_release(&booking->commands);
    memory_free(booking->tickets);
    memory_free(booking->cancelled);
    memory_free(booking->pending);
    memory_free(booking);
}

static void free_bookings(struct house *house)
{
    for (size_t i = 0; i < house->booking_count; i++)
        free_booking(house->bookings[i]);
    memory_free(house->bookings);
    house->bookings = NULL;
    house->booking_count = 0;
}

void reservations_free(struct reservations *reservations)
{
    for (size_t i = 0; i < reservations->house_count; i++) {
        struct house *house = reservations->house_list[i];
        free_bookings(house);
        text_free(&house->show_id);
        memory_free(house);
    }
    memory_free(reservations->house_list);
    map_release(&reservations->bookings);
    map_release(&reservations->houses);
    heap_release(&reservations->due);
    memory_free(reservations);
}

static struct house *house_of(struct reservations *reservations, struct text show_id)
{
    struct house *house = house_find(reservations, show_id);
    if (house)
        return house;
    house = memory_new(sizeof *house);
    house->show_id = text_copy(show_id);
    house->due.seq = reservations->house_count;
    map_insert_take(&reservations->houses, house->show_id, house);
    reservations->house_list =
        memory_append(reservations->house_list, reservations->house_count++, house);
    return house;
}

/* ---- requests and refusals ------------------------------------------------------------------- */

static void add(struct reservations *reservations, const struct message *outcome,
                enum booking_status status)
{
    struct house *house = house_of(reservations, outcome->show_id);
    struct booking *booking = memory_new(sizeof *booking);
    booking->reservation_id = text_copy(outcome->reservation_id);
    booking->house = house;
    if (message_has(outcome, fingerprint))
        booking->fingerprint = text_copy(outcome->fingerprint);
    booking->status = status;
    booking->commands.capacity = BOOKING_COMMANDS_REMEMBERED;
    house->bookings = memory_append(house->bookings, house->booking_count++, booking);
    map_insert_take(&reservations->bookings, booking->reservation_id, booking);
}

/* Something happened to the ticket: from now on it is remembered by itself. */
static struct ticket *ticket_of(struct reservations *reservations, const struct message *outcome)
{
    int64_t number;
    struct booking *booking = booking_of_ticket(reservations, outcome->ticket_id, &number);
    if (booking == NULL || number > booking->ticket_count ||
        !text_equal(booking->house->show_id, outcome->show_id))
        return NULL;
    if (booking->tickets == NULL) {
        booking->tickets = memory_new((size_t)booking->ticket_count * sizeof *booking->tickets);
        for (int64_t i = 0; i < booking->ticket_count; i++)
            booking->tickets[i] = (struct ticket){
                .generation = 1, .commands = {.capacity = TICKET_COMMANDS_REMEMBERED}};
    }
    return &booking->tickets[number - 1];
}

/* A refusal is an answer: a request refused for good is a reservation that never was one. */
static void apply_refused_booking(struct reservations *reservations, const struct message *outcome)
{
    bool request = message_has(outcome, command) && text_is(outcome->command, "RequestReservation");
    struct booking *booking = booking_find(reservations, outcome);
    if (booking && !request)
        answered_remember(&booking->commands, outcome);
    else if (request && map_find(&reservations->bookings, outcome->reservation_id) == NULL)
        add(reservations, outcome, BOOKING_REFUSED);
}

static void apply_refused(struct reservations *reservations, const struct message *outcome)
{
    if (!message_has(outcome, show_id) || outcome->code == code_misrouted ||
        house_archived(reservations, outcome->show_id))
        return;
    if (message_has(outcome, reservation_id))
        apply_refused_booking(reservations, outcome);
    struct ticket *ticket =
        message_has(outcome, ticket_id) ? ticket_of(reservations, outcome) : NULL;
    if (ticket)
        answered_remember(&ticket->commands, outcome);
}

/* ---- the life of a booking ------------------------------------------------------------------- */

static void add_pending(struct booking *booking, const struct message *outcome)
{
    booking->pending = memory_grow(booking->pending,
                                   (size_t)(booking->pending_count + 1) * sizeof *booking->pending);
    struct pending *pending = &booking->pending[booking->pending_count++];
    *pending = (struct pending){
        .request_id = text_copy(outcome->id),
        .by_show = outcome->by == by_show,
        .all = !message_has(outcome, numbers),
    };
    if (!pending->all)
        pending->tickets = outcome->numbers;
}

static void apply_cancellation(struct booking *booking, const struct message *outcome)
{
    struct house *house = booking->house;
    add_pending(booking, outcome);
    answered_remember(&booking->commands, outcome);
    if (outcome->by != by_show)
        return;
    house->cancellation.next++;
    house->cancellation.unanswered++;
    house->cancellation.at_ms =
        outcome->at_ms + (++house->cancellation.asked % CANCELLATIONS_PER_MS == 0);
}

/* Shows has answered one of them. */
static void settle(struct booking *booking, const struct message *outcome)
{
    for (int i = 0; message_has(outcome, answers) && i < booking->pending_count; i++) {
        struct pending *pending = &booking->pending[i];
        if (!text_equal(pending->request_id, outcome->answers))
            continue;
        booking->house->cancellation.unanswered -= pending->by_show;
        text_free(&pending->request_id);
        *pending = booking->pending[--booking->pending_count];
        return;
    }
}

static void apply_cancelled(struct booking *booking, const struct message *outcome)
{
    if (booking->cancelled == NULL)
        booking->cancelled = memory_new(sizeof *booking->cancelled);
    numbers_join(booking->cancelled, &outcome->numbers);
    if (outcome->remaining == 0)
        booking->status = BOOKING_CANCELLED;
}

static void apply_confirmed(struct booking *booking, const struct message *outcome)
{
    booking->status = BOOKING_CONFIRMED;
    for (int i = 0; i < outcome->tickets.count; i++)
        booking->ticket_count += outcome->tickets.items[i].count;
}

static void apply_to_booking(struct booking *booking, const struct message *outcome)
{
    switch ((int)outcome->type) {
    case MESSAGE_ChangeRequested:
    case MESSAGE_ExtensionRequested:
    case MESSAGE_ReservationUpdated:
        answered_remember(&booking->commands, outcome);
        return;
    case MESSAGE_CancellationRequested:
        apply_cancellation(booking, outcome);
        return;
    case MESSAGE_CancellationRejected:
        settle(booking, outcome);
        return;
    case MESSAGE_ReservationRejected:
        booking->status = BOOKING_REJECTED;
        return;
    case MESSAGE_ReservationReleased:
        booking->status = BOOKING_RELEASED;
        settle(booking, outcome);
        return;
    case MESSAGE_ReservationCancelled:
        apply_cancelled(booking, outcome);
        settle(booking, outcome);
        return;
    case MESSAGE_ReservationExpired:
        booking->status = BOOKING_EXPIRED;
        return;
    case MESSAGE_ReservationConfirmed:
        apply_confirmed(booking, outcome);
        return;
    }
}

/* ---- tickets --------------------------------------------------------------------------------- */

static void pass_door(struct ticket *ticket, const struct message *outcome)
{
    struct door *door = NULL;
    for (int i = 0; i < ticket->door_count; i++)
        if (text_equal(ticket->doors[i].list_id, outcome->list_id))
            door = &ticket->doors[i];
    if (door == NULL) {
        ticket->doors =
            memory_grow(ticket->doors, (size_t)(ticket->door_count + 1) * sizeof *ticket->doors);
        door = &ticket->doors[ticket->door_count++];
        door->list_id = text_copy(outcome->list_id);
    }
    door->in = outcome->entry == entry_in;
    ticket->used = ticket->used || door->in;
}

/* Of a ticket that was never issued there is nothing to remember. */
static void apply_to_ticket(struct reservations *reservations, const struct message *outcome)
{
    struct buffer key = {0};
    struct ticket *ticket = ticket_of(reservations, outcome);
    bool transfer = outcome->type == MESSAGE_TicketTransferred;
    if (ticket == NULL)
        return;
    if (transfer)
        put_transfer_key(outcome->generation - 1, &key);
    else
        put_entry_key(outcome, &key);
    recent_remember(&ticket->commands, buffer_view(&key), outcome->fingerprint);
    buffer_release(&key);
    if (transfer)
        ticket->generation = outcome->generation;
    else if (outcome->type == MESSAGE_TicketCheckedIn)
        pass_door(ticket, outcome);
}

/* ---- shows that end -------------------------------------------------------------------------- */

static void apply_started(struct house *house, const struct message *outcome)
{
    house->cancellation.under_way = true;
    house->cancellation.refund = outcome->refund;
    house->cancellation.end = house->booking_count;
    house->cancellation.at_ms = outcome->at_ms;
}

static void apply_archived(struct reservations *reservations, struct house *house)
{
    for (size_t i = 0; i < house->booking_count; i++)
        map_remove(&reservations->bookings, house->bookings[i]->reservation_id);
    free_bookings(house);
    house->cancellation.under_way = false;
    house->archived = true;
}

/* Passes over what ended by itself. With everything asked, the end waits for the answers. */
static void set_due(struct reservations *reservations, struct house *house)
{
    while (house->cancellation.under_way && house->cancellation.next < house->cancellation.end &&
           !booking_open(house->bookings[house->cancellation.next]))
        house->cancellation.next++;
    if (house->cancellation.under_way &&
        (house->cancellation.next < house->cancellation.end || house->cancellation.unanswered == 0))
        heap_set_take(&reservations->due, &house->due, house->cancellation.at_ms, house->due.seq);
    else
        heap_remove(&reservations->due, &house->due);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* What a show's first word may be; anything else about a show that is not known here concerns a
 * ticket that was never issued. */
static bool opens_house(enum message_type type)
{
    return type == MESSAGE_ReservationRequested || type == MESSAGE_ShowCancellationStarted ||
           type == MESSAGE_ReservationsArchived;
}

static void apply_to_house(struct reservations *reservations, struct house *house,
                           const struct message *outcome)
{
    struct booking *booking;
    switch ((int)outcome->type) {
    case MESSAGE_ShowCancellationStarted:
        apply_started(house, outcome);
        return;
    case MESSAGE_ShowCancellationFinished:
        house->cancellation.under_way = false;
        return;
    case MESSAGE_ReservationsArchived:
        apply_archived(reservations, house);
        return;
    case MESSAGE_ReservationRequested:
        add(reservations, outcome, BOOKING_REQUESTED);
        return;
    case MESSAGE_TicketCheckedIn:
    case MESSAGE_CheckInRejected:
    case MESSAGE_TicketTransferred:
        apply_to_ticket(reservations, outcome);
        return;
    }
    booking = booking_find(reservations, outcome);
    assert(booking != NULL);
    apply_to_booking(booking, outcome);
}

void reservations_apply(struct reservations *reservations, const struct message *outcome)
{
    if (outcome->type == MESSAGE_Refused) {
        apply_refused(reservations, outcome);
        return;
    }
    struct house *house = opens_house(outcome->type) ? house_of(reservations, outcome->show_id)
                                                     : house_find(reservations, outcome->show_id);
    if (house == NULL)
        return;
    apply_to_house(reservations, house, outcome);
    set_due(reservations, house);
}
