/* house.h: one installation on this machine: where its log, data, programs and sockets are, and
 * from that how each of its parts is started. One thread. */
#ifndef CLI_HOUSE_H
#define CLI_HOUSE_H

#include "cli/connect.h"
#include "manager/company.h"
#include "manager/doorway.h"

#include <limits.h>

enum {
    HOUSE_DOORWAYS_MAX = SUPERVISOR_FDS_MAX,
    HOUSE_INSTANCES_MAX = 16 /* of a part, and an understudy */
};

/* Of the house's folder: the admin listeners of its instances, by their names. */
#define HOUSE_ADMIN_FOLDER "admin"

struct house {
    const struct command *command;
    struct log_options log;
    struct option_list listen, edge_args;
    const char *paydesk; /* its script; NULL: none */
    int64_t partition_count;

    /* Since house_open. */
    char programs[PATH_MAX]; /* the folder */
    struct buffer bus_url;
    uint32_t identity; /* tells this installation's members from those of another */
    struct doorway doorways[HOUSE_DOORWAYS_MAX];
    int doorway_count;
    struct supervisor *supervisor; /* set by whoever has one */
};

/* The parts in order of their reloading: who decides first, then who asks; the paydesk last. */
extern const struct part house_parts[];
enum { HOUSE_SERVICE_COUNT = 3, HOUSE_PART_COUNT = 5 };

/* How many of `house_parts` there are: the paydesk only if it has a script. */
int house_part_count(const struct house *house);

/* Makes the folder and takes it for this process, finds the programs, opens the sockets, makes the
 * topics. END_OK, or one line was printed. Given back with house_close. */
int house_open(struct house *house);
void house_close(struct house *house);

/* Nobody is let in any more. */
void house_close_doorways(struct house *house);

/* The path of this very program. false: errno says why not. */
bool house_own_program(char out[PATH_MAX]);

/* The path of the program `name` ("": stagedoor itself), in `out`. */
void house_program(const struct house *house, const char *name, struct buffer *out);

/* A company_cast; `house` is the struct. */
void house_cast(void *house, const char *part, int number, const char *name);

/* Starts one of our own commands as a task, once. `option` NULL: without one. */
void house_task(struct house *house, const char *name, const char *option, const char *value);

/* {url, bus, data, parts, arguments}: the parts one may have more or fewer of, and the arguments of
 * `up` that would make this house again. */
void house_json(const struct house *house, struct buffer *out);

#endif
