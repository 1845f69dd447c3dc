/* The small texts: times, numbers, hex digits, UUIDs, ticket ids, message types, and sets of ticket
 * numbers against a list of truths. The first byte chooses.
 *
 * What is canonical prints back to itself; what is not prints to something that reads the same. */
#include "base/rfc3339.h"
#include "base/uuid.h"
#include "schemas/message.h"
#include "schemas/ticket.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void check_time(struct text text)
{
    char printed[RFC3339_SIZE];
    int64_t at_ms, again_ms;
    if (!rfc3339_parse(text, &at_ms))
        return;
    assert(at_ms >= 0 && at_ms <= TIME_MS_MAX);
    rfc3339_print(at_ms, printed);
    assert(rfc3339_parse(text_of(printed), &again_ms) && again_ms == at_ms);
    /* One that is written as we write it means what it says, but for a leap second. */
    if (text.size == RFC3339_SIZE - 1 && text.data[19] == '.' && text.data[23] == 'Z' &&
        text.data[10] == 'T' && memcmp(text.data + 17, "60", 2) != 0)
        assert(text_is(text, printed));
}

static void check_decimal(struct text text)
{
    struct buffer printed = {0};
    uint64_t value;
    int64_t narrow;
    bool good = text_to_u64(text, &value);
    assert(text_to_i64(text, &narrow) == (good && value <= INT64_MAX));
    if (good) {
        buffer_print(&printed, "%llu", (unsigned long long)value);
        assert(text_equal(text, buffer_view(&printed)));
    }
    buffer_clear(&printed);
    if (good && value <= INT64_MAX) {
        buffer_i64(&printed, narrow);
        assert(text_equal(text, buffer_view(&printed)));
    }
    buffer_release(&printed);
}

static void check_hex(struct text text)
{
    struct buffer printed = {0};
    uint64_t value;
    uint32_t narrow;
    if (text_to_hex64(text, &value)) {
        buffer_hex64(&printed, value);
        assert(text_equal(text, buffer_view(&printed)));
    }
    buffer_clear(&printed);
    if (text_to_hex32(text, &narrow)) {
        buffer_print(&printed, "%08x", narrow);
        assert(text_equal(text, buffer_view(&printed)));
    }
    buffer_release(&printed);
}

static void check_uuid(struct text text)
{
    char name[UUID_SIZE], again[UUID_SIZE];
    uuid_from_name(text, name);
    assert(uuid_valid(text_of(name)) && strcmp(name, uuid_from_name(text, again)) == 0);
    if (!uuid_valid(text))
        return;
    assert(text.size == UUID_SIZE - 1);
    for (size_t i = 0; i < text.size; i++)
        assert(memchr("0123456789abcdef-", text.data[i], 17));
}

static void check_ticket(struct text text)
{
    struct buffer printed = {0};
    struct text reservation_id;
    int64_t number;
    if (!ticket_id_parse(text, &reservation_id, &number))
        return;
    assert(text.size <= TICKET_ID_SIZE_MAX && uuid_valid(reservation_id));
    buffer_print(&printed, "%.*s-%lld", TEXT_PRINT(reservation_id), (long long)number);
    assert(text_equal(text, buffer_view(&printed)));
    buffer_release(&printed);
}

static void check_type(struct text text)
{
    struct buffer printed = {0};
    enum speaker speaker;
    enum message_type type = message_type_parse(text, &speaker);
    enum message_type named = message_named(text);
    assert(named == MESSAGE_NONE || text_is(text, message_name(named)));
    if (type == MESSAGE_NONE)
        return;
    message_type_print(type, speaker, &printed);
    assert(text_equal(text, buffer_view(&printed)));
    buffer_release(&printed);
}

/* ---- sets of ticket numbers ------------------------------------------------------------------ */

static int64_t read_number(struct text *rest)
{
    unsigned high = fuzz_byte(rest);
    return 1 + (int64_t)((high << 8 | fuzz_byte(rest)) % NUMBERS_MAX);
}

static void read_set(struct text *rest, struct numbers *numbers, bool *truths)
{
    *numbers = (struct numbers){0};
    memset(truths, 0, NUMBERS_MAX + 1);
    for (unsigned count = fuzz_byte(rest) % 32; count; count--) {
        int64_t first = read_number(rest), size = 1;
        if (fuzz_byte(rest) & 1)
            size = 1 + read_number(rest) % (NUMBERS_MAX + 1 - first);
        numbers_add_range(numbers, first, size);
        memset(truths + first, 1, (size_t)size);
    }
}

static void compare_set(const struct numbers *numbers, const bool *truths)
{
    int64_t count = 0, last = 0;
    for (int64_t number = 1; number <= NUMBERS_MAX; number++) {
        assert(numbers_has(numbers, number) == truths[number]);
        if (!truths[number])
            continue;
        assert(numbers_next(numbers, last) == number);
        last = number;
        count++;
    }
    assert(numbers_next(numbers, last) == 0 && numbers_count(numbers) == count);
    assert(numbers_count_range(numbers, 1, NUMBERS_MAX) == count);
    assert(!numbers_has(numbers, 0) && !numbers_has(numbers, NUMBERS_MAX + 1));
}

static void check_sets(struct text rest)
{
    struct numbers one, two, result;
    bool of_one[NUMBERS_MAX + 1], of_two[NUMBERS_MAX + 1], wanted[NUMBERS_MAX + 1] = {false};
    bool meet = false, within = true;
    read_set(&rest, &one, of_one);
    read_set(&rest, &two, of_two);
    compare_set(&one, of_one);
    for (int i = 1; i <= NUMBERS_MAX; i++) {
        meet = meet || (of_one[i] && of_two[i]);
        within = within && (!of_one[i] || of_two[i]);
        wanted[i] = of_one[i] || of_two[i];
    }
    assert(numbers_meet(&one, &two) == meet && numbers_within(&one, &two) == within);
    result = one;
    numbers_join(&result, &two);
    compare_set(&result, wanted);
    for (int i = 1; i <= NUMBERS_MAX; i++)
        wanted[i] = of_one[i] && !of_two[i];
    result = one;
    numbers_remove(&result, &two);
    compare_set(&result, wanted);
}

static void (*const checks[])(struct text) = {check_time,   check_decimal, check_hex, check_uuid,
                                              check_ticket, check_type,    check_sets};
enum { CHECKS = sizeof checks / sizeof *checks };

void fuzz_one(struct text input)
{
    checks[fuzz_byte(&input) % CHECKS](input);
}

void fuzz_seeds(void)
{
    static const struct {
        int check;
        const char *text;
    } seeds[] = {
        {0, "2026-11-21T19:30:00.000Z"},
        {0, "2024-02-29t23:59:60.123456789+00:00"},
        {0, "1970-01-01T00:00:00-23:59"},
        {0, "9999-12-31T23:59:59.999Z"},
        {1, "18446744073709551615"},
        {1, "9223372036854775807"},
        {1, "0"},
        {2, "00c0ffee00c0ffee"},
        {2, "deadbeef"},
        {3, "0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96"},
        {4, "0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96-1000"},
        {6, "\3ab1cd0ef1\2gh0ij1"},
    };
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        fuzz_seed_print("%c%s", seeds[i].check + CHECKS * 16, seeds[i].text);
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct buffer name = {0};
        enum speaker speaker = message_speaker((enum message_type)type);
        buffer_byte(&name, 5 + CHECKS * 16);
        message_type_print((enum message_type)type,
                           speaker == SPEAKER_any ? SPEAKER_shows : speaker, &name);
        fuzz_seed(buffer_view(&name));
        buffer_release(&name);
    }
}
