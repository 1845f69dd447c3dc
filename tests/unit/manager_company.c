/* Changes to who plays, with this very program for an actor. */
#include "base/clock.h"
#include "manager/company.h"
#include "tests/support/actor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { DEADLINE_MS = 20000 };

static const struct part parts[] = {{"shows", 5}, {"edge", 4}, {"paydesk", 1}};

struct house {
    struct supervisor *supervisor;
    struct company *company;
    bool dies; /* who is started from now on */
    struct buffer said;
};

static void cast(void *context, const char *part, int number, const char *name)
{
    struct house *house = context;
    const char *const plays[] = {"/proc/self/exe", "--actor", "ready", "stay", NULL};
    const char *const dies[] = {"/proc/self/exe", "--actor", "exit", "3", NULL};
    struct child_spec spec = {
        .name = name, .role = CHILD_SERVICE, .argv = house->dies ? dies : plays};
    (void)part;
    assert_true(number > 0);
    supervisor_add(house->supervisor, &spec);
}

static void house_open(struct house *house)
{
    *house = (struct house){.supervisor = supervisor_new(-1, false, NULL)};
    house->company = company_new(house->supervisor, parts, 3, cast, house);
}

static void house_close(struct house *house)
{
    company_free(house->company);
    supervisor_free(house->supervisor);
    buffer_release(&house->said);
}

/* Until the change is done. */
static enum company_state play_on(struct house *house)
{
    int64_t until_ms = clock_monotonic_ms() + DEADLINE_MS;
    buffer_clear(&house->said);
    while (clock_monotonic_ms() < until_ms) {
        enum company_state state = company_turn(house->company, &house->said);
        if (state == COMPANY_CHANGED || state == COMPANY_FAILED)
            return state;
        supervisor_poll(house->supervisor, 50);
    }
    fail_msg("the change was never done; so far: %s", house->said.data);
    return COMPANY_FAILED;
}

static enum company_order order(struct house *house, const char *verb, const char *who,
                                const char *count)
{
    static char error[COMPANY_ERROR_SIZE];
    struct text text = text_of(count);
    return company_order(house->company, text_of(verb), text_of(who), count ? &text : NULL, error);
}

static void change(struct house *house, const char *verb, const char *who, const char *count,
                   const char *said)
{
    assert_int_equal(order(house, verb, who, count), COMPANY_BEGUN);
    assert_int_equal(play_on(house), COMPANY_CHANGED);
    assert_string_equal(house->said.size ? house->said.data : "", said);
}

static struct child_look look(const struct house *house, const char *name)
{
    struct child_look child;
    int index = supervisor_find(house->supervisor, name);
    assert_true(index >= 0);
    supervisor_look(house->supervisor, index, &child);
    return child;
}

static void reload__begins_an_understudy_first(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    company_open(house.company, "edge", 2);
    pid_t first = look(&house, "edge-1").pid, second = look(&house, "edge-2").pid;
    change(&house, "reload", "edge", NULL,
           "edge-3 is ready\nedge-1 is stopped\nedge-1 is ready\nedge-2 is stopped\n"
           "edge-2 is ready\nedge-3 is stopped\n");
    assert_int_equal(company_count(house.company, "edge"), 2);
    assert_int_not_equal(look(&house, "edge-1").pid, first);
    assert_int_not_equal(look(&house, "edge-2").pid, second);
    assert_int_equal(look(&house, "edge-1").restart_count, 0);
    house_close(&house);
}

static void reload__goes_without_where_there_can_be_no_more(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    company_open(house.company, "paydesk", 1);
    change(&house, "reload", "paydesk", NULL, "paydesk-1 is stopped\npaydesk-1 is ready\n");
    house_close(&house);
}

static void reload__of_one_that_does_not_start_touches_nobody(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    company_open(house.company, "edge", 2);
    change(&house, "start", "edge", "2", ""); /* both are there */
    pid_t first = look(&house, "edge-1").pid;
    house.dies = true;
    assert_int_equal(order(&house, "reload", "all", NULL), COMPANY_BEGUN);
    assert_int_equal(play_on(&house), COMPANY_FAILED);
    assert_non_null(strstr(house.said.data, "edge-3 dies again and again"));
    assert_non_null(strstr(house.said.data, "stagedoor logs edge-3"));
    assert_int_equal(look(&house, "edge-1").pid, first);
    assert_int_equal(company_count(house.company, "edge"), 2);
    house_close(&house);
}

static void stop__keeps_it_in_the_list_and_delete_does_not(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    company_open(house.company, "shows", 1);
    company_open(house.company, "edge", 2);
    change(&house, "stop", "edge-1", NULL, "edge-1 is stopped\n");
    assert_int_equal(look(&house, "edge-1").state, CHILD_OVER);
    assert_int_equal(look(&house, "edge-2").state, CHILD_RUNNING);
    change(&house, "start", "edge", NULL, "edge-1 is ready\n");
    char number[12];
    snprintf(number, sizeof number, "%d", look(&house, "edge-2").number);
    change(&house, "delete", number, NULL, "edge-2 is stopped\n");
    assert_int_equal(supervisor_find(house.supervisor, "edge-2"), -1);
    change(&house, "delete", "shows", NULL, "shows-1 is stopped\n");
    assert_int_equal(company_count(house.company, "shows"), 0);
    change(&house, "start", "shows", NULL, "shows-1 is ready\n");
    house_close(&house);
}

static void restart__takes_all_at_once(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    company_open(house.company, "edge", 2);
    assert_int_equal(order(&house, "restart", "edge", NULL), COMPANY_BEGUN);
    assert_int_equal(order(&house, "stop", "edge", NULL), COMPANY_NOT_NOW);
    assert_int_equal(play_on(&house), COMPANY_CHANGED);
    const char *ready = strstr(house.said.data, "is ready");
    const char *stopped = strstr(house.said.data, "edge-1 is stopped");
    const char *stopped_too = strstr(house.said.data, "edge-2 is stopped");
    assert_true(stopped && stopped_too && stopped < ready && stopped_too < ready);
    house_close(&house);
}

static void scale__counts_from_what_is_there(void **state)
{
    struct house house;
    (void)state;
    house_open(&house);
    company_open(house.company, "shows", 1);
    assert_int_equal(order(&house, "scale", "shows", "+2"), COMPANY_BEGUN);
    assert_int_equal(play_on(&house), COMPANY_CHANGED);
    assert_true(look(&house, "shows-2").ready && look(&house, "shows-3").ready);
    change(&house, "scale", "shows", "-1", "shows-3 is stopped\n");
    change(&house, "scale", "shows", "2", "");
    change(&house, "scale", "shows", "0", "shows-2 is stopped\nshows-1 is stopped\n");
    house_close(&house);
}

static void orders__that_make_no_sense_are_refused(void **state)
{
    static const struct {
        const char *verb, *who, *count;
    } rows[] = {
        {"stop", "nobody", NULL},  {"stop", "edge-7", NULL},  {"stop", "99", NULL},
        {"stop", "paydesk", NULL},                         /* there is none */
        {"scale", "edge", NULL},   {"scale", "edge", "4"}, /* one place is the understudy's */
        {"scale", "edge", "-3"},   {"scale", "edge", "many"}, {"scale", "all", "1"},
        {"scale", "edge-1", "1"},  {"dance", "edge", NULL},   {"start", "nobody", NULL},
    };
    struct house house;
    (void)state;
    house_open(&house);
    company_open(house.company, "edge", 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(order(&house, rows[i].verb, rows[i].who, rows[i].count), COMPANY_NOT_SO);
    assert_int_equal(company_turn(house.company, &house.said), COMPANY_IDLE);
    house_close(&house);
}

int main(int argc, char **argv)
{
    actor_play(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reload__begins_an_understudy_first),
        cmocka_unit_test(reload__goes_without_where_there_can_be_no_more),
        cmocka_unit_test(reload__of_one_that_does_not_start_touches_nobody),
        cmocka_unit_test(stop__keeps_it_in_the_list_and_delete_does_not),
        cmocka_unit_test(restart__takes_all_at_once),
        cmocka_unit_test(scale__counts_from_what_is_there),
        cmocka_unit_test(orders__that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
