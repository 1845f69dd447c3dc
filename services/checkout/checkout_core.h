/* checkout_core.h: the money. Starts checkouts, says when a payment succeeded, and asks for
 * refunds.
 *
 *     StartCheckout ─▶ STARTED ──(the hold was extended)──▶ SUCCEEDED; REJECTED: an amount is due
 *                         ├──────(it could not be)────────▶ REJECTED
 *                         └──────(another attempt began)──▶ SUPERSEDED
 *
 * At most three attempts a reservation. The amount is always that of the hold, told by shows; a
 * refund is decided from the record that causes it alone. Pure as architecture §2.1 has it. */
#ifndef SERVICES_CHECKOUT_CORE_H
#define SERVICES_CHECKOUT_CORE_H

#include "schemas/message.h"

struct checkout;

struct checkout *checkout_new(void);
void checkout_free(struct checkout *checkout);

/* The outcome of `input`, or false for none. Nothing here depends on the time. */
bool checkout_decide(const struct checkout *checkout, const struct message *input,
                     struct message *outcome);

void checkout_apply(struct checkout *checkout, const struct message *outcome);

#endif
