/* record.h: a record of the log as a text, so that mutations of it stay readable:
 *
 *     ce_type: stagedoor.shows.CreateShow
 *     sd_stamp: 815-00c0ffee00c0ffee.3
 *
 *     {"show_id": …
 *
 * Headers as they lie in the SQLite log, a blank line, the value. The key is the header "key". */
#ifndef TESTS_FUZZ_RECORD_H
#define TESTS_FUZZ_RECORD_H

#include "bus/bus.h"

/* S_init is by record_text_read; bytes of its own, so that reading beyond their end is seen. */
struct record_text {
    char *bytes;
    char *value;
    struct bus_header headers[BUS_HEADERS_MAX];
    struct bus_record record;
};

void record_text_read(struct record_text *made, struct text text);
void record_text_release(struct record_text *made);

/* The same way back, for first inputs. */
void record_text_print(const struct bus_record *record, struct buffer *out);

#endif
