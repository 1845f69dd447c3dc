/* One function per kind of matter. */
#include "api/attention.h"

#include "api/render.h"
#include "schemas/json.h"

/* One that failed otherwise is asked for again by timer. */
static bool is_stuck(const struct repayment *repayment)
{
    return repayment->manual && repayment->status != REPAYMENT_COMPLETED;
}

static bool is_unknown(const struct reservation *reservation)
{
    return view_status(reservation) == STATUS_PAYMENT_UNKNOWN;
}

bool attention_needed(const struct reservation *reservation)
{
    bool needed = is_unknown(reservation) || reservation->late_payment_id;
    for (int i = 0; i < reservation->repayment_count && !needed; i++)
        needed = is_stuck(&reservation->repayments[i]);
    return needed;
}

static void put_string(struct buffer *out, const char *name, const char *value)
{
    json_put_text(out, name, text_of(value));
}

static void open_matter(struct buffer *out, const char *kind, const struct reservation *reservation)
{
    json_put_open(out, NULL, '{');
    put_string(out, "kind", kind);
    put_string(out, "show_id", reservation->show_id);
    put_string(out, "reservation_id", reservation->reservation_id);
    if (reservation->reference[0])
        put_string(out, "reference", reservation->reference);
    if (reservation->holder.name.data)
        json_put_text(out, "name", reservation->holder.name);
}

static void close_matter(struct buffer *out, const char *what_helps)
{
    put_string(out, "do", what_helps);
    json_put_close(out, '}');
}

static void put_unknown(struct buffer *out, const struct reservation *reservation)
{
    const struct attempt *attempt = view_attempt(reservation);
    open_matter(out, "payment_unknown", reservation);
    if (attempt) {
        put_string(out, "payment_id", attempt->payment_id);
        render_money(out, "amount", attempt->amount_minor, reservation->currency);
    }
    close_matter(out, "ask the provider what became of it, then POST "
                      "/v1/payments/{payment_id}/result");
}

static void put_refund(struct buffer *out, const struct reservation *reservation,
                       const struct repayment *repayment)
{
    open_matter(out, "refund", reservation);
    put_string(out, "refund_id", repayment->refund_id);
    render_money(out, "amount", repayment->amount_minor, repayment->currency);
    close_matter(out, "hand the money back, then POST /v1/refunds/{refund_id}/result with the "
                      "result completed");
}

void attention_put(struct buffer *out, const struct reservation *reservation)
{
    if (is_unknown(reservation))
        put_unknown(out, reservation);
    for (int i = 0; i < reservation->repayment_count; i++)
        if (is_stuck(&reservation->repayments[i]))
            put_refund(out, reservation, &reservation->repayments[i]);
    if (reservation->late_payment_id == NULL)
        return;
    open_matter(out, "payment_late", reservation);
    put_string(out, "payment_id", reservation->late_payment_id);
    close_matter(out, "it was reported after the show's books were closed and bought nothing; if "
                      "money was taken, give it back at the provider");
}

void attention_put_show(struct buffer *out, const struct show *show)
{
    if (show->oversold_by == 0)
        return;
    json_put_open(out, NULL, '{');
    put_string(out, "kind", "oversold");
    put_string(out, "show_id", show->show_id);
    json_put_i64(out, "oversold_by", show->oversold_by);
    close_matter(out, "raise the capacity or free a block, or cancel reservations");
}
