/* parts.h: who plays what: the services, their topics, and which inputs may have an outcome, as the
 * auditor knows them and not the services. For whoever looks at a log without running a core.
 * Pure; any thread. */
#ifndef AUDIT_PARTS_H
#define AUDIT_PARTS_H

#include "bus/topics.h"
#include "schemas/message.h"

enum { SERVICES = 3, INPUTS_MAX = 3 };
enum { SHOWS, RESERVATIONS, CHECKOUT };

struct part {
    const char *name;
    int output;
    int input_count;
    int inputs[INPUTS_MAX]; /* topics, in the order of sd_positions */
};
extern const struct part parts[SERVICES];

/* Whether the service has an outcome for such an input at least sometimes. */
bool may_react(int service, enum message_type input);

#endif
