/* script.h: what the paydesk is told to do, payment by payment.
 *
 *     script  = item *( "," item )
 *     item    = step [ "*" times ]              "succeed*3": the next three
 *     step    = word [ ":" argument ]
 *
 *     word                    argument          what becomes of the payment
 *     succeed                                   the money is taken
 *     fail                                      it is not
 *     late                    time (60s)        it is, that long after pay_by, cancelled or not
 *     unknown                                   nobody knows, and nobody ever will
 *     unknown-then-succeed    time (5s)         nobody knows; that much later the money was taken
 *     unknown-then-fail       time (5s)         … was not
 *     twice                                     taken once, told twice
 *     captured-twice                            taken twice, under two references
 *     wrong-amount                              one minor unit less than was asked
 *     wrong-currency                            as much of XTS, the currency of tests
 *     silent                                    nothing is ever heard
 *
 *     word                    argument          what becomes of the refund
 *     refund-complete                           the money goes back
 *     refund-fail             attempts (1)      that many attempts fail, or "always"; then complete
 *     refund-silent                             nothing is ever heard
 *
 *     time = digits ( "ms" | "s" | "m" | "h" )
 *
 * Payments and refunds each have a list of their own, whatever order they are written in; the n-th
 * payment, or refund, to appear gets the n-th step of its list, and the last step repeats. There is
 * no randomness: the same log and the same script end in the same answers. Pure; any thread. */
#ifndef PAYDESK_SCRIPT_H
#define PAYDESK_SCRIPT_H

#include "base/text.h"

enum { SCRIPT_ITEMS_MAX = 64, SCRIPT_ERROR_SIZE = 256 };
#define SCRIPT_TIMES_MAX   INT64_C(1000000)
#define SCRIPT_TIME_MAX_MS INT64_C(604800000) /* a week */
#define SCRIPT_ALWAYS      INT64_C(-1)        /* the argument of refund-fail:always */

enum script_word {
    SCRIPT_SUCCEED,
    SCRIPT_FAIL,
    SCRIPT_LATE,
    SCRIPT_UNKNOWN,
    SCRIPT_UNKNOWN_THEN_SUCCEED,
    SCRIPT_UNKNOWN_THEN_FAIL,
    SCRIPT_TWICE,
    SCRIPT_CAPTURED_TWICE,
    SCRIPT_WRONG_AMOUNT,
    SCRIPT_WRONG_CURRENCY,
    SCRIPT_SILENT,
    SCRIPT_REFUND_COMPLETE,
    SCRIPT_REFUND_FAIL,
    SCRIPT_REFUND_SILENT,
    SCRIPT_WORD_COUNT
};

struct script_step {
    enum script_word word;
    int64_t argument; /* milliseconds, or attempts; 0: it takes none */
};

struct script_list {
    struct script_step steps[SCRIPT_ITEMS_MAX];
    int64_t times[SCRIPT_ITEMS_MAX];
    int count; /* at least 1 once parsed */
};

struct script {
    struct script_list payments;
    struct script_list refunds;
};

/* Reads a script ("" is one, too) and what comes after it: `otherwise` is one more step, put behind
 * its list, so that it repeats in place of the last; NULL: none. A list that stays empty gets
 * succeed, or refund-complete. false: `error` (SCRIPT_ERROR_SIZE bytes) says what is wrong. */
bool script_parse(struct text text, const char *otherwise, struct script *script, char *error);

/* The step of the n-th payment or refund, from 0. */
struct script_step script_payment(const struct script *script, int64_t n);
struct script_step script_refund(const struct script *script, int64_t n);

/* One step, as a script writes it. */
void script_step_print(struct script_step step, struct buffer *out);
bool script_step_parse(struct text text, struct script_step *step, char *error);

/* "250ms", "90s", "5m", "1h", at most a week. */
bool script_time_parse(struct text text, int64_t *time_ms);

#endif
