/* Walks along with the judge. */
#include "tests/sim/coverage.h"

#include <string.h>

enum { STORM = 5 };

void coverage_open(struct coverage *coverage, struct world *world)
{
    *coverage = (struct coverage){.world = world};
    memset(coverage->claims, -1, sizeof coverage->claims);
}

void coverage_release(struct coverage *coverage)
{
    map_release(&coverage->holds);
    arena_release(&coverage->arena);
}

void coverage_record(struct coverage *coverage, const struct place *place,
                     const struct bus_record *record)
{
    int64_t *claim = &coverage->claims[place->topic][place->partition];
    struct stamp stamp;
    if (!topic_is_events(place->topic))
        return;
    if (text_is(record_header(record, "ce_type", NULL), "stagedoor.bus.Claimed"))
        *claim = place->offset;
    else if (stamp_parse(record_header(record, "sd_stamp", NULL), &stamp) && stamp.claim < *claim)
        world_count(coverage->world, POINT_late_behind_a_newer_claim);
}

static void set_stage(struct coverage *coverage, const struct message *event, enum point point)
{
    enum point *stage = map_find(&coverage->holds, event->reservation_id);
    if (!stage) {
        stage = arena_take(&coverage->arena, sizeof *stage);
        map_insert_take(&coverage->holds, arena_text(&coverage->arena, event->reservation_id),
                        stage);
    }
    *stage = point;
}

static void count_cancel(struct coverage *coverage, const struct message *event)
{
    const enum point *stage = map_find(&coverage->holds, event->reservation_id);
    world_count(coverage->world, stage ? *stage : POINT_cancel_of_nothing);
}

static void note(struct coverage *coverage, const struct message *event)
{
    switch ((int)event->type) {
    case MESSAGE_SeatsHeld:
        set_stage(coverage, event, POINT_cancel_of_a_hold);
        return;
    case MESSAGE_HoldExtended:
        if (event->cause == cause_checkout)
            set_stage(coverage, event, POINT_cancel_while_paying);
        if (event->cause == cause_pin)
            set_stage(coverage, event, POINT_cancel_while_pinned);
        return;
    case MESSAGE_SeatsSold:
        set_stage(coverage, event, POINT_cancel_of_a_sale);
        return;
    case MESSAGE_ReleaseRejected:
        count_cancel(coverage, event);
        return;
    case MESSAGE_HoldReleased:
    case MESSAGE_SeatsReturned:
        count_cancel(coverage, event);
        set_stage(coverage, event, POINT_cancel_after_the_end);
        return;
    case MESSAGE_HoldExpired:
        set_stage(coverage, event, POINT_cancel_after_the_end);
        return;
    }
}

void coverage_event(void *context, const struct place *place, const struct message *event,
                    struct text source, struct text value)
{
    struct coverage *coverage = context;
    int *in_a_row = &coverage->expired_in_a_row[place->partition];
    (void)source, (void)value;
    if (place->topic != TOPIC_SHOWS_EVENTS)
        return;
    *in_a_row = event->type == MESSAGE_HoldExpired ? *in_a_row + 1 : 0;
    if (*in_a_row == STORM)
        world_count(coverage->world, POINT_expiry_storm);
    note(coverage, event);
}
