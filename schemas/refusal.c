/* What a refusal says, and which commands have had their answer. */
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
    message_copy(outcome, input, refund_id);
    message_copy(outcome, input, ticket_id);
    message_copy(outcome, input, fingerprint);
    return true;
}

bool refuse_archived(struct message *outcome, const struct message *input)
{
    return refuse(outcome, input, code_archived, "show_id",
                  "the show is over and its books are closed; what still comes for it is a matter "
                  "for a person");
}

bool answered_before(const struct recent *commands, const struct message *input,
                     struct message *outcome, bool *any)
{
    switch (recent_ask(commands, input->id, input->fingerprint)) {
    case RECENT_NEW:
        return false;
    case RECENT_REPEAT:
        *any = false;
        return true;
    case RECENT_CONFLICT:
        *any = refuse(outcome, input, code_conflict, NULL,
                      "a command with this id was given before, with another body");
        return true;
    }
    return false;
}

void answered_remember(struct recent *commands, const struct message *outcome)
{
    if (message_has(outcome, fingerprint) && outcome->cause_id.size &&
        recent_ask(commands, outcome->cause_id, outcome->fingerprint) == RECENT_NEW)
        recent_remember(commands, outcome->cause_id, outcome->fingerprint);
}
