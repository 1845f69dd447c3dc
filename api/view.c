/* Finding, and what follows from what was said. */
#include "api/view.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

void view_release(struct view *view)
{
    for (size_t i = 0; i < view->reservations.capacity; i++)
        view_reservation_free(view->reservations.slots[i].value);
    for (int i = 0; i < view->show_count; i++)
        view_show_free(view->list[i]);
    map_release(&view->reservations);
    map_release(&view->shows);
    memory_free(view->list);
    *view = (struct view){0};
}

struct show *view_show(const struct view *view, struct text show_id)
{
    return map_find(&view->shows, show_id);
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
    if (view_show(view, text_of(show->show_id)) == NULL)
        map_insert_take(&view->shows, text_of(show->show_id), show);
    list_show(view, show);
}

static void settle(struct view *view, struct reservation *reservation)
{
    if (reservation->settled || !view_is_finished(reservation))
        return;
    reservation->settled = true;
    reservation->next_settled = view->settled;
    view->settled = reservation;
}

void view_take_reservation(struct view *view, struct reservation *reservation)
{
    map_insert_take(&view->reservations, text_of(reservation->reservation_id), reservation);
    settle(view, reservation);
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

struct reservation *view_reservation(struct view *view, struct text reservation_id)
{
    struct reservation *reservation = map_find(&view->reservations, reservation_id);
    if (reservation || view->store.load == NULL)
        return reservation;
    reservation = view->store.load(view->store.self, reservation_id);
    if (reservation)
        view_take_reservation(view, reservation);
    return reservation;
}

/* ---- status ---------------------------------------------------------------------------------- */

static bool attempt_is_open(const struct attempt *attempt)
{
    return !attempt->superseded && attempt->money != MONEY_REJECTED &&
           attempt->extension != EXTENSION_REJECTED && attempt->extension != EXTENSION_SOLD &&
           attempt->extension != EXTENSION_SALE_REJECTED;
}

const struct attempt *view_attempt(const struct reservation *reservation)
{
    const struct attempt *found = NULL;
    for (int i = 0; i < reservation->attempt_count; i++) {
        const struct attempt *attempt = &reservation->attempts[i];
        if (attempt->extension == EXTENSION_SOLD)
            return attempt;
        if (found == NULL || attempt_is_open(attempt) || !attempt_is_open(found))
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

static bool is_paying(const struct reservation *reservation)
{
    for (int i = 0; i < reservation->attempt_count; i++)
        if (attempt_is_open(&reservation->attempts[i]))
            return true;
    return false;
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
    if (is_paying(reservation))
        return STATUS_PAYING;
    return seats == SEATS_HELD ? STATUS_HELD : STATUS_REQUESTED;
}

bool view_is_finished(const struct reservation *reservation)
{
    enum seats seats = reservation->seats;
    switch (reservation->booking) {
    case BOOKING_UNKNOWN: /* its first words may still be on their way */
    case BOOKING_REQUESTED:
        return false;
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

const char *view_status_name(enum reservation_status status)
{
    static const char *const names[] = {"requested", "rejected", "held",    "paying",
                                        "confirmed", "released", "expired", "cancelled"};
    return names[status];
}

enum show_status view_show_status(const struct show *show, int64_t now_ms)
{
    if (show->off_sale_at_ms && now_ms >= show->off_sale_at_ms)
        return SHOW_CLOSED;
    if (show->paused)
        return SHOW_PAUSED;
    return now_ms < show->on_sale_at_ms ? SHOW_SCHEDULED : SHOW_ON_SALE;
}

const char *view_show_status_name(enum show_status status)
{
    static const char *const names[] = {"scheduled", "on_sale", "paused", "closed"};
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
