/* json.h: JSON (RFC 8259), read strictly and written plainly.
 *
 * Reading wraps cJSON and adds what it lets pass: the exact grammar, UTF-8, no duplicate keys, no
 * U+0000, no bytes behind the value, a bounded depth, no number longer than cJSON reads. Numbers
 * are read as integers only, below 2^53, where a double is exact. Any thread, a document each. */
#ifndef SCHEMAS_JSON_H
#define SCHEMAS_JSON_H

#include "base/text.h"

enum { JSON_DEPTH_MAX = 8, JSON_NUMBER_SIZE_MAX = 63 };

struct json; /* a value inside a document; borrowed until json_free of the whole */

/* The document in `text`, to be given back with json_free; NULL and `*problem` (static, for people)
 * and `*at` (byte offset) when it is not strict JSON. */
struct json *json_parse(struct text text, const char **problem, size_t *at);
void json_free(struct json *document); /* NULL is allowed */

/* All of this but duplicate keys, without building anything: NULL when good. */
const char *json_problem(struct text text, size_t *at);

bool json_is_object(const struct json *value);
bool json_is_array(const struct json *value);
const struct json *json_member(const struct json *object, const char *name); /* NULL: absent */
const struct json *json_first(const struct json *container); /* item or member; NULL: empty */
const struct json *json_next(const struct json *item);
const char *json_key(const struct json *member); /* borrowed */
int json_size(const struct json *container);

bool json_text(const struct json *value, struct text *text); /* false: no string. Borrowed */
bool json_i64(const struct json *value,
              int64_t *number); /* false: not whole, or beyond ±(2^53 - 1) */
bool json_bool(const struct json *value, bool *truth);

/* Writing: commas are put by looking at what was written last. `name` NULL inside an array. */
void json_put_open(struct buffer *out, const char *name, char bracket); /* '{' or '[' */
void json_put_close(struct buffer *out, char bracket);                  /* '}' or ']' */
void json_put_text(struct buffer *out, const char *name, struct text text);
void json_put_i64(struct buffer *out, const char *name, int64_t number);
void json_put_bool(struct buffer *out, const char *name, bool truth);
void json_put_null(struct buffer *out, const char *name);
void json_put_raw(struct buffer *out, const char *name, struct text json); /* already JSON */

#endif
