/* Nobody sleeps through a call: it is noted, and looked at before going to sleep. */
#include "api/stream.h"

void stream_init(struct stream *stream,
                 ssize_t (*read)(struct stream *stream, char *out, size_t max),
                 void (*release)(struct stream *stream))
{
    *stream = (struct stream){.read = read, .release = release};
    pthread_mutex_init(&stream->lock, NULL);
}

void stream_wake(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->woken = true;
    bool asleep = stream->asleep;
    stream->asleep = false;
    if (asleep)
        stream->rouse(stream->connection);
    pthread_mutex_unlock(&stream->lock);
}

/* Whether it was put to sleep; not if it was called meanwhile. */
static bool fall_asleep(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    bool tired = !stream->woken;
    stream->asleep = tired;
    if (tired)
        stream->sleep(stream->connection);
    pthread_mutex_unlock(&stream->lock);
    return tired;
}

static void begin_reading(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->woken = false;
    pthread_mutex_unlock(&stream->lock);
}

ssize_t stream_pull(struct stream *stream, char *out, size_t max)
{
    ssize_t size;
    do {
        begin_reading(stream);
        size = stream->read(stream, out, max);
    } while (size == 0 && !fall_asleep(stream));
    return size;
}

void stream_release(struct stream *stream)
{
    stream->release(stream);
}

void stream_destroy(struct stream *stream)
{
    pthread_mutex_destroy(&stream->lock);
}
