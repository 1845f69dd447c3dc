/* Send, poll, fold, wake; once more. */
#include "api/bus_thread.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "bus/follower.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TURN_EVENTS_MAX = 64, POLL_MAX_MS = 1000, RETRY_MS = 500 };

struct bus_thread {
    struct edge *edge;
    struct bus *bus;
    struct follower *follower;
    pthread_t thread;
    bool running;
    _Atomic bool stopping;
    struct arena arena;
    struct follower_item item;
    int64_t started_ms;
};

static const int followed[] = {TOPIC_SHOWS_EVENTS, TOPIC_RESERVATIONS_EVENTS,
                               TOPIC_CHECKOUT_EVENTS};
enum { FOLLOWED_COUNT = sizeof followed / sizeof *followed };

static void wake(struct edge *edge)
{
    bus_wake(edge->bus_thread->bus);
}

/* ---- opening --------------------------------------------------------------------------------- */

static struct bus_thread *take(struct edge *edge, struct bus *bus)
{
    struct bus_thread *thread = memory_new(sizeof *thread);
    thread->edge = edge;
    thread->bus = bus;
    thread->started_ms = clock_monotonic_ms();
    edge->bus_thread = thread;
    edge->wake = wake;
    atomic_store(&edge->following.bus, bus);
    return thread;
}

struct bus_thread *bus_thread_on(struct edge *edge, struct bus *bus, struct bus_error *error)
{
    if (installation_open(bus, false, 0, &edge->installation, error) == BUS_OK)
        return take(edge, bus);
    bus_close(bus);
    return NULL;
}

static enum bus_result open_once(struct edge *edge, struct bus_error *error)
{
    const struct options *options = edge->options;
    struct bus_options bus_options = bus_settings_options(&options->bus, "edge");
    bus_options.append_timeout_ms = ERRAND_ACKNOWLEDGED_WITHIN_MS;
    struct bus *bus;
    enum bus_result result = installation_connect(&bus, options->bus.url, &bus_options, false, 0,
                                                  &edge->installation, error);
    if (result == BUS_OK)
        take(edge, bus);
    return result;
}

enum bus_result bus_thread_open(struct edge *edge, int64_t patience_ms, bool (*give_up)(void),
                                struct bus_error *error)
{
    int64_t until_ms = clock_monotonic_ms() + patience_ms;
    enum bus_result result = BUS_UNREACHABLE;
    bool told = false;
    while (!give_up() && (result = open_once(edge, error)) == BUS_UNREACHABLE &&
           clock_monotonic_ms() < until_ms) {
        struct timespec pause = {0, RETRY_MS * 1000 * 1000};
        if (!told)
            log_line(LOG_INFO, "edge", "%s; trying again for %lld s", error->text,
                     (long long)(patience_ms / 1000));
        told = true;
        nanosleep(&pause, NULL);
    }
    return result;
}

void bus_thread_follow(struct bus_thread *thread)
{
    struct edge *edge = thread->edge;
    int count = TOPIC_COUNT * edge->installation.partition_count;
    if (edge->positions == NULL) {
        edge->positions = memory_new((size_t)count * sizeof *edge->positions);
        for (int i = 0; i < count; i++)
            edge->positions[i] = fence_start();
    }
    thread->follower =
        follower_new(thread->bus, &edge->installation, followed, FOLLOWED_COUNT, edge->positions);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* What was queued is appended without the lock: only this thread changes it once it is queued. */
static void send_queued(struct bus_thread *thread)
{
    struct edge *edge = thread->edge;
    edge_lock(edge);
    struct request *request = edge->errands.sent_first;
    edge->errands.sent_first = edge->errands.sent_last = NULL;
    for (struct request *each = request; each; each = each->errand.next_sent)
        each->errand.queued = false;
    edge_unlock(edge);
    for (struct request *next; request; request = next) {
        struct errand *errand = &request->errand;
        next = errand->next_sent;
        uint64_t tag = errand_tag(request);
        if (bus_append(thread->bus, errand->topic, errand->partition, &errand->envelope.record,
                       tag) == BUS_OK)
            continue;
        edge_lock(edge);
        errands_appended(edge, tag, false);
        edge_unlock(edge);
    }
}

/* ---- hearing --------------------------------------------------------------------------------- */

static void set_down(struct bus_thread *thread, bool down, const char *reason)
{
    edge_lock(thread->edge);
    thread->edge->down = down;
    edge_unlock(thread->edge);
    if (down)
        log_line(LOG_WARNING, "edge", "the log is out of reach: %s; writes are answered 503",
                 reason ? reason : "no reason given");
    else
        log_line(LOG_INFO, "edge", "the log is back");
}

static void fold(struct edge *edge, const struct follower_item *item)
{
    const struct message *event = &item->message;
    const struct show *show = view_show(&edge->view, event->show_id);
    uint64_t change_count = show ? show->change_count : 0;
    view_apply(&edge->view, event, &item->place);
    if (show && show->change_count != change_count)
        playbill_take_down(&edge->playbill, event->show_id);
    if (event->type == MESSAGE_Refused)
        errands_refused(edge, event);
    if (message_has(event, reservation_id))
        errands_said(edge, event->reservation_id);
    else if (event->cause_id.size)
        errands_said(edge, event->cause_id);
}

static void stop_believing(struct edge *edge, const struct follower_item *item)
{
    log_line(LOG_ERROR, "edge",
             "%s/%d is not the log it was at offset %lld: %s; nothing is answered from it. If it "
             "was replaced on "
             "purpose, remove register.db and start again",
             topic_name(item->place.topic), item->place.partition, (long long)item->place.offset,
             item->why ? item->why : "no reason given");
    playbill_take_all_down(&edge->playbill);
    edge->lost = "the log is not the one that was read before";
}

static void tell(const struct follower_item *item, const char *what, enum log_level level)
{
    log_line(level, "edge", "%s/%d at offset %lld: %s: %s", topic_name(item->place.topic),
             item->place.partition, (long long)item->place.offset, what,
             item->why ? item->why : "no reason given");
}

static void hear_record(struct bus_thread *thread, const struct bus_event *event)
{
    struct edge *edge = thread->edge;
    struct follower_item *item = &thread->item;
    enum follower_news news = follower_read(thread->follower, event, &thread->arena, item);
    following_hear(&edge->following, event, news);
    if (news == FOLLOWER_STRANGE)
        tell(item, "accepted, but not understood; is this build too old?", LOG_WARNING);
    if (news == FOLLOWER_VOID)
        tell(item, "void", LOG_DEBUG);
    edge_lock(edge);
    if (news == FOLLOWER_MESSAGE)
        fold(edge, item);
    if (news == FOLLOWER_LOST)
        stop_believing(edge, item);
    if (event->type == BUS_RECORD) {
        edge->positions[event->topic * edge->installation.partition_count + event->partition] =
            *follower_position(thread->follower, event->topic, event->partition);
        errands_read(edge, event->topic, event->partition);
    }
    struct request *done = edge_take_done(edge);
    edge_unlock(edge);
    edge_resume(edge, done);
    arena_reset(&thread->arena);
}

static void hear_appended(struct bus_thread *thread, const struct bus_event *event)
{
    struct edge *edge = thread->edge;
    if (event->type == BUS_FAILED)
        log_line(LOG_WARNING, "edge", "a command to %s/%d was not taken: %s",
                 topic_name(event->topic), event->partition,
                 event->reason ? event->reason : "no reason given");
    edge_lock(edge);
    errands_appended(edge, event->tag, event->type == BUS_APPENDED);
    struct request *done = edge_take_done(edge);
    edge_unlock(edge);
    edge_resume(edge, done);
}

static void hear(struct bus_thread *thread, const struct bus_event *event)
{
    switch (event->type) {
    case BUS_RECORD:
    case BUS_LOST:
    case BUS_CAUGHT_UP:
        hear_record(thread, event);
        return;
    case BUS_APPENDED:
    case BUS_FAILED:
        hear_appended(thread, event);
        return;
    case BUS_DOWN:
        following_hear(&thread->edge->following, event, FOLLOWER_NOTHING);
        set_down(thread, true, event->reason);
        return;
    case BUS_UP:
        following_hear(&thread->edge->following, event, FOLLOWER_NOTHING);
        set_down(thread, false, NULL);
        return;
    case BUS_ASSIGNED:
    case BUS_REVOKED:
    case BUS_SETTLED:
        return;
    }
}

static void note_caught_up(struct bus_thread *thread)
{
    struct edge *edge = thread->edge;
    if (edge->caught_up || !follower_caught_up(thread->follower))
        return;
    edge_lock(edge);
    edge->caught_up = true;
    int shows = edge->view.show_count;
    size_t reservations = edge->view.reservations.count;
    edge_unlock(edge);
    log_line(LOG_INFO, "edge", "caught up after %lld ms: %d shows, %zu open reservations",
             (long long)(clock_monotonic_ms() - thread->started_ms), shows, reservations);
}

void bus_thread_turn(struct bus_thread *thread, int64_t timeout_ms)
{
    struct edge *edge = thread->edge;
    struct bus_event event;
    following_look(&edge->following, thread->follower, clock_monotonic_ms(), clock_wall_ms());
    send_queued(thread);
    edge_lock(edge);
    errands_due(edge, clock_monotonic_ms());
    timeout_ms = errands_timeout(edge, clock_monotonic_ms(), timeout_ms);
    if (edge->errands.sent_first)
        timeout_ms = 0;
    struct request *done = edge_take_done(edge);
    edge_unlock(edge);
    edge_resume(edge, done);
    if (!bus_poll(thread->bus, (int)timeout_ms, &event))
        return;
    hear(thread, &event);
    for (int i = 1; i < TURN_EVENTS_MAX && bus_poll(thread->bus, 0, &event); i++)
        hear(thread, &event);
    note_caught_up(thread);
}

static void *run(void *argument)
{
    struct bus_thread *thread = argument;
    while (!atomic_load(&thread->stopping))
        bus_thread_turn(thread, POLL_MAX_MS);
    return NULL;
}

void bus_thread_start(struct bus_thread *thread)
{
    thread->running = pthread_create(&thread->thread, NULL, run, thread) == 0;
    if (!thread->running)
        log_line(LOG_ERROR, "edge", "cannot start a thread");
}

void bus_thread_stop(struct bus_thread *thread)
{
    atomic_store(&thread->stopping, true);
    bus_wake(thread->bus);
    if (thread->running)
        pthread_join(thread->thread, NULL);
    thread->running = false;
}

void bus_thread_close(struct bus_thread *thread)
{
    if (thread == NULL)
        return;
    atomic_store(&thread->edge->following.bus, NULL);
    follower_free(thread->follower);
    bus_close(thread->bus);
    arena_release(&thread->arena);
    memory_free(thread);
}
