/* ids.h: names nobody has to remember: ids and secrets that any edge works out anew.
 *
 * Ids of what a request makes come from who asked, for what, under which Idempotency-Key; so a
 * retry, on this edge or another, names the same thing and has no second effect. A reservation's
 * secret is an HMAC over show and reservation and carries the show:
 *
 *     <44 characters: base64url of key id and HMAC-SHA256>.<show_id>
 *
 * so a right is checked without looking anything up. A ticket's code is what is on it, to be
 * scanned:
 *
 *     <ticket_id>.<generation>.<20 characters: base64url of key id and the HMAC's first 14 bytes>
 *
 * Who passes a ticket on makes the next generation, and the code of the last one opens no door.
 * HMACs are OpenSSL's. Pure; any thread.
 * Source: http. */
#ifndef API_IDS_H
#define API_IDS_H

#include "keys/keys.h"
#include "base/uuid.h"
#include "schemas/message.h"
#include "schemas/ticket.h"

enum {
    SECRET_MAC_SIZE = 44,
    SECRET_SIZE = SECRET_MAC_SIZE + 1 + ID_SIZE_MAX + 1,
    TICKET_MAC_SIZE = 20,
    TICKET_CODE_SIZE = TICKET_ID_SIZE_MAX + 1 + 16 + 1 + TICKET_MAC_SIZE + 1
};

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

/* `number` and `generation` from 1. */
void ids_ticket_code(const struct keys *keys, struct text show_id, struct text reservation_id,
                     int64_t number, int64_t generation, char out[TICKET_CODE_SIZE]);

/* What a code says of itself, borrowed from it; whether it is true is for ids_ticket_code_valid,
 * once the show is known. false: it is no code. */
bool ids_ticket_code_parse(struct text code, struct text *ticket_id, int64_t *generation);

bool ids_ticket_code_valid(const struct keys *keys, struct text show_id, struct text code);

#endif
