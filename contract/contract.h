/* contract.h: the choreography of all services as a whole, checked before anything runs.
 *
 * Each service declares what it reacts to, what it may answer, and which of its events are final
 * (bus/service.h). Nobody sees the whole there; here it is. These rules hold:
 *
 *   heard      every event is reacted to by some service or declared final, never both
 *   taken      every command is taken by exactly one service, the one whose topic it is sent to;
 *              it has an outcome, and can be Refused
 *   arrives    every input is said on a topic that the service reads, and no topic is read in vain
 *   spoken     every outcome is an event of that service, or Refused
 *   produced   every event is the outcome of some reaction
 *   ends       what is begun ends: a hold, a refund, the winding up of a show each end by the clock
 *              of their own service, whatever the others do, and every other end is declared
 *   quiet      no event leads to itself without a command or a timer in between
 *   timer      whoever declares outcomes of a timer has one, and the other way round
 *   once       nothing is declared twice
 *   counted    each row has as many outcomes as it says; while one has not, nothing else is checked
 *   own        a service is called as in messages.def, and reads its commands and writes its events
 *              where everybody looks for them
 *
 * The loop holds every core to its reactions while it runs. Pure; any thread. */
#ifndef CONTRACT_CONTRACT_H
#define CONTRACT_CONTRACT_H

#include "bus/service.h"

/* Appends one line for each breach, "services/X/X_service.c:1: what is wrong; what to do", and
 * answers how many there are. */
int contract_check(const struct service_descriptor *const *services, int count,
                   struct buffer *breaches);

/* The topic on which a message is said; -1: on more than one (Refused, and the bus's own). */
int contract_topic(enum message_type type);

/* What a service may answer to an input, MESSAGE_NONE: to its timer; NULL: it does not react. */
const struct service_reaction *contract_reaction(const struct service_descriptor *service,
                                                 enum message_type input);

#endif
