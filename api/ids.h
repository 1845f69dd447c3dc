/* ids.h: names nobody has to remember: ids and secrets that any edge works out anew.
 *
 * Ids of what a request makes come from who asked, for what, under which Idempotency-Key; so a
 * retry, on this edge or another, names the same thing and has no second effect. A reservation's
 * secret is an HMAC over show and reservation and carries the show:
 *
 *     <44 characters: base64url of key id and HMAC-SHA256>.<show_id>
 *
 * so a right is checked without looking anything up. HMACs are OpenSSL's. Pure; any thread.
 * Source: http. */
#ifndef API_IDS_H
#define API_IDS_H

#include "api/keys.h"
#include "base/uuid.h"
#include "schemas/message.h"

enum { SECRET_MAC_SIZE = 44, SECRET_SIZE = SECRET_MAC_SIZE + 1 + ID_SIZE_MAX + 1 };

/* UUID(HMAC(id key, caller NUL method NUL path NUL key)). `caller`: the API key's name or
 * "public". */
void ids_derive(const struct keys *keys, const char *caller, const char *method, struct text path,
                struct text key, char out[UUID_SIZE]);

/* The id of a further step of the same request: UUID(HMAC(id key, step NUL id)). */
void ids_step(const struct keys *keys, const char *step, struct text id, char out[UUID_SIZE]);

/* Who buys, for the per-person cap, without saying it: a hash of the email's lower case, else of
 * the phone. */
void ids_party(const struct keys *keys, struct text contact, char out[UUID_SIZE]);

void ids_secret(const struct keys *keys, struct text show_id, struct text reservation_id,
                char out[SECRET_SIZE]);

/* Whether the text has a secret's form: what to tell apart from an API key. */
bool ids_secret_like(struct text text);

/* Whether it is the reservation's; then `*show_id` is the show it names, borrowed from `secret`. */
bool ids_secret_valid(const struct keys *keys, struct text secret, struct text reservation_id,
                      struct text *show_id);

#endif
