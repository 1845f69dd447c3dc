/* What the fence needs of every bus: claims and stamps written by hand, and the acceptance rule
 * applied to what several readers see. */
#include "tests/bus/plays/plays.h"

#include "bus/fence.h"

#include <stdio.h>
#include <string.h>

enum { PARTITION = 1 };

static void say(struct role *role, const char *type, const char *mark, const char *value)
{
    struct bus_header headers[] = {{TEXT("ce_type"), text_of(type)},
                                   {text_of(mark), text_of(value)}};
    struct bus_record record = {.value = TEXT("{}"), .headers = headers, .header_count = 2};
    assert_int_equal(role_try(role, ACTS, PARTITION, &record), BUS_OK);
}

static void claim(struct role *role, uint64_t nonce)
{
    char mark[64];
    snprintf(mark, sizeof mark, "%016llx/here", (unsigned long long)nonce);
    say(role, "stagedoor.bus.Claimed", "sd_claim", mark);
}

static void stamp(struct role *role, int64_t at, uint64_t nonce, uint64_t n)
{
    struct buffer text = {0};
    stamp_print((struct stamp){at, nonce, n}, &text);
    say(role, "stagedoor.shows.SeatsHeld", "sd_stamp", text.data);
    buffer_release(&text);
}

/* One letter a record, as this reader finds it: C(laimed), A(ccepted), v(oid). */
static const char *verdicts(const struct role *reader, char letters[16])
{
    struct fence fence = fence_start();
    struct fence_reading reading;
    int count = 0;
    for (const struct seen *seen; (seen = role_record(reader, ACTS, PARTITION, count));) {
        enum fence_verdict verdict = fence_read(&fence, count, &seen->event.record, &reading);
        letters[count++] = verdict == FENCE_CLAIMED    ? 'C'
                           : verdict == FENCE_ACCEPTED ? 'A'
                           : verdict == FENCE_VOID     ? 'v'
                                                       : '?';
    }
    letters[count] = '\0';
    return letters;
}

static void assert_verdicts(struct stage *stage, struct role *a, struct role *b,
                            const char *expected)
{
    char letters[16];
    int count = (int)strlen(expected);
    UNTIL(stage, a->record_count == count && b->record_count == count);
    assert_string_equal(verdicts(a, letters), expected);
    assert_string_equal(verdicts(b, letters), expected);
}

/* Two claim a partition at once, and both write on: every reader accepts only the later one. */
static void of_two_claimants_the_later_counts(struct stage *stage)
{
    struct role *a = role_enter(stage, "a"), *b = role_enter(stage, "b");
    role_follow(a, ACTS, PARTITION, 0);
    role_follow(b, ACTS, PARTITION, 0);
    claim(a, 10);
    claim(b, 11);
    UNTIL(stage, a->record_count == 2 && b->record_count == 2);
    /* Where one's own claim lies is learned by reading it. */
    struct fence fence = fence_start();
    struct fence_reading reading;
    fence_read(&fence, 0, &role_record(a, ACTS, PARTITION, 0)->event.record, &reading);
    bool a_first = reading.nonce == 10;
    stamp(a, a_first ? 0 : 1, 10, 1);
    UNTIL(stage, b->record_count == 3);
    stamp(b, a_first ? 1 : 0, 11, 1);
    assert_verdicts(stage, a, b, a_first ? "CCvA" : "CCAv");
}

/* A writer that was fenced appends after the newer claim, late: void for every reader. */
static void a_late_append_after_a_newer_claim_is_void(struct stage *stage)
{
    struct role *old = role_enter(stage, "old"), *new = role_enter(stage, "new");
    role_follow(old, ACTS, PARTITION, 0);
    role_follow(new, ACTS, PARTITION, 0);
    claim(old, 10);
    stamp(old, 0, 10, 1);
    UNTIL(stage, new->record_count == 2);
    claim(new, 11);
    UNTIL(stage, old->record_count == 3);
    stamp(old, 0, 10, 2);
    UNTIL(stage, new->record_count == 4);
    stamp(new, 2, 11, 1);
    assert_verdicts(stage, old, new, "CACvA");
}

/* A stamp is missing: what is behind it is void, until its writer claims again. */
static void a_lost_suffix_stays_void_until_the_next_claim(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer"), *reader = role_enter(stage, "reader");
    role_follow(writer, ACTS, PARTITION, 0);
    role_follow(reader, ACTS, PARTITION, 0);
    claim(writer, 10);
    stamp(writer, 0, 10, 1);
    stamp(writer, 0, 10, 3); /* the second never landed */
    stamp(writer, 0, 10, 4);
    claim(writer, 11);
    stamp(writer, 4, 11, 1);
    assert_verdicts(stage, writer, reader, "CAvvCA");
}

const struct play claims_plays[] = {
    PLAY(of_two_claimants_the_later_counts, ANYWHERE),
    PLAY(a_late_append_after_a_newer_claim_is_void, ANYWHERE),
    PLAY(a_lost_suffix_stays_void_until_the_next_claim, ANYWHERE),
    {0},
};
