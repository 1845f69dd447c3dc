/* One row per option: its name, its variable, its default, how it is read. */
#include "api/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option_row {
    const char *name;
    const char *variable;
    const char *standard; /* NULL: none */
    bool (*read)(struct options *options, const char *value, size_t at);
    size_t at;
};

static bool read_string(struct options *options, const char *value, size_t at)
{
    *(const char **)((char *)options + at) = value;
    return true;
}

static bool read_count(struct options *options, const char *value, size_t at)
{
    int64_t count;
    if (!text_to_i64(text_of(value), &count) || count < 1 || count > 1000000)
        return false;
    *(int *)((char *)options + at) = (int)count;
    return true;
}

static bool read_rate(struct options *options, const char *value, size_t at)
{
    int *rate = (int *)(void *)((char *)options + at);
    *rate = 0;
    return strcmp(value, "0") == 0 || read_count(options, value, at);
}

static bool read_switch(struct options *options, const char *value, size_t at)
{
    bool on = strcmp(value, "on") == 0;
    *(bool *)((char *)options + at) = on;
    return on || strcmp(value, "off") == 0;
}

static bool read_level(struct options *options, const char *value, size_t at)
{
    return log_level_parse(value, (enum log_level *)(void *)((char *)options + at));
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
static bool read_listeners(struct options *options, const char *value, size_t at)
{
    struct text rest = text_of(value);
    (void)at;
    while (rest.size) {
        if (options->listener_count == LISTENERS_MAX ||
            !read_listener(text_cut(&rest, ','), &options->listeners[options->listener_count]))
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
static bool read_pay_urls(struct options *options, const char *value, size_t at)
{
    struct text rest = text_of(value);
    (void)at;
    while (rest.size) {
        struct text url = text_cut(&rest, ',');
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
static bool read_proxies(struct options *options, const char *value, size_t at)
{
    struct networks *networks = &options->trusted_proxies;
    struct text rest = text_of(value);
    (void)at;
    while (rest.size)
        if (networks->count == NETWORKS_MAX ||
            !network_parse(text_cut(&rest, ','), &networks->items[networks->count++]))
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

static bool read_origins(struct options *options, const char *value, size_t at)
{
    struct text rest = text_of(value);
    (void)at;
    while (rest.size) {
        struct text origin = text_cut(&rest, ',');
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

#define AT(field) offsetof(struct options, field)
static const struct option_row rows[] = {
    {"--bus", "STAGEDOOR_BUS", NULL, read_string, AT(bus)},
    {"--listen", "STAGEDOOR_LISTEN", "127.0.0.1:3000", read_listeners, 0},
    {"--data", "STAGEDOOR_DATA", "var/edge", read_string, AT(data)},
    {"--keys", "STAGEDOOR_KEYS_DIR", "", read_string, AT(keys)},
    {"--topic-prefix", "STAGEDOOR_TOPIC_PREFIX", "", read_string, AT(topic_prefix)},
    {"--connections-max", "STAGEDOOR_CONNECTIONS_MAX", "4096", read_count, AT(connections_max)},
    {"--per-address-max", "STAGEDOOR_PER_ADDRESS_MAX", "512", read_count, AT(per_address_max)},
    {"--in-flight-max", "STAGEDOOR_IN_FLIGHT_MAX", "8192", read_count, AT(in_flight_max)},
    {"--rate", "STAGEDOOR_RATE", "200", read_rate, AT(rate)},
    {"--burst", "STAGEDOOR_BURST", "1000", read_count, AT(burst)},
    {"--key-rate", "STAGEDOOR_KEY_RATE", "5000", read_rate, AT(key_rate)},
    {"--trusted-proxy", "STAGEDOOR_TRUSTED_PROXY", NULL, read_proxies, 0},
    {"--cors-origin", "STAGEDOOR_CORS_ORIGIN", NULL, read_origins, 0},
    {"--pay-url", "STAGEDOOR_PAY_URL", NULL, read_pay_urls, 0},
    {"--sample", "STAGEDOOR_SAMPLE", "on", read_switch, AT(sample)},
    {"--log-level", "STAGEDOOR_LOG_LEVEL", "info", read_level, AT(log_level)},
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

const char *options_help(void)
{
    return "usage: stagedoor-edge --bus URL [options]\n"
           "\n"
           "  --bus URL                 kafka://HOST:PORT[,HOST:PORT]... or sqlite:PATH\n"
           "  --listen HOST:PORT[=KIND] may be repeated; port 0 takes a free one "
           "(127.0.0.1:3000);\n"
           "                            KIND: which of the course's servers GET / answers as, "
           "monolith,\n"
           "                            api, shows or reservations\n"
           "  --data DIR                keys and register.db, of this edge alone (var/edge)\n"
           "  --keys DIR                keys of another edge beside this one (that of --data)\n"
           "  --topic-prefix PREFIX     one log may hold several installations\n"
           "  --connections-max N       in all (4096)\n"
           "  --per-address-max N       connections of one address (512)\n"
           "  --in-flight-max N         requests that wait at once (8192)\n"
           "  --rate N                  requests a second of one address (200); 0: no limit, as "
           "for this machine\n"
           "  --burst N                 and so many at once (1000)\n"
           "  --key-rate N              requests a second of one API key (5000); 0: no limit\n"
           "  --trusted-proxy NETWORK   believed when it says whom it speaks for; may be "
           "repeated\n"
           "  --cors-origin ORIGIN      whose pages may use /v1, or *; may be repeated\n"
           "  --pay-url PROVIDER=URL    where customers pay, as https://.../{payment_id}; may be "
           "repeated\n"
           "  --sample on|off           the routes of the course project (on)\n"
           "  --log-level LEVEL         debug, info, warning or error (info)\n"
           "  --help, --version\n"
           "\n"
           "Each option may also be set by its variable: STAGEDOOR_BUS, STAGEDOOR_LISTEN, "
           "STAGEDOOR_DATA, ...\n"
           "STAGEDOOR_KEYS holds the lines of the keys file. Exit codes: 100 usage, 111 system "
           "failure.\n";
}

static bool apply(const struct option_row *row, const char *name, const char *value,
                  struct options *options, char *error)
{
    if (row->read(options, value, row->at))
        return true;
    snprintf(error, OPTIONS_ERROR_SIZE, "'%s' is no value for %s; see --help", value, name);
    return false;
}

static bool read_arguments(int count, char **arguments, struct options *options, bool *given,
                           char *error)
{
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i];
        const char *equals = strchr(name, '=');
        size_t size =
            equals && strncmp(name, "--", 2) == 0 ? (size_t)(equals - name) : strlen(name);
        int row = 0;
        options->help |= strcmp(name, "--help") == 0;
        options->version |= strcmp(name, "--version") == 0;
        if (options->help || options->version)
            return true;
        while (row < ROW_COUNT &&
               (strlen(rows[row].name) != size || strncmp(rows[row].name, name, size) != 0))
            row++;
        const char *value = size < strlen(name) ? name + size + 1
                            : i + 1 < count     ? arguments[++i]
                                                : NULL;
        if (row == ROW_COUNT || value == NULL) {
            snprintf(error, OPTIONS_ERROR_SIZE,
                     row == ROW_COUNT ? "unknown option '%s'; see --help"
                                      : "%s needs a value; see --help",
                     name);
            return false;
        }
        given[row] = true;
        if (!apply(&rows[row], rows[row].name, value, options, error))
            return false;
    }
    return true;
}

bool options_parse(int count, char **arguments, struct options *options, char *error)
{
    bool given[ROW_COUNT] = {false};
    *options = (struct options){0};
    if (!read_arguments(count, arguments, options, given, error))
        return false;
    if (options->help || options->version)
        return true;
    for (int i = 0; i < ROW_COUNT; i++) {
        const char *value = getenv(rows[i].variable);
        if (given[i])
            continue;
        if (value && value[0]
                ? !apply(&rows[i], rows[i].variable, value, options, error)
                : rows[i].standard && !rows[i].read(options, rows[i].standard, rows[i].at))
            return false;
    }
    if (options->bus)
        return true;
    snprintf(error, OPTIONS_ERROR_SIZE,
             "no bus is named; try: --bus sqlite:var/log.db or --bus kafka://localhost:9092");
    return false;
}

bool options_is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}
