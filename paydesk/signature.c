/* HMAC and base64 are libcrypto's. */
#include "paydesk/signature.h"

#include "base/memory.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

static const char prefix[] = "whsec_";
enum { PREFIX_SIZE = sizeof prefix - 1, BASE64_SIZE_MAX = (SIGNATURE_KEY_SIZE_MAX + 2) / 3 * 4 };

static bool is_base64(struct text text)
{
    size_t size = text.size;
    for (int i = 0; i < 2 && size && text.data[size - 1] == '='; i++)
        size--;
    for (size_t i = 0; i < size; i++) {
        char c = text.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/'))
            return false;
    }
    return text.size % 4 == 0;
}

const char *signature_key_parse(struct text text, struct signature_key *key)
{
    unsigned char bytes[BASE64_SIZE_MAX];
    if (!text_starts(text, prefix))
        return "it does not start with 'whsec_'";
    struct text base64 = text_from(text.data + PREFIX_SIZE, text.size - PREFIX_SIZE);
    if (!is_base64(base64))
        return "what follows 'whsec_' is not base64";
    if (base64.size > BASE64_SIZE_MAX)
        return "it is longer than 64 bytes";
    int size = EVP_DecodeBlock(bytes, (const unsigned char *)base64.data, (int)base64.size);
    if (size < 0)
        return "what follows 'whsec_' is not base64";
    for (size_t at = base64.size; at > 0 && base64.data[at - 1] == '='; at--)
        size--; /* libcrypto counts the padding's zeros */
    if (size < SIGNATURE_KEY_SIZE_MIN || size > SIGNATURE_KEY_SIZE_MAX)
        return "it is not 24 to 64 bytes long; try: echo whsec_$(openssl rand -base64 32)";
    memcpy(key->bytes, bytes, (size_t)size);
    key->size = (size_t)size;
    return NULL;
}

const char *signature_print(const struct signature_key *key, struct text webhook_id,
                            int64_t timestamp_s, struct text body, char out[SIGNATURE_SIZE])
{
    unsigned char hash[EVP_MAX_MD_SIZE], base64[SIGNATURE_SIZE - 3];
    unsigned int hash_size = 0;
    struct buffer content = {0};
    buffer_print(&content, "%.*s.%lld.", TEXT_PRINT(webhook_id), (long long)timestamp_s);
    buffer_text(&content, body);
    unsigned char *made = HMAC(EVP_sha256(), key->bytes, (int)key->size,
                               (const unsigned char *)content.data, content.size, hash, &hash_size);
    buffer_release(&content);
    if (made == NULL)
        memory_lacks("a signature");
    EVP_EncodeBlock(base64, hash, (int)hash_size);
    snprintf(out, SIGNATURE_SIZE, "v1,%s", (char *)base64);
    return out;
}
