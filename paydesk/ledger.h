/* ledger.h: what the paydesk must not forget, in one SQLite file: how far it has read the log, what
 * it was asked for, and every answer it will give, owes, or gave.
 *
 * The life of an answer:
 *
 *     PLANNED ──▶ OWED ──▶ TOLD            it happens: the money is taken, or is not; the edge says
 *        │          └────▶ REFUSED         2xx, or 4xx: a person must look
 *        ├────────▶ CANCELLED              before it happened
 *        └────────▶ TOLD                   read anew from the start, and the log has it already
 *
 * Everything between two commits is one transaction: a position in the log never moves without what
 * was decided on the way there, and no answer is sent that is not in the file. So kill -9 forgets
 * nothing; at worst an answer is sent once more.
 *
 * Writing cannot fail halfway: after a first error nothing is written any more, and ledger_commit
 * says so; whoever hears it ends the process and starts again from the file. One thread. */
#ifndef PAYDESK_LEDGER_H
#define PAYDESK_LEDGER_H

#include "bus/fence.h"
#include "bus/installation.h"

enum { LEDGER_ERROR_SIZE = 512 };

struct ledger;

struct ledger_answer {
    int64_t seq;         /* out */
    struct text subject; /* payment_id or refund_id */
    struct text show_id;
    struct text webhook_id;
    struct text result; /* "succeeded", "completed" … */
    struct text provider_ref;
    struct text body;
    bool firm;     /* happens even if the intent is cancelled */
    int64_t at_ms; /* wall clock; PLANNED: when it happens; OWED: when it is sent next */
    int64_t tries; /* out */
};

/* Opens or makes the file (":memory:" for tests). It is locked: one paydesk a file. NULL: `error`
 * says why. */
struct ledger *ledger_open(const char *path, char *error);
void ledger_close(struct ledger *ledger); /* NULL is allowed; what was not committed is gone */

/* A new file becomes that of this installation and provider; another's is refused, for whoever
 * emptied it would forget what was paid. Answers a person had to look at are owed again: they were
 * told to start the paydesk anew once they had. `*refused_count`: how many. */
bool ledger_claim(struct ledger *ledger, const struct installation *installation,
                  const char *provider, int64_t now_ms, int *refused_count, char *error);

/* true when all was written since the last commit, and is durable. */
bool ledger_commit(struct ledger *ledger, char *error);

/* ---- places in the log ----------------------------------------------------------------------- */

/* Where to go on reading the partition: the start, when there is nothing. */
struct fence ledger_position(struct ledger *ledger, int partition);
void ledger_put_position(struct ledger *ledger, int partition, const struct fence *fence);

/* ---- places in the script -------------------------------------------------------------------- */

/* Remembers the script; if it was another one before, counting starts anew. true: it was. */
bool ledger_put_script(struct ledger *ledger, struct text script);

/* The next number of that counter ("payments", "refunds"), from 0. */
int64_t ledger_count(struct ledger *ledger, const char *counter);

/* The step a payment or refund was given when it first appeared, appended to `step`. false: it has
 * not appeared. */
bool ledger_find_request(struct ledger *ledger, struct text subject, struct buffer *step);
void ledger_put_request(struct ledger *ledger, const char *counter, struct text subject,
                        struct text show_id, struct text step);

/* ---- answers --------------------------------------------------------------------------------- */

void ledger_plan(struct ledger *ledger, const struct ledger_answer *answer);

/* Cancels what is planned for the subject and not firm: how many answers. `*firm`: how many stay.
 */
int ledger_cancel(struct ledger *ledger, struct text subject, int *firm);

/* The log has this answer: if it was planned since the file was opened, it is TOLD. */
bool ledger_found(struct ledger *ledger, struct text subject, struct text result,
                  struct text provider_ref);

/* The first planned answer that is due, in order of time, becomes OWED. false: none is. Texts are
 * borrowed until the next call. */
bool ledger_happen(struct ledger *ledger, int64_t now_ms, struct ledger_answer *answer);

/* The n-th answer that is owed and due, in order of time; of one subject only the first that is
 * owed, so that its answers arrive in order. false: there is none. Texts are borrowed until the
 * next call. */
bool ledger_owed(struct ledger *ledger, int64_t now_ms, int n, struct ledger_answer *answer);

void ledger_told(struct ledger *ledger, int64_t seq);
void ledger_refused(struct ledger *ledger, int64_t seq, struct text problem);
void ledger_again(struct ledger *ledger, int64_t seq, int64_t at_ms, struct text problem);

/* When something is planned or owed next; INT64_MAX: nothing. */
int64_t ledger_next_planned_ms(struct ledger *ledger);
int64_t ledger_next_owed_ms(struct ledger *ledger);
int64_t ledger_owed_count(struct ledger *ledger);

/* The show is over: its payments and the answers that are settled are forgotten. What is planned,
 * owed or refused stays, and so do refunds, whose next attempts may still come. */
void ledger_forget(struct ledger *ledger, struct text show_id);

#endif
