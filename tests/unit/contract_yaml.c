/* JSON said in YAML: blocks, and texts that no reader takes for something else. */
#include "contract/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void yaml__says_it(void **state)
{
    static const struct {
        const char *json, *yaml;
    } rows[] = {
        {"{}", "{}\n"},
        {"[]", "[]\n"},
        {"7", "7\n"},
        {"\"a\"", "a\n"},
        {"{\"a\":1}", "a: 1\n"},
        {" { \"a\" : -1 ,\n\"b\" : true } ", "a: -1\nb: true\n"},
        {"{\"a\":{\"b\":null},\"c\":false}", "a:\n  b: null\nc: false\n"},
        {"{\"a\":{},\"b\":[ ],\"c\":{\"d\":[]}}", "a: {}\nb: []\nc:\n  d: []\n"},
        {"{\"a\":[1,\"x\",[2,3]]}", "a:\n  - 1\n  - x\n  -\n    - 2\n    - 3\n"},
        {"{\"a\":[{\"b\":1,\"c\":[{\"d\":2}]},{\"e\":{}}]}",
         "a:\n  - b: 1\n    c:\n      - d: 2\n  - e: {}\n"},
        {"[{\"a\":{\"b\":1}}]", "- a:\n    b: 1\n"},
        /* plain */
        {"{\"$ref\":\"$x\"}", "$ref: $x\n"},
        {"{\"a.b-c_d\":\"Seats held (3), by now; a/b\"}", "a.b-c_d: Seats held (3), by now; a/b\n"},
        /* what would be read as something else */
        {"{\"a\":\"\"}", "a: ''\n"},
        {"{\"a\":\"1.0\"}", "a: '1.0'\n"},
        {"{\"a\":\"-1\"}", "a: '-1'\n"},
        {"{\"a\":\"true\",\"NO\":\"Null\"}", "a: 'true'\n'NO': 'Null'\n"},
        {"{\"y\":\"truest\"}", "'y': truest\n"},
        {"{\"a\":\"#/x\",\"b\":\"x: y\",\"c\":\"x #y\"}", "a: '#/x'\nb: 'x: y'\nc: 'x #y'\n"},
        {"{\"a\":\"[x]\",\"b\":\"{x}\",\"c\":\"*x\",\"d\":\"&x\",\"e\":\"x*\"}",
         "a: '[x]'\nb: '{x}'\nc: '*x'\nd: '&x'\ne: 'x*'\n"},
        {"{\"a\":\"it's\",\"b\":\"- x\",\"c\":\"x \"}", "a: 'it''s'\nb: '- x'\nc: 'x '\n"},
        {"{\"a\":\"2026-01-01\",\"b\":\"~\"}", "a: '2026-01-01'\nb: '~'\n"},
        /* escapes */
        {"{\"a\":\"x\\\"y\\\\z\"}", "a: 'x\"y\\z'\n"},
        {"{\"a\":\"x\\ny\",\"b\":\"\\u00e9\"}", "a: \"x\\ny\"\nb: \"\\u00e9\"\n"},
        {"{\"a\":\"\xc3\xa9\"}", "a: '\xc3\xa9'\n"},
        {"{\"a\":\",]}\",\"b\":[\"x\"]}", "a: ',]}'\nb:\n  - x\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        buffer_string(&out, "before\n");
        yaml_print(text_of(rows[i].json), &out);
        assert_string_equal(out.data + strlen("before\n"), rows[i].yaml);
        buffer_release(&out);
    }
}

/* A hundred columns at most, broken only where one space stood. */
static void yaml__folds_long_texts(void **state)
{
    static const char json[] =
        "{\"a\":{\"b\":\"one two three four five six seven eight nine ten eleven twelve thirteen "
        "fourteen: fifteen #sixteen 'seventeen' \\\"eighteen\\\"\"}}";
    static const char yaml[] =
        "a:\n  b: >-\n    one two three four five six seven eight nine ten eleven twelve thirteen "
        "fourteen: fifteen\n    #sixteen 'seventeen' \"eighteen\"\n";
    struct buffer out = {0};
    (void)state;
    yaml_print(text_of(json), &out);
    assert_string_equal(out.data, yaml);
    buffer_release(&out);
}

static void yaml__folds_nothing_that_would_not_come_back(void **state)
{
    static const char *const fillers[] = {"xx", "x  x", " "};
    (void)state;
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++) {
        struct buffer json = {0}, out = {0};
        buffer_string(&json, "{\"a\":\"");
        for (int k = 0; k < 200; k++)
            buffer_string(&json, fillers[i]);
        buffer_string(&json, "\"}");
        yaml_print(buffer_view(&json), &out);
        assert_null(strchr(out.data, '>'));
        assert_ptr_equal(strchr(out.data, '\n'), out.data + out.size - 1);
        buffer_release(&json);
        buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml__says_it),
        cmocka_unit_test(yaml__folds_long_texts),
        cmocka_unit_test(yaml__folds_nothing_that_would_not_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
