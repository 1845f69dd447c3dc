/* What the auditor's files share, and its beginning and end. */
#include "audit/book.h"

#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- breaches -------------------------------------------------------------------------------- */

static bool is_earlier(const struct place *place, int64_t append_ms,
                       const struct audit_breach *than)
{
    if (append_ms != than->append_ms)
        return append_ms < than->append_ms;
    if (place->topic != than->place.topic)
        return place->topic < than->place.topic;
    if (place->partition != than->place.partition)
        return place->partition < than->place.partition;
    return place->offset < than->place.offset;
}

void breach_at(struct audit *audit, int invariant, const struct place *place, int64_t append_ms,
               const char *format, ...)
{
    struct audit_breach *first = &audit->first;
    bool none = audit->breaches[0] == 0;
    assert(invariant >= 1 && invariant <= AUDIT_INVARIANT_MAX);
    audit->books[place->partition].breached = true;
    audit->breaches[0]++;
    audit->breaches[invariant]++;
    if (!none && !is_earlier(place, append_ms, first))
        return;
    va_list arguments;
    first->invariant = invariant;
    first->place = *place;
    first->append_ms = append_ms;
    va_start(arguments, format);
    vsnprintf(first->text, sizeof first->text, format, arguments);
    va_end(arguments);
}

const char *audit_invariant_text(int invariant)
{
    static const char *const texts[] = {
        "any",
        "never more seats than there are",
        "after equals the fold, seq without gaps",
        "the life of a hold",
        "one outcome for each cause",
        "no false refusal",
        "decisions in the order of their causes",
        "no seats sold without a hold",
        "stamps and positions",
        "no hold ends before its time",
        "the rules of the sale",
        "tickets are what was sold",
        "no money kept without seats",
        "the price that was told",
        "records lie where they belong and come of what is there",
        "nothing is left open",
        "the same decision again",
    };
    assert(invariant >= 0 && invariant <= AUDIT_INVARIANT_MAX);
    return texts[invariant];
}

/* ---- memory ---------------------------------------------------------------------------------- */

void *keep(struct audit *audit, size_t size)
{
    return memset(arena_take(&audit->arena, size), 0, size);
}

struct text keep_text(struct audit *audit, struct text text)
{
    return arena_text(&audit->arena, text);
}

void list_add(struct list *list, void *item)
{
    list->items = memory_append(list->items, list->count++, item);
}

struct text print_key(struct audit *audit, struct text a, struct text b)
{
    char *data = arena_take(&audit->passing, a.size + b.size + 1);
    if (a.size)
        memcpy(data, a.data, a.size);
    data[a.size] = '/';
    if (b.size)
        memcpy(data + a.size + 1, b.data, b.size);
    return text_from(data, a.size + b.size + 1);
}

int64_t quantity_of_lines(const struct lines *lines)
{
    int64_t sum = 0;
    for (int i = 0; i < lines->count; i++)
        sum += lines->items[i].quantity;
    return sum;
}

struct numbers first_numbers(int64_t count)
{
    struct numbers numbers = {{0}};
    numbers_add_range(&numbers, 1, count < NUMBERS_MAX ? count : NUMBERS_MAX);
    return numbers;
}

void remember_answer(struct recent *commands, const struct message *event)
{
    if (message_has(event, fingerprint) && event->cause_id.size &&
        recent_ask(commands, event->cause_id, event->fingerprint) == RECENT_NEW)
        recent_remember(commands, event->cause_id, event->fingerprint);
}

bool both_same(bool has_a, struct text a, bool has_b, struct text b)
{
    return has_a == has_b && (!has_a || text_equal(a, b));
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct audit *audit_new(const struct installation *installation,
                        const struct audit_options *options)
{
    size_t count = (size_t)installation->partition_count;
    struct audit *audit = memory_new(sizeof *audit + count * sizeof *audit->books);
    audit->installation = *installation;
    audit->options = *options;
    for (size_t p = 0; p < count; p++) {
        struct book *book = &audit->books[p];
        for (int topic = 0; topic < TOPIC_COUNT; topic++)
            book->streams[topic].fence = fence_start();
        for (int service = 0; service < SERVICES; service++)
            for (int input = 0; input < INPUTS_MAX; input++)
                book->ledgers[service].positions[input] = fence_start();
    }
    return audit;
}

static void release_book(struct book *book)
{
    map_release(&book->shows);
    map_release(&book->holds);
    map_release(&book->bookings);
    map_release(&book->orders);
    map_release(&book->attempts);
    map_release(&book->captures);
    map_release(&book->refunds);
    replay_release(book);
}

static void release_entities(struct audit *audit)
{
    for (size_t i = 0; i < audit->shows.count; i++) {
        struct show *show = audit->shows.items[i];
        map_release(&show->blocks);
        map_release(&show->persons);
        recent_release(&show->commands);
        memory_free(show->tiers);
        memory_free(show->bookings.items);
    }
    for (size_t i = 0; i < audit->bookings.count; i++)
        recent_release(&((struct booking *)audit->bookings.items[i])->commands);
    for (size_t i = 0; i < audit->tickets.count; i++)
        recent_release(&((struct ticket *)audit->tickets.items[i])->commands);
    for (size_t i = 0; i < audit->refunds.count; i++)
        recent_release(&((struct repayment *)audit->refunds.items[i])->commands);
}

void audit_free(struct audit *audit)
{
    if (audit == NULL)
        return;
    streams_release(audit);
    release_entities(audit);
    for (int p = 0; p < audit->installation.partition_count; p++)
        release_book(&audit->books[p]);
    memory_free(audit->shows.items);
    memory_free(audit->holds.items);
    memory_free(audit->bookings.items);
    memory_free(audit->captures.items);
    memory_free(audit->tickets.items);
    memory_free(audit->refunds.items);
    arena_release(&audit->arena);
    arena_release(&audit->passing);
    buffer_release(&audit->bytes);
    memory_free(audit);
}

void audit_read(struct audit *audit, const struct place *place, const struct bus_record *record)
{
    assert(!audit->finished && place->topic >= 0 && place->topic < TOPIC_COUNT);
    assert(place->partition >= 0 && place->partition < audit->installation.partition_count);
    stream_read(audit, place, record);
    stream_advance(audit, place->partition);
}

void audit_reached(struct audit *audit, int topic, int partition, int64_t offset)
{
    struct stream *stream = &audit->books[partition].streams[topic];
    if (offset > stream->reached)
        stream->reached = offset;
    stream_advance(audit, partition);
}

bool audit_wants(const struct audit *audit, int topic, int partition)
{
    return stream_wanted(audit, topic, partition);
}

void audit_finish(struct audit *audit, bool at_rest, int64_t now_ms)
{
    assert(!audit->finished);
    if (now_ms)
        audit->newest_ms = now_ms;
    if (at_rest) {
        stream_force(audit);
        stream_unread(audit);
        arena_reset(&audit->passing);
        seats_at_rest(audit);
        bookings_at_rest(audit);
        money_at_rest(audit);
    }
    audit->finished = true;
}

const struct audit_breach *audit_first(const struct audit *audit)
{
    return audit->breaches[0] ? &audit->first : NULL;
}

uint64_t audit_breach_count(const struct audit *audit, int invariant)
{
    assert(invariant >= 0 && invariant <= AUDIT_INVARIANT_MAX);
    return audit->breaches[invariant];
}

const struct audit_counts *audit_counts(const struct audit *audit)
{
    return &audit->counts;
}

bool audit_seats(const struct audit *audit, struct text show_id, struct after *seats)
{
    int partition = topic_partition_of(show_id, audit->installation.partition_count);
    const struct show *show = map_find(&audit->books[partition].shows, show_id);
    if (show == NULL || !show->created || show->archived)
        return false;
    int64_t rest = show->capacity - show->held - show->sold - show->blocked;
    *seats =
        (struct after){show->capacity,      show->held,           show->sold, show->blocked,
                       rest > 0 ? rest : 0, rest < 0 ? -rest : 0, 0,          {{{NULL, 0}, 0, 0}}};
    seats->tier_count = show->order_count;
    for (int i = 0; i < show->order_count; i++) {
        const struct seat_tier *tier = &show->tiers[show->order[i]];
        seats->tiers[i] = (struct tier_use){tier->tier_id, tier->held, tier->sold};
    }
    return true;
}
