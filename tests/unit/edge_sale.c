/* The edge's routes in front of the three real services, on the simulated log: one thread, no
 * sockets. */
#include "api/ids.h"
#include "api/routes.h"
#include "api/webhook.h"
#include "base/clock.h"
#include "tests/support/edge/house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ADMIN HOUSE_ADMIN
#define SHOW                                                                                       \
    "{\"show_id\":\"s1\",\"name\":\"Hamlet\",\"starts_at\":\"2030-01-01T20:00:00Z\",\"capacity\":" \
    "5}"

static int open_house(void **state)
{
    *state = house_new(0);
    return 0;
}

static int close_house(void **state)
{
    struct house *house = *state;
    assert_int_equal(house->suspended, house->resumed);
    house_free(house);
    return 0;
}

/* ---- one request ----------------------------------------------------------------------------- */

struct call {
    const char *authorization, *key, *body, *prefer;
};

static struct request *begin(struct house *house, enum verb verb, const char *path,
                             struct call call)
{
    struct request *request = house_request(house, verb, text_of(path));
    request->headers.authorization = text_of(call.authorization);
    request->headers.idempotency_key = text_of(call.key);
    request->headers.prefer = text_of(call.prefer);
    if (call.body)
        buffer_string(&request->body, call.body);
    route_request(&house->edge, request);
    return request;
}

static struct request *send_request(struct house *house, enum verb verb, const char *path,
                                    struct call call)
{
    struct request *request = begin(house, verb, path, call);
    house_finish(house, request);
    return request;
}

static void assert_status(struct house *house, enum verb verb, const char *path, struct call call,
                          int status)
{
    struct request *request = send_request(house, verb, path, call);
    if (request->answer.status != status)
        print_message("%s: %s\n", path, request->answer.body.data);
    assert_int_equal(request->answer.status, status);
    house_end(request);
}

static bool has_header(const struct request *request, const char *name)
{
    for (int i = 0; i < request->answer.header_count; i++)
        if (strcmp(request->answer.headers[i].name, name) == 0)
            return true;
    return false;
}

static void take_member(const struct request *request, const char *name, char *out, size_t size)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    const char *at = strstr(request->answer.body.data, pattern);
    assert_non_null(at);
    at += strlen(pattern);
    snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void make_show(struct house *house)
{
    assert_status(house, VERB_POST, "/v1/shows", (struct call){ADMIN, NULL, SHOW, NULL}, 201);
}

#define KEY_1 "0123456789012345678901"
#define KEY_2 "0123456789012345678902"
#define SEATS "/v1/shows/s1/reservations"
#define TWO   "{\"quantity\":2,\"name\":\"Ann\"}"

/* ---- what comes before every handler --------------------------------------------------------- */

static void routes__refuse_before_any_handler(void **state)
{
    static const struct {
        enum verb verb;
        const char *path;
        struct call call;
        int status;
    } rows[] = {
        {VERB_GET, "/nowhere", {NULL, NULL, NULL, NULL}, 404},
        {VERB_GET, "/v1/shows/", {NULL, NULL, NULL, NULL}, 404},
        {VERB_DELETE, "/v1/shows", {NULL, NULL, NULL, NULL}, 405},
        {VERB_GET, "/livez", {NULL, NULL, NULL, NULL}, 200},
        {VERB_GET, "/problems/sold_out", {NULL, NULL, NULL, NULL}, 200},
        {VERB_GET, "/problems/none", {NULL, NULL, NULL, NULL}, 404},
        {VERB_POST, "/v1/shows", {NULL, NULL, SHOW, NULL}, 401},
        {VERB_POST, "/v1/shows", {"Bearer wrong", NULL, SHOW, NULL}, 401},
        {VERB_POST, "/v1/shows", {"Basic xyz", NULL, SHOW, NULL}, 401},
        {VERB_POST, "/v1/shows", {ADMIN, NULL, "{", NULL}, 400},
        {VERB_POST, "/v1/shows", {ADMIN, NULL, "{\"nme\":1}", NULL}, 400},
        {VERB_POST, SEATS, {NULL, KEY_1, TWO, NULL}, 404},
        {VERB_PUT, "/v1/shows/s1/capacity", {ADMIN, NULL, "{\"capacity\":1}", NULL}, 404},
        {VERB_GET, "/v1/reservations/no-uuid", {ADMIN, NULL, NULL, NULL}, 404},
        {VERB_OPTIONS, "/cancel", {NULL, NULL, NULL, NULL}, 204},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_status(*state, rows[i].verb, rows[i].path, rows[i].call, rows[i].status);
}

static void routes__wait_for_the_log_to_be_read(void **state)
{
    struct house *house = *state;
    house->edge.caught_up = false;
    house->edge.following.caught_up = false;
    assert_status(house, VERB_GET, "/v1/shows", (struct call){0}, 503);
    assert_status(house, VERB_GET, "/readyz", (struct call){0}, 503);
    house->edge.caught_up = true;
    house->edge.following.caught_up = true;
    house->edge.lost = "test";
    assert_status(house, VERB_GET, "/v1/shows", (struct call){0}, 503);
    house->edge.lost = NULL;
    assert_status(house, VERB_GET, "/v1/shows", (struct call){0}, 200);
}

/* ---- sales ----------------------------------------------------------------------------------- */

static void reserve__is_held_and_a_replay_says_the_same(void **state)
{
    struct house *house = *state;
    char secret[2][SECRET_SIZE];
    make_show(house);
    struct request *first =
        send_request(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, NULL});
    assert_int_equal(first->answer.status, 201);
    assert_false(has_header(first, "Idempotent-Replayed"));
    take_member(first, "secret", secret[0], sizeof secret[0]);
    struct request *again =
        send_request(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, NULL});
    assert_int_equal(again->answer.status, 201);
    assert_true(has_header(again, "Idempotent-Replayed"));
    take_member(again, "secret", secret[1], sizeof secret[1]);
    assert_string_equal(secret[0], secret[1]);
    house_end(first);
    house_end(again);
    assert_status(house, VERB_POST, SEATS,
                  (struct call){NULL, KEY_1, "{\"quantity\":1,\"name\":\"Ann\"}", NULL}, 422);
    assert_status(house, VERB_POST, SEATS, (struct call){NULL, NULL, TWO, NULL}, 400);
    assert_status(house, VERB_POST, SEATS, (struct call){NULL, "short", TWO, NULL}, 400);
    assert_status(house, VERB_POST, SEATS, (struct call){ADMIN, "short", TWO, NULL}, 201);
    assert_status(house, VERB_POST, SEATS, (struct call){NULL, KEY_2, TWO, NULL}, 409);
    assert_int_equal(view_show(&house->edge.view, text_of("s1"))->held, 4);
}

/* Two at once under one key with different bodies: the first in the log wins, the other is told. */
static void reserve__of_two_bodies_under_one_key_one_wins(void **state)
{
    struct house *house = *state;
    make_show(house);
    struct request *one = begin(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, NULL});
    struct request *two =
        begin(house, VERB_POST, SEATS,
              (struct call){NULL, KEY_1, "{\"quantity\":1,\"name\":\"Bob\"}", NULL});
    house_finish(house, one);
    house_finish(house, two);
    assert_int_equal(one->answer.status, 201);
    assert_int_equal(two->answer.status, 422);
    house_end(one);
    house_end(two);
}

static void reserve__is_accepted_when_the_services_sleep(void **state)
{
    struct house *house = *state;
    char secret[SECRET_SIZE], bearer[SECRET_SIZE + 8], path[64], id[UUID_SIZE];
    make_show(house);
    house->closed[0] = house->closed[1] = true;
    struct request *request =
        send_request(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, "wait=0"});
    assert_int_equal(request->answer.status, 202);
    assert_true(has_header(request, "Location") && has_header(request, "Retry-After"));
    take_member(request, "secret", secret, sizeof secret);
    take_member(request, "reservation_id", id, sizeof id);
    house_end(request);
    snprintf(bearer, sizeof bearer, "Bearer %s", secret);
    snprintf(path, sizeof path, "/v1/reservations/%s", id);
    assert_status(house, VERB_GET, path, (struct call){bearer, NULL, NULL, NULL}, 200);
    assert_status(house, VERB_GET, path, (struct call){NULL, NULL, NULL, NULL}, 404);
    assert_status(house, VERB_GET, path, (struct call){ADMIN, NULL, NULL, NULL}, 404);
    house->closed[0] = house->closed[1] = false;
    for (int i = 0; i < 50; i++)
        house_turn(house);
    assert_status(house, VERB_GET, path, (struct call){ADMIN, NULL, NULL, NULL}, 200);
}

static void reserve__is_unavailable_when_the_log_takes_nothing(void **state)
{
    struct house *house = *state;
    struct sim_faults lost = {.append_lost = 1000}, none = {0};
    make_show(house);
    for (int i = 0; i < HOUSE_SERVICES; i++)
        house->closed[i] = true;
    sim_set_faults(house->sim, &lost);
    assert_status(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, NULL}, 503);
    sim_set_faults(house->sim, &none);
    house->edge.down = true;
    assert_status(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, NULL}, 503);
    house->edge.down = false;
    house->options.in_flight_max = 0;
    assert_status(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, NULL}, 503);
    house->options.in_flight_max = 100;
    for (int i = 0; i < HOUSE_SERVICES; i++)
        house->closed[i] = false;
    assert_status(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, NULL}, 201);
    assert_int_equal(house->edge.errands.in_flight, 0);
}

static void checkout__confirms_and_cancel_returns_the_seats(void **state)
{
    struct house *house = *state;
    char secret[SECRET_SIZE], bearer[SECRET_SIZE + 8], path[64], pay[96], id[UUID_SIZE];
    make_show(house);
    struct request *held =
        send_request(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, NULL});
    take_member(held, "secret", secret, sizeof secret);
    take_member(held, "reservation_id", id, sizeof id);
    house_end(held);
    snprintf(bearer, sizeof bearer, "Bearer %s", secret);
    snprintf(path, sizeof path, "/v1/reservations/%s", id);
    snprintf(pay, sizeof pay, "%s/checkout", path);
    assert_status(house, VERB_POST, pay,
                  (struct call){bearer, KEY_2, "{\"method\":\"cash\"}", NULL}, 403);
    assert_status(house, VERB_POST, pay,
                  (struct call){bearer, KEY_2, "{\"method\":\"none\"}", NULL}, 201);
    assert_status(house, VERB_POST, pay,
                  (struct call){bearer, KEY_2, "{\"method\":\"none\"}", NULL}, 201);
    assert_status(house, VERB_POST, pay,
                  (struct call){bearer, KEY_1, "{\"method\":\"none\"}", NULL}, 410);
    assert_int_equal(view_show(&house->edge.view, text_of("s1"))->sold, 2);
    assert_status(house, VERB_DELETE, path, (struct call){bearer, KEY_2, NULL, NULL}, 200);
    assert_status(house, VERB_DELETE, path, (struct call){bearer, KEY_2, NULL, NULL}, 200);
    assert_status(house, VERB_DELETE, path, (struct call){bearer, NULL, NULL, NULL}, 200);
    assert_status(house, VERB_DELETE, path, (struct call){bearer, KEY_1, NULL, NULL}, 409);
    assert_int_equal(view_show(&house->edge.view, text_of("s1"))->sold, 0);
}

static void blocks__lose_no_update_when_two_change_one(void **state)
{
    struct house *house = *state;
    make_show(house);
    struct call hold = {NULL, NULL, "{\"showID\":\"s1\",\"count\":\"2\"}", NULL};
    struct request *one = begin(house, VERB_PUT, "/hold-seats", hold);
    struct request *two = begin(house, VERB_PUT, "/hold-seats", hold);
    house_finish(house, one);
    house_finish(house, two);
    assert_int_equal(one->answer.status, 200);
    assert_int_equal(two->answer.status, 200);
    assert_int_equal(view_show(&house->edge.view, text_of("s1"))->blocked, 4);
    house_end(one);
    house_end(two);
    assert_status(house, VERB_PUT, "/hold-seats", hold, 409);
    assert_status(house, VERB_PUT, "/release-seats",
                  (struct call){.body = "{\"showID\":\"s1\",\"count\":5}"}, 409);
    assert_status(house, VERB_PUT, "/release-seats",
                  (struct call){.body = "{\"showID\":\"s1\",\"count\":0}"}, 400);
    assert_status(house, VERB_PUT, "/release-seats", hold, 200);
}

static void sample__reserves_in_one_step(void **state)
{
    struct house *house = *state;
    make_show(house);
    struct request *request =
        send_request(house, VERB_POST, "/reserveTickets",
                     (struct call){.body = "{\"showID\":\"s1\",\"count\":2,\"name\":\"WDJ\"}"});
    assert_string_equal(request->answer.body.data,
                        "{\"success\":true,\"showID\":\"s1\",\"name\":\"WDJ\",\"guests\":2}\n");
    house_end(request);
    assert_status(house, VERB_POST, "/reserve",
                  (struct call){.body = "{\"showID\":\"s1\",\"count\":9,\"name\":\"Eve\"}"}, 409);
    assert_status(house, VERB_POST, "/reserve",
                  (struct call){.body = "{\"showID\":\"xx\",\"count\":1,\"name\":\"Eve\"}"}, 404);
    assert_status(house, VERB_POST, "/reserve",
                  (struct call){.body = "{\"showID\":\"s1\",\"count\":-1,\"name\":\"Eve\"}"}, 400);
    assert_status(house, VERB_POST, "/reserve",
                  (struct call){.body = "{\"showID\":\"s1\",\"count\":1}"}, 400);
    house->edge.open_sample = false;
    assert_status(house, VERB_PUT, "/hold-seats",
                  (struct call){.body = "{\"showID\":\"s1\",\"count\":1}"}, 401);
    house->options.sample = false;
    assert_status(house, VERB_GET, "/show/s1", (struct call){0}, 404);
}

/* ---- money ----------------------------------------------------------------------------------- */

#define PRICED                                                                                     \
    "{\"show_id\":\"s1\",\"name\":\"Hamlet\",\"starts_at\":\"2030-01-01T20:00:00Z\",\"capacity\":" \
    "5,\"currency\":\"EUR\",\"tiers\":[{\"tier_id\":\"stalls\",\"name\":\"Stalls\","               \
    "\"amount_minor\":500}]}"
#define EXTERNAL "{\"method\":\"external\",\"provider\":\"paydesk\"}"
#define NO_RID   "99999999-9999-4999-8999-999999999999"
#define NO_PID   "88888888-8888-4888-8888-888888888888"

/* A held reservation of two seats at 5.00, and its paths. */
struct guest {
    char id[UUID_SIZE], bearer[SECRET_SIZE + 8], path[64], pay[96], payment_id[UUID_SIZE];
};

static void hold_two(struct house *house, struct guest *guest, const char *key)
{
    char secret[SECRET_SIZE];
    struct request *held =
        send_request(house, VERB_POST, SEATS, (struct call){NULL, key, TWO, NULL});
    assert_int_equal(held->answer.status, 201);
    take_member(held, "secret", secret, sizeof secret);
    take_member(held, "reservation_id", guest->id, sizeof guest->id);
    house_end(held);
    snprintf(guest->bearer, sizeof guest->bearer, "Bearer %s", secret);
    snprintf(guest->path, sizeof guest->path, "/v1/reservations/%s", guest->id);
    snprintf(guest->pay, sizeof guest->pay, "%s/checkout", guest->path);
}

static void make_priced_show(struct house *house)
{
    assert_status(house, VERB_POST, "/v1/shows", (struct call){ADMIN, NULL, PRICED, NULL}, 201);
}

/* Sends and looks for a part of the answer; NULL: any. */
static void assert_says(struct house *house, enum verb verb, const char *path, struct call call,
                        int status, const char *part)
{
    struct request *request = send_request(house, verb, path, call);
    if (request->answer.status != status || (part && !strstr(request->answer.body.data, part)))
        fail_msg("%s: %d, %s", path, request->answer.status, request->answer.body.data);
    house_end(request);
}

static void start_external(struct house *house, struct guest *guest, const char *key)
{
    struct request *request = send_request(house, VERB_POST, guest->pay,
                                           (struct call){guest->bearer, key, EXTERNAL, NULL});
    assert_int_equal(request->answer.status, 201);
    take_member(request, "payment_id", guest->payment_id, sizeof guest->payment_id);
    house_end(request);
}

static void assert_reservation(struct house *house, const struct guest *guest, const char *part)
{
    for (int i = 0; i < 50; i++)
        house_turn(house);
    assert_says(house, VERB_GET, guest->path, (struct call){.authorization = guest->bearer}, 200,
                part);
}

/* What was refused to one body was not refused to another that came with its key. */
static void checkout__refusal_is_of_its_own_body_only(void **state)
{
    static const char *const keys[] = {"0123456789012345678903", "0123456789012345678904",
                                       "0123456789012345678905"};
    struct house *house = *state;
    struct guest guest;
    make_priced_show(house);
    hold_two(house, &guest, KEY_1);
    for (int i = 0; i < 3; i++)
        start_external(house, &guest, keys[i]);
    struct call fourth = {guest.bearer, KEY_2, EXTERNAL, NULL};
    assert_says(house, VERB_POST, guest.pay, fourth, 409, "three attempts");
    assert_says(house, VERB_POST, guest.pay, fourth, 409, "three attempts");
    fourth.body = "{\"method\":\"none\"}";
    assert_says(house, VERB_POST, guest.pay, fourth, 422, "another body");
}

static void checkout__says_where_to_pay(void **state)
{
    struct house *house = *state;
    struct guest guest;
    char url[128];
    static const char *const bad[] = {
        "{\"method\":\"external\"}",
        "{\"method\":\"external\",\"provider\":\"else\"}",
    };
    make_priced_show(house);
    hold_two(house, &guest, KEY_1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_says(house, VERB_POST, guest.pay, (struct call){guest.bearer, KEY_1, bad[i], NULL},
                    400, "configured: paydesk");
    assert_status(
        house, VERB_POST, guest.pay,
        (struct call){guest.bearer, KEY_1, "{\"method\":\"none\",\"provider\":\"paydesk\"}", NULL},
        400);
    assert_status(house, VERB_POST, guest.pay,
                  (struct call){guest.bearer, KEY_1,
                                "{\"method\":\"external\",\"provider\":\"paydesk\","
                                "\"return_url\":\"javascript:1\"}",
                                NULL},
                  400);
    start_external(house, &guest, KEY_2);
    snprintf(url, sizeof url,
             "\"next\":{\"kind\":\"redirect\",\"url\":\"https://pay.example/%s?x\"}",
             guest.payment_id);
    struct call again = {guest.bearer, KEY_2, EXTERNAL, NULL};
    struct request *request = send_request(house, VERB_POST, guest.pay, again);
    assert_true(has_header(request, "Idempotent-Replayed"));
    assert_non_null(strstr(request->answer.body.data, "\"pay_by\":\"20"));
    house_end(request);
    assert_says(house, VERB_POST, guest.pay, again, 201, url);
    assert_reservation(house, &guest, "\"status\":\"paying\"");
    house->options.pay_url_count = 0;
    assert_says(house, VERB_POST, guest.pay, (struct call){guest.bearer, KEY_1, EXTERNAL, NULL},
                400, "--pay-url");
}

/* What free seats cost is settled at once, whoever was to be paid. */
static void checkout__of_free_seats_goes_nowhere(void **state)
{
    struct house *house = *state;
    struct guest guest;
    make_show(house);
    hold_two(house, &guest, KEY_1);
    assert_says(house, VERB_POST, guest.pay, (struct call){guest.bearer, KEY_2, EXTERNAL, NULL},
                201, "\"status\":\"confirmed\",\"next\":{\"kind\":\"none\"}");
}

static void checkout__answers_the_one_it_supersedes(void **state)
{
    struct house *house = *state;
    struct guest guest;
    make_priced_show(house);
    hold_two(house, &guest, KEY_1);
    house->closed[2] = true;
    struct call call = {guest.bearer, KEY_1, EXTERNAL, NULL};
    struct request *first = begin(house, VERB_POST, guest.pay, call);
    for (int i = 0; i < 5; i++)
        house_turn(house);
    call.key = KEY_2;
    struct request *second = begin(house, VERB_POST, guest.pay, call);
    for (int i = 0; i < 5; i++)
        house_turn(house);
    house->closed[2] = false;
    house_finish(house, first);
    house_finish(house, second);
    assert_int_equal(first->answer.status, 409);
    assert_non_null(strstr(first->answer.body.data, "another payment"));
    assert_int_equal(second->answer.status, 201);
    house_end(first);
    house_end(second);
    start_external(house, &guest, "0123456789012345678903");
    call.key = KEY_2; /* it was told where to pay, and that stays so; but nothing is left to do */
    assert_says(house, VERB_POST, guest.pay, call, 201, "\"kind\":\"none\"");
}

/* Posts a callback signed `late_s` seconds ago with the secret of `signer`. */
static struct request *post_signed(struct house *house, const char *provider, const char *body,
                                   int signer, int64_t late_s)
{
    char path[96], timestamp[24], signature[WEBHOOK_SIGNATURE_SIZE];
    snprintf(path, sizeof path, "/v1/payments/callbacks/%s", provider);
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)(clock_wall_ms() / 1000 - late_s));
    struct request *request = house_request(house, VERB_POST, text_of(path));
    request->path = arena_text(&request->arena, request->path);
    buffer_string(&request->body, body);
    struct webhook webhook = {text_of("msg_1"), text_of(timestamp), {NULL, 0}, text_of(body)};
    webhook_sign(&house->keys.callbacks[signer], &webhook, signature);
    request->headers.webhook_id = webhook.id;
    request->headers.webhook_timestamp = arena_text(&request->arena, webhook.timestamp);
    request->headers.webhook_signature = arena_text(&request->arena, text_of(signature));
    route_request(&house->edge, request);
    house_finish(house, request);
    return request;
}

static void assert_callback(struct house *house, const char *provider, const char *body, int signer,
                            int64_t late_s, int status, const char *part)
{
    struct request *request = post_signed(house, provider, body, signer, late_s);
    if (request->answer.status != status || !strstr(request->answer.body.data, part))
        fail_msg("%s: %d, %s", body, request->answer.status, request->answer.body.data);
    house_end(request);
}

static const char *payment_body(const char *payment_id, const char *reservation_id,
                                const char *result, const char *more)
{
    static char body[600];
    snprintf(body, sizeof body,
             "{\"show_id\":\"s1\",\"payment_id\":\"%s\",\"reservation_id\":\"%s\","
             "\"result\":\"%s\",\"amount_minor\":1000,\"currency\":\"EUR\",\"provider_ref\":"
             "\"ref-1\"%s}",
             payment_id, reservation_id, result, more);
    return body;
}

#define BY_PAYDESK ",\"provider\":\"paydesk\""

static void callback__sells_once_however_often_it_comes(void **state)
{
    struct house *house = *state;
    struct guest guest;
    make_priced_show(house);
    hold_two(house, &guest, KEY_1);
    start_external(house, &guest, KEY_2);
    const char *body = payment_body(guest.payment_id, guest.id, "succeeded", BY_PAYDESK);
    assert_callback(house, "paydesk", body, 0, 0, 200, "recorded");
    assert_reservation(house, &guest, "\"status\":\"confirmed\"");
    const struct reservation *reservation = view_reservation(&house->edge.view, text_of(guest.id));
    int64_t position = reservation->offsets[2];
    assert_callback(house, "paydesk", body, 0, 200, 200, "recorded");
    assert_callback(house, "paydesk", body, 0, -200, 200, "recorded");
    assert_reservation(house, &guest, "\"status\":\"kept\"");
    reservation = view_reservation(&house->edge.view, text_of(guest.id));
    assert_int_equal(reservation->offsets[2], position);
    assert_int_equal(view_show(&house->edge.view, text_of("s1"))->sold, 2);
}

/* Whoever takes it, and when: an edge beside this one would send the same command. */
static void callback__is_the_same_command_wherever_it_comes(void **state)
{
    struct house *house = *state;
    static const struct {
        const char *result, *more;
    } rows[] = {{"failed", BY_PAYDESK},
                {"failed", BY_PAYDESK},
                {"unknown", BY_PAYDESK},
                {"failed", BY_PAYDESK ",\"failure\":\"no\""}};
    char ids[4][UUID_SIZE];
    for (int i = 0; i < 4; i++) {
        struct request *request = post_signed(
            house, "paydesk", payment_body(NO_PID, NO_RID, rows[i].result, rows[i].more), 0, i);
        assert_int_equal(request->answer.status, 200);
        memcpy(ids[i], request->errand.command_id, UUID_SIZE);
        house_end(request);
    }
    assert_true(uuid_valid(text_of(ids[0])));
    assert_string_equal(ids[0], ids[1]);
    assert_string_not_equal(ids[0], ids[2]);
    assert_string_not_equal(ids[0], ids[3]);
}

static void callback__is_refused_when_it_is_not_right(void **state)
{
    struct house *house = *state;
    static const struct {
        const char *provider, *more;
        int signer;
        int64_t late_s;
        int status;
        const char *part;
    } rows[] = {
        {"paydesk", BY_PAYDESK, 1, 0, 400, "bad_signature"},
        {"paydesk", BY_PAYDESK, 0, 310, 400, "bad_signature"},
        {"paydesk", BY_PAYDESK, 0, -310, 400, "bad_signature"},
        {"nobody", BY_PAYDESK, 0, 0, 404, "callback nobody whsec_"},
        {"cardbox", BY_PAYDESK, 1, 0, 400, "/provider"},
        {"paydesk", "", 0, 0, 400, "/provider"},
        {"paydesk", BY_PAYDESK ",\"colour\":1", 0, 0, 400, "/colour"},
        {"paydesk", BY_PAYDESK ",\"refund_id\":\"" NO_PID "\"", 0, 0, 400, "/refund_id"},
        {"paydesk", BY_PAYDESK ",\"failure\":7", 0, 0, 400, "/failure"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_callback(house, rows[i].provider,
                        payment_body(NO_PID, NO_RID, "succeeded", rows[i].more), rows[i].signer,
                        rows[i].late_s, rows[i].status, rows[i].part);
    assert_callback(house, "paydesk", payment_body(NO_PID, NO_RID, "perhaps", BY_PAYDESK), 0, 0,
                    400, "/result");
    assert_callback(house, "paydesk", payment_body("x", NO_RID, "failed", BY_PAYDESK), 0, 0, 400,
                    "/payment_id");
    assert_callback(house, "paydesk", "", 0, 0, 400, "JSON");
    house->edge.down = true;
    assert_callback(house, "paydesk", payment_body(NO_PID, NO_RID, "failed", BY_PAYDESK), 0, 0, 503,
                    "bus_unavailable");
}

/* Money for a reservation that nobody requested goes back, and makes none. */
static void callback__of_an_invented_reservation_is_refunded(void **state)
{
    struct house *house = *state;
    char path[128], refund[256], refund_id[UUID_SIZE];
    make_priced_show(house);
    assert_callback(house, "paydesk", payment_body(NO_PID, NO_RID, "succeeded", BY_PAYDESK), 0, 0,
                    200, "recorded");
    for (int i = 0; i < 50; i++)
        house_turn(house);
    assert_status(house, VERB_GET, "/v1/reservations/" NO_RID,
                  (struct call){.authorization = ADMIN}, 404);
    const struct reservation *stranger =
        view_reservation_of(&house->edge.view, text_of("s1"), text_of(NO_RID));
    assert_non_null(stranger);
    assert_int_equal(stranger->repayment_count, 1);
    memcpy(refund_id, stranger->repayments[0].refund_id, UUID_SIZE);
    snprintf(path, sizeof path, "/v1/refunds/%s/result", refund_id);
    struct call completed = {ADMIN, NULL, "{\"result\":\"completed\"}", NULL};
    assert_says(house, VERB_POST, path, completed, 200, "\"status\":\"completed\"");
    snprintf(refund, sizeof refund,
             "{\"show_id\":\"s1\",\"reservation_id\":\"" NO_RID
             "\",\"refund_id\":\"%s\",\"result\":\"completed\",\"provider\":\"paydesk\"}",
             refund_id);
    assert_callback(house, "paydesk", refund, 0, 0, 200, "recorded");
    assert_status(house, VERB_GET, "/v1/reservations/" NO_RID,
                  (struct call){.authorization = ADMIN}, 404);
}

static void result__is_recorded_by_the_box_office(void **state)
{
    struct house *house = *state;
    struct guest guest;
    char path[128];
    make_priced_show(house);
    hold_two(house, &guest, KEY_1);
    start_external(house, &guest, KEY_2);
    snprintf(path, sizeof path, "/v1/payments/%s/result", guest.payment_id);
    struct call unknown = {ADMIN, NULL, "{\"result\":\"unknown\"}", NULL},
                failed = {ADMIN, NULL, "{\"result\":\"failed\",\"failure\":\"no\"}", NULL},
                paid = {ADMIN, NULL, "{\"result\":\"succeeded\"}", NULL},
                more = {ADMIN, NULL, "{\"result\":\"succeeded\",\"amount_minor\":9}", NULL};
    assert_says(house, VERB_POST, path, unknown, 200, "\"status\":\"unknown\"");
    assert_reservation(house, &guest, "\"status\":\"payment_unknown\"");
    assert_says(house, VERB_POST, path, unknown, 200, "\"status\":\"unknown\"");
    assert_says(house, VERB_POST, path, failed, 200, "\"status\":\"failed\"");
    assert_says(house, VERB_POST, path, unknown, 409, "known already");
    assert_reservation(house, &guest, "\"status\":\"held\"");
    assert_says(house, VERB_POST, path, paid, 200, "\"status\":\"succeeded\"");
    assert_reservation(house, &guest, "\"status\":\"confirmed\"");
    assert_says(house, VERB_POST, path, paid, 200, "\"status\":\"kept\"");
    assert_says(house, VERB_POST, path, failed, 409, "known already");
    assert_says(house, VERB_POST, path, more, 409, "another body");
    assert_int_equal(view_show(&house->edge.view, text_of("s1"))->sold, 2);
}

static void result__needs_a_payment_and_a_right(void **state)
{
    struct house *house = *state;
    struct guest guest;
    char path[128];
    make_priced_show(house);
    hold_two(house, &guest, KEY_1);
    start_external(house, &guest, KEY_2);
    snprintf(path, sizeof path, "/v1/payments/%s/result", guest.payment_id);
    struct call paid = {ADMIN, KEY_1, "{\"result\":\"succeeded\"}", NULL}, guests = paid;
    guests.authorization = guest.bearer;
    assert_status(house, VERB_POST, path, guests, 401);
    assert_status(house, VERB_POST, "/v1/payments/" NO_PID "/result", paid, 404);
    assert_status(house, VERB_POST, "/v1/refunds/" NO_PID "/result",
                  (struct call){ADMIN, NULL, "{\"result\":\"completed\"}", NULL}, 404);
    assert_says(house, VERB_POST, path, (struct call){ADMIN, NULL, "{\"result\":\"maybe\"}", NULL},
                400, "/result");
    assert_status(house, VERB_POST, path,
                  (struct call){ADMIN, NULL,
                                "{\"result\":\"failed\",\"reservation_id\":\"" NO_RID "\"}", NULL},
                  404);
    assert_status(house, VERB_POST, path,
                  (struct call){ADMIN, NULL, "{\"result\":\"failed\",\"provider\":\"a b\"}", NULL},
                  400);
    assert_status(house, VERB_POST, path, paid, 200);
    assert_status(house, VERB_POST, path, paid, 200);
    paid.body = "{\"result\":\"failed\"}"; /* the same Idempotency-Key */
    assert_status(house, VERB_POST, path, paid, 422);
}

static void result__of_a_refund_by_hand(void **state)
{
    struct house *house = *state;
    struct guest guest;
    char path[128], refund_id[UUID_SIZE];
    make_priced_show(house);
    hold_two(house, &guest, KEY_1);
    assert_status(house, VERB_POST, guest.pay,
                  (struct call){ADMIN, KEY_2, "{\"method\":\"cash\"}", NULL}, 201);
    assert_status(house, VERB_DELETE, guest.path, (struct call){ADMIN, KEY_2, NULL, NULL}, 200);
    assert_reservation(house, &guest, "\"refund\"");
    const struct reservation *reservation = view_reservation(&house->edge.view, text_of(guest.id));
    memcpy(refund_id, reservation->repayments[0].refund_id, UUID_SIZE);
    assert_reservation(house, &guest, "\"status\":\"manual\"");
    snprintf(path, sizeof path, "/v1/refunds/%s/result", refund_id);
    struct call completed = {ADMIN, NULL, "{\"result\":\"completed\"}", NULL},
                noted = {ADMIN, NULL, "{\"result\":\"completed\",\"note\":\"by post\"}", NULL},
                failed = {ADMIN, NULL, "{\"result\":\"failed\"}", NULL};
    assert_says(house, VERB_POST, path, completed, 200, "\"status\":\"completed\"");
    assert_says(house, VERB_POST, path, completed, 200, "\"status\":\"completed\"");
    assert_says(house, VERB_POST, path, failed, 409, "known already");
    assert_says(house, VERB_POST, path, noted, 409,
                "in another way"); /* was it handed out twice? */
    assert_reservation(house, &guest, "\"status\":\"completed\"");
}

/* ---- the register ---------------------------------------------------------------------------- */

/* Tickets that nobody ever had, shown at a door. */
static void register__takes_what_nobody_requested(void **state)
{
    struct house *house = *state;
    struct view *view = &house->edge.view;
    struct message event = {0};
    char id[UUID_SIZE];
    make_show(house);
    for (int i = 0; i < REGISTER_EARLY_MAX + 100; i++) {
        message_init(&event, MESSAGE_CheckInRejected);
        message_set(&event, show_id, text_of("s1"));
        message_set(&event, reservation_id, text_of(uuid_random(id)));
        message_set(&event, reason, reason_void);
        event.cause_id = text_of(id);
        view_apply(view, &event, &(struct place){TOPIC_RESERVATIONS_EVENTS, 0, i});
    }
    house->edge.positions[0].next++; /* as the bus thread notes it */
    assert_true(register_flush(house->file));
    assert_int_equal(view->reservations.count, REGISTER_EARLY_MAX);
    assert_null(view_reservation(view, text_of(id)));
    assert_non_null(view_reservation_of(view, text_of("s1"), text_of(id)));
    house_close_edge(house);
    house_open_edge(house);
    view = &house->edge.view;
    assert_int_equal(view->reservations.count, 0); /* none is open */
    assert_null(view_reservation(view, text_of(id)));
    message_init(&event, MESSAGE_ReservationRequested);
    message_set(&event, show_id, text_of("s1"));
    message_set(&event, reservation_id, text_of(id));
    message_set(&event, holder, (struct holder){text_of("Ann"), {NULL, 0}, {NULL, 0}});
    message_set(&event, wanted, (struct lines){1, {{TEXT("standard"), 2, 0}}});
    event.has[FIELD_reason] = false;
    view_apply(view, &event, &(struct place){TOPIC_RESERVATIONS_EVENTS, 0, 9999});
    const struct reservation *reservation = view_reservation(view, text_of(id));
    assert_non_null(reservation);
    assert_int_equal(view_status(reservation), STATUS_REQUESTED);
    assert_int_equal(reservation->replays.count, 1); /* what was said before is not lost */
}

static void register__brings_everything_back_after_a_restart(void **state)
{
    struct house *house = *state;
    char id[UUID_SIZE], path[64];
    make_show(house);
    assert_status(
        house, VERB_POST, "/reserve",
        (struct call){NULL, KEY_1, "{\"showID\":\"s1\",\"count\":2,\"name\":\"WDJ\"}", NULL}, 200);
    struct request *held =
        send_request(house, VERB_POST, SEATS, (struct call){NULL, KEY_1, TWO, NULL});
    take_member(held, "reservation_id", id, sizeof id);
    house_end(held);
    assert_status(house, VERB_POST, SEATS, (struct call){NULL, KEY_2, TWO, NULL}, 409);
    assert_true(register_flush(house->file));
    assert_true(register_flush(house->file));
    assert_int_equal(house->edge.view.reservations.count, 1); /* the others are finished and gone */
    house_close_edge(house);
    house_open_edge(house);
    assert_int_equal(house->edge.view.show_count, 1);
    assert_int_equal(house->edge.view.reservations.count, 1);
    assert_int_equal(view_show(&house->edge.view, text_of("s1"))->sold, 2);
    for (int i = 0; i < 20; i++)
        house_turn(house); /* nothing is folded twice */
    assert_int_equal(view_show(&house->edge.view, text_of("s1"))->held, 2);
    snprintf(path, sizeof path, "/v1/reservations/%s", id);
    assert_status(house, VERB_GET, path, (struct call){ADMIN, NULL, NULL, NULL}, 200);
    struct request *again =
        send_request(house, VERB_POST, SEATS, (struct call){NULL, KEY_2, TWO, NULL});
    assert_int_equal(again->answer.status, 409);
    assert_true(has_header(again, "Idempotent-Replayed"));
    house_end(again);
    assert_status(
        house, VERB_POST, "/reserve",
        (struct call){NULL, KEY_1, "{\"showID\":\"s1\",\"count\":2,\"name\":\"WDJ\"}", NULL}, 200);
    assert_int_equal(view_show(&house->edge.view, text_of("s1"))->sold, 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_house, close_house)
    const struct CMUnitTest tests[] = {
        CASE(routes__refuse_before_any_handler),
        CASE(routes__wait_for_the_log_to_be_read),
        CASE(reserve__is_held_and_a_replay_says_the_same),
        CASE(reserve__of_two_bodies_under_one_key_one_wins),
        CASE(reserve__is_accepted_when_the_services_sleep),
        CASE(reserve__is_unavailable_when_the_log_takes_nothing),
        CASE(checkout__confirms_and_cancel_returns_the_seats),
        CASE(checkout__refusal_is_of_its_own_body_only),
        CASE(checkout__says_where_to_pay),
        CASE(checkout__of_free_seats_goes_nowhere),
        CASE(checkout__answers_the_one_it_supersedes),
        CASE(callback__sells_once_however_often_it_comes),
        CASE(callback__is_the_same_command_wherever_it_comes),
        CASE(callback__is_refused_when_it_is_not_right),
        CASE(callback__of_an_invented_reservation_is_refunded),
        CASE(result__is_recorded_by_the_box_office),
        CASE(result__needs_a_payment_and_a_right),
        CASE(result__of_a_refund_by_hand),
        CASE(blocks__lose_no_update_when_two_change_one),
        CASE(sample__reserves_in_one_step),
        CASE(register__takes_what_nobody_requested),
        CASE(register__brings_everything_back_after_a_restart),
    };
    return cmocka_run_group_tests_name("edge_sale", tests, NULL, NULL);
}
