/* One event at a time: what each service said goes into its own fields, and nothing is concluded
 * here. */
#include "api/view.h"

#include "base/memory.h"

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
    show->partition = place->partition;
    show->offset = place->offset;
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

static void remember_for_show(struct show *show, const struct message *event)
{
    show->replays_dirty |= remember(&show->replays, event) != NULL;
}

/* ShowCreated and ShowUpdated carry everything. */
static void describe(struct view *view, const struct message *event, const struct place *place)
{
    struct show *show = view_show(view, event->show_id);
    bool fresh = show == NULL;
    if (fresh)
        show = view_show_new(event->show_id);
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
    take_after(show, event);
    remember_for_show(show, event);
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

/* The first words about a reservation make it; only later ones ask the store, for it left the
 * hot view finished. */
static struct reservation *reservation_of(struct view *view, const struct message *event,
                                          const struct place *place)
{
    bool first = event->type == MESSAGE_ReservationRequested || event->type == MESSAGE_SeatsHeld ||
                 event->type == MESSAGE_HoldRejected;
    struct reservation *reservation = first ? map_find(&view->reservations, event->reservation_id)
                                            : view_reservation(view, event->reservation_id);
    if (reservation == NULL) {
        reservation = view_reservation_new(event->reservation_id, message_has(event, show_id)
                                                                      ? event->show_id
                                                                      : (struct text){NULL, 0});
        map_insert_take(&view->reservations, text_of(reservation->reservation_id), reservation);
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
    if (reservation->booking == BOOKING_UNKNOWN)
        reservation->booking = BOOKING_REQUESTED;
    if (reservation->priced)
        return;
    view_set_lines(reservation, &event->wanted);
    reservation->quantity = 0;
    for (int i = 0; i < event->wanted.count; i++)
        reservation->quantity += event->wanted.items[i].quantity;
}

/* CancellationRequested names the command; its answer, maybe read first, names
 * CancellationRequested. */
static struct replay *replay_of_event(struct replays *replays, struct text event_id)
{
    for (int i = replays->count - 1; i >= 0; i--)
        if (replays->items[i].event_id[0] && text_is(event_id, replays->items[i].event_id))
            return &replays->items[i];
    struct replay *replay = view_replay_add(replays);
    view_set(replay->event_id, sizeof replay->event_id, event_id);
    return replay;
}

static void take_cancellation(struct reservation *reservation, const struct message *event)
{
    struct replay *replay = replay_of_event(&reservation->replays, event->id);
    if (event->cause_id.size < UUID_SIZE)
        view_set(replay->command_id, sizeof replay->command_id, event->cause_id);
    if (message_has(event, fingerprint))
        view_set(replay->fingerprint, sizeof replay->fingerprint, event->fingerprint);
}

static void answer_cancellation(struct reservation *reservation, const struct message *event)
{
    struct replay *replay = replay_of_event(&reservation->replays, event->cause_id);
    replay->answer = event->type;
    if (event->type == MESSAGE_ReleaseRejected)
        replay->reason = event->reason;
}

static void take_start(struct reservation *reservation, const struct message *event)
{
    struct attempt *attempt = attempt_of(reservation, event->payment_id);
    attempt->method = event->method;
    if (attempt->money == MONEY_UNKNOWN)
        attempt->money = MONEY_STARTED;
    if (message_has(event, fingerprint))
        view_set(attempt->fingerprint, sizeof attempt->fingerprint, event->fingerprint);
    for (int i = 0; message_has(event, supersedes) && i < reservation->attempt_count; i++)
        if (text_is(event->supersedes, reservation->attempts[i].payment_id))
            reservation->attempts[i].superseded = true;
}

static void take_extension(struct reservation *reservation, const struct message *event)
{
    if (event->type == MESSAGE_HoldExtended)
        reservation->expires_at_ms = event->expires_at_ms;
    if (!message_has(event, payment_id))
        return;
    struct attempt *attempt = attempt_of(reservation, event->payment_id);
    if (event->type == MESSAGE_ExtensionRejected) {
        attempt->extension = EXTENSION_REJECTED;
        attempt->seats_reason = event->reason;
        return;
    }
    attempt->extension = EXTENSION_GRANTED;
    attempt->pay_by_ms = message_has(event, pay_by_ms) ? event->pay_by_ms : event->expires_at_ms;
}

static void take_sale(struct reservation *reservation, const struct message *event)
{
    struct attempt *attempt = attempt_of(reservation, event->payment.payment_id);
    attempt->method = event->payment.method;
    if (event->type == MESSAGE_SaleRejected) {
        attempt->extension = EXTENSION_SALE_REJECTED;
        attempt->seats_reason = event->reason;
        return;
    }
    attempt->extension = EXTENSION_SOLD;
    reservation->seats = SEATS_SOLD;
    price(reservation, event);
}

static void take_hold(struct reservation *reservation, const struct message *event)
{
    reservation->seats = SEATS_HELD;
    reservation->amount_minor = event->amount_minor;
    reservation->expires_at_ms = event->expires_at_ms;
    view_set(reservation->currency, sizeof reservation->currency, event->currency);
    price(reservation, event);
}

static void take_refund(struct reservation *reservation, const struct message *event)
{
    view_set(reservation->refund_id, sizeof reservation->refund_id, event->refund_id);
    reservation->refund_amount_minor = event->amount_minor;
    reservation->refund_manual = event->manual;
}

static void take_money(struct reservation *reservation, const struct message *event)
{
    bool paid = event->type == MESSAGE_PaymentSucceeded;
    struct attempt *attempt =
        attempt_of(reservation, paid ? event->payment.payment_id : event->payment_id);
    attempt->money = paid ? MONEY_SUCCEEDED : MONEY_REJECTED;
    if (paid)
        attempt->method = event->payment.method;
    else
        attempt->money_reason = event->reason;
}

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
        answer_cancellation(reservation, event);
        break;
    case MESSAGE_SeatsReturned:
        reservation->seats = SEATS_RETURNED;
        answer_cancellation(reservation, event);
        break;
    case MESSAGE_ReleaseRejected:
        answer_cancellation(reservation, event);
        break;
    case MESSAGE_HoldExpired:
        reservation->seats = SEATS_EXPIRED;
        break;
    }
}

static void apply_reservations(struct reservation *reservation, const struct message *event,
                               const struct place *place)
{
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
        take_cancellation(reservation, event);
        break;
    case MESSAGE_ReservationReleased:
        reservation->booking = BOOKING_RELEASED;
        break;
    case MESSAGE_ReservationCancelled:
        reservation->remaining = event->remaining;
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

static void apply_checkout(struct reservation *reservation, const struct message *event)
{
    switch ((int)event->type) {
    case MESSAGE_CheckoutStarted:
        take_start(reservation, event);
        break;
    case MESSAGE_PaymentSucceeded:
    case MESSAGE_CheckoutRejected:
        take_money(reservation, event);
        break;
    case MESSAGE_RefundRequested:
        take_refund(reservation, event);
        break;
    }
}

/* ---- refusals -------------------------------------------------------------------------------- */

static bool refuses_request(const struct message *event)
{
    return event->code != code_conflict && message_has(event, command) &&
           text_is(event->command, message_name(MESSAGE_RequestReservation));
}

/* A refusal makes no reservation, unless it is the request's own. */
static void apply_refused(struct view *view, const struct message *event, const struct place *place)
{
    struct reservation *reservation;
    if (!message_has(event, reservation_id)) {
        struct show *show = message_has(event, show_id) ? view_show(view, event->show_id) : NULL;
        if (show == NULL || place->topic != TOPIC_SHOWS_EVENTS)
            return; /* a show's position is one of shows.events */
        remember_for_show(show, event);
        touch_show(view, show, place);
        return;
    }
    reservation = refuses_request(event) ? reservation_of(view, event, place)
                                         : view_reservation(view, event->reservation_id);
    if (reservation == NULL)
        return;
    if (refuses_request(event) && reservation->booking == BOOKING_UNKNOWN) {
        reservation->booking = BOOKING_REFUSED;
        reservation->refused_code = event->code;
        reservation->created_at_ms = event->at_ms;
        if (message_has(event, fingerprint))
            view_set(reservation->fingerprint, sizeof reservation->fingerprint, event->fingerprint);
    }
    remember(&reservation->replays, event);
    reservation->offsets[place->topic / 2] = place->offset;
    view_touch(view, reservation);
}

void view_apply(struct view *view, const struct message *event, const struct place *place)
{
    assert(topic_is_events(place->topic));
    if (event->type == MESSAGE_Refused) {
        apply_refused(view, event, place);
        return;
    }
    if (event->type == MESSAGE_ShowCreated || event->type == MESSAGE_ShowUpdated) {
        describe(view, event, place);
        return;
    }
    if (!message_has(event, reservation_id)) {
        change_show(view, event, place);
        return;
    }
    struct reservation *reservation = reservation_of(view, event, place);
    if (place->topic == TOPIC_SHOWS_EVENTS) {
        count_seats(view, event, place);
        apply_shows(reservation, event, place);
    } else if (place->topic == TOPIC_RESERVATIONS_EVENTS) {
        apply_reservations(reservation, event, place);
    } else {
        apply_checkout(reservation, event);
    }
    view_touch(view, reservation);
}
