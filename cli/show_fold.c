/* A booking is three columns: what shows, reservations and checkout said of it. */
#include "cli/show_fold.h"

#include "base/memory.h"
#include "base/uuid.h"

#include <assert.h>
#include <stdio.h>

enum hold { HOLD_NONE, HOLD_REJECTED, HOLD_HELD, HOLD_SOLD, HOLD_RELEASED, HOLD_EXPIRED };

struct booking {
    char reservation_id[UUID_SIZE];
    /* shows */
    enum hold hold;
    int64_t quantity;                /* seats asked for, then held or sold */
    char refused_payment[UUID_SIZE]; /* of the last SaleRejected */
    /* reservations */
    bool confirmed, rejected;
    int64_t tickets_left;
    /* checkout */
    char payment_id[UUID_SIZE]; /* of the current attempt */
    bool attempt_ended, unknown;
};

static struct booking *booking_of(struct show_fold *fold, struct text reservation_id)
{
    struct booking *booking = map_find(&fold->by_id, reservation_id);
    if (booking)
        return booking;
    booking = memory_new(sizeof *booking);
    snprintf(booking->reservation_id, sizeof booking->reservation_id, "%.*s",
             TEXT_PRINT(reservation_id));
    map_insert_take(&fold->by_id, text_of(booking->reservation_id), booking);
    fold->bookings = memory_append(fold->bookings, fold->booking_count, booking);
    fold->booking_count++;
    return booking;
}

static int64_t quantity_of(const struct lines *lines)
{
    int64_t sum = 0;
    for (int i = 0; i < lines->count; i++)
        sum += lines->items[i].quantity;
    return sum;
}

/* ---- what shows said ------------------------------------------------------------------------- */
static void take_after(struct show_fold *fold, const struct message *event)
{
    fold->after = event->after;
    fold->has_after = true;
    fold->seq = event->seq;
    for (int i = 0; i < event->after.tier_count; i++) {
        if (!text_equal(fold->tier_ids[i], event->after.tiers[i].tier_id)) {
            text_free(&fold->tier_ids[i]);
            fold->tier_ids[i] = text_copy(event->after.tiers[i].tier_id);
        }
        fold->after.tiers[i].tier_id = fold->tier_ids[i];
    }
}

static void take_block(struct show_fold *fold, const struct message *event)
{
    int at = 0;
    while (at < fold->block_count && !text_equal(fold->blocks[at].block_id, event->block_id))
        at++;
    if (at == fold->block_count) {
        fold->blocks =
            memory_grow(fold->blocks, (size_t)(fold->block_count + 1) * sizeof *fold->blocks);
        fold->blocks[fold->block_count++] = (struct block){text_copy(event->block_id), 0};
    }
    fold->blocks[at].quantity = event->block_quantity;
}

static void take_show(struct show_fold *fold, const struct follower_item *item)
{
    const struct message *event = &item->message;
    switch ((int)event->type) {
    case MESSAGE_ShowCreated:
    case MESSAGE_ShowUpdated:
        record_list_add(&fold->described, FOLLOWER_MESSAGE, item);
        break;
    case MESSAGE_SaleOpened:
    case MESSAGE_SalePaused:
        fold->paused = event->type == MESSAGE_SalePaused;
        break;
    case MESSAGE_ShowCancelled:
        fold->cancelled = true;
        break;
    case MESSAGE_ShowArchived:
        fold->archived = true;
        break;
    case MESSAGE_BlockSet:
        take_block(fold, event);
        break;
    }
}

static void take_hold(struct booking *booking, const struct message *event)
{
    switch ((int)event->type) {
    case MESSAGE_SeatsHeld:
        booking->hold = HOLD_HELD;
        break;
    case MESSAGE_HoldRejected:
        booking->hold = HOLD_REJECTED;
        break;
    case MESSAGE_SeatsSold:
        booking->hold = HOLD_SOLD;
        break;
    case MESSAGE_HoldReleased:
        booking->hold = HOLD_RELEASED;
        break;
    case MESSAGE_HoldExpired:
        booking->hold = HOLD_EXPIRED;
        break;
    case MESSAGE_SaleRejected:
        snprintf(booking->refused_payment, sizeof booking->refused_payment, "%.*s",
                 TEXT_PRINT(event->payment.payment_id));
        break;
    case MESSAGE_SeatsReturned:
        return; /* its quantity is what went back */
    }
    if (message_has(event, quantity))
        booking->quantity = event->quantity;
}

static void take_of_shows(struct show_fold *fold, const struct follower_item *item)
{
    const struct message *event = &item->message;
    if (event->type == MESSAGE_Refused)
        return;
    if (message_has(event, after)) {
        take_after(fold, event);
        fold->known = true;
        fold->place = item->place;
        fold->last_ms = item->record->append_ms;
    }
    if (message_has(event, reservation_id))
        take_hold(booking_of(fold, event->reservation_id), event);
    else
        take_show(fold, item);
}

/* ---- what reservations and checkout said ----------------------------------------------------- */
static int64_t ticket_count(const struct tickets *tickets)
{
    int64_t sum = 0;
    for (int i = 0; i < tickets->count; i++)
        sum += tickets->items[i].count;
    return sum;
}

static void take_of_reservations(struct show_fold *fold, const struct message *event)
{
    if (!message_has(event, reservation_id) || event->type == MESSAGE_Refused)
        return;
    struct booking *booking = booking_of(fold, event->reservation_id);
    switch ((int)event->type) {
    case MESSAGE_ReservationRequested:
        if (booking->quantity == 0)
            booking->quantity = quantity_of(&event->wanted);
        break;
    case MESSAGE_ReservationRejected:
        booking->rejected = true;
        break;
    case MESSAGE_ReservationConfirmed:
        booking->confirmed = true;
        booking->tickets_left = ticket_count(&event->tickets);
        break;
    case MESSAGE_ReservationCancelled:
        booking->tickets_left = event->remaining;
        break;
    }
}

static bool is_current(const struct booking *booking, struct text payment_id)
{
    return text_is(payment_id, booking->payment_id);
}

static void take_of_checkout(struct show_fold *fold, const struct message *event)
{
    if (!message_has(event, reservation_id) || event->type == MESSAGE_Refused)
        return;
    struct booking *booking = booking_of(fold, event->reservation_id);
    struct text payment_id =
        message_has(event, payment) ? event->payment.payment_id : event->payment_id;
    if (event->type == MESSAGE_CheckoutStarted) {
        snprintf(booking->payment_id, sizeof booking->payment_id, "%.*s", TEXT_PRINT(payment_id));
        booking->attempt_ended = booking->unknown = false;
    }
    if (!is_current(booking, payment_id))
        return;
    if (event->type == MESSAGE_PaymentFailed || event->type == MESSAGE_CheckoutRejected ||
        event->type == MESSAGE_PaymentAbandoned)
        booking->attempt_ended = true;
    if (event->type == MESSAGE_PaymentUnknown || event->type == MESSAGE_PaymentSucceeded)
        booking->unknown = event->type == MESSAGE_PaymentUnknown;
}

void show_fold_take(struct show_fold *fold, const struct follower_item *item)
{
    const struct message *event = &item->message;
    if (!message_has(event, show_id) || !text_equal(event->show_id, fold->show_id))
        return;
    switch (item->place.topic) {
    case TOPIC_SHOWS_EVENTS:
        take_of_shows(fold, item);
        break;
    case TOPIC_RESERVATIONS_EVENTS:
        take_of_reservations(fold, event);
        break;
    case TOPIC_CHECKOUT_EVENTS:
        take_of_checkout(fold, event);
        break;
    }
}

/* ---- what it comes to ------------------------------------------------------------------------ */
static enum booking_status status_of(const struct booking *booking)
{
    bool paying = booking->payment_id[0] && !booking->attempt_ended &&
                  strcmp(booking->payment_id, booking->refused_payment) != 0;
    if (booking->hold == HOLD_REJECTED || booking->rejected)
        return BOOKING_rejected;
    if (booking->confirmed)
        return booking->tickets_left ? BOOKING_confirmed : BOOKING_cancelled;
    switch (booking->hold) {
    case HOLD_RELEASED:
        return BOOKING_released;
    case HOLD_EXPIRED:
        return BOOKING_expired;
    case HOLD_SOLD:
        return BOOKING_paying;
    case HOLD_HELD:
        if (paying && booking->unknown)
            return BOOKING_payment_unknown;
        return paying ? BOOKING_paying : BOOKING_held;
    case HOLD_NONE:
    case HOLD_REJECTED:
        break;
    }
    return BOOKING_requested;
}

void show_fold_count(const struct show_fold *fold,
                     struct booking_count counts[BOOKING_STATUS_COUNT])
{
    memset(counts, 0, BOOKING_STATUS_COUNT * sizeof *counts);
    for (size_t i = 0; i < fold->booking_count; i++) {
        const struct booking *booking = fold->bookings[i];
        enum booking_status status = status_of(booking);
        counts[status].reservations++;
        counts[status].seats +=
            status == BOOKING_confirmed ? booking->tickets_left : booking->quantity;
    }
}

const char *booking_status_name(enum booking_status status)
{
    static const char *const names[] = {
#define STATUS(name) #name,
        BOOKING_STATUSES(STATUS)
#undef STATUS
    };
    assert(status < BOOKING_STATUS_COUNT);
    return names[status];
}

const char *show_fold_status(const struct show_fold *fold, const struct message *show,
                             int64_t now_ms)
{
    if (fold->archived)
        return "archived";
    if (fold->cancelled)
        return "cancelled";
    if (fold->paused)
        return "paused";
    if (now_ms < show->on_sale_at_ms)
        return "not yet on sale";
    return now_ms < show->off_sale_at_ms ? "on sale" : "sale closed";
}

void show_fold_release(struct show_fold *fold)
{
    map_release(&fold->by_id);
    for (size_t i = 0; i < fold->booking_count; i++)
        memory_free(fold->bookings[i]);
    memory_free(fold->bookings);
    for (int i = 0; i < fold->block_count; i++)
        text_free(&fold->blocks[i].block_id);
    memory_free(fold->blocks);
    for (int i = 0; i < TIERS_MAX; i++)
        text_free(&fold->tier_ids[i]);
    record_list_release(&fold->described);
}
