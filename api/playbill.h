/* playbill.h: what the public reads of a show, rendered once per change and shared by everybody.
 *
 * During a sale the same few shows are looked at over and over. So a show is rendered by the first
 * who asks after a change, and what he got hangs out as a page until the next change; whoever finds
 * one there needs neither the edge's lock nor a word of JSON. A page never changes: it is taken
 * down and another one put up.
 *
 * Whoever folds an event takes the show's page down under the edge's lock, and a page is put up
 * under that lock too, so none is older than what was answered to a write. Source: http,
 * "Reads". */
#ifndef API_PLAYBILL_H
#define API_PLAYBILL_H

#include "base/map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct page {
    char *etag, *position; /* header values */
    struct buffer body;
    int64_t good_until_ms; /* wall clock; then the show's status may be another */
    /* What the shell makes of it once, for all connections; NULL: not yet. */
    void *_Atomic dressed;
    void (*undress)(void *dressed);
    _Atomic int holders;
};

struct poster;

/* Init by playbill_init. */
struct playbill {
    pthread_mutex_t lock; /* everything below; taken last of all locks */
    struct map posters;   /* by show */
    struct poster *list;
};

/* Copies the texts and takes the body over. The caller holds it. */
struct page *page_new(struct text etag, struct text position, struct buffer *body,
                      int64_t good_until_ms);
/* Gives back one hold; the last one frees it. Any thread. */
void page_drop(struct page *page);

void playbill_init(struct playbill *playbill);
void playbill_release(struct playbill *playbill);

/* The page of that show, to be dropped; NULL: none is up, or its time is over. Any thread. */
struct page *playbill_take(struct playbill *playbill, struct text show_id, int64_t now_ms);

/* Puts a page up; it has a hold of its own. Under the edge's lock. */
void playbill_put_up(struct playbill *playbill, struct text show_id, struct page *page);

/* The show has changed. Under the edge's lock. */
void playbill_take_down(struct playbill *playbill, struct text show_id);
void playbill_take_all_down(struct playbill *playbill);

#endif
