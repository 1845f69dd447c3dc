/* owners.h: who owns what, folded from the log.
 *
 * The log knows who claimed a partition last, what was accepted since, and how far its owner says
 * that it has read. An owner without anything to answer writes nothing: whether it is alive then,
 * the log cannot tell. What waits are inputs behind its last positions that may need an outcome;
 * progress and what never has one are not counted. Pure but for memory; one thread. */
#ifndef CLI_OWNERS_H
#define CLI_OWNERS_H

#include "audit/parts.h"
#include "bus/follower.h"

enum {
    OWNER_LATELY_MS = 10 * 60 * 1000, /* claims that count as lately */
    OWNER_PATIENCE_MS = 60 * 1000,    /* something waits, and nothing was said: silent */
    OWNER_CLAIMS_MAX = 64,            /* remembered; more are not told apart */
    OWNER_CHANGES_MANY = 3            /* lately: who owns the partition goes to and fro */
};

enum owner_state {
    OWNER_NOBODY,     /* never claimed */
    OWNER_READY,      /* nothing waits for it */
    OWNER_RECOVERING, /* claimed a moment ago and has said nothing yet */
    OWNER_BEHIND,     /* at work */
    OWNER_SILENT      /* something waits, and it has said nothing for a minute */
};

struct owner_claim {
    int64_t at_ms;
    bool changed; /* another instance than the one before */
};

/* Inputs behind the owner's position, in their order: items[first .. count). */
struct owner_backlog {
    struct owner_waiting {
        int64_t offset, append_ms;
    } * items;
    size_t first, count, capacity;
    int64_t position;
};

/* Of one service in one partition. */
struct owner {
    int64_t claim; /* offset of the current claim; -1: none */
    uint64_t nonce;
    int64_t since_ms;
    struct text instance, host, version; /* of its own */
    int64_t pid, rules;
    int64_t record_count; /* accepted since */
    int64_t last_ms;      /* append time of the last of them, or of the claim */
    struct owner_claim claims[OWNER_CLAIMS_MAX]; /* a ring: claims[claim_count % MAX] is next */
    int64_t claim_count;
    struct owner_backlog backlogs[INPUTS_MAX];
};

/* S_init is {.partition_count = …}. */
struct owners {
    int partition_count;
    struct owner *of[SERVICES]; /* by partition; NULL: nothing was taken yet */
};

/* Takes what a reading of all six topics gives, claims and progress too. */
void owners_take(struct owners *owners, enum follower_news news, const struct follower_item *item);
void owners_release(struct owners *owners);

/* What one of them looks like at `now_ms`; the texts are borrowed. */
struct owner_look {
    enum owner_state state;
    const struct owner *owner;
    int64_t waiting_count;
    int64_t waiting_ms; /* how long the oldest has waited; 0: none */
    int64_t quiet_ms;   /* since its last word */
    int64_t claims_lately, changes_lately;
};
struct owner_look owners_look(const struct owners *owners, int service, int partition,
                              int64_t now_ms);
const char *owner_state_name(enum owner_state state);

#endif
