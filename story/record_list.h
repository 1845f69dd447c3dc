/* record_list.h: records kept from a reading of the log, in the order in which they were said.
 *
 * Partitions are read one by one, so what is kept is sorted by append time before it is told.
 * Within one millisecond the order of reading counts, which within a partition is that of the log.
 * Pure but for memory; one thread. */
#ifndef STORY_RECORD_LIST_H
#define STORY_RECORD_LIST_H

#include "bus/follower.h"

struct kept {
    struct place place;
    enum follower_news news;
    enum message_type type; /* MESSAGE_NONE: it could not be told */
    int64_t append_ms;
    uint64_t seq;             /* order of reading */
    struct bus_record record; /* bytes of its own */
    struct text why;          /* VOID, STRANGE: as the follower says it; may be empty */
};

/* S_init is {0}. */
struct record_list {
    struct kept **items;
    size_t count;
};

/* Keeps a copy; it stays where it is until the release. */
struct kept *record_list_add(struct record_list *list, enum follower_news news,
                             const struct follower_item *item);
void record_list_sort(struct record_list *list);
void record_list_release(struct record_list *list);

/* Reads the message of a kept record again, texts in `arena`. Of a command that could not be read
 * what was good of it; its type may be MESSAGE_NONE. */
void kept_message(const struct kept *kept, struct arena *arena, struct message *message);

#endif
