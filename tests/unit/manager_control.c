/* The control socket with clients that behave, and with others; and the logbook. */
#include "manager/control.h"
#include "manager/logbook.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct stage {
    char folder[200];
    struct control *control;
};

/* Its path is longer than that of a socket may be. */
static void stage_open(struct stage *stage)
{
    snprintf(stage->folder, sizeof stage->folder, "/tmp/control-%0100d-XXXXXX", 0);
    assert_non_null(mkdtemp(stage->folder));
    char error[SOCKETS_ERROR_SIZE];
    stage->control = control_open(stage->folder, error);
    assert_non_null(stage->control);
}

static void stage_close(struct stage *stage)
{
    control_close(stage->control);
    assert_int_equal(rmdir(stage->folder), 0); /* the socket is gone */
}

static int ask(const struct stage *stage, const char *request)
{
    int fd = control_connect(stage->folder);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    return fd;
}

/* What is there to read until the end of the connection. */
static const char *answer_of(int fd)
{
    static char bytes[2000];
    size_t size = 0;
    ssize_t part;
    while ((part = read(fd, bytes + size, sizeof bytes - 1 - size)) > 0)
        size += (size_t)part;
    bytes[size] = '\0';
    close(fd);
    return bytes;
}

static void control__hears_words_and_answers_in_lines(void **state)
{
    struct stage stage;
    struct control_request request;
    struct stat found;
    char path[300];
    (void)state;
    stage_open(&stage);
    snprintf(path, sizeof path, "%s/" CONTROL_NAME, stage.folder);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_false(control_hear(stage.control, &request));
    int fd = ask(&stage, "  scale  edge 4 \n");
    assert_true(control_hear(stage.control, &request));
    assert_int_equal(request.count, 3);
    assert_true(text_is(request.words[0], "scale"));
    assert_true(text_is(request.words[2], "4"));
    control_answer(stage.control, request.client, text_of("{\"said\":\"yes\"}"));
    control_end(stage.control, request.client, 1, text_of("no \"more\""));
    assert_string_equal(answer_of(fd),
                        "{\"said\":\"yes\"}\n{\"end\":1,\"error\":\"no \\\"more\\\"\"}\n");
    stage_close(&stage);
}

static void control__an_order_counts_though_its_client_is_gone(void **state)
{
    struct stage stage;
    struct control_request request, other;
    (void)state;
    stage_open(&stage);
    close(ask(&stage, "reload edge\n"));
    assert_true(control_hear(stage.control, &request));
    control_answer(stage.control, request.client, text_of("{}"));
    assert_false(control_hear(stage.control, &other));
    /* Nor does its answer go to whoever has its place now. */
    int fd = ask(&stage, "ls\n");
    assert_true(control_hear(stage.control, &other));
    control_end(stage.control, request.client, 1, text_of("not yours"));
    control_end(stage.control, other.client, 0, text_of(""));
    assert_string_equal(answer_of(fd), "{\"end\":0}\n");
    stage_close(&stage);
}

static void control__half_closed_is_still_there(void **state)
{
    struct stage stage;
    struct control_request request, nothing;
    (void)state;
    stage_open(&stage);
    int fd = ask(&stage, "ls\n");
    shutdown(fd, SHUT_WR); /* as `echo ls | nc -N` */
    assert_true(control_hear(stage.control, &request));
    assert_false(control_hear(stage.control, &nothing));
    control_end(stage.control, request.client, 0, text_of(""));
    assert_string_equal(answer_of(fd), "{\"end\":0}\n");
    stage_close(&stage);
}

static void control__too_much_or_too_many_are_dropped(void **state)
{
    struct stage stage;
    struct control_request request;
    char much[CONTROL_REQUEST_MAX + 10];
    int fds[CONTROL_CLIENTS_MAX];
    (void)state;
    stage_open(&stage);
    memset(much, 'x', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    int fd = ask(&stage, much);
    assert_false(control_hear(stage.control, &request));
    assert_false(control_hear(stage.control, &request));
    assert_true(read(fd, much, 1) <= 0); /* end, or reset because it was not read */
    close(fd);
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        fds[i] = ask(&stage, "l"); /* and never end their line */
        assert_false(control_hear(stage.control, &request));
    }
    fd = ask(&stage, "ls\n");
    assert_false(control_hear(stage.control, &request));
    assert_true(read(fd, much, 1) <= 0);
    close(fd);
    close(fds[3]);
    assert_false(control_hear(stage.control, &request));
    fd = ask(&stage, "ls\n");
    assert_true(control_hear(stage.control, &request));
    control_end(stage.control, request.client, 0, text_of(""));
    assert_string_equal(answer_of(fd), "{\"end\":0}\n");
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (i != 3)
            close(fds[i]);
    stage_close(&stage);
}

static void control__who_does_not_read_is_dropped(void **state)
{
    struct stage stage;
    struct control_request request;
    static char line[10000];
    (void)state;
    stage_open(&stage);
    memset(line, 'x', sizeof line);
    int fd = ask(&stage, "ls\n");
    assert_true(control_hear(stage.control, &request));
    for (size_t i = 0; i < 3 * CONTROL_ANSWER_MAX / sizeof line; i++)
        control_answer(stage.control, request.client, text_from(line, sizeof line));
    while (read(fd, line, sizeof line) > 0)
        continue;
    close(fd); /* it ended, though nobody said so */
    stage_close(&stage);
}

static void control__nobody_there_is_told(void **state)
{
    (void)state;
    assert_int_equal(control_connect("/nonexistent"), -1);
    assert_int_equal(errno, ENOENT);
}

/* ---- the logbook ----------------------------------------------------------------------------- */
/* The whole of a file; "" if it is not there. */
static const char *contents(const char *folder, const char *name)
{
    static char bytes[5000];
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(bytes, 1, sizeof bytes - 1, file) : 0;
    bytes[size] = '\0';
    if (file)
        fclose(file);
    return bytes;
}

static void logbook__keeps_lines_and_turns_its_pages(void **state)
{
    char folder[] = "/tmp/logbook-XXXXXX";
    struct logbook_line parts;
    (void)state;
    assert_non_null(mkdtemp(folder));
    struct logbook *logbook = logbook_open(folder, 100);
    assert_non_null(logbook);
    logbook_write(logbook, "shows-1", text_of("one | two"));
    const char *line = contents(folder, LOGBOOK_NAME);
    assert_true(logbook_parse(text_from(line, strlen(line) - 1), &parts));
    assert_true(text_is(parts.name, "shows-1"));
    assert_true(text_is(parts.line, "one | two"));
    for (int i = 0; i < 2 * (LOGBOOK_OLDER_MAX + 2); i++) { /* two lines a page */
        char text[20];
        snprintf(text, sizeof text, "line %d", i);
        logbook_write(logbook, "edge-1", text_of(text));
    }
    assert_non_null(strstr(contents(folder, LOGBOOK_NAME), "line 11"));
    assert_non_null(strstr(contents(folder, LOGBOOK_NAME ".1"), "line 10"));
    assert_string_not_equal(contents(folder, LOGBOOK_NAME ".4"), "");
    assert_string_equal(contents(folder, LOGBOOK_NAME ".5"), "");
    logbook_empty(logbook);
    assert_string_equal(contents(folder, LOGBOOK_NAME ".1"), "");
    logbook_write(logbook, "edge-1", text_of("anew"));
    assert_non_null(strstr(contents(folder, LOGBOOK_NAME), "anew"));
    logbook_empty(logbook);
    logbook_close(logbook);
    assert_int_equal(rmdir(folder), 0);
}

static void logbook__tells_what_it_could_not_write(void **state)
{
    char folder[] = "/tmp/logbook-XXXXXX", away[100];
    (void)state;
    assert_non_null(mkdtemp(folder));
    struct logbook *logbook = logbook_open(folder, 1000);
    logbook_empty(logbook);
    snprintf(away, sizeof away, "%s-away", folder);
    assert_int_equal(rename(folder, away), 0);
    logbook_write(logbook, "edge-1", text_of("lost"));
    logbook_write(logbook, "edge-1", text_of("lost too"));
    assert_int_equal(rename(away, folder), 0);
    logbook_write(logbook, "edge-1", text_of("heard"));
    assert_non_null(strstr(contents(folder, LOGBOOK_NAME), "2 lines could not be written"));
    assert_non_null(strstr(contents(folder, LOGBOOK_NAME), "edge-1 | heard"));
    logbook_empty(logbook);
    logbook_close(logbook);
    assert_int_equal(rmdir(folder), 0);
}

static void logbook__other_lines_are_none_of_its_own(void **state)
{
    static const char *const rows[] = {
        "",
        "x",
        "2026-11-21T19:30:00.123Z",
        "2026-11-21T19:30:00.123Z shows-1",
        "2026-11-21T19:30:00.123Z shows-1 : x",
        "yesterday shows-1 | x",
    };
    struct logbook_line parts;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_false(logbook_parse(text_of(rows[i]), &parts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control__hears_words_and_answers_in_lines),
        cmocka_unit_test(control__an_order_counts_though_its_client_is_gone),
        cmocka_unit_test(control__half_closed_is_still_there),
        cmocka_unit_test(control__too_much_or_too_many_are_dropped),
        cmocka_unit_test(control__who_does_not_read_is_dropped),
        cmocka_unit_test(control__nobody_there_is_told),
        cmocka_unit_test(logbook__keeps_lines_and_turns_its_pages),
        cmocka_unit_test(logbook__tells_what_it_could_not_write),
        cmocka_unit_test(logbook__other_lines_are_none_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
