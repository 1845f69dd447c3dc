/* company_internal.h: what the files of the company share. */
#ifndef MANAGER_COMPANY_INTERNAL_H
#define MANAGER_COMPANY_INTERNAL_H

#include "manager/cues.h"

struct company {
    struct supervisor *supervisor;
    const struct part *parts;
    int part_count;
    company_cast *cast;
    void *house;

    bool changing;
    char order[2 * COMPANY_NAME_SIZE]; /* for people */
    struct cue_sheet sheet;
};

#endif
