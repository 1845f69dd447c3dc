/* backend.h: what a backend gives bus.c. Not for anyone else to include.
 *
 * Each backend embeds `struct bus` as its first member, fills in `backend` and answers bus.h's
 * calls with the functions below, whose contracts are those of bus.h. bus.c checks topic, partition
 * and size before calling, and keeps the partition count. */
#ifndef BUS_BACKEND_H
#define BUS_BACKEND_H

#include "bus/bus.h"
#include "bus/examine.h"

struct bus_backend {
    const char *name;
    enum bus_result (*topics)(struct bus *, struct bus_topic_spec *, int count, struct bus_error *);
    enum bus_result (*append)(struct bus *, int topic, int partition, const struct bus_record *,
                              uint64_t);
    void (*follow)(struct bus *, int topic, int partition, int64_t offset);
    void (*unfollow)(struct bus *, int topic, int partition);
    enum bus_result (*join)(struct bus *, const char *group, const int *topics, int topic_count);
    void (*leave)(struct bus *);
    enum bus_result (*end)(struct bus *, int topic, int partition, int64_t *offset);
    int64_t (*end_heard)(struct bus *, int topic, int partition);  /* NULL: it never has */
    struct bus_health (*health)(const struct bus *);               /* NULL: it does not know */
    enum bus_result (*copied)(struct bus *, struct bus_error *);   /* NULL: nothing is to be done */
    void (*examine)(struct bus *, const struct bus_examination *); /* NULL: nothing to look at */
    bool (*poll)(struct bus *, int timeout_ms, struct bus_event *);
    void (*wake)(struct bus *);
    void (*close)(struct bus *);
};

struct bus {
    const struct bus_backend *backend;
    int topic_count;
    int partition_count;
    bool copying;
};

/* Everything behind the scheme: "host:port,host:port" and "PATH". */
enum bus_result kafka_bus_open(struct bus **, const char *address, const struct bus_options *,
                               struct bus_error *);
enum bus_result sqlite_bus_open(struct bus **, const char *path, const struct bus_options *,
                                struct bus_error *);

#endif
