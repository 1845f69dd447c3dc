/* Standard Webhooks' signature against vectors that were not made here. */
#include "paydesk/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define A32    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 24 bytes */

static void print__is_the_vector_of_the_reference_implementations(void **state)
{
    struct signature_key key;
    char out[SIGNATURE_SIZE];
    (void)state;
    assert_null(signature_key_parse(text_of(SECRET), &key));
    assert_int_equal(key.size, 24);
    signature_print(&key, text_of("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
                    text_of("{\"test\": 2432232314}"), out);
    assert_string_equal(out, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void print__changes_with_everything_it_signs(void **state)
{
    struct signature_key key, other;
    char first[SIGNATURE_SIZE], out[SIGNATURE_SIZE];
    (void)state;
    assert_null(signature_key_parse(text_of(SECRET), &key));
    assert_null(signature_key_parse(text_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"), &other));
    signature_print(&key, text_of("msg_1"), 1, text_of("{}"), first);
    assert_string_not_equal(first, signature_print(&key, text_of("msg_2"), 1, text_of("{}"), out));
    assert_string_not_equal(first, signature_print(&key, text_of("msg_1"), 2, text_of("{}"), out));
    assert_string_not_equal(first, signature_print(&key, text_of("msg_1"), 1, text_of("{ }"), out));
    assert_string_not_equal(first,
                            signature_print(&other, text_of("msg_1"), 1, text_of("{}"), out));
    assert_string_equal(first, signature_print(&key, text_of("msg_1"), 1, text_of("{}"), out));
}

static void key__has_its_prefix_its_alphabet_and_its_size(void **state)
{
    static const struct {
        const char *secret;
        size_t size; /* 0: refused */
    } rows[] = {
        {SECRET, 24},
        {"whsec_" A32 "AA==", 25},
        {"whsec_" A32 "AAA=", 26},
        {"whsec_" A32 A32 "AAAAAAAAAAAAAAAAAAAAAA==", 64},
        {"whsec_" A32 A32 "AAAAAAAAAAAAAAAAAAAAAAA=", 0}, /* 65 */
        {"whsec_" A32 A32 A32, 0},
        {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0},
        {"whsec_", 0},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", 0},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-", 0},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La===w", 0},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La LaSw", 0},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2Laa===", 0},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2I=", 0},
        {"", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct signature_key key;
        const char *problem = signature_key_parse(text_of(rows[i].secret), &key);
        if ((problem == NULL) != (rows[i].size > 0))
            fail_msg("'%s': %s", rows[i].secret, problem ? problem : "taken");
        if (problem == NULL)
            assert_int_equal(key.size, rows[i].size);
        else
            assert_null(strstr(problem, "MfKQ")); /* never a secret */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(print__is_the_vector_of_the_reference_implementations),
        cmocka_unit_test(print__changes_with_everything_it_signs),
        cmocka_unit_test(key__has_its_prefix_its_alphabet_and_its_size),
    };
    return cmocka_run_group_tests_name("paydesk_signature", tests, NULL, NULL);
}
