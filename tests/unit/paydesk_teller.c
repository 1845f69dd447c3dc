/* What the teller makes of events, and what the ledger keeps of it through a restart. */
#include "paydesk/post.h"
#include "paydesk/teller.h"
#include "schemas/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SHOW "tempest"
#define RID  "11111111-1111-4111-8111-111111111111"
#define PID  "22222222-2222-4222-8222-222222222222"
#define PID2 "33333333-3333-4333-8333-333333333333"
#define RFID "44444444-4444-4444-8444-444444444444"

#define AT_MS    INT64_C(1800000000000)
#define DELAY_MS 1000
#define PAY_BY   (AT_MS + 600 * 1000)

static const struct installation house = {"55555555-5555-4555-8555-555555555555", 4};

struct desk_play {
    char folder[32], path[64];
    struct script script;
    struct teller teller;
    struct buffer seen;
};

/* ---- a paydesk without a log and without an edge --------------------------------------------- */

static void sit_down(struct desk_play *play)
{
    char error[LEDGER_ERROR_SIZE] = "";
    int refused;
    play->teller = (struct teller){.ledger = ledger_open(play->path, error),
                                   .script = &play->script,
                                   .provider = "paydesk",
                                   .delay_ms = DELAY_MS,
                                   .caught_up = true};
    if (play->teller.ledger == NULL ||
        !ledger_claim(play->teller.ledger, &house, "paydesk", AT_MS, &refused, error))
        fail_msg("%s", error);
}

static void open_play(struct desk_play *play, const char *script)
{
    char error[SCRIPT_ERROR_SIZE] = "";
    *play = (struct desk_play){.folder = "/tmp/paydesk-XXXXXX"};
    assert_non_null(mkdtemp(play->folder));
    snprintf(play->path, sizeof play->path, "%s/ledger.db", play->folder);
    if (!script_parse(text_of(script), NULL, &play->script, error))
        fail_msg("%s", error);
    sit_down(play);
}

static void commit(struct desk_play *play)
{
    char error[LEDGER_ERROR_SIZE] = "";
    if (!ledger_commit(play->teller.ledger, error))
        fail_msg("%s", error);
}

/* kill -9: what was not committed is gone. */
static void die_and_come_back(struct desk_play *play)
{
    ledger_close(play->teller.ledger);
    sit_down(play);
}

static void close_play(struct desk_play *play)
{
    char command[96];
    ledger_close(play->teller.ledger);
    buffer_release(&play->seen);
    snprintf(command, sizeof command, "rm -r %s", play->folder);
    assert_int_equal(system(command), 0);
}

/* Everything owed at that time is sent and taken: what came, a line each, "result ref amount
 * currency @seconds". */
static const char *told(struct desk_play *play, int64_t now_ms)
{
    struct ledger_answer answer;
    struct arena arena = {0};
    buffer_clear(&play->seen);
    buffer_string(&play->seen, "");
    teller_act(&play->teller, now_ms);
    while (ledger_owed(play->teller.ledger, now_ms, 0, &answer)) {
        struct message command;
        struct codec_error error;
        bool refund = memmem(answer.body.data, answer.body.size, "refund_id", 9) != NULL;
        if (codec_decode(refund ? MESSAGE_RecordRefund : MESSAGE_RecordPayment, answer.body, &arena,
                         &command, &error) != CODEC_OK)
            fail_msg("%s: %s", error.field, error.detail);
        buffer_print(&play->seen, "%.*s %.*s", TEXT_PRINT(answer.webhook_id),
                     TEXT_PRINT(answer.result));
        buffer_print(&play->seen, " %.*s", TEXT_PRINT(command.provider_ref));
        if (!refund)
            buffer_print(&play->seen, " %lld %.*s", (long long)command.amount_minor,
                         TEXT_PRINT(command.currency));
        buffer_print(&play->seen, " @%lld\n", (long long)(answer.at_ms - AT_MS) / 1000);
        ledger_told(play->teller.ledger, answer.seq);
    }
    commit(play);
    arena_release(&arena);
    return play->seen.data ? play->seen.data : "";
}

/* ---- events ---------------------------------------------------------------------------------- */

static struct message about(enum message_type type, const char *payment_id)
{
    struct message event;
    memset(&event, 0, sizeof event);
    message_init(&event, type);
    message_set(&event, show_id, text_of(SHOW));
    message_set(&event, reservation_id, text_of(RID));
    message_set(&event, payment_id, text_of(payment_id));
    return event;
}

static void ask(struct desk_play *play, const char *payment_id, const char *provider)
{
    struct message event = about(MESSAGE_PaymentRequested, payment_id);
    message_set(&event, provider, text_of(provider));
    message_set(&event, pay_by_ms, PAY_BY);
    message_set(&event, amount_minor, 6800);
    message_set(&event, currency, text_of("EUR"));
    teller_hear(&play->teller, &event, AT_MS);
}

static void abandon(struct desk_play *play, const char *payment_id)
{
    struct message event = about(MESSAGE_PaymentAbandoned, payment_id);
    message_set(&event, provider, text_of("paydesk"));
    teller_hear(&play->teller, &event, AT_MS + 500);
}

static void supersede(struct desk_play *play, const char *payment_id, const char *old)
{
    struct message event = about(MESSAGE_CheckoutStarted, payment_id);
    message_set(&event, method, method_external);
    message_set(&event, by, by_customer);
    message_set(&event, supersedes, text_of(old));
    teller_hear(&play->teller, &event, AT_MS + 500);
}

static void ask_back(struct desk_play *play, int64_t attempt, const char *provider, bool manual)
{
    struct message event = about(MESSAGE_RefundRequested, PID);
    event.has[FIELD_payment_id] = false;
    message_set(&event, refund_id, text_of(RFID));
    message_set(&event, payment,
                (struct payment){.payment_id = text_of(PID),
                                 .provider = text_of(provider),
                                 .provider_ref = text_of("ch_" PID),
                                 .method = method_external,
                                 .amount_minor = 6800,
                                 .currency = text_of("EUR")});
    message_set(&event, amount_minor, 3400);
    message_set(&event, currency, text_of("EUR"));
    message_set(&event, cause, cause_cancelled);
    message_set(&event, manual, manual);
    message_set(&event, attempt, attempt);
    teller_hear(&play->teller, &event, AT_MS);
}

/* ---- payments -------------------------------------------------------------------------------- */

static void payment__ends_as_the_script_says(void **state)
{
    static const struct {
        const char *script, *told;
    } rows[] = {
        {"succeed", "msg_" PID "_1 succeeded ch_" PID " 6800 EUR @1\n"},
        {"fail", "msg_" PID "_1 failed ch_" PID " 6800 EUR @1\n"},
        {"late:90s", "msg_" PID "_1 succeeded ch_" PID " 6800 EUR @690\n"},
        {"unknown", "msg_" PID "_1 unknown ch_" PID " 6800 EUR @1\n"},
        {"unknown-then-succeed:5s", "msg_" PID "_1 unknown ch_" PID " 6800 EUR @1\n"
                                    "msg_" PID "_2 succeeded ch_" PID " 6800 EUR @6\n"},
        {"unknown-then-fail:5s", "msg_" PID "_1 unknown ch_" PID " 6800 EUR @1\n"
                                 "msg_" PID "_2 failed ch_" PID " 6800 EUR @6\n"},
        {"twice", "msg_" PID "_1 succeeded ch_" PID " 6800 EUR @1\n"
                  "msg_" PID "_1 succeeded ch_" PID " 6800 EUR @1\n"},
        {"captured-twice", "msg_" PID "_1 succeeded ch_" PID " 6800 EUR @1\n"
                           "msg_" PID "_2 succeeded ch_" PID "_2 6800 EUR @1\n"},
        {"wrong-amount", "msg_" PID "_1 succeeded ch_" PID " 6799 EUR @1\n"},
        {"wrong-currency", "msg_" PID "_1 succeeded ch_" PID " 6800 XTS @1\n"},
        {"silent", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct desk_play play;
        open_play(&play, rows[i].script);
        ask(&play, PID, "paydesk");
        assert_string_equal(told(&play, AT_MS + DELAY_MS - 1), "");
        assert_string_equal(told(&play, AT_MS + 3600 * 1000), rows[i].told);
        assert_string_equal(told(&play, INT64_MAX), "");
        close_play(&play);
    }
}

static void payment__happens_at_its_time_and_not_before(void **state)
{
    struct desk_play play;
    (void)state;
    open_play(&play, "unknown-then-succeed:5s");
    ask(&play, PID, "paydesk");
    assert_int_equal(ledger_next_planned_ms(play.teller.ledger), AT_MS + DELAY_MS);
    assert_non_null(strstr(told(&play, AT_MS + DELAY_MS), " unknown "));
    assert_string_equal(told(&play, AT_MS + DELAY_MS + 4999), "");
    assert_int_equal(ledger_next_planned_ms(play.teller.ledger), AT_MS + DELAY_MS + 5000);
    assert_non_null(strstr(told(&play, AT_MS + DELAY_MS + 5000), " succeeded "));
    assert_int_equal(ledger_next_planned_ms(play.teller.ledger), INT64_MAX);
    close_play(&play);
}

static void payment__of_another_provider_is_none_of_ours(void **state)
{
    struct desk_play play;
    (void)state;
    open_play(&play, "succeed");
    ask(&play, PID, "otherpay");
    assert_string_equal(told(&play, INT64_MAX), "");
    close_play(&play);
}

static void payment__asked_for_twice_is_charged_once(void **state)
{
    struct desk_play play;
    (void)state;
    open_play(&play, "succeed");
    ask(&play, PID, "paydesk");
    ask(&play, PID, "paydesk");
    assert_string_equal(told(&play, AT_MS + DELAY_MS),
                        "msg_" PID "_1 succeeded ch_" PID " 6800 EUR @1\n");
    close_play(&play);
}

static void payment__waits_until_the_log_was_read(void **state)
{
    struct desk_play play;
    (void)state;
    open_play(&play, "succeed");
    play.teller.caught_up = false;
    ask(&play, PID, "paydesk");
    assert_string_equal(told(&play, AT_MS + DELAY_MS), "");
    abandon(&play, PID);
    play.teller.caught_up = true;
    assert_string_equal(told(&play, INT64_MAX), "");
    close_play(&play);
}

/* ---- cancelling ------------------------------------------------------------------------------ */

static void cancel__stops_what_has_not_happened(void **state)
{
    static const char *const scripts[] = {
        "succeed",        "fail",         "unknown",        "twice",
        "captured-twice", "wrong-amount", "wrong-currency", "unknown-then-succeed"};
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct desk_play play;
        open_play(&play, scripts[i]);
        ask(&play, PID, "paydesk");
        ask(&play, PID2, "paydesk");
        if (i % 2)
            abandon(&play, PID);
        else
            supersede(&play, PID2, PID);
        const char *lines = told(&play, INT64_MAX - 1);
        assert_null(strstr(lines, PID));
        assert_non_null(strstr(lines, PID2));
        close_play(&play);
    }
}

static void cancel__does_not_take_back_what_happened(void **state)
{
    struct desk_play play;
    (void)state;
    open_play(&play, "unknown-then-succeed:5s,succeed");
    ask(&play, PID, "paydesk");
    ask(&play, PID2, "paydesk");
    teller_act(&play.teller, AT_MS + DELAY_MS); /* owed, not told yet */
    abandon(&play, PID);
    abandon(&play, PID2);
    assert_string_equal(told(&play, INT64_MAX - 1),
                        "msg_" PID "_1 unknown ch_" PID " 6800 EUR @1\n"
                        "msg_" PID2 "_1 succeeded ch_" PID2 " 6800 EUR @1\n");
    close_play(&play);
}

static void cancel__does_not_stop_money_the_script_calls_late(void **state)
{
    struct desk_play play;
    (void)state;
    open_play(&play, "late:90s");
    ask(&play, PID, "paydesk");
    abandon(&play, PID);
    assert_string_equal(told(&play, PAY_BY + 89999), "");
    assert_string_equal(told(&play, PAY_BY + 90000),
                        "msg_" PID "_1 succeeded ch_" PID " 6800 EUR @690\n");
    close_play(&play);
}

static void cancel__of_the_unknown_is_nothing(void **state)
{
    struct desk_play play;
    (void)state;
    open_play(&play, "succeed");
    abandon(&play, PID);
    ask(&play, PID2, "paydesk");
    supersede(&play, PID2, PID);
    assert_non_null(strstr(told(&play, INT64_MAX), PID2));
    close_play(&play);
}

/* ---- refunds --------------------------------------------------------------------------------- */

static void refund__ends_as_the_script_says(void **state)
{
    static const struct {
        const char *script, *told[3];
    } rows[] = {
        {"refund-complete", {" completed re_" RFID "_1", " completed re_" RFID "_2", NULL}},
        {"refund-fail", {" failed re_" RFID "_1", " completed re_" RFID "_2", NULL}},
        {"refund-fail:2,refund-complete",
         {" failed re_" RFID "_1", " failed re_" RFID "_2", " completed re_" RFID "_3"}},
        {"refund-fail:always",
         {" failed re_" RFID "_1", " failed re_" RFID "_2", " failed re_" RFID "_3"}},
        {"refund-silent", {"", "", ""}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct desk_play play;
        open_play(&play, rows[i].script);
        for (int attempt = 1; attempt <= 3 && rows[i].told[attempt - 1]; attempt++) {
            ask_back(&play, attempt, "paydesk", false);
            commit(&play);
            die_and_come_back(&play);
            assert_string_equal(told(&play, AT_MS + DELAY_MS - 1), "");
            const char *lines = told(&play, AT_MS + DELAY_MS),
                       *expected = rows[i].told[attempt - 1];
            if (expected[0] ? strstr(lines, expected) == NULL : lines[0] != '\0')
                fail_msg("%s, attempt %d: %s", rows[i].script, attempt, lines);
        }
        close_play(&play);
    }
}

static void refund__by_hand_or_of_others_is_none_of_ours(void **state)
{
    struct desk_play play;
    (void)state;
    open_play(&play, "refund-complete");
    ask_back(&play, 1, "paydesk", true);
    ask_back(&play, 1, "otherpay", false);
    assert_string_equal(told(&play, INT64_MAX), "");
    close_play(&play);
}

static void refund__names_the_attempt_it_answers(void **state)
{
    struct desk_play play;
    struct ledger_answer answer;
    (void)state;
    open_play(&play, "refund-fail:always");
    ask_back(&play, 7, "paydesk", false);
    teller_act(&play.teller, INT64_MAX);
    assert_true(ledger_owed(play.teller.ledger, INT64_MAX, 0, &answer));
    assert_true(text_is(answer.body,
                        "{\"show_id\":\"" SHOW "\",\"refund_id\":\"" RFID
                        "\",\"reservation_id\":\"" RID "\",\"result\":\"failed\",\"attempt\":7,"
                        "\"provider_ref\":\"re_" RFID "_7\",\"note\":\"the bank sent it back\"}"));
    close_play(&play);
}

/* ---- the ledger ------------------------------------------------------------------------------ */

static void ledger__remembers_all_or_nothing(void **state)
{
    struct desk_play play;
    struct fence fence = {.next = 17, .claim = 3, .nonce = UINT64_C(0xfedcba9876543210), .n = 9};
    (void)state;
    open_play(&play, "succeed,fail");
    ask(&play, PID, "paydesk");
    ledger_put_position(play.teller.ledger, 2, &fence);
    die_and_come_back(&play);
    assert_int_equal(ledger_position(play.teller.ledger, 2).next, 0);
    assert_string_equal(told(&play, INT64_MAX), "");
    ask(&play, PID, "paydesk");
    ledger_put_position(play.teller.ledger, 2, &fence);
    commit(&play);
    die_and_come_back(&play);
    struct fence again = ledger_position(play.teller.ledger, 2);
    assert_true(fence_same_position(&fence, &again));
    ask(&play, PID2, "paydesk"); /* the script goes on where it was */
    assert_string_equal(told(&play, INT64_MAX), "msg_" PID "_1 succeeded ch_" PID " 6800 EUR @1\n"
                                                "msg_" PID2 "_1 failed ch_" PID2 " 6800 EUR @1\n");
    close_play(&play);
}

static void ledger__owes_until_it_was_told(void **state)
{
    struct desk_play play;
    struct ledger_answer answer;
    (void)state;
    open_play(&play, "unknown-then-succeed:1s");
    ask(&play, PID, "paydesk");
    teller_act(&play.teller, AT_MS + 10000);
    commit(&play);
    die_and_come_back(&play);
    assert_true(ledger_owed(play.teller.ledger, AT_MS + 10000, 0, &answer));
    assert_true(text_is(answer.result, "unknown"));
    ledger_again(play.teller.ledger, answer.seq, AT_MS + 20000, text_of("status 503"));
    /* what comes after it waits for it, and nothing is due before it is */
    assert_false(ledger_owed(play.teller.ledger, AT_MS + 19999, 0, &answer));
    assert_int_equal(ledger_next_owed_ms(play.teller.ledger), AT_MS + 20000);
    assert_true(ledger_owed(play.teller.ledger, AT_MS + 20000, 0, &answer));
    assert_int_equal(answer.tries, 1);
    ledger_told(play.teller.ledger, answer.seq);
    assert_true(ledger_owed(play.teller.ledger, AT_MS + 20000, 0, &answer));
    assert_true(text_is(answer.result, "succeeded"));
    assert_int_equal(ledger_owed_count(play.teller.ledger), 1);
    close_play(&play);
}

static void ledger__keeps_what_was_refused_until_the_next_start(void **state)
{
    struct desk_play play;
    struct ledger_answer answer;
    char error[LEDGER_ERROR_SIZE];
    int refused = -1;
    (void)state;
    open_play(&play, "unknown-then-succeed:1s");
    ask(&play, PID, "paydesk");
    teller_act(&play.teller, AT_MS + 10000);
    assert_true(ledger_owed(play.teller.ledger, AT_MS + 10000, 0, &answer));
    ledger_refused(play.teller.ledger, answer.seq, text_of("status 400"));
    assert_true(ledger_owed(play.teller.ledger, AT_MS + 10000, 0, &answer));
    assert_true(text_is(answer.result, "succeeded")); /* it does not stand in the way */
    ledger_told(play.teller.ledger, answer.seq);
    assert_int_equal(ledger_next_owed_ms(play.teller.ledger), INT64_MAX);
    commit(&play);
    ledger_close(play.teller.ledger);
    play.teller.ledger = ledger_open(play.path, error);
    assert_true(
        ledger_claim(play.teller.ledger, &house, "paydesk", AT_MS + 30000, &refused, error));
    assert_int_equal(refused, 1);
    assert_true(ledger_owed(play.teller.ledger, AT_MS + 30000, 0, &answer));
    assert_true(text_is(answer.result, "unknown"));
    close_play(&play);
}

static void ledger__made_anew_does_not_answer_again(void **state)
{
    struct desk_play play;
    struct message event = about(MESSAGE_PaymentSucceeded, PID);
    (void)state;
    open_play(&play, "twice,succeed");
    play.teller.caught_up = false;
    ask(&play, PID, "paydesk");
    ask(&play, PID2, "paydesk");
    event.has[FIELD_payment_id] = false;
    message_set(&event, payment,
                (struct payment){.payment_id = text_of(PID),
                                 .provider = text_of("paydesk"),
                                 .provider_ref = text_of("ch_" PID),
                                 .method = method_external,
                                 .amount_minor = 6800,
                                 .currency = text_of("EUR")});
    teller_hear(&play.teller, &event, AT_MS + 2000);
    play.teller.caught_up = true;
    assert_string_equal(told(&play, INT64_MAX),
                        "msg_" PID2 "_1 succeeded ch_" PID2 " 6800 EUR @1\n");
    close_play(&play);
}

static void ledger__is_of_one_provider_one_house_one_process(void **state)
{
    struct desk_play play;
    struct installation other = {"66666666-6666-4666-8666-666666666666", 4};
    char error[LEDGER_ERROR_SIZE] = "";
    int refused;
    (void)state;
    open_play(&play, "succeed");
    assert_null(ledger_open(play.path, error));
    assert_non_null(strstr(error, "another paydesk"));
    struct ledger *ledger = play.teller.ledger;
    assert_false(ledger_claim(ledger, &house, "otherpay", AT_MS, &refused, error));
    assert_non_null(strstr(error, "another provider"));
    assert_false(ledger_claim(ledger, &other, "paydesk", AT_MS, &refused, error));
    assert_non_null(strstr(error, "another installation"));
    assert_true(ledger_claim(ledger, &house, "paydesk", AT_MS, &refused, error));
    close_play(&play);
}

static void ledger__another_script_starts_at_its_top(void **state)
{
    struct desk_play play;
    (void)state;
    open_play(&play, "succeed");
    struct ledger *ledger = play.teller.ledger;
    assert_false(ledger_put_script(ledger, text_of("fail,succeed")));
    assert_int_equal(ledger_count(ledger, "payments"), 0);
    assert_int_equal(ledger_count(ledger, "payments"), 1);
    assert_int_equal(ledger_count(ledger, "refunds"), 0);
    assert_false(ledger_put_script(ledger, text_of("fail,succeed")));
    assert_int_equal(ledger_count(ledger, "payments"), 2);
    assert_true(ledger_put_script(ledger, text_of("silent")));
    assert_int_equal(ledger_count(ledger, "payments"), 0);
    close_play(&play);
}

static void ledger__forgets_a_show_that_is_over_but_no_debt(void **state)
{
    struct desk_play play;
    struct message event = about(MESSAGE_PaymentsArchived, PID);
    struct buffer step = {0};
    (void)state;
    open_play(&play, "succeed,late:1s");
    ask(&play, PID, "paydesk");
    ask(&play, PID2, "paydesk");
    assert_non_null(strstr(told(&play, AT_MS + DELAY_MS), PID));
    teller_hear(&play.teller, &event, AT_MS);
    assert_false(ledger_find_request(play.teller.ledger, text_of(PID), &step));
    assert_non_null(strstr(told(&play, INT64_MAX), PID2));
    close_play(&play);
}

/* ---- what the edge says ---------------------------------------------------------------------- */

static void verdict__is_by_status(void **state)
{
    static const struct {
        long status;
        enum post_verdict verdict;
    } rows[] = {{200, POST_TAKEN},   {202, POST_TAKEN},   {204, POST_TAKEN}, {0, POST_AGAIN},
                {408, POST_AGAIN},   {429, POST_AGAIN},   {500, POST_AGAIN}, {503, POST_AGAIN},
                {301, POST_REFUSED}, {400, POST_REFUSED}, {401, POST_AGAIN}, {404, POST_REFUSED},
                {410, POST_REFUSED}, {422, POST_REFUSED}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(post_verdict(rows[i].status), rows[i].verdict);
}

static void again__doubles_to_a_minute_and_minds_the_edge(void **state)
{
    (void)state;
    assert_int_equal(post_again_ms(0, 0), 250);
    assert_int_equal(post_again_ms(1, 0), 500);
    assert_int_equal(post_again_ms(7, 0), 32000);
    assert_int_equal(post_again_ms(8, 0), 60000);
    assert_int_equal(post_again_ms(INT64_MAX, 0), 60000);
    assert_int_equal(post_again_ms(0, 3), 3000);
    assert_int_equal(post_again_ms(7, 3), 32000);
    assert_int_equal(post_again_ms(0, 86400), 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payment__ends_as_the_script_says),
        cmocka_unit_test(payment__happens_at_its_time_and_not_before),
        cmocka_unit_test(payment__of_another_provider_is_none_of_ours),
        cmocka_unit_test(payment__asked_for_twice_is_charged_once),
        cmocka_unit_test(payment__waits_until_the_log_was_read),
        cmocka_unit_test(cancel__stops_what_has_not_happened),
        cmocka_unit_test(cancel__does_not_take_back_what_happened),
        cmocka_unit_test(cancel__does_not_stop_money_the_script_calls_late),
        cmocka_unit_test(cancel__of_the_unknown_is_nothing),
        cmocka_unit_test(refund__ends_as_the_script_says),
        cmocka_unit_test(refund__by_hand_or_of_others_is_none_of_ours),
        cmocka_unit_test(refund__names_the_attempt_it_answers),
        cmocka_unit_test(ledger__remembers_all_or_nothing),
        cmocka_unit_test(ledger__owes_until_it_was_told),
        cmocka_unit_test(ledger__keeps_what_was_refused_until_the_next_start),
        cmocka_unit_test(ledger__made_anew_does_not_answer_again),
        cmocka_unit_test(ledger__is_of_one_provider_one_house_one_process),
        cmocka_unit_test(ledger__another_script_starts_at_its_top),
        cmocka_unit_test(ledger__forgets_a_show_that_is_over_but_no_debt),
        cmocka_unit_test(verdict__is_by_status),
        cmocka_unit_test(again__doubles_to_a_minute_and_minds_the_edge),
    };
    return cmocka_run_group_tests_name("paydesk_teller", tests, NULL, NULL);
}
