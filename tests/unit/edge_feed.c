/* The order in which the words of three services are told. */
#include "api/feed.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

enum { PARTITIONS = 2 };

static void begin(struct feed *feed)
{
    struct fence positions[TOPIC_COUNT * PARTITIONS];
    for (int i = 0; i < TOPIC_COUNT * PARTITIONS; i++)
        positions[i] = fence_start();
    feed_init(feed, PARTITIONS, positions);
}

/* In partition 1; `cause` NULL: none of an event. */
static void say(struct feed *feed, int topic, int64_t offset, int64_t append_ms, const char *text,
                const char *cause)
{
    struct feed_item *item = memory_new(sizeof *item);
    item->place = (struct place){topic, 1, offset};
    item->append_ms = append_ms;
    item->after = fence_start();
    item->after.next = offset + 1;
    item->caused = cause && place_parse(text_of(cause), &item->cause);
    buffer_string(&item->text, text);
    feed_add(feed, item);
}

static void expect(struct feed *feed, const char *expected)
{
    struct buffer told = {0};
    struct feed_item *item;
    while ((item = feed_next(feed)) != NULL) {
        buffer_text(&told, buffer_view(&item->text));
        feed_item_free(item);
    }
    buffer_byte(&told, '.');
    assert_string_equal(told.data, expected);
    buffer_release(&told);
}

static void feed__tells_a_cause_before_its_effect(void **state)
{
    struct feed feed;
    (void)state;
    begin(&feed);
    /* The clock of the log stood still, and stepped back. */
    say(&feed, TOPIC_SHOWS_EVENTS, 0, 50, "b", "reservations.events/1@0");
    say(&feed, TOPIC_SHOWS_EVENTS, 1, 50, "d", NULL);
    say(&feed, TOPIC_RESERVATIONS_EVENTS, 0, 70, "a", NULL);
    say(&feed, TOPIC_RESERVATIONS_EVENTS, 1, 71, "e", "shows.events/1@0");
    say(&feed, TOPIC_CHECKOUT_EVENTS, 0, 60, "c", NULL);
    expect(&feed, "cabde.");
    feed_release(&feed);
}

static void feed__keeps_back_what_answers_the_unread(void **state)
{
    struct feed feed;
    (void)state;
    begin(&feed);
    say(&feed, TOPIC_SHOWS_EVENTS, 0, 1, "a", NULL);
    say(&feed, TOPIC_SHOWS_EVENTS, 1, 2, "b", "reservations.events/1@7");
    say(&feed, TOPIC_SHOWS_EVENTS, 2, 3, "c", NULL);
    expect(&feed, "a.");
    const struct fence *position = &feed.positions[TOPIC_SHOWS_EVENTS * PARTITIONS + 1];
    assert_int_equal(position->next, 1);
    say(&feed, TOPIC_RESERVATIONS_EVENTS, 7, 1, "0", NULL);
    expect(&feed, "0bc.");
    assert_int_equal(position->next, 3);
    feed_release(&feed);
}

static void feed__what_tells_nothing_moves_on(void **state)
{
    struct feed feed;
    (void)state;
    begin(&feed);
    say(&feed, TOPIC_CHECKOUT_EVENTS, 0, 1, "", NULL);
    say(&feed, TOPIC_CHECKOUT_EVENTS, 1, 1, "a", "shows.events/9@7"); /* no such partition */
    assert_int_equal(feed_queue_of(&feed, TOPIC_CHECKOUT_EVENTS, 1)->count, 2);
    assert_int_equal(feed_queue_of(&feed, TOPIC_CHECKOUT_EVENTS, 1)->told_count, 1);
    expect(&feed, "a.");
    assert_int_equal(feed.positions[TOPIC_CHECKOUT_EVENTS * PARTITIONS + 1].next, 2);
    assert_int_equal(feed.positions[TOPIC_CHECKOUT_EVENTS * PARTITIONS].next, 0);
    feed_release(&feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed__tells_a_cause_before_its_effect),
        cmocka_unit_test(feed__keeps_back_what_answers_the_unread),
        cmocka_unit_test(feed__what_tells_nothing_moves_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
