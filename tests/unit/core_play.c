/* The stage itself: it can say every message, and its short forms mean what its header says. */
#include "tests/support/core_play.h"

#include "services/shows/shows_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Refused needs a code, which nobody should get by default. */
static void core_play__has_a_default_for_all_that_is_needed(void **state)
{
    struct play *play = play_open(&shows_service);
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        if (type == MESSAGE_Refused)
            continue;
        const struct message *message = play_message(play, message_name((enum message_type)type));
        assert_int_equal(message->type, type);
    }
    play_close(play);
}

static void core_play__knows_tickets_by_their_numbers(void **state)
{
    struct play *play = play_open(&shows_service);
    (void)state;
    const struct message *message = play_message(play, "CheckInTicket r3-12 entry=out");
    assert_true(text_is(message->ticket_id, "a0000000-0000-4000-8000-000000000003-12"));
    assert_int_equal(message->entry, entry_out);
    message = play_message(play, "CancellationRequested r1 tickets=1+3+1000");
    assert_int_equal(numbers_count(&message->numbers), 3);
    assert_true(numbers_has(&message->numbers, 1) && numbers_has(&message->numbers, 3) &&
                numbers_has(&message->numbers, 1000));
    message = play_message(play, "ReservationConfirmed r1 tickets=vip:1:2,standard:3:1");
    assert_int_equal(message->tickets.count, 2);
    assert_int_equal(message->tickets.items[1].first, 3);
    play_close(play);
}

static void core_play__knows_payments_and_refunds(void **state)
{
    struct play *play = play_open(&shows_service);
    (void)state;
    const struct message *message = play_message(play, "RecordRefund f2 r1 result=failed");
    assert_true(text_is(message->refund_id, "c0000000-0000-4000-8000-000000000002"));
    assert_int_equal(message->repaid, repaid_failed);
    message = play_message(play, "RecordPayment p2 r1 result=unknown");
    assert_true(text_is(message->provider, "bank"));
    assert_int_equal(message->result, result_unknown);
    message = play_message(play, "HoldExtended r1 p1");
    assert_true(message_has(message, pay_by_ms) && message_has(message, amount_minor));
    message = play_message(play, "HoldExtended r1 cause=staff");
    assert_false(message_has(message, pay_by_ms) || message_has(message, amount_minor));
    play_close(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(core_play__has_a_default_for_all_that_is_needed),
        cmocka_unit_test(core_play__knows_tickets_by_their_numbers),
        cmocka_unit_test(core_play__knows_payments_and_refunds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
