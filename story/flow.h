/* flow.h: who said what because of what: records of the log as a forest of causes.
 *
 *     RequestReservation ── ReservationRequested ── SeatsHeld
 *     (timer) ── HoldExpired ── ReservationExpired
 *
 * A root is a command, or what a service decided by timer; an outcome hangs below the input that
 * its sd_source names. Told as a story: roots by time, each with all that came of it. Pure but for
 * memory; one thread. */
#ifndef STORY_FLOW_H
#define STORY_FLOW_H

#include "story/record_list.h"

struct flow_step {
    const struct kept *kept;
    struct flow_step *cause;    /* NULL: a root */
    struct flow_step **effects; /* by time */
    size_t effect_count;
    int depth;                       /* of a root 0 */
    bool placed;                     /* it is in the order */
    bool timer;                      /* decided because of the time alone */
    bool orphan;                     /* it names a cause that is not among the records */
    struct place cause_place;        /* when `cause` or `orphan` */
    const struct flow_step *repeats; /* of a command without outcome: the same, answered before */
};

struct flow {
    struct flow_step *steps; /* in the order of the list */
    size_t count;
    struct flow_step **order; /* of the story: roots by time, effects behind their cause */
    int64_t began_ms;         /* append time of the first; 0: there is none */
};

/* Builds the forest over a sorted list, which must outlive it. */
void flow_build(struct flow *flow, const struct record_list *list);
void flow_release(struct flow *flow);

/* Who said it: "shows", or of a command "edge", "publish", or what the publisher calls itself. */
struct text flow_speaker(const struct kept *kept);

/* ---- telling it ------------------------------------------------------------------------------ */
/* A line for each step: time since the first and since its cause, who, the words, the place. */
void flow_print_text(const struct flow *flow, struct buffer *out);

/* The same as members "began" and "steps" of a JSON object that is open in `out`. */
void flow_print_json(const struct flow *flow, struct buffer *out);

/* A Mermaid sequenceDiagram of it. */
void flow_print_mermaid(const struct flow *flow, struct buffer *out);

#endif
