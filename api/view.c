/* Finding, and what follows from what was said. */
#include "api/view.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

void view_release(struct view *view)
{
    for (size_t i = 0; i < view->reservations.capacity; i++)
        for (struct reservation *next, *each = view->reservations.slots[i].value; each;
             each = next) {
            next = each->namesake;
            view_reservation_free(each);
        }
    for (size_t i = 0; i < view->shows.capacity; i++)
        view_show_free(view->shows.slots[i].value);
    map_release(&view->reservations);
    map_release(&view->shows);
    memory_free(view->list);
    *view = (struct view){0};
}

struct show *view_show(const struct view *view, struct text show_id)
{
    struct show *show = map_find(&view->shows, show_id);
    return show && show->created ? show : NULL;
}

static bool comes_before(const struct show *a, const struct show *b)
{
    if (a->starts_at_ms != b->starts_at_ms)
        return a->starts_at_ms < b->starts_at_ms;
    return strcmp(a->show_id, b->show_id) < 0;
}

/* Puts a show into the list, or to its new place in it when its time has changed. */
static void list_show(struct view *view, struct show *show)
{
    int at = 0;
    while (at < view->show_count && view->list[at] != show)
        at++;
    if (at == view->show_count) {
        if (view->show_count == view->list_capacity) {
            view->list_capacity = view->list_capacity ? view->list_capacity * 2 : 16;
            view->list =
                memory_grow(view->list, (size_t)view->list_capacity * sizeof(struct show *));
        }
        view->list[view->show_count++] = show;
    }
    for (; at > 0 && comes_before(show, view->list[at - 1]); at--)
        view->list[at] = view->list[at - 1];
    for (; at + 1 < view->show_count && comes_before(view->list[at + 1], show); at++)
        view->list[at] = view->list[at + 1];
    view->list[at] = show;
}

void view_take_show(struct view *view, struct show *show)
{
    if (map_find(&view->shows, text_of(show->show_id)) == NULL)
        map_insert_take(&view->shows, text_of(show->show_id), show);
    if (show->created)
        list_show(view, show);
}

static void settle(struct view *view, struct reservation *reservation)
{
    if (reservation->settled || !view_may_leave(reservation))
        return;
    reservation->settled = true;
    reservation->next_settled = view->settled;
    view->settled = reservation;
}

void view_take_reservation(struct view *view, struct reservation *reservation)
{
    struct text id = text_of(reservation->reservation_id);
    struct reservation *first = map_find(&view->reservations, id);
    if (first == NULL) {
        map_insert_take(&view->reservations, id, reservation);
    } else {
        reservation->namesake = first->namesake;
        first->namesake = reservation;
    }
    settle(view, reservation);
}

void view_let_go(struct view *view, struct reservation *reservation)
{
    struct reservation *first = map_find(&view->reservations, text_of(reservation->reservation_id));
    if (first == reservation) {
        map_remove(&view->reservations, text_of(reservation->reservation_id));
        first = reservation->namesake;
        if (first)
            map_insert_take(&view->reservations, text_of(first->reservation_id), first);
    } else {
        while (first->namesake != reservation)
            first = first->namesake;
        first->namesake = reservation->namesake;
    }
    view->store_is_early |=
        !view_is_requested(reservation) || reservation->booking == BOOKING_REFUSED;
    view_reservation_free(reservation);
}

void view_touch(struct view *view, struct reservation *reservation)
{
    settle(view, reservation);
    if (reservation->dirty)
        return;
    reservation->dirty = true;
    reservation->next_dirty = view->dirty;
    view->dirty = reservation;
}

static struct reservation *load(struct view *view, struct text reservation_id, struct text show_id)
{
    if (view->store.load == NULL)
        return NULL;
    struct reservation *reservation = view->store.load(view->store.self, reservation_id, show_id);
    if (reservation)
        view_take_reservation(view, reservation);
    return reservation;
}

struct reservation *view_reservation(struct view *view, struct text reservation_id)
{
    struct reservation *found = NULL;
    for (struct reservation *each = map_find(&view->reservations, reservation_id); each;
         each = each->namesake)
        if (view_is_requested(each) && (!found || strcmp(each->show_id, found->show_id) < 0))
            found = each;
    return found ? found : load(view, reservation_id, (struct text){NULL, 0});
}

struct reservation *view_reservation_of(struct view *view, struct text show_id,
                                        struct text reservation_id)
{
    for (struct reservation *each = map_find(&view->reservations, reservation_id); each;
         each = each->namesake)
        if (text_is(show_id, each->show_id))
            return each;
    return load(view, reservation_id, show_id);
}

/* ---- status ---------------------------------------------------------------------------------- */

bool view_is_requested(const struct reservation *reservation)
{
    return reservation->booking != BOOKING_UNKNOWN || reservation->seats != SEATS_UNKNOWN;
}

bool view_attempt_is_open(const struct attempt *attempt)
{
    return !attempt->superseded && !attempt->closed && attempt->extension <= EXTENSION_GRANTED;
}

const struct attempt *view_attempt(const struct reservation *reservation)
{
    const struct attempt *found = NULL;
    for (int i = 0; i < reservation->attempt_count; i++) {
        const struct attempt *attempt = &reservation->attempts[i];
        bool open = view_attempt_is_open(attempt);
        if (attempt->extension == EXTENSION_SOLD)
            return attempt;
        if (found == NULL || open > view_attempt_is_open(found) ||
            (open == view_attempt_is_open(found) &&
             attempt->started_offset > found->started_offset))
            found = attempt;
    }
    return found;
}

const struct attempt *view_attempt_of(const struct reservation *reservation, struct text payment_id)
{
    for (int i = 0; i < reservation->attempt_count; i++)
        if (text_is(payment_id, reservation->attempts[i].payment_id))
            return &reservation->attempts[i];
    return NULL;
}

const struct repayment *view_repayment_of(const struct reservation *reservation,
                                          struct text refund_id)
{
    for (int i = 0; i < reservation->repayment_count; i++)
        if (text_is(refund_id, reservation->repayments[i].refund_id))
            return &reservation->repayments[i];
    return NULL;
}

/* Held, and what its open attempts make of it. */
static enum reservation_status status_of_hold(const struct reservation *reservation)
{
    enum reservation_status status = STATUS_HELD;
    for (int i = 0; i < reservation->attempt_count; i++) {
        const struct attempt *attempt = &reservation->attempts[i];
        if (!view_attempt_is_open(attempt))
            continue;
        if (attempt->money == MONEY_UNKNOWN)
            return STATUS_PAYMENT_UNKNOWN;
        status = STATUS_PAYING;
    }
    return status;
}

/* The last words come first: whichever service is read ahead of the others, the answer is the
 * latest. */
enum reservation_status view_status(const struct reservation *reservation)
{
    enum booking booking = reservation->booking;
    enum seats seats = reservation->seats;
    if (booking == BOOKING_CANCELLED || seats == SEATS_RETURNED)
        return STATUS_CANCELLED;
    if (booking == BOOKING_CONFIRMED)
        return STATUS_CONFIRMED;
    if (seats == SEATS_SOLD)
        return STATUS_PAYING;
    if (seats == SEATS_REJECTED || booking == BOOKING_REJECTED || booking == BOOKING_REFUSED)
        return STATUS_REJECTED;
    if (seats == SEATS_RELEASED || booking == BOOKING_RELEASED)
        return STATUS_RELEASED;
    if (seats == SEATS_EXPIRED || booking == BOOKING_EXPIRED)
        return STATUS_EXPIRED;
    return seats == SEATS_HELD ? status_of_hold(reservation) : STATUS_REQUESTED;
}

bool view_is_finished(const struct reservation *reservation)
{
    enum seats seats = reservation->seats;
    switch (reservation->booking) {
    case BOOKING_UNKNOWN: /* its first words may still be on their way */
        return false;
    case BOOKING_REQUESTED: /* of an archived show reservations has nothing more to say */
        return seats == SEATS_REJECTED && reservation->refusal.reason == reason_archived;
    case BOOKING_REFUSED:
        return true;
    case BOOKING_REJECTED:
        return seats == SEATS_REJECTED;
    case BOOKING_RELEASED:
        return seats == SEATS_RELEASED;
    case BOOKING_EXPIRED:
        return seats == SEATS_EXPIRED;
    case BOOKING_CONFIRMED:
        return seats == SEATS_SOLD;
    case BOOKING_CANCELLED:
        return seats == SEATS_RETURNED;
    }
    return false;
}

bool view_may_leave(const struct reservation *reservation)
{
    return view_is_finished(reservation) || !view_is_requested(reservation);
}

/* ---- tickets --------------------------------------------------------------------------------- */

bool view_ticket_is_valid(const struct reservation *reservation, int64_t number)
{
    return view_status(reservation) == STATUS_CONFIRMED &&
           !numbers_has(&reservation->returned, number) &&
           !numbers_has(&reservation->cancelled, number);
}

int64_t view_seat_count(const struct reservation *reservation)
{
    struct numbers gone = reservation->returned;
    numbers_join(&gone, &reservation->cancelled);
    return reservation->quantity - numbers_count(&gone);
}

const struct ticket_state *view_ticket(const struct reservation *reservation, int64_t number)
{
    for (int i = 0; i < reservation->state_count; i++)
        if (reservation->states[i].number == number)
            return &reservation->states[i];
    return NULL;
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *view_status_name(enum reservation_status status)
{
    static const char *const names[] = {"requested", "rejected",        "held",
                                        "paying",    "payment_unknown", "confirmed",
                                        "released",  "expired",         "cancelled"};
    return names[status];
}

enum show_status view_show_status(const struct show *show, int64_t now_ms)
{
    if (show->archived)
        return SHOW_ARCHIVED;
    if (show->cancelled)
        return SHOW_CANCELLED;
    if (show->off_sale_at_ms && now_ms >= show->off_sale_at_ms)
        return SHOW_CLOSED;
    if (show->paused)
        return SHOW_PAUSED;
    return now_ms < show->on_sale_at_ms ? SHOW_SCHEDULED : SHOW_ON_SALE;
}

const char *view_show_status_name(enum show_status status)
{
    static const char *const names[] = {"scheduled", "on_sale",   "paused",
                                        "closed",    "cancelled", "archived"};
    return names[status];
}

const struct block *view_block(const struct show *show, struct text block_id)
{
    for (int i = 0; i < show->block_count; i++)
        if (text_is(block_id, show->blocks[i].block_id))
            return &show->blocks[i];
    return NULL;
}

int view_tier(const struct show *show, struct text tier_id)
{
    for (int i = 0; i < show->tier_count; i++)
        if (text_equal(show->tiers[i].tier_id, tier_id))
            return i;
    return -1;
}
