/* uuid.h: identifiers of 36 characters (RFC 9562). Pure but for uuid_random; any thread. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/text.h"

enum { UUID_SIZE = 37 }; /* 36 characters and a NUL */

/* The first 16 bytes of a hash as a UUID of version 8. Returns `out`. */
const char *uuid_from_hash(const unsigned char hash[16], char out[UUID_SIZE]);

/* The UUID of version 5 (SHA-1) of `name` in Stagedoor's own namespace: the same name, the same
 * UUID. */
const char *uuid_from_name(struct text name, char out[UUID_SIZE]);

const char *uuid_random(char out[UUID_SIZE]); /* version 4 */

/* 8-4-4-4-12 lower-case hex digits, any version. */
bool uuid_valid(struct text text);

#endif
