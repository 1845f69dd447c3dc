/* codec.h: between a message and the JSON object that is its record's value.
 *
 * Writing puts the fields in the order of messages.def, so equal messages give equal bytes. Reading
 * checks every limit of message.h and ignores fields it does not know. Any thread. */
#ifndef SCHEMAS_CODEC_H
#define SCHEMAS_CODEC_H

#include "base/arena.h"
#include "schemas/message.h"

enum codec_result {
    CODEC_OK,
    CODEC_UNDECODABLE, /* not a strict JSON object of at most MESSAGE_SIZE_MAX bytes */
    CODEC_INVALID      /* a field is missing, of another type, or outside its limits */
};

/* What is wrong, for people and for Refused{field,detail}. Both NUL-terminated; field may be "". */
struct codec_error {
    char field[LABEL_SIZE_MAX + 1]; /* "lines/0/quantity" */
    char detail[200];
};

/* Fills `message` (its context stays empty, `type` set) with texts in `arena`. On anything but
 * CODEC_OK `error` says why, and the fields that were good are set all the same. */
enum codec_result codec_decode(enum message_type type, struct text text, struct arena *arena,
                               struct message *message, struct codec_error *error);

struct json;

/* The same from a value already parsed: the "data" of a structured CloudEvent. */
enum codec_result codec_decode_value(enum message_type type, const struct json *value,
                                     struct arena *arena, struct message *message,
                                     struct codec_error *error);

/* Appends the object to `out`. Asserts that every needed field is there and no other than allowed.
 */
void codec_encode(const struct message *message, struct buffer *out);

/* The JSON Schema (2020-12) of a message's value, from the same table. */
void codec_schema(enum message_type type, struct buffer *out);

#endif
