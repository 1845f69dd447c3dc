/* Where requests come from: addresses, networks, and whom proxies speak for. */
#include "api/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct address parsed(const char *text)
{
    struct address address;
    if (!address_parse(text_of(text), &address))
        fail_msg("'%s' was not understood", text);
    return address;
}

static void assert_same(struct address a, const char *text)
{
    struct address b = parsed(text);
    assert_memory_equal(&a, &b, sizeof a);
}

static void address__is_read_in_every_way_it_is_written(void **state)
{
    static const char *const good[][2] = {
        {"192.0.2.1", "192.0.2.1"},           {"192.0.2.1:4711", "192.0.2.1"},
        {"\"192.0.2.1:4711\"", "192.0.2.1"},  {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},       {"\"[2001:db8::1]:4711\"", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8:0::0:1"},
    };
    static const char *const bad[] = {"",       "unknown", "_hidden",      "192.0.2", "192.0.2.256",
                                      "1:2:3",  "[::1",    "192.0.2.1/24", "\"\"",    "[]",
                                      "a:4711", "::1%lo"};
    struct address address;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_same(parsed(good[i][0]), good[i][1]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (address_parse(text_of(bad[i]), &address))
            fail_msg("'%s' was taken for an address", bad[i]);
}

static void address__loopback_and_customers(void **state)
{
    struct address address = parsed("127.3.2.1");
    (void)state;
    assert_true(address_is_loopback(&address));
    address = parsed("::1");
    assert_true(address_is_loopback(&address));
    address = parsed("128.0.0.1");
    assert_false(address_is_loopback(&address));
    assert_same(address_customer(&address), "128.0.0.1");
    address = parsed("2001:db8:1:2:3:4:5:6");
    assert_same(address_customer(&address), "2001:db8:1:2::");
}

static void network__has_what_shares_its_bits(void **state)
{
    static const struct {
        const char *network, *address;
        bool has;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"192.0.2.128/25", "192.0.2.200", true},
        {"192.0.2.128/25", "192.0.2.100", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"2001:db8::/32", "2001:db8:9::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "1.2.3.4", true},
    };
    static const char *const bad[] = {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
                                      "10/8",       "::/129",      "",          "/8"};
    struct network network;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct networks networks = {.count = 1};
        struct address address = parsed(cases[i].address);
        assert_true(network_parse(text_of(cases[i].network), &networks.items[0]));
        if (networks_have(&networks, &address) != cases[i].has)
            fail_msg("%s in %s", cases[i].address, cases[i].network);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (network_parse(text_of(bad[i]), &network))
            fail_msg("'%s' was taken for a network", bad[i]);
}

static void proxies__only_trusted_ones_are_believed(void **state)
{
    static const struct {
        const char *peer, *forwarded, *x_forwarded_for, *behind;
    } cases[] = {
        {"192.0.2.9", NULL, "198.51.100.7", "192.0.2.9"}, /* no proxy of ours */
        {"10.0.0.1", NULL, NULL, "10.0.0.1"},
        {"10.0.0.1", NULL, "198.51.100.7", "198.51.100.7"},
        {"10.0.0.1", NULL, "1.1.1.1, 198.51.100.7", "198.51.100.7"}, /* the customer's own lie */
        {"10.0.0.1", NULL, "1.1.1.1, 198.51.100.7,\t10.0.0.2 ", "198.51.100.7"},
        {"10.0.0.1", NULL, "10.0.0.3, 10.0.0.2", "10.0.0.3"},
        {"10.0.0.1", NULL, "198.51.100.7, unknown", "10.0.0.1"},
        {"10.0.0.1", "for=198.51.100.7;proto=https, for=10.0.0.2", NULL, "198.51.100.7"},
        {"10.0.0.1", "proto=https; For=\"[2001:db8::7]:80\"", "1.1.1.1", "2001:db8::7"},
        {"10.0.0.1", "by=10.0.0.1", "1.1.1.1", "10.0.0.1"},
        {"10.0.0.1", "", "1.1.1.1", "10.0.0.1"},
    };
    struct networks trusted = {.count = 1};
    (void)state;
    assert_true(network_parse(text_of("10.0.0.0/8"), &trusted.items[0]));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address peer = parsed(cases[i].peer), expected = parsed(cases[i].behind);
        struct address behind = address_behind(&trusted, &peer, text_of(cases[i].forwarded),
                                               text_of(cases[i].x_forwarded_for));
        if (memcmp(&behind, &expected, sizeof behind) != 0)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address__is_read_in_every_way_it_is_written),
        cmocka_unit_test(address__loopback_and_customers),
        cmocka_unit_test(network__has_what_shares_its_bits),
        cmocka_unit_test(proxies__only_trusted_ones_are_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
