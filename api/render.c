/* Resources as JSON. */
#include "api/render.h"

#include "api/ids.h"
#include "base/clock.h"
#include "base/rfc3339.h"
#include "schemas/json.h"

#include <stdio.h>

static void put_string(struct buffer *out, const char *name, const char *value)
{
    json_put_text(out, name, text_of(value));
}

static void put_time(struct buffer *out, const char *name, int64_t at_ms)
{
    char text[RFC3339_SIZE];
    if (at_ms > 0)
        put_string(out, name, rfc3339_print(at_ms, text));
}

void render_money(struct buffer *out, const char *name, int64_t amount_minor, const char *currency)
{
    json_put_open(out, name, '{');
    json_put_i64(out, "amount_minor", amount_minor);
    put_string(out, "currency", currency);
    json_put_close(out, '}');
}

/* ---- shows ----------------------------------------------------------------------------------- */

static const char *availability_of(const struct show *show, enum show_status status)
{
    if (status != SHOW_ON_SALE)
        return view_show_status_name(status);
    if (show->free == 0)
        return show->capacity - show->sold - show->blocked > 0 ? "all_held" : "sold_out";
    return show->free * 10 < show->capacity ? "low" : "available";
}

static void put_tiers(struct buffer *out, const struct show *show)
{
    json_put_open(out, "tiers", '[');
    for (int i = 0; i < show->tier_count; i++) {
        const struct tier *tier = &show->tiers[i];
        int64_t left = tier->capacity - show->tier_held[i] - show->tier_sold[i];
        int64_t available = tier->capacity < 0 || left > show->free ? show->free : left;
        json_put_open(out, NULL, '{');
        json_put_text(out, "tier_id", tier->tier_id);
        json_put_text(out, "name", tier->name);
        render_money(out, "price", tier->amount_minor, show->currency);
        if (tier->capacity >= 0)
            json_put_i64(out, "capacity", tier->capacity);
        json_put_i64(out, "available", available > 0 ? available : 0);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

/* Why a show was cancelled, and how many reservations were still to be ended when that began. */
static void put_cancellation(struct buffer *out, const struct show *show)
{
    if (!show->cancelled)
        return;
    json_put_open(out, "cancellation", '{');
    if (show->cancelled_why)
        put_string(out, "reason", show->cancelled_why);
    put_string(out, "refund", refund_name(show->cancelled_refund));
    if (show->winding != WINDING_NONE)
        json_put_i64(out, "reservations", show->winding_open);
    json_put_bool(out, "finished", show->winding == WINDING_FINISHED || show->bookings_archived);
    json_put_close(out, '}');
}

void render_show(struct buffer *out, const char *name, const struct show *show, int64_t now_ms)
{
    enum show_status status = view_show_status(show, now_ms);
    json_put_open(out, name, '{');
    put_string(out, "show_id", show->show_id);
    put_string(out, "name", show->name);
    put_time(out, "starts_at", show->starts_at_ms);
    put_string(out, "status", view_show_status_name(status));
    put_string(out, "currency", show->currency);
    json_put_i64(out, "seq", show->seq);
    put_tiers(out, show);
    json_put_open(out, "availability", '{');
    json_put_i64(out, "capacity", show->capacity);
    json_put_i64(out, "held", show->held);
    json_put_i64(out, "sold", show->sold);
    json_put_i64(out, "blocked", show->blocked);
    json_put_i64(out, "free", show->free);
    json_put_i64(out, "oversold_by", show->oversold_by);
    put_string(out, "state", availability_of(show, status));
    json_put_close(out, '}');
    put_time(out, "on_sale_at", show->on_sale_at_ms);
    put_time(out, "off_sale_at", show->off_sale_at_ms);
    put_time(out, "customer_cancel_until", show->customer_cancel_until_ms);
    json_put_i64(out, "max_per_order", show->max_per_order);
    if (show->max_per_person)
        json_put_i64(out, "max_per_person", show->max_per_person);
    json_put_i64(out, "hold_ttl_s", show->hold_ttl_s);
    json_put_i64(out, "pay_window_s", show->pay_window_s);
    put_cancellation(out, show);
    json_put_close(out, '}');
}

/* ---- reservations ---------------------------------------------------------------------------- */

static void put_lines(struct buffer *out, const struct reservation *reservation)
{
    json_put_open(out, "lines", '[');
    for (int i = 0; i < reservation->line_count; i++) {
        const struct line *line = &reservation->lines[i];
        json_put_open(out, NULL, '{');
        json_put_text(out, "tier_id", line->tier_id);
        json_put_i64(out, "quantity", line->quantity);
        if (reservation->priced)
            json_put_i64(out, "unit_amount_minor", line->unit_amount_minor);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_holder(struct buffer *out, const struct holder *holder)
{
    json_put_open(out, "holder", '{');
    json_put_text(out, "name", holder->name);
    if (holder->email.data)
        json_put_text(out, "email", holder->email);
    if (holder->phone.data)
        json_put_text(out, "phone", holder->phone);
    json_put_close(out, '}');
}

const char *render_payment_status(const struct attempt *attempt)
{
    if (attempt->extension == EXTENSION_SOLD)
        return "kept";
    if (attempt->extension == EXTENSION_SALE_REJECTED)
        return "rejected";
    if (attempt->money == MONEY_SUCCEEDED)
        return "succeeded";
    if (attempt->money == MONEY_FAILED)
        return "failed";
    if (attempt->extension == EXTENSION_REJECTED || attempt->money == MONEY_REJECTED)
        return "rejected";
    if (attempt->superseded)
        return "superseded";
    if (attempt->money == MONEY_UNKNOWN)
        return "unknown";
    return attempt->money == MONEY_ABANDONED ? "abandoned" : "open";
}

static bool is_paying(enum reservation_status status)
{
    return status == STATUS_PAYING || status == STATUS_PAYMENT_UNKNOWN;
}

static void put_payment(struct buffer *out, const struct reservation *reservation)
{
    const struct attempt *attempt = view_attempt(reservation);
    if (attempt == NULL)
        return;
    json_put_open(out, "payment", '{');
    put_string(out, "payment_id", attempt->payment_id);
    if (attempt->money != MONEY_UNSAID || attempt->extension >= EXTENSION_SALE_REJECTED)
        put_string(out, "method", method_name(attempt->method));
    if (attempt->provider[0] && attempt->method == method_external)
        put_string(out, "provider", attempt->provider);
    put_string(out, "status", render_payment_status(attempt));
    json_put_close(out, '}');
    if (is_paying(view_status(reservation)))
        put_time(out, "pay_by", attempt->pay_by_ms);
}

static void put_ticket(struct buffer *out, const struct keys *keys,
                       const struct reservation *reservation, struct text tier_id, int64_t number)
{
    const struct ticket_state *ticket = view_ticket(reservation, number);
    int64_t generation = ticket ? ticket->generation : 1;
    char id[UUID_SIZE + 24], code[TICKET_CODE_SIZE];
    snprintf(id, sizeof id, "%s-%lld", reservation->reservation_id, (long long)number);
    json_put_open(out, NULL, '{');
    put_string(out, "ticket_id", id);
    json_put_text(out, "tier_id", tier_id);
    if (view_ticket_is_valid(reservation, number)) {
        put_string(out, "status", "valid");
        if (keys) {
            ids_ticket_code(keys, text_of(reservation->show_id),
                            text_of(reservation->reservation_id), number, generation, code);
            put_string(out, "code", code);
        }
    } else {
        put_string(out, "status", "cancelled");
    }
    json_put_i64(out, "generation", generation);
    if (ticket && ticket->holder.name.data)
        put_holder(out, &ticket->holder);
    if (ticket && ticket->list_id[0]) {
        json_put_open(out, "seen", '{');
        put_string(out, "list_id", ticket->list_id);
        put_string(out, "entry", entry_name(ticket->entry));
        put_time(out, "at", ticket->entry_at_ms);
        json_put_close(out, '}');
    }
    json_put_close(out, '}');
}

void render_tickets(struct buffer *out, const struct keys *keys,
                    const struct reservation *reservation)
{
    if (reservation->ticket_count == 0)
        return;
    json_put_open(out, "tickets", '[');
    for (int i = 0; i < reservation->ticket_count; i++) {
        const struct ticket_range *range = &reservation->tickets[i];
        for (int64_t k = 0; k < range->count; k++)
            put_ticket(out, keys, reservation, range->tier_id, range->first + k);
    }
    json_put_close(out, ']');
}

const char *render_refund_status(const struct repayment *repayment)
{
    if (repayment->status == REPAYMENT_COMPLETED)
        return "completed";
    if (repayment->manual)
        return "manual";
    return repayment->status == REPAYMENT_FAILED ? "failed" : "requested";
}

static void put_refund(struct buffer *out, const char *name, const struct repayment *repayment)
{
    json_put_open(out, name, '{');
    put_string(out, "refund_id", repayment->refund_id);
    put_string(out, "status", render_refund_status(repayment));
    render_money(out, "amount", repayment->amount_minor, repayment->currency);
    json_put_close(out, '}');
}

/* The last one; where tickets went back one after another, all of them as well. */
static void put_refunds(struct buffer *out, const struct reservation *reservation)
{
    int count = reservation->repayment_count;
    if (count == 0)
        return;
    put_refund(out, "refund", &reservation->repayments[count - 1]);
    if (count == 1)
        return;
    json_put_open(out, "refunds", '[');
    for (int i = 0; i < count; i++)
        put_refund(out, NULL, &reservation->repayments[i]);
    json_put_close(out, ']');
}

static void put_outcome(struct buffer *out, const struct keys *keys,
                        const struct reservation *reservation)
{
    enum reservation_status status = view_status(reservation);
    if (reservation->priced)
        render_money(out, "amount", reservation->amount_minor, reservation->currency);
    if (status == STATUS_HELD || is_paying(status))
        put_time(out, "expires_at", reservation->expires_at_ms);
    put_payment(out, reservation);
    put_refunds(out, reservation);
    render_tickets(out, keys, reservation);
    if (status != STATUS_REJECTED)
        return;
    if (reservation->refusal.reason != reason_COUNT)
        put_string(out, "reason", reason_name(reservation->refusal.reason));
    else
        put_string(out, "reason", code_name(reservation->refused_code));
}

void render_reservation(struct buffer *out, const struct keys *keys,
                        const struct reservation *reservation, const char *secret)
{
    put_string(out, "reservation_id", reservation->reservation_id);
    put_string(out, "show_id", reservation->show_id);
    if (reservation->reference[0])
        put_string(out, "reference", reservation->reference);
    put_string(out, "status", view_status_name(view_status(reservation)));
    put_lines(out, reservation);
    json_put_i64(out, "quantity", reservation->quantity);
    if (reservation->holder.name.data)
        put_holder(out, &reservation->holder);
    if (reservation->note)
        put_string(out, "note", reservation->note);
    put_time(out, "created_at", reservation->created_at_ms);
    put_outcome(out, keys, reservation);
    if (secret)
        put_string(out, "secret", secret);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* 304 instead of 200 when the client has it already; the shell sends no body then, only how long
 * it would have been. */
static int tag(struct request *request, int status, struct text etag)
{
    answer_header(request, "ETag", "%.*s", TEXT_PRINT(etag));
    bool known = request->verb == VERB_GET && status == 200 &&
                 request_knows(request->headers.if_none_match, etag);
    return known ? 304 : status;
}

/* When the status of the show changes by itself. */
static int64_t good_until_ms(const struct show *show, int64_t now_ms)
{
    const int64_t turns[] = {show->on_sale_at_ms, show->off_sale_at_ms};
    int64_t first_ms = INT64_MAX;
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
        if (turns[i] > now_ms && turns[i] < first_ms)
            first_ms = turns[i];
    return first_ms;
}

const char *render_show_tag(const struct show *show, int64_t now_ms, char out[TAG_SIZE])
{
    snprintf(out, TAG_SIZE, "\"%d-%lld-%lld-%d\"", show->partition, (long long)show->offset,
             (long long)show->other_offset, (int)view_show_status(show, now_ms));
    return out;
}

const char *render_reservation_tag(const struct reservation *reservation, char out[TAG_SIZE])
{
    const int64_t *offsets = reservation->offsets;
    snprintf(out, TAG_SIZE, "\"%lld.%lld.%lld\"", (long long)offsets[0], (long long)offsets[1],
             (long long)offsets[2]);
    return out;
}

struct page *render_page(const struct show *show, int64_t now_ms)
{
    struct buffer body = {0};
    char etag[TAG_SIZE], position[40];
    snprintf(position, sizeof position, "%d:%lld", show->partition, (long long)show->offset);
    render_show(&body, NULL, show, now_ms);
    buffer_byte(&body, '\n');
    return page_new(text_of(render_show_tag(show, now_ms, etag)), text_of(position), &body,
                    good_until_ms(show, now_ms));
}

void answer_page(struct request *request, int status, const struct page *page)
{
    answer_header(request, "X-Log-Position", "%s", page->position);
    request->answer.status = tag(request, status, text_of(page->etag));
    request->answer.cache_control = "no-cache";
    buffer_clear(&request->answer.body);
    buffer_text(&request->answer.body, buffer_view(&page->body));
    request->answer.content_type = "application/json";
}

void answer_show(struct request *request, int status, const struct show *show)
{
    struct page *page = render_page(show, clock_wall_ms());
    answer_page(request, status, page);
    page_drop(page);
}

void answer_reservation(struct request *request, const struct keys *keys, int status,
                        const struct reservation *reservation, const char *secret)
{
    char etag[TAG_SIZE];
    render_reservation_tag(reservation, etag);
    struct buffer *out = answer_open(request, tag(request, status, text_of(etag)));
    render_reservation(out, keys, reservation, secret);
    answer_close(request);
}

void answer_requested(struct request *request, int status, struct text reservation_id,
                      struct text show_id, const char *secret)
{
    struct buffer *out = answer_open(request, status);
    json_put_text(out, "reservation_id", reservation_id);
    json_put_text(out, "show_id", show_id);
    put_string(out, "status", view_status_name(STATUS_REQUESTED));
    if (secret)
        put_string(out, "secret", secret);
    answer_close(request);
}
