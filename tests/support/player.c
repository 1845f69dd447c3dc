/* A player: the same program started again as another process, told what to do by lines on a pipe
 * and answering by lines, so that a test can kill it as kill -9 does.
 *
 *     told:    say TOPIC PARTITION FIRST COUNT · time TOPIC PARTITION · join GROUP
 *     answers: ready CREATED · acknowledged · owns MASK
 *
 * On the simulated log there are no processes: the player is a handle here, and dies by sim_crash.
 */
#include "tests/support/stage.h"

#include "base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the player's own process -------------------------------------------------------------- */

static struct bus *open_bus(char **arguments, bool *created)
{
    struct bus_options options = {.client = "player",
                                  .instance = arguments[2],
                                  .topic_prefix = arguments[1],
                                  .session_timeout_ms = STAGE_SESSION_MS};
    struct bus_topic_spec specs[STAGE_TOPICS] = {{"acts", STAGE_PARTITIONS, true, false},
                                                 {"scenes", STAGE_PARTITIONS, true, false}};
    struct bus_error error = {""};
    struct bus *bus = NULL;
    if (bus_open(&bus, arguments[0], &options, &error) != BUS_OK ||
        bus_topics(bus, specs, STAGE_TOPICS, &error) != BUS_OK) {
        fprintf(stderr, "player '%s': %s\n", arguments[2], error.text);
        exit(1);
    }
    *created = specs[0].created && specs[1].created;
    return bus;
}

static void say(struct bus *bus, int topic, int partition, const char *value)
{
    struct bus_record record = {.value = text_of(value)};
    if (bus_append(bus, topic, partition, &record, 0) != BUS_OK)
        exit(1);
}

static void obey(struct bus *bus, const char *line)
{
    static const int topics[STAGE_TOPICS] = {ACTS, SCENES};
    int topic, partition, first, count;
    char text[64];
    if (sscanf(line, "say %d %d %d %d", &topic, &partition, &first, &count) == 4) {
        for (int i = first; i < first + count; i++) {
            snprintf(text, sizeof text, "%d", i);
            say(bus, topic, partition, text);
        }
    } else if (sscanf(line, "time %d %d", &topic, &partition) == 2) {
        snprintf(text, sizeof text, "%lld", (long long)clock_monotonic_us());
        say(bus, topic, partition, text);
    } else if (sscanf(line, "join %63s", text) == 1) {
        if (bus_join(bus, text, topics, STAGE_TOPICS) != BUS_OK)
            exit(1);
    }
}

static void report(const struct bus_event *event)
{
    static unsigned owned;
    char line[64];
    int size = 0;
    if (event->type == BUS_APPENDED) {
        size = snprintf(line, sizeof line, "acknowledged\n");
    } else if (event->type == BUS_ASSIGNED || event->type == BUS_REVOKED) {
        owned ^= 1u << event->partition;
        size = snprintf(line, sizeof line, "owns %u\n", owned);
    }
    if (size > 0 && write(STDOUT_FILENO, line, (size_t)size) != size)
        exit(0);
}

int player_main(char **arguments)
{
    bool created = false;
    struct bus *bus = open_bus(arguments, &created);
    dprintf(STDOUT_FILENO, "ready %d\n", created);
    FILE *told = fdopen(STDIN_FILENO, "r");
    setvbuf(told, NULL, _IONBF, 0); /* what is read ahead, poll would not see */
    char line[256];
    for (;;) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&input, 1, 0) > 0) {
            if (!fgets(line, sizeof line, told))
                exit(0);
            obey(bus, line);
        }
        struct bus_event event;
        if (bus_poll(bus, 2, &event))
            report(&event);
    }
}

/* ---- the test's side ----------------------------------------------------------------------- */

static void spawn(struct player *player)
{
    int to[2], from[2];
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    player->pid = fork();
    assert_true(player->pid >= 0);
    if (player->pid == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        execl("/proc/self/exe", "player", "player", player->stage->url, player->stage->prefix,
              player->name, (char *)NULL);
        _exit(111);
    }
    close(to[0]);
    close(from[1]);
    player->to = to[1];
    player->from = from[0];
    fcntl(player->from, F_SETFL, O_NONBLOCK);
}

struct player *player_enter(struct stage *stage, const char *name)
{
    assert_in_range(stage->player_count, 0, STAGE_PLAYERS - 1);
    struct player *player = &stage->players[stage->player_count];
    *player = (struct player){.stage = stage, .name = name, .to = -1, .from = -1};
    if (stage->sim) {
        player->role = role_open(stage, name, stage->prefix);
        assert_int_equal(role_topics(player->role, STAGE_PARTITIONS, true, &player->created),
                         BUS_OK);
        player->ready = true;
    } else {
        spawn(player);
    }
    stage->player_count++;
    return player;
}

__attribute__((format(printf, 2, 3))) static void tell(struct player *player, const char *format,
                                                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vdprintf(player->to, format, arguments);
    va_end(arguments);
    assert_true(written > 0);
}

void player_say_lines(struct player *player, int topic, int partition, int first, int count)
{
    if (player->role)
        role_say_lines(player->role, topic, partition, first, count);
    else
        tell(player, "say %d %d %d %d\n", topic, partition, first, count);
}

void player_say_time(struct player *player, int topic, int partition)
{
    tell(player, "time %d %d\n", topic, partition);
}

void player_join(struct player *player, const char *group)
{
    static const int topics[STAGE_TOPICS] = {ACTS, SCENES};
    if (player->role)
        assert_int_equal(bus_join(player->role->bus, group, topics, STAGE_TOPICS), BUS_OK);
    else
        tell(player, "join %s\n", group);
}

unsigned player_owned(const struct player *player)
{
    return player->role ? role_owned(player->role) : player->owned;
}

uint64_t player_acknowledged(const struct player *player)
{
    return player->role ? (uint64_t)player->role->appended_count : player->acknowledged_count;
}

static void hear(struct player *player)
{
    int created;
    unsigned owned;
    if (sscanf(player->line, "ready %d", &created) == 1) {
        player->ready = true;
        player->created = created;
    } else if (sscanf(player->line, "owns %u", &owned) == 1) {
        player->owned = owned;
    } else if (strcmp(player->line, "acknowledged") == 0) {
        player->acknowledged_count++;
    }
}

void player_turn(struct player *player)
{
    char bytes[4096];
    ssize_t size;
    while (player->from >= 0 && !player->over &&
           (size = read(player->from, bytes, sizeof bytes)) >= 0) {
        player->over = size == 0;
        for (ssize_t i = 0; i < size; i++) {
            if (bytes[i] != '\n' && player->line_size < sizeof player->line - 1) {
                player->line[player->line_size++] = bytes[i];
                continue;
            }
            player->line[player->line_size] = '\0';
            player->line_size = 0;
            hear(player);
        }
    }
    if (player->over && player->pid > 0)
        fail_msg("player '%s' has died by itself", player->name);
}

void player_freeze(struct player *player, bool frozen)
{
    if (player->role)
        sim_freeze(player->role->bus, frozen);
    else
        kill(player->pid, frozen ? SIGSTOP : SIGCONT);
}

void player_kill(struct player *player)
{
    if (player->role && player->role->bus) {
        sim_crash(player->role->bus);
        player->role->bus = NULL;
    }
    if (player->pid > 0) {
        kill(player->pid, SIGKILL);
        waitpid(player->pid, NULL, 0);
        player->pid = 0;
        player_turn(player); /* what it said before it died: the pipe has an end now */
        close(player->to);
        close(player->from);
        player->to = player->from = -1;
    }
}
