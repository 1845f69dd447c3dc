/* The bookings: the two ladders of their commands, what each answer of shows makes of them, and
 * what is remembered. */
#include "tests/support/core_play.h"

#include "base/prng.h"
#include "services/reservations/reservations_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RUN(rows) PLAY_TABLE(reservations_service, rows, "")

/* Ways to get there. */
#define REQUESTED  "RequestReservation r1 fingerprint=1;"
#define CONFIRMED  REQUESTED "SeatsSold r1;"
#define CANCELLING REQUESTED "CancelReservation r1 id=c9 fingerprint=9;"
#define UNDONE     "there is nothing left to cancel"
#define UNDER_WAY  "a cancellation of this reservation is under way"

static void reservations_core__requests(void **state)
{
    static const struct play_row rows[] = {
        {"",
         "@3 RequestReservation r1 lines=a:2,b:1 holder=Eve channel=boxoffice party=eve id=c1 "
         "fingerprint=4 actor=public",
         "ReservationRequested reservation_id=r1 show_id=s1 lines=a:2,b:1 holder=Eve "
         "channel=boxoffice party=eve fingerprint=4 cause_id=c1 actor=public at_ms=T3"},
        {"", "RequestReservation r1", "ReservationRequested party=-"},
        {REQUESTED, "RequestReservation r2 fingerprint=1", "ReservationRequested"},
        /* a repeat, whatever became of it, whatever its id */
        {REQUESTED, "RequestReservation r1 fingerprint=1", "none"},
        {CONFIRMED, "RequestReservation r1 fingerprint=1 id=other", "none"},
        {REQUESTED "HoldRejected r1", "RequestReservation r1 fingerprint=1", "none"},
        {REQUESTED "HoldExpired r1", "RequestReservation r1 fingerprint=1", "none"},
        /* conflict */
        {REQUESTED, "RequestReservation r1 fingerprint=2",
         "Refused code=conflict field=reservation_id reservation_id=r1 command=RequestReservation"},
        {REQUESTED, "RequestReservation r1 s2 fingerprint=1", "Refused code=conflict"},
        {REQUESTED "HoldRejected r1", "RequestReservation r1 fingerprint=2",
         "Refused code=conflict"},
        /* before invalid */
        {REQUESTED, "RequestReservation r1 fingerprint=2 lines=a,a", "Refused code=conflict"},
        {"", "RequestReservation r1 lines=a:1,b:1,a:2 fingerprint=7",
         "Refused code=invalid field=lines show_id=s1 reservation_id=r1 fingerprint=7"},
        /* a refusal is an answer */
        {"RequestReservation r1 lines=a,a fingerprint=1 -> Refused code=invalid",
         "RequestReservation r1 lines=a,a fingerprint=1", "none"},
        {"RequestReservation r1 lines=a,a fingerprint=1 -> Refused code=invalid",
         "RequestReservation r1 fingerprint=2", "Refused code=conflict"},
        {"RequestReservation r1 lines=a,a fingerprint=1 -> Refused code=invalid",
         "CancelReservation r1", "Refused code=wrong_state"},
        /* a second refusal does not replace the first answer */
        {REQUESTED "RequestReservation r1 fingerprint=2 -> Refused code=conflict",
         "RequestReservation r1 fingerprint=1", "none"},
        {REQUESTED "RequestReservation r1 fingerprint=2 -> Refused code=conflict",
         "CancelReservation r1", "CancellationRequested"},
    };
    (void)state;
    RUN(rows);
}

static void reservations_core__cancels(void **state)
{
    static const struct play_row rows[] = {
        {REQUESTED, "CancelReservation r1 reason=ill by=staff refund=none id=c2 fingerprint=2",
         "CancellationRequested reservation_id=r1 show_id=s1 expect=hold reason=ill by=staff "
         "refund=none fingerprint=2 cause_id=c2"},
        /* tickets are only given back by who knew that there are some */
        {CONFIRMED, "CancelReservation r1", "CancellationRequested expect=any reason=-"},
        {REQUESTED "HoldExpired r1; SeatsSold r1;", "CancelReservation r1",
         "CancellationRequested expect=any"},
        {"", "CancelReservation r1 by=show", "Refused code=not_found field=reservation_id"},
        {REQUESTED, "CancelReservation r1 s2", "Refused code=not_found"},
        /* repeats before everything that has changed since */
        {CANCELLING, "CancelReservation r1 id=c9 fingerprint=9", "none"},
        {CANCELLING "HoldReleased r1;", "CancelReservation r1 id=c9 fingerprint=9", "none"},
        {CANCELLING, "CancelReservation r1 id=c9 fingerprint=8", "Refused code=conflict field=-"},
        {CANCELLING, "CancelReservation r1 id=c9 fingerprint=8 by=show", "Refused code=conflict"},
        {REQUESTED "CancelReservation r1 id=c3 fingerprint=3 by=show -> Refused;",
         "CancelReservation r1 id=c3 fingerprint=3", "none"},
        {REQUESTED "CancelReservation r1 id=c3 fingerprint=3 by=show -> Refused;",
         "CancelReservation r1 id=c3 fingerprint=4", "Refused code=conflict"},
        {CANCELLING, "CancelReservation r1 by=show", "Refused code=invalid field=by"},
        {REQUESTED "HoldExpired r1;", "CancelReservation r1 by=show", "Refused code=invalid"},
        {CANCELLING, "CancelReservation r1", "Refused code=wrong_state field=-"},
        /* two reservations do not share command ids */
        {CANCELLING "RequestReservation r2;", "CancelReservation r2 id=c9 fingerprint=8",
         "CancellationRequested reservation_id=r2"},
    };
    (void)state;
    RUN(rows);
}

/* One code for two reasons: they are told apart by what they say to people. */
static void reservations_core__says_why_it_cannot_cancel(void **state)
{
    static const struct {
        const char *given, *detail;
    } rows[] = {
        {CANCELLING, UNDER_WAY},
        {CANCELLING "HoldExpired r1;", UNDER_WAY}, /* still to be answered: before the status */
        {CANCELLING "HoldExpired r1; ReleaseRejected r1;", UNDONE},
        {CANCELLING "SeatsSold r1;", UNDER_WAY},
        {CANCELLING "HoldReleased r1;", UNDONE},
        {CONFIRMED "CancelReservation r1; SeatsReturned r1;", UNDONE},
        {REQUESTED "HoldRejected r1;", UNDONE},
        {REQUESTED "HoldExpired r1;", UNDONE},
        {"RequestReservation r1 lines=a,a -> Refused;", UNDONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct play *play = play_open(&reservations_service);
        play_script(play, rows[i].given);
        const struct message *outcome = play_step(play, "CancelReservation r1 id=why");
        play_expect(play, outcome, "Refused code=wrong_state");
        if (!text_starts(outcome->detail, rows[i].detail))
            fail_msg("%s: %.*s", rows[i].given, TEXT_PRINT(outcome->detail));
        play_close(play);
    }
}

static void reservations_core__hears_shows(void **state)
{
    static const struct play_row rows[] = {
        {REQUESTED, "HoldRejected r1 reason=sold_out available=3 id=e1",
         "ReservationRejected reason=sold_out available=3 reservation_id=r1 show_id=s1 "
         "cause_id=e1"},
        {REQUESTED, "SeatsHeld r1", "none"},
        {REQUESTED, "HoldExtended r1", "none"},
        {REQUESTED, "ExtensionRejected r1", "none"},
        {REQUESTED, "SaleRejected r1", "none"},
        {REQUESTED, "SaleOpened", "none"},
        {REQUESTED, "HoldExpired r1", "ReservationExpired reservation_id=r1 show_id=s1"},
        {CANCELLING, "HoldReleased r1", "ReservationReleased reservation_id=r1"},
        {CONFIRMED "CancelReservation r1;", "SeatsReturned r1",
         "ReservationCancelled reservation_id=r1 remaining=0"},
        {CANCELLING, "ReleaseRejected r1 reason=already_sold",
         "CancellationRejected reason=already_sold reservation_id=r1"},
        {REQUESTED, "SeatsSold r1 lines=a:2:100,b:3:50,c:1:9",
         "ReservationConfirmed reservation_id=r1 reference=M0000000 tickets=a:1:2,b:3:3,c:6:1"},
        {REQUESTED "HoldExpired r1;", "SeatsSold r1", "ReservationConfirmed tickets=standard:1:1"},
        /* what another cancellation then may do */
        {CANCELLING "SeatsSold r1; ReleaseRejected r1 reason=already_sold;", "CancelReservation r1",
         "CancellationRequested expect=any"},
        {CONFIRMED "CancelReservation r1; ReleaseRejected r1 reason=too_late;",
         "CancelReservation r1 by=staff", "CancellationRequested expect=any by=staff"},
        {CANCELLING "ReleaseRejected r1 reason=already_sold; SeatsSold r1;", "CancelReservation r1",
         "CancellationRequested expect=any"},
    };
    (void)state;
    RUN(rows);
}

/* The first 40 bits of the id, five at a time, in Crockford's digits. */
static void reservations_core__the_reference_comes_from_the_id(void **state)
{
    static const struct {
        const char *id, *reference;
    } rows[] = {
        {"00000000-0000-4000-8000-000000000000", "00000000"},
        {"ffffffff-ff00-4000-8000-000000000000", "ZZZZZZZZ"},
        {"ffffffff-ffff-ffff-ffff-ffffffffffff", "ZZZZZZZZ"},
        {"00443214-c742-4000-8000-000000000000", "01234567"},
        {"84653a56-d700-4000-8000-000000000000", "GHJKMNPQ"},
    };
    char step[128];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct play *play = play_open(&reservations_service);
        snprintf(step, sizeof step, "RequestReservation reservation_id=%s", rows[i].id);
        play_script(play, step);
        snprintf(step, sizeof step, "SeatsSold reservation_id=%s", rows[i].id);
        const struct message *outcome = play_step(play, step);
        play_expect(play, outcome, "ReservationConfirmed");
        if (!text_is(outcome->reference, rows[i].reference))
            fail_msg("%s: %.*s", rows[i].id, TEXT_PRINT(outcome->reference));
        play_close(play);
    }
}

/* Of one reservation the last 16 commands, refused ones too; the request itself is kept apart. */
static void reservations_core__remembers_the_last_16_commands(void **state)
{
    struct play *play = play_open(&reservations_service);
    char step[96];
    (void)state;
    play_script(play, REQUESTED "CancelReservation r1 id=c1 fingerprint=1");
    for (int i = 2; i <= 16; i++) {
        snprintf(step, sizeof step, "CancelReservation r1 id=c%d fingerprint=%d", i, i);
        play_expect(play, play_step(play, step), "Refused code=wrong_state");
    }
    for (int i = 1; i <= 16; i++) {
        snprintf(step, sizeof step, "CancelReservation r1 id=c%d fingerprint=%d", i, i);
        play_expect(play, play_step(play, step), "none");
    }
    play_script(play, "CancelReservation r1 id=c17 -> Refused code=wrong_state;"
                      "CancelReservation r1 id=c2 fingerprint=2 -> none;"
                      "CancelReservation r1 id=c2 fingerprint=3 -> Refused code=conflict;"
                      "CancelReservation r1 id=c1 fingerprint=1 -> Refused code=wrong_state;"
                      "CancelReservation r1 id=c2 fingerprint=2 -> Refused code=wrong_state;"
                      "RequestReservation r1 fingerprint=1 -> none");
    play_close(play);
}

/* A refusal of the loop names what it could read; it is an answer where it lies in the right place.
 */
static void reservations_core__takes_the_loops_refusals_for_answers(void **state)
{
    static const struct {
        const char *code;
        bool remembered;
    } rows[] = {{"invalid", true}, {"internal", true}, {"misrouted", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message refusal;
        enum code code = code_COUNT;
        struct play *play = play_open(&reservations_service);
        assert_true(code_named(text_of(rows[i].code), &code));
        message_init(&refusal, MESSAGE_Refused);
        message_set(&refusal, code, code);
        message_set(&refusal, detail, text_of("x"));
        message_set(&refusal, command, text_of("RequestReservation"));
        message_set(&refusal, show_id, text_of("s1"));
        message_set(&refusal, reservation_id, text_of("a0000000-0000-4000-8000-000000000001"));
        message_set(&refusal, fingerprint, text_of("0000000000000001"));
        play_apply(play, &refusal);
        const struct message *outcome = play_step(play, "RequestReservation r1 fingerprint=1");
        play_expect(play, outcome, rows[i].remembered ? "none" : "ReservationRequested");
        play_close(play);
    }
}

/* ---- at random ------------------------------------------------------------------------------- */

/* What shows would say of a hold: only what can follow. */
struct fate {
    enum { UNASKED, ASKED, HELD, SOLD, ENDED } state;
    bool expired, cancelling, expects_hold;
};

static void random_command(struct prng *prng, char *step, size_t size, int reservation)
{
    int mark = (int)prng_below(prng, 3);
    if (prng_chance(prng, 1, 2))
        snprintf(step, size, "RequestReservation r%d lines=%s fingerprint=%d", reservation,
                 prng_chance(prng, 1, 9) ? "a,a" : "a:2", prng_chance(prng, 1, 9) ? 2 : 1);
    else
        snprintf(step, size, "CancelReservation r%d id=c%d fingerprint=%d by=%s", reservation,
                 (int)prng_below(prng, 40), mark,
                 mark == 2 ? "show" : (mark == 1 ? "staff" : "customer"));
}

static const char *random_answer(struct prng *prng, struct fate *fate)
{
    switch (fate->state) {
    case UNASKED:
        return NULL;
    case ASKED:
        fate->state = prng_chance(prng, 1, 5) ? ENDED : HELD;
        return fate->state == HELD ? "SeatsHeld" : "HoldRejected";
    case HELD:
        if (prng_chance(prng, 1, 3)) {
            fate->expired = true;
            fate->state = ENDED;
            return "HoldExpired";
        }
        if (prng_chance(prng, 1, 2)) {
            fate->state = SOLD;
            return "SeatsSold";
        }
        break;
    case SOLD:
        break;
    case ENDED:
        if (fate->expired && prng_chance(prng, 1, 2)) {
            fate->state = SOLD;
            fate->expired = false;
            return "SeatsSold";
        }
    }
    if (!fate->cancelling)
        return NULL;
    fate->cancelling = false;
    if (fate->state == ENDED || (fate->state == SOLD && fate->expects_hold))
        return "ReleaseRejected";
    const char *answer = fate->state == HELD ? "HoldReleased" : "SeatsReturned";
    fate->state = ENDED;
    return answer;
}

static void take_outcome(struct fate *fate, const struct message *outcome)
{
    if (outcome && outcome->type == MESSAGE_ReservationRequested) {
        assert_int_equal(fate->state, UNASKED); /* asked of shows once */
        fate->state = ASKED;
    }
    if (outcome && outcome->type == MESSAGE_CancellationRequested) {
        assert_false(fate->cancelling); /* one at a time */
        fate->cancelling = true;
        fate->expects_hold = outcome->expect == expect_hold;
    }
}

static void reservations_core__decides_the_same_after_replay_whatever_comes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct prng prng = {seed};
        struct play *play = play_open(&reservations_service);
        struct fate fates[30] = {{UNASKED, false, false, false}};
        char step[128];
        for (int i = 0; i < 600; i++) {
            int reservation = (int)prng_below(&prng, 30);
            struct fate *fate = &fates[reservation];
            if (prng_chance(&prng, 1, 2)) {
                random_command(&prng, step, sizeof step, reservation);
                take_outcome(fate, play_step(play, step));
                continue;
            }
            const char *answer = random_answer(&prng, fate);
            snprintf(step, sizeof step, "%s r%d", answer ? answer : "SaleOpened", reservation);
            if (!answer)
                step[strlen("SaleOpened")] = '\0';
            const struct message *outcome = play_step(play, step);
            assert_int_equal(outcome != NULL, answer && strcmp(answer, "SeatsHeld") != 0);
        }
        play_close(play);
    }
}

static void reservations_core__every_code_occurred(void **state)
{
    (void)state;
    /* the loop's, shows' and checkout's; reasons are repeated as shows says them */
    static const char *const others[] = {"undecodable", "unknown_type", "misrouted", "internal",
                                         "forbidden",   "precondition", NULL};
    play_expect_codes_seen(others);
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (message_speaker((enum message_type)type) == SPEAKER_reservations &&
            message_role((enum message_type)type) == ROLE_EVENT)
            assert_true(play_seen()->types[type] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reservations_core__requests),
        cmocka_unit_test(reservations_core__cancels),
        cmocka_unit_test(reservations_core__says_why_it_cannot_cancel),
        cmocka_unit_test(reservations_core__hears_shows),
        cmocka_unit_test(reservations_core__the_reference_comes_from_the_id),
        cmocka_unit_test(reservations_core__remembers_the_last_16_commands),
        cmocka_unit_test(reservations_core__takes_the_loops_refusals_for_answers),
        cmocka_unit_test(reservations_core__decides_the_same_after_replay_whatever_comes),
        cmocka_unit_test(reservations_core__every_code_occurred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
