/* The command line, and the environment behind it. */
#include "api/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buffer said;

static bool parse(struct options *options, int count, ...)
{
    char *arguments[16] = {"stagedoor-edge"};
    va_list list;
    va_start(list, count);
    for (int i = 1; i <= count; i++)
        arguments[i] = va_arg(list, char *);
    va_end(list);
    buffer_clear(&said);
    return options_read_edge(count + 1, arguments, options, &said) == OPTIONS_OK;
}

static void options__take_both_spellings_and_defaults(void **state)
{
    static struct options options;
    (void)state;
    assert_true(parse(&options, 5, "--bus", "sqlite:x", "--listen=127.0.0.1:0=monolith", "--listen",
                      "[::1]:80"));
    assert_string_equal(options.bus.url, "sqlite:x");
    assert_int_equal(options.listener_count, 2);
    assert_string_equal(options.listeners[0].port, "0");
    assert_string_equal(options.listeners[1].host, "::1");
    assert_false(parse(&options, 4, "--bus", "sqlite:x", "--listen", "127.0.0.1:0=box"));
    assert_true(parse(&options, 4, "--bus", "sqlite:x", "--listen", "127.0.0.1:0=shows"));
    assert_int_equal(options.listeners[0].kind, LISTENER_SHOWS);
    assert_true(parse(&options, 5, "--bus", "sqlite:x", "--listen=127.0.0.1:0=monolith", "--listen",
                      "[::1]:80"));
    assert_int_equal(options.connections_max, 4096);
    assert_true(options.sample);
}

static void options__read_the_environment(void **state)
{
    static struct options options;
    (void)state;
    setenv("STAGEDOOR_BUS", "kafka://a:1", 1);
    setenv("STAGEDOOR_SAMPLE", "off", 1);
    assert_true(parse(&options, 0));
    assert_string_equal(options.bus.url, "kafka://a:1");
    assert_false(options.sample);
    assert_string_equal(options.listeners[0].host, "127.0.0.1");
    setenv("STAGEDOOR_SAMPLE", "maybe", 1);
    assert_false(parse(&options, 0));
    unsetenv("STAGEDOOR_BUS");
    unsetenv("STAGEDOOR_SAMPLE");
}

static void options__send_customers_to_pay(void **state)
{
    static struct options options;
    (void)state;
    setenv("STAGEDOOR_PAY_URL", "a=http://a/{payment_id},b=https://b/?p={payment_id}&x=1", 1);
    assert_true(parse(&options, 2, "--bus", "sqlite:x"));
    assert_int_equal(options.pay_url_count, 2);
    const struct pay_url *b = options_pay_url(&options, text_of("b"));
    assert_true(b && text_is(b->url, "https://b/?p={payment_id}&x=1"));
    assert_true(
        parse(&options, 4, "--bus", "sqlite:x", "--pay-url", "paydesk=https://pay/{payment_id}"));
    unsetenv("STAGEDOOR_PAY_URL");
    assert_int_equal(options.pay_url_count, 1);
    assert_null(options_pay_url(&options, text_of("b")));
    assert_null(options_pay_url(&options, text_of("")));
}

static void options__refuse_with_one_line(void **state)
{
    static struct options options;
    static const char *const bad[][2] = {
        {"--nonsense", "1"},
        {"--listen", "3000"},
        {"--listen", "h:99999"},
        {"--listen", "h:1=what"},
        {"--in-flight-max", "zero"},
        {"--connections-max", "0"},
        {"--log-level", "loud"},
        {"--sample", "yes"},
        {"--pay-url", "https://pay/{payment_id}"},
        {"--pay-url", "paydesk=https://pay/"},
        {"--pay-url", "paydesk=https://pay/{payment_id}/{payment_id}"},
        {"--pay-url", "paydesk=javascript:{payment_id}"},
        {"--pay-url", "pay desk=https://pay/{payment_id}"},
        {"--pay-url", "paydesk=https://pay/{payment_id}\"x"},
        {"--pay-url", "a=https://pay/{payment_id},a=https://pay/{payment_id}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(parse(&options, 4, "--bus", "sqlite:x", bad[i][0], bad[i][1]));
        assert_true(said.size > 0 && strchr(said.data, '\n') == NULL);
    }
    assert_false(parse(&options, 1, "--bus"));
    assert_false(parse(&options, 0));
    assert_non_null(strstr(said.data, "--bus URL is needed"));
}

static void loopback__is_this_machine(void **state)
{
    (void)state;
    assert_true(options_is_loopback("localhost") && options_is_loopback("127.0.0.9") &&
                options_is_loopback("::1"));
    assert_false(options_is_loopback("0.0.0.0") || options_is_loopback("::") ||
                 options_is_loopback("example.org"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options__take_both_spellings_and_defaults),
        cmocka_unit_test(options__read_the_environment),
        cmocka_unit_test(options__send_customers_to_pay),
        cmocka_unit_test(options__refuse_with_one_line),
        cmocka_unit_test(loopback__is_this_machine),
    };
    int failed = cmocka_run_group_tests_name("edge_options", tests, NULL, NULL);
    buffer_release(&said);
    return failed;
}
