/* company.h: who plays. The parts of the theatre, so many instances of each, and changes to that.
 *
 * Instances of the part "edge" are the supervisor's children edge-1, edge-2 … A change is a list of
 * cues, each waited for before the next is given: an instance begins and must become ready, or is
 * told to end and must be gone. So in a reload there are never fewer than before: an understudy,
 * one instance more, begins first; then each of the others ends and begins anew; then the
 * understudy leaves. If an instance does not become ready, no further cue is given, but for the
 * leaving of the understudy: a new build that does not start takes nobody down who has not been
 * told to end yet.
 *
 * One change at a time. One thread, the supervisor's. */
#ifndef MANAGER_COMPANY_H
#define MANAGER_COMPANY_H

#include "manager/supervisor.h"

enum {
    COMPANY_PARTS_MAX = 8,
    COMPANY_NAME_SIZE = 32,
    COMPANY_ERROR_SIZE = 256,
    CUE_PATIENCE_MS = 10 * 60 * 1000, /* for an instance to become ready */
    CUE_DEATHS_MAX = 3                /* or for it to die */
};

struct part {
    const char *name;
    int most; /* instances, an understudy among them */
};

/* Adds the instance `number` of a part to the supervisor, under the name `name`. */
typedef void company_cast(void *house, const char *part, int number, const char *name);

struct company;

/* `parts` in the order in which they are reloaded; borrowed like everything else. Nobody plays yet.
 * Given back with company_free. */
struct company *company_new(struct supervisor *supervisor, const struct part *parts, int count,
                            company_cast *cast, void *house);
void company_free(struct company *company);

/* Adds `count` instances of a part that has none, without waiting for anything. */
void company_open(struct company *company, const char *part, int count);

/* Instances of a part, running or not; -1: there is no such part. */
int company_count(const struct company *company, const char *part);

/* The part of a child; NULL: it plays none (a task). */
const struct part *company_part_of(const struct company *company, const char *child);

/* Whether the child is meant: by its part, its name, its number, or "all". */
bool company_means(const struct company *company, struct text who, const struct child_look *child);

enum company_order { COMPANY_BEGUN, COMPANY_NOT_NOW, COMPANY_NOT_SO };

/* Begins a change:
 *
 *     start WHO [COUNT]   what does not run begins; with COUNT as `scale`, but -1 is one less than
 *                         there are cores
 *     stop WHO            what runs ends, and stays in the list
 *     delete WHO          ends, and leaves the list
 *     restart WHO         ends, all together, and begins again
 *     reload WHO          one after the other, with an understudy
 *     scale PART COUNT    COUNT: 4, +1, -1, max: as many as there are cores
 *
 * `count` NULL: not given. COMPANY_NOT_NOW: another change is under way; COMPANY_NOT_SO: it makes
 * no sense; `error` says what. */
enum company_order company_order(struct company *company, struct text verb, struct text who,
                                 const struct text *count, char error[COMPANY_ERROR_SIZE]);

enum company_state {
    COMPANY_IDLE,
    COMPANY_CHANGING,
    COMPANY_CHANGED, /* the change is done, told once */
    COMPANY_FAILED   /* it ended before that, told once; `said` ends with the reason */
};

/* Gives the cues that can be given. Appends what happened, a line each, to `said`. To be called
 * whenever the supervisor told something, and once a second. */
enum company_state company_turn(struct company *company, struct buffer *said);

#endif
