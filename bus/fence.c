/* The acceptance rule, and the canonical texts it reads. Small on purpose: a stranger must be able
 * to check it. */
#include "bus/fence.h"

#include "base/crc.h"

#include <string.h>

/* ---- texts ----------------------------------------------------------------------------------- */

void stamp_print(struct stamp stamp, struct buffer *out)
{
    buffer_i64(out, stamp.claim);
    buffer_byte(out, '-');
    buffer_hex64(out, stamp.nonce);
    buffer_byte(out, '.');
    buffer_i64(out, (int64_t)stamp.n);
}

bool stamp_parse(struct text text, struct stamp *stamp)
{
    struct text claim = text_cut(&text, '-');
    struct text nonce = text_cut(&text, '.');
    return text_to_i64(claim, &stamp->claim) && text_to_hex64(nonce, &stamp->nonce) &&
           text_to_u64(text, &stamp->n) && stamp->n <= INT64_MAX;
}

void source_print(const struct source *source, struct buffer *out)
{
    if (source->timer) {
        buffer_string(out, "timer");
        return;
    }
    buffer_text(out, source->topic); /* a stranger's may hold a NUL */
    buffer_print(out, "/%d@%lld#%08x", source->partition, (long long)source->offset, source->crc);
}

bool source_parse(struct text text, struct source *source)
{
    int64_t partition;
    *source = (struct source){.timer = text_is(text, "timer")};
    if (source->timer)
        return true;
    source->topic = text_cut(&text, '/');
    if (!text_to_i64(text_cut(&text, '@'), &partition) || partition > INT32_MAX)
        return false;
    source->partition = (int)partition;
    return text_to_i64(text_cut(&text, '#'), &source->offset) &&
           text_to_hex32(text, &source->crc) && source->topic.size > 0;
}

void positions_print(const struct fence *fences, int count, struct buffer *out)
{
    for (int i = 0; i < count; i++) {
        if (i)
            buffer_byte(out, ';');
        buffer_i64(out, fences[i].next);
        if (fences[i].claim < 0)
            continue;
        buffer_byte(out, '@');
        stamp_print((struct stamp){fences[i].claim, fences[i].nonce, fences[i].n}, out);
    }
}

bool positions_parse(struct text text, struct fence *fences, int count)
{
    for (int i = 0; i < count; i++) {
        struct stamp stamp = {-1, 0, 0};
        struct text rest = text_cut(&text, ';');
        struct text next = text_cut(&rest, '@');
        if (rest.data && !stamp_parse(rest, &stamp))
            return false;
        fences[i] = (struct fence){0, stamp.claim, stamp.nonce, stamp.n, false, 0, 0, false};
        if (!text_to_i64(next, &fences[i].next))
            return false;
    }
    return text.data == NULL;
}

uint32_t source_crc(const struct bus_record *record)
{
    uint32_t crc = crc32c_add(0, record->value.data, record->value.size);
    struct text stamp = record_header(record, "sd_stamp", NULL);
    return crc32c_add(crc, stamp.data, stamp.size);
}

struct text record_header(const struct bus_record *record, const char *name, int *count)
{
    struct text found = {NULL, 0};
    int seen = 0;
    for (int i = 0; i < record->header_count && i < BUS_HEADERS_MAX; i++)
        if (text_is(record->headers[i].name, name)) {
            found = record->headers[i].value;
            seen++;
        }
    if (count)
        *count = seen;
    return seen == 1 ? found : (struct text){NULL, 0};
}

/* ---- the rule -------------------------------------------------------------------------------- */

struct fence fence_start(void)
{
    return (struct fence){.next = 0, .claim = -1};
}

struct fence fence_position(const struct fence *fence)
{
    return (struct fence){
        .next = fence->next, .claim = fence->claim, .nonce = fence->nonce, .n = fence->n};
}

bool fence_same_position(const struct fence *a, const struct fence *b)
{
    return a->next == b->next && a->claim == b->claim && a->nonce == b->nonce && a->n == b->n;
}

/* What the grammar asks of the headers, gathered in one pass. */
struct marks {
    struct text type, stamp, claim, content, source, positions;
    int type_count, stamp_count, claim_count;
};

static void mark(struct text *target, int *count, const struct bus_header *header, const char *name)
{
    if (!text_is(header->name, name))
        return;
    *target = header->value;
    if (count)
        ++*count;
}

static struct marks marks_of(const struct bus_record *record)
{
    struct marks marks = {0};
    for (int i = 0; i < record->header_count && i < BUS_HEADERS_MAX; i++) {
        const struct bus_header *header = &record->headers[i];
        mark(&marks.type, &marks.type_count, header, "ce_type");
        mark(&marks.stamp, &marks.stamp_count, header, "sd_stamp");
        mark(&marks.claim, &marks.claim_count, header, "sd_claim");
        mark(&marks.content, NULL, header, "content-type");
        mark(&marks.source, NULL, header, "sd_source");
        mark(&marks.positions, NULL, header, "sd_positions");
    }
    return marks;
}

static enum fence_verdict voided(struct fence_reading *reading, const char *why)
{
    reading->why = why;
    return FENCE_VOID;
}

/* Nobody should ever have written that stamp here. */
static enum fence_verdict doubt(struct fence *fence, int64_t offset, struct stamp stamp,
                                struct fence_reading *reading)
{
    if (fence->doubt_settled && fence->doubt == stamp.claim && fence->doubt_nonce == stamp.nonce)
        return voided(reading, "of an epoch that was never claimed");
    fence->next = offset;
    fence->in_doubt = true;
    fence->doubt_settled = false;
    fence->doubt = stamp.claim;
    fence->doubt_nonce = stamp.nonce;
    return FENCE_DOUBT;
}

/* What keeps a record from being read at all; NULL: nothing. */
static const char *breach_of(const struct bus_record *record, const struct marks *marks)
{
    if (record->header_count > BUS_HEADERS_MAX)
        return "too many headers";
    if (marks->type_count != 1)
        return "not exactly one ce_type";
    if (text_starts(marks->content, "application/cloudevents"))
        return "structured mode";
    return NULL;
}

/* Of a record whose type says that it is a claim. */
static const char *breach_of_claim(const struct marks *marks, struct fence_reading *reading)
{
    struct text rest = marks->claim;
    if (marks->stamp_count != 0)
        return "a claim with a stamp";
    if (marks->claim_count != 1 || !text_to_hex64(text_cut(&rest, '/'), &reading->nonce) ||
        rest.size == 0)
        return "a claim without a canonical sd_claim";
    reading->installation = rest;
    return NULL;
}

static bool is_claim(const struct marks *marks)
{
    return text_is(marks->type, "stagedoor.bus.Claimed");
}

/* The record at the offset that a doubtful stamp names as its claim. */
static enum fence_verdict resolve(struct fence *fence, int64_t offset,
                                  const struct bus_record *record, const struct marks *marks,
                                  struct fence_reading *reading)
{
    if (offset == fence->doubt && breach_of(record, marks) == NULL && is_claim(marks) &&
        breach_of_claim(marks, reading) == NULL && reading->nonce == fence->doubt_nonce) {
        reading->why = "it has a claim now that was not there when it was read before";
        return FENCE_LOST;
    }
    fence->in_doubt = false;
    fence->doubt_settled = true;
    return FENCE_CLEARED;
}

static enum fence_verdict read_claim(struct fence *fence, int64_t offset, const struct marks *marks,
                                     struct fence_reading *reading)
{
    const char *breach = breach_of_claim(marks, reading);
    if (breach)
        return voided(reading, breach);
    fence->claim = offset;
    fence->nonce = reading->nonce;
    fence->n = 0;
    return FENCE_CLAIMED;
}

static enum fence_verdict read_stamped(struct fence *fence, int64_t offset,
                                       const struct marks *marks, struct fence_reading *reading)
{
    struct stamp stamp;
    if (marks->stamp_count != 1 || !stamp_parse(marks->stamp, &stamp))
        return voided(reading, "no canonical sd_stamp");
    reading->stamp = stamp;
    if (stamp.claim >= offset)
        return voided(reading, "an epoch that lies ahead");
    if (stamp.claim < fence->claim)
        return voided(reading, "of an earlier epoch");
    if (stamp.claim > fence->claim || stamp.nonce != fence->nonce)
        return doubt(fence, offset, stamp, reading);
    if (stamp.n <= fence->n)
        return voided(reading, "a stamp that was there before");
    if (stamp.n != fence->n + 1)
        return voided(reading, "behind a gap");
    fence->n = stamp.n;
    reading->source = marks->source;
    reading->positions = marks->positions;
    return text_is(marks->type, "stagedoor.bus.Progress") ? FENCE_PROGRESS : FENCE_ACCEPTED;
}

enum fence_verdict fence_read(struct fence *fence, int64_t offset, const struct bus_record *record,
                              struct fence_reading *reading)
{
    struct marks marks = marks_of(record);
    enum fence_verdict verdict;
    *reading = (struct fence_reading){.stamp = {-1, 0, 0}};
    reading->type = marks.type;
    if (fence->in_doubt)
        return resolve(fence, offset, record, &marks, reading);
    const char *breach = breach_of(record, &marks);
    if (breach)
        verdict = voided(reading, breach);
    else if (offset == 0 && text_is(marks.type, "stagedoor.bus.Installed"))
        verdict = FENCE_INSTALLED;
    else if (is_claim(&marks))
        verdict = read_claim(fence, offset, &marks, reading);
    else
        verdict = read_stamped(fence, offset, &marks, reading);
    if (verdict != FENCE_DOUBT)
        fence->next = offset + 1;
    return verdict;
}
