#include "cli/sales.h"

#include "base/memory.h"

static struct sale *sale_of(struct sales *sales, struct text show_id)
{
    struct sale *sale = map_find(&sales->by_id, show_id);
    if (sale)
        return sale;
    sale = memory_new(sizeof *sale);
    sale->show_id = text_copy(show_id);
    sale->refused = code_COUNT;
    map_insert_take(&sales->by_id, sale->show_id, sale);
    sales->items = memory_append(sales->items, sales->count++, sale);
    return sale;
}

static void take_answer(struct sales *sales, const struct message *event)
{
    struct sale *sale = message_has(event, show_id) ? sales_find(sales, event->show_id) : NULL;
    if (sale == NULL || sale->asked.data == NULL || !text_equal(sale->asked, event->cause_id))
        return;
    sale->answered = true;
    if (event->type == MESSAGE_Refused)
        sale->refused = event->code;
}

void sales_take(struct sales *sales, const struct follower_item *item)
{
    const struct message *event = &item->message;
    struct sale *sale;
    if (item->place.topic != TOPIC_SHOWS_EVENTS)
        return;
    switch ((int)event->type) {
    case MESSAGE_ShowCreated:
        sale_of(sales, event->show_id);
        break;
    case MESSAGE_SaleOpened:
        sale_of(sales, event->show_id)->paused = false;
        break;
    case MESSAGE_SalePaused:
        sale = sale_of(sales, event->show_id);
        sale->paused = true;
        text_free(&sale->paused_by);
        sale->paused_by = text_copy(event->actor);
        break;
    case MESSAGE_ShowCancelled:
    case MESSAGE_ShowArchived:
        sale_of(sales, event->show_id)->over = true;
        break;
    }
    take_answer(sales, event);
}

struct sale *sales_find(const struct sales *sales, struct text show_id)
{
    return map_find(&sales->by_id, show_id);
}

void sales_release(struct sales *sales)
{
    for (size_t i = 0; i < sales->count; i++) {
        text_free(&sales->items[i]->show_id);
        text_free(&sales->items[i]->paused_by);
        text_free(&sales->items[i]->asked);
        memory_free(sales->items[i]);
    }
    memory_free(sales->items);
    map_release(&sales->by_id);
    *sales = (struct sales){0};
}
