/* bus_topics: what is there, what is made, what does not fit. */
#include "tests/bus/plays/plays.h"

#include <stdio.h>

static void another_partition_count_is_refused(struct stage *stage)
{
    role_enter(stage, "first");
    struct role *second = role_open(stage, "second", stage->prefix);
    assert_int_equal(role_topics(second, STAGE_PARTITIONS + 1, true, NULL), BUS_UNFIT);
    struct role *third = role_open(stage, "third", stage->prefix);
    assert_int_equal(role_topics(third, STAGE_PARTITIONS - 1, false, NULL), BUS_UNFIT);
}

static void a_missing_topic_is_refused(struct stage *stage)
{
    struct role *early = role_open(stage, "early", stage->prefix);
    assert_int_equal(role_topics(early, STAGE_PARTITIONS, false, NULL), BUS_UNFIT);
    struct role *creator = role_open(stage, "creator", stage->prefix);
    bool created = false;
    assert_int_equal(role_topics(creator, STAGE_PARTITIONS, true, &created), BUS_OK);
    assert_true(created); /* the refused one has made nothing */
}

static void partition_count_0_takes_what_is_there(struct stage *stage)
{
    role_enter(stage, "creator");
    struct role *guest = role_open(stage, "guest", stage->prefix);
    bool created = true;
    assert_int_equal(role_topics(guest, 0, false, &created),
                     BUS_OK); /* checks that it is written */
    assert_false(created);
}

static void one_of_several_creators_has_created(struct stage *stage)
{
    struct player *players[STAGE_PLAYERS];
    for (int i = 0; i < STAGE_PLAYERS; i++)
        players[i] = player_enter(stage, (const char *[]){"a", "b", "c", "d"}[i]);
    int created = 0;
    for (int i = 0; i < STAGE_PLAYERS; i++) {
        UNTIL(stage, players[i]->ready);
        created += players[i]->created;
    }
    assert_int_equal(created, 1);
}

static void prefixes_separate(struct stage *stage)
{
    struct role *here = role_enter(stage, "here");
    char elsewhere[64];
    snprintf(elsewhere, sizeof elsewhere, "%sother.", stage->prefix);
    struct role *there = role_open(stage, "there", elsewhere);
    bool created = false;
    assert_int_equal(role_topics(there, STAGE_PARTITIONS, true, &created), BUS_OK);
    assert_true(created);
    role_say(here, ACTS, 0, "here");
    role_follow(there, ACTS, 0, 0);
    UNTIL(stage, here->appended_count == 1 && there->caught_up[ACTS][0] == 0);
    stage_listen(stage, 100);
    assert_int_equal(there->record_count, 0);
}

const struct play topics_plays[] = {
    PLAY(another_partition_count_is_refused, ANYWHERE),
    PLAY(a_missing_topic_is_refused, ANYWHERE),
    PLAY(partition_count_0_takes_what_is_there, ANYWHERE),
    PLAY(one_of_several_creators_has_created, ANYWHERE),
    PLAY(prefixes_separate, ANYWHERE),
    {0},
};
