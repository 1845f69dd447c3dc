/* handlers.h: one function per route, and what they share. Private to the routes. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/body.h"
#include "api/edge.h"
#include "api/ids.h"
#include "api/problem.h"
#include "api/render.h"

/* ---- shows ----------------------------------------------------------------------------------- */
void handle_list_shows(struct edge *edge, struct request *request);
void handle_show(struct edge *edge, struct request *request);
void handle_stream(struct edge *edge, struct request *request);
void handle_create_show(struct edge *edge, struct request *request);
void handle_update_show(struct edge *edge, struct request *request);
void handle_blocks(struct edge *edge, struct request *request);
void handle_set_capacity(struct edge *edge, struct request *request);
void handle_set_block(struct edge *edge, struct request *request);
void handle_open_sale(struct edge *edge, struct request *request);
void handle_pause_sale(struct edge *edge, struct request *request);
void handle_cancel_show(struct edge *edge, struct request *request);

/* ---- reservations ---------------------------------------------------------------------------- */
void handle_reserve(struct edge *edge, struct request *request);
void handle_reservation(struct edge *edge, struct request *request);
void handle_change(struct edge *edge, struct request *request);
void handle_extend(struct edge *edge, struct request *request);
void handle_cancel(struct edge *edge, struct request *request);
void handle_give_back(struct edge *edge, struct request *request);
void handle_list_reservations(struct edge *edge, struct request *request);
void handle_attention(struct edge *edge, struct request *request);
void handle_report(struct edge *edge, struct request *request);

/* ---- tickets --------------------------------------------------------------------------------- */
void handle_tickets(struct edge *edge, struct request *request);
void handle_transfer(struct edge *edge, struct request *request);
void handle_check_in(struct edge *edge, struct request *request);

/* ---- money ----------------------------------------------------------------------------------- */
void handle_checkout(struct edge *edge, struct request *request);
void handle_callback(struct edge *edge, struct request *request);
void handle_payment_result(struct edge *edge, struct request *request);
void handle_refund_result(struct edge *edge, struct request *request);

/* ---- the log --------------------------------------------------------------------------------- */
void handle_flow(struct edge *edge, struct request *request);
void handle_events(struct edge *edge, struct request *request);

/* ---- the process ----------------------------------------------------------------------------- */
void handle_live(struct edge *edge, struct request *request);
void handle_ready(struct edge *edge, struct request *request);
void handle_health(struct edge *edge, struct request *request);
void handle_version(struct edge *edge, struct request *request);
void handle_problem(struct edge *edge, struct request *request);
void handle_metrics(struct edge *edge, struct request *request);
void handle_docs(struct edge *edge, struct request *request);
void handle_document(struct edge *edge, struct request *request);

/* ---- the sample ------------------------------------------------------------------------------ */
void handle_sample_all(struct edge *edge, struct request *request);
void handle_sample_show(struct edge *edge, struct request *request);
void handle_sample_reservations(struct edge *edge, struct request *request);
void handle_sample_hold(struct edge *edge, struct request *request);
void handle_sample_release(struct edge *edge, struct request *request);
void handle_sample_reserve(struct edge *edge, struct request *request);
void handle_sample_cancel(struct edge *edge, struct request *request);

/* ---- shared ---------------------------------------------------------------------------------- */

/* The page of a show, to be dropped; put up if it was not. NULL: there is no such show. */
struct page *page_of(struct edge *edge, struct text show_id);

/* Sets the errand's command id and fingerprint: from the Idempotency-Key, or at random where
 * none is required. false: answered. */
bool request_identify(struct edge *edge, struct request *request, bool required);

/* How long to wait for the completing event: Prefer: wait=N, else 2 s. */
int64_t request_wait_ms(const struct request *request);

/* ?wait=N in milliseconds; 0 without it. false: answered 400. */
bool request_poll(struct request *request, int64_t *wait_ms);

/* ?limit=, 50 without it. false: answered 400. */
bool request_limit(struct request *request, int64_t *limit);

/* As it may stand in a URL's query (RFC 3986 2.1). */
void query_escape(struct buffer *out, struct text text);

bool request_is_staff(const struct request *request);

/* Whether the caller may see and change that reservation; `*show_id` is set if its secret says
 * which show. */
bool request_may_see(struct edge *edge, const struct request *request, struct text reservation_id,
                     struct text *show_id);

/* The requested reservation of the errand's id, and show if it is known; NULL: none. Under the
 * lock. */
const struct reservation *request_reservation(struct edge *edge, struct request *request);

/* The reservation, and what the errand's command was answered there; NULL: not known. Under the
 * lock. */
const struct replay *request_replay(struct edge *edge, struct request *request,
                                    const struct reservation **reservation);

/* Finds what the path names, if the caller may see it. false: 404, which reveals nothing. Under
 * the lock. */
bool request_find_named(struct edge *edge, struct request *request,
                        const struct reservation **reservation);

/* The errand's reservation as it stands, whatever is known of it. Under the lock. */
void answer_present(struct edge *edge, struct request *request, int status, bool with_secret);

/* Whether If-Match names another entity tag than this one; then it is answered 412. */
bool answer_unless_matching(struct request *request, const char *etag);

/* What a service refused, in words of HTTP. */
void answer_refused(struct request *request, enum code code, const char *detail);

/* If the errand was refused, or is a replay that was: answers it. */
bool answer_if_refused(struct request *request, const struct replay *replay);

/* If the command under this key came with another body, or was refused: answers it. */
bool answer_if_settled(struct request *request, const struct replay *replay);

/* Whether the fingerprint on record is another than the request's; then it is answered 422. */
bool answer_if_reused(struct request *request, const char *fingerprint);

void answer_reason(struct request *request, enum reason reason);

/* HoldRejected, with its proof. */
void answer_rejected(struct edge *edge, struct request *request,
                     const struct reservation *reservation);

/* Headers of a 202. */
void answer_accepted(struct request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
