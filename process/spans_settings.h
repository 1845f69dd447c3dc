/* spans_settings.h: what the environment says about traces. Private to spans.
 *
 * What cannot be understood is said in the log, and is as if it had not been said. */
#ifndef PROCESS_SPANS_SETTINGS_H
#define PROCESS_SPANS_SETTINGS_H

#include "base/text.h"

enum spans_base { SPANS_ALWAYS, SPANS_NEVER, SPANS_SHARE };

struct spans_settings {
    struct buffer url;       /* where to; empty: nowhere */
    struct text headers;     /* name=value,… with %XX */
    struct text attributes;  /* of the process, likewise */
    struct text name;        /* service.name; empty: not said */
    const char *certificate; /* of the authority of https; NULL: the machine's */
    int64_t timeout_ms;      /* of one request */
    int64_t delay_ms;        /* from one request to the next */
    enum spans_base base;    /* which traces are begun … */
    double share;            /* … if SPANS_SHARE */
    bool by_parent;          /* what others began is as they said */
};

/* `*settings` borrows from the environment. */
void spans_settings_read(struct spans_settings *settings);
void spans_settings_release(struct spans_settings *settings);

/* Where to, without a password that may stand in front. */
const char *spans_settings_shown(const struct spans_settings *settings);

/* Cuts the first name=value from `*list` and undoes its %XX: false when there is none left. What is
 * malformed is left out. */
bool spans_settings_next(struct text *list, struct buffer *name, struct buffer *value);

#endif
