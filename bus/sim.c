/* The log in memory. Real logs fail rarely and never twice in the same way; this one fails on
 * demand, and again with the same seed.
 *
 * An append is a `flight`. While it is unanswered it stands in the lane of its handle and
 * partition; while it has not landed it is also in the heap of landings:
 *
 *     appended ──▶ in lane and heap ──landed──▶ in lane ──answered──▶ gone
 *                        │
 *                        └──answered first, or crashed──▶ on the wire, in heap ──landed──▶ gone
 *
 * On the wire nobody owns it any more: it lands whatever becomes of its writer. That is how a
 * record comes to lie behind a newer claim. Every draw comes from one generator, in the order of
 * the calls. */
#include "bus/sim.h"

#include "base/memory.h"
#include "bus/sim_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    SESSION_TIMEOUT_DEFAULT_MS = 6000,
    APPEND_TIMEOUT_DEFAULT_MS = 30000,
    TOPIC_PARTITIONS_MAX = 64 /* room is made at once: flights point into it */
};

/* 0 .. max. */
static int64_t draw_ms(struct sim *sim, int64_t max)
{
    return max > 0 ? (int64_t)prng_below(&sim->prng, (uint64_t)max + 1) : 0;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- records --------------------------------------------------------------------------------- */

static struct text store_text(char **at, struct text text)
{
    struct text copy = {text.data ? *at : NULL, text.size};
    if (text.data && text.size)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return copy;
}

static struct stored *store(const struct bus_record *record)
{
    size_t header_size = (size_t)record->header_count * sizeof *record->headers;
    size_t size = sizeof(struct stored) + header_size + record->key.size + record->value.size + 1;
    for (int i = 0; i < record->header_count; i++)
        size += record->headers[i].name.size + record->headers[i].value.size;
    struct stored *stored = memory_new(size);
    struct bus_header *headers = (struct bus_header *)(void *)(stored + 1);
    char *at = (char *)(stored + 1) + header_size;
    for (int i = 0; i < record->header_count; i++) {
        headers[i].name = store_text(&at, record->headers[i].name);
        headers[i].value = store_text(&at, record->headers[i].value);
    }
    stored->record = (struct bus_record){.key = store_text(&at, record->key),
                                         .value = store_text(&at, record->value),
                                         .headers = headers,
                                         .header_count = record->header_count};
    return stored;
}

static void partition_grow(struct partition *partition)
{
    if (partition->end < partition->capacity)
        return;
    partition->capacity = partition->capacity ? partition->capacity * 2 : 64;
    partition->records =
        memory_grow(partition->records, (size_t)partition->capacity * sizeof(struct stored *));
}

static int64_t partition_add_take(struct sim *sim, struct partition *partition,
                                  struct stored *stored)
{
    partition_grow(partition);
    stored->record.append_ms = sim_log_ms(sim);
    partition->records[partition->end] = stored;
    return partition->end++;
}

/* ---- flights --------------------------------------------------------------------------------- */

static void flight_free(struct flight *flight)
{
    assert(flight->landing.place == 0);
    memory_free(flight->stored);
    memory_free(flight);
}

static void flight_schedule(struct sim *sim, struct flight *flight, int64_t at_ms)
{
    heap_set_take(&sim->landings, &flight->landing, at_ms, flight->landing.seq);
}

static void flight_land(struct sim *sim, struct flight *flight)
{
    heap_remove(&sim->landings, &flight->landing);
    flight->offset = partition_add_take(sim, flight->partition, flight->stored);
    flight->stored = NULL;
    if (!flight->owner)
        flight_free(flight);
}

static void land_due(struct sim *sim)
{
    for (struct heap_node *node;
         !sim->down && (node = heap_first(&sim->landings)) && node->at_ms <= sim->now_ms;)
        flight_land(sim, memory_owner(node, struct flight, landing));
}

static struct flight *flight_new(struct sim *sim, struct partition *partition,
                                 const struct bus_record *record)
{
    struct flight *flight = memory_new(sizeof *flight);
    flight->partition = partition;
    flight->stored = store(record);
    flight->offset = -1;
    flight->landing.seq = ++sim->seq;
    return flight;
}

/* It leaves the lane: what has not landed goes on alone. */
static void flight_let_go(struct flight *flight)
{
    flight->owner = NULL;
    flight->next = NULL;
    if (flight->landing.place == 0)
        flight_free(flight);
}

static void flight_lose(struct flight *flight)
{
    memory_free(flight->stored);
    flight->stored = NULL;
    flight->failed = true;
}

/* Nobody could be reached in time: it is lost, or lands when somebody can. */
static void flight_fail(struct sim *sim, struct flight *flight)
{
    flight->failed = true;
    if (flight->landing.place == 0 || !prng_chance(&sim->prng, 1, 2))
        return;
    heap_remove(&sim->landings, &flight->landing);
    flight_lose(flight);
}

static void flight_double(struct sim *sim, const struct flight *flight, int64_t land_ms)
{
    struct flight *second = flight_new(sim, flight->partition, &flight->stored->record);
    int64_t gap_max = later(sim->faults.late_ms, sim->faults.acknowledgement_ms);
    flight_schedule(sim, second, land_ms + draw_ms(sim, gap_max));
}

/* Decides at once what will become of an append; time only carries it out. */
static void flight_decide(struct sim *sim, struct sim_bus *handle, struct place *place,
                          struct flight *flight)
{
    const struct sim_faults *faults = &sim->faults;
    struct sim_counts *counts = &sim->counts;
    int64_t delay_ms = draw_ms(sim, faults->acknowledgement_ms);
    int64_t land_ms = later(sim->now_ms + draw_ms(sim, delay_ms), place->land_ms);
    flight->answer_ms = later(later(sim->now_ms + delay_ms, place->answer_ms), land_ms);
    flight->deadline_ms = sim->now_ms + handle->append_timeout_ms;
    if (flight->answer_ms > flight->deadline_ms) {
        flight->answer_ms = flight->deadline_ms;
        flight->failed = true;
    }
    place->answer_ms = flight->answer_ms;
    bool inherited = place->last && place->last->suffix_lost;
    if (inherited || sim_fires(sim, faults->suffix_lost, &counts->suffix_lost)) {
        flight->suffix_lost = true;
        flight_lose(flight);
        return;
    }
    if (sim_fires(sim, faults->append_lost, &counts->append_lost)) {
        flight_lose(flight);
        return;
    }
    if (sim_fires(sim, faults->append_late, &counts->append_late)) {
        flight->failed = flight->alone = true;
        flight_schedule(sim, flight, flight->answer_ms + draw_ms(sim, faults->late_ms));
        return;
    }
    if (sim_fires(sim, faults->append_lied, &counts->append_lied))
        flight->failed = true;
    else if (sim_fires(sim, faults->append_doubled, &counts->append_doubled)) {
        flight->untold = true; /* as Kafka answers a retry of what it has */
        flight_double(sim, flight, land_ms);
    }
    if (sim_fires(sim, faults->append_untold, &counts->append_untold))
        flight->untold = true;
    place->land_ms = land_ms;
    flight_schedule(sim, flight, land_ms);
}

static void lane_add(struct place *place, struct flight *flight)
{
    if (place->last)
        place->last->next = flight;
    else
        place->first = flight;
    place->last = flight;
}

static struct flight *lane_remove_first(struct place *place)
{
    struct flight *flight = place->first;
    place->first = flight->next;
    if (!place->first)
        place->last = NULL;
    return flight;
}

static int place_count(const struct sim_bus *handle)
{
    return handle->bus.topic_count * handle->bus.partition_count;
}

static struct place *place_at(const struct sim_bus *handle, int topic, int partition)
{
    return &handle->places[topic * handle->bus.partition_count + partition];
}

static struct partition *partition_at(const struct sim_bus *handle, int topic, int partition)
{
    return &handle->sim->topics[handle->topics[topic]].partitions[partition];
}

static void witnessed(struct sim_bus *handle, enum sim_moment moment)
{
    struct sim *sim = handle->sim;
    if (sim->witness)
        sim->witness(sim->witness_context, &handle->bus, moment);
}

static enum bus_result sim_append(struct bus *bus, int topic, int partition,
                                  const struct bus_record *record, uint64_t tag)
{
    struct sim_bus *handle = (struct sim_bus *)bus;
    struct sim *sim = handle->sim;
    assert(!handle->frozen);
    witnessed(handle, SIM_BEFORE_APPEND);
    if (handle->in_flight >= handle->in_flight_max ||
        sim_fires(sim, sim->faults.queue_full, &sim->counts.queue_full))
        return BUS_FULL;
    struct place *place = place_at(handle, topic, partition);
    struct flight *flight = flight_new(sim, partition_at(handle, topic, partition), record);
    flight->owner = handle;
    flight->tag = tag;
    flight_decide(sim, handle, place, flight);
    lane_add(place, flight);
    handle->in_flight++;
    land_due(sim);
    witnessed(handle, SIM_AFTER_APPEND);
    return BUS_OK;
}

/* ---- membership ------------------------------------------------------------------------------ */

static void sim_leave(struct bus *bus)
{
    struct sim_bus *handle = (struct sim_bus *)bus;
    handle->rejoin = NULL;
    if (handle->group)
        sim_group_remove(handle->group, sim_member_of(handle));
}

static enum bus_result sim_join(struct bus *bus, const char *name, const int *topics,
                                int topic_count)
{
    struct sim_bus *handle = (struct sim_bus *)bus;
    (void)topics, (void)topic_count;
    sim_leave(bus);
    sim_group_add(sim_group(handle->sim, handle, name), handle);
    return BUS_OK;
}

/* ---- what a handle polls --------------------------------------------------------------------- */

static bool place_readable(const struct sim_bus *handle, int topic, int partition)
{
    const struct place *place = place_at(handle, topic, partition);
    if (!place->followed || handle->sim->down || handle->sim->now_ms < place->stalled_ms)
        return false;
    return place->lost || !place->looked ||
           place->position != partition_at(handle, topic, partition)->end;
}

/* After a stall one record comes without a new draw: a stall ends. */
static bool place_stalls(struct sim *sim, struct place *place)
{
    if (place->stalled_ms) {
        place->stalled_ms = 0;
        return false;
    }
    if (sim_fires(sim, sim->faults.partition_starved, &sim->counts.partition_starved)) {
        place->stalled_ms = sim->now_ms + 1 + draw_ms(sim, (int64_t)sim->faults.starved_ms - 1);
        return true;
    }
    if (!sim_fires(sim, sim->faults.delivery_delayed, &sim->counts.delivery_delayed))
        return false;
    place->stalled_ms = sim->now_ms + 1 + draw_ms(sim, (int64_t)sim->faults.delay_ms - 1);
    return true;
}

/* Why the place cannot be read, or NULL. */
static const char *place_lost(const struct place *place, const struct partition *log)
{
    if (place->lost)
        return "the log was cut below what was read";
    if (place->position > log->end)
        return "the offset lies above the end of the log";
    return place->position < log->start ? "the offset lies below the start of the log" : NULL;
}

static bool place_read(struct sim_bus *handle, int topic, int partition, struct bus_event *event)
{
    struct place *place = place_at(handle, topic, partition);
    const struct partition *log = partition_at(handle, topic, partition);
    const char *lost = place_lost(place, log);
    while (!lost && place->position < log->end && !log->records[place->position]) {
        place->position++; /* a hole: CAUGHT_UP is due behind it, too */
        place->looked = false;
    }
    *event = (struct bus_event){.topic = topic, .partition = partition, .offset = place->position};
    if (lost) {
        place->followed = false;
        event->type = BUS_LOST;
        event->reason = lost;
        return true;
    }
    bool end = place->position == log->end;
    if (!place->saw_end && place_stalls(handle->sim, place)) {
        place->saw_end = end;
        return false;
    }
    if (end || place->saw_end) {
        place->looked = true;
        place->saw_end = false;
        place->stalled_ms = 0;
        event->type = BUS_CAUGHT_UP;
        return true;
    }
    event->type = BUS_RECORD;
    event->record = log->records[place->position++]->record;
    place->looked = false;
    return true;
}

static void place_answer(struct sim_bus *handle, int topic, int partition, struct bus_event *event)
{
    struct flight *flight = lane_remove_first(place_at(handle, topic, partition));
    handle->in_flight--;
    if (handle->sim->down)
        flight_fail(handle->sim, flight);
    bool told = !flight->failed && !flight->untold;
    *event = (struct bus_event){.type = flight->failed ? BUS_FAILED : BUS_APPENDED,
                                .topic = topic,
                                .partition = partition,
                                .offset = told ? flight->offset : -1,
                                .tag = flight->tag,
                                .reason = flight->failed ? "the log did not confirm it" : NULL};
    flight_let_go(flight);
}

enum pick_what { PICK_NOTHING, PICK_LINK, PICK_CHANGE, PICK_ANSWER, PICK_READ };

struct pick {
    enum pick_what what;
    int topic, partition;
    uint64_t candidates;
};

static void pick_offer(struct sim *sim, struct pick *pick, enum pick_what what, int topic,
                       int partition)
{
    if (prng_below(&sim->prng, ++pick->candidates) == 0)
        *pick = (struct pick){what, topic, partition, pick->candidates};
}

/* Any of what is there may come next, so that every interleaving happens; the order within a
 * partition, within a lane and of membership is kept by looking at their heads only. */
static struct pick pick_next(struct sim_bus *handle)
{
    struct sim *sim = handle->sim;
    struct pick pick = {PICK_NOTHING, 0, 0, 0};
    if (handle->told_down != sim->down)
        pick_offer(sim, &pick, PICK_LINK, 0, 0);
    if (handle->change_first < handle->change_count && !sim->down)
        pick_offer(sim, &pick, PICK_CHANGE, 0, 0);
    for (int topic = 0; topic < handle->bus.topic_count; topic++)
        for (int partition = 0; partition < handle->bus.partition_count; partition++) {
            const struct flight *first = place_at(handle, topic, partition)->first;
            if (first && (sim->down ? first->deadline_ms : first->answer_ms) <= sim->now_ms)
                pick_offer(sim, &pick, PICK_ANSWER, topic, partition);
            if (place_readable(handle, topic, partition))
                pick_offer(sim, &pick, PICK_READ, topic, partition);
        }
    return pick;
}

static bool poll_now(struct sim_bus *handle, struct bus_event *event)
{
    struct sim *sim = handle->sim;
    if (handle->frozen)
        return false;
    if (handle->woken)
        return handle->woken = false;
    if (handle->group && sim_fires(sim, sim->faults.rebalance, &sim->counts.rebalance))
        sim_group_shuffle(sim, handle->group);
    for (;;) {
        struct pick pick = pick_next(handle);
        switch (pick.what) {
        case PICK_NOTHING:
            return false;
        case PICK_LINK:
            handle->told_down = sim->down;
            *event = (struct bus_event){.type = sim->down ? BUS_DOWN : BUS_UP,
                                        .reason = sim->down ? "cannot reach the log" : NULL};
            return true;
        case PICK_CHANGE: {
            struct change change = handle->changes[handle->change_first++];
            *event = (struct bus_event){.type = change.type, .partition = change.partition};
            return true;
        }
        case PICK_ANSWER:
            place_answer(handle, pick.topic, pick.partition, event);
            return true;
        case PICK_READ:
            if (place_read(handle, pick.topic, pick.partition, event))
                return true;
        }
    }
}

static bool sim_poll(struct bus *bus, int timeout_ms, struct bus_event *event)
{
    (void)timeout_ms;
    struct sim_bus *handle = (struct sim_bus *)bus;
    witnessed(handle, SIM_BEFORE_POLL);
    if (!poll_now(handle, event))
        return false;
    witnessed(handle, SIM_AFTER_POLL);
    return true;
}

static void sim_wake(struct bus *bus)
{
    ((struct sim_bus *)bus)->woken = true;
}

static void sim_follow(struct bus *bus, int topic, int partition, int64_t offset)
{
    struct place *place = place_at((struct sim_bus *)bus, topic, partition);
    place->followed = true;
    place->lost = place->looked = place->saw_end = false;
    place->position = offset;
    place->stalled_ms = 0;
}

static void sim_unfollow(struct bus *bus, int topic, int partition)
{
    place_at((struct sim_bus *)bus, topic, partition)->followed = false;
}

static enum bus_result sim_end_now(struct bus *bus, int topic, int partition, int64_t *offset)
{
    *offset = partition_at((struct sim_bus *)bus, topic, partition)->end;
    return ((struct sim_bus *)bus)->sim->down ? BUS_UNREACHABLE : BUS_OK;
}

static int64_t sim_end_heard(struct bus *bus, int topic, int partition)
{
    int64_t offset;
    return sim_end_now(bus, topic, partition, &offset) == BUS_OK ? offset : -1;
}

/* ---- topics ---------------------------------------------------------------------------------- */

static int topic_find(const struct sim *sim, const char *name)
{
    for (int i = 0; i < sim->topic_count; i++)
        if (strcmp(sim->topics[i].name, name) == 0)
            return i;
    return -1;
}

static int topic_create_take(struct sim *sim, char *name, int partition_count)
{
    sim->topics = memory_grow(sim->topics, (size_t)(sim->topic_count + 1) * sizeof *sim->topics);
    sim->topics[sim->topic_count] = (struct topic){
        name, memory_new(TOPIC_PARTITIONS_MAX * sizeof(struct partition)), partition_count};
    return sim->topic_count++;
}

/* The count that all topics shall have: that of one that is there, else the first asked for. */
static int common_count(const struct sim *sim, const struct bus_topic_spec *specs,
                        const int *topics, int count)
{
    int common = 0;
    for (int i = count; i-- > 0;)
        common = specs[i].partition_count ? specs[i].partition_count : common;
    for (int i = count; i-- > 0;)
        common = topics[i] >= 0 ? sim->topics[topics[i]].partition_count : common;
    return common;
}

static bool topic_fits(const struct sim *sim, const struct bus_topic_spec *spec, int topic,
                       int common, struct bus_error *error)
{
    int found = topic < 0 ? common : sim->topics[topic].partition_count;
    if ((topic < 0 && !spec->may_create) || found == 0) {
        snprintf(error->text, sizeof error->text, "no topic '%s'; create it first", spec->name);
        return false;
    }
    if (spec->partition_count > TOPIC_PARTITIONS_MAX) {
        snprintf(error->text, sizeof error->text, "topic '%s' cannot have more than %d partitions",
                 spec->name, TOPIC_PARTITIONS_MAX);
        return false;
    }
    if (found != common || (spec->partition_count && spec->partition_count != common)) {
        snprintf(error->text, sizeof error->text, "topic '%s' has %d partitions, not %d",
                 spec->name, found, spec->partition_count);
        return false;
    }
    return true;
}

static enum bus_result sim_topics(struct bus *bus, struct bus_topic_spec *specs, int count,
                                  struct bus_error *error)
{
    struct sim_bus *handle = (struct sim_bus *)bus;
    struct sim *sim = handle->sim;
    if (sim->down) {
        snprintf(error->text, sizeof error->text, "cannot reach the log; wait until it is back");
        return BUS_UNREACHABLE;
    }
    int *topics = memory_new((size_t)count * sizeof *topics);
    bool fit = true;
    for (int i = 0; i < count; i++) {
        char *name = sim_string_join(handle->prefix, specs[i].name);
        topics[i] = topic_find(sim, name);
        memory_free(name);
    }
    int common = common_count(sim, specs, topics, count);
    for (int i = 0; i < count && fit; i++)
        fit = topic_fits(sim, &specs[i], topics[i], common, error);
    for (int i = 0; i < count && fit; i++) {
        specs[i].created = topics[i] < 0;
        if (specs[i].created)
            topics[i] =
                topic_create_take(sim, sim_string_join(handle->prefix, specs[i].name), common);
        specs[i].partition_count = sim->topics[topics[i]].partition_count;
    }
    if (!fit) {
        memory_free(topics);
        return BUS_UNFIT;
    }
    memory_free(handle->topics);
    memory_free(handle->places);
    handle->topics = topics;
    handle->places =
        memory_new((size_t)count * (size_t)specs[0].partition_count * sizeof *handle->places);
    return BUS_OK;
}

/* ---- handles --------------------------------------------------------------------------------- */

/* Its process is gone: of what had not landed, a beginning lands now, a middle later, the rest
 * never. What was late already, or lost, stays so. */
static void lane_abandon(struct sim *sim, struct place *place)
{
    uint64_t fate = 0;
    int64_t later_max = later(sim->faults.late_ms, sim->faults.acknowledgement_ms);
    int64_t land_ms = sim->now_ms;
    while (place->first) {
        struct flight *flight = lane_remove_first(place);
        flight->owner = NULL;
        if (!flight->stored) {
            flight_free(flight);
            continue;
        }
        if (flight->alone) {
            flight_schedule(sim, flight, later(flight->landing.at_ms, sim->now_ms));
            continue;
        }
        uint64_t lot = prng_below(&sim->prng, 3);
        fate = lot > fate ? lot : fate;
        land_ms += fate == 1 ? 1 + draw_ms(sim, later_max) / 4 : 0;
        heap_remove(&sim->landings, &flight->landing);
        if (fate == 0 && !sim->down)
            flight_land(sim, flight);
        else if (fate <= 1)
            flight_schedule(sim, flight, land_ms);
        else
            flight_free(flight);
    }
}

static void handle_free(struct sim_bus *handle)
{
    struct sim *sim = handle->sim;
    if (handle->group) {
        sim_member_falls_silent(handle);
        sim_member_of(handle)->handle = NULL;
    }
    for (int i = 0; i < place_count(handle); i++)
        lane_abandon(sim, &handle->places[i]);
    land_due(sim);
    struct sim_bus **link = &sim->handles;
    while (*link != handle)
        link = &(*link)->next;
    *link = handle->next;
    memory_free(handle->prefix);
    memory_free(handle->instance);
    memory_free(handle->topics);
    memory_free(handle->places);
    memory_free(handle->changes);
    memory_free(handle);
}

static void sim_close(struct bus *bus)
{
    handle_free((struct sim_bus *)bus);
}

static const struct bus_backend sim_backend = {
    .name = "sim",
    .topics = sim_topics,
    .append = sim_append,
    .follow = sim_follow,
    .unfollow = sim_unfollow,
    .join = sim_join,
    .leave = sim_leave,
    .end = sim_end_now,
    .end_heard = sim_end_heard,
    .poll = sim_poll,
    .wake = sim_wake,
    .close = sim_close,
};

struct bus *sim_bus_open(struct sim *sim, const struct bus_options *options)
{
    struct sim_bus *handle = memory_new(sizeof *handle);
    char random[32];
    snprintf(random, sizeof random, "%016llx", (unsigned long long)prng_next(&sim->prng));
    handle->bus.backend = &sim_backend;
    handle->sim = sim;
    handle->prefix = sim_string_join(options->topic_prefix ? options->topic_prefix : "", "");
    handle->instance = sim_string_join(options->instance ? options->instance : random, "");
    handle->session_timeout_ms =
        options->session_timeout_ms ? options->session_timeout_ms : SESSION_TIMEOUT_DEFAULT_MS;
    handle->in_flight_max = options->in_flight_max ? options->in_flight_max : BUS_IN_FLIGHT_DEFAULT;
    handle->append_timeout_ms =
        options->append_timeout_ms ? options->append_timeout_ms : APPEND_TIMEOUT_DEFAULT_MS;
    handle->next = sim->handles;
    sim->handles = handle;
    return &handle->bus;
}

void sim_crash(struct bus *bus)
{
    struct sim_bus *handle = (struct sim_bus *)bus;
    handle->sim->counts.crash++;
    handle_free(handle);
}

/* Its appends are taken out of the heap, and put back when it goes on; due times and seq stay, and
 * so the order. */
static void lane_freeze(struct sim *sim, struct place *place, bool frozen)
{
    for (struct flight *flight = place->first; flight; flight = flight->next)
        if (flight->stored && frozen)
            heap_remove(&sim->landings, &flight->landing);
        else if (flight->stored)
            flight_schedule(sim, flight, later(flight->landing.at_ms, sim->now_ms));
}

void sim_freeze(struct bus *bus, bool frozen)
{
    struct sim_bus *handle = (struct sim_bus *)bus;
    if (handle->frozen == frozen)
        return;
    handle->frozen = frozen;
    for (int i = 0; i < place_count(handle); i++)
        lane_freeze(handle->sim, &handle->places[i], frozen);
    if (frozen && handle->group)
        sim_member_falls_silent(handle);
    if (frozen)
        return;
    land_due(handle->sim);
    if (handle->group)
        sim_member_of(handle)->expires_ms = INT64_MAX;
    struct group *group = handle->rejoin;
    handle->rejoin = NULL;
    if (!group)
        return;
    /* A successor under the same name keeps the place: two would fence each other for ever. */
    if (!sim_member(group, handle->instance))
        sim_group_add(group, handle);
}

/* ---- the cluster ----------------------------------------------------------------------------- */

struct sim *sim_new(uint64_t seed, int64_t start_ms)
{
    struct sim *sim = memory_new(sizeof *sim);
    sim->prng.state = seed;
    sim->now_ms = start_ms;
    return sim;
}

static void partition_release(struct partition *partition)
{
    for (int64_t i = 0; i < partition->end; i++)
        memory_free(partition->records[i]);
    memory_free(partition->records);
}

void sim_free(struct sim *sim)
{
    if (!sim)
        return;
    assert(!sim->handles);
    for (struct heap_node *node; (node = heap_first(&sim->landings));) {
        heap_remove(&sim->landings, node);
        flight_free(memory_owner(node, struct flight, landing));
    }
    heap_release(&sim->landings);
    for (int t = 0; t < sim->topic_count; t++) {
        for (int p = 0; p < sim->topics[t].partition_count; p++)
            partition_release(&sim->topics[t].partitions[p]);
        memory_free(sim->topics[t].partitions);
        memory_free(sim->topics[t].name);
    }
    memory_free(sim->topics);
    for (struct stored *stored = sim->truncated, *next; stored; stored = next) {
        next = stored->next;
        memory_free(stored);
    }
    for (struct group *group = sim->groups, *next; group; group = next) {
        next = group->next;
        sim_group_free(group);
    }
    memory_free(sim);
}

void sim_set_faults(struct sim *sim, const struct sim_faults *faults)
{
    sim->faults = *faults;
}

const struct sim_counts *sim_counts(const struct sim *sim)
{
    return &sim->counts;
}

int64_t sim_now_ms(const struct sim *sim)
{
    return sim->now_ms;
}

int64_t sim_log_ms(const struct sim *sim)
{
    return (sim->clock_stopped ? sim->clock_stopped_ms : sim->now_ms) + sim->clock_offset_ms;
}

/* Landings and expiries happen in the order of their times, each at its own. */
void sim_advance(struct sim *sim, int64_t by_ms)
{
    assert(by_ms >= 0);
    int64_t until_ms = sim->now_ms + by_ms;
    for (;;) {
        struct group *group = NULL;
        const struct heap_node *landing = heap_first(&sim->landings);
        struct member *expired = sim_member_expiring(sim, until_ms, &group);
        bool lands = landing && !sim->down && landing->at_ms <= until_ms;
        if (!lands && !expired)
            break;
        if (lands && (!expired || landing->at_ms <= expired->expires_ms)) {
            sim->now_ms = later(sim->now_ms, landing->at_ms);
            land_due(sim);
        } else {
            sim->now_ms = later(sim->now_ms, expired->expires_ms);
            sim_member_expire(group, expired);
        }
    }
    sim->now_ms = until_ms;
}

void sim_step_clock(struct sim *sim, int64_t by_ms)
{
    sim->clock_offset_ms += by_ms;
}

void sim_stop_clock(struct sim *sim, bool stopped)
{
    if (sim->clock_stopped == stopped)
        return;
    if (!stopped) /* it goes on from where it stood */
        sim->clock_offset_ms -= sim->now_ms - sim->clock_stopped_ms;
    sim->clock_stopped = stopped;
    sim->clock_stopped_ms = sim->now_ms;
}

void sim_watch(struct sim *sim,
               void (*witness)(void *context, struct bus *bus, enum sim_moment moment),
               void *context)
{
    sim->witness = witness;
    sim->witness_context = context;
}

static struct partition *cluster_partition(const struct sim *sim, int topic, int partition)
{
    assert(topic >= 0 && topic < sim->topic_count);
    assert(partition >= 0 && partition < sim->topics[topic].partition_count);
    return &sim->topics[topic].partitions[partition];
}

int64_t sim_end(const struct sim *sim, int topic, int partition)
{
    return cluster_partition(sim, topic, partition)->end;
}

bool sim_record(const struct sim *sim, int topic, int partition, int64_t offset,
                struct bus_record *record)
{
    const struct partition *log = cluster_partition(sim, topic, partition);
    if (offset < 0 || offset >= log->end)
        return false;
    if (!log->records[offset])
        return false;
    *record = log->records[offset]->record;
    return true;
}

void sim_truncate(struct sim *sim, int topic, int partition, int64_t offset)
{
    struct partition *log = cluster_partition(sim, topic, partition);
    assert(offset >= 0);
    while (log->end > offset) {
        struct stored *stored = log->records[--log->end];
        if (!stored)
            continue;
        stored->next = sim->truncated;
        sim->truncated = stored;
    }
    for (struct sim_bus *handle = sim->handles; handle; handle = handle->next)
        for (int i = 0; i < place_count(handle); i++) {
            struct place *place = &handle->places[i];
            int t = i / handle->bus.partition_count, p = i % handle->bus.partition_count;
            if (partition_at(handle, t, p) == log && place->followed && place->position > offset)
                place->lost = prng_chance(&sim->prng, 1, 2);
        }
}

void sim_eat(struct sim *sim, int topic, int partition, int64_t below)
{
    struct partition *log = cluster_partition(sim, topic, partition);
    assert(below <= log->end);
    log->start = later(log->start, below);
}

void sim_hole(struct sim *sim, int topic, int partition)
{
    struct partition *log = cluster_partition(sim, topic, partition);
    partition_grow(log);
    log->records[log->end++] = NULL;
}

void sim_outage(struct sim *sim, bool down)
{
    if (sim->down && !down)
        sim_members_spare(sim);
    sim->down = down;
    land_due(sim);
}

void sim_add_partition(struct sim *sim, int topic)
{
    struct topic *grown = &sim->topics[topic];
    assert(topic >= 0 && topic < sim->topic_count);
    assert(grown->partition_count < TOPIC_PARTITIONS_MAX);
    grown->partition_count++;
}
