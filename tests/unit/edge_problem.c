/* The table of errors, and bodies read strictly. */
#include "api/body.h"
#include "api/problem.h"
#include "api/sample_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void codes__have_the_status_of_the_table(void **state)
{
    static const struct {
        const char *code;
        int status;
    } rows[] = {
        {"invalid", 400},      {"key_weak", 400},           {"key_missing", 400},
        {"unauthorized", 401}, {"forbidden", 403},          {"not_found", 404},
        {"sold_out", 409},     {"all_held", 409},           {"precondition", 409},
        {"hold_expired", 410}, {"too_large", 413},          {"unsupported_media_type", 415},
        {"key_reused", 422},   {"overloaded", 503},         {"bus_unavailable", 503},
        {"catching_up", 503},  {"method_not_allowed", 405},
    };
    enum problem problem;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(problem_named(text_of(rows[i].code), &problem));
        assert_int_equal(problem_status(problem), rows[i].status);
    }
}

static void reasons__and_codes_all_map(void **state)
{
    (void)state;
    for (int i = 0; i < reason_COUNT; i++) {
        assert_int_not_equal(problem_status(problem_of_reason((enum reason)i)), 503);
        assert_string_not_equal(problem_reason_text((enum reason)i),
                                problem_reason_text(reason_COUNT));
    }
    for (int i = 0; i < code_COUNT; i++)
        assert_in_range(problem_status(problem_of_code((enum code)i)), 400, 422);
    assert_int_equal(problem_of_reason(reason_no_such_show), PROBLEM_not_found);
    assert_int_equal(problem_of_code(code_conflict), PROBLEM_key_reused);
}

static struct request request;

static int setup(void **state)
{
    (void)state;
    request_init(&request);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    request_release(&request);
    return 0;
}

static void give(const char *body)
{
    request_release(&request);
    request_init(&request);
    buffer_string(&request.body, body);
}

static void problem__is_rfc_9457(void **state)
{
    (void)state;
    problem_answer(&request, PROBLEM_overloaded, "wait %d s", 1);
    assert_int_equal(request.answer.status, 503);
    assert_string_equal(request.answer.content_type, "application/problem+json");
    assert_string_equal(
        request.answer.body.data,
        "{\"type\":\"/problems/overloaded\",\"title\":\"Too much at once; try again\","
        "\"status\":503,\"detail\":\"wait 1 s\",\"code\":\"overloaded\"}\n");
    assert_string_equal(request.answer.headers[0].name, "Retry-After");
}

static void problem__speaks_like_the_sample(void **state)
{
    (void)state;
    request.sample = true;
    problem_answer(&request, PROBLEM_sold_out, "not enough seats");
    assert_string_equal(request.answer.body.data, "{\"error\":\"not enough seats\"}\n");
}

static void body__refuses_what_it_does_not_know(void **state)
{
    static const struct {
        const char *body;
        const char *pointer; /* NULL: good */
    } rows[] = {
        {"{\"a\":1,\"lines\":[{\"tier_id\":\"x\",\"quantity\":1}]}", NULL},
        {"{\"a\":\"1\"}", "\"pointer\":\"/a\""},
        {"{\"a\":1.5}", "\"pointer\":\"/a\""},
        {"{\"b\":1}", "\"pointer\":\"/b\""},
        {"{\"lines\":{}}", "\"pointer\":\"/lines\""},
        {"{\"lines\":[]}", "\"pointer\":\"/lines\""},
        {"{\"lines\":[{\"tier_id\":\"x\"}]}", "\"pointer\":\"/lines/0/quantity\""},
        {"{\"lines\":[{\"tier_id\":\"x\",\"quantity\":1,\"z\":0}]}", "\"pointer\":\"/lines/0/z\""},
        {"[]", "\"pointer\":\"\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct body body;
        struct lines lines;
        int64_t a;
        give(rows[i].body);
        if (body_open(&body, &request, false)) {
            body_i64(&body, "a", &a);
            body_lines(&body, &lines);
        }
        assert_int_equal(body_close(&body), rows[i].pointer == NULL);
        if (rows[i].pointer)
            assert_non_null(strstr(request.answer.body.data, rows[i].pointer));
    }
}

static void check__names_the_fields_of_the_body(void **state)
{
    struct message command = {0};
    struct holder holder = {text_of("Ann"), text_of("no address"), {NULL, 0}};
    (void)state;
    message_init(&command, MESSAGE_RequestReservation);
    message_set(&command, show_id, text_of("s"));
    message_set(&command, reservation_id, text_of("11111111-1111-4111-8111-111111111111"));
    message_set(&command, wanted, (struct lines){1, {{TEXT("a"), 1, 0}}});
    message_set(&command, holder, holder);
    message_set(&command, channel, channel_web);
    assert_false(command_check(&request, &command));
    assert_non_null(strstr(request.answer.body.data, "\"pointer\":\"/email\""));
    give("");
    command.holder.email = (struct text){NULL, 0};
    assert_true(command_check(&request, &command));
}

static void sample__reads_forms_and_digits(void **state)
{
    struct sample_body body;
    (void)state;
    give("name=Eve+%41%zz&count=12&showID=s1");
    request.headers.content_type = text_of("application/x-www-form-urlencoded");
    assert_true(sample_body_read(&request, &body, SAMPLE_NAME | SAMPLE_COUNT | SAMPLE_SHOW));
    assert_true(text_is(body.name, "Eve A%zz"));
    assert_int_equal(body.count, 12);
    give("{\"name\":\"x\",\"count\":\"07\",\"showID\":1}");
    assert_false(sample_body_read(&request, &body, SAMPLE_COUNT));
    give("{\"name\":\"x\",\"count\":7,\"showID\":1,\"more\":null}");
    assert_true(sample_body_read(&request, &body, SAMPLE_COUNT | SAMPLE_SHOW));
    assert_true(text_is(body.show_id, "1"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes__have_the_status_of_the_table),
        cmocka_unit_test(reasons__and_codes_all_map),
        CASE(problem__is_rfc_9457),
        CASE(problem__speaks_like_the_sample),
        CASE(body__refuses_what_it_does_not_know),
        CASE(check__names_the_fields_of_the_body),
        CASE(sample__reads_forms_and_digits),
    };
    return cmocka_run_group_tests_name("edge_problem", tests, NULL, NULL);
}
