/* checkout_core_state.h: what the checkout core remembers. Private to the core's files. */
#ifndef SERVICES_CHECKOUT_CORE_STATE_H
#define SERVICES_CHECKOUT_CORE_STATE_H

#include "base/heap.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/recent.h"
#include "base/uuid.h"
#include "schemas/refusal.h"
#include "services/checkout/checkout_core.h"

enum { REFUND_COMMANDS_REMEMBERED = 16 };
#define REFUND_GIVE_UP_MS (INT64_C(3) * 24 * 3600 * 1000) /* after it was first asked for */

enum attempt_status {
    ATTEMPT_REFUSED,
    ATTEMPT_STARTED,
    ATTEMPT_REQUESTED,
    ATTEMPT_UNKNOWN,
    ATTEMPT_SUCCEEDED,
    ATTEMPT_FAILED,
    ATTEMPT_REJECTED,
    ATTEMPT_SUPERSEDED,
    ATTEMPT_ABANDONED
};

/* Money that came: a payment may be captured twice, each under a number of the provider. */
struct capture {
    struct text provider_ref;
    struct text fingerprint;
};

struct attempt {
    struct text payment_id;
    struct text fingerprint; /* of its StartCheckout */
    struct order *order;
    enum method method;
    struct text provider;   /* data NULL: none */
    struct text return_url; /* data NULL: none */
    enum attempt_status status;
    struct text
        told[result_COUNT]; /* the fingerprints of unknown and failed; data NULL: not told */
    struct capture *captures;
    int capture_count;
};

/* What is to be paid for one reservation. Nobody checks here whether it is that show's: shows will
 * say so, and a wrong show named first must not stand in the way of the right one. */
struct order {
    struct text key;            /* "<show_id>/<reservation_id>" */
    struct text reservation_id; /* part of the key */
    struct till *till;
    struct attempt *current; /* the latest one started */
    int started;             /* attempts, of CHECKOUT_ATTEMPTS_MAX */
};

struct repayment {
    struct text refund_id;
    struct text reservation_id;
    struct till *till;
    struct payment payment; /* texts owned */
    int64_t amount_minor;
    enum cause cause;
    int64_t attempt; /* how often it was asked for */
    bool failed;     /* … the last time, at … */
    int64_t failed_at_ms;
    int64_t first_at_ms;
    bool manual;
    bool completed;
    struct text completed_by; /* the fingerprint of the command; data NULL: it had none */
    struct recent commands;
    struct heap_node due; /* in checkout->due, unless manual or completed */
};

/* The money of one show. */
struct till {
    struct text show_id;
    bool archived;
    struct order **orders;
    size_t order_count;
    struct attempt **attempts;
    size_t attempt_count;
    struct repayment **refunds; /* archived: those under way */
    size_t refund_count;
};

struct checkout {
    struct map tills;    /* show_id → struct till */
    struct map orders;   /* key → struct order */
    struct map attempts; /* payment_id → struct attempt */
    struct map refunds;  /* refund_id → struct repayment */
    struct till **till_list;
    size_t till_count;
    struct heap due;
    uint64_t refunds_ever; /* ties between timers are settled by these */
};

enum { ORDER_KEY_SIZE = ID_SIZE_MAX + 1 + UUID_SIZE };
struct text order_key(const struct message *message, char out[ORDER_KEY_SIZE]);
struct order *order_find(const struct checkout *checkout, const struct message *message);
bool till_archived(const struct checkout *checkout, struct text show_id);
bool attempt_open(const struct attempt *attempt);
int64_t refund_due_at(const struct repayment *refund); /* INT64_MAX: never */

bool decide_payment(const struct checkout *checkout, const struct message *input,
                    struct message *outcome);
bool decide_refund(const struct message *input, int64_t amount_minor, enum cause cause,
                   struct message *outcome);
bool decide_repayment(const struct checkout *checkout, const struct message *input,
                      struct message *outcome);

#endif
