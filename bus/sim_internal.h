/* sim_internal.h: what the files of the simulated log share. Not for anyone else to include. */
#ifndef BUS_SIM_INTERNAL_H
#define BUS_SIM_INTERNAL_H

#include "base/heap.h"
#include "base/memory.h"
#include "base/prng.h"
#include "bus/backend.h"
#include "bus/sim.h"

#include <stdio.h>
#include <string.h>

/* A record as the log keeps it: one block, the bytes behind the struct. */
struct stored {
    struct bus_record record;
    struct stored *next; /* among the truncated */
};

struct partition {
    struct stored **records; /* NULL: a hole */
    int64_t start;           /* what was below is eaten */
    int64_t end;
    int64_t capacity;
};

struct topic {
    char *name; /* with its prefix */
    struct partition *partitions;
    int partition_count;
};

struct flight {
    struct heap_node landing; /* in the heap until it lands, is lost, or its process is frozen */
    struct stored *stored;    /* NULL once landed or lost */
    struct partition *partition;
    struct sim_bus *owner; /* NULL: on the wire */
    struct flight *next;   /* in the lane */
    uint64_t tag;
    int64_t answer_ms;   /* when its answer may be polled */
    int64_t deadline_ms; /* and when it has failed for want of one */
    int64_t offset;      /* -1 until landed */
    bool failed;         /* what the answer will say */
    bool suffix_lost;    /* and what is appended while it is unanswered is lost too */
    bool alone;          /* keeps no order with its lane */
    bool untold;         /* its answer names no offset */
};

/* What a handle has to do with one partition: the appends it waits for, and where it reads. */
struct place {
    struct flight *first, *last;
    int64_t land_ms;   /* of the youngest in the lane: nobody overtakes */
    int64_t answer_ms; /* likewise */
    bool followed;
    bool lost;    /* truncated below `position`, and seen so */
    bool looked;  /* CAUGHT_UP was said for `position` */
    bool saw_end; /* CAUGHT_UP is under way, whatever lands meanwhile */
    int64_t position;
    int64_t stalled_ms; /* nothing is delivered before this; 0: not stalled */
};

struct change {
    enum bus_event_type type;
    int partition;
};

struct sim_bus {
    struct bus bus;
    struct sim *sim;
    struct sim_bus *next;
    char *prefix;
    char *instance;
    int session_timeout_ms, in_flight_max, append_timeout_ms;
    int in_flight;
    int *topics; /* from the handle's topic to the cluster's */
    struct place *places;
    struct group *group;    /* of which it is a member, or NULL */
    struct group *rejoin;   /* from which it was put while frozen: it asks again once thawed */
    struct change *changes; /* membership not yet polled */
    size_t change_first, change_count, change_capacity;
    bool frozen;
    bool woken;
    bool told_down;
};

struct member {
    char *instance;
    struct sim_bus *handle; /* NULL: its process is gone, its place is kept until `expires_ms` */
    int session_timeout_ms;
    int64_t expires_ms;  /* INT64_MAX: it beats */
    struct member *next; /* sorted by instance */
};

struct group {
    char *name;
    struct member *members;
    struct member **owners; /* per partition number; NULL: nobody */
    int partition_count;
    struct group *next;
};

struct sim {
    struct prng prng;
    int64_t now_ms;
    int64_t clock_offset_ms; /* the log's clock less the time that passes */
    bool clock_stopped;
    int64_t clock_stopped_ms; /* when */
    uint64_t seq;
    bool down; /* nobody reaches the log */
    struct sim_faults faults;
    struct sim_counts counts;
    struct topic *topics;
    int topic_count;
    struct heap landings;
    struct stored *truncated; /* kept: a reader may still hold what it was given */
    struct sim_bus *handles;
    struct group *groups;
    void (*witness)(void *context, struct bus *bus, enum sim_moment moment);
    void *witness_context;
};

/* Draws whether a fault of that chance per thousand happens now, and counts it. */
static inline bool sim_fires(struct sim *sim, int chance, uint64_t *count)
{
    if (chance <= 0 || !prng_chance(&sim->prng, (uint64_t)chance, 1000))
        return false;
    ++*count;
    return true;
}

/* Both texts in one, owned by the caller. */
static inline char *sim_string_join(const char *a, const char *b)
{
    size_t size = strlen(a) + strlen(b) + 1;
    char *joined = memory_new(size);
    snprintf(joined, size, "%s%s", a, b);
    return joined;
}

/* The group of that name among the handle's installation; made when it is new. */
struct group *sim_group(struct sim *sim, const struct sim_bus *handle, const char *name);
void sim_group_free(struct group *group);

/* The handle becomes a member, or takes over the place of its instance. */
void sim_group_add(struct group *group, struct sim_bus *handle);

/* The member is gone for good; the others share out what it had. */
void sim_group_remove(struct group *group, struct member *member);

/* The fault. */
void sim_group_shuffle(struct sim *sim, struct group *group);

/* The member of that instance, or NULL; and that of a handle that is in a group. */
struct member *sim_member(const struct group *group, const char *instance);
struct member *sim_member_of(const struct sim_bus *handle);

/* No beat comes from it any more: its place is kept until the session times out. */
void sim_member_falls_silent(struct sim_bus *handle);

/* The member whose session ends first, by `by_ms`, with its group; or NULL. */
struct member *sim_member_expiring(struct sim *sim, int64_t by_ms, struct group **of);
void sim_member_expire(struct group *group, struct member *member);

/* The coordinator was away: whoever is silent has its whole session from now on. */
void sim_members_spare(struct sim *sim);

#endif
