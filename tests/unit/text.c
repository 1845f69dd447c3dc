/* What borrowed texts and the buffer promise in base/text.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"

#include <string.h>

static void check_text(struct text text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, strlen(expected));
}

static void text__trims_blanks_and_tabs(void **state)
{
    (void)state;
    check_text(text_trim(text_of(" \t a b\t ")), "a b");
    check_text(text_trim(text_of(" \t ")), "");
    check_text(text_trim(text_of("")), "");
    check_text(text_trim(text_of("\na")), "\na");
}

static void text__of_a_string_ends_at_its_nul(void **state)
{
    (void)state;
    check_text(text_of("row A"), "row A");
    assert_int_equal(text_of("").size, 0);
    assert_int_equal(text_of(NULL).size, 0);
    assert_null(text_of(NULL).data);
    struct text literal = TEXT("row\0B");
    assert_int_equal(literal.size, 5);
}

static void text__equal_compares_bytes_and_size(void **state)
{
    (void)state;
    assert_true(text_equal(text_of("abc"), text_from("abcd", 3)));
    assert_false(text_equal(text_of("abc"), text_of("abd")));
    assert_false(text_equal(text_of("abc"), text_of("ab")));
    assert_true(text_equal(text_of(NULL), text_of("")));
    assert_false(text_equal(text_from("a\0b", 3), text_from("a\0c", 3)));
    assert_true(text_is(text_of("hold"), "hold"));
    assert_false(text_is(text_of("hold"), "holds"));
    assert_true(text_is(text_of(NULL), ""));
}

static void text__starts_wants_the_whole_prefix(void **state)
{
    (void)state;
    assert_true(text_starts(text_of("kafka://host"), "kafka://"));
    assert_true(text_starts(text_of("kafka://"), "kafka://"));
    assert_false(text_starts(text_of("kafka:/"), "kafka://"));
    assert_false(text_starts(text_of("sqlite:x"), "kafka"));
    assert_true(text_starts(text_of(NULL), ""));
}

static void text__cut_takes_what_is_before_the_separator(void **state)
{
    (void)state;
    struct text rest = text_of("shows/2/");
    check_text(text_cut(&rest, '/'), "shows");
    check_text(rest, "2/");
    check_text(text_cut(&rest, '/'), "2");
    assert_int_equal(rest.size, 0);
    assert_non_null(rest.data); /* something stood behind "2": the empty text */
    check_text(text_cut(&rest, '/'), "");
    assert_null(rest.data); /* and now nothing is left */
    assert_int_equal(text_cut(&rest, '/').size, 0);
}

static void text__cut_without_separator_takes_all(void **state)
{
    (void)state;
    struct text rest = text_of("shows");
    check_text(text_cut(&rest, '/'), "shows");
    assert_null(rest.data);
    assert_int_equal(rest.size, 0);
}

static void text__decimal_is_canonical_or_nothing(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"7", true, 7},
        {"10", true, 10},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", true, UINT64_C(9223372036854775808)},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"18446744073709551620", false, 0},
        {"99999999999999999999", false, 0},
        {"184467440737095516150", false, 0},
        {"", false, 0},
        {"00", false, 0},
        {"01", false, 0},
        {"+1", false, 0},
        {"-1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"0x1", false, 0},
        {"a", false, 0},
        {"/", false, 0},
        {":", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t value = 42;
        int64_t narrow = 42;
        assert_int_equal(text_to_u64(text_of(rows[i].text), &value), rows[i].good);
        assert_int_equal(value, rows[i].good ? rows[i].value : 42);
        bool fits = rows[i].good && rows[i].value <= INT64_MAX;
        assert_int_equal(text_to_i64(text_of(rows[i].text), &narrow), fits);
        assert_int_equal(narrow, fits ? (int64_t)rows[i].value : 42);
    }
}

static void text__hex_is_lower_case_and_of_full_length(void **state)
{
    uint64_t wide = 1;
    uint32_t narrow = 1;
    (void)state;
    assert_true(text_to_hex64(text_of("0123456789abcdef"), &wide));
    assert_int_equal(wide, UINT64_C(0x0123456789abcdef));
    assert_true(text_to_hex64(text_of("ffffffffffffffff"), &wide));
    assert_int_equal(wide, UINT64_MAX);
    assert_true(text_to_hex32(text_of("deadbeef"), &narrow));
    assert_int_equal(narrow, 0xdeadbeef);
    static const char *const bad[] = {"",
                                      "0123456789abcde",
                                      "0123456789abcdef0",
                                      "0123456789ABCDEF",
                                      "0123456789abcdeg",
                                      "0123456789abcd`f",
                                      "+123456789abcdef"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_to_hex64(text_of(bad[i]), &wide));
    assert_int_equal(wide, UINT64_MAX);
    assert_false(text_to_hex32(text_of("deadbee"), &narrow));
    assert_false(text_to_hex32(text_of("deadbeeff"), &narrow));
    assert_false(text_to_hex32(text_of("deadbeeF"), &narrow));
}

static void text__copy_is_owned_and_ends_in_nul(void **state)
{
    char source[] = "stalls";
    (void)state;
    struct text copy = text_copy(text_from(source, 5));
    source[0] = 'x';
    assert_string_equal(copy.data, "stall");
    text_free(&copy);
    assert_null(copy.data);
    assert_int_equal(copy.size, 0);
    copy = text_copy(text_of(NULL));
    assert_string_equal(copy.data, "");
    text_free(&copy);
}

static void buffer__grows_and_ends_in_nul(void **state)
{
    struct buffer buffer = {0};
    (void)state;
    assert_null(buffer_view(&buffer).data);
    for (int i = 0; i < 10000; i++) {
        buffer_byte(&buffer, (char)('a' + i % 26));
        assert_int_equal(buffer.data[buffer.size], '\0');
    }
    assert_int_equal(buffer.size, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buffer.data[i], 'a' + i % 26);
    buffer_release(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.capacity, 0);
}

static void buffer__clear_keeps_the_memory_and_is_empty(void **state)
{
    struct buffer buffer = {0};
    (void)state;
    buffer_clear(&buffer);
    buffer_string(&buffer, "held");
    const char *before = buffer.data;
    buffer_clear(&buffer);
    assert_int_equal(buffer_view(&buffer).size, 0);
    assert_string_equal(buffer.data, "");
    buffer_string(&buffer, "sold");
    assert_ptr_equal(buffer.data, before);
    assert_string_equal(buffer.data, "sold");
    buffer_release(&buffer);
}

static void buffer__puts_texts_and_numbers_one_after_another(void **state)
{
    struct buffer buffer = {0};
    (void)state;
    buffer_text(&buffer, text_of("a"));
    buffer_text(&buffer, text_of(NULL));
    buffer_add(&buffer, "b\0c", 3);
    buffer_i64(&buffer, 0);
    buffer_byte(&buffer, ' ');
    buffer_i64(&buffer, -17);
    buffer_byte(&buffer, ' ');
    buffer_i64(&buffer, INT64_MAX);
    buffer_byte(&buffer, ' ');
    buffer_i64(&buffer, INT64_MIN);
    static const char expected[] = "ab\0c0 -17 9223372036854775807 -9223372036854775808";
    assert_int_equal(buffer.size, sizeof expected - 1);
    assert_memory_equal(buffer.data, expected, sizeof expected);
    buffer_release(&buffer);
}

static void buffer__prints_behind_what_is_there(void **state)
{
    struct buffer buffer = {0}, expected = {0};
    (void)state;
    buffer_string(&buffer, "seats: ");
    for (int i = 0; i < 300; i++)
        buffer_print(&buffer, "%d,%s;", i, "row");
    buffer_string(&expected, "seats: ");
    for (int i = 0; i < 300; i++) {
        buffer_i64(&expected, i);
        buffer_string(&expected, ",row;");
    }
    assert_true(text_equal(buffer_view(&buffer), buffer_view(&expected)));
    assert_int_equal(buffer.data[buffer.size], '\0');
    buffer_print(&buffer, "%s", "");
    assert_int_equal(buffer.size, expected.size);
    buffer_release(&buffer);
    buffer_release(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__trims_blanks_and_tabs),
        cmocka_unit_test(text__of_a_string_ends_at_its_nul),
        cmocka_unit_test(text__equal_compares_bytes_and_size),
        cmocka_unit_test(text__starts_wants_the_whole_prefix),
        cmocka_unit_test(text__cut_takes_what_is_before_the_separator),
        cmocka_unit_test(text__cut_without_separator_takes_all),
        cmocka_unit_test(text__decimal_is_canonical_or_nothing),
        cmocka_unit_test(text__hex_is_lower_case_and_of_full_length),
        cmocka_unit_test(text__copy_is_owned_and_ends_in_nul),
        cmocka_unit_test(buffer__grows_and_ends_in_nul),
        cmocka_unit_test(buffer__clear_keeps_the_memory_and_is_empty),
        cmocka_unit_test(buffer__puts_texts_and_numbers_one_after_another),
        cmocka_unit_test(buffer__prints_behind_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
