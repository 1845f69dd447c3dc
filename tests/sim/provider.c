/* The payment provider: charges, fails, does not know, is late, says it twice, or nothing. */
#include "tests/sim/world.h"

#include <assert.h>
#include <stdio.h>

static uint64_t dice(struct world *world, uint64_t sides)
{
    return prng_below(&world->prng, sides);
}

static void print(struct text text, char *out, size_t size)
{
    snprintf(out, size, "%.*s", TEXT_PRINT(text));
}

/* One more thing to say; when too much waits already, it is never said. */
static struct errand *add(struct world *world, const struct message *event, int64_t at_ms)
{
    static struct errand nowhere;
    struct provider *provider = &world->provider;
    struct errand *errand = provider->errand_count < WORLD_ERRANDS
                                ? &provider->errands[provider->errand_count++]
                                : &nowhere;
    *errand = (struct errand){.at_ms = at_ms, .amount_minor = event->amount_minor};
    print(event->show_id, errand->show_id, sizeof errand->show_id);
    print(event->reservation_id, errand->reservation_id, sizeof errand->reservation_id);
    snprintf(errand->provider_ref, sizeof errand->provider_ref, "ref-%d", provider->next_ref++);
    return errand;
}

static struct errand *add_result(struct world *world, const struct message *event, int64_t at_ms,
                                 enum result result)
{
    struct errand *errand = add(world, event, at_ms);
    errand->type = MESSAGE_RecordPayment;
    errand->result = result;
    print(event->payment_id, errand->id, sizeof errand->id);
    return errand;
}

static void charge(struct world *world, const struct message *event)
{
    int64_t soon_ms = event->at_ms + (int64_t)dice(world, 20000);
    int64_t late_ms = event->pay_by_ms + (int64_t)dice(world, 200000);
    switch (dice(world, 9)) {
    case 0:
        add_result(world, event, soon_ms, result_failed);
        return;
    case 1:
        add_result(world, event, late_ms, result_succeeded);
        return;
    case 2:
        add_result(world, event, soon_ms, result_unknown);
        return;
    case 3:
        add_result(world, event, soon_ms, result_unknown);
        add_result(world, event, late_ms, (enum result)(1 + dice(world, 2)));
        return;
    case 4: /* captured twice */
        add_result(world, event, soon_ms, result_succeeded);
        add_result(world, event, soon_ms + 500, result_succeeded);
        return;
    case 5:
        add_result(world, event, soon_ms, result_succeeded)->amount_minor += 100;
        return;
    case 6:
        return;
    default:
        add_result(world, event, soon_ms, result_succeeded);
    }
}

static void repay(struct world *world, const struct message *event)
{
    int64_t after_ms = event->manual ? 3600000 : (int64_t)dice(world, 20000);
    uint64_t fate = dice(world, 4);
    if (fate == 0)
        return;
    struct errand *errand = add(world, event, event->at_ms + after_ms);
    errand->type = MESSAGE_RecordRefund;
    errand->repaid = fate == 1 ? repaid_failed : repaid_completed;
    errand->attempt = event->attempt;
    print(event->refund_id, errand->id, sizeof errand->id);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void hear(struct world *world, const struct place *place, const struct bus_record *record)
{
    static struct message event;
    struct arena arena = {0};
    struct codec_error error;
    if (envelope_read(record, place, &arena, &event, &error) == ENVELOPE_OK) {
        if (event.type == MESSAGE_PaymentRequested)
            charge(world, &event);
        else if (event.type == MESSAGE_RefundRequested)
            repay(world, &event);
    }
    arena_release(&arena);
}

static void read_on(struct world *world, int partition)
{
    struct fence *fence = &world->provider.read[partition];
    struct bus_record record;
    struct fence_reading reading;
    for (;;) {
        struct place place = {TOPIC_CHECKOUT_EVENTS, partition,
                              fence->in_doubt ? fence->doubt : fence->next};
        if (!sim_record(world->sim, place.topic, partition, place.offset, &record))
            return;
        enum fence_verdict verdict = fence_read(fence, place.offset, &record, &reading);
        if (verdict == FENCE_LOST)
            return;
        if (verdict == FENCE_ACCEPTED)
            hear(world, &place, &record);
    }
}

/* ---- speaking -------------------------------------------------------------------------------- */

static void say(struct world *world, const struct errand *errand)
{
    struct message message;
    message_init(&message, errand->type);
    message_set(&message, show_id, text_of(errand->show_id));
    message_set(&message, reservation_id, text_of(errand->reservation_id));
    message_set(&message, provider_ref, text_of(errand->provider_ref));
    if (errand->type == MESSAGE_RecordPayment) {
        message_set(&message, payment_id, text_of(errand->id));
        message_set(&message, result, errand->result);
        message_set(&message, amount_minor, errand->amount_minor);
        message_set(&message, currency, text_of("EUR"));
        message_set(&message, provider, text_of("paydesk"));
    } else {
        message_set(&message, refund_id, text_of(errand->id));
        message_set(&message, repaid, errand->repaid);
        message_set(&message, attempt, errand->attempt);
    }
    crowd_publish(world, TOPIC_CHECKOUT_COMMANDS, &message);
}

void provider_open(struct world *world)
{
    for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
        world->provider.read[partition] = fence_start();
}

void provider_act(struct world *world)
{
    struct provider *provider = &world->provider;
    for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
        read_on(world, partition);
    for (int i = 0; i < provider->errand_count; i++)
        if (provider->errands[i].at_ms <= sim_now_ms(world->sim)) {
            say(world, &provider->errands[i]);
            provider->errands[i--] = provider->errands[--provider->errand_count];
        }
}
