/* rfc3339.h: times as text (RFC 3339), always UTC with milliseconds when printed. Pure; any thread.
 */
#ifndef BASE_RFC3339_H
#define BASE_RFC3339_H

#include "base/text.h"

enum { RFC3339_SIZE = 25 }; /* "2026-11-21T19:30:00.000Z" and a NUL */

/* Writes epoch milliseconds, 0 .. 9999-12-31, into `out`; returns `out`. */
const char *rfc3339_print(int64_t at_ms, char out[RFC3339_SIZE]);

/* Reads date-time with "Z" or an offset, up to nine digits of fraction (cut to milliseconds).
 * false: not a time, or before 1970. A leap second reads as the second after it. */
bool rfc3339_parse(struct text text, int64_t *at_ms);

#endif
