/* Records read and written with every allocation failing in turn: they are what they were, or the
 * process ends. Never is a good command refused, or an event unreadable, for lack of memory. */
#include "bus/envelope.h"
#include "tests/support/famine/famine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct example {
    struct place place;
    struct bus_header headers[2];
    struct bus_record record;
    char type[128], bytes[MESSAGE_SIZE_MAX], written[MESSAGE_SIZE_MAX];
};

static void read_and_write(void *context)
{
    static struct message message;
    struct example *example = context;
    struct arena arena = {0};
    struct codec_error error;
    struct buffer out = {0};
    enum envelope_result result =
        envelope_read(&example->record, &example->place, &arena, &message, &error);
    if (result != ENVELOPE_OK)
        fail_msg("%s: %s", example->type, error.detail);
    codec_encode(&message, &out);
    if (example->written[0] == '\0')
        snprintf(example->written, sizeof example->written, "%s", out.data);
    assert_string_equal(out.data, example->written);
    buffer_release(&out);
    arena_release(&arena);
}

static void take_type(struct example *example, enum message_type type)
{
    struct buffer name = {0};
    enum speaker speaker = message_speaker(type);
    speaker = speaker == SPEAKER_any ? SPEAKER_shows : speaker;
    message_type_print(type, speaker, &name);
    snprintf(example->type, sizeof example->type, "%s", name.data);
    buffer_release(&name);
    bool event = message_role(type) != ROLE_COMMAND;
    int service = speaker > SPEAKER_checkout ? 0 : (int)speaker;
    example->place = (struct place){2 * service + event, 0, 7};
}

/* In binary mode; a command in structured mode as well. */
static void read_example(struct example *example, enum message_type type, bool structured)
{
    char path[128], file[MESSAGE_SIZE_MAX / 2] = "";
    *example = (struct example){.headers = {{TEXT("content-type"), TEXT("application/json")}}};
    take_type(example, type);
    snprintf(path, sizeof path, "schemas/examples/%s.json", message_name(type));
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    assert_true(fread(file, 1, sizeof file - 1, stream) > 0);
    fclose(stream);
    if (structured) {
        snprintf(example->bytes, sizeof example->bytes,
                 "{\"specversion\":\"1.0\",\"id\":\"1\",\"type\":\"%s\",\"data\":%s}",
                 example->type, file);
        example->headers[0].value = text_of("application/cloudevents+json");
    } else {
        snprintf(example->bytes, sizeof example->bytes, "%s", file);
        example->headers[1] = (struct bus_header){TEXT("ce_type"), text_of(example->type)};
    }
    example->record = (struct bus_record){.value = text_of(example->bytes),
                                          .headers = example->headers,
                                          .header_count = structured ? 1 : 2};
}

static void codec__reads_and_writes_each_message_or_ends_the_process(void **state)
{
    static struct example example;
    (void)state;
    for (int type = 0; type < MESSAGE_COUNT; type++)
        for (int structured = 0; structured < 2; structured++) {
            if (structured && message_role((enum message_type)type) != ROLE_COMMAND)
                continue;
            read_example(&example, (enum message_type)type, structured);
            read_and_write(&example);
            struct famine_tally tally = famine_each(read_and_write, &example);
            assert_true(tally.aborted > 5); /* the document's parts are among them */
            assert_int_equal(tally.survived, 0);
        }
}

int main(void)
{
    famine_prepare();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec__reads_and_writes_each_message_or_ends_the_process),
    };
    return cmocka_run_group_tests_name("codec_memory", tests, NULL, NULL);
}
