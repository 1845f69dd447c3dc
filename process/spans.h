/* spans.h: what this process did for a request, told to a collector of traces.
 *
 * A trace (base/trace.h) is one request and all that it caused, in whatever process; a span is what
 * one of them did for it: OpenTelemetry's words. Spans go out by OTLP over HTTP as JSON
 * (opentelemetry-proto 1), to where the environment says:
 *
 *     OTEL_EXPORTER_OTLP_ENDPOINT      a collector's URL; /v1/traces is added. Without it, or
 *     OTEL_EXPORTER_OTLP_TRACES_ENDPOINT  (the whole URL), nothing is begun, kept or sent
 *     OTEL_EXPORTER_OTLP_[TRACES_]HEADERS, _CERTIFICATE, _TIMEOUT (ms), _PROTOCOL (only http/json)
 *     OTEL_TRACES_SAMPLER, _ARG        which traces: parentbased_always_on if it is not said
 *     OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_BSP_SCHEDULE_DELAY (ms)
 *     OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER=none   not now, thanks
 *
 * Nobody ever waits for a collector: a span is copied into a queue, and a thread sends what lies
 * there; what finds the queue full is dropped and counted. Like the log (base/log.h) there is one
 * for each process. Any thread, between spans_open and spans_close.
 *
 * Source: OpenTelemetry specification 1.x, environment variables and OTLP exporter. */
#ifndef PROCESS_SPANS_H
#define PROCESS_SPANS_H

#include "base/text.h"
#include "base/trace.h"

enum {
    SPAN_NAME_SIZE = 96,
    SPAN_ATTRIBUTES_MAX = 14,
    SPAN_TEXTS_SIZE = 640, /* of all its attributes together; what is beyond is left out */
    SPANS_QUEUE_MAX = 2048,
    SPANS_BATCH_MAX = 512
};

/* The numbers are OTLP's. */
enum span_kind { SPAN_SERVER = 2, SPAN_CLIENT = 3, SPAN_CONSUMER = 5 };

/* With all its texts inside. S_init is span_begin. */
struct span {
    struct trace trace; /* `trace.span` is its own id */
    uint64_t parent;    /* 0: it is the first of its trace */
    enum span_kind kind;
    bool failed;                /* by our fault */
    int64_t begun_us, ended_us; /* monotonic */
    char name[SPAN_NAME_SIZE];
    int attribute_count;
    struct span_attribute {
        const char *name; /* static */
        bool is_text;
        int64_t number; /* or where in `texts` */
        size_t size;
    } attributes[SPAN_ATTRIBUTES_MAX];
    size_t texts_size;
    char texts[SPAN_TEXTS_SIZE];
};

void span_begin(struct span *span, enum span_kind kind, const struct trace *trace, uint64_t parent,
                int64_t begun_us);
/* Few different ones: what differs with each request is an attribute. */
void span_name(struct span *span, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Beyond SPAN_ATTRIBUTES_MAX nothing happens, as with an empty text. What is not ASCII becomes '?'.
 * `name` is static. */
void span_put(struct span *span, const char *name, struct text value);
void span_put_i64(struct span *span, const char *name, int64_t value);

/* Reads the environment and, if it names a collector, starts the thread. What cannot be done is
 * said in the log, and the process goes on without. `program`: "edge"; `instance`: who it is among
 * its like, NULL: it has no name. Before there are other threads. */
void spans_open(const char *program, const char *instance);

/* Whether there is a collector. */
bool spans_wanted(void);

/* Whether the span of a request is to be told. `trace`: as it came in; or as it was just made up,
 * which is a `root`. */
bool spans_sample(const struct trace *trace, bool root);

void spans_note(const struct span *span);

/* For --help of a program that tells its spans. */
#define SPANS_HELP                                                                                 \
    "Traces go by OTLP to the collector that OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318 "        \
    "names.\n"

/* What became of them, since the start. */
void spans_metrics(struct buffer *out);

/* Sends what there is, for SPANS_LAST_MS at most. */
enum { SPANS_LAST_MS = 2000 };
void spans_close(void);

#endif
