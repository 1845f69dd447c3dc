/* The paydesk: scripts, times, its command line, and secrets, which it must read as the edge does:
 * one file of keys serves both. The first byte chooses. */
#include "keys/keys.h"
#include "api/webhook.h"
#include "paydesk/script.h"
#include "paydesk/settings.h"
#include "paydesk/signature.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void check_time(struct text text)
{
    int64_t time_ms;
    if (script_time_parse(text, &time_ms))
        assert(time_ms >= 0 && time_ms <= SCRIPT_TIME_MAX_MS);
}

static void check_step(struct text text)
{
    struct script_step step, again;
    struct buffer printed = {0};
    char error[SCRIPT_ERROR_SIZE];
    if (!script_step_parse(text, &step, error)) {
        assert(memchr(error, '\0', sizeof error));
        return;
    }
    script_step_print(step, &printed);
    assert(script_step_parse(buffer_view(&printed), &again, error));
    assert(again.word == step.word && again.argument == step.argument);
    buffer_release(&printed);
}

static void check_script(struct text text)
{
    static struct script script, again;
    char error[SCRIPT_ERROR_SIZE];
    bool good = script_parse(text, NULL, &script, error);
    assert(script_parse(text, NULL, &again, error) == good);
    if (!good)
        return;
    assert(script.payments.count >= 1 && script.payments.count <= SCRIPT_ITEMS_MAX);
    assert(script.refunds.count >= 1 && script.refunds.count <= SCRIPT_ITEMS_MAX);
    for (int64_t n = 0; n < 100; n++) {
        struct script_step payment = script_payment(&script, n), refund = script_refund(&script, n);
        assert(payment.word < SCRIPT_REFUND_COMPLETE && refund.word >= SCRIPT_REFUND_COMPLETE);
        assert(payment.argument == script_payment(&again, n).argument);
    }
}

/* ---- the command line: one argument a line --------------------------------------------------- */

static void check_settings(struct text rest)
{
    enum { ARGUMENTS_MAX = 24 };
    char *arguments[ARGUMENTS_MAX + 1] = {(char *)(uintptr_t) "stagedoor-paydesk"};
    struct text owned[ARGUMENTS_MAX];
    static struct settings settings;
    struct buffer said = {0};
    int count = 1;
    if (rest.size &&
        (memmem(rest.data, rest.size, "secret-", 7) || memmem(rest.data, rest.size, "config", 6)))
        return; /* they would open whatever is named */
    for (; rest.data && count < ARGUMENTS_MAX; count++) {
        owned[count] = text_copy(text_cut(&rest, '\n'));
        arguments[count] = (char *)(uintptr_t)owned[count].data;
    }
    if (settings_read(count, arguments, &settings, &said) == OPTIONS_OK) {
        assert(settings.bus.url && settings.script_text && settings.delay_ms >= 0);
        assert(settings.key.size >= SIGNATURE_KEY_SIZE_MIN);
    }
    settings_release(&settings);
    buffer_release(&said);
    for (int i = 1; i < count; i++)
        text_free(&owned[i]);
}

/* ---- secrets --------------------------------------------------------------------------------- */

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What one signs, the other believes; and what one cannot read, neither can. */
static void check_secret(struct text secret)
{
    static struct keys keys;
    struct signature_key key;
    struct buffer lines = {0};
    char error[KEYS_ERROR_SIZE], signature[SIGNATURE_SIZE];
    if (memchr(secret.data ? secret.data : "", '\n', secret.size) ||
        (secret.size && strchr("\r ", secret.data[secret.size - 1])))
        return; /* not one line, or a line that the edge trims */
    buffer_string(&lines, "id " HEX "\nsign 01 " HEX "\ncallback paydesk ");
    buffer_text(&lines, secret);
    bool of_edge = keys_parse(buffer_view(&lines), &keys, error);
    bool of_paydesk = signature_key_parse(secret, &key) == NULL;
    assert(of_edge == of_paydesk);
    if (of_edge) {
        assert(keys.callbacks[0].size == key.size);
        assert(memcmp(keys.callbacks[0].bytes, key.bytes, key.size) == 0);
        signature_print(&key, text_of("m1"), 1795289400, secret, signature);
        struct webhook webhook = {text_of("m1"), text_of("1795289400"), text_of(signature), secret};
        assert(webhook_check(&keys, text_of("paydesk"), &webhook, 1795289400) == WEBHOOK_GOOD);
    }
    buffer_release(&lines);
}

static void (*const checks[])(struct text) = {check_time, check_step, check_script, check_settings,
                                              check_secret};
enum { CHECKS = sizeof checks / sizeof *checks };

void fuzz_one(struct text input)
{
    checks[fuzz_byte(&input) % CHECKS](input);
}

void fuzz_seeds(void)
{
    static const char choices[] = "FGHIJ";
    fuzz_seed_print("%c250ms", choices[0]);
    fuzz_seed_print("%clate:90s", choices[1]);
    fuzz_seed_print("%clate:1500ms", choices[1]);
    fuzz_seed_print("%crefund-fail:always", choices[1]);
    fuzz_seed_print("%csucceed*3, fail,late:90s ,refund-fail:2,unknown-then-succeed:1h",
                    choices[2]);
    fuzz_seed_print("%c--bus\nsqlite:x\n--secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n--script\n"
                    "twice,silent\n--default=fail\n--delay\n1s\n--provider=p\n--edge=http://x",
                    choices[3]);
    fuzz_seed_print("%cwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", choices[4]);
    fuzz_seed_print("%cwhsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", choices[4]);
    for (int word = 0; word < SCRIPT_WORD_COUNT; word++) {
        struct buffer name = {0};
        script_step_print((struct script_step){(enum script_word)word, 1000}, &name);
        fuzz_word(name.data);
        buffer_release(&name);
    }
}
