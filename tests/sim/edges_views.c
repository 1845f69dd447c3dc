/* At rest every view is the fold: what an edge knows that lived through the evening, or took up its
 * register, is what one knows that reads the log from its start. */
#include "tests/sim/edges_judge.h"

#include "api/register_rows.h"
#include "api/render.h"
#include "services/shows/shows_core.h"

static void check_positions(struct edges_judge *judge, const struct window *window, int number)
{
    const struct edge *edge = &window->edge;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < WORLD_PARTITIONS && topic_is_events(topic);
             partition++) {
            const struct sim *sim = judge->edges->world->sim;
            struct bus_record record;
            int64_t next = edge->positions[topic * WORLD_PARTITIONS + partition].next;
            int64_t end = sim_end(sim, topic, partition);
            while (end > next && !sim_record(sim, topic, partition, end - 1, &record))
                end--; /* a hole is not read */
            if (next != end)
                edges_breach(judge, "liveness: edge-%d read %s/%d up to %lld of %lld", number,
                             topic_name(topic), partition, (long long)next, (long long)end);
        }
}

static void print_reservation(struct buffer *out, const struct reservation *reservation)
{
    buffer_clear(out);
    buffer_print(out, "%s %lld.%lld.%lld ", view_is_requested(reservation) ? "" : "unrequested",
                 (long long)reservation->offsets[0], (long long)reservation->offsets[1],
                 (long long)reservation->offsets[2]);
    render_reservation(out, NULL, reservation, NULL);
    /* And what is not shown, but for the commands answered: their order is the reader's. */
    struct reservation rest = *reservation;
    rest.replays.count = 0;
    row_put_reservation(out, &rest);
}

static void print_show(struct buffer *out, const struct show *show)
{
    buffer_clear(out);
    buffer_print(out, "%d %lld.%lld ", show->partition, (long long)show->offset,
                 (long long)show->other_offset);
    render_show(out, NULL, show, 0);
}

static void compare_reservation(struct edges_judge *judge, struct window *window, int number,
                                const struct reservation *expected)
{
    struct buffer texts[2] = {{0}, {0}};
    const struct reservation *found = view_reservation_of(
        &window->edge.view, text_of(expected->show_id), text_of(expected->reservation_id));
    print_reservation(&texts[0], expected);
    if (found)
        print_reservation(&texts[1], found);
    if (!text_equal(buffer_view(&texts[0]), buffer_view(&texts[1])))
        edges_breach(judge, "edge-%d is not the fold of %s: %s instead of %s", number,
                     expected->reservation_id, texts[1].data ? texts[1].data : "nothing",
                     texts[0].data);
    buffer_release(&texts[0]);
    buffer_release(&texts[1]);
}

static void compare_shows(struct edges_judge *judge, const struct window *window, int number,
                          const struct view *fold)
{
    struct buffer texts[2] = {{0}, {0}};
    for (int i = 0; i < fold->show_count; i++) {
        const struct show *show = view_show(&window->edge.view, text_of(fold->list[i]->show_id));
        print_show(&texts[0], fold->list[i]);
        buffer_clear(&texts[1]);
        if (show)
            print_show(&texts[1], show);
        if (!text_equal(buffer_view(&texts[0]), buffer_view(&texts[1])))
            edges_breach(judge, "edge-%d is not the fold of %s: %s instead of %s", number,
                         fold->list[i]->show_id, texts[1].data ? texts[1].data : "nothing",
                         texts[0].data);
    }
    buffer_release(&texts[0]);
    buffer_release(&texts[1]);
}

static void compare(struct edges_judge *judge, struct window *window, int number,
                    const struct view *fold)
{
    const struct map *map = &fold->reservations;
    compare_shows(judge, window, number, fold);
    for (size_t i = 0; i < map->capacity; i++)
        for (const struct reservation *each = map->slots[i].value; each; each = each->namesake)
            compare_reservation(judge, window, number, each);
    if (window->edge.view.show_count != fold->show_count)
        edges_breach(judge, "edge-%d has %d shows instead of %d", number,
                     window->edge.view.show_count, fold->show_count);
    if (window->file == NULL && window->edge.view.reservations.count != map->count)
        edges_breach(judge, "edge-%d has %zu reservations instead of %zu", number,
                     window->edge.view.reservations.count, map->count);
}

/* The owner's seats, which are the auditor's (judge.c). */
static void check_seats(struct edges_judge *judge, const struct view *fold)
{
    const struct world *world = judge->edges->world;
    for (int i = 0; i < world->instances; i++)
        for (int k = 0; k < fold->show_count; k++) {
            const struct show *show = fold->list[k];
            const struct service *service = world->processes[i].service;
            struct after seats;
            if (service_phase(service, show->partition) != DESK_RUNNING)
                continue;
            if (shows_seats(service_state(service, show->partition), text_of(show->show_id),
                            &seats) &&
                (seats.sold != show->sold || seats.held != show->held ||
                 seats.blocked != show->blocked || seats.capacity != show->capacity))
                edges_breach(judge, "an edge's seats of %s are not the owner's", show->show_id);
        }
}

void views_check(struct edges_judge *judge)
{
    check_seats(judge, &judge->fold);
    for (int i = 0; i < EDGES; i++) {
        check_positions(judge, &judge->edges->windows[i], i);
        compare(judge, &judge->edges->windows[i], i, &judge->fold);
    }
}
