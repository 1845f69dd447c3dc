/* A list of checks, told in three ways. */
#include "process/readiness.h"

#include "schemas/json.h"

#include <assert.h>
#include <stdio.h>

void readiness_add(struct readiness *readiness, const char *name, bool good, const char *why, ...)
{
    assert(readiness->count < READINESS_CHECKS_MAX);
    struct readiness_check *check = &readiness->checks[readiness->count++];
    va_list arguments;
    check->name = name;
    check->good = good;
    va_start(arguments, why);
    if (!good)
        vsnprintf(check->why, sizeof check->why, why, arguments);
    va_end(arguments);
}

bool readiness_is_good(const struct readiness *readiness)
{
    for (int i = 0; i < readiness->count; i++)
        if (!readiness->checks[i].good)
            return false;
    return true;
}

static const char *status_of(const struct readiness *readiness)
{
    return readiness_is_good(readiness) ? "ready" : "not ready";
}

void readiness_put_json(const struct readiness *readiness, struct buffer *out)
{
    json_put_text(out, "status", text_of(status_of(readiness)));
    for (int i = 0; i < readiness->count; i++)
        json_put_bool(out, readiness->checks[i].name, readiness->checks[i].good);
    json_put_open(out, "reasons", '[');
    for (int i = 0; i < readiness->count; i++)
        if (!readiness->checks[i].good)
            json_put_text(out, NULL, text_of(readiness->checks[i].why));
    json_put_close(out, ']');
}

void readiness_put_text(const struct readiness *readiness, struct buffer *out)
{
    buffer_print(out, "%s\n", status_of(readiness));
    for (int i = 0; i < readiness->count; i++)
        if (!readiness->checks[i].good)
            buffer_print(out, "%s\n", readiness->checks[i].why);
}

void readiness_put_line(const struct readiness *readiness, struct buffer *out)
{
    const char *comma = "";
    for (int i = 0; i < readiness->count; i++)
        if (!readiness->checks[i].good) {
            buffer_print(out, "%s%s", comma, readiness->checks[i].why);
            comma = "; ";
        }
}

const char *number_grouped(int64_t number, char out[GROUPED_SIZE])
{
    char digits[GROUPED_SIZE];
    int size = snprintf(digits, sizeof digits, "%lld", (long long)number), at = 0;
    for (int i = 0; i < size; i++) {
        bool begins = i > 0 && digits[i - 1] != '-' && (size - i) % 3 == 0;
        if (begins)
            out[at++] = ' ';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}
