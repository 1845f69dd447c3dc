/* What became of money: as its provider says by a callback, or a person at the box office. */
#include "api/handlers.h"

#include "api/register.h"
#include "api/webhook.h"
#include "base/clock.h"
#include "base/memory.h"
#include "schemas/json.h"

#include <openssl/sha.h>
#include <string.h>

/* The word of a payment or a refund. */
static bool read_result(struct body *body, struct message *command)
{
    bool refund = command->type == MESSAGE_RecordRefund;
    enum result result;
    enum repaid repaid;
    struct text word;
    if (!body_require(body, "result", body_text(body, "result", &word)))
        return false;
    if (refund && repaid_named(word, &repaid))
        message_set(command, repaid, repaid);
    else if (!refund && result_named(word, &result))
        message_set(command, result, result);
    else
        problem_field(body->request, "/result",
                      refund ? "must be failed or completed"
                             : "must be unknown, failed or succeeded");
    body->good = body->request->answer.status == 0;
    return body->good;
}

/* Every field of a record that the body has. */
static void take_fields(struct body *body, struct message *command)
{
    body_take(body, text, "show_id", command, show_id);
    body_take(body, text, "reservation_id", command, reservation_id);
    body_take(body, text, "provider_ref", command, provider_ref);
    if (command->type == MESSAGE_RecordRefund) {
        body_take(body, text, "note", command, note);
        body_take(body, i64, "attempt", command, attempt);
    } else {
        body_take(body, i64, "amount_minor", command, amount_minor);
        body_take(body, text, "currency", command, currency);
        body_take(body, text, "provider", command, provider);
        body_take(body, text, "failure", command, failure);
    }
}

/* ---- POST /v1/payments/callbacks/{provider} -------------------------------------------------- */

static bool is_signed(struct edge *edge, struct request *request)
{
    struct text provider = request->parts[0];
    struct webhook webhook = {request->headers.webhook_id, request->headers.webhook_timestamp,
                              request->headers.webhook_signature, buffer_view(&request->body)};
    switch (webhook_check(edge_keys(edge), provider, &webhook, clock_wall_ms() / 1000)) {
    case WEBHOOK_GOOD:
        return true;
    case WEBHOOK_STRANGER:
        problem_answer(request, PROBLEM_not_found,
                       "no callbacks of this provider are taken: the keys have no line "
                       "'callback %.*s whsec_...'",
                       TEXT_PRINT(keys_provider_valid(provider) ? provider : text_of("PROVIDER")));
        return false;
    case WEBHOOK_INCOMPLETE:
        problem_answer(request, PROBLEM_bad_signature,
                       "send webhook-id, webhook-timestamp (seconds) and webhook-signature "
                       "(v1,BASE64)");
        return false;
    case WEBHOOK_STALE:
        problem_answer(request, PROBLEM_bad_signature,
                       "webhook-timestamp is more than %d s from now; sign each try anew",
                       WEBHOOK_TOLERANCE_S);
        return false;
    case WEBHOOK_FORGED:
        problem_answer(request, PROBLEM_bad_signature,
                       "no signature in webhook-signature fits the body and a secret known here");
        return false;
    }
    return false;
}

static void require_all(struct body *body, const struct message *command)
{
    body_require(body, "show_id", message_has(command, show_id));
    body_require(body, "reservation_id", message_has(command, reservation_id));
    if (command->type == MESSAGE_RecordRefund)
        return;
    body_require(body, "amount_minor", message_has(command, amount_minor));
    body_require(body, "currency", message_has(command, currency));
    body_require(body, "provider", message_has(command, provider));
    body_require(body, "provider_ref", message_has(command, provider_ref));
}

/* The body is a RecordPayment or a RecordRefund; which, its id tells. */
static bool read_callback(struct request *request, struct message *command)
{
    struct body body;
    struct text payment_id, refund_id, provider = {NULL, 0};
    if (!body_open(&body, request, false))
        return body_close(&body);
    bool pays = body_text(&body, "payment_id", &payment_id);
    bool refunds = body_text(&body, "refund_id", &refund_id);
    message_init(command, refunds ? MESSAGE_RecordRefund : MESSAGE_RecordPayment);
    if (body.good && pays == refunds)
        problem_field(request, pays ? "/refund_id" : "/payment_id",
                      "give either payment_id or refund_id");
    body.good = request->answer.status == 0;
    if (refunds)
        message_set(command, refund_id, refund_id);
    else if (pays)
        message_set(command, payment_id, payment_id);
    read_result(&body, command);
    take_fields(&body, command);
    if (refunds)
        body_text(&body, "provider", &provider);
    else if (message_has(command, provider))
        provider = command->provider;
    require_all(&body, command);
    if (body.good && provider.data && !text_equal(provider, request->parts[0]))
        problem_field(request, "/provider", "must be the one this address is of");
    body.good = request->answer.status == 0;
    return body_close(&body);
}

/* The same body is the same command, on any edge and however often it comes. */
static void identify_body(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    struct text body = buffer_view(&request->body);
    struct buffer name = {0};
    unsigned char hash[SHA256_DIGEST_LENGTH];
    if (SHA256((const unsigned char *)body.data, body.size, hash) == NULL)
        memory_lacks("the hash of a body");
    buffer_print(&name, "%.*s/", TEXT_PRINT(request->parts[0]));
    for (size_t i = 0; i < sizeof hash; i++)
        buffer_print(&name, "%02x", hash[i]);
    ids_step(edge_keys(edge), "callback", buffer_view(&name), errand->command_id);
    envelope_fingerprint(body, errand->fingerprint);
    buffer_release(&name);
}

/* In the log is all a provider needs to know. */
static bool callback_look(struct edge *edge, struct request *request)
{
    (void)edge, (void)request;
    return false;
}

static void callback_taken(struct edge *edge, struct request *request)
{
    (void)edge;
    struct buffer *out = answer_open(request, 200);
    json_put_bool(out, "recorded", true);
    answer_close(request);
}

static const struct errand_kind callback = {"callback", callback_look, callback_taken};

void handle_callback(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    if (!is_signed(edge, request) || !read_callback(request, &command) ||
        !command_check(request, &command))
        return;
    identify_body(edge, request);
    request->caller.name =
        arena_print(&request->arena, "callback:%.*s", TEXT_PRINT(request->parts[0])).data;
    errand_prepare(edge, request, &command);
    edge_lock(edge);
    errand_begin(edge, request, &callback, 0);
    edge_unlock(edge);
}

/* ---- POST /v1/payments/{id}/result, /v1/refunds/{id}/result ---------------------------------- */

enum result_stage { RESULT_ASKS, RESULT_RECORDS };

static const struct reservation *result_reservation(struct edge *edge, struct request *request)
{
    return view_reservation_of(&edge->view, text_of(request->errand.show_id),
                               text_of(request->errand.reservation_id));
}

/* Whose it is, of those the register found; the body may say which is meant. */
static bool take_found(struct request *request, const struct message *record)
{
    struct errand *errand = &request->errand;
    struct text rest = buffer_view(&errand->result);
    int count = 0;
    while (rest.size) {
        struct text show_id = text_cut(&rest, '\n');
        struct text reservation_id = text_cut(&show_id, ' ');
        if ((message_has(record, reservation_id) &&
             !text_equal(record->reservation_id, reservation_id)) ||
            (message_has(record, show_id) && !text_equal(record->show_id, show_id)))
            continue;
        count++;
        view_set(errand->reservation_id, sizeof errand->reservation_id, reservation_id);
        view_set(errand->show_id, sizeof errand->show_id, show_id);
    }
    if (count == 0)
        problem_answer(request, PROBLEM_not_found, "there is no such %s",
                       record->type == MESSAGE_RecordRefund ? "refund" : "payment");
    else if (count > 1)
        problem_answer(request, PROBLEM_wrong_state,
                       "several reservations know this id; add reservation_id and show_id");
    return count == 1;
}

static void answer_result(struct edge *edge, struct request *request, int status)
{
    const struct message *record = request->errand.details;
    const struct reservation *reservation = result_reservation(edge, request);
    struct text id = request->errand.name;
    const struct repayment *repayment = view_repayment_of(reservation, id);
    const struct attempt *attempt = view_attempt_of(reservation, id);
    struct buffer *out = answer_open(request, status);
    if (record->type == MESSAGE_RecordRefund) {
        json_put_text(out, "refund_id", id);
        json_put_text(out, "status", text_of(render_refund_status(repayment)));
    } else {
        json_put_text(out, "payment_id", id);
        json_put_text(out, "status", text_of(render_payment_status(attempt)));
    }
    json_put_text(out, "reservation_id", text_of(reservation->reservation_id));
    json_put_text(out, "show_id", text_of(reservation->show_id));
    if (view_is_requested(reservation))
        json_put_text(out, "reservation_status",
                      text_of(view_status_name(view_status(reservation))));
    answer_close(request);
}

/* How what is asked stands to what is known: less, the same (a repeat, in the same words where the
 * words matter), or news. */
enum standing { STANDS_ABOVE, STANDS_EQUAL, STANDS_BELOW };

static enum standing standing_of(const struct reservation *reservation,
                                 const struct request *request)
{
    const struct message *record = request->errand.details;
    const char *fingerprint = request->errand.fingerprint;
    if (record->type == MESSAGE_RecordRefund) {
        const struct repayment *known = view_repayment_of(reservation, request->errand.name);
        bool completed = record->repaid == repaid_completed;
        if (known->status == REPAYMENT_COMPLETED && !completed)
            return STANDS_ABOVE;
        if (known->status == REPAYMENT_FAILED && !completed)
            return STANDS_EQUAL;
        return known->status == REPAYMENT_COMPLETED && strcmp(known->recorded_as, fingerprint) == 0
                   ? STANDS_EQUAL
                   : STANDS_BELOW;
    }
    const struct attempt *known = view_attempt_of(reservation, request->errand.name);
    int asked = 1 + (int)record->result;
    if (known->recorded > asked)
        return STANDS_ABOVE;
    return known->recorded == asked && strcmp(known->recorded_as, fingerprint) == 0 ? STANDS_EQUAL
                                                                                    : STANDS_BELOW;
}

/* Whether it can be answered from what is known. */
static bool answer_known(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    const struct reservation *reservation = result_reservation(edge, request);
    const struct replay *replay = view_replay(&reservation->replays, text_of(errand->command_id));
    if (replay && answer_if_reused(request, replay->fingerprint))
        return true;
    if (errand->refused && errand->refused_code == code_conflict)
        problem_answer(request, PROBLEM_wrong_state, "%s", errand->refused_detail);
    else if (answer_if_refused(request, replay))
        return true;
    else if (replay || standing_of(reservation, request) == STANDS_EQUAL)
        answer_result(edge, request, 200);
    else if (standing_of(reservation, request) == STANDS_ABOVE)
        problem_answer(request, PROBLEM_wrong_state, "more than that is known already");
    return request->answer.status != 0;
}

/* What the person left out. false: it is not known here either, and is answered. */
static bool fill_payment(struct edge *edge, struct request *request, struct message *record)
{
    const struct reservation *reservation = result_reservation(edge, request);
    const struct attempt *attempt = view_attempt_of(reservation, request->errand.name);
    const struct show *show = view_show(&edge->view, text_of(reservation->show_id));
    if (!message_has(record, amount_minor) && attempt->amount_minor >= 0)
        message_set(record, amount_minor, attempt->amount_minor);
    else if (!message_has(record, amount_minor) && reservation->priced)
        message_set(record, amount_minor, reservation->amount_minor);
    if (!message_has(record, currency) && reservation->currency[0])
        message_set(record, currency, text_of(reservation->currency));
    else if (!message_has(record, currency) && show)
        message_set(record, currency, text_of(show->currency));
    if (!message_has(record, provider) && attempt->provider[0])
        message_set(record, provider, text_of(attempt->provider));
    if (!message_has(record, provider_ref))
        message_set(
            record, provider_ref,
            text_of(attempt->provider_ref[0] ? attempt->provider_ref : attempt->payment_id));
    const char *missing = !message_has(record, amount_minor) ? "/amount_minor"
                          : !message_has(record, currency)   ? "/currency"
                          : !message_has(record, provider)   ? "/provider"
                                                             : NULL;
    if (missing)
        problem_field(request, missing, "is missing, and not known here");
    return missing == NULL;
}

/* Once it is known whose it is. */
static bool send_result(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    const struct message *record = errand->details;
    const struct reservation *reservation = result_reservation(edge, request);
    bool refund = record->type == MESSAGE_RecordRefund;
    if (reservation == NULL || (refund ? (const void *)view_repayment_of(reservation, errand->name)
                                       : view_attempt_of(reservation, errand->name)) == NULL) {
        problem_answer(request, PROBLEM_not_found, "there is no such %s",
                       refund ? "refund" : "payment");
        return true;
    }
    if (answer_known(edge, request))
        return true;
    command = *record;
    message_set(&command, show_id, text_of(errand->show_id));
    message_set(&command, reservation_id, text_of(errand->reservation_id));
    if ((!refund && !fill_payment(edge, request, &command)) || !command_check(request, &command))
        return true;
    errand_send(edge, request, &command);
    return false;
}

static bool result_look(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    if (errand->stage == RESULT_RECORDS)
        return answer_known(edge, request);
    if (!errand->answered)
        return false;
    errand->stage = RESULT_RECORDS;
    return !take_found(request, errand->details) || send_result(edge, request);
}

static void result_late(struct edge *edge, struct request *request)
{
    if (request->errand.stage == RESULT_ASKS) {
        problem_answer(request, PROBLEM_overloaded,
                       "nothing was sent; the register is busy: try again");
        return;
    }
    answer_accepted(request, "/v1/reservations/%s", request->errand.reservation_id);
    answer_result(edge, request, 202);
}

static const struct errand_kind result = {"result", result_look, result_late};

static bool read_record(struct request *request, struct message *record)
{
    struct body body;
    if (!body_open(&body, request, false))
        return body_close(&body);
    read_result(&body, record);
    take_fields(&body, record);
    return body_close(&body);
}

static void handle_result(struct edge *edge, struct request *request, enum message_type type)
{
    struct errand *errand = &request->errand;
    struct message *record = arena_take(&request->arena, sizeof *record);
    message_init(record, type);
    if (!request_identify(edge, request, false) || !read_record(request, record))
        return;
    errand->name = arena_text(&request->arena, request->parts[0]);
    if (type == MESSAGE_RecordRefund)
        message_set(record, refund_id, errand->name);
    else
        message_set(record, payment_id, errand->name);
    errand->details = record;
    edge_lock(edge);
    clerks_begin(edge, request, &result, register_find_payment, request_wait_ms(request));
    edge_unlock(edge);
}

void handle_payment_result(struct edge *edge, struct request *request)
{
    handle_result(edge, request, MESSAGE_RecordPayment);
}

void handle_refund_result(struct edge *edge, struct request *request)
{
    handle_result(edge, request, MESSAGE_RecordRefund);
}
