/* Pages counted by their holders; one short lock around the map. */
#include "api/playbill.h"

#include "base/memory.h"

struct poster {
    struct poster *next;
    struct text show_id;
    struct page *page; /* NULL: none is up */
};

/* ---- pages ----------------------------------------------------------------------------------- */

struct page *page_new(struct text etag, struct text position, struct buffer *body,
                      int64_t good_until_ms)
{
    struct page *page = memory_new(sizeof *page);
    page->etag = (char *)(uintptr_t)text_copy(etag).data;
    page->position = (char *)(uintptr_t)text_copy(position).data;
    page->body = *body;
    *body = (struct buffer){0};
    page->good_until_ms = good_until_ms;
    atomic_init(&page->dressed, NULL);
    atomic_init(&page->holders, 1);
    return page;
}

void page_drop(struct page *page)
{
    if (page == NULL || atomic_fetch_sub(&page->holders, 1) > 1)
        return;
    void *dressed = atomic_load(&page->dressed);
    if (dressed)
        page->undress(dressed);
    memory_free(page->etag);
    memory_free(page->position);
    buffer_release(&page->body);
    memory_free(page);
}

/* ---- the playbill ---------------------------------------------------------------------------- */

void playbill_init(struct playbill *playbill)
{
    *playbill = (struct playbill){.list = NULL};
    pthread_mutex_init(&playbill->lock, NULL);
}

void playbill_release(struct playbill *playbill)
{
    for (struct poster *next, *poster = playbill->list; poster; poster = next) {
        next = poster->next;
        page_drop(poster->page);
        text_free(&poster->show_id);
        memory_free(poster);
    }
    map_release(&playbill->posters);
    pthread_mutex_destroy(&playbill->lock);
}

struct page *playbill_take(struct playbill *playbill, struct text show_id, int64_t now_ms)
{
    pthread_mutex_lock(&playbill->lock);
    const struct poster *poster = map_find(&playbill->posters, show_id);
    struct page *page = poster ? poster->page : NULL;
    if (page && now_ms >= page->good_until_ms)
        page = NULL;
    if (page)
        atomic_fetch_add(&page->holders, 1);
    pthread_mutex_unlock(&playbill->lock);
    return page;
}

static struct page *swap(struct poster *poster, struct page *page)
{
    struct page *old = poster ? poster->page : NULL;
    if (poster)
        poster->page = page;
    return old;
}

void playbill_put_up(struct playbill *playbill, struct text show_id, struct page *page)
{
    atomic_fetch_add(&page->holders, 1);
    pthread_mutex_lock(&playbill->lock);
    struct poster *poster = map_find(&playbill->posters, show_id);
    if (poster == NULL) {
        poster = memory_new(sizeof *poster);
        poster->show_id = text_copy(show_id);
        poster->next = playbill->list;
        playbill->list = poster;
        map_insert_take(&playbill->posters, poster->show_id, poster);
    }
    struct page *old = swap(poster, page);
    pthread_mutex_unlock(&playbill->lock);
    page_drop(old);
}

void playbill_take_down(struct playbill *playbill, struct text show_id)
{
    pthread_mutex_lock(&playbill->lock);
    struct page *old = swap(map_find(&playbill->posters, show_id), NULL);
    pthread_mutex_unlock(&playbill->lock);
    page_drop(old);
}

void playbill_take_all_down(struct playbill *playbill)
{
    for (struct poster *poster = playbill->list; poster; poster = poster->next)
        playbill_take_down(playbill, poster->show_id);
}
