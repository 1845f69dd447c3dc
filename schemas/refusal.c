/* What a refusal says. */
#include "schemas/refusal.h"

bool refuse(struct message *outcome, const struct message *input, enum code code, const char *field,
            const char *detail)
{
    message_init(outcome, MESSAGE_Refused);
    message_set(outcome, code, code);
    message_set(outcome, detail, text_of(detail));
    if (field && field[0])
        message_set(outcome, field, text_of(field));
    if (input->type == MESSAGE_NONE)
        return true;
    message_set(outcome, command, text_of(message_name(input->type)));
    message_copy(outcome, input, show_id);
    message_copy(outcome, input, reservation_id);
    message_copy(outcome, input, payment_id);
    message_copy(outcome, input, fingerprint);
    return true;
}
