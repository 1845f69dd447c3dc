/* when.h: a moment given on the command line. Pure; any thread. */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include "base/text.h"

#define WHEN_HELP "an RFC 3339 time, or how long ago: 90s, 10m, 2h, 3d, 1h30m"

/* Reads either form; `now_ms` is what "ago" is counted from. false: it is neither, or before 1970.
 */
bool when_parse(struct text text, int64_t now_ms, int64_t *at_ms);

#endif
