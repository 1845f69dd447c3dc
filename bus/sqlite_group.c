/* Membership: who should own which partition number, by leases that count beats.
 *
 *     members(group, instance, nonce, …, beats)    one row per member; it counts `beats` up
 *     owners(group, partition, instance, nonce)    who holds the partition number now
 *     generations(group, generation)               moves with every change of the two
 *
 * No row holds a time. Each member watches the others' beats against its own monotonic clock, and
 * takes out one that has not moved for that one's session. Nobody leads: every member computes the
 * same shares, by range over the instances in order, from the same rows.
 *
 *     none ── in my share, row free, or its owner no member ──▶ owned     BUS_ASSIGNED
 *     owned ── no longer in my share ──▶ revoked                          BUS_REVOKED
 *     revoked ── the loop has been told ──▶ none                          row deleted
 *     any ── my row is gone, or has another's nonce ──▶ none              BUS_REVOKED
 *
 * So the next owner begins after the last has been told, unless that one does not poll: after a
 * session the number is taken from it. A member whose row is gone (it was frozen, the others took
 * it out) joins again; one whose row has another nonce has been replaced by its successor and
 * rests.
 *
 * All of it happens on the appender's thread, one small transaction per turn: a beat, or a change.
 * The loop's reader sees the generation move with everything else and pokes the appender. */
#include "bus/sqlite.h"

#include "base/clock.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void sqlite_group_start(struct sqlite_bus *handle)
{
    struct sqlite_group *group = &handle->group;
    size_t count = (size_t)handle->partition_count;
    group->delivered = memory_new(count * sizeof *group->delivered);
    group->released = memory_new(count * sizeof *group->released);
    group->holdings = memory_new(count * sizeof *group->holdings);
    group->planned = memory_new(count * sizeof *group->planned);
    group->wanted_since_ms = memory_new(count * sizeof *group->wanted_since_ms);
    group->owner_nonces = memory_new(count * sizeof *group->owner_nonces);
}

void sqlite_group_release(struct sqlite_bus *handle)
{
    struct sqlite_group *group = &handle->group;
    for (int i = 0; i < group->peer_count; i++)
        memory_free(group->peers[i].instance);
    memory_free(group->peers);
    memory_free(group->name);
    memory_free(group->loop_name);
    memory_free(group->asked_name);
    memory_free(group->delivered);
    memory_free(group->released);
    memory_free(group->holdings);
    memory_free(group->planned);
    memory_free(group->wanted_since_ms);
    memory_free(group->owner_nonces);
}

/* ---- the loop's side ------------------------------------------------------------------------- */

enum bus_result sqlite_join(struct sqlite_bus *handle, const char *name)
{
    struct sqlite_group *group = &handle->group;
    struct buffer full = {0};
    buffer_print(&full, "%s%s", handle->prefix, name);
    pthread_mutex_lock(&handle->appender.lock);
    memory_free(group->asked_name);
    group->asked_name = sqlite_copy(full.data);
    pthread_mutex_unlock(&handle->appender.lock);
    memory_free(group->loop_name);
    group->loop_name = full.data;
    sqlite_appender_poke(handle);
    return BUS_OK;
}

void sqlite_leave(struct sqlite_bus *handle)
{
    struct sqlite_appender *appender = &handle->appender;
    if (!appender->running)
        return;
    int64_t until_ms = clock_monotonic_ms() + SQLITE_LEAVE_TIMEOUT_MS;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    pthread_mutex_lock(&appender->lock);
    handle->group.leave_asked = true;
    memory_free(handle->group.asked_name); /* a join that was not done yet */
    handle->group.asked_name = NULL;
    appender->poked = true;
    pthread_cond_signal(&appender->work);
    int code = 0;
    while (handle->group.leave_asked && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&appender->settled, &appender->lock, &until);
    pthread_mutex_unlock(&appender->lock);
}

void sqlite_group_delivered(struct sqlite_bus *handle, int partition)
{
    pthread_mutex_lock(&handle->appender.lock);
    handle->group.delivered[partition] = true;
    pthread_mutex_unlock(&handle->appender.lock);
    sqlite_appender_poke(handle);
}

static int read_generation(struct sqlite_connection *connection, const char *name,
                           int64_t *generation)
{
    sqlite3_stmt *statement = sqlite_bound(connection, SQL_GENERATION, "s", name);
    int code = sqlite3_step(statement);
    *generation = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

void sqlite_group_look(struct sqlite_bus *handle)
{
    struct sqlite_group *group = &handle->group;
    int64_t known = atomic_load(&group->generation_known), generation;
    if (known < 0 || !group->loop_name ||
        read_generation(&handle->reading, group->loop_name, &generation) != SQLITE_OK ||
        generation == known || generation == group->generation_poked)
        return;
    group->generation_poked = generation;
    sqlite_appender_poke(handle);
}

/* ---- the rows, inside the transaction -------------------------------------------------------- */

/* Whether the row with our nonce was there to beat. */
static int beat(struct sqlite_bus *handle, bool *alive)
{
    const struct sqlite_group *group = &handle->group;
    int code = sqlite_run(sqlite_bound(&handle->writing, SQL_MEMBER_BEAT, "sss", group->name,
                                       handle->instance, group->nonce));
    *alive = sqlite3_changes(handle->writing.db) > 0;
    return code;
}

static int put_row(struct sqlite_bus *handle)
{
    const struct sqlite_group *group = &handle->group;
    int code = sqlite_run(sqlite_bound(&handle->writing, SQL_MEMBER_JOIN, "ssssi", group->name,
                                       handle->instance, group->nonce, handle->client,
                                       (int64_t)handle->session_timeout_ms));
    if (code != SQLITE_OK)
        return code;
    /* What our predecessor held is ours to take at once. */
    return sqlite_run(
        sqlite_bound(&handle->writing, SQL_OWNER_RELEASE_ALL, "ss", group->name, handle->instance));
}

static int take_out(struct sqlite_bus *handle, const char *instance, const char *nonce)
{
    const char *name = handle->group.name;
    int code =
        sqlite_run(sqlite_bound(&handle->writing, SQL_MEMBER_REMOVE, "sss", name, instance, nonce));
    if (code != SQLITE_OK)
        return code;
    return sqlite_run(sqlite_bound(&handle->writing, SQL_OWNER_RELEASE_ALL, "ss", name, instance));
}

static struct sqlite_peer *peer_of(struct sqlite_group *group, const char *nonce)
{
    for (int i = 0; i < group->peer_count; i++)
        if (strcmp(group->peers[i].nonce, nonce) == 0)
            return &group->peers[i];
    return NULL;
}

static void see_member(struct sqlite_group *group, sqlite3_stmt *row, int64_t now_ms)
{
    const char *nonce = (const char *)sqlite3_column_text(row, 1);
    struct sqlite_peer *peer = peer_of(group, nonce);
    int64_t beats = sqlite3_column_int64(row, 3);
    if (!peer) {
        if (group->peer_count == group->peer_capacity) {
            group->peer_capacity = group->peer_capacity ? 2 * group->peer_capacity : 8;
            group->peers =
                memory_grow(group->peers, (size_t)group->peer_capacity * sizeof *group->peers);
        }
        peer = &group->peers[group->peer_count++];
        *peer = (struct sqlite_peer){.beats = -1};
        peer->instance = sqlite_copy((const char *)sqlite3_column_text(row, 0));
        snprintf(peer->nonce, sizeof peer->nonce, "%s", nonce);
    }
    peer->present = true;
    peer->session_ms = sqlite3_column_int64(row, 2);
    /* Whoever could not beat for a while (frozen, disk full) could not see others beat either, and
     * they may have stood still for the same reason: their time begins anew. */
    if (peer->beats != beats || now_ms - group->last_turn_ms > peer->session_ms / 2)
        peer->moved_at_ms = now_ms;
    peer->beats = beats;
}

static int by_instance(const void *a, const void *b)
{
    return strcmp(((const struct sqlite_peer *)a)->instance,
                  ((const struct sqlite_peer *)b)->instance);
}

/* Brings the peers up to date, in the order of the instances, and takes out the dead. */
static int see_members(struct sqlite_bus *handle, int64_t now_ms, bool *changed)
{
    struct sqlite_group *group = &handle->group;
    for (int i = 0; i < group->peer_count; i++)
        group->peers[i].present = false;
    sqlite3_stmt *row = sqlite_bound(&handle->writing, SQL_MEMBER_LIST, "s", group->name);
    int code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW)
        see_member(group, row, now_ms);
    sqlite3_reset(row);
    code = code == SQLITE_DONE ? SQLITE_OK : code;
    int kept = 0;
    for (int i = 0; i < group->peer_count; i++) {
        struct sqlite_peer *peer = &group->peers[i];
        bool own = strcmp(peer->nonce, group->nonce) == 0;
        bool dead = peer->present && !own && now_ms - peer->moved_at_ms > peer->session_ms;
        if (dead && code == SQLITE_OK) {
            code = take_out(handle, peer->instance, peer->nonce);
            *changed = true;
        }
        if (peer->present && !dead)
            group->peers[kept++] = *peer;
        else
            memory_free(peer->instance);
    }
    group->peer_count = kept;
    qsort(group->peers, (size_t)kept, sizeof *group->peers, by_instance);
    return code;
}

static int see_owners(struct sqlite_bus *handle)
{
    struct sqlite_group *group = &handle->group;
    sqlite3_stmt *row = sqlite_bound(&handle->writing, SQL_OWNER_LIST, "s", group->name);
    int code;
    memset(group->owner_nonces, 0, (size_t)handle->partition_count * sizeof *group->owner_nonces);
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        int64_t partition = sqlite3_column_int64(row, 0);
        if (partition >= 0 && partition < handle->partition_count)
            snprintf(group->owner_nonces[partition], sizeof *group->owner_nonces, "%s",
                     (const char *)sqlite3_column_text(row, 1));
    }
    sqlite3_reset(row);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* ---- the plan -------------------------------------------------------------------------------- */

/* Our share: partition numbers first .. end-1. */
static void share(const struct sqlite_bus *handle, int *first, int *end)
{
    const struct sqlite_group *group = &handle->group;
    int place = 0;
    while (place < group->peer_count && strcmp(group->peers[place].nonce, group->nonce) != 0)
        place++;
    assert(place < group->peer_count);
    *first = place * handle->partition_count / group->peer_count;
    *end = (place + 1) * handle->partition_count / group->peer_count;
}

static int take(struct sqlite_bus *handle, int partition)
{
    const struct sqlite_group *group = &handle->group;
    return sqlite_run(sqlite_bound(&handle->writing, SQL_OWNER_TAKE, "siss", group->name,
                                   (int64_t)partition, handle->instance, group->nonce));
}

/* What becomes of one partition number; the state machine of the banner. */
static int plan_one(struct sqlite_bus *handle, int partition, bool mine, int64_t now_ms,
                    bool *changed)
{
    struct sqlite_group *group = &handle->group;
    enum sqlite_holding *plan = &group->planned[partition];
    int64_t *wanted_since_ms = &group->wanted_since_ms[partition];
    char *owner = group->owner_nonces[partition];
    int code = SQLITE_OK;
    if (*plan == HOLDING_REVOKED && group->released[partition]) {
        code = sqlite_run(sqlite_bound(&handle->writing, SQL_OWNER_RELEASE, "sis", group->name,
                                       (int64_t)partition, group->nonce));
        *plan = HOLDING_NONE;
        *changed = true;
        if (strcmp(owner, group->nonce) == 0)
            owner[0] = '\0';
    }
    if (*plan == HOLDING_OWNED && strcmp(owner, group->nonce) != 0)
        *plan = HOLDING_NONE;
    if (*plan == HOLDING_OWNED && !mine)
        *plan = HOLDING_REVOKED;
    if (*plan != HOLDING_NONE || !mine) {
        *wanted_since_ms = 0;
        return code;
    }
    if (!*wanted_since_ms)
        *wanted_since_ms = now_ms;
    bool held = owner[0] && peer_of(group, owner) && strcmp(owner, group->nonce) != 0;
    if (code != SQLITE_OK || (held && now_ms - *wanted_since_ms < handle->session_timeout_ms))
        return code;
    *plan = HOLDING_OWNED;
    *changed = true;
    return take(handle, partition);
}

static int plan(struct sqlite_bus *handle, int64_t now_ms, bool *changed)
{
    struct sqlite_group *group = &handle->group;
    int first, end, code = SQLITE_OK;
    share(handle, &first, &end);
    for (int i = 0; i < handle->partition_count && code == SQLITE_OK; i++)
        code = plan_one(handle, i, i >= first && i < end, now_ms, changed);
    if (code == SQLITE_OK && *changed)
        code = sqlite_run(sqlite_bound(&handle->writing, SQL_GENERATION_NEXT, "s", group->name));
    return code == SQLITE_OK ? read_generation(&handle->writing, group->name, &group->generation)
                             : code;
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* The plan is committed: tells the loop what it changes. */
static void adopt(struct sqlite_bus *handle)
{
    struct sqlite_group *group = &handle->group;
    for (int i = 0; i < handle->partition_count; i++) {
        enum sqlite_holding before = group->holdings[i], after = group->planned[i];
        if (before == HOLDING_OWNED && after != HOLDING_OWNED)
            sqlite_outbox_add(handle, (struct sqlite_news){.type = BUS_REVOKED, .partition = i});
        if (before != HOLDING_OWNED && after == HOLDING_OWNED)
            sqlite_outbox_add(handle, (struct sqlite_news){.type = BUS_ASSIGNED, .partition = i});
        if (before != HOLDING_REVOKED || after != HOLDING_REVOKED)
            group->released[i] = false; /* the loop has not been told of this one yet */
        group->holdings[i] = after;
    }
    if (group->row_put && !group->settled)
        sqlite_outbox_add(handle, (struct sqlite_news){.type = BUS_SETTLED});
    group->settled = group->row_put;
}

static void give_up_all(struct sqlite_bus *handle)
{
    for (int i = 0; i < handle->partition_count; i++)
        handle->group.planned[i] = HOLDING_NONE;
    adopt(handle);
    handle->group.row_put = handle->group.settled = false;
}

static void rest(struct sqlite_bus *handle)
{
    give_up_all(handle);
    handle->group.member = false;
    atomic_store(&handle->group.generation_known, -1);
}

enum standing { STANDING_MEMBER, STANDING_REPLACED, STANDING_REMOVED };

/* Inside the transaction. */
static int turn(struct sqlite_bus *handle, int64_t now_ms, bool *changed, enum standing *standing)
{
    struct sqlite_group *group = &handle->group;
    bool alive = true;
    int code = group->row_put ? beat(handle, &alive) : put_row(handle);
    if (code != SQLITE_OK)
        return code;
    if (!alive) {
        sqlite3_stmt *row =
            sqlite_bound(&handle->writing, SQL_MEMBER_NONCE, "ss", group->name, handle->instance);
        code = sqlite3_step(row);
        *standing = code == SQLITE_ROW ? STANDING_REPLACED : STANDING_REMOVED;
        sqlite3_reset(row);
        return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
    }
    *standing = STANDING_MEMBER;
    *changed = !group->row_put;
    code = see_members(handle, now_ms, changed);
    if (code == SQLITE_OK)
        code = see_owners(handle);
    return code == SQLITE_OK ? plan(handle, now_ms, changed) : code;
}

static int beat_interval_ms(const struct sqlite_bus *handle)
{
    int interval_ms = handle->session_timeout_ms / 6;
    return interval_ms < 1                    ? 1
           : interval_ms > SQLITE_BEAT_MAX_MS ? SQLITE_BEAT_MAX_MS
                                              : interval_ms;
}

static void take_turn(struct sqlite_bus *handle, int64_t now_ms)
{
    struct sqlite_group *group = &handle->group;
    bool changed = false;
    enum standing standing = STANDING_MEMBER;
    memcpy(group->planned, group->holdings,
           (size_t)handle->partition_count * sizeof *group->planned);
    group->turn_at_ms = now_ms + beat_interval_ms(handle);
    sqlite_patience(&handle->writing, beat_interval_ms(handle));
    int code = sqlite_begin_write(&handle->writing);
    if (code == SQLITE_OK)
        code = sqlite_finish(&handle->writing, turn(handle, now_ms, &changed, &standing));
    if (code != SQLITE_OK) {
        if ((code & 0xff) != SQLITE_BUSY) /* somebody else is writing: that is no outage */
            sqlite_appender_failed(handle, code);
        return;
    }
    sqlite_appender_succeeded(handle);
    group->last_turn_ms = now_ms;
    if (standing == STANDING_REPLACED) {
        rest(handle);
    } else if (standing == STANDING_REMOVED) {
        give_up_all(handle);
        group->turn_at_ms = now_ms; /* joins again */
    } else {
        group->row_put = true;
        adopt(handle);
        atomic_store(&group->generation_known, group->generation);
    }
    if (changed)
        sqlite_wake_touch(handle);
}

/* Takes the row away, so that the others need not wait for the session. */
static void leave(struct sqlite_bus *handle)
{
    struct sqlite_group *group = &handle->group;
    if (group->member && group->row_put) {
        sqlite_patience(&handle->writing, SQLITE_LEAVE_TIMEOUT_MS);
        int code = sqlite_begin_write(&handle->writing);
        bool alive = false;
        if (code == SQLITE_OK) {
            code = beat(handle, &alive); /* a successor with our instance keeps its rows */
            if (code == SQLITE_OK && alive)
                code = take_out(handle, handle->instance, group->nonce);
            if (code == SQLITE_OK && alive)
                code = sqlite_run(
                    sqlite_bound(&handle->writing, SQL_GENERATION_NEXT, "s", group->name));
            code = sqlite_finish(&handle->writing, code);
        }
        if (code == SQLITE_OK)
            sqlite_wake_touch(handle);
    }
    rest(handle);
}

void sqlite_group_turn(struct sqlite_bus *handle, int64_t now_ms)
{
    struct sqlite_group *group = &handle->group;
    pthread_mutex_lock(&handle->appender.lock);
    bool leave_asked = group->leave_asked;
    const char *joining = group->asked_name;
    group->asked_name = NULL;
    for (int i = 0; i < handle->partition_count; i++) {
        group->released[i] = group->released[i] || group->delivered[i];
        group->delivered[i] = false;
    }
    pthread_mutex_unlock(&handle->appender.lock);
    if (leave_asked) {
        leave(handle);
        sqlite_publish(handle); /* what it revokes is there when bus_leave returns */
        pthread_mutex_lock(&handle->appender.lock);
        group->leave_asked = false;
        pthread_cond_signal(&handle->appender.settled);
        pthread_mutex_unlock(&handle->appender.lock);
    }
    if (joining) {
        leave(handle); /* a second join takes the place of the first */
        memory_free(group->name);
        group->name = (char *)joining;
        sqlite_random_hex(group->nonce);
        group->member = true;
        group->last_turn_ms = now_ms;
    }
    if (group->member)
        take_turn(handle, now_ms);
}

int64_t sqlite_group_due_ms(const struct sqlite_bus *handle)
{
    return handle->group.member ? handle->group.turn_at_ms : INT64_MAX;
}
