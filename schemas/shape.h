/* shape.h: the tables behind codec.h: what JSON object goes where in which struct. Not for others
 * to include.
 *
 * A shape is a list of members; a member has a JSON name, a kind, and the place of its C value.
 * Messages, lines, tiers and so on are all shapes, so reading, writing and the JSON Schema are each
 * one walk over the same tables. */
#ifndef SCHEMAS_SHAPE_H
#define SCHEMAS_SHAPE_H

#include "schemas/message.h"

enum kind {
    KIND_ID,
    KIND_UUID,
    KIND_TICKET_ID,
    KIND_NAME,
    KIND_NOTE,
    KIND_LABEL,
    KIND_EMAIL,
    KIND_PHONE,
    KIND_CURRENCY,
    KIND_FINGERPRINT,
    KIND_TIME,
    KIND_AMOUNT,
    KIND_SEATS,
    KIND_QUANTITY,
    KIND_HOLD_TTL,
    KIND_PAY_WINDOW,
    KIND_COUNTER,
    KIND_BOOL,
    KIND_CHANNEL,
    KIND_BY,
    KIND_REFUND,
    KIND_METHOD,
    KIND_EXPECT,
    KIND_ENTRY,
    KIND_RESULT,
    KIND_REPAID,
    KIND_CAUSE,
    KIND_REASON,
    KIND_CODE,
    KIND_HOLDER,
    KIND_TIERS,
    KIND_WANTED,
    KIND_LINES,
    KIND_TICKETS,
    KIND_NUMBERS,
    KIND_PAYMENT,
    KIND_AFTER,
    KIND_TIER_USES,
    KIND_COUNT
};

enum family {
    FAMILY_TEXT,
    FAMILY_INTEGER,
    FAMILY_BOOL,
    FAMILY_WORD,
    FAMILY_OBJECT,
    FAMILY_LIST,
    FAMILY_NUMBERS
};

struct member {
    const char *json;
    enum kind kind;
    size_t offset;
    bool required;
    int field; /* its index in `has`, or -1 inside nested objects, where absence is data NULL or -1
                */
};

struct shape {
    const struct member *members;
    int count;
};

/* What a kind allows. Which members count depends on the family. */
struct kind_row {
    const char *name; /* of its definition in JSON Schema */
    enum family family;
    int64_t min, max;          /* TEXT: bytes; INTEGER: value; LIST, NUMBERS: items */
    bool (*good)(struct text); /* TEXT: beyond the size */
    const char *pattern;       /* TEXT: the same as an ECMA-262 pattern, or NULL */
    const char *meaning;       /* for people: "1 to 64 of A-Z a-z 0-9 _ -" */
    const char *const *words;  /* WORD */
    struct shape shape;        /* OBJECT, and LIST: of an item */
    size_t item_size;          /* LIST */
    size_t items_offset;       /* LIST: of the items behind the int count */
};

const struct kind_row *kind_row(enum kind kind);
struct shape message_shape(enum message_type type);

#endif
