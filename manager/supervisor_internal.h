/* supervisor_internal.h: what the files of the supervisor share. */
#ifndef MANAGER_SUPERVISOR_INTERNAL_H
#define MANAGER_SUPERVISOR_INTERNAL_H

#include "manager/line_reader.h"
#include "manager/notices.h"
#include "manager/supervisor.h"

enum { ARGUMENTS_MAX = 64, END_SIZE = 100 };

struct child {
    char *name;
    enum child_role role;
    int number;
    char *argv[ARGUMENTS_MAX];
    char *env;
    int fds[SUPERVISOR_FDS_MAX];
    int fd_count;
    int watchdog_ms;

    enum child_state state;
    pid_t pid;
    int output; /* its standard output and error; -1: closed */
    struct line_reader reader;
    int64_t started_at_ms;
    int64_t start_at_ms; /* WAITING */
    int64_t
        kill_at_ms; /* ENDING; RUNNING: unless it gives a sign of life before, 0: it never did */
    int backoff_ms;
    int restart_count;
    int deaths_in_a_row;
    int code;
    char last_end[END_SIZE];
    char status[NOTICE_STATUS_SIZE];
    bool ready;
    enum supervisor_news tell; /* not yet told */
};

struct supervisor {
    int output;
    int signals;
    int watched;
    struct notices notices;
    bool colours;
    bool dropping;
    uint64_t dropped_count;
    struct logbook *logbook;
    struct child *children[SUPERVISOR_CHILDREN_MAX];
    int count;
    int last_number;
    int width;
    bool stopping;
    bool services_told;
    bool killed;
    int64_t stop_at_ms;
    struct buffer line;
};

/* ---- supervisor_voice.c: lines to people ---- */
void voice_line(struct supervisor *supervisor, const char *name, int colour, struct text line);

/* ---- supervisor_child.c: one child ---- */
struct child *child_new(const struct child_spec *spec, int number);
void child_free(struct child *child); /* which does not run */
void child_start(struct supervisor *supervisor, struct child *child);

/* Hears what there is to hear from it. */
void child_listen(struct supervisor *supervisor, struct child *child);

/* What it said of itself. */
void child_notice(struct child *child, const struct notice *notice);

/* It is gone, with that status of waitpid. */
void child_died(struct supervisor *supervisor, struct child *child, int status);

#endif
