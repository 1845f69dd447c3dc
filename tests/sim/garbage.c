/* Nonsense, of every kind that can come. */
#include "tests/sim/world.h"

#include <string.h>

enum { HUGE_SIZE = 60000 };

struct garbage {
    enum point point;
    const char *type; /* NULL: no ce_type */
    const char *value;
    const char *stamp; /* NULL: none */
};

static const struct garbage kinds[] = {
    {POINT_garbage_bytes, "stagedoor.shows.OpenSale", "\xff\xfe not json", NULL},
    {POINT_garbage_bytes, NULL, "not json", NULL},
    {POINT_garbage_empty, NULL, "", NULL},
    {POINT_garbage_empty, "stagedoor.reservations.RequestReservation", "", NULL},
    {POINT_garbage_huge, "stagedoor.shows.OpenSale", NULL, NULL},
    {POINT_garbage_wrong_shape, "stagedoor.shows.OpenSale", "{\"show_id\":7}", NULL},
    {POINT_garbage_wrong_shape, "stagedoor.checkout.RecordPayment", "[1,2,3]", NULL},
    {POINT_garbage_wrong_shape, "stagedoor.shows.SeatsHeld", "{}", NULL},
    {POINT_garbage_unknown_type, "stagedoor.checkout.Nonsense", "{\"show_id\":\"show-0\"}", NULL},
    {POINT_garbage_unknown_type, "com.example.Hello", "{}", NULL},
    {POINT_garbage_newer_version, "stagedoor.shows.OpenSale.v2", "{\"show_id\":\"show-0\"}", NULL},
    {POINT_forged_stamp, "stagedoor.shows.SeatsHeld", "{}", "0-0000000000000000.1"},
    {POINT_forged_stamp, "stagedoor.shows.SeatsSold", "{}", "1-00000000000000ff.1"},
    {POINT_forged_stamp, "stagedoor.shows.SeatsSold", "{}", "999999-00000000000000ff.1"},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static struct text huge(void)
{
    static char bytes[HUGE_SIZE];
    memset(bytes, ' ', sizeof bytes);
    bytes[0] = '{';
    bytes[sizeof bytes - 1] = '}';
    return (struct text){bytes, sizeof bytes};
}

void garbage_publish(struct world *world)
{
    const struct garbage *kind = &kinds[world_dice(world, KIND_COUNT)];
    struct bus_header headers[2];
    struct bus_record record = {.value = kind->value ? text_of(kind->value) : huge(),
                                .headers = headers};
    if (world->plan->without[kind->point])
        return;
    if (kind->type)
        headers[record.header_count++] = (struct bus_header){TEXT("ce_type"), text_of(kind->type)};
    if (kind->stamp)
        headers[record.header_count++] =
            (struct bus_header){TEXT("sd_stamp"), text_of(kind->stamp)};
    bus_append(world->crowd_bus, (int)world_dice(world, TOPIC_COUNT),
               (int)world_dice(world, WORLD_PARTITIONS), &record, 0);
    world_count(world, kind->point);
}
