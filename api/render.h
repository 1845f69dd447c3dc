/* render.h: how shows and reservations look to the outside: JSON of the resources in http. Under
 * the edge's lock. */
#ifndef API_RENDER_H
#define API_RENDER_H

#include "keys/keys.h"
#include "api/playbill.h"
#include "api/request.h"
#include "api/view.h"

/* The show as an object, `name` NULL: on its own or in a list. `now_ms`: wall clock, for its
 * status. */
void render_show(struct buffer *out, const char *name, const struct show *show, int64_t now_ms);

/* The reservation, for those who may see it. `keys` NULL: its tickets without their codes; `secret`
 * NULL: without it. */
void render_reservation(struct buffer *out, const struct keys *keys,
                        const struct reservation *reservation, const char *secret);

/* {amount_minor, currency} */
void render_money(struct buffer *out, const char *name, int64_t amount_minor, const char *currency);

/* "tickets", if there are any yet. */
void render_tickets(struct buffer *out, const struct keys *keys,
                    const struct reservation *reservation);

/* One word for what became of it. */
const char *render_payment_status(const struct attempt *attempt);
const char *render_refund_status(const struct repayment *repayment);

/* Entity tags: pure functions of log positions, and of the show's status by now. */
enum { TAG_SIZE = 96 };
const char *render_show_tag(const struct show *show, int64_t now_ms, char out[TAG_SIZE]);
const char *render_reservation_tag(const struct reservation *reservation, char out[TAG_SIZE]);

/* The show as the public reads it; the caller holds it. */
struct page *render_page(const struct show *show, int64_t now_ms);

/* The page with ETag and X-Log-Position; 304 if If-None-Match names it and `status` is 200. */
void answer_page(struct request *request, int status, const struct page *page);

/* The same with a show as it is now. */
void answer_show(struct request *request, int status, const struct show *show);

/* The same with a reservation. */
void answer_reservation(struct request *request, const struct keys *keys, int status,
                        const struct reservation *reservation, const char *secret);

/* "requested": what is known of a reservation no view has yet. */
void answer_requested(struct request *request, int status, struct text reservation_id,
                      struct text show_id, const char *secret);

#endif
