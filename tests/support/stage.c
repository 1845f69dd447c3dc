/* The stage: fresh logs, journals, and the promises that every event is held against. */
#include "tests/support/stage.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/prng.h"
#include "tests/support/trouble.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const topic_names[STAGE_TOPICS] = {"acts", "scenes"};

const char *stage_topic_name(int topic)
{
    return topic_names[topic];
}

enum { POLL_MS = 5, DRAIN_MAX = 500, SIM_STEP_MS = 5 };

/* ---- what is polled is written down and judged --------------------------------------------- */

static struct text keep(char **at, struct text text)
{
    struct text copy = {text.data ? *at : NULL, text.size};
    if (text.size)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return copy;
}

static void seen_take(struct seen *seen, const struct bus_event *event)
{
    *seen = (struct seen){.event = *event, .at_us = clock_monotonic_us()};
    seen->event.reason = NULL;
    if (event->type != BUS_RECORD)
        return;
    const struct bus_record *record = &event->record;
    size_t size = record->key.size + record->value.size + 1;
    assert_in_range(record->header_count, 0, BUS_HEADERS_MAX);
    for (int i = 0; i < record->header_count; i++)
        size += record->headers[i].name.size + record->headers[i].value.size;
    char *at = seen->bytes = memory_new(size);
    seen->event.record.key = keep(&at, record->key);
    seen->event.record.value = keep(&at, record->value);
    for (int i = 0; i < record->header_count; i++) {
        seen->headers[i].name = keep(&at, record->headers[i].name);
        seen->headers[i].value = keep(&at, record->headers[i].value);
    }
    seen->event.record.headers = NULL; /* journals grow: role_seen sets it */
}

static void judge_answer(struct role *role, const struct bus_event *event)
{
    if (event->tag >= role->tag_next || !role->waiting[event->tag])
        fail_msg("%s: an answer nobody waits for, tag %llu", role->name,
                 (unsigned long long)event->tag);
    role->waiting[event->tag] = 0;
    if (event->type == BUS_APPENDED)
        role->appended_count++;
    else
        role->failed_count++;
}

static void judge_place(struct role *role, const struct bus_event *event)
{
    assert_in_range(event->topic, 0, STAGE_TOPICS - 1);
    assert_in_range(event->partition, 0, STAGE_PARTITIONS - 1);
    int64_t *next = &role->next[event->topic][event->partition];
    if (*next < 0)
        fail_msg("%s: event %d of %s/%d, which it does not follow", role->name, (int)event->type,
                 topic_names[event->topic], event->partition);
    if (role->stage->holes && event->offset > *next && event->type != BUS_LOST)
        *next = event->offset;
    if (event->offset != *next)
        fail_msg("%s: event %d of %s/%d at offset %lld, expected %lld", role->name,
                 (int)event->type, topic_names[event->topic], event->partition,
                 (long long)event->offset, (long long)*next);
    if (event->type == BUS_RECORD) {
        role->record_count++;
        ++*next;
    } else if (event->type == BUS_CAUGHT_UP) {
        role->caught_up[event->topic][event->partition] = event->offset;
    } else {
        assert_non_null(event->reason);
        role->lost_count++;
        *next = -1;
    }
}

static void judge_membership(struct role *role, const struct bus_event *event)
{
    assert_in_range(event->partition, 0, STAGE_PARTITIONS - 1);
    bool assigned = event->type == BUS_ASSIGNED;
    if (role->owns[event->partition] == assigned)
        fail_msg("%s: partition number %d %s twice", role->name, event->partition,
                 assigned ? "assigned" : "revoked");
    role->owns[event->partition] = assigned;
    role->changed_count++;
}

static void judge(struct role *role, const struct bus_event *event)
{
    switch (event->type) {
    case BUS_APPENDED:
    case BUS_FAILED:
        judge_answer(role, event);
        return;
    case BUS_RECORD:
    case BUS_CAUGHT_UP:
    case BUS_LOST:
        judge_place(role, event);
        return;
    case BUS_ASSIGNED:
    case BUS_REVOKED:
        judge_membership(role, event);
        return;
    case BUS_SETTLED:
        role->settled = true;
        return;
    case BUS_DOWN:
    case BUS_UP:
        assert_int_equal(role->down, event->type == BUS_UP);
        role->down = event->type == BUS_DOWN;
        return;
    }
    fail_msg("%s: an event of unknown type %d", role->name, (int)event->type);
}

static bool role_poll(struct role *role, int timeout_ms)
{
    struct bus_event event;
    if (!bus_poll(role->bus, timeout_ms, &event))
        return false;
    if (role->seen_count == role->seen_capacity) {
        role->seen_capacity = role->seen_capacity ? role->seen_capacity * 2 : 64;
        role->journal =
            memory_grow(role->journal, (size_t)role->seen_capacity * sizeof *role->journal);
    }
    seen_take(&role->journal[role->seen_count++], &event);
    judge(role, &event);
    return true;
}

static const struct seen *show(struct seen *seen)
{
    seen->event.record.headers = seen->headers;
    return seen;
}

const struct seen *role_seen(const struct role *role, enum bus_event_type type, int n)
{
    for (int i = 0; i < role->seen_count; i++)
        if (role->journal[i].event.type == type && n-- == 0)
            return show(&role->journal[i]);
    return NULL;
}

const struct seen *role_record(const struct role *role, int topic, int partition, int64_t offset)
{
    for (int i = 0; i < role->seen_count; i++) {
        const struct bus_event *event = &role->journal[i].event;
        if (event->type == BUS_RECORD && event->topic == topic && event->partition == partition &&
            event->offset == offset)
            return show(&role->journal[i]);
    }
    return NULL;
}

bool role_heard(const struct role *role, int topic, int partition, int64_t offset,
                const char *value)
{
    const struct seen *seen = role_record(role, topic, partition, offset);
    return seen && text_is(seen->event.record.value, value);
}

/* ---- roles --------------------------------------------------------------------------------- */

struct role *role_open(struct stage *stage, const char *name, const char *prefix)
{
    assert_in_range(stage->role_count, 0, STAGE_ROLES - 1);
    struct role *role = &stage->roles[stage->role_count];
    *role = (struct role){.stage = stage, .name = name};
    memset(role->next, -1, sizeof role->next);
    memset(role->caught_up, -1, sizeof role->caught_up);
    struct bus_options options = {.client = "test",
                                  .instance = name[0] ? name : NULL,
                                  .topic_prefix = prefix,
                                  .session_timeout_ms = STAGE_SESSION_MS,
                                  .in_flight_max = stage->in_flight_max,
                                  .append_timeout_ms = stage->append_timeout_ms};
    struct bus_error error = {""};
    if (stage->sim)
        role->bus = sim_bus_open(stage->sim, &options);
    else if (bus_open(&role->bus, stage->url, &options, &error) != BUS_OK)
        fail_msg("cannot open '%s': %s", stage->url, error.text);
    assert_non_null(role->bus);
    stage->role_count++;
    return role;
}

enum bus_result role_topics(struct role *role, int partition_count, bool may_create, bool *created)
{
    struct bus_topic_spec specs[STAGE_TOPICS];
    for (int i = 0; i < STAGE_TOPICS; i++)
        specs[i] = (struct bus_topic_spec){topic_names[i], partition_count, may_create, false};
    struct bus_error error = {""};
    enum bus_result result = bus_topics(role->bus, specs, STAGE_TOPICS, &error);
    if (result != BUS_OK && error.text[0] == '\0')
        fail_msg("%s: bus_topics answers %d and does not say why", role->name, (int)result);
    if (result != BUS_OK)
        print_message("%s: %s\n", role->name, error.text);
    if (result == BUS_OK && specs[0].partition_count != STAGE_PARTITIONS)
        fail_msg("%s: bus_topics left partition_count %d", role->name, specs[0].partition_count);
    if (created)
        *created = specs[0].created && specs[1].created;
    return result;
}

struct role *role_enter(struct stage *stage, const char *name)
{
    struct role *role = role_open(stage, name, stage->prefix);
    assert_int_equal(role_topics(role, STAGE_PARTITIONS, true, NULL), BUS_OK);
    return role;
}

void role_close(struct role *role)
{
    bus_close(role->bus);
    role->bus = NULL;
}

static uint64_t role_tag(struct role *role)
{
    if (role->tag_next == role->tag_capacity) {
        role->tag_capacity = role->tag_capacity ? role->tag_capacity * 2 : 256;
        role->waiting = memory_grow(role->waiting, role->tag_capacity);
    }
    return role->tag_next;
}

enum bus_result role_try(struct role *role, int topic, int partition, struct bus_record *record)
{
    uint64_t tag = role_tag(role);
    enum bus_result result = bus_append(role->bus, topic, partition, record, tag);
    if (result == BUS_OK) {
        role->waiting[tag] = 1;
        role->tag_next++;
    }
    return result;
}

static void role_say_text(struct role *role, int topic, int partition, char *text)
{
    struct bus_record record = {.value = text_of(text)};
    int64_t deadline_ms = stage_now_ms(role->stage) + STAGE_DEADLINE_MS;
    for (;;) {
        enum bus_result result = role_try(role, topic, partition, &record);
        if (result == BUS_OK)
            break;
        assert_int_equal(result, BUS_FULL);
        stage_turn(role->stage, deadline_ms, "room in the queue");
    }
    memset(text, '#', strlen(text)); /* borrowed for the call only */
}

void role_say(struct role *role, int topic, int partition, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    role_say_text(role, topic, partition, text);
}

void role_say_lines(struct role *role, int topic, int partition, int first, int count)
{
    for (int i = first; i < first + count; i++)
        role_say(role, topic, partition, "%d", i);
}

void role_follow(struct role *role, int topic, int partition, int64_t offset)
{
    role->next[topic][partition] = offset;
    role->caught_up[topic][partition] = -1;
    bus_follow(role->bus, topic, partition, offset);
}

void role_unfollow(struct role *role, int topic, int partition)
{
    role->next[topic][partition] = -1;
    bus_unfollow(role->bus, topic, partition);
}

unsigned role_owned(const struct role *role)
{
    unsigned mask = 0;
    for (int p = 0; p < STAGE_PARTITIONS; p++)
        mask |= role->owns[p] ? 1u << p : 0;
    return mask;
}

uint64_t role_unanswered(const struct role *role)
{
    return role->tag_next - (uint64_t)role->appended_count - (uint64_t)role->failed_count;
}

/* ---- the stage ----------------------------------------------------------------------------- */

int64_t stage_now_ms(const struct stage *stage)
{
    return stage->sim ? sim_now_ms(stage->sim) : clock_monotonic_ms();
}

static bool everyone_polls(struct stage *stage)
{
    bool any = false;
    for (int i = 0; i < stage->role_count; i++) {
        struct role *role = &stage->roles[i];
        if (!role->bus || !role_poll(role, stage->sim ? 0 : POLL_MS))
            continue;
        any = true;
        for (int n = 0; n < DRAIN_MAX && role_poll(role, 0); n++)
            ;
    }
    for (int i = 0; i < stage->player_count; i++)
        player_turn(&stage->players[i]);
    return any;
}

void stage_turn(struct stage *stage, int64_t deadline_ms, const char *waiting_for)
{
    if (stage_now_ms(stage) > deadline_ms) {
        for (int i = 0; i < stage->role_count; i++) {
            const struct role *role = &stage->roles[i];
            print_error("%s: %d events, %d records, %d appended, %d failed, %d lost, owns %x\n",
                        role->name, role->seen_count, role->record_count, role->appended_count,
                        role->failed_count, role->lost_count, role_owned(role));
        }
        fail_msg("waited in vain for: %s", waiting_for);
    }
    if (!everyone_polls(stage) && stage->sim)
        sim_advance(stage->sim, SIM_STEP_MS);
}

void stage_listen(struct stage *stage, int for_ms)
{
    int64_t until_ms = stage_now_ms(stage) + for_ms;
    while (stage_now_ms(stage) < until_ms)
        stage_turn(stage, INT64_MAX, "");
}

struct stage *stage_open(const struct stage_backend *backend, bool own)
{
    struct stage *stage = memory_new(sizeof *stage);
    const char *asked = getenv("STAGEDOOR_TEST_SEED");
    uint64_t random = prng_seed_random();
    stage->seed = asked ? strtoull(asked, NULL, 10) : random;
    stage->backend = backend;
    snprintf(stage->prefix, sizeof stage->prefix, "t%012llx.",
             (unsigned long long)(random & 0xffffffffffff));
    if (backend->kind == ON_SIM) {
        stage->sim = sim_new(stage->seed, 1800000000000);
        sim_set_faults(stage->sim, &backend->faults);
        return stage;
    }
    snprintf(stage->folder, sizeof stage->folder, "%s", "/tmp/stagedoor-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    bool (*url)(char *, size_t, const char *) =
        own && backend->own_url ? backend->own_url : backend->url;
    if (url(stage->url, sizeof stage->url, stage->folder))
        return stage;
    stage_close(stage);
    fail_msg("no address for '%s'", backend->name);
    return NULL;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void role_release(struct role *role)
{
    bus_close(role->bus);
    for (int i = 0; i < role->seen_count; i++)
        memory_free(role->journal[i].bytes);
    memory_free(role->journal);
    memory_free(role->waiting);
}

void stage_close(struct stage *stage)
{
    if (!stage)
        return;
    trouble_over(stage);
    for (int i = 0; i < stage->player_count; i++)
        player_kill(&stage->players[i]);
    for (int i = 0; i < stage->role_count; i++)
        role_release(&stage->roles[i]);
    sim_free(stage->sim);
    if (stage->folder[0])
        nftw(stage->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    memory_free(stage);
}
