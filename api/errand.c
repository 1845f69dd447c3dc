/* Waiting without a thread: lists by name, one heap of deadlines, one queue of commands. */
#include "api/errand.h"

#include "api/edge.h"
#include "api/problem.h"
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { TAG_SEND_MASK = 7 }; /* requests are aligned to more than that */

void errand_release(struct errand *errand)
{
    envelope_release(&errand->envelope);
    buffer_release(&errand->result);
}

/* ---- who waits for which name ---------------------------------------------------------------- */

static void wait_list(struct errands *errands, struct wait *wait, struct request *request,
                      struct text key)
{
    struct wait *first = map_find(&errands->waiting, key);
    *wait = (struct wait){.request = request, .listed = true};
    view_set(wait->name, sizeof wait->name, key);
    if (first == NULL) {
        map_insert_take(&errands->waiting, text_of(wait->name), wait);
        return;
    }
    wait->next = first->next;
    first->next = wait;
}

static void wait_unlist(struct errands *errands, struct wait *wait)
{
    if (!wait->listed)
        return;
    wait->listed = false;
    struct wait *first = map_find(&errands->waiting, text_of(wait->name));
    if (first != wait) {
        while (first->next != wait)
            first = first->next;
        first->next = wait->next;
        return;
    }
    map_remove(&errands->waiting, text_of(wait->name));
    if (wait->next)
        map_insert_take(&errands->waiting, text_of(wait->next->name), wait->next);
}

static void list_names(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    struct text reservation_id = text_of(errand->reservation_id),
                command_id = text_of(errand->command_id);
    for (int i = 0; i < 2; i++)
        wait_unlist(&edge->errands, &errand->waits[i]);
    if (reservation_id.size)
        wait_list(&edge->errands, &errand->waits[0], request, reservation_id);
    if (command_id.size && !text_equal(reservation_id, command_id))
        wait_list(&edge->errands, &errand->waits[1], request, command_id);
}

/* ---- sending --------------------------------------------------------------------------------- */

static const int command_topics[] = {
    [SPEAKER_shows] = TOPIC_SHOWS_COMMANDS,
    [SPEAKER_reservations] = TOPIC_RESERVATIONS_COMMANDS,
    [SPEAKER_checkout] = TOPIC_CHECKOUT_COMMANDS,
};

void errand_prepare(struct edge *edge, struct request *request, struct message *command)
{
    struct errand *errand = &request->errand;
    enum speaker speaker = message_speaker(command->type);
    command->id = text_of(errand->command_id);
    command->actor = text_of(request->caller.name);
    command->traceparent = request->headers.traceparent;
    if (errand->fingerprint[0])
        message_set(command, fingerprint, text_of(errand->fingerprint));
    envelope_open(&errand->envelope, command, speaker);
    if (request->headers.request_id.data)
        envelope_header(&errand->envelope, "request_id", request->headers.request_id);
    envelope_close(&errand->envelope);
    errand->topic = command_topics[speaker];
    errand->partition = topic_partition_of(command->show_id, edge->installation.partition_count);
}

static void name_partition(int topic, int partition, char out[UUID_SIZE])
{
    snprintf(out, UUID_SIZE, "%s/%d", topic_name(topic), partition);
}

void errand_await_partition(struct errand *errand, int topic, int partition)
{
    name_partition(topic, partition, errand->reservation_id);
}

static const char any_news[] = "log";

void errand_await_log(struct errand *errand)
{
    view_set(errand->reservation_id, sizeof errand->reservation_id, text_of(any_news));
}

void errands_read(struct edge *edge, int topic, int partition)
{
    char name[UUID_SIZE];
    if (edge->errands.waiting.count == 0)
        return;
    edge->errands.unsaid = true;
    name_partition(topic, partition, name);
    errands_said(edge, text_of(name));
}

static void set_deadline(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    int64_t at_ms = errand->acknowledged ? errand->wait_until_ms : errand->acknowledge_by_ms;
    heap_set_take(&edge->errands.deadlines, &errand->deadline, at_ms, ++edge->errands.seq);
}

void errand_wait_until(struct edge *edge, struct request *request, int64_t at_ms)
{
    request->errand.wait_until_ms = at_ms;
    set_deadline(edge, request);
    edge->wake(edge);
}

static void queue(struct edge *edge, struct request *request)
{
    struct errands *errands = &edge->errands;
    struct errand *errand = &request->errand;
    errand->acknowledged = false;
    errand->acknowledge_by_ms = clock_monotonic_ms() + ERRAND_ACKNOWLEDGED_WITHIN_MS;
    errand->send_count++;
    atomic_fetch_add(&edge->measures.commands, 1);
    if (errand->queued)
        return; /* what it replaces was already seen to have happened */
    errand->queued = true;
    errand->next_sent = NULL;
    request->holders++;
    if (errands->sent_last)
        errands->sent_last->errand.next_sent = request;
    else
        errands->sent_first = request;
    errands->sent_last = request;
}

uint64_t errand_tag(const struct request *request)
{
    assert(((uintptr_t)request & TAG_SEND_MASK) == 0);
    return (uint64_t)(uintptr_t)request | ((uint64_t)request->errand.send_count & TAG_SEND_MASK);
}

void errand_send(struct edge *edge, struct request *request, struct message *command)
{
    errand_prepare(edge, request, command);
    request->errand.refused = false;
    if (request->errand.phase != ERRAND_WAITING)
        return; /* begin will send it */
    list_names(edge, request);
    queue(edge, request);
    set_deadline(edge, request);
    edge->wake(edge);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Whether there is room for one more; if not, it is answered. */
static bool admit(struct edge *edge, struct request *request, bool sends)
{
    const struct show *show = request->errand.show;
    if (edge->draining)
        problem_answer(request, PROBLEM_overloaded, "this server is about to stop; try again");
    else if (sends && edge->down)
        problem_answer(request, PROBLEM_bus_unavailable,
                       "nothing was sent; the log cannot be reached");
    else if (edge->errands.in_flight >= edge->options->in_flight_max ||
             (!sends &&
              edge->errands.reading >= edge->options->in_flight_max / ERRAND_READERS_SHARE))
        problem_answer(request, PROBLEM_overloaded,
                       "nothing was sent; too many requests are waiting");
    else if (show && show->in_flight >= ERRAND_IN_FLIGHT_PER_SHOW_MAX)
        problem_answer(request, PROBLEM_overloaded,
                       "nothing was sent; too many requests for this show");
    else
        return true;
    return false;
}

bool errand_is_answered(struct edge *edge, struct request *request, const struct errand_kind *kind)
{
    if (!kind->look(edge, request))
        return false;
    if (request->errand.command_id[0] && !request->sample)
        answer_header(request, "Idempotent-Replayed", "true");
    return true;
}

void errand_begin(struct edge *edge, struct request *request, const struct errand_kind *kind,
                  int64_t wait_ms)
{
    struct errand *errand = &request->errand;
    errand->begun_us = clock_monotonic_us();
    int64_t now_ms = errand->begun_us / 1000;
    errand->kind = kind;
    errand->wait_until_ms = now_ms + wait_ms;
    if (errand_is_answered(edge, request, kind))
        return;
    bool sends = errand->envelope.header_count > 0;
    if (!admit(edge, request, sends))
        return;
    errand->phase = ERRAND_WAITING;
    edge->errands.in_flight++;
    errand->reads = !sends;
    edge->errands.reading += errand->reads;
    if (errand->show)
        errand->show->in_flight++;
    request->suspend(request);
    list_names(edge, request);
    bool quiet = edge->errands.sent_first != NULL;
    errand->acknowledged = true;
    if (sends)
        queue(edge, request);
    set_deadline(edge, request);
    if ((sends && !quiet) || heap_first(&edge->errands.deadlines) == &errand->deadline)
        edge->wake(edge);
}

void errand_finish(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    assert(errand->phase == ERRAND_WAITING && request->answer.status);
    errand->phase = ERRAND_ANSWERED;
    for (int i = 0; i < 2; i++)
        wait_unlist(&edge->errands, &errand->waits[i]);
    heap_remove(&edge->errands.deadlines, &errand->deadline);
    edge->errands.in_flight--;
    edge->errands.reading -= errand->reads;
    if (errand->show)
        errand->show->in_flight--;
    request->next = edge->errands.done;
    edge->errands.done = request;
}

/* ---- what the bus thread reports ------------------------------------------------------------- */

static void look_again(struct edge *edge, struct request *request)
{
    if (!request->errand.kind->look(edge, request))
        return;
    if (!request->errand.reads)
        histogram_note(&edge->measures.answering, clock_monotonic_us() - request->errand.begun_us);
    errand_finish(edge, request);
}

void errands_said(struct edge *edge, struct text key)
{
    struct wait *wait = map_find(&edge->errands.waiting, key);
    for (struct wait *next; wait; wait = next) {
        next = wait->next;
        look_again(edge, wait->request);
    }
}

static bool is_meant(const struct errand *errand, const struct message *refused)
{
    return text_is(refused->cause_id, errand->command_id) &&
           (!message_has(refused, fingerprint) || !errand->fingerprint[0] ||
            text_is(refused->fingerprint, errand->fingerprint));
}

void errands_refused(struct edge *edge, const struct message *refused)
{
    struct wait *wait = map_find(&edge->errands.waiting, refused->cause_id);
    for (struct wait *next; wait; wait = next) {
        struct errand *errand = &wait->request->errand;
        next = wait->next;
        if (is_meant(errand, refused)) {
            errand->refused = true;
            errand->refused_code = refused->code;
            view_set(errand->refused_detail, sizeof errand->refused_detail, refused->detail);
        }
        look_again(edge, wait->request);
    }
}

static void fail(struct edge *edge, struct request *request)
{
    answer_clear(request);
    atomic_fetch_add(&edge->measures.unacknowledged, 1);
    problem_answer(
        request, PROBLEM_bus_unavailable,
        "the log did not acknowledge it; it may still happen: try again with the same key");
    errand_finish(edge, request);
}

static void be_late(struct edge *edge, struct request *request)
{
    request->errand.kind->late(edge, request);
    errand_finish(edge, request);
}

void errands_appended(struct edge *edge, uint64_t tag, bool landed)
{
    struct request *request = (struct request *)(uintptr_t)(tag & ~(uint64_t)TAG_SEND_MASK);
    struct errand *errand = &request->errand;
    bool last = ((uint64_t)errand->send_count & TAG_SEND_MASK) == (tag & TAG_SEND_MASK);
    if (errand->phase == ERRAND_WAITING && last && !landed) {
        fail(edge, request);
    } else if (errand->phase == ERRAND_WAITING && last) {
        errand->acknowledged = true;
        if (clock_monotonic_ms() >= errand->wait_until_ms)
            be_late(edge, request);
        else
            set_deadline(edge, request);
    }
    errand_let_go(edge, request);
}

void errand_let_go(struct edge *edge, struct request *request)
{
    if (--request->holders > 0)
        return;
    request->next = edge->errands.done; /* its connection is gone: the shell frees it */
    edge->errands.done = request;
}

void errand_tell(struct edge *edge, struct request *request, struct buffer *result)
{
    struct errand *errand = &request->errand;
    if (errand->phase == ERRAND_WAITING) {
        buffer_release(&errand->result);
        errand->result = *result;
        errand->answered = true;
        *result = (struct buffer){0};
        look_again(edge, request);
    }
    errand_let_go(edge, request);
}

void errands_due(struct edge *edge, int64_t now_ms)
{
    struct errands *errands = &edge->errands;
    struct heap_node *node;
    if (errands->unsaid && now_ms - errands->said_ms >= ERRAND_NEWS_EVERY_MS) {
        errands->unsaid = false;
        errands->said_ms = now_ms;
        errands_said(edge, text_of(any_news));
    }
    while ((node = heap_first(&errands->deadlines)) && node->at_ms <= now_ms) {
        struct errand *errand = memory_owner(node, struct errand, deadline);
        struct request *request = memory_owner(errand, struct request, errand);
        if (errand->acknowledged)
            be_late(edge, request);
        else
            fail(edge, request);
    }
}

int64_t errands_timeout(const struct edge *edge, int64_t now_ms, int64_t max)
{
    const struct errands *errands = &edge->errands;
    const struct heap_node *node = heap_first(&errands->deadlines);
    int64_t at_ms = node && node->at_ms - now_ms < max ? node->at_ms : now_ms + max;
    if (errands->unsaid && errands->said_ms + ERRAND_NEWS_EVERY_MS < at_ms)
        at_ms = errands->said_ms + ERRAND_NEWS_EVERY_MS;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

void errands_dismiss(struct edge *edge)
{
    edge->errands.unsaid = false;
    errands_due(edge, INT64_MAX);
}
