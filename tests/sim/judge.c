/* The judge: reads every topic from the start by the acceptance rule and checks the invariants of
 * messages.md by a fold of its own. The first breach is told with its place. */
#include "tests/sim/world.h"

#include "base/map.h"
#include "base/memory.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_core.h"
#include "services/shows/shows_service.h"

#include <stdio.h>

/* A hold as the events tell it. */
enum told { TOLD_NOTHING, TOLD_HELD, TOLD_SOLD, TOLD_ENDED, TOLD_EXPIRED };

struct told_hold {
    enum told state;
    int64_t quantity, expires_at_ms;
    struct text reservation_id;
};

struct told_show {
    int64_t capacity, held, sold, blocked, seq;
    struct map blocks; /* block_id → int64_t */
};

struct judge {
    struct world *world;
    struct arena arena;
    struct map answered; /* "<service> <source>" → struct answer */
    struct map shows, holds, first;
    const char *breach;
};

struct answer {
    enum message_type type;
    enum code code;
};

static const struct service_descriptor *const services[] = {&shows_service, &reservations_service,
                                                            &checkout_service};

__attribute__((format(printf, 3, 4))) static void
breach(struct judge *judge, const struct place *place, const char *format, ...)
{
    static char text[512];
    va_list arguments;
    if (judge->breach)
        return;
    int size = snprintf(text, sizeof text, "%s/%d@%lld: ", topic_name(place->topic),
                        place->partition, (long long)place->offset);
    va_start(arguments, format);
    vsnprintf(text + size, sizeof text - (size_t)size, format, arguments);
    va_end(arguments);
    judge->breach = text;
}

static struct answer *answer_of(struct judge *judge, const struct service_descriptor *service,
                                const struct place *place)
{
    struct text key =
        arena_print(&judge->arena, "%s %s/%d@%lld", service->name, topic_name(place->topic),
                    place->partition, (long long)place->offset);
    return map_find(&judge->answered, key);
}

/* ---- the seats ------------------------------------------------------------------------------- */

static struct told_show *told_show(struct judge *judge, const struct message *event)
{
    struct told_show *show = map_find(&judge->shows, event->show_id);
    if (show == NULL) {
        show = arena_take(&judge->arena, sizeof *show);
        *show = (struct told_show){0};
        map_insert_take(&judge->shows, event->show_id, show);
    }
    return show;
}

static struct told_hold *told_hold(struct judge *judge, const struct message *event)
{
    struct told_hold *hold = map_find(&judge->holds, event->reservation_id);
    if (hold == NULL) {
        hold = arena_take(&judge->arena, sizeof *hold);
        *hold = (struct told_hold){.reservation_id = event->reservation_id};
        map_insert_take(&judge->holds, event->reservation_id, hold);
    }
    return hold;
}

static void fold_block(struct judge *judge, struct told_show *show, const struct message *event)
{
    int64_t *quantity = map_find(&show->blocks, event->block_id);
    if (quantity == NULL) {
        quantity = arena_take(&judge->arena, sizeof *quantity);
        *quantity = 0;
        map_insert_take(&show->blocks, event->block_id, quantity);
    }
    show->blocked += event->block_quantity - *quantity;
    *quantity = event->block_quantity;
}

/* Invariant 3 and 7: what may follow what in the life of a hold. */
static void fold_hold(struct judge *judge, struct told_show *show, const struct message *event,
                      const struct place *place)
{
    struct told_hold *hold = told_hold(judge, event);
    enum told before = hold->state;
    bool fits = false;
    switch ((int)event->type) {
    case MESSAGE_SeatsHeld:
        fits = before == TOLD_NOTHING;
        hold->quantity = event->quantity;
        hold->expires_at_ms = event->expires_at_ms;
        hold->state = TOLD_HELD;
        show->held += event->quantity;
        break;
    case MESSAGE_HoldExtended:
        fits = before == TOLD_HELD && event->expires_at_ms >= hold->expires_at_ms;
        hold->expires_at_ms = event->expires_at_ms;
        break;
    case MESSAGE_SeatsSold:
        fits = before == (event->reacquired ? TOLD_EXPIRED : TOLD_HELD);
        show->held -= event->reacquired ? 0 : event->quantity;
        show->sold += event->quantity;
        hold->state = TOLD_SOLD;
        break;
    case MESSAGE_HoldReleased:
    case MESSAGE_HoldExpired:
        fits = before == TOLD_HELD && (event->type == MESSAGE_HoldReleased ||
                                       event->at_ms >= hold->expires_at_ms + HOLD_GRACE_MS);
        show->held -= event->quantity;
        hold->state = event->type == MESSAGE_HoldExpired ? TOLD_EXPIRED : TOLD_ENDED;
        break;
    case MESSAGE_SeatsReturned:
        fits = before == TOLD_SOLD;
        show->sold -= event->quantity;
        hold->state = TOLD_ENDED;
        break;
    }
    if (!fits || event->quantity > hold->quantity)
        breach(judge, place, "invariant 3: %s of a hold in state %d", message_name(event->type),
               before);
}

static bool is_rejection(enum message_type type)
{
    return type == MESSAGE_HoldRejected || type == MESSAGE_ExtensionRejected ||
           type == MESSAGE_SaleRejected || type == MESSAGE_ReleaseRejected;
}

/* Invariants 1, 2 and 5. */
static void check_after(struct judge *judge, const struct told_show *show,
                        const struct message *event, const struct place *place)
{
    const struct after *after = &event->after;
    int64_t in_use = show->held + show->sold + show->blocked;
    if (show->held < 0 || show->sold < 0 || show->blocked < 0 ||
        in_use > show->capacity + after->oversold_by)
        breach(judge, place, "invariant 1: held %lld sold %lld blocked %lld of %lld",
               (long long)show->held, (long long)show->sold, (long long)show->blocked,
               (long long)show->capacity);
    if (after->held != show->held || after->sold != show->sold || after->blocked != show->blocked ||
        after->capacity != show->capacity || event->seq != show->seq)
        breach(judge, place, "invariant 2: after does not equal the fold");
    if (event->type == MESSAGE_SeatsHeld && in_use > show->capacity)
        breach(judge, place, "invariant 1: held beyond the capacity");
    if (event->type == MESSAGE_HoldRejected && event->reason == reason_sold_out &&
        show->capacity - show->sold - show->blocked >= 3)
        breach(judge, place, "invariant 5: sold_out with seats unsold");
    if (event->type == MESSAGE_HoldRejected && event->reason == reason_all_held &&
        show->capacity - in_use >= 3)
        breach(judge, place, "invariant 5: all_held with seats free");
}

static void fold_show(struct judge *judge, const struct message *event, const struct place *place)
{
    if (!message_has(event, after))
        return;
    struct told_show *show = told_show(judge, event);
    if (!is_rejection(event->type) && event->seq != ++show->seq)
        breach(judge, place, "invariant 2: seq is not gapless");
    if (event->type == MESSAGE_ShowCreated || event->type == MESSAGE_CapacityChanged)
        show->capacity = event->capacity;
    else if (event->type == MESSAGE_BlockSet)
        fold_block(judge, show, event);
    else if (message_has(event, reservation_id) && !is_rejection(event->type))
        fold_hold(judge, show, event, place);
    check_after(judge, show, event, place);
}

/* ---- every event topic ----------------------------------------------------------------------- */

static void count(struct tally *tally, const struct message *event)
{
    tally->outcomes++;
    tally->by_type[event->type]++;
    if (message_has(event, reason))
        tally->by_reason[event->reason]++;
    if (event->type == MESSAGE_Refused)
        tally->by_code[event->code]++;
}

/* Invariant 4, first half: no input has two outcomes. */
static void note_answer(struct judge *judge, const struct service_descriptor *service,
                        const struct message *event, struct text source, const struct place *place)
{
    if (text_is(source, "timer"))
        return;
    struct text key = text_cut(&source, '#');
    key = arena_print(&judge->arena, "%s %.*s", service->name, TEXT_PRINT(key));
    if (map_find(&judge->answered, key))
        breach(judge, place, "invariant 4: '%s' has two outcomes", key.data);
    else {
        struct answer *answer = arena_take(&judge->arena, sizeof *answer);
        *answer = (struct answer){event->type, message_has(event, code) ? event->code : code_COUNT};
        map_insert_take(&judge->answered, key, answer);
    }
}

/* Invariant 8: positions never go back. */
static void check_positions(struct judge *judge, const struct service_descriptor *service,
                            struct text text, struct fence *last, const struct place *place)
{
    struct fence positions[FENCE_INPUTS_MAX];
    if (!positions_parse(text, positions, service->input_count)) {
        breach(judge, place, "sd_positions is malformed");
        return;
    }
    for (int i = 0; i < service->input_count; i++) {
        if (positions[i].next < last[i].next)
            breach(judge, place, "invariant 8: the position of input %d went back", i);
        last[i] = positions[i];
    }
}

/* Reads on from fence->next; a doubt is settled on the way. false: the end. */
static bool read_on(struct judge *judge, struct fence *fence, struct place *place,
                    struct bus_record *record, struct fence_reading *reading,
                    enum fence_verdict *verdict)
{
    place->offset = fence->in_doubt ? fence->doubt : fence->next;
    if (!sim_record(judge->world->sim, place->topic, place->partition, place->offset, record))
        return false;
    *verdict = fence_read(fence, place->offset, record, reading);
    if (*verdict == FENCE_LOST)
        breach(judge, place, "the fence says LOST: %s", reading->why);
    judge->world->tally->doubts += *verdict == FENCE_DOUBT;
    return *verdict != FENCE_LOST;
}

static void read_events(struct judge *judge, const struct service_descriptor *service,
                        int partition)
{
    struct place place = {service->output, partition, 0};
    struct fence fence = fence_start(), last[FENCE_INPUTS_MAX] = {{0}};
    struct bus_record record;
    struct fence_reading reading;
    enum fence_verdict verdict;
    while (read_on(judge, &fence, &place, &record, &reading, &verdict)) {
        struct codec_error error;
        if (verdict != FENCE_ACCEPTED && verdict != FENCE_PROGRESS)
            continue;
        check_positions(judge, service, reading.positions, last, &place);
        if (verdict == FENCE_PROGRESS)
            continue;
        struct message *event = arena_take(&judge->arena, sizeof *event);
        if (envelope_read(&record, &place, &judge->arena, event, &error) != ENVELOPE_OK) {
            breach(judge, &place, "an accepted event cannot be read: %s", error.detail);
            return;
        }
        count(judge->world->tally, event);
        note_answer(judge, service, event, arena_text(&judge->arena, reading.source), &place);
        if (service == &shows_service)
            fold_show(judge, event, &place);
        if (judge->world->trace)
            printf("%s/%d@%lld %s %.*s %.*s\n", topic_name(place.topic), partition,
                   (long long)place.offset, message_name(event->type), TEXT_PRINT(record.value),
                   TEXT_PRINT(reading.source));
    }
}

/* ---- every input has its outcome ------------------------------------------------------------- */

/* Outcomes that are not optional. */
static bool must_answer(const struct service_descriptor *service, enum message_type input)
{
    if (message_role(input) == ROLE_COMMAND)
        return false; /* repeats have none: judged by identity */
    if (service == &checkout_service)
        return false; /* refunds and late answers depend on the case */
    for (int i = 0; i < service->reaction_count; i++)
        if (service->reactions[i].input == input)
            return true;
    return false;
}

/* What makes two commands the same one. */
static struct text identity_of(struct judge *judge, const struct message *command)
{
    struct arena *arena = &judge->arena;
    switch ((int)command->type) {
    case MESSAGE_CreateShow:
        return arena_print(arena, "show %.*s", TEXT_PRINT(command->show_id));
    case MESSAGE_RequestReservation:
        return arena_print(arena, "reservation %.*s", TEXT_PRINT(command->reservation_id));
    case MESSAGE_StartCheckout:
        return arena_print(arena, "payment %.*s", TEXT_PRINT(command->payment_id));
    case MESSAGE_CancelReservation:
        return arena_print(arena, "cancel %.*s %.*s %.*s", TEXT_PRINT(command->reservation_id),
                           TEXT_PRINT(command->show_id), TEXT_PRINT(command->id));
    }
    return arena_print(arena, "manage %.*s %.*s", TEXT_PRINT(command->show_id),
                       TEXT_PRINT(command->id));
}

/* Invariant 4, second half: the first of an identity is answered, a repeat is not. */
static void check_command(struct judge *judge, const struct service_descriptor *service,
                          const struct message *command, bool good, const struct place *place)
{
    const struct answer *answer = answer_of(judge, service, place);
    if (!good || topic_partition_of(command->show_id, WORLD_PARTITIONS) != place->partition) {
        if (answer == NULL || answer->type != MESSAGE_Refused)
            breach(judge, place, "invariant 4: a bad command was not refused");
        return;
    }
    struct text identity = identity_of(judge, command);
    const struct text *fingerprint = map_find(&judge->first, identity);
    if (answer && answer->code == code_not_found)
        return; /* there was nothing yet that could have remembered it */
    if (fingerprint == NULL) {
        struct text *mark = arena_take(&judge->arena, sizeof *mark);
        *mark = command->fingerprint;
        map_insert_take(&judge->first, identity, mark);
        if (answer == NULL)
            breach(judge, place, "invariant 4: a command has no outcome");
        return;
    }
    bool same = text_equal(*fingerprint, command->fingerprint);
    judge->world->tally->repeats += same && answer == NULL;
    if (!same && answer == NULL)
        breach(judge, place, "invariant 4: the same id with another body was not answered");
    if (same && answer && answer->type != MESSAGE_Refused)
        breach(judge, place, "invariant 4: a repeat had the effect %s", message_name(answer->type));
}

static void check_commands(struct judge *judge, const struct service_descriptor *service, int topic,
                           int partition)
{
    struct place place = {topic, partition, 0};
    struct bus_record record;
    for (; sim_record(judge->world->sim, topic, partition, place.offset, &record); place.offset++) {
        struct message *command = arena_take(&judge->arena, sizeof *command);
        struct codec_error error;
        bool good = envelope_read(&record, &place, &judge->arena, command, &error) == ENVELOPE_OK;
        check_command(judge, service, command, good, &place);
    }
}

static void check_reactions(struct judge *judge, const struct service_descriptor *service,
                            int topic, int partition)
{
    struct place place = {topic, partition, 0};
    struct fence fence = fence_start();
    struct fence_reading reading;
    struct bus_record record;
    enum fence_verdict verdict;
    while (read_on(judge, &fence, &place, &record, &reading, &verdict)) {
        struct message *event = arena_take(&judge->arena, sizeof *event);
        struct codec_error error;
        if (verdict == FENCE_ACCEPTED &&
            envelope_read(&record, &place, &judge->arena, event, &error) == ENVELOPE_OK &&
            must_answer(service, event->type) && answer_of(judge, service, &place) == NULL)
            breach(judge, &place, "invariant 4: %s has no outcome of %s", message_name(event->type),
                   service->name);
    }
}

/* Every partition of one input of a service. */
static void check_input(struct judge *judge, const struct service_descriptor *service, int topic)
{
    for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
        if (topic_is_events(topic))
            check_reactions(judge, service, topic, partition);
        else
            check_commands(judge, service, topic, partition);
}

/* ---- at rest --------------------------------------------------------------------------------- */

/* Invariant 15: no hold is left, and the owner's state is the fold. */
static void check_rest(struct judge *judge, const struct service *service, int partition)
{
    for (int show = 0; show < WORLD_SHOWS; show++) {
        char id[16];
        struct place place = {TOPIC_SHOWS_EVENTS, partition, -1};
        struct text show_id = text_of(world_show_id(show, id));
        const struct told_show *told = map_find(&judge->shows, show_id);
        struct after seats;
        if (told == NULL || topic_partition_of(show_id, WORLD_PARTITIONS) != partition)
            continue;
        if (!shows_seats(service_state(service, partition), show_id, &seats) ||
            seats.sold != told->sold || seats.held != told->held || seats.blocked != told->blocked)
            breach(judge, &place, "invariant 15: the owner's state is not the fold");
        if (told->held != 0)
            breach(judge, &place, "invariant 15: %lld seats are still held at rest",
                   (long long)told->held);
    }
}

static void check_owners(struct judge *judge)
{
    for (int k = 0; k < WORLD_SERVICES; k++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++) {
            struct place place = {services[k]->output, partition, -1};
            int owners = 0;
            for (int i = 0; i < WORLD_INSTANCES; i++) {
                const struct service *service =
                    judge->world->processes[k * WORLD_INSTANCES + i].service;
                if (service_phase(service, partition) != DESK_RUNNING)
                    continue;
                owners++;
                if (k == 0)
                    check_rest(judge, service, partition);
            }
            if (owners != 1)
                breach(judge, &place, "liveness: %d owners at rest", owners);
        }
}

static void forget(struct judge *judge)
{
    arena_release(&judge->arena);
    map_release(&judge->answered);
    map_release(&judge->holds);
    map_release(&judge->first);
    map_release(&judge->shows);
}

static void forget_blocks(struct judge *judge)
{
    for (int show = 0; show < WORLD_SHOWS; show++) {
        char id[16];
        struct told_show *told = map_find(&judge->shows, text_of(world_show_id(show, id)));
        if (told)
            map_release(&told->blocks);
    }
}

const char *judge(struct world *world)
{
    struct judge judge = {.world = world};
    for (int k = 0; k < WORLD_SERVICES; k++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
            read_events(&judge, services[k], partition);
    for (int k = 0; k < WORLD_SERVICES && judge.breach == NULL; k++)
        for (int i = 0; i < services[k]->input_count; i++)
            check_input(&judge, services[k], services[k]->inputs[i]);
    if (judge.breach == NULL)
        check_owners(&judge);
    forget_blocks(&judge);
    forget(&judge);
    return judge.breach;
}
