/* Open addressing with linear probing; removal shifts back, so there are no tombstones to pile up.
 */
#include "base/map.h"

#include "base/memory.h"

#include <assert.h>

static size_t slot_of(const struct map *map, struct text key, uint64_t hash)
{
    size_t at = hash & (map->capacity - 1);
    while (map->slots[at].value &&
           (map->slots[at].hash != hash || !text_equal(map->slots[at].key, key)))
        at = (at + 1) & (map->capacity - 1);
    return at;
}

void map_release(struct map *map)
{
    memory_free(map->slots);
    *map = (struct map){0};
}

void *map_find(const struct map *map, struct text key)
{
    if (map->count == 0)
        return NULL;
    return map->slots[slot_of(map, key, text_hash(key))].value;
}

static void map_double(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : 16;
    map->slots = memory_new(map->capacity * sizeof *map->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].value)
            map->slots[slot_of(map, old.slots[i].key, old.slots[i].hash)] = old.slots[i];
    memory_free(old.slots);
}

void map_insert_take(struct map *map, struct text key, void *value)
{
    assert(value != NULL);
    if (map->count * 4 >= map->capacity * 3)
        map_double(map);
    uint64_t hash = text_hash(key);
    size_t at = slot_of(map, key, hash);
    assert(map->slots[at].value == NULL);
    map->slots[at] = (struct map_slot){hash, key, value};
    map->count++;
}

void *map_remove(struct map *map, struct text key)
{
    if (map->count == 0)
        return NULL;
    size_t mask = map->capacity - 1;
    size_t hole = slot_of(map, key, text_hash(key));
    void *value = map->slots[hole].value;
    if (value == NULL)
        return NULL;
    for (size_t at = (hole + 1) & mask; map->slots[at].value; at = (at + 1) & mask) {
        size_t home = map->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue; /* it lies between its home and itself: the hole is not on its way */
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole] = (struct map_slot){0};
    map->count--;
    return value;
}
