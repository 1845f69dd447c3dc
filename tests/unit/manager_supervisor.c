/* Children that die, talk and do not want to stop; and the pure parts around them. */
#include "base/clock.h"
#include "manager/doorway.h"
#include "manager/line_reader.h"
#include "manager/supervisor.h"
#include "tests/support/actor.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { DEADLINE_MS = 20000 };

/* ---- pure ------------------------------------------------------------------------------------ */
static void backoff__doubles_up_to_its_limit_and_forgives(void **state)
{
    static const struct {
        int last_ms;
        int64_t alive_ms;
        int expected_ms;
    } rows[] = {
        {0, 0, 100},     {100, 0, 200},      {200, 9999, 400},   {400, 0, 800},     {3200, 0, 5000},
        {5000, 0, 5000}, {5000, 9999, 5000}, {5000, 10000, 100}, {100, 99999, 100},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(supervisor_backoff_ms(rows[i].last_ms, rows[i].alive_ms),
                         rows[i].expected_ms);
}

static void lines__are_cut_wherever_the_bytes_were(void **state)
{
    struct line_reader reader = {.size = 0};
    struct text line, first = text_of("one\ntw"), second = text_of("o\n\nthr\033[2Jee");
    (void)state;
    assert_true(line_reader_next(&reader, &first, &line));
    assert_true(text_is(line, "one"));
    assert_false(line_reader_next(&reader, &first, &line));
    assert_true(line_reader_next(&reader, &second, &line));
    assert_true(text_is(line, "two"));
    assert_true(line_reader_next(&reader, &second, &line));
    assert_int_equal(line.size, 0);
    assert_false(line_reader_next(&reader, &second, &line));
    assert_true(line_reader_last(&reader, &line));
    assert_true(text_is(line, "thr?[2Jee"));
    assert_false(line_reader_last(&reader, &line));
}

static void lines__too_long_go_on_in_the_next(void **state)
{
    static char bytes[LINE_SIZE_MAX + 10];
    struct line_reader reader = {.size = 0};
    struct text line, rest = text_from(bytes, sizeof bytes);
    (void)state;
    memset(bytes, 'x', sizeof bytes);
    assert_true(line_reader_next(&reader, &rest, &line));
    assert_int_equal(line.size, LINE_SIZE_MAX);
    assert_false(line_reader_next(&reader, &rest, &line));
    assert_true(line_reader_last(&reader, &line));
    assert_int_equal(line.size, 10);
}

static void lines__carry_the_name_of_who_speaks(void **state)
{
    struct buffer out = {0};
    (void)state;
    line_prefix("shows", 8, 0, text_of("curtain up"), &out);
    assert_string_equal(out.data, "shows    | curtain up\n");
    buffer_clear(&out);
    line_prefix("shows", 8, 32, text_of("curtain up"), &out);
    assert_string_equal(out.data, "\033[32mshows    |\033[0m curtain up\n");
    buffer_release(&out);
}

static void doorway__addresses(void **state)
{
    static const struct {
        const char *text, *host, *role, *printed, *url; /* host NULL: it is none */
        int port;
    } rows[] = {
        {"127.0.0.1:3000", "127.0.0.1", "", "127.0.0.1:3000", "http://127.0.0.1:3000", 3000},
        {"0.0.0.0:80=shows", "0.0.0.0", "shows", "0.0.0.0:80=shows", "http://127.0.0.1:80", 80},
        {"[::]:3000", "::", "", "[::]:3000", "http://[::1]:3000", 3000},
        {"[::1]:1=api", "::1", "api", "[::1]:1=api", "http://[::1]:1", 1},
        {"localhost:0", "localhost", "", "localhost:0", "http://localhost:0", 0},
        {"3000", NULL, NULL, NULL, NULL, 0},
        {":3000", NULL, NULL, NULL, NULL, 0},
        {"::1:3000", NULL, NULL, NULL, NULL, 0},
        {"host:65536", NULL, NULL, NULL, NULL, 0},
        {"host:", NULL, NULL, NULL, NULL, 0},
        {"host:3000=", NULL, NULL, NULL, NULL, 0},
        {"host:30 ", NULL, NULL, NULL, NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct doorway doorway;
        char out[DOORWAY_TEXT_SIZE];
        bool good = doorway_parse(text_of(rows[i].text), &doorway);
        assert_int_equal(good, rows[i].host != NULL);
        if (!good)
            continue;
        assert_string_equal(doorway.host, rows[i].host);
        assert_string_equal(doorway.role, rows[i].role);
        assert_int_equal(doorway.port, rows[i].port);
        assert_string_equal(doorway_print(&doorway, true, out), rows[i].printed);
        assert_string_equal(doorway_url(&doorway, out), rows[i].url);
    }
}

static void doorway__a_port_in_use_is_said(void **state)
{
    struct doorway first, second;
    char text[DOORWAY_TEXT_SIZE], error[600];
    (void)state;
    assert_true(doorway_parse(text_of("127.0.0.1:0"), &first));
    assert_true(doorway_open(&first, error, sizeof error));
    assert_true(first.port > 0);
    assert_true(doorway_parse(text_of(doorway_print(&first, false, text)), &second));
    assert_false(doorway_open(&second, error, sizeof error));
    assert_non_null(strstr(error, text));
    assert_non_null(strstr(error, "in use"));
    doorway_close(&first);
}

/* ---- real children --------------------------------------------------------------------------- */
struct roof {
    struct supervisor *supervisor;
    FILE *output;
};

static void roof_open(struct roof *roof)
{
    roof->output = tmpfile();
    assert_non_null(roof->output);
    roof->supervisor = supervisor_new(fileno(roof->output), false, NULL);
    assert_non_null(roof->supervisor);
}

static void roof_close(struct roof *roof)
{
    supervisor_free(roof->supervisor);
    fclose(roof->output);
}

static void add_shell(struct roof *roof, const char *name, enum child_role role, const char *script)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct child_spec spec = {.name = name, .role = role, .argv = argv};
    supervisor_add(roof->supervisor, &spec);
}

/* At most three words of tests/support/actor.h; NULL: no more. */
static void add_actor(struct roof *roof, const char *name, enum child_role role, const char *first,
                      const char *second, const char *third)
{
    const char *const argv[] = {"/proc/self/exe", "--actor", first, second, third, NULL};
    struct child_spec spec = {.name = name, .role = role, .argv = argv};
    supervisor_add(roof->supervisor, &spec);
}

/* Polls until that news comes. */
static struct supervisor_event expect(struct roof *roof, enum supervisor_news news)
{
    int64_t until_ms = clock_monotonic_ms() + DEADLINE_MS;
    while (clock_monotonic_ms() < until_ms) {
        struct supervisor_event event = supervisor_poll(roof->supervisor, 100);
        if (event.news == news)
            return event;
    }
    fail_msg("news %d never came", (int)news);
    return (struct supervisor_event){SUPERVISOR_NOTHING, NULL, 0};
}

/* Everything printed so far. */
static const char *printed(struct roof *roof)
{
    static char bytes[20000];
    ssize_t size = pread(fileno(roof->output), bytes, sizeof bytes - 1, 0);
    assert_true(size >= 0);
    bytes[size] = '\0';
    return bytes;
}

static void supervisor__prints_what_a_task_says_and_how_it_ends(void **state)
{
    struct roof roof;
    (void)state;
    roof_open(&roof);
    add_shell(&roof, "seed", CHILD_TASK, "echo out; echo err >&2; printf 'no newline'; exit 3");
    struct supervisor_event event = expect(&roof, SUPERVISOR_TASK_END);
    assert_string_equal(event.name, "seed");
    assert_int_equal(event.code, 3);
    assert_non_null(strstr(printed(&roof), "seed           | out\n"));
    assert_non_null(strstr(printed(&roof), "seed           | err\n"));
    assert_non_null(strstr(printed(&roof), "seed           | no newline\n"));
    roof_close(&roof);
}

static void supervisor__starts_again_what_dies(void **state)
{
    struct roof roof;
    (void)state;
    roof_open(&roof);
    add_actor(&roof, "shows", CHILD_SERVICE, "ready", "killed", NULL);
    for (int i = 0; i < 3; i++)
        assert_string_equal(expect(&roof, SUPERVISOR_READY).name, "shows");
    assert_non_null(strstr(printed(&roof), "shows was killed by signal 9"));
    assert_non_null(strstr(printed(&roof), "starting it again in 100 ms (restart 1)"));
    assert_non_null(strstr(printed(&roof), "starting it again in 200 ms (restart 2)"));
    roof_close(&roof);
}

static void supervisor__does_not_insist_on_wrong_usage(void **state)
{
    struct roof roof;
    (void)state;
    roof_open(&roof);
    add_shell(&roof, "edge", CHILD_EDGE, "echo 'no such option'; exit 100");
    assert_string_equal(expect(&roof, SUPERVISOR_MISUSED).name, "edge");
    roof_close(&roof);
}

static void supervisor__a_missing_program_is_said(void **state)
{
    const char *const argv[] = {"/nonexistent/stagedoor-shows", NULL};
    struct child_spec spec = {.name = "shows", .role = CHILD_TASK, .argv = argv};
    struct roof roof;
    (void)state;
    roof_open(&roof);
    supervisor_add(roof.supervisor, &spec);
    assert_int_equal(expect(&roof, SUPERVISOR_TASK_END).code, 111);
    assert_non_null(strstr(printed(&roof), "cannot start '/nonexistent/stagedoor-shows'"));
    roof_close(&roof);
}

static void supervisor__stops_edges_before_services(void **state)
{
    struct roof roof;
    (void)state;
    roof_open(&roof);
    add_actor(&roof, "shows", CHILD_SERVICE, "ready", "stay", NULL);
    add_actor(&roof, "edge", CHILD_EDGE, "ready", "stay", NULL);
    expect(&roof, SUPERVISOR_READY);
    expect(&roof, SUPERVISOR_READY);
    kill(getpid(), SIGTERM); /* blocked, and read by the supervisor */
    expect(&roof, SUPERVISOR_STOPPED);
    const char *edge = strstr(printed(&roof), "edge           | gone");
    const char *shows = strstr(printed(&roof), "shows          | gone");
    assert_non_null(edge);
    assert_non_null(shows);
    assert_true(edge < shows);
    roof_close(&roof);
}

static void supervisor__asked_twice_does_not_wait(void **state)
{
    struct roof roof;
    (void)state;
    roof_open(&roof);
    add_actor(&roof, "shows", CHILD_SERVICE, "deaf", "ready", "stay");
    expect(&roof, SUPERVISOR_READY);
    int64_t asked_at_ms = clock_monotonic_ms();
    kill(getpid(), SIGINT);
    for (int i = 0; i < 10; i++)
        supervisor_poll(roof.supervisor, 10);
    assert_true(supervisor_stopping(roof.supervisor));
    kill(getpid(), SIGINT);
    expect(&roof, SUPERVISOR_STOPPED);
    assert_true(clock_monotonic_ms() - asked_at_ms < STOP_ALL_MS);
    assert_non_null(strstr(printed(&roof), "asked twice: killing 1"));
    roof_close(&roof);
}

static struct child_look look(const struct roof *roof, const char *name)
{
    struct child_look child;
    supervisor_look(roof->supervisor, supervisor_find(roof->supervisor, name), &child);
    return child;
}

static void supervisor__ends_one_and_begins_it_again(void **state)
{
    struct roof roof;
    (void)state;
    roof_open(&roof);
    add_actor(&roof, "shows", CHILD_SERVICE, "ready", "stay", NULL);
    add_actor(&roof, "edge", CHILD_EDGE, "ready", "stay", NULL);
    expect(&roof, SUPERVISOR_READY);
    expect(&roof, SUPERVISOR_READY);
    assert_string_equal(look(&roof, "shows").status, "here");
    supervisor_end(roof.supervisor, "shows");
    assert_int_equal(look(&roof, "shows").state, CHILD_ENDING);
    assert_string_equal(expect(&roof, SUPERVISOR_ENDED).name, "shows");
    assert_int_equal(look(&roof, "shows").state, CHILD_OVER);
    assert_int_equal(look(&roof, "edge").state, CHILD_RUNNING);
    supervisor_begin(roof.supervisor, "shows");
    assert_false(look(&roof, "shows").ready);
    assert_string_equal(expect(&roof, SUPERVISOR_READY).name, "shows");
    assert_int_equal(look(&roof, "shows").restart_count, 0);
    supervisor_end(roof.supervisor, "edge");
    expect(&roof, SUPERVISOR_ENDED);
    supervisor_forget(roof.supervisor, "edge");
    assert_int_equal(supervisor_find(roof.supervisor, "edge"), -1);
    assert_int_equal(supervisor_count(roof.supervisor), 1);
    roof_close(&roof);
}

static void supervisor__kills_who_gives_no_sign_of_life_any_more(void **state)
{
    const char *const argv[] = {"/proc/self/exe", "--actor", "ready", "freeze", NULL};
    struct child_spec spec = {
        .name = "shows", .role = CHILD_SERVICE, .argv = argv, .watchdog_ms = 500};
    struct roof roof;
    (void)state;
    roof_open(&roof);
    supervisor_add(roof.supervisor, &spec);
    expect(&roof, SUPERVISOR_READY);
    assert_int_equal(expect(&roof, SUPERVISOR_ENDED).code, 128 + SIGKILL);
    assert_non_null(strstr(printed(&roof), "shows gave no sign of life"));
    roof_close(&roof);
}

static void supervisor__watches_for_its_owner(void **state)
{
    struct roof roof;
    int ends[2];
    (void)state;
    roof_open(&roof);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    supervisor_watch(roof.supervisor, ends[0]);
    assert_int_equal(supervisor_poll(roof.supervisor, 0).news, SUPERVISOR_NOTHING);
    assert_int_equal(write(ends[1], "x", 1), 1);
    expect(&roof, SUPERVISOR_WATCHED);
    supervisor_watch(roof.supervisor, -1);
    assert_int_equal(supervisor_poll(roof.supervisor, 0).news, SUPERVISOR_NOTHING);
    close(ends[0]);
    close(ends[1]);
    roof_close(&roof);
}

static void supervisor__hands_descriptors_and_environment_over(void **state)
{
    const char *const argv[] = {"/bin/sh", "-c", "read line <&3; echo \"$GIFT $line\"", NULL};
    struct roof roof;
    int ends[2];
    (void)state;
    roof_open(&roof);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "horse\n", 6), 6);
    struct child_spec spec = {.name = "task",
                              .role = CHILD_TASK,
                              .argv = argv,
                              .env = "GIFT=wooden",
                              .fds = &ends[0],
                              .fd_count = 1};
    supervisor_add(roof.supervisor, &spec);
    expect(&roof, SUPERVISOR_TASK_END);
    assert_non_null(strstr(printed(&roof), "task           | wooden horse"));
    close(ends[0]);
    close(ends[1]);
    roof_close(&roof);
}

static void supervisor__does_not_wait_for_a_terminal_that_does_not_read(void **state)
{
    int ends[2];
    char bytes[4096];
    const char *const argv[] = {"/bin/sh", "-c", "yes curtain | head -n 20000", NULL};
    struct child_spec spec = {.name = "noisy", .role = CHILD_TASK, .argv = argv};
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct roof roof = {.supervisor = supervisor_new(ends[1], false, NULL)};
    supervisor_add(roof.supervisor, &spec);
    expect(&roof, SUPERVISOR_TASK_END);
    assert_true(read(ends[0], bytes, sizeof bytes) > 0); /* there is room again */
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (read(ends[0], bytes, sizeof bytes) > 0)
        continue;
    supervisor_say(roof.supervisor, "still here");
    ssize_t size = read(ends[0], bytes, sizeof bytes - 1);
    assert_true(size > 0);
    bytes[size] = '\0';
    assert_non_null(strstr(bytes, "lines were dropped"));
    assert_non_null(strstr(bytes, "still here"));
    supervisor_free(roof.supervisor);
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char **argv)
{
    actor_play(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff__doubles_up_to_its_limit_and_forgives),
        cmocka_unit_test(lines__are_cut_wherever_the_bytes_were),
        cmocka_unit_test(lines__too_long_go_on_in_the_next),
        cmocka_unit_test(lines__carry_the_name_of_who_speaks),
        cmocka_unit_test(doorway__addresses),
        cmocka_unit_test(doorway__a_port_in_use_is_said),
        cmocka_unit_test(supervisor__prints_what_a_task_says_and_how_it_ends),
        cmocka_unit_test(supervisor__starts_again_what_dies),
        cmocka_unit_test(supervisor__does_not_insist_on_wrong_usage),
        cmocka_unit_test(supervisor__a_missing_program_is_said),
        cmocka_unit_test(supervisor__stops_edges_before_services),
        cmocka_unit_test(supervisor__asked_twice_does_not_wait),
        cmocka_unit_test(supervisor__ends_one_and_begins_it_again),
        cmocka_unit_test(supervisor__kills_who_gives_no_sign_of_life_any_more),
        cmocka_unit_test(supervisor__watches_for_its_owner),
        cmocka_unit_test(supervisor__hands_descriptors_and_environment_over),
        cmocka_unit_test(supervisor__does_not_wait_for_a_terminal_that_does_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
