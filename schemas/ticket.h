/* ticket.h: the name of one ticket: <reservation_id>-<number>, numbers from 1.
 *
 * Pure; any thread. */
#ifndef SCHEMAS_TICKET_H
#define SCHEMAS_TICKET_H

#include "base/text.h"

enum { TICKET_ID_SIZE_MAX = 36 + 1 + 4 };

/* Both parts; `reservation_id` points into the text. false: it names no ticket. */
bool ticket_id_parse(struct text text, struct text *reservation_id, int64_t *number);

#endif
