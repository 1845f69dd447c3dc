/* The choreography holds, and each of its rules can be broken: one change to the real tables, and
 * what must be told. */
#include "contract/contract.h"
#include "contract/story.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SERVICES = 3, ROWS_MAX = 32, FINALS_MAX = 32 };

/* ---- a copy of the real thing, to be changed ------------------------------------------------- */

struct script {
    struct service_descriptor services[SERVICES];
    const struct service_descriptor *list[SERVICES];
    struct service_reaction rows[SERVICES][ROWS_MAX];
    enum message_type finals[SERVICES][FINALS_MAX];
    int count;
};

static void copy_real(struct script *script)
{
    const struct service_descriptor *const real[SERVICES] = {&shows_service, &reservations_service,
                                                             &checkout_service};
    memset(script, 0, sizeof *script);
    script->count = SERVICES;
    for (int i = 0; i < SERVICES; i++) {
        struct service_descriptor *copy = &script->services[i];
        *copy = *real[i];
        assert_int_equal(copy->speaker, i);
        assert_true(copy->reaction_count < ROWS_MAX && copy->final_count < FINALS_MAX);
        memcpy(script->rows[i], copy->reactions,
               (size_t)copy->reaction_count * sizeof *copy->reactions);
        memcpy(script->finals[i], copy->finals, (size_t)copy->final_count * sizeof *copy->finals);
        copy->reactions = script->rows[i];
        copy->finals = script->finals[i];
        script->list[i] = copy;
    }
}

static struct service_reaction *row(struct script *script, enum speaker speaker,
                                    enum message_type input)
{
    struct service_reaction *rows = script->rows[speaker];
    for (int i = 0; i < script->services[speaker].reaction_count; i++)
        if (rows[i].input == input)
            return &rows[i];
    fail_msg("%s has no row for message %d", speaker_name(speaker), input);
    return NULL;
}

static void add_row(struct script *script, enum speaker speaker, enum message_type input,
                    enum message_type outcome)
{
    int at = script->services[speaker].reaction_count++;
    script->rows[speaker][at] = (struct service_reaction){input, 1, {outcome}};
}

static void drop_row(struct script *script, enum speaker speaker, enum message_type input)
{
    struct service_reaction *gone = row(script, speaker, input);
    *gone = script->rows[speaker][--script->services[speaker].reaction_count];
}

static void add_outcome(struct script *script, enum speaker speaker, enum message_type input,
                        enum message_type outcome)
{
    struct service_reaction *reaction = row(script, speaker, input);
    reaction->outcomes[reaction->outcome_count++] = outcome;
}

static void drop_outcome(struct script *script, enum speaker speaker, enum message_type input,
                         enum message_type outcome)
{
    struct service_reaction *reaction = row(script, speaker, input);
    for (int i = 0; i < reaction->outcome_count; i++)
        if (reaction->outcomes[i] == outcome) {
            reaction->outcomes[i] = reaction->outcomes[--reaction->outcome_count];
            reaction->outcomes[reaction->outcome_count] = 0;
            return;
        }
    fail_msg("%s does not say %s to that", speaker_name(speaker), message_name(outcome));
}

static void add_final(struct script *script, enum speaker speaker, enum message_type type)
{
    script->finals[speaker][script->services[speaker].final_count++] = type;
}

static void drop_final(struct script *script, enum speaker speaker, enum message_type type)
{
    for (int i = 0; i < script->services[speaker].final_count; i++)
        if (script->finals[speaker][i] == type) {
            script->finals[speaker][i] =
                script->finals[speaker][--script->services[speaker].final_count];
            return;
        }
    fail_msg("%s is not final", message_name(type));
}

/* ---- one change each ------------------------------------------------------------------------- */

#define SHOWS        SPEAKER_shows
#define RESERVATIONS SPEAKER_reservations
#define CHECKOUT     SPEAKER_checkout

static void nobody_hears(struct script *script)
{
    drop_final(script, SHOWS, MESSAGE_SeatsHeld);
}

static void final_and_heard(struct script *script)
{
    add_final(script, SHOWS, MESSAGE_SeatsSold);
}

static void never_said(struct script *script)
{
    drop_outcome(script, CHECKOUT, MESSAGE_RecordPayment, MESSAGE_PaymentFailed);
}

static void a_service_is_missing(struct script *script)
{
    script->count = 2;
}

static void nobody_takes(struct script *script)
{
    drop_row(script, SHOWS, MESSAGE_SetBlock);
}

static void two_take(struct script *script)
{
    add_row(script, CHECKOUT, MESSAGE_SetBlock, MESSAGE_CheckoutRejected);
}

static void another_takes(struct script *script)
{
    drop_row(script, SHOWS, MESSAGE_SetBlock);
    add_row(script, CHECKOUT, MESSAGE_SetBlock, MESSAGE_CheckoutRejected);
}

static void cannot_refuse(struct script *script)
{
    drop_outcome(script, RESERVATIONS, MESSAGE_TransferTicket, MESSAGE_Refused);
}

static void can_only_refuse(struct script *script)
{
    drop_outcome(script, RESERVATIONS, MESSAGE_TransferTicket, MESSAGE_TicketTransferred);
}

static void cannot_arrive(struct script *script)
{
    add_row(script, CHECKOUT, MESSAGE_ReservationExpired, MESSAGE_PaymentAbandoned);
}

static void reacts_to_refused(struct script *script)
{
    add_row(script, CHECKOUT, MESSAGE_Refused, MESSAGE_PaymentAbandoned);
}

static void reads_in_vain(struct script *script)
{
    struct service_descriptor *checkout = &script->services[CHECKOUT];
    checkout->inputs[checkout->input_count++] = TOPIC_RESERVATIONS_EVENTS;
}

static void speaks_for_another(struct script *script)
{
    add_outcome(script, CHECKOUT, MESSAGE_HoldExpired, MESSAGE_ReservationExpired);
}

static void answers_with_a_command(struct script *script)
{
    add_outcome(script, CHECKOUT, MESSAGE_HoldExpired, MESSAGE_RecordRefund);
}

static void answers_for_the_bus(struct script *script)
{
    add_outcome(script, CHECKOUT, MESSAGE_HoldExpired, MESSAGE_Progress);
}

static void final_of_another(struct script *script)
{
    add_final(script, CHECKOUT, MESSAGE_SeatsHeld);
}

static void a_hold_never_expires(struct script *script)
{
    drop_outcome(script, SHOWS, MESSAGE_NONE, MESSAGE_HoldExpired);
}

/* An input that leads to the end is no timer: others may never say it. */
static void a_hold_expires_when_others_say_so(struct script *script)
{
    drop_outcome(script, SHOWS, MESSAGE_NONE, MESSAGE_HoldExpired);
    add_outcome(script, SHOWS, MESSAGE_PaymentUnknown, MESSAGE_HoldExpired);
}

static void a_hold_is_never_released(struct script *script)
{
    drop_outcome(script, SHOWS, MESSAGE_CancellationRequested, MESSAGE_HoldReleased);
    add_outcome(script, SHOWS, MESSAGE_NONE, MESSAGE_HoldReleased);
}

static void a_refund_never_ends(struct script *script)
{
    drop_outcome(script, CHECKOUT, MESSAGE_NONE, MESSAGE_RefundFailed);
}

static void a_cancellation_never_ends(struct script *script)
{
    drop_outcome(script, RESERVATIONS, MESSAGE_NONE, MESSAGE_ShowCancellationFinished);
}

/* What an impatient person would write: no seats, so ask again. */
static void a_cycle(struct script *script)
{
    add_outcome(script, RESERVATIONS, MESSAGE_HoldRejected, MESSAGE_ReservationRequested);
}

static void a_long_cycle(struct script *script)
{
    add_outcome(script, CHECKOUT, MESSAGE_SaleRejected, MESSAGE_PaymentUnknown);
}

static void two_rows(struct script *script)
{
    add_row(script, SHOWS, MESSAGE_PaymentUnknown, MESSAGE_HoldExtended);
}

static void two_timers(struct script *script)
{
    add_row(script, SHOWS, MESSAGE_NONE, MESSAGE_HoldExpired);
}

static void an_outcome_twice(struct script *script)
{
    add_outcome(script, SHOWS, MESSAGE_PaymentUnknown, MESSAGE_HoldExtended);
}

static void final_twice(struct script *script)
{
    add_final(script, SHOWS, MESSAGE_SeatsHeld);
}

static void reads_twice(struct script *script)
{
    struct service_descriptor *checkout = &script->services[CHECKOUT];
    checkout->inputs[checkout->input_count++] = TOPIC_SHOWS_EVENTS;
}

static void miscounted(struct script *script)
{
    row(script, SHOWS, MESSAGE_CreateShow)->outcome_count--;
}

static void counted_too_far(struct script *script)
{
    row(script, SHOWS, MESSAGE_CreateShow)->outcome_count = SERVICE_OUTCOMES_MAX + 1;
}

static void no_outcome(struct script *script)
{
    *row(script, CHECKOUT, MESSAGE_HoldExpired) =
        (struct service_reaction){.input = MESSAGE_HoldExpired};
}

static void never_due(struct script *script)
{
    script->services[CHECKOUT].due_at = NULL;
}

static void nothing_due(struct script *script)
{
    script->services[CHECKOUT].due = NULL;
}

static void a_silent_timer(struct script *script)
{
    drop_row(script, RESERVATIONS, MESSAGE_NONE);
}

static void another_name(struct script *script)
{
    script->services[SHOWS].name = "show";
}

static void another_output(struct script *script)
{
    script->services[SHOWS].output = TOPIC_CHECKOUT_EVENTS;
}

static void deaf_to_commands(struct script *script)
{
    script->services[SHOWS].inputs[0] = TOPIC_RESERVATIONS_COMMANDS;
}

static void hears_itself(struct script *script)
{
    struct service_descriptor *checkout = &script->services[CHECKOUT];
    checkout->inputs[checkout->input_count++] = TOPIC_CHECKOUT_EVENTS;
}

static void one_service_twice(struct script *script)
{
    script->list[CHECKOUT] = &script->services[SHOWS];
}

static const struct {
    const char *rule;
    void (*change)(struct script *script);
    const char *told; /* among others, perhaps */
} rows[] = {
    {"heard", nobody_hears, "shows/shows_service.c:1: says SeatsHeld and no service hears it; let"},
    {"heard", final_and_heard, "declares SeatsSold final, but checkout reacts to it; take it out"},
    {"heard", a_service_is_missing, "says PaymentRequested and no service hears it"},
    {"produced", never_said, "checkout/checkout_service.c:1: never says PaymentFailed; make it"},
    {"produced", a_service_is_missing, "never says RefundRequested"},
    {"taken", nobody_takes, "the command SetBlock is taken by 0 services; let exactly one"},
    {"taken", two_take, "the command SetBlock is taken by 2 services; let exactly one"},
    {"taken", another_takes, "takes the command SetBlock, which is for shows; take the row out"},
    {"taken", cannot_refuse, "cannot refuse the command TransferTicket, and every command may"},
    {"taken", can_only_refuse, "the command TransferTicket can only be refused; name what"},
    {"arrives", cannot_arrive,
     "reacts to ReservationExpired, which is said on reservations.events"},
    {"arrives", reacts_to_refused, "reacts to Refused, which belongs to no service alone"},
    {"arrives", reads_in_vain, "reads reservations.events and reacts to nothing there; take"},
    {"spoken", speaks_for_another,
     "answers HoldExpired with ReservationExpired, which is no event"},
    {"spoken", answers_with_a_command, "answers HoldExpired with RecordRefund, which is no event"},
    {"spoken", answers_for_the_bus, "answers HoldExpired with Progress, which is no event of its"},
    {"spoken", final_of_another, "declares SeatsHeld final, which is no event of its own"},
    {"ends", a_hold_never_expires, "says SeatsHeld, and its timer never says HoldExpired: what is"},
    {"ends", a_hold_expires_when_others_say_so, "says SeatsHeld, and its timer never says"},
    {"ends", a_hold_is_never_released, "and no input of it leads to the end HoldReleased"},
    {"ends", a_refund_never_ends, "says RefundRequested, and its timer never says RefundFailed"},
    {"ends", a_cancellation_never_ends, "its timer never says ShowCancellationFinished"},
    {"quiet", a_cycle,
     "HoldRejected, ReservationRequested, HoldRejected; nothing would ever end it"},
    {"quiet", a_long_cycle, "PaymentSucceeded, SaleRejected, PaymentUnknown, HoldExtended"},
    {"once", two_rows, "has two rows for PaymentUnknown; make one of them"},
    {"once", two_timers, "has two rows for the timer; make one of them"},
    {"once", an_outcome_twice, "PaymentUnknown has the outcome HoldExtended twice; once will do"},
    {"once", final_twice, "declares SeatsHeld final twice; once will do"},
    {"once", reads_twice, "reads shows.events twice; once will do"},
    {"counted", miscounted, "CreateShow has 1 outcomes and lists more; count them again"},
    {"counted", counted_too_far, "CreateShow has 9 outcomes; from 1 to 8 are possible"},
    {"counted", no_outcome, "HoldExpired has 0 outcomes; from 1 to 8 are possible"},
    {"timer", never_due, "declares outcomes of its timer and has none; give it .due_at and .due"},
    {"timer", nothing_due, "declares outcomes of its timer and has none; give it .due_at and .due"},
    {"timer", a_silent_timer, "has a timer that may say nothing; name its outcomes in a row of"},
    {"own", another_name, "speaks as 'shows'; let name and speaker be the same"},
    {"own", another_output, "writes to checkout.events; let .output be shows.events"},
    {"own", deaf_to_commands, "does not read its commands; put shows.commands into .inputs"},
    {"own", hears_itself, "reads checkout.events, which it writes itself"},
    {"own", one_service_twice, "there are two services 'shows'; one must go"},
};

static int line_count(const struct buffer *text)
{
    int count = 0;
    for (size_t i = 0; i < text->size; i++)
        count += text->data[i] == '\n';
    return count;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void contract__the_real_one_holds(void **state)
{
    struct script script;
    struct buffer told = {0};
    (void)state;
    copy_real(&script);
    if (contract_check(script.list, SERVICES, &told) != 0)
        fail_msg("%s", told.data);
    assert_int_equal(told.size, 0);
}

static void contract__tells_each_breach(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script script;
        struct buffer told = {0};
        copy_real(&script);
        rows[i].change(&script);
        int breaches = contract_check(script.list, script.count, &told);
        if (breaches == 0 || strstr(told.data, rows[i].told) == NULL)
            fail_msg("%s: '%s' is not told, but:\n%s", rows[i].rule, rows[i].told,
                     breaches ? told.data : "nothing");
        assert_int_equal(line_count(&told), breaches);
        buffer_release(&told);
    }
}

static void contract__appends_to_what_is_there(void **state)
{
    struct script script;
    struct buffer told = {0};
    (void)state;
    copy_real(&script);
    final_twice(&script);
    buffer_string(&told, "before\n");
    assert_int_equal(contract_check(script.list, SERVICES, &told), 1);
    assert_string_equal(told.data,
                        "before\nservices/shows/shows_service.c:1: declares SeatsHeld final twice; "
                        "once will do\n");
    buffer_release(&told);
}

/* A breach that only hides behind another would be found on the second try, and not be trusted. */
static void contract__a_cycle_is_told_once(void **state)
{
    struct script script;
    struct buffer told = {0};
    (void)state;
    copy_real(&script);
    a_cycle(&script);
    assert_int_equal(contract_check(script.list, SERVICES, &told), 1);
    buffer_release(&told);
}

static void contract__knows_where_a_message_is_said(void **state)
{
    static const struct {
        enum message_type type;
        int topic;
    } places[] = {
        {MESSAGE_CreateShow, TOPIC_SHOWS_COMMANDS},
        {MESSAGE_SeatsHeld, TOPIC_SHOWS_EVENTS},
        {MESSAGE_TransferTicket, TOPIC_RESERVATIONS_COMMANDS},
        {MESSAGE_ReservationConfirmed, TOPIC_RESERVATIONS_EVENTS},
        {MESSAGE_RecordRefund, TOPIC_CHECKOUT_COMMANDS},
        {MESSAGE_RefundCompleted, TOPIC_CHECKOUT_EVENTS},
        {MESSAGE_Refused, -1},
        {MESSAGE_Claimed, -1},
        {MESSAGE_NONE, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        assert_int_equal(contract_topic(places[i].type), places[i].topic);
}

/* ---- stories --------------------------------------------------------------------------------- */

static void story__every_reaction_is_told_once(void **state)
{
    struct script script;
    struct buffer told = {0};
    (void)state;
    copy_real(&script);
    if (story_check(script.list, SERVICES, &told) != 0)
        fail_msg("%s", told.data);

    add_row(&script, CHECKOUT, MESSAGE_SeatsHeld, MESSAGE_PaymentAbandoned);
    add_outcome(&script, SHOWS, MESSAGE_NONE, MESSAGE_SaleOpened);
    drop_row(&script, RESERVATIONS, MESSAGE_TransferTicket);
    drop_outcome(&script, CHECKOUT, MESSAGE_NONE, MESSAGE_RefundFailed);
    assert_int_equal(story_check(script.list, SERVICES, &told), 4);
    assert_string_equal(
        told.data,
        "contract/story.c:1: the timer's SaleOpened is told in 0 stories; put it into one\n"
        "contract/story.c:1: what follows SeatsHeld is told in 0 stories; put it into one\n"
        "contract/story.c:1: TransferTicket is told in 1 stories, and no service reacts to it; "
        "take "
        "it out\n"
        "contract/story.c:1: the timer's RefundFailed is told in 1 stories, and no timer says it; "
        "take it out\n");
    buffer_release(&told);
}

static void story__draws_what_is_declared(void **state)
{
    struct script script;
    struct buffer before = {0}, after = {0};
    (void)state;
    copy_real(&script);
    story_print(script.list, SERVICES, &before);
    assert_non_null(
        strstr(before.data, "    RequestReservation[/RequestReservation/]:::reservations"));
    assert_non_null(strstr(before.data, "    SeatsHeld([SeatsHeld]):::shows\n"));
    assert_non_null(strstr(before.data, "    HoldRejected[HoldRejected]:::shows\n"));
    assert_non_null(strstr(before.data, "    shows_timer --> HoldExpired\n"));
    assert_non_null(strstr(before.data, "    class SaleRejected elsewhere\n"));
    assert_null(strstr(before.data, "Refused"));
    add_outcome(&script, RESERVATIONS, MESSAGE_HoldRejected, MESSAGE_ReservationExpired);
    story_print(script.list, SERVICES, &after);
    assert_null(strstr(before.data, "    HoldRejected --> ReservationExpired\n"));
    assert_non_null(strstr(after.data, "    HoldRejected --> ReservationExpired\n"));
    buffer_release(&before);
    buffer_release(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract__the_real_one_holds),
        cmocka_unit_test(contract__tells_each_breach),
        cmocka_unit_test(contract__appends_to_what_is_there),
        cmocka_unit_test(contract__a_cycle_is_told_once),
        cmocka_unit_test(contract__knows_where_a_message_is_said),
        cmocka_unit_test(story__every_reaction_is_told_once),
        cmocka_unit_test(story__draws_what_is_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
