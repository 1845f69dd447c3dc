/* Pages of shows: up, down, over, and held by those who still read them. */
#include "api/playbill.h"
#include "api/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int undressed_count;

static void count_undressed(void *dressed)
{
    (void)dressed;
    undressed_count++;
}

/* Held by the caller, and dressed. */
static struct page *print(const char *words, int64_t good_until_ms)
{
    struct buffer body = {0};
    buffer_string(&body, words);
    struct page *page = page_new(text_of("\"1\""), text_of("0:1"), &body, good_until_ms);
    page->undress = count_undressed;
    atomic_store(&page->dressed, &undressed_count);
    return page;
}

static void put_up(struct playbill *playbill, const char *show_id, const char *words,
                   int64_t good_until_ms)
{
    struct page *page = print(words, good_until_ms);
    playbill_put_up(playbill, text_of(show_id), page);
    page_drop(page);
}

static void playbill__a_page_is_up_until_the_show_changes(void **state)
{
    struct playbill playbill;
    (void)state;
    undressed_count = 0;
    playbill_init(&playbill);
    assert_null(playbill_take(&playbill, text_of("hamlet"), 0));
    put_up(&playbill, "hamlet", "one", INT64_MAX);
    put_up(&playbill, "lear", "other", INT64_MAX);
    struct page *page = playbill_take(&playbill, text_of("hamlet"), 0);
    assert_string_equal(page->body.data, "one");
    playbill_take_down(&playbill, text_of("hamlet"));
    playbill_take_down(&playbill, text_of("macbeth")); /* nobody asked for it yet */
    assert_null(playbill_take(&playbill, text_of("hamlet"), 0));
    assert_string_equal(page->body.data, "one"); /* who reads it goes on reading */
    assert_int_equal(undressed_count, 0);
    page_drop(page);
    assert_int_equal(undressed_count, 1);
    page_drop(playbill_take(&playbill, text_of("lear"), 0));
    assert_int_equal(undressed_count, 1);
    playbill_take_all_down(&playbill);
    assert_null(playbill_take(&playbill, text_of("lear"), 0));
    assert_int_equal(undressed_count, 2);
    playbill_release(&playbill);
}

static void playbill__the_next_page_takes_the_place_of_the_last(void **state)
{
    struct playbill playbill;
    (void)state;
    undressed_count = 0;
    playbill_init(&playbill);
    put_up(&playbill, "hamlet", "one", INT64_MAX);
    put_up(&playbill, "hamlet", "two", INT64_MAX);
    assert_int_equal(undressed_count, 1);
    struct page *page = playbill_take(&playbill, text_of("hamlet"), 0);
    assert_string_equal(page->body.data, "two");
    page_drop(page);
    playbill_release(&playbill);
    assert_int_equal(undressed_count, 2);
}

static void playbill__a_page_is_over_when_the_status_may_change(void **state)
{
    struct playbill playbill;
    (void)state;
    playbill_init(&playbill);
    put_up(&playbill, "hamlet", "scheduled", 1000);
    struct page *page = playbill_take(&playbill, text_of("hamlet"), 999);
    assert_non_null(page);
    page_drop(page);
    assert_null(playbill_take(&playbill, text_of("hamlet"), 1000));
    playbill_release(&playbill);
}

static void request__knows_a_tag_in_a_list_weak_or_any(void **state)
{
    static const struct {
        const char *if_none_match;
        bool known;
    } cases[] = {
        {"\"1-2\"", true},
        {"W/\"1-2\"", true},
        {"\"0\", \"1-2\"", true},
        {"\"0\" ,W/\"1-2\"", true},
        {"*", true},
        {"\"0\"", false},
        {"1-2", false},
        {"", false},
        {",,", false},
        {"\"1-2", false},
        {"\"1-2\"\"1-2\"", false},
        {"\t\"1-2\"\t", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(request_knows(text_of(cases[i].if_none_match), text_of("\"1-2\"")),
                         cases[i].known);
    assert_false(request_knows((struct text){NULL, 0}, text_of("\"1-2\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(playbill__a_page_is_up_until_the_show_changes),
        cmocka_unit_test(playbill__the_next_page_takes_the_place_of_the_last),
        cmocka_unit_test(playbill__a_page_is_over_when_the_status_may_change),
        cmocka_unit_test(request__knows_a_tag_in_a_list_weak_or_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
