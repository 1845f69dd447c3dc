/* Lines read strictly, and never printed. */
#include "keys/keys.h"

#include "base/memory.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static const char *const role_names[] = {"public", "boxoffice", "admin"};

const char *caller_role_name(enum caller_role role)
{
    return role_names[role];
}

/* Or the hash of the caller before, left on the stack, would be believed. */
void keys_hash(struct text clear, unsigned char hash[KEY_SIZE])
{
    if (SHA256((const unsigned char *)clear.data, clear.size, hash) == NULL)
        memory_lacks("the hash of a key");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(struct text text, unsigned char *out, size_t size)
{
    if (text.size != size * 2)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text.data[2 * i]), low = hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

bool caller_role_named(struct text text, enum caller_role *role)
{
    for (int i = CALLER_PUBLIC; i <= CALLER_ADMIN; i++)
        if (text_is(text, role_names[i])) {
            *role = (enum caller_role)i;
            return true;
        }
    return false;
}

bool keys_name_valid(struct text name)
{
    if (name.size == 0 || name.size > API_KEY_NAME_MAX || text_is(name, "public"))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] > '~')
            return false;
    return true;
}

static const char *read_signing(struct text rest, struct keys *keys)
{
    struct signing_key key;
    struct text id = text_cut(&rest, ' ');
    if (keys->signing_count == SIGNING_KEYS_MAX)
        return "there are too many signing keys";
    if (!read_hex(id, &key.id, 1) || !read_hex(rest, key.bytes, KEY_SIZE))
        return "use: sign HEX2 HEX64";
    for (int i = 0; i < keys->signing_count; i++)
        if (keys->signing[i].id == key.id)
            return "two signing keys have the same id";
    keys->signing[keys->signing_count++] = key;
    return NULL;
}

static const char *read_api_key(struct text rest, struct keys *keys)
{
    struct api_key *key = &keys->api[keys->api_count];
    if (keys->api_count == API_KEYS_MAX)
        return "there are too many API keys";
    struct text name = text_cut(&rest, ' '), role = text_cut(&rest, ' ');
    if (!keys_name_valid(name) || !caller_role_named(role, &key->role) ||
        !read_hex(rest, key->hash, KEY_SIZE))
        return "use: key NAME public|boxoffice|admin SHA256";
    for (int i = 0; i < keys->api_count; i++)
        if (text_is(name, keys->api[i].name))
            return "two keys have the same name";
    memcpy(key->name, name.data, name.size);
    key->name[name.size] = '\0';
    keys->api_count++;
    return NULL;
}

/* Base64 with its padding, and nothing else. */
static bool read_base64(struct text text, unsigned char *out, size_t size_max, size_t *size)
{
    unsigned char bytes[CALLBACK_SECRET_SIZE_MAX + 4];
    size_t padding = 0;
    if (text.size == 0 || text.size % 4 || text.size / 4 * 3 > sizeof bytes)
        return false;
    while (padding < 2 && text.data[text.size - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text.size - padding; i++)
        if (!isalnum((unsigned char)text.data[i]) && text.data[i] != '+' && text.data[i] != '/')
            return false;
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text.data, (int)text.size);
    *size = decoded < 0 ? 0 : (size_t)decoded - padding;
    bool fits = decoded > 0 && *size <= size_max;
    if (fits)
        memcpy(out, bytes, *size);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return fits;
}

bool keys_provider_valid(struct text name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!isalnum((unsigned char)name.data[i]) && name.data[i] != '_' && name.data[i] != '-')
            return false;
    return name.size > 0 && name.size <= PROVIDER_SIZE_MAX;
}

static const char *read_callback(struct text rest, struct keys *keys)
{
    struct callback_secret *secret = &keys->callbacks[keys->callback_count];
    if (keys->callback_count == CALLBACK_SECRETS_MAX)
        return "there are too many callback secrets";
    struct text provider = text_cut(&rest, ' ');
    size_t prefix = strlen(CALLBACK_SECRET_PREFIX);
    if (!keys_provider_valid(provider) || !text_starts(rest, CALLBACK_SECRET_PREFIX) ||
        !read_base64((struct text){rest.data + prefix, rest.size - prefix}, secret->bytes,
                     CALLBACK_SECRET_SIZE_MAX, &secret->size) ||
        secret->size < CALLBACK_SECRET_SIZE_MIN)
        return "use: callback PROVIDER whsec_BASE64, the base64 of 24 to 64 bytes";
    memcpy(secret->provider, provider.data, provider.size);
    secret->provider[provider.size] = '\0';
    keys->callback_count++;
    return NULL;
}

static const char *read_line(struct text line, struct keys *keys)
{
    while (line.size && (line.data[line.size - 1] == '\r' || line.data[line.size - 1] == ' '))
        line.size--;
    if (line.size == 0 || line.data[0] == '#')
        return NULL;
    struct text word = text_cut(&line, ' ');
    if (text_is(word, "local")) {
        keys->local = true;
        return NULL;
    }
    if (text_is(word, "sign"))
        return read_signing(line, keys);
    if (text_is(word, "key"))
        return read_api_key(line, keys);
    if (text_is(word, "callback"))
        return read_callback(line, keys);
    if (!text_is(word, "id"))
        return "it starts with none of: id, sign, key, callback, local, #";
    if (keys->has_id_key || !read_hex(line, keys->id_key, KEY_SIZE))
        return "use once: id HEX64";
    keys->has_id_key = true;
    return NULL;
}

bool keys_parse(struct text lines, struct keys *keys, char *error)
{
    *keys = (struct keys){0};
    for (int number = 1; lines.size; number++) {
        const char *problem = read_line(text_cut(&lines, '\n'), keys);
        if (problem == NULL)
            continue;
        snprintf(error, KEYS_ERROR_SIZE, "line %d of the keys cannot be read: %s", number, problem);
        return false;
    }
    if (keys->has_id_key && keys->signing_count)
        return true;
    snprintf(error, KEYS_ERROR_SIZE, "the keys have no '%s' line",
             keys->has_id_key ? "sign" : "id");
    return false;
}

const struct api_key *keys_find(const struct keys *keys, struct text clear)
{
    unsigned char hash[KEY_SIZE];
    const struct api_key *found = NULL;
    keys_hash(clear, hash);
    for (int i = 0; i < keys->api_count; i++)
        if (CRYPTO_memcmp(hash, keys->api[i].hash, KEY_SIZE) == 0)
            found = &keys->api[i];
    return found;
}
