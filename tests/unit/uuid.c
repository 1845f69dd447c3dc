/* Identifiers: their form, and that names and hashes always give the same ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/uuid.h"

#include <string.h>

static void uuid__from_hash_sets_version_and_variant_only(void **state)
{
    unsigned char zeros[16] = {0}, ones[16], steps[16];
    char out[UUID_SIZE];
    (void)state;
    memset(ones, 0xff, sizeof ones);
    for (int i = 0; i < 16; i++)
        steps[i] = (unsigned char)(i * 0x11);
    assert_string_equal(uuid_from_hash(zeros, out), "00000000-0000-8000-8000-000000000000");
    assert_string_equal(uuid_from_hash(ones, out), "ffffffff-ffff-8fff-bfff-ffffffffffff");
    assert_string_equal(uuid_from_hash(steps, out), "00112233-4455-8677-8899-aabbccddeeff");
}

/* Computed by Python: uuid.uuid5(uuid.UUID('6b1f0c52-9d3e-4a77-8a10-5e2d71c493b8'), name). A change
 * here would give every refund another id. */
static void uuid__from_name_never_changes(void **state)
{
    char out[UUID_SIZE];
    (void)state;
    assert_string_equal(uuid_from_name(text_of(""), out), "2b5c7031-79ef-537d-a1a0-6561ed3d88ef");
    assert_string_equal(uuid_from_name(text_of("shows/2/815-00000000deadbeef.7"), out),
                        "58176c07-b475-5673-849e-2286fc0a0eea");
}

static void uuid__random_is_version_4_and_differs(void **state)
{
    char one[UUID_SIZE], other[UUID_SIZE];
    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_true(uuid_valid(text_of(uuid_random(one))));
        assert_int_equal(one[14], '4');
        assert_non_null(strchr("89ab", one[19]));
        assert_string_not_equal(one, uuid_random(other));
    }
}

static void uuid__valid_is_strict(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96", true},
        {"00000000-0000-0000-0000-000000000000", true},
        {"ffffffff-ffff-ffff-ffff-ffffffffffff", true},
        {"0B7E6A52-6C1F-8D8E-9A41-3F0C5E2D7B96", false},
        {"0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b9", false},
        {"0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b960", false},
        {"0b7e6a526c1f8d8e9a413f0c5e2d7b96", false},
        {"0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b9g", false},
        {"0b7e6a52-6c1f-8d8e-9a413-f0c5e2d7b96", false},
        {"0b7e6a5-26c1f-8d8e-9a41-3f0c5e2d7b96", false},
        {"0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b9`", false},
        {"0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b9/", false},
        {"{b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b9}", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(uuid_valid(text_of(rows[i].text)), rows[i].good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uuid__from_hash_sets_version_and_variant_only),
        cmocka_unit_test(uuid__from_name_never_changes),
        cmocka_unit_test(uuid__random_is_version_4_and_differs),
        cmocka_unit_test(uuid__valid_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
