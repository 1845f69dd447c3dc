/* The crowd: asks, asks again, changes its mind, and sometimes talks nonsense. */
#include "tests/sim/world.h"

#include <stdio.h>

static uint64_t dice(struct world *world, uint64_t sides)
{
    return prng_below(&world->prng, sides);
}

/* Into the right partition, or rarely into any; now and then twice. */
static void publish(struct world *world, int topic, struct message *message)
{
    int partition = topic_partition_of(message->show_id, WORLD_PARTITIONS);
    int times = prng_chance(&world->prng, 1, 10) ? 2 : 1;
    if (prng_chance(&world->prng, 1, 100))
        partition = (int)dice(world, WORLD_PARTITIONS);
    envelope_open(&world->envelope, message, message_speaker(message->type));
    const struct bus_record *record = envelope_close(&world->envelope);
    for (int i = 0; i < times; i++)
        bus_append(world->crowd_bus, topic, partition, record, 0);
    world->tally->commands++;
}

static void publish_garbage(struct world *world)
{
    static const struct bus_header headers[] = {
        {TEXT("ce_type"), TEXT("stagedoor.shows.SeatsHeld")},
        {TEXT("ce_type"), TEXT("stagedoor.checkout.Nonsense")},
        {TEXT("ce_type"), TEXT("stagedoor.shows.OpenSale")},
        {TEXT("sd_stamp"), TEXT("0-0000000000000000.1")}};
    static const struct text values[] = {TEXT("{}"), TEXT("not json"), TEXT(""),
                                         TEXT("{\"show_id\":7}")};
    struct bus_record record = {.value = values[dice(world, 4)],
                                .headers = &headers[dice(world, 3)],
                                .header_count = (int)dice(world, 3)};
    if (record.headers + record.header_count > headers + 4)
        record.header_count = 1;
    bus_append(world->crowd_bus, (int)dice(world, TOPIC_COUNT), (int)dice(world, WORLD_PARTITIONS),
               &record, 0);
}

struct ids {
    char show[16], reservation[37], payment[37], command[48];
};

static void name(struct world *world, struct message *message, struct ids *ids, int reservation)
{
    /* A reservation belongs to one show; a confused client now and then names the other. */
    int show = reservation % WORLD_SHOWS;
    if (prng_chance(&world->prng, 1, 200))
        show = (show + 1) % WORLD_SHOWS;
    message_set(message, show_id, text_of(world_show_id(show, ids->show)));
    snprintf(ids->command, sizeof ids->command, "command-%d", world->next_command++);
    if (prng_chance(&world->prng, 1, 20) && world->next_command > 5)
        snprintf(ids->command, sizeof ids->command, "command-%d",
                 world->next_command - 1 - (int)dice(world, 5));
    message->id = text_of(ids->command);
}

static void request(struct world *world)
{
    struct message message;
    struct ids ids;
    int number = world->next_reservation < WORLD_RESERVATIONS && !prng_chance(&world->prng, 1, 10)
                     ? world->next_reservation++
                     : (int)dice(world, (uint64_t)world->next_reservation + 1);
    message_init(&message, MESSAGE_RequestReservation);
    name(world, &message, &ids, number);
    message_set(&message, reservation_id,
                text_of(world_reservation_id((uint64_t)number, ids.reservation)));
    struct lines lines = {1, {{TEXT("standard"), 1 + number % 3, 0}}};
    if (prng_chance(&world->prng, 1, 30))
        lines.items[0].quantity = 11;
    if (prng_chance(&world->prng, 1, 30))
        lines.items[0].tier_id = text_of("balcony");
    message_set(&message, wanted, lines);
    message_set(&message, holder, (struct holder){.name = TEXT("Eve")});
    message_set(&message, channel, channel_web);
    publish(world, TOPIC_RESERVATIONS_COMMANDS, &message);
}

static void cancel(struct world *world)
{
    struct message message;
    struct ids ids;
    int number = (int)dice(world, (uint64_t)world->next_reservation + 1);
    message_init(&message, MESSAGE_CancelReservation);
    name(world, &message, &ids, number);
    message_set(&message, reservation_id,
                text_of(world_reservation_id((uint64_t)number, ids.reservation)));
    message_set(&message, by, by_staff);
    message_set(&message, refund, dice(world, 2) ? refund_full : refund_none);
    publish(world, TOPIC_RESERVATIONS_COMMANDS, &message);
}

static void check_out(struct world *world)
{
    struct message message;
    struct ids ids;
    int number = (int)dice(world, (uint64_t)world->next_reservation + 1);
    message_init(&message, MESSAGE_StartCheckout);
    name(world, &message, &ids, number);
    message_set(&message, reservation_id,
                text_of(world_reservation_id((uint64_t)number, ids.reservation)));
    message_set(
        &message, payment_id,
        text_of(world_reservation_id(1000 + (uint64_t)number * 5 + dice(world, 5), ids.payment)));
    message_set(&message, method, (enum method)dice(world, method_COUNT));
    message_set(&message, by, dice(world, 10) ? by_staff : by_customer);
    publish(world, TOPIC_CHECKOUT_COMMANDS, &message);
}

static void manage(struct world *world)
{
    static const enum message_type types[] = {MESSAGE_SetCapacity, MESSAGE_SetBlock,
                                              MESSAGE_OpenSale,    MESSAGE_OpenSale,
                                              MESSAGE_PauseSale,   MESSAGE_UpdateShow};
    struct message message;
    struct ids ids;
    message_init(&message, types[dice(world, 6)]);
    name(world, &message, &ids, (int)dice(world, WORLD_SHOWS + 1));
    if (prng_chance(&world->prng, 1, 50))
        message_set(&message, show_id, text_of("no-such-show"));
    if (message.type == MESSAGE_SetCapacity) {
        message_set(&message, capacity, (int64_t)dice(world, 30));
        message_set(&message, force, dice(world, 4) == 0);
    }
    if (message.type == MESSAGE_SetBlock) {
        message_set(&message, block_id, text_of("house"));
        message_set(&message, block_quantity, (int64_t)dice(world, 6));
    }
    if (message.type == MESSAGE_UpdateShow)
        message_set(&message, max_per_order, 5 + (int64_t)dice(world, 5));
    publish(world, TOPIC_SHOWS_COMMANDS, &message);
}

void crowd_act(struct world *world)
{
    uint64_t what = dice(world, 100);
    if (what < 45)
        request(world);
    else if (what < 70)
        check_out(world);
    else if (what < 85)
        cancel(world);
    else if (what < 95)
        manage(world);
    else
        publish_garbage(world);
}

void crowd_open(struct world *world)
{
    for (int show = 0; show < WORLD_SHOWS; show++) {
        struct message message;
        struct ids ids;
        message_init(&message, MESSAGE_CreateShow);
        name(world, &message, &ids, show);
        message_set(&message, show_id, text_of(world_show_id(show, ids.show)));
        message_set(&message, name, text_of("The Tempest"));
        message_set(&message, starts_at_ms, WORLD_START_MS + INT64_C(30) * 86400000);
        message_set(&message, capacity, show == 0 ? 12 : 40);
        message_set(&message, currency, text_of("EUR"));
        message_set(&message, hold_ttl_s, 60);
        message_set(&message, pay_window_s, 60);
        struct tier tier = {TEXT("standard"), TEXT("Standard"), show == 0 ? 0 : 1500, -1};
        message_set(&message, tiers, (struct tiers){1, {tier}});
        publish(world, TOPIC_SHOWS_COMMANDS, &message);
    }
}
