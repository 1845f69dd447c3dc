/* Look, decide, write, send; once more. */
#include "paydesk/paydesk.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "bus/following.h"
#include "bus/telling.h"
#include "paydesk/post.h"
#include "paydesk/teller.h"

#include <stdio.h>

enum {
    TURN_EVENTS_MAX = 256,
    UNDER_WAY_MS = 5, /* a look at libcurl this often: the bus has no descriptor to wait on */
    CATCHING_UP_MS = 20,
    STILL_MAX_MS = 30 * 1000
};

struct paydesk {
    const struct settings *settings;
    struct installation installation;
    struct bus *bus;
    struct follower *follower;
    struct ledger *ledger;
    struct teller teller;
    struct post *post;
    struct arena arena;
    struct follower_item item;
    struct following following;
    _Atomic int64_t owed; /* as of the last look */
    int64_t counted_ms;   /* monotonic: when that was */
    bool *moved;          /* by partition: read since the last commit */
    bool *held;           /* by partition: not followed any more; its position stays */
};

/* ---- opening --------------------------------------------------------------------------------- */

static bool take_over(struct paydesk *paydesk, char *error)
{
    const struct settings *settings = paydesk->settings;
    int refused_count;
    if (!ledger_claim(paydesk->ledger, &paydesk->installation, settings->provider, clock_wall_ms(),
                      &refused_count, error))
        return false;
    if (refused_count)
        log_line(LOG_WARNING, settings->provider, "%d answers that were refused are sent once more",
                 refused_count);
    if (ledger_put_script(paydesk->ledger, text_of(settings->script_text)))
        log_line(LOG_INFO, settings->provider, "another script than before; it starts at its top");
    return ledger_commit(paydesk->ledger, error);
}

static void follow(struct paydesk *paydesk)
{
    static const int topics[] = {TOPIC_CHECKOUT_EVENTS};
    int partitions = paydesk->installation.partition_count;
    struct fence *positions = memory_new((size_t)(TOPIC_COUNT * partitions) * sizeof *positions);
    for (int i = 0; i < partitions; i++)
        positions[TOPIC_CHECKOUT_EVENTS * partitions + i] = ledger_position(paydesk->ledger, i);
    paydesk->moved = memory_new((size_t)partitions * sizeof *paydesk->moved);
    paydesk->held = memory_new((size_t)partitions * sizeof *paydesk->held);
    paydesk->follower = follower_new(paydesk->bus, &paydesk->installation, topics, 1, positions);
    memory_free(positions);
}

struct paydesk *paydesk_open(struct bus *bus, const struct installation *installation,
                             const struct settings *settings, char *error)
{
    struct buffer path = {0};
    struct paydesk *paydesk = memory_new(sizeof *paydesk);
    paydesk->settings = settings;
    paydesk->installation = *installation;
    buffer_print(&path, "%s/payments-%s.db", settings->data, settings->provider);
    paydesk->ledger = ledger_open(path.data, error);
    buffer_release(&path);
    if (paydesk->ledger == NULL || !take_over(paydesk, error)) {
        paydesk_close(paydesk);
        return NULL;
    }
    paydesk->bus = bus;
    atomic_store(&paydesk->following.bus, bus);
    paydesk->teller = (struct teller){.ledger = paydesk->ledger,
                                      .script = &settings->script,
                                      .provider = settings->provider,
                                      .delay_ms = settings->delay_ms};
    paydesk->post = post_new(paydesk->ledger, settings->edge, settings->provider, &settings->key);
    follow(paydesk);
    return paydesk;
}

void paydesk_close(struct paydesk *paydesk)
{
    post_free(paydesk->post);
    follower_free(paydesk->follower);
    ledger_close(paydesk->ledger);
    bus_close(paydesk->bus);
    arena_release(&paydesk->arena);
    memory_free(paydesk->moved);
    memory_free(paydesk->held);
    memory_free(paydesk);
}

/* ---- looking --------------------------------------------------------------------------------- */

/* No more is read there, and its position stays where it was written last. */
static void hold(struct paydesk *paydesk, const char *what)
{
    const struct follower_item *item = &paydesk->item;
    log_line(LOG_ERROR, paydesk->settings->provider,
             "%s/%d at offset %lld: %s: %s; nothing more is read there",
             topic_name(item->place.topic), item->place.partition, (long long)item->place.offset,
             what, item->why ? item->why : "no reason given");
    follower_leave(paydesk->follower, item->place.topic, item->place.partition);
    paydesk->held[item->place.partition] = true;
}

/* What cannot be understood may be a request for money: the partition waits for a newer build,
 * which takes it up at this very record. */
static void hold_before(struct paydesk *paydesk)
{
    const struct place *place = &paydesk->item.place;
    struct fence fence = *follower_position(paydesk->follower, place->topic, place->partition);
    fence.next = place->offset;
    fence.n--; /* it was accepted, so it was this one */
    ledger_put_position(paydesk->ledger, place->partition, &fence);
    hold(paydesk, "accepted, but not understood; is this build too old?");
}

static void hear_record(struct paydesk *paydesk, const struct bus_event *event)
{
    struct follower_item *item = &paydesk->item;
    if (event->topic != TOPIC_CHECKOUT_EVENTS || paydesk->held[event->partition])
        return;
    enum follower_news news = follower_read(paydesk->follower, event, &paydesk->arena, item);
    following_hear(&paydesk->following, event, news);
    switch (news) {
    case FOLLOWER_MESSAGE:
        teller_hear(&paydesk->teller, &item->message, item->record->append_ms);
        break;
    case FOLLOWER_STRANGE:
        hold_before(paydesk);
        break;
    case FOLLOWER_LOST:
        hold(paydesk, "this is not the log it was");
        break;
    case FOLLOWER_NOTHING:
    case FOLLOWER_CLAIM:
    case FOLLOWER_PROGRESS:
    case FOLLOWER_VOID:
        break;
    }
    if (event->type != BUS_CAUGHT_UP)
        paydesk->moved[event->partition] = !paydesk->held[event->partition];
    arena_reset(&paydesk->arena);
}

static void hear(struct paydesk *paydesk, const struct bus_event *event)
{
    switch (event->type) {
    case BUS_RECORD:
    case BUS_LOST:
    case BUS_CAUGHT_UP:
        hear_record(paydesk, event);
        return;
    case BUS_DOWN:
        following_hear(&paydesk->following, event, FOLLOWER_NOTHING);
        log_line(LOG_WARNING, paydesk->settings->provider, "the log is out of reach: %s",
                 event->reason ? event->reason : "no reason given");
        return;
    case BUS_UP:
        following_hear(&paydesk->following, event, FOLLOWER_NOTHING);
        log_line(LOG_INFO, paydesk->settings->provider, "the log is back");
        return;
    case BUS_APPENDED:
    case BUS_FAILED:
    case BUS_ASSIGNED:
    case BUS_REVOKED:
    case BUS_SETTLED:
        return;
    }
}

static void note_caught_up(struct paydesk *paydesk)
{
    if (paydesk->teller.caught_up || !follower_caught_up(paydesk->follower))
        return;
    paydesk->teller.caught_up = true;
    log_line(LOG_INFO, paydesk->settings->provider,
             "ready, provider '%s' of %s; %lld answers are owed", paydesk->settings->provider,
             paydesk->settings->edge, (long long)ledger_owed_count(paydesk->ledger));
}

static void look(struct paydesk *paydesk)
{
    int64_t now_ms = clock_monotonic_ms();
    following_look(&paydesk->following, paydesk->follower, now_ms, clock_wall_ms());
    if (now_ms < paydesk->counted_ms + FOLLOWING_EVERY_MS)
        return;
    paydesk->counted_ms = now_ms;
    atomic_store(&paydesk->owed, ledger_owed_count(paydesk->ledger));
}

/* ---- a turn ---------------------------------------------------------------------------------- */

/* Positions and decisions in one transaction. */
static bool write_down(struct paydesk *paydesk, char *error)
{
    for (int i = 0; i < paydesk->installation.partition_count; i++) {
        if (paydesk->moved[i])
            ledger_put_position(paydesk->ledger, i,
                                follower_position(paydesk->follower, TOPIC_CHECKOUT_EVENTS, i));
        paydesk->moved[i] = false;
    }
    return ledger_commit(paydesk->ledger, error);
}

static int wait_ms(struct paydesk *paydesk, int timeout_ms)
{
    int64_t next_ms = ledger_next_owed_ms(paydesk->ledger), now_ms = clock_wall_ms();
    if (post_under_way(paydesk->post))
        return timeout_ms < UNDER_WAY_MS ? timeout_ms : UNDER_WAY_MS;
    if (paydesk->teller.caught_up && ledger_next_planned_ms(paydesk->ledger) < next_ms)
        next_ms = ledger_next_planned_ms(paydesk->ledger);
    if (!paydesk->teller.caught_up && timeout_ms > CATCHING_UP_MS)
        timeout_ms = CATCHING_UP_MS;
    if (next_ms <= now_ms)
        return 0;
    return next_ms - now_ms < timeout_ms ? (int)(next_ms - now_ms) : timeout_ms;
}

bool paydesk_turn(struct paydesk *paydesk, int timeout_ms, char *error)
{
    struct bus_event event;
    bool more = bus_poll(paydesk->bus, wait_ms(paydesk, timeout_ms), &event);
    for (int i = 0; more && i < TURN_EVENTS_MAX; i++) {
        hear(paydesk, &event);
        more = bus_poll(paydesk->bus, 0, &event);
    }
    if (more)
        hear(paydesk, &event);
    note_caught_up(paydesk);
    look(paydesk);
    int64_t now_ms = clock_wall_ms(); /* due times outlive the process, so they are the wall's */
    post_collect(paydesk->post, now_ms);
    teller_act(&paydesk->teller, now_ms);
    if (!write_down(paydesk, error))
        return false;
    post_send(paydesk->post, now_ms);
    return true;
}

bool paydesk_drain(struct paydesk *paydesk, int patience_ms, char *error)
{
    struct bus_event event;
    int64_t until_ms = clock_monotonic_ms() + patience_ms;
    while (post_under_way(paydesk->post) && clock_monotonic_ms() < until_ms) {
        if (bus_poll(paydesk->bus, UNDER_WAY_MS, &event))
            hear(paydesk, &event);
        post_collect(paydesk->post, clock_wall_ms());
    }
    return write_down(paydesk, error);
}

/* ---- what it tells of itself ----------------------------------------------------------------- */

static int64_t still_ms(const void *self, int64_t now_ms)
{
    return following_still_ms(&((const struct paydesk *)self)->following, now_ms);
}

static bool is_ready(const void *self)
{
    return atomic_load(&((const struct paydesk *)self)->following.caught_up);
}

static void tell_ready(const void *self, int64_t now_ms, struct readiness *readiness)
{
    if (self)
        following_readiness(&((const struct paydesk *)self)->following, now_ms, readiness);
    else
        bus_readiness(true, readiness);
}

static void put_answers(const struct paydesk *paydesk, struct buffer *out)
{
    static const char name[] = "stagedoor_paydesk_callbacks_total";
    const struct post_counts *counts = post_counts(paydesk->post);
    metrics_gauge(out, "stagedoor_paydesk_owed_answers", "Answers that the edge has not heard yet.",
                  (double)atomic_load(&paydesk->owed));
    metrics_family(out, name, METRIC_COUNTER, "Callbacks, by what the edge made of them.");
    metrics_sample(out, name, "result=\"told\"", (double)atomic_load(&counts->told));
    metrics_sample(out, name, "result=\"again\"", (double)atomic_load(&counts->again));
    metrics_sample(out, name, "result=\"refused\"", (double)atomic_load(&counts->refused));
}

static void tell_metrics(const void *self, struct buffer *out)
{
    if (self == NULL) {
        bus_metrics(NULL, true, 0, 0, out);
        return;
    }
    put_answers(self, out);
    following_metrics(&((const struct paydesk *)self)->following, out);
}

struct front_subject paydesk_subject(void)
{
    return (struct front_subject){"paydesk",  STILL_MAX_MS, still_ms,    is_ready,
                                  tell_ready, NULL,         tell_metrics};
}
