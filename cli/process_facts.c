#include "cli/process_facts.h"

#include <stdio.h>

static int64_t number(const struct json *process, const char *name)
{
    int64_t value = 0;
    json_i64(json_member(process, name), &value);
    return value;
}

static void word(const struct json *process, const char *name, char *out, size_t size)
{
    struct text value = text_of("");
    json_text(json_member(process, name), &value);
    snprintf(out, size, "%.*s", TEXT_PRINT(value));
}

void process_facts_read(const struct json *process, struct process_facts *facts)
{
    *facts = (struct process_facts){.number = number(process, "number"),
                                    .pid = number(process, "pid"),
                                    .uptime_s = number(process, "uptime_s"),
                                    .restarts = number(process, "restarts"),
                                    .deaths_in_a_row = number(process, "deaths_in_a_row"),
                                    .cpu_percent = number(process, "cpu_percent"),
                                    .memory_bytes = number(process, "memory_bytes")};
    word(process, "name", facts->name, sizeof facts->name);
    word(process, "state", facts->state, sizeof facts->state);
    word(process, "status", facts->status, sizeof facts->status);
    word(process, "last_end", facts->last_end, sizeof facts->last_end);
}

const char *process_age(int64_t s, char out[AGE_SIZE])
{
    static const struct {
        int64_t s;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int i = 0;
    while (i < 3 && s < 2 * units[i].s)
        i++;
    snprintf(out, AGE_SIZE, "%lld%c", (long long)(s / units[i].s), units[i].unit);
    return out;
}

void process_facts_head(struct buffer *out)
{
    buffer_print(out, "%-3s %-16s %-10s %5s %8s %5s %7s %7s", "NR", "NAME", "STATE", "UP",
                 "RESTARTS", "CPU", "MEMORY", "PID");
}

void process_facts_row(const struct process_facts *facts, struct buffer *out)
{
    char age[AGE_SIZE];
    process_age(facts->uptime_s, age);
    buffer_print(out, "%-3lld %-16s %-10s %5s %8lld %4lld%% %6lldM %7lld", (long long)facts->number,
                 facts->name, facts->state, facts->pid ? age : "-", (long long)facts->restarts,
                 (long long)facts->cpu_percent, (long long)(facts->memory_bytes >> 20),
                 (long long)facts->pid);
}
