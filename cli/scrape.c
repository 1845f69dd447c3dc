#include "cli/scrape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 64 };

/* ---- text ------------------------------------------------------------------------------------ */
static bool read_number(struct text text, double *value)
{
    char bytes[NUMBER_SIZE], *end;
    if (text.size == 0 || text.size >= sizeof bytes)
        return false;
    memcpy(bytes, text.data, text.size);
    bytes[text.size] = '\0';
    *value = strtod(bytes, &end); /* "+Inf" and "NaN" too */
    return *end == '\0';
}

/* NAME or NAME{LABELS}, a space, the value. Label values may hold anything but a newline. */
static bool read_sample(struct text text, struct scrape_line *line)
{
    size_t space = text.size;
    while (space > 0 && text.data[space - 1] != ' ')
        space--;
    if (space == 0 || !read_number(text_from(text.data + space, text.size - space), &line->value))
        return false;
    struct text series = text_from(text.data, space - 1);
    line->name = text_cut(&series, '{');
    if (series.data && (series.size == 0 || series.data[series.size - 1] != '}'))
        return false;
    line->labels = series.data ? text_from(series.data, series.size - 1) : text_of("");
    return line->name.size > 0;
}

bool scrape_next(struct text *rest, struct scrape_line *line)
{
    while (rest->size) {
        struct text text = text_cut(rest, '\n');
        if (text.size && text.data[0] != '#' && read_sample(text, line))
            return true;
    }
    return false;
}

struct text scrape_label(struct text labels, const char *name)
{
    while (labels.size) {
        struct text found = text_cut(&labels, '=');
        if (labels.size == 0 || labels.data[0] != '"')
            break;
        size_t end = 1;
        while (end < labels.size && labels.data[end] != '"')
            end += labels.data[end] == '\\' ? 2 : 1;
        if (end >= labels.size)
            break;
        struct text value = text_from(labels.data + 1, end - 1);
        if (text_is(found, name))
            return value;
        size_t skip = end + 1 < labels.size ? end + 2 : end + 1;
        labels = text_from(labels.data + skip, labels.size - skip);
    }
    return text_of("");
}

/* ---- histograms ------------------------------------------------------------------------------ */
void scrape_add_bucket(struct scrape_histogram *histogram, const struct scrape_line *line)
{
    double bound;
    if (!read_number(scrape_label(line->labels, "le"), &bound))
        return;
    int i = 0;
    while (i < histogram->count && histogram->bounds[i] < bound)
        i++;
    if (i == SCRAPE_BOUNDS_MAX)
        return;
    if (i == histogram->count) {
        histogram->bounds[i] = bound;
        histogram->counts[i] = 0;
        histogram->count++;
    }
    histogram->counts[i] += line->value;
}

double scrape_quantile(const struct scrape_histogram *before, const struct scrape_histogram *now,
                       double share)
{
    double came[SCRAPE_BOUNDS_MAX] = {0};
    for (int i = 0; i < now->count; i++)
        came[i] = now->counts[i] - (i < before->count ? before->counts[i] : 0);
    if (now->count == 0 || came[now->count - 1] <= 0)
        return -1;
    int i = 0;
    while (i < now->count - 1 && came[i] < share * came[now->count - 1])
        i++;
    while (i > 0 && isinf(now->bounds[i]))
        i--;
    return now->bounds[i];
}
