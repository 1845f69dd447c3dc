/* reservations_core.h: the bookings. Takes requests, changes, cancellations and tickets at the
 * door, and says what became of each reservation.
 *
 *     REQUESTED ──▶ REJECTED
 *        │  │ └───▶ RELEASED
 *        │  └─────▶ EXPIRED ──┐
 *        └──▶ CONFIRMED ◀─────┘
 *                 └──▶ CANCELLED, with its last ticket
 *
 * What a hold is, shows says: a requested reservation counts as held for every command. A
 * cancellation under way is kept beside the status until shows has answered it; several may be, of
 * different tickets. When a show is cancelled, every open booking is cancelled one after the other
 * by the timer, so a crash resumes where it was. An archived show is forgotten but for its id.
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

/* When the next step of a show's cancellation is due; INT64_MAX: none is under way, or it waits for
 * answers of shows. */
int64_t reservations_due_at(const struct reservations *reservations);

/* That step, if due by `now_ms`: one booking's cancellation, or the end of them all. */
bool reservations_due(const struct reservations *reservations, int64_t now_ms,
                      struct message *outcome);

void reservations_apply(struct reservations *reservations, const struct message *outcome);

#endif
