/* Who should own which partition number, as a group of static members settles it.
 *
 *     gone ──join──▶ beats ──crash, close, freeze──▶ silent ──session timeout──▶ gone
 *                      ▲                                │
 *                      └──successor joins, or thaws─────┘
 *
 * A silent member keeps its numbers, so that a restart moves nothing. What changes is told to the
 * handles one by one and read when they poll: until then two may believe they own a number. */
#include "bus/sim_internal.h"

#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void handle_tell(struct sim_bus *handle, enum bus_event_type type, int partition)
{
    if (handle->change_first == handle->change_count)
        handle->change_first = handle->change_count = 0;
    if (handle->change_count == handle->change_capacity) {
        handle->change_capacity = handle->change_capacity ? handle->change_capacity * 2 : 16;
        handle->changes =
            memory_grow(handle->changes, handle->change_capacity * sizeof *handle->changes);
    }
    handle->changes[handle->change_count++] = (struct change){type, partition};
}

static void group_give(struct group *group, int partition, struct member *owner)
{
    struct member *old = group->owners[partition];
    if (old == owner)
        return;
    if (old && old->handle)
        handle_tell(old->handle, BUS_REVOKED, partition);
    if (owner && owner->handle)
        handle_tell(owner->handle, BUS_ASSIGNED, partition);
    group->owners[partition] = owner;
}

static int group_size(const struct group *group)
{
    int count = 0;
    for (const struct member *member = group->members; member; member = member->next)
        count++;
    return count;
}

/* Kafka's range assignor: consecutive numbers over the sorted members, the first get one more. */
static void group_assign(struct group *group)
{
    int size = group_size(group), place = 0, partition = 0;
    for (struct member *member = group->members; member; member = member->next, place++) {
        int share = group->partition_count / size + (place < group->partition_count % size);
        for (int i = 0; i < share; i++)
            group_give(group, partition++, member);
    }
}

/* The fault: any member may get anything; half of the time everything is taken away first, as the
 * eager protocol does. */
void sim_group_shuffle(struct sim *sim, struct group *group)
{
    bool eager = prng_chance(&sim->prng, 1, 2);
    for (int p = 0; eager && p < group->partition_count; p++)
        group_give(group, p, NULL);
    for (int p = 0; p < group->partition_count; p++) {
        uint64_t lot = prng_below(&sim->prng, (uint64_t)group_size(group));
        struct member *owner = group->members;
        while (lot-- > 0)
            owner = owner->next;
        group_give(group, p, owner);
    }
}

struct group *sim_group(struct sim *sim, const struct sim_bus *handle, const char *name)
{
    char *full = sim_string_join(handle->prefix, name);
    struct group *group = sim->groups;
    while (group && strcmp(group->name, full) != 0)
        group = group->next;
    if (group) {
        memory_free(full);
        return group;
    }
    group = memory_new(sizeof *group);
    group->name = full;
    group->partition_count = handle->bus.partition_count;
    group->owners = memory_new((size_t)group->partition_count * sizeof(struct member *));
    group->next = sim->groups;
    return sim->groups = group;
}

/* The link that points at the member of that instance, or at the one it would stand before. */
static struct member **member_link(struct group *group, const char *instance)
{
    struct member **link = &group->members;
    while (*link && strcmp((*link)->instance, instance) < 0)
        link = &(*link)->next;
    return link;
}

struct member *sim_member(const struct group *group, const char *instance)
{
    struct member *member = group->members;
    while (member && strcmp(member->instance, instance) != 0)
        member = member->next;
    return member;
}

struct member *sim_member_of(const struct sim_bus *handle)
{
    struct member *member = sim_member(handle->group, handle->instance);
    assert(member && member->handle == handle);
    return member;
}

/* A new process under a known name takes over its place; one that still holds it is fenced. */
static void member_replace(struct group *group, struct member *member, struct sim_bus *handle)
{
    for (int p = 0; p < group->partition_count; p++) {
        if (group->owners[p] != member)
            continue;
        if (member->handle)
            handle_tell(member->handle, BUS_REVOKED, p);
        handle_tell(handle, BUS_ASSIGNED, p);
    }
    if (member->handle)
        member->handle->group = NULL;
    member->handle = handle;
}

void sim_group_add(struct group *group, struct sim_bus *handle)
{
    struct member *member = sim_member(group, handle->instance);
    handle->group = group;
    handle->rejoin = NULL;
    if (member) {
        member_replace(group, member, handle);
    } else {
        struct member **link = member_link(group, handle->instance);
        member = memory_new(sizeof *member);
        member->instance = sim_string_join(handle->instance, "");
        member->handle = handle;
        member->next = *link;
        *link = member;
        group_assign(group);
    }
    handle_tell(handle, BUS_SETTLED, 0);
    member->session_timeout_ms = handle->session_timeout_ms;
    member->expires_ms = INT64_MAX;
}

void sim_group_remove(struct group *group, struct member *member)
{
    for (int p = 0; p < group->partition_count; p++)
        if (group->owners[p] == member)
            group_give(group, p, NULL);
    *member_link(group, member->instance) = member->next;
    if (member->handle)
        member->handle->group = NULL;
    memory_free(member->instance);
    memory_free(member);
    if (group->members)
        group_assign(group);
}

struct member *sim_member_expiring(struct sim *sim, int64_t by_ms, struct group **of)
{
    struct member *first = NULL;
    for (struct group *group = sim->down ? NULL : sim->groups; group; group = group->next)
        for (struct member *member = group->members; member; member = member->next)
            if (member->expires_ms <= by_ms && (!first || member->expires_ms < first->expires_ms)) {
                first = member;
                *of = group;
            }
    return first;
}

void sim_members_spare(struct sim *sim)
{
    for (struct group *group = sim->groups; group; group = group->next)
        for (struct member *member = group->members; member; member = member->next)
            if (member->expires_ms != INT64_MAX)
                member->expires_ms = sim->now_ms + member->session_timeout_ms;
}

void sim_member_expire(struct group *group, struct member *member)
{
    if (member->handle)
        member->handle->rejoin = group;
    sim_group_remove(group, member);
}

void sim_member_falls_silent(struct sim_bus *handle)
{
    struct member *member = sim_member_of(handle);
    if (member->expires_ms == INT64_MAX)
        member->expires_ms = handle->sim->now_ms + member->session_timeout_ms;
}

void sim_group_free(struct group *group)
{
    for (struct member *member = group->members, *next; member; member = next) {
        next = member->next;
        memory_free(member->instance);
        memory_free(member);
    }
    memory_free(group->name);
    memory_free(group->owners);
    memory_free(group);
}
