/* Looking at a follower from outside. */
#include "bus/following.h"

#include "base/metrics.h"
#include "bus/telling.h"

#define READ(field)         atomic_load_explicit(&following->field, memory_order_relaxed)
#define WRITE(field, value) atomic_store_explicit(&following->field, (value), memory_order_relaxed)

/* ---- the thread of the bus ------------------------------------------------------------------- */

void following_hear(struct following *following, const struct bus_event *event,
                    enum follower_news news)
{
    if (event->type == BUS_DOWN || event->type == BUS_UP) {
        bool down = event->type == BUS_DOWN;
        WRITE(down, down);
        WRITE(outages, READ(outages) + down);
        WRITE(returns, READ(returns) + !down);
    }
    if (event->type == BUS_RECORD)
        following->newest_ms = event->record.append_ms;
    if (news == FOLLOWER_MESSAGE)
        WRITE(events, READ(events) + 1);
    if (news == FOLLOWER_VOID)
        WRITE(voids, READ(voids) + 1);
    if (news == FOLLOWER_LOST)
        WRITE(lost, true);
}

void following_look(struct following *following, const struct follower *follower, int64_t now_ms,
                    int64_t wall_ms)
{
    WRITE(turned_ms, now_ms);
    bool caught_up = follower_caught_up(follower);
    bool news = caught_up != READ(caught_up);
    WRITE(caught_up, caught_up);
    if (!news && following->looked_ms && now_ms < following->looked_ms + FOLLOWING_EVERY_MS)
        return;
    following->looked_ms = now_ms;
    struct follower_way way = follower_way(follower);
    int64_t behind = way.all - way.gone;
    if (behind == 0)
        following->behind_since_ms = 0;
    else if (following->behind_since_ms == 0)
        following->behind_since_ms = now_ms;
    /* What is not read yet is younger than what was read last, and was not there when nothing was
     * missing. */
    int64_t since_ms = behind ? now_ms - following->behind_since_ms : 0;
    int64_t age_ms = behind ? wall_ms - following->newest_ms : 0;
    WRITE(behind, behind);
    WRITE(behind_ms, since_ms < age_ms ? since_ms : age_ms > 0 ? age_ms : 0);
    WRITE(read, caught_up ? 0 : way.gone);
    WRITE(to_read, caught_up ? 0 : way.all);
}

/* ---- any thread ------------------------------------------------------------------------------ */

int64_t following_still_ms(const struct following *following, int64_t now_ms)
{
    int64_t turned_ms = READ(turned_ms);
    return turned_ms ? now_ms - turned_ms : 0;
}

void following_readiness(const struct following *following, int64_t now_ms,
                         struct readiness *readiness)
{
    char read[GROUPED_SIZE], all[GROUPED_SIZE];
    bool there = READ(bus) != NULL;
    bus_readiness(!there || READ(down), readiness);
    readiness_add(readiness, "caught_up", READ(caught_up) || !there, "recovering %s of %s",
                  number_grouped(READ(read), read), number_grouped(READ(to_read), all));
    readiness_add(readiness, "log_intact", !READ(lost),
                  "the log is not the one that was read; this process's own log says where");
    behind_readiness(READ(behind), READ(caught_up) ? READ(behind_ms) : 0, readiness);
    turning_readiness(following_still_ms(following, now_ms), readiness);
}

void following_metrics(const struct following *following, struct buffer *out)
{
    metrics_counter(out, "stagedoor_events_read_total", "Events read that count.",
                    (double)READ(events));
    metrics_counter(out, "stagedoor_void_records_total",
                    "Records read that do not count for anybody.", (double)READ(voids));
    metrics_gauge(out, "stagedoor_view_lag_records", "Records that are there and not read.",
                  (double)READ(behind));
    metrics_gauge(out, "stagedoor_view_lag_seconds", "Age of the oldest of them.",
                  (double)READ(behind_ms) / 1e3);
    recovery_metrics(READ(read), READ(to_read), out);
    bus_metrics(READ(bus), READ(down), READ(outages), READ(returns), out);
}
