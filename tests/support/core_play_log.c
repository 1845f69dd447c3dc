/* The words of core_play.h in a simulated log: what is said becomes records, what was told is read
 * back through the fence. */
#include "tests/support/core_play.h"

#include "base/arena.h"
#include "base/memory.h"
#include "services/shows/shows_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TOLD_SIZE = 64 * 1024 };

const char *const play_show_ids[PLAY_PARTITIONS] = {"s1", "show-0"};

static struct bus *enter(struct play_log *log, const char *instance, bool create)
{
    struct bus_options options = {.client = "test", .instance = instance};
    struct bus_error error;
    struct bus *bus = sim_bus_open(log->sim, &options);
    play_heal(log); /* opening waits by the machine's clock */
    assert_int_equal(
        installation_open(bus, create, create ? PLAY_PARTITIONS : 0, &log->installation, &error),
        BUS_OK);
    return bus;
}

static void append(struct play_log *log, int topic, int partition, const struct bus_record *record)
{
    assert_int_equal(bus_append(log->door, topic, partition, record, 0), BUS_OK);
}

void play_raw(struct play_log *log, int topic, int partition, const char *type, const char *stamp,
              const char *value)
{
    struct bus_header headers[2] = {{TEXT("ce_type"), text_of(type)},
                                    {TEXT("sd_stamp"), text_of(stamp)}};
    append(log, topic, partition,
           &(struct bus_record){
               .value = text_of(value), .headers = headers, .header_count = stamp ? 2 : 1});
}

/* A claim by somebody else; answers its offset. */
int64_t play_claim(struct play_log *log, int topic, int partition, const char *installation)
{
    char step[160], mark[80];
    snprintf(step, sizeof step, "Claimed installation=%s partitions=%d", installation,
             PLAY_PARTITIONS);
    envelope_open(&log->envelope, play_message(log->words, step), SPEAKER_bus);
    snprintf(mark, sizeof mark, "00000000000000aa/%s", installation);
    envelope_header(&log->envelope, "sd_claim", text_of(mark));
    int64_t offset = sim_end(log->sim, topic, partition);
    append(log, topic, partition, envelope_close(&log->envelope));
    return offset;
}

/* The next stamp of the other service that owns `topic` here; it claims first. */
const char *play_next_stamp(struct play_log *log, int topic, int partition)
{
    static char stamp[64];
    if (log->epochs[topic][partition] == 0)
        log->epochs[topic][partition] = play_claim(log, topic, partition, log->installation.id);
    snprintf(stamp, sizeof stamp, "%lld-00000000000000aa.%llu",
             (long long)log->epochs[topic][partition],
             (unsigned long long)++log->n[topic][partition]);
    return stamp;
}

/* A command, or an event of another service, in the words of core_play.h; its show is that of the
 * partition. */

void play_say(struct play_log *log, int partition, const char *format, ...)
{
    char step[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(step, sizeof step, format, arguments);
    va_end(arguments);
    struct message message = *play_message(log->words, step);
    bool event = message_role(message.type) == ROLE_EVENT;
    enum speaker speaker = message_speaker(message.type);
    int topic = (int)speaker * 2 + event;
    const char *stamp = event ? play_next_stamp(log, topic, partition) : NULL;
    message = *play_message(log->words, step); /* the claim was one too */
    message_set(&message, show_id, text_of(play_show_ids[partition]));
    envelope_open(&log->envelope, &message, speaker);
    if (stamp)
        envelope_header(&log->envelope, "sd_stamp", text_of(stamp));
    append(log, topic, partition, envelope_close(&log->envelope));
}

/* The accepted outcomes of a partition from `from` on, by name; a refusal by its code, Progress as
 * "~", a claim as "|". Every one is checked on the way: no input has two. */
const char *play_told_from(struct play_log *log, int partition, int64_t from)
{
    struct fence fence = fence_start();
    struct arena arena = {0};
    struct place place = {TOPIC_SHOWS_EVENTS, partition, 0};
    size_t size = 0;
    int64_t last_ms = 0;
    log->told[0] = '\0';
    while (fence.in_doubt || fence.next < sim_end(log->sim, TOPIC_SHOWS_EVENTS, partition)) {
        struct bus_record record;
        struct fence_reading reading;
        struct message message;
        struct codec_error error;
        place.offset = fence.in_doubt ? fence.doubt : fence.next;
        assert_true(sim_record(log->sim, TOPIC_SHOWS_EVENTS, partition, place.offset, &record));
        enum fence_verdict verdict = fence_read(&fence, place.offset, &record, &reading);
        const char *word = verdict == FENCE_CLAIMED ? "|" : verdict == FENCE_PROGRESS ? "~" : NULL;
        if (verdict == FENCE_ACCEPTED) {
            assert_int_equal(envelope_read(&record, &place, &arena, &message, &error), ENVELOPE_OK);
            assert_true(message.at_ms >= last_ms); /* time does not go back */
            last_ms = message.at_ms;
            word = message.type == MESSAGE_Refused ? code_name(message.code)
                                                   : message_name(message.type);
        }
        if (word && place.offset >= from)
            size +=
                (size_t)snprintf(log->told + size, TOLD_SIZE - size, "%s%s", size ? " " : "", word);
        assert_in_range(size, 0, TOLD_SIZE - 1);
    }
    arena_release(&arena);
    return log->told;
}

const char *play_told(struct play_log *log, int partition)
{
    return play_told_from(log, partition, 0);
}

/* How often a word was told. */
int play_times(struct play_log *log, int partition, const char *word)
{
    int count = 0;
    char *rest = (char *)(uintptr_t)play_told(log, partition);
    for (char *at; (at = strsep(&rest, " "));)
        count += strcmp(at, word) == 0;
    return count;
}

/* Each input of the partition has exactly one accepted outcome that names it (timers aside), in the
 * order given by the topic. */
void play_expect_answered_once(struct play_log *log, int topic, int partition)
{
    int64_t end = sim_end(log->sim, topic, partition);
    int *answers = memory_new((size_t)(end + 1) * sizeof *answers);
    struct fence fence = fence_start();
    int64_t last = -1;
    while (fence.in_doubt || fence.next < sim_end(log->sim, TOPIC_SHOWS_EVENTS, partition)) {
        struct bus_record record;
        struct fence_reading reading;
        struct source source;
        int64_t at = fence.in_doubt ? fence.doubt : fence.next;
        assert_true(sim_record(log->sim, TOPIC_SHOWS_EVENTS, partition, at, &record));
        if (fence_read(&fence, at, &record, &reading) != FENCE_ACCEPTED)
            continue;
        assert_true(source_parse(reading.source, &source));
        if (source.timer || !text_is(source.topic, topic_name(topic)))
            continue;
        assert_int_equal(source.partition, partition);
        assert_true(source.offset > last && source.offset < end);
        last = source.offset;
        answers[source.offset]++;
        assert_true(sim_record(log->sim, topic, partition, source.offset, &record));
        assert_int_equal(source.crc, source_crc(&record));
    }
    for (int64_t i = 0; i < end; i++)
        if (answers[i] != 1)
            fail_msg("%s/%d@%lld has %d outcomes", topic_name(topic), partition, (long long)i,
                     answers[i]);
    memory_free(answers);
}

struct bus *play_log_enter(struct play_log *log, const char *instance)
{
    return enter(log, instance, false);
}

void play_request(struct play_log *log, int partition, int reservation, int quantity)
{
    play_say(log, partition, "ReservationRequested r%d lines=standard:%d", reservation, quantity);
}

void play_pay(struct play_log *log, int partition, int reservation)
{
    play_say(log, partition, "PaymentSucceeded r%d payment=p1:none:0:EUR", reservation);
}

void play_expect_told(struct play_log *log, int partition, const char *words)
{
    assert_string_equal(play_told(log, partition), words);
}

void play_expect_times(struct play_log *log, int partition, const char *word, int times)
{
    assert_int_equal(play_times(log, partition, word), times);
}

void play_fault(struct play_log *log, struct sim_faults faults)
{
    sim_set_faults(log->sim, &faults);
}

void play_heal(struct play_log *log)
{
    play_fault(log, (struct sim_faults){0});
}

void play_sleep_until(struct play_log *log, int64_t at_s)
{
    int64_t left_ms = PLAY_START_MS + at_s * 1000 - sim_now_ms(log->sim);
    assert_true(left_ms >= 0);
    sim_advance(log->sim, left_ms);
}

struct play_log *play_log_open(uint64_t seed)
{
    struct play_log *log = memory_new(sizeof *log);
    log->told = memory_new(TOLD_SIZE);
    log->sim = sim_new(seed, PLAY_START_MS);
    log->words = play_open(&shows_service);
    log->door = enter(log, NULL, true);
    return log;
}

void play_log_close(struct play_log *log)
{
    bus_close(log->door);
    envelope_release(&log->envelope);
    play_close(log->words);
    sim_free(log->sim);
    memory_free(log->told);
    memory_free(log);
}
