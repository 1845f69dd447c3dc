/* The texts of a payment, copied. */
#include "schemas/payment.h"

struct payment payment_copy(const struct payment *payment)
{
    struct payment own = *payment;
    own.payment_id = text_copy(payment->payment_id);
    own.currency = text_copy(payment->currency);
    if (payment->provider.data)
        own.provider = text_copy(payment->provider);
    if (payment->provider_ref.data)
        own.provider_ref = text_copy(payment->provider_ref);
    return own;
}

void payment_free(struct payment *payment)
{
    text_free(&payment->payment_id);
    text_free(&payment->provider);
    text_free(&payment->provider_ref);
    text_free(&payment->currency);
}
