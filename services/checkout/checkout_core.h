/* checkout_core.h: the money. Starts checkouts, asks providers for payments, says what became of
 * them, and gives money back.
 *
 *     StartCheckout ─▶ STARTED ──(the hold was extended)──▶ SUCCEEDED: none due, cash, card, comp
 *                         │                            └──▶ REQUESTED of a provider: external
 *                         ├──(it could not be)────────────▶ REJECTED
 *                         └──(another attempt began)──────▶ SUPERSEDED
 *     REQUESTED ⇄ UNKNOWN ──▶ SUCCEEDED, FAILED; SUPERSEDED, ABANDONED: the seats are gone
 *
 *     RefundRequested ─▶ (failed: again, after a while) ─▶ completed; by hand after three days
 *
 * At most three attempts a reservation. The amount is always that of the hold, told by shows. Money
 * that came is never refused, whatever its amount, attempt or number: it ends in a sale or in a
 * refund, and a refund is decided from the record that causes it alone. When a show is archived its
 * attempts are forgotten; refunds under way go on. Pure as architecture §2.1 has it. */
#ifndef SERVICES_CHECKOUT_CORE_H
#define SERVICES_CHECKOUT_CORE_H

#include "schemas/message.h"

struct checkout;

struct checkout *checkout_new(void);
void checkout_free(struct checkout *checkout);

/* The outcome of `input`, or false for none. Nothing here depends on the time. */
bool checkout_decide(const struct checkout *checkout, const struct message *input,
                     struct message *outcome);

/* When a refund is to be asked for again or given up; INT64_MAX: none. */
int64_t checkout_due_at(const struct checkout *checkout);
bool checkout_due(const struct checkout *checkout, int64_t now_ms, struct message *outcome);

void checkout_apply(struct checkout *checkout, const struct message *outcome);

#endif
