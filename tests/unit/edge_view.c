/* The view: what was said is kept apart, and status follows from it alone, whatever order it was
 * read in. */
#include "api/register_rows.h"
#include "api/render.h"
#include "api/view.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SHOW_ID "hamlet"
#define OTHER   "othello"
#define RID     "11111111-1111-4111-8111-111111111111"
#define COMMAND "33333333-3333-4333-8333-333333333333"

/* The second sorts before the first: the order of ids is not the order of time. */
static const char *const payments[] = {NULL, "22222222-2222-4222-8222-222222222222",
                                       "12222222-2222-4222-8222-222222222222"};
static const char *const refunds[] = {NULL, "42222222-2222-4222-8222-222222222222",
                                      "41222222-2222-4222-8222-222222222222"};
static const struct lines one_line = {1, {{TEXT("standard"), 2, 0}}};
static const struct lines three_seats = {1, {{TEXT("standard"), 3, 500}}};
static const char asked_id[] = "reservations/0/1-0000000000000001.1";

/* What a service says, and with which of its fields. */
struct word {
    enum message_type type;
    int payment;   /* of `payments`; 0: the first */
    int replaces;  /* CheckoutStarted; 0: none */
    int ticket;    /* of numbers; 0: both */
    int remaining; /* ReservationCancelled */
    int refund;    /* of `refunds`; 0: the first */
    bool other;    /* about the other show */
    bool manual;   /* of a refund */
    enum cause cause;
    enum reason reason;
    enum method method;
};

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
    event.at_ms = 5000;
    return event;
}

static void fill_payment(struct message *event, const struct word *word)
{
    struct text payment_id = text_of(payments[word->payment ? word->payment : 1]);
    bool external = word->method == method_external;
    struct payment payment = {payment_id, text_of(external ? "paydesk" : NULL),
                              {NULL, 0},  word->method,
                              0,          text_of("EUR")};
    message_set(event, payment, payment);
    message_set(event, method, word->method);
    if (message_may(event->type, FIELD_payment_id) && word->cause != cause_staff)
        message_set(event, payment_id, payment_id);
    if (word->replaces)
        message_set(event, supersedes, text_of(payments[word->replaces]));
    if (message_needs(event->type, FIELD_provider)) {
        message_set(event, provider, text_of("paydesk"));
        message_set(event, pay_by_ms, 1000);
    }
    if (message_needs(event->type, FIELD_provider_ref))
        message_set(event, provider_ref, text_of("ref"));
    message_set(event, refund_id, text_of(refunds[word->refund ? word->refund : 1]));
    message_set(event, manual, word->manual);
    message_set(event, attempt, 1);
}

static void fill_tickets(struct message *event, const struct word *word)
{
    struct numbers numbers = {{0}};
    numbers_add_range(&numbers, word->ticket ? word->ticket : 1, word->ticket ? 1 : 2);
    message_set(event, numbers, numbers);
    message_set(event, remaining, word->remaining);
    message_set(event, tickets, (struct tickets){1, {{TEXT("standard"), 1, 2}}});
    message_set(event, ticket_id, text_of(RID "-2"));
    message_set(event, generation, 2);
    message_set(event, list_id, text_of("main-door"));
    message_set(event, entry, entry_in);
}

static void fill(struct message *event, const struct word *word)
{
    bool resized = event->type == MESSAGE_HoldResized;
    message_set(event, lines, resized ? three_seats : one_line);
    message_set(event, wanted, one_line);
    message_set(event, holder,
                (struct holder){text_of(event->type == MESSAGE_TicketTransferred ? "Bob" : "Ann"),
                                {NULL, 0},
                                {NULL, 0}});
    message_set(event, quantity, resized ? 3 : 2);
    if (message_needs(event->type, FIELD_amount_minor))
        message_set(event, amount_minor, resized ? 1500 : 1000);
    message_set(event, currency, text_of("EUR"));
    message_set(event, expires_at_ms, word->cause == cause_pin ? 9000 : 1000);
    message_set(event, cause, word->cause);
    if (message_needs(event->type, FIELD_reason))
        message_set(event, reason, word->reason);
    if (message_needs(event->type, FIELD_available))
        message_set(event, available, 1);
    message_set(event, reference, text_of("REF"));
    message_set(event, note, text_of("a note"));
    fill_payment(event, word);
    fill_tickets(event, word);
}

static void say_word(struct view *view, const struct word *word, int64_t offset)
{
    struct message event = event_of(word->type);
    struct place place = {topic_of(word->type), 0, offset};
    if (word->other)
        message_set(&event, show_id, text_of(OTHER));
    fill(&event, word);
    event.id = event.cause_id = text_of(asked_id);
    if (word->type == MESSAGE_Refused) { /* of StartCheckout, whose reservation was unknown then */
        place.topic = TOPIC_CHECKOUT_EVENTS;
        message_set(&event, code, code_wrong_state);
        message_set(&event, detail, text_of("no"));
        message_set(&event, command, text_of("StartCheckout"));
        event.cause_id = text_of(payments[1]);
    }
    view_apply(view, &event, &place);
}

static void say(struct view *view, enum message_type type, int64_t offset)
{
    struct word word = {.type = type};
    say_word(view, &word, offset);
}

static enum reservation_status status_in(struct view *view)
{
    struct reservation *reservation = view_reservation(view, text_of(RID));
    assert_non_null(reservation);
    return view_status(reservation);
}

/* ---- a register that writes after every word and lets go of all it may ----------------------- */

struct shelf {
    struct buffer rows[2]; /* of SHOW_ID, OTHER */
    bool requested[2];
};

static struct reservation *shelf_load(void *self, struct text reservation_id, struct text show_id)
{
    struct shelf *shelf = self;
    assert_true(text_is(reservation_id, RID));
    for (int i = 0; i < 2; i++)
        if (shelf->rows[i].size &&
            (show_id.size ? text_is(show_id, i ? OTHER : SHOW_ID) : shelf->requested[i]))
            return row_read_reservation(buffer_view(&shelf->rows[i]));
    return NULL;
}

static void shelf_write(struct shelf *shelf, struct view *view)
{
    for (struct reservation *each = view->dirty; each; each = each->next_dirty) {
        int at = strcmp(each->show_id, OTHER) == 0;
        buffer_clear(&shelf->rows[at]);
        row_put_reservation(&shelf->rows[at], each);
        shelf->requested[at] = view_is_requested(each);
        each->dirty = false;
    }
    view->dirty = NULL;
    struct reservation *settled = view->settled;
    view->settled = NULL;
    for (struct reservation *next; settled; settled = next) {
        next = settled->next_settled;
        settled->settled = false;
        if (view_may_leave(settled))
            view_let_go(view, settled);
    }
}

/* ---- lives ----------------------------------------------------------------------------------- */

/* One life per row: what each service says, in its own order. MESSAGE_COUNT ends a list. */
#define END                                                                                        \
    {                                                                                              \
        .type = MESSAGE_COUNT                                                                      \
    }
#define SAID(name, ...)                                                                            \
    {                                                                                              \
        .type = MESSAGE_##name, __VA_ARGS__                                                        \
    }
#define NOBODY -1
static const struct life {
    const char *name;
    struct word said[3][8]; /* shows, reservations, checkout */
    int status;             /* NOBODY: no reservation */
    bool finished;
    const char *shown, *hidden; /* parts of the answer that are, and are not, there; NULL: any */
} lives[] = {

    {"requested",
     {{END}, {SAID(ReservationRequested), END}, {END}},
     STATUS_REQUESTED,
     false,
     NULL,
     "expires_at"},
    {"held",
     {{SAID(SeatsHeld), END}, {SAID(ReservationRequested), END}, {END}},
     STATUS_HELD,
     false,
     "\"expires_at\"",
     NULL},
    {"rejected",
     {{SAID(HoldRejected, .reason = reason_sold_out), END},
      {SAID(ReservationRequested), SAID(ReservationRejected, .reason = reason_sold_out), END},
      {END}},
     STATUS_REJECTED,
     true,
     "sold_out",
     NULL},
    {"rejected, half read",
     {{SAID(HoldRejected), END}, {SAID(ReservationRequested), END}, {END}},
     STATUS_REJECTED,
     false,
     NULL,
     NULL},
    {"too late for an archived show",
     {{SAID(HoldRejected, .reason = reason_archived), END},
      {SAID(ReservationRequested), END},
      {END}},
     STATUS_REJECTED,
     true,
     "archived",
     NULL},
    {"paying",
     {{SAID(SeatsHeld), END}, {SAID(ReservationRequested), END}, {SAID(CheckoutStarted), END}},
     STATUS_PAYING,
     false,
     NULL,
     "pay_by"},
    {"started before the seats were held",
     {{END}, {SAID(ReservationRequested), END}, {SAID(CheckoutStarted), END}},
     STATUS_REQUESTED,
     false,
     NULL,
     NULL},
    {"paid, not confirmed",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(SeatsSold), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), END}},
     STATUS_PAYING,
     false,
     "\"kept\"",
     NULL},
    {"confirmed",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(SeatsSold), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), END}},
     STATUS_CONFIRMED,
     true,
     "\"valid\"",
     "\"cancelled\""},
    {"amount due",
     {{SAID(SeatsHeld), SAID(HoldExtended), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(CheckoutRejected), END}},
     STATUS_HELD,
     false,
     "\"rejected\"",
     NULL},
    {"paid elsewhere",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(SeatsSold, .method = method_external), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed), END},
      {SAID(CheckoutStarted, .method = method_external), SAID(PaymentRequested),
       SAID(PaymentSucceeded, .method = method_external), END}},
     STATUS_CONFIRMED,
     true,
     "\"paydesk\"",
     NULL},
    {"to be paid elsewhere",
     {{SAID(SeatsHeld), SAID(HoldExtended), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted, .method = method_external), SAID(PaymentRequested), END}},
     STATUS_PAYING,
     false,
     "\"pay_by\"",
     NULL},
    {"nobody knows",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(HoldExtended, .cause = cause_pin), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(PaymentRequested), SAID(PaymentUnknown), END}},
     STATUS_PAYMENT_UNKNOWN,
     false,
     "\"pay_by\":\"1970-01-01T00:00:09",
     "\"pay_by\":\"1970-01-01T00:00:01"},
    {"nobody knew, and the pin was refused",
     {{SAID(SeatsHeld), SAID(HoldExtended),
       SAID(ExtensionRejected, .cause = cause_pin, .reason = reason_limit), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(PaymentRequested), SAID(PaymentUnknown), END}},
     STATUS_PAYMENT_UNKNOWN,
     false,
     "\"unknown\"",
     NULL},
    {"the payment failed",
     {{SAID(SeatsHeld), SAID(HoldExtended), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(PaymentRequested), SAID(PaymentFailed), END}},
     STATUS_HELD,
     false,
     "\"failed\"",
     "\"pay_by\""},
    {"failed, then paid after all",
     {{SAID(SeatsHeld), SAID(HoldExtended), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(PaymentRequested), SAID(PaymentFailed), SAID(PaymentSucceeded),
       END}},
     STATUS_HELD,
     false,
     "\"succeeded\"",
     NULL},
    {"abandoned",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(HoldExpired), END},
      {SAID(ReservationRequested), SAID(ReservationExpired), END},
      {SAID(CheckoutStarted), SAID(PaymentRequested), SAID(PaymentAbandoned), END}},
     STATUS_EXPIRED,
     true,
     "\"abandoned\"",
     NULL},
    {"abandoned, and nobody knows",
     {{SAID(SeatsHeld), SAID(HoldExtended), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(PaymentRequested), SAID(PaymentAbandoned), SAID(PaymentUnknown),
       END}},
     STATUS_HELD,
     false,
     NULL,
     NULL},
    {"superseded",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(HoldExtended, .payment = 2), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(CheckoutStarted, .payment = 2, .replaces = 1),
       SAID(PaymentRequested, .payment = 2), END}},
     STATUS_PAYING,
     false,
     "\"payment_id\":\"12222222",
     NULL},
    {"two were refused",
     {{SAID(SeatsHeld), SAID(ExtensionRejected, .payment = 2), SAID(ExtensionRejected), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted, .payment = 2), SAID(CheckoutRejected, .payment = 2),
       SAID(CheckoutStarted), SAID(CheckoutRejected), END}},
     STATUS_HELD,
     false,
     "\"payment_id\":\"22222222",
     NULL},
    {"paid twice",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(SeatsSold), SAID(SaleRejected, .payment = 2), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed), END},
      {SAID(CheckoutStarted), SAID(CheckoutStarted, .payment = 2, .replaces = 1),
       SAID(PaymentSucceeded), SAID(PaymentSucceeded, .payment = 2), SAID(RefundRequested), END}},
     STATUS_CONFIRMED,
     true,
     "\"refund\"",
     "\"refunds\""},
    {"one payment came in twice",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(SeatsSold, .method = method_cash),
       SAID(SaleRejected, .method = method_external), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed), END},
      {SAID(CheckoutStarted, .method = method_cash), SAID(PaymentSucceeded, .method = method_cash),
       SAID(PaymentSucceeded, .method = method_external), SAID(RefundRequested), END}},
     STATUS_CONFIRMED,
     true,
     "\"cash\"",
     NULL},
    {"released",
     {{SAID(SeatsHeld), SAID(HoldReleased), END},
      {SAID(ReservationRequested), SAID(CancellationRequested), SAID(ReservationReleased), END},
      {END}},
     STATUS_RELEASED,
     true,
     NULL,
     NULL},
    {"expired",
     {{SAID(SeatsHeld), SAID(HoldExpired), END},
      {SAID(ReservationRequested), SAID(ReservationExpired), END},
      {END}},
     STATUS_EXPIRED,
     true,
     NULL,
     NULL},
    {"reacquired",
     {{SAID(SeatsHeld), SAID(HoldExpired), SAID(SeatsSold), END},
      {SAID(ReservationRequested), SAID(ReservationExpired), SAID(ReservationConfirmed), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), END}},
     STATUS_CONFIRMED,
     true,
     NULL,
     NULL},
    {"paid too late",
     {{SAID(SeatsHeld), SAID(HoldExtended), SAID(HoldExpired),
       SAID(SaleRejected, .reason = reason_sold_out), END},
      {SAID(ReservationRequested), SAID(ReservationExpired), END},
      {SAID(CheckoutStarted), SAID(PaymentRequested), SAID(PaymentSucceeded), SAID(RefundRequested),
       SAID(RefundCompleted), END}},
     STATUS_EXPIRED,
     true,
     "\"completed\"",
     NULL},
    {"a refund a person must hand out",
     {{SAID(SeatsHeld), SAID(SeatsSold), SAID(SeatsReturned), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed), SAID(CancellationRequested),
       SAID(ReservationCancelled), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), SAID(RefundRequested),
       SAID(RefundFailed, .manual = true), END}},
     STATUS_CANCELLED,
     true,
     "\"manual\"",
     "\"valid\""},
    {"a refund is tried again",
     {{SAID(SeatsHeld), END},
      {SAID(ReservationRequested), END},
      {SAID(RefundRequested), SAID(RefundFailed), SAID(RefundRequested), END}},
     STATUS_HELD,
     false,
     "\"requested\"",
     "\"failed\""},
    {"one ticket was cancelled",
     {{SAID(SeatsHeld), SAID(SeatsSold), SAID(SeatsReturned, .ticket = 1), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed), SAID(CancellationRequested),
       SAID(ReservationCancelled, .ticket = 1, .remaining = 1), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), SAID(RefundRequested), END}},
     STATUS_CONFIRMED,
     true,
     "-1\",\"tier_id\":\"standard\",\"status\":\"cancelled\"",
     "-2\",\"tier_id\":\"standard\",\"status\":\"cancelled\""},
    {"one ticket was cancelled, then the other",
     {{SAID(SeatsHeld), SAID(SeatsSold), SAID(SeatsReturned, .ticket = 2),
       SAID(SeatsReturned, .ticket = 1), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed),
       SAID(ReservationCancelled, .ticket = 2, .remaining = 1),
       SAID(ReservationCancelled, .ticket = 1), END},
      {SAID(RefundRequested), SAID(RefundRequested, .refund = 2), END}},
     STATUS_CANCELLED,
     true,
     "\"refunds\"",
     "\"valid\""},
    {"resized",
     {{SAID(SeatsHeld), SAID(HoldResized), END},
      {SAID(ReservationRequested), SAID(ChangeRequested), END},
      {END}},
     STATUS_HELD,
     false,
     "\"quantity\":3,\"holder\"",
     NULL},
    {"not resized",
     {{SAID(SeatsHeld), SAID(ResizeRejected), END},
      {SAID(ReservationRequested), SAID(ChangeRequested), END},
      {END}},
     STATUS_HELD,
     false,
     "\"quantity\":2,\"holder\"",
     NULL},
    {"given more time by staff",
     {{SAID(SeatsHeld), SAID(HoldExtended, .cause = cause_staff), END},
      {SAID(ReservationRequested), SAID(ExtensionRequested), END},
      {END}},
     STATUS_HELD,
     false,
     NULL,
     "\"payment\""},
    {"passed on, let in and renamed",
     {{SAID(SeatsHeld), SAID(SeatsSold), END},
      {SAID(ReservationRequested), SAID(ReservationConfirmed), SAID(ReservationUpdated),
       SAID(TicketTransferred), SAID(TicketCheckedIn), SAID(CheckInRejected), END},
      {SAID(CheckoutStarted), SAID(PaymentSucceeded), END}},
     STATUS_CONFIRMED,
     true,
     "\"status\":\"valid\",\"generation\":2,\"holder\":{\"name\":\"Bob\"},\"seen\":{\"list_id\":"
     "\"main-door\","
     "\"entry\":\"in\"",
     NULL},
    {"refused by checkout",
     {{SAID(SeatsHeld), END}, {SAID(ReservationRequested), END}, {SAID(Refused), END}},
     STATUS_HELD,
     false,
     NULL,
     NULL},
    {"invented by who pays",
     {{SAID(ExtensionRejected), SAID(SaleRejected), END},
      {END},
      {SAID(CheckoutStarted), SAID(CheckoutRejected), SAID(PaymentSucceeded), SAID(RefundRequested),
       END}},
     NOBODY,
     false,
     NULL,
     NULL},
    {"invented at the door",
     {{END}, {SAID(CheckInRejected), END}, {SAID(Refused), END}},
     NOBODY,
     false,
     NULL,
     NULL},
    {"paid for before it was requested",
     {{SAID(ExtensionRejected), SAID(SeatsHeld), END},
      {SAID(CheckInRejected), SAID(ReservationRequested), END},
      {SAID(CheckoutStarted), SAID(CheckoutRejected), END}},
     STATUS_HELD,
     false,
     "\"rejected\"",
     NULL},
    {"paid for under another show",
     {{SAID(SeatsHeld), END},
      {SAID(ReservationRequested), END},
      {SAID(CheckoutStarted, .other = true), SAID(PaymentSucceeded, .other = true), END}},
     STATUS_HELD,
     false,
     NULL,
     "\"payment\""},
    {"requested for two shows",
     {{SAID(SeatsHeld, .other = true), SAID(SeatsHeld), END},
      {SAID(ReservationRequested), SAID(ReservationRequested, .other = true), END},
      {SAID(CheckoutStarted, .other = true), END}},
     STATUS_HELD,
     false,
     "hamlet",
     "\"payment\""},
};

/* What is told of the reservation, and its ETag. */
static void print_answer(struct view *view, struct buffer *out)
{
    const struct reservation *reservation = view_reservation(view, text_of(RID));
    buffer_clear(out);
    if (reservation == NULL) {
        buffer_string(out, "nobody requested it");
        return;
    }
    render_reservation(out, NULL, reservation, NULL);
    for (int i = 0; i < 3; i++)
        buffer_print(out, " %lld", (long long)reservation->offsets[i]);
}

struct walk {
    const struct life *life;
    const struct word *order[24];
    int64_t offsets[24]; /* each service counts its own */
    struct buffer first, answer;
    int count, told;
};

static void judge(struct walk *walk, struct view *view)
{
    const struct life *life = walk->life;
    const struct reservation *reservation = view_reservation(view, text_of(RID));
    print_answer(view, &walk->answer);
    if (walk->count++ == 0)
        buffer_text(&walk->first, buffer_view(&walk->answer));
    if (!text_equal(buffer_view(&walk->first), buffer_view(&walk->answer)))
        fail_msg("%s:\n%s\n%s", life->name, walk->first.data, walk->answer.data);
    if (life->status == NOBODY) {
        assert_null(reservation);
        return;
    }
    assert_non_null(reservation);
    if ((int)view_status(reservation) != life->status ||
        view_is_finished(reservation) != life->finished ||
        (life->shown && strstr(walk->answer.data, life->shown) == NULL) ||
        (life->hidden && strstr(walk->answer.data, life->hidden)))
        fail_msg("%s: %s", life->name, walk->answer.data);
}

/* Once as it comes, and every seventh time with a register as well that takes away whatever it may
 * after every word. */
static void tell(struct walk *walk, int count)
{
    int times = walk->told++ % 7 == 0 ? 2 : 1;
    for (int kept = 0; kept < times; kept++) {
        struct shelf shelf = {0};
        struct view view = {0};
        if (kept)
            view.store = (struct view_store){shelf_load, &shelf};
        for (int i = 0; i < count; i++) {
            say_word(&view, walk->order[i], walk->offsets[i]);
            if (kept)
                shelf_write(&shelf, &view);
        }
        judge(walk, &view);
        if (kept && (walk->life->finished || walk->life->status == NOBODY)) {
            shelf_write(&shelf, &view);
            assert_int_equal(view.reservations.count, 0);
        }
        view_release(&view);
        buffer_release(&shelf.rows[0]);
        buffer_release(&shelf.rows[1]);
    }
}

/* Walks every interleaving that keeps each service's own order. */
static void walk_on(struct walk *walk, int count, const int read[3])
{
    bool ended = true;
    for (int service = 0; service < 3; service++) {
        int further[3] = {read[0], read[1], read[2]};
        const struct word *word = &walk->life->said[service][read[service]];
        if (word->type == MESSAGE_COUNT)
            continue;
        ended = false;
        walk->order[count] = word;
        walk->offsets[count] = further[service]++;
        walk_on(walk, count + 1, further);
    }
    if (ended)
        tell(walk, count);
}

static void status__is_the_same_in_every_interleaving(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        struct walk walk = {.life = &lives[i]};
        walk_on(&walk, 0, (const int[3]){0, 0, 0});
        assert_true(walk.count >= 2);
        buffer_release(&walk.first);
        buffer_release(&walk.answer);
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
    message_set(&event, code, code_misrouted);
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
        fill(&asked, &(struct word){.type = MESSAGE_CancellationRequested});
        fill(&answer, &(struct word){.type = MESSAGE_ReleaseRejected});
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
/* Once the books are closed nobody knows a repeat from a new command; but here it was answered. */
static void refused__repeat_after_the_end_changes_no_answer(void **state)
{
    static const char *const commands[] = {"RequestReservation", "StartCheckout"};
    struct view view = {0};
    (void)state;
    say(&view, MESSAGE_ReservationRequested, 1);
    say(&view, MESSAGE_SeatsHeld, 1);
    say(&view, MESSAGE_CheckoutStarted, 1);
    for (int i = 0; i < 2; i++) {
        struct message event = event_of(MESSAGE_Refused);
        struct place place = {i ? TOPIC_CHECKOUT_EVENTS : TOPIC_RESERVATIONS_EVENTS, 0, 9};
        message_set(&event, code, code_archived);
        message_set(&event, detail, text_of("its books are closed"));
        message_set(&event, command, text_of(commands[i]));
        message_set(&event, payment_id, text_of(payments[1]));
        event.cause_id = i ? event.payment_id : text_of(RID);
        view_apply(&view, &event, &place);
        assert_null(view_replay(&view_reservation(&view, text_of(RID))->replays, event.cause_id));
    }
    assert_int_equal(status_in(&view), STATUS_PAYING);
    view_release(&view);
}

static void checkout__heard_of_first_is_kept(void **state)
{
    struct view view = {0};
    (void)state;
    say(&view, MESSAGE_CheckoutStarted, 1);
    say(&view, MESSAGE_CheckoutRejected, 2);
    assert_null(view_reservation(&view, text_of(RID)));
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
    struct show show = {.created = true, .on_sale_at_ms = 100, .off_sale_at_ms = 200};
    (void)state;
    assert_int_equal(view_show_status(&show, 99), SHOW_SCHEDULED);
    assert_int_equal(view_show_status(&show, 100), SHOW_ON_SALE);
    assert_int_equal(view_show_status(&show, 200), SHOW_CLOSED);
    show.paused = true;
    assert_int_equal(view_show_status(&show, 150), SHOW_PAUSED);
    show.cancelled = true;
    assert_int_equal(view_show_status(&show, 200), SHOW_CANCELLED);
    show.archived = true;
    assert_int_equal(view_show_status(&show, 200), SHOW_ARCHIVED);
    assert_string_equal(view_show_status_name(SHOW_ARCHIVED), "archived");
}

/* The other services' words about a show may be read before shows' own. */
static void shows__end_the_same_in_every_order(void **state)
{
    static const enum message_type others[] = {
        MESSAGE_ShowCancellationStarted, MESSAGE_ShowCancellationFinished,
        MESSAGE_ReservationsArchived, MESSAGE_PaymentsArchived};
    (void)state;
    for (int before = 0; before <= 4; before++) {
        struct view view = {0};
        struct place place = {TOPIC_SHOWS_EVENTS, 0, 2};
        for (int i = 0; i <= 4; i++) {
            struct message event = {0};
            if (i == before) {
                create(&view, SHOW_ID, 10);
                for (int k = 0; k < 2; k++) {
                    message_init(&event, k ? MESSAGE_ShowArchived : MESSAGE_ShowCancelled);
                    message_set(&event, show_id, text_of(SHOW_ID));
                    message_set(&event, why, text_of("rain"));
                    message_set(&event, refund, refund_full);
                    view_apply(&view, &event, &place);
                }
            }
            if (i == 4)
                break;
            message_init(&event, others[i]);
            message_set(&event, show_id, text_of(SHOW_ID));
            message_set(&event, open, 3);
            view_apply(&view, &event, &(struct place){topic_of(others[i]), 0, i});
            assert_true(i >= before || view_show(&view, text_of(SHOW_ID)) == NULL);
        }
        const struct show *show = view_show(&view, text_of(SHOW_ID));
        assert_non_null(show);
        assert_int_equal(view.show_count, 1);
        assert_int_equal(view_show_status(show, 0), SHOW_ARCHIVED);
        assert_int_equal(show->winding, WINDING_FINISHED);
        assert_int_equal(show->winding_open, 3);
        assert_int_equal(show->other_offset, 2);
        assert_string_equal(show->cancelled_why, "rain");
        assert_true(show->bookings_archived && show->payments_archived);
        assert_int_equal(show->replays.count, 0); /* nothing is worth remembering any more */
        view_release(&view);
    }
}

static void shows__come_back_from_their_row(void **state)
{
    struct view view = {0};
    struct message event = {0};
    struct buffer row = {0}, again = {0};
    (void)state;
    create(&view, SHOW_ID, 10);
    message_init(&event, MESSAGE_ShowCancelled);
    message_set(&event, show_id, text_of(SHOW_ID));
    message_set(&event, why, text_of("rain"));
    message_set(&event, refund, refund_full);
    view_apply(&view, &event, &(struct place){TOPIC_SHOWS_EVENTS, 0, 2});
    row_put_show(&row, view_show(&view, text_of(SHOW_ID)));
    struct show *show = row_read_show(buffer_view(&row));
    assert_true(show->created && show->cancelled && show->cancelled_refund == refund_full);
    row_put_show(&again, show);
    assert_true(text_equal(buffer_view(&row), buffer_view(&again)));
    view_show_free(show);
    buffer_release(&row);
    buffer_release(&again);
    view_release(&view);
}

/* A change and an extension are answered by shows; an update, a transfer, a check-in and a result
 * by the service itself. */
static void replays__know_every_answer(void **state)
{
    static const struct {
        enum message_type asked, answer;
        enum cause cause;
    } rows[] = {
        {MESSAGE_CancellationRequested, MESSAGE_SeatsReturned, cause_customer},
        {MESSAGE_ChangeRequested, MESSAGE_HoldResized, cause_customer},
        {MESSAGE_ChangeRequested, MESSAGE_ResizeRejected, cause_customer},
        {MESSAGE_ExtensionRequested, MESSAGE_HoldExtended, cause_staff},
        {MESSAGE_ExtensionRequested, MESSAGE_ExtensionRejected, cause_staff},
        {MESSAGE_NONE, MESSAGE_ReservationUpdated, cause_customer},
        {MESSAGE_NONE, MESSAGE_TicketTransferred, cause_customer},
        {MESSAGE_NONE, MESSAGE_TicketCheckedIn, cause_customer},
        {MESSAGE_NONE, MESSAGE_CheckInRejected, cause_customer},
        {MESSAGE_NONE, MESSAGE_PaymentFailed, cause_customer},
        {MESSAGE_NONE, MESSAGE_RefundCompleted, cause_customer},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct view view = {0};
        struct word word = {.type = rows[i].answer, .cause = rows[i].cause};
        struct message answer = event_of(rows[i].answer), asked = event_of(rows[i].asked);
        struct place place = {topic_of(rows[i].answer), 0, 9};
        say(&view, MESSAGE_ReservationRequested, 1);
        fill(&answer, &word);
        answer.id = text_of("shows/0/1-0000000000000002.1");
        answer.cause_id = text_of(rows[i].asked == MESSAGE_NONE ? COMMAND : asked_id);
        view_apply(&view, &answer, &place);
        if (rows[i].asked != MESSAGE_NONE) {
            asked.id = text_of(asked_id);
            asked.cause_id = text_of(COMMAND);
            view_apply(&view, &asked, &(struct place){TOPIC_RESERVATIONS_EVENTS, 0, 2});
        }
        const struct reservation *reservation = view_reservation(&view, text_of(RID));
        const struct replay *replay = view_replay(&reservation->replays, text_of(COMMAND));
        assert_non_null(replay);
        assert_int_equal(replay->answer, rows[i].answer);
        assert_int_equal(replay->available, rows[i].answer == MESSAGE_ResizeRejected ? 1 : -1);
        view_release(&view);
    }
}

static void copy__owns_everything(void **state)
{
    struct view view = {0};
    (void)state;
    create(&view, SHOW_ID, 10);
    say(&view, MESSAGE_SeatsHeld, 1);
    say(&view, MESSAGE_SeatsSold, 2);
    say(&view, MESSAGE_ReservationRequested, 1);
    say(&view, MESSAGE_ReservationConfirmed, 2);
    say(&view, MESSAGE_ReservationUpdated, 3);
    say(&view, MESSAGE_TicketTransferred, 4);
    say(&view, MESSAGE_RefundRequested, 5);
    struct reservation *copy = view_reservation_copy(view_reservation(&view, text_of(RID)));
    struct show *show = view_show_copy(view_show(&view, text_of(SHOW_ID)));
    view_release(&view);
    assert_string_equal(copy->holder.name.data, "Ann");
    assert_int_equal(view_status(copy), STATUS_CONFIRMED);
    assert_int_equal(copy->ticket_count, 1);
    assert_string_equal(copy->note, "a note");
    assert_string_equal(view_ticket(copy, 2)->holder.name.data, "Bob");
    assert_int_equal(copy->repayment_count, 1);
    assert_string_equal(show->name, SHOW_ID);
    view_reservation_free(copy);
    view_show_free(show);
}

/* Refused before anybody had read who asked: the register must not invent a nameless one. */
static void copy__has_no_holder_where_there_is_none(void **state)
{
    (void)state;
    struct reservation *refused = view_reservation_new(text_of(RID), text_of(SHOW_ID));
    struct reservation *copy = view_reservation_copy(refused);
    assert_null(copy->holder.name.data);
    view_reservation_free(copy);
    view_reservation_free(refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status__is_the_same_in_every_interleaving),
        cmocka_unit_test(refused__request_is_rejected_but_not_for_a_conflict),
        cmocka_unit_test(refused__repeat_after_the_end_changes_no_answer),
        cmocka_unit_test(cancellation__is_found_by_its_command),
        cmocka_unit_test(checkout__heard_of_first_is_kept),
        cmocka_unit_test(shows__are_listed_by_time),
        cmocka_unit_test(shows__forget_the_oldest_command_of_65),
        cmocka_unit_test(shows__status_follows_the_clock_and_the_pause),
        cmocka_unit_test(shows__end_the_same_in_every_order),
        cmocka_unit_test(shows__come_back_from_their_row),
        cmocka_unit_test(replays__know_every_answer),
        cmocka_unit_test(copy__owns_everything),
        cmocka_unit_test(copy__has_no_holder_where_there_is_none),
    };
    return cmocka_run_group_tests_name("edge_view", tests, NULL, NULL);
}
