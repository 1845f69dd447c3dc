/* The crowd: asks, asks again, changes its mind, and sometimes talks nonsense. */
#include "tests/sim/world.h"

#include <stdio.h>

static uint64_t dice(struct world *world, uint64_t sides)
{
    return prng_below(&world->prng, sides);
}

/* Into the right partition, or rarely into any; now and then twice. */
void crowd_publish(struct world *world, int topic, struct message *message)
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

/* ---- names ----------------------------------------------------------------------------------- */

struct ids {
    char show[16], reservation[37], payment[37], command[48], ticket[42], nonce[16];
};

/* A reservation belongs to one show; a confused client now and then names the other. A command id
 * comes again now and then, with the same body or another. */
static void open_command(struct world *world, enum message_type type, int reservation,
                         struct message *message, struct ids *ids)
{
    int show = reservation % WORLD_SHOWS;
    message_init(message, type);
    if (prng_chance(&world->prng, 1, 200))
        show = (show + 1) % WORLD_SHOWS;
    message_set(message, show_id, text_of(world_show_id(show, ids->show)));
    snprintf(ids->command, sizeof ids->command, "command-%d", world->next_command++);
    if (prng_chance(&world->prng, 1, 20) && world->next_command > 5)
        snprintf(ids->command, sizeof ids->command, "command-%d",
                 world->next_command - 1 - (int)dice(world, 5));
    if (prng_chance(&world->prng, 1, 100))
        message_set(message, show_id, text_of("no-such-show"));
    message->id = text_of(ids->command);
    if (message_may(type, FIELD_reservation_id))
        message_set(message, reservation_id,
                    text_of(world_reservation_id((uint64_t)reservation, ids->reservation)));
}

static int any_reservation(struct world *world)
{
    return (int)dice(world, (uint64_t)world->next_reservation + 1);
}

static struct text payment_of(struct world *world, int reservation, struct ids *ids)
{
    return text_of(
        world_reservation_id(1000 + (uint64_t)reservation * 5 + dice(world, 5), ids->payment));
}

/* ---- customers ------------------------------------------------------------------------------- */

static struct lines any_lines(struct world *world, int reservation)
{
    static const char *const tiers[] = {"stalls", "circle", "standing"};
    struct lines lines = {1, {{TEXT("standard"), 1 + reservation % 3, 0}}};
    if (reservation % WORLD_SHOWS == 1) {
        lines.count = 1 + (int)dice(world, 2);
        uint64_t first = dice(world, 3);
        for (int i = 0; i < lines.count; i++)
            lines.items[i] = (struct line){text_of(tiers[(first + (uint64_t)i) % 3]),
                                           1 + (int64_t)dice(world, 3), 0};
    }
    if (prng_chance(&world->prng, 1, 30))
        lines.items[0].quantity = 11;
    if (prng_chance(&world->prng, 1, 30))
        lines.items[0].tier_id = text_of("balcony");
    return lines;
}

static void request(struct world *world)
{
    static const char *const parties[] = {"ann", "bob", "cid", "dan", "eve", "flo", "gus"};
    struct message message;
    struct ids ids;
    int number =
        world->next_reservation < world->reservations_max && !prng_chance(&world->prng, 1, 10)
            ? world->next_reservation++
            : any_reservation(world);
    open_command(world, MESSAGE_RequestReservation, number, &message, &ids);
    message_set(&message, wanted, any_lines(world, number));
    message_set(&message, holder, (struct holder){.name = TEXT("Eve")});
    message_set(&message, channel, dice(world, 4) ? channel_web : channel_boxoffice);
    if (dice(world, 20))
        message_set(&message, party, text_of(parties[number % 7]));
    crowd_publish(world, TOPIC_RESERVATIONS_COMMANDS, &message);
}

static void change(struct world *world)
{
    struct message message;
    struct ids ids;
    int number = any_reservation(world);
    switch (dice(world, 4)) {
    case 0:
        open_command(world, MESSAGE_ExtendReservation, number, &message, &ids);
        message_set(&message, until_at_ms,
                    sim_now_ms(world->sim) + (int64_t)dice(world, 300000) - 30000);
        break;
    case 1:
        open_command(world, MESSAGE_UpdateReservation, number, &message, &ids);
        if (dice(world, 5))
            message_set(&message, note, text_of("at the aisle"));
        break;
    default:
        open_command(world, MESSAGE_ChangeReservation, number, &message, &ids);
        message_set(&message, wanted, any_lines(world, number));
    }
    crowd_publish(world, TOPIC_RESERVATIONS_COMMANDS, &message);
}

static void cancel(struct world *world)
{
    struct message message;
    struct ids ids;
    open_command(world, MESSAGE_CancelReservation, any_reservation(world), &message, &ids);
    if (dice(world, 3) == 0) {
        struct numbers tickets = {{0}};
        numbers_add(&tickets, 1 + (int64_t)dice(world, 4));
        if (dice(world, 2) == 0 && !numbers_has(&tickets, 2))
            numbers_add(&tickets, 2);
        message_set(&message, numbers, tickets);
    }
    message_set(&message, by, dice(world, 4) ? by_staff : by_customer);
    message_set(&message, refund, dice(world, 2) ? refund_full : refund_none);
    crowd_publish(world, TOPIC_RESERVATIONS_COMMANDS, &message);
}

static void check_out(struct world *world)
{
    struct message message;
    struct ids ids;
    int number = any_reservation(world);
    open_command(world, MESSAGE_StartCheckout, number, &message, &ids);
    message_set(&message, payment_id, payment_of(world, number, &ids));
    message_set(&message, method,
                dice(world, 2) ? method_external : (enum method)dice(world, method_COUNT));
    message_set(&message, by, dice(world, 10) ? by_staff : by_customer);
    if (message.method == method_external && dice(world, 30))
        message_set(&message, provider, text_of("paydesk"));
    crowd_publish(world, TOPIC_CHECKOUT_COMMANDS, &message);
}

/* ---- the door -------------------------------------------------------------------------------- */

static void visit(struct world *world)
{
    struct message message;
    struct ids ids;
    int number = any_reservation(world);
    bool pass_on = dice(world, 5) == 0;
    open_command(world, pass_on ? MESSAGE_TransferTicket : MESSAGE_CheckInTicket, number, &message,
                 &ids);
    snprintf(ids.ticket, sizeof ids.ticket, "%s-%d",
             world_reservation_id((uint64_t)number, ids.reservation), 1 + (int)dice(world, 3));
    message_set(&message, ticket_id, text_of(ids.ticket));
    message_set(&message, generation, 1 + (int64_t)(dice(world, 5) == 0));
    if (pass_on) {
        message_set(&message, holder, (struct holder){.name = TEXT("Adam")});
    } else {
        snprintf(ids.nonce, sizeof ids.nonce, "n-%d", (int)dice(world, 200));
        message_set(&message, list_id, text_of(dice(world, 3) ? "main" : "balcony"));
        message_set(&message, entry, dice(world, 3) ? entry_in : entry_out);
        message_set(&message, nonce, text_of(ids.nonce));
        message_set(&message, force, dice(world, 10) == 0);
    }
    crowd_publish(world, TOPIC_RESERVATIONS_COMMANDS, &message);
}

/* ---- staff ----------------------------------------------------------------------------------- */

static void manage(struct world *world)
{
    static const enum message_type types[] = {MESSAGE_SetCapacity, MESSAGE_SetBlock,
                                              MESSAGE_OpenSale,    MESSAGE_OpenSale,
                                              MESSAGE_PauseSale,   MESSAGE_UpdateShow};
    struct message message;
    struct ids ids;
    /* A show is cancelled once, late in some evenings. */
    bool last = world->next_reservation > WORLD_RESERVATIONS * 3 / 4 && dice(world, 30) == 0;
    open_command(world, last ? MESSAGE_CancelShow : types[dice(world, 6)],
                 (int)dice(world, WORLD_SHOWS + 1), &message, &ids);
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
    if (message.type == MESSAGE_CancelShow) {
        message_set(&message, why, text_of("the singer is ill"));
        message_set(&message, refund, dice(world, 4) ? refund_full : refund_none);
    }
    crowd_publish(world, TOPIC_SHOWS_COMMANDS, &message);
}

/* A payment that nobody asked for, of anybody, of any amount. */
static void stray_payment(struct world *world)
{
    struct message message;
    struct ids ids;
    int number = any_reservation(world);
    open_command(world, MESSAGE_RecordPayment, number, &message, &ids);
    message_set(&message, payment_id,
                payment_of(world, dice(world, 4) ? number : any_reservation(world), &ids));
    message_set(&message, result, (enum result)dice(world, result_COUNT));
    message_set(&message, amount_minor, 1500 * (int64_t)dice(world, 5));
    message_set(&message, currency, text_of(dice(world, 10) ? "EUR" : "USD"));
    message_set(&message, provider, text_of("paydesk"));
    snprintf(ids.nonce, sizeof ids.nonce, "stray-%d", (int)dice(world, 50));
    message_set(&message, provider_ref, text_of(ids.nonce));
    crowd_publish(world, TOPIC_CHECKOUT_COMMANDS, &message);
}

void crowd_act(struct world *world)
{
    uint64_t what = dice(world, 100);
    if (what < 35)
        request(world);
    else if (what < 55)
        check_out(world);
    else if (what < 63)
        change(world);
    else if (what < 73)
        cancel(world);
    else if (what < 82)
        visit(world);
    else if (what < 93)
        manage(world);
    else if (what < 96)
        stray_payment(world);
    else
        publish_garbage(world);
}

void crowd_open(struct world *world)
{
    for (int show = 0; show < WORLD_SHOWS; show++) {
        struct message message;
        struct ids ids;
        open_command(world, MESSAGE_CreateShow, show, &message, &ids);
        message_set(&message, show_id, text_of(world_show_id(show, ids.show)));
        message_set(&message, name, text_of("The Tempest"));
        message_set(&message, starts_at_ms, WORLD_START_MS + INT64_C(30) * 86400000);
        message_set(&message, capacity, show == 0 ? 12 : 40);
        message_set(&message, currency, text_of("EUR"));
        message_set(&message, hold_ttl_s, 60);
        message_set(&message, pay_window_s, 60);
        struct tiers free_of_charge = {1, {{TEXT("standard"), TEXT("Standard"), 0, -1}}};
        struct tiers priced = {3,
                               {{TEXT("stalls"), TEXT("Stalls"), 1500, 12},
                                {TEXT("circle"), TEXT("Circle"), 3000, 20},
                                {TEXT("standing"), TEXT("Standing"), 1500, -1}}};
        message_set(&message, tiers, show == 0 ? free_of_charge : priced);
        message_set(&message, customer_cancel_until_ms, WORLD_START_MS + 300000);
        if (show == 1) {
            message_set(&message, max_per_person, 6 + (int64_t)dice(world, 10));
            message_set(&message, on_sale_at_ms, WORLD_START_MS + 5000);
            message_set(&message, off_sale_at_ms,
                        WORLD_START_MS + 200000 + (int64_t)dice(world, 400000));
        }
        crowd_publish(world, TOPIC_SHOWS_COMMANDS, &message);
    }
}
