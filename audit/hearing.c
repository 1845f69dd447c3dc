/* One accepted outcome: what it answers, whether that may be, and then the fold of its service. */
#include "audit/book.h"

#include <assert.h>

const struct part parts[SERVICES] = {
    {"shows",
     TOPIC_SHOWS_EVENTS,
     3,
     {TOPIC_SHOWS_COMMANDS, TOPIC_RESERVATIONS_EVENTS, TOPIC_CHECKOUT_EVENTS}},
    {"reservations",
     TOPIC_RESERVATIONS_EVENTS,
     2,
     {TOPIC_RESERVATIONS_COMMANDS, TOPIC_SHOWS_EVENTS}},
    {"checkout", TOPIC_CHECKOUT_EVENTS, 2, {TOPIC_CHECKOUT_COMMANDS, TOPIC_SHOWS_EVENTS}},
};

/* ---- what may come of what ------------------------------------------------------------------- */

enum { OUTCOMES_MAX = 3 };
#define TIMER MESSAGE_NONE
/* Beside Refused, which any command may have. Places not used hold 0, which is a command and no
 * outcome. */
static const struct reaction {
    int service;
    enum message_type input;
    enum message_type outcomes[OUTCOMES_MAX];
} reactions[] = {
    {SHOWS, MESSAGE_CreateShow, {MESSAGE_ShowCreated}},
    {SHOWS, MESSAGE_UpdateShow, {MESSAGE_ShowUpdated}},
    {SHOWS, MESSAGE_SetCapacity, {MESSAGE_CapacityChanged}},
    {SHOWS, MESSAGE_SetBlock, {MESSAGE_BlockSet}},
    {SHOWS, MESSAGE_OpenSale, {MESSAGE_SaleOpened}},
    {SHOWS, MESSAGE_PauseSale, {MESSAGE_SalePaused}},
    {SHOWS, MESSAGE_CancelShow, {MESSAGE_ShowCancelled}},
    {SHOWS, MESSAGE_ReservationRequested, {MESSAGE_SeatsHeld, MESSAGE_HoldRejected}},
    {SHOWS, MESSAGE_ChangeRequested, {MESSAGE_HoldResized, MESSAGE_ResizeRejected}},
    {SHOWS, MESSAGE_ExtensionRequested, {MESSAGE_HoldExtended, MESSAGE_ExtensionRejected}},
    {SHOWS, MESSAGE_CheckoutStarted, {MESSAGE_HoldExtended, MESSAGE_ExtensionRejected}},
    {SHOWS, MESSAGE_PaymentUnknown, {MESSAGE_HoldExtended, MESSAGE_ExtensionRejected}},
    {SHOWS, MESSAGE_PaymentSucceeded, {MESSAGE_SeatsSold, MESSAGE_SaleRejected}},
    {SHOWS,
     MESSAGE_CancellationRequested,
     {MESSAGE_HoldReleased, MESSAGE_SeatsReturned, MESSAGE_ReleaseRejected}},
    {SHOWS, TIMER, {MESSAGE_HoldExpired, MESSAGE_ShowArchived}},
    {RESERVATIONS, MESSAGE_RequestReservation, {MESSAGE_ReservationRequested}},
    {RESERVATIONS, MESSAGE_ChangeReservation, {MESSAGE_ChangeRequested}},
    {RESERVATIONS, MESSAGE_ExtendReservation, {MESSAGE_ExtensionRequested}},
    {RESERVATIONS, MESSAGE_UpdateReservation, {MESSAGE_ReservationUpdated}},
    {RESERVATIONS, MESSAGE_CancelReservation, {MESSAGE_CancellationRequested}},
    {RESERVATIONS, MESSAGE_CheckInTicket, {MESSAGE_TicketCheckedIn, MESSAGE_CheckInRejected}},
    {RESERVATIONS, MESSAGE_TransferTicket, {MESSAGE_TicketTransferred}},
    {RESERVATIONS, MESSAGE_HoldRejected, {MESSAGE_ReservationRejected}},
    {RESERVATIONS, MESSAGE_HoldReleased, {MESSAGE_ReservationReleased}},
    {RESERVATIONS, MESSAGE_SeatsReturned, {MESSAGE_ReservationCancelled}},
    {RESERVATIONS, MESSAGE_ReleaseRejected, {MESSAGE_CancellationRejected}},
    {RESERVATIONS, MESSAGE_HoldExpired, {MESSAGE_ReservationExpired}},
    {RESERVATIONS, MESSAGE_SeatsSold, {MESSAGE_ReservationConfirmed}},
    {RESERVATIONS, MESSAGE_ShowCancelled, {MESSAGE_ShowCancellationStarted}},
    {RESERVATIONS, MESSAGE_ShowArchived, {MESSAGE_ReservationsArchived}},
    {RESERVATIONS, TIMER, {MESSAGE_CancellationRequested, MESSAGE_ShowCancellationFinished}},
    {CHECKOUT, MESSAGE_StartCheckout, {MESSAGE_CheckoutStarted}},
    {CHECKOUT,
     MESSAGE_RecordPayment,
     {MESSAGE_PaymentSucceeded, MESSAGE_PaymentFailed, MESSAGE_PaymentUnknown}},
    {CHECKOUT, MESSAGE_RecordRefund, {MESSAGE_RefundCompleted, MESSAGE_RefundFailed}},
    {CHECKOUT,
     MESSAGE_HoldExtended,
     {MESSAGE_PaymentRequested, MESSAGE_PaymentSucceeded, MESSAGE_CheckoutRejected}},
    {CHECKOUT, MESSAGE_ExtensionRejected, {MESSAGE_CheckoutRejected}},
    {CHECKOUT, MESSAGE_SaleRejected, {MESSAGE_RefundRequested}},
    {CHECKOUT, MESSAGE_SeatsReturned, {MESSAGE_RefundRequested}},
    {CHECKOUT, MESSAGE_HoldExpired, {MESSAGE_PaymentAbandoned}},
    {CHECKOUT, MESSAGE_HoldReleased, {MESSAGE_PaymentAbandoned}},
    {CHECKOUT, MESSAGE_SeatsSold, {MESSAGE_PaymentAbandoned}},
    {CHECKOUT, MESSAGE_ShowArchived, {MESSAGE_PaymentsArchived}},
    {CHECKOUT, TIMER, {MESSAGE_RefundRequested, MESSAGE_RefundFailed}},
};
enum { REACTION_COUNT = sizeof reactions / sizeof *reactions };

static const struct reaction *reaction_to(int service, enum message_type input)
{
    for (int i = 0; i < REACTION_COUNT; i++)
        if (reactions[i].service == service && reactions[i].input == input)
            return &reactions[i];
    return NULL;
}

bool may_react(int service, enum message_type input)
{
    return input != MESSAGE_NONE && reaction_to(service, input) != NULL;
}

static bool may_say(int service, enum message_type input, enum message_type outcome)
{
    const struct reaction *reaction = reaction_to(service, input);
    if (outcome == MESSAGE_Refused)
        return input != TIMER;
    for (int i = 0; reaction && i < OUTCOMES_MAX && reaction->outcomes[i]; i++)
        if (reaction->outcomes[i] == outcome)
            return true;
    return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

enum envelope_result read_page(struct audit *audit, int topic, int partition,
                               const struct page *page, struct message *message)
{
    struct place place = {topic, partition, page->offset};
    struct codec_error error;
    return envelope_read(&page->record, &place, &audit->passing, message, &error);
}

static bool misrouted(const struct audit *audit, int partition, const struct message *command)
{
    return topic_partition_of(command->show_id, audit->installation.partition_count) != partition;
}

enum answer answer_to(struct audit *audit, struct book *book, int service, int partition,
                      const struct message *input, enum envelope_result result)
{
    if (result != ENVELOPE_OK)
        return ANSWER_MUST;
    if (message_role(input->type) == ROLE_COMMAND && misrouted(audit, partition, input))
        return ANSWER_MUST;
    switch (service) {
    case SHOWS:
        return answer_of_shows(book, input);
    case RESERVATIONS:
        return answer_of_reservations(audit, book, input);
    case CHECKOUT:
        return answer_of_checkout(audit, book, input);
    }
    return ANSWER_MAY;
}

/* ---- the cause: 4, 6, 14 --------------------------------------------------------------------- */

static int input_of(int service, struct text topic)
{
    for (int i = 0; i < parts[service].input_count; i++)
        if (text_is(topic, topic_name(parts[service].inputs[i])))
            return i;
    return -1;
}

/* Passes what its writer had read, and finds what it answers. */
static void find_cause(struct hearing *hearing)
{
    struct source source;
    const struct ledger *ledger = hearing->ledger;
    struct text text = record_header(&hearing->page->record, "sd_source", NULL);
    int input = -1;
    bool good = source_parse(text, &source);
    hearing->timer = good && source.timer;
    if (good && !source.timer)
        input = input_of(hearing->service, source.topic);
    if (!hearing->timer && (input < 0 || source.partition != hearing->place.partition)) {
        BREACH(hearing, 14, "it answers '%.*s', which is no input of %s here", TEXT_PRINT(text),
               parts[hearing->service].name);
        input = -1;
    }
    if (input >= 0 && source.offset < ledger->positions[input].next) {
        bool again = bits_get(&ledger->answered[input], source.offset);
        BREACH(hearing, again ? 4 : 6,
               again ? "a second outcome of '%.*s'"
                     : "it answers '%.*s', which was passed over before: out of order",
               TEXT_PRINT(text));
        input = -1;
    }
    if (input >= 0 && hearing->page->positions &&
        hearing->page->positions[input].next != source.offset + 1)
        BREACH(hearing, 8, "its position in '%.*s' does not follow what it answers",
               TEXT_PRINT(source.topic));
    hearing->cause_topic = input < 0 ? -1 : parts[hearing->service].inputs[input];
    if (hearing->page->positions)
        hearing->cause =
            stream_pass(hearing->audit, hearing->book, hearing->service, &hearing->place,
                        hearing->page, hearing->cause_topic, input < 0 ? -1 : source.offset);
    if (input >= 0 && hearing->cause == NULL)
        BREACH(hearing, 14, "its cause '%.*s' is not there", TEXT_PRINT(text));
    if (hearing->cause && hearing->cause->verdict == FENCE_ACCEPTED &&
        hearing->cause->crc != source.crc) {
        BREACH(hearing, 14, "its cause has other bytes now than '%.*s' says", TEXT_PRINT(text));
        hearing->cause = NULL; /* what lies there now is not what was decided on */
    }
}

static void check_causation(struct hearing *hearing, const struct message *input)
{
    if (!text_equal(hearing->event->cause_id, input->id))
        BREACH(hearing, 14, "it names '%.*s' as its cause's id, but that is '%.*s'",
               TEXT_PRINT(hearing->event->cause_id), TEXT_PRINT(input->id));
}

/* What never reaches a core: the code is given by what is wrong. */
static bool check_unheard(struct hearing *hearing, const struct message *input,
                          enum envelope_result result)
{
    static const enum code codes[] = {[ENVELOPE_OK] = code_misrouted,
                                      [ENVELOPE_UNDECODABLE] = code_undecodable,
                                      [ENVELOPE_UNKNOWN_TYPE] = code_unknown_type,
                                      [ENVELOPE_INVALID] = code_invalid};
    const struct message *event = hearing->event;
    bool stray =
        result == ENVELOPE_OK && misrouted(hearing->audit, hearing->place.partition, input);
    if (result == ENVELOPE_OK && !stray)
        return false;
    if (event->type != MESSAGE_Refused)
        BREACH(hearing, 14, "%s of a command that is to be refused: %s", message_name(event->type),
               code_name(codes[result]));
    else if (event->code != codes[result] && event->code != code_internal)
        BREACH(hearing, 5, "refused as %s, but the command is %s", code_name(event->code),
               code_name(codes[result]));
    return true;
}

/* Money that came is booked for what its payment was begun for, whatever the record says. */
static void check_subject(struct hearing *hearing, const struct message *input)
{
    const struct message *event = hearing->event;
    bool same_show = both_same(message_has(event, show_id), event->show_id,
                               message_has(input, show_id), input->show_id);
    bool both = message_has(event, reservation_id) && message_has(input, reservation_id);
    if (event->type == MESSAGE_PaymentSucceeded && input->type == MESSAGE_RecordPayment)
        return;
    if (!same_show || (both && !text_equal(event->reservation_id, input->reservation_id)))
        BREACH(hearing, 14, "it is about another show or reservation than the %s it answers",
               message_name(input->type));
}

/* Reads the cause and says whether it may be one. */
static void check_cause(struct hearing *hearing)
{
    struct audit *audit = hearing->audit;
    const struct message *event = hearing->event;
    struct message *input = &audit->input;
    const struct page *cause = hearing->cause;
    int topic = hearing->cause_topic;
    if (cause == NULL) {
        if (hearing->timer && !may_say(hearing->service, TIMER, event->type))
            BREACH(hearing, 14, "%s is nothing that a timer may decide", message_name(event->type));
        return;
    }
    if (cause->verdict != FENCE_ACCEPTED) {
        BREACH(hearing, 8, "it answers %s/%d@%lld, which does not count: %s", topic_name(topic),
               hearing->place.partition, (long long)cause->offset,
               cause->why ? cause->why : "it is no event");
        return;
    }
    enum envelope_result result = read_page(audit, topic, hearing->place.partition, cause, input);
    if (topic_is_events(topic) && result != ENVELOPE_OK)
        return;
    check_causation(hearing, input);
    if (!topic_is_events(topic) && check_unheard(hearing, input, result))
        return;
    bool internal = event->type == MESSAGE_Refused && event->code == code_internal;
    bool refused_event = event->type == MESSAGE_Refused && topic_is_events(topic);
    if (internal)
        return;
    if (refused_event || !may_say(hearing->service, input->type, event->type)) {
        BREACH(hearing, event->type == MESSAGE_ReservationConfirmed ? 11 : 14,
               event->type == MESSAGE_ReservationConfirmed
                   ? "tickets were given out for a %s: no seat was sold"
                   : "it comes of a %s, and never may",
               message_name(input->type));
        return;
    }
    check_subject(hearing, input);
    hearing->input = input;
    if (answer_to(audit, hearing->book, hearing->service, hearing->place.partition, input,
                  result) == ANSWER_NONE)
        BREACH(hearing, 4,
               "it answers a %s at %s/%d@%lld that calls for nothing: a repeat, or "
               "nobody waits for it",
               message_name(input->type), topic_name(topic), hearing->place.partition,
               (long long)cause->offset);
}

/* ---- the record itself ----------------------------------------------------------------------- */

static void check_place(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    struct text key = hearing->page->record.key;
    int partition = hearing->place.partition;
    if (event->type == MESSAGE_Refused) {
        if (key.data)
            BREACH(hearing, 14, "a Refused has no key, this one has '%.*s'", TEXT_PRINT(key));
        return;
    }
    int right = topic_partition_of(key, hearing->audit->installation.partition_count);
    if (right != partition)
        BREACH(hearing, 14, "its key '%.*s' belongs into partition %d", TEXT_PRINT(key), right);
    if (message_has(event, show_id) && !text_equal(event->show_id, key))
        BREACH(hearing, 14, "its key is '%.*s', but it is about show '%.*s'", TEXT_PRINT(key),
               TEXT_PRINT(event->show_id));
}

static void check_id(struct hearing *hearing)
{
    struct audit *audit = hearing->audit;
    buffer_clear(&audit->bytes);
    buffer_print(&audit->bytes, "%s/%d/", parts[hearing->service].name, hearing->place.partition);
    stamp_print(hearing->page->stamp, &audit->bytes);
    if (!text_equal(hearing->event->id, buffer_view(&audit->bytes)))
        BREACH(hearing, 8, "its ce_id is '%.*s', but its stamp makes it '%.*s'",
               TEXT_PRINT(hearing->event->id), TEXT_PRINT(buffer_view(&audit->bytes)));
}

/* 9: its time is when it was due, and that was before it was written. */
static void check_due_time(struct hearing *hearing)
{
    int64_t early_ms = hearing->event->at_ms - hearing->append_ms;
    if (hearing->audit->options.steady_clock && early_ms > hearing->audit->options.clock_slack_ms)
        BREACH(hearing, 9, "it was due %lld ms after the log took it", (long long)early_ms);
    hearing->ledger->timer_ms = hearing->event->at_ms;
}

/* The log's time: of an answer, the later of the last decision's and of its cause's append. */
static void check_time(struct hearing *hearing)
{
    int64_t at_ms = hearing->event->at_ms, last_ms = hearing->ledger->last_ms;
    if (at_ms < last_ms)
        BREACH(hearing, 6, "it was decided %lld ms before the decision in front of it",
               (long long)(last_ms - at_ms));
    if (hearing->cause) {
        int64_t cause_ms = hearing->cause->record.append_ms;
        if (cause_ms > hearing->ledger->handled_ms)
            hearing->ledger->handled_ms = cause_ms;
        int64_t right_ms = cause_ms > last_ms ? cause_ms : last_ms;
        if (at_ms > last_ms && at_ms != right_ms)
            BREACH(hearing, 6,
                   "its time is %lld ms beside that of the log: some other clock was "
                   "asked",
                   (long long)(at_ms - right_ms));
    }
    if (at_ms > last_ms)
        hearing->ledger->last_ms = at_ms;
    if (at_ms > last_ms && hearing->timer)
        check_due_time(hearing);
}

static void count(struct audit *audit, const struct message *event)
{
    struct audit_counts *counts = &audit->counts;
    counts->outcomes++;
    counts->by_type[event->type]++;
    if (message_has(event, reason))
        counts->by_reason[event->reason]++;
    if (message_has(event, code))
        counts->by_code[event->code]++;
    if (event->type == MESSAGE_SeatsHeld)
        counts->seats_held += (uint64_t)event->quantity;
    if (event->type == MESSAGE_SeatsSold)
        counts->seats_sold += (uint64_t)event->quantity;
    if (event->type == MESSAGE_SeatsReturned)
        counts->seats_returned += (uint64_t)event->quantity;
}

static void fold(struct hearing *hearing)
{
    switch (hearing->service) {
    case SHOWS:
        fold_seats(hearing);
        return;
    case RESERVATIONS:
        fold_booking(hearing);
        return;
    case CHECKOUT:
        fold_money(hearing);
        return;
    }
    assert(false);
}

static void tell(struct hearing *hearing)
{
    const struct audit_options *options = &hearing->audit->options;
    const struct bus_record *record = &hearing->page->record;
    if (options->told)
        options->told(options->context, &hearing->place, hearing->event,
                      record_header(record, "sd_source", NULL), record->value);
}

void hear(struct audit *audit, struct book *book, int service, int partition, struct page *page)
{
    struct hearing hearing = {
        .audit = audit,
        .book = book,
        .ledger = &book->ledgers[service],
        .service = service,
        .place = {parts[service].output, partition, page->offset},
        .append_ms = page->record.append_ms,
        .page = page,
        .event = &audit->event,
    };
    if (read_page(audit, hearing.place.topic, partition, page, &audit->event) != ENVELOPE_OK) {
        BREACH(&hearing, 8,
               "an accepted record that this build cannot read: a newer one wrote it; "
               "verify with that");
        find_cause(&hearing);
        hearing.ledger->spoiled = true;
        return;
    }
    page->type = audit->event.type;
    count(audit, &audit->event);
    find_cause(&hearing);
    check_place(&hearing);
    check_id(&hearing);
    check_cause(&hearing);
    check_time(&hearing);
    fold(&hearing);
    if (audit->options.replay)
        replay_outcome(&hearing);
    tell(&hearing);
}
