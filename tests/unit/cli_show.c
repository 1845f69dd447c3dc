/* A show folded from events, its topics in any interleaving. */
#include "base/arena.h"
#include "base/memory.h"
#include "cli/show_fold.h"
#include "cli/show_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* 2026-11-21T19:30:00.123Z */
#define AT_MS INT64_C(1795289400123)
#define RID(n)                                                                                     \
    "\"show_id\":\"gala\",\"reservation_id\":\"0b7e6a52-6c1f-8d8e-9a41-00000000000" #n "\""
#define PAYMENT(n) "\"payment_id\":\"4c2f8a10-93b7-8e15-b6d0-00000000000" #n "\""
#define PAID(n)                                                                                    \
    "\"payment\":{" PAYMENT(n) ",\"method\":\"cash\",\"amount_minor\":0,\"currency\":\"EUR\"}"
#define LINES "\"lines\":[{\"tier_id\":\"stalls\",\"quantity\":2,\"unit_amount_minor\":2500}]"
#define AFTER                                                                                      \
    "\"seq\":7,\"after\":{\"capacity\":100,\"held\":2,\"sold\":4,\"blocked\":3,\"free\":91,"       \
    "\"oversold_by\":0,\"tiers\":[{\"tier_id\":\"stalls\",\"held\":2,\"sold\":4}]}"
#define SHOWS        TOPIC_SHOWS_EVENTS
#define RESERVATIONS TOPIC_RESERVATIONS_EVENTS
#define CHECKOUT     TOPIC_CHECKOUT_EVENTS

struct said {
    int topic;
    enum message_type type;
    const char *value;
};

#define REQUESTED(n)                                                                               \
    {                                                                                              \
        RESERVATIONS, MESSAGE_ReservationRequested,                                                \
            "{" RID(n) ",\"lines\":[{\"tier_id\":\"stalls\",\"quantity\":2}],"                     \
                       "\"holder\":{\"name\":\"Eve\"},\"channel\":\"web\"}"                        \
    }
#define HELD(n)                                                                                    \
    {                                                                                              \
        SHOWS, MESSAGE_SeatsHeld,                                                                  \
            "{" RID(n) "," LINES ",\"quantity\":2,\"amount_minor\":5000,\"currency\":\"EUR\","     \
                       "\"expires_at_ms\":1795290000000,\"channel\":\"web\"," AFTER "}"            \
    }
#define STARTED(n, payment)                                                                        \
    {                                                                                              \
        CHECKOUT, MESSAGE_CheckoutStarted,                                                         \
            "{" RID(n) "," PAYMENT(payment) ",\"method\":\"external\",\"by\":\"customer\"}"        \
    }
#define SOLD(n, payment)                                                                           \
    {                                                                                              \
        SHOWS, MESSAGE_SeatsSold,                                                                  \
            "{" RID(n) "," PAID(payment) "," LINES ",\"quantity\":2,\"reacquired\":false," AFTER   \
                                         "}"                                                       \
    }
#define CONFIRMED(n)                                                                               \
    {                                                                                              \
        RESERVATIONS, MESSAGE_ReservationConfirmed,                                                \
            "{" RID(n) ",\"reference\":\"ABC\",\"tickets\":[{\"tier_id\":\"stalls\","              \
                       "\"first\":1,\"count\":2}]}"                                                \
    }
#define CANCELLED(n, numbers, left)                                                                \
    {                                                                                              \
        RESERVATIONS, MESSAGE_ReservationCancelled,                                                \
            "{" RID(n) ",\"tickets\":[" numbers "],\"remaining\":" #left "}"                       \
    }
#define ENDED(n, type)                                                                             \
    {                                                                                              \
        SHOWS, MESSAGE_##type,                                                                     \
            "{" RID(n) ",\"quantity\":2,\"expires_at_ms\":1795290000000," AFTER "}"                \
    }

static void take(struct show_fold *fold, const struct said *said, int64_t offset)
{
    struct arena arena = {0};
    struct codec_error error;
    struct buffer type = {0};
    message_type_print(said->type, message_speaker(said->type), &type);
    struct bus_header header = {TEXT("ce_type"), buffer_view(&type)};
    struct bus_record record = {
        .value = text_of(said->value), .headers = &header, .header_count = 1, .append_ms = AT_MS};
    struct follower_item item = {.place = {said->topic, 2, offset}, .record = &record};
    if (codec_decode(said->type, record.value, &arena, &item.message, &error) != CODEC_OK)
        fail_msg("%s: %s: %s", message_name(said->type), error.field, error.detail);
    show_fold_take(fold, &item);
    arena_release(&arena);
    buffer_release(&type);
}

/* The words of all three, once shows first and once checkout first, give the same. */
static void becomes(enum booking_status expected, int64_t seats, const struct said *said, int count)
{
    static const int orders[][3] = {{SHOWS, RESERVATIONS, CHECKOUT},
                                    {CHECKOUT, RESERVATIONS, SHOWS},
                                    {RESERVATIONS, SHOWS, CHECKOUT}};
    for (size_t order = 0; order < 3; order++) {
        struct show_fold fold = {.show_id = TEXT("gala")};
        struct booking_count counts[BOOKING_STATUS_COUNT];
        for (int pass = 0; pass < 3; pass++)
            for (int i = 0; i < count; i++)
                if (said[i].topic == orders[order][pass])
                    take(&fold, &said[i], i);
        show_fold_count(&fold, counts);
        for (int status = 0; status < BOOKING_STATUS_COUNT; status++)
            if (counts[status].reservations)
                assert_string_equal(booking_status_name((enum booking_status)status),
                                    booking_status_name(expected));
        assert_int_equal(counts[expected].reservations, 1);
        assert_int_equal(counts[expected].seats, seats);
        show_fold_release(&fold);
    }
}

#define BECOMES(status, seats, ...)                                                                \
    do {                                                                                           \
        static const struct said said[] = {__VA_ARGS__};                                           \
        becomes(BOOKING_##status, seats, said, sizeof said / sizeof *said);                        \
    } while (0)

static void show__a_reservation_is_what_the_three_say(void **state)
{
    (void)state;
    BECOMES(requested, 2, REQUESTED(1));
    BECOMES(held, 2, REQUESTED(1), HELD(1));
    BECOMES(paying, 2, REQUESTED(1), HELD(1), STARTED(1, 1));
    BECOMES(paying, 2, REQUESTED(1), HELD(1), STARTED(1, 1), SOLD(1, 1));
    BECOMES(confirmed, 2, REQUESTED(1), HELD(1), STARTED(1, 1), SOLD(1, 1), CONFIRMED(1));
    BECOMES(confirmed, 1, REQUESTED(1), HELD(1), SOLD(1, 1), CONFIRMED(1), CANCELLED(1, "2", 1));
    BECOMES(cancelled, 2, REQUESTED(1), HELD(1), SOLD(1, 1), CONFIRMED(1), CANCELLED(1, "1,2", 0));
    BECOMES(released, 2, REQUESTED(1), HELD(1), ENDED(1, HoldReleased));
    BECOMES(expired, 2, REQUESTED(1), HELD(1), ENDED(1, HoldExpired));
    BECOMES(rejected, 2, REQUESTED(1),
            {SHOWS, MESSAGE_HoldRejected, "{" RID(1) ",\"reason\":\"sold_out\",\"available\":0}"});
    BECOMES(payment_unknown, 2, REQUESTED(1), HELD(1), STARTED(1, 1),
            {CHECKOUT, MESSAGE_PaymentUnknown,
             "{" RID(1) "," PAYMENT(1) ",\"provider\":\"p\",\"provider_ref\":\"r\"}"});
    BECOMES(held, 2, REQUESTED(1), HELD(1), STARTED(1, 1),
            {CHECKOUT, MESSAGE_PaymentFailed,
             "{" RID(1) "," PAYMENT(1) ",\"retryable\":true,\"provider\":\"p\","
                                       "\"provider_ref\":\"r\"}"});
    BECOMES(
        held, 2, REQUESTED(1), HELD(1), STARTED(1, 1),
        {SHOWS, MESSAGE_SaleRejected, "{" RID(1) "," PAID(1) ",\"reason\":\"amount\"," AFTER "}"});
    /* The first attempt's failure says nothing of the second. */
    BECOMES(paying, 2, REQUESTED(1), HELD(1), STARTED(1, 1), STARTED(1, 2),
            {CHECKOUT, MESSAGE_PaymentFailed,
             "{" RID(1) "," PAYMENT(1) ",\"retryable\":true,\"provider\":\"p\","
                                       "\"provider_ref\":\"r\"}"});
}

static const struct said created = {
    SHOWS, MESSAGE_ShowCreated,
    "{\"show_id\":\"gala\",\"name\":\"Gala\",\"starts_at_ms\":1795375800000,\"capacity\":100,"
    "\"currency\":\"EUR\",\"tiers\":[{\"tier_id\":\"stalls\",\"name\":\"Stalls\","
    "\"amount_minor\":2500,\"capacity\":70}],\"on_sale_at_ms\":1795280000000,"
    "\"off_sale_at_ms\":1795370000000,\"max_per_order\":10,\"hold_ttl_s\":600,"
    "\"pay_window_s\":600,\"customer_cancel_until_ms\":1795375800000," AFTER "}"};

static void show__is_printed_with_its_seats(void **state)
{
    static const struct said said[] = {
        {SHOWS, MESSAGE_BlockSet,
         "{\"show_id\":\"gala\",\"block_id\":\"house\",\"quantity\":3," AFTER "}"},
        {SHOWS, MESSAGE_BlockSet,
         "{\"show_id\":\"gala\",\"block_id\":\"press\",\"quantity\":0," AFTER "}"},
        REQUESTED(1),
        HELD(1),
        REQUESTED(2),
        {SHOWS, MESSAGE_ShowArchived, "{\"show_id\":\"lear\"," AFTER "}"},
    };
    struct show_fold fold = {.show_id = TEXT("gala")};
    struct buffer out = {0};
    (void)state;
    take(&fold, &created, 5);
    for (int i = 0; i < (int)(sizeof said / sizeof *said); i++)
        take(&fold, &said[i], 6 + i);
    show_print(&fold, AT_MS, &out);
    assert_string_equal(
        out.data,
        "show gala, \"Gala\", at 2026-11-21 19:30:00.123 (shows.events/2@9, seq 7; all times UTC)\n"
        "  on sale; sale from 16:53:20 until 2026-11-22 17:53:20; the show begins "
        "2026-11-22 19:30:00\n"
        "  seats: 91 of 100 free, 2 held, 4 sold, 3 blocked\n"
        "  tier stalls, EUR 25.00: 2 held, 4 sold of 70\n"
        "  block house: 3\n"
        "  2 reservations: 1 requested (2 seats), 1 held (2 seats)\n");
    buffer_release(&out);
    show_fold_release(&fold);
}

static void show__its_status_follows_words_and_window(void **state)
{
    static const struct {
        const char *expected;
        int64_t now_ms;
        enum message_type type;
        const char *value;
    } rows[] = {
        {"not yet on sale", INT64_C(1795279999999), MESSAGE_SaleOpened, ""},
        {"on sale", INT64_C(1795280000000), MESSAGE_SaleOpened, ""},
        {"sale closed", INT64_C(1795370000000), MESSAGE_SaleOpened, ""},
        {"paused", AT_MS, MESSAGE_SalePaused, ""},
        {"cancelled", AT_MS, MESSAGE_ShowCancelled, "\"reason\":\"ill\",\"refund\":\"full\","},
        {"archived", AT_MS, MESSAGE_ShowArchived, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct show_fold fold = {.show_id = TEXT("gala")};
        struct arena arena = {0};
        static struct message show;
        struct buffer value = {0};
        buffer_print(&value, "{\"show_id\":\"gala\",%s" AFTER "}", rows[i].value);
        take(&fold, &created, 5);
        take(&fold, &(struct said){SHOWS, rows[i].type, value.data}, 6);
        kept_message(fold.described.items[0], &arena, &show);
        assert_string_equal(show_fold_status(&fold, &show, rows[i].now_ms), rows[i].expected);
        buffer_release(&value);
        arena_release(&arena);
        show_fold_release(&fold);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show__a_reservation_is_what_the_three_say),
        cmocka_unit_test(show__is_printed_with_its_seats),
        cmocka_unit_test(show__its_status_follows_words_and_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
