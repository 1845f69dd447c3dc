/* What stays when its writer is closed or killed. */
#include "tests/bus/plays/plays.h"

static void acknowledged_records_survive_closing(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_say_lines(writer, ACTS, 0, 0, 100);
    UNTIL(stage, writer->appended_count == 100);
    role_close(writer);
    struct role *successor = role_enter(stage, "writer");
    role_say_lines(successor, ACTS, 0, 100, 1);
    role_follow(successor, ACTS, 0, 0);
    UNTIL(stage, successor->record_count == 101);
    assert_lines(successor, ACTS, 0, 0, 101);
}

static void acknowledged_records_survive_kill_9(struct stage *stage)
{
    struct player *writer = player_enter(stage, "writer");
    UNTIL(stage, writer->ready);
    player_say_lines(writer, ACTS, 0, 0, 500);
    UNTIL(stage, player_acknowledged(writer) >= 20);
    player_say_lines(writer, ACTS, 0, 500, 500);
    player_kill(writer);
    uint64_t acknowledged = player_acknowledged(writer);
    struct role *reader = role_enter(stage, "reader");
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->record_count >= (int)acknowledged && reader->caught_up[ACTS][0] >= 0);
    stage_listen(stage, 300);
    assert_lines(reader, ACTS, 0, 0, reader->record_count); /* a beginning, without gaps */
}

static void closing_in_flight_leaves_a_beginning(struct stage *stage)
{
    struct role *writer = role_enter(stage, "writer");
    role_follow(writer, ACTS, 1, 0);
    role_say_lines(writer, ACTS, 0, 0, 2000);
    int64_t before_ms = stage_now_ms(stage);
    role_close(writer);
    assert_true(stage_now_ms(stage) - before_ms < 4000);
    struct role *reader = role_enter(stage, "reader");
    stage_listen(stage, 300);
    role_follow(reader, ACTS, 0, 0);
    UNTIL(stage, reader->caught_up[ACTS][0] >= 0);
    assert_lines(reader, ACTS, 0, 0, reader->record_count);
}

static void closing_is_free_at_any_time(struct stage *stage)
{
    role_close(role_open(stage, "early", stage->prefix));
    struct role *reader = role_enter(stage, "reader");
    for (int p = 0; p < STAGE_PARTITIONS; p++)
        role_follow(reader, ACTS, p, 0);
    role_close(reader);
    struct role *member = role_enter(stage, "member");
    assert_int_equal(bus_join(member->bus, stage->prefix, both_topics, STAGE_TOPICS), BUS_OK);
    role_close(member);
    bus_close(NULL);
}

const struct play staying_plays[] = {
    PLAY(acknowledged_records_survive_closing, ANYWHERE),
    PLAY(acknowledged_records_survive_kill_9, ANYWHERE),
    PLAY(closing_in_flight_leaves_a_beginning, ANYWHERE | THREADS),
    PLAY(closing_is_free_at_any_time, ANYWHERE | THREADS),
    {0},
};
