/* text.h: bytes with a length, borrowed; and a buffer that grows.
 *
 * A `struct text` never owns what it points to and need not end in NUL. A function that keeps one
 * says
 * `_take` or copies it. No threads: share nothing. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *data;
    size_t size; /* bytes */
};

/* The text of a string literal, usable in static initialisers. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/* For printf's "%.*s". */
#define TEXT_PRINT(text) (int)(text).size, (text).data

struct text text_of(const char *string); /* up to its NUL; NULL gives the empty text */
struct text text_from(const void *data, size_t size);

static inline bool text_equal(struct text a, struct text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Inline, so that the size of a literal is known when it is compiled. */
static inline bool text_is(struct text a, const char *string)
{
    return text_equal(a, (struct text){string, strlen(string)});
}

bool text_starts(struct text a, const char *prefix);

/* 64 well-mixed bits, always the same: FNV-1a, then a finaliser, for texts are short and alike. Not
 * against malice. */
static inline uint64_t text_hash(struct text text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3u;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

/* Cuts `*rest` at the first `separator`: returns what is before it and leaves what is after it.
 * Without a separator: returns all and leaves the empty text with data NULL. */
struct text text_cut(struct text *rest, char separator);

/* Without the blanks and tabs at both ends. */
struct text text_trim(struct text text);

/* Canonical decimal ("0", "17", no sign, no leading zero, fits): true and the value, else false. */
bool text_to_u64(struct text text, uint64_t *value);
bool text_to_i64(struct text text, int64_t *value); /* not negative either */

/* Exactly 2 * size lower-case hex digits, most significant first. */
bool text_to_hex64(struct text text, uint64_t *value); /* exactly 16 digits */
bool text_to_hex32(struct text text, uint32_t *value); /* exactly 8 digits */
bool text_to_hex8(struct text text, uint8_t *value);   /* exactly 2 digits */

/* A copy that the caller owns and gives back with memory_free; always NUL-terminated. */
struct text text_copy(struct text text);
void text_free(struct text *text); /* and leaves the empty text */

/* The buffer: S_init is {0}; release gives the memory back, clear keeps it. Aborts without memory.
 */
struct buffer {
    char *data; /* NUL-terminated once anything was added */
    size_t size;
    size_t capacity;
};

void buffer_release(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);
void buffer_add(struct buffer *buffer, const void *data, size_t size);
void buffer_text(struct buffer *buffer, struct text text);
void buffer_string(struct buffer *buffer, const char *string);
void buffer_byte(struct buffer *buffer, char byte);
void buffer_i64(struct buffer *buffer, int64_t value);
void buffer_hex64(struct buffer *buffer, uint64_t value);    /* 16 lower-case digits */
void buffer_quoted(struct buffer *buffer, struct text text); /* as JSON has it: "a\u000ab" */
void buffer_print(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_vprint(struct buffer *buffer, const char *format, va_list arguments);
struct text buffer_view(const struct buffer *buffer); /* borrowed until the buffer changes */

#endif
