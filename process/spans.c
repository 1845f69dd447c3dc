/* A queue that never waits, and a thread that empties it with libcurl.
 *
 *     noted ──▶ queue ──taken──▶ batch ──2xx──▶ sent
 *       └─ full: dropped           ├─ no answer, 429, 502, 503, 504: once more, later
 *                                  └─ anything else, or too often: failed
 */
#include "process/spans.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/uuid.h"
#include "base/version.h"
#include "process/otlp.h"
#include "process/spans_settings.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum {
    TRIES_MAX = 6, /* of one batch: with the pauses between, about half a minute */
    AGAIN_FIRST_MS = 1000,
    AGAIN_MAX_MS = 10 * 1000,
    ANSWER_MAX = 4096,
    WHY_SIZE = 300
};

static struct {
    bool wanted;
    struct spans_settings settings;
    struct buffer name; /* service.name */
    char instance[UUID_SIZE + 64];
    pthread_t thread;

    pthread_mutex_t lock; /* the queue */
    pthread_cond_t changed;
    struct span *queue;
    int first, count;
    bool closing;
    int64_t close_by_ms; /* monotonic */

    /* The thread's own. */
    struct span *batch;
    struct buffer body, answer;
    struct curl_slist *headers;
    bool failing;

    _Atomic uint64_t sent, dropped, failed;
} spans = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- one span -------------------------------------------------------------------------------- */

void span_begin(struct span *span, enum span_kind kind, const struct trace *trace, uint64_t parent,
                int64_t begun_us)
{
    span->trace = *trace;
    span->parent = parent;
    span->kind = kind;
    span->failed = false;
    span->begun_us = span->ended_us = begun_us;
    span->name[0] = '\0';
    span->attribute_count = 0;
    span->texts_size = 0;
}

void span_name(struct span *span, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(span->name, sizeof span->name, format, arguments);
    va_end(arguments);
}

void span_put(struct span *span, const char *name, struct text value)
{
    size_t room = sizeof span->texts - span->texts_size;
    size_t size = value.size < room ? value.size : room;
    char *at = span->texts + span->texts_size;
    if (size == 0 || span->attribute_count == SPAN_ATTRIBUTES_MAX)
        return;
    for (size_t i = 0; i < size; i++)
        at[i] = value.data[i] >= ' ' && value.data[i] <= '~' ? value.data[i] : '?';
    span->attributes[span->attribute_count++] =
        (struct span_attribute){name, true, (int64_t)span->texts_size, size};
    span->texts_size += size;
}

void span_put_i64(struct span *span, const char *name, int64_t value)
{
    if (span->attribute_count < SPAN_ATTRIBUTES_MAX)
        span->attributes[span->attribute_count++] = (struct span_attribute){name, false, value, 0};
}

/* ---- the queue ------------------------------------------------------------------------------- */

bool spans_wanted(void)
{
    return spans.wanted;
}

/* By the trace's id, so that every process that is told the same share takes the same. */
static bool is_of_the_share(const struct trace *trace)
{
    return (double)(trace->low >> 1) < spans.settings.share * 0x1p63;
}

bool spans_sample(const struct trace *trace, bool root)
{
    if (!spans.wanted)
        return false;
    if (!root && spans.settings.by_parent)
        return trace->sampled;
    return spans.settings.base == SPANS_ALWAYS ||
           (spans.settings.base == SPANS_SHARE && is_of_the_share(trace));
}

void spans_note(const struct span *span)
{
    if (!spans.wanted)
        return;
    pthread_mutex_lock(&spans.lock);
    bool full = spans.count == SPANS_QUEUE_MAX;
    if (!full)
        spans.queue[(spans.first + spans.count++) % SPANS_QUEUE_MAX] = *span;
    bool wake = spans.count == SPANS_BATCH_MAX;
    pthread_mutex_unlock(&spans.lock);
    if (full)
        atomic_fetch_add(&spans.dropped, 1);
    if (wake)
        pthread_cond_signal(&spans.changed);
}

/* Waits, with the lock, until then or until it is to close. */
static void wait_until(int64_t at_ms)
{
    struct timespec at = {at_ms / 1000, at_ms % 1000 * 1000000};
    pthread_cond_timedwait(&spans.changed, &spans.lock, &at);
}

/* Waits until there is a batch, or time for a smaller one. false: it is over. */
static bool take_batch(int *count)
{
    int64_t until_ms = clock_monotonic_ms() + spans.settings.delay_ms;
    pthread_mutex_lock(&spans.lock);
    while (!spans.closing && spans.count < SPANS_BATCH_MAX && clock_monotonic_ms() < until_ms)
        wait_until(until_ms);
    *count = spans.count < SPANS_BATCH_MAX ? spans.count : SPANS_BATCH_MAX;
    for (int i = 0; i < *count; i++)
        spans.batch[i] = spans.queue[(spans.first + i) % SPANS_QUEUE_MAX];
    spans.first = (spans.first + *count) % SPANS_QUEUE_MAX;
    spans.count -= *count;
    bool over = spans.closing && *count == 0;
    pthread_mutex_unlock(&spans.lock);
    return !over;
}

/* ---- sending --------------------------------------------------------------------------------- */

static size_t keep_answer(char *data, size_t one, size_t size, void *nothing)
{
    size_t room = spans.answer.size < ANSWER_MAX ? ANSWER_MAX - spans.answer.size : 0;
    (void)nothing;
    buffer_add(&spans.answer, data, one * size < room ? one * size : room);
    return one * size;
}

/* What is left until it has to be over. */
static int64_t patience_ms(void)
{
    int64_t ms = spans.settings.timeout_ms, left_ms;
    pthread_mutex_lock(&spans.lock);
    left_ms = spans.closing ? spans.close_by_ms - clock_monotonic_ms() : ms;
    pthread_mutex_unlock(&spans.lock);
    return left_ms < ms ? left_ms : ms;
}

/* libcurl asks now and then whether to give up. */
static int is_too_late(void *nothing, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)nothing, (void)a, (void)b, (void)c, (void)d;
    return patience_ms() <= 0;
}

/* Once. true: it will not get better by trying again; `why` is empty if it is good. */
static bool post(CURL *curl, char *why)
{
    long status = 0;
    int64_t ms = patience_ms();
    snprintf(why, WHY_SIZE, "no time is left");
    if (ms <= 0)
        return true;
    buffer_clear(&spans.answer);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, spans.body.data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)spans.body.size);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ms);
    CURLcode result = curl_easy_perform(curl);
    if (result != CURLE_OK) {
        snprintf(why, WHY_SIZE, "%s", curl_easy_strerror(result));
        return false;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    snprintf(why, WHY_SIZE, "it answers %ld: %.*s", status, TEXT_PRINT(buffer_view(&spans.answer)));
    if (status >= 200 && status < 300)
        why[0] = '\0';
    return status != 429 && status != 502 && status != 503 && status != 504;
}

/* Waits, unless it is to close. */
static void pause_between(int try)
{
    int64_t ms = (int64_t)AGAIN_FIRST_MS << try;
    int64_t until_ms = clock_monotonic_ms() + (ms < AGAIN_MAX_MS ? ms : AGAIN_MAX_MS);
    pthread_mutex_lock(&spans.lock);
    while (!spans.closing && clock_monotonic_ms() < until_ms)
        wait_until(until_ms);
    pthread_mutex_unlock(&spans.lock);
}

/* Said when it begins and when it is over, not with each batch. */
static void say(const char *why)
{
    if (why[0] && !spans.failing)
        log_line(LOG_WARNING, "traces",
                 "cannot be told to '%s': %s; is a collector there that takes OTLP over HTTP? "
                 "Nothing else waits for it",
                 spans_settings_shown(&spans.settings), why);
    else if (!why[0] && spans.failing)
        log_line(LOG_INFO, "traces", "are told again");
    spans.failing = why[0];
}

static void send_batch(CURL *curl, const struct otlp_resource *resource, int count)
{
    char why[WHY_SIZE] = "";
    bool done = false;
    buffer_clear(&spans.body);
    otlp_put(&spans.body, resource, spans.batch, count, clock_wall_us() - clock_monotonic_us());
    for (int try = 0; !done && try < TRIES_MAX; try++) {
        if (try > 0)
            pause_between(try - 1);
        done = post(curl, why);
        say(why);
    }
    char left_out[WHY_SIZE];
    int64_t rejected =
        why[0] ? count : otlp_rejected(buffer_view(&spans.answer), left_out, WHY_SIZE);
    rejected = rejected < count ? rejected : count;
    if (rejected && !why[0])
        log_line(LOG_WARNING, "traces", "the collector left out %lld of %d: %s",
                 (long long)rejected, count, left_out);
    atomic_fetch_add(&spans.failed, (uint64_t)rejected);
    atomic_fetch_add(&spans.sent, (uint64_t)(count - rejected));
}

static struct curl_slist *read_headers(void)
{
    struct buffer name = {0}, value = {0}, line = {0};
    struct text rest = spans.settings.headers;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    while (headers && spans_settings_next(&rest, &name, &value)) {
        buffer_clear(&line);
        buffer_print(&line, "%s: %s", name.data, value.data);
        headers = curl_slist_append(headers, line.data);
    }
    if (headers == NULL)
        memory_lacks("the headers of traces");
    buffer_release(&name);
    buffer_release(&value);
    buffer_release(&line);
    return headers;
}

static void *work(void *nothing)
{
    CURL *curl = curl_easy_init();
    const struct otlp_resource resource = {buffer_view(&spans.name), spans.instance,
                                           spans.settings.attributes};
    int count;
    (void)nothing;
    if (curl == NULL)
        memory_lacks("the sending of traces");
    curl_easy_setopt(curl, CURLOPT_URL, spans.settings.url.data);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, spans.headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "stagedoor/" STAGEDOOR_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_answer);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_too_late);
    if (spans.settings.certificate)
        curl_easy_setopt(curl, CURLOPT_CAINFO, spans.settings.certificate);
    while (take_batch(&count))
        if (count)
            send_batch(curl, &resource, count);
    curl_easy_cleanup(curl);
    return NULL;
}

/* ---- its life -------------------------------------------------------------------------------- */

/* Signals are for the program's own threads. */
static bool start_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = pthread_create(&spans.thread, NULL, work, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void name_ourselves(const char *program, const char *instance)
{
    char unique[UUID_SIZE];
    buffer_clear(&spans.name);
    if (spans.settings.name.size)
        buffer_text(&spans.name, spans.settings.name);
    else
        buffer_print(&spans.name, "stagedoor-%s", program);
    snprintf(spans.instance, sizeof spans.instance, "%s",
             instance ? instance : uuid_random(unique));
}

void spans_open(const char *program, const char *instance)
{
    pthread_condattr_t monotonic;
    spans_settings_read(&spans.settings);
    if (spans.settings.url.size == 0)
        return;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&spans.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    name_ourselves(program, instance);
    spans.queue = memory_new(SPANS_QUEUE_MAX * sizeof *spans.queue);
    spans.batch = memory_new(SPANS_BATCH_MAX * sizeof *spans.batch);
    spans.headers = read_headers();
    spans.closing = spans.failing = false;
    spans.wanted = start_thread();
    if (spans.wanted)
        log_line(LOG_INFO, "traces", "go to '%s'", spans_settings_shown(&spans.settings));
    else
        log_line(LOG_ERROR, "traces", "are not told: no thread can be started");
}

void spans_close(void)
{
    if (!spans.wanted)
        return;
    pthread_mutex_lock(&spans.lock);
    spans.closing = true;
    spans.close_by_ms = clock_monotonic_ms() + SPANS_LAST_MS;
    pthread_mutex_unlock(&spans.lock);
    pthread_cond_signal(&spans.changed);
    pthread_join(spans.thread, NULL);
    spans.wanted = false;
    curl_slist_free_all(spans.headers);
    curl_global_cleanup();
    pthread_cond_destroy(&spans.changed);
    memory_free(spans.queue);
    memory_free(spans.batch);
    buffer_release(&spans.body);
    buffer_release(&spans.answer);
    buffer_release(&spans.name);
    spans_settings_release(&spans.settings);
}

void spans_metrics(struct buffer *out)
{
    static const char name[] = "stagedoor_spans_total";
    metrics_family(out, name, METRIC_COUNTER, "Spans of traces, by what became of them.");
    metrics_sample(out, name, "result=\"sent\"", (double)atomic_load(&spans.sent));
    metrics_sample(out, name, "result=\"dropped\"", (double)atomic_load(&spans.dropped));
    metrics_sample(out, name, "result=\"failed\"", (double)atomic_load(&spans.failed));
}
