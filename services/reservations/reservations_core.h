/* reservations_core.h: the bookings. Takes requests and cancellations, and says what became of each
 * reservation.
 *
 *     REQUESTED ──▶ REJECTED
 *        │  │ └───▶ RELEASED
 *        │  └─────▶ EXPIRED ──┐
 *        └──▶ CONFIRMED ◀─────┘
 *                 └──▶ CANCELLED
 *
 * What a hold is, shows says: a requested reservation counts as held for every command. A
 * cancellation under way is a flag beside the status, until shows has answered it.
 *
 * One struct reservations holds those of one partition. Pure as architecture §2.1 has it. */
#ifndef SERVICES_RESERVATIONS_CORE_H
#define SERVICES_RESERVATIONS_CORE_H

#include "schemas/message.h"

struct reservations;

struct reservations *reservations_new(void);
void reservations_free(struct reservations *reservations);

/* The outcome of `input`, or false for none. Nothing here depends on the time. */
bool reservations_decide(const struct reservations *reservations, const struct message *input,
                         struct message *outcome);

void reservations_apply(struct reservations *reservations, const struct message *outcome);

#endif
