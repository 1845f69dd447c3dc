/* Records in, in the order of each partition; out, in the order in which they were caused. Whose
 * word counts says the fence; what a writer had read when it wrote says its sd_positions. */
#include "audit/book.h"

#include "base/memory.h"

#include <string.h>

enum { KEPT_MAX = 2000 }; /* records of a partition before others should be read on first */

/* ---- bits ------------------------------------------------------------------------------------ */

bool bits_get(const struct bits *bits, int64_t at)
{
    size_t byte = (size_t)at / 8;
    return byte < bits->size && (bits->bytes[byte] >> ((uint64_t)at & 7) & 1);
}

static void bits_set(struct bits *bits, int64_t at)
{
    size_t byte = (size_t)at / 8;
    if (byte >= bits->size) {
        size_t size = bits->size ? bits->size * 2 : 64;
        while (size <= byte)
            size *= 2;
        bits->bytes = memory_grow(bits->bytes, size);
        memset(bits->bytes + bits->size, 0, size - bits->size);
        bits->size = size;
    }
    bits->bytes[byte] = (uint8_t)(bits->bytes[byte] | 1u << ((uint64_t)at & 7));
}

/* ---- keeping records ------------------------------------------------------------------------- */

/* A record with more than 32 headers says 33 and brings 32 (bus.h). */
static int headers_there(const struct bus_record *record)
{
    return record->header_count < BUS_HEADERS_MAX ? record->header_count : BUS_HEADERS_MAX;
}

static struct text copy_text(char **at, struct text text)
{
    struct text copy = {text.data ? *at : NULL, text.size};
    if (text.data && text.size)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return copy;
}

/* `whole`: with its bytes, to be read again. */
static struct page *page_new(int64_t offset, const struct bus_record *record, bool whole)
{
    int count = whole ? headers_there(record) : 0;
    size_t headers = sizeof(struct bus_header) * (size_t)count, bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += record->headers[i].name.size + record->headers[i].value.size;
    if (whole)
        bytes += record->key.size + record->value.size;
    struct page *page = memory_new(sizeof *page + headers + bytes);
    char *at = (char *)page->headers + headers;
    page->offset = offset;
    page->type = MESSAGE_NONE;
    page->record.append_ms = record->append_ms;
    if (!whole)
        return page;
    page->record = *record;
    page->record.key = copy_text(&at, record->key);
    page->record.value = copy_text(&at, record->value);
    page->record.headers = page->headers;
    for (int i = 0; i < count; i++) {
        page->headers[i].name = copy_text(&at, record->headers[i].name);
        page->headers[i].value = copy_text(&at, record->headers[i].value);
    }
    return page;
}

static void page_free(struct page *page)
{
    memory_free(page->positions);
    memory_free(page);
}

/* Calls for each service that reads the topic. */
#define FOR_READERS(topic, service, input)                                                         \
    for (int service = 0; service < SERVICES; service++)                                           \
        for (int input = 0; input < parts[service].input_count; input++)                           \
            if (parts[service].inputs[input] == (topic))

static void append(struct book *book, int topic, struct page *page)
{
    struct stream *stream = &book->streams[topic];
    if (stream->last)
        stream->last->next = page;
    else
        stream->first = page;
    stream->last = page;
    if (stream->turn == NULL)
        stream->turn = page;
    if (++stream->kept >= KEPT_MAX)
        stream->full = true;
    FOR_READERS(topic, service, input)
    {
        struct ledger *ledger = &book->ledgers[service];
        if (ledger->at[input] == NULL)
            ledger->at[input] = page;
    }
}

/* Forgets what is judged and passed by everyone. */
static void trim(struct book *book, int topic)
{
    struct stream *stream = &book->streams[topic];
    while (stream->first && stream->first != stream->turn) {
        struct page *page = stream->first;
        FOR_READERS(topic, service, input)
        {
            if (book->ledgers[service].at[input] == page)
                return;
        }
        stream->first = page->next;
        if (stream->first == NULL)
            stream->last = NULL;
        if (--stream->kept <= KEPT_MAX / 2)
            stream->full = false;
        page_free(page);
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

static void check_installation(struct audit *audit, const struct place *place,
                               const struct bus_record *record, struct text id)
{
    if (!text_is(id, audit->installation.id))
        breach_at(audit, 8, place, record->append_ms,
                  "it is of the installation '%.*s', the log is of '%s': records of two logs are "
                  "mixed here",
                  TEXT_PRINT(id), audit->installation.id);
}

/* A doubt means to read again what lies at the offset that the stamp names. It was read already,
 * and was not that claim: so the stamp is void like any other. */
static enum fence_verdict verdict_of(struct audit *audit, struct fence *fence, int64_t offset,
                                     const struct bus_record *record, struct fence_reading *reading)
{
    const struct bus_record nothing = {.header_count = 0};
    enum fence_verdict verdict = fence_read(fence, offset, record, reading);
    if (verdict != FENCE_DOUBT)
        return verdict;
    audit->counts.doubts++;
    fence_read(fence, fence->doubt, &nothing, reading);
    return fence_read(fence, offset, record, reading);
}

static struct fence *positions_of(int topic, struct text text)
{
    struct fence *positions = memory_new(INPUTS_MAX * sizeof *positions);
    if (positions_parse(text, positions, parts[topic / 2].input_count))
        return positions;
    memory_free(positions);
    return NULL;
}

static void read_event(struct audit *audit, struct book *book, const struct place *place,
                       const struct bus_record *record)
{
    struct stream *stream = &book->streams[place->topic];
    struct fence_reading reading;
    enum fence_verdict verdict = verdict_of(audit, &stream->fence, place->offset, record, &reading);
    bool counts = verdict == FENCE_ACCEPTED || verdict == FENCE_PROGRESS;
    bool whole = counts || verdict == FENCE_CLAIMED || verdict == FENCE_INSTALLED;
    struct page *page = page_new(place->offset, record, whole);
    page->verdict = verdict;
    page->why = reading.why;
    page->after = fence_position(&stream->fence);
    page->stamp = reading.stamp;
    if (verdict == FENCE_CLAIMED)
        check_installation(audit, place, record, reading.installation);
    if (counts) {
        page->crc = source_crc(record);
        page->positions = positions_of(place->topic, reading.positions);
        if (page->positions == NULL)
            breach_at(audit, 8, place, record->append_ms,
                      "its sd_positions are malformed: nobody could take over behind it");
    }
    append(book, place->topic, page);
}

void stream_read(struct audit *audit, const struct place *place, const struct bus_record *record)
{
    struct book *book = &audit->books[place->partition];
    audit->counts.records++;
    audit->counts.by_topic[place->topic]++;
    if (record->append_ms > audit->newest_ms)
        audit->newest_ms = record->append_ms;
    if (topic_is_events(place->topic)) {
        read_event(audit, book, place, record);
    } else {
        struct page *page = page_new(place->offset, record, true);
        page->verdict = FENCE_ACCEPTED;
        page->after.claim = -1;
        page->crc = source_crc(record);
        append(book, place->topic, page);
    }
    if (place->offset + 1 > book->streams[place->topic].reached)
        book->streams[place->topic].reached = place->offset + 1;
}

/* ---- passing --------------------------------------------------------------------------------- */

/* 4, second half: what has no outcome needs none. `gone`: the log ends, and nobody has read it. */
static void check_passed(struct audit *audit, struct book *book, int service, int input,
                         int partition, const struct page *page, bool gone)
{
    int topic = parts[service].inputs[input];
    struct place place = {topic, partition, page->offset};
    bool event = topic_is_events(topic);
    if (page->verdict != FENCE_ACCEPTED || (event && !may_react(service, page->type)))
        return;
    struct message *message = &audit->skipped;
    enum envelope_result result = read_page(audit, topic, partition, page, message);
    if (event && result != ENVELOPE_OK)
        return; /* said already */
    enum answer answer = answer_to(audit, book, service, partition, message, result);
    bool refund = service == CHECKOUT &&
                  (message->type == MESSAGE_SaleRejected || message->type == MESSAGE_SeatsReturned);
    if (answer == ANSWER_MUST)
        breach_at(audit, refund ? 12 : 4, &place, page->record.append_ms,
                  refund ? "%s of a payment has no refund: %s %s, and the money was kept"
                         : "%s has no outcome: %s %s",
                  message->type == MESSAGE_NONE ? "a command" : message_name(message->type),
                  parts[service].name, gone ? "never answered it" : "passed it over");
    else if (!event)
        audit->counts.repeats++;
    if (answer != ANSWER_MUST && audit->options.replay)
        replay_skipped(audit, book, service, partition, page, message);
}

/* 6: whether it was read in its turn, where the log's clock was steady. */
static void check_turn(struct audit *audit, const struct ledger *ledger, int service,
                       const struct place *place, const struct page *page)
{
    int64_t append_ms = page->record.append_ms;
    int64_t surely_ms = append_ms + audit->options.clock_slack_ms;
    int64_t backlog_ms =
        ledger->handled_ms < ledger->claim_ms ? ledger->handled_ms : ledger->claim_ms;
    if (!audit->options.steady_clock || page->verdict != FENCE_ACCEPTED)
        return;
    if (surely_ms < ledger->timer_ms)
        breach_at(audit, 6, place, append_ms,
                  "%s decided what was due %lld ms after this was appended, and had not read it",
                  parts[service].name, (long long)(ledger->timer_ms - append_ms));
    else if (surely_ms < backlog_ms)
        breach_at(
            audit, 6, place, append_ms,
            "it lay there when the owner of %s took over, which handled younger records first",
            parts[service].name);
}

static void check_read(struct audit *audit, const struct place *place, int64_t append_ms, int topic,
                       const struct fence *said, const struct fence *found)
{
    if (said->claim != found->claim || said->nonce != found->nonce || said->n != found->n)
        breach_at(audit, 8, place, append_ms,
                  "it was decided after reading %s up to %lld as epoch %lld and stamp %llu, but "
                  "there it is epoch %lld and stamp %llu: what counts was read wrongly",
                  topic_name(topic), (long long)said->next, (long long)said->claim,
                  (unsigned long long)said->n, (long long)found->claim,
                  (unsigned long long)found->n);
}

/* Passes what lies before the position of one input; the record at `source` (-1: none) is the cause
 * and is given back. */
static struct page *pass_input(struct audit *audit, struct book *book, int service, int input,
                               const struct place *place, const struct page *by, int64_t source)
{
    struct ledger *ledger = &book->ledgers[service];
    const struct fence *said = &by->positions[input];
    struct fence *last = &ledger->positions[input];
    struct fence found = *last;
    struct page *cause = NULL;
    if (said->next < last->next) {
        breach_at(
            audit, 8, place, by->record.append_ms, "the position in %s went back from %lld to %lld",
            topic_name(parts[service].inputs[input]), (long long)last->next, (long long)said->next);
        return NULL;
    }
    for (struct page *at; (at = ledger->at[input]) && at->offset < said->next;) {
        struct place there = {parts[service].inputs[input], place->partition, at->offset};
        check_turn(audit, ledger, service, &there, at);
        if (at->offset == source) {
            cause = at;
            bits_set(&ledger->answered[input], at->offset);
        } else {
            check_passed(audit, book, service, input, place->partition, at, false);
        }
        found = at->after;
        ledger->at[input] = at->next;
    }
    check_read(audit, place, by->record.append_ms, parts[service].inputs[input], said, &found);
    *last = *said;
    return cause;
}

struct page *stream_pass(struct audit *audit, struct book *book, int service,
                         const struct place *place, const struct page *by, int source_topic,
                         int64_t source)
{
    struct page *cause = NULL;
    for (int input = 0; input < parts[service].input_count; input++) {
        bool here = parts[service].inputs[input] == source_topic;
        struct page *found = pass_input(audit, book, service, input, place, by, here ? source : -1);
        cause = found ? found : cause;
    }
    return cause;
}

/* ---- judging --------------------------------------------------------------------------------- */

static void read_claim(struct audit *audit, struct book *book, const struct place *place,
                       const struct page *page)
{
    struct ledger *ledger = &book->ledgers[place->topic / 2];
    audit->counts.claims++;
    ledger->claim_ms = page->record.append_ms;
    ledger->handled_ms = 0;
    ledger->rules = -1;
    if (read_page(audit, place->topic, place->partition, page, &audit->event) == ENVELOPE_OK)
        ledger->rules = audit->event.rules;
}

static void count_command(struct audit *audit, const struct page *page)
{
    enum speaker speaker;
    struct text name = record_header(&page->record, "ce_type", NULL);
    enum message_type type = message_type_parse(name, &speaker);
    audit->counts.commands++;
    if (type != MESSAGE_NONE)
        audit->counts.by_type[type]++;
}

static void check_installed(struct audit *audit, const struct place *place, const struct page *page)
{
    struct message *installed = &audit->event;
    if (read_page(audit, place->topic, place->partition, page, installed) != ENVELOPE_OK) {
        breach_at(audit, 8, place, page->record.append_ms,
                  "the installation record cannot be read");
        return;
    }
    check_installation(audit, place, &page->record, installed->installation);
    if (installed->partitions != audit->installation.partition_count)
        breach_at(
            audit, 8, place, page->record.append_ms,
            "it says that there are %lld partitions, but there are %d: keys lie elsewhere now",
            (long long)installed->partitions, audit->installation.partition_count);
}

static void judge(struct audit *audit, struct book *book, const struct place *place,
                  struct page *page)
{
    int service = place->topic / 2;
    book->streams[place->topic].turn = page->next;
    arena_reset(&audit->passing);
    if (!topic_is_events(place->topic)) {
        count_command(audit, page);
        return;
    }
    switch (page->verdict) {
    case FENCE_INSTALLED:
        check_installed(audit, place, page);
        break;
    case FENCE_CLAIMED:
        read_claim(audit, book, place, page);
        break;
    case FENCE_PROGRESS:
        audit->counts.progress++;
        if (page->positions)
            stream_pass(audit, book, service, place, page, -1, -1);
        break;
    case FENCE_ACCEPTED:
        hear(audit, book, service, place->partition, page);
        break;
    case FENCE_VOID:
    case FENCE_DOUBT:
    case FENCE_CLEARED:
    case FENCE_LOST:
        audit->counts.voids++;
        break;
    }
    for (int input = 0; input < parts[service].input_count; input++)
        trim(book, parts[service].inputs[input]);
}

/* What it waits for: the first input that is not judged as far as its writer had read it; -1:
 * nothing. */
static int waits_for(const struct book *book, int topic, const struct page *page)
{
    if (!topic_is_events(topic) || page->positions == NULL)
        return -1;
    for (int i = 0; i < parts[topic / 2].input_count; i++) {
        const struct stream *input = &book->streams[parts[topic / 2].inputs[i]];
        int64_t next = page->positions[i].next;
        if (input->reached < next || (input->turn && input->turn->offset < next))
            return parts[topic / 2].inputs[i];
    }
    return -1;
}

void stream_advance(struct audit *audit, int partition)
{
    struct book *book = &audit->books[partition];
    for (bool more = true; more;) {
        more = false;
        for (int topic = 0; topic < TOPIC_COUNT; topic++) {
            struct stream *stream = &book->streams[topic];
            for (struct page *page; (page = stream->turn) != NULL;) {
                struct place place = {topic, partition, page->offset};
                if (waits_for(book, topic, page) >= 0)
                    break;
                judge(audit, book, &place, page);
                trim(book, topic);
                more = true;
            }
        }
    }
}

bool stream_wanted(const struct audit *audit, int topic, int partition)
{
    const struct book *book = &audit->books[partition];
    const struct stream *stream = &book->streams[topic];
    if (!stream->full)
        return true;
    for (int other = 0; other < TOPIC_COUNT; other++) {
        const struct page *head = book->streams[other].turn;
        if (head && stream->turn == NULL && waits_for(book, other, head) == topic)
            return true;
    }
    return false;
}

/* ---- at rest --------------------------------------------------------------------------------- */

static bool oldest_stuck(const struct audit *audit, struct place *place)
{
    int64_t oldest_ms = INT64_MAX;
    for (int partition = 0; partition < audit->installation.partition_count; partition++)
        for (int topic = 0; topic < TOPIC_COUNT; topic++) {
            const struct page *head = audit->books[partition].streams[topic].turn;
            if (head && head->record.append_ms < oldest_ms) {
                oldest_ms = head->record.append_ms;
                *place = (struct place){topic, partition, head->offset};
            }
        }
    return oldest_ms != INT64_MAX;
}

void stream_force(struct audit *audit)
{
    struct place place;
    while (oldest_stuck(audit, &place)) {
        struct book *book = &audit->books[place.partition];
        struct page *page = book->streams[place.topic].turn;
        int input = waits_for(book, place.topic, page);
        if (input >= 0)
            breach_at(audit, 14, &place, page->record.append_ms,
                      "its writer had read more of %s than there is: %lld records are there",
                      topic_name(input), (long long)book->streams[input].reached);
        judge(audit, book, &place, page);
        trim(book, place.topic);
        stream_advance(audit, place.partition);
    }
}

void stream_unread(struct audit *audit)
{
    for (int partition = 0; partition < audit->installation.partition_count; partition++)
        for (int service = 0; service < SERVICES; service++)
            for (int input = 0; input < parts[service].input_count; input++) {
                struct book *book = &audit->books[partition];
                const struct page *page = book->ledgers[service].at[input];
                for (; page; page = page->next) {
                    arena_reset(&audit->passing);
                    check_passed(audit, book, service, input, partition, page, true);
                }
            }
}

void streams_release(struct audit *audit)
{
    for (int partition = 0; partition < audit->installation.partition_count; partition++) {
        struct book *book = &audit->books[partition];
        for (int topic = 0; topic < TOPIC_COUNT; topic++)
            for (struct page *page = book->streams[topic].first, *next; page; page = next) {
                next = page->next;
                page_free(page);
            }
        for (int service = 0; service < SERVICES; service++)
            for (int input = 0; input < INPUTS_MAX; input++)
                memory_free(book->ledgers[service].answered[input].bytes);
    }
}
