/* Paying: one attempt, and where the customer goes to pay. */
#include "api/handlers.h"

#include "base/rfc3339.h"
#include "schemas/json.h"

#include <string.h>

/* What the body asked for. */
struct wish {
    enum method method;
    struct text provider, return_url; /* data NULL: none */
};

/* ---- POST /v1/reservations/{rid}/checkout ---------------------------------------------------- */

static struct text pay_url(struct request *request, const struct pay_url *row)
{
    struct buffer url = {0};
    const char *mark =
        memmem(row->url.data, row->url.size, PAYMENT_ID_MARK, strlen(PAYMENT_ID_MARK));
    size_t before = (size_t)(mark - row->url.data), after = before + strlen(PAYMENT_ID_MARK);
    buffer_add(&url, row->url.data, before);
    buffer_string(&url, request->errand.command_id);
    buffer_add(&url, row->url.data + after, row->url.size - after);
    struct text text = arena_text(&request->arena, buffer_view(&url));
    buffer_release(&url);
    return text;
}

/* What is left for the customer to do. */
static void put_next(struct edge *edge, struct request *request, const struct attempt *attempt)
{
    struct buffer *out = &request->answer.body;
    const struct pay_url *row = NULL;
    if (attempt && attempt->requested && attempt->money != MONEY_SUCCEEDED &&
        view_attempt_is_open(attempt))
        row = options_pay_url(edge->options, text_of(attempt->provider));
    json_put_open(out, "next", '{');
    json_put_text(out, "kind", text_of(row ? "redirect" : "none"));
    if (row)
        json_put_text(out, "url", pay_url(request, row));
    json_put_close(out, '}');
}

static void answer_paid(struct edge *edge, struct request *request, int status,
                        const struct reservation *reservation)
{
    const struct attempt *attempt =
        reservation ? view_attempt_of(reservation, text_of(request->errand.command_id)) : NULL;
    char time[RFC3339_SIZE];
    struct buffer *out = answer_open(request, status);
    json_put_text(out, "payment_id", text_of(request->errand.command_id));
    json_put_text(out, "reservation_id", text_of(request->errand.reservation_id));
    if (attempt && attempt->pay_by_ms)
        json_put_text(out, "pay_by", text_of(rfc3339_print(attempt->pay_by_ms, time)));
    enum reservation_status now = reservation ? view_status(reservation) : STATUS_REQUESTED;
    json_put_text(out, "status", text_of(view_status_name(now)));
    put_next(edge, request, attempt);
    answer_close(request);
}

static bool is_confirmed(const struct reservation *reservation)
{
    return reservation->booking == BOOKING_CONFIRMED || reservation->booking == BOOKING_CANCELLED;
}

/* StartCheckout of what shows has not decided yet would be refused as gone, for good. */
enum checkout_stage { CHECKOUT_SENT, CHECKOUT_WAITS };

static void make_checkout(struct request *request, struct message *command)
{
    struct errand *errand = &request->errand;
    const struct wish *wish = errand->details;
    message_init(command, MESSAGE_StartCheckout);
    message_set(command, show_id, text_of(errand->show_id));
    message_set(command, reservation_id, text_of(errand->reservation_id));
    message_set(command, payment_id, text_of(errand->command_id));
    message_set(command, method, wish->method);
    if (wish->provider.data)
        message_set(command, provider, wish->provider);
    if (wish->return_url.data)
        message_set(command, return_url, wish->return_url);
    message_set(command, by, request_is_staff(request) ? by_staff : by_customer);
}

static bool is_undecided(const struct reservation *reservation)
{
    return reservation == NULL || view_status(reservation) == STATUS_REQUESTED;
}

/* The first answer of an external payment is where to pay; it stays so, whatever comes of it. So a
 * rejected sale waits until checkout was read as far as the money it is about: the request for it
 * lies in front of that. */
static bool answer_attempt(struct edge *edge, struct request *request,
                           const struct reservation *reservation, const struct attempt *attempt)
{
    bool sold = attempt->extension == EXTENSION_SOLD && is_confirmed(reservation);
    if (attempt->requested || sold)
        answer_paid(edge, request, 201, reservation);
    else if (attempt->money == MONEY_REJECTED)
        answer_reason(request, attempt->money_reason);
    else if (attempt->extension == EXTENSION_SALE_REJECTED && attempt->money == MONEY_SUCCEEDED)
        answer_reason(request, attempt->seats_reason);
    else if (attempt->money == MONEY_FAILED)
        problem_answer(request, PROBLEM_wrong_state, "this payment failed; begin another");
    else if (attempt->superseded)
        problem_answer(request, PROBLEM_wrong_state,
                       "another payment of this reservation has begun since");
    else
        return false;
    return true;
}

static bool checkout_look(struct edge *edge, struct request *request)
{
    struct text payment_id = text_of(request->errand.command_id);
    const struct reservation *reservation;
    const struct replay *replay = request_replay(edge, request, &reservation);
    if (answer_if_settled(request, replay))
        return true;
    const struct attempt *attempt = reservation ? view_attempt_of(reservation, payment_id) : NULL;
    if (request->errand.stage == CHECKOUT_WAITS && attempt == NULL && !is_undecided(reservation)) {
        static _Thread_local struct message command;
        request->errand.stage = CHECKOUT_SENT;
        make_checkout(request, &command);
        errand_send(edge, request, &command);
    }
    /* What shows said of it may be read before what checkout said, which alone tells the body. */
    if (attempt == NULL || attempt->started_offset < 0)
        return false;
    if (answer_if_reused(request, attempt->fingerprint))
        return true;
    return answer_attempt(edge, request, reservation, attempt);
}

static void checkout_late(struct edge *edge, struct request *request)
{
    if (request->errand.stage == CHECKOUT_WAITS) {
        problem_answer(request, PROBLEM_overloaded,
                       "nothing was sent; the seats are not held yet: try again with the same key");
        return;
    }
    answer_accepted(request, "/v1/reservations/%s", request->errand.reservation_id);
    answer_paid(edge, request, 202, request_reservation(edge, request));
}

static const struct errand_kind checkout = {"checkout", checkout_look, checkout_late};

static void print_providers(const struct options *options, struct buffer *out)
{
    for (int i = 0; i < options->pay_url_count; i++)
        buffer_print(out, "%s%s", i ? ", " : "", options->pay_urls[i].provider);
}

/* Whether customers can be sent to that provider; if not, it is answered. */
static bool can_pay_at(struct edge *edge, struct request *request, struct text provider)
{
    struct buffer known = {0};
    if (options_pay_url(edge->options, provider))
        return true;
    print_providers(edge->options, &known);
    if (known.size)
        problem_field(request, "/provider", "%s; configured: %s",
                      provider.data ? "is not configured here" : "is missing", known.data);
    else
        problem_field(request, "/method",
                      "is not possible here: no provider is configured; start the edge with "
                      "--pay-url PROVIDER=https://.../{payment_id}");
    buffer_release(&known);
    return false;
}

static bool check_wish(struct edge *edge, struct request *request, const struct wish *wish)
{
    bool external = wish->method == method_external;
    if (!external && wish->provider.data)
        problem_field(request, "/provider", "is for method external only");
    else if (!external && wish->return_url.data)
        problem_field(request, "/return_url", "is for method external only");
    else if (wish->return_url.data && !text_starts(wish->return_url, "https://") &&
             !text_starts(wish->return_url, "http://"))
        problem_field(request, "/return_url", "must start with https:// or http://");
    else if (external && !can_pay_at(edge, request, wish->provider))
        return false;
    return request->answer.status == 0;
}

static bool read_wish(struct edge *edge, struct request *request, struct wish *wish)
{
    struct body body;
    struct text word;
    *wish = (struct wish){0};
    if (!body_open(&body, request, false))
        return body_close(&body);
    body_text(&body, "provider", &wish->provider);
    body_text(&body, "return_url", &wish->return_url);
    if (body_require(&body, "method", body_text(&body, "method", &word))) {
        if (!method_named(word, &wish->method))
            problem_field(request, "/method", "must be one of none, cash, card, comp, external");
        body.good = request->answer.status == 0;
    }
    return body_close(&body) && check_wish(edge, request, wish);
}

void handle_checkout(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    const struct reservation *reservation;
    struct wish *wish = arena_take(&request->arena, sizeof *wish);
    edge_lock(edge);
    bool found = request_find_named(edge, request, &reservation);
    edge_unlock(edge);
    if (!found || !request_identify(edge, request, true) || !read_wish(edge, request, wish))
        return;
    if (!request_is_staff(request) && wish->method != method_none &&
        wish->method != method_external) {
        problem_answer(request, PROBLEM_forbidden,
                       "cash, card and comp are taken at the box office");
        return;
    }
    errand->details = wish;
    make_checkout(request, &command);
    if (!command_check(request, &command))
        return;
    edge_lock(edge);
    errand->stage = CHECKOUT_WAITS; /* the first look sends it, if it can be decided */
    errand->show = view_show(&edge->view, text_of(errand->show_id));
    errand_begin(edge, request, &checkout, request_wait_ms(request));
    edge_unlock(edge);
}
