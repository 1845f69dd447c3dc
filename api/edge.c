/* What an edge is made of, and who is to be resumed. */
#include "api/edge.h"

#include "base/memory.h"

void edge_init(struct edge *edge)
{
    pthread_mutex_init(&edge->lock, NULL);
    playbill_init(&edge->playbill);
    limits_init(&edge->limits);
}

void edge_release(struct edge *edge)
{
    view_release(&edge->view);
    map_release(&edge->errands.waiting);
    heap_release(&edge->errands.deadlines);
    memory_free(edge->positions);
    playbill_release(&edge->playbill);
    limits_release(&edge->limits);
    pthread_mutex_destroy(&edge->lock);
}

struct request *edge_take_done(struct edge *edge)
{
    struct request *list = edge->errands.done;
    edge->errands.done = NULL;
    return list;
}

void edge_resume(struct edge *edge, struct request *list)
{
    (void)edge;
    for (struct request *next; list; list = next) {
        next = list->next;
        list->resume(list);
    }
}
