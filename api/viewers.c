/* An audience for each show that is watched; one piece of news that all its viewers read. */
#include "api/viewers.h"

#include "api/handlers.h"
#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { GONE_LOOK_MS = 5, GONE_WITHIN_MS = 1000 };

static const char comment[] = ":\n\n";

/* What is told to all of an audience; never changes. */
struct news {
    char id[TAG_SIZE];
    struct buffer text;
    int holders; /* under the viewers' lock */
};

struct audience {
    struct audience *next;
    struct text show_id;
    struct news *news; /* NULL: not looked yet */
    struct viewer *first;
};

struct viewer {
    struct stream stream; /* first: the shell knows it by this address */
    struct viewers *viewers;
    struct audience *audience;
    struct viewer *previous, *next; /* of the audience */
    char seen[TAG_SIZE];
    struct news *news; /* being sent; NULL: none */
    size_t sent;       /* of the news, or of the comment */
    bool comment_due;
};

struct viewers {
    struct edge *edge;
    pthread_mutex_t lock; /* everything below; the edge's lock may be taken inside */
    pthread_cond_t over;
    struct map by_show;
    struct audience *audiences;
    int count;
    bool ending;
    int64_t comment_ms; /* when the next one is due */
    pthread_t thread;
    bool running;
};

/* ---- news ------------------------------------------------------------------------------------ */

static void drop(struct news *news)
{
    if (news == NULL || --news->holders > 0)
        return;
    buffer_release(&news->text);
    memory_free(news);
}

static struct news *news_of(const struct page *page)
{
    struct news *news = memory_new(sizeof *news);
    size_t size = strlen(page->etag) - 2;
    news->holders = 1;
    view_set(news->id, sizeof news->id, text_from(page->etag + 1, size));
    buffer_print(&news->text, "id: %s\nevent: show\ndata: ", news->id);
    buffer_text(&news->text, buffer_view(&page->body)); /* one line, and its end */
    buffer_byte(&news->text, '\n');
    return news;
}

/* ---- one viewer ------------------------------------------------------------------------------ */

static size_t put(const char *from, size_t size, size_t *sent, char *out, size_t max)
{
    size_t part = size - *sent < max ? size - *sent : max;
    memcpy(out, from + *sent, part);
    *sent += part;
    return part;
}

static ssize_t tell(struct viewer *viewer, char *out, size_t max)
{
    struct news *latest = viewer->audience->news;
    if (viewer->news == NULL && viewer->sent == 0 && latest &&
        strcmp(latest->id, viewer->seen) != 0) {
        latest->holders++;
        viewer->news = latest;
    }
    if (viewer->news) {
        struct text text = buffer_view(&viewer->news->text);
        size_t part = put(text.data, text.size, &viewer->sent, out, max);
        if (viewer->sent == text.size) {
            memcpy(viewer->seen, viewer->news->id, sizeof viewer->seen);
            drop(viewer->news);
            viewer->news = NULL;
            viewer->sent = 0;
        }
        return (ssize_t)part;
    }
    if (!viewer->comment_due)
        return viewer->viewers->ending ? STREAM_END : 0;
    size_t part = put(comment, sizeof comment - 1, &viewer->sent, out, max);
    if (viewer->sent == sizeof comment - 1) {
        viewer->comment_due = false;
        viewer->sent = 0;
    }
    return (ssize_t)part;
}

static ssize_t read_viewer(struct stream *stream, char *out, size_t max)
{
    struct viewer *viewer = memory_owner(stream, struct viewer, stream);
    pthread_mutex_lock(&viewer->viewers->lock);
    ssize_t size = tell(viewer, out, max);
    pthread_mutex_unlock(&viewer->viewers->lock);
    return size;
}

static void audience_leave(struct viewers *viewers, struct audience *audience)
{
    struct audience **link = &viewers->audiences;
    if (audience->first)
        return;
    while (*link != audience)
        link = &(*link)->next;
    *link = audience->next;
    map_remove(&viewers->by_show, audience->show_id);
    drop(audience->news);
    text_free(&audience->show_id);
    memory_free(audience);
}

static void release_viewer(struct stream *stream)
{
    struct viewer *viewer = memory_owner(stream, struct viewer, stream);
    struct viewers *viewers = viewer->viewers;
    struct audience *audience = viewer->audience;
    pthread_mutex_lock(&viewers->lock);
    if (viewer->previous)
        viewer->previous->next = viewer->next;
    else
        audience->first = viewer->next;
    if (viewer->next)
        viewer->next->previous = viewer->previous;
    drop(viewer->news);
    viewers->count--;
    audience_leave(viewers, audience);
    pthread_mutex_unlock(&viewers->lock);
    stream_destroy(&viewer->stream);
    memory_free(viewer);
}

/* ---- coming in ------------------------------------------------------------------------------- */

static void look(struct viewers *viewers, struct audience *audience)
{
    struct page *page = page_of(viewers->edge, audience->show_id);
    const struct news *before = audience->news;
    if (page == NULL)
        return;
    if (before == NULL ||
        !text_equal(text_of(before->id), text_from(page->etag + 1, strlen(page->etag) - 2))) {
        drop(audience->news);
        audience->news = news_of(page);
    }
    page_drop(page);
}

static struct audience *audience_of(struct viewers *viewers, struct text show_id)
{
    struct audience *audience = map_find(&viewers->by_show, show_id);
    if (audience)
        return audience;
    audience = memory_new(sizeof *audience);
    audience->show_id = text_copy(show_id);
    audience->next = viewers->audiences;
    viewers->audiences = audience;
    map_insert_take(&viewers->by_show, audience->show_id, audience);
    return audience;
}

/* Who watches must leave room for who buys. */
static int count_max(const struct viewers *viewers)
{
    return viewers->edge->options->connections_max / 2;
}

struct stream *viewers_admit(struct viewers *viewers, struct text show_id, struct text last_id)
{
    struct viewer *viewer = NULL;
    pthread_mutex_lock(&viewers->lock);
    if (!viewers->ending && viewers->count < count_max(viewers)) {
        viewer = memory_new(sizeof *viewer);
        stream_init(&viewer->stream, read_viewer, release_viewer);
        viewer->viewers = viewers;
        view_set(viewer->seen, sizeof viewer->seen, last_id);
        viewer->audience = audience_of(viewers, show_id);
        viewer->next = viewer->audience->first;
        if (viewer->next)
            viewer->next->previous = viewer;
        viewer->audience->first = viewer;
        viewers->count++;
        look(viewers, viewer->audience);
    }
    pthread_mutex_unlock(&viewers->lock);
    return viewer ? &viewer->stream : NULL;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void call(struct audience *audience, bool comments)
{
    for (struct viewer *viewer = audience->first; viewer; viewer = viewer->next) {
        bool behind = audience->news && strcmp(audience->news->id, viewer->seen) != 0;
        viewer->comment_due |= comments && !behind;
        if (behind || comments || viewer->viewers->ending)
            stream_wake(&viewer->stream);
    }
}

void viewers_turn(struct viewers *viewers, int64_t now_ms)
{
    pthread_mutex_lock(&viewers->lock);
    bool comments = now_ms >= viewers->comment_ms;
    if (comments)
        viewers->comment_ms = now_ms + VIEWERS_COMMENT_MS;
    for (struct audience *audience = viewers->audiences; audience; audience = audience->next) {
        look(viewers, audience);
        call(audience, comments);
    }
    pthread_mutex_unlock(&viewers->lock);
}

static bool wait_for_tick(struct viewers *viewers)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += VIEWERS_TICK_MS * 1000 * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&viewers->lock);
    while (!viewers->ending &&
           pthread_cond_timedwait(&viewers->over, &viewers->lock, &until) != ETIMEDOUT)
        continue;
    bool ending = viewers->ending;
    pthread_mutex_unlock(&viewers->lock);
    return !ending;
}

static void *run(void *argument)
{
    struct viewers *viewers = argument;
    while (wait_for_tick(viewers))
        viewers_turn(viewers, clock_monotonic_ms());
    return NULL;
}

struct viewers *viewers_new(struct edge *edge)
{
    struct viewers *viewers = memory_new(sizeof *viewers);
    pthread_condattr_t monotonic;
    viewers->edge = edge;
    viewers->comment_ms = clock_monotonic_ms() + VIEWERS_COMMENT_MS;
    pthread_mutex_init(&viewers->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&viewers->over, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return viewers;
}

void viewers_start(struct viewers *viewers)
{
    viewers->running = pthread_create(&viewers->thread, NULL, run, viewers) == 0;
}

/* A viewer has gone when the end of his stream was sent; who does not read is not waited for. */
static void see_them_off(struct viewers *viewers)
{
    const struct timespec pause = {0, GONE_LOOK_MS * 1000 * 1000};
    int64_t until_ms = clock_monotonic_ms() + GONE_WITHIN_MS;
    int left = 1;
    while (left > 0 && clock_monotonic_ms() < until_ms) {
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&viewers->lock);
        left = viewers->count;
        pthread_mutex_unlock(&viewers->lock);
    }
}

void viewers_end(struct viewers *viewers)
{
    pthread_mutex_lock(&viewers->lock);
    viewers->ending = true;
    pthread_cond_signal(&viewers->over);
    pthread_mutex_unlock(&viewers->lock);
    if (viewers->running)
        pthread_join(viewers->thread, NULL);
    viewers->running = false;
    viewers_turn(viewers, 0);
    see_them_off(viewers);
}

void viewers_free(struct viewers *viewers)
{
    map_release(&viewers->by_show);
    pthread_cond_destroy(&viewers->over);
    pthread_mutex_destroy(&viewers->lock);
    memory_free(viewers);
}
