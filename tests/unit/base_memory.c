/* Out of memory: the process says so and ends, and never goes on with less. */
#include "base/arena.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "tests/support/famine/famine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void allocate(void *context)
{
    struct arena arena = {0};
    struct buffer out = {0};
    void *block = memory_grow(memory_new(10), 20);
    void **list = memory_append(NULL, 0, context);
    buffer_string(&out, "hello");
    assert_string_equal(arena_text(&arena, buffer_view(&out)).data, "hello");
    buffer_release(&out);
    arena_release(&arena);
    memory_free(list);
    memory_free(block);
}

static void memory__aborts_when_there_is_none(void **state)
{
    (void)state;
    struct famine_tally tally = famine_each(allocate, NULL);
    assert_int_equal(tally.aborted, 5);
    assert_int_equal(tally.survived, 0);
}

static void name(void *context)
{
    char id[UUID_SIZE];
    assert_string_equal(uuid_from_name(text_of("Hamlet"), id), context);
}

static void memory__lacks_for_an_id_and_none_is_made_up(void **state)
{
    char id[UUID_SIZE];
    (void)state;
    uuid_from_name(text_of("Hamlet"), id);
    assert_true(famine_each(name, id).aborted > 1);
}

int main(void)
{
    famine_prepare();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory__aborts_when_there_is_none),
        cmocka_unit_test(memory__lacks_for_an_id_and_none_is_made_up),
    };
    return cmocka_run_group_tests_name("base_memory", tests, NULL, NULL);
}
