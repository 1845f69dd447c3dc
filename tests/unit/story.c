/* Messages and values in words. */
#include "base/arena.h"
#include "story/story.h"
#include "story/words.h"
#include "schemas/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* 2026-11-21T19:30:00.123Z */
#define AT_MS INT64_C(1795289400123)

static bool is_field_of(enum message_type type, struct text name)
{
    static const char *const names[FIELD_COUNT] = {
#define FIELD(name, json, kind) [FIELD_##name] = #name,
#include "schemas/messages.def"
    };
    for (int field = 0; field < FIELD_COUNT; field++)
        if (text_is(name, names[field]))
            return message_may(type, (enum field)field);
    return false;
}

static void story__every_message_has_a_sentence_of_its_own_fields(void **state)
{
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        const char *sentence = story_sentence((enum message_type)type);
        assert_non_null(sentence);
        struct text rest = text_of(sentence);
        for (text_cut(&rest, '{'); rest.data; text_cut(&rest, '{')) {
            struct text hole = text_cut(&rest, '}');
            struct text name = text_cut(&hole, '|');
            if (!is_field_of((enum message_type)type, name))
                fail_msg("%s: no field '%.*s'", message_name((enum message_type)type),
                         TEXT_PRINT(name));
        }
    }
}

static bool read_example(enum message_type type, struct arena *arena, struct message *message)
{
    char path[200], bytes[MESSAGE_SIZE_MAX];
    struct codec_error error;
    snprintf(path, sizeof path, "schemas/examples/%s.json", message_name(type));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return codec_decode(type, text_from(bytes, size), arena, message, &error) == CODEC_OK;
}

/* Whatever is missing of a message, nothing is left open and nobody dies. */
static void story__is_told_of_whole_and_of_empty_messages(void **state)
{
    struct arena arena = {0};
    static struct message message;
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++)
        for (int empty = 0; empty < 2; empty++) {
            struct buffer out = {0};
            if (empty)
                message_init(&message, (enum message_type)type);
            else
                assert_true(read_example((enum message_type)type, &arena, &message));
            story_tell(&out, &message, AT_MS);
            if (out.size)
                assert_null(strpbrk(out.data, "{}[]|\n"));
            assert_true(empty || out.size > 4);
            buffer_release(&out);
        }
    arena_release(&arena);
}

static void tells(enum message_type type, const char *value, const char *expected)
{
    struct arena arena = {0};
    struct codec_error error;
    static struct message message;
    struct buffer out = {0};
    message_init(&message, type);
    if (type != MESSAGE_NONE)
        codec_decode(type, text_of(value), &arena, &message, &error);
    story_tell(&out, &message, AT_MS);
    assert_string_equal(out.data, expected);
    buffer_release(&out);
    arena_release(&arena);
}

#define SEATS                                                                                      \
    "\"seq\":7,\"after\":{\"capacity\":100,\"held\":2,\"sold\":0,\"blocked\":0,\"free\":98,"       \
    "\"oversold_by\":0,\"tiers\":[{\"tier_id\":\"stalls\",\"held\":2,\"sold\":0}]}"
#define RESERVATION                                                                                \
    "\"show_id\":\"gala\",\"reservation_id\":\"0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96\""

static void story__is_told_as_in_a_theatre(void **state)
{
    (void)state;
    tells(MESSAGE_SeatsHeld,
          "{" RESERVATION ",\"lines\":[{\"tier_id\":\"stalls\",\"quantity\":2,"
          "\"unit_amount_minor\":2500}],\"quantity\":2,\"amount_minor\":5000,\"currency\":\"EUR\","
          "\"expires_at_ms\":1795292100000,\"channel\":\"web\"," SEATS "}",
          "held 2 stalls until 20:15:00 for EUR 50.00; 98 of 100 seats free");
    tells(MESSAGE_CancelReservation,
          "{" RESERVATION ",\"tickets\":[1,2,3,7],\"by\":\"staff\",\"refund\":\"full\"}",
          "asks to cancel tickets 1-3, 7 for the staff; refund full");
    tells(MESSAGE_CancelReservation,
          "{" RESERVATION ",\"tickets\":[2],\"by\":\"staff\",\"refund\":\"none\"}",
          "asks to cancel ticket 2 for the staff; refund none");
    tells(MESSAGE_UpdateReservation,
          "{" RESERVATION ",\"holder\":{\"name\":\"Eve\"},\"note\":\"rosemary\"}",
          "asks to update the reservation, holder Eve, note \"rosemary\"");
    tells(MESSAGE_CancelReservation, "{" RESERVATION ",\"by\":\"customer\",\"refund\":\"none\"}",
          "asks to cancel for the customer; refund none");
    tells(MESSAGE_HoldRejected, "{" RESERVATION ",\"reason\":\"all_held\",\"available\":1}",
          "could not hold the seats: all_held, 1 available");
    /* Only in part: the show_id is missing. */
    tells(MESSAGE_OpenSale, "{\"reason\":\"doors open\"}", "asks to open the sale: doors open");
    tells(MESSAGE_NONE, "{}", "something that cannot be read");
}

/* ---- values ---------------------------------------------------------------------------------- */
static void says(struct buffer *out, const char *expected)
{
    assert_string_equal(out->data, expected);
    buffer_clear(out);
}

static void words__money_has_the_digits_of_its_currency(void **state)
{
    struct buffer out = {0};
    (void)state;
    words_money(&out, 2505, text_of("EUR"));
    says(&out, "EUR 25.05");
    words_money(&out, 2505, text_of("JPY"));
    says(&out, "JPY 2505");
    words_money(&out, 2505, text_of("KWD"));
    says(&out, "KWD 2.505");
    words_money(&out, 5, (struct text){NULL, 0});
    says(&out, "0.05");
    buffer_release(&out);
}

static void words__times_are_short_on_their_own_day(void **state)
{
    struct buffer out = {0};
    (void)state;
    words_time(&out, AT_MS, AT_MS);
    says(&out, "19:30:00");
    words_time(&out, AT_MS, AT_MS + 24 * 3600 * 1000);
    says(&out, "2026-11-21 19:30:00");
    words_time(&out, AT_MS, -1);
    says(&out, "2026-11-21 19:30:00");
    buffer_release(&out);
}

static void words__spans(void **state)
{
    static const struct {
        int64_t ms;
        const char *expected;
    } rows[] = {
        {0, "0 ms"},           {999, "999 ms"},        {1250, "1.25 s"},       {59999, "59.99 s"},
        {125000, "2 min 5 s"}, {3720000, "1 h 2 min"}, {100000000, "1 d 3 h"}, {-40, "-40 ms"}};
    struct buffer out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        words_span(&out, rows[i].ms);
        says(&out, rows[i].expected);
    }
    buffer_release(&out);
}

static void words__strange_bytes_move_no_cursor(void **state)
{
    struct buffer out = {0};
    (void)state;
    words_safe(&out,
               text_of("a\x1b[2Jb\xc2\x9b"
                       "c"),
               100);
    says(&out, "a?[2Jb?c");
    words_safe(&out, text_of("Zo\xc3\xab Bell"), 3);
    says(&out, "Zo…");
    words_visible(&out, text_of("\x1b[2J\xff Zo\xc3\xab\n\xc2\x9b\xed\xa0\x80"), false);
    says(&out, "\\x1b[2J\\xff Zo\xc3\xab\\x0a\\xc2\\x9b\\xed\\xa0\\x80");
    words_visible(&out, text_of("a\n\tb"), true);
    says(&out, "a\n\tb");
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(story__every_message_has_a_sentence_of_its_own_fields),
        cmocka_unit_test(story__is_told_of_whole_and_of_empty_messages),
        cmocka_unit_test(story__is_told_as_in_a_theatre),
        cmocka_unit_test(words__money_has_the_digits_of_its_currency),
        cmocka_unit_test(words__times_are_short_on_their_own_day),
        cmocka_unit_test(words__spans),
        cmocka_unit_test(words__strange_bytes_move_no_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
