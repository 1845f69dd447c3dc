/* Counts, and the one sentence that matters. */
#include "cli/verify_print.h"

#include "schemas/json.h"

#include <stdio.h>

static const enum message_type refund_types[] = {MESSAGE_RefundRequested, MESSAGE_RefundCompleted,
                                                 MESSAGE_RefundFailed};

/* ---- for people ------------------------------------------------------------------------------ */

static bool is_of(enum message_type type, int topic)
{
    bool events = topic_is_events(topic);
    enum message_role role = message_role(type);
    return role == (events ? ROLE_EVENT : ROLE_COMMAND) &&
           message_speaker(type) == (enum speaker)(SPEAKER_shows + topic / 2);
}

static void print_topic(const struct audit_counts *counts, int topic, struct buffer *out)
{
    buffer_print(out, "%-24s %9llu records\n", topic_name(topic),
                 (unsigned long long)counts->by_topic[topic]);
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (counts->by_type[type] && is_of((enum message_type)type, topic))
            buffer_print(out, "  %-26s %9llu\n", message_name((enum message_type)type),
                         (unsigned long long)counts->by_type[type]);
}

static void print_sums(const struct audit_counts *counts, struct buffer *out)
{
    buffer_print(out, "%llu commands, %llu of them repeats; %llu outcomes, %llu of them Refused\n",
                 (unsigned long long)counts->commands, (unsigned long long)counts->repeats,
                 (unsigned long long)counts->outcomes,
                 (unsigned long long)counts->by_type[MESSAGE_Refused]);
    buffer_print(out, "%llu claims, %llu progress records, %llu void records\n",
                 (unsigned long long)counts->claims, (unsigned long long)counts->progress,
                 (unsigned long long)counts->voids);
    buffer_print(out, "%llu shows; seats: %llu held, %llu sold, %llu returned; refunds: ",
                 (unsigned long long)counts->shows, (unsigned long long)counts->seats_held,
                 (unsigned long long)counts->seats_sold,
                 (unsigned long long)counts->seats_returned);
    buffer_print(out, "%llu asked for, %llu completed, %llu failed\n",
                 (unsigned long long)counts->by_type[refund_types[0]],
                 (unsigned long long)counts->by_type[refund_types[1]],
                 (unsigned long long)counts->by_type[refund_types[2]]);
    if (counts->replayed || counts->other_rules)
        buffer_print(out, "%llu decided again", (unsigned long long)counts->replayed);
    if (counts->other_rules)
        buffer_print(out, "; %llu outcomes are of other versions of the cores, which are not here",
                     (unsigned long long)counts->other_rules);
    if (counts->replayed || counts->other_rules)
        buffer_byte(out, '\n');
}

static void print_breach(const struct audit *audit, const struct audit_breach *first,
                         struct buffer *out)
{
    buffer_print(out, "breach of invariant %d (%s) at %s/%d@%lld: %s\n", first->invariant,
                 audit_invariant_text(first->invariant), topic_name(first->place.topic),
                 first->place.partition, (long long)first->place.offset, first->text);
    buffer_print(out, "breaches in all: %llu; by invariant:",
                 (unsigned long long)audit_breach_count(audit, 0));
    for (int i = 1; i <= AUDIT_INVARIANT_MAX; i++)
        if (audit_breach_count(audit, i))
            buffer_print(out, " %d: %llu", i, (unsigned long long)audit_breach_count(audit, i));
    buffer_string(out, "\nthe first is the one to look at; see it with: stagedoor tail --raw\n"
                       "what is merely not answered yet is no breach with --running: services are "
                       "at work, or stopped before they had read it\n");
}

void verify_print_text(const struct audit *audit, struct buffer *out)
{
    const struct audit_counts *counts = audit_counts(audit);
    const struct audit_breach *first = audit_first(audit);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        print_topic(counts, topic, out);
    print_sums(counts, out);
    if (first)
        print_breach(audit, first, out);
    else
        buffer_print(out, "verified: %llu records, no breach\n",
                     (unsigned long long)counts->records);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void put_count(struct buffer *out, const char *name, uint64_t count)
{
    json_put_i64(out, name, (int64_t)count);
}

static void put_breaches(const struct audit *audit, struct buffer *out)
{
    const struct audit_breach *first = audit_first(audit);
    char number[16];
    put_count(out, "breaches", audit_breach_count(audit, 0));
    json_put_open(out, "by_invariant", '{');
    for (int i = 1; i <= AUDIT_INVARIANT_MAX; i++) {
        snprintf(number, sizeof number, "%d", i);
        if (audit_breach_count(audit, i))
            put_count(out, number, audit_breach_count(audit, i));
    }
    json_put_close(out, '}');
    if (first == NULL)
        return;
    json_put_open(out, "first", '{');
    json_put_i64(out, "invariant", first->invariant);
    json_put_text(out, "topic", text_of(topic_name(first->place.topic)));
    json_put_i64(out, "partition", first->place.partition);
    json_put_i64(out, "offset", first->place.offset);
    json_put_text(out, "what", text_of(first->text));
    json_put_close(out, '}');
}

static void put_sums(const struct audit_counts *counts, struct buffer *out)
{
    put_count(out, "records", counts->records);
    put_count(out, "commands", counts->commands);
    put_count(out, "repeats", counts->repeats);
    put_count(out, "outcomes", counts->outcomes);
    put_count(out, "claims", counts->claims);
    put_count(out, "progress", counts->progress);
    put_count(out, "voids", counts->voids);
    put_count(out, "replayed", counts->replayed);
    put_count(out, "other_rules", counts->other_rules);
    put_count(out, "shows", counts->shows);
    put_count(out, "seats_held", counts->seats_held);
    put_count(out, "seats_sold", counts->seats_sold);
    put_count(out, "seats_returned", counts->seats_returned);
}

void verify_print_json(const struct audit *audit, struct buffer *out)
{
    const struct audit_counts *counts = audit_counts(audit);
    json_put_open(out, NULL, '{');
    json_put_bool(out, "verified", audit_first(audit) == NULL);
    put_sums(counts, out);
    json_put_open(out, "topics", '{');
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        put_count(out, topic_name(topic), counts->by_topic[topic]);
    json_put_close(out, '}');
    json_put_open(out, "types", '{');
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (counts->by_type[type])
            put_count(out, message_name((enum message_type)type), counts->by_type[type]);
    json_put_close(out, '}');
    put_breaches(audit, out);
    json_put_close(out, '}');
    buffer_byte(out, '\n');
}

/* ---- meanwhile ------------------------------------------------------------------------------- */

void verify_print_progress(uint64_t read, uint64_t total, uint64_t per_second, struct buffer *out)
{
    enum { WIDTH = 30 };
    int done = total ? (int)(read * WIDTH / total) : WIDTH;
    buffer_byte(out, '\r');
    buffer_byte(out, '[');
    for (int i = 0; i < WIDTH; i++)
        buffer_byte(out, i < done ? '=' : ' ');
    buffer_print(out, "] %llu of %llu records, %llu/s ", (unsigned long long)read,
                 (unsigned long long)total, (unsigned long long)per_second);
}
