/* keys.h: who may do what: the installation's secrets and its API keys.
 *
 * They live in the file DIR/keys, readable by its owner only, or as the same lines in the
 * environment's STAGEDOOR_KEYS (on one line, with ';' between them, if need be). One word of its
 * lines per meaning:
 *
 *     id HEX64               the key ids are derived with; never rotated
 *     sign HEX2 HEX64        a signing key and its id; the first signs, all are believed
 *     key NAME ROLE HEX64    an API key: SHA-256 of its clear text; public, boxoffice or admin
 *     local                  the edge made this file itself: the sample's routes are open
 *     # …                    for people
 *
 * Read once at the start and constant from then on, so any thread may ask. Comparisons take the
 * same time for every input. Source: http, "Keys". */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "base/text.h"

enum {
    KEY_SIZE = 32,
    SIGNING_KEYS_MAX = 8,
    API_KEYS_MAX = 256,
    API_KEY_NAME_MAX = 64,
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

struct keys {
    unsigned char id_key[KEY_SIZE];
    bool has_id_key;
    bool local;
    struct signing_key signing[SIGNING_KEYS_MAX];
    int signing_count;
    struct api_key api[API_KEYS_MAX];
    int api_count;
};

/* Reads the lines. false: `error` (KEYS_ERROR_SIZE bytes) says which line and why, never its
 * contents. */
bool keys_parse(struct text lines, struct keys *keys, char *error);

/* STAGEDOOR_KEYS, else FOLDER/keys. If there is neither and `may_create`: makes FOLDER/keys with
 * one admin key, whose clear text goes into FOLDER/signin (both 0600); of several processes at
 * once one makes it and all read it. false: `error` says what to do. */
bool keys_load(const char *folder, bool may_create, struct keys *keys, char *error);

/* The API key with that clear text, or NULL. */
const struct api_key *keys_find(const struct keys *keys, struct text clear);

const char *caller_role_name(enum caller_role role);

#endif
