/* JSON: the strict check, cJSON behind it, and a third reader that works out values by itself.
 *
 * What the strict check lets pass, cJSON must read, to the very values that stand there; and what
 * is written from them must be read again as the same. */
#include "bus/sqlite.h"
#include "cli/examples.h"
#include "schemas/json.h"
#include "schemas/message.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* ---- the third reader: of a text that is known to be JSON ------------------------------------ */

struct walk {
    const char *at, *end;
    struct buffer string; /* the last one read, its escapes undone */
};

static void skip(struct walk *walk)
{
    while (walk->at < walk->end && (*walk->at == ' ' || *walk->at == '\t' || *walk->at == '\n' ||
                                    *walk->at == '\r' || *walk->at == ',' || *walk->at == ':'))
        walk->at++;
}

static unsigned long hex4(const char *digits)
{
    char copy[5] = {digits[0], digits[1], digits[2], digits[3], '\0'};
    return strtoul(copy, NULL, 16);
}

static void put_utf8(struct buffer *out, unsigned long code)
{
    char bytes[4];
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(size == 1 ? code : (0xf00u >> size & 0xff) | code);
    buffer_add(out, bytes, size);
}

static void read_escape(struct walk *walk)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    char letter = *walk->at++;
    const char *found = strchr(letters, letter);
    if (letter != 'u') {
        buffer_byte(&walk->string, found ? meanings[found - letters] : letter);
        return;
    }
    unsigned long code = hex4(walk->at);
    walk->at += 4;
    if (code >= 0xd800 && code < 0xdc00) {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(walk->at + 2) - 0xdc00);
        walk->at += 6;
    }
    put_utf8(&walk->string, code);
}

static void read_string(struct walk *walk)
{
    buffer_clear(&walk->string);
    buffer_string(&walk->string, "");
    assert(*walk->at == '"');
    for (walk->at++; *walk->at != '"';) {
        char byte = *walk->at++;
        if (byte == '\\')
            read_escape(walk);
        else
            buffer_byte(&walk->string, byte);
    }
    walk->at++;
}

static bool is_word(struct walk *walk, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(walk->end - walk->at) < size || memcmp(walk->at, word, size) != 0)
        return false;
    walk->at += size;
    return true;
}

static void compare_number(struct walk *walk, const struct json *value)
{
    char digits[JSON_NUMBER_SIZE_MAX + 1];
    size_t size = 0;
    int64_t number;
    while (walk->at < walk->end && strchr("+-.0123456789eE", *walk->at) && size + 1 < sizeof digits)
        digits[size++] = *walk->at++;
    digits[size] = '\0';
    double wide = strtod(digits, NULL);
    assert(cJSON_IsNumber((const cJSON *)value));
    assert(((const cJSON *)value)->valuedouble == wide);
    bool whole =
        wide >= -9007199254740991.0 && wide <= 9007199254740991.0 && wide == (double)(int64_t)wide;
    assert(json_i64(value, &number) == whole);
    assert(!whole || (double)number == wide);
}

static void compare(struct walk *walk, const struct json *value);

static void compare_container(struct walk *walk, const struct json *container, char close)
{
    const struct json *child = json_first(container);
    int count = 0;
    assert(close == '}' ? json_is_object(container) : json_is_array(container));
    for (walk->at++, skip(walk); *walk->at != close; count++, child = json_next(child)) {
        assert(child);
        if (close == '}') {
            read_string(walk);
            assert(text_is(buffer_view(&walk->string), json_key(child)));
            assert(json_member(container, json_key(child)) == child);
            skip(walk);
        }
        compare(walk, child);
    }
    walk->at++;
    assert(child == NULL && json_size(container) == count);
}

/* A value and the space, commas and colons behind it. */
static void compare(struct walk *walk, const struct json *value)
{
    struct text text;
    bool truth;
    skip(walk);
    if (*walk->at == '{' || *walk->at == '[') {
        compare_container(walk, value, *walk->at == '{' ? '}' : ']');
    } else if (*walk->at == '"') {
        read_string(walk);
        assert(json_text(value, &text) && text_equal(text, buffer_view(&walk->string)));
    } else if (is_word(walk, "null")) {
        assert(cJSON_IsNull((const cJSON *)value));
    } else if (is_word(walk, "true")) {
        assert(json_bool(value, &truth) && truth);
    } else if (is_word(walk, "false")) {
        assert(json_bool(value, &truth) && !truth);
    } else {
        compare_number(walk, value);
    }
    skip(walk);
}

/* ---- writing it again ------------------------------------------------------------------------ */

static void write_value(struct buffer *out, const char *name, const struct json *value)
{
    struct text text;
    int64_t number;
    bool truth;
    if (json_is_object(value) || json_is_array(value)) {
        bool object = json_is_object(value);
        json_put_open(out, name, object ? '{' : '[');
        for (const struct json *child = json_first(value); child; child = json_next(child))
            write_value(out, object ? json_key(child) : NULL, child);
        json_put_close(out, object ? '}' : ']');
    } else if (json_text(value, &text)) {
        json_put_text(out, name, text);
    } else if (json_i64(value, &number)) {
        json_put_i64(out, name, number);
    } else if (json_bool(value, &truth)) {
        json_put_bool(out, name, truth);
    } else {
        json_put_null(out, name); /* also a number that is not whole: none of ours is */
    }
}

/* What is written from it reads as itself, and is written the same again. */
static void check_writing(const struct json *document)
{
    struct buffer once = {0}, again = {0};
    const char *problem;
    size_t at;
    write_value(&once, NULL, document);
    struct json *back = json_parse(buffer_view(&once), &problem, &at);
    assert(back);
    write_value(&again, NULL, back);
    assert(text_equal(buffer_view(&once), buffer_view(&again)));
    json_free(back);
    buffer_release(&once);
    buffer_release(&again);
}

/* Found by looking at every pair. */
static bool has_twins(const cJSON *value)
{
    for (const cJSON *child = value->child; child; child = child->next) {
        for (const cJSON *other = child->next; other && cJSON_IsObject(value); other = other->next)
            if (strcmp(child->string, other->string) == 0)
                return true;
        if (has_twins(child))
            return true;
    }
    return false;
}

/* What is refused for its keys alone, and nothing else is, has a key twice. */
static void check_keys(struct text input, bool refused)
{
    cJSON *lenient = cJSON_ParseWithLength(input.data, input.size);
    assert(lenient && has_twins(lenient) == refused);
    cJSON_Delete(lenient);
}

void fuzz_one(struct text input)
{
    const char *problem;
    size_t at, at_again;
    const char *grammar = json_problem(input, &at);
    assert(at <= input.size && json_problem(input, &at_again) == grammar && at == at_again);
    /* The log has a judge of UTF-8 of its own. */
    assert(grammar || sqlite_plain_text(input.data, input.size));
    struct json *document = json_parse(input, &problem, &at_again);
    assert((document == NULL) == (problem != NULL));
    assert(grammar == NULL || problem == grammar);
    assert(grammar || document || strcmp(problem, "an object has the same key twice") == 0);
    if (grammar == NULL)
        check_keys(input, document == NULL);
    if (document == NULL)
        return;
    struct walk walk = {input.data, input.data + input.size, {0}};
    compare(&walk, document);
    assert(walk.at == walk.end);
    check_writing(document);
    buffer_release(&walk.string);
    json_free(document);
}

void fuzz_seeds(void)
{
    static const char *const seeds[] = {
        "[1,-0,0.5,1e3,1E+15,-9007199254740991,9007199254740992,1e-2,123456789012345678]",
        "{\"a\":[{},[],{\"b\":null}],\"\":true,\"c\":false}",
        "\"\\u00e9\\ud83c\\udfad\\n\\\\\\/\\\"\xc3\xa9\xf0\x9f\x8e\xad\"",
        " [ [[[[[[[ ]]]]]]] ] ",
        "[[[[[[[[[]]]]]]]]]",
        "{\"a\":1,\"a\":2}",
        "\"\\u0000\"",
        "[1,]",
        "1 2",
        "\"\xed\xa0\x80\"",
    };
    static const char *const words[] = {"\\u", "\\ud83c\\udfad", "null", "true", "false", "e-",
                                        "\\n"};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        fuzz_seed(text_of(seeds[i]));
    for (int type = 0; type < MESSAGE_COUNT; type++)
        fuzz_seed(example_text((enum message_type)type));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        fuzz_word(words[i]);
}
