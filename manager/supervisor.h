/* supervisor.h: child processes under one roof: started, listened to, started again, stopped.
 *
 * Every child has its output read line by line and printed under its name, its death noticed at
 * once, and a new start after a delay that doubles while it keeps dying. It is never given up: what
 * it waits for may come back, and then it is there by itself; that it dies again and again is said.
 * A child dies with its supervisor, whatever kills that (PR_SET_PDEATHSIG). Children run in process
 * groups of their own, so that Ctrl-C reaches the supervisor alone and the order of stopping is its
 * own: edges first, because they answer requests only while there are services.
 *
 * What children say of themselves, that they are ready, how they are, and that they still turn,
 * they say as to systemd (notices.h). One that has given signs of life and gives none any more is
 * killed: frozen in the middle of a commit it would hold up everyone else on an SQLite log.
 *
 * A terminal that does not read (Ctrl-S) must not stop the sale: lines it does not take are dropped
 * and counted.
 *
 * A loop over poll(2) and signalfd(2), one thread, one supervisor in a process: it blocks SIGCHLD,
 * SIGINT, SIGTERM and SIGHUP for good. Nothing here knows of tickets or buses. */
#ifndef MANAGER_SUPERVISOR_H
#define MANAGER_SUPERVISOR_H

#include "base/text.h"

#include <sys/types.h>

struct logbook;

enum {
    SUPERVISOR_CHILDREN_MAX = 80,
    SUPERVISOR_FDS_MAX = 8,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 5000,
    BACKOFF_FORGIVEN_MS = 10 * 1000, /* alive this long, a death counts as the first */
    CRASH_LOOP_DEATHS = 10,          /* so many in a row are said to be one */
    WATCHDOG_MS = 10 * 1000,         /* without a sign of life */
    STOP_CHILD_MS = 12 * 1000,       /* a child told to end is killed after this */
    STOP_EDGES_MS = 6 * 1000,        /* when all stop: then the services are told as well */
    STOP_ALL_MS = 12 * 1000          /* then everyone is killed */
};

enum child_role {
    CHILD_SERVICE, /* started again when it ends; told to stop last */
    CHILD_EDGE,    /* started again when it ends; told to stop first */
    CHILD_TASK     /* runs once */
};

enum child_state {
    CHILD_WAITING, /* for its next start */
    CHILD_RUNNING,
    CHILD_ENDING, /* told to */
    CHILD_OVER    /* until supervisor_begin */
};

struct child_spec {
    const char *name;
    enum child_role role;
    const char *const *argv; /* ended by NULL; argv[0] is the path of the program */
    const char *env;         /* one more "NAME=VALUE" for its environment; may be NULL */
    const int *fds;          /* the child finds them as 3, 4, … */
    int fd_count;
    int watchdog_ms; /* 0: WATCHDOG_MS */
};

/* A child as it is now. Texts are borrowed until the supervisor is called again. */
struct child_look {
    const char *name;
    const char *const *argv; /* ended by NULL */
    enum child_role role;
    enum child_state state;
    bool ready;            /* it said so, since it was last started */
    const char *status;    /* in its own words; "": it says nothing of itself */
    int number;            /* 1, 2, 3 … in order of supervisor_add; never used twice */
    pid_t pid;             /* 0: it does not run */
    int64_t started_at_ms; /* monotonic */
    int restart_count;     /* by the supervisor, because it had ended */
    int deaths_in_a_row;
    const char *last_end; /* "was killed by signal 9 (Killed)"; "": it never ended */
};

enum supervisor_news {
    SUPERVISOR_NOTHING,  /* the time was over */
    SUPERVISOR_READY,    /* `name` said it is ready, for the first time since it was started */
    SUPERVISOR_ENDED,    /* `name` ended with `code` (128 + signal when killed), told to or not */
    SUPERVISOR_TASK_END, /* the same of a task */
    SUPERVISOR_MISUSED,  /* `name` does not like its arguments (exit 100): starting it again is no
                            use, so it is over */
    SUPERVISOR_WATCHED,  /* there is something to read at what supervisor_watch was given */
    SUPERVISOR_STOPPED   /* a signal asked to stop, or supervisor_stop; every child is gone */
};

struct supervisor_event {
    enum supervisor_news news;
    const char *name; /* borrowed from the supervisor */
    int code;
};

struct supervisor;

/* Lines go to the descriptor `output`, borrowed, in colours or not (-1: nowhere), and to `logbook`,
 * borrowed (NULL: there is none). NULL with errno set: no signalfd to be had. Given back by
 * supervisor_free, which kills what still runs. */
struct supervisor *supervisor_new(int output, bool colours, struct logbook *logbook);
void supervisor_free(struct supervisor *supervisor);

/* From now on lines go there. */
void supervisor_speak_to(struct supervisor *supervisor, int output);

/* One descriptor more to look at; borrowed, -1: none. */
void supervisor_watch(struct supervisor *supervisor, int fd);

/* Adds a child, whose name is nobody else's, and starts it now. The spec is copied, its descriptors
 * duplicated. */
void supervisor_add(struct supervisor *supervisor, const struct child_spec *spec);

/* The children in order of their numbers, index 0 .. count - 1. */
int supervisor_count(const struct supervisor *supervisor);
void supervisor_look(const struct supervisor *supervisor, int index, struct child_look *look);

/* By name; -1: there is none. */
int supervisor_find(const struct supervisor *supervisor, const char *name);

/* A child that is OVER or WAITING is started now; of others nothing. */
void supervisor_begin(struct supervisor *supervisor, const char *name);

/* The child is told to end (SIGTERM), killed when it does not, and OVER then. Returns at once. */
void supervisor_end(struct supervisor *supervisor, const char *name);

/* A child that is OVER is no longer there. */
void supervisor_forget(struct supervisor *supervisor, const char *name);

/* Turns the loop until there is something to tell or `timeout_ms` has passed. */
struct supervisor_event supervisor_poll(struct supervisor *supervisor, int timeout_ms);

/* Begins to stop: SIGTERM to edges and tasks, then to the services, SIGKILL at the end. Returns at
 * once; supervisor_poll says when it is done. A second signal from outside kills at once. */
void supervisor_stop(struct supervisor *supervisor);
bool supervisor_stopping(const struct supervisor *supervisor);

/* A line among the children's, by the supervisor's owner. */
void supervisor_say(struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The delay before the next start of a child that was started after `last_ms` (0: at once) and
 * lived `alive_ms`. Pure. */
int supervisor_backoff_ms(int last_ms, int64_t alive_ms);

#endif
