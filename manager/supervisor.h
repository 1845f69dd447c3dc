/* supervisor.h: child processes under one roof: started, listened to, started again, stopped.
 *
 * Every child has its output read line by line and printed under its name, its death noticed at
 * once, and a new start after a delay that doubles while it keeps dying. A child dies with its
 * supervisor, whatever kills that (PR_SET_PDEATHSIG). Children run in process groups of their own,
 * so that Ctrl-C reaches the supervisor alone and the order of stopping is its own: edges first,
 * because they answer requests only while there are services.
 *
 * A terminal that does not read (Ctrl-S) must not stop the sale: lines it does not take are dropped
 * and counted.
 *
 * A loop over poll(2) and signalfd(2), one thread, one supervisor in a process: it blocks SIGCHLD,
 * SIGINT, SIGTERM and SIGHUP for good. Nothing here knows of tickets or buses; a child that is
 * alive but silent is not noticed. */
#ifndef MANAGER_SUPERVISOR_H
#define MANAGER_SUPERVISOR_H

#include "base/text.h"

enum {
    SUPERVISOR_CHILDREN_MAX = 80,
    SUPERVISOR_FDS_MAX = 8,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 5000,
    BACKOFF_FORGIVEN_MS = 10 * 1000, /* alive this long, a death counts as the first */
    STOP_EDGES_MS = 2500,            /* then the services are told as well */
    STOP_ALL_MS = 5000               /* then everyone is killed */
};

enum child_role {
    CHILD_SERVICE, /* started again when it ends; told to stop last */
    CHILD_EDGE,    /* started again when it ends; told to stop first */
    CHILD_TASK     /* runs once */
};

struct child_spec {
    const char *name;
    enum child_role role;
    const char *const *argv; /* ended by NULL; argv[0] is the path of the program */
    const char *env;         /* one more "NAME=VALUE" for its environment; may be NULL */
    const int *fds;          /* the child finds them as 3, 4, … */
    int fd_count;
};

enum supervisor_news {
    SUPERVISOR_NOTHING,  /* the time was over */
    SUPERVISOR_READY,    /* `name` said it is ready, for the first time since it was started */
    SUPERVISOR_TASK_END, /* `name` ended with `code` (128 + signal when killed) */
    SUPERVISOR_MISUSED,  /* `name` does not like its arguments (exit 100): starting it again is no
                            use */
    SUPERVISOR_STOPPED   /* a signal asked to stop, or supervisor_stop; every child is gone */
};

struct supervisor_event {
    enum supervisor_news news;
    const char *name; /* borrowed from the supervisor */
    int code;
};

struct supervisor;

/* Lines go to the descriptor `output`, borrowed, in colours or not. NULL with errno set: no
 * signalfd to be had. Given back by supervisor_free, which kills what still runs. */
struct supervisor *supervisor_new(int output, bool colours);
void supervisor_free(struct supervisor *supervisor);

/* Starts a child now. The spec is copied, its descriptors duplicated. */
void supervisor_add(struct supervisor *supervisor, const struct child_spec *spec);

/* Turns the loop until there is something to tell or `timeout_ms` has passed. */
struct supervisor_event supervisor_poll(struct supervisor *supervisor, int timeout_ms);

/* Begins to stop: SIGTERM to edges and tasks, then to the services, SIGKILL at the end. Returns at
 * once; supervisor_poll says when it is done. A second signal from outside kills at once. */
void supervisor_stop(struct supervisor *supervisor);
bool supervisor_stopping(const struct supervisor *supervisor);

/* Whether the child said it is ready since it was last started. */
bool supervisor_child_ready(const struct supervisor *supervisor, const char *name);

/* A line among the children's, by the supervisor's owner. */
void supervisor_say(struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The delay before the next start of a child that was started after `last_ms` (0: at once) and
 * lived `alive_ms`. Pure. */
int supervisor_backoff_ms(int last_ms, int64_t alive_ms);

/* Whether a child says with this line that it is ready. Pure. */
bool supervisor_says_ready(struct text line);

#endif
