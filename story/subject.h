/* subject.h: what an id is to a message: how the records of one reservation, or of one show, are
 * found in the log. Pure; any thread. */
#ifndef STORY_SUBJECT_H
#define STORY_SUBJECT_H

#include "schemas/message.h"

/* Of several the first counts. RELATED: only the correlation id names it, as of a command that
 * could not be read. */
enum subject { SUBJECT_RESERVATION, SUBJECT_SHOW, SUBJECT_PAYMENT, SUBJECT_RELATED, SUBJECT_NONE };

/* PAYMENT: of a payment or refund. A ticket's id is that of its reservation. */
enum subject subject_of(const struct message *message, struct text id);

/* Whether it is about less than the whole show. */
bool subject_is_a_reservation(const struct message *message);

#endif
