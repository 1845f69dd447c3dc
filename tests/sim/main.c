/* stagedoor-sim: runs seeds, each twice, and judges them.
 *
 *     stagedoor-sim --seeds N [--from S] [--jobs J]   prints what was covered and, last, "N passed,
 *                                                     N failed"; a failing seed is made small.
 *                   [--again K]                       only every K. seed is run twice; 0: none
 *     stagedoor-sim --seed X [--trace]                one seed; with every record and misfortune
 *     stagedoor-sim --list FILE                       the plans of a file, one a line as options
 *
 * [--rounds R] [--workload NAME] [--without POINT,…] change the plan of each seed. Points that
 * never occurred are a failure in a run of at least 5000 seeds. */
#include "tests/sim/run.h"
#include "tests/sim/tally.h"

#include "base/log.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SEEN_BY = 5000, SHRINK_TRIES = 150, JOBS_MAX = 64, SHRUNK_MAX = 3, WORDS_MAX = 32 };

struct work {
    struct plan plan; /* its seed is the first */
    uint64_t count;
    int jobs;
    uint64_t again; /* every so many seeds are run twice; 0: none */
    bool trace;
    const char *list;
};

struct job {
    struct tally tally;
    uint64_t failed;
    uint64_t failed_seed; /* the lowest of them */
};

static int usage(const char *what)
{
    fprintf(stderr,
            "stagedoor-sim: %s; try: stagedoor-sim --seeds 1000, or see tests/sim/README.md\n",
            what);
    return 100;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- reading what to do ---------------------------------------------------------------------- */

static bool read_without(char *words, struct plan *plan)
{
    enum point point;
    for (char *rest, *word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        if (!point_named(word, &point))
            return false;
        plan->without[point] = true;
    }
    return true;
}

/* NULL: understood; else what is wrong with it. */
static const char *read_options(int argc, char **argv, struct work *work)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},
        {"trace", no_argument, NULL, 't'},
        {"rounds", required_argument, NULL, 'r'},
        {"workload", required_argument, NULL, 'w'},
        {"without", required_argument, NULL, 'o'},
        {"jobs", required_argument, NULL, 'j'},
        {"list", required_argument, NULL, 'l'},
        {"again", required_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 'n':
            work->count = strtoull(optarg, NULL, 10);
            break;
        case 's':
            work->count = 1;
            work->plan.seed = strtoull(optarg, NULL, 10);
            break;
        case 'f':
            work->plan.seed = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            work->plan.rounds = atoi(optarg);
            break;
        case 'j':
            work->jobs = atoi(optarg);
            break;
        case 'w':
            if (!(work->plan.workload = workload_named(optarg)))
                return "no such workload";
            break;
        case 'o':
            if (!read_without(optarg, &work->plan))
                return "no such point";
            break;
        case 'l':
            work->list = optarg;
            break;
        case 't':
            work->trace = true;
            break;
        case 'a':
            work->again = strtoull(optarg, NULL, 10);
            break;
        default:
            return "an unknown option";
        }
    if (work->jobs < 1 || work->jobs > JOBS_MAX || work->count == 0)
        return "seeds and jobs begin at 1";
    return NULL;
}

/* ---- doing it -------------------------------------------------------------------------------- */

static bool hold(const struct plan *plan, uint64_t again, struct tally *tally)
{
    struct run_result result;
    if (again && plan->seed % again == 0)
        run_twice(plan, tally, &result);
    else
        run_once(plan, tally, false, &result);
    if (result.breach[0])
        printf("seed %llu: %s\n", (unsigned long long)plan->seed, result.breach);
    fflush(stdout);
    return !result.breach[0];
}

static void run_share(const struct work *work, int first, struct job *job)
{
    struct plan plan = work->plan;
    for (uint64_t i = (uint64_t)first; i < work->count; i += (uint64_t)work->jobs) {
        plan.seed = work->plan.seed + i;
        if (hold(&plan, work->again, &job->tally))
            continue;
        if (job->failed++ == 0)
            job->failed_seed = plan.seed;
    }
}

/* Each job is a process, so a core that dies takes its share with it and no more. */
static struct job *run_jobs(const struct work *work)
{
    struct job *jobs = mmap(NULL, sizeof(struct job) * (size_t)work->jobs, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[JOBS_MAX];
    if (jobs == MAP_FAILED) {
        perror("stagedoor-sim: no shared memory");
        exit(111);
    }
    if (work->jobs == 1) {
        run_share(work, 0, &jobs[0]);
        return jobs;
    }
    for (int i = 0; i < work->jobs; i++)
        if ((pids[i] = fork()) == 0) {
            run_share(work, i, &jobs[i]);
            _exit(0);
        }
    for (int i = 0; i < work->jobs; i++) {
        int status = 0;
        if (pids[i] < 0 || waitpid(pids[i], &status, 0) < 0 || status != 0) {
            printf("job %d died: run its seeds with --jobs 1\n", i);
            jobs[i].failed++;
        }
    }
    return jobs;
}

static void make_small(const struct work *work, uint64_t seed)
{
    struct plan plan = work->plan;
    struct run_result result;
    static struct tally uncounted;
    plan.seed = seed;
    run_shrink(&plan, SHRINK_TRIES);
    run_once(&plan, &uncounted, false, &result);
    printf("the smallest that fails: %s\n  stagedoor-sim --trace ", result.breach);
    plan_print(&plan);
}

static int run_seeds(const struct work *work)
{
    double start = seconds();
    struct job *jobs = run_jobs(work);
    double took = seconds() - start;
    uint64_t failed = 0;
    static struct tally sum;
    for (int i = 0; i < work->jobs; i++) {
        tally_add(&sum, &jobs[i].tally);
        failed += jobs[i].failed;
        if (i < SHRUNK_MAX && jobs[i].failed_seed)
            make_small(work, jobs[i].failed_seed);
    }
    int missing = tally_print(&sum);
    printf("seeds %llu to %llu in %.1f s: %.1f seeds/s, every %llu. run again\n",
           (unsigned long long)work->plan.seed,
           (unsigned long long)(work->plan.seed + work->count - 1), took,
           (double)work->count / took, (unsigned long long)work->again);
    printf("%llu passed, %llu failed\n", (unsigned long long)(work->count - failed),
           (unsigned long long)failed);
    return failed || (missing && work->count >= SEEN_BY);
}

static int tell_seed(const struct work *work)
{
    static struct tally uncounted;
    struct run_result result;
    setvbuf(stdout, NULL, _IOLBF, 0); /* what the services log comes in between */
    run_once(&work->plan, &uncounted, true, &result);
    printf("%s\n", result.breach[0] ? result.breach : "it holds");
    return result.breach[0] != '\0';
}

/* ---- the list of what failed once ------------------------------------------------------------ */

static int run_list(const char *path)
{
    char line[1024];
    int passed = 0, failed = 0;
    static struct tally uncounted;
    FILE *file = fopen(path, "r");
    if (!file)
        return usage("the list cannot be read");
    while (fgets(line, sizeof line, file)) {
        char *words[WORDS_MAX] = {(char *)"stagedoor-sim"}, *rest;
        int count = 1;
        line[strcspn(line, "#\n")] = '\0';
        for (char *word = strtok_r(line, " ", &rest); word && count < WORDS_MAX - 1;
             word = strtok_r(NULL, " ", &rest))
            words[count++] = word;
        struct work work = {.count = 1, .jobs = 1};
        if (count == 1)
            continue;
        if (read_options(count, words, &work))
            return usage("a line of the list is no plan");
        if (hold(&work.plan, 1, &uncounted))
            passed++;
        else
            failed++;
    }
    fclose(file);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}

int main(int argc, char **argv)
{
    struct work work = {.plan = {.seed = 1}, .count = 100, .jobs = 1, .again = 1};
    const char *wrong = read_options(argc, argv, &work);
    if (wrong)
        return usage(wrong);
    /* What the services say of a log that lies is not for here. */
    log_set_level(work.trace ? LOG_INFO : (enum log_level)(LOG_ERROR + 1));
    if (work.list)
        return run_list(work.list);
    return work.trace ? tell_seed(&work) : run_seeds(&work);
}
