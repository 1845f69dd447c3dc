/* What is JSON and what is not, by table; and that what is written can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/prng.h"
#include "schemas/json.h"

#include <string.h>

struct document {
    struct text text;
    const char *problem; /* NULL: good */
};

#define GOOD(literal)                                                                              \
    {                                                                                              \
        TEXT(literal), NULL                                                                        \
    }
#define BAD(literal, problem)                                                                      \
    {                                                                                              \
        TEXT(literal), problem                                                                     \
    }

static const char *parse(struct text text, size_t *at)
{
    const char *problem;
    struct json *document = json_parse(text, &problem, at);
    assert_int_equal(document == NULL, problem != NULL);
    assert_true(*at <= text.size);
    json_free(document);
    return problem;
}

static void check(const struct document *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at;
        const char *problem = parse(rows[i].text, &at);
        const char *expected = rows[i].problem;
        if (!expected != !problem || (expected && strcmp(expected, problem) != 0))
            fail_msg("row %zu, '%.*s': %s, expected %s", i, TEXT_PRINT(rows[i].text),
                     problem ? problem : "good", expected ? expected : "good");
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void json__values_and_space(void **state)
{
    static const struct document rows[] = {
        GOOD("{}"),
        GOOD("[]"),
        GOOD("null"),
        GOOD("true"),
        GOOD("false"),
        GOOD("0"),
        GOOD("\"\""),
        GOOD(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n"),
        BAD("", "it is empty"),
        BAD(" ", "it ends too early"),
        BAD("\xef\xbb\xbf{}", "a value is expected"), /* BOM */
        BAD("\v{}", "a value is expected"),
        BAD("\xc2\xa0{}", "a value is expected"), /* no-break space */
        BAD("{}{}", "something stands behind the value"),
        BAD("{} x", "something stands behind the value"),
        BAD("{},", "something stands behind the value"),
        BAD("{}\0", "something stands behind the value"),
        BAD("\0", "a value is expected"),
        BAD("nul", "a value is expected"),
        BAD("nulll", "something stands behind the value"),
        BAD("True", "a value is expected"),
        BAD("NaN", "a value is expected"),
        BAD("Infinity", "a value is expected"),
        BAD("-Infinity", "a number is malformed"),
        BAD("undefined", "a value is expected"),
        BAD("'a'", "a value is expected"),
        BAD("/**/{}", "a value is expected"),
        BAD("{}//", "something stands behind the value"),
    };
    (void)state;
    CHECK(rows);
}

static void json__objects_and_lists(void **state)
{
    static const struct document rows[] = {
        GOOD("{\"\":1}"),
        GOOD("[1,\"a\",null,true,{},[]]"),
        GOOD("{\"a\":1,\"A\":1}"),
        GOOD("[{\"a\":1},{\"a\":1}]"),
        GOOD("{\"a\":{\"a\":1}}"),
        BAD("{", "a string is expected"),
        BAD("{\"a\"", "a ':' is expected"),
        BAD("{\"a\":", "it ends too early"),
        BAD("{\"a\":1", "it ends too early"),
        BAD("{\"a\":1,", "a string is expected"),
        BAD("{\"a\":1,}", "a string is expected"),
        BAD("{,}", "a string is expected"),
        BAD("{\"a\" 1}", "a ':' is expected"),
        BAD("{\"a\"::1}", "a value is expected"),
        BAD("{\"a\":1 \"b\":2}", "a ',' or the end of the list is expected"),
        BAD("{a:1}", "a string is expected"),
        BAD("{1:1}", "a string is expected"),
        BAD("{null:1}", "a string is expected"),
        BAD("[", "it ends too early"),
        BAD("[1", "it ends too early"),
        BAD("[1,", "it ends too early"),
        BAD("[1,]", "a value is expected"),
        BAD("[,1]", "a value is expected"),
        BAD("[1 2]", "a ',' or the end of the list is expected"),
        BAD("[1}", "a ',' or the end of the list is expected"),
        BAD("{\"a\":1]", "a ',' or the end of the list is expected"),
        BAD("]", "a value is expected"),
    };
    (void)state;
    CHECK(rows);
}

static void json__keys_once_each(void **state)
{
    static const char twice[] = "an object has the same key twice";
    static const struct document rows[] = {
        BAD("{\"a\":1,\"a\":1}", twice),
        BAD("{\"a\":1,\"b\":2,\"a\":3}", twice),
        BAD("{\"a\":1,\"\\u0061\":2}", twice),
        BAD("{\"\":1,\"\":2}", twice),
        BAD("{\"x\":{\"a\":1,\"a\":2}}", twice),
        BAD("[0,{\"a\":1,\"a\":2}]", twice),
        BAD("{\"x\":[[{\"a\":[],\"a\":{}}]]}", twice),
        BAD("{\"\xc3\xa9\":1,\"\\u00e9\":2}", twice),
        BAD("{\"\\ud83c\\udfad\":1,\"\xf0\x9f\x8e\xad\":2}", twice),
    };
    (void)state;
    CHECK(rows);
}

static void json__numbers(void **state)
{
    static const struct document rows[] = {
        GOOD("-0"),
        GOOD("10"),
        GOOD("-1.5"),
        GOOD("0.0"),
        GOOD("1e5"),
        GOOD("1E+5"),
        GOOD("1.25e-05"),
        GOOD("1e999"),
        GOOD("123456789012345678901234567890123456789012345678901234567890123"),
        BAD("1234567890123456789012345678901234567890123456789012345678901234",
            "a number is too long"),
        BAD("[0.10000000000000000000000000000000000000000000000000000000000000]",
            "a number is too long"),
        BAD("01", "something stands behind the value"),
        BAD("-01", "something stands behind the value"),
        BAD("00", "something stands behind the value"),
        BAD("+1", "a value is expected"),
        BAD(".5", "a value is expected"),
        BAD("-", "a number is malformed"),
        BAD("-a", "a number is malformed"),
        BAD("-.5", "a number is malformed"),
        BAD("1.", "a number is malformed"),
        BAD("1.e5", "a number is malformed"),
        BAD("1e", "a number is malformed"),
        BAD("1e+", "a number is malformed"),
        BAD("1e1.5", "something stands behind the value"),
        BAD("0x10", "something stands behind the value"),
        BAD("1_000", "something stands behind the value"),
        BAD("1,5", "something stands behind the value"),
    };
    (void)state;
    CHECK(rows);
}

static void json__strings_and_escapes(void **state)
{
    static const struct document rows[] = {
        GOOD("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u00E9\""),
        GOOD("\"\\u0001\""),
        GOOD("\"\\ud83c\\udfad\""),
        GOOD("\"\\uDBFF\\uDFFF\""),
        GOOD("\"\\ue000\\ud7ff\""),
        GOOD("\"\x7f\""),
        BAD("\"", "a string does not end"),
        BAD("\"a", "a string does not end"),
        BAD("\"\\\"", "a string does not end"),
        BAD("\"\\", "a string does not end"),
        BAD("\"\\x41\"", "an escape is unknown"),
        BAD("\"\\a\"", "an escape is unknown"),
        BAD("\"\\'\"", "an escape is unknown"),
        BAD("\"\\U0041\"", "an escape is unknown"),
        BAD("\"\\\0\"", "an escape is unknown"),
        BAD("\"\\u\"", "a \\u escape needs four hex digits"),
        BAD("\"\\u12\"", "a \\u escape needs four hex digits"),
        BAD("\"\\u12g4\"", "a \\u escape needs four hex digits"),
        BAD("\"\\u+123\"", "a \\u escape needs four hex digits"),
        BAD("\"\\u12", "a \\u escape is cut short"),
        BAD("\"\\u0000\"", "\\u0000 is not allowed"),
        BAD("{\"a\\u0000b\":1}", "\\u0000 is not allowed"),
        BAD("\"\\ud800\"", "a surrogate stands alone"),
        BAD("\"\\udc00\"", "a surrogate stands alone"),
        BAD("\"\\udfff\"", "a surrogate stands alone"),
        BAD("\"\\ud800\\ud800\"", "a surrogate stands alone"),
        BAD("\"\\ud800\\u0041\"", "a surrogate stands alone"),
        BAD("\"\\ud800\\ue000\"", "a surrogate stands alone"),
        BAD("\"\\ud800\\n12345\"", "a surrogate stands alone"),
        BAD("\"\\ud800xxdc00\"", "a surrogate stands alone"),
        BAD("\"\\udbff", "a surrogate stands alone"),
        BAD("\"\\ud800\\udc0\"", "a \\u escape needs four hex digits"),
        BAD("\"a\nb\"", "a control character stands in a string"),
        BAD("\"a\tb\"", "a control character stands in a string"),
        BAD("\"a\0b\"", "a control character stands in a string"),
        BAD("\"\x1f\"", "a control character stands in a string"),
        BAD("{\"a\nb\":1}", "a control character stands in a string"),
    };
    (void)state;
    CHECK(rows);
}

static void json__utf_8(void **state)
{
    static const char not_utf8[] = "not valid UTF-8";
    static const struct document rows[] = {
        GOOD("\"\xc2\x80\""),         /* U+0080 */
        GOOD("\"\xdf\xbf\""),         /* U+07FF */
        GOOD("\"\xe0\xa0\x80\""),     /* U+0800 */
        GOOD("\"\xed\x9f\xbf\""),     /* U+D7FF */
        GOOD("\"\xee\x80\x80\""),     /* U+E000 */
        GOOD("\"\xef\xbf\xbf\""),     /* U+FFFF */
        GOOD("\"\xf0\x90\x80\x80\""), /* U+10000 */
        GOOD("\"\xf4\x8f\xbf\xbf\""), /* U+10FFFF */
        BAD("\"\x80\"", not_utf8),
        BAD("\"\xbf\"", not_utf8),
        BAD("\"\xc0\x80\"", not_utf8), /* overlong */
        BAD("\"\xc0\xaf\"", not_utf8),
        BAD("\"\xc1\xbf\"", not_utf8),
        BAD("\"\xe0\x9f\xbf\"", not_utf8),
        BAD("\"\xf0\x8f\xbf\xbf\"", not_utf8),
        BAD("\"\xed\xa0\x80\"", not_utf8), /* a surrogate */
        BAD("\"\xed\xbf\xbf\"", not_utf8),
        BAD("\"\xf4\x90\x80\x80\"", not_utf8), /* above U+10FFFF */
        BAD("\"\xf5\x80\x80\x80\"", not_utf8),
        BAD("\"\xff\"", not_utf8),
        BAD("\"\xfe\"", not_utf8),
        BAD("\"\xc3\"", not_utf8), /* cut short */
        BAD("\"\xe2\x82\"", not_utf8),
        BAD("\"\xf0\x9f\x8e\"", not_utf8),
        BAD("\"\xc3", not_utf8),
        BAD("\"\xe2\x82", not_utf8),
        BAD("\"\xc3(\"", not_utf8),
        BAD("\"\xe2(\xa1\"", not_utf8),
        BAD("\"\xf0\x9f\x8e(\"", not_utf8),
        BAD("{\"\xff\":1}", not_utf8),
    };
    (void)state;
    CHECK(rows);
}

static void json__depth_of_eight_and_no_more(void **state)
{
    static const struct document rows[] = {
        GOOD("[[[[[[[[]]]]]]]]"),
        GOOD("[[[[[[[[0]]]]]]]]"),
        GOOD("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}"),
        GOOD("[[[[[[[[],[]]]]]],[[[[[[]]]]]]]]"),
        BAD("[[[[[[[[[]]]]]]]]]", "nested too deeply"),
        BAD("{\"a\":[[[[[[[{}]]]]]]]}", "nested too deeply"),
        BAD("[[[[[[[[[", "nested too deeply"),
    };
    struct buffer deep = {0};
    size_t at;
    (void)state;
    CHECK(rows);
    for (int i = 0; i < 200000; i++)
        buffer_byte(&deep, '[');
    assert_string_equal(parse(buffer_view(&deep), &at), "nested too deeply");
    buffer_release(&deep);
}

static void json__says_where(void **state)
{
    static const struct {
        const char *text;
        size_t at;
    } rows[] = {{"{\"a\":x}", 5}, {"[1,2,]", 5}, {"{} x", 3}, {"{\"a\":1", 6}};
    size_t at;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_non_null(json_problem(text_of(rows[i].text), &at));
        assert_int_equal(at, rows[i].at);
    }
}

/* Whatever bytes: an answer, and the same one of both ways to ask. Under ASan: no byte too far. */
static void json__survives_any_bytes(void **state)
{
    static const char letters[] = "{}[]:,\"\\u0dDcC8e1-.+ \nntrfalsx\x80\xc3\xa9\xff";
    struct prng prng = {9};
    (void)state;
    for (int i = 0; i < 100000; i++) {
        size_t size = 1 + prng_below(&prng, 24), at;
        char *bytes = test_malloc(size); /* exactly as long: the sanitizer sees the end */
        for (size_t k = 0; k < size; k++)
            bytes[k] = letters[prng_below(&prng, sizeof letters - 1)];
        const char *quick = json_problem(text_from(bytes, size), &at);
        const char *full = parse(text_from(bytes, size), &at);
        if (quick)
            assert_string_equal(quick, full);
        else if (full)
            assert_string_equal(full, "an object has the same key twice");
        test_free(bytes);
    }
}

static struct json *parsed(const char *text)
{
    const char *problem;
    size_t at;
    struct json *document = json_parse(text_of(text), &problem, &at);
    assert_non_null(document);
    return document;
}

static void json__integers_are_whole_and_exact(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t number;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"17", true, 17},
        {"-17", true, -17},
        {"1.0", true, 1},
        {"1e3", true, 1000},
        {"25e-1", false, 0},
        {"0.5", false, 0},
        {"9007199254740991", true, INT64_C(9007199254740991)},
        {"-9007199254740991", true, INT64_C(-9007199254740991)},
        {"9007199254740992", false, 0},
        {"9007199254740993", false, 0}, /* a double would make it ...992 */
        {"-9007199254740992", false, 0},
        {"1e999", false, 0},
        {"-1e999", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
        {"null", false, 0},
        {"[1]", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json *document = parsed(rows[i].text);
        int64_t number = 42;
        assert_int_equal(json_i64(document, &number), rows[i].good);
        assert_int_equal(number, rows[i].good ? rows[i].number : 42);
        json_free(document);
    }
}

static void json__values_have_one_type_each(void **state)
{
    struct json *document =
        parsed("{\"text\":\"a\\u00e9\\n\",\"yes\":true,\"no\":false,\"nil\":null,"
               "\"list\":[1,2,3],\"object\":{\"k\":1}}");
    struct text text;
    bool truth;
    int64_t number;
    (void)state;
    assert_true(json_is_object(document) && !json_is_array(document));
    assert_int_equal(json_size(document), 6);
    assert_true(json_text(json_member(document, "text"), &text));
    assert_true(text_is(text, "a\xc3\xa9\n"));
    assert_true(json_bool(json_member(document, "yes"), &truth) && truth);
    assert_true(json_bool(json_member(document, "no"), &truth) && !truth);
    const struct json *nil = json_member(document, "nil");
    assert_non_null(nil);
    assert_false(json_text(nil, &text) || json_bool(nil, &truth) || json_i64(nil, &number));
    assert_false(json_bool(json_member(document, "text"), &truth));
    assert_false(json_text(json_member(document, "yes"), &text));
    assert_null(json_member(document, "TEXT"));
    assert_null(json_member(document, "absent"));
    const struct json *list = json_member(document, "list");
    assert_true(json_is_array(list) && !json_is_object(list));
    assert_int_equal(json_size(list), 3);
    number = 0;
    for (const struct json *item = json_first(list); item; item = json_next(item)) {
        int64_t digit;
        assert_true(json_i64(item, &digit));
        number = number * 10 + digit;
    }
    assert_int_equal(number, 123);
    assert_string_equal(json_key(json_first(json_member(document, "object"))), "k");
    json_free(document);
    json_free(NULL);
}

static void json__writes_with_commas_and_escapes(void **state)
{
    struct buffer out = {0};
    (void)state;
    json_put_open(&out, NULL, '{');
    json_put_text(&out, "a", text_of("\"\\/\b\n\x1f\x7f\xc3\xa9"));
    json_put_text(&out, "empty", text_of(NULL));
    json_put_i64(&out, "n", -5);
    json_put_bool(&out, "t", true);
    json_put_bool(&out, "f", false);
    json_put_null(&out, "nil");
    json_put_open(&out, "list", '[');
    json_put_i64(&out, NULL, 1);
    json_put_text(&out, NULL, text_of("["));
    json_put_text(&out, NULL, text_of("{"));
    json_put_open(&out, NULL, '{');
    json_put_close(&out, '}');
    json_put_open(&out, NULL, '[');
    json_put_close(&out, ']');
    json_put_raw(&out, NULL, text_of("{\"raw\":1}"));
    json_put_close(&out, ']');
    json_put_i64(&out, "k\"ey", 2);
    json_put_close(&out, '}');
    assert_string_equal(out.data,
                        "{\"a\":\"\\\"\\\\/\\u0008\\u000a\\u001f\x7f\xc3\xa9\",\"empty\":\"\","
                        "\"n\":-5,\"t\":true,\"f\":false,\"nil\":null,"
                        "\"list\":[1,\"[\",\"{\",{},[],{\"raw\":1}],\"k\\\"ey\":2}");
    json_free(parsed(out.data));
    buffer_release(&out);
}

static void json__reads_back_the_text_it_wrote(void **state)
{
    struct buffer out = {0};
    char all[127];
    struct text text;
    (void)state;
    for (int i = 0; i < 127; i++)
        all[i] = (char)(i + 1);
    json_put_text(&out, NULL, text_from(all, sizeof all));
    struct json *document = parsed(out.data);
    assert_true(json_text(document, &text));
    assert_true(text_equal(text, text_from(all, sizeof all)));
    json_free(document);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json__values_and_space),
        cmocka_unit_test(json__objects_and_lists),
        cmocka_unit_test(json__keys_once_each),
        cmocka_unit_test(json__numbers),
        cmocka_unit_test(json__strings_and_escapes),
        cmocka_unit_test(json__utf_8),
        cmocka_unit_test(json__depth_of_eight_and_no_more),
        cmocka_unit_test(json__says_where),
        cmocka_unit_test(json__survives_any_bytes),
        cmocka_unit_test(json__integers_are_whole_and_exact),
        cmocka_unit_test(json__values_have_one_type_each),
        cmocka_unit_test(json__writes_with_commas_and_escapes),
        cmocka_unit_test(json__reads_back_the_text_it_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
