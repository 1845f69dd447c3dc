/* One queue, a few threads. */
#include "api/clerks.h"

#include "api/edge.h"
#include "api/register.h"
#include "base/log.h"
#include "base/memory.h"

#include <sys/resource.h>
#include <unistd.h>

enum { CLERK_NICENESS = 10 };

struct desk_clerk {
    struct clerk clerk;
    struct clerks *clerks;
    pthread_t thread;
    bool running;
};

struct clerks {
    struct desk_clerk all[CLERK_COUNT];
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t news;
    struct clerk_jobs jobs, log_jobs;
    _Atomic bool stopping;
};

/* ---- a queue --------------------------------------------------------------------------------- */

void clerk_jobs_add(struct clerk_jobs *jobs, struct clerk_job *job)
{
    job->next = NULL;
    if (jobs->last)
        jobs->last->next = job;
    else
        jobs->first = job;
    jobs->last = job;
}

struct clerk_job *clerk_jobs_take(struct clerk_jobs *jobs)
{
    struct clerk_job *job = jobs->first;
    if (job)
        jobs->first = job->next;
    if (jobs->first == NULL)
        jobs->last = NULL;
    return job;
}

/* ---- the threads ----------------------------------------------------------------------------- */

struct clerks *clerks_new(struct edge *edge, char *error)
{
    struct clerks *clerks = memory_new(sizeof *clerks);
    pthread_mutex_init(&clerks->lock, NULL);
    pthread_cond_init(&clerks->news, NULL);
    for (int i = 0; i < CLERK_COUNT; i++) {
        clerks->all[i].clerks = clerks;
        clerks->all[i].clerk.edge = edge;
        clerks->all[i].clerk.over = &clerks->stopping;
        clerks->all[i].clerk.file = register_open_again(edge->register_file, error);
        if (clerks->all[i].clerk.file == NULL) {
            clerks_free(clerks);
            return NULL;
        }
    }
    return clerks;
}

/* The first one reads the log, and does the others' work when there is nothing to read. */
static struct clerk_job *next_job(struct desk_clerk *self)
{
    struct clerks *clerks = self->clerks;
    struct clerk_job *job = self == clerks->all ? clerk_jobs_take(&clerks->log_jobs) : NULL;
    return job ? job : clerk_jobs_take(&clerks->jobs);
}

/* NULL: it is the end. */
static struct clerk_job *await(struct desk_clerk *self)
{
    struct clerks *clerks = self->clerks;
    struct clerk_job *job;
    pthread_mutex_lock(&clerks->lock);
    while ((job = next_job(self)) == NULL && !clerks->stopping)
        pthread_cond_wait(&clerks->news, &clerks->lock);
    pthread_mutex_unlock(&clerks->lock);
    return job;
}

static void *run(void *argument)
{
    struct desk_clerk *self = argument;
    struct clerk_job *job;
    setpriority(PRIO_PROCESS, (id_t)gettid(), CLERK_NICENESS);
    while ((job = await(self)) != NULL)
        job->run(job, &self->clerk);
    return NULL;
}

void clerks_start(struct clerks *clerks)
{
    for (int i = 0; i < CLERK_COUNT; i++) {
        struct desk_clerk *each = &clerks->all[i];
        each->running = pthread_create(&each->thread, NULL, run, each) == 0;
        if (!each->running)
            log_line(LOG_ERROR, "edge", "cannot start a thread");
    }
}

void clerks_stop(struct clerks *clerks)
{
    pthread_mutex_lock(&clerks->lock);
    clerks->stopping = true;
    pthread_cond_broadcast(&clerks->news);
    pthread_mutex_unlock(&clerks->lock);
    for (int i = 0; i < CLERK_COUNT; i++)
        if (clerks->all[i].running)
            pthread_join(clerks->all[i].thread, NULL);
}

void clerks_free(struct clerks *clerks)
{
    if (clerks == NULL)
        return;
    for (int i = 0; i < CLERK_COUNT; i++) {
        register_close_again(clerks->all[i].clerk.file);
        if (clerks->all[i].clerk.log)
            bus_close(clerks->all[i].clerk.log);
    }
    pthread_cond_destroy(&clerks->news);
    pthread_mutex_destroy(&clerks->lock);
    memory_free(clerks);
}

static bool post(struct clerks *clerks, struct clerk_jobs *jobs, struct clerk_job *job)
{
    pthread_mutex_lock(&clerks->lock);
    bool taken = !clerks->stopping;
    if (taken)
        clerk_jobs_add(jobs, job);
    pthread_cond_broadcast(&clerks->news);
    pthread_mutex_unlock(&clerks->lock);
    return taken;
}

bool clerks_post(struct clerks *clerks, struct clerk_job *job)
{
    return post(clerks, &clerks->jobs, job);
}

bool clerks_post_log(struct clerks *clerks, struct clerk_job *job)
{
    return post(clerks, &clerks->log_jobs, job);
}

/* ---- questions ------------------------------------------------------------------------------- */

static void answer(struct clerk_job *job, struct clerk *clerk)
{
    struct errand *errand = memory_owner(job, struct errand, job);
    struct request *request = memory_owner(errand, struct request, errand);
    struct edge *edge = clerk->edge;
    struct buffer result = {0};
    edge_lock(edge);
    bool awaited = errand->phase == ERRAND_WAITING;
    edge_unlock(edge);
    if (awaited)
        errand->question(clerk, request, &result);
    edge_lock(edge);
    errand_tell(edge, request, &result);
    struct request *done = edge_take_done(edge);
    edge_unlock(edge);
    edge_resume(edge, done);
    buffer_release(&result);
}

void clerks_begin(struct edge *edge, struct request *request, const struct errand_kind *kind,
                  void (*question)(struct clerk *clerk, struct request *request,
                                   struct buffer *result),
                  int64_t wait_ms)
{
    request->errand.question = question;
    request->errand.job.run = answer;
    errand_begin(edge, request, kind, wait_ms);
    if (request->errand.phase == ERRAND_WAITING &&
        register_post(edge->register_file, &request->errand.job))
        request->holders++;
}

void clerks_ask_log(struct edge *edge, struct request *request)
{
    request->errand.job.run = answer;
    if (edge->clerks && clerks_post_log(edge->clerks, &request->errand.job))
        request->holders++;
}

/* ---- the log --------------------------------------------------------------------------------- */

struct bus *clerk_log(struct clerk *clerk)
{
    const struct options *options = clerk->edge->options;
    struct bus_options bus_options = bus_settings_options(&options->bus, "edge-clerk");
    struct installation installation;
    struct bus_error error;
    if (clerk->log == NULL && installation_connect(&clerk->log, options->bus.url, &bus_options,
                                                   false, clerk->edge->installation.partition_count,
                                                   &installation, &error) != BUS_OK)
        log_line(LOG_WARNING, "edge", "the log cannot be read: %s", error.text);
    return clerk->log;
}
