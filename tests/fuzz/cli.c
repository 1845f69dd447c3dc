/* What the tools read: command lines, times as people type them, lines of children in any pieces,
 * and records of strangers that are printed on somebody's terminal. The first byte chooses.
 *
 * What is printed holds nothing that could move a cursor, and is JSON where it says so. */
#include "base/memory.h"
#include "base/options.h"
#include "cli/examples.h"
#include "cli/log_line.h"
#include "manager/line_reader.h"
#include "cli/refused.h"
#include "cli/tail_print.h"
#include "cli/when.h"
#include "story/words.h"
#include "schemas/message.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/record.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <string.h>

/* ---- command lines: one argument a line ------------------------------------------------------ */

struct target {
    bool force, follow;
    const char *bus;
    int64_t count;
    struct option_list topics;
};

static enum options_result parse(int count, char **arguments, struct target *target,
                                 struct operands *operands, struct buffer *said)
{
    const struct option_spec specs[] = {
        OPTION_FLAG("force", 'f', NULL, &target->force, "x"),
        OPTION_FLAG("follow", 'F', NULL, &target->follow, "x"),
        OPTION_TEXT("bus", "URL", NULL, &target->bus, "x"),
        OPTION_COUNT("count", 'n', "N", NULL, &target->count, 1, 1000, "x"),
        OPTION_LIST("topic", "NAME", NULL, &target->topics, "x"),
    };
    *target = (struct target){.count = 7};
    const struct option_table table = {.program = "stagedoor",
                                       .operands = "[WORD…]",
                                       .specs = specs,
                                       .count = sizeof specs / sizeof *specs};
    return options_parse(&table, count, arguments, operands, said);
}

static void check_options(struct text rest)
{
    enum { ARGUMENTS_MAX = 48 };
    char *arguments[ARGUMENTS_MAX + 1] = {(char *)(uintptr_t) "stagedoor"};
    struct text owned[ARGUMENTS_MAX];
    int count = 1;
    struct target target, again;
    struct operands operands, operands_again;
    struct buffer said = {0}, said_again = {0};
    for (; rest.data && count < ARGUMENTS_MAX; count++) {
        owned[count] = text_copy(text_cut(&rest, '\n'));
        arguments[count] = (char *)(uintptr_t)owned[count].data;
    }
    enum options_result result = parse(count, arguments, &target, &operands, &said);
    assert(parse(count, arguments, &again, &operands_again, &said_again) == result);
    assert(text_equal(buffer_view(&said), buffer_view(&said_again)));
    assert((result == OPTIONS_OK) == (said.size == 0));
    assert(target.count >= 1 && target.count <= 1000 && target.topics.count <= OPTION_LIST_MAX);
    assert(operands.count == operands_again.count && operands.count <= OPERANDS_MAX);
    buffer_release(&said);
    buffer_release(&said_again);
    for (int i = 1; i < count; i++)
        text_free(&owned[i]);
}

static void check_when(struct text text)
{
    int64_t now_ms = INT64_C(1795289400000), at_ms;
    if (when_parse(text, now_ms, &at_ms))
        assert(at_ms >= 0 && at_ms <= TIME_MS_MAX);
}

/* ---- terminals ------------------------------------------------------------------------------- */

/* No control of ASCII but those `allowed`, no C1 in UTF-8. */
static void assert_still(struct text text, const char *allowed)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        unsigned char next = i + 1 < text.size ? (unsigned char)text.data[i + 1] : ' ';
        assert((byte >= ' ' && byte != 0x7f) || (byte && strchr(allowed, byte)));
        assert(byte != 0xc2 || next < 0x80 || next >= 0xa0);
    }
}

static void check_words(struct text text)
{
    struct buffer out = {0};
    size_t size_max = fuzz_byte(&text);
    words_safe(&out, text, size_max);
    assert_still(buffer_view(&out), "");
    assert(out.size <= size_max + strlen("…"));
    buffer_clear(&out);
    words_visible(&out, text, false);
    assert_still(buffer_view(&out), "");
    buffer_release(&out);
}

/* Children are ours: what they quote of strangers is safe already, so C1 is not looked for. */
static void assert_plain(struct text line)
{
    assert(line.size <= LINE_SIZE_MAX);
    for (size_t i = 0; i < line.size; i++)
        assert((unsigned char)line.data[i] >= ' ' || line.data[i] == '\t');
}

/* Lines are the same, in whatever pieces their bytes came. */
static void read_lines(struct text input, size_t piece, struct buffer *out)
{
    static struct line_reader reader;
    struct text line;
    reader = (struct line_reader){.size = 0};
    for (size_t at = 0; at < input.size; at += piece) {
        size_t size = input.size - at < piece ? input.size - at : piece;
        struct text rest = text_from(input.data + at, size);
        while (line_reader_next(&reader, &rest, &line)) {
            assert_plain(line);
            buffer_text(out, line);
            buffer_byte(out, '\n');
        }
    }
    if (line_reader_last(&reader, &line)) {
        assert_plain(line);
        buffer_text(out, line);
    }
}

static void check_lines(struct text input)
{
    struct buffer whole = {0}, pieces = {0};
    size_t piece = 1 + fuzz_byte(&input);
    read_lines(input, input.size + 1, &whole);
    read_lines(input, piece, &pieces);
    assert(text_equal(buffer_view(&whole), buffer_view(&pieces)));
    buffer_release(&whole);
    buffer_release(&pieces);
}

/* ---- records --------------------------------------------------------------------------------- */

static void assert_line(struct buffer *out)
{
    assert(out->size && out->data[out->size - 1] == '\n');
    assert_still(text_from(out->data, out->size - 1), "");
    buffer_clear(out);
}

static void assert_json(struct buffer *out)
{
    assert(out->size && out->data[out->size - 1] == '\n');
    assert(memchr(out->data, '\n', out->size - 1) == NULL);
    cJSON *document = cJSON_ParseWithOpts(out->data, NULL, true);
    assert(document);
    cJSON_Delete(document);
    buffer_clear(out);
}

/* A refused record said again: if nothing is said against it, it is taken where it goes. */
static void check_again(const struct kept *kept)
{
    static struct republication again;
    static struct message message;
    struct codec_error error;
    const char *why;
    republication_build(&again, kept, false, 4, &why);
    assert(again.partition >= 0 && again.record.header_count <= BUS_HEADERS_MAX);
    if (why == NULL) {
        struct place place = {again.topic, again.partition, 0};
        assert(envelope_read(&again.record, &place, &again.arena, &message, &error) == ENVELOPE_OK);
        assert(text_equal(message.id, again.id));
    }
    republication_release(&again);
}

static void check_refused(struct record_list *list, enum follower_news news,
                          const struct follower_item *item)
{
    struct buffer out = {0};
    struct kept *kept = record_list_add(list, news, item);
    struct refused_record found = {.list = *list, .record = kept};
    if (kept->type == MESSAGE_Refused)
        found.refusal = kept;
    refused_print_record_json(&found, &out);
    assert_json(&out);
    refused_print_record(&found, &out);
    assert_still(buffer_view(&out), "\n\t");
    if (!topic_is_events(item->place.topic))
        check_again(kept);
    buffer_release(&out);
}

static void check_record(struct text text)
{
    static struct follower_item item;
    struct arena arena = {0};
    struct buffer out = {0};
    struct record_list list = {0};
    struct record_text made;
    struct codec_error error;
    item.place = (struct place){(int)(fuzz_byte(&text) % TOPIC_COUNT), 3, 815};
    record_text_read(&made, text);
    item.record = &made.record;
    enum envelope_result result =
        envelope_read(&made.record, &item.place, &arena, &item.message, &error);
    item.why = result == ENVELOPE_OK ? NULL : error.detail;
    enum follower_news news = result == ENVELOPE_OK               ? FOLLOWER_MESSAGE
                              : topic_is_events(item.place.topic) ? FOLLOWER_STRANGE
                                                                  : FOLLOWER_VOID;
    tail_print_line(news, &item, &out);
    assert_line(&out);
    tail_print_json(news, &item, &out);
    assert_json(&out);
    check_refused(&list, news, &item);
    record_list_release(&list);
    record_text_release(&made);
    buffer_release(&out);
    arena_release(&arena);
}

/* ---- a line of an export --------------------------------------------------------------------- */

static void check_log_line(struct text text)
{
    static struct log_line_read read;
    struct arena arena = {0};
    struct buffer line = {0}, again = {0};
    if (log_line_read(text, &arena, &read) == LOG_LINE_RECORD) {
        log_line_put_record(&line, &read.place, &read.record);
        assert(log_line_read(buffer_view(&line), &arena, &read) == LOG_LINE_RECORD);
        log_line_put_record(&again, &read.place, &read.record);
        assert(text_equal(buffer_view(&line), buffer_view(&again)));
    }
    buffer_release(&line);
    buffer_release(&again);
    arena_release(&arena);
}

static void (*const checks[])(struct text) = {check_options, check_when,   check_words,
                                              check_lines,   check_record, check_log_line};
enum { CHECKS = sizeof checks / sizeof *checks };

void fuzz_one(struct text input)
{
    checks[fuzz_byte(&input) % CHECKS](input);
}

void fuzz_seeds(void)
{
    static const char choices[] = "BCDEFG";
    fuzz_seed_print("%c--bus\nsqlite:x\n-fn5\n--topic=a\n--topic\nb\n--\n-x\noperand", choices[0]);
    fuzz_seed_print("%c1w2d3h30m5s", choices[1]);
    fuzz_seed_print("%c2026-11-21T19:30:00+01:00", choices[1]);
    fuzz_seed_print("%c\x0cone\x1b[31m\xc2\x9b\xc3\xa9\xf0\x9f\x8e\xad", choices[2]);
    fuzz_seed_print("%c\x03one\ntwo\r\nthree", choices[3]);
    fuzz_seed_print("%c{\"topic\":\"shows.events\",\"partition\":0,\"offset\":7,\"append_ms\":1,"
                    "\"key\":\"k\",\"headers\":[[\"a\",null],[\"b\",{\"hex\":\"ff\"}]],"
                    "\"more_headers\":true,\"value\":\"{}\"}",
                    choices[5]);
    fuzz_seed_print("%c{\"stagedoor_export\":1,\"installation\":"
                    "\"0b7e6a52-6c1f-4d8e-9a41-000000000001\",\"partitions\":4}",
                    choices[5]);
    for (int i = 0; i < MESSAGE_COUNT; i++) {
        enum message_type type = (enum message_type)i;
        struct buffer name = {0};
        enum speaker speaker = message_speaker(type);
        int topic = speaker > SPEAKER_checkout
                        ? TOPIC_SHOWS_EVENTS
                        : 2 * (int)speaker + (message_role(type) != ROLE_COMMAND);
        message_type_print(type, speaker == SPEAKER_any ? SPEAKER_shows : speaker, &name);
        struct text example = example_text(type);
        fuzz_seed_print("%c%cce_type: %s\nkey: k\nsd_source: shows.commands/3@7#deadbeef\n\n%.*s",
                        choices[4], 'B' + topic, name.data, TEXT_PRINT(example));
        buffer_release(&name);
    }
    fuzz_word("content-type: application/cloudevents+json");
    fuzz_word("--topic=");
    fuzz_word("\xc2\x9b");
}
