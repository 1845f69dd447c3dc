/* cues.h: the cue sheet of a change: what is told to whom, in order, as in company.h. */
#ifndef MANAGER_CUES_H
#define MANAGER_CUES_H

#include "manager/company.h"

enum { CUES_MAX = 4 * SUPERVISOR_CHILDREN_MAX };

enum cue_kind {
    CUE_BEGIN, /* given when it is there; done when it is ready */
    CUE_END,   /* done when it is gone */
    CUE_FORGET
};

struct cue {
    enum cue_kind kind;
    char name[COMPANY_NAME_SIZE];
    char part[COMPANY_NAME_SIZE];
    int number;
    bool together; /* given together with the one before */
    bool always;   /* given even if one before failed */
    bool done;
};

/* S_init is {0}. */
struct cue_sheet {
    struct cue cues[CUES_MAX];
    int count;
    int first, behind; /* the cues that are given and waited for: first .. behind - 1 */
    int64_t given_at_ms;
    bool failed;
};

/* Appends a cue for `part`-`number`; further marks are set by the caller. */
struct cue *cues_add(struct cue_sheet *sheet, enum cue_kind kind, const char *part, int number);

/* The name of an instance. */
const char *cues_name(const char *part, int number, char out[COMPANY_NAME_SIZE]);

#endif
