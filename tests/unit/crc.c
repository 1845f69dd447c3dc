/* Both checksums by the vectors of those who defined them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/crc.h"

#include <string.h>

static void crc32__matches_the_check_value(void **state)
{
    (void)state;
    assert_int_equal(crc32_of("123456789", 9), 0xcbf43926);
    assert_int_equal(crc32_of(NULL, 0), 0);
    assert_int_equal(crc32_of("a", 1), 0xe8b7be43);
    assert_int_equal(crc32_of("The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
}

/* RFC 3720, appendix B.4. */
static void crc32c__matches_the_rfc(void **state)
{
    unsigned char bytes[32];
    (void)state;
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c_add(0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c_add(0, bytes, sizeof bytes), 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(crc32c_add(0, bytes, sizeof bytes), 0x46dd794e);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)(31 - i);
    assert_int_equal(crc32c_add(0, bytes, sizeof bytes), 0x113fdb5c);
    assert_int_equal(crc32c_add(0, "123456789", 9), 0xe3069283);
}

static void crc32c__goes_on_where_it_stopped(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 9; cut++) {
        uint32_t sum = crc32c_add(0, "123456789", cut);
        assert_int_equal(crc32c_add(sum, &"123456789"[cut], 9 - cut), 0xe3069283);
    }
}

/* Bit by bit, as the polynomials are written: every byte value, so every line of the tables. */
static uint32_t slow(uint32_t polynomial, const unsigned char *bytes, size_t size)
{
    uint32_t sum = ~0u;
    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ polynomial : sum >> 1;
    }
    return ~sum;
}

static void crc__agrees_with_the_polynomials(void **state)
{
    unsigned char bytes[256];
    (void)state;
    for (int i = 0; i < 256; i++) {
        bytes[i] = (unsigned char)i;
        assert_int_equal(crc32_of(&bytes[i], 1), slow(0xedb88320, &bytes[i], 1));
        assert_int_equal(crc32c_add(0, &bytes[i], 1), slow(0x82f63b78, &bytes[i], 1));
    }
    assert_int_equal(crc32_of(bytes, 256), slow(0xedb88320, bytes, 256));
    assert_int_equal(crc32c_add(0, bytes, 256), slow(0x82f63b78, bytes, 256));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32__matches_the_check_value),
        cmocka_unit_test(crc32c__matches_the_rfc),
        cmocka_unit_test(crc32c__goes_on_where_it_stopped),
        cmocka_unit_test(crc__agrees_with_the_polynomials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
