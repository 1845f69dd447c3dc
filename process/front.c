/* The admin's questions and systemd's, answered from one subject. */
#include "process/front.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "process/spans.h"

void process_metrics(struct buffer *out, const char *program)
{
    metrics_process(out, program);
    spans_metrics(out);
}

/* ---- what is asked --------------------------------------------------------------------------- */

static bool is_live(void *context)
{
    struct front *front = context;
    const void *self = atomic_load(&front->self);
    return self == NULL ||
           front->subject->still_ms(self, clock_monotonic_ms()) <= front->subject->still_max_ms;
}

static void tell_ready(void *context, struct readiness *readiness)
{
    struct front *front = context;
    front->subject->readiness(atomic_load(&front->self), clock_monotonic_ms(), readiness);
    readiness_add(readiness, "serving", !atomic_load(&front->stopping), "about to stop");
}

static void tell_metrics(void *context, struct buffer *out)
{
    struct front *front = context;
    process_metrics(out, front->subject->name);
    front->subject->metrics(atomic_load(&front->self), out);
}

/* ---- its life -------------------------------------------------------------------------------- */

bool front_open(struct front *front, const struct front_subject *subject, const char *address,
                char *error)
{
    const struct admin_source source = {front, is_live, tell_ready, tell_metrics};
    front->subject = subject;
    notify_open(&front->notify);
    if (address)
        front->admin = admin_start(address, subject->name, &source, error);
    return address == NULL || front->admin;
}

void front_waits(struct front *front, const char *why)
{
    notify_tend(&front->notify, clock_monotonic_ms(), false, why);
}

void front_shows(struct front *front, const void *self)
{
    atomic_store(&front->self, self);
}

void front_turned(struct front *front)
{
    const void *self = atomic_load(&front->self);
    int64_t now_ms = clock_monotonic_ms();
    bool ready = front->subject->ready(self);
    struct readiness readiness = {.count = 0};
    struct buffer status = {0};
    if (!notify_wants(&front->notify, now_ms, ready) || !is_live(front))
        return;
    tell_ready(front, &readiness);
    readiness_put_line(&readiness, &status);
    if (status.size == 0) {
        buffer_string(&status, "ready");
        if (front->subject->well)
            front->subject->well(self, &status);
    }
    notify_tend(&front->notify, now_ms, ready, status.data);
    buffer_release(&status);
}

void front_stopping(struct front *front)
{
    atomic_store(&front->stopping, true);
    notify_stopping(&front->notify);
}

void front_close(struct front *front)
{
    admin_stop(front->admin);
    front->admin = NULL;
    notify_close(&front->notify);
}
