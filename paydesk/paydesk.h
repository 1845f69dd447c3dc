/* paydesk.h: the loop. One turn looks at the log, lets happen what is due, writes all of it down at
 * once, and only then speaks to the edge.
 *
 * A single thread that never waits for the edge: while callbacks are under way the log is polled in
 * short steps. Whatever cannot be written ends the process; the ledger's file is what counts. */
#ifndef PAYDESK_PAYDESK_H
#define PAYDESK_PAYDESK_H

#include "bus/bus.h"
#include "bus/installation.h"
#include "paydesk/settings.h"
#include "process/front.h"

struct paydesk;

/* Takes over a bus whose topics are known (installation_open) and opens the ledger in
 * settings->data. NULL: `error` (PAYDESK_ERROR_SIZE bytes) says why; the bus stays the caller's
 * then. Settings are borrowed. */
enum { PAYDESK_ERROR_SIZE = 512 };
struct paydesk *paydesk_open(struct bus *bus, const struct installation *installation,
                             const struct settings *settings, char *error);
void paydesk_close(struct paydesk *paydesk); /* and the bus */

/* What it tells of itself. */
struct front_subject paydesk_subject(void);

/* One turn, waiting at most so long for something to happen. false: it cannot go on; `error`. */
bool paydesk_turn(struct paydesk *paydesk, int timeout_ms, char *error);

/* At the end: hears out the callbacks under way, for at most that long, and begins nothing new. */
bool paydesk_drain(struct paydesk *paydesk, int patience_ms, char *error);

#endif
