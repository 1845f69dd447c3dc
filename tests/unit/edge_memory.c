/* The edge with every allocation failing in turn. What it believes and what it derives does not
 * depend on memory; and an edge that ended in the middle of a request leaves nothing wrong behind:
 * whoever comes back with the same key to the next edge has one reservation, and only one. */
#include "api/bus_thread.h"
#include "api/ids.h"
#include "api/routes.h"
#include "api/webhook.h"
#include "tests/support/edge/house.h"
#include "tests/support/famine/famine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RID "0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96"
#define KEY "0123456789012345678901"
#define SHOW                                                                                       \
    "{\"show_id\":\"s1\",\"name\":\"Hamlet\",\"starts_at\":\"2030-01-01T20:00:00Z\",\"capacity\":" \
    "5}"

/* ---- what is believed ------------------------------------------------------------------------ */

static void believe(void *context)
{
    const struct keys *keys = context;
    char signature[WEBHOOK_SIGNATURE_SIZE], secret[SECRET_SIZE];
    struct webhook webhook = {text_of("m"), text_of("1795289400"), {NULL, 0}, text_of("{}")};
    struct text show_id;
    assert_non_null(keys_find(keys, text_of("open sesame")));
    assert_null(keys_find(keys, text_of("open barley")));
    webhook.signatures = text_of(webhook_sign(&keys->callbacks[0], &webhook, signature));
    assert_int_equal(webhook_check(keys, text_of("paydesk"), &webhook, 1795289400), WEBHOOK_GOOD);
    webhook.body = text_of("[]");
    assert_int_equal(webhook_check(keys, text_of("paydesk"), &webhook, 1795289400), WEBHOOK_FORGED);
    ids_secret(keys, text_of("s1"), text_of(RID), secret);
    assert_true(ids_secret_valid(keys, text_of(secret), text_of(RID), &show_id));
}

static void keys__are_told_apart_or_the_process_ends(void **state)
{
    struct house *house = house_new(1);
    struct keys keys = house->keys;
    (void)state;
    house_free(house);
    believe(&keys); /* at its first use OpenSSL would crash without memory: that is an end, too */
    assert_true(famine_each(believe, &keys).aborted > 10);
}

/* ---- what is done ---------------------------------------------------------------------------- */

/* A request and what its edge does about it, without the services: they are other processes. */
struct errand_of_one {
    struct house *house;
    struct request *request;
    enum verb verb;
    const char *path, *authorization, *key, *body;
};

static void serve(void *context)
{
    struct errand_of_one *one = context;
    struct request *request = house_request(one->house, one->verb, text_of(one->path));
    one->request = request;
    request->headers.authorization = text_of(one->authorization);
    request->headers.idempotency_key = text_of(one->key);
    buffer_string(&request->body, one->body);
    route_request(&one->house->edge, request);
    bus_thread_turn(one->house->edge.bus_thread, 0);
}

static struct request *ask(struct errand_of_one *one)
{
    serve(one);
    house_finish(one->house, one->request);
    return one->request;
}

static int64_t held_by_log(const struct house *house)
{
    int64_t held = 0;
    for (int64_t offset = 0; offset < sim_end(house->sim, TOPIC_SHOWS_EVENTS, 0); offset++) {
        struct bus_record record;
        if (sim_record(house->sim, TOPIC_SHOWS_EVENTS, 0, offset, &record))
            held += text_is(record_header(&record, "ce_type", NULL), "stagedoor.shows.SeatsHeld");
    }
    return held;
}

/* The edge that ended is left as it lies; the next one opens the same files and the same log. */
static void come_back(struct errand_of_one *one, enum famine_end end)
{
    if (end == FAMINE_ABORTED)
        house_lose_edge(one->house);
    for (int i = 0; i < 20; i++)
        house_turn(one->house);
    assert_true(held_by_log(one->house) <= 1);
    struct request *again = ask(one);
    assert_int_equal(again->answer.status, 201);
    assert_non_null(strstr(again->answer.body.data, "\"secret\""));
    house_end(again);
    assert_int_equal(held_by_log(one->house), 1);
    assert_int_equal(view_show(&one->house->edge.view, text_of("s1"))->held, 2);
}

static enum famine_end reserve_without(int64_t n)
{
    struct errand_of_one show = {house_new(1), NULL, VERB_POST, "/v1/shows",
                                 HOUSE_ADMIN,  NULL, SHOW};
    struct errand_of_one seats = {show.house,
                                  NULL,
                                  VERB_POST,
                                  "/v1/shows/s1/reservations",
                                  NULL,
                                  KEY,
                                  "{\"quantity\":2,\"name\":\"Ann\"}"};
    struct request *made = ask(&show);
    assert_int_equal(made->answer.status, 201);
    house_end(made);
    enum famine_end end = famine_deed(n, serve, &seats);
    assert_int_not_equal(end, FAMINE_DIED);
    if (end != FAMINE_ABORTED) {
        house_finish(seats.house, seats.request);
        assert_int_equal(seats.request->answer.status, 201);
        house_end(seats.request);
    }
    come_back(&seats, end);
    house_free(show.house);
    return end;
}

static void reserve__is_done_once_by_whichever_edge(void **state)
{
    int64_t n = 1;
    (void)state;
    while (reserve_without(n) != FAMINE_NONE)
        n++;
    assert_true(n > 10);
}

int main(void)
{
    famine_prepare();
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys__are_told_apart_or_the_process_ends),
        cmocka_unit_test(reserve__is_done_once_by_whichever_edge),
    };
    return cmocka_run_group_tests_name("edge_memory", tests, NULL, NULL);
}
