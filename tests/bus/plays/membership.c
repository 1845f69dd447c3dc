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

/* How many numbers the role owned when it was first told that it is settled. */
static int settled_with(const struct role *role)
{
    int owned = 0;
    for (int i = 0; i < role->seen_count; i++) {
        enum bus_event_type type = role->journal[i].event.type;
        if (type == BUS_SETTLED)
            return owned;
        owned += type == BUS_ASSIGNED ? 1 : type == BUS_REVOKED ? -1 : 0;
    }
    return -1;
}

static void settled_comes_behind_the_assignments(struct stage *stage)
{
    struct role *only = join(stage, "only");
    UNTIL(stage, only->settled);
    assert_int_equal(settled_with(only), STAGE_PARTITIONS);
    assert_int_equal(role_owned(only), ALL);
}

/* Every number has an owner, and nobody owns two. */
static bool one_each(struct role *const *members, int count)
{
    unsigned owned = 0, twice = 0, greedy = 0;
    for (int i = 0; i < count; i++) {
        unsigned own = role_owned(members[i]);
        twice |= owned & own;
        owned |= own;
        greedy |= own & (own - 1);
    }
    return owned == ALL && !twice && !greedy;
}

static void a_member_too_many_settles_with_nothing(struct stage *stage)
{
    enum { MEMBERS = STAGE_PARTITIONS + 1 };
    struct role *members[MEMBERS];
    for (int i = 0; i < MEMBERS; i++)
        members[i] = join(stage, (const char *[MEMBERS]){"a", "b", "c", "d", "e"}[i]);
    for (int i = 0; i < MEMBERS; i++)
        UNTIL(stage, members[i]->settled);
    UNTIL(stage, one_each(members, MEMBERS));
}

static void members_without_a_name_are_strangers(struct stage *stage)
{
    struct role *a = join(stage, ""), *b = join(stage, "");
    UNTIL(stage, shared(role_owned(a), role_owned(b)));
}

/* The first is told. On Kafka it would come back after a while, so it leaves. */
static void a_namesake_takes_over(struct stage *stage)
{
    struct role *first = join(stage, "same");
    UNTIL(stage, role_owned(first) == ALL);
    struct role *second = join(stage, "same");
    UNTIL(stage, role_owned(second) == ALL && role_owned(first) == 0);
    bus_leave(first->bus);
    stage_listen(stage, 1000);
    assert_int_equal(role_owned(second), ALL);
    assert_int_equal(role_owned(first), 0);
    assert_int_equal(second->changed_count, STAGE_PARTITIONS);
}

static void leaving_and_joining_again(struct stage *stage)
{
    char other[64];
    snprintf(other, sizeof other, "%sunderstudies", stage->prefix);
    struct role *a = role_enter(stage, "a"), *b = role_enter(stage, "b");
    bus_leave(a->bus); /* of nothing */
    for (int i = 0; i < 2; i++) {
        a->settled = false;
        assert_int_equal(bus_join(a->bus, stage->prefix, both_topics, STAGE_TOPICS), BUS_OK);
        UNTIL(stage, a->settled && role_owned(a) == ALL);
        bus_leave(a->bus);
        UNTIL(stage, role_owned(a) == 0);
        bus_leave(a->bus);
    }
    assert_int_equal(bus_join(b->bus, stage->prefix, both_topics, STAGE_TOPICS), BUS_OK);
    UNTIL(stage, role_owned(b) == ALL);
    b->settled = false;
    int changed = b->changed_count;
    assert_int_equal(bus_join(b->bus, other, both_topics, STAGE_TOPICS), BUS_OK);
    assert_int_equal(bus_join(a->bus, stage->prefix, both_topics, STAGE_TOPICS), BUS_OK);
    UNTIL_WITHIN(stage, HANDOVER_MS, role_owned(a) == ALL);
    UNTIL(stage, b->settled && role_owned(b) == ALL && b->changed_count > changed);
}

static void joining_for_an_unknown_topic_is_invalid(struct stage *stage)
{
    struct role *role = role_enter(stage, "role");
    assert_int_equal(bus_join(role->bus, stage->prefix, (const int[]){STAGE_TOPICS}, 1),
                     BUS_INVALID);
    assert_int_equal(bus_join(role->bus, stage->prefix, (const int[]){ACTS, -1}, 2), BUS_INVALID);
    stage_listen(stage, 200);
    assert_int_equal(role->seen_count, 0);
}

/* It goes on where it was: believes what it believed, appends what it had begun. Only its
 * membership has ended, of which it is told, and it asks again. */
static void a_frozen_member_is_replaced_and_comes_back(struct stage *stage)
{
    struct role *a = join(stage, "a");
    struct player *b = join_player(stage, "b");
    UNTIL(stage, shared(role_owned(a), player_owned(b)));
    unsigned had = player_owned(b);
    player_say_lines(b, ACTS, 3, 0, 10);
    role_follow(a, ACTS, 3, 0);
    UNTIL(stage, a->record_count == 10 && player_acknowledged(b) == 10);
    player_freeze(b, true);
    UNTIL(stage, role_owned(a) == ALL);
    role_say(a, ACTS, 3, "a claim");
    UNTIL(stage, a->record_count == 11);
    assert_int_equal(player_owned(b), had);
    player_freeze(b, false);
    player_say_lines(b, ACTS, 3, 10, 1);
    UNTIL(stage, a->record_count == 12 && shared(role_owned(a), player_owned(b)));
    assert_true(role_heard(a, ACTS, 3, 10, "a claim") && role_heard(a, ACTS, 3, 11, "10"));
    assert_int_equal(player_owned(b), had);
}

const struct play membership_plays[] = {
    PLAY(one_member_gets_all, ANYWHERE),
    PLAY(two_members_share, ANYWHERE),
    PLAY(leaving_hands_over_at_once, ANYWHERE),
    PLAY(a_killed_member_is_replaced_after_its_session, ANYWHERE),
    PLAY(a_killed_member_comes_back_to_its_place, ANYWHERE),
    PLAY(a_closed_member_keeps_its_place, ANYWHERE),
    PLAY(members_come_and_go, ANYWHERE | THREADS),
    PLAY(settled_comes_behind_the_assignments, ANYWHERE),
    PLAY(a_member_too_many_settles_with_nothing, ANYWHERE),
    PLAY(members_without_a_name_are_strangers, ANYWHERE),
    PLAY(a_namesake_takes_over, ANYWHERE | THREADS),
    PLAY(leaving_and_joining_again, ANYWHERE | THREADS),
    PLAY(joining_for_an_unknown_topic_is_invalid, ANYWHERE),
    PLAY(a_frozen_member_is_replaced_and_comes_back, ANYWHERE),
    PLAY(two_groups_do_not_share, ANYWHERE),
    PLAY(two_installations_do_not_share, ANYWHERE),
    PLAY(members_also_read_and_append, ANYWHERE | THREADS),
    {0},
};
