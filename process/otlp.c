/* The request, from the outside in. */
#include "process/otlp.h"

#include "base/version.h"
#include "process/spans_settings.h"
#include "schemas/json.h"

#include <inttypes.h>
#include <stdio.h>

enum { STATUS_ERROR = 2, DIGITS_SIZE = 24 };

/* JSON of 64-bit numbers is text. */
static struct text digits_of(int64_t number, char digits[DIGITS_SIZE])
{
    return text_from(digits, (size_t)snprintf(digits, DIGITS_SIZE, "%" PRId64, number));
}

/* `kind`: of the value, in OTLP's words. */
static void put_attribute(struct buffer *out, const char *name, const char *kind, struct text value)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "key", text_of(name));
    json_put_open(out, "value", '{');
    json_put_text(out, kind, value);
    json_put_close(out, '}');
    json_put_close(out, '}');
}

static void put_attribute_text(struct buffer *out, const char *name, struct text value)
{
    put_attribute(out, name, "stringValue", value);
}

static bool is_ours(const char *name)
{
    static const char *const ours[] = {"service.name", "service.version", "service.instance.id"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(name, ours[i]) == 0)
            return true;
    return false;
}

static void put_resource(struct buffer *out, const struct otlp_resource *resource)
{
    struct buffer name = {0}, value = {0};
    struct text rest = resource->attributes;
    json_put_open(out, "resource", '{');
    json_put_open(out, "attributes", '[');
    put_attribute_text(out, "service.name", resource->name);
    put_attribute_text(out, "service.version", text_of(STAGEDOOR_VERSION));
    put_attribute_text(out, "service.instance.id", text_of(resource->instance));
    while (spans_settings_next(&rest, &name, &value))
        if (!is_ours(name.data))
            put_attribute_text(out, name.data, buffer_view(&value));
    json_put_close(out, ']');
    json_put_close(out, '}');
    buffer_release(&name);
    buffer_release(&value);
}

static void put_id(struct buffer *out, const char *name, uint64_t id)
{
    char digits[17];
    snprintf(digits, sizeof digits, "%016" PRIx64, id);
    json_put_text(out, name, text_of(digits));
}

static void put_ids(struct buffer *out, const struct span *span)
{
    char trace[33];
    snprintf(trace, sizeof trace, "%016" PRIx64 "%016" PRIx64, span->trace.high, span->trace.low);
    json_put_text(out, "traceId", text_of(trace));
    put_id(out, "spanId", span->trace.span);
    if (span->parent)
        put_id(out, "parentSpanId", span->parent);
}

static void put_span(struct buffer *out, const struct span *span, int64_t epoch_us)
{
    char digits[DIGITS_SIZE];
    json_put_open(out, NULL, '{');
    put_ids(out, span);
    json_put_text(out, "name", text_of(span->name));
    json_put_i64(out, "kind", (int64_t)span->kind);
    json_put_text(out, "startTimeUnixNano", digits_of((epoch_us + span->begun_us) * 1000, digits));
    json_put_text(out, "endTimeUnixNano", digits_of((epoch_us + span->ended_us) * 1000, digits));
    json_put_open(out, "attributes", '[');
    for (int i = 0; i < span->attribute_count; i++) {
        const struct span_attribute *one = &span->attributes[i];
        if (one->is_text)
            put_attribute_text(out, one->name, text_from(span->texts + one->number, one->size));
        else
            put_attribute(out, one->name, "intValue", digits_of(one->number, digits));
    }
    json_put_close(out, ']');
    if (span->failed) {
        json_put_open(out, "status", '{');
        json_put_i64(out, "code", STATUS_ERROR);
        json_put_close(out, '}');
    }
    json_put_close(out, '}');
}

void otlp_put(struct buffer *out, const struct otlp_resource *resource, const struct span *spans,
              int count, int64_t epoch_us)
{
    json_put_open(out, NULL, '{');
    json_put_open(out, "resourceSpans", '[');
    json_put_open(out, NULL, '{');
    put_resource(out, resource);
    json_put_open(out, "scopeSpans", '[');
    json_put_open(out, NULL, '{');
    json_put_open(out, "scope", '{');
    json_put_text(out, "name", text_of("stagedoor"));
    json_put_text(out, "version", text_of(STAGEDOOR_VERSION));
    json_put_close(out, '}');
    json_put_open(out, "spans", '[');
    for (int i = 0; i < count; i++)
        put_span(out, &spans[i], epoch_us);
    for (int i = 0; i < 3; i++) {
        json_put_close(out, ']');
        json_put_close(out, '}');
    }
}

int64_t otlp_rejected(struct text answer, char *why, size_t size)
{
    const char *problem;
    size_t at;
    struct text words = {NULL, 0};
    int64_t count = 0;
    struct json *document = json_parse(answer, &problem, &at);
    const struct json *partial =
        json_is_object(document) ? json_member(document, "partialSuccess") : NULL;
    if (partial && json_is_object(partial)) {
        const struct json *rejected = json_member(partial, "rejectedSpans");
        const struct json *message = json_member(partial, "errorMessage");
        if (rejected && json_text(rejected, &words))
            count = text_to_i64(words, &count) ? count : 0;
        else if (rejected && !json_i64(rejected, &count))
            count = 0;
        words = (struct text){NULL, 0};
        if (message)
            json_text(message, &words);
    }
    snprintf(why, size, "%.*s", TEXT_PRINT(words));
    json_free(document);
    return count > 0 ? count : 0;
}
