/* usage.h: what a process takes of the machine, as Linux tells it (proc(5)). Any thread. */
#ifndef MANAGER_USAGE_H
#define MANAGER_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct usage {
    int64_t cpu_ms;       /* of all its threads since it began */
    int64_t memory_bytes; /* resident */
};

/* false: there is no such process. */
bool usage_read(pid_t pid, struct usage *usage);

#endif
