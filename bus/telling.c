/* Reading the vital signs. */
#include "bus/telling.h"

#include "bus/desk.h"

static uint64_t count_of(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static int64_t value_of(const _Atomic int64_t *gauge)
{
    return atomic_load_explicit(gauge, memory_order_relaxed);
}

/* ---- the bus --------------------------------------------------------------------------------- */

void bus_metrics(const struct bus *bus, bool down, uint64_t outages, uint64_t returns,
                 struct buffer *out)
{
    struct bus_health health = bus ? bus_health(bus) : (struct bus_health){-1};
    metrics_gauge(out, "stagedoor_bus_up", "0: the log does not answer.", bus != NULL && !down);
    metrics_counter(out, "stagedoor_bus_outages_total", "How often the log stopped answering.",
                    (double)outages);
    metrics_counter(out, "stagedoor_bus_reconnects_total", "How often it answered again.",
                    (double)returns);
    metrics_family(out, "stagedoor_bus_answer_seconds", METRIC_GAUGE,
                   "How long the log takes to take a record, as of late.");
    if (health.answer_us >= 0)
        metrics_sample(out, "stagedoor_bus_answer_seconds", "", (double)health.answer_us / 1e6);
}

void bus_readiness(bool down, struct readiness *readiness)
{
    readiness_add(readiness, "log_reachable", !down,
                  "no bus: the log does not answer; is it running?");
}

void behind_readiness(int64_t records, int64_t oldest_ms, struct readiness *readiness)
{
    char number[GROUPED_SIZE];
    readiness_add(readiness, "keeping_up", oldest_ms <= TELLING_BEHIND_MAX_MS,
                  "behind by %s records, the oldest of them waits for %lld s",
                  number_grouped(records, number), (long long)(oldest_ms / 1000));
}

void turning_readiness(int64_t still_ms, struct readiness *readiness)
{
    readiness_add(readiness, "turning", still_ms <= TELLING_STILL_MAX_MS,
                  "the loop has not turned for %lld s", (long long)(still_ms / 1000));
}

void recovery_metrics(int64_t read, int64_t to_read, struct buffer *out)
{
    metrics_gauge(out, "stagedoor_recovery_read_records",
                  "Of the records that must be read before it is ready, how many are.",
                  (double)read);
    metrics_gauge(out, "stagedoor_recovery_records", "How many must be read before it is ready.",
                  (double)to_read);
}

/* ---- a service is ready ---------------------------------------------------------------------- */

struct backlog {
    int64_t records, oldest_ms;
};

static struct backlog backlog_of(const struct service *service)
{
    struct backlog backlog = {0, 0};
    for (int i = 0; i < service->desk_count; i++)
        for (int k = 0; k < service->descriptor->input_count; k++) {
            int64_t records = value_of(&service->desks[i].vitals.behind[k]);
            int64_t oldest_ms = value_of(&service->desks[i].vitals.behind_ms[k]);
            backlog.records += records > 0 ? records : 0;
            backlog.oldest_ms = oldest_ms > backlog.oldest_ms ? oldest_ms : backlog.oldest_ms;
        }
    return backlog;
}

static void tell_recovery(const struct vitals *vitals, struct readiness *readiness)
{
    char done[GROUPED_SIZE], all[GROUPED_SIZE];
    bool ready = atomic_load_explicit(&vitals->ready, memory_order_relaxed);
    bool settled = atomic_load_explicit(&vitals->settled, memory_order_relaxed);
    bool warm = atomic_load_explicit(&vitals->warm, memory_order_relaxed);
    readiness_add(readiness, "recovered", ready || (warm && !settled), "recovering %s of %s",
                  number_grouped(value_of(&vitals->recovered), done),
                  number_grouped(value_of(&vitals->to_recover), all));
    readiness_add(readiness, "joined", settled, "%s",
                  warm ? "waiting for the group to say which partitions are ours"
                       : "asks for partitions when it has recovered");
}

int64_t service_still_ms(const struct service *service, int64_t now_ms)
{
    int64_t turned_ms = value_of(&service->vitals.turned_ms);
    return turned_ms ? now_ms - turned_ms : 0; /* it is about to begin */
}

void service_readiness(const struct service *service, int64_t now_ms, struct readiness *readiness)
{
    const struct vitals *vitals = &service->vitals;
    struct backlog backlog = backlog_of(service);
    bus_readiness(atomic_load_explicit(&vitals->down, memory_order_relaxed), readiness);
    tell_recovery(vitals, readiness);
    readiness_add(readiness, "log_intact", count_of(&vitals->lost) == 0,
                  "a partition is stopped because its log is not what it was; this process's own "
                  "log says which and why");
    behind_readiness(backlog.records, backlog.oldest_ms, readiness);
    turning_readiness(service_still_ms(service, now_ms), readiness);
}

static void say_owned(const void *self, struct buffer *out)
{
    const struct service *service = self;
    bool any = false;
    buffer_string(out, ", owns");
    for (int i = 0; i < service->desk_count; i++)
        if (atomic_load(&service->desks[i].vitals.phase) == DESK_RUNNING) {
            buffer_print(out, " %d", i);
            any = true;
        }
    buffer_print(out, "%s of %d partitions", any ? "" : " none", service->desk_count);
}

/* ---- a service in figures -------------------------------------------------------------------- */

/* What it may say at all, each once: so that what was never said is told as 0. */
static bool may_say(const struct service_descriptor *descriptor, enum message_type type)
{
    for (int i = 0; i < descriptor->reaction_count; i++)
        for (int k = 0; k < descriptor->reactions[i].outcome_count; k++)
            if (descriptor->reactions[i].outcomes[k] == type)
                return true;
    return false;
}

static void put_outcomes(const struct service *service, struct buffer *out)
{
    static const char name[] = "stagedoor_outcomes_total";
    struct buffer labels = {0};
    metrics_family(out, name, METRIC_COUNTER, "Decisions, by what was decided.");
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        if (!may_say(service->descriptor, (enum message_type)type))
            continue;
        buffer_clear(&labels);
        buffer_print(&labels, "type=\"%s\"", message_name((enum message_type)type));
        metrics_sample(out, name, labels.data, (double)count_of(&service->vitals.outcomes[type]));
    }
    buffer_release(&labels);
}

static void put_refusals(const struct vitals *vitals, struct buffer *out)
{
    static const char refusals[] = "stagedoor_refusals_total";
    static const char rejections[] = "stagedoor_rejections_total";
    struct buffer labels = {0};
    metrics_family(out, refusals, METRIC_COUNTER, "Commands that were refused, by code.");
    for (int code = 0; code < code_COUNT; code++) {
        buffer_clear(&labels);
        buffer_print(&labels, "code=\"%s\"", code_name((enum code)code));
        metrics_sample(out, refusals, labels.data, (double)count_of(&vitals->refusals[code]));
    }
    metrics_family(out, rejections, METRIC_COUNTER, "Wishes that were not granted, by reason.");
    for (int reason = 0; reason < reason_COUNT; reason++) {
        buffer_clear(&labels);
        buffer_print(&labels, "reason=\"%s\"", reason_name((enum reason)reason));
        metrics_sample(out, rejections, labels.data, (double)count_of(&vitals->rejections[reason]));
    }
    buffer_release(&labels);
}

static void put_counts(const struct vitals *vitals, struct buffer *out)
{
    metrics_counter(out, "stagedoor_inputs_skipped_total", "Inputs that needed no decision.",
                    (double)count_of(&vitals->skipped));
    metrics_counter(out, "stagedoor_timer_decisions_total",
                    "Decisions that were due by themselves.", (double)count_of(&vitals->timers));
    metrics_counter(out, "stagedoor_claims_total", "Claims made on partitions.",
                    (double)count_of(&vitals->claims));
    metrics_counter(out, "stagedoor_claims_lost_total", "Claims that a newer one of another ended.",
                    (double)count_of(&vitals->fenced));
    metrics_counter(out, "stagedoor_step_downs_total",
                    "How often a partition was given up, to be recovered from the log.",
                    (double)count_of(&vitals->stepped_down));
    metrics_counter(out, "stagedoor_partitions_lost_total",
                    "Partitions stopped because their log is not what it was.",
                    (double)count_of(&vitals->lost));
    metrics_counter(out, "stagedoor_void_records_total",
                    "Records read that do not count for anybody.",
                    (double)count_of(&vitals->voids));
}

static void put_times(const struct vitals *vitals, struct buffer *out)
{
    static const char deciding[] = "stagedoor_decide_duration_seconds";
    static const char appending[] = "stagedoor_append_duration_seconds";
    static const char answering[] = "stagedoor_answer_duration_seconds";
    metrics_family(out, deciding, METRIC_HISTOGRAM,
                   "From a record's arrival, through its decision, until the loop is free again.");
    metrics_histogram(out, deciding, "", &vitals->deciding);
    metrics_family(out, appending, METRIC_HISTOGRAM, "From an append until it is read back.");
    metrics_histogram(out, appending, "", &vitals->appending);
    metrics_family(out, answering, METRIC_HISTOGRAM,
                   "From an input to its outcome, by the times at which the log took them.");
    metrics_histogram(out, answering, "", &vitals->answering);
}

static void put_partitions(const struct service *service, struct buffer *out)
{
    static const char name[] = "stagedoor_partitions";
    static const char *const phases[] = {"folding", "running", "retired", "lost"};
    enum { PHASE_COUNT = sizeof phases / sizeof *phases };
    int counts[PHASE_COUNT] = {0}, recovering = 0, standby = 0;
    struct buffer labels = {0};
    for (int i = 0; i < service->desk_count; i++) {
        const struct desk_vitals *vitals = &service->desks[i].vitals;
        int phase = atomic_load_explicit(&vitals->phase, memory_order_relaxed);
        bool recovered = atomic_load_explicit(&vitals->recovered, memory_order_relaxed);
        bool begins = phase == DESK_RUNNING && !recovered;
        bool stands_by =
            phase == DESK_FOLDING && !atomic_load_explicit(&vitals->assigned, memory_order_relaxed);
        recovering += begins;
        standby += stands_by;
        counts[phase] += !begins && !stands_by;
    }
    metrics_family(out, name, METRIC_GAUGE, "Partitions, by what this process is to them.");
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        buffer_clear(&labels);
        buffer_print(&labels, "state=\"%s\"", phases[phase]);
        metrics_sample(out, name, labels.data, counts[phase]);
    }
    metrics_sample(out, name, "state=\"recovering\"", recovering);
    metrics_sample(out, name, "state=\"standby\"", standby);
    buffer_release(&labels);
}

/* Of the partitions it owns only: of others it does not know. */
static void put_lag(const struct service *service, struct buffer *out, bool in_records)
{
    const char *name = in_records ? "stagedoor_input_lag_records" : "stagedoor_input_lag_seconds";
    struct buffer labels = {0};
    metrics_family(out, name, METRIC_GAUGE,
                   in_records ? "Records of an input that are there and not handled."
                              : "Age of the oldest of them, by the log's clock.");
    for (int i = 0; i < service->desk_count; i++)
        for (int k = 0; k < service->descriptor->input_count; k++) {
            const struct desk_vitals *vitals = &service->desks[i].vitals;
            int64_t records = value_of(&vitals->behind[k]);
            if (records < 0)
                continue;
            buffer_clear(&labels);
            buffer_print(&labels, "topic=\"%s\",partition=\"%d\"",
                         topic_name(service->descriptor->inputs[k]), i);
            metrics_sample(out, name, labels.data,
                           in_records ? (double)records
                                      : (double)value_of(&vitals->behind_ms[k]) / 1e3);
        }
    buffer_release(&labels);
}

static void put_standing(const struct service *service, struct buffer *out)
{
    const struct vitals *vitals = &service->vitals;
    metrics_gauge(out, "stagedoor_service_ready",
                  "1: it has recovered every partition it was given.",
                  atomic_load_explicit(&vitals->ready, memory_order_relaxed));
    recovery_metrics(value_of(&vitals->recovered), value_of(&vitals->to_recover), out);
    metrics_gauge(out, "stagedoor_timer_overdue_seconds",
                  "How late the most late of what is due by itself is: the expiry of a hold, say.",
                  (double)value_of(&vitals->overdue_ms) / 1e3);
}

void seats_metrics(const struct after *seats, struct buffer *out)
{
    static const char name[] = "stagedoor_seats";
    metrics_family(out, name, METRIC_GAUGE, "Seats of all shows, by state.");
    metrics_sample(out, name, "state=\"held\"", (double)seats->held);
    metrics_sample(out, name, "state=\"sold\"", (double)seats->sold);
    metrics_sample(out, name, "state=\"blocked\"", (double)seats->blocked);
    metrics_sample(out, name, "state=\"free\"", (double)seats->free);
    metrics_sample(out, name, "state=\"oversold\"", (double)seats->oversold_by);
}

static void put_seats(const struct vitals *vitals, struct buffer *out)
{
    const struct after seats = {.held = value_of(&vitals->held),
                                .sold = value_of(&vitals->sold),
                                .blocked = value_of(&vitals->blocked),
                                .free = value_of(&vitals->free),
                                .oversold_by = value_of(&vitals->oversold)};
    seats_metrics(&seats, out);
}

void service_metrics(const struct service *service, struct buffer *out)
{
    const struct vitals *vitals = &service->vitals;
    put_outcomes(service, out);
    put_refusals(vitals, out);
    put_counts(vitals, out);
    put_times(vitals, out);
    put_partitions(service, out);
    put_lag(service, out, true);
    put_lag(service, out, false);
    put_standing(service, out);
    if (service->descriptor->seats)
        put_seats(vitals, out);
    bus_metrics(service->bus, atomic_load_explicit(&vitals->down, memory_order_relaxed),
                count_of(&vitals->outages), count_of(&vitals->returns), out);
}

/* ---- its front ------------------------------------------------------------------------------- */

static int64_t still_ms(const void *self, int64_t now_ms)
{
    return service_still_ms(self, now_ms);
}

static bool is_ready(const void *self)
{
    return service_ready(self);
}

static void tell_ready(const void *self, int64_t now_ms, struct readiness *readiness)
{
    if (self)
        service_readiness(self, now_ms, readiness);
    else
        bus_readiness(true, readiness);
}

static void tell_metrics(const void *self, struct buffer *out)
{
    if (self)
        service_metrics(self, out);
    else
        bus_metrics(NULL, true, 0, 0, out);
}

struct front_subject service_subject(const struct service_descriptor *descriptor)
{
    return (struct front_subject){descriptor->name, SERVICE_WATCHDOG_MS, still_ms,    is_ready,
                                  tell_ready,       say_owned,           tell_metrics};
}
