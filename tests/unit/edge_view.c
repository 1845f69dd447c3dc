/* The view: what was said is kept apart, and status follows from it alone, whatever order it was
 * read in. */
#include "api/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SHOW_ID "hamlet"
#define RID     "11111111-1111-4111-8111-111111111111"
#define PAYMENT "22222222-2222-4222-8222-222222222222"
#define COMMAND "33333333-3333-4333-8333-333333333333"

static const struct lines one_line = {1, {{TEXT("standard"), 2, 0}}};

static int topic_of(enum message_type type)
{
    return (int)message_speaker(type) * 2 + 1;
}

static struct message event_of(enum message_type type)
{
    struct message event = {0};
    message_init(&event, type);
    message_set(&event, show_id, text_of(SHOW_ID));
    message_set(&event, reservation_id, text_of(RID));
    return event;
}

static void fill(struct message *event)
{
    struct payment payment = {text_of(PAYMENT), {NULL, 0}, {NULL, 0},
                              method_none,      0,         text_of("EUR")};
    message_set(event, lines, one_line);
    message_set(event, wanted, one_line);
    message_set(event, holder, (struct holder){text_of("Ann"), {NULL, 0}, {NULL, 0}});
    message_set(event, quantity, 2);
    message_set(event, amount_minor, 0);
    message_set(event, currency, text_of("EUR"));
    message_set(event, expires_at_ms, 1000);
    message_set(event, payment, payment);
    message_set(event, payment_id, text_of(PAYMENT));
    message_set(event, method, method_none);
    message_set(event, cause, cause_checkout);
    message_set(event, reason, reason_sold_out);
    message_set(event, available, 1);
    message_set(event, reference, text_of("REF"));
    message_set(event, tickets, (struct tickets){1, {{TEXT("standard"), 1, 2}}});
    message_set(event, remaining, 0);
}

static void say(struct view *view, enum message_type type, int64_t offset)
{
    struct message event = event_of(type);
    struct place place = {topic_of(type), 0, offset};
    fill(&event);
    event.id = text_of("reservations/0/1-0000000000000001.1");
    event.cause_id = text_of("reservations/0/1-0000000000000001.1");
    view_apply(view, &event, &place);
}

static enum reservation_status status_in(struct view *view)
{
    struct reservation *reservation = view_reservation(view, text_of(RID));
    assert_non_null(reservation);
    return view_status(reservation);
}

/* One life per row: what each service says, in its own order. MESSAGE_COUNT ends a list. */
#define END        MESSAGE_COUNT
#define SAID(name) MESSAGE_##name
static const struct life {
    const char *name;
    enum message_type said[3][6]; /* shows, reservations, checkout */
    enum reservation_status status;
    bool finished;
} lives[] = {
    {"requested", {{END}, {SAID(ReservationRequested), END}, {END}}, STATUS_REQUESTED, false},
    {"held",
     {{SAID(SeatsHeld), END}, {SAID(ReservationRequested), END}, {END}},
     STATUS_HELD,
     false},
    {"rejected",
     {{SAID(HoldRejected), END},
      {SAID(ReservationRequested), SAID(ReservationRejected), END},
      {END}},
     STATUS_REJECTED,
     true},
    {"rejected, half read",
     {{SAID(HoldRejected), END}, {SAID(ReservationRequested), END}, {END}},
     STATUS_REJECTED,
     false},
    {"paying",
     {{SAID(SeatsHeld), END}, {SAID(ReservationRequested), END}, {SAID(CheckoutStarted), END}},
     STATUS_PAYING,
     false},
    {"paid, not confirmed",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(SeatsSold), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), END}},
     STATUS_PAYING,
     false},
    {"confirmed",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(SeatsSold), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), END}},
     STATUS_CONFIRMED,
     true},
    {"amount due",
     {{SAID(SeatsHeld), SAID(HoldExtended), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(CheckoutRejected), END}},
     STATUS_HELD,
     false},
    {"released",
     {{SAID(SeatsHeld), SAID(HoldReleased), END},
      {SAID(ReservationRequested), SAID(CancellationRequested), SAID(ReservationReleased), END},
      {END}},
     STATUS_RELEASED,
     true},
    {"expired",
     {{SAID(SeatsHeld), SAID(HoldExpired), END},
      {SAID(ReservationRequested), SAID(ReservationExpired), END},
      {END}},
     STATUS_EXPIRED,
     true},
    {"reacquired",
     {{SAID(SeatsHeld), SAID(HoldExpired), SAID(SeatsSold), END},
      {SAID(ReservationRequested), SAID(ReservationExpired), SAID(ReservationConfirmed), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), END}},
     STATUS_CONFIRMED,
     true},
    {"cancelled",
     {{SAID(SeatsHeld), SAID(SeatsSold), SAID(SeatsReturned), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed), SAID(CancellationRequested),
       SAID(ReservationCancelled), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), END}},
     STATUS_CANCELLED,
     true},
};

/* Walks every interleaving that keeps each service's own order. */
static int walk(const struct life *life, enum message_type *order, int count, const int read[3])
{
    int walks = 0;
    for (int service = 0; service < 3; service++) {
        int further[3] = {read[0], read[1], read[2]};
        if (life->said[service][read[service]] == END)
            continue;
        order[count] = life->said[service][further[service]++];
        walks += walk(life, order, count + 1, further);
    }
    if (walks)
        return walks;
    struct view view = {0};
    for (int i = 0; i < count; i++)
        say(&view, order[i], i);
    assert_int_equal(status_in(&view), life->status);
    assert_int_equal(view_is_finished(view_reservation(&view, text_of(RID))), life->finished);
    view_release(&view);
    return 1;
}

static void status__is_the_same_in_every_interleaving(void **state)
{
    enum message_type order[32];
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        int none[3] = {0, 0, 0};
        assert_true(walk(&lives[i], order, 0, none) >= 1);
    }
}

static void refused__request_is_rejected_but_not_for_a_conflict(void **state)
{
    struct view view = {0};
    struct message event = event_of(MESSAGE_Refused);
    struct place place = {TOPIC_RESERVATIONS_EVENTS, 0, 1};
    (void)state;
    message_set(&event, code, code_conflict);
    message_set(&event, detail, text_of("another body"));
    message_set(&event, command, text_of("RequestReservation"));
    event.cause_id = text_of(COMMAND);
    view_apply(&view, &event, &place);
    assert_null(view_reservation(&view, text_of(RID)));
    message_set(&event, code, code_invalid);
    view_apply(&view, &event, &place);
    assert_int_equal(status_in(&view), STATUS_REJECTED);
    const struct replay *replay =
        view_replay(&view_reservation(&view, text_of(RID))->replays, text_of(COMMAND));
    assert_non_null(replay);
    assert_int_equal(replay->code, code_invalid);
    view_release(&view);
}

/* The answer of a cancellation names the event between; either may be read first. */
static void cancellation__is_found_by_its_command(void **state)
{
    (void)state;
    for (int answer_first = 0; answer_first < 2; answer_first++) {
        struct view view = {0};
        struct message asked = event_of(MESSAGE_CancellationRequested),
                       answer = event_of(MESSAGE_ReleaseRejected);
        struct place asked_at = {TOPIC_RESERVATIONS_EVENTS, 0, 2},
                     answer_at = {TOPIC_SHOWS_EVENTS, 0, 9};
        fill(&asked);
        fill(&answer);
        asked.id = answer.cause_id = text_of("reservations/0/1-00000000000000aa.7");
        asked.cause_id = text_of(COMMAND);
        message_set(&answer, reason, reason_too_late);
        say(&view, MESSAGE_ReservationRequested, 1);
        if (answer_first)
            view_apply(&view, &answer, &answer_at);
        view_apply(&view, &asked, &asked_at);
        if (!answer_first)
            view_apply(&view, &answer, &answer_at);
        const struct reservation *reservation = view_reservation(&view, text_of(RID));
        const struct replay *replay = view_replay(&reservation->replays, text_of(COMMAND));
        assert_non_null(replay);
        assert_int_equal(replay->answer, MESSAGE_ReleaseRejected);
        assert_int_equal(replay->reason, reason_too_late);
        assert_int_equal(reservation->replays.count, 1);
        view_release(&view);
    }
}

/* Checkout is read first, and all it says is no: the reservation is not over, it has not begun. */
static void checkout__heard_of_first_is_kept(void **state)
{
    struct view view = {0};
    (void)state;
    say(&view, MESSAGE_CheckoutStarted, 1);
    say(&view, MESSAGE_CheckoutRejected, 2);
    assert_false(view_is_finished(view_reservation(&view, text_of(RID))));
    say(&view, MESSAGE_ReservationRequested, 1);
    say(&view, MESSAGE_SeatsHeld, 1);
    assert_int_equal(status_in(&view), STATUS_HELD);
    assert_int_equal(view_reservation(&view, text_of(RID))->attempt_count, 1);
    view_release(&view);
}

static void create(struct view *view, const char *id, int64_t starts_at_ms)
{
    struct message event = {0};
    struct place place = {TOPIC_SHOWS_EVENTS, 0, 1};
    message_init(&event, MESSAGE_ShowCreated);
    message_set(&event, show_id, text_of(id));
    message_set(&event, name, text_of(id));
    message_set(&event, starts_at_ms, starts_at_ms);
    message_set(&event, currency, text_of("EUR"));
    message_set(&event, tiers, (struct tiers){1, {{TEXT("standard"), TEXT("Standard"), 0, -1}}});
    message_set(&event, seq, 1);
    message_set(
        &event, after,
        (struct after){
            .capacity = 10, .free = 10, .tier_count = 1, .tiers = {{TEXT("standard"), 0, 0}}});
    event.cause_id = text_of(COMMAND);
    view_apply(view, &event, &place);
}

static void shows__are_listed_by_time(void **state)
{
    struct view view = {0};
    (void)state;
    create(&view, "c", 30);
    create(&view, "a", 10);
    create(&view, "b", 20);
    create(&view, "c", 5); /* as ShowUpdated would move it */
    assert_int_equal(view.show_count, 3);
    assert_string_equal(view.list[0]->show_id, "c");
    assert_string_equal(view.list[1]->show_id, "a");
    assert_string_equal(view.list[2]->show_id, "b");
    view_release(&view);
}

static void shows__forget_the_oldest_command_of_65(void **state)
{
    struct view view = {0};
    struct message event = {0};
    char id[UUID_SIZE];
    (void)state;
    create(&view, SHOW_ID, 10);
    message_init(&event, MESSAGE_SaleOpened);
    message_set(&event, show_id, text_of(SHOW_ID));
    for (int i = 0; i < VIEW_SHOW_REPLAYS_MAX; i++) {
        struct place place = {TOPIC_SHOWS_EVENTS, 0, i + 2};
        snprintf(id, sizeof id, "command-%d", i);
        event.cause_id = text_of(id);
        view_apply(&view, &event, &place);
    }
    const struct show *show = view_show(&view, text_of(SHOW_ID));
    assert_int_equal(show->replays.count, VIEW_SHOW_REPLAYS_MAX);
    assert_null(view_replay(&show->replays, text_of(COMMAND)));
    assert_non_null(view_replay(&show->replays, text_of("command-0")));
    view_release(&view);
}

static void shows__status_follows_the_clock_and_the_pause(void **state)
{
    struct show show = {.on_sale_at_ms = 100, .off_sale_at_ms = 200};
    (void)state;
    assert_int_equal(view_show_status(&show, 99), SHOW_SCHEDULED);
    assert_int_equal(view_show_status(&show, 100), SHOW_ON_SALE);
    assert_int_equal(view_show_status(&show, 200), SHOW_CLOSED);
    show.paused = true;
    assert_int_equal(view_show_status(&show, 150), SHOW_PAUSED);
}

static void copy__owns_everything(void **state)
{
    struct view view = {0};
    (void)state;
    create(&view, SHOW_ID, 10);
    for (int i = 0; lives[6].said[0][i] != END; i++)
        say(&view, lives[6].said[0][i], i);
    say(&view, MESSAGE_ReservationRequested, 1);
    say(&view, MESSAGE_ReservationConfirmed, 2);
    struct reservation *copy = view_reservation_copy(view_reservation(&view, text_of(RID)));
    struct show *show = view_show_copy(view_show(&view, text_of(SHOW_ID)));
    view_release(&view);
    assert_string_equal(copy->holder.name.data, "Ann");
    assert_int_equal(view_status(copy), STATUS_CONFIRMED);
    assert_int_equal(copy->ticket_count, 1);
    assert_string_equal(show->name, SHOW_ID);
    view_reservation_free(copy);
    view_show_free(show);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status__is_the_same_in_every_interleaving),
        cmocka_unit_test(refused__request_is_rejected_but_not_for_a_conflict),
        cmocka_unit_test(cancellation__is_found_by_its_command),
        cmocka_unit_test(checkout__heard_of_first_is_kept),
        cmocka_unit_test(shows__are_listed_by_time),
        cmocka_unit_test(shows__forget_the_oldest_command_of_65),
        cmocka_unit_test(shows__status_follows_the_clock_and_the_pause),
        cmocka_unit_test(copy__owns_everything),
    };
    return cmocka_run_group_tests_name("edge_view", tests, NULL, NULL);
}
