/* Borrowed bytes with a length, and the one buffer everything is printed into. */
#include "base/text.h"

#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct text text_of(const char *string)
{
    return (struct text){string, string ? strlen(string) : 0};
}

struct text text_from(const void *data, size_t size)
{
    return (struct text){data, size};
}

bool text_starts(struct text a, const char *prefix)
{
    size_t size = strlen(prefix);
    return a.size >= size && (size == 0 || memcmp(a.data, prefix, size) == 0);
}

struct text text_trim(struct text text)
{
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = text_from(text.data + 1, text.size - 1);
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

struct text text_cut(struct text *rest, char separator)
{
    const char *at = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
    struct text head = *rest;
    if (at == NULL) {
        *rest = (struct text){NULL, 0};
        return head;
    }
    head.size = (size_t)(at - rest->data);
    *rest = (struct text){at + 1, rest->size - head.size - 1};
    return head;
}

bool text_to_u64(struct text text, uint64_t *value)
{
    uint64_t sum = 0;
    if (text.size == 0 || text.size > 20 || (text.data[0] == '0' && text.size > 1))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned char)text.data[i] - (unsigned)'0';
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

bool text_to_i64(struct text text, int64_t *value)
{
    uint64_t sum;
    if (!text_to_u64(text, &sum) || sum > INT64_MAX)
        return false;
    *value = (int64_t)sum;
    return true;
}

static bool hex_digits(struct text text, size_t digits, uint64_t *value)
{
    uint64_t sum = 0;
    if (text.size != digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = text.data[i];
        if (c >= '0' && c <= '9')
            sum = sum << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            sum = sum << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *value = sum;
    return true;
}

bool text_to_hex64(struct text text, uint64_t *value)
{
    return hex_digits(text, 16, value);
}

bool text_to_hex32(struct text text, uint32_t *value)
{
    uint64_t sum;
    if (!hex_digits(text, 8, &sum))
        return false;
    *value = (uint32_t)sum;
    return true;
}

bool text_to_hex8(struct text text, uint8_t *value)
{
    uint64_t sum;
    if (!hex_digits(text, 2, &sum))
        return false;
    *value = (uint8_t)sum;
    return true;
}

struct text text_copy(struct text text)
{
    char *data = memory_new(text.size + 1);
    if (text.size)
        memcpy(data, text.data, text.size);
    return (struct text){data, text.size};
}

void text_free(struct text *text)
{
    memory_free((void *)(uintptr_t)text->data);
    *text = (struct text){NULL, 0};
}

void buffer_release(struct buffer *buffer)
{
    memory_free(buffer->data);
    *buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    if (buffer->data)
        buffer->data[0] = '\0';
}

/* Room for `more` bytes and the NUL behind them. */
static void make_room(struct buffer *buffer, size_t more)
{
    size_t need = buffer->size + more + 1;
    if (need <= buffer->capacity)
        return;
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    while (capacity < need)
        capacity *= 2;
    buffer->data = memory_grow(buffer->data, capacity);
    buffer->capacity = capacity;
}

void buffer_add(struct buffer *buffer, const void *data, size_t size)
{
    make_room(buffer, size);
    if (size)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void buffer_text(struct buffer *buffer, struct text text)
{
    buffer_add(buffer, text.data, text.size);
}

void buffer_string(struct buffer *buffer, const char *string)
{
    buffer_add(buffer, string, strlen(string));
}

void buffer_byte(struct buffer *buffer, char byte)
{
    buffer_add(buffer, &byte, 1);
}

void buffer_i64(struct buffer *buffer, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (value < 0)
        digits[--at] = '-';
    buffer_add(buffer, digits + at, sizeof digits - at);
}

void buffer_hex64(struct buffer *buffer, uint64_t value)
{
    static const char hex[] = "0123456789abcdef";
    char digits[16];
    for (int i = 15; i >= 0; i--, value >>= 4)
        digits[i] = hex[value & 15];
    buffer_add(buffer, digits, sizeof digits);
}

void buffer_vprint(struct buffer *buffer, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    assert(size >= 0);
    make_room(buffer, (size_t)size);
    vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, again);
    va_end(again);
    buffer->size += (size_t)size;
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(buffer, format, arguments);
    va_end(arguments);
}

struct text buffer_view(const struct buffer *buffer)
{
    return (struct text){buffer->data, buffer->size};
}

void buffer_quoted(struct buffer *out, struct text text)
{
    static const char hex[] = "0123456789abcdef";
    size_t start = 0;
    buffer_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buffer_add(out, text.data + start, i - start);
        start = i + 1;
        if (c == '"' || c == '\\')
            buffer_add(out, (char[]){'\\', (char)c}, 2);
        else
            buffer_add(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    }
    if (start < text.size)
        buffer_add(out, text.data + start, text.size - start);
    buffer_byte(out, '"');
}
