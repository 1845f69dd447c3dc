/* What several routes need. */
#include "api/handlers.h"

#include "schemas/json.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 200 };
enum { KEY_SIZE_PUBLIC_MIN = 22 }; /* 128 bits in base64: nobody guesses another caller's ids */

bool request_identify(struct edge *edge, struct request *request, bool required)
{
    struct errand *errand = &request->errand;
    struct text key = request->headers.idempotency_key;
    envelope_fingerprint(buffer_view(&request->body), errand->fingerprint);
    if (key.size == 0 && !required) {
        uuid_random(errand->command_id);
        return true;
    }
    if (key.size == 0)
        problem_answer(request, PROBLEM_key_missing,
                       "send an Idempotency-Key of your own, new for each purchase and the same "
                       "for each retry");
    else if (key.size > REQUEST_KEY_MAX)
        problem_answer(request, PROBLEM_invalid, "the Idempotency-Key has more than %d bytes",
                       REQUEST_KEY_MAX);
    else if (!request->caller.has_api_key && key.size < KEY_SIZE_PUBLIC_MIN)
        problem_answer(request, PROBLEM_key_weak,
                       "use at least %d characters chosen at random, a UUID for example",
                       KEY_SIZE_PUBLIC_MIN);
    else
        ids_derive(edge_keys(edge), request->caller.name, verb_name(request->verb), request->path,
                   key, errand->command_id);
    return request->answer.status == 0;
}

/* More than may be waited is as much as may be. */
static bool read_seconds(struct text text, int64_t *ms)
{
    int64_t count;
    if (!text_to_i64(text, &count))
        return false;
    *ms = count < ERRAND_WAIT_MAX_MS / 1000 ? count * 1000 : ERRAND_WAIT_MAX_MS;
    return true;
}

/* What of a preference is not understood is as if it were not there (RFC 7240 2). */
int64_t request_wait_ms(const struct request *request)
{
    struct text rest = request->headers.prefer;
    int64_t wait_ms = ERRAND_WAIT_DEFAULT_MS;
    while (rest.size) {
        struct text part = text_trim(text_cut(&rest, ','));
        if (text_starts(part, "wait=")) {
            read_seconds(text_from(part.data + 5, part.size - 5), &wait_ms);
            break;
        }
    }
    return wait_ms;
}

bool request_poll(struct request *request, int64_t *wait_ms)
{
    struct text wait = request->queries[QUERY_WAIT];
    *wait_ms = 0;
    if (wait.data == NULL || read_seconds(wait, wait_ms))
        return true;
    problem_answer(request, PROBLEM_invalid, "wait must be a number of seconds");
    return false;
}

bool request_limit(struct request *request, int64_t *limit)
{
    struct text asked = request->queries[QUERY_LIMIT];
    *limit = LIMIT_DEFAULT;
    if (asked.size == 0 || (text_to_i64(asked, limit) && *limit >= 1 && *limit <= LIMIT_MAX))
        return true;
    problem_answer(request, PROBLEM_invalid, "limit must be 1 to %d", LIMIT_MAX);
    return false;
}

void query_escape(struct buffer *out, struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (isalnum(c) || (c && strchr("-._~", c)))
            buffer_byte(out, (char)c);
        else
            buffer_print(out, "%%%02X", c);
    }
}

bool request_is_staff(const struct request *request)
{
    return request->caller.role >= CALLER_BOXOFFICE;
}

bool request_may_see(struct edge *edge, const struct request *request, struct text reservation_id,
                     struct text *show_id)
{
    *show_id = (struct text){NULL, 0};
    if (!uuid_valid(reservation_id))
        return false;
    return request_is_staff(request) ||
           ids_secret_valid(edge_keys(edge), request->caller.secret, reservation_id, show_id);
}

const struct reservation *request_reservation(struct edge *edge, struct request *request)
{
    struct text id = text_of(request->errand.reservation_id),
                show_id = text_of(request->errand.show_id);
    if (show_id.size == 0)
        return view_reservation(&edge->view, id);
    const struct reservation *found = view_reservation_of(&edge->view, show_id, id);
    return found && view_is_requested(found) ? found : NULL;
}

const struct replay *request_replay(struct edge *edge, struct request *request,
                                    const struct reservation **reservation)
{
    *reservation = request_reservation(edge, request);
    return *reservation ? view_replay(&(*reservation)->replays, text_of(request->errand.command_id))
                        : NULL;
}

bool request_find_named(struct edge *edge, struct request *request,
                        const struct reservation **reservation)
{
    struct errand *errand = &request->errand;
    struct text show_id;
    if (request_may_see(edge, request, request->parts[0], &show_id)) {
        view_set(errand->reservation_id, sizeof errand->reservation_id, request->parts[0]);
        view_set(errand->show_id, sizeof errand->show_id, show_id);
        *reservation = request_reservation(edge, request);
        if (*reservation)
            show_id = text_of((*reservation)->show_id);
        view_set(errand->show_id, sizeof errand->show_id, show_id);
        if (show_id.size)
            return true;
    }
    problem_answer(request, PROBLEM_not_found,
                   "there is no such reservation, or this key may not see it");
    return false;
}

bool answer_unless_matching(struct request *request, const char *etag)
{
    if (request_matches(request->headers.if_match, text_of(etag)))
        return false;
    problem_answer(request, PROBLEM_precondition_failed, "its entity tag is %s by now", etag);
    return true;
}

void answer_refused(struct request *request, enum code code, const char *detail)
{
    bool unlike = code == code_precondition && request->headers.if_match.data;
    problem_answer(request, unlike ? PROBLEM_precondition_failed : problem_of_code(code), "%s",
                   detail);
}

bool answer_if_refused(struct request *request, const struct replay *replay)
{
    struct errand *errand = &request->errand;
    if (errand->refused)
        answer_refused(request, errand->refused_code, errand->refused_detail);
    else if (replay && replay->answer == MESSAGE_Refused)
        answer_refused(request, replay->code, replay->detail);
    else
        return false;
    return true;
}

bool answer_if_reused(struct request *request, const char *fingerprint)
{
    if (fingerprint[0] == '\0' || strcmp(fingerprint, request->errand.fingerprint) == 0)
        return false;
    problem_answer(request, PROBLEM_key_reused,
                   "this Idempotency-Key came with another body before");
    return true;
}

bool answer_if_settled(struct request *request, const struct replay *replay)
{
    return (replay && answer_if_reused(request, replay->fingerprint)) ||
           answer_if_refused(request, replay);
}

void answer_reason(struct request *request, enum reason reason)
{
    problem_answer(request, problem_of_reason(reason), "%s", problem_reason_text(reason));
}

static void put_known(struct buffer *out, const char *name, int64_t value)
{
    if (value >= 0)
        json_put_i64(out, name, value);
}

void answer_rejected(struct edge *edge, struct request *request,
                     const struct reservation *reservation)
{
    const struct refusal *refusal = &reservation->refusal;
    enum problem problem = problem_of_reason(refusal->reason);
    struct buffer *out = problem_open(request, problem, "%s", problem_reason_text(refusal->reason));
    if (problem != PROBLEM_not_found && !request->sample) {
        int partition =
            topic_partition_of(text_of(reservation->show_id), edge->installation.partition_count);
        put_known(out, "available", refusal->available);
        put_known(out, "retry_after_s", refusal->retry_after_s);
        put_known(out, "seq", refusal->seq);
        put_known(out, "sold", refusal->sold);
        put_known(out, "held", refusal->held);
        json_put_text(out, "position",
                      arena_print(&request->arena, "%s/%d@%lld", topic_name(TOPIC_SHOWS_EVENTS),
                                  partition, (long long)refusal->offset));
        json_put_text(out, "reservation_id", text_of(reservation->reservation_id));
    }
    answer_close(request);
    if (refusal->retry_after_s >= 0)
        answer_header(request, "Retry-After", "%lld", (long long)refusal->retry_after_s);
}

void answer_accepted(struct request *request, const char *format, ...)
{
    struct buffer location = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&location, format, arguments);
    va_end(arguments);
    answer_header(request, "Location", "%s", location.data);
    answer_header(request, "Retry-After", "1");
    buffer_release(&location);
}
