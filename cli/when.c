/* Times as people type them. */
#include "cli/when.h"

#include "base/rfc3339.h"

enum { DIGITS_MAX = 9 };

static int64_t unit_ms(char unit)
{
    static const char letters[] = "smhdw";
    static const int64_t lengths[] = {1000, 60 * 1000, 3600 * 1000, INT64_C(24) * 3600 * 1000,
                                      INT64_C(7) * 24 * 3600 * 1000};
    for (size_t i = 0; i < sizeof letters - 1; i++)
        if (letters[i] == unit)
            return lengths[i];
    return 0;
}

/* "1h30m": numbers, each with its unit, larger units first. */
static bool span_parse(struct text text, int64_t *span_ms)
{
    int64_t last = INT64_MAX;
    size_t at = 0;
    *span_ms = 0;
    while (at < text.size) {
        int64_t number;
        size_t start = at;
        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
            at++;
        int64_t unit = at < text.size ? unit_ms(text.data[at]) : 0;
        if (at - start > DIGITS_MAX || unit == 0 || unit >= last ||
            !text_to_i64(text_from(text.data + start, at - start), &number))
            return false;
        *span_ms += number * unit;
        last = unit;
        at++;
    }
    return text.size > 0;
}

bool when_parse(struct text text, int64_t now_ms, int64_t *at_ms)
{
    int64_t span_ms;
    if (rfc3339_parse(text, at_ms))
        return true;
    if (!span_parse(text, &span_ms) || span_ms > now_ms)
        return false;
    *at_ms = now_ms - span_ms;
    return true;
}
