/* The table of what can go wrong. */
#include "api/problem.h"

#include "schemas/json.h"

#include <stdarg.h>

struct row {
    const char *code;
    int status;
    const char *title;
};

#define PROBLEM(code, status, title) {#code, status, title},
static const struct row rows[PROBLEM_COUNT] = {PROBLEMS};
#undef PROBLEM

int problem_status(enum problem problem)
{
    return rows[problem].status;
}

const char *problem_code(enum problem problem)
{
    return rows[problem].code;
}

const char *problem_title(enum problem problem)
{
    return rows[problem].title;
}

bool problem_named(struct text code, enum problem *problem)
{
    for (int i = 0; i < PROBLEM_COUNT; i++)
        if (text_is(code, rows[i].code)) {
            *problem = (enum problem)i;
            return true;
        }
    return false;
}

/* What the log decided is told by its flow, to those who may see that. */
static void put_instance(struct buffer *out, const struct request *request, int status)
{
    const char *reservation_id = request->errand.reservation_id;
    struct buffer path = {0};
    if ((status != 409 && status != 410) || !uuid_valid(text_of(reservation_id)))
        return;
    buffer_print(&path, "/v1/flow/%s", reservation_id);
    json_put_text(out, "instance", buffer_view(&path));
    buffer_release(&path);
}

static struct buffer *open_with(struct request *request, enum problem problem, struct text detail)
{
    const struct row *row = &rows[problem];
    struct buffer *out = answer_open(request, row->status);
    request->answer.problem = (int)problem + 1;
    if (row->status == 503)
        answer_header(request, "Retry-After", "1");
    if (row->status == 401)
        answer_header(request, "WWW-Authenticate", "Bearer");
    if (request->sample) {
        json_put_text(out, "error", detail.size ? detail : text_of(row->title));
        return out;
    }
    request->answer.content_type = "application/problem+json";
    struct text type = arena_print(&request->arena, "/problems/%s", row->code);
    json_put_text(out, "type", type);
    json_put_text(out, "title", text_of(row->title));
    json_put_i64(out, "status", row->status);
    if (detail.size)
        json_put_text(out, "detail", detail);
    json_put_text(out, "code", text_of(row->code));
    put_instance(out, request, row->status);
    return out;
}

struct buffer *problem_open(struct request *request, enum problem problem, const char *format, ...)
{
    struct buffer detail = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&detail, format, arguments);
    va_end(arguments);
    struct buffer *out = open_with(request, problem, buffer_view(&detail));
    buffer_release(&detail);
    return out;
}

void problem_answer(struct request *request, enum problem problem, const char *format, ...)
{
    struct buffer detail = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&detail, format, arguments);
    va_end(arguments);
    open_with(request, problem, buffer_view(&detail));
    answer_close(request);
    buffer_release(&detail);
}

void problem_field(struct request *request, const char *pointer, const char *format, ...)
{
    struct buffer detail = {0}, whole = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&detail, format, arguments);
    va_end(arguments);
    if (pointer[0])
        buffer_print(&whole, "'%s' ", pointer + 1);
    buffer_text(&whole, buffer_view(&detail));
    struct buffer *out = open_with(request, PROBLEM_invalid, buffer_view(&whole));
    if (!request->sample) {
        json_put_open(out, "errors", '[');
        json_put_open(out, NULL, '{');
        json_put_text(out, "pointer", text_of(pointer));
        json_put_text(out, "detail", buffer_view(&detail));
        json_put_close(out, '}');
        json_put_close(out, ']');
    }
    answer_close(request);
    buffer_release(&detail);
    buffer_release(&whole);
}

enum problem problem_of_reason(enum reason reason)
{
    switch (reason) {
    case reason_no_such_show:
    case reason_unknown_reservation:
        return PROBLEM_not_found;
    case reason_show_cancelled:
        return PROBLEM_show_cancelled;
    case reason_archived:
        return PROBLEM_archived;
    case reason_paying:
        return PROBLEM_paying;
    case reason_not_on_sale:
        return PROBLEM_not_on_sale;
    case reason_sale_paused:
        return PROBLEM_sale_paused;
    case reason_sale_closed:
        return PROBLEM_sale_closed;
    case reason_no_such_tier:
        return PROBLEM_no_such_tier;
    case reason_limit:
        return PROBLEM_limit;
    case reason_party_required:
        return PROBLEM_party_required;
    case reason_person_limit:
        return PROBLEM_person_limit;
    case reason_sold_out:
        return PROBLEM_sold_out;
    case reason_all_held:
        return PROBLEM_all_held;
    case reason_deadline:
    case reason_already_sold:
    case reason_too_late:
    case reason_amount:
    case reason_wrong_show:
    case reason_void:
    case reason_cancelled:
    case reason_already_in:
    case reason_not_in:
        return PROBLEM_wrong_state;
    case reason_gone:
        return PROBLEM_hold_expired;
    case reason_amount_due:
        return PROBLEM_payment_required;
    case reason_COUNT:
        break;
    }
    return PROBLEM_wrong_state;
}

const char *problem_reason_text(enum reason reason)
{
    switch (reason) {
    case reason_no_such_show:
        return "there is no such show";
    case reason_show_cancelled:
        return "the show is cancelled";
    case reason_archived:
        return "the show is over and its books are closed";
    case reason_not_on_sale:
        return "the sale of this show has not begun";
    case reason_sale_paused:
        return "the sale of this show is paused";
    case reason_sale_closed:
        return "the sale of this show is over";
    case reason_no_such_tier:
        return "the show has no tier of that name";
    case reason_limit:
        return "one order may not have that many seats";
    case reason_party_required:
        return "this show has a limit per person: give an email or a phone number";
    case reason_person_limit:
        return "this person would have more seats than the show allows";
    case reason_sold_out:
        return "there are not enough seats left";
    case reason_all_held:
        return "not enough seats are free now, but some are only held and may come back";
    case reason_paying:
        return "the seats cannot be changed once a checkout has begun";
    case reason_deadline:
        return "the deadline is in the past, or after the show starts";
    case reason_unknown_reservation:
        return "there is no such reservation";
    case reason_already_sold:
        return "the reservation is already paid";
    case reason_gone:
        return "the seats are no longer held";
    case reason_too_late:
        return "it is too late to cancel this";
    case reason_amount:
        return "the amount is not the price of the seats";
    case reason_amount_due:
        return "these seats have a price: choose a way to pay";
    case reason_wrong_show:
        return "the ticket is for another show";
    case reason_void:
        return "there is no such ticket, or it was passed on to somebody else";
    case reason_cancelled:
        return "the ticket is cancelled";
    case reason_already_in:
        return "the ticket is inside already";
    case reason_not_in:
        return "the ticket is not inside";
    case reason_COUNT:
        break;
    }
    return "it could not be decided";
}

enum problem problem_of_code(enum code code)
{
    switch (code) {
    case code_invalid:
        return PROBLEM_invalid;
    case code_conflict:
        return PROBLEM_key_reused;
    case code_not_found:
        return PROBLEM_not_found;
    case code_wrong_state:
        return PROBLEM_wrong_state;
    case code_forbidden:
        return PROBLEM_forbidden;
    case code_checked_in:
        return PROBLEM_checked_in;
    case code_archived:
        return PROBLEM_archived;
    case code_precondition:
        return PROBLEM_precondition;
    case code_undecodable: /* what we send is decodable; if not, it is final all the same */
    case code_unknown_type:
    case code_misrouted:
    case code_internal:
    case code_COUNT:
        break;
    }
    return PROBLEM_wrong_state;
}
