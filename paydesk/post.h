/* post.h: sending what is owed to the edge, and hearing what it says.
 *
 * POST EDGE/v1/payments/callbacks/PROVIDER with the three headers of Standard Webhooks. Up to
 * POST_SLOTS at once, none of them waited for: libcurl's multi interface is turned between two
 * looks at the log. What the edge may answer:
 *
 *     2xx                         it is in the log: TOLD
 *     408, 429, 5xx, no answer    later again: after 250 ms, doubling up to a minute, or after its
 *                                 Retry-After if that is longer; for ever
 *     401                         likewise, signed anew: a clock was set between signing and
 *                                 reading, or a secret is being changed; money waits for either
 *     anything else               it will never take it: REFUSED, an error line, and left to a
 *                                 person; starting the paydesk again sends it again
 *
 * Only answers that are in the ledger's file are sent, so post_send comes after ledger_commit.
 * One thread. */
#ifndef PAYDESK_POST_H
#define PAYDESK_POST_H

#include "paydesk/ledger.h"
#include "paydesk/signature.h"

enum { POST_SLOTS = 16, POST_AGAIN_FIRST_MS = 250, POST_AGAIN_MAX_MS = 60 * 1000 };

struct post;

/* `edge`: its url, with or without a slash at the end. Strings are borrowed, the key is copied. */
struct post *post_new(struct ledger *ledger, const char *edge, const char *provider,
                      const struct signature_key *key);
void post_free(struct post *post); /* what is under way stays owed */

/* Moves what is under way; what was answered is written into the ledger. */
void post_collect(struct post *post, int64_t now_ms);

/* Starts sending what is owed and due, as far as there are slots. */
void post_send(struct post *post, int64_t now_ms);

int post_under_way(const struct post *post);

/* Callbacks since the start, by what the edge made of them. Any thread. */
struct post_counts {
    _Atomic uint64_t told, again, refused;
};
const struct post_counts *post_counts(const struct post *post);

/* ---- what an answer means. Pure -------------------------------------------------------------- */
enum post_verdict { POST_TAKEN, POST_AGAIN, POST_REFUSED };
enum post_verdict post_verdict(long status); /* 0: no answer */

/* How long to wait after `tries` failed ones. */
int64_t post_again_ms(int64_t tries, int64_t retry_after_s);

#endif
