/* refused.h: a refused record: what it says, why it was refused, and saying it again.
 *
 * Nothing that was refused is lost: the record stays where it is for ever, and a Refused event
 * names its place. So there is no dead-letter queue to keep; `stagedoor refused` is a view of the
 * log. One thread. */
#ifndef CLI_REFUSED_H
#define CLI_REFUSED_H

#include "cli/log_reader.h"
#include "story/record_list.h"

/* Where the record lies that a Refused event answers. false: it names no place of this log. */
bool refused_place(const struct kept *refusal, struct place *place);

/* A Refused event for people, and as a JSON object; each with a newline. */
void refused_print_line(const struct kept *refusal, struct buffer *out);
void refused_print_json(const struct kept *refusal, struct buffer *out);

/* ---- one record ------------------------------------------------------------------------------ */
struct refused_record {
    struct record_list list;    /* owns both */
    const struct kept *record;  /* as it lies in the log, whatever it is */
    const struct kept *refusal; /* NULL: nobody refused it */
};

/* Finds the record and its refusal. END_OK, or one line was printed. */
int refused_find(struct log_reader *reader, const struct place *place,
                 struct refused_record *found);
void refused_release(struct refused_record *found);

/* Headers and value with nothing in them that could move a cursor; as JSON, bytes that are no text
 * are given as hex. */
void refused_print_record(const struct refused_record *found, struct buffer *out);
void refused_print_record_json(const struct refused_record *found, struct buffer *out);

/* ---- saying it again ------------------------------------------------------------------------- */
/* A record to be appended, built from one that was refused. */
struct republication {
    int topic, partition;
    struct text id; /* its ce_id */
    struct bus_record record;
    struct bus_header headers[BUS_HEADERS_MAX];
    struct arena arena; /* what all of it points to, besides the refused record */
};

/* Builds it: the key is the show_id and the partition follows from it; the headers stay, but for a
 * new ce_id (or the old one, `same_id`), ce_source and the mark where it comes from. A structured
 * CloudEvent becomes a binary one. `*why`: what keeps it from being taken this time too, else NULL.
 */
void republication_build(struct republication *again, const struct kept *record, bool same_id,
                         int partition_count, const char **why);
void republication_release(struct republication *again);

#endif
