/* What the appender has done, as events for the caller.
 *
 * Answers come in the order of the calls, so the appends still owed one are a ring between head_seq
 * and tail_seq. One that is too late is answered here, without asking the appender, which may be
 * stuck in an fsync; its own answer is then dropped. */
#include "bus/sqlite.h"

#include <assert.h>
#include <stdlib.h>

static const char *why(struct sqlite_bus *handle, const char *verb, int code)
{
    sqlite_describe(handle->path, verb, code, 0, handle->reason, sizeof handle->reason);
    return handle->reason;
}

static void answer_head(struct sqlite_bus *handle, enum bus_event_type type, int64_t offset,
                        struct bus_event *event)
{
    struct sqlite_appender *appender = &handle->appender;
    const struct sqlite_outstanding *head =
        &appender->ring[appender->head_seq++ % (uint64_t)handle->in_flight_max];
    *event = (struct bus_event){.type = type,
                                .topic = head->topic,
                                .partition = head->partition,
                                .offset = offset,
                                .tag = head->tag};
}

/* Two connections, each of which may fail; the caller hears of one. */
bool sqlite_state_event(struct sqlite_bus *handle, struct bus_event *event)
{
    bool down = handle->appender.down_heard || handle->reader.down;
    if (down == handle->down_told)
        return false;
    handle->down_told = down;
    *event = (struct bus_event){.type = down ? BUS_DOWN : BUS_UP};
    if (down)
        event->reason = handle->reader.down ? why(handle, "read", handle->reader.down_code)
                                            : why(handle, "write to", handle->appender.down_code);
    return true;
}

static bool become_event(struct sqlite_bus *handle, const struct sqlite_news *news,
                         struct bus_event *event)
{
    switch (news->type) {
    case BUS_APPENDED:
    case BUS_FAILED:
        if (news->seq < handle->appender.head_seq)
            return false; /* it has timed out */
        assert(news->seq == handle->appender.head_seq);
        answer_head(handle, news->type, news->offset, event);
        if (news->type == BUS_FAILED)
            event->reason = why(handle, "append to", news->code);
        return true;
    case BUS_ASSIGNED:
    case BUS_REVOKED:
    case BUS_SETTLED:
        *event = (struct bus_event){.type = news->type, .partition = news->partition};
        if (news->type == BUS_REVOKED)
            sqlite_group_delivered(handle, news->partition);
        return true;
    case BUS_DOWN:
    case BUS_UP:
        handle->appender.down_heard = news->type == BUS_DOWN;
        handle->appender.down_code = news->code;
        return sqlite_state_event(handle, event);
    case BUS_RECORD:
    case BUS_CAUGHT_UP:
    case BUS_LOST:
        break;
    }
    abort(); /* the reader's events are no news of the appender */
}

/* Takes what the appender has published since. */
static void refill(struct sqlite_appender *appender)
{
    pthread_mutex_lock(&appender->lock);
    struct sqlite_news_list empty = appender->inbox;
    appender->inbox = appender->news;
    empty.count = 0;
    appender->news = empty;
    pthread_mutex_unlock(&appender->lock);
    appender->inbox.taken = 0;
}

bool sqlite_answer(struct sqlite_bus *handle, int64_t now_ms, struct bus_event *event)
{
    struct sqlite_appender *appender = &handle->appender;
    if (!appender->running)
        return false;
    if (appender->inbox.taken == appender->inbox.count)
        refill(appender);
    while (appender->inbox.taken < appender->inbox.count)
        if (become_event(handle, &appender->inbox.items[appender->inbox.taken++], event))
            return true;
    if (now_ms < sqlite_answer_deadline_ms(handle))
        return false;
    answer_head(handle, BUS_FAILED, 0, event);
    event->reason = why(handle, "append to", SQLITE_TIMED_OUT);
    return true;
}

int64_t sqlite_answer_deadline_ms(const struct sqlite_bus *handle)
{
    const struct sqlite_appender *appender = &handle->appender;
    if (appender->head_seq == appender->tail_seq)
        return INT64_MAX;
    return appender->ring[appender->head_seq % (uint64_t)handle->in_flight_max].deadline_ms;
}
