/* map.h: from a text to a pointer, by hash.
 *
 * The map keeps the key it is given, not a copy: let the key live inside the value. There is no way
 * to walk a map, because its order would differ from run to run and decisions must not; keep a list
 * beside it. One thread. Aborts without memory. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/text.h"

struct map_slot {
    uint64_t hash;
    struct text key;
    void *value; /* NULL: free */
};

/* S_init is {0}. */
struct map {
    struct map_slot *slots;
    size_t capacity; /* a power of two */
    size_t count;
};

void map_release(struct map *map); /* the values are the caller's */

void *map_find(const struct map *map, struct text key); /* NULL: not there */

/* Adds a key that is not there yet; keeps `key.data`. `value` is not NULL. */
void map_insert_take(struct map *map, struct text key, void *value);

/* Takes the key out and returns its value, or NULL. */
void *map_remove(struct map *map, struct text key);

#endif
