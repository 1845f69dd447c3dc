/* A record and its bytes are one block each: thousands are kept, and given back together. */
#include "story/record_list.h"

#include "base/memory.h"

#include <stdlib.h>

static size_t size_of(const struct bus_record *record)
{
    size_t size = record->key.size + record->value.size;
    for (int i = 0; i < record->header_count; i++)
        size += record->headers[i].name.size + record->headers[i].value.size;
    return size;
}

static struct text put(char **at, struct text text)
{
    if (text.data == NULL)
        return text;
    char *start = *at;
    memcpy(start, text.data, text.size);
    *at += text.size;
    return text_from(start, text.size);
}

struct kept *record_list_add(struct record_list *list, enum follower_news news,
                             const struct follower_item *item)
{
    const struct bus_record *record = item->record;
    /* Of a record with too many headers only the first are delivered. */
    int headers = record->header_count > BUS_HEADERS_MAX ? BUS_HEADERS_MAX : record->header_count;
    struct bus_record whole = *record;
    whole.header_count = headers;
    size_t headers_size = (size_t)headers * sizeof(struct bus_header);
    struct kept *kept = memory_new(sizeof *kept + headers_size + size_of(&whole));
    struct bus_header *copies = (struct bus_header *)(kept + 1);
    char *at = (char *)(copies + headers);
    for (int i = 0; i < headers; i++)
        copies[i] = (struct bus_header){put(&at, record->headers[i].name),
                                        put(&at, record->headers[i].value)};
    kept->place = item->place;
    kept->news = news;
    kept->type = news == FOLLOWER_MESSAGE ? item->message.type : MESSAGE_NONE;
    kept->append_ms = record->append_ms;
    kept->seq = list->count;
    kept->record = (struct bus_record){.key = put(&at, record->key),
                                       .value = put(&at, record->value),
                                       .headers = copies,
                                       .header_count = headers,
                                       .append_ms = record->append_ms};
    kept->why = text_copy(text_of(item->why));
    list->items = memory_append(list->items, list->count, kept);
    list->count++;
    return kept;
}

static int compare(const void *a, const void *b)
{
    const struct kept *left = *(struct kept *const *)a, *right = *(struct kept *const *)b;
    if (left->append_ms != right->append_ms)
        return left->append_ms < right->append_ms ? -1 : 1;
    return (left->seq > right->seq) - (left->seq < right->seq);
}

void record_list_sort(struct record_list *list)
{
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare);
}

void record_list_release(struct record_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        text_free(&list->items[i]->why);
        memory_free(list->items[i]);
    }
    memory_free(list->items);
    *list = (struct record_list){0};
}

void kept_message(const struct kept *kept, struct arena *arena, struct message *message)
{
    struct codec_error error;
    envelope_read(&kept->record, &kept->place, arena, message, &error);
}
