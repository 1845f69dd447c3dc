/* installation.h: which log this is.
 *
 * The topics of one installation are made together; whoever makes them writes a random id and the
 * partition count as the first record of every event partition, and every claim repeats it. A
 * topic made again, or one of another installation, is found out before anyone sells from it.
 * Source: architecture §1, "when the log itself lies". */
#ifndef BUS_INSTALLATION_H
#define BUS_INSTALLATION_H

#include "base/uuid.h"
#include "bus/bus.h"
#include "bus/topics.h"

struct installation {
    char id[UUID_SIZE];
    int partition_count;
};

/* Tells a fresh handle its six topics (bus_topics) and reads which installation they are.
 * `create`: make them first if they are missing, with `partition_count` (0: PARTITIONS_DEFAULT);
 * of several callers at once one writes the id and the others wait for it, up to 10 s. Without
 * `create`, missing topics are BUS_UNFIT. `partition_count` 0 without `create`: whatever is there.
 * The handle must not be followed or joined yet; on BUS_OK nothing is followed. */
enum bus_result installation_open(struct bus *bus, bool create, int partition_count,
                                  struct installation *installation, struct bus_error *error);

/* bus_open, then installation_open. On anything but BUS_OK `*bus` is NULL and `error` is set. */
enum bus_result installation_connect(struct bus **bus, const char *url,
                                     const struct bus_options *options, bool create,
                                     int partition_count, struct installation *installation,
                                     struct bus_error *error);

#endif
