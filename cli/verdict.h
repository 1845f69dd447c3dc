/* verdict.h: what the edge's answer to "reserve" means to the one who asked. Pure; any thread.
 *
 *   POST …/reservations   201 held · 409 refused · 202 not known yet: then GET its Location
 *   no answer, 429, 5xx   ask again with the same key: it is the same request */
#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include "base/text.h"
#include "base/uuid.h"

enum verdict_kind {
    VERDICT_HELD,
    VERDICT_REFUSED, /* final; `code` says why */
    VERDICT_WAIT,    /* taken; the outcome is not known yet */
    VERDICT_RETRY,   /* `code`: no_answer, or that of the status */
    VERDICT_ERROR    /* an answer that should not come */
};

enum { VERDICT_CODE_SIZE = 40, VERDICT_SECRET_SIZE = 256 };

struct verdict {
    enum verdict_kind kind;
    char code[VERDICT_CODE_SIZE];     /* "" when HELD or WAIT */
    char reservation_id[UUID_SIZE];   /* "" : not said */
    char secret[VERDICT_SECRET_SIZE]; /* "" : not said */
};

/* `status` 0: no answer came. */
void verdict_read(long status, struct text body, struct verdict *verdict);

/* The path of a Location header, which may be a path or a whole url; the empty text: neither. */
struct text location_path(struct text location);

#endif
