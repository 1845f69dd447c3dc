/* Signatures of callbacks: the standard's own example, and everything that must not pass. */
#include "api/webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
/* The example of the Standard Webhooks libraries. */
#define SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID        "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY      "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define OTHER     "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ELSE      "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

enum { NOW_S = 1614265330 };

static void take_keys(struct keys *keys, const char *callbacks)
{
    char lines[1024], error[KEYS_ERROR_SIZE] = "";
    snprintf(lines, sizeof lines, "id " HEX "\nsign 01 " HEX "\n%s", callbacks);
    assert_true(keys_parse(text_of(lines), keys, error));
}

static void check__is_the_ladder_of_the_standard(void **state)
{
    static const struct {
        const char *provider, *id, *timestamp, *signatures, *body;
        int64_t now_s;
        enum webhook_result result;
    } rows[] = {
        {"paydesk", ID, "1614265330", SIGNATURE, BODY, NOW_S, WEBHOOK_GOOD},
        {"paydesk", ID, "1614265330", ELSE " v2,what " SIGNATURE, BODY, NOW_S, WEBHOOK_GOOD},
        {"paydesk", ID, "1614265330", SIGNATURE, BODY, NOW_S + 300, WEBHOOK_GOOD},
        {"paydesk", ID, "1614265330", SIGNATURE, BODY, NOW_S - 300, WEBHOOK_GOOD},
        {"paydesk", ID, "1614265330", SIGNATURE, BODY, NOW_S + 301, WEBHOOK_STALE},
        {"paydesk", ID, "1614265330", SIGNATURE, BODY, NOW_S - 301, WEBHOOK_STALE},
        {"paydesk", ID, "9223372036854775807", SIGNATURE, BODY, NOW_S, WEBHOOK_STALE},
        {"nobody", ID, "1614265330", SIGNATURE, BODY, NOW_S, WEBHOOK_STRANGER},
        {"cardbox", ID, "1614265330", SIGNATURE, BODY, NOW_S, WEBHOOK_FORGED},
        {"paydesk", NULL, "1614265330", SIGNATURE, BODY, NOW_S, WEBHOOK_INCOMPLETE},
        {"paydesk", ID, NULL, SIGNATURE, BODY, NOW_S, WEBHOOK_INCOMPLETE},
        {"paydesk", ID, "soon", SIGNATURE, BODY, NOW_S, WEBHOOK_INCOMPLETE},
        {"paydesk", ID, "-5", SIGNATURE, BODY, NOW_S, WEBHOOK_INCOMPLETE},
        {"paydesk", ID, "1614265330", NULL, BODY, NOW_S, WEBHOOK_INCOMPLETE},
        {"paydesk", ID, "1614265330", ELSE, BODY, NOW_S, WEBHOOK_FORGED},
        {"paydesk", ID, "1614265330", "v1", BODY, NOW_S, WEBHOOK_FORGED},
        {"paydesk", ID, "1614265330", SIGNATURE "x", BODY, NOW_S, WEBHOOK_FORGED},
        {"paydesk", ID, "1614265331", SIGNATURE, BODY, NOW_S, WEBHOOK_FORGED},
        {"paydesk", ID "x", "1614265330", SIGNATURE, BODY, NOW_S, WEBHOOK_FORGED},
        {"paydesk", ID, "1614265330", SIGNATURE, BODY " ", NOW_S, WEBHOOK_FORGED},
        {"paydesk", ID, "1614265330", SIGNATURE, NULL, NOW_S, WEBHOOK_FORGED},
    };
    static struct keys keys;
    (void)state;
    take_keys(&keys, "callback paydesk " OTHER "\ncallback cardbox " OTHER
                     "\ncallback paydesk " SECRET "\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct webhook webhook = {text_of(rows[i].id), text_of(rows[i].timestamp),
                                  text_of(rows[i].signatures), text_of(rows[i].body)};
        if (webhook_check(&keys, text_of(rows[i].provider), &webhook, rows[i].now_s) !=
            rows[i].result)
            fail_msg("row %zu", i);
    }
}

static void check__believes_every_secret_of_a_provider(void **state)
{
    static struct keys keys;
    (void)state;
    take_keys(&keys, "callback paydesk " OTHER "\ncallback paydesk " SECRET "\n");
    for (int i = 0; i < keys.callback_count; i++) {
        char signature[WEBHOOK_SIGNATURE_SIZE];
        struct webhook webhook = {text_of(ID), text_of("1614265330"), {NULL, 0}, text_of(BODY)};
        webhook.signatures = text_of(webhook_sign(&keys.callbacks[i], &webhook, signature));
        assert_int_equal(webhook_check(&keys, text_of("paydesk"), &webhook, NOW_S), WEBHOOK_GOOD);
    }
    assert_int_equal(keys.callback_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check__is_the_ladder_of_the_standard),
        cmocka_unit_test(check__believes_every_secret_of_a_provider),
    };
    return cmocka_run_group_tests_name("edge_webhook", tests, NULL, NULL);
}
