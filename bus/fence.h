/* fence.h: whose word counts. The acceptance rule that every reader of an event topic applies, in
 * log order:
 *
 *   claim      a record of type stagedoor.bus.Claimed without a stamp. Its epoch is
 *              <its offset>-<its nonce>. Reading it makes that the current epoch, n = 0. Before the
 *              first claim there is none.
 *   accepted   a record whose stamp <epoch>.<n> names the current epoch, both halves, and exactly
 *              n+1.
 *   installed  the record of type stagedoor.bus.Installed at offset 0: which log this is
 *              (installation.h).
 *   void       everything else: written by a fenced writer, doubled, behind a gap, malformed, or no
 *              record of ours.
 *   doubt      a stamp whose epoch should have been read as a claim on the way here and was not.
 *              Either the stamp is invented, or the log is no longer the one that was read. So the
 *              record at the offset it names is read again: if it is that claim now, the log is
 *              LOST; else the stamp is void like any other.
 *
 * The grammar is strict, so that no two readers disagree: binary mode only; exactly one ce_type; a
 * claim has exactly one canonical sd_claim and no sd_stamp; any other record exactly one canonical
 * sd_stamp.
 *
 *   sd_claim      <nonce, 16 hex>/<installation id>
 *   sd_stamp      <claim offset>-<nonce, 16 hex>.<n>
 *   sd_source     <topic>/<partition>@<offset>#<crc32c, 8 hex>, or "timer"
 *   sd_positions  per input of the service, in its order, joined by ";":
 *                 <next offset>[@<claim offset>-<nonce>.<n>]
 *
 * Source: architecture §1. Pure; any thread. */
#ifndef BUS_FENCE_H
#define BUS_FENCE_H

#include "bus/bus.h"

enum { FENCE_INPUTS_MAX = 4 };

/* All a reader must remember to stop here and resume anywhere: where it is, and whose word counts
 * there. */
struct fence {
    int64_t next;   /* offset of the next record to read; in doubt, of the doubtful one */
    int64_t claim;  /* current epoch: offset of its claim; -1: none yet */
    uint64_t nonce; /* current epoch: its nonce */
    uint64_t n;     /* stamps accepted in it */
    bool in_doubt;  /* never stored, nor is the rest: whoever resumes has no doubt */
    int64_t doubt;  /* offset to read again, or that was read again */
    uint64_t doubt_nonce;
    bool doubt_settled; /* there is no such claim: what names it is void */
};

struct stamp {
    int64_t claim;
    uint64_t nonce;
    uint64_t n;
};

enum fence_verdict {
    FENCE_VOID,
    FENCE_INSTALLED,
    FENCE_CLAIMED,
    FENCE_ACCEPTED,
    FENCE_PROGRESS, /* accepted, but it only moves positions */
    FENCE_DOUBT,    /* follow the partition again from fence->doubt and show the next record */
    FENCE_CLEARED,  /* nothing is lost: follow the partition again from fence->next */
    FENCE_LOST
};

/* What the headers said; texts are borrowed from the record. Which are set: by verdict. */
struct fence_reading {
    struct text type;         /* all but malformed ones */
    struct stamp stamp;       /* ACCEPTED, PROGRESS, DOUBT; VOID if it had one (else claim is -1) */
    uint64_t nonce;           /* CLAIMED */
    struct text installation; /* CLAIMED */
    struct text source;       /* ACCEPTED, PROGRESS */
    struct text positions;    /* ACCEPTED, PROGRESS */
    const char *why;          /* VOID, LOST: for people, static */
};

/* The reader's memory at the start of a partition. */
struct fence fence_start(void);

/* What is to be stored of a memory: all but its doubt. */
struct fence fence_position(const struct fence *fence);
bool fence_same_position(const struct fence *a, const struct fence *b);

/* Reads one record at `offset` and moves the memory behind it; DOUBT and LOST do not move it. The
 * offset is at least fence->next, or fence->doubt when in doubt; holes are a backend's own. */
enum fence_verdict fence_read(struct fence *fence, int64_t offset, const struct bus_record *record,
                              struct fence_reading *reading);

/* ---- the headers' texts ---------------------------------------------------------------------- */
struct source {
    bool timer;
    struct text topic; /* without the installation's prefix; borrowed */
    int partition;
    int64_t offset;
    uint32_t crc; /* CRC-32C of the source's value, then of its sd_stamp if it has one */
};

void stamp_print(struct stamp stamp, struct buffer *out);
bool stamp_parse(struct text text, struct stamp *stamp); /* canonical only */
void source_print(const struct source *source, struct buffer *out);
bool source_parse(struct text text, struct source *source);
void positions_print(const struct fence *fences, int count, struct buffer *out);
bool positions_parse(struct text text, struct fence *fences, int count);
uint32_t source_crc(const struct bus_record *record);

/* The only header of that name, or the empty text; `*count` (may be NULL): how many there are. */
struct text record_header(const struct bus_record *record, const char *name, int *count);

#endif
