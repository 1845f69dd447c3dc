/* The edge's secrets: its file of keys, signatures of callbacks, secrets of reservations, and its
 * command line. The first byte chooses.
 *
 * Nothing is believed but what was signed: not one byte of an id, a time, a body or a signature may
 * be another. */
#include "api/ids.h"
#include "keys/keys.h"
#include "api/options.h"
#include "api/webhook.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RID "0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96"

enum { NOW_S = 1795289400 };

static const struct keys *known_keys(void)
{
    static struct keys keys;
    char error[KEYS_ERROR_SIZE];
    if (keys.signing_count == 0)
        assert(keys_parse(text_of("id " HEX "\nsign 01 " HEX "\nsign 02 " HEX
                                  "\ncallback paydesk whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"),
                          &keys, error));
    return &keys;
}

static void check_file(struct text text)
{
    static struct keys keys, again;
    char error[KEYS_ERROR_SIZE], error_again[KEYS_ERROR_SIZE];
    bool good = keys_parse(text, &keys, error);
    assert(keys_parse(text, &again, error_again) == good);
    assert(good ? memcmp(&keys, &again, sizeof keys) == 0 : strcmp(error, error_again) == 0);
    if (!good)
        return;
    assert(keys.has_id_key && keys.signing_count >= 1 && keys.signing_count <= SIGNING_KEYS_MAX);
    for (int i = 0; i < keys.api_count; i++)
        assert(keys.api[i].name[0] && strcmp(keys.api[i].name, "public") != 0);
    for (int i = 0; i < keys.callback_count; i++)
        assert(keys_provider_valid(text_of(keys.callbacks[i].provider)) &&
               keys.callbacks[i].size >= CALLBACK_SECRET_SIZE_MIN);
}

/* Four lines: webhook-id, webhook-timestamp, webhook-signature, body. */
static void check_webhook(struct text rest)
{
    const struct keys *keys = known_keys();
    char signature[WEBHOOK_SIGNATURE_SIZE];
    struct webhook webhook = {text_cut(&rest, '\n'), text_cut(&rest, '\n'), text_cut(&rest, '\n'),
                              rest};
    enum webhook_result result = webhook_check(keys, text_of("paydesk"), &webhook, NOW_S);
    assert(result != WEBHOOK_STRANGER);
    assert(webhook_check(keys, text_of("nobody"), &webhook, NOW_S) == WEBHOOK_STRANGER);
    webhook_sign(&keys->callbacks[0], &webhook, signature);
    bool given = false;
    for (struct text parts = webhook.signatures; parts.data;)
        given |= text_is(text_cut(&parts, ' '), signature);
    assert(given || result != WEBHOOK_GOOD);
    if (result == WEBHOOK_FORGED) {
        webhook.signatures = text_of(signature);
        assert(webhook_check(keys, text_of("paydesk"), &webhook, NOW_S) == WEBHOOK_GOOD);
        signature[3] = signature[3] == 'A' ? 'B' : 'A';
        assert(webhook_check(keys, text_of("paydesk"), &webhook, NOW_S) == WEBHOOK_FORGED);
    }
}

/* A secret is believed only if it is the one that would be given out, but for which key signed. */
static void check_secret(struct text secret)
{
    const struct keys *keys = known_keys();
    struct text show_id;
    char own[SECRET_SIZE];
    if (!ids_secret_valid(keys, secret, text_of(RID), &show_id))
        return;
    struct keys signers = *keys;
    ids_secret(&signers, show_id, text_of(RID), own);
    bool first = text_is(secret, own);
    signers.signing[0] = keys->signing[1];
    ids_secret(&signers, show_id, text_of(RID), own);
    assert(first || text_is(secret, own));
}

static void check_options(struct text rest)
{
    enum { ARGUMENTS_MAX = 32 };
    char *arguments[ARGUMENTS_MAX + 1] = {(char *)(uintptr_t) "stagedoor-edge"};
    struct text owned[ARGUMENTS_MAX];
    static struct options options;
    struct buffer said = {0};
    int count = 1;
    if (rest.size && memmem(rest.data, rest.size, "config", 6))
        return; /* --config would open whatever is named */
    for (; rest.data && count < ARGUMENTS_MAX; count++) {
        owned[count] = text_copy(text_cut(&rest, '\n'));
        arguments[count] = (char *)(uintptr_t)owned[count].data;
    }
    if (options_read_edge(count, arguments, &options, &said) == OPTIONS_OK) {
        assert(options.listener_count >= 0 && options.listener_count <= LISTENERS_MAX);
        assert(options.pay_url_count >= 0 && options.pay_url_count <= PAY_URLS_MAX);
        assert(options.connections_max > 0 && options.per_address_max > 0);
        for (int i = 0; i < options.pay_url_count; i++)
            assert(options_pay_url(&options, text_of(options.pay_urls[i].provider)));
    }
    buffer_release(&said);
    for (int i = 1; i < count; i++)
        text_free(&owned[i]);
}

static void (*const checks[])(struct text) = {check_file, check_webhook, check_secret,
                                              check_options};
enum { CHECKS = sizeof checks / sizeof *checks };

void fuzz_one(struct text input)
{
    checks[fuzz_byte(&input) % CHECKS](input);
}

/* One line more than there may be. */
static void seed_of_many(const char *line, int count)
{
    struct buffer lines = {0};
    buffer_string(&lines, "@id " HEX "\nsign ff " HEX "\n");
    for (int i = 0; i <= count; i++)
        buffer_print(&lines, line, (unsigned)i);
    fuzz_seed(buffer_view(&lines));
    buffer_release(&lines);
}

void fuzz_seeds(void)
{
    char secret[SECRET_SIZE], signature[WEBHOOK_SIGNATURE_SIZE];
    struct webhook webhook = {text_of("m1"), text_of("1795289400"), {NULL, 0}, text_of("{}")};
    fuzz_seed(text_of("@# x\r\nlocal\nid " HEX "\nsign 01 " HEX "\nkey chief admin " HEX
                      "\ncallback paydesk whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"));
    seed_of_many("sign %02x " HEX "\n", SIGNING_KEYS_MAX);
    seed_of_many("key k%u public " HEX "\n", API_KEYS_MAX);
    seed_of_many("callback p%u whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", CALLBACK_SECRETS_MAX);
    webhook_sign(&known_keys()->callbacks[0], &webhook, signature);
    fuzz_seed_print("Am1\n1795289400\nv1,x %s v2,y\n{}", signature);
    ids_secret(known_keys(), text_of("s1"), text_of(RID), secret);
    fuzz_seed_print("Am1\n1795289400\n%sx\n{}", signature);
    fuzz_seed_print("B%s", secret);
    fuzz_seed(text_of("C--bus\nsqlite:x\n--listen\n127.0.0.1:0\n--listen=[::1]:80\n--data\nd\n"
                      "--pay-url\npaydesk=https://pay.example/{payment_id}\n--in-flight=10"));
    fuzz_word("callback ");
    fuzz_word("whsec_");
    fuzz_word("1795289400");
    fuzz_word("{payment_id}");
}
