/* The fields that name something, one after another. */
#include "story/subject.h"

#include "schemas/ticket.h"

static bool is_ticket_of(struct text ticket_id, struct text reservation_id)
{
    struct text found;
    int64_t number;
    return ticket_id_parse(ticket_id, &found, &number) && text_equal(found, reservation_id);
}

enum subject subject_of(const struct message *message, struct text id)
{
    if ((message_has(message, reservation_id) && text_equal(message->reservation_id, id)) ||
        (message_has(message, ticket_id) && is_ticket_of(message->ticket_id, id)))
        return SUBJECT_RESERVATION;
    if (message_has(message, show_id) && text_equal(message->show_id, id))
        return SUBJECT_SHOW;
    if ((message_has(message, payment_id) && text_equal(message->payment_id, id)) ||
        (message_has(message, payment) && text_equal(message->payment.payment_id, id)) ||
        (message_has(message, refund_id) && text_equal(message->refund_id, id)))
        return SUBJECT_PAYMENT;
    return text_equal(message->correlation_id, id) ? SUBJECT_RELATED : SUBJECT_NONE;
}

bool subject_is_a_reservation(const struct message *message)
{
    return message_has(message, reservation_id) || message_has(message, ticket_id) ||
           message_has(message, payment_id) || message_has(message, refund_id);
}
