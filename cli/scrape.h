/* scrape.h: what a process tells of itself at its admin socket, read back from the text format of
 * Prometheus (exposition format 0.0.4). Pure. */
#ifndef CLI_SCRAPE_H
#define CLI_SCRAPE_H

#include "base/text.h"

/* One sample; borrowed from the text. */
struct scrape_line {
    struct text name, labels; /* `route="/x",status="2xx"` */
    double value;
};

/* The next sample of `*rest`, which moves on; false: there is none. */
bool scrape_next(struct text *rest, struct scrape_line *line);

/* The value of a label, as it is written; empty: it has none of that name. */
struct text scrape_label(struct text labels, const char *name);

/* How long something took, as a histogram tells: counts of what took at most so long. */
enum { SCRAPE_BOUNDS_MAX = 16 };
struct scrape_histogram {
    double bounds[SCRAPE_BOUNDS_MAX], counts[SCRAPE_BOUNDS_MAX]; /* cumulative; the last is +Inf */
    int count;
};

/* Adds a sample NAME_bucket; bounds come in order, the same ones in each series. */
void scrape_add_bucket(struct scrape_histogram *histogram, const struct scrape_line *line);

/* The bound that `share` (0.99) of what came between the two did not exceed; -1: nothing came.
 * What is beyond the last bound is told as that. */
double scrape_quantile(const struct scrape_histogram *before, const struct scrape_histogram *now,
                       double share);

#endif
