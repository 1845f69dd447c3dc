/* One row per option, and how those are read that are more than a text or a number. */
#include "api/options.h"

#include "process/admin.h"
#include "process/spans.h"

#include <stdio.h>
#include <string.h>

enum { COUNT_MAX = 1000000 };

static bool read_switch(void *on, const char *value)
{
    *(bool *)on = strcmp(value, "on") == 0;
    return *(bool *)on || strcmp(value, "off") == 0;
}

static bool read_port(struct text port, char out[8])
{
    int64_t number;
    if (!text_to_i64(port, &number) || number > 65535)
        return false;
    snprintf(out, 8, "%d", (int)number);
    return true;
}

/* data NULL: the first one. */
static bool read_kind(struct text text, enum listener_kind *kind)
{
    static const char *const names[LISTENER_COUNT] = {"monolith", "api", "shows", "reservations"};
    *kind = LISTENER_MONOLITH;
    for (int i = 0; i < LISTENER_COUNT; i++)
        if (text.data && text_is(text, names[i])) {
            *kind = (enum listener_kind)i;
            return true;
        }
    return text.data == NULL;
}

/* HOST:PORT, [V6]:PORT, each with =KIND. */
static bool read_listener(struct text text, struct listen_address *listener)
{
    struct text kind = text;
    struct text place = text_cut(&kind, '=');
    size_t colon = place.size;
    while (colon > 0 && place.data[colon - 1] != ':')
        colon--;
    if (colon < 2 || !read_kind(kind, &listener->kind))
        return false;
    struct text host = {place.data, colon - 1};
    if (host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = (struct text){host.data + 1, host.size - 2};
    if (host.size == 0 || host.size >= sizeof listener->host)
        return false;
    memcpy(listener->host, host.data, host.size);
    listener->host[host.size] = '\0';
    return read_port((struct text){place.data + colon, place.size - colon}, listener->port);
}

/* One per --listen; the variable may name several, with commas. */
static bool read_listeners(void *target, const char *value)
{
    struct options *options = target;
    struct text rest = text_of(value);
    while (rest.size) {
        if (options->listener_count == LISTENERS_MAX ||
            !read_listener(text_trim(text_cut(&rest, ',')),
                           &options->listeners[options->listener_count]))
            return false;
        options->listener_count++;
    }
    return true;
}

/* A URL with one {payment_id}, and nothing that would not stand in JSON or a header as it is. */
static bool is_pay_url(struct text url)
{
    size_t size = strlen(PAYMENT_ID_MARK);
    int marks = 0;
    if (!text_starts(url, "https://") && !text_starts(url, "http://"))
        return false;
    for (size_t i = 0; i < url.size; i++) {
        if (url.data[i] <= ' ' || url.data[i] > '~' || strchr("\"\\<>", url.data[i]))
            return false;
        marks += i + size <= url.size && memcmp(url.data + i, PAYMENT_ID_MARK, size) == 0;
    }
    return marks == 1;
}

/* One per --pay-url; the variable may name several, with commas. */
static bool read_pay_urls(void *target, const char *value)
{
    struct options *options = target;
    struct text rest = text_of(value);
    while (rest.size) {
        struct text url = text_trim(text_cut(&rest, ','));
        struct text provider = text_cut(&url, '=');
        if (options->pay_url_count == PAY_URLS_MAX || !keys_provider_valid(provider) ||
            !is_pay_url(url) || options_pay_url(options, provider))
            return false;
        struct pay_url *row = &options->pay_urls[options->pay_url_count++];
        memcpy(row->provider, provider.data, provider.size);
        row->url = url;
    }
    return true;
}

/* One per --trusted-proxy; the variable may name several, with commas. */
static bool read_proxies(void *target, const char *value)
{
    struct options *options = target;
    struct networks *networks = &options->trusted_proxies;
    struct text rest = text_of(value);
    while (rest.size)
        if (networks->count == NETWORKS_MAX ||
            !network_parse(text_trim(text_cut(&rest, ',')), &networks->items[networks->count++]))
            return false;
    return true;
}

/* "https://shop.example", as a browser says it, or "*". */
static bool is_origin(struct text text)
{
    struct text rest = text;
    if (text_is(text, "*"))
        return true;
    struct text scheme = text_cut(&rest, ':');
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return scheme.size && rest.size > 2 && text_starts(rest, "//") &&
           !memchr(rest.data + 2, '/', rest.size - 2);
}

static bool read_origins(void *target, const char *value)
{
    struct options *options = target;
    struct text rest = text_of(value);
    while (rest.size) {
        struct text origin = text_trim(text_cut(&rest, ','));
        if (options->cors_origin_count == CORS_ORIGINS_MAX || !is_origin(origin))
            return false;
        options->cors_origins[options->cors_origin_count++] = origin;
    }
    return true;
}

const struct pay_url *options_pay_url(const struct options *options, struct text provider)
{
    for (int i = 0; i < options->pay_url_count; i++)
        if (text_is(provider, options->pay_urls[i].provider))
            return &options->pay_urls[i];
    return NULL;
}

enum { SPECS_MAX = 24 };

static int edge_specs(struct options *options, struct option_spec specs[SPECS_MAX])
{
    const struct option_spec rows[] = {
        BUS_OPTIONS(&options->bus),
        OPTION_READ("listen", "HOST:PORT[=KIND]", "STAGEDOOR_LISTEN", read_listeners, options,
                    "127.0.0.1:3000", "may be repeated; port 0 takes a free one; KIND below"),
        OPTION_TEXT("data", "DIR", "STAGEDOOR_DATA", &options->data,
                    "keys and register.db, of this edge alone (var/edge)"),
        OPTION_TEXT("keys", "DIR", "STAGEDOOR_KEYS_DIR", &options->keys,
                    "keys of another edge beside this one (that of --data)"),
        OPTION_NUMBER("connections-max", "N", "STAGEDOOR_CONNECTIONS_MAX",
                      &options->connections_max, 1, COUNT_MAX, "in all (4096)"),
        OPTION_NUMBER("per-address-max", "N", "STAGEDOOR_PER_ADDRESS_MAX",
                      &options->per_address_max, 1, COUNT_MAX, "connections of one address (512)"),
        OPTION_NUMBER("in-flight-max", "N", "STAGEDOOR_IN_FLIGHT_MAX", &options->in_flight_max, 1,
                      COUNT_MAX, "requests that wait at once (8192)"),
        OPTION_NUMBER("rate", "N", "STAGEDOOR_RATE", &options->rate, 0, COUNT_MAX,
                      "requests a second of one address; 0: no limit, as for this machine (200)"),
        OPTION_NUMBER("burst", "N", "STAGEDOOR_BURST", &options->burst, 1, COUNT_MAX,
                      "and so many at once (1000)"),
        OPTION_NUMBER("key-rate", "N", "STAGEDOOR_KEY_RATE", &options->key_rate, 0, COUNT_MAX,
                      "requests a second of one API key; 0: no limit (5000)"),
        OPTION_READ("trusted-proxy", "NETWORK", "STAGEDOOR_TRUSTED_PROXY", read_proxies, options,
                    NULL, "believed when it says whom it speaks for; may be repeated"),
        OPTION_READ("cors-origin", "ORIGIN", "STAGEDOOR_CORS_ORIGIN", read_origins, options, NULL,
                    "whose pages may use /v1, or *; may be repeated"),
        OPTION_READ("pay-url", "PROVIDER=URL", "STAGEDOOR_PAY_URL", read_pay_urls, options, NULL,
                    "where customers pay, as https://.../{payment_id}; may be repeated"),
        OPTION_READ("sample", "on|off", "STAGEDOOR_SAMPLE", read_switch, &options->sample, "on",
                    "the routes of the course project"),
        OPTION_ADMIN(&options->admin),
        OPTION_LOG_LEVEL(&options->log_level),
        OPTION_LOG_FORMAT(&options->log_format),
        BUS_OPTION_CHECK(&options->check),
    };
    _Static_assert(sizeof rows / sizeof *rows <= SPECS_MAX, "there is room for all rows");
    memcpy(specs, rows, sizeof rows);
    return sizeof rows / sizeof *rows;
}

static const char more[] = SPANS_HELP
    "KIND: which of the course's servers GET / answers as: monolith, api, shows or reservations.\n"
    "What may be repeated is separated by commas in its variable. STAGEDOOR_KEYS holds the lines\n"
    "of the keys file. Exit codes: 0 stopped as asked, 100 wrong usage, 111 the system failed.\n";

enum options_result options_read_edge(int count, char **arguments, struct options *options,
                                      struct buffer *said)
{
    struct option_spec specs[SPECS_MAX];
    struct operands none;
    *options = (struct options){.data = "var/edge",
                                .keys = "",
                                .connections_max = 4096,
                                .per_address_max = 512,
                                .in_flight_max = 8192,
                                .rate = 200,
                                .burst = 1000,
                                .key_rate = 5000};
    const struct option_table table = {.program = EDGE_PROGRAM,
                                       .operands = "",
                                       .about = "HTTP in front of the log\n",
                                       .more = more,
                                       .specs = specs,
                                       .count = edge_specs(options, specs),
                                       .file = &options->file,
                                       .words = &settings_words,
                                       .sections = (const char *const[]){"edge", NULL}};
    return options_parse(&table, count, arguments, &none, said);
}

bool options_is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}
