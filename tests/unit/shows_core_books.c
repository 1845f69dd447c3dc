/* Whatever comes, in whatever order: the books of shows agree with those of a spectator. */
#include "tests/support/core_play.h"
#include "tests/support/shows_told.h"

#include "base/prng.h"
#include "services/shows/shows_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 60, STEPS = 900, STEP_SIZE = 256, AT_ONCE = 8 };

/* A season: shows and reservations come and go, a few of each at a time. */
struct season {
    struct prng prng;
    struct told *told;
    int64_t now_s;
    int first; /* reservation of those that are about */
    char step[STEP_SIZE];
};

static int dice(struct season *season, int sides)
{
    return (int)prng_below(&season->prng, (uint64_t)sides);
}

static const char *one_of(struct season *season, const char *const *words, int count)
{
    return words[dice(season, count)];
}

#define ONE_OF(season, ...)                                                                        \
    one_of(season, (const char *const[]){__VA_ARGS__},                                             \
           (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

static void say(struct season *season, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct season *season, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(season->step, STEP_SIZE, format, arguments);
    va_end(arguments);
    assert_in_range(size, 1, STEP_SIZE - 1);
}

static int any_reservation(struct season *season)
{
    return season->first + dice(season, AT_ONCE);
}

/* Of one reservation, always the same show, mostly. */
static int show_of(struct season *season, int reservation)
{
    return dice(season, 60) ? 1 + reservation / 12 + reservation % 2 : 1 + dice(season, 11);
}

/* ---- staff ----------------------------------------------------------------------------------- */

static void say_create(struct season *season, int show)
{
    long long now_s = season->now_s;
    say(season, "CreateShow s%d capacity=%d tiers=a:100,b:200%s starts_at_ms=T%lld %s", show,
        5 + dice(season, 20), ONE_OF(season, "", ":4"),
        now_s + (dice(season, 9) ? 100000 + dice(season, 300000) : dice(season, 9000) - 5),
        ONE_OF(season, "", "", "max_per_person=4", "hold_ttl_s=60", "customer_cancel_until_ms=T1"));
}

static void say_update(struct season *season, int show)
{
    long long now_s = season->now_s;
    switch (dice(season, 8)) {
    case 0:
    case 1:
        say(season, "UpdateShow s%d tiers=%s", show,
            ONE_OF(season, "a:100,b:200", "a:150:9,b:200:5", "b:1,a:1,c:1:3", "a:1", "a:7,a:8",
                   "c:70:2,b:200,a:100", "a:100,b:600000000000"));
        return;
    case 2:
        say(season, "UpdateShow s%d max_per_person=%d hold_ttl_s=%d", show, 3 + dice(season, 5),
            60 + dice(season, 600));
        return;
    case 3:
        say(season, "UpdateShow s%d max_per_order=%d pay_window_s=%d", show, 2 + dice(season, 8),
            60 + dice(season, 600));
        return;
    case 4:
        say(season, "UpdateShow s%d on_sale_at_ms=T%lld", show, now_s - 900 + dice(season, 1000));
        return;
    case 5:
        say(season, "UpdateShow s%d off_sale_at_ms=T%lld", show,
            now_s + 10000 * dice(season, 20) - dice(season, 90));
        return;
    case 6:
        say(season, "UpdateShow s%d customer_cancel_until_ms=T%lld expected_seq=%d", show,
            now_s - 300 + dice(season, 600), dice(season, 40));
        return;
    default:
        say(season, "UpdateShow s%d currency=%s starts_at_ms=T%lld", show,
            ONE_OF(season, "EUR", "EUR", "USD"), now_s + dice(season, 100000) - 5000);
    }
}

static void say_command(struct season *season, int show)
{
    switch (dice(season, 9)) {
    case 0:
    case 1:
        say(season, "SetCapacity s%d capacity=%d force=%s", show, dice(season, 30),
            ONE_OF(season, "true", "false"));
        return;
    case 2:
        say(season, "SetBlock s%d block_id=b%d quantity=%d", show, dice(season, 3),
            dice(season, 6));
        return;
    case 3:
    case 4:
        say(season, "%s s%d %s", ONE_OF(season, "OpenSale", "OpenSale", "OpenSale", "PauseSale"),
            show, ONE_OF(season, "", "", "", "id=c1", "id=c2", "id=c3"));
        return;
    case 5:
        if (dice(season, 8))
            say_create(season, show);
        else
            say(season, "CancelShow s%d refund=%s", show, ONE_OF(season, "none", "full"));
        return;
    default:
        say_update(season, show);
    }
}

/* ---- the audience ---------------------------------------------------------------------------- */

static const char *some_seats(struct season *season)
{
    static char lines[40];
    int count = 1 + dice(season, dice(season, 20) ? 4 : 12);
    snprintf(lines, sizeof lines, "%s:%d",
             dice(season, 30) ? ONE_OF(season, "a", "b", "a:1,b", "b:2,a", "c,a") : "x", count);
    return lines;
}

static void say_payment(struct season *season, int reservation, int show)
{
    int64_t amount_minor = told_amount_minor(season->told, reservation);
    if (dice(season, 8) == 0)
        amount_minor = 100 * (1 + dice(season, 5));
    say(season, "PaymentSucceeded r%d s%d payment=p%d:card:%lld:EUR", reservation, show,
        dice(season, 1000), (long long)amount_minor);
}

static void say_cancellation(struct season *season, int reservation, int show)
{
    say(season, "CancellationRequested r%d s%d expect=%s by=%s refund=%s %s", reservation, show,
        ONE_OF(season, "hold", "any", "any"), ONE_OF(season, "customer", "staff", "show"),
        ONE_OF(season, "none", "full"),
        ONE_OF(season, "", "", "tickets=1", "tickets=2", "tickets=1+3", "tickets=2+4+9"));
}

static void say_extension(struct season *season, int reservation, int show)
{
    switch (dice(season, 5)) {
    case 0:
    case 1:
        say(season, "CheckoutStarted r%d s%d p%d", reservation, show, dice(season, 1000));
        return;
    case 2:
        say(season, "PaymentUnknown r%d s%d p%d", reservation, show, dice(season, 1000));
        return;
    default:
        say(season, "ExtensionRequested r%d s%d until_at_ms=T%lld", reservation, show,
            (long long)season->now_s - 20 + dice(season, dice(season, 4) ? 600 : 90000));
    }
}

/* A reservation is asked for once, as long as its show is remembered: that is promised by whoever
 * asks. */
static void say_next(struct season *season)
{
    int reservation = any_reservation(season), show = show_of(season, reservation);
    char show_id[16];
    snprintf(show_id, sizeof show_id, "s%d", show);
    bool asked = told_has_hold(season->told, reservation);
    if (!told_has_show(season->told, show_id) && dice(season, 2))
        say_create(season, show);
    else if (dice(season, 9) == 0)
        say_command(season, show);
    else if (!asked && dice(season, 5))
        say(season, "ReservationRequested r%d s%d lines=%s channel=%s %s", reservation, show,
            some_seats(season), ONE_OF(season, "web", "api", "boxoffice"),
            ONE_OF(season, "", "party=eve", "party=eve", "party=adam"));
    else
        switch (dice(season, 6)) {
        case 0:
        case 1:
            say(season, "ChangeRequested r%d s%d lines=%s", reservation, show, some_seats(season));
            return;
        case 2:
            say_extension(season, reservation, show);
            return;
        case 3:
        case 4:
            say_payment(season, reservation, show);
            return;
        default:
            say_cancellation(season, reservation, show);
        }
}

static void pass_time(struct season *season)
{
    season->now_s += dice(season, 40) ? dice(season, 10) : dice(season, 700);
    if (dice(season, 250) == 0)
        season->now_s += dice(season, 3000000);
}

static void play_season(uint64_t seed)
{
    struct season season = {.prng = {seed}, .now_s = 10000};
    struct play *play = play_open(&shows_service);
    season.told = told_open(play);
    for (int i = 0; i < STEPS; i++) {
        char timed[STEP_SIZE + 32];
        season.first = 1 + i / 9;
        pass_time(&season);
        say_next(&season);
        /* The log's clock may step back; time does not. */
        long long at_s = dice(&season, 30) ? season.now_s : season.now_s / 2;
        snprintf(timed, sizeof timed, "@%lld %s", at_s, season.step);
        const struct message *outcome = play_step(play, timed);
        /* Only a repeated command has none (invariant 4). */
        assert_true(outcome || message_role(play_message(play, season.step)->type) == ROLE_COMMAND);
    }
    play_close(play);
    told_close(season.told);
}

static void shows_core_books__are_kept_whatever_comes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play_season(seed);
}

static void shows_core_books__have_seen_every_event(void **state)
{
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (message_speaker((enum message_type)type) == SPEAKER_shows &&
            message_role((enum message_type)type) == ROLE_EVENT && play_seen()->types[type] == 0)
            fail_msg("%s was never seen", message_name((enum message_type)type));
}

static void shows_core_books__have_seen_every_reason_and_code(void **state)
{
    (void)state;
    /* the loop's; checkout's and reservations' */
    static const char *const codes[] = {"undecodable", "unknown_type", "misrouted", "internal",
                                        "forbidden",   "checked_in",   NULL};
    static const char *const reasons[] = {"amount_due", "wrong_show", "void", "cancelled",
                                          "already_in", "not_in",     NULL};
    play_expect_codes_seen(codes);
    play_expect_reasons_seen(reasons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_core_books__are_kept_whatever_comes),
        cmocka_unit_test(shows_core_books__have_seen_every_event),
        cmocka_unit_test(shows_core_books__have_seen_every_reason_and_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
