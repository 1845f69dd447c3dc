/* problem.h: everything that can go wrong over HTTP, as one table, and answering it (RFC 9457).
 *
 * A code of the table is the `code` of the body and the end of its `type`; its status never
 * depends on anything else. The services' reasons and refusals map into it here and nowhere
 * else. On the sample's routes the same problems are answered in its words, {"error": text}. Any
 * thread, for its own request. Source: http. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/request.h"
#include "schemas/message.h"

/* PROBLEM(code, status, title) */
#define PROBLEMS                                                                                   \
    PROBLEM(invalid, 400, "The request is not well formed")                                        \
    PROBLEM(key_weak, 400, "The Idempotency-Key is too short for a caller without an API key")     \
    PROBLEM(key_missing, 400, "An Idempotency-Key is required here")                               \
    PROBLEM(bad_signature, 400, "The signature does not hold")                                     \
    PROBLEM(unauthorized, 401, "A valid key is required")                                          \
    PROBLEM(forbidden, 403, "This key may not do that")                                            \
    PROBLEM(not_found, 404, "There is no such thing")                                              \
    PROBLEM(method_not_allowed, 405, "This method is not spoken here")                             \
    PROBLEM(not_on_sale, 409, "Not on sale yet")                                                   \
    PROBLEM(sale_paused, 409, "The sale is paused")                                                \
    PROBLEM(sale_closed, 409, "The sale is over")                                                  \
    PROBLEM(no_such_tier, 409, "The show has no such tier")                                        \
    PROBLEM(limit, 409, "More seats than one order may have")                                      \
    PROBLEM(party_required, 409, "An email or phone is required for this show")                    \
    PROBLEM(person_limit, 409, "More seats than one person may have")                              \
    PROBLEM(sold_out, 409, "Sold out")                                                             \
    PROBLEM(all_held, 409, "All seats are held; some may come back")                               \
    PROBLEM(paying, 409, "A checkout has begun")                                                   \
    PROBLEM(checked_in, 409, "A ticket was used at the door")                                      \
    PROBLEM(wrong_state, 409, "Not possible in this state")                                        \
    PROBLEM(precondition, 409, "Something changed in between, or stands against it")               \
    PROBLEM(payment_required, 409, "This has a price")                                             \
    PROBLEM(hold_expired, 410, "The seats are no longer held")                                     \
    PROBLEM(show_cancelled, 410, "The show is cancelled")                                          \
    PROBLEM(archived, 410, "The show is over and its books are closed")                            \
    PROBLEM(precondition_failed, 412, "It is not as If-Match says")                                \
    PROBLEM(too_large, 413, "The body is too large")                                               \
    PROBLEM(unsupported_media_type, 415, "The body is of a type not read here")                    \
    PROBLEM(key_reused, 422, "The Idempotency-Key was used for another request")                   \
    PROBLEM(rate_limited, 429, "Too many requests from one caller; wait a little")                 \
    PROBLEM(overloaded, 503, "Too much at once; try again")                                        \
    PROBLEM(bus_unavailable, 503, "The log does not answer; try again")                            \
    PROBLEM(catching_up, 503, "Just started; try again")

#define PROBLEM(code, status, title) PROBLEM_##code,
enum problem { PROBLEMS PROBLEM_COUNT };
#undef PROBLEM

int problem_status(enum problem problem);
const char *problem_code(enum problem problem);
const char *problem_title(enum problem problem);
bool problem_named(struct text code, enum problem *problem);

/* Answers it. 503 carries Retry-After: 1. */
void problem_answer(struct request *request, enum problem problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same in parts: open, further members by json_put_…, answer_close. */
struct buffer *problem_open(struct request *request, enum problem problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 400 invalid with errors[{pointer, detail}] of one. */
void problem_field(struct request *request, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a service's word means here. */
enum problem problem_of_reason(enum reason reason);
enum problem problem_of_code(enum code code);
/* A sentence for people. */
const char *problem_reason_text(enum reason reason);

#endif
