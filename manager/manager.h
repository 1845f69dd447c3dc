/* manager.h: the stage manager: hears what is asked at the control socket, has the company do it,
 * and keeps an eye on what everyone takes of the machine.
 *
 *     ls [WHO]            of each: {number, name, part, state, ready, status, pid, uptime_s,
 *                         restarts, deaths_in_a_row, last_end, cpu_percent, memory_bytes, command}
 *     start … scale       the company's orders (company.h): {"said":"edge-1 is ready"} as they go
 *     flush               the logbook is emptied
 *     about               what this installation is, as its owner put it
 *     down                everyone ends, and the manager last
 *
 * One thread, the supervisor's. */
#ifndef MANAGER_MANAGER_H
#define MANAGER_MANAGER_H

#include "manager/company.h"
#include "manager/control.h"
#include "manager/logbook.h"

enum { MANAGER_LOOK_MS = 2000 /* between two looks at what is taken */ };

struct manager_options {
    struct supervisor *supervisor;
    struct company *company;
    struct control *control;
    struct logbook *logbook;
    const char *house;          /* a JSON object */
    int64_t memory_limit_bytes; /* who takes more is reloaded; 0: no limit */
};

struct manager;

/* Everything in `options` is borrowed. Given back with manager_free. */
struct manager *manager_new(const struct manager_options *options);
void manager_free(struct manager *manager);

/* As supervisor_poll, but what is asked, and changes under way, are dealt with on the way. Events
 * of the children are told all the same; their names are borrowed until the next call. */
struct supervisor_event manager_poll(struct manager *manager, int timeout_ms);

#endif
