/* The acceptance rule: what each record of an event topic is, the canonical texts, and that readers
 * who stop and resume anywhere agree with one who read from the start. */
#include "base/crc.h"
#include "base/prng.h"
#include "bus/fence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- logs in short hand ----------------------------------------------------------------------
 *
 *     I            the installation record            C a       a claim with the nonce a
 *     A 1-a.2      an outcome with that stamp         P 1-a.2   a Progress record
 *     H x=y z=w    headers as they are
 *
 * joined by ";", offsets from 0. */

enum { LOG_MAX = 400, HEADERS_MAX = 40, BYTES_MAX = 400 };

struct entry {
    char bytes[BYTES_MAX];
    struct bus_header headers[HEADERS_MAX];
    struct bus_record record;
};

struct log {
    int64_t end;
    struct entry *entries[LOG_MAX];
};

static struct entry *log_add(struct log *log)
{
    assert_in_range(log->end, 0, LOG_MAX - 1);
    struct entry *entry = calloc(1, sizeof *entry);
    entry->record.headers = entry->headers;
    return log->entries[log->end++] = entry;
}

static void log_release(struct log *log)
{
    while (log->end > 0)
        free(log->entries[--log->end]);
}

static void header(struct entry *entry, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void header(struct entry *entry, const char *name, const char *format, ...)
{
    char *at = entry->bytes;
    va_list arguments;
    for (int i = 0; i < entry->record.header_count; i++)
        at = (char *)(uintptr_t)entry->headers[i].value.data + entry->headers[i].value.size + 1;
    va_start(arguments, format);
    int size = vsnprintf(at, (size_t)(entry->bytes + BYTES_MAX - at), format, arguments);
    va_end(arguments);
    entry->headers[entry->record.header_count++] =
        (struct bus_header){text_of(name), {at, (size_t)size}};
}

static void add_claim(struct log *log, uint64_t nonce)
{
    struct entry *entry = log_add(log);
    header(entry, "ce_type", "stagedoor.bus.Claimed");
    header(entry, "sd_claim", "%016llx/here", (unsigned long long)nonce);
}

static void add_stamped(struct log *log, const char *type, int64_t claim, uint64_t nonce,
                        uint64_t n)
{
    struct entry *entry = log_add(log);
    header(entry, "ce_type", "%s", type);
    header(entry, "sd_stamp", "%lld-%016llx.%llu", (long long)claim, (unsigned long long)nonce,
           (unsigned long long)n);
    header(entry, "sd_source", "timer");
    header(entry, "sd_positions", "7");
}

/* "H a=b c=d": names are compared by their bytes, so they may lie in the script. */
static void add_headers(struct log *log, const char *text)
{
    struct entry *entry = log_add(log);
    static char kept[64][200];
    static int next;
    char *line = kept[next++ % 64];
    snprintf(line, sizeof kept[0], "%s", text);
    for (char *at = strtok(line, " "); at; at = strtok(NULL, " ")) {
        char *value = strchr(at, '=');
        *value++ = '\0';
        entry->headers[entry->record.header_count++] =
            (struct bus_header){text_of(at), text_of(value)};
    }
}

static void add_script(struct log *log, const char *script)
{
    char copy[600], *rest = copy;
    snprintf(copy, sizeof copy, "%s", script);
    for (char *line; (line = strsep(&rest, ";"));) {
        long long claim;
        unsigned long long nonce, n;
        if (line[0] == 'I')
            header(log_add(log), "ce_type", "stagedoor.bus.Installed");
        else if (sscanf(line, "C %llx", &nonce) == 1)
            add_claim(log, nonce);
        else if (sscanf(line, "A %lld-%llx.%llu", &claim, &nonce, &n) == 3)
            add_stamped(log, "stagedoor.shows.SeatsHeld", claim, nonce, n);
        else if (sscanf(line, "P %lld-%llx.%llu", &claim, &nonce, &n) == 3)
            add_stamped(log, "stagedoor.bus.Progress", claim, nonce, n);
        else
            add_headers(log, line + 2);
    }
}

/* Reads the record at fence->next and settles a doubt on the way, as every follower does. */
static enum fence_verdict read_next(const struct log *log, struct fence *fence,
                                    struct fence_reading *reading)
{
    for (;;) {
        int64_t at = fence->in_doubt ? fence->doubt : fence->next;
        enum fence_verdict verdict = fence_read(fence, at, &log->entries[at]->record, reading);
        if (verdict == FENCE_CLEARED)
            continue; /* and the doubtful record is read once more */
        if (verdict != FENCE_DOUBT)
            return verdict;
        assert_int_equal(fence->next, at); /* doubt does not move */
        assert_in_range(fence->doubt, 0, at - 1);
    }
}

static char letter_of(enum fence_verdict verdict)
{
    switch (verdict) {
    case FENCE_VOID:
        return 'v';
    case FENCE_INSTALLED:
        return 'I';
    case FENCE_CLAIMED:
        return 'C';
    case FENCE_ACCEPTED:
        return 'A';
    case FENCE_PROGRESS:
        return 'P';
    case FENCE_CLEARED:
        return 'c';
    case FENCE_DOUBT:
        return '?';
    case FENCE_LOST:
        return 'L';
    }
    return '!';
}

/* The verdicts of a whole log; what the last record's reading says. */
static void read_log(const struct log *log, char *letters, struct fence_reading *reading)
{
    struct fence fence = fence_start();
    int count = 0;
    while (fence.next < log->end) {
        enum fence_verdict verdict = read_next(log, &fence, reading);
        letters[count++] = letter_of(verdict);
        if (verdict == FENCE_LOST)
            break;
        assert_int_equal(fence.next, count);
        assert_false(fence.in_doubt);
    }
    letters[count] = '\0';
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static void fence__verdicts(void **state)
{
    static const struct {
        const char *log, *verdicts;
    } rows[] = {
        {"I", "I"},
        {"I;C a", "IC"},
        {"I;C a;A 1-a.1;A 1-a.2;P 1-a.3;A 1-a.4", "ICAAPA"},
        {"C a;A 0-a.1", "CA"}, /* whether a log begins rightly is the installation's business */
        {"I;I", "Iv"},
        {"C a;I", "Cv"},
        /* before the first claim nobody's word counts */
        {"I;A 0-a.1", "Iv"},
        {"I;P 0-a.1;C a;A 2-a.1", "IvCA"},
        /* a claim ends the one before, at once and for ever */
        {"I;C a;A 1-a.1;C b;A 1-a.2;A 3-b.1;A 1-a.2", "ICACvAv"},
        {"I;C a;C b;A 1-a.1;A 2-b.1", "ICCvA"},
        {"I;C a;A 1-a.1;C a;A 1-a.2;A 3-a.1", "ICACvA"}, /* the nonce alone is no epoch */
        /* the n: exactly the next */
        {"I;C a;A 1-a.0", "ICv"},
        {"I;C a;A 1-a.2", "ICv"},
        {"I;C a;A 1-a.1;A 1-a.1;A 1-a.2", "ICAvA"},
        {"I;C a;A 1-a.1;A 1-a.3;A 1-a.4", "ICAvv"},
        {"I;C a;A 1-a.1;A 1-a.3;A 1-a.2;A 1-a.3",
         "ICAvAA"}, /* put right by the one that was late */
        {"I;C a;P 1-a.1;P 1-a.1;A 1-a.3;C b;A 5-b.1", "ICPvvCA"},
        /* both halves of the epoch */
        {"I;C a;A 1-b.1;A 1-a.1", "ICvA"},
        {"I;C a;A 0-a.1;A 1-a.1", "ICvA"},
        {"I;C a;A 1-a.1;A 2-a.2;A 2-a.1;A 1-a.2", "ICAvvA"},
        {"I;C a;A 2-a.1", "ICv"},
        {"I;C a;A 9-a.1", "ICv"},
        /* a doubt settles, and reading goes on behind it */
        {"I;C a;H ce_type=x;A 2-b.1;A 2-b.2;A 1-a.1", "ICvvvA"},
        {"I;C a;A 1-a.1;A 2-a.1;C c;A 4-c.1", "ICAvCA"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct log log = {0, {NULL}};
        struct fence_reading reading;
        char letters[LOG_MAX + 1];
        add_script(&log, rows[i].log);
        read_log(&log, letters, &reading);
        if (strcmp(letters, rows[i].verdicts) != 0)
            fail_msg("%s: %s, not %s", rows[i].log, letters, rows[i].verdicts);
        log_release(&log);
    }
}

#define CLAIM "H ce_type=stagedoor.bus.Claimed sd_claim=000000000000000a/here"
#define STAMP "sd_stamp=1-000000000000000a.1"

/* Of a log whose last record is void: why. */
static void fence__says_why_a_record_is_void(void **state)
{
    static const struct {
        const char *log, *why;
    } rows[] = {
        {"I;C a;H " STAMP, "not exactly one ce_type"},
        {"I;C a;H ce_type=x ce_type=x " STAMP, "not exactly one ce_type"},
        {"I;C a;H ce_type=x content-type=application/cloudevents+json " STAMP, "structured mode"},
        {"I;C a;H ce_type=x content-type=application/cloudevents-batch+json " STAMP,
         "structured mode"},
        {CLAIM " " STAMP, "a claim with a stamp"},
        {CLAIM " sd_stamp=", "a claim with a stamp"},
        {CLAIM " sd_stamp=a sd_stamp=b", "a claim with a stamp"},
        {CLAIM " sd_claim=000000000000000a/here", "a claim without a canonical sd_claim"},
        {"H ce_type=stagedoor.bus.Claimed", "a claim without a canonical sd_claim"},
        {"H ce_type=stagedoor.bus.Claimed sd_claim=a/here", "a claim without a canonical sd_claim"},
        {"H ce_type=stagedoor.bus.Claimed sd_claim=000000000000000A/here",
         "a claim without a canonical sd_claim"},
        {"H ce_type=stagedoor.bus.Claimed sd_claim=000000000000000a",
         "a claim without a canonical sd_claim"},
        {"H ce_type=stagedoor.bus.Claimed sd_claim=000000000000000a/",
         "a claim without a canonical sd_claim"},
        {"I;C a;H ce_type=x", "no canonical sd_stamp"},
        {"I;C a;H ce_type=x sd_stamp=", "no canonical sd_stamp"},
        {"I;C a;H ce_type=x sd_stamp=01-000000000000000a.1", "no canonical sd_stamp"},
        {"I;C a;H ce_type=x " STAMP " " STAMP, "no canonical sd_stamp"},
        {"C a;H ce_type=stagedoor.bus.Installed", "no canonical sd_stamp"},
        {"I;C a;A 2-a.1", "an epoch that lies ahead"},
        {"I;C a;C b;A 1-a.1", "of an earlier epoch"},
        {"I;C a;A 1-a.1;A 1-a.1", "a stamp that was there before"},
        {"I;C a;A 1-a.0", "a stamp that was there before"},
        {"I;C a;A 1-a.2", "behind a gap"},
        {"I;C a;A 1-b.1", "of an epoch that was never claimed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct log log = {0, {NULL}};
        struct fence_reading reading;
        char letters[LOG_MAX + 1];
        add_script(&log, rows[i].log);
        read_log(&log, letters, &reading);
        char last = letters[log.end - 1];
        if ((last != 'v' && last != 'c') || strcmp(reading.why, rows[i].why) != 0)
            fail_msg("%s: %c %s", rows[i].log, last, reading.why ? reading.why : "");
        log_release(&log);
    }
}

static void fence__too_many_headers_are_void(void **state)
{
    struct log log = {0, {NULL}};
    struct fence_reading reading;
    char letters[8];
    (void)state;
    add_script(&log, "I;C a;A 1-a.1");
    struct bus_record *record = &log.entries[2]->record;
    while (record->header_count < BUS_HEADERS_MAX)
        header(log.entries[2], "x", "y");
    read_log(&log, letters, &reading);
    assert_string_equal(letters, "ICA");
    record->header_count++; /* as the bus tells it: the first 32 are there */
    read_log(&log, letters, &reading);
    assert_string_equal(letters, "ICv");
    assert_string_equal(reading.why, "too many headers");
    log_release(&log);
}

/* Which parts of a reading are set. */
static void fence__reads_what_the_headers_say(void **state)
{
    struct log log = {0, {NULL}};
    struct fence fence = fence_start();
    struct fence_reading reading;
    (void)state;
    add_script(&log, "I;C ab;A 1-ab.1;A 1-ab.9");
    assert_int_equal(read_next(&log, &fence, &reading), FENCE_INSTALLED);
    assert_true(text_is(reading.type, "stagedoor.bus.Installed"));
    assert_int_equal(reading.stamp.claim, -1);
    assert_int_equal(read_next(&log, &fence, &reading), FENCE_CLAIMED);
    assert_int_equal(reading.nonce, 0xab);
    assert_true(text_is(reading.installation, "here"));
    assert_true(fence.claim == 1 && fence.nonce == 0xab && fence.n == 0);
    assert_int_equal(read_next(&log, &fence, &reading), FENCE_ACCEPTED);
    assert_true(text_is(reading.source, "timer"));
    assert_true(text_is(reading.positions, "7"));
    assert_true(reading.stamp.claim == 1 && reading.stamp.nonce == 0xab && reading.stamp.n == 1);
    assert_int_equal(read_next(&log, &fence, &reading), FENCE_VOID);
    assert_int_equal(reading.stamp.n, 9);
    assert_null(reading.source.data);
    assert_int_equal(fence.n, 1);
    log_release(&log);
}

/* Holes are a backend's own: offsets may skip. */
static void fence__holes_do_not_matter(void **state)
{
    struct log log = {0, {NULL}};
    struct fence fence = fence_start();
    struct fence_reading reading;
    (void)state;
    add_script(&log, "C a;A 10-a.1;A 10-a.2");
    assert_int_equal(fence_read(&fence, 10, &log.entries[0]->record, &reading), FENCE_CLAIMED);
    assert_int_equal(fence_read(&fence, 13, &log.entries[1]->record, &reading), FENCE_ACCEPTED);
    assert_int_equal(fence_read(&fence, 20, &log.entries[2]->record, &reading), FENCE_ACCEPTED);
    assert_int_equal(fence.next, 21);
    log_release(&log);
}

/* ---- doubt ----------------------------------------------------------------------------------- */

/* Reads `before`, then finds `behind` appended to a log whose first records are `now`. */
static enum fence_verdict read_on_in(const char *before, const char *now, const char *behind,
                                     struct fence_reading *reading)
{
    struct log old = {0, {NULL}}, new = {0, {NULL}};
    struct fence fence = fence_start();
    enum fence_verdict verdict = FENCE_VOID;
    add_script(&old, before);
    add_script(&new, now);
    add_script(&new, behind);
    while (fence.next < old.end)
        read_next(&old, &fence, reading);
    while (fence.next < new.end && verdict != FENCE_LOST)
        verdict = read_next(&new, &fence, reading);
    log_release(&old);
    log_release(&new);
    return verdict;
}

/* A claim where none was: the log is no longer the one that was read. */
static void fence__a_log_that_was_cut_and_written_anew_is_lost(void **state)
{
    struct fence_reading reading;
    (void)state;
    assert_int_equal(read_on_in("I;C a;A 1-a.1;A 1-a.2", "I;C a;A 1-a.1;C b", "A 3-b.1", &reading),
                     FENCE_LOST);
    assert_non_null(reading.why);
    assert_true(reading.stamp.claim == -1 || reading.stamp.claim == 3);
    assert_int_equal(read_on_in("I;C a", "I;C b", "A 1-b.1", &reading), FENCE_LOST);
    /* the same log, and an invented stamp */
    assert_int_equal(
        read_on_in("I;C a;A 1-a.1;A 1-a.2", "I;C a;A 1-a.1;A 1-a.2", "A 3-b.1", &reading),
        FENCE_VOID);
    assert_int_equal(read_on_in("I;C a", "I;C a", "A 1-b.1", &reading), FENCE_VOID);
    /* another claim than the stamp names */
    assert_int_equal(read_on_in("I;C a;A 1-a.1;A 1-a.2", "I;C a;A 1-a.1;C c", "A 3-b.1", &reading),
                     FENCE_VOID);
}

static void fence__lost_does_not_move(void **state)
{
    struct log log = {0, {NULL}};
    struct fence fence = {.next = 2, .claim = -1};
    struct fence_reading reading;
    (void)state;
    add_script(&log, "I;C a;A 1-a.1");
    assert_int_equal(fence_read(&fence, 2, &log.entries[2]->record, &reading), FENCE_DOUBT);
    assert_true(fence.in_doubt && fence.doubt == 1);
    assert_int_equal(fence_read(&fence, 1, &log.entries[1]->record, &reading), FENCE_LOST);
    assert_int_equal(fence.next, 2);
    log_release(&log);
}

/* What was void when it was read cannot become a claim by being named: anyone may write garbage. */
static void fence__a_void_record_with_a_claim_mark_is_no_claim(void **state)
{
    static const char *const garbage[] = {
        "H ce_type=x sd_claim=000000000000000b/here",
        "H ce_type=stagedoor.bus.Claimed sd_claim=000000000000000b",
        "H ce_type=stagedoor.bus.Claimed sd_claim=000000000000000b/",
        "H ce_type=stagedoor.bus.Claimed ce_type=x sd_claim=000000000000000b/here",
        "H ce_type=stagedoor.bus.Claimed sd_claim=000000000000000b/here sd_stamp=x",
        ("H ce_type=stagedoor.bus.Claimed sd_claim=000000000000000b/here "
         "content-type=application/cloudevents+json"),
        "H sd_claim=000000000000000b/here",
    };
    (void)state;
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        struct log log = {0, {NULL}};
        struct fence_reading reading;
        char letters[16];
        add_script(&log, "I;C a;A 1-a.1");
        add_script(&log, garbage[i]);
        add_script(&log, "A 3-b.1;A 1-a.2");
        read_log(&log, letters, &reading);
        if (strcmp(letters, "ICAvvA") != 0)
            fail_msg("%s: %s", garbage[i], letters);
        log_release(&log);
    }
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void fence__stamps_are_canonical(void **state)
{
    static const struct {
        const char *text;
        bool good;
        struct stamp stamp;
    } rows[] = {
        {"0-0000000000000000.0", true, {0, 0, 0}},
        {"7-00000000000000ff.12", true, {7, 255, 12}},
        {"9223372036854775807-ffffffffffffffff.9223372036854775807",
         true,
         {INT64_MAX, UINT64_MAX, INT64_MAX}},
        {"", false, {0, 0, 0}},
        {"7", false, {0, 0, 0}},
        {"7-00000000000000ff", false, {0, 0, 0}},
        {"7-00000000000000ff.", false, {0, 0, 0}},
        {"-00000000000000ff.1", false, {0, 0, 0}},
        {"7-.1", false, {0, 0, 0}},
        {"7.1", false, {0, 0, 0}},
        {"07-00000000000000ff.1", false, {0, 0, 0}},
        {"7-00000000000000ff.01", false, {0, 0, 0}},
        {"7-00000000000000FF.1", false, {0, 0, 0}},
        {"7-0000000000000ff.1", false, {0, 0, 0}},
        {"7-000000000000000ff.1", false, {0, 0, 0}},
        {"7-00000000000000fg.1", false, {0, 0, 0}},
        {"+7-00000000000000ff.1", false, {0, 0, 0}},
        {"-7-00000000000000ff.1", false, {0, 0, 0}},
        {" 7-00000000000000ff.1", false, {0, 0, 0}},
        {"7-00000000000000ff.1 ", false, {0, 0, 0}},
        {"7-00000000000000ff.1.2", false, {0, 0, 0}},
        {"7-00000000000000ff-1", false, {0, 0, 0}},
        {"9223372036854775808-00000000000000ff.1", false, {0, 0, 0}},
        {"7-00000000000000ff.18446744073709551616", false, {0, 0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stamp stamp, expected = rows[i].stamp;
        struct buffer out = {0};
        if (stamp_parse(text_of(rows[i].text), &stamp) != rows[i].good)
            fail_msg("'%s'", rows[i].text);
        if (!rows[i].good)
            continue;
        assert_true(stamp.claim == expected.claim && stamp.nonce == expected.nonce &&
                    stamp.n == expected.n);
        stamp_print(stamp, &out);
        assert_string_equal(out.data, rows[i].text);
        buffer_release(&out);
    }
}

static void fence__a_stamp_of_any_size_is_printed_as_it_was_read(void **state)
{
    static const char *const texts[] = {"1-0000000000000001.9223372036854775808",
                                        "1-0000000000000001.18446744073709551615"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct stamp stamp;
        struct buffer out = {0};
        if (!stamp_parse(text_of(texts[i]), &stamp))
            continue; /* then it need not be printed */
        stamp_print(stamp, &out);
        assert_string_equal(out.data, texts[i]);
        buffer_release(&out);
    }
}

static void fence__sources_are_canonical(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"timer", true},
        {"shows.commands/3@17#00c0ffee", true},
        {"t/0@0#00000000", true},
        {"t/2147483647@9223372036854775807#ffffffff", true},
        {"", false},
        {"Timer", false},
        {"timer ", false},
        {"/3@17#00c0ffee", false},
        {"t3@17#00c0ffee", false},
        {"t/@17#00c0ffee", false},
        {"t/03@17#00c0ffee", false},
        {"t/-3@17#00c0ffee", false},
        {"t/3@#00c0ffee", false},
        {"t/3@017#00c0ffee", false},
        {"t/3@17", false},
        {"t/3@17#", false},
        {"t/3@17#00C0FFEE", false},
        {"t/3@17#c0ffee", false},
        {"t/3@17#000c0ffee", false},
        {"t/3@17#00c0ffee ", false},
        {"t/3#17@00c0ffee", false},
        {"t/2147483648@17#00c0ffee", false},
        {"t/3@9223372036854775808#00c0ffee", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct source source;
        struct buffer out = {0};
        if (source_parse(text_of(rows[i].text), &source) != rows[i].good)
            fail_msg("'%s'", rows[i].text);
        if (!rows[i].good)
            continue;
        assert_int_equal(source.timer, strcmp(rows[i].text, "timer") == 0);
        source_print(&source, &out);
        assert_string_equal(out.data, rows[i].text);
        buffer_release(&out);
    }
}

static void fence__a_source_is_printed_with_all_its_bytes(void **state)
{
    struct text text = TEXT("t\0t/3@17#00c0ffee");
    struct source source;
    struct buffer out = {0};
    (void)state;
    assert_true(source_parse(text, &source));
    source_print(&source, &out);
    assert_true(text_equal(buffer_view(&out), text));
    buffer_release(&out);
}

static void fence__positions_are_canonical(void **state)
{
    static const struct {
        const char *text;
        int count;
        bool good;
    } rows[] = {
        {"0", 1, true},
        {"5;6", 2, true},
        {"5;0@0-000000000000000a.0;7@3-000000000000000a.12", 3, true},
        {"9223372036854775807@1-ffffffffffffffff.1", 1, true},
        {"", 1, false},
        {"5", 2, false},
        {"5;", 1, false},
        {"5;", 2, false},
        {"5;6", 1, false},
        {"5;6;7", 2, false},
        {";5", 2, false},
        {"05", 1, false},
        {"-5", 1, false},
        {"5 ;6", 2, false},
        {"5@", 1, false},
        {"@1-000000000000000a.1", 1, false},
        {"5@1-000000000000000A.1", 1, false},
        {"5@1-000000000000000a", 1, false},
        {"5@01-000000000000000a.1", 1, false},
        {"9223372036854775808", 1, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fence fences[FENCE_INPUTS_MAX];
        struct buffer out = {0};
        if (positions_parse(text_of(rows[i].text), fences, rows[i].count) != rows[i].good)
            fail_msg("'%s' as %d", rows[i].text, rows[i].count);
        if (!rows[i].good)
            continue;
        for (int k = 0; k < rows[i].count; k++)
            assert_false(fences[k].in_doubt);
        positions_print(fences, rows[i].count, &out);
        assert_string_equal(out.data, rows[i].text);
        buffer_release(&out);
    }
}

static void fence__a_header_is_only_found_alone(void **state)
{
    const struct bus_header headers[] = {
        {TEXT("a"), TEXT("1")}, {TEXT("b"), TEXT("2")}, {TEXT("a"), TEXT("1")}};
    struct bus_record record = {.headers = headers, .header_count = 3};
    int count;
    (void)state;
    assert_true(text_is(record_header(&record, "b", &count), "2"));
    assert_int_equal(count, 1);
    assert_int_equal(record_header(&record, "a", &count).size, 0);
    assert_int_equal(count, 2);
    assert_null(record_header(&record, "c", &count).data);
    assert_int_equal(count, 0);
    record.header_count = 1;
    assert_true(text_is(record_header(&record, "a", NULL), "1"));
}

/* CRC-32C of the value, then of the stamp: a known value of it, and that both count. */
static void fence__the_crc_covers_value_and_stamp(void **state)
{
    const struct bus_header stamp = {TEXT("sd_stamp"), TEXT("6789")};
    struct bus_record record = {.value = TEXT("123456789"), .headers = &stamp};
    (void)state;
    assert_int_equal(source_crc(&record), 0xe3069283);
    record.value = text_of("12345");
    assert_int_not_equal(source_crc(&record), 0xe3069283);
    record.header_count = 1;
    assert_int_equal(source_crc(&record), 0xe3069283);
}

/* ---- at random ------------------------------------------------------------------------------- */

/* The rule again, as plainly as it can be written: what each record of a log is, read from 0. */
static void judge(const struct log *log, char *letters)
{
    int64_t claim = -1;
    uint64_t nonce = 0, n = 0;
    for (int64_t at = 0; at < log->end; at++) {
        const struct bus_record *record = &log->entries[at]->record;
        const char *type = record->headers[0].value.data, *mark = record->headers[1].value.data;
        long long c;
        unsigned long long x, k;
        letters[at] = 'v';
        if (strcmp(type, "stagedoor.bus.Claimed") == 0) {
            claim = at;
            nonce = strtoull(mark, NULL, 16);
            n = 0;
            letters[at] = 'C';
        } else if (sscanf(mark, "%lld-%llx.%llu", &c, &x, &k) == 3 && c == claim && x == nonce &&
                   k == n + 1) {
            n++;
            letters[at] = strcmp(type, "stagedoor.bus.Progress") == 0 ? 'P' : 'A';
        }
    }
    letters[log->end] = '\0';
}

struct writer {
    int64_t claim;
    uint64_t nonce, n;
};

/* Some owners, each sure that it is the one; appends get lost, come twice, late, or swapped. */
static void write_log(struct log *log, struct prng *prng, int steps)
{
    struct writer writers[3] = {{-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}};
    struct writer late = {-1, 0, 0};
    for (int i = 0; i < steps; i++) {
        struct writer *writer = &writers[prng_below(prng, 3)];
        const char *type = prng_chance(prng, 1, 5) ? "stagedoor.bus.Progress" : "stagedoor.shows.X";
        uint64_t fate = prng_below(prng, 20);
        if (writer->claim < 0 || fate == 0) {
            *writer = (struct writer){log->end, prng_below(prng, 4), 0};
            add_claim(log, writer->nonce);
            continue;
        }
        writer->n++;
        if (fate == 1)
            continue; /* lost */
        if (fate == 2) {
            late = *writer;
            continue;
        }
        if (fate == 3) { /* before the one that goes before it */
            add_stamped(log, type, writer->claim, writer->nonce, writer->n + 1);
            add_stamped(log, type, writer->claim, writer->nonce, writer->n++);
            continue;
        }
        add_stamped(log, type, writer->claim, writer->nonce, writer->n);
        if (fate == 4) /* twice */
            add_stamped(log, type, writer->claim, writer->nonce, writer->n);
        if (fate == 5 && late.claim >= 0)
            add_stamped(log, type, late.claim, late.nonce, late.n);
        if (fate == 6) /* nobody's */
            add_stamped(log, type, (int64_t)prng_below(prng, (uint64_t)log->end + 2),
                        prng_below(prng, 4), 1 + prng_below(prng, 3));
    }
}

/* One who stops now and then, keeps nothing but the text of its position, and goes on later. */
static void read_with_stops(const struct log *log, struct prng *prng, char *letters)
{
    struct fence fence = fence_start();
    struct fence_reading reading;
    struct buffer text = {0};
    while (fence.next < log->end) {
        int64_t at = fence.next;
        char letter = letter_of(read_next(log, &fence, &reading));
        letters[at] = letter == 'c' ? 'v' : letter;
        if (!prng_chance(prng, 1, 3))
            continue;
        buffer_clear(&text);
        positions_print(&fence, 1, &text);
        memset(&fence, 0x5a, sizeof fence);
        assert_true(positions_parse(buffer_view(&text), &fence, 1));
    }
    letters[log->end] = '\0';
    buffer_release(&text);
}

static void fence__readers_agree_wherever_they_resume(void **state)
{
    uint64_t accepted = 0, voids = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct prng prng = {seed};
        struct log log = {0, {NULL}};
        char expected[LOG_MAX + 1], letters[LOG_MAX + 1];
        write_log(&log, &prng, 20 + (int)prng_below(&prng, 100));
        judge(&log, expected);
        for (int reader = 0; reader < 3; reader++) {
            read_with_stops(&log, &prng, letters);
            if (strcmp(letters, expected) != 0)
                fail_msg("seed %llu:\n%s\n%s", (unsigned long long)seed, expected, letters);
        }
        for (int64_t at = 0; at < log.end; at++) {
            accepted += expected[at] == 'A' || expected[at] == 'P';
            voids += expected[at] == 'v';
        }
        log_release(&log);
    }
    assert_true(accepted > 10000 && voids > 10000); /* both happen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fence__verdicts),
        cmocka_unit_test(fence__says_why_a_record_is_void),
        cmocka_unit_test(fence__too_many_headers_are_void),
        cmocka_unit_test(fence__reads_what_the_headers_say),
        cmocka_unit_test(fence__holes_do_not_matter),
        cmocka_unit_test(fence__a_log_that_was_cut_and_written_anew_is_lost),
        cmocka_unit_test(fence__lost_does_not_move),
        cmocka_unit_test(fence__a_void_record_with_a_claim_mark_is_no_claim),
        cmocka_unit_test(fence__stamps_are_canonical),
        cmocka_unit_test(fence__a_stamp_of_any_size_is_printed_as_it_was_read),
        cmocka_unit_test(fence__sources_are_canonical),
        cmocka_unit_test(fence__a_source_is_printed_with_all_its_bytes),
        cmocka_unit_test(fence__positions_are_canonical),
        cmocka_unit_test(fence__a_header_is_only_found_alone),
        cmocka_unit_test(fence__the_crc_covers_value_and_stamp),
        cmocka_unit_test(fence__readers_agree_wherever_they_resume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
