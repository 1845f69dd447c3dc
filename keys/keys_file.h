/* keys_file.h: where the keys are: the file FOLDER/keys, or the environment. One thread. */
#ifndef KEYS_KEYS_FILE_H
#define KEYS_KEYS_FILE_H

#include "keys/keys.h"

#include <stdint.h>

/* STAGEDOOR_KEYS, else FOLDER/keys. If there is neither and `may_create`: makes FOLDER/keys with
 * one admin key, whose clear text goes into FOLDER/signin (both 0600), and a secret for the
 * provider "paydesk"; of several processes at once one makes it and all read it. false: `error`
 * says what to do. */
bool keys_load(const char *folder, bool may_create, struct keys *keys, char *error);

/* What tells two versions of FOLDER/keys apart: equal as long as nobody changed it. */
struct keys_version {
    int64_t inode, size, changed_ns;
};

/* All 0: there is no file, or the keys are those of the environment. */
struct keys_version keys_version(const char *folder);

/* ---- changing it: each makes a new file in the place of the old, or says why not ------------- */

/* The clear text of a new key, as people are given it. */
enum { KEY_TEXT_SIZE = 2 * 24 + 1 };

/* An API key of that name and role; its clear text, which is nowhere else, in `text`. */
bool keys_add(const char *folder, const char *name, enum caller_role role, char text[KEY_TEXT_SIZE],
              char *error);
bool keys_revoke(const char *folder, const char *name, char *error);

/* A new signing key in front of the others; its id in `id`. */
bool keys_rotate(const char *folder, unsigned char *id, char *error);

/* Takes a signing key away that does not sign any more: what it signed is not believed. */
bool keys_forget(const char *folder, unsigned char id, char *error);

#endif
