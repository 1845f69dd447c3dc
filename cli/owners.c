/* Topics come in any interleaving, so an input that is read before its owner's words waits until
 * they say that it was read. */
#include "cli/owners.h"

#include "base/arena.h"
#include "base/memory.h"
#include "bus/envelope.h"

/* ---- what waits ------------------------------------------------------------------------------ */
static void backlog_add(struct owner_backlog *backlog, int64_t offset, int64_t append_ms)
{
    if (offset < backlog->position)
        return;
    if (backlog->count == backlog->capacity && backlog->first > backlog->capacity / 2) {
        backlog->count -= backlog->first;
        memmove(backlog->items, backlog->items + backlog->first,
                backlog->count * sizeof *backlog->items);
        backlog->first = 0;
    }
    if (backlog->count == backlog->capacity) {
        backlog->capacity = backlog->capacity ? 2 * backlog->capacity : 64;
        backlog->items = memory_grow(backlog->items, backlog->capacity * sizeof *backlog->items);
    }
    backlog->items[backlog->count++] = (struct owner_waiting){offset, append_ms};
}

static void backlog_pass(struct owner_backlog *backlog, int64_t position)
{
    backlog->position = position;
    while (backlog->first < backlog->count && backlog->items[backlog->first].offset < position)
        backlog->first++;
    if (backlog->first == backlog->count)
        backlog->first = backlog->count = 0;
}

static void take_input(struct owners *owners, const struct follower_item *item, bool readable)
{
    bool event = topic_is_events(item->place.topic);
    for (int service = 0; service < SERVICES; service++)
        for (int i = 0; i < parts[service].input_count; i++) {
            if (parts[service].inputs[i] != item->place.topic)
                continue;
            if (event && (!readable || !may_react(service, item->message.type)))
                continue;
            backlog_add(&owners->of[service][item->place.partition].backlogs[i], item->place.offset,
                        item->record->append_ms);
        }
}

/* ---- what owners say ------------------------------------------------------------------------- */
static int service_of(int topic)
{
    for (int service = 0; service < SERVICES; service++)
        if (parts[service].output == topic)
            return service;
    return -1;
}

static void rename_to(struct text *name, struct text to)
{
    text_free(name);
    *name = text_copy(to);
}

static void take_claim(struct owner *owner, const struct follower_item *item)
{
    struct arena arena = {0};
    struct message claim;
    struct codec_error error;
    /* A claim counts by its headers; what else it says is for people. */
    if (envelope_read(item->record, &item->place, &arena, &claim, &error) != ENVELOPE_OK)
        message_init(&claim, MESSAGE_Claimed);
    bool changed = owner->claim >= 0 && !text_equal(owner->instance, claim.instance);
    owner->claims[owner->claim_count++ % OWNER_CLAIMS_MAX] =
        (struct owner_claim){item->record->append_ms, changed};
    rename_to(&owner->instance, claim.instance);
    rename_to(&owner->host, claim.host);
    rename_to(&owner->version, claim.version);
    owner->pid = claim.pid;
    owner->rules = claim.rules;
    owner->claim = item->place.offset;
    owner->nonce = item->reading.nonce;
    owner->since_ms = owner->last_ms = item->record->append_ms;
    owner->record_count = 0;
    arena_release(&arena);
}

static void take_word(struct owner *owner, int service, const struct follower_item *item)
{
    struct fence positions[FENCE_INPUTS_MAX];
    owner->record_count++;
    owner->last_ms = item->record->append_ms;
    if (!positions_parse(item->reading.positions, positions, parts[service].input_count))
        return;
    for (int i = 0; i < parts[service].input_count; i++)
        backlog_pass(&owner->backlogs[i], positions[i].next);
}

static void open_books(struct owners *owners)
{
    for (int service = 0; service < SERVICES && owners->of[service] == NULL; service++) {
        owners->of[service] = memory_new((size_t)owners->partition_count * sizeof **owners->of);
        for (int partition = 0; partition < owners->partition_count; partition++)
            owners->of[service][partition].claim = -1;
    }
}

void owners_take(struct owners *owners, enum follower_news news, const struct follower_item *item)
{
    open_books(owners);
    int service = service_of(item->place.topic);
    struct owner *owner = service < 0 ? NULL : &owners->of[service][item->place.partition];
    bool said = news == FOLLOWER_MESSAGE || news == FOLLOWER_STRANGE || news == FOLLOWER_PROGRESS;
    if (owner && news == FOLLOWER_CLAIM)
        take_claim(owner, item);
    if (owner && said)
        take_word(owner, service, item);
    if (owner == NULL || news == FOLLOWER_MESSAGE)
        take_input(owners, item, news == FOLLOWER_MESSAGE);
}

void owners_release(struct owners *owners)
{
    for (int service = 0; service < SERVICES && owners->of[service]; service++) {
        for (int partition = 0; partition < owners->partition_count; partition++) {
            struct owner *owner = &owners->of[service][partition];
            text_free(&owner->instance);
            text_free(&owner->host);
            text_free(&owner->version);
            for (int i = 0; i < INPUTS_MAX; i++)
                memory_free(owner->backlogs[i].items);
        }
        memory_free(owners->of[service]);
        owners->of[service] = NULL;
    }
}

/* ---- the look -------------------------------------------------------------------------------- */
static void look_at_waiting(const struct owner *owner, int64_t now_ms, struct owner_look *look)
{
    for (int i = 0; i < INPUTS_MAX; i++) {
        const struct owner_backlog *backlog = &owner->backlogs[i];
        if (backlog->first == backlog->count)
            continue;
        int64_t waited_ms = now_ms - backlog->items[backlog->first].append_ms;
        look->waiting_count += (int64_t)(backlog->count - backlog->first);
        if (waited_ms > look->waiting_ms)
            look->waiting_ms = waited_ms;
    }
}

static void look_at_claims(const struct owner *owner, int64_t now_ms, struct owner_look *look)
{
    for (int64_t i = 0; i < owner->claim_count && i < OWNER_CLAIMS_MAX; i++) {
        bool lately = now_ms - owner->claims[i].at_ms <= OWNER_LATELY_MS;
        look->claims_lately += lately;
        look->changes_lately += lately && owner->claims[i].changed;
    }
}

static enum owner_state state_of(const struct owner_look *look)
{
    if (look->owner->claim < 0)
        return OWNER_NOBODY;
    if (look->waiting_count == 0)
        return OWNER_READY;
    if (look->quiet_ms >= OWNER_PATIENCE_MS && look->waiting_ms >= OWNER_PATIENCE_MS)
        return OWNER_SILENT;
    return look->owner->record_count == 0 ? OWNER_RECOVERING : OWNER_BEHIND;
}

struct owner_look owners_look(const struct owners *owners, int service, int partition,
                              int64_t now_ms)
{
    static const struct owner nobody = {.claim = -1};
    struct owner_look look = {.owner = &nobody};
    if (owners->of[service])
        look.owner = &owners->of[service][partition];
    look_at_waiting(look.owner, now_ms, &look);
    look_at_claims(look.owner, now_ms, &look);
    if (look.owner->claim >= 0 && now_ms > look.owner->last_ms)
        look.quiet_ms = now_ms - look.owner->last_ms;
    look.state = state_of(&look);
    return look;
}

const char *owner_state_name(enum owner_state state)
{
    switch (state) {
    case OWNER_NOBODY:
        return "nobody";
    case OWNER_READY:
        return "ready";
    case OWNER_RECOVERING:
        return "recovering";
    case OWNER_BEHIND:
        return "behind";
    case OWNER_SILENT:
        return "silent";
    }
    return "?";
}
