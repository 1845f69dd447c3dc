/* A list of visitors, and households of those who share an address. */
#include "api/visitors.h"

#include "base/map.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* Those of one customer's address; gone when the last one leaves. */
struct household {
    struct address address;
    int count;
};

struct visitor {
    struct visitor *previous, *next;
    struct household *household;
    int socket;
    _Atomic int64_t due_ms;
};

struct visitors {
    pthread_mutex_t lock; /* everything below */
    const struct networks *trusted;
    int per_address_max;
    struct visitor *first;
    struct map households; /* by address */
};

static struct text name_of(const struct address *address)
{
    return text_from(address->bytes, sizeof address->bytes);
}

struct visitors *visitors_new(int per_address_max, const struct networks *trusted)
{
    struct visitors *visitors = memory_new(sizeof *visitors);
    pthread_mutex_init(&visitors->lock, NULL);
    visitors->per_address_max = per_address_max;
    visitors->trusted = trusted;
    return visitors;
}

void visitors_free(struct visitors *visitors)
{
    map_release(&visitors->households);
    pthread_mutex_destroy(&visitors->lock);
    memory_free(visitors);
}

bool visitors_admit(struct visitors *visitors, const struct address *address)
{
    struct address customer = address_customer(address);
    if (networks_have(visitors->trusted, address))
        return true;
    pthread_mutex_lock(&visitors->lock);
    const struct household *household = map_find(&visitors->households, name_of(&customer));
    bool room = household == NULL || household->count < visitors->per_address_max;
    pthread_mutex_unlock(&visitors->lock);
    return room;
}

static struct household *join(struct visitors *visitors, struct address customer)
{
    struct household *household = map_find(&visitors->households, name_of(&customer));
    if (household == NULL) {
        household = memory_new(sizeof *household);
        household->address = customer;
        map_insert_take(&visitors->households, name_of(&household->address), household);
    }
    household->count++;
    return household;
}

struct visitor *visitors_enter(struct visitors *visitors, const struct address *address, int socket,
                               int64_t due_ms)
{
    struct visitor *visitor = memory_new(sizeof *visitor);
    visitor->socket = socket;
    atomic_init(&visitor->due_ms, due_ms);
    pthread_mutex_lock(&visitors->lock);
    visitor->household = join(visitors, address_customer(address));
    visitor->next = visitors->first;
    if (visitor->next)
        visitor->next->previous = visitor;
    visitors->first = visitor;
    pthread_mutex_unlock(&visitors->lock);
    return visitor;
}

void visitors_leave(struct visitors *visitors, struct visitor *visitor)
{
    struct household *household = visitor->household;
    pthread_mutex_lock(&visitors->lock);
    if (visitor->previous)
        visitor->previous->next = visitor->next;
    else
        visitors->first = visitor->next;
    if (visitor->next)
        visitor->next->previous = visitor->previous;
    if (--household->count == 0) {
        map_remove(&visitors->households, name_of(&household->address));
        memory_free(household);
    }
    pthread_mutex_unlock(&visitors->lock);
    memory_free(visitor);
}

void visitor_expect(struct visitor *visitor, int64_t due_ms)
{
    atomic_store(&visitor->due_ms, due_ms);
}

void visitors_sweep(struct visitors *visitors, int64_t now_ms)
{
    pthread_mutex_lock(&visitors->lock);
    for (struct visitor *visitor = visitors->first; visitor; visitor = visitor->next)
        if (atomic_load(&visitor->due_ms) <= now_ms)
            shutdown(visitor->socket, SHUT_RDWR);
    pthread_mutex_unlock(&visitors->lock);
}
