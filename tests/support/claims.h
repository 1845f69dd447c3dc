/* claims.h: what the fence needs of every bus, as plays of the conformance suite: claims and stamps
 * written by hand, and the acceptance rule applied to what comes back. */
#ifndef TESTS_SUPPORT_CLAIMS_H
#define TESTS_SUPPORT_CLAIMS_H

#include "tests/support/stage.h"

/* Two claim a partition at once, and both write on: every reader accepts only the later one. */
void of_two_claimants_the_later_counts(struct stage *stage);

/* A writer that was fenced appends after the newer claim, late: void for every reader. */
void a_late_append_after_a_newer_claim_is_void(struct stage *stage);

/* A stamp is missing: what is behind it is void, until its writer claims again. */
void a_lost_suffix_stays_void_until_the_next_claim(struct stage *stage);

#endif
