/* The admin's questions and systemd's, answered. */
#include "bus/service_front.h"

#include "base/clock.h"
#include "bus/telling.h"

static const struct service *service_of(struct service_front *front)
{
    return atomic_load(&front->service);
}

/* ---- what the admin asks --------------------------------------------------------------------- */

static bool is_live(void *self)
{
    const struct service *service = service_of(self);
    return service == NULL ||
           service_still_ms(service, clock_monotonic_ms()) <= SERVICE_WATCHDOG_MS;
}

static void tell_ready(void *self, struct readiness *readiness)
{
    struct service_front *front = self;
    const struct service *service = service_of(front);
    if (service)
        service_readiness(service, clock_monotonic_ms(), readiness);
    else
        bus_readiness(true, readiness);
    readiness_add(readiness, "serving", !atomic_load(&front->stopping), "about to stop");
}

static void tell_metrics(void *self, struct buffer *out)
{
    struct service_front *front = self;
    const struct service *service = service_of(front);
    metrics_process(out, front->descriptor->name);
    if (service)
        service_metrics(service, out);
    else
        bus_metrics(NULL, true, 0, 0, out);
}

/* ---- its life -------------------------------------------------------------------------------- */

bool front_open(struct service_front *front, const struct service_descriptor *descriptor,
                const char *address, char *error)
{
    const struct admin_source source = {front, is_live, tell_ready, tell_metrics};
    front->descriptor = descriptor;
    notify_open(&front->notify);
    if (address)
        front->admin = admin_start(address, descriptor->name, &source, error);
    return address == NULL || front->admin;
}

void front_waits(struct service_front *front, int64_t now_ms, const char *why)
{
    struct buffer status = {0};
    buffer_print(&status, "no bus: %s", why);
    notify_tend(&front->notify, now_ms, false, status.data);
    buffer_release(&status);
}

void front_shows(struct service_front *front, const struct service *service)
{
    atomic_store(&front->service, service);
}

void front_turned(struct service_front *front, int64_t now_ms)
{
    const struct service *service = service_of(front);
    bool ready = service_ready(service);
    if (!notify_wants(&front->notify, now_ms, ready))
        return;
    struct buffer status = {0};
    service_status(service, now_ms, &status);
    notify_tend(&front->notify, now_ms, ready, status.data);
    buffer_release(&status);
}

void front_stopping(struct service_front *front)
{
    atomic_store(&front->stopping, true);
    notify_stopping(&front->notify);
}

void front_close(struct service_front *front)
{
    admin_stop(front->admin);
    notify_close(&front->notify);
}
