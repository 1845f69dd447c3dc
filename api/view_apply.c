/* One event at a time: what each service said goes into its own fields, and nothing is concluded
 * here. */
#include "api/view.h"

#include "base/memory.h"
#include "schemas/ticket.h"

#include <assert.h>
#include <string.h>

/* ---- shows ----------------------------------------------------------------------------------- */

static void take_after(struct show *show, const struct message *event)
{
    if (!message_has(event, after))
        return;
    const struct after *after = &event->after;
    if (message_has(event, seq))
        show->seq = event->seq;
    show->capacity = after->capacity;
    show->held = after->held;
    show->sold = after->sold;
    show->blocked = after->blocked;
    show->free = after->free;
    show->oversold_by = after->oversold_by;
    for (int i = 0; i < after->tier_count; i++) {
        int tier = view_tier(show, after->tiers[i].tier_id);
        if (tier < 0)
            continue;
        show->tier_held[tier] = after->tiers[i].held;
        show->tier_sold[tier] = after->tiers[i].sold;
    }
}

static void touch_show(struct view *view, struct show *show, const struct place *place)
{
    if (place->topic == TOPIC_SHOWS_EVENTS) {
        show->partition = place->partition;
        show->offset = place->offset;
    } else if (place->topic == TOPIC_RESERVATIONS_EVENTS) {
        show->other_offset = place->offset;
    }
    show->change_count++;
    if (show->dirty)
        return;
    show->dirty = true;
    show->next_dirty = view->dirty_shows;
    view->dirty_shows = show;
}

/* A conflict is the answer to another body under the same id; what stands on record is the first
 * one's. */
static struct replay *remember(struct replays *replays, const struct message *event)
{
    if (event->type == MESSAGE_Refused && event->code == code_conflict)
        return NULL;
    if (event->cause_id.size == 0 || event->cause_id.size >= UUID_SIZE ||
        view_replay(replays, event->cause_id))
        return NULL;
    struct replay *replay = view_replay_add(replays);
    view_set(replay->command_id, sizeof replay->command_id, event->cause_id);
    if (message_has(event, fingerprint))
        view_set(replay->fingerprint, sizeof replay->fingerprint, event->fingerprint);
    replay->answer = event->type;
    if (event->type == MESSAGE_Refused) {
        replay->code = event->code;
        view_set(replay->detail, sizeof replay->detail, event->detail);
    }
    return replay;
}

/* Of an archived show every command is refused alike: nothing of it is worth its memory. */
static void remember_for_show(struct show *show, const struct message *event)
{
    if (!show->archived)
        show->replays_dirty |= remember(&show->replays, event) != NULL;
}

/* The show, created or not: another service's word about it may be read first. */
static struct show *show_of(struct view *view, struct text show_id)
{
    struct show *show = map_find(&view->shows, show_id);
    if (show == NULL) {
        show = view_show_new(show_id);
        view_take_show(view, show);
    }
    return show;
}

/* ShowCreated and ShowUpdated carry everything. */
static void describe(struct view *view, const struct message *event, const struct place *place)
{
    struct show *show = show_of(view, event->show_id);
    bool fresh = !show->created;
    show->created = true;
    view_show_set_name(show, event->name);
    view_show_set_tiers(show, &event->tiers);
    view_set(show->currency, sizeof show->currency, event->currency);
    show->starts_at_ms = event->starts_at_ms;
    show->on_sale_at_ms = event->on_sale_at_ms;
    show->off_sale_at_ms = event->off_sale_at_ms;
    show->max_per_order = event->max_per_order;
    show->max_per_person = message_has(event, max_per_person) ? event->max_per_person : 0;
    show->hold_ttl_s = event->hold_ttl_s;
    show->pay_window_s = event->pay_window_s;
    show->customer_cancel_until_ms = event->customer_cancel_until_ms;
    if (fresh && message_has(event, fingerprint))
        view_set(show->fingerprint, sizeof show->fingerprint, event->fingerprint);
    take_after(show, event);
    remember_for_show(show, event);
    touch_show(view, show, place);
    view_take_show(view, show);
}

static void cancel_show(struct show *show, const struct message *event)
{
    show->cancelled = true;
    show->cancelled_refund = event->refund;
    view_show_set_why(show, event->why);
}

static void archive_show(struct show *show)
{
    show->archived = true;
    show->replays_dirty = true;
    memory_free(show->replays.items);
    show->replays.items = NULL;
    show->replays.count = 0;
}

static void change_show(struct view *view, const struct message *event, const struct place *place)
{
    struct show *show = view_show(view, event->show_id);
    if (show == NULL) {
        view->strange_count++;
        return;
    }
    if (event->type == MESSAGE_SaleOpened || event->type == MESSAGE_SalePaused)
        show->paused = event->type == MESSAGE_SalePaused;
    if (event->type == MESSAGE_BlockSet)
        view_show_set_block(show, event->block_id, event->block_quantity,
                            message_has(event, note) ? event->note : (struct text){NULL, 0});
    if (event->type == MESSAGE_ShowCancelled)
        cancel_show(show, event);
    take_after(show, event);
    remember_for_show(show, event);
    if (event->type == MESSAGE_ShowArchived)
        archive_show(show);
    touch_show(view, show, place);
}

/* What reservations and checkout say of a show: how far its end has come. They say it only of
 * shows that exist, so whatever is made here is created sooner or later. */
static void wind_up_show(struct view *view, const struct message *event, const struct place *place)
{
    struct show *show;
    switch ((int)event->type) {
    case MESSAGE_ShowCancellationStarted:
        show = show_of(view, event->show_id);
        show->winding = WINDING_STARTED;
        show->winding_open = event->open;
        break;
    case MESSAGE_ShowCancellationFinished:
        show = show_of(view, event->show_id);
        show->winding = WINDING_FINISHED;
        break;
    case MESSAGE_ReservationsArchived:
        show = show_of(view, event->show_id);
        show->bookings_archived = true;
        break;
    case MESSAGE_PaymentsArchived:
        show = show_of(view, event->show_id);
        show->payments_archived = true;
        break;
    default: /* a newer service's: not understood here, and not in the way */
        return;
    }
    touch_show(view, show, place);
}

/* What an event about a reservation does to its show. */
static void count_seats(struct view *view, const struct message *event, const struct place *place)
{
    struct show *show = view_show(view, event->show_id);
    if (show == NULL) {
        view->strange_count += message_has(event, after);
        return;
    }
    take_after(show, event);
    touch_show(view, show, place);
}

/* ---- reservations ---------------------------------------------------------------------------- */

/* Only the first words about a requested reservation need not ask the store, unless it may have
 * something that was said before them: whatever else is said, the reservation may have left
 * finished. */
static struct reservation *reservation_of(struct view *view, const struct message *event,
                                          struct text reservation_id, const struct place *place)
{
    bool first = event->type == MESSAGE_ReservationRequested || event->type == MESSAGE_SeatsHeld ||
                 event->type == MESSAGE_HoldRejected;
    struct reservation *reservation = NULL;
    if (first && !view->store_is_early) {
        for (reservation = map_find(&view->reservations, reservation_id); reservation;
             reservation = reservation->namesake)
            if (text_is(event->show_id, reservation->show_id))
                break;
    } else {
        reservation = view_reservation_of(view, event->show_id, reservation_id);
    }
    if (reservation == NULL) {
        reservation = view_reservation_new(reservation_id, event->show_id);
        view_take_reservation(view, reservation);
    }
    reservation->offsets[place->topic / 2] = place->offset;
    return reservation;
}

static struct attempt *attempt_of(struct reservation *reservation, struct text payment_id)
{
    struct attempt *attempt = (struct attempt *)view_attempt_of(reservation, payment_id);
    return attempt ? attempt : view_add_attempt(reservation, payment_id);
}

static void reject(struct reservation *reservation, const struct message *event,
                   const struct place *place)
{
    struct refusal *refusal = &reservation->refusal;
    refusal->reason = event->reason;
    refusal->available = event->available;
    if (event->type != MESSAGE_HoldRejected)
        return;
    refusal->offset = place->offset;
    if (message_has(event, retry_after_s))
        refusal->retry_after_s = event->retry_after_s;
    if (message_has(event, seq))
        refusal->seq = event->seq;
    if (message_has(event, after)) {
        refusal->sold = event->after.sold;
        refusal->held = event->after.held;
    }
}

static void price(struct reservation *reservation, const struct message *event)
{
    view_set_lines(reservation, &event->lines);
    reservation->priced = true;
    reservation->quantity = event->quantity;
}

static void take_request(struct reservation *reservation, const struct message *event)
{
    view_set_holder(reservation, &event->holder);
    reservation->created_at_ms = event->at_ms;
    if (message_has(event, fingerprint))
        view_set(reservation->fingerprint, sizeof reservation->fingerprint, event->fingerprint);
    if (reservation->booking == BOOKING_UNKNOWN || reservation->booking == BOOKING_REFUSED)
        reservation->booking = BOOKING_REQUESTED;
    if (reservation->priced)
        return;
    view_set_lines(reservation, &event->wanted);
    reservation->quantity = 0;
    for (int i = 0; i < event->wanted.count; i++)
        reservation->quantity += event->wanted.items[i].quantity;
}

/* What is asked of shows (CancellationRequested, …) names the command; its answer, maybe read
 * first, names what was asked. */
static struct replay *replay_of_event(struct replays *replays, struct text event_id)
{
    for (int i = replays->count - 1; i >= 0; i--)
        if (replays->items[i].event_id[0] && text_is(event_id, replays->items[i].event_id))
            return &replays->items[i];
    struct replay *replay = view_replay_add(replays);
    view_set(replay->event_id, sizeof replay->event_id, event_id);
    return replay;
}

static void take_question(struct reservation *reservation, const struct message *event)
{
    struct replay *replay = replay_of_event(&reservation->replays, event->id);
    if (event->cause_id.size < UUID_SIZE)
        view_set(replay->command_id, sizeof replay->command_id, event->cause_id);
    if (message_has(event, fingerprint))
        view_set(replay->fingerprint, sizeof replay->fingerprint, event->fingerprint);
}

static void take_answer(struct reservation *reservation, const struct message *event)
{
    struct replay *replay = replay_of_event(&reservation->replays, event->cause_id);
    replay->answer = event->type;
    if (message_has(event, reason))
        replay->reason = event->reason;
    if (message_has(event, available))
        replay->available = event->available;
}

/* ---- attempts to pay ------------------------------------------------------------------------- */

static void take_start(struct reservation *reservation, const struct message *event,
                       const struct place *place)
{
    struct attempt *attempt = attempt_of(reservation, event->payment_id);
    if (attempt->extension != EXTENSION_SOLD)
        attempt->method = event->method;
    attempt->money = MONEY_STARTED;
    attempt->started_offset = place->offset;
    if (message_has(event, provider))
        view_set(attempt->provider, sizeof attempt->provider, event->provider);
    if (message_has(event, fingerprint))
        view_set(attempt->fingerprint, sizeof attempt->fingerprint, event->fingerprint);
    for (int i = 0; message_has(event, supersedes) && i < reservation->attempt_count; i++)
        if (text_is(event->supersedes, reservation->attempts[i].payment_id))
            reservation->attempts[i].superseded = true;
}

static struct text fingerprint_of(const struct message *event)
{
    return message_has(event, fingerprint) ? event->fingerprint : (struct text){NULL, 0};
}

static void record(struct attempt *attempt, enum result result, const struct message *event)
{
    attempt->recorded = 1 + (int)result;
    view_set(attempt->recorded_as, sizeof attempt->recorded_as, fingerprint_of(event));
}

static void take_money(struct reservation *reservation, const struct message *event,
                       enum money money)
{
    struct attempt *attempt = attempt_of(reservation, event->payment_id);
    attempt->money = money;
    if (money == MONEY_UNKNOWN || money == MONEY_FAILED)
        record(attempt, money == MONEY_FAILED ? result_failed : result_unknown, event);
    attempt->requested |= money == MONEY_REQUESTED;
    attempt->closed |= money == MONEY_FAILED || money == MONEY_REJECTED || money == MONEY_ABANDONED;
    if (message_has(event, reason))
        attempt->money_reason = event->reason;
    if (message_has(event, provider))
        view_set(attempt->provider, sizeof attempt->provider, event->provider);
    if (message_has(event, provider_ref))
        view_set(attempt->provider_ref, sizeof attempt->provider_ref, event->provider_ref);
    if (message_has(event, amount_minor))
        attempt->amount_minor = event->amount_minor;
    if (message_has(event, pay_by_ms) && event->pay_by_ms > attempt->pay_by_ms)
        attempt->pay_by_ms = event->pay_by_ms;
}

/* The same payment may come in by another way than the one that was sold: a sale stands. */
static void take_payment(struct reservation *reservation, const struct message *event)
{
    const struct payment *payment = &event->payment;
    struct attempt *attempt = attempt_of(reservation, payment->payment_id);
    attempt->money = MONEY_SUCCEEDED;
    record(attempt, result_succeeded, event);
    if (attempt->extension != EXTENSION_SOLD)
        attempt->method = payment->method;
    if (payment->provider.data)
        view_set(attempt->provider, sizeof attempt->provider, payment->provider);
    if (payment->provider_ref.data)
        view_set(attempt->provider_ref, sizeof attempt->provider_ref, payment->provider_ref);
}

/* What checkout and shows both say of the amount and the time is the same, but for a pin, which
 * shows alone adds. */
static void take_extension(struct reservation *reservation, const struct message *event)
{
    bool extended = event->type == MESSAGE_HoldExtended;
    if (extended)
        reservation->expires_at_ms = event->expires_at_ms;
    if (event->cause == cause_staff)
        take_answer(reservation, event);
    if (!message_has(event, payment_id))
        return;
    struct attempt *attempt = attempt_of(reservation, event->payment_id);
    int64_t pay_by_ms = 0;
    if (extended)
        pay_by_ms = message_has(event, pay_by_ms) ? event->pay_by_ms : event->expires_at_ms;
    if (pay_by_ms > attempt->pay_by_ms)
        attempt->pay_by_ms = pay_by_ms;
    if (event->cause != cause_checkout || attempt->extension != EXTENSION_UNSAID)
        return;
    attempt->extension = extended ? EXTENSION_GRANTED : EXTENSION_REJECTED;
    if (!extended)
        attempt->seats_reason = event->reason;
    else if (message_has(event, amount_minor))
        attempt->amount_minor = event->amount_minor;
}

static void take_sale(struct reservation *reservation, const struct message *event)
{
    const struct payment *payment = &event->payment;
    struct attempt *attempt = attempt_of(reservation, payment->payment_id);
    bool sold = event->type == MESSAGE_SeatsSold;
    if (attempt->extension == EXTENSION_SOLD)
        return;
    if (sold || attempt->money == MONEY_UNSAID)
        attempt->method = payment->method;
    attempt->extension = sold ? EXTENSION_SOLD : EXTENSION_SALE_REJECTED;
    if (!sold) {
        attempt->seats_reason = event->reason;
        return;
    }
    reservation->seats = SEATS_SOLD;
    price(reservation, event);
}

/* ---- holds ----------------------------------------------------------------------------------- */

static void take_amount(struct reservation *reservation, const struct message *event)
{
    reservation->amount_minor = event->amount_minor;
    view_set(reservation->currency, sizeof reservation->currency, event->currency);
    price(reservation, event);
}

static void take_hold(struct reservation *reservation, const struct message *event)
{
    reservation->seats = SEATS_HELD;
    reservation->expires_at_ms = event->expires_at_ms;
    take_amount(reservation, event);
}

static void take_return(struct reservation *reservation, const struct message *event)
{
    numbers_join(&reservation->returned, &event->numbers);
    if (numbers_count(&reservation->returned) >= reservation->quantity)
        reservation->seats = SEATS_RETURNED;
    take_answer(reservation, event);
}

/* ---- refunds --------------------------------------------------------------------------------- */

static void take_refund(struct reservation *reservation, const struct message *event)
{
    struct repayment *repayment =
        (struct repayment *)view_repayment_of(reservation, event->refund_id);
    if (repayment == NULL)
        repayment = view_add_repayment(reservation, event->refund_id);
    switch ((int)event->type) {
    case MESSAGE_RefundRequested:
        view_set(repayment->payment_id, sizeof repayment->payment_id, event->payment.payment_id);
        view_set(repayment->currency, sizeof repayment->currency, event->currency);
        repayment->amount_minor = event->amount_minor;
        repayment->manual = event->manual;
        repayment->attempt = event->attempt;
        repayment->status = REPAYMENT_REQUESTED;
        break;
    case MESSAGE_RefundFailed:
        repayment->manual = event->manual;
        repayment->status = REPAYMENT_FAILED;
        view_set(repayment->recorded_as, sizeof repayment->recorded_as, fingerprint_of(event));
        break;
    case MESSAGE_RefundCompleted:
        view_set(repayment->recorded_as, sizeof repayment->recorded_as, fingerprint_of(event));
        repayment->status = REPAYMENT_COMPLETED;
        break;
    }
}

/* ---- tickets --------------------------------------------------------------------------------- */

static struct ticket_state *ticket_of(struct reservation *reservation, const struct message *event)
{
    struct text reservation_id;
    int64_t number;
    if (!ticket_id_parse(event->ticket_id, &reservation_id, &number))
        return NULL;
    struct ticket_state *ticket = (struct ticket_state *)view_ticket(reservation, number);
    return ticket ? ticket : view_add_ticket(reservation, number);
}

static void take_check_in(struct reservation *reservation, const struct message *event)
{
    struct ticket_state *ticket = ticket_of(reservation, event);
    if (ticket == NULL)
        return;
    view_set(ticket->list_id, sizeof ticket->list_id, event->list_id);
    ticket->entry = event->entry;
    ticket->entry_at_ms = event->at_ms;
}

static void take_transfer(struct reservation *reservation, const struct message *event)
{
    struct ticket_state *ticket = ticket_of(reservation, event);
    if (ticket == NULL)
        return;
    ticket->generation = event->generation;
    view_ticket_set_holder(ticket, &event->holder);
}

/* ---- what each service says ------------------------------------------------------------------ */

static void apply_shows(struct reservation *reservation, const struct message *event,
                        const struct place *place)
{
    switch ((int)event->type) {
    case MESSAGE_SeatsHeld:
        take_hold(reservation, event);
        break;
    case MESSAGE_HoldRejected:
        reservation->seats = SEATS_REJECTED;
        reject(reservation, event, place);
        break;
    case MESSAGE_HoldExtended:
    case MESSAGE_ExtensionRejected:
        take_extension(reservation, event);
        break;
    case MESSAGE_SeatsSold:
    case MESSAGE_SaleRejected:
        take_sale(reservation, event);
        break;
    case MESSAGE_HoldReleased:
        reservation->seats = SEATS_RELEASED;
        take_answer(reservation, event);
        break;
    case MESSAGE_SeatsReturned:
        take_return(reservation, event);
        break;
    case MESSAGE_HoldResized:
        take_amount(reservation, event);
        take_answer(reservation, event);
        break;
    case MESSAGE_ResizeRejected:
    case MESSAGE_ReleaseRejected:
        take_answer(reservation, event);
        break;
    case MESSAGE_HoldExpired:
        reservation->seats = SEATS_EXPIRED;
        break;
    }
}

static void apply_reservations(struct reservation *reservation, const struct message *event,
                               const struct place *place)
{
    struct replay *replay;
    switch ((int)event->type) {
    case MESSAGE_ReservationRequested:
        take_request(reservation, event);
        break;
    case MESSAGE_ReservationRejected:
        reservation->booking = BOOKING_REJECTED;
        if (reservation->seats != SEATS_REJECTED)
            reject(reservation, event, place);
        break;
    case MESSAGE_CancellationRequested:
    case MESSAGE_ChangeRequested:
    case MESSAGE_ExtensionRequested:
        take_question(reservation, event);
        break;
    case MESSAGE_ReservationUpdated:
        if (message_has(event, holder))
            view_set_holder(reservation, &event->holder);
        if (message_has(event, note))
            view_set_note(reservation, event->note);
        remember(&reservation->replays, event);
        break;
    case MESSAGE_TicketCheckedIn:
        take_check_in(reservation, event);
        remember(&reservation->replays, event);
        break;
    case MESSAGE_TicketTransferred:
        take_transfer(reservation, event);
        remember(&reservation->replays, event);
        break;
    case MESSAGE_CheckInRejected:
        replay = remember(&reservation->replays, event);
        if (replay)
            replay->reason = event->reason;
        break;
    case MESSAGE_ReservationReleased:
        reservation->booking = BOOKING_RELEASED;
        break;
    case MESSAGE_ReservationCancelled:
        numbers_join(&reservation->cancelled, &event->numbers);
        if (event->remaining == 0)
            reservation->booking = BOOKING_CANCELLED;
        break;
    case MESSAGE_ReservationExpired:
        reservation->booking = BOOKING_EXPIRED;
        break;
    case MESSAGE_ReservationConfirmed:
        reservation->booking = BOOKING_CONFIRMED;
        view_set(reservation->reference, sizeof reservation->reference, event->reference);
        view_set_tickets(reservation, &event->tickets);
        break;
    }
}

static void apply_checkout(struct reservation *reservation, const struct message *event,
                           const struct place *place)
{
    switch ((int)event->type) {
    case MESSAGE_CheckoutStarted:
        take_start(reservation, event, place);
        break;
    case MESSAGE_PaymentRequested:
        take_money(reservation, event, MONEY_REQUESTED);
        break;
    case MESSAGE_PaymentUnknown:
        take_money(reservation, event, MONEY_UNKNOWN);
        remember(&reservation->replays, event);
        break;
    case MESSAGE_PaymentFailed:
        take_money(reservation, event, MONEY_FAILED);
        remember(&reservation->replays, event);
        break;
    case MESSAGE_PaymentAbandoned:
        take_money(reservation, event, MONEY_ABANDONED);
        break;
    case MESSAGE_CheckoutRejected:
        take_money(reservation, event, MONEY_REJECTED);
        break;
    case MESSAGE_PaymentSucceeded:
        take_payment(reservation, event);
        remember(&reservation->replays, event);
        break;
    case MESSAGE_RefundRequested:
        take_refund(reservation, event);
        break;
    case MESSAGE_RefundCompleted:
    case MESSAGE_RefundFailed:
        take_refund(reservation, event);
        remember(&reservation->replays, event);
        break;
    }
}

/* ---- refusals -------------------------------------------------------------------------------- */

static bool refuses_request(const struct message *event)
{
    return event->code != code_conflict && message_has(event, command) &&
           text_is(event->command, message_name(MESSAGE_RequestReservation));
}

/* Which reservation a refused command names; a ticket names it, too. */
static bool names_reservation(const struct message *event, struct text *reservation_id)
{
    int64_t number;
    if (!message_has(event, show_id))
        return false;
    *reservation_id =
        message_has(event, reservation_id) ? event->reservation_id : (struct text){NULL, 0};
    return reservation_id->size || (message_has(event, ticket_id) &&
                                    ticket_id_parse(event->ticket_id, reservation_id, &number));
}

static void apply_show_refused(struct view *view, const struct message *event,
                               const struct place *place)
{
    struct show *show = message_has(event, show_id) ? view_show(view, event->show_id) : NULL;
    if (show == NULL || place->topic != TOPIC_SHOWS_EVENTS)
        return; /* a show's position is one of shows.events */
    remember_for_show(show, event);
    touch_show(view, show, place);
}

/* Whether the command had been done when it was refused: a repeat that came after the books were
 * closed. What was answered first stands. */
static bool was_done(const struct reservation *reservation, const struct message *event)
{
    if (refuses_request(event))
        return reservation->booking != BOOKING_UNKNOWN && reservation->booking != BOOKING_REFUSED;
    const struct attempt *attempt =
        message_has(event, payment_id) ? view_attempt_of(reservation, event->payment_id) : NULL;
    return attempt && attempt->started_offset >= 0 &&
           text_equal(event->cause_id, event->payment_id);
}

/* A refusal makes a reservation a requested one only if it is the request's own. Of what lay in
 * the wrong partition nothing was decided: the owner of the right one has not seen it. */
static void apply_refused(struct view *view, const struct message *event, const struct place *place)
{
    struct text reservation_id;
    if (event->code == code_misrouted)
        return;
    if (!names_reservation(event, &reservation_id)) {
        apply_show_refused(view, event, place);
        return;
    }
    struct reservation *reservation = reservation_of(view, event, reservation_id, place);
    if (refuses_request(event) && reservation->booking == BOOKING_UNKNOWN) {
        reservation->booking = BOOKING_REFUSED;
        reservation->refused_code = event->code;
        reservation->created_at_ms = event->at_ms;
        if (message_has(event, fingerprint))
            view_set(reservation->fingerprint, sizeof reservation->fingerprint, event->fingerprint);
    }
    if (!was_done(reservation, event))
        remember(&reservation->replays, event);
    if (event->code == code_archived && message_has(event, payment_id) &&
        text_is(event->command, message_name(MESSAGE_RecordPayment)))
        view_set_late_payment(reservation, event->payment_id);
    view_touch(view, reservation);
}

static void apply_to_reservation(struct view *view, const struct message *event,
                                 const struct place *place)
{
    struct reservation *reservation = reservation_of(view, event, event->reservation_id, place);
    if (place->topic == TOPIC_SHOWS_EVENTS) {
        count_seats(view, event, place);
        apply_shows(reservation, event, place);
    } else if (place->topic == TOPIC_RESERVATIONS_EVENTS) {
        apply_reservations(reservation, event, place);
    } else {
        apply_checkout(reservation, event, place);
    }
    view_touch(view, reservation);
}

void view_apply(struct view *view, const struct message *event, const struct place *place)
{
    assert(topic_is_events(place->topic));
    if (event->type == MESSAGE_Refused)
        apply_refused(view, event, place);
    else if (event->type == MESSAGE_ShowCreated || event->type == MESSAGE_ShowUpdated)
        describe(view, event, place);
    else if (message_has(event, reservation_id))
        apply_to_reservation(view, event, place);
    else if (place->topic == TOPIC_SHOWS_EVENTS)
        change_show(view, event, place);
    else
        wind_up_show(view, event, place);
}
