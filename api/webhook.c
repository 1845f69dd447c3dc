/* One HMAC per secret of the provider, held against every signature it gave. */
#include "api/webhook.h"

#include "base/memory.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

const char *webhook_sign(const struct callback_secret *secret, const struct webhook *webhook,
                         char out[WEBHOOK_SIGNATURE_SIZE])
{
    struct buffer signed_text = {0};
    unsigned char hash[KEY_SIZE];
    unsigned int size = sizeof hash;
    buffer_text(&signed_text, webhook->id);
    buffer_byte(&signed_text, '.');
    buffer_text(&signed_text, webhook->timestamp);
    buffer_byte(&signed_text, '.');
    buffer_text(&signed_text, webhook->body);
    if (HMAC(EVP_sha256(), secret->bytes, (int)secret->size,
             (const unsigned char *)signed_text.data, signed_text.size, hash, &size) == NULL)
        memory_lacks("a signature");
    memcpy(out, "v1,", sizeof "v1,"); /* its end is written over */
    EVP_EncodeBlock((unsigned char *)out + 3, hash, sizeof hash);
    buffer_release(&signed_text);
    return out;
}

static bool fits(const struct callback_secret *secret, const struct webhook *webhook)
{
    char expected[WEBHOOK_SIGNATURE_SIZE];
    struct text rest = webhook->signatures;
    bool found = false;
    webhook_sign(secret, webhook, expected);
    for (int i = 0; rest.size && i < WEBHOOK_SIGNATURES_MAX; i++) {
        struct text given = text_cut(&rest, ' ');
        found |= given.size == WEBHOOK_SIGNATURE_SIZE - 1 &&
                 CRYPTO_memcmp(given.data, expected, WEBHOOK_SIGNATURE_SIZE - 1) == 0;
    }
    OPENSSL_cleanse(expected, sizeof expected);
    return found;
}

enum webhook_result webhook_check(const struct keys *keys, struct text provider,
                                  const struct webhook *webhook, int64_t now_s)
{
    int64_t signed_at_s;
    bool known = false, good = false;
    for (int i = 0; i < keys->callback_count; i++)
        known |= text_is(provider, keys->callbacks[i].provider);
    if (!known)
        return WEBHOOK_STRANGER;
    if (webhook->id.size == 0 || webhook->id.size > WEBHOOK_ID_SIZE_MAX ||
        webhook->signatures.size == 0 || !text_to_i64(webhook->timestamp, &signed_at_s))
        return WEBHOOK_INCOMPLETE;
    /* It is not negative, so neither of these overflows. */
    if (signed_at_s - now_s > WEBHOOK_TOLERANCE_S || now_s - signed_at_s > WEBHOOK_TOLERANCE_S)
        return WEBHOOK_STALE;
    for (int i = 0; i < keys->callback_count; i++)
        if (text_is(provider, keys->callbacks[i].provider))
            good |= fits(&keys->callbacks[i], webhook);
    return good ? WEBHOOK_GOOD : WEBHOOK_FORGED;
}
