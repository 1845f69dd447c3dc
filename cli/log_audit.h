/* log_audit.h: the whole log shown to the auditor, to the ends it had when the reading began. One
 * thread. */
#ifndef CLI_LOG_AUDIT_H
#define CLI_LOG_AUDIT_H

#include "audit/audit.h"
#include "cli/commands.h"

/* `at_rest`: as audit_finish has it. The bus is followed by nobody else meanwhile. Given back with
 * audit_free. NULL: it could not be read; one line was printed, and `*end` is the exit code. */
struct audit *log_audit(const struct command *command, struct bus *bus,
                        const struct installation *installation,
                        const struct audit_options *options, bool at_rest, int *end);

#endif
