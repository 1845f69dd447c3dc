/* Many bookings at once: a show's cancellation, ten by ten; and everything at random, held against
 * a model of bookings, tickets and doors that was written from the table of messages, not from the
 * core. */
#include "tests/support/core_play.h"

#include "base/prng.h"
#include "services/reservations/reservations_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a cancelled show ------------------------------------------------------------------------ */

enum { SAID_MAX = 200 };

/* What came out, in its order: "CancellationRequested r3 5001". */
struct said {
    int count;
    char words[SAID_MAX][64];
};

static void note(void *user, const struct message *outcome)
{
    struct said *said = user;
    int number = 0;
    assert_in_range(said->count, 0, SAID_MAX - 1);
    if (message_has(outcome, reservation_id))
        number = (int)strtol(outcome->reservation_id.data + 24, NULL, 10);
    snprintf(said->words[said->count++], sizeof *said->words, "%s r%d %lld",
             message_name(outcome->type), number, (long long)(outcome->at_ms - PLAY_START_MS));
}

static void expect_said(struct said *said, int at, const char *word, int number, int at_ms)
{
    char words[64];
    snprintf(words, sizeof words, "%s r%d %d", word, number, at_ms);
    assert_in_range(at, 0, said->count - 1);
    assert_string_equal(said->words[at], words);
}

static void each(struct play *play, const char *format, int first, int last)
{
    char step[128];
    for (int i = first; i <= last; i++) {
        snprintf(step, sizeof step, format, i, i);
        play_script(play, step);
    }
}

/* Ten per millisecond of the log, in the order in which they were made; a second show has its own
 * ten. */
static void reservations_crowd__cancels_ten_bookings_per_millisecond(void **state)
{
    struct said said = {0};
    struct play *play = play_open(&reservations_service);
    (void)state;
    each(play, "RequestReservation r%d", 1, 25);
    each(play, "RequestReservation r%d s2", 31, 43);
    play_script(play, "@5 ShowCancelled -> ShowCancellationStarted open=25;"
                      "@4 ShowCancelled s2 -> ShowCancellationStarted open=13;");
    play_watch(play, note, &said);
    play_step(play, "@5");
    assert_int_equal(said.count, 20);
    for (int i = 0; i < 10; i++)
        expect_said(&said, i, "CancellationRequested", i + 1, 5000);
    for (int i = 0; i < 10; i++)
        expect_said(&said, 10 + i, "CancellationRequested", i + 31, 5000);
    play_step(play, "@5.001");
    assert_int_equal(said.count, 33);
    for (int i = 0; i < 10; i++)
        expect_said(&said, 20 + i, "CancellationRequested", i + 11, 5001);
    /* late, as after a stop: the next ten wait for another millisecond all the same */
    play_step(play, "@60");
    assert_int_equal(said.count, 38);
    expect_said(&said, 33, "CancellationRequested", 21, 5002);
    expect_said(&said, 37, "CancellationRequested", 25, 5002);
    play_step(play, "@600");
    assert_int_equal(said.count, 38);
    play_close(play);
}

/* A millisecond is one of the log: whoever was stopped for a minute does not catch up at once. */
static void reservations_crowd__does_not_hurry_after_a_stop(void **state)
{
    struct message outcome;
    char id[24];
    struct play *play = play_open(&reservations_service);
    int64_t late_ms = PLAY_START_MS + 65000;
    (void)state;
    each(play, "RequestReservation r%d", 1, 11);
    play_script(play, "@5 ShowCancelled");
    for (int i = 1; i <= 10; i++) {
        assert_true(reservations_service.due_at(play_state(play)) <= late_ms);
        assert_true(reservations_service.due(play_state(play), late_ms, &outcome));
        snprintf(id, sizeof id, "late/%d", i);
        outcome.id = text_of(id);
        outcome.at_ms = late_ms;
        play_apply(play, &outcome);
    }
    assert_int_equal(reservations_service.due_at(play_state(play)), late_ms + 1);
    assert_false(reservations_service.due(play_state(play), late_ms, &outcome));
    play_close(play);
}

/* Whoever comes in between is served, and counts for what they have become by then. */
static void reservations_crowd__serves_others_while_a_show_is_cancelled(void **state)
{
    struct said said = {0};
    struct play *play = play_open(&reservations_service);
    (void)state;
    each(play, "RequestReservation r%d", 1, 26);
    play_script(play, "CancelReservation r14 id=c14; SeatsSold r15; CancelReservation r15 id=c15;"
                      "@5 ShowCancelled; @5;"
                      "HoldReleased r2 cause_id=^CancellationRequested:r2;"
                      "HoldExpired r11; HoldRejected r12; RequestReservation r27;"
                      "HoldReleased r14 cause_id=^c14; SeatsReturned r15 cause_id=^c15;"
                      "SeatsSold r16; HoldExpired r25; CancelReservation r17 id=c17");
    play_watch(play, note, &said);
    play_step(play, "@5.001");
    /* ten again, without those which ended */
    assert_int_equal(said.count, 10);
    expect_said(&said, 0, "CancellationRequested", 13, 5001);
    for (int i = 1; i < 10; i++)
        expect_said(&said, i, "CancellationRequested", i + 15, 5001);
    play_step(play, "@5.002");
    assert_int_equal(said.count, 11);
    expect_said(&said, 10, "CancellationRequested", 26, 5002);
    play_close(play);
}

/* It ends with the last answer, whichever that is, and once. */
static void reservations_crowd__ends_a_cancellation_with_its_last_answer(void **state)
{
    (void)state;
    for (int last = 1; last <= 25; last++) {
        struct said said = {0};
        char step[128];
        struct play *play = play_open(&reservations_service);
        each(play, "RequestReservation r%d", 1, 25);
        play_script(play, "@5 ShowCancelled; @6");
        for (int i = 25; i >= 1; i--) {
            snprintf(step, sizeof step, "HoldReleased r%d cause_id=^CancellationRequested:r%d", i,
                     i);
            if (i != last)
                play_script(play, step);
        }
        play_expect(play, play_step(play, "@7"), "none");
        snprintf(step, sizeof step, "ReleaseRejected r%d cause_id=^CancellationRequested:r%d", last,
                 last);
        play_script(play, step);
        play_watch(play, note, &said);
        play_step(play, "@8");
        play_step(play, "@9");
        assert_int_equal(said.count, 1);
        expect_said(&said, 0, "ShowCancellationFinished", 0, 7000);
        play_close(play);
    }
}

/* ---- the model ------------------------------------------------------------------------------- */

enum { SHOWS = 3, BOOKINGS = 45, TICKETS = 4, LISTS = 2, QUESTIONS = 4000, NOWHERE = -1 };

/* The last few names, oldest first. */
struct ring {
    int count;
    struct {
        char name[24];
        int mark;
    } items[16];
};

static bool ring_knows(const struct ring *ring, const char *name, int mark, bool *conflict)
{
    for (int i = 0; i < ring->count; i++)
        if (strcmp(ring->items[i].name, name) == 0) {
            *conflict = ring->items[i].mark != mark;
            return true;
        }
    return false;
}

static void ring_add(struct ring *ring, int capacity, const char *name, int mark)
{
    bool conflict;
    if (ring_knows(ring, name, mark, &conflict))
        return;
    if (ring->count == capacity)
        memmove(ring->items, ring->items + 1, (size_t)--ring->count * sizeof *ring->items);
    snprintf(ring->items[ring->count].name, sizeof ring->items->name, "%s", name);
    ring->items[ring->count++].mark = mark;
}

enum life { REFUSED, REQUESTED, REJECTED, CONFIRMED, RELEASED, EXPIRED, CANCELLED };

/* A booking as reservations should know it. Tickets are bits. */
struct booking {
    int show, mark, ticket_count;
    enum life life;
    unsigned valid;
    struct ring commands;
    struct {
        int generation;
        bool used, in[LISTS];
        struct ring done;
    } tickets[TICKETS + 1];
};

/* What reservations asked of shows, in its order; cancellations wait for their answer. */
struct question {
    int show, reservation;
    bool cancellation, answered, by_show, expects_hold;
    unsigned tickets; /* 0: all */
    char id[64];
};

/* A hold as shows would know it. */
struct hold {
    enum { UNHELD, HELD, SOLD, ENDED, TIMED_OUT } state;
    unsigned sold;
};

struct show {
    bool cancelled, archived, winding_up;
    int order[BOOKINGS], count; /* bookings as they were made */
    int next, end, asked;       /* of those, in the cancellation */
    int64_t asked_at_ms;
    struct hold holds[BOOKINGS];
    int heard; /* questions that shows has read */
};

struct crowd {
    struct prng prng;
    struct play *play;
    struct booking bookings[BOOKINGS];
    struct show shows[SHOWS];
    struct question questions[QUESTIONS];
    int question_count;
};

static int below(struct crowd *crowd, int bound)
{
    return (int)prng_below(&crowd->prng, (uint64_t)bound);
}

static bool one_in(struct crowd *crowd, int in)
{
    return below(crowd, in) == 0;
}

/* Tickets under way; `any`: whether a cancellation is at all. */
static unsigned asked_tickets(const struct crowd *crowd, int reservation, bool *any)
{
    const struct booking *booking = &crowd->bookings[reservation];
    unsigned tickets = 0;
    *any = false;
    for (int i = 0; i < crowd->question_count; i++) {
        const struct question *question = &crowd->questions[i];
        if (!question->cancellation || question->answered || question->reservation != reservation ||
            question->show != booking->show)
            continue;
        *any = true;
        tickets |= question->tickets ? question->tickets : (1u << booking->ticket_count) - 1;
    }
    return tickets;
}

static bool is_open(const struct booking *booking)
{
    return booking->life == REQUESTED || booking->life == CONFIRMED;
}

/* ---- commands, and what should come of them -------------------------------------------------- */

struct command {
    enum message_type type;
    int reservation, show, mark, number, generation, list, nonce;
    bool odd; /* wrong in itself: a tier twice, by=show, nothing to update */
    bool staff, out, force;
    unsigned tickets;
    char id[8];
};

struct foreseen {
    enum message_type type;
    enum code code;
    enum reason reason;
    bool forced;
};

static struct foreseen outcome(enum message_type type)
{
    return (struct foreseen){.type = type};
}

static struct foreseen refused(enum code code)
{
    return (struct foreseen){.type = MESSAGE_Refused, .code = code};
}

static struct foreseen rejected(enum reason reason)
{
    return (struct foreseen){.type = MESSAGE_CheckInRejected, .reason = reason};
}

static struct foreseen foresee_cancel(const struct crowd *crowd, const struct command *command)
{
    const struct booking *booking = &crowd->bookings[command->reservation];
    bool any;
    unsigned under_way = asked_tickets(crowd, command->reservation, &any);
    unsigned wanted = command->tickets ? command->tickets : booking->valid;
    if (command->odd)
        return refused(code_invalid);
    if (!is_open(booking) || (command->tickets & ~booking->valid) ||
        (command->tickets ? (command->tickets & under_way) != 0 : any))
        return refused(code_wrong_state);
    for (int i = 1; i <= booking->ticket_count; i++)
        if (!command->staff && (wanted >> (i - 1) & 1) && booking->tickets[i].used)
            return refused(code_checked_in);
    return outcome(MESSAGE_CancellationRequested);
}

static struct foreseen foresee_booking(const struct crowd *crowd, const struct command *command)
{
    const struct booking *booking = &crowd->bookings[command->reservation];
    bool conflict;
    if (crowd->shows[command->show].archived)
        return refused(code_archived);
    if (command->type == MESSAGE_RequestReservation) {
        if (booking->show != NOWHERE && booking->show == command->show &&
            booking->mark == command->mark)
            return outcome(MESSAGE_NONE);
        return booking->show != NOWHERE ? refused(code_conflict)
               : command->odd           ? refused(code_invalid)
                                        : outcome(MESSAGE_ReservationRequested);
    }
    if (booking->show != command->show)
        return refused(code_not_found);
    if (ring_knows(&booking->commands, command->id, command->mark, &conflict))
        return conflict ? refused(code_conflict) : outcome(MESSAGE_NONE);
    switch ((int)command->type) {
    case MESSAGE_UpdateReservation:
        return command->odd        ? refused(code_invalid)
               : !is_open(booking) ? refused(code_wrong_state)
                                   : outcome(MESSAGE_ReservationUpdated);
    case MESSAGE_ChangeReservation:
        return command->odd                 ? refused(code_invalid)
               : booking->life != REQUESTED ? refused(code_wrong_state)
                                            : outcome(MESSAGE_ChangeRequested);
    case MESSAGE_ExtendReservation:
        return booking->life != REQUESTED ? refused(code_wrong_state)
                                          : outcome(MESSAGE_ExtensionRequested);
    }
    return foresee_cancel(crowd, command);
}

static bool is_issued(const struct crowd *crowd, const struct command *command)
{
    const struct booking *booking = &crowd->bookings[command->reservation];
    return booking->show == command->show && command->number <= booking->ticket_count;
}

/* What makes two commands of one ticket the same. */
static const char *ticket_name(const struct command *command)
{
    static char name[24];
    if (command->type == MESSAGE_TransferTicket)
        snprintf(name, sizeof name, "from %d", command->generation);
    else
        snprintf(name, sizeof name, "at %d %d", command->list, command->nonce);
    return name;
}

static struct foreseen foresee_ticket(const struct crowd *crowd, const struct command *command)
{
    const struct booking *booking = &crowd->bookings[command->reservation];
    bool transfer = command->type == MESSAGE_TransferTicket, issued = is_issued(crowd, command);
    bool any, conflict, inside = false;
    if (crowd->shows[command->show].archived)
        return refused(code_archived);
    if (!transfer && booking->show != NOWHERE && booking->show != command->show)
        return rejected(reason_wrong_show);
    if (!issued)
        return transfer ? refused(code_not_found) : rejected(reason_void);
    const struct ring *done = &booking->tickets[command->number].done;
    if (ring_knows(done, command->id, command->mark, &conflict) ||
        ring_knows(done, ticket_name(command), command->mark, &conflict))
        return conflict ? refused(code_conflict) : outcome(MESSAGE_NONE);
    if (booking->tickets[command->number].generation != command->generation)
        return transfer ? refused(code_precondition) : rejected(reason_void);
    if (~(booking->valid & ~asked_tickets(crowd, command->reservation, &any)) >>
            (command->number - 1) &
        1)
        return transfer ? refused(code_wrong_state) : rejected(reason_cancelled);
    for (int i = 0; i < LISTS; i++)
        inside = inside || booking->tickets[command->number].in[i];
    if (transfer)
        return inside ? refused(code_checked_in) : outcome(MESSAGE_TicketTransferred);
    bool wrong_way = booking->tickets[command->number].in[command->list] != command->out;
    if (wrong_way && !command->force)
        return rejected(command->out ? reason_not_in : reason_already_in);
    return (struct foreseen){.type = MESSAGE_TicketCheckedIn, .forced = wrong_way};
}

/* ---- folding --------------------------------------------------------------------------------- */

static void ask(struct crowd *crowd, const struct message *outcome, struct question question)
{
    assert_in_range(crowd->question_count, 0, QUESTIONS - 1);
    snprintf(question.id, sizeof question.id, "%.*s", TEXT_PRINT(outcome->id));
    crowd->questions[crowd->question_count++] = question;
}

static void make_booking(struct crowd *crowd, const struct command *command, enum life life)
{
    struct show *show = &crowd->shows[command->show];
    struct booking *booking = &crowd->bookings[command->reservation];
    *booking = (struct booking){.show = command->show, .mark = command->mark, .life = life};
    show->order[show->count++] = command->reservation;
}

static void fold_ticket(struct crowd *crowd, const struct command *command,
                        const struct message *outcome)
{
    struct booking *booking = &crowd->bookings[command->reservation];
    if (!is_issued(crowd, command))
        return;
    bool refusal = outcome->type == MESSAGE_Refused;
    ring_add(&booking->tickets[command->number].done, 4,
             refusal ? command->id : ticket_name(command), command->mark);
    if (outcome->type == MESSAGE_TicketTransferred)
        booking->tickets[command->number].generation++;
    if (outcome->type != MESSAGE_TicketCheckedIn)
        return;
    booking->tickets[command->number].in[command->list] = !command->out;
    booking->tickets[command->number].used |= !command->out;
}

static void fold_command(struct crowd *crowd, const struct command *command,
                         const struct message *outcome)
{
    struct booking *booking = &crowd->bookings[command->reservation];
    struct question question = {.show = command->show,
                                .reservation = command->reservation,
                                .cancellation = command->type == MESSAGE_CancelReservation,
                                .expects_hold = booking->life == REQUESTED,
                                .tickets = command->tickets};
    if (outcome == NULL || crowd->shows[command->show].archived)
        return;
    if (command->type == MESSAGE_CheckInTicket || command->type == MESSAGE_TransferTicket) {
        fold_ticket(crowd, command, outcome);
        return;
    }
    bool refusal = outcome->type == MESSAGE_Refused;
    if (command->type == MESSAGE_RequestReservation) {
        if (booking->show == NOWHERE)
            make_booking(crowd, command, refusal ? REFUSED : REQUESTED);
    } else if (booking->show == command->show) {
        ring_add(&booking->commands, 16, command->id, command->mark);
    }
    if (outcome->type == MESSAGE_ReservationRequested ||
        outcome->type == MESSAGE_CancellationRequested)
        ask(crowd, outcome, question);
}

/* ---- the timer of the core ------------------------------------------------------------------- */

static struct show *show_of(struct crowd *crowd, const struct message *outcome)
{
    return &crowd->shows[outcome->show_id.data[1] - '1'];
}

static bool unanswered(const struct crowd *crowd, int show)
{
    for (int i = 0; i < crowd->question_count; i++) {
        const struct question *question = &crowd->questions[i];
        if (question->show == show && question->by_show && !question->answered)
            return true;
    }
    return false;
}

static void pass_over(const struct crowd *crowd, struct show *show)
{
    while (show->next < show->end && !is_open(&crowd->bookings[show->order[show->next]]))
        show->next++;
}

static void hear_timer(void *user, const struct message *outcome)
{
    struct crowd *crowd = user;
    if (outcome->cause_id.size)
        return;
    struct show *show = show_of(crowd, outcome);
    assert_true(show->winding_up);
    pass_over(crowd, show);
    if (outcome->type == MESSAGE_ShowCancellationFinished) {
        assert_int_equal(show->next, show->end);
        assert_false(unanswered(crowd, (int)(show - crowd->shows)));
        show->winding_up = false;
        return;
    }
    assert_int_equal(outcome->type, MESSAGE_CancellationRequested);
    assert_true(outcome->by == by_show && outcome->expect == expect_any);
    assert_true(outcome->refund == refund_full && !message_has(outcome, numbers));
    assert_in_range(show->next, 0, show->end - 1);
    int reservation = (int)strtol(outcome->reservation_id.data + 24, NULL, 10);
    assert_int_equal(reservation, show->order[show->next++]);
    show->asked++;
    show->asked_at_ms = outcome->at_ms;
    ask(crowd, outcome,
        (struct question){.show = (int)(show - crowd->shows),
                          .reservation = reservation,
                          .cancellation = true,
                          .by_show = true});
}

/* Time passes; what is due by now is done, and no more than ten a millisecond. */
static void pass_time(struct crowd *crowd, int ms)
{
    int64_t now_ms = play_now_ms(crowd->play) - PLAY_START_MS + ms;
    char step[32];
    snprintf(step, sizeof step, "@%d.%03d", (int)(now_ms / 1000), (int)(now_ms % 1000));
    play_step(crowd->play, step);
    for (int i = 0; i < SHOWS; i++) {
        struct show *show = &crowd->shows[i];
        pass_over(crowd, show);
        bool resting = show->asked % 10 == 0 && show->asked_at_ms == now_ms + PLAY_START_MS;
        if (show->winding_up && !resting)
            assert_true(show->next == show->end && unanswered(crowd, i));
    }
}

/* ---- what shows says ------------------------------------------------------------------------- */

static const char *list(unsigned tickets)
{
    static char text[32];
    size_t size = 0;
    for (int i = 0; i < TICKETS; i++)
        if (tickets >> i & 1)
            size +=
                (size_t)snprintf(text + size, sizeof text - size, "%s%d", size ? "+" : "", i + 1);
    return text;
}

/* Says it, and expects `expectation`, or nothing of a booking that is not there. */
static void say(struct crowd *crowd, int show, int reservation, const char *event,
                const char *cause_id, const char *expectation)
{
    bool known = crowd->bookings[reservation].show == show;
    char step[200], then[200];
    snprintf(step, sizeof step, "%s r%d s%d cause_id=%s", event, reservation, show + 1,
             cause_id ? cause_id : "x");
    snprintf(then, sizeof then, "%s r%d s%d%s%s", expectation, reservation, show + 1,
             cause_id ? " answers=" : "", cause_id ? cause_id : "");
    play_expect(crowd->play, play_step(crowd->play, step), known ? then : "none");
}

static void set_life(struct crowd *crowd, int show, int reservation, enum life life)
{
    if (crowd->bookings[reservation].show == show)
        crowd->bookings[reservation].life = life;
}

static void give_back(struct crowd *crowd, struct question *question, unsigned tickets)
{
    struct booking *booking = &crowd->bookings[question->reservation];
    char event[64], then[96];
    bool known = booking->show == question->show;
    unsigned left = known ? booking->valid & ~tickets : 0;
    snprintf(event, sizeof event, "SeatsReturned tickets=%s", list(tickets));
    snprintf(then, sizeof then, "ReservationCancelled tickets=%s remaining=%d", list(tickets),
             __builtin_popcount(left));
    crowd->shows[question->show].holds[question->reservation].sold &= ~tickets;
    say(crowd, question->show, question->reservation, event, question->id, then);
    if (!known)
        return;
    booking->valid = left;
    if (left == 0)
        booking->life = CANCELLED;
}

static void answer_cancellation(struct crowd *crowd, struct question *question)
{
    struct hold *hold = &crowd->shows[question->show].holds[question->reservation];
    unsigned tickets = question->tickets ? question->tickets : hold->sold;
    const char *reason = "gone";
    question->answered = true;
    if (hold->state == HELD) {
        hold->state = ENDED;
        say(crowd, question->show, question->reservation, "HoldReleased", question->id,
            "ReservationReleased");
        set_life(crowd, question->show, question->reservation, RELEASED);
        return;
    }
    if (hold->state == SOLD && question->expects_hold)
        reason = "already_sold";
    else if (hold->state == SOLD && !question->by_show && one_in(crowd, 4))
        reason = "too_late";
    else if (hold->state == SOLD && tickets && (tickets & ~hold->sold) == 0) {
        give_back(crowd, question, tickets);
        return;
    }
    char event[64], then[64];
    snprintf(event, sizeof event, "ReleaseRejected reason=%s", reason);
    snprintf(then, sizeof then, "CancellationRejected reason=%s", reason);
    say(crowd, question->show, question->reservation, event, question->id, then);
}

/* The next question to that show; false: there is none. */
static bool answer_next(struct crowd *crowd, int show)
{
    struct show *self = &crowd->shows[show];
    while (self->heard < crowd->question_count && crowd->questions[self->heard].show != show)
        self->heard++;
    if (self->heard == crowd->question_count)
        return false;
    struct question *question = &crowd->questions[self->heard++];
    struct hold *hold = &self->holds[question->reservation];
    if (question->cancellation) {
        answer_cancellation(crowd, question);
    } else if (self->cancelled || self->archived || one_in(crowd, 6)) {
        say(crowd, show, question->reservation, "HoldRejected reason=sold_out available=2", NULL,
            "ReservationRejected reason=sold_out available=2");
        set_life(crowd, show, question->reservation, REJECTED);
    } else {
        char step[32];
        hold->state = HELD;
        snprintf(step, sizeof step, "SeatsHeld r%d s%d", question->reservation, show + 1);
        assert_null(play_step(crowd->play, step));
    }
    return true;
}

static void sell(struct crowd *crowd, int show, int reservation)
{
    struct hold *hold = &crowd->shows[show].holds[reservation];
    struct booking *booking = &crowd->bookings[reservation];
    int count = 1 + below(crowd, TICKETS);
    char event[64], then[64];
    snprintf(event, sizeof event, "SeatsSold lines=a:%d", count);
    snprintf(then, sizeof then, "ReservationConfirmed tickets=a:1:%d", count);
    say(crowd, show, reservation, event, NULL, then);
    hold->state = SOLD;
    hold->sold = (1u << count) - 1;
    booking->life = CONFIRMED;
    booking->valid = hold->sold;
    booking->ticket_count = count;
    for (int i = 1; i <= count; i++)
        booking->tickets[i].generation = 1;
}

static void end_show(struct crowd *crowd, int show)
{
    struct show *self = &crowd->shows[show];
    char step[64], then[80];
    int open = 0;
    for (int i = 0; i < self->count; i++)
        open += is_open(&crowd->bookings[self->order[i]]);
    snprintf(step, sizeof step, "ShowCancelled s%d refund=full", show + 1);
    snprintf(then, sizeof then, "ShowCancellationStarted s%d refund=full open=%d", show + 1, open);
    play_expect(crowd->play, play_step(crowd->play, step), then);
    self->cancelled = self->winding_up = true;
    self->end = self->count;
}

static void archive(struct crowd *crowd, int show)
{
    struct show *self = &crowd->shows[show];
    char step[32];
    for (int i = 0; i < BOOKINGS; i++)
        if (self->holds[i].state == HELD || (self->cancelled && self->holds[i].sold))
            return;
    snprintf(step, sizeof step, "ShowArchived s%d", show + 1);
    play_expect(crowd->play, play_step(crowd->play, step), "ReservationsArchived");
    for (int i = 0; i < BOOKINGS; i++)
        if (crowd->bookings[i].show == show)
            crowd->bookings[i] = (struct booking){.show = NOWHERE};
    self->archived = true;
    self->winding_up = false;
    self->count = self->next = self->end = 0;
}

/* Something that shows does by itself. */
static void move_show(struct crowd *crowd, int reservation)
{
    int at_home = crowd->bookings[reservation].show;
    int show = at_home == NOWHERE ? below(crowd, SHOWS) : at_home;
    struct show *self = &crowd->shows[show];
    struct hold *hold = &self->holds[reservation];
    bool lively = hold->state == HELD || (hold->state == TIMED_OUT && one_in(crowd, 2));
    if (self->archived)
        return;
    if (one_in(crowd, 300) && !self->cancelled)
        end_show(crowd, show);
    else if (one_in(crowd, 150) && (self->cancelled || one_in(crowd, 3)))
        archive(crowd, show);
    else if (lively && !self->cancelled && one_in(crowd, 2))
        sell(crowd, show, reservation);
    else if (hold->state == HELD && one_in(crowd, 4)) {
        hold->state = TIMED_OUT;
        say(crowd, show, reservation, "HoldExpired", NULL, "ReservationExpired");
        set_life(crowd, show, reservation, EXPIRED);
    }
}

/* ---- the walk -------------------------------------------------------------------------------- */

static struct command random_command(struct crowd *crowd)
{
    static const enum message_type types[] = {
        MESSAGE_RequestReservation, MESSAGE_RequestReservation, MESSAGE_ChangeReservation,
        MESSAGE_UpdateReservation,  MESSAGE_ExtendReservation,  MESSAGE_CancelReservation,
        MESSAGE_CancelReservation,  MESSAGE_CheckInTicket,      MESSAGE_CheckInTicket,
        MESSAGE_CheckInTicket,      MESSAGE_TransferTicket};
    struct command command = {
        .type = types[below(crowd, sizeof types / sizeof *types)],
        .reservation = below(crowd, BOOKINGS),
        .show = below(crowd, SHOWS),
        .mark = one_in(crowd, 8) ? 2 : 1,
        .number = 1 + below(crowd, one_in(crowd, 9) ? TICKETS + 1 : 2),
        .list = below(crowd, LISTS),
        .nonce = below(crowd, 5),
        .odd = one_in(crowd, 9),
        .staff = one_in(crowd, 2),
        .out = one_in(crowd, 2),
        .force = one_in(crowd, 8),
        .tickets = one_in(crowd, 8) ? 0 : 1u << below(crowd, 2) | 1u << below(crowd, TICKETS),
    };
    const struct booking *booking = &crowd->bookings[command.reservation];
    if (booking->show != NOWHERE && !one_in(crowd, 12))
        command.show = booking->show;
    if (booking->show == NOWHERE && !one_in(crowd, 4))
        command.type = MESSAGE_RequestReservation;
    if (booking->life == CONFIRMED && one_in(crowd, 2))
        command.type = types[below(crowd, 4) + 7];
    command.generation = one_in(crowd, 8) || command.number > TICKETS
                             ? below(crowd, 4)
                             : booking->tickets[command.number].generation;
    snprintf(command.id, sizeof command.id, "c%d", below(crowd, 60));
    return command;
}

static void write_command(const struct command *command, char step[200])
{
    char more[160] = "";
    switch ((int)command->type) {
    case MESSAGE_RequestReservation:
    case MESSAGE_ChangeReservation:
        snprintf(more, sizeof more, "r%d lines=%s", command->reservation,
                 command->odd ? "a,a" : "a:2");
        break;
    case MESSAGE_UpdateReservation:
        snprintf(more, sizeof more, "r%d %s", command->reservation, command->odd ? "" : "note=x");
        break;
    case MESSAGE_ExtendReservation:
        snprintf(more, sizeof more, "r%d", command->reservation);
        break;
    case MESSAGE_CancelReservation:
        snprintf(more, sizeof more, "r%d by=%s %s%s", command->reservation,
                 command->odd     ? "show"
                 : command->staff ? "staff"
                                  : "customer",
                 command->tickets ? "tickets=" : "",
                 command->tickets ? list(command->tickets) : "");
        break;
    case MESSAGE_CheckInTicket:
        snprintf(more, sizeof more, "r%d-%d generation=%d list_id=l%d nonce=n%d entry=%s force=%s",
                 command->reservation, command->number, command->generation, command->list,
                 command->nonce, command->out ? "out" : "in", command->force ? "true" : "false");
        break;
    case MESSAGE_TransferTicket:
        snprintf(more, sizeof more, "r%d-%d generation=%d", command->reservation, command->number,
                 command->generation);
        break;
    }
    snprintf(step, 200, "%s s%d id=%s fingerprint=%d %s", message_name(command->type),
             command->show + 1, command->id, command->mark, more);
}

static void give_command(struct crowd *crowd)
{
    struct command command = random_command(crowd);
    bool of_ticket =
        command.type == MESSAGE_CheckInTicket || command.type == MESSAGE_TransferTicket;
    struct foreseen foreseen =
        of_ticket ? foresee_ticket(crowd, &command) : foresee_booking(crowd, &command);
    char step[200], then[100] = "none";
    write_command(&command, step);
    if (foreseen.type != MESSAGE_NONE)
        snprintf(then, sizeof then, "%s s%d cause_id=%s fingerprint=%d",
                 message_name(foreseen.type), command.show + 1, command.id, command.mark);
    const struct message *said = play_step(crowd->play, step);
    play_expect(crowd->play, said, then);
    if (foreseen.type == MESSAGE_Refused)
        assert_int_equal(said->code, foreseen.code);
    if (foreseen.type == MESSAGE_CheckInRejected)
        assert_int_equal(said->reason, foreseen.reason);
    if (foreseen.type == MESSAGE_TicketCheckedIn)
        assert_int_equal(said->forced, foreseen.forced);
    if (foreseen.type == MESSAGE_CancellationRequested)
        assert_int_equal(said->expect, crowd->bookings[command.reservation].life == REQUESTED
                                           ? expect_hold
                                           : expect_any);
    fold_command(crowd, &command, said);
}

static void reservations_crowd__is_as_the_model_says_whatever_comes(void **state)
{
    static struct crowd crowd;
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        memset(&crowd, 0, sizeof crowd);
        crowd.prng.state = seed;
        crowd.play = play_open(&reservations_service);
        for (int i = 0; i < BOOKINGS; i++)
            crowd.bookings[i].show = NOWHERE;
        play_watch(crowd.play, hear_timer, &crowd);
        for (int i = 0; i < 2500; i++) {
            pass_time(&crowd, below(&crowd, 8) / 7);
            if (one_in(&crowd, 2))
                give_command(&crowd);
            else if (one_in(&crowd, 5))
                answer_next(&crowd, below(&crowd, SHOWS));
            else
                move_show(&crowd, below(&crowd, BOOKINGS));
        }
        /* with everything answered, nothing is under way */
        for (bool more = true; more;) {
            more = false;
            for (int i = 0; i < SHOWS; i++)
                more = answer_next(&crowd, i) || more;
            pass_time(&crowd, 1);
        }
        pass_time(&crowd, 20);
        for (int i = 0; i < SHOWS; i++)
            assert_false(crowd.shows[i].winding_up);
        play_close(crowd.play);
    }
}

/* The walk was no idle one. */
static void reservations_crowd__met_everything(void **state)
{
    static const char *const others[] = {"undecodable", "unknown_type", "misrouted",
                                         "internal",    "forbidden",    NULL};
    (void)state;
    play_expect_codes_seen(others);
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (message_speaker((enum message_type)type) == SPEAKER_reservations &&
            message_role((enum message_type)type) == ROLE_EVENT)
            assert_true(play_seen()->types[type] > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reservations_crowd__cancels_ten_bookings_per_millisecond),
        cmocka_unit_test(reservations_crowd__does_not_hurry_after_a_stop),
        cmocka_unit_test(reservations_crowd__serves_others_while_a_show_is_cancelled),
        cmocka_unit_test(reservations_crowd__ends_a_cancellation_with_its_last_answer),
        cmocka_unit_test(reservations_crowd__is_as_the_model_says_whatever_comes),
        cmocka_unit_test(reservations_crowd__met_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
