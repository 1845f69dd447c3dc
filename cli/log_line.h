/* log_line.h: a log as lines of JSON: one that says which log it is, one for each record, one that
 * says that this was all.
 *
 *     {"stagedoor_export":1,"installation":"…","partitions":4}
 *     {"topic":"shows.events","partition":0,"offset":7,"append_ms":…,"key":"gala",
 *      "headers":[["ce_type","stagedoor.shows.SeatsHeld"],…],"value":"{…}"}
 *     {"records":812,"ends":{"shows.events":[203,…],…},"sums":{"shows.events":[2351891371,…],…}}
 *
 * Nothing is lost: bytes that cannot stand in JSON are {"hex":"…"}, what is absent is left out (in
 * headers: null), and of a record with more headers than anybody is shown, "more_headers" says so.
 * A sum is the CRC-32C of the lines of a partition's records, in their order. Pure; one thread. */
#ifndef CLI_LOG_LINE_H
#define CLI_LOG_LINE_H

#include "base/arena.h"
#include "bus/installation.h"
#include "bus/place.h"

enum { LOG_LINE_SIZE_MAX = 8 * 1024 * 1024, LOG_LINE_VERSION = 1 };

/* What of a log was written or read. */
struct log_sum {
    uint64_t record_count;
    int64_t ends[TOPIC_COUNT][PARTITIONS_MAX];
    uint32_t sums[TOPIC_COUNT][PARTITIONS_MAX];
};
bool log_sum_same(const struct log_sum *a, const struct log_sum *b);
/* `line` is the record at the end of its partition, without the newline. */
void log_sum_add(struct log_sum *sum, const struct place *place, struct text line);

/* Each without a newline. */
void log_line_put_head(struct buffer *out, const struct installation *installation);
void log_line_put_record(struct buffer *out, const struct place *place,
                         const struct bus_record *record);
void log_line_put_tail(struct buffer *out, const struct log_sum *sum, int partition_count);

enum log_line { LOG_LINE_HEAD, LOG_LINE_RECORD, LOG_LINE_TAIL, LOG_LINE_WRONG };

/* What a line says: HEAD `installation`, RECORD `place` and `record`, TAIL `sum`. Texts and headers
 * in `arena`. A record with more headers than is shown has one too many again. WRONG: `why`. */
struct log_line_read {
    struct installation installation;
    struct place place;
    struct bus_record record;
    struct bus_header headers[BUS_HEADERS_MAX + 1];
    struct log_sum sum;
    const char *why; /* static */
};
enum log_line log_line_read(struct text line, struct arena *arena, struct log_line_read *read);

#endif
