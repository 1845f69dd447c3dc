/* The payment provider: charges, fails, does not know, is late, says it twice, or nothing. */
#include "tests/sim/world.h"

#include <assert.h>
#include <stdio.h>

#define LONG_AFTER_MS (INT64_C(62) * 24 * 3600 * 1000)

static void print(struct text text, char *out, size_t size)
{
    snprintf(out, size, "%.*s", TEXT_PRINT(text));
}

/* One more thing to say; when too much waits already, it is never said. */
static struct notice *add(struct world *world, const struct message *event, int64_t at_ms)
{
    static struct notice nowhere;
    struct provider *provider = &world->provider;
    struct notice *notice = provider->notice_count < WORLD_NOTICES
                                ? &provider->notices[provider->notice_count++]
                                : &nowhere;
    *notice = (struct notice){.at_ms = at_ms, .amount_minor = event->amount_minor};
    print(event->show_id, notice->show_id, sizeof notice->show_id);
    print(event->reservation_id, notice->reservation_id, sizeof notice->reservation_id);
    snprintf(notice->provider_ref, sizeof notice->provider_ref, "ref-%d", provider->next_ref++);
    return notice;
}

static struct notice *add_result(struct world *world, const struct message *event, int64_t at_ms,
                                 enum result result)
{
    struct notice *notice = add(world, event, at_ms);
    notice->type = MESSAGE_RecordPayment;
    notice->result = result;
    print(event->payment_id, notice->id, sizeof notice->id);
    return notice;
}

static void charge(struct world *world, const struct message *event)
{
    int64_t soon_ms = event->at_ms + (int64_t)world_dice(world, 20000);
    int64_t late_ms = event->pay_by_ms + (int64_t)world_dice(world, 200000);
    switch (world_dice(world, 9)) {
    case 0:
        add_result(world, event, soon_ms, result_failed);
        return;
    case 1:
        world_count(world, POINT_callback_late);
        add_result(world, event, late_ms, result_succeeded);
        return;
    case 2:
        add_result(world, event, soon_ms, result_unknown);
        return;
    case 3:
        add_result(world, event, soon_ms, result_unknown);
        add_result(world, event, late_ms, (enum result)(1 + world_dice(world, 2)));
        return;
    case 4: /* captured twice */
        world_count(world, POINT_callback_twice);
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
    int64_t after_ms = event->manual ? 3600000 : (int64_t)world_dice(world, 20000);
    uint64_t fate = world_dice(world, 4);
    if (event->manual && world_dice(world, 3) == 0)
        after_ms = LONG_AFTER_MS; /* the show is over, its books are closed */
    if (fate == 0)
        return;
    struct notice *notice = add(world, event, event->at_ms + after_ms);
    notice->type = MESSAGE_RecordRefund;
    notice->repaid = fate == 1 ? repaid_failed : repaid_completed;
    notice->attempt = event->attempt;
    print(event->refund_id, notice->id, sizeof notice->id);
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
    int64_t *at = &world->provider.at[partition];
    struct bus_record record;
    struct fence_reading reading;
    for (; *at < sim_end(world->sim, TOPIC_CHECKOUT_EVENTS, partition); ++*at) {
        struct place place = {TOPIC_CHECKOUT_EVENTS, partition, *at};
        if (!sim_record(world->sim, place.topic, partition, place.offset, &record))
            continue;
        enum fence_verdict verdict = fence_read(fence, place.offset, &record, &reading);
        if (verdict == FENCE_LOST)
            return;
        if (verdict == FENCE_ACCEPTED)
            hear(world, &place, &record);
        if (verdict == FENCE_DOUBT)
            *at = fence->doubt - 1;
        if (verdict == FENCE_CLEARED)
            *at = fence->next - 1;
    }
}

/* ---- speaking -------------------------------------------------------------------------------- */

static void say(struct world *world, const struct notice *notice)
{
    struct message message;
    message_init(&message, notice->type);
    message_set(&message, show_id, text_of(notice->show_id));
    message_set(&message, reservation_id, text_of(notice->reservation_id));
    message_set(&message, provider_ref, text_of(notice->provider_ref));
    if (notice->type == MESSAGE_RecordPayment) {
        message_set(&message, payment_id, text_of(notice->id));
        message_set(&message, result, notice->result);
        message_set(&message, amount_minor, notice->amount_minor);
        message_set(&message, currency, text_of("EUR"));
        message_set(&message, provider, text_of("paydesk"));
    } else {
        message_set(&message, refund_id, text_of(notice->id));
        message_set(&message, repaid, notice->repaid);
        message_set(&message, attempt, notice->attempt);
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
    for (int i = 0; i < provider->notice_count; i++)
        if (provider->notices[i].at_ms <= sim_now_ms(world->sim)) {
            say(world, &provider->notices[i]);
            provider->notices[i--] = provider->notices[--provider->notice_count];
        }
}
