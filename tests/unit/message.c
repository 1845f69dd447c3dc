/* The names of messages.def and how they are looked up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schemas/message.h"
#include "schemas/shape.h"

#include <string.h>

static void message__every_name_is_found_again(void **state)
{
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++)
        assert_int_equal(message_named(text_of(message_name((enum message_type)type))), type);
    assert_string_equal(message_name(MESSAGE_SeatsHeld), "SeatsHeld");
    assert_int_equal(message_named(text_of("seatsheld")), MESSAGE_NONE);
    assert_int_equal(message_named(text_of("SeatsHel")), MESSAGE_NONE);
    assert_int_equal(message_named(text_of("SeatsHeldd")), MESSAGE_NONE);
    assert_int_equal(message_named(text_of(NULL)), MESSAGE_NONE);
}

static void message__type_is_read_as_it_was_printed(void **state)
{
    static const enum speaker services[] = {SPEAKER_shows, SPEAKER_reservations, SPEAKER_checkout};
    struct buffer out = {0};
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++)
        for (int i = 0; i < 3; i++) {
            enum speaker own = message_speaker((enum message_type)type), speaker = SPEAKER_any;
            buffer_clear(&out);
            message_type_print((enum message_type)type, services[i], &out);
            assert_int_equal(message_type_parse(buffer_view(&out), &speaker), type);
            assert_int_equal(speaker, own == SPEAKER_any ? services[i] : own);
        }
    buffer_release(&out);
}

static void message__type_names_its_own_speaker(void **state)
{
    static const struct {
        const char *text;
        enum message_type type;
        enum speaker speaker;
    } rows[] = {
        {"stagedoor.shows.SeatsHeld", MESSAGE_SeatsHeld, SPEAKER_shows},
        {"stagedoor.checkout.SeatsHeld", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor.any.SeatsHeld", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor.shows.Refused", MESSAGE_Refused, SPEAKER_shows},
        {"stagedoor.reservations.Refused", MESSAGE_Refused, SPEAKER_reservations},
        {"stagedoor.checkout.Refused", MESSAGE_Refused, SPEAKER_checkout},
        {"stagedoor.any.Refused", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor.bus.Refused", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor.bus.Claimed", MESSAGE_Claimed, SPEAKER_bus},
        {"stagedoor.shows.Claimed", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor.shows.", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor.shows", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor", MESSAGE_NONE, SPEAKER_any},
        {"", MESSAGE_NONE, SPEAKER_any},
        {"SeatsHeld", MESSAGE_NONE, SPEAKER_any},
        {"Stagedoor.shows.SeatsHeld", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor.shows.SeatsHeld.v1", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor.shows.SeatsHeld ", MESSAGE_NONE, SPEAKER_any},
        {".stagedoor.shows.SeatsHeld", MESSAGE_NONE, SPEAKER_any},
        {"stagedoor..SeatsHeld", MESSAGE_NONE, SPEAKER_any},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum speaker speaker;
        enum message_type type = message_type_parse(text_of(rows[i].text), &speaker);
        if (type != rows[i].type || (type != MESSAGE_NONE && speaker != rows[i].speaker))
            fail_msg("'%s' was read as type %d", rows[i].text, type);
    }
}

/* Commands belong to one service; what the bus says is said by nobody else. */
static void message__roles_and_speakers_fit(void **state)
{
    (void)state;
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        enum message_type type = (enum message_type)i;
        enum speaker speaker = message_speaker(type);
        assert_int_equal(message_role(type) == ROLE_BUS, speaker == SPEAKER_bus);
        if (message_role(type) == ROLE_COMMAND)
            assert_true(speaker <= SPEAKER_checkout);
    }
    assert_string_equal(speaker_name(SPEAKER_shows), "shows");
    assert_string_equal(speaker_name(SPEAKER_reservations), "reservations");
    assert_string_equal(speaker_name(SPEAKER_checkout), "checkout");
    assert_string_equal(speaker_name(SPEAKER_bus), "bus");
}

static void message__of_a_show_needs_its_id(void **state)
{
    (void)state;
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        enum message_type type = (enum message_type)i;
        bool of_a_show = message_role(type) != ROLE_BUS && type != MESSAGE_Refused;
        assert_int_equal(message_needs(type, FIELD_show_id), of_a_show);
    }
}

static void message__may_and_needs_follow_the_table(void **state)
{
    (void)state;
    assert_true(message_may(MESSAGE_SetCapacity, FIELD_capacity));
    assert_true(message_needs(MESSAGE_SetCapacity, FIELD_capacity));
    assert_true(message_may(MESSAGE_SetCapacity, FIELD_force));
    assert_false(message_needs(MESSAGE_SetCapacity, FIELD_force));
    assert_false(message_may(MESSAGE_SetCapacity, FIELD_lines));
    assert_false(message_needs(MESSAGE_SetCapacity, FIELD_lines));
    for (int type = 0; type < MESSAGE_COUNT; type++)
        for (int field = 0; field < FIELD_COUNT; field++)
            if (message_needs((enum message_type)type, (enum field)field))
                assert_true(message_may((enum message_type)type, (enum field)field));
}

/* Two C names may share a JSON name, but not in one message. */
static void message__json_names_are_unique_in_a_message(void **state)
{
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct shape shape = message_shape((enum message_type)type);
        for (int i = 0; i < shape.count; i++)
            for (int k = 0; k < i; k++)
                assert_string_not_equal(shape.members[i].json, shape.members[k].json);
    }
}

static void message__init_leaves_no_field(void **state)
{
    struct message message;
    (void)state;
    memset(&message, 0xff, sizeof message);
    message_init(&message, MESSAGE_SeatsHeld);
    assert_int_equal(message.type, MESSAGE_SeatsHeld);
    assert_null(message.id.data);
    assert_int_equal(message.cause_id.size + message.correlation_id.size + message.actor.size, 0);
    assert_int_equal(message.traceparent.size, 0);
    assert_int_equal(message.at_ms, 0);
    for (int field = 0; field < FIELD_COUNT; field++)
        assert_false(message.has[field]);
}

static void message__set_and_copy_carry_absence_too(void **state)
{
    struct message from, to;
    (void)state;
    message_init(&from, MESSAGE_SeatsHeld);
    message_init(&to, MESSAGE_SeatsSold);
    message_set(&from, quantity, 4);
    message_set(&to, seq, 9);
    message_copy(&to, &from, quantity);
    message_copy(&to, &from, seq);
    assert_true(message_has(&to, quantity));
    assert_int_equal(to.quantity, 4);
    assert_false(message_has(&to, seq));
}

static void message__words_are_found_again(void **state)
{
    (void)state;
#define WORD(name, word) #word,
#define WORDS(enum_name, ...)                                                                      \
    {                                                                                              \
        static const char *const words[] = {__VA_ARGS__};                                          \
        assert_int_equal(sizeof words / sizeof *words, enum_name##_COUNT);                         \
        for (unsigned i = 0; i < enum_name##_COUNT; i++) {                                         \
            enum enum_name value;                                                                  \
            assert_string_equal(enum_name##_name((enum enum_name)i), words[i]);                    \
            assert_true(enum_name##_named(text_of(words[i]), &value));                             \
            assert_int_equal(value, i);                                                            \
        }                                                                                          \
        enum enum_name unchanged = (enum enum_name)0;                                              \
        assert_false(enum_name##_named(text_of("WEB"), &unchanged));                               \
        assert_false(enum_name##_named(text_of(""), &unchanged));                                  \
        assert_int_equal(unchanged, 0);                                                            \
    }
#include "schemas/messages.def"
#undef WORD
    assert_string_equal(channel_name(channel_boxoffice), "boxoffice");
    assert_string_equal(reason_name(reason_sold_out), "sold_out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message__every_name_is_found_again),
        cmocka_unit_test(message__type_is_read_as_it_was_printed),
        cmocka_unit_test(message__type_names_its_own_speaker),
        cmocka_unit_test(message__roles_and_speakers_fit),
        cmocka_unit_test(message__of_a_show_needs_its_id),
        cmocka_unit_test(message__may_and_needs_follow_the_table),
        cmocka_unit_test(message__json_names_are_unique_in_a_message),
        cmocka_unit_test(message__init_leaves_no_field),
        cmocka_unit_test(message__set_and_copy_carry_absence_too),
        cmocka_unit_test(message__words_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
