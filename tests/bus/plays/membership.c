/* Who should own which partition number. */
#include "tests/bus/plays/plays.h"

#include <stdio.h>

static struct role *join(struct stage *stage, const char *name)
{
    struct role *member = role_enter(stage, name);
    assert_int_equal(bus_join(member->bus, stage->prefix, both_topics, STAGE_TOPICS), BUS_OK);
    return member;
}

static struct player *join_player(struct stage *stage, const char *name)
{
    struct player *player = player_enter(stage, name);
    UNTIL(stage, player->ready);
    player_join(player, stage->prefix);
    return player;
}

static bool shared(unsigned a, unsigned b)
{
    return a && b && (a & b) == 0 && (a | b) == ALL;
}

static void one_member_gets_all(struct stage *stage)
{
    struct role *only = join(stage, "only");
    UNTIL(stage, role_owned(only) == ALL);
    assert_int_equal(only->changed_count,
                     STAGE_PARTITIONS); /* one event per number, not per topic */
}

static void two_members_share(struct stage *stage)
{
    struct role *a = join(stage, "a");
    UNTIL(stage, role_owned(a) == ALL);
    struct role *b = join(stage, "b");
    UNTIL(stage, shared(role_owned(a), role_owned(b)));
    stage_listen(stage, 500);
    assert_true(shared(role_owned(a), role_owned(b)));
}

static void leaving_hands_over_at_once(struct stage *stage)
{
    struct role *a = join(stage, "a"), *b = join(stage, "b");
    UNTIL(stage, shared(role_owned(a), role_owned(b)));
    int64_t before_ms = stage_now_ms(stage);
    bus_leave(b->bus);
    assert_true(stage_now_ms(stage) - before_ms < 4000);
    UNTIL_WITHIN(stage, HANDOVER_MS, role_owned(a) == ALL && role_owned(b) == 0);
    assert_true(stage_now_ms(stage) - before_ms < STAGE_SESSION_MS);
    role_close(b);
}

static void a_killed_member_is_replaced_after_its_session(struct stage *stage)
{
    struct role *a = join(stage, "a");
    struct player *b = join_player(stage, "b");
    UNTIL(stage, shared(role_owned(a), player_owned(b)));
    int64_t before_ms = stage_now_ms(stage);
    player_kill(b);
    UNTIL(stage, role_owned(a) == ALL);
    int64_t passed_ms = stage_now_ms(stage) - before_ms;
    assert_in_range(passed_ms, STAGE_SESSION_MS / 2, STAGE_SESSION_MS * 2);
}

static void a_killed_member_comes_back_to_its_place(struct stage *stage)
{
    struct role *a = join(stage, "a");
    struct player *b = join_player(stage, "b");
    UNTIL(stage, shared(role_owned(a), player_owned(b)));
    unsigned had = player_owned(b);
    int changed = a->changed_count;
    player_kill(b);
    struct player *again = join_player(stage, "b");
    UNTIL_WITHIN(stage, HANDOVER_MS, player_owned(again) == had);
    stage_listen(stage, 300);
    assert_int_equal(a->changed_count, changed); /* the others notice nothing */
}

static void a_closed_member_keeps_its_place(struct stage *stage)
{
    struct role *a = join(stage, "a"), *b = join(stage, "b");
    UNTIL(stage, shared(role_owned(a), role_owned(b)));
    unsigned had = role_owned(b);
    int changed = a->changed_count;
    role_close(b);
    struct role *again = join(stage, "b");
    UNTIL_WITHIN(stage, HANDOVER_MS, role_owned(again) == had);
    stage_listen(stage, 300);
    assert_int_equal(a->changed_count, changed);
}

static bool each_has_one_owner(const struct role *a, const struct role *b, const struct role *c)
{
    unsigned x = role_owned(a), y = role_owned(b), z = c ? role_owned(c) : 0;
    return (x & y) == 0 && (x & z) == 0 && (y & z) == 0 && (x | y | z) == ALL;
}

static void members_come_and_go(struct stage *stage)
{
    struct role *a = join(stage, "a"), *b = join(stage, "b"), *c = join(stage, "c");
    UNTIL(stage, each_has_one_owner(a, b, c) && role_owned(a) && role_owned(b) && role_owned(c));
    bus_leave(b->bus);
    role_close(b);
    UNTIL_WITHIN(stage, HANDOVER_MS, shared(role_owned(a), role_owned(c)));
    role_close(c); /* keeps its place */
    b = join(stage, "b");
    c = join(stage, "c");
    UNTIL(stage, each_has_one_owner(a, b, c) && role_owned(a) && role_owned(b) && role_owned(c));
    stage_listen(stage, 500);
    assert_true(each_has_one_owner(a, b, c));
}

static void two_groups_do_not_share(struct stage *stage)
{
    char other[64];
    snprintf(other, sizeof other, "%sunderstudies", stage->prefix);
    struct role *a = join(stage, "a"), *b = role_enter(stage, "b");
    assert_int_equal(bus_join(b->bus, other, both_topics, STAGE_TOPICS), BUS_OK);
    UNTIL(stage, role_owned(a) == ALL && role_owned(b) == ALL);
    stage_listen(stage, 300);
    assert_int_equal(a->changed_count + b->changed_count, 2 * STAGE_PARTITIONS);
}

static void two_installations_do_not_share(struct stage *stage)
{
    char elsewhere[64];
    snprintf(elsewhere, sizeof elsewhere, "%sother.", stage->prefix);
    struct role *here = role_enter(stage, "same"), *there = role_open(stage, "same", elsewhere);
    assert_int_equal(role_topics(there, STAGE_PARTITIONS, true, NULL), BUS_OK);
    assert_int_equal(bus_join(here->bus, "players", both_topics, STAGE_TOPICS), BUS_OK);
    assert_int_equal(bus_join(there->bus, "players", both_topics, STAGE_TOPICS), BUS_OK);
    UNTIL(stage, role_owned(here) == ALL && role_owned(there) == ALL);
    stage_listen(stage, 300);
    assert_int_equal(here->changed_count + there->changed_count, 2 * STAGE_PARTITIONS);
}

static void members_also_read_and_append(struct stage *stage)
{
    struct role *a = join(stage, "a"), *b = join(stage, "b");
    UNTIL(stage, shared(role_owned(a), role_owned(b)));
    role_follow(a, ACTS, 0, 0);
    role_say_lines(b, ACTS, 0, 0, 50);
    UNTIL(stage, a->record_count == 50 && b->appended_count == 50);
    assert_int_equal(b->record_count, 0); /* membership alone delivers nothing */
}

const struct play membership_plays[] = {
    PLAY(one_member_gets_all, ANYWHERE),
    PLAY(two_members_share, ANYWHERE),
    PLAY(leaving_hands_over_at_once, ANYWHERE),
    PLAY(a_killed_member_is_replaced_after_its_session, ANYWHERE),
    PLAY(a_killed_member_comes_back_to_its_place, ANYWHERE),
    PLAY(a_closed_member_keeps_its_place, ANYWHERE),
    PLAY(members_come_and_go, ANYWHERE),
    PLAY(two_groups_do_not_share, ANYWHERE),
    PLAY(two_installations_do_not_share, ANYWHERE),
    PLAY(members_also_read_and_append, ANYWHERE),
    {0},
};
