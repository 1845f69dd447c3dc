/* HMAC-SHA256 over parts joined by NUL, which no part contains: no two lists of parts look
 * alike. */
#include "api/ids.h"

#include "base/memory.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
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

/* ---- signatures ------------------------------------------------------------------------------ */

/* base64url of the key's id and as much of the HMAC as fills `size` characters, and a NUL. */
static void sign(const struct signing_key *key, const struct text *parts, int count, char *out,
                 int size)
{
    unsigned char bytes[1 + KEY_SIZE];
    bytes[0] = key->id;
    hmac(key->bytes, parts, count, bytes + 1);
    EVP_EncodeBlock((unsigned char *)out, bytes, size / 4 * 3);
    for (int i = 0; i < size; i++)
        if (out[i] == '+' || out[i] == '/')
            out[i] = out[i] == '+' ? '-' : '_';
}

/* Whether one of the keys signs so. All are tried, so that the time says nothing. */
static bool is_signed(const struct keys *keys, const struct text *parts, int count, const char *mac,
                      int size)
{
    char expected[SECRET_MAC_SIZE + 1];
    bool valid = false;
    for (int i = 0; i < keys->signing_count; i++) {
        sign(&keys->signing[i], parts, count, expected, size);
        valid |= CRYPTO_memcmp(expected, mac, (size_t)size) == 0;
    }
    return valid;
}

/* ---- secrets --------------------------------------------------------------------------------- */

void ids_secret(const struct keys *keys, struct text show_id, struct text reservation_id,
                char out[SECRET_SIZE])
{
    struct text parts[] = {text_of("reservation"), show_id, reservation_id};
    size_t size = show_id.size < ID_SIZE_MAX ? show_id.size : ID_SIZE_MAX;
    sign(&keys->signing[0], parts, 3, out, SECRET_MAC_SIZE);
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
    if (!ids_secret_like(secret))
        return false;
    *show_id = (struct text){secret.data + SECRET_MAC_SIZE + 1, secret.size - SECRET_MAC_SIZE - 1};
    struct text parts[] = {text_of("reservation"), *show_id, reservation_id};
    return is_signed(keys, parts, 3, secret.data, SECRET_MAC_SIZE);
}

/* ---- tickets --------------------------------------------------------------------------------- */

void ids_ticket_code(const struct keys *keys, struct text show_id, struct text reservation_id,
                     int64_t number, int64_t generation, char out[TICKET_CODE_SIZE])
{
    int size = snprintf(out, TICKET_CODE_SIZE - TICKET_MAC_SIZE, "%.*s-%lld.%lld",
                        TEXT_PRINT(reservation_id), (long long)number, (long long)generation);
    struct text parts[] = {text_of("ticket"), show_id, {out, (size_t)size}};
    char mac[TICKET_MAC_SIZE + 1];
    sign(&keys->signing[0], parts, 3, mac, TICKET_MAC_SIZE);
    snprintf(out + size, (size_t)(TICKET_CODE_SIZE - size), ".%s", mac);
}

bool ids_ticket_code_parse(struct text code, struct text *ticket_id, int64_t *generation)
{
    struct text reservation_id, rest = code;
    int64_t number;
    *ticket_id = text_cut(&rest, '.');
    return ticket_id_parse(*ticket_id, &reservation_id, &number) &&
           text_to_i64(text_cut(&rest, '.'), generation) && *generation >= 1 &&
           *generation <= COUNTER_MAX && rest.size == TICKET_MAC_SIZE;
}

bool ids_ticket_code_valid(const struct keys *keys, struct text show_id, struct text code)
{
    struct text ticket_id;
    int64_t generation;
    if (!ids_ticket_code_parse(code, &ticket_id, &generation))
        return false;
    size_t signed_size = code.size - TICKET_MAC_SIZE - 1;
    struct text parts[] = {text_of("ticket"), show_id, {code.data, signed_size}};
    return is_signed(keys, parts, 3, code.data + signed_size + 1, TICKET_MAC_SIZE);
}
