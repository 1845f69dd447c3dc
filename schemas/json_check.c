/* The grammar of RFC 8259, exactly, plus our bounds: UTF-8 (RFC 3629), depth, no U+0000.
 *
 * One pass over the bytes without building anything; cJSON builds the tree afterwards and may then
 * be as lenient as it likes. */
#include "schemas/json.h"

#include <string.h>

struct reader {
    const char *start, *at, *end;
    const char *problem;
};

static bool fail(struct reader *r, const char *problem)
{
    if (r->problem == NULL)
        r->problem = problem;
    return false;
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
        r->at++;
}

static bool is_digit(const struct reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static bool read_digits(struct reader *r)
{
    if (!is_digit(r))
        return fail(r, "a number is malformed");
    while (is_digit(r))
        r->at++;
    return true;
}

static bool read_number_grammar(struct reader *r)
{
    if (*r->at == '-')
        r->at++;
    if (is_digit(r) && *r->at == '0')
        r->at++;
    else if (!read_digits(r))
        return false;
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        if (!read_digits(r))
            return false;
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        r->at++;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
            r->at++;
        return read_digits(r);
    }
    return true;
}

/* cJSON cuts a number at its own buffer, and not every version at the same length. */
static bool read_number(struct reader *r)
{
    const char *start = r->at;
    if (!read_number_grammar(r))
        return false;
    return r->at - start <= JSON_NUMBER_SIZE_MAX || fail(r, "a number is too long");
}

static bool read_literal(struct reader *r, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0)
        return fail(r, "a value is expected");
    r->at += size;
    return true;
}

static bool read_hex4(struct reader *r, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        if (r->at >= r->end)
            return fail(r, "a \\u escape is cut short");
        char c = *r->at;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16u;
        if (digit == 16)
            return fail(r, "a \\u escape needs four hex digits");
        *code = *code << 4 | digit;
    }
    return true;
}

static bool read_escape(struct reader *r)
{
    unsigned code, low;
    if (r->at >= r->end)
        return fail(r, "a string does not end");
    char c = *r->at++;
    if (c != 'u')
        return (c && strchr("\"\\/bfnrt", c)) || fail(r, "an escape is unknown");
    if (!read_hex4(r, &code))
        return false;
    if (code == 0)
        return fail(r, "\\u0000 is not allowed");
    if (code >= 0xdc00 && code <= 0xdfff)
        return fail(r, "a surrogate stands alone");
    if (code < 0xd800 || code > 0xdbff)
        return true;
    if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u')
        return fail(r, "a surrogate stands alone");
    r->at += 2;
    return read_hex4(r, &low) &&
           ((low >= 0xdc00 && low <= 0xdfff) || fail(r, "a surrogate stands alone"));
}

/* One code point of more than one byte. */
static bool read_utf8(struct reader *r)
{
    unsigned char lead = (unsigned char)*r->at++;
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    unsigned code = lead & (0x3fu >> more);
    if (lead < 0xc2 || lead > 0xf4 || r->end - r->at < more)
        return fail(r, "not valid UTF-8");
    for (int i = 0; i < more; i++) {
        unsigned char next = (unsigned char)*r->at++;
        if ((next & 0xc0) != 0x80)
            return fail(r, "not valid UTF-8");
        code = code << 6 | (next & 0x3f);
    }
    bool overlong = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
    if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return fail(r, "not valid UTF-8");
    return true;
}

static bool read_string(struct reader *r)
{
    if (r->at >= r->end || *r->at != '"')
        return fail(r, "a string is expected");
    r->at++;
    while (r->at < r->end && *r->at != '"') {
        unsigned char c = (unsigned char)*r->at;
        if (c < 0x20)
            return fail(r, "a control character stands in a string");
        if (c >= 0x80) {
            if (!read_utf8(r))
                return false;
            continue;
        }
        r->at++;
        if (c == '\\' && !read_escape(r))
            return false;
    }
    if (r->at >= r->end)
        return fail(r, "a string does not end");
    r->at++;
    return true;
}

static bool read_value(struct reader *r, int depth);

static bool read_member(struct reader *r, int depth)
{
    if (!read_string(r))
        return false;
    skip_space(r);
    if (r->at >= r->end || *r->at != ':')
        return fail(r, "a ':' is expected");
    r->at++;
    return read_value(r, depth);
}

static bool read_container(struct reader *r, int depth)
{
    char close = *r->at == '{' ? '}' : ']';
    if (depth > JSON_DEPTH_MAX)
        return fail(r, "nested too deeply");
    r->at++;
    skip_space(r);
    if (r->at < r->end && *r->at == close) {
        r->at++;
        return true;
    }
    while (true) {
        skip_space(r);
        if (!(close == '}' ? read_member(r, depth) : read_value(r, depth)))
            return false;
        if (r->at >= r->end)
            return fail(r, "it ends too early");
        char c = *r->at;
        if (c != ',' && c != close)
            return fail(r, "a ',' or the end of the list is expected");
        r->at++;
        if (c == close)
            return true;
    }
}

/* A value and the space around it. */
static bool read_value(struct reader *r, int depth)
{
    bool good;
    skip_space(r);
    if (r->at >= r->end)
        return fail(r, "it ends too early");
    switch (*r->at) {
    case '{':
    case '[':
        good = read_container(r, depth + 1);
        break;
    case '"':
        good = read_string(r);
        break;
    case 't':
        good = read_literal(r, "true");
        break;
    case 'f':
        good = read_literal(r, "false");
        break;
    case 'n':
        good = read_literal(r, "null");
        break;
    default:
        good = *r->at == '-' || is_digit(r) ? read_number(r) : fail(r, "a value is expected");
    }
    skip_space(r);
    return good;
}

const char *json_problem(struct text text, size_t *at)
{
    *at = 0;
    if (text.size == 0)
        return "it is empty";
    struct reader reader = {text.data, text.data, text.data + text.size, NULL};
    if (read_value(&reader, 0) && reader.at != reader.end)
        fail(&reader, "something stands behind the value");
    *at = (size_t)(reader.at - reader.start);
    return reader.problem;
}
