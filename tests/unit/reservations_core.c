/* The bookings: the ladder of every command, each reason in its order; what each answer of shows
 * makes of them; the door; shows that are cancelled or over; what is remembered, and what is
 * forgotten. */
#include "tests/support/core_play.h"

#include "services/reservations/reservations_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define RUN(rows) PLAY_TABLE(reservations_service, rows, "")

/* Ways to get there. An answer of shows names what it answers as its cause. */
#define REQUESTED  "RequestReservation r1 fingerprint=1;"
#define CONFIRMED  REQUESTED "SeatsSold r1 lines=vip:1,standard:3;" /* four tickets */
#define CANCELLING REQUESTED "CancelReservation r1 id=c9 fingerprint=9;"
#define REJECTED   REQUESTED "HoldRejected r1;"
#define EXPIRED    REQUESTED "HoldExpired r1;"
#define RELEASED   CANCELLING "HoldReleased r1 cause_id=^c9;"
#define REFUSED    "RequestReservation r1 lines=a,a fingerprint=1 -> Refused code=invalid;"
#define CANCELLED                                                                                  \
    CONFIRMED "CancelReservation r1 id=c9 fingerprint=9;"                                          \
              "SeatsReturned r1 tickets=1+2+3+4 cause_id=^c9;"
#define ARCHIVED CONFIRMED "ShowArchived;"

/* Tickets 1 and 2 of four, each with a cancellation of its own under way. */
#define TWO_ASKED                                                                                  \
    CONFIRMED "CancelReservation r1 id=c1 tickets=1; CancelReservation r1 id=c2 tickets=2;"

/* ---- commands of a booking ------------------------------------------------------------------- */

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
        {REJECTED, "RequestReservation r1 fingerprint=1", "none"},
        {EXPIRED, "RequestReservation r1 fingerprint=1", "none"},
        {RELEASED, "RequestReservation r1 fingerprint=1", "none"},
        {CANCELLED, "RequestReservation r1 fingerprint=1", "none"},
        /* conflict */
        {REQUESTED, "RequestReservation r1 fingerprint=2",
         "Refused code=conflict field=reservation_id reservation_id=r1 command=RequestReservation"},
        {REQUESTED, "RequestReservation r1 s2 fingerprint=1", "Refused code=conflict"},
        {REJECTED, "RequestReservation r1 fingerprint=2", "Refused code=conflict"},
        /* before invalid */
        {REQUESTED, "RequestReservation r1 fingerprint=2 lines=a,a", "Refused code=conflict"},
        {"", "RequestReservation r1 lines=a:1,b:1,a:2 fingerprint=7",
         "Refused code=invalid field=lines show_id=s1 reservation_id=r1 fingerprint=7"},
        /* a refusal is an answer */
        {REFUSED, "RequestReservation r1 lines=a,a fingerprint=1", "none"},
        {REFUSED, "RequestReservation r1 fingerprint=2", "Refused code=conflict"},
        {REFUSED, "CancelReservation r1", "Refused code=wrong_state"},
        /* a second refusal does not replace the first answer */
        {REQUESTED "RequestReservation r1 fingerprint=2 -> Refused code=conflict",
         "RequestReservation r1 fingerprint=1", "none"},
        {REQUESTED "RequestReservation r1 fingerprint=2 -> Refused code=conflict",
         "CancelReservation r1", "CancellationRequested"},
    };
    (void)state;
    RUN(rows);
}

static void reservations_core__changes(void **state)
{
    static const struct play_row rows[] = {
        {REQUESTED, "@4 ChangeReservation r1 lines=a:2,b:1 id=c2 fingerprint=2 actor=desk",
         "ChangeRequested reservation_id=r1 show_id=s1 lines=a:2,b:1 fingerprint=2 cause_id=c2 "
         "actor=desk at_ms=T4"},
        /* whether it still is a hold, and not one being paid, shows knows */
        {REQUESTED "ChangeReservation r1;", "ChangeReservation r1", "ChangeRequested"},
        {CANCELLING, "ChangeReservation r1", "ChangeRequested"},
        {REQUESTED "HoldExtended r1 -> none;", "ChangeReservation r1", "ChangeRequested"},
        {"", "ChangeReservation r1 lines=a,a",
         "Refused code=not_found field=reservation_id command=ChangeReservation"},
        {REQUESTED, "ChangeReservation r1 s2", "Refused code=not_found"},
        {REQUESTED "ChangeReservation r1 id=c2 fingerprint=2;",
         "ChangeReservation r1 id=c2 fingerprint=2", "none"},
        {REQUESTED "ChangeReservation r1 id=c2 fingerprint=2; HoldExpired r1;",
         "ChangeReservation r1 id=c2 fingerprint=2", "none"},
        {REQUESTED "ChangeReservation r1 id=c2 fingerprint=2; HoldExpired r1;",
         "ChangeReservation r1 id=c2 fingerprint=3", "Refused code=conflict field=-"},
        /* an id is an id, whichever command had it */
        {REQUESTED "ChangeReservation r1 id=c2 fingerprint=2;",
         "ExtendReservation r1 id=c2 fingerprint=3", "Refused code=conflict"},
        {CONFIRMED, "ChangeReservation r1 lines=a,a", "Refused code=invalid"},
        {CONFIRMED, "ChangeReservation r1 id=c2 fingerprint=2",
         "Refused code=wrong_state field=- reservation_id=r1 show_id=s1 fingerprint=2 cause_id=c2"},
        {REJECTED, "ChangeReservation r1", "Refused code=wrong_state"},
        {EXPIRED, "ChangeReservation r1", "Refused code=wrong_state"},
        {RELEASED, "ChangeReservation r1", "Refused code=wrong_state"},
        {CANCELLED, "ChangeReservation r1", "Refused code=wrong_state"},
        {REFUSED, "ChangeReservation r1", "Refused code=wrong_state"},
        {REQUESTED, "ChangeReservation r1 lines=a:1,b:1,a:2", "Refused code=invalid field=lines"},
        /* refused is answered */
        {REQUESTED "ChangeReservation r1 lines=a,a id=c2 fingerprint=2 -> Refused;",
         "ChangeReservation r1 lines=a,a id=c2 fingerprint=2", "none"},
        {REQUESTED "ChangeReservation r1 lines=a,a id=c2 fingerprint=2 -> Refused;",
         "ChangeReservation r1 id=c2 fingerprint=3", "Refused code=conflict"},
    };
    (void)state;
    RUN(rows);
}

static void reservations_core__extends(void **state)
{
    static const struct play_row rows[] = {
        {REQUESTED, "ExtendReservation r1 until_at_ms=T4000 id=c2 fingerprint=2",
         "ExtensionRequested reservation_id=r1 show_id=s1 until_at_ms=T4000 fingerprint=2 "
         "cause_id=c2"},
        {CANCELLING, "ExtendReservation r1", "ExtensionRequested"},
        {"", "ExtendReservation r1", "Refused code=not_found field=reservation_id"},
        {REQUESTED, "ExtendReservation r1 s2", "Refused code=not_found"},
        {REQUESTED "ExtendReservation r1 id=c2 fingerprint=2; SeatsSold r1;",
         "ExtendReservation r1 id=c2 fingerprint=2", "none"},
        {REQUESTED "ExtendReservation r1 id=c2 fingerprint=2; SeatsSold r1;",
         "ExtendReservation r1 id=c2 fingerprint=3", "Refused code=conflict"},
        {CONFIRMED, "ExtendReservation r1",
         "Refused code=wrong_state field=- command=ExtendReservation"},
        {REJECTED, "ExtendReservation r1", "Refused code=wrong_state"},
        {EXPIRED, "ExtendReservation r1", "Refused code=wrong_state"},
        {RELEASED, "ExtendReservation r1", "Refused code=wrong_state"},
        {CANCELLED, "ExtendReservation r1", "Refused code=wrong_state"},
        {REFUSED, "ExtendReservation r1", "Refused code=wrong_state"},
    };
    (void)state;
    RUN(rows);
}

static void reservations_core__updates(void **state)
{
    static const struct play_row rows[] = {
        {REQUESTED, "UpdateReservation r1 holder=Ada note=aisle id=c2 fingerprint=2",
         "ReservationUpdated reservation_id=r1 show_id=s1 holder=Ada note=aisle fingerprint=2 "
         "cause_id=c2"},
        {REQUESTED, "UpdateReservation r1 holder=Ada", "ReservationUpdated holder=Ada note=-"},
        {CONFIRMED, "UpdateReservation r1 note=aisle", "ReservationUpdated holder=- note=aisle"},
        {TWO_ASKED "SeatsReturned r1 tickets=2 cause_id=^c2;", "UpdateReservation r1 note=x",
         "ReservationUpdated"},
        {"", "UpdateReservation r1", "Refused code=not_found field=reservation_id"},
        {REQUESTED, "UpdateReservation r1 s2 note=x", "Refused code=not_found"},
        {REQUESTED "UpdateReservation r1 note=x id=c2 fingerprint=2; HoldExpired r1;",
         "UpdateReservation r1 note=x id=c2 fingerprint=2", "none"},
        {REQUESTED "UpdateReservation r1 note=x id=c2 fingerprint=2;",
         "UpdateReservation r1 id=c2 fingerprint=3", "Refused code=conflict field=-"},
        {EXPIRED, "UpdateReservation r1", "Refused code=invalid field=holder"},
        {REJECTED, "UpdateReservation r1 note=x",
         "Refused code=wrong_state field=- command=UpdateReservation"},
        {EXPIRED, "UpdateReservation r1 note=x", "Refused code=wrong_state"},
        {RELEASED, "UpdateReservation r1 note=x", "Refused code=wrong_state"},
        {CANCELLED, "UpdateReservation r1 note=x", "Refused code=wrong_state"},
        {REFUSED, "UpdateReservation r1 note=x", "Refused code=wrong_state"},
        /* sold after all */
        {EXPIRED "SeatsSold r1 reacquired=true;", "UpdateReservation r1 note=x",
         "ReservationUpdated"},
    };
    (void)state;
    RUN(rows);
}

/* ---- cancelling ------------------------------------------------------------------------------ */

static void reservations_core__cancels(void **state)
{
    static const struct play_row rows[] = {
        {REQUESTED, "CancelReservation r1 reason=ill by=staff refund=none id=c2 fingerprint=2",
         "CancellationRequested reservation_id=r1 show_id=s1 expect=hold tickets=- reason=ill "
         "by=staff refund=none fingerprint=2 cause_id=c2"},
        /* tickets are only given back by who knew that there are some */
        {CONFIRMED, "CancelReservation r1", "CancellationRequested expect=any tickets=- reason=-"},
        {CONFIRMED, "CancelReservation r1 tickets=2+4 by=customer refund=full",
         "CancellationRequested expect=any tickets=2+4 by=customer refund=full"},
        {EXPIRED "SeatsSold r1;", "CancelReservation r1", "CancellationRequested expect=any"},
        {"", "CancelReservation r1 by=show", "Refused code=not_found field=reservation_id"},
        {REQUESTED, "CancelReservation r1 s2", "Refused code=not_found"},
        /* repeats before everything that has changed since */
        {CANCELLING, "CancelReservation r1 id=c9 fingerprint=9", "none"},
        {RELEASED, "CancelReservation r1 id=c9 fingerprint=9", "none"},
        {CANCELLED, "CancelReservation r1 id=c9 fingerprint=9", "none"},
        {CANCELLING, "CancelReservation r1 id=c9 fingerprint=8", "Refused code=conflict field=-"},
        {CANCELLING, "CancelReservation r1 id=c9 fingerprint=8 by=show", "Refused code=conflict"},
        {REQUESTED "CancelReservation r1 id=c3 fingerprint=3 by=show -> Refused;",
         "CancelReservation r1 id=c3 fingerprint=3", "none"},
        {REQUESTED "CancelReservation r1 id=c3 fingerprint=3 by=show -> Refused;",
         "CancelReservation r1 id=c3 fingerprint=4", "Refused code=conflict"},
        {CANCELLING, "CancelReservation r1 by=show", "Refused code=invalid field=by"},
        {EXPIRED, "CancelReservation r1 by=show", "Refused code=invalid"},
        {CANCELLING, "CancelReservation r1", "Refused code=wrong_state field=-"},
        /* a customer whose ticket was used asks the staff */
        {CONFIRMED "CheckInTicket r1-2;", "CancelReservation r1",
         "Refused code=checked_in field=- reservation_id=r1 command=CancelReservation"},
        {CONFIRMED "CheckInTicket r1-2;", "CancelReservation r1 tickets=1+2",
         "Refused code=checked_in"},
        {CONFIRMED "CheckInTicket r1-2; CheckInTicket r1-2 entry=out nonce=n2;",
         "CancelReservation r1", "Refused code=checked_in"},
        {CONFIRMED "CheckInTicket r1-2; CheckInTicket r1-2 entry=out nonce=n2;"
                   "TransferTicket r1-2;",
         "CancelReservation r1 tickets=2", "Refused code=checked_in"},
        {CONFIRMED "CheckInTicket r1-2;", "CancelReservation r1 tickets=1+3+4",
         "CancellationRequested tickets=1+3+4"},
        {CONFIRMED "CheckInTicket r1-2;", "CancelReservation r1 by=staff",
         "CancellationRequested by=staff"},
        {CONFIRMED "CheckInTicket r1-2;", "CancelReservation r1 tickets=2 by=staff",
         "CancellationRequested tickets=2"},
        /* who was not let in did not use it, nor who only went out */
        {CONFIRMED "CheckInTicket r1-2 generation=7 -> CheckInRejected;", "CancelReservation r1",
         "CancellationRequested"},
        {CONFIRMED "CheckInTicket r1-2 entry=out force=true;", "CancelReservation r1",
         "CancellationRequested"},
        /* the used one is cancelled: the others are not used */
        {CONFIRMED "CheckInTicket r1-2; CancelReservation r1 tickets=2 by=staff id=c2;"
                   "SeatsReturned r1 tickets=2 cause_id=^c2;",
         "CancelReservation r1", "CancellationRequested tickets=-"},
        /* two reservations do not share command ids */
        {CANCELLING "RequestReservation r2;", "CancelReservation r2 id=c9 fingerprint=8",
         "CancellationRequested reservation_id=r2"},
    };
    (void)state;
    RUN(rows);
}

/* One code for three reasons: they are told apart by what they say to people. */
static void reservations_core__says_why_it_cannot_cancel(void **state)
{
    static const char over[] = "there is nothing left to cancel";
    static const char unfit[] = "one of these tickets was not issued, or is cancelled";
    static const char under_way[] = "a cancellation of this reservation is under way";
    static const struct {
        const char *given, *when, *detail;
    } rows[] = {
        /* first that there is nothing, whatever is asked and under way */
        {CANCELLING "HoldExpired r1;", "", over},
        {CANCELLING "HoldExpired r1; ReleaseRejected r1 cause_id=^c9;", "", over},
        {RELEASED, "", over},
        {CANCELLED, "", over},
        {CANCELLED, "tickets=1", over},
        {REJECTED, "", over},
        {EXPIRED, "tickets=9", over},
        {REFUSED, "", over},
        {TWO_ASKED "SeatsReturned r1 tickets=1+2+3+4;", "tickets=1", over},
        /* then that these tickets are not valid */
        {REQUESTED, "tickets=1", unfit},
        {CANCELLING, "tickets=1", unfit},
        {CONFIRMED, "tickets=5", unfit},
        {CONFIRMED, "tickets=1+1000", unfit},
        {TWO_ASKED, "tickets=1+5", unfit},
        {TWO_ASKED "SeatsReturned r1 tickets=2 cause_id=^c2;", "tickets=2", unfit},
        {TWO_ASKED "SeatsReturned r1 tickets=2 cause_id=^c2;", "tickets=1+2+3", unfit},
        /* then what is under way; a customer with used tickets hears of it, too */
        {CANCELLING, "", under_way},
        {CANCELLING "SeatsSold r1;", "", under_way},
        {CANCELLING "SeatsSold r1;", "tickets=1", under_way},
        {CONFIRMED "CancelReservation r1;", "tickets=4", under_way},
        {TWO_ASKED, "", under_way},
        {TWO_ASKED, "tickets=2+3", under_way},
        {TWO_ASKED "ReleaseRejected r1 cause_id=^c1;", "tickets=2", under_way},
        {TWO_ASKED "ReleaseRejected r1 cause_id=^c1;", "", under_way},
        {TWO_ASKED "CheckInTicket r1-3;", "tickets=1+3", under_way},
        /* an answer to something else settles nothing */
        {TWO_ASKED "ReleaseRejected r1 cause_id=reservations/0/7-1.1;", "tickets=1", under_way},
        {CANCELLING "ReleaseRejected r1;", "", under_way},
    };
    char step[64];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct play *play = play_open(&reservations_service);
        play_script(play, rows[i].given);
        snprintf(step, sizeof step, "CancelReservation r1 id=why %s", rows[i].when);
        const struct message *outcome = play_step(play, step);
        play_expect(play, outcome,
                    rows[i].detail == unfit ? "Refused code=wrong_state field=tickets"
                                            : "Refused code=wrong_state field=-");
        if (!text_starts(outcome->detail, rows[i].detail))
            fail_msg("%s %s: %.*s", rows[i].given, rows[i].when, TEXT_PRINT(outcome->detail));
        play_close(play);
    }
}

/* Several of different tickets may be under way, and are answered in any order. */
static void reservations_core__cancels_in_parts(void **state)
{
    static const struct play_row rows[] = {
        {TWO_ASKED, "CancelReservation r1 tickets=3+4", "CancellationRequested tickets=3+4"},
        {TWO_ASKED, "SeatsReturned r1 tickets=2 cause_id=^c2 id=e1",
         "ReservationCancelled reservation_id=r1 show_id=s1 tickets=2 remaining=3 answers=^c2 "
         "cause_id=e1"},
        {TWO_ASKED "SeatsReturned r1 tickets=2 cause_id=^c2;",
         "SeatsReturned r1 tickets=1 cause_id=^c1",
         "ReservationCancelled tickets=1 remaining=2 answers=^c1"},
        {TWO_ASKED "SeatsReturned r1 tickets=2 cause_id=^c2;",
         "CancelReservation r1 tickets=3 id=c3", "CancellationRequested tickets=3"},
        {TWO_ASKED "SeatsReturned r1 tickets=2 cause_id=^c2;"
                   "ReleaseRejected r1 cause_id=^c1 reason=too_late;",
         "CancelReservation r1 tickets=1", "CancellationRequested tickets=1"},
        {TWO_ASKED "ReleaseRejected r1 cause_id=^c1;", "CancelReservation r1 tickets=1+3",
         "CancellationRequested tickets=1+3"},
        {TWO_ASKED "CancelReservation r1 tickets=3 id=c3; ReleaseRejected r1 cause_id=^c2;"
                   "SeatsReturned r1 tickets=1 cause_id=^c1;",
         "CancelReservation r1 tickets=2+4", "CancellationRequested tickets=2+4"},
        {TWO_ASKED "CancelReservation r1 tickets=3 id=c3; ReleaseRejected r1 cause_id=^c2;"
                   "SeatsReturned r1 tickets=1 cause_id=^c1;",
         "CancelReservation r1 tickets=3", "Refused code=wrong_state"},
        /* all that is left, once nothing is under way */
        {TWO_ASKED "SeatsReturned r1 tickets=2 cause_id=^c2; SeatsReturned r1 cause_id=^c1;",
         "CancelReservation r1", "CancellationRequested expect=any tickets=-"},
        {TWO_ASKED "SeatsReturned r1 tickets=2 cause_id=^c2; SeatsReturned r1 cause_id=^c1;"
                   "CancelReservation r1 id=c3;",
         "SeatsReturned r1 tickets=3+4 cause_id=^c3",
         "ReservationCancelled tickets=3+4 remaining=0 answers=^c3"},
        /* the last ticket ends it */
        {TWO_ASKED "CancelReservation r1 tickets=3+4 id=c3;"
                   "SeatsReturned r1 tickets=3+4 cause_id=^c3;"
                   "SeatsReturned r1 tickets=1 cause_id=^c1;",
         "SeatsReturned r1 tickets=2 cause_id=^c2", "ReservationCancelled remaining=0"},
        {TWO_ASKED "CancelReservation r1 tickets=3+4 id=c3;"
                   "SeatsReturned r1 tickets=3+4 cause_id=^c3;"
                   "SeatsReturned r1 tickets=1 cause_id=^c1;"
                   "SeatsReturned r1 tickets=2 cause_id=^c2;",
         "UpdateReservation r1 note=x", "Refused code=wrong_state"},
        /* the same numbers of two reservations */
        {TWO_ASKED "RequestReservation r2; SeatsSold r2 lines=a:2;",
         "CancelReservation r2 tickets=1", "CancellationRequested reservation_id=r2"},
    };
    (void)state;
    RUN(rows);
}

/* ---- what shows says ------------------------------------------------------------------------- */

static void reservations_core__hears_shows(void **state)
{
    static const struct play_row rows[] = {
        {REQUESTED, "HoldRejected r1 reason=sold_out available=3 id=e1",
         "ReservationRejected reason=sold_out available=3 reservation_id=r1 show_id=s1 "
         "cause_id=e1"},
        /* nothing to say to these */
        {REQUESTED, "SeatsHeld r1", "none"},
        {REQUESTED, "HoldExtended r1", "none"},
        {REQUESTED, "ExtensionRejected r1", "none"},
        {REQUESTED "ChangeReservation r1 id=c1;", "HoldResized r1 cause_id=^c1", "none"},
        {REQUESTED "ChangeReservation r1 id=c1;", "ResizeRejected r1 cause_id=^c1", "none"},
        {REQUESTED, "SaleRejected r1", "none"},
        {REQUESTED, "SaleOpened", "none"},
        {REQUESTED, "HoldExpired r1", "ReservationExpired reservation_id=r1 show_id=s1"},
        {CANCELLING, "HoldReleased r1 cause_id=^c9",
         "ReservationReleased reservation_id=r1 show_id=s1 answers=^c9"},
        {CONFIRMED "CancelReservation r1 id=c9;", "SeatsReturned r1 tickets=1+2+3+4 cause_id=^c9",
         "ReservationCancelled reservation_id=r1 show_id=s1 tickets=1+2+3+4 remaining=0 "
         "answers=^c9"},
        {CANCELLING, "ReleaseRejected r1 reason=already_sold cause_id=^c9",
         "CancellationRejected reason=already_sold reservation_id=r1 show_id=s1 answers=^c9"},
        {CANCELLING, "ReleaseRejected r1 reason=gone", "CancellationRejected answers=-"},
        {REQUESTED, "SeatsSold r1 lines=a:2:100,b:3:50,c:1:9",
         "ReservationConfirmed reservation_id=r1 show_id=s1 reference=M0000000 "
         "tickets=a:1:2,b:3:3,c:6:1"},
        {EXPIRED, "SeatsSold r1 reacquired=true", "ReservationConfirmed tickets=standard:1:1"},
        /* of what is not known here, or of another show, nothing is said */
        {"", "HoldRejected r1", "none"},
        {"", "HoldExpired r1", "none"},
        {"", "SeatsSold r1", "none"},
        {CANCELLING, "HoldReleased r1 s2 cause_id=^c9", "none"},
        {CONFIRMED "CancelReservation r1 id=c9;", "SeatsReturned r1 s2 cause_id=^c9", "none"},
        {CANCELLING, "ReleaseRejected r1 s2 cause_id=^c9", "none"},
        /* what another cancellation then may do */
        {CANCELLING "SeatsSold r1; ReleaseRejected r1 reason=already_sold cause_id=^c9;",
         "CancelReservation r1", "CancellationRequested expect=any"},
        {CANCELLING "SeatsSold r1 lines=a:2; ReleaseRejected r1 cause_id=^c9;",
         "CancelReservation r1 tickets=2", "CancellationRequested expect=any tickets=2"},
        {CONFIRMED "CancelReservation r1 id=c9; ReleaseRejected r1 reason=too_late cause_id=^c9;",
         "CancelReservation r1 by=staff", "CancellationRequested expect=any by=staff"},
        {CANCELLING "ReleaseRejected r1 reason=already_sold cause_id=^c9; SeatsSold r1;",
         "CancelReservation r1", "CancellationRequested expect=any"},
        {EXPIRED "SeatsSold r1 reacquired=true;", "CancelReservation r1 tickets=1",
         "CancellationRequested expect=any tickets=1"},
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

/* ---- what is remembered ---------------------------------------------------------------------- */

/* Of one reservation the last 16 commands of any kind, refused ones too; the request itself is kept
 * apart, and so are the tickets' own. */
static void reservations_core__remembers_the_last_16_commands(void **state)
{
    static const char *const commands[] = {"CancelReservation r1", "UpdateReservation r1 note=x",
                                           "ChangeReservation r1", "ExtendReservation r1",
                                           "ChangeReservation r1 lines=a,a"};
    struct play *play = play_open(&reservations_service);
    char step[96];
    (void)state;
    play_script(play, REQUESTED);
    for (int i = 1; i <= 16; i++) {
        snprintf(step, sizeof step, "%s id=c%d fingerprint=%d", commands[i % 5], i, i);
        assert_non_null(play_step(play, step));
    }
    for (int i = 1; i <= 16; i++) {
        snprintf(step, sizeof step, "CancelReservation r1 id=c%d fingerprint=%d", i, i);
        play_expect(play, play_step(play, step), "none");
    }
    play_script(play, "UpdateReservation r1 note=x id=c17 fingerprint=17;"
                      "UpdateReservation r1 note=x id=c17 fingerprint=17 -> none;"
                      "UpdateReservation r1 note=x id=c2 fingerprint=2 -> none;"
                      "UpdateReservation r1 note=x id=c2 fingerprint=3 -> Refused code=conflict;"
                      "UpdateReservation r1 note=x id=c2 fingerprint=2 -> none;"
                      "UpdateReservation r1 note=x id=c1 fingerprint=1;"
                      "UpdateReservation r1 note=x id=c2 fingerprint=2;"
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

/* The same of the commands of one ticket. */
static void reservations_core__takes_the_loops_refusals_of_tickets_for_answers(void **state)
{
    struct message refusal;
    struct play *play = play_open(&reservations_service);
    (void)state;
    play_script(play, CONFIRMED);
    message_init(&refusal, MESSAGE_Refused);
    message_set(&refusal, code, code_internal);
    message_set(&refusal, detail, text_of("x"));
    message_set(&refusal, command, text_of("CheckInTicket"));
    message_set(&refusal, show_id, text_of("s1"));
    message_set(&refusal, ticket_id, text_of("a0000000-0000-4000-8000-000000000001-2"));
    message_set(&refusal, fingerprint, text_of("0000000000000005"));
    refusal.cause_id = text_of("c5");
    play_apply(play, &refusal);
    play_script(play, "CheckInTicket r1-2 id=c5 fingerprint=5 -> none;"
                      "CheckInTicket r1-2 id=c5 fingerprint=6 -> Refused code=conflict;"
                      "CheckInTicket r1-1 id=c5 fingerprint=6;"
                      "CheckInTicket r1-2 id=c6 fingerprint=5;");
    play_close(play);
}

/* ---- the door -------------------------------------------------------------------------------- */

#define INSIDE CONFIRMED "CheckInTicket r1-2 nonce=in fingerprint=1;"

static void reservations_core__lets_in_and_out(void **state)
{
    static const struct play_row rows[] = {
        {CONFIRMED,
         "@9 CheckInTicket r1-2 generation=1 list_id=front entry=in nonce=n7 id=c3 fingerprint=3 "
         "actor=door",
         "TicketCheckedIn show_id=s1 reservation_id=r1 ticket_id=r1-2 generation=1 list_id=front "
         "entry=in nonce=n7 forced=false fingerprint=3 cause_id=c3 actor=door at_ms=T9"},
        {INSIDE, "CheckInTicket r1-2 entry=out nonce=out id=c3 fingerprint=3",
         "TicketCheckedIn ticket_id=r1-2 list_id=door entry=out nonce=out forced=false"},
        {INSIDE "CheckInTicket r1-2 entry=out;", "CheckInTicket r1-2 nonce=again",
         "TicketCheckedIn entry=in"},
        {INSIDE, "CheckInTicket r1-3", "TicketCheckedIn ticket_id=r1-3"},
        {CONFIRMED, "CheckInTicket r1-4", "TicketCheckedIn ticket_id=r1-4"},
        /* each list has its own inside */
        {INSIDE, "CheckInTicket r1-2 list_id=bar", "TicketCheckedIn list_id=bar forced=false"},
        {INSIDE, "CheckInTicket r1-2 list_id=bar entry=out", "CheckInRejected reason=not_in"},
        {INSIDE "CheckInTicket r1-2 list_id=bar;", "CheckInTicket r1-2 entry=out",
         "TicketCheckedIn list_id=door entry=out"},
        {INSIDE "CheckInTicket r1-2 list_id=bar; CheckInTicket r1-2 entry=out;",
         "CheckInTicket r1-2 list_id=bar nonce=n2", "CheckInRejected reason=already_in"},
        /* two ways */
        {INSIDE, "CheckInTicket r1-2 id=c3 fingerprint=3 nonce=n7",
         "CheckInRejected show_id=s1 reservation_id=r1 ticket_id=r1-2 generation=1 list_id=door "
         "entry=in nonce=n7 reason=already_in fingerprint=3 cause_id=c3"},
        {CONFIRMED, "CheckInTicket r1-2 entry=out", "CheckInRejected entry=out reason=not_in"},
        /* force sets aside these two, and says so only when it had to */
        {INSIDE, "CheckInTicket r1-2 force=true", "TicketCheckedIn entry=in forced=true"},
        {CONFIRMED, "CheckInTicket r1-2 entry=out force=true",
         "TicketCheckedIn entry=out forced=true"},
        {CONFIRMED, "CheckInTicket r1-2 force=true", "TicketCheckedIn forced=false"},
        {INSIDE, "CheckInTicket r1-2 force=false", "CheckInRejected reason=already_in"},
        {INSIDE "CheckInTicket r1-2 force=true;", "CheckInTicket r1-2 entry=out nonce=n2",
         "TicketCheckedIn entry=out forced=false"},
        {CONFIRMED "CheckInTicket r1-2 entry=out force=true;", "CheckInTicket r1-2 nonce=n2",
         "TicketCheckedIn entry=in forced=false"},
    };
    (void)state;
    RUN(rows);
}

static void reservations_core__turns_away_at_the_door(void **state)
{
    static const struct play_row rows[] = {
        /* over: before everything */
        {ARCHIVED "RequestReservation r2 s2; SeatsSold r2 s2;", "CheckInTicket r2-1",
         "Refused code=archived field=show_id ticket_id=r2-1 show_id=s1 command=CheckInTicket"},
        /* another show's ticket, whether it would be valid there or not */
        {CONFIRMED, "CheckInTicket s2 r1-2 id=c3",
         "CheckInRejected reason=wrong_show show_id=s2 reservation_id=r1 ticket_id=r1-2 "
         "generation=1 list_id=door entry=in nonce=n1 cause_id=c3"},
        {CONFIRMED, "CheckInTicket s2 r1-2 force=true", "CheckInRejected reason=wrong_show"},
        {CONFIRMED, "CheckInTicket s2 r1-9 generation=5", "CheckInRejected reason=wrong_show"},
        {INSIDE, "CheckInTicket s2 r1-2 nonce=in fingerprint=1",
         "CheckInRejected reason=wrong_show"},
        {CANCELLED, "CheckInTicket s2 r1-1", "CheckInRejected reason=wrong_show"},
        /* void: unknown, not confirmed, no such number, an old or invented generation */
        {"", "CheckInTicket r1-2 force=true",
         "CheckInRejected reason=void reservation_id=r1 ticket_id=r1-2"},
        {REQUESTED, "CheckInTicket r1-1", "CheckInRejected reason=void"},
        {EXPIRED, "CheckInTicket r1-1", "CheckInRejected reason=void"},
        {RELEASED, "CheckInTicket r1-1", "CheckInRejected reason=void"},
        {REFUSED, "CheckInTicket r1-1", "CheckInRejected reason=void"},
        {CONFIRMED, "CheckInTicket r1-5", "CheckInRejected reason=void"},
        {CONFIRMED, "CheckInTicket r1-1000 force=true", "CheckInRejected reason=void"},
        {CONFIRMED, "CheckInTicket r1-2 generation=0", "CheckInRejected reason=void"},
        {CONFIRMED, "CheckInTicket r1-2 generation=2 force=true",
         "CheckInRejected reason=void generation=2"},
        {CONFIRMED "TransferTicket r1-2;", "CheckInTicket r1-2 generation=1",
         "CheckInRejected reason=void"},
        {CONFIRMED "TransferTicket r1-2;", "CheckInTicket r1-2 generation=2", "TicketCheckedIn"},
        {CONFIRMED "TransferTicket r1-2;", "CheckInTicket r1-3 generation=1", "TicketCheckedIn"},
        {CANCELLED, "CheckInTicket r1-2 generation=2", "CheckInRejected reason=void"},
        {CANCELLED, "CheckInTicket r1-5", "CheckInRejected reason=void"},
        /* cancelled, or about to be */
        {CANCELLED, "CheckInTicket r1-2 force=true", "CheckInRejected reason=cancelled"},
        {TWO_ASKED, "CheckInTicket r1-2", "CheckInRejected reason=cancelled"},
        {TWO_ASKED, "CheckInTicket r1-2 entry=out force=true", "CheckInRejected reason=cancelled"},
        {TWO_ASKED, "CheckInTicket r1-3", "TicketCheckedIn"},
        {TWO_ASKED "SeatsReturned r1 tickets=2 cause_id=^c2;", "CheckInTicket r1-2",
         "CheckInRejected reason=cancelled"},
        {TWO_ASKED "ReleaseRejected r1 cause_id=^c2;", "CheckInTicket r1-2", "TicketCheckedIn"},
        {TWO_ASKED "ReleaseRejected r1 cause_id=^c2;", "CheckInTicket r1-1",
         "CheckInRejected reason=cancelled"},
        {CONFIRMED "CancelReservation r1 id=c9;", "CheckInTicket r1-4",
         "CheckInRejected reason=cancelled"},
        {CONFIRMED "CancelReservation r1 id=c9; ReleaseRejected r1 cause_id=^c9;",
         "CheckInTicket r1-4", "TicketCheckedIn"},
        {CANCELLING "SeatsSold r1;", "CheckInTicket r1-1", "CheckInRejected reason=cancelled"},
        {CANCELLING "SeatsSold r1; ReleaseRejected r1 cause_id=^c9;", "CheckInTicket r1-1",
         "TicketCheckedIn"},
        {CONFIRMED "ShowCancelled;", "CheckInTicket r1-1", "CheckInRejected reason=cancelled"},
        /* whoever is inside when the cancellation begins cannot even go out */
        {INSIDE "CancelReservation r1 tickets=2 by=staff;", "CheckInTicket r1-2 entry=out",
         "CheckInRejected reason=cancelled"},
        {INSIDE "CancelReservation r1 tickets=2 by=staff id=c2;"
                "ReleaseRejected r1 cause_id=^c2;",
         "CheckInTicket r1-2", "CheckInRejected reason=already_in"},
    };
    (void)state;
    RUN(rows);
}

static void reservations_core__passes_tickets_on(void **state)
{
    static const struct play_row rows[] = {
        {CONFIRMED, "TransferTicket r1-2 generation=1 holder=Ada id=c3 fingerprint=3",
         "TicketTransferred show_id=s1 reservation_id=r1 ticket_id=r1-2 generation=2 holder=Ada "
         "fingerprint=3 cause_id=c3"},
        {CONFIRMED "TransferTicket r1-2;", "TransferTicket r1-2 generation=2",
         "TicketTransferred generation=3"},
        {CONFIRMED "TransferTicket r1-2;", "TransferTicket r1-3",
         "TicketTransferred ticket_id=r1-3 generation=2"},
        {ARCHIVED, "TransferTicket r1-2", "Refused code=archived field=show_id ticket_id=r1-2"},
        {ARCHIVED, "TransferTicket r7-2", "Refused code=archived"},
        {"", "TransferTicket r1-2 generation=5",
         "Refused code=not_found field=ticket_id ticket_id=r1-2 show_id=s1 command=TransferTicket"},
        {REQUESTED, "TransferTicket r1-1", "Refused code=not_found"},
        {CONFIRMED, "TransferTicket r1-5", "Refused code=not_found"},
        {CONFIRMED, "TransferTicket s2 r1-2", "Refused code=not_found"},
        /* before what has changed since */
        {CONFIRMED "TransferTicket r1-2 fingerprint=1;", "TransferTicket r1-2 fingerprint=1",
         "none"},
        {CONFIRMED "TransferTicket r1-2 fingerprint=1 id=c3;",
         "TransferTicket r1-2 fingerprint=1 id=c3", "none"},
        {CONFIRMED "TransferTicket r1-2 fingerprint=1;", "TransferTicket r1-2 fingerprint=2",
         "Refused code=conflict field=-"},
        {CONFIRMED "TransferTicket r1-2 fingerprint=1; CancelReservation r1;",
         "TransferTicket r1-2 fingerprint=1", "none"},
        {CONFIRMED "TransferTicket r1-2 fingerprint=1; CancelReservation r1;",
         "TransferTicket r1-2 fingerprint=2", "Refused code=conflict"},
        {CANCELLED, "TransferTicket r1-2 generation=2",
         "Refused code=precondition field=generation"},
        {CONFIRMED, "TransferTicket r1-2 generation=0", "Refused code=precondition"},
        {CONFIRMED "TransferTicket r1-2; TransferTicket r1-2 generation=2;",
         "TransferTicket r1-2 generation=4", "Refused code=precondition"},
        {CANCELLED, "TransferTicket r1-2", "Refused code=wrong_state field=ticket_id"},
        {TWO_ASKED, "TransferTicket r1-2", "Refused code=wrong_state"},
        {INSIDE "CancelReservation r1 tickets=2 by=staff;", "TransferTicket r1-2",
         "Refused code=wrong_state"},
        {TWO_ASKED, "TransferTicket r1-3", "TicketTransferred"},
        {TWO_ASKED "ReleaseRejected r1 cause_id=^c2;", "TransferTicket r1-2", "TicketTransferred"},
        /* inside on any list; after coming out it is free again */
        {INSIDE, "TransferTicket r1-2", "Refused code=checked_in field=ticket_id ticket_id=r1-2"},
        {INSIDE "CheckInTicket r1-2 list_id=bar; CheckInTicket r1-2 entry=out;",
         "TransferTicket r1-2", "Refused code=checked_in"},
        {INSIDE "CheckInTicket r1-2 entry=out;", "TransferTicket r1-2",
         "TicketTransferred generation=2"},
        {INSIDE, "TransferTicket r1-3", "TicketTransferred"},
        /* the new holder enters */
        {INSIDE "CheckInTicket r1-2 entry=out; TransferTicket r1-2;",
         "CheckInTicket r1-2 generation=2 nonce=n2", "TicketCheckedIn generation=2"},
    };
    (void)state;
    RUN(rows);
}

/* Of one ticket the last four of all: entries by list and nonce, transfers by their generation,
 * refused commands by their id. */
static void reservations_core__remembers_the_last_4_of_a_ticket(void **state)
{
    static const struct play_row rows[] = {
        {INSIDE, "CheckInTicket r1-2 nonce=in fingerprint=1", "none"},
        {INSIDE, "CheckInTicket r1-2 nonce=in fingerprint=1 id=other", "none"},
        {INSIDE, "CheckInTicket r1-2 nonce=in fingerprint=2",
         "Refused code=conflict field=- ticket_id=r1-2 show_id=s1 command=CheckInTicket "
         "fingerprint=2"},
        /* before every reason */
        {INSIDE, "CheckInTicket r1-2 nonce=in fingerprint=1 generation=5", "none"},
        {INSIDE, "CheckInTicket r1-2 nonce=in fingerprint=2 generation=5", "Refused code=conflict"},
        {INSIDE "CancelReservation r1 by=staff;", "CheckInTicket r1-2 nonce=in fingerprint=1",
         "none"},
        {INSIDE "CancelReservation r1 by=staff;", "CheckInTicket r1-2 nonce=in fingerprint=2",
         "Refused code=conflict"},
        /* another list, nonce or ticket is another entry */
        {INSIDE, "CheckInTicket r1-2 nonce=in list_id=bar fingerprint=1", "TicketCheckedIn"},
        {INSIDE, "CheckInTicket r1-2 nonce=in2 fingerprint=1", "CheckInRejected"},
        {INSIDE, "CheckInTicket r1-3 nonce=in fingerprint=1", "TicketCheckedIn"},
        /* who was turned away had an answer, too */
        {INSIDE "CheckInTicket r1-2 nonce=n2 fingerprint=2 -> CheckInRejected;"
                "CheckInTicket r1-2 entry=out nonce=n3;",
         "CheckInTicket r1-2 nonce=n2 fingerprint=2", "none"},
        {CONFIRMED "CheckInTicket r1-2 generation=2 fingerprint=2 -> CheckInRejected;",
         "CheckInTicket r1-2 fingerprint=3", "Refused code=conflict"},
        {TWO_ASKED "CheckInTicket r1-2 fingerprint=2 -> CheckInRejected;"
                   "ReleaseRejected r1 cause_id=^c2;",
         "CheckInTicket r1-2 fingerprint=2", "none"},
        /* a generation is no nonce */
        {INSIDE "CheckInTicket r1-2 entry=out; TransferTicket r1-2 fingerprint=1;",
         "CheckInTicket r1-2 nonce=1 generation=2 fingerprint=2", "TicketCheckedIn"},
        /* a refused command, by its id */
        {INSIDE "TransferTicket r1-2 id=c3 fingerprint=3 -> Refused code=checked_in;"
                "CheckInTicket r1-2 entry=out;",
         "TransferTicket r1-2 id=c3 fingerprint=3", "none"},
        {INSIDE "TransferTicket r1-2 id=c3 fingerprint=3 -> Refused code=checked_in;"
                "CheckInTicket r1-2 entry=out;",
         "TransferTicket r1-2 id=c3 fingerprint=4", "Refused code=conflict"},
        {INSIDE "TransferTicket r1-2 id=c3 fingerprint=3 -> Refused code=checked_in;"
                "CheckInTicket r1-2 entry=out;",
         "TransferTicket r1-2 id=c4 fingerprint=3", "TicketTransferred"},
        {INSIDE "CheckInTicket r1-2 nonce=in id=c3 fingerprint=3 -> Refused code=conflict;",
         "CheckInTicket r1-2 nonce=in id=c3 fingerprint=3", "none"},
        {CONFIRMED "TransferTicket r1-2 fingerprint=1;"
                   "TransferTicket r1-2 id=c3 fingerprint=3 -> Refused code=conflict;",
         "TransferTicket r1-2 id=c3 fingerprint=3", "none"},
    };
    (void)state;
    RUN(rows);
}

static void reservations_core__forgets_the_fifth_of_a_ticket(void **state)
{
    static const struct play_row rows[] = {
        /* three more, and one too many */
        {INSIDE "CheckInTicket r1-2 entry=out nonce=n2; CheckInTicket r1-2 nonce=n3;"
                "TransferTicket r1-2 -> Refused;",
         "CheckInTicket r1-2 nonce=in fingerprint=2", "Refused code=conflict"},
        {INSIDE "CheckInTicket r1-2 entry=out nonce=n2; CheckInTicket r1-2 nonce=n3;"
                "TransferTicket r1-2 -> Refused; CheckInTicket r1-2 nonce=n4 -> CheckInRejected;",
         "CheckInTicket r1-2 nonce=in fingerprint=1", "CheckInRejected reason=already_in"},
        {CONFIRMED "TransferTicket r1-2 fingerprint=1; TransferTicket r1-2 generation=2;"
                   "TransferTicket r1-2 generation=3; TransferTicket r1-2 generation=4;",
         "TransferTicket r1-2 fingerprint=2", "Refused code=conflict"},
        {CONFIRMED "TransferTicket r1-2 fingerprint=1; TransferTicket r1-2 generation=2;"
                   "TransferTicket r1-2 generation=3; TransferTicket r1-2 generation=4;"
                   "TransferTicket r1-2 generation=5;",
         "TransferTicket r1-2 fingerprint=1", "Refused code=precondition"},
        /* repeats remember nothing */
        {INSIDE "CheckInTicket r1-2 entry=out nonce=n2 fingerprint=2; CheckInTicket r1-2 nonce=n3;"
                "CheckInTicket r1-2 entry=out nonce=n2 fingerprint=2 -> none;"
                "CheckInTicket r1-2 entry=out nonce=n2 fingerprint=2 -> none;",
         "CheckInTicket r1-2 nonce=in fingerprint=1", "none"},
        /* the neighbour's do not count */
        {INSIDE "CheckInTicket r1-3; CheckInTicket r1-3 entry=out nonce=n2;"
                "CheckInTicket r1-3 nonce=n3; CheckInTicket r1-3 entry=out nonce=n4;",
         "CheckInTicket r1-2 nonce=in fingerprint=1", "none"},
    };
    (void)state;
    RUN(rows);
}

/* ---- a cancelled show ------------------------------------------------------------------------ */

/* One booking, asked for by the show at 5 s; by the customer before that, if the script says so. */
#define ASKED(script) script "@5 ShowCancelled refund=none; @5;"

static void reservations_core__cancels_with_the_show(void **state)
{
    static const struct play_row rows[] = {
        {"", "@5 ShowCancelled refund=none id=e1",
         "ShowCancellationStarted show_id=s1 refund=none open=0 cause_id=e1 at_ms=T5"},
        {"@5 ShowCancelled;", "@5",
         "ShowCancellationFinished show_id=s1 at_ms=T5 cause_id=- actor=-"},
        {"@5 ShowCancelled; @5;", "@900", "none"},
        /* open is what is requested, or has tickets left */
        {CONFIRMED "RequestReservation r2; RequestReservation r3; HoldExpired r3;"
                   "RequestReservation r4; HoldRejected r4; RequestReservation r5 s2;"
                   "CancelReservation r1 tickets=1 id=c1; SeatsReturned r1 cause_id=^c1;",
         "ShowCancelled refund=full", "ShowCancellationStarted refund=full open=2"},
        {CANCELLED, "ShowCancelled", "ShowCancellationStarted open=0"},
        {CANCELLING, "ShowCancelled", "ShowCancellationStarted open=1"},
        {EXPIRED "SeatsSold r1 reacquired=true;", "ShowCancelled",
         "ShowCancellationStarted open=1"},
        {CANCELLED "@5 ShowCancelled;", "@5", "ShowCancellationFinished"},
        /* asked by the show: for all, whatever it is by now */
        {CONFIRMED "@5 ShowCancelled reason=fire refund=none;", "@5",
         "CancellationRequested show_id=s1 reservation_id=r1 expect=any by=show refund=none "
         "tickets=- fingerprint=- cause_id=- actor=- at_ms=T5"},
        {REQUESTED "@5 ShowCancelled refund=full;", "@5",
         "CancellationRequested reservation_id=r1 expect=any by=show refund=full"},
        {ASKED(CONFIRMED), "@999999", "none"},
        {ASKED(CONFIRMED) "@6 SeatsReturned r1 tickets=1+2+3+4 cause_id=^CancellationRequested;",
         "@6", "ShowCancellationFinished at_ms=T6"},
        {ASKED(REQUESTED) "@6 HoldReleased r1 cause_id=^CancellationRequested;", "@6",
         "ShowCancellationFinished"},
        {ASKED(REQUESTED) "@6 ReleaseRejected r1 cause_id=^CancellationRequested;", "@6",
         "ShowCancellationFinished"},
        /* the end is no answer: the answer is */
        {ASKED(REQUESTED) "HoldRejected r1 reason=show_cancelled;", "@900", "none"},
        {ASKED(REQUESTED) "HoldRejected r1; ReleaseRejected r1 cause_id=^CancellationRequested;",
         "@6", "ShowCancellationFinished"},
        {ASKED(CONFIRMED) "SeatsReturned r1 tickets=1+2+3+4;", "@900", "none"},
        {ASKED(CONFIRMED) "SeatsReturned r1 cause_id=^CancellationRequested;", "@6",
         "ShowCancellationFinished"},
    };
    (void)state;
    RUN(rows);
}

static void reservations_core__is_cancelled_by_a_customer_and_the_show(void **state)
{
    static const struct play_row rows[] = {
        /* the customer was faster: two questions, two answers */
        {CANCELLING "@5 ShowCancelled;", "@5", "CancellationRequested by=show expect=any"},
        {ASKED(CANCELLING) "HoldReleased r1 cause_id=^c9;", "@900", "none"},
        {ASKED(CANCELLING) "HoldReleased r1 cause_id=^c9;"
                           "@6 ReleaseRejected r1 cause_id=^CancellationRequested;",
         "@6", "ShowCancellationFinished"},
        {ASKED(CANCELLING) "ReleaseRejected r1 cause_id=^c9;", "@900", "none"},
        {ASKED(TWO_ASKED) "SeatsReturned r1 tickets=2 cause_id=^c2; ReleaseRejected r1 "
                          "cause_id=^c1;",
         "@900", "none"},
        {ASKED(TWO_ASKED) "SeatsReturned r1 tickets=2 cause_id=^c2;"
                          "SeatsReturned r1 tickets=3+4 cause_id=^CancellationRequested;",
         "SeatsReturned r1 tickets=1 cause_id=^c1", "ReservationCancelled remaining=0"},
        {ASKED(TWO_ASKED) "@6 ReleaseRejected r1 cause_id=^CancellationRequested;", "@6",
         "ShowCancellationFinished"},
        /* … before he was asked for: passed over */
        {CANCELLING "@5 ShowCancelled; @4 HoldReleased r1 cause_id=^c9;", "@5",
         "ShowCancellationFinished"},
        {REQUESTED "@5 ShowCancelled; @4 HoldRejected r1;", "@5", "ShowCancellationFinished"},
        {REQUESTED "@5 ShowCancelled; @4 HoldExpired r1;", "@5", "ShowCancellationFinished"},
        {REQUESTED "@5 ShowCancelled; @4 SeatsSold r1;", "@5", "CancellationRequested"},
        {CONFIRMED "CancelReservation r1 tickets=1 id=c1; @5 ShowCancelled;"
                   "@4 SeatsReturned r1 tickets=1 cause_id=^c1;",
         "@5", "CancellationRequested tickets=-"},
        /* … slower */
        {ASKED(CONFIRMED), "CancelReservation r1", "Refused code=wrong_state"},
        {ASKED(CONFIRMED), "CancelReservation r1 tickets=1", "Refused code=wrong_state"},
        {ASKED(CONFIRMED) "ReleaseRejected r1 cause_id=^CancellationRequested;",
         "CancelReservation r1", "CancellationRequested by=customer"},
        {CONFIRMED "@5 ShowCancelled;", "@4 CancelReservation r1", "CancellationRequested"},
        /* who comes later is turned away by shows, and not asked for */
        {"@5 ShowCancelled; @4 RequestReservation r1;", "@5", "ShowCancellationFinished"},
        {ASKED(REQUESTED) "RequestReservation r2;", "@900", "none"},
        {ASKED(REQUESTED) "RequestReservation r2;"
                          "@6 HoldReleased r1 cause_id=^CancellationRequested;",
         "@6", "ShowCancellationFinished"},
        {ASKED(REQUESTED) "RequestReservation r2;", "CancelReservation r2",
         "CancellationRequested by=customer"},
    };
    (void)state;
    RUN(rows);
}

/* ---- a show that is over --------------------------------------------------------------------- */

static void reservations_core__closes_the_books(void **state)
{
    static const struct play_row rows[] = {
        {CONFIRMED, "@9 ShowArchived id=e1",
         "ReservationsArchived show_id=s1 cause_id=e1 at_ms=T9"},
        {"", "ShowArchived", "ReservationsArchived show_id=s1"},
        /* every command, known or not, repeat or not, wrong or not */
        {ARCHIVED, "RequestReservation r1 fingerprint=1 id=c2",
         "Refused code=archived field=show_id show_id=s1 reservation_id=r1 fingerprint=1 "
         "command=RequestReservation cause_id=c2"},
        {ARCHIVED, "RequestReservation r2 lines=a,a", "Refused code=archived"},
        {"ShowArchived;", "RequestReservation r2", "Refused code=archived"},
        {ARCHIVED, "ChangeReservation r1 lines=a,a", "Refused code=archived"},
        {ARCHIVED, "ExtendReservation r1", "Refused code=archived"},
        {ARCHIVED, "UpdateReservation r1", "Refused code=archived"},
        {ARCHIVED, "UpdateReservation r2 note=x", "Refused code=archived"},
        {ARCHIVED, "CancelReservation r1 by=show", "Refused code=archived"},
        {CANCELLING "ShowArchived;", "CancelReservation r1 id=c9 fingerprint=9",
         "Refused code=archived"},
        {ARCHIVED, "CheckInTicket r1-2", "Refused code=archived ticket_id=r1-2"},
        {ARCHIVED, "TransferTicket r1-2 generation=9", "Refused code=archived ticket_id=r1-2"},
        /* nothing of it is remembered */
        {ARCHIVED "RequestReservation r2 fingerprint=2 id=c2 -> Refused;",
         "RequestReservation r2 fingerprint=2 id=c2", "Refused code=archived"},
        {ARCHIVED "RequestReservation r2 -> Refused;", "RequestReservation r2 s2",
         "ReservationRequested"},
        /* late answers meet nobody */
        {REQUESTED "ShowArchived;", "HoldRejected r1", "none"},
        {REQUESTED "ShowArchived;", "HoldExpired r1", "none"},
        {REQUESTED "ShowArchived;", "SeatsSold r1", "none"},
        {CANCELLING "ShowArchived;", "HoldReleased r1 cause_id=^c9", "none"},
        {CANCELLING "ShowArchived;", "ReleaseRejected r1 cause_id=^c9", "none"},
        {TWO_ASKED "ShowArchived;", "SeatsReturned r1 tickets=2 cause_id=^c2", "none"},
        {REQUESTED "ShowArchived;", "SeatsHeld r1", "none"},
        /* the ids are free for other shows */
        {ARCHIVED, "RequestReservation r1 s2 fingerprint=2",
         "ReservationRequested show_id=s2 reservation_id=r1"},
        {CANCELLING "ShowArchived; RequestReservation r1 s2;", "CancelReservation r1 s2 id=c9",
         "CancellationRequested"},
        {CANCELLING "ShowArchived; RequestReservation r1 s2;", "HoldReleased r1 cause_id=^c9",
         "none"},
        {INSIDE "ShowArchived;", "CheckInTicket r1-2 s2", "CheckInRejected reason=void"},
        {INSIDE "ShowArchived; RequestReservation r1 s2; SeatsSold r1 s2 lines=a:2;",
         "CheckInTicket r1-2 s2 nonce=in fingerprint=2", "TicketCheckedIn show_id=s2"},
        /* other shows go on */
        {ARCHIVED "RequestReservation r2 s2; SeatsSold r2 s2;", "CheckInTicket r2-1 s2",
         "TicketCheckedIn"},
        {"RequestReservation r2 s2 fingerprint=2;" ARCHIVED,
         "RequestReservation r2 s2 fingerprint=2", "none"},
        /* after a cancellation, and in the midst of one */
        {ASKED(REQUESTED) "HoldReleased r1 cause_id=^CancellationRequested; @6; ShowArchived;",
         "@900", "none"},
        {ASKED(REQUESTED) "ShowArchived;", "@900", "none"},
        {REQUESTED "@5 ShowCancelled; @4 ShowArchived;", "@900", "none"},
    };
    (void)state;
    RUN(rows);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void reservations_core__every_code_occurred(void **state)
{
    (void)state;
    /* the loop's and checkout's; reasons are repeated as shows says them, but for the door's */
    static const char *const others[] = {"undecodable", "unknown_type", "misrouted",
                                         "internal",    "forbidden",    NULL};
    static const enum reason of_the_door[] = {reason_wrong_show, reason_void, reason_cancelled,
                                              reason_already_in, reason_not_in};
    play_expect_codes_seen(others);
    for (size_t i = 0; i < sizeof of_the_door / sizeof *of_the_door; i++)
        assert_true(play_seen()->reasons[of_the_door[i]] > 0);
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (message_speaker((enum message_type)type) == SPEAKER_reservations &&
            message_role((enum message_type)type) == ROLE_EVENT)
            assert_true(play_seen()->types[type] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reservations_core__requests),
        cmocka_unit_test(reservations_core__changes),
        cmocka_unit_test(reservations_core__extends),
        cmocka_unit_test(reservations_core__updates),
        cmocka_unit_test(reservations_core__cancels),
        cmocka_unit_test(reservations_core__says_why_it_cannot_cancel),
        cmocka_unit_test(reservations_core__cancels_in_parts),
        cmocka_unit_test(reservations_core__hears_shows),
        cmocka_unit_test(reservations_core__the_reference_comes_from_the_id),
        cmocka_unit_test(reservations_core__remembers_the_last_16_commands),
        cmocka_unit_test(reservations_core__takes_the_loops_refusals_for_answers),
        cmocka_unit_test(reservations_core__takes_the_loops_refusals_of_tickets_for_answers),
        cmocka_unit_test(reservations_core__lets_in_and_out),
        cmocka_unit_test(reservations_core__turns_away_at_the_door),
        cmocka_unit_test(reservations_core__passes_tickets_on),
        cmocka_unit_test(reservations_core__remembers_the_last_4_of_a_ticket),
        cmocka_unit_test(reservations_core__forgets_the_fifth_of_a_ticket),
        cmocka_unit_test(reservations_core__cancels_with_the_show),
        cmocka_unit_test(reservations_core__is_cancelled_by_a_customer_and_the_show),
        cmocka_unit_test(reservations_core__closes_the_books),
        cmocka_unit_test(reservations_core__every_code_occurred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
