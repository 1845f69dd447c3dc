/* A ring of names, searched from end to end: it is short. */
#include "base/recent.h"

#include "base/memory.h"

enum recent_answer recent_ask(const struct recent *recent, struct text name, struct text mark)
{
    for (int i = 0; i < recent->count; i++)
        if (text_equal(recent->items[i].name, name))
            return text_equal(recent->items[i].mark, mark) ? RECENT_REPEAT : RECENT_CONFLICT;
    return RECENT_NEW;
}

void recent_remember(struct recent *recent, struct text name, struct text mark)
{
    if (recent->items == NULL)
        recent->items = memory_new((size_t)recent->capacity * sizeof *recent->items);
    struct recent_item *item = &recent->items[recent->next];
    text_free(&item->name);
    text_free(&item->mark);
    *item = (struct recent_item){text_copy(name), text_copy(mark)};
    recent->next = (recent->next + 1) % recent->capacity;
    if (recent->count < recent->capacity)
        recent->count++;
}

void recent_release(struct recent *recent)
{
    for (int i = 0; i < recent->count; i++) {
        text_free(&recent->items[i].name);
        text_free(&recent->items[i].mark);
    }
    memory_free(recent->items);
    recent->items = NULL;
    recent->count = recent->next = 0;
}
