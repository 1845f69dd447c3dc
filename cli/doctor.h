/* doctor.h: what is wrong with an installation: findings, and who looks for them. A look is one row
 * of the table in cmd_doctor.c. Nothing is changed by looking. One thread. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "bus/examine.h"
#include "cli/connect.h"
#include "cli/log_reader.h"
#include "cli/owners.h"

struct doctor {
    const struct command *command;
    struct log_options log;
    const char *url; /* of the edge */

    const char *look; /* the name of the row that looks now */
    struct bus_finding *findings;
    size_t count;

    struct log_reader reader; /* its bus: NULL until it was opened */

    /* What the log said, once it was read. */
    bool was_read;
    struct owners owners;
    int64_t now_ms, newest_ms; /* wall clock; the newest append time */
    int64_t back_ms;           /* the longest step back of the log's clock … */
    struct place back_place;   /* … and where */
};

/* `mend`: a command, or what a person does; "": nothing. */
void doctor_find(struct doctor *doctor, enum bus_state state, const char *mend, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

/* doctor_machine.c: around the programs */
void doctor_folder(struct doctor *doctor); /* the data folder and the secrets in it */
void doctor_disk(struct doctor *doctor);
void doctor_edge(struct doctor *doctor); /* whether one answers, or somebody else at its port */

/* doctor_log.c: the log, from outside to inside */
void doctor_bus(struct doctor *doctor);    /* opens it */
void doctor_topics(struct doctor *doctor); /* there, and fit to sell from; reads them */
void doctor_place(struct doctor *doctor);  /* broker or file, with their settings */
void doctor_owners(struct doctor *doctor);
void doctor_clocks(struct doctor *doctor);
void doctor_builds(struct doctor *doctor);

#endif
