/* The fold of reservations.events: what was asked for, and what became of it. */
#include "audit/book.h"

/* ---- looking up ------------------------------------------------------------------------------ */

static struct booking *booking_named(const struct book *book, struct text reservation_id)
{
    struct booking *booking = map_find(&book->bookings, reservation_id);
    return booking && !booking->show->bookings_archived ? booking : NULL;
}

struct booking *find_booking(const struct book *book, const struct message *message)
{
    struct booking *booking =
        message_has(message, reservation_id) ? booking_named(book, message->reservation_id) : NULL;
    return booking && text_equal(booking->show->show_id, message->show_id) ? booking : NULL;
}

static bool is_open(const struct booking *booking)
{
    return booking->state == BOOKING_REQUESTED || booking->state == BOOKING_CONFIRMED;
}

static void set_state(struct booking *booking, enum booking_state state)
{
    booking->show->open_bookings -= is_open(booking);
    booking->state = state;
    booking->show->open_bookings += is_open(booking);
}

static void add_booking(struct hearing *hearing, enum booking_state state)
{
    const struct message *event = hearing->event;
    struct audit *audit = hearing->audit;
    struct booking *booking = keep(audit, sizeof *booking);
    map_remove(&hearing->book->bookings, event->reservation_id);
    booking->reservation_id = keep_text(audit, event->reservation_id);
    booking->show = show_of(audit, hearing->book, event->show_id);
    booking->state = BOOKING_REFUSED;
    booking->commands.capacity = BOOKING_COMMANDS;
    if (message_has(event, fingerprint))
        booking->fingerprint = keep_text(audit, event->fingerprint);
    map_insert_take(&hearing->book->bookings, booking->reservation_id, booking);
    list_add(&audit->bookings, booking);
    list_add(&booking->show->bookings, booking);
    set_state(booking, state);
}

/* ---- cancellations --------------------------------------------------------------------------- */

static struct numbers valid_tickets(const struct booking *booking)
{
    struct numbers tickets = first_numbers(booking->ticket_count);
    if (booking->cancelled)
        numbers_remove(&tickets, booking->cancelled);
    return tickets;
}

bool is_pending(const struct booking *booking, int64_t number)
{
    for (const struct pending *pending = booking->pending; pending; pending = pending->next)
        if (pending->all || numbers_has(&pending->numbers, number))
            return true;
    return false;
}

static bool any_pending(const struct booking *booking, const struct message *request)
{
    if (!message_has(request, numbers))
        return booking->pending != NULL;
    for (int64_t number = 0; (number = numbers_next(&request->numbers, number)) != 0;)
        if (is_pending(booking, number))
            return true;
    return false;
}

static void check_request_by_show(struct hearing *hearing, struct booking *booking)
{
    const struct message *event = hearing->event;
    struct show *show = booking->show;
    if (event->by != by_show || event->expect != expect_any || message_has(event, numbers))
        BREACH(hearing, 14, "a timer cancels for a show that is cancelled only, and all of it");
    if (!show->winding_up || show->wound_up)
        BREACH(hearing, 14, "the show's cancellation is not under way");
    show->asked_by_show++;
}

static void fold_cancellation(struct hearing *hearing, struct booking *booking)
{
    const struct message *event = hearing->event;
    struct numbers valid = valid_tickets(booking);
    if (hearing->timer)
        check_request_by_show(hearing, booking);
    else if (any_pending(booking, event))
        BREACH(hearing, 11, "a cancellation of these tickets is under way already");
    if (!is_open(booking))
        BREACH(hearing, 11, "there was nothing left to cancel");
    if (message_has(event, numbers) && !numbers_within(&event->numbers, &valid))
        BREACH(hearing, 11, "one of these tickets was not issued, or is cancelled already");
    if (event->expect !=
        (hearing->timer || booking->state == BOOKING_CONFIRMED ? expect_any : expect_hold))
        BREACH(hearing, 14, "it expects another state than the reservation has");
    struct pending *pending = keep(hearing->audit, sizeof *pending);
    pending->id = keep_text(hearing->audit, event->id);
    pending->by_show = event->by == by_show;
    pending->all = !message_has(event, numbers);
    if (!pending->all)
        pending->numbers = event->numbers;
    pending->next = booking->pending;
    booking->pending = pending;
}

/* Shows has answered one of them. */
static void settle(struct hearing *hearing, struct booking *booking)
{
    const struct message *event = hearing->event;
    if (hearing->input && !both_same(message_has(event, answers), event->answers,
                                     hearing->input->cause_id.size > 0, hearing->input->cause_id))
        BREACH(hearing, 14, "it answers another cancellation than shows did");
    for (struct pending **at = &booking->pending; *at; at = &(*at)->next)
        if (message_has(event, answers) && text_equal((*at)->id, event->answers)) {
            booking->show->answered_by_show += (*at)->by_show;
            *at = (*at)->next;
            return;
        }
    BREACH(hearing, 14, "it answers a cancellation that nobody asked for");
}

static void fold_cancelled(struct hearing *hearing, struct booking *booking)
{
    const struct message *event = hearing->event;
    struct numbers valid = valid_tickets(booking);
    if (!numbers_within(&event->numbers, &valid))
        BREACH(hearing, 11, "a ticket is cancelled that is not valid: twice, or never issued");
    if (hearing->input && (!numbers_within(&event->numbers, &hearing->input->numbers) ||
                           !numbers_within(&hearing->input->numbers, &event->numbers)))
        BREACH(hearing, 11, "other tickets are cancelled than came back");
    if (booking->cancelled == NULL)
        booking->cancelled = keep(hearing->audit, sizeof *booking->cancelled);
    numbers_join(booking->cancelled, &event->numbers);
    valid = valid_tickets(booking);
    if (event->remaining != numbers_count(&valid))
        BREACH(hearing, 11, "%lld tickets are left, not %lld", (long long)numbers_count(&valid),
               (long long)event->remaining);
    settle(hearing, booking);
    if (numbers_count(&valid) == 0)
        set_state(booking, BOOKING_CANCELLED);
}

/* ---- tickets are what was sold: 11 ----------------------------------------------------------- */

static void fold_confirmed(struct hearing *hearing, struct booking *booking)
{
    const struct message *event = hearing->event;
    const struct lines *sold = hearing->input ? &hearing->input->lines : NULL;
    int64_t next = 1;
    if (booking->ticket_count)
        BREACH(hearing, 11, "its tickets were given out before");
    for (int i = 0; i < event->tickets.count; i++) {
        const struct ticket_range *range = &event->tickets.items[i];
        if (range->first != next)
            BREACH(hearing, 11,
                   "its tickets begin at %lld, not at %lld: a number is missing or "
                   "there twice",
                   (long long)range->first, (long long)next);
        next += range->count;
        if (sold && (i >= sold->count || range->count != sold->items[i].quantity ||
                     !text_equal(range->tier_id, sold->items[i].tier_id)))
            BREACH(hearing, 11, "tickets for %lld seats of tier '%.*s' are not what was sold",
                   (long long)range->count, TEXT_PRINT(range->tier_id));
    }
    if (hearing->input && next - 1 != hearing->input->quantity)
        BREACH(hearing, 11, "%lld tickets for %lld seats", (long long)(next - 1),
               (long long)hearing->input->quantity);
    booking->ticket_count = next - 1;
    set_state(booking, BOOKING_CONFIRMED);
}

/* ---- what was asked for is what goes on ------------------------------------------------------ */

static bool same_wanted(const struct message *a, const struct message *b)
{
    bool same = a->wanted.count == b->wanted.count;
    for (int i = 0; same && i < a->wanted.count; i++)
        same = text_equal(a->wanted.items[i].tier_id, b->wanted.items[i].tier_id) &&
               a->wanted.items[i].quantity == b->wanted.items[i].quantity;
    return same;
}

static void check_request(struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    bool same = true;
    if (input == NULL || message_role(input->type) != ROLE_COMMAND)
        return;
    if (message_has(event, wanted))
        same = same && same_wanted(event, input);
    if (message_has(event, channel))
        same = same && event->channel == input->channel;
    if (message_has(event, until_at_ms))
        same = same && event->until_at_ms == input->until_at_ms;
    if (message_has(event, by))
        same = same && event->by == input->by && event->refund == input->refund;
    same = same && both_same(message_has(event, party), event->party, message_has(input, party),
                             input->party);
    same = same && both_same(message_has(event, fingerprint), event->fingerprint,
                             message_has(input, fingerprint), input->fingerprint);
    if (!same)
        BREACH(hearing, 14, "it goes on with something else than the %s said",
               message_name(input->type));
}

static void check_reason(struct hearing *hearing)
{
    if (hearing->input && message_has(hearing->input, reason) &&
        hearing->event->reason != hearing->input->reason)
        BREACH(hearing, 5, "shows said %s, it says %s", reason_name(hearing->input->reason),
               reason_name(hearing->event->reason));
}

static void fold_of_booking(struct hearing *hearing, struct booking *booking)
{
    switch ((int)hearing->event->type) {
    case MESSAGE_ChangeRequested:
    case MESSAGE_ExtensionRequested:
        if (booking->state != BOOKING_REQUESTED)
            BREACH(hearing, 3, "the seats of this reservation are not held any more");
        break;
    case MESSAGE_CancellationRequested:
        fold_cancellation(hearing, booking);
        break;
    case MESSAGE_CancellationRejected:
        check_reason(hearing);
        settle(hearing, booking);
        break;
    case MESSAGE_ReservationRejected:
        check_reason(hearing);
        set_state(booking, BOOKING_REJECTED);
        break;
    case MESSAGE_ReservationReleased:
        settle(hearing, booking);
        set_state(booking, BOOKING_RELEASED);
        break;
    case MESSAGE_ReservationCancelled:
        fold_cancelled(hearing, booking);
        break;
    case MESSAGE_ReservationExpired:
        set_state(booking, BOOKING_EXPIRED);
        break;
    case MESSAGE_ReservationConfirmed:
        fold_confirmed(hearing, booking);
        break;
    }
    if (hearing->input && message_role(hearing->input->type) == ROLE_COMMAND)
        remember_answer(&booking->commands, hearing->event);
}

/* ---- shows that end -------------------------------------------------------------------------- */

static void fold_started(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    if (event->open != show->open_bookings)
        BREACH(hearing, 4, "%lld reservations are open, not %lld", (long long)show->open_bookings,
               (long long)event->open);
    if (hearing->input && hearing->input->refund != event->refund)
        BREACH(hearing, 12, "the show was cancelled with another refund");
    show->winding_up = true;
    show->winding_place = hearing->place;
    show->winding_ms = hearing->append_ms;
    show->bookings_at_cancellation = show->bookings.count;
}

static void fold_finished(struct hearing *hearing, struct show *show)
{
    int64_t open = 0;
    if (!show->winding_up || show->asked_by_show != show->answered_by_show)
        BREACH(hearing, 4, "%lld of %lld cancellations are not answered yet",
               (long long)(show->asked_by_show - show->answered_by_show),
               (long long)show->asked_by_show);
    for (size_t i = 0; i < show->bookings_at_cancellation; i++)
        open += is_open(show->bookings.items[i]);
    if (open)
        BREACH(hearing, 4, "%lld reservations are still open: nobody cancelled them",
               (long long)open);
    show->wound_up = true;
}

static void fold_refused(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    const struct show *show = find_show(hearing->book, event);
    bool request = message_has(event, command) && text_is(event->command, "RequestReservation");
    if (!message_has(event, show_id) || event->code == code_misrouted ||
        (show && show->bookings_archived))
        return;
    struct booking *booking = find_booking(hearing->book, event);
    if (booking && !request)
        remember_answer(&booking->commands, event);
    else if (request && message_has(event, reservation_id) &&
             booking_named(hearing->book, event->reservation_id) == NULL)
        add_booking(hearing, BOOKING_REFUSED);
    if (message_has(event, ticket_id))
        fold_ticket(hearing);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void fold_of_show(struct hearing *hearing, struct show *show)
{
    const struct message *event = hearing->event;
    switch ((int)event->type) {
    case MESSAGE_ShowCancellationStarted:
        fold_started(hearing, show);
        return;
    case MESSAGE_ShowCancellationFinished:
        fold_finished(hearing, show);
        return;
    case MESSAGE_ReservationsArchived:
        show->bookings_archived = true;
        return;
    case MESSAGE_TicketCheckedIn:
    case MESSAGE_CheckInRejected:
    case MESSAGE_TicketTransferred:
        fold_ticket(hearing);
        return;
    case MESSAGE_ReservationRequested:
        if (booking_named(hearing->book, event->reservation_id))
            BREACH(hearing, 4, "reservation %.*s was asked for before",
                   TEXT_PRINT(event->reservation_id));
        else
            add_booking(hearing, BOOKING_REQUESTED);
        return;
    }
    struct booking *booking = find_booking(hearing->book, event);
    if (booking)
        fold_of_booking(hearing, booking);
    else
        BREACH(hearing, event->type == MESSAGE_ReservationConfirmed ? 11 : 14,
               "%s of reservation %.*s, which nobody asked for", message_name(event->type),
               TEXT_PRINT(event->reservation_id));
}

void fold_booking(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    if (event->type == MESSAGE_Refused) {
        fold_refused(hearing);
        return;
    }
    struct show *show = show_of(hearing->audit, hearing->book, event->show_id);
    check_request(hearing);
    if (show->bookings_archived)
        BREACH(hearing, 14, "the reservations of this show are archived");
    fold_of_show(hearing, show);
}

enum answer answer_of_reservations(struct audit *audit, const struct book *book,
                                   const struct message *input)
{
    const struct show *show = find_show(book, input);
    const struct booking *booking = find_booking(book, input);
    if (message_role(input->type) != ROLE_COMMAND) {
        bool of_show = input->type == MESSAGE_ShowCancelled || input->type == MESSAGE_ShowArchived;
        return of_show || booking ? ANSWER_MUST : ANSWER_NONE;
    }
    if (show && show->bookings_archived)
        return ANSWER_MUST;
    if (message_has(input, ticket_id))
        return answer_at_the_door(audit, book, input);
    if (booking == NULL)
        return ANSWER_MUST;
    bool repeat =
        input->type == MESSAGE_RequestReservation
            ? text_equal(booking->fingerprint, input->fingerprint)
            : recent_ask(&booking->commands, input->id, input->fingerprint) == RECENT_REPEAT;
    return repeat ? ANSWER_NONE : ANSWER_MUST;
}

void bookings_at_rest(struct audit *audit)
{
    for (size_t i = 0; i < audit->shows.count; i++) {
        const struct show *show = audit->shows.items[i];
        if (show->winding_up && !show->wound_up && !show->bookings_archived)
            breach_at(audit, 15, &show->winding_place, show->winding_ms,
                      "the cancellation of show '%.*s' was never finished: %lld reservations are "
                      "open",
                      TEXT_PRINT(show->show_id), (long long)show->open_bookings);
    }
}
