#include "cli/log_line.h"

#include "base/crc.h"
#include "schemas/json.h"

#include <string.h>

/* ---- sums ------------------------------------------------------------------------------------ */
bool log_sum_same(const struct log_sum *a, const struct log_sum *b)
{
    return a->record_count == b->record_count && memcmp(a->ends, b->ends, sizeof a->ends) == 0 &&
           memcmp(a->sums, b->sums, sizeof a->sums) == 0;
}

void log_sum_add(struct log_sum *sum, const struct place *place, struct text line)
{
    uint32_t *of = &sum->sums[place->topic][place->partition];
    *of = crc32c_add(*of, line.data, line.size);
    sum->ends[place->topic][place->partition] = place->offset + 1;
    sum->record_count++;
}

/* ---- writing --------------------------------------------------------------------------------- */
static void put_bytes(struct buffer *out, const char *name, struct text text)
{
    static const char digits[] = "0123456789abcdef";
    size_t at;
    struct buffer quoted = {0};
    if (text.data == NULL) {
        if (name == NULL)
            json_put_null(out, NULL);
        return;
    }
    json_put_text(&quoted, NULL, text);
    if (json_problem(buffer_view(&quoted), &at) == NULL) {
        json_put_raw(out, name, buffer_view(&quoted));
    } else {
        buffer_clear(&quoted);
        for (size_t i = 0; i < text.size; i++) {
            buffer_byte(&quoted, digits[(unsigned char)text.data[i] >> 4]);
            buffer_byte(&quoted, digits[(unsigned char)text.data[i] & 15]);
        }
        json_put_open(out, name, '{');
        json_put_text(out, "hex", buffer_view(&quoted));
        json_put_close(out, '}');
    }
    buffer_release(&quoted);
}

void log_line_put_head(struct buffer *out, const struct installation *installation)
{
    json_put_open(out, NULL, '{');
    json_put_i64(out, "stagedoor_export", LOG_LINE_VERSION);
    json_put_text(out, "installation", text_of(installation->id));
    json_put_i64(out, "partitions", installation->partition_count);
    json_put_close(out, '}');
}

void log_line_put_record(struct buffer *out, const struct place *place,
                         const struct bus_record *record)
{
    bool more = record->header_count > BUS_HEADERS_MAX;
    json_put_open(out, NULL, '{');
    json_put_text(out, "topic", text_of(topic_name(place->topic)));
    json_put_i64(out, "partition", place->partition);
    json_put_i64(out, "offset", place->offset);
    json_put_i64(out, "append_ms", record->append_ms);
    put_bytes(out, "key", record->key);
    json_put_open(out, "headers", '[');
    for (int i = 0; i < record->header_count && i < BUS_HEADERS_MAX; i++) {
        json_put_open(out, NULL, '[');
        put_bytes(out, NULL, record->headers[i].name.data ? record->headers[i].name : text_of(""));
        put_bytes(out, NULL, record->headers[i].value);
        json_put_close(out, ']');
    }
    json_put_close(out, ']');
    if (more)
        json_put_bool(out, "more_headers", true);
    put_bytes(out, "value", record->value);
    json_put_close(out, '}');
}

static void put_table(struct buffer *out, const char *name, const struct log_sum *sum,
                      int partition_count, bool ends)
{
    json_put_open(out, name, '{');
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        json_put_open(out, topic_name(topic), '[');
        for (int partition = 0; partition < partition_count; partition++)
            json_put_i64(out, NULL,
                         ends ? sum->ends[topic][partition] : (int64_t)sum->sums[topic][partition]);
        json_put_close(out, ']');
    }
    json_put_close(out, '}');
}

void log_line_put_tail(struct buffer *out, const struct log_sum *sum, int partition_count)
{
    json_put_open(out, NULL, '{');
    json_put_i64(out, "records", (int64_t)sum->record_count);
    put_table(out, "ends", sum, partition_count, true);
    put_table(out, "sums", sum, partition_count, false);
    json_put_close(out, '}');
}

/* ---- reading --------------------------------------------------------------------------------- */
static int hex_value(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 87
                                          : -1;
}

static bool read_hex(struct text hex, struct arena *arena, struct text *text)
{
    char *bytes = arena_take(arena, hex.size / 2 + 1);
    for (size_t i = 0; i + 1 < hex.size; i += 2) {
        int high = hex_value(hex.data[i]), low = hex_value(hex.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (char)(high << 4 | low);
    }
    *text = text_from(bytes, hex.size / 2);
    return hex.size % 2 == 0;
}

/* NULL and null: absent. */
static bool read_bytes(const struct json *value, struct arena *arena, struct text *text)
{
    struct text found;
    *text = (struct text){NULL, 0};
    if (value == NULL)
        return true;
    if (json_text(value, &found)) {
        *text = arena_text(arena, found);
        return true;
    }
    if (json_is_object(value))
        return json_text(json_member(value, "hex"), &found) && read_hex(found, arena, text);
    return !json_is_array(value);
}

static bool read_header(const struct json *pair, struct arena *arena, struct bus_header *header)
{
    return json_is_array(pair) && json_size(pair) == 2 &&
           read_bytes(json_first(pair), arena, &header->name) && header->name.data &&
           read_bytes(json_next(json_first(pair)), arena, &header->value);
}

static bool read_headers(const struct json *document, struct arena *arena,
                         struct log_line_read *read)
{
    bool more = false;
    const struct json *list = json_member(document, "headers");
    const struct json *mark = json_member(document, "more_headers");
    if (list == NULL || !json_is_array(list) || json_size(list) > BUS_HEADERS_MAX ||
        (mark && !json_bool(mark, &more)))
        return false;
    int count = 0;
    for (const struct json *pair = json_first(list); pair; pair = json_next(pair))
        if (!read_header(pair, arena, &read->headers[count++]))
            return false;
    if (more)
        read->headers[count++] = (struct bus_header){TEXT("more"), TEXT("")};
    read->record.headers = read->headers;
    read->record.header_count = count;
    return true;
}

static bool read_number(const struct json *object, const char *name, int64_t most, int64_t *number)
{
    const struct json *member = json_member(object, name);
    return member && json_i64(member, number) && *number >= 0 && *number <= most;
}

static bool read_record(const struct json *document, struct arena *arena,
                        struct log_line_read *read)
{
    struct text topic;
    int64_t partition;
    if (!json_text(json_member(document, "topic"), &topic) ||
        !read_number(document, "partition", PARTITIONS_MAX - 1, &partition) ||
        !read_number(document, "offset", INT64_MAX, &read->place.offset) ||
        !read_number(document, "append_ms", INT64_MAX, &read->record.append_ms))
        return false;
    read->place.topic = topic_named(topic);
    read->place.partition = (int)partition;
    return read->place.topic >= 0 &&
           read_bytes(json_member(document, "key"), arena, &read->record.key) &&
           read_bytes(json_member(document, "value"), arena, &read->record.value) &&
           read_headers(document, arena, read);
}

static bool read_head(const struct json *document, struct log_line_read *read)
{
    struct text id;
    int64_t partitions;
    const struct json *member = json_member(document, "installation");
    if (member == NULL || !json_text(member, &id) || id.size != UUID_SIZE - 1 ||
        !read_number(document, "partitions", PARTITIONS_MAX, &partitions) || partitions == 0)
        return false;
    memcpy(read->installation.id, id.data, id.size);
    read->installation.id[id.size] = '\0';
    read->installation.partition_count = (int)partitions;
    return true;
}

static bool read_row(const struct json *row, int64_t *ends, uint32_t *sums)
{
    int partition = 0;
    int64_t number;
    for (const struct json *item = json_first(row); item; item = json_next(item), partition++) {
        if (partition == PARTITIONS_MAX || !json_i64(item, &number) || number < 0 ||
            (sums && number > UINT32_MAX))
            return false;
        if (sums)
            sums[partition] = (uint32_t)number;
        else
            ends[partition] = number;
    }
    return true;
}

static bool read_tail(const struct json *document, struct log_line_read *read)
{
    int64_t count;
    const struct json *ends = json_member(document, "ends"), *sums = json_member(document, "sums");
    read->sum = (struct log_sum){0};
    if (!read_number(document, "records", INT64_MAX, &count) || ends == NULL || sums == NULL)
        return false;
    read->sum.record_count = (uint64_t)count;
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        const struct json *of_ends = json_member(ends, topic_name(topic));
        const struct json *of_sums = json_member(sums, topic_name(topic));
        if (of_ends == NULL || of_sums == NULL || !read_row(of_ends, read->sum.ends[topic], NULL) ||
            !read_row(of_sums, NULL, read->sum.sums[topic]))
            return false;
    }
    return true;
}

static enum log_line read_document(const struct json *document, struct arena *arena,
                                   struct log_line_read *read)
{
    int64_t version;
    if (json_member(document, "topic"))
        return read_record(document, arena, read) ? LOG_LINE_RECORD : LOG_LINE_WRONG;
    if (json_member(document, "ends"))
        return read_tail(document, read) ? LOG_LINE_TAIL : LOG_LINE_WRONG;
    if (!read_number(document, "stagedoor_export", INT64_MAX, &version))
        return LOG_LINE_WRONG;
    if (version == LOG_LINE_VERSION)
        return read_head(document, read) ? LOG_LINE_HEAD : LOG_LINE_WRONG;
    read->why = "another version of stagedoor wrote it; import it with that one";
    return LOG_LINE_WRONG;
}

enum log_line log_line_read(struct text line, struct arena *arena, struct log_line_read *read)
{
    size_t at;
    enum log_line found = LOG_LINE_WRONG;
    read->record = (struct bus_record){.key = {NULL, 0}};
    read->why = "it is no line of an export";
    struct json *document = json_parse(line, &read->why, &at);
    if (document)
        read->why = "it is no line of an export";
    if (document && json_is_object(document))
        found = read_document(document, arena, read);
    json_free(document);
    return found;
}
