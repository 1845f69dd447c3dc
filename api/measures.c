/* Relaxed counters: nobody decides anything by them. */
#include "api/measures.h"

void measures_note(struct measures *measures, int route, int status, int problem, int64_t us)
{
    int class = status / 100 - 1;
    if (class < 0 || class >= STATUS_CLASS_COUNT)
        return;
    histogram_note(&measures->durations[route], us);
    atomic_fetch_add_explicit(&measures->answers[route][class], 1, memory_order_relaxed);
    if (problem)
        atomic_fetch_add_explicit(&measures->problems[problem - 1], 1, memory_order_relaxed);
}
