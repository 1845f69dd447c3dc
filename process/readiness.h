/* readiness.h: what has to hold for a process to be ready, and why it does not.
 *
 * A check has a name for programs and, where it does not hold, a reason for people: what is the
 * matter, with its figures, and where it helps what to do. One thread each. */
#ifndef PROCESS_READINESS_H
#define PROCESS_READINESS_H

#include "base/text.h"

enum { READINESS_CHECKS_MAX = 8, READINESS_WHY_SIZE = 256 };

struct readiness_check {
    const char *name; /* static, "log_reachable" */
    bool good;
    char why[READINESS_WHY_SIZE]; /* when it is not */
};

/* S_init is {0}: ready. */
struct readiness {
    int count;
    struct readiness_check checks[READINESS_CHECKS_MAX];
};

/* One check more; the reason is kept when it is not good. */
void readiness_add(struct readiness *readiness, const char *name, bool good, const char *why, ...)
    __attribute__((format(printf, 4, 5)));

bool readiness_is_good(const struct readiness *readiness);

/* The members of a JSON object that is open: status, each check by its name, the reasons. */
void readiness_put_json(const struct readiness *readiness, struct buffer *out);

/* "ready", or "not ready" and a reason a line. */
void readiness_put_text(const struct readiness *readiness, struct buffer *out);

/* The reasons in one line; nothing when it is ready. */
void readiness_put_line(const struct readiness *readiness, struct buffer *out);

/* "812 345": long numbers as people read them. Returns `out`. */
enum { GROUPED_SIZE = 32 };
const char *number_grouped(int64_t number, char out[GROUPED_SIZE]);

#endif
