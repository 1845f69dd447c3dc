/* HMAC-SHA256 over parts joined by NUL, which no part contains: no two lists of parts look
 * alike. */
#include "api/ids.h"

#include "base/memory.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { PARTS_SIZE_MAX = 4096 };

static void hmac(const unsigned char key[KEY_SIZE], const struct text *parts, int count,
                 unsigned char out[KEY_SIZE])
{
    unsigned char bytes[PARTS_SIZE_MAX];
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size_t room = sizeof bytes - size - 1;
        size_t take = parts[i].size < room ? parts[i].size : room;
        if (i)
            bytes[size++] = '\0';
        if (take)
            memcpy(bytes + size, parts[i].data, take);
        size += take;
    }
    unsigned int written = KEY_SIZE;
    /* An id of whatever lay on the stack would make a retry another purchase. */
    if (HMAC(EVP_sha256(), key, KEY_SIZE, bytes, size, out, &written) == NULL)
        memory_lacks("an id");
}

void ids_derive(const struct keys *keys, const char *caller, const char *method, struct text path,
                struct text key, char out[UUID_SIZE])
{
    struct text parts[] = {text_of(caller), text_of(method), path, key};
    unsigned char hash[KEY_SIZE];
    hmac(keys->id_key, parts, 4, hash);
    uuid_from_hash(hash, out);
}

void ids_step(const struct keys *keys, const char *step, struct text id, char out[UUID_SIZE])
{
    struct text parts[] = {text_of(step), id};
    unsigned char hash[KEY_SIZE];
    hmac(keys->id_key, parts, 2, hash);
    uuid_from_hash(hash, out);
}

void ids_party(const struct keys *keys, struct text contact, char out[UUID_SIZE])
{
    char lower[EMAIL_SIZE_MAX];
    size_t size = contact.size < sizeof lower ? contact.size : sizeof lower;
    for (size_t i = 0; i < size; i++)
        lower[i] = (char)tolower((unsigned char)contact.data[i]);
    ids_step(keys, "party", (struct text){lower, size}, out);
}

static void sign(const struct signing_key *key, struct text show_id, struct text reservation_id,
                 char out[SECRET_MAC_SIZE + 1])
{
    struct text parts[] = {text_of("reservation"), show_id, reservation_id};
    unsigned char bytes[1 + KEY_SIZE];
    bytes[0] = key->id;
    hmac(key->bytes, parts, 3, bytes + 1);
    EVP_EncodeBlock((unsigned char *)out, bytes, sizeof bytes);
    for (int i = 0; i < SECRET_MAC_SIZE; i++)
        if (out[i] == '+' || out[i] == '/')
            out[i] = out[i] == '+' ? '-' : '_';
}

void ids_secret(const struct keys *keys, struct text show_id, struct text reservation_id,
                char out[SECRET_SIZE])
{
    size_t size = show_id.size < ID_SIZE_MAX ? show_id.size : ID_SIZE_MAX;
    sign(&keys->signing[0], show_id, reservation_id, out);
    out[SECRET_MAC_SIZE] = '.';
    if (size)
        memcpy(out + SECRET_MAC_SIZE + 1, show_id.data, size);
    out[SECRET_MAC_SIZE + 1 + size] = '\0';
}

bool ids_secret_like(struct text text)
{
    return text.size > SECRET_MAC_SIZE + 1 && text.size < SECRET_SIZE &&
           text.data[SECRET_MAC_SIZE] == '.';
}

bool ids_secret_valid(const struct keys *keys, struct text secret, struct text reservation_id,
                      struct text *show_id)
{
    char expected[SECRET_MAC_SIZE + 1];
    bool valid = false;
    if (!ids_secret_like(secret))
        return false;
    *show_id = (struct text){secret.data + SECRET_MAC_SIZE + 1, secret.size - SECRET_MAC_SIZE - 1};
    for (int i = 0; i < keys->signing_count; i++) {
        sign(&keys->signing[i], *show_id, reservation_id, expected);
        valid |= CRYPTO_memcmp(expected, secret.data, SECRET_MAC_SIZE) == 0;
    }
    return valid;
}
