/* Taking a service's vital signs: a look around once a second, and the way of each append. */
#include "base/memory.h"
#include "bus/bus.h"
#include "bus/desk.h"

static void put(_Atomic int64_t *gauge, int64_t value)
{
    atomic_store_explicit(gauge, value, memory_order_relaxed);
}

/* ---- the way of an append -------------------------------------------------------------------- */

void vitals_appended(struct desk *desk, int64_t input_ms)
{
    desk->under_way[desk->n % VITALS_UNDER_WAY_MAX] =
        (struct under_way){desk->n, desk->service->now_us, input_ms};
}

void vitals_read_back(struct desk *desk, uint64_t n, int64_t append_ms)
{
    struct vitals *vitals = &desk->service->vitals;
    const struct under_way *one = &desk->under_way[n % VITALS_UNDER_WAY_MAX];
    if (one->n != n)
        return; /* more were under way than are timed */
    histogram_note(&vitals->appending, desk->service->now_us - one->appended_us);
    if (one->input_ms >= 0 && append_ms >= one->input_ms)
        histogram_note(&vitals->answering, (append_ms - one->input_ms) * 1000);
}

void vitals_outcome(struct vitals *vitals, const struct message *outcome)
{
    vitals_count(&vitals->decided);
    vitals_count(&vitals->outcomes[outcome->type]);
    if (outcome->type == MESSAGE_Refused)
        vitals_count(&vitals->refusals[outcome->code]);
    else if (message_has(outcome, reason))
        vitals_count(&vitals->rejections[outcome->reason]);
}

/* ---- how things stand ------------------------------------------------------------------------ */

/* Records of the input that were not handled yet: by what the bus has heard of its end, or else by
 * what was read ahead. */
static int64_t behind(const struct desk *desk, int which)
{
    const struct input *input = &desk->inputs[which];
    const struct service *service = desk->service;
    int64_t end = bus_end_heard(service->bus, service->descriptor->inputs[which], desk->partition);
    if (end < 0)
        return input->queue_size > 0 ? input->queue_size : -1;
    return end > input->position.next ? end - input->position.next : 0;
}

/* The oldest is the first that was read ahead. What was not even read is younger than what was
 * handled last, and was not there when nothing was missing. */
static int64_t behind_ms(const struct desk *desk, struct input *input, int64_t count)
{
    int64_t now_ms = desk->service->now_ms, log_ms = desk_log_now(desk);
    if (count <= 0)
        input->behind_since_ms = 0;
    else if (input->behind_since_ms == 0)
        input->behind_since_ms = now_ms;
    if (count <= 0)
        return 0;
    int64_t age_ms = log_ms - (input->first ? input->first->record.append_ms : input->handled_ms);
    int64_t since_ms = input->first ? age_ms : now_ms - input->behind_since_ms;
    if (since_ms < age_ms)
        age_ms = since_ms;
    return age_ms > 0 ? age_ms : 0;
}

static void look_at_inputs(struct desk *desk)
{
    bool running = desk->phase == DESK_RUNNING;
    for (int i = 0; i < desk->service->descriptor->input_count; i++) {
        int64_t count = running ? behind(desk, i) : -1;
        put(&desk->vitals.behind[i], count);
        put(&desk->vitals.behind_ms[i], running ? behind_ms(desk, &desk->inputs[i], count) : 0);
    }
}

/* The way there: the own events of all partitions as they were at the start; then, of those that
 * are ours, the own events up to the claim and each input up to where it ended. */
struct way {
    int64_t gone, all;
};

static void add_way(struct way *way, int64_t from, int64_t at, int64_t to)
{
    way->gone += at - from;
    way->all += (to > at ? to : at) - from;
}

static struct way way_of(const struct desk *desk)
{
    struct way way = {0, 0};
    if (!desk->service->joined)
        add_way(&way, 0, desk->own.next, desk->own_at_start);
    if (!desk->assigned)
        return way;
    if (desk->phase == DESK_FOLDING)
        add_way(&way, 0, desk->own.next, desk->claim_at + 1);
    if (desk->phase != DESK_RUNNING || desk->recovered)
        return way;
    add_way(&way, 0, desk->own.next, desk->own.next);
    for (int i = 0; i < desk->service->descriptor->input_count; i++) {
        const struct input *input = &desk->inputs[i];
        add_way(&way, input->started, input->position.next, input->target);
    }
    return way;
}

static void look_at_seats(struct service *service)
{
    struct vitals *vitals = &service->vitals;
    struct after all = {.tier_count = 0};
    if (service->descriptor->seats == NULL)
        return;
    for (int i = 0; i < service->desk_count; i++)
        if (service->desks[i].phase == DESK_RUNNING)
            service->descriptor->seats(service->desks[i].state, &all);
    put(&vitals->held, all.held);
    put(&vitals->sold, all.sold);
    put(&vitals->blocked, all.blocked);
    put(&vitals->free, all.free);
    put(&vitals->oversold, all.oversold_by);
}

static int64_t overdue_ms(const struct desk *desk)
{
    if (desk->phase != DESK_RUNNING)
        return 0;
    int64_t due_ms = desk_due_at(desk), now_ms = desk_log_now(desk);
    return due_ms < now_ms ? now_ms - due_ms : 0;
}

void vitals_look(struct service *service)
{
    struct vitals *vitals = &service->vitals;
    struct way all = {0, 0};
    int64_t latest_ms = 0;
    put(&vitals->turned_ms, service->now_ms);
    if (service->now_ms < vitals->looked_ms + VITALS_EVERY_MS && vitals->looked_ms)
        return;
    vitals->looked_ms = service->now_ms;
    for (int i = 0; i < service->desk_count; i++) {
        struct desk *desk = &service->desks[i];
        struct way way = way_of(desk);
        int64_t late_ms = overdue_ms(desk);
        all.gone += way.gone;
        all.all += way.all;
        latest_ms = late_ms > latest_ms ? late_ms : latest_ms;
        atomic_store_explicit(&desk->vitals.phase, (int)desk->phase, memory_order_relaxed);
        atomic_store_explicit(&desk->vitals.assigned, desk->assigned, memory_order_relaxed);
        atomic_store_explicit(&desk->vitals.recovered, desk->recovered, memory_order_relaxed);
        look_at_inputs(desk);
    }
    put(&vitals->recovered, all.gone);
    put(&vitals->to_recover, all.all);
    put(&vitals->overdue_ms, latest_ms);
    look_at_seats(service);
}
