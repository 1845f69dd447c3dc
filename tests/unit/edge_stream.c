/* Streams fall asleep, are woken, and never sleep through a call. */
#include "api/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct script {
    struct stream stream;
    const char
        *lines; /* a character a read: '.' nothing yet, '!' called while it looked, '$' the end */
    int slept, roused;
    bool released;
};

static struct script *script_of(struct stream *stream)
{
    return (struct script *)stream;
}

static ssize_t read_script(struct stream *stream, char *out, size_t max)
{
    struct script *script = script_of(stream);
    char next = *script->lines++;
    (void)max;
    if (next == '!')
        stream_wake(stream);
    if (next == '.' || next == '!')
        return 0;
    *out = next;
    return next == '$' ? STREAM_END : 1;
}

static void release_script(struct stream *stream)
{
    script_of(stream)->released = true;
}

static void count_sleep(void *connection)
{
    ((struct script *)connection)->slept++;
}

static void count_rouse(void *connection)
{
    ((struct script *)connection)->roused++;
}

static void open_script(struct script *script, const char *lines)
{
    *script = (struct script){.lines = lines};
    stream_init(&script->stream, read_script, release_script);
    script->stream.sleep = count_sleep;
    script->stream.rouse = count_rouse;
    script->stream.connection = script;
}

static void stream__sleeps_when_there_is_nothing(void **state)
{
    struct script script;
    char out;
    (void)state;
    open_script(&script, "a.b$");
    assert_int_equal(stream_pull(&script.stream, &out, 1), 1);
    stream_wake(&script.stream); /* awake already */
    assert_int_equal(script.roused, 0);
    assert_int_equal(stream_pull(&script.stream, &out, 1), 0);
    assert_int_equal(script.slept, 1);
    stream_wake(&script.stream);
    stream_wake(&script.stream);
    assert_int_equal(script.roused, 1);
    assert_int_equal(stream_pull(&script.stream, &out, 1), 1);
    assert_int_equal(out, 'b');
    assert_int_equal(stream_pull(&script.stream, &out, 1), STREAM_END);
    assert_int_equal(script.slept, 1);
    stream_release(&script.stream);
    assert_true(script.released);
}

static void stream__does_not_sleep_through_a_call(void **state)
{
    struct script script;
    char out;
    (void)state;
    open_script(&script, "!!c.");
    assert_int_equal(stream_pull(&script.stream, &out, 1), 1);
    assert_int_equal(out, 'c');
    assert_int_equal(script.slept, 0);
    assert_int_equal(stream_pull(&script.stream, &out, 1), 0);
    assert_int_equal(script.slept, 1);
    stream_release(&script.stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream__sleeps_when_there_is_nothing),
        cmocka_unit_test(stream__does_not_sleep_through_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
