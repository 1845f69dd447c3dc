/* The fence: its texts, and the acceptance rule on whole partitions.
 *
 * Whatever is accepted of a text prints back to the very same text, so no two readers can differ.
 * And a reader that stops at any record and resumes judges everything behind it as one that read
 * all from the start. The first byte chooses. */
#include "bus/fence.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/record.h"

#include <assert.h>

static void same(struct text text, struct buffer *printed)
{
    assert(text_equal(text, buffer_view(printed)));
    buffer_release(printed);
}

static void check_stamp(struct text text)
{
    struct buffer printed = {0};
    struct stamp stamp;
    if (!stamp_parse(text, &stamp))
        return;
    assert(stamp.claim >= 0);
    stamp_print(stamp, &printed);
    same(text, &printed);
}

static void check_source(struct text text)
{
    struct buffer printed = {0};
    struct source source;
    if (!source_parse(text, &source))
        return;
    source_print(&source, &printed);
    same(text, &printed);
}

/* They are of as many inputs as they name, and of no other number. */
static void check_positions(struct text text)
{
    struct fence fences[FENCE_INPUTS_MAX];
    bool taken = false;
    for (int count = 1; count <= FENCE_INPUTS_MAX; count++) {
        struct buffer printed = {0};
        if (!positions_parse(text, fences, count))
            continue;
        assert(!taken);
        taken = true;
        positions_print(fences, count, &printed);
        same(text, &printed);
    }
}

/* ---- partitions ------------------------------------------------------------------------------ */

enum { RECORDS_MAX = 24 };

struct partition {
    struct record_text records[RECORDS_MAX];
    int count;
};

/* One record after another, a blank line between them; of each only the headers. */
static void read_partition(struct text rest, struct partition *partition)
{
    for (partition->count = 0; rest.data && partition->count < RECORDS_MAX; partition->count++)
        record_text_read(&partition->records[partition->count], fuzz_cut(&rest, "\n\n"));
}

/* Reads the next record as the follower does, its doubt settled at once. */
static enum fence_verdict read_one(struct fence *fence, const struct partition *partition,
                                   struct fence_reading *reading)
{
    int64_t offset = fence->next;
    enum fence_verdict verdict =
        fence_read(fence, offset, &partition->records[offset].record, reading);
    if (verdict != FENCE_DOUBT)
        return verdict;
    assert(fence->next == offset && fence->doubt < offset);
    verdict = fence_read(fence, fence->doubt, &partition->records[fence->doubt].record, reading);
    if (verdict == FENCE_LOST)
        return verdict;
    assert(verdict == FENCE_CLEARED && fence->next == offset);
    return fence_read(fence, offset, &partition->records[offset].record, reading);
}

static void check_resume(const struct partition *partition, int64_t at, struct fence resumed,
                         const enum fence_verdict *verdicts)
{
    struct fence_reading reading;
    for (; resumed.next < partition->count; at++)
        assert(read_one(&resumed, partition, &reading) == verdicts[at]);
}

static void check_partition(struct text text)
{
    static struct partition partition;
    enum fence_verdict verdicts[RECORDS_MAX];
    struct fence fence = fence_start(), before[RECORDS_MAX];
    struct fence_reading reading;
    read_partition(text, &partition);
    for (int i = 0; i < partition.count; i++) {
        before[i] = fence_position(&fence);
        assert(before[i].next == i);
        verdicts[i] = read_one(&fence, &partition, &reading);
        /* Nothing is removed here, so nothing is ever lost, and no doubt stays. */
        assert(verdicts[i] != FENCE_LOST && verdicts[i] != FENCE_DOUBT);
        bool accepted = verdicts[i] == FENCE_ACCEPTED || verdicts[i] == FENCE_PROGRESS;
        assert(fence.n == (verdicts[i] == FENCE_CLAIMED ? 0 : before[i].n + accepted));
        if (accepted)
            assert(reading.stamp.n == fence.n && reading.stamp.claim == fence.claim &&
                   reading.stamp.nonce == fence.nonce);
        else if (verdicts[i] != FENCE_CLAIMED)
            assert(fence.claim == before[i].claim && fence.nonce == before[i].nonce);
    }
    for (int i = 0; i < partition.count; i++)
        check_resume(&partition, i, before[i], verdicts);
    for (int i = 0; i < partition.count; i++)
        record_text_release(&partition.records[i]);
}

static void (*const checks[])(struct text) = {check_stamp, check_source, check_positions,
                                              check_partition};
enum { CHECKS = sizeof checks / sizeof *checks };

void fuzz_one(struct text input)
{
    checks[fuzz_byte(&input) % CHECKS](input);
}

#define CLAIM "ce_type: stagedoor.bus.Claimed\nsd_claim: 00c0ffee00c0ffee/i\n\n"
#define HELD(stamp)                                                                                \
    "ce_type: stagedoor.shows.SeatsHeld\nsd_stamp: " stamp                                         \
    "\nsd_source: timer\nsd_positions: 1;2\n\n"

void fuzz_seeds(void)
{
    fuzz_seed(text_of("@815-00c0ffee00c0ffee.3"));
    fuzz_seed(text_of("Atimer"));
    fuzz_seed(text_of("Ashows.commands/3@815#deadbeef"));
    fuzz_seed(text_of("B12@3-00c0ffee00c0ffee.7;0;5"));
    fuzz_seed(text_of("C" CLAIM HELD("0-00c0ffee00c0ffee.1") HELD("0-00c0ffee00c0ffee.2")));
    fuzz_seed(text_of("C" CLAIM HELD("0-00c0ffee00c0ffee.1") HELD("0-00c0ffee00c0ffee.1")
                          CLAIM HELD("3-00c0ffee00c0ffee.1") HELD("0-00c0ffee00c0ffee.2")));
    fuzz_seed(text_of("C" CLAIM HELD("0-00c0ffee00c0ffee.1") HELD("1-0000000000000001.1")
                          HELD("0-00c0ffee00c0ffee.2")));
    fuzz_word("sd_stamp: ");
    fuzz_word("sd_claim: ");
    fuzz_word("ce_type: ");
    fuzz_word("stagedoor.bus.Claimed");
    fuzz_word("stagedoor.bus.Progress");
    fuzz_word("stagedoor.bus.Installed");
    fuzz_word("content-type: application/cloudevents+json");
    fuzz_word("00c0ffee00c0ffee");
}
