/* payment.h: a payment kept beyond the message that told of it.
 *
 * Aborts without memory. Any thread. */
#ifndef SCHEMAS_PAYMENT_H
#define SCHEMAS_PAYMENT_H

#include "schemas/message.h"

struct payment payment_copy(const struct payment *payment); /* its texts are the caller's */
void payment_free(struct payment *payment);                 /* {0} is allowed, and is left behind */

#endif
