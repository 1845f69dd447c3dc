/* Who owns what, by claims, stamps and positions; and what waits for them. */
#include "cli/owners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NOW    INT64_C(1795289400123)
#define SECOND 1000
#define MINUTE (60 * SECOND)

struct told {
    enum follower_news news;
    int topic;
    int64_t offset;
    int64_t ago_ms;
    const char *text; /* of a claim the instance, of an accepted one the positions */
    enum message_type type;
};

static void take(struct owners *owners, const struct told *told)
{
    char value[400];
    struct bus_header header = {TEXT("ce_type"), TEXT("stagedoor.bus.Claimed")};
    struct bus_record record = {.append_ms = NOW - told->ago_ms};
    struct follower_item item = {.place = {told->topic, 1, told->offset}, .record = &record};
    item.message.type = told->type;
    item.reading.positions = text_of(told->text);
    if (told->news == FOLLOWER_CLAIM) {
        snprintf(value, sizeof value,
                 "{\"installation\":\"0b7e6a52-6c1f-4d8e-9a41-000000000001\",\"partitions\":2,"
                 "\"service\":\"checkout\",\"instance\":\"%s\",\"host\":\"box\",\"pid\":7,"
                 "\"version\":\"1\",\"rules\":2}",
                 told->text);
        record.value = text_of(value);
        record.headers = &header;
        record.header_count = 1;
    }
    owners_take(owners, told->news, &item);
}

static struct owner_look look_after(struct owners *owners, const struct told *told, int count)
{
    *owners = (struct owners){.partition_count = 2};
    for (int i = 0; i < count; i++)
        take(owners, &told[i]);
    return owners_look(owners, CHECKOUT, 1, NOW);
}

#define OUT      TOPIC_CHECKOUT_EVENTS
#define COMMANDS TOPIC_CHECKOUT_COMMANDS
#define INPUT    TOPIC_SHOWS_EVENTS
#define CLAIM(offset, ago_ms, instance)                                                            \
    {                                                                                              \
        FOLLOWER_CLAIM, OUT, offset, ago_ms, instance, MESSAGE_NONE                                \
    }
#define SAID(offset, ago_ms, positions)                                                            \
    {                                                                                              \
        FOLLOWER_MESSAGE, OUT, offset, ago_ms, positions, MESSAGE_CheckoutStarted                  \
    }
#define PROGRESS(offset, ago_ms, positions)                                                        \
    {                                                                                              \
        FOLLOWER_PROGRESS, OUT, offset, ago_ms, positions, MESSAGE_NONE                            \
    }
#define COMMAND(offset, ago_ms)                                                                    \
    {                                                                                              \
        FOLLOWER_MESSAGE, COMMANDS, offset, ago_ms, "", MESSAGE_StartCheckout                      \
    }
#define HEARD(offset, ago_ms, name)                                                                \
    {                                                                                              \
        FOLLOWER_MESSAGE, INPUT, offset, ago_ms, "", MESSAGE_##name                                \
    }

#define LOOKS(name, waiting, ...)                                                                  \
    do {                                                                                           \
        static const struct told told[] = {__VA_ARGS__};                                           \
        struct owners owners;                                                                      \
        struct owner_look look = look_after(&owners, told, sizeof told / sizeof *told);            \
        assert_string_equal(owner_state_name(look.state), name);                                   \
        assert_int_equal(look.waiting_count, waiting);                                             \
        owners_release(&owners);                                                                   \
    } while (0)

static void owners__state_is_what_waits_and_what_was_said(void **state)
{
    (void)state;
    LOOKS("nobody", 1, COMMAND(0, SECOND));
    LOOKS("ready", 0, CLAIM(1, MINUTE, "a"));
    LOOKS("ready", 0, CLAIM(1, 99 * MINUTE, "a"), COMMAND(0, MINUTE), SAID(2, MINUTE, "1;0"));
    LOOKS("recovering", 1, CLAIM(1, SECOND, "a"), COMMAND(0, 9 * MINUTE));
    LOOKS("behind", 2, CLAIM(1, MINUTE, "a"), SAID(2, SECOND, "1;0"), COMMAND(0, MINUTE),
          COMMAND(1, MINUTE), COMMAND(2, MINUTE));
    LOOKS("silent", 1, CLAIM(1, 9 * MINUTE, "a"), SAID(2, 2 * MINUTE, "1;0"),
          COMMAND(1, 2 * MINUTE));
    LOOKS("silent", 1, CLAIM(1, 2 * MINUTE, "a"), COMMAND(0, 2 * MINUTE));
    /* It was idle for long, and what came a moment ago it may yet answer. */
    LOOKS("behind", 1, CLAIM(1, 9 * MINUTE, "a"), SAID(2, 8 * MINUTE, "1;0"), COMMAND(1, SECOND));
}

static void owners__topics_may_come_in_any_order(void **state)
{
    (void)state;
    LOOKS("ready", 0, COMMAND(0, 3), COMMAND(1, 2), CLAIM(1, 9, "a"), SAID(2, 1, "2;0"));
    LOOKS("ready", 0, CLAIM(1, 9, "a"), SAID(2, 1, "2;0"), COMMAND(0, 3), COMMAND(1, 2));
    LOOKS("behind", 1, COMMAND(0, 3), CLAIM(1, 9, "a"), SAID(2, 1, "1;0"), COMMAND(1, 2));
}

static void owners__what_never_has_an_outcome_does_not_wait(void **state)
{
    (void)state;
    LOOKS("ready", 0, CLAIM(1, MINUTE, "a"), HEARD(5, SECOND, SeatsHeld),
          {FOLLOWER_PROGRESS, INPUT, 6, SECOND, "9;9;9", MESSAGE_NONE},
          {FOLLOWER_VOID, INPUT, 7, SECOND, "", MESSAGE_NONE});
    LOOKS("recovering", 1, CLAIM(1, SECOND, "a"), HEARD(5, SECOND, HoldExpired));
    LOOKS("ready", 0, CLAIM(1, MINUTE, "a"), HEARD(5, SECOND, HoldExpired),
          PROGRESS(2, SECOND, "0;6"));
    /* A command that nobody can read is answered too. */
    LOOKS("recovering", 1, CLAIM(1, SECOND, "a"),
          {FOLLOWER_VOID, COMMANDS, 0, SECOND, "", MESSAGE_NONE});
}

static void owners__changes_of_late_are_counted(void **state)
{
    static const struct told told[] = {
        CLAIM(1, 30 * MINUTE, "a"), CLAIM(2, 9 * MINUTE, "b"), CLAIM(3, 8 * MINUTE, "b"),
        CLAIM(4, 7 * MINUTE, "a"),  SAID(5, SECOND, "0;0"),
    };
    struct owners owners;
    struct owner_look look = look_after(&owners, told, sizeof told / sizeof *told);
    (void)state;
    assert_int_equal(look.claims_lately, 3);
    assert_int_equal(look.changes_lately, 2);
    assert_true(text_is(look.owner->instance, "a") && text_is(look.owner->host, "box"));
    assert_true(look.owner->pid == 7 && look.owner->claim == 4 && look.owner->record_count == 1);
    assert_true(look.owner->since_ms == NOW - 7 * MINUTE && look.quiet_ms == SECOND);
    owners_release(&owners);
}

/* The backlog's memory is used again. */
static void owners__a_long_evening(void **state)
{
    struct owners owners = {.partition_count = 2};
    char positions[32];
    (void)state;
    take(&owners, &(struct told)CLAIM(1, MINUTE, "a"));
    for (int i = 0; i < 10000; i++) {
        take(&owners,
             &(struct told){FOLLOWER_MESSAGE, COMMANDS, i, SECOND, "", MESSAGE_StartCheckout});
        snprintf(positions, sizeof positions, "%d;0", i > 9 ? i - 9 : 0);
        take(&owners, &(struct told){FOLLOWER_MESSAGE, OUT, i + 2, SECOND, positions,
                                     MESSAGE_CheckoutStarted});
    }
    struct owner_look look = owners_look(&owners, CHECKOUT, 1, NOW);
    assert_int_equal(look.waiting_count, 10);
    assert_true(look.owner->backlogs[0].capacity <= 128);
    owners_release(&owners);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners__state_is_what_waits_and_what_was_said),
        cmocka_unit_test(owners__topics_may_come_in_any_order),
        cmocka_unit_test(owners__what_never_has_an_outcome_does_not_wait),
        cmocka_unit_test(owners__changes_of_late_are_counted),
        cmocka_unit_test(owners__a_long_evening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
