/* teller.h: the one behind the counter: what is done about each event of checkout.
 *
 * PaymentRequested of its own provider opens an intent: the script says what will become of it, and
 * the answers are planned in the ledger. RefundRequested of money it took is planned likewise.
 * PaymentAbandoned and a CheckoutStarted that supersedes cancel what has not happened yet. When the
 * time has come, a planned answer happens (the money is taken, say), and from then on it is owed.
 *
 * Amounts and currencies are those of the event in the log and of nothing else. References,
 * webhook ids and bodies are functions of the event and of the script's step, so that the same
 * answer made twice is the same answer. No clock and no network in here; one thread. */
#ifndef PAYDESK_TELLER_H
#define PAYDESK_TELLER_H

#include "paydesk/ledger.h"
#include "paydesk/script.h"
#include "schemas/message.h"

struct teller {
    struct ledger *ledger;
    const struct script *script;
    const char *provider;
    int64_t delay_ms; /* from the request's time in the log to the first answer */
    bool caught_up;   /* false: what is in the log already need not happen again */
};

/* An accepted event of checkout, appended to the log at `logged_at_ms`. */
void teller_hear(struct teller *teller, const struct message *event, int64_t logged_at_ms);

/* Lets happen what is due. Not before the log was read to its end: what was abandoned while the
 * paydesk was away must not be charged. */
void teller_act(struct teller *teller, int64_t now_ms);

#endif
