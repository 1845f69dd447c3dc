/* verify_print.h: what the auditor found, for people and for programs.
 *
 *     shows.events            512 records
 *       SeatsHeld                   120
 *     …
 *     verified: 2048 records, no breach
 *     breach of invariant 5 (no false refusal) at shows.events/0@17: rejected as sold_out, but …
 *
 * Pure; one thread. */
#ifndef CLI_VERIFY_PRINT_H
#define CLI_VERIFY_PRINT_H

#include "audit/audit.h"

/* What there is in the log, and the verdict. */
void verify_print_text(const struct audit *audit, struct buffer *out);

/* The same as one JSON object and a newline. */
void verify_print_json(const struct audit *audit, struct buffer *out);

/* The bar on a terminal, without a newline: it replaces itself. */
void verify_print_progress(uint64_t read, uint64_t total, uint64_t per_second, struct buffer *out);

#endif
