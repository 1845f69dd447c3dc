/* keys.h: who may do what: the installation's secrets and its API keys.
 *
 * They live in the file DIR/keys, readable by its owner only, or as the same lines in the
 * environment's STAGEDOOR_KEYS (on one line, with ';' between them, if need be). One word of its
 * lines per meaning:
 *
 *     id HEX64               the key ids are derived with; never rotated
 *     sign HEX2 HEX64        a signing key and its id; the first signs, all are believed
 *     key NAME ROLE HEX64    an API key: SHA-256 of its clear text; public, boxoffice or admin
 *     callback PROVIDER whsec_BASE64
 *                            a secret that payment provider signs its callbacks with (Standard
 *                            Webhooks); several of one provider are all believed
 *     local                  the edge made this file itself: the sample's routes are open
 *     # …                    for people
 *
 * Read once at the start and constant from then on, so any thread may ask. Comparisons take the
 * same time for every input. Source: http, "Keys". */
#ifndef KEYS_KEYS_H
#define KEYS_KEYS_H

#include "base/text.h"

#define CALLBACK_SECRET_PREFIX "whsec_"

enum {
    KEY_SIZE = 32,
    SIGNING_KEYS_MAX = 8,
    API_KEYS_MAX = 256,
    API_KEY_NAME_MAX = 64,
    CALLBACK_SECRETS_MAX = 32,
    CALLBACK_SECRET_SIZE_MIN = 24, /* as Standard Webhooks has it */
    CALLBACK_SECRET_SIZE_MAX = 64,
    PROVIDER_SIZE_MAX = 64,
    KEYS_ERROR_SIZE = 512
};

enum caller_role { CALLER_PUBLIC, CALLER_BOXOFFICE, CALLER_ADMIN };

struct signing_key {
    unsigned char id;
    unsigned char bytes[KEY_SIZE];
};

struct api_key {
    char name[API_KEY_NAME_MAX + 1];
    enum caller_role role;
    unsigned char hash[KEY_SIZE];
};

struct callback_secret {
    char provider[PROVIDER_SIZE_MAX + 1];
    unsigned char bytes[CALLBACK_SECRET_SIZE_MAX];
    size_t size;
};

struct keys {
    unsigned char id_key[KEY_SIZE];
    bool has_id_key;
    bool local;
    struct signing_key signing[SIGNING_KEYS_MAX];
    int signing_count;
    struct api_key api[API_KEYS_MAX];
    int api_count;
    struct callback_secret callbacks[CALLBACK_SECRETS_MAX];
    int callback_count;
};

/* Reads the lines. false: `error` (KEYS_ERROR_SIZE bytes) says which line and why, never its
 * contents. */
bool keys_parse(struct text lines, struct keys *keys, char *error);

/* The API key with that clear text, or NULL. */
const struct api_key *keys_find(const struct keys *keys, struct text clear);

/* SHA-256, as it stands in a `key` line. */
void keys_hash(struct text clear, unsigned char hash[KEY_SIZE]);

/* Whether an API key may be called that: printable ASCII without blanks, and not "public". */
bool keys_name_valid(struct text name);

/* Whether a payment provider may be called that. */
bool keys_provider_valid(struct text name);

const char *caller_role_name(enum caller_role role);
bool caller_role_named(struct text text, enum caller_role *role); /* false: no such */

#endif
