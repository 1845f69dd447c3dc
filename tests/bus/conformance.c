/* The promises of bus.h, one case each, held against every kind of log.
 *
 *     STAGEDOOR_TEST_BACKENDS=sim,slowsim,sqlite,kafka   which; all when unset
 *     STAGEDOOR_TEST_KAFKA=HOST:PORT                     where a broker listens
 *     conformance 'sqlite__*'                            only tests of that name
 *
 *     STAGEDOOR_TEST_SEED=N                              the same dice again
 *     STAGEDOOR_TEST_THREADS=1                           only where threads of a handle meet
 *
 * slowsim is sim with answers and deliveries that take their time. What only sim can do, its
 * faults, is in tests/unit/sim_bus.c. The cases are in plays/; which promise is held by which:
 * README.md. */
#include "tests/bus/plays/plays.h"
#include "tests/support/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct play *const programme[] = {
    landing_plays, staying_plays,    reading_plays, claims_plays,  limits_plays,
    topics_plays,  membership_plays, waiting_plays, trouble_plays,
};

static bool sqlite_url(char *url, size_t size, const char *folder)
{
    return snprintf(url, size, "sqlite:%s/stage.db", folder) < (int)size;
}

static bool kafka_url(char *url, size_t size, const char *folder)
{
    (void)folder;
    const char *address = getenv("STAGEDOOR_TEST_KAFKA");
    if (!address)
        print_error(
            "STAGEDOOR_TEST_KAFKA is not set: name a broker as HOST:PORT, or leave kafka out "
            "with STAGEDOOR_TEST_BACKENDS=sim,slowsim,sqlite\n");
    return address && snprintf(url, size, "kafka://%s", address) < (int)size;
}

static bool own_kafka_url(char *url, size_t size, const char *folder)
{
    (void)folder;
    return snprintf(url, size, "kafka://%s", broker_address()) < (int)size;
}

static const struct stage_backend backends[] = {
    {.name = "sim", .kind = ON_SIM},
    {.name = "slowsim",
     .kind = ON_SIM,
     .faults = {.acknowledgement_ms = 60, .delivery_delayed = 50, .delay_ms = 80}},
    {.name = "sqlite", .kind = ON_SQLITE, .url = sqlite_url},
    {.name = "kafka", .kind = ON_KAFKA, .url = kafka_url, .own_url = own_kafka_url},
};

enum { BACKENDS = sizeof backends / sizeof backends[0], EVENINGS_MAX = 512 };

struct evening {
    const struct play *play;
    const struct stage_backend *backend;
    struct stage *stage;
    char name[96];
};

static struct evening evenings[EVENINGS_MAX];
static struct CMUnitTest tests[EVENINGS_MAX];
static size_t test_count;

static int open_evening(void **state)
{
    struct evening *evening = *state;
    evening->stage = stage_open(evening->backend, evening->play->where & BREAKS);
    return 0;
}

static void run_evening(void **state)
{
    struct evening *evening = *state;
    evening->play->run(evening->stage);
}

static int close_evening(void **state)
{
    struct evening *evening = *state;
    stage_close(evening->stage);
    evening->stage = NULL;
    return 0;
}

/* Whether the comma-separated list in the environment names it, or there is none. */
static bool wanted(const char *name)
{
    struct text list = text_of(getenv("STAGEDOOR_TEST_BACKENDS"));
    if (list.size == 0)
        return true;
    while (list.size)
        if (text_is(text_cut(&list, ','), name))
            return true;
    return false;
}

static void announce(const struct play *play, const struct stage_backend *backend)
{
    assert_in_range(test_count, 0, EVENINGS_MAX - 1);
    struct evening *evening = &evenings[test_count];
    *evening = (struct evening){play, backend, NULL, ""};
    snprintf(evening->name, sizeof evening->name, "%s__%s", backend->name, play->name);
    tests[test_count++] =
        (struct CMUnitTest){evening->name, run_evening, open_evening, close_evening, evening};
}

static void announce_all(const struct stage_backend *backend)
{
    bool all = !getenv("STAGEDOOR_TEST_THREADS");
    for (size_t i = 0; i < sizeof programme / sizeof programme[0]; i++)
        for (const struct play *play = programme[i]; play->name; play++)
            if (play->where & backend->kind && (all || play->where & THREADS))
                announce(play, backend);
}

int main(int count, char **arguments)
{
    if (count == 5 && strcmp(arguments[1], "player") == 0)
        return player_main(arguments + 2);
    if (count == 2)
        cmocka_set_test_filter(arguments[1]);
    for (int i = 0; i < BACKENDS; i++)
        if (wanted(backends[i].name))
            announce_all(&backends[i]);
    if (test_count == 0) {
        fprintf(stderr,
                "STAGEDOOR_TEST_BACKENDS='%s' names no backend; there are sim, slowsim, "
                "sqlite and kafka\n",
                getenv("STAGEDOOR_TEST_BACKENDS"));
        return 1;
    }
    int failed = _cmocka_run_group_tests("conformance", tests, test_count, NULL, NULL);
    broker_gone();
    return failed;
}
