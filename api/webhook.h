/* webhook.h: whether a callback comes from the provider it names: Standard Webhooks signatures.
 *
 * The provider signs "<webhook-id>.<webhook-timestamp>.<body>" with HMAC-SHA256 under a secret that
 * it shares with us, and may give several signatures, as we may know several of its secrets: so
 * either side changes its secret without a moment in which nothing fits. Comparisons take the same
 * time for every signature. HMAC and base64 are OpenSSL's. Pure; any thread. Source: http, and the
 * Standard Webhooks specification. */
#ifndef API_WEBHOOK_H
#define API_WEBHOOK_H

#include "keys/keys.h"

enum {
    WEBHOOK_TOLERANCE_S = 300,   /* between the provider's clock and ours */
    WEBHOOK_SIGNATURES_MAX = 16, /* looked at */
    WEBHOOK_ID_SIZE_MAX = 256,
    WEBHOOK_SIGNATURE_SIZE = 48 /* "v1,", 44 characters, NUL */
};

/* The headers and the body, as they came; data NULL: absent. */
struct webhook {
    struct text id, timestamp, signatures, body;
};

enum webhook_result {
    WEBHOOK_GOOD,
    WEBHOOK_STRANGER,   /* we share no secret with that provider */
    WEBHOOK_INCOMPLETE, /* a header is missing or cannot be read */
    WEBHOOK_STALE,      /* signed too long ago, or in the future */
    WEBHOOK_FORGED      /* no signature fits */
};

enum webhook_result webhook_check(const struct keys *keys, struct text provider,
                                  const struct webhook *webhook, int64_t now_s);

/* The signature a provider would give. Returns `out`. */
const char *webhook_sign(const struct callback_secret *secret, const struct webhook *webhook,
                         char out[WEBHOOK_SIGNATURE_SIZE]);

#endif
