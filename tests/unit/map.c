/* The map against the simplest thing that is surely right: a list that is searched from the front.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/map.h"
#include "base/prng.h"

#include <stdio.h>
#include <string.h>

enum { KEYS = 700, STEPS = 60000 };

struct seat {
    char name[16];
    bool in;
};

static struct text key_of(const struct seat *seat)
{
    return text_of(seat->name);
}

static void name_seats(struct seat seats[KEYS])
{
    for (int i = 0; i < KEYS; i++) {
        snprintf(seats[i].name, sizeof seats[i].name, "row-%d", i);
        seats[i].in = false;
    }
}

static void check_all(const struct map *map, struct seat seats[KEYS], size_t count)
{
    assert_int_equal(map->count, count);
    for (int i = 0; i < KEYS; i++)
        assert_ptr_equal(map_find(map, key_of(&seats[i])), seats[i].in ? &seats[i] : NULL);
}

/* `in_100`: how often of a hundred a step adds rather than takes away. */
static size_t walk(struct map *map, struct seat seats[KEYS], struct prng *prng, size_t count,
                   uint64_t in_100)
{
    for (int step = 0; step < STEPS; step++) {
        struct seat *seat = &seats[prng_below(prng, KEYS)];
        if (prng_chance(prng, in_100, 100)) {
            if (!seat->in) {
                map_insert_take(map, key_of(seat), seat);
                seat->in = true;
                count++;
            }
        } else {
            assert_ptr_equal(map_remove(map, key_of(seat)), seat->in ? seat : NULL);
            count -= seat->in;
            seat->in = false;
        }
        assert_ptr_equal(map_find(map, key_of(seat)), seat->in ? seat : NULL);
        if (step % 500 == 0)
            check_all(map, seats, count);
    }
    check_all(map, seats, count);
    return count;
}

static void map__agrees_with_a_list(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct seat seats[KEYS];
        struct prng prng = {seed};
        struct map map = {0};
        name_seats(seats);
        size_t count = walk(&map, seats, &prng, 0, 80); /* fills up, through every doubling */
        count = walk(&map, seats, &prng, count, 50);
        count = walk(&map, seats, &prng, count, 20); /* thins out: removal closes its holes */
        assert_true(count > 0);
        for (int i = 0; i < KEYS; i++)
            map_remove(&map, key_of(&seats[i]));
        assert_int_equal(map.count, 0);
        map_release(&map);
    }
}

static void map__empty_finds_nothing(void **state)
{
    struct map map = {0};
    (void)state;
    assert_null(map_find(&map, text_of("row-1")));
    assert_null(map_remove(&map, text_of("row-1")));
    map_release(&map);
    assert_null(map_find(&map, text_of("row-1")));
}

static void map__takes_keys_of_any_bytes(void **state)
{
    static const struct text keys[] = {TEXT(""),     TEXT("\0"),   TEXT("\0\0"),
                                       TEXT("a\0b"), TEXT("a\0c"), TEXT("\xff")};
    enum { COUNT = sizeof keys / sizeof *keys };
    int values[COUNT];
    struct map map = {0};
    (void)state;
    for (int i = 0; i < COUNT; i++)
        map_insert_take(&map, keys[i], &values[i]);
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(map_find(&map, keys[i]), &values[i]);
    assert_null(map_find(&map, text_of("a")));
    assert_ptr_equal(map_remove(&map, keys[0]), &values[0]);
    assert_null(map_find(&map, keys[0]));
    assert_ptr_equal(map_find(&map, keys[1]), &values[1]);
    map_release(&map);
}

static void map__keeps_the_key_where_it_lives(void **state)
{
    struct seat seat = {"row-1", false};
    struct map map = {0};
    (void)state;
    map_insert_take(&map, key_of(&seat), &seat);
    assert_ptr_equal(map_find(&map, text_of("row-1")), &seat);
    bool found = false;
    for (size_t i = 0; i < map.capacity; i++)
        found = found || map.slots[i].key.data == seat.name;
    assert_true(found);
    map_release(&map);
}

/* Never above three quarters full: a search always meets a free slot. */
static void map__stays_sparse_enough_to_find_free_slots(void **state)
{
    struct seat seats[KEYS];
    struct map map = {0};
    (void)state;
    name_seats(seats);
    for (int i = 0; i < KEYS; i++) {
        map_insert_take(&map, key_of(&seats[i]), &seats[i]);
        assert_true(map.count * 4 <= map.capacity * 3);
        assert_int_equal(map.capacity & (map.capacity - 1), 0);
    }
    map_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map__agrees_with_a_list),
        cmocka_unit_test(map__empty_finds_nothing),
        cmocka_unit_test(map__takes_keys_of_any_bytes),
        cmocka_unit_test(map__keeps_the_key_where_it_lives),
        cmocka_unit_test(map__stays_sparse_enough_to_find_free_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
