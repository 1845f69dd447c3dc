/* UUIDs from names and hashes; the digest is OpenSSL's. */
#include "base/uuid.h"

#include "base/memory.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

/* The namespace: drawn once, never changed, or every refund would get another id. */
static const unsigned char namespace_bytes[16] = {0x6b, 0x1f, 0x0c, 0x52, 0x9d, 0x3e, 0x4a, 0x77,
                                                  0x8a, 0x10, 0x5e, 0x2d, 0x71, 0xc4, 0x93, 0xb8};

static const char *print(const unsigned char hash[16], unsigned version, char out[UUID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[16];
    char *at = out;
    memcpy(bytes, hash, 16);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
    *at = '\0';
    return out;
}

const char *uuid_from_hash(const unsigned char hash[16], char out[UUID_SIZE])
{
    return print(hash, 8, out);
}

const char *uuid_from_name(struct text name, char out[UUID_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct buffer input = {0};
    buffer_add(&input, namespace_bytes, sizeof namespace_bytes);
    buffer_text(&input, name);
    int done = EVP_Digest(input.data, input.size, digest, NULL, EVP_sha1(), NULL);
    if (done != 1)
        memory_lacks("an id");
    buffer_release(&input);
    return print(digest, 5, out);
}

const char *uuid_random(char out[UUID_SIZE])
{
    unsigned char bytes[16];
    ssize_t got = getrandom(bytes, sizeof bytes, 0);
    assert(got == (ssize_t)sizeof bytes);
    return print(bytes, 4, out);
}

bool uuid_valid(struct text text)
{
    if (text.size != UUID_SIZE - 1)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}
