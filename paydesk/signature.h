/* signature.h: Standard Webhooks 1.0.0, symmetric scheme "v1": how a callback shows who sent it.
 *
 * The signed content is "<webhook-id>.<webhook-timestamp>.<body>", the signature its HMAC-SHA256.
 * The id stays the same however often a callback is sent; the timestamp is that of the attempt, so
 * every attempt is signed anew. Any thread. */
#ifndef PAYDESK_SIGNATURE_H
#define PAYDESK_SIGNATURE_H

#include "base/text.h"

enum {
    SIGNATURE_KEY_SIZE_MIN = 24,
    SIGNATURE_KEY_SIZE_MAX = 64,
    SIGNATURE_SIZE = 48 /* "v1," and 44 characters of base64 and a NUL */
};

struct signature_key {
    unsigned char bytes[SIGNATURE_KEY_SIZE_MAX];
    size_t size;
};

/* "whsec_" and the base64 of 24 to 64 bytes. NULL when it is good, else what is wrong with it, for
 * people, without a byte of it. */
const char *signature_key_parse(struct text text, struct signature_key *key);

/* The value of webhook-signature. `webhook_id` has no full stop. Returns `out`. */
const char *signature_print(const struct signature_key *key, struct text webhook_id,
                            int64_t timestamp_s, struct text body, char out[SIGNATURE_SIZE]);

#endif
