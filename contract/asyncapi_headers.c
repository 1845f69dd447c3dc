/* One row per header, one column per kind of record. */
#include "contract/asyncapi_headers.h"

#include "schemas/json.h"

#define NUMBER    "(0|[1-9][0-9]*)"
#define EPOCH     NUMBER "-[0-9a-f]{16}"
#define POSITION  NUMBER "(@" EPOCH "\\." NUMBER ")?"
#define UUID_TEXT "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

enum { NEVER, MAY, MUST };

static const struct {
    const char *name;
    const char *title;
} kinds[HEADERS_COUNT] = {
    [HEADERS_COMMAND] = {"CommandHeaders",
                         "Of a command: only ce_type is needed, what is left out is taken from the "
                         "record's place and bytes."},
    [HEADERS_OUTCOME] = {"OutcomeHeaders", "Of an event: a decision of the partition's owner."},
    [HEADERS_PROGRESS] = {"ProgressHeaders",
                          "Of a Progress: how far the partition's owner has read."},
    [HEADERS_CLAIM] = {"ClaimHeaders", "Of a Claimed: the partition has a new owner."},
    [HEADERS_INSTALLED] = {"InstalledHeaders",
                           "Of the first record of every event partition: which log this is."},
};

static const struct row {
    const char *name;
    int in[HEADERS_COUNT]; /* command, outcome, progress, claim, installed */
    const char *description;
    const char *pattern; /* NULL: any text */
    const char *example;
} rows[] = {
    {"ce_specversion", {MAY, MUST, MUST, MUST, MUST}, "Of CloudEvents.", "^1\\.0$", "1.0"},
    {"ce_type", {MUST, MUST, MUST, MUST, MUST}, "Which message it is.", NULL, NULL},
    {"ce_id",
     {MAY, MUST, MUST, NEVER, NEVER},
     "Of an outcome its service, partition and stamp. Of a command whatever the publisher likes; "
     "the same id again is the same command.",
     NULL,
     "shows/2/815-8f3c51d2a90be764.7"},
    {"ce_source", {MAY, MUST, MUST, MUST, MUST}, "Who says it.", NULL, "stagedoor/shows"},
    {"ce_time",
     {MAY, MUST, MAY, NEVER, NEVER},
     "When it was decided, by the log's clock (RFC 3339, UTC).",
     NULL,
     "2026-10-03T19:35:02.417Z"},
    {"ce_subject", {MAY, MAY, NEVER, NEVER, NEVER}, "The show_id.", NULL, "tempest"},
    {"content-type", {MAY, MUST, MUST, MUST, MUST}, "Of the value.", NULL, "application/json"},
    {"ce_correlationid",
     {MAY, MAY, NEVER, NEVER, NEVER},
     "The reservation_id, else the show_id.",
     NULL,
     "0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96"},
    {"ce_causationid",
     {MAY, MAY, NEVER, NEVER, NEVER},
     "The ce_id of what this answers; absent when a timer decided.",
     NULL,
     "reservations/2/640-1d0ff9c7e7a3b285.41"},
    {"ce_actor",
     {MAY, MAY, NEVER, NEVER, NEVER},
     "Who asked for it: the name of a key, or public. An outcome repeats that of its cause.",
     NULL,
     "public"},
    {"traceparent",
     {MAY, MAY, NEVER, NEVER, NEVER},
     "W3C trace context. An outcome repeats that of its cause.",
     NULL,
     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
    {"sd_stamp",
     {NEVER, MUST, MUST, NEVER, NEVER},
     "Whose word it is: the epoch (offset and nonce of the owner's claim), and a number that grows "
     "by one with each record of it. What is not exactly the next one is void.",
     "^" EPOCH "\\.[1-9][0-9]*$",
     "815-8f3c51d2a90be764.7"},
    {"sd_source",
     {NEVER, MUST, MAY, NEVER, NEVER},
     "Which input this answers: topic, partition, offset and CRC-32C of its value and stamp; or "
     "timer.",
     "^(timer|[a-z]+\\.(commands|events)/" NUMBER "@" NUMBER "#[0-9a-f]{8})$",
     "reservations.events/2@702#5b1e93aa"},
    {"sd_positions",
     {NEVER, MUST, MUST, NEVER, NEVER},
     "For each input of the service, in its order, the next offset to read, and the stamp last "
     "accepted there. Whoever takes over goes on from here.",
     "^" POSITION "(;" POSITION ")*$",
     "31;703@640-1d0ff9c7e7a3b285.41;88@12-c09e5d1f3b7a4462.19"},
    {"sd_claim",
     {NEVER, NEVER, NEVER, MUST, NEVER},
     "A random nonce, which makes the epoch one of a kind, and the id of the installation.",
     "^[0-9a-f]{16}/" UUID_TEXT "$",
     "8f3c51d2a90be764/5f6c3c86-70e0-4c0b-9a3c-1f0f4f6d2b11"},
};
enum { ROWS = sizeof rows / sizeof *rows };

const char *headers_name(enum headers headers)
{
    return kinds[headers].name;
}

enum headers headers_of(enum message_type type)
{
    switch (message_role(type)) {
    case ROLE_COMMAND:
        return HEADERS_COMMAND;
    case ROLE_EVENT:
        return HEADERS_OUTCOME;
    case ROLE_BUS:
        break;
    }
    return type == MESSAGE_Claimed    ? HEADERS_CLAIM
           : type == MESSAGE_Progress ? HEADERS_PROGRESS
                                      : HEADERS_INSTALLED;
}

static void put_row(struct buffer *out, const struct row *row)
{
    json_put_open(out, row->name, '{');
    json_put_text(out, "description", text_of(row->description));
    json_put_text(out, "type", text_of("string"));
    if (row->pattern)
        json_put_text(out, "pattern", text_of(row->pattern));
    if (row->example) {
        json_put_open(out, "examples", '[');
        json_put_text(out, NULL, text_of(row->example));
        json_put_close(out, ']');
    }
    json_put_close(out, '}');
}

void headers_print(struct buffer *out)
{
    for (int kind = 0; kind < HEADERS_COUNT; kind++) {
        json_put_open(out, kinds[kind].name, '{');
        json_put_text(out, "description", text_of(kinds[kind].title));
        json_put_text(out, "type", text_of("object"));
        json_put_open(out, "required", '[');
        for (int i = 0; i < ROWS; i++)
            if (rows[i].in[kind] == MUST)
                json_put_text(out, NULL, text_of(rows[i].name));
        json_put_close(out, ']');
        json_put_open(out, "properties", '{');
        for (int i = 0; i < ROWS; i++)
            if (rows[i].in[kind] != NEVER)
                put_row(out, &rows[i]);
        json_put_close(out, '}');
        json_put_close(out, '}');
    }
}
