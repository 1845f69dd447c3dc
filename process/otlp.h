/* otlp.h: spans as a collector reads them: one ExportTraceServiceRequest as JSON. Private to spans.
 *
 * Source: opentelemetry-proto 1, and its JSON: ids are hex, 64-bit numbers are strings. Pure. */
#ifndef PROCESS_OTLP_H
#define PROCESS_OTLP_H

#include "process/spans.h"

/* Who speaks: `attributes` as of OTEL_RESOURCE_ATTRIBUTES, which yield to the others. */
struct otlp_resource {
    struct text name; /* service.name */
    const char *instance;
    struct text attributes;
};

/* `epoch_us`: when the monotonic clock began, UTC. */
void otlp_put(struct buffer *out, const struct otlp_resource *resource, const struct span *spans,
              int count, int64_t epoch_us);

/* How many spans of them the collector says it left out, by its answer; 0 too when it cannot be
 * read. `why` (`size` bytes): what it says about it. */
int64_t otlp_rejected(struct text answer, char *why, size_t size);

#endif
