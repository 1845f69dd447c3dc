/* Tickets at the door, and passed on to somebody else. */
#include "audit/book.h"

#include "schemas/ticket.h"

/* ---- looking up ------------------------------------------------------------------------------ */

/* The booking the ticket names, whatever its show. */
static struct booking *named(const struct book *book, const struct message *message,
                             int64_t *number)
{
    struct text reservation_id;
    if (!ticket_id_parse(message->ticket_id, &reservation_id, number))
        return NULL;
    struct booking *booking = map_find(&book->bookings, reservation_id);
    return booking && !booking->show->bookings_archived ? booking : NULL;
}

static struct booking *issued(const struct book *book, const struct message *message,
                              int64_t *number)
{
    struct booking *booking = named(book, message, number);
    return booking && text_equal(booking->show->show_id, message->show_id) &&
                   *number <= booking->ticket_count
               ? booking
               : NULL;
}

/* Made when something happens to a ticket of the booking for the first time. */
static struct ticket *ticket_of(struct audit *audit, struct booking *booking, int64_t number)
{
    if (booking->tickets == NULL) {
        size_t count = (size_t)booking->ticket_count;
        booking->tickets = keep(audit, count * sizeof *booking->tickets);
        for (size_t i = 0; i < count; i++) {
            booking->tickets[i].generation = 1;
            booking->tickets[i].commands.capacity = TICKET_COMMANDS;
            list_add(&audit->tickets, &booking->tickets[i]);
        }
    }
    return &booking->tickets[number - 1];
}

static bool is_cancelled(const struct booking *booking, int64_t number)
{
    return (booking->cancelled && numbers_has(booking->cancelled, number)) ||
           is_pending(booking, number);
}

static struct presence *presence_of(struct ticket *ticket, struct text list_id)
{
    struct presence *at = ticket->lists;
    while (at && !text_equal(at->list_id, list_id))
        at = at->next;
    return at;
}

static bool is_in(struct ticket *ticket, struct text list_id)
{
    const struct presence *presence = presence_of(ticket, list_id);
    return presence && presence->in;
}

/* ---- the door -------------------------------------------------------------------------------- */

/* Why nobody is let in or out, `force` aside; reason_COUNT: nothing stands against it. */
static enum reason reason_not_to_pass(struct audit *audit, const struct book *book,
                                      const struct message *entry)
{
    int64_t number;
    struct booking *any = named(book, entry, &number), *booking = issued(book, entry, &number);
    if (any && !text_equal(any->show->show_id, entry->show_id))
        return reason_wrong_show;
    if (booking == NULL)
        return reason_void;
    struct ticket *ticket = ticket_of(audit, booking, number);
    if (ticket->generation != entry->generation)
        return reason_void;
    if (is_cancelled(booking, number))
        return reason_cancelled;
    bool in = is_in(ticket, entry->list_id);
    if (in != (entry->entry == entry_in))
        return reason_COUNT;
    return in ? reason_already_in : reason_not_in;
}

static void check_entry(struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    enum reason reason = reason_not_to_pass(hearing->audit, hearing->book, event);
    bool wrong_way = reason == reason_already_in || reason == reason_not_in;
    bool force = input && message_has(input, force) && input->force;
    if (event->type == MESSAGE_CheckInRejected) {
        if (reason != event->reason || (wrong_way && force))
            BREACH(hearing, 5, "rejected as %s, but %s", reason_name(event->reason),
                   reason == reason_COUNT || force ? "nothing stands against it"
                                                   : reason_name(reason));
        return;
    }
    if (reason != reason_COUNT && !(wrong_way && event->forced))
        BREACH(hearing, 11, "the ticket was let pass, though it is to be rejected: %s",
               reason_name(reason));
    if (event->forced && (!wrong_way || (input && !force)))
        BREACH(hearing, 11, "it says that it was forced, and was not");
}

static void check_same_entry(struct hearing *hearing)
{
    const struct message *event = hearing->event, *input = hearing->input;
    if (input &&
        (!text_equal(event->ticket_id, input->ticket_id) ||
         !text_equal(event->list_id, input->list_id) || event->entry != input->entry ||
         event->generation != input->generation || !text_equal(event->nonce, input->nonce)))
        BREACH(hearing, 14, "it is about another ticket, list or way than the command");
}

/* ---- what makes two of them the same --------------------------------------------------------- */

static struct text key_of(struct audit *audit, const struct message *message, bool transfer,
                          int64_t generation)
{
    if (transfer)
        return arena_print(&audit->passing, "\n%lld", (long long)generation);
    return arena_print(&audit->passing, "\n%.*s/%.*s", TEXT_PRINT(message->list_id),
                       TEXT_PRINT(message->nonce));
}

static void pass(struct audit *audit, struct ticket *ticket, const struct message *event)
{
    struct presence *presence = presence_of(ticket, event->list_id);
    if (presence == NULL) {
        presence = keep(audit, sizeof *presence);
        presence->list_id = keep_text(audit, event->list_id);
        presence->next = ticket->lists;
        ticket->lists = presence;
    }
    presence->in = event->entry == entry_in;
    ticket->let_in = ticket->let_in || presence->in;
}

static bool is_inside(const struct ticket *ticket)
{
    for (const struct presence *at = ticket->lists; at; at = at->next)
        if (at->in)
            return true;
    return false;
}

static void check_transfer(struct hearing *hearing, const struct booking *booking, int64_t number,
                           const struct ticket *ticket)
{
    if (hearing->event->generation != ticket->generation + 1)
        BREACH(hearing, 11, "generation %lld follows %lld", (long long)hearing->event->generation,
               (long long)ticket->generation);
    if (is_cancelled(booking, number))
        BREACH(hearing, 11, "a cancelled ticket was passed on, or one that is about to be");
    if (is_inside(ticket))
        BREACH(hearing, 11, "a ticket was passed on whose owner is inside");
}

void fold_ticket(struct hearing *hearing)
{
    const struct message *event = hearing->event;
    struct audit *audit = hearing->audit;
    bool transfer = event->type == MESSAGE_TicketTransferred;
    bool refused = event->type == MESSAGE_Refused;
    int64_t number;
    struct booking *booking = issued(hearing->book, event, &number);
    if (!transfer && !refused) {
        check_entry(hearing);
        check_same_entry(hearing);
    }
    if (booking == NULL) {
        if (transfer)
            BREACH(hearing, 11, "ticket '%.*s' was never issued", TEXT_PRINT(event->ticket_id));
        return;
    }
    struct ticket *ticket = ticket_of(audit, booking, number);
    if (refused) {
        remember_answer(&ticket->commands, event);
        return;
    }
    struct text key = key_of(audit, event, transfer, event->generation - 1);
    recent_remember(&ticket->commands, key, event->fingerprint);
    if (transfer) {
        check_transfer(hearing, booking, number, ticket);
        ticket->generation = event->generation;
    } else if (event->type == MESSAGE_TicketCheckedIn) {
        pass(audit, ticket, event);
    }
}

enum answer answer_at_the_door(struct audit *audit, const struct book *book,
                               const struct message *input)
{
    int64_t number;
    const struct booking *booking = issued(book, input, &number);
    if (booking == NULL || booking->tickets == NULL)
        return ANSWER_MUST;
    const struct recent *commands = &booking->tickets[number - 1].commands;
    struct text key =
        key_of(audit, input, input->type == MESSAGE_TransferTicket, input->generation);
    enum recent_answer answer = recent_ask(commands, input->id, input->fingerprint);
    if (answer == RECENT_NEW) /* the id comes first: a conflict is told once, too */
        answer = recent_ask(commands, key, input->fingerprint);
    return answer == RECENT_REPEAT ? ANSWER_NONE : ANSWER_MUST;
}
