/* Buckets are counted apart and added up when they are told. */
#include "base/metrics.h"

#include "base/version.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const int64_t histogram_long_us[HISTOGRAM_BOUND_COUNT] = {
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 5000000};
const int64_t histogram_short_us[HISTOGRAM_BOUND_COUNT] = {10,   20,   50,   100,   200,   500,
                                                           1000, 2000, 5000, 10000, 20000, 100000};

static const int64_t *bounds_of(const struct histogram *histogram)
{
    return histogram->bounds_us ? histogram->bounds_us : histogram_long_us;
}

void histogram_note(struct histogram *histogram, int64_t us)
{
    const int64_t *bounds_us = bounds_of(histogram);
    int at = 0;
    while (at < HISTOGRAM_BOUND_COUNT && us > bounds_us[at])
        at++;
    atomic_fetch_add_explicit(&histogram->counts[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, (uint64_t)us, memory_order_relaxed);
}

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (int i = 0; i <= HISTOGRAM_BOUND_COUNT; i++)
        count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    return count;
}

void metrics_family(struct buffer *out, const char *name, enum metric_kind kind, const char *help)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    buffer_print(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kinds[kind]);
}

void metrics_sample(struct buffer *out, const char *name, const char *labels, double value)
{
    bool any = labels[0] != '\0';
    buffer_print(out, "%s%s%s%s %.15g\n", name, any ? "{" : "", labels, any ? "}" : "", value);
}

void metrics_counter(struct buffer *out, const char *name, const char *help, double value)
{
    metrics_family(out, name, METRIC_COUNTER, help);
    metrics_sample(out, name, "", value);
}

void metrics_gauge(struct buffer *out, const char *name, const char *help, double value)
{
    metrics_family(out, name, METRIC_GAUGE, help);
    metrics_sample(out, name, "", value);
}

void metrics_histogram(struct buffer *out, const char *name, const char *labels,
                       const struct histogram *histogram)
{
    struct buffer bucket = {0}, others = {0};
    const char *comma = labels[0] ? "," : "";
    const int64_t *bounds_us = bounds_of(histogram);
    uint64_t count = 0;
    buffer_print(&bucket, "%s_bucket", name);
    for (int i = 0; i <= HISTOGRAM_BOUND_COUNT; i++) {
        count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        buffer_clear(&others);
        if (i < HISTOGRAM_BOUND_COUNT)
            buffer_print(&others, "%s%sle=\"%g\"", labels, comma, (double)bounds_us[i] / 1e6);
        else
            buffer_print(&others, "%s%sle=\"+Inf\"", labels, comma);
        metrics_sample(out, bucket.data, others.data, (double)count);
    }
    buffer_clear(&bucket);
    buffer_print(&bucket, "%s_sum", name);
    metrics_sample(out, bucket.data, labels,
                   (double)atomic_load_explicit(&histogram->sum_us, memory_order_relaxed) / 1e6);
    buffer_clear(&bucket);
    buffer_print(&bucket, "%s_count", name);
    metrics_sample(out, bucket.data, labels, (double)count);
    buffer_release(&bucket);
    buffer_release(&others);
}

/* ---- the process ----------------------------------------------------------------------------- */

static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static double resident_bytes(void)
{
    long long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%lld %lld", &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* Milliseconds since 1970: the machine's start and, in ticks, how long after that ours was. */
static int64_t read_start_ms(void)
{
    struct timespec now, up;
    unsigned long long ticks = 0;
    FILE *file = fopen("/proc/self/stat", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file,
               "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
               "%*d %*d %llu",
               &ticks) != 1)
        ticks = 0;
    fclose(file);
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &up);
    double seconds = (double)(now.tv_sec - up.tv_sec) + (double)(now.tv_nsec - up.tv_nsec) / 1e9 +
                     (double)ticks / (double)sysconf(_SC_CLK_TCK);
    return (int64_t)(seconds * 1000);
}

/* Asked once: two clocks are never read at the same moment, and another answer is another start. */
static double start_seconds(void)
{
    static _Atomic int64_t start_ms;
    int64_t none = 0;
    if (atomic_load(&start_ms) == 0)
        atomic_compare_exchange_strong(&start_ms, &none, read_start_ms());
    return (double)atomic_load(&start_ms) / 1000;
}

static double open_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return 0;
    for (const struct dirent *each; (each = readdir(folder)) != NULL;)
        count += each->d_name[0] != '.';
    closedir(folder);
    return count - 1; /* the one that looked */
}

void metrics_process(struct buffer *out, const char *program)
{
    struct rlimit limit;
    struct buffer labels = {0};
    buffer_print(&labels, "program=\"%s\",version=\"%s\"", program, STAGEDOOR_VERSION);
    metrics_family(out, "stagedoor_build_info", METRIC_GAUGE, "Which program this is.");
    metrics_sample(out, "stagedoor_build_info", labels.data, 1);
    buffer_release(&labels);
    metrics_counter(out, "process_cpu_seconds_total", "Time on a processor.", cpu_seconds());
    metrics_gauge(out, "process_resident_memory_bytes", "Memory in use.", resident_bytes());
    metrics_gauge(out, "process_start_time_seconds", "When it started, since 1970.",
                  start_seconds());
    metrics_gauge(out, "process_open_fds", "Open descriptors.", open_descriptors());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_gauge(out, "process_max_fds", "How many there may be.", (double)limit.rlim_cur);
}
