/* metrics.h: what a process tells about itself in figures, in the text format of Prometheus.
 *
 * Names end in their unit; seconds and bytes. Labels are of tables known when it is built, so that
 * nobody's input makes more of them. Source: Prometheus exposition format 0.0.4. Any thread. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/text.h"

#include <stdatomic.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* How often something took how long. S_init is {0}: from half a millisecond to five seconds. */
enum { HISTOGRAM_BOUND_COUNT = 12 };
struct histogram {
    const int64_t *bounds_us; /* HISTOGRAM_BOUND_COUNT of them; NULL: those */
    _Atomic uint64_t counts[HISTOGRAM_BOUND_COUNT + 1]; /* the last one: longer than any bound */
    _Atomic uint64_t sum_us;
};

extern const int64_t histogram_short_us[]; /* from ten microseconds to a tenth of a second */

void histogram_note(struct histogram *histogram, int64_t us);
uint64_t histogram_count(const struct histogram *histogram);

/* Begins a family; its samples follow, under the same name. */
void metrics_family(struct buffer *out, const char *name, enum metric_kind kind, const char *help);

/* A family with one sample. */
void metrics_counter(struct buffer *out, const char *name, const char *help, double value);
void metrics_gauge(struct buffer *out, const char *name, const char *help, double value);

/* `labels`: `route="/x",status="2xx"`, or "" for none. */
void metrics_sample(struct buffer *out, const char *name, const char *labels, double value);
void metrics_histogram(struct buffer *out, const char *name, const char *labels,
                       const struct histogram *histogram);

/* What Prometheus expects of any process (process_…), and stagedoor_build_info. Linux. */
void metrics_process(struct buffer *out, const char *program);

#endif
