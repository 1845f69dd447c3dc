/* What can be published, and examples of it. */
#include "base/arena.h"
#include "cli/examples.h"
#include "cli/publish_list.h"
#include "schemas/codec.h"
#include "schemas/describe.h"
#include "schemas/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* 2031-01-01T00:00:00Z */
#define LATER_MS INT64_C(1924992000000)

static void example__is_taken_whenever_it_is_asked_for(void **state)
{
    static const int64_t nows_ms[] = {0, INT64_C(1791050000000), LATER_MS, TIME_MS_MAX};
    struct arena arena = {0};
    static struct message message;
    struct codec_error error;
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++)
        for (size_t i = 0; i < sizeof nows_ms / sizeof *nows_ms; i++) {
            struct buffer out = {0};
            example_print((enum message_type)type, nows_ms[i], &out);
            assert_int_equal(
                codec_decode((enum message_type)type, buffer_view(&out), &arena, &message, &error),
                CODEC_OK);
            assert_false(message_has(&message, fingerprint));
            buffer_release(&out);
        }
    arena_release(&arena);
}

static void example__times_move_with_the_calendar(void **state)
{
    struct arena arena = {0};
    static struct message message;
    struct codec_error error;
    struct buffer out = {0};
    (void)state;
    example_print(MESSAGE_CreateShow, LATER_MS, &out);
    codec_decode(MESSAGE_CreateShow, buffer_view(&out), &arena, &message, &error);
    assert_true(message.starts_at_ms > LATER_MS && message.off_sale_at_ms > LATER_MS);
    assert_true(message.on_sale_at_ms < LATER_MS); /* one can buy at once */
    buffer_clear(&out);
    example_print(MESSAGE_ExtendReservation, LATER_MS, &out);
    codec_decode(MESSAGE_ExtendReservation, buffer_view(&out), &arena, &message, &error);
    assert_true(message.until_at_ms > LATER_MS);
    buffer_release(&out);
    arena_release(&arena);
}

static void list__names_every_command_once(void **state)
{
    struct buffer out = {0};
    (void)state;
    publish_list(&out);
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct buffer line = {0};
        buffer_print(&line, "\n  %s\n", message_name((enum message_type)type));
        const char *found = strstr(out.data, line.data);
        assert_int_equal(found != NULL, message_role((enum message_type)type) == ROLE_COMMAND);
        assert_null(found ? strstr(found + 1, line.data) : NULL);
        buffer_release(&line);
    }
    assert_non_null(strstr(out.data, "  RequestReservation\n    * show_id"));
    assert_non_null(strstr(out.data, "\n    * lines "));
    assert_non_null(strstr(out.data, "\n        * tier_id "));
    assert_non_null(strstr(out.data, "* channel "));
    assert_non_null(strstr(out.data, "one of: web, boxoffice, api\n"));
    assert_non_null(strstr(out.data, "\n      party "));
    buffer_release(&out);
}

static void list__as_json_is_an_object_a_line(void **state)
{
    struct buffer out = {0};
    const char *problem;
    size_t at;
    int count = 0;
    (void)state;
    publish_list_json(&out);
    for (struct text rest = buffer_view(&out); rest.size; count++) {
        struct json *document = json_parse(text_cut(&rest, '\n'), &problem, &at);
        assert_non_null(document);
        assert_true(json_size(json_member(document, "fields")) > 0);
        json_free(document);
    }
    int commands = 0;
    for (int type = 0; type < MESSAGE_COUNT; type++)
        commands += message_role((enum message_type)type) == ROLE_COMMAND;
    assert_int_equal(count, commands);
    buffer_release(&out);
}

/* The parts of an object are needed within it, also when it may be left out itself. */
static void describe__goes_into_objects_and_lists(void **state)
{
    static struct described fields[DESCRIBED_MAX];
    int count = describe_message(MESSAGE_CreateShow, fields), at = 0;
    (void)state;
    while (at < count && strcmp(fields[at].path, "tiers") != 0)
        at++;
    assert_true(at + 4 < count && !fields[at].needed);
    assert_string_equal(fields[at + 1].path, "tiers[].tier_id");
    assert_true(fields[at + 1].needed);
    assert_string_equal(fields[at + 4].path, "tiers[].capacity");
    assert_false(fields[at + 4].needed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example__is_taken_whenever_it_is_asked_for),
        cmocka_unit_test(example__times_move_with_the_calendar),
        cmocka_unit_test(list__names_every_command_once),
        cmocka_unit_test(list__as_json_is_an_object_a_line),
        cmocka_unit_test(describe__goes_into_objects_and_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
