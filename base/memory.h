/* memory.h: the allocator of everything that must not be half done.
 *
 * A process that runs out of memory cannot refuse a ticket honestly, nor answer a customer: so
 * these functions never return NULL. They say so and abort, and the process recovers from the log,
 * which has everything that was ever answered. That goes for cores, loop, edge and tools alike.
 *
 * Libraries report instead, and what they report must never be mistaken for an answer:
 *   cJSON         allocates by memory_new, so it never fails for lack of it
 *   OpenSSL       whatever yields a digest is checked; without one, memory_lacks
 *   SQLite        SQLITE_NOMEM is a log that does not answer now: tried again, as with a full disk
 *   libmicrohttpd drops the connection, or answers 503
 *   librdkafka    aborts by itself
 * Any thread. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* `size` zeroed bytes, owned by the caller, to be given back with memory_free. size 0 is allowed.
 */
void *memory_new(size_t size);

/* The block `old` (or NULL) with its contents in `size` bytes; bytes beyond the old size are not
 * set. */
void *memory_grow(void *old, size_t size);

/* The list of `count` pointers with `item` behind them. It grows at powers of two, so nothing else
 * may make it longer. Starts as NULL with count 0. */
void *memory_append(void *list, size_t count, void *item);

/* Ends the process as memory_new does: a library had no memory for `what`. */
void memory_lacks(const char *what) __attribute__((noreturn));

/* Gives a block back. NULL is allowed. */
void memory_free(void *block);

/* The struct of type `type` whose `member` is at `pointer`. */
#define memory_owner(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
