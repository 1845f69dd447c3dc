/* stream.h: an answer that goes on: made while it is sent, as fast as its reader takes it.
 *
 * A handler hands a stream over in answer.stream. The shell asks it for bytes whenever the
 * connection has room; when there are none the stream sleeps, and so does the connection, until
 * stream_wake. So who never reads costs one connection and what the stream itself holds, and no
 * thread.
 *
 *     awake ──nothing to read──▶ asleep ──stream_wake──▶ awake ──STREAM_END──▶ released
 *
 * Threads: `read` and `release` by the serving thread, one at a time; stream_wake by any thread
 * that knows the stream is not released. */
#ifndef API_STREAM_H
#define API_STREAM_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

enum { STREAM_END = -1, STREAM_BROKEN = -2 /* it ends here, and not as it should */ };

struct stream {
    /* Puts up to `max` bytes: so many, or 0: none yet, or STREAM_END or STREAM_BROKEN. */
    ssize_t (*read)(struct stream *stream, char *out, size_t max);
    void (*release)(struct stream *stream); /* nobody asks it any more */

    /* the shell's */
    pthread_mutex_t lock;
    bool woken; /* since it was last read */
    bool asleep;
    void (*sleep)(void *connection);
    void (*rouse)(void *connection);
    void *connection;
};

void stream_init(struct stream *stream,
                 ssize_t (*read)(struct stream *stream, char *out, size_t max),
                 void (*release)(struct stream *stream));

/* What stream_init made; by `release`, once nobody can wake it any more. */
void stream_destroy(struct stream *stream);

/* There may be bytes now, or the end. */
void stream_wake(struct stream *stream);

/* ---- the shell's side ------------------------------------------------------------------------ */

/* As `read`; at 0 the connection has been put to sleep. */
ssize_t stream_pull(struct stream *stream, char *out, size_t max);

void stream_release(struct stream *stream);

#endif
