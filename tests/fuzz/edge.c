/* Whole requests, from the route to the log and back, without sockets:
 *
 *     POST /v1/shows/s1/reservations?limit=2
 *     Idempotency-Key: 0123456789012345678901
 *
 *     {"quantity":2,"name":"Ann"}
 *
 * Several in a row are divided by a line of "~". Every request is answered, by a status that is
 * known and a body that is what it says it is; what the edge puts into the log, the services can
 * read, for both check by the same tables; and a command is answered the same when it is sent
 * again under its Idempotency-Key. An input that left something in the log is the house's last,
 * so that one input alone shows again what it has shown. */
#include "api/problem.h"
#include "api/routes.h"
#include "api/webhook.h"
#include "base/clock.h"
#include "schemas/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/edge/house.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REQUESTS_MAX = 3 };

#define SHOW                                                                                       \
    "{\"show_id\":\"s1\",\"name\":\"Hamlet\",\"starts_at\":\"2030-01-01T20:00:00Z\",\"capacity\":" \
    "9,\"currency\":\"EUR\",\"tiers\":[{\"tier_id\":\"stalls\",\"name\":\"Stalls\",\"price\":{"    \
    "\"amount_minor\":500}},{\"tier_id\":\"free\",\"name\":\"Free\",\"amount_minor\":0}]}"
#define KEY "0123456789012345678901"
/* What follows from KEY and the house's keys: the reservation that stands in the house. */
#define RID    "b3bc60be-cbdb-8702-abd6-9dacf3769467"
#define SECRET "AduTl2-MM3RSjS3oUVRqgXD5uoNlMEfyhKcUajpd3SXZ.s1"
#define HELD   "{\"lines\":[{\"tier_id\":\"free\",\"quantity\":2}],\"name\":\"Ann\"}"

/* ---- a request from a text ------------------------------------------------------------------- */

/* Of as many bytes as there are, and a NUL, as libmicrohttpd gives it: so it ends at the first. */
static struct text string_of(struct request *request, struct text text)
{
    return text_of(arena_text(&request->arena, text).data);
}

static void read_line(struct request *request, struct text line)
{
    struct text verb = text_cut(&line, ' '), path = text_cut(&line, '?');
    request->verb = verb_named(verb);
    request->path = string_of(request, path);
    while (line.data) {
        struct text value = text_cut(&line, '&'), name = text_cut(&value, '=');
        for (int i = 0; i < QUERY_COUNT; i++)
            if (text_is(name, query_name((enum query)i)))
                request->queries[i] = string_of(request, value);
    }
}

static void read_header(struct request *request, struct text line)
{
    struct text name = text_cut(&line, ':');
    if (line.size && line.data[0] == ' ')
        line = text_from(line.data + 1, line.size - 1);
#define HEADER(field, word)                                                                        \
    if (name.size == strlen(word) && strncasecmp(name.data, word, name.size) == 0)                 \
        request->headers.field = string_of(request, line);
    REQUEST_HEADERS
#undef HEADER
}

/* A callback whose signature says "good" is signed by the provider it names. */
static void sign(struct house *house, struct request *request)
{
    char signature[WEBHOOK_SIGNATURE_SIZE], timestamp[24];
    if (!text_is(request->headers.webhook_signature, "good"))
        return;
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)(clock_wall_ms() / 1000));
    request->headers.webhook_timestamp = string_of(request, text_of(timestamp));
    struct webhook webhook = {request->headers.webhook_id,
                              request->headers.webhook_timestamp,
                              {NULL, 0},
                              buffer_view(&request->body)};
    webhook_sign(&house->keys.callbacks[0], &webhook, signature);
    request->headers.webhook_signature = string_of(request, text_of(signature));
}

static struct request *request_of(struct house *house, struct text text)
{
    struct text body = text, head = fuzz_cut(&body, "\n\n");
    struct request *request = house_request(house, VERB_GET, text_of("/"));
    read_line(request, text_cut(&head, '\n'));
    while (head.data)
        read_header(request, text_cut(&head, '\n'));
    request->too_large = body.size > REQUEST_BODY_MAX;
    if (!request->too_large)
        buffer_text(&request->body, body);
    sign(house, request);
    return request;
}

/* ---- what must hold -------------------------------------------------------------------------- */

static bool is_known(int status)
{
    static const int known[] = {200, 201, 202, 204, 304};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (status == known[i])
            return true;
    for (int problem = 0; problem < PROBLEM_COUNT; problem++)
        if (status == problem_status((enum problem)problem))
            return true;
    return false;
}

static const char *header_of(const struct request *request, const char *name)
{
    for (int i = 0; i < request->answer.header_count; i++)
        if (strcmp(request->answer.headers[i].name, name) == 0)
            return request->answer.headers[i].value;
    return NULL;
}

static void check_answer(const struct request *request)
{
    const struct answer *answer = &request->answer;
    size_t at;
    assert(is_known(answer->status));
    if (answer->body.size && strstr(answer->content_type, "json"))
        assert(json_problem(buffer_view(&answer->body), &at) == NULL);
    for (int i = 0; i < answer->header_count; i++)
        for (const char *byte = answer->headers[i].value; *byte; byte++)
            assert(*byte >= ' ' && *byte <= '~');
}

/* Whoever asks for a show of a certain id gets that one or none. */
static void check_name(const struct request *request)
{
    const char *problem;
    size_t at;
    struct text asked, got;
    if (request->answer.status != 201 || !text_is(request->path, "/v1/shows"))
        return;
    struct json *question = json_parse(buffer_view(&request->body), &problem, &at);
    struct json *answer = json_parse(buffer_view(&request->answer.body), &problem, &at);
    assert(question && answer && json_text(json_member(answer, "show_id"), &got));
    if (json_member(question, "show_id"))
        assert(json_text(json_member(question, "show_id"), &asked) && text_equal(asked, got));
    json_free(question);
    json_free(answer);
}

static struct request *ask(struct house *house, struct text text)
{
    struct request *request = request_of(house, text);
    route_request(&house->edge, request);
    house_finish(house, request);
    check_answer(request);
    check_name(request);
    return request;
}

/* What was done under a key is told again, not done again. */
static void check_again(struct house *house, struct text text, const struct request *first)
{
    if (first->headers.idempotency_key.size == 0 || first->verb == VERB_GET ||
        first->answer.status != 201 || first->sample)
        return;
    struct request *again = ask(house, text);
    assert(again->answer.status == 201);
    assert(header_of(again, "Idempotent-Replayed") ||
           strstr(first->answer.body.data, "\"show_id\""));
    house_end(again);
}

/* Every command in the log can be read by the service whose it is. How many records there are. */
static int64_t check_log(struct house *house)
{
    static struct message message;
    struct arena arena = {0};
    struct codec_error error;
    int64_t count = 0;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int64_t offset = 0; offset < sim_end(house->sim, topic, 0); offset++, count++) {
            struct place place = {topic, 0, offset};
            struct bus_record record;
            if (!sim_record(house->sim, topic, 0, offset, &record))
                continue;
            enum envelope_result result = envelope_read(&record, &place, &arena, &message, &error);
            assert(result == ENVELOPE_OK);
            assert(message.type != MESSAGE_Refused || message.code > code_misrouted);
            arena_reset(&arena);
        }
    arena_release(&arena);
    return count;
}

/* ---- the house ------------------------------------------------------------------------------- */

static struct house *house;
static int64_t record_count;

static void close_house(void)
{
    if (house)
        house_free(house);
    house = NULL;
}

/* A show, and one reservation in it. */
static void open_house(void)
{
    static const char *const first[] = {
        "POST /v1/shows\nAuthorization: " HOUSE_ADMIN "\n\n" SHOW,
        "POST /v1/shows/s1/reservations\nIdempotency-Key: " KEY "\n\n" HELD,
    };
    house = house_new(1);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        struct request *request = ask(house, text_of(first[i]));
        assert(request->answer.status == 201);
        assert(i == 0 || (strstr(request->answer.body.data, RID) &&
                          strstr(request->answer.body.data, SECRET)));
        house_end(request);
    }
    for (int i = 0; i < 20; i++)
        house_turn(house);
    record_count = check_log(house);
}

void fuzz_one(struct text input)
{
    static bool will_close;
    if (!will_close)
        will_close = atexit(close_house) == 0;
    if (house == NULL)
        open_house();
    for (int i = 0; i < REQUESTS_MAX && input.data; i++) {
        struct text text = fuzz_cut(&input, "\n~\n");
        struct request *request = ask(house, text);
        check_again(house, text, request);
        house_end(request);
    }
    if (check_log(house) != record_count)
        close_house();
}

/* ---- first inputs ---------------------------------------------------------------------------- */

#define ADMIN  "Authorization: " HOUSE_ADMIN "\n"
#define TWO    "{\"showID\":\"s1\",\"count\":2,\"name\":\"WDJ\"}"
#define RESULT "{\"payment_id\":\"" RID "\",\"result\":\"succeeded\",\"provider_ref\":\"x\"}"

#define AT "2030-01-01T20:00:00Z"
#define HUGE                                                                                       \
    "{\"show_id\":\"0123456789012345678901234567890123456789012345678901234567890123456789\","     \
    "\"name\":\"H\",\"starts_at\":\"" AT "\",\"capacity\":9}"

#define MANY "{\"lines\":[{\"tier_id\":\"free\",\"quantity\":1001}],\"name\":\"\\u0001\"}"

void fuzz_seeds(void)
{
    static const char *const seeds[] = {
        "GET /v1/shows?q=ham&status=on_sale&cursor=1893528000000.s0&limit=1\nIf-None-Match: x",
        "GET /v1/shows/s1\nX-Request-Id: 7\ntraceparent: 00-1-2-00",
        "POST /v1/shows\n" ADMIN "\n" SHOW,
        "PUT /v1/shows/s1/capacity\n" ADMIN "\n{\"capacity\":3,\"force\":true,\"expected_seq\":1}",
        "PUT /v1/shows/s1/blocks/b\n" ADMIN
        "\n{\"quantity\":1,\"expected_quantity\":0,\"note\":\"n\"}",
        "POST /v1/shows/s1/pause\n" ADMIN "\n\n~\nPOST /v1/shows/s1/open\n" ADMIN
        "\n{\"reason\":\"x\"}",
        "POST /v1/shows/s1/cancel\n" ADMIN "\n{\"reason\":\"rain\",\"refund\":\"full\"}",
        "POST /v1/shows/s1/reservations\nIdempotency-Key: 9876543210987654321098\nPrefer: wait=1\n"
        "Content-Type: application/json\n\n{\"lines\":[{\"tier_id\":\"stalls\",\"quantity\":1}],"
        "\"name\":\"Bob\",\"email\":\"b@c.de\",\"phone\":\"+4930123456\"}",
        "POST /v1/shows/s1/reservations\nIdempotency-Key: " KEY "\n\n" HELD,
        "GET /v1/reservations/" RID "?wait=1\n" ADMIN,
        "GET /v1/reservations/" RID "\nAuthorization: Bearer " SECRET,
        "DELETE /v1/reservations/" RID "\n" ADMIN "\n{\"reason\":\"x\"}",
        "POST /v1/reservations/" RID "/checkout\nAuthorization: Bearer " SECRET
        "\nIdempotency-Key: " KEY "\n\n{\"method\":\"none\"}",
        "POST /v1/reservations/" RID "/checkout\n" ADMIN "Idempotency-Key: " KEY
        "\n\n{\"method\":\"external\",\"provider\":\"paydesk\",\"return_url\":\"https://x\"}",
        "POST /v1/payments/callbacks/paydesk\nwebhook-id: m\nwebhook-timestamp: 1\n"
        "webhook-signature: good\n\n" RESULT,
        "POST /v1/payments/" RID "/result\n" ADMIN "\n{\"result\":\"succeeded\"}",
        "POST /v1/refunds/" RID "/result\n" ADMIN
        "\n{\"result\":\"completed\",\"attempt\":1,\"note\":\"n\",\"provider_ref\":\"p\"}",
        "PUT /hold-seats\n\n{\"showID\":\"s1\",\"count\":\"2\"}",
        "PUT /release-seats\nContent-Type: application/x-www-form-urlencoded\n\nshowID=s1&count=2",
        "POST /reserve\n\n" TWO "\n~\nGET /reservations/s1\n~\nDELETE /cancel\n\n" TWO,
        "GET /\n~\nGET /show/s1\n~\nOPTIONS /cancel",
        /* beyond a limit of the log's */
        "POST /v1/shows\n" ADMIN "\n" HUGE,
        "POST /v1/shows\n" ADMIN "\n{\"name\":\"\",\"starts_at\":\"" AT "\",\"capacity\":1000001}",
        "PUT /v1/shows/s1/capacity\n" ADMIN "\n{\"capacity\":-1}",
        "PUT /v1/shows/s1/blocks/b%20c\n" ADMIN "\n{\"quantity\":1}",
        "POST /v1/shows/s1/reservations\n" ADMIN "Idempotency-Key: 98765432109876543210ab\n\n" MANY,
        "GET /readyz\n~\nGET /problems/sold_out\n~\nGET /version",
    };
    static const char *const words[] = {
        "\n~\n",
        "Bearer ",
        "Idempotency-Key: ",
        "Prefer: wait=",
        "application/json",
        "boxoffice",
        "\"method\":\"cash\"",
        "\"method\":\"none\"",
        "webhook-signature: good",
        "?limit=",
    };
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        fuzz_seed(text_of(seeds[i]));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        fuzz_word(words[i]);
}
