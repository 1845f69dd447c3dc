/* How a record lies in its row, so that people can read it in the sqlite3 shell and no byte is
 * lost.
 *
 * key and value: TEXT when they are UTF-8 without NUL, else BLOB; NULL when the record has none.
 *
 * headers: TEXT, one header a line, in order, duplicates and all:
 *
 *     ce_type: stagedoor.shows.SeatsHeld
 *     sd_stamp: 815-00c0ffee00c0ffee.3
 *
 * A line is the name, a colon, one space and the value; without the colon the header has no value
 * (NULL, which is not the empty value). Escapes are `\\`, `\n` and `\xHH` (two lower-case hex
 * digits): for the backslash, for control characters, for a colon in a name, and for every byte
 * from 0x80 up when name or value as a whole is not UTF-8. So a line break always ends a header,
 * the first colon always ends the name, and any bytes come back as they were. */
#include "bus/sqlite.h"

#include <string.h>

bool sqlite_plain_text(const char *data, size_t size)
{
    const unsigned char *at = (const unsigned char *)data;
    const unsigned char *end = size ? at + size : at;
    while (at < end) {
        unsigned char lead = *at++;
        if (lead < 0x80) {
            if (lead == 0)
                return false;
            continue;
        }
        int tail = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || end - at < tail)
            return false;
        /* No overlong forms, no surrogates, nothing beyond U+10FFFF: all show in the second byte.
         */
        if ((lead == 0xe0 && at[0] < 0xa0) || (lead == 0xed && at[0] > 0x9f) ||
            (lead == 0xf0 && at[0] < 0x90) || (lead == 0xf4 && at[0] > 0x8f))
            return false;
        while (tail-- > 0)
            if ((*at++ & 0xc0) != 0x80)
                return false;
    }
    return true;
}

static void escape(struct buffer *out, struct text text, bool is_name)
{
    static const char digits[] = "0123456789abcdef";
    if (text.size == 0)
        return;
    bool plain = sqlite_plain_text(text.data, text.size);
    size_t start = 0; /* of the run that needs no escape */
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte >= 0x20 && byte != 0x7f && byte != '\\' && (byte < 0x80 || plain) &&
            !(is_name && byte == ':'))
            continue;
        buffer_add(out, text.data + start, i - start);
        start = i + 1;
        if (byte == '\\' || byte == '\n') {
            buffer_add(out, byte == '\n' ? "\\n" : "\\\\", 2);
        } else {
            char code[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
            buffer_add(out, code, sizeof code);
        }
    }
    buffer_add(out, text.data + start, text.size - start);
}

void sqlite_headers_write(struct buffer *out, const struct bus_record *record)
{
    for (int i = 0; i < record->header_count; i++) {
        escape(out, record->headers[i].name, true);
        if (record->headers[i].value.data) {
            buffer_add(out, ": ", 2);
            escape(out, record->headers[i].value, false);
        }
        buffer_byte(out, '\n');
    }
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* In place: what is undone is never longer. Anything that is no escape of ours stands as it is,
 * because people may have written into the table. */
static struct text unescape(char *data, size_t size)
{
    if (!memchr(data, '\\', size))
        return text_from(data, size);
    size_t to = 0;
    for (size_t i = 0; i < size; i++) {
        char next = i + 1 < size ? data[i + 1] : '\0';
        int high = i + 3 < size ? hex_digit(data[i + 2]) : -1;
        int low = i + 3 < size ? hex_digit(data[i + 3]) : -1;
        if (data[i] == '\\' && (next == '\\' || next == 'n')) {
            data[to++] = next == 'n' ? '\n' : '\\';
            i += 1;
        } else if (data[i] == '\\' && next == 'x' && high >= 0 && low >= 0) {
            data[to++] = (char)(high << 4 | low);
            i += 3;
        } else {
            data[to++] = data[i];
        }
    }
    return text_from(data, to);
}

int sqlite_headers_read(char *text, size_t size, struct bus_header headers[BUS_HEADERS_MAX])
{
    int count = 0;
    char *end = text + size;
    while (text < end) {
        if (count == BUS_HEADERS_MAX)
            return BUS_HEADERS_MAX + 1;
        char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (!line_end)
            line_end = end;
        char *colon = memchr(text, ':', (size_t)(line_end - text));
        struct bus_header *header = &headers[count++];
        header->name = unescape(text, (size_t)((colon ? colon : line_end) - text));
        header->value = (struct text){0};
        if (colon) {
            char *value = colon + 1 < line_end && colon[1] == ' ' ? colon + 2 : colon + 1;
            header->value = unescape(value, (size_t)(line_end - value));
        }
        text = line_end + 1;
    }
    return count;
}
