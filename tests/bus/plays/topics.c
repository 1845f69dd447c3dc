/* bus_topics: what is there, what is made, what does not fit. */
#include "tests/bus/plays/plays.h"

#include "base/clock.h"

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

/* given the scenes, or nothing | when these are asked for | then it is refused, or this many */
static void a_refusal_makes_nothing(struct stage *stage)
{
    static const struct {
        struct bus_topic_spec specs[2];
        enum bus_result result;
    } cases[] = {
        {{{"acts", 4, true, false}, {"scenes", 5, true, false}}, BUS_UNFIT},
        {{{"acts", 0, true, false}, {"scenes", 0, true, false}}, BUS_UNFIT},
        {{{"acts", 4, true, false}, {"scenes", 4, false, false}}, BUS_UNFIT},
        {{{"scenes", 4, true, false}, {"scenes", 4, true, false}}, BUS_OK},
        {{{"acts", 5, true, false}, {"scenes", 0, false, false}}, BUS_UNFIT},
        {{{"acts", 0, false, false}, {"scenes", 0, false, false}}, BUS_UNFIT},
        {{{"acts", 0, true, false}, {"scenes", 0, false, false}}, BUS_OK},
    };
    for (int i = 0; i < (int)(sizeof cases / sizeof cases[0]); i++) {
        struct role *role = role_open(stage, "role", stage->prefix);
        struct bus_error error = {""};
        struct bus_topic_spec specs[2] = {cases[i].specs[0], cases[i].specs[1]};
        int count = specs[0].name[0] == specs[1].name[0] ? 1 : 2;
        enum bus_result result = bus_topics(role->bus, specs, count, &error);
        if (result != cases[i].result)
            fail_msg("case %d: %d, '%s'", i, (int)result, error.text);
        assert_int_equal(specs[0].created, result == BUS_OK);
        if (result == BUS_OK)
            assert_int_equal(specs[0].partition_count, STAGE_PARTITIONS);
        else
            assert_true(error.text[0] != '\0');
    }
}

/* Two handles name the topics in another order. */
static void a_topic_is_its_place_in_the_callers_list(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    struct role *reader = role_open(stage, "reader", stage->prefix);
    struct bus_topic_spec specs[] = {{"scenes", 0, false, false}, {"acts", 0, false, false}};
    struct bus_error error;
    assert_int_equal(bus_topics(reader->bus, specs, 2, &error), BUS_OK);
    role_say(writer, ACTS, 3, "act");
    role_say(writer, SCENES, 3, "scene");
    role_follow(reader, 0, 3, 0);
    role_follow(reader, 1, 3, 0);
    UNTIL(stage, reader->record_count == 2);
    assert_true(role_heard(reader, 0, 3, 0, "scene") && role_heard(reader, 1, 3, 0, "act"));
}

static void opening_in_vain_says_why(struct stage *stage)
{
    static const struct {
        const char *url;
        enum bus_result result;
        unsigned where;
    } cases[] = {
        {"kafka://localhost:1", BUS_UNREACHABLE, ON_KAFKA},
        {"sqlite:/no/such/folder/bus.db", BUS_UNREACHABLE, ON_SQLITE},
        {"kafka://", BUS_INVALID, REAL},
        {"sqlite:", BUS_INVALID, REAL},
        {"carrier-pigeon://roof", BUS_INVALID, REAL},
    };
    for (int i = 0; i < (int)(sizeof cases / sizeof cases[0]); i++) {
        if (!(cases[i].where & stage->backend->kind))
            continue;
        struct bus *bus = (struct bus *)stage; /* anything but NULL */
        struct bus_error error = {""};
        int64_t before_ms = clock_monotonic_ms();
        assert_int_equal(bus_open(&bus, cases[i].url, &(struct bus_options){0}, &error),
                         cases[i].result);
        assert_null(bus);
        assert_true(error.text[0] != '\0');
        assert_in_range(clock_monotonic_ms() - before_ms, 0, 8000);
    }
}

const struct play topics_plays[] = {
    PLAY(another_partition_count_is_refused, ANYWHERE),
    PLAY(a_missing_topic_is_refused, ANYWHERE),
    PLAY(partition_count_0_takes_what_is_there, ANYWHERE),
    PLAY(one_of_several_creators_has_created, ANYWHERE),
    PLAY(prefixes_separate, ANYWHERE),
    PLAY(a_refusal_makes_nothing, ANYWHERE),
    PLAY(a_topic_is_its_place_in_the_callers_list, ANYWHERE),
    PLAY(opening_in_vain_says_why, REAL),
    {0},
};
