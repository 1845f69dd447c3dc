/* Sums, and their names. */
#include "api/report.h"

#include "api/render.h"
#include "base/memory.h"
#include "base/rfc3339.h"
#include "schemas/json.h"

enum { HOUR_MS = 60 * 60 * 1000 };

static void add(struct report_sum *sum, int64_t amount_minor)
{
    sum->count++;
    sum->amount_minor += amount_minor;
}

static void add_money(struct report *report, const struct reservation *reservation)
{
    for (int i = 0; i < reservation->attempt_count; i++) {
        const struct attempt *attempt = &reservation->attempts[i];
        if (attempt->extension == EXTENSION_SOLD || attempt->money == MONEY_SUCCEEDED)
            add(&report->paid[attempt->method],
                attempt->amount_minor < 0 ? reservation->amount_minor : attempt->amount_minor);
    }
    for (int i = 0; i < reservation->repayment_count; i++) {
        const struct repayment *repayment = &reservation->repayments[i];
        add(repayment->status == REPAYMENT_COMPLETED ? &report->refunded : &report->refunding,
            repayment->amount_minor);
    }
}

static void add_tickets(struct report *report, const struct reservation *reservation)
{
    for (int i = 0; i < reservation->state_count; i++) {
        const struct ticket_state *state = &reservation->states[i];
        if (state->list_id[0] == '\0' || !view_ticket_is_valid(reservation, state->number))
            continue;
        report->seen++;
        report->inside += state->entry == entry_in;
    }
    report->tickets += view_seat_count(reservation);
}

static void add_sale(struct report *report, const struct reservation *reservation)
{
    int64_t at_ms = reservation->created_at_ms - reservation->created_at_ms % HOUR_MS;
    size_t last = report->hour_count;
    if (last == 0 || report->hours[last - 1].at_ms != at_ms) {
        report->hours = memory_grow(report->hours, (last + 1) * sizeof *report->hours);
        report->hours[last] = (struct report_hour){.at_ms = at_ms};
        report->hour_count = ++last;
    }
    report->hours[last - 1].quantity += view_seat_count(reservation);
    report->hours[last - 1].amount_minor += reservation->amount_minor;
}

void report_add(void *context, const struct reservation *reservation)
{
    struct report *report = context;
    enum reservation_status status = view_status(reservation);
    report->reservations[status]++;
    add_money(report, reservation);
    if (status != STATUS_CONFIRMED)
        return;
    add_tickets(report, reservation);
    add_sale(report, reservation);
}

static void put_sum(struct buffer *out, const struct report *report, const struct report_sum *sum)
{
    json_put_i64(out, "count", sum->count);
    render_money(out, "amount", sum->amount_minor, report->currency);
    json_put_close(out, '}');
}

static void put_payments(struct buffer *out, const struct report *report)
{
    int64_t taken = -report->refunded.amount_minor;
    json_put_open(out, "payments", '[');
    for (int method = 0; method < method_COUNT; method++) {
        taken += report->paid[method].amount_minor;
        if (report->paid[method].count == 0)
            continue;
        json_put_open(out, NULL, '{');
        json_put_text(out, "method", text_of(method_name((enum method)method)));
        put_sum(out, report, &report->paid[method]);
    }
    json_put_close(out, ']');
    json_put_open(out, "refunds", '{');
    json_put_open(out, "completed", '{');
    put_sum(out, report, &report->refunded);
    json_put_open(out, "open", '{');
    put_sum(out, report, &report->refunding);
    json_put_close(out, '}');
    render_money(out, "taken", taken, report->currency);
}

static void put_hours(struct buffer *out, const struct report *report)
{
    char time[RFC3339_SIZE];
    json_put_open(out, "sales", '[');
    for (size_t i = 0; i < report->hour_count; i++) {
        json_put_open(out, NULL, '{');
        json_put_text(out, "hour", text_of(rfc3339_print(report->hours[i].at_ms, time)));
        json_put_i64(out, "seats", report->hours[i].quantity);
        json_put_i64(out, "amount_minor", report->hours[i].amount_minor);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

void report_put(struct buffer *out, const struct report *report)
{
    json_put_open(out, "reservations", '{');
    for (int status = 0; status <= STATUS_CANCELLED; status++)
        json_put_i64(out, view_status_name((enum reservation_status)status),
                     report->reservations[status]);
    json_put_close(out, '}');
    put_payments(out, report);
    json_put_open(out, "door", '{');
    json_put_i64(out, "tickets", report->tickets);
    json_put_i64(out, "seen", report->seen);
    json_put_i64(out, "inside", report->inside);
    json_put_close(out, '}');
    put_hours(out, report);
}

void report_release(struct report *report)
{
    memory_free(report->hours);
}
