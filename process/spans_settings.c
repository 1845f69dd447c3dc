/* The variables, by the words of OpenTelemetry's specification. */
#include "process/spans_settings.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 10 * 1000, DELAY_MS = 5 * 1000, LONGEST_MS = 3600 * 1000 };

static const char traces_path[] = "/v1/traces";

/* NULL: it is not set; an empty one is none either. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

/* The one of traces wins over the one of all signals. */
static const char *either(const char *of_traces, const char *of_all)
{
    const char *value = variable(of_traces);
    return value ? value : variable(of_all);
}

static void ignore(const char *name, const char *value, const char *advice)
{
    log_line(LOG_WARNING, "traces", "%s is '%.100s': %s", name, value, advice);
}

static int64_t milliseconds(const char *name, const char *value, int64_t otherwise)
{
    int64_t ms;
    if (value == NULL)
        return otherwise;
    if (text_to_i64(text_of(value), &ms) && ms > 0 && ms <= LONGEST_MS)
        return ms;
    ignore(name, value, "give milliseconds, from 1 to 3600000");
    return otherwise;
}

static bool is_url(const char *url)
{
    struct text text = text_of(url);
    return text_starts(text, "http://") || text_starts(text, "https://");
}

static void read_url(struct spans_settings *settings)
{
    const char *whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    const char *base = variable("OTEL_EXPORTER_OTLP_ENDPOINT"), *url = whole ? whole : base;
    if (url && !is_url(url)) {
        ignore(whole ? "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" : "OTEL_EXPORTER_OTLP_ENDPOINT", url,
               "give a URL, such as http://localhost:4318; no traces are told");
        return;
    }
    struct text text = text_of(url);
    while (!whole && text.size && text.data[text.size - 1] == '/')
        text.size--;
    buffer_text(&settings->url, text);
    if (url && !whole)
        buffer_string(&settings->url, traces_path);
}

static bool is_unwanted(void)
{
    const char *disabled = variable("OTEL_SDK_DISABLED"),
               *exporter = variable("OTEL_TRACES_EXPORTER");
    return (disabled && strcasecmp(disabled, "true") == 0) ||
           (exporter && strcmp(exporter, "none") == 0);
}

static void read_protocol(void)
{
    const char *protocol =
        either("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
    if (protocol && strcmp(protocol, "http/json") != 0)
        ignore("OTEL_EXPORTER_OTLP_PROTOCOL", protocol,
               "only http/json is spoken, and is sent; collectors take it at port 4318");
}

static void read_share(struct spans_settings *settings)
{
    static const char name[] = "OTEL_TRACES_SAMPLER_ARG";
    const char *value = variable(name);
    char *end = NULL;
    settings->share = value ? strtod(value, &end) : 1.0;
    if (value && (*end || !(settings->share >= 0 && settings->share <= 1))) {
        ignore(name, value, "give a share from 0 to 1; all are told");
        settings->share = 1.0;
    }
}

static void read_sampler(struct spans_settings *settings)
{
    static const char name[] = "OTEL_TRACES_SAMPLER";
    static const struct {
        const char *name;
        enum spans_base base;
    } bases[] = {
        {"always_on", SPANS_ALWAYS}, {"always_off", SPANS_NEVER}, {"traceidratio", SPANS_SHARE}};
    const char *value = variable(name), *base = value;
    settings->by_parent = !value || text_starts(text_of(value), "parentbased_");
    if (value && settings->by_parent)
        base += strlen("parentbased_");
    for (size_t i = 0; base && i < sizeof bases / sizeof *bases; i++)
        if (strcmp(base, bases[i].name) == 0) {
            settings->base = bases[i].base;
            base = NULL;
        }
    if (base) {
        ignore(name, value,
               "it is always_on, always_off or traceidratio, or one of them behind "
               "parentbased_; parentbased_always_on is taken");
        settings->by_parent = true;
    }
    if (settings->base == SPANS_SHARE)
        read_share(settings);
}

void spans_settings_read(struct spans_settings *settings)
{
    *settings = (struct spans_settings){.base = SPANS_ALWAYS};
    if (!is_unwanted())
        read_url(settings);
    if (settings->url.size == 0)
        return;
    read_protocol();
    read_sampler(settings);
    settings->headers =
        text_of(either("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"));
    settings->certificate =
        either("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE");
    settings->attributes = text_of(variable("OTEL_RESOURCE_ATTRIBUTES"));
    settings->name = text_of(variable("OTEL_SERVICE_NAME"));
    settings->timeout_ms = milliseconds(
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        either("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"), TIMEOUT_MS);
    settings->delay_ms =
        milliseconds("OTEL_BSP_SCHEDULE_DELAY", variable("OTEL_BSP_SCHEDULE_DELAY"), DELAY_MS);
}

void spans_settings_release(struct spans_settings *settings)
{
    buffer_release(&settings->url);
}

const char *spans_settings_shown(const struct spans_settings *settings)
{
    const char *behind = strrchr(settings->url.data, '@');
    return behind ? behind + 1 : settings->url.data;
}

/* ---- lists: W3C Baggage's name=value,… ------------------------------------------------------- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void put_decoded(struct text text, struct buffer *out)
{
    buffer_clear(out);
    for (size_t i = 0; i < text.size; i++) {
        bool coded = text.data[i] == '%' && i + 2 < text.size;
        int high = coded ? digit_of(text.data[i + 1]) : -1,
            low = coded ? digit_of(text.data[i + 2]) : -1;
        coded = high >= 0 && low >= 0;
        buffer_byte(out, coded ? (char)(high * 16 + low) : text.data[i]);
        i += coded ? 2 : 0;
    }
}

bool spans_settings_next(struct text *list, struct buffer *name, struct buffer *value)
{
    while (list->data && list->size) {
        struct text item = text_cut(list, ',');
        struct text key = text_trim(text_cut(&item, '='));
        if (key.size == 0 || item.data == NULL)
            continue;
        put_decoded(key, name);
        put_decoded(text_trim(item), value);
        return true;
    }
    return false;
}
