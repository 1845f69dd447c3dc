/* The crowd: asks, asks again, changes its mind, and sometimes talks nonsense. */
#include "tests/sim/world.h"

#include <stdio.h>

enum { RECENT = 60, EARLY = 8 };

/* Into the right partition, or rarely into any; now and then twice. */
void crowd_publish(struct world *world, int topic, struct message *message)
{
    int partition = topic_partition_of(message->show_id, WORLD_PARTITIONS);
    int times = world_strikes(world, POINT_repeated_command, 1, 10) ? 2 : 1;
    if (world_strikes(world, POINT_misrouted, 1, 150))
        partition = WORLD_PARTITIONS - 1 - partition;
    envelope_open(&world->envelope, message, message_speaker(message->type));
    const struct bus_record *record = envelope_close(&world->envelope);
    for (int i = 0; i < times; i++)
        bus_append(world->crowd_bus, topic, partition, record, 0);
    world->tally->commands++;
}

/* Word for word what was said long ago: a retry that comes late, a topic read twice. */
static void repeat_later(struct world *world)
{
    static const int topics[] = {TOPIC_SHOWS_COMMANDS, TOPIC_RESERVATIONS_COMMANDS,
                                 TOPIC_CHECKOUT_COMMANDS};
    int topic = topics[world_dice(world, 3)], partition = (int)world_dice(world, WORLD_PARTITIONS);
    int64_t end = sim_end(world->sim, topic, partition);
    struct bus_record record;
    if (end && sim_record(world->sim, topic, partition, (int64_t)world_dice(world, (uint64_t)end),
                          &record))
        bus_append(world->crowd_bus, topic, partition, &record, 0);
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
    int show = reservation % world->workload->shows;
    message_init(message, type);
    if (prng_chance(&world->prng, 1, 200))
        show = (show + 1) % world->workload->shows;
    message_set(message, show_id, text_of(world_show_id(show, ids->show)));
    snprintf(ids->command, sizeof ids->command, "command-%d", world->next_command++);
    if (world->next_command > 5 && world_strikes(world, POINT_same_id_other_body, 1, 20))
        snprintf(ids->command, sizeof ids->command, "command-%d",
                 world->next_command - 1 - (int)world_dice(world, 5));
    if (prng_chance(&world->prng, 1, 100))
        message_set(message, show_id, text_of("no-such-show"));
    message->id = text_of(ids->command);
    if (message_may(type, FIELD_reservation_id))
        message_set(message, reservation_id,
                    text_of(world_reservation_id((uint64_t)reservation, ids->reservation)));
}

/* Mostly a recent one: in a long evening little happens to the others. */
static int any_reservation(struct world *world)
{
    uint64_t count = (uint64_t)world->next_reservation + 1;
    uint64_t recent = count > RECENT && world_dice(world, 4) ? RECENT : count;
    return (int)(count - 1 - world_dice(world, recent));
}

/* One of the first, who have their tickets long since: now and then the same door again. */
static int early_bird(struct world *world)
{
    return world_dice(world, 3) ? (int)world_dice(world, EARLY) : any_reservation(world);
}

/* Odd shows have three tiers with prices. */
bool crowd_is_priced(const struct world *world, int show)
{
    return world->workload->priced || show % 2 == 1;
}

static struct tiers tiers_of(const struct world *world, int64_t dearer_by)
{
    int64_t capacity = world->workload->capacity;
    return (struct tiers){3,
                          {{TEXT("stalls"), TEXT("Stalls"), 1500 + dearer_by, capacity},
                           {TEXT("circle"), TEXT("Circle"), 3000 + dearer_by, capacity * 5 / 3},
                           {TEXT("standing"), TEXT("Standing"), 1500, -1}}};
}

static struct text payment_of(struct world *world, int reservation, struct ids *ids)
{
    return text_of(world_reservation_id(1000 + (uint64_t)reservation * 5 + world_dice(world, 5),
                                        ids->payment));
}

/* ---- customers ------------------------------------------------------------------------------- */

static struct lines any_lines(struct world *world, int reservation)
{
    static const char *const tiers[] = {"stalls", "circle", "standing"};
    struct lines lines = {1, {{TEXT("standard"), 1 + reservation % 3, 0}}};
    if (world->workload->capacity == 1)
        lines.items[0].quantity = 1;
    if (crowd_is_priced(world, reservation % world->workload->shows)) {
        lines.count = 1 + (int)world_dice(world, 2);
        uint64_t first = world_dice(world, 3);
        for (int i = 0; i < lines.count; i++)
            lines.items[i] = (struct line){text_of(tiers[(first + (uint64_t)i) % 3]),
                                           1 + (int64_t)world_dice(world, 3), 0};
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
    message_set(&message, channel, world_dice(world, 4) ? channel_web : channel_boxoffice);
    if (world_dice(world, 20))
        message_set(&message, party, text_of(parties[number % 7]));
    crowd_publish(world, TOPIC_RESERVATIONS_COMMANDS, &message);
}

static void change(struct world *world)
{
    struct message message;
    struct ids ids;
    int number = any_reservation(world);
    switch (world_dice(world, 4)) {
    case 0:
        open_command(world, MESSAGE_ExtendReservation, number, &message, &ids);
        message_set(&message, until_at_ms,
                    sim_now_ms(world->sim) + (int64_t)world_dice(world, 300000) - 30000);
        break;
    case 1:
        open_command(world, MESSAGE_UpdateReservation, number, &message, &ids);
        if (world_dice(world, 5))
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
    int number = world_dice(world, 4) ? any_reservation(world) : early_bird(world);
    open_command(world, MESSAGE_CancelReservation, number, &message, &ids);
    if (world_dice(world, 3) == 0) {
        struct numbers tickets = {{0}};
        numbers_add(&tickets, 1 + (int64_t)world_dice(world, 4));
        if (world_dice(world, 2) == 0 && !numbers_has(&tickets, 2))
            numbers_add(&tickets, 2);
        message_set(&message, numbers, tickets);
    }
    message_set(&message, by, world_dice(world, 4) ? by_staff : by_customer);
    message_set(&message, refund, world_dice(world, 2) ? refund_full : refund_none);
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
                world_dice(world, 2) ? method_external
                                     : (enum method)world_dice(world, method_COUNT));
    message_set(&message, by, world_dice(world, 10) ? by_staff : by_customer);
    if (message.method == method_external && world_dice(world, 30))
        message_set(&message, provider, text_of("paydesk"));
    crowd_publish(world, TOPIC_CHECKOUT_COMMANDS, &message);
}

/* ---- the door -------------------------------------------------------------------------------- */

static void visit(struct world *world)
{
    struct message message;
    struct ids ids;
    int number = early_bird(world);
    bool pass_on = world_dice(world, 5) == 0;
    open_command(world, pass_on ? MESSAGE_TransferTicket : MESSAGE_CheckInTicket, number, &message,
                 &ids);
    snprintf(ids.ticket, sizeof ids.ticket, "%s-%d",
             world_reservation_id((uint64_t)number, ids.reservation),
             1 + (int)world_dice(world, 3));
    message_set(&message, ticket_id, text_of(ids.ticket));
    message_set(&message, generation, 1 + (int64_t)(world_dice(world, 5) == 0));
    if (pass_on) {
        message_set(&message, holder, (struct holder){.name = TEXT("Adam")});
    } else {
        snprintf(ids.nonce, sizeof ids.nonce, "n-%d", (int)world_dice(world, 6));
        message_set(&message, list_id, text_of(world_dice(world, 3) ? "main" : "balcony"));
        message_set(&message, entry, world_dice(world, 3) ? entry_in : entry_out);
        message_set(&message, nonce, text_of(ids.nonce));
        message_set(&message, force, world_dice(world, 10) == 0);
    }
    crowd_publish(world, TOPIC_RESERVATIONS_COMMANDS, &message);
}

/* ---- staff ----------------------------------------------------------------------------------- */

static bool is_late(const struct world *world)
{
    return world->next_reservation > world->workload->reservations * 3 / 4;
}

static void manage(struct world *world)
{
    static const enum message_type types[] = {MESSAGE_SetCapacity, MESSAGE_SetBlock,
                                              MESSAGE_OpenSale,    MESSAGE_OpenSale,
                                              MESSAGE_PauseSale,   MESSAGE_UpdateShow};
    /* Who asked for so many seats before there were two tiers may ask once more. */
    static const struct tiers with_a_gallery = {
        2,
        {{TEXT("standard"), TEXT("Standard"), 0, -1}, {TEXT("gallery"), TEXT("Gallery"), 0, -1}}};
    struct message message;
    struct ids ids;
    /* A show is cancelled once, late in some evenings. */
    bool last = is_late(world) && world_dice(world, 30) == 0;
    int which = (int)world_dice(world, (uint64_t)world->workload->shows + 1);
    open_command(world, last ? MESSAGE_CancelShow : types[world_dice(world, 6)], which, &message,
                 &ids);
    if (message.type == MESSAGE_SetCapacity) {
        message_set(&message, capacity,
                    (int64_t)world_dice(world, (uint64_t)world->workload->capacity * 5 / 2 + 1));
        message_set(&message, force, world_dice(world, 4) == 0);
        world_count(world, POINT_capacity_mid_sale);
    }
    if (message.type == MESSAGE_SetBlock) {
        message_set(&message, block_id, text_of("house"));
        message_set(&message, block_quantity, (int64_t)world_dice(world, 6));
    }
    if (message.type == MESSAGE_UpdateShow)
        message_set(&message, max_per_order, 5 + (int64_t)world_dice(world, 5));
    if (message.type == MESSAGE_UpdateShow &&
        crowd_is_priced(world, which % world->workload->shows))
        message_set(&message, tiers, tiers_of(world, 100 * (int64_t)world_dice(world, 3)));
    else if (message.type == MESSAGE_UpdateShow && is_late(world) && world_dice(world, 3) == 0)
        message_set(&message, tiers, with_a_gallery);
    if (message.type == MESSAGE_CancelShow) {
        message_set(&message, why, text_of("the singer is ill"));
        message_set(&message, refund, world_dice(world, 4) ? refund_full : refund_none);
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
                payment_of(world, world_dice(world, 4) ? number : any_reservation(world), &ids));
    message_set(&message, result, (enum result)world_dice(world, result_COUNT));
    message_set(&message, amount_minor, 1500 * (int64_t)world_dice(world, 5));
    message_set(&message, currency, text_of(world_dice(world, 10) ? "EUR" : "USD"));
    message_set(&message, provider, text_of("paydesk"));
    snprintf(ids.nonce, sizeof ids.nonce, "stray-%d", (int)world_dice(world, 50));
    message_set(&message, provider_ref, text_of(ids.nonce));
    crowd_publish(world, TOPIC_CHECKOUT_COMMANDS, &message);
}

/* In the order of the points, which is that of the workload's weights. */
static void (*const acts[ACTS])(struct world *) = {
    request, check_out, change, cancel, visit, manage, stray_payment, garbage_publish};

void crowd_act(struct world *world)
{
    uint64_t lot = world_dice(world, 100), sum = 0;
    int act = 0;
    while (act < ACTS - 1 && (sum += (uint64_t)world->workload->weights[act]) <= lot)
        act++;
    if (world->plan->without[POINT_act_request + act])
        return;
    world_count(world, (enum point)(POINT_act_request + act));
    acts[act](world);
    if (world_strikes(world, POINT_repeated_later, 1, 25))
        repeat_later(world);
}

static void open_show(struct world *world, int show)
{
    static const struct tiers free_of_charge = {1, {{TEXT("standard"), TEXT("Standard"), 0, -1}}};
    int64_t capacity = world->workload->capacity;
    bool priced = crowd_is_priced(world, show);
    struct message message;
    struct ids ids;
    open_command(world, MESSAGE_CreateShow, show, &message, &ids);
    message_set(&message, show_id, text_of(world_show_id(show, ids.show)));
    message_set(&message, name, text_of("The Tempest"));
    message_set(&message, starts_at_ms, WORLD_START_MS + INT64_C(30) * 86400000);
    message_set(&message, capacity, priced && show % 2 ? capacity * 7 / 2 : capacity);
    message_set(&message, currency, text_of("EUR"));
    message_set(&message, hold_ttl_s, 60);
    message_set(&message, pay_window_s, 60);
    message_set(&message, tiers, priced ? tiers_of(world, 0) : free_of_charge);
    message_set(&message, customer_cancel_until_ms, WORLD_START_MS + 300000);
    if (priced) {
        message_set(&message, max_per_person, 6 + (int64_t)world_dice(world, 10));
        message_set(&message, on_sale_at_ms, WORLD_START_MS + 5000);
        message_set(&message, off_sale_at_ms,
                    WORLD_START_MS + 200000 + (int64_t)world_dice(world, 400000));
    }
    crowd_publish(world, TOPIC_SHOWS_COMMANDS, &message);
}

void crowd_open(struct world *world)
{
    for (int show = 0; show < world->workload->shows; show++)
        open_show(world, show);
}
