/* Customers: each wants a reservation, pays or gives it back, asks again when the answer does not
 * come or says so, and also when it came; on any edge, at once or much later. What they were told
 * goes into the journal. */
#include "tests/sim/edges.h"

#include "api/ids.h"
#include "base/crc.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MUCH_LATER_MS = 60 * 1000, CURIOUS_MS = 1000 * 1000 };

static uint64_t dice(struct edges *edges, uint64_t sides)
{
    return prng_below(&edges->prng, sides);
}

static int64_t now_ms(const struct edges *edges)
{
    return sim_now_ms(edges->world->sim);
}

/* ---- what they ask --------------------------------------------------------------------------- */

static struct ask *add_ask(struct edges *edges, struct customer *customer, enum ask_kind kind)
{
    struct ask *ask = &customer->asks[customer->ask_count++];
    *ask = (struct ask){.kind = kind, .customer = customer, .last_edge = -1};
    ask->verb = kind == ASK_CANCEL ? VERB_DELETE : VERB_POST;
    char subject[UUID_SIZE]; /* a copy, for the compiler cannot see that they do not overlap */
    memcpy(subject, customer->reservation_id, sizeof subject);
    if (kind == ASK_RESERVE)
        snprintf(ask->path, sizeof ask->path, "/v1/shows/show-%d/reservations", customer->show);
    else
        snprintf(ask->path, sizeof ask->path, "/v1/reservations/%s%s", subject,
                 kind == ASK_CHECKOUT ? "/checkout" : "");
    snprintf(ask->key, sizeof ask->key, "the-key-of-somebody-%06d", edges->key_count++);
    ids_derive(&edges->keys, "public", verb_name(ask->verb), text_of(ask->path), text_of(ask->key),
               ask->command_id);
    ask->body_count = 1 + (dice(edges, 4) == 0);
    return ask;
}

static void reserve(struct edges *edges, struct customer *customer)
{
    static const char *const tiers[] = {"stalls", "circle", "standing"};
    customer->show = (int)dice(edges, (uint64_t)edges->world->workload->shows);
    world_show_id(customer->show, customer->show_id);
    struct ask *ask = add_ask(edges, customer, ASK_RESERVE);
    memcpy(customer->reservation_id, ask->command_id, UUID_SIZE);
    int quantity = 1 + (int)dice(edges, 3), person = (int)dice(edges, 6);
    for (int i = 0; i < BODIES_MAX; i++)
        if (crowd_is_priced(edges->world, customer->show))
            snprintf(ask->bodies[i], ASK_TEXT_SIZE,
                     "{\"lines\":[{\"tier_id\":\"%s\",\"quantity\":%d}],\"name\":\"Eve\","
                     "\"email\":\"eve%d@house.example\"}",
                     tiers[dice(edges, 3)], quantity + i, person);
        else
            snprintf(ask->bodies[i], ASK_TEXT_SIZE, "{\"quantity\":%d,\"name\":\"Eve\"}",
                     quantity + i);
    customer->look = (struct ask){.kind = ASK_LOOK, .customer = customer, .verb = VERB_GET};
    snprintf(customer->look.path, ASK_TEXT_SIZE, "/v1/reservations/%s", ask->command_id);
    customer->look_at_show = (struct ask){.kind = ASK_SHOW, .customer = customer, .verb = VERB_GET};
    snprintf(customer->look_at_show.path, ASK_TEXT_SIZE, "/v1/shows/show-%d", customer->show);
}

static void check_out(struct edges *edges, struct customer *customer)
{
    static const char free_of_charge[] = "{\"method\":\"none\"}";
    static const char external[] = "{\"method\":\"external\",\"provider\":\"paydesk\"}";
    struct ask *ask = add_ask(edges, customer, ASK_CHECKOUT);
    bool pays = crowd_is_priced(edges->world, customer->show) != (dice(edges, 8) == 0);
    snprintf(ask->bodies[0], ASK_TEXT_SIZE, "%s", pays ? external : free_of_charge);
    snprintf(ask->bodies[1], ASK_TEXT_SIZE, "%s", pays ? free_of_charge : external);
}

static void cancel(struct edges *edges, struct customer *customer)
{
    struct ask *ask = add_ask(edges, customer, ASK_CANCEL);
    if (dice(edges, 2))
        snprintf(ask->bodies[0], ASK_TEXT_SIZE, "{\"reason\":\"ill\"}");
    snprintf(ask->bodies[1], ASK_TEXT_SIZE, "{\"reason\":\"bored\"}");
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* An edge that is up, another one than last time now and then; NULL: none. */
static struct window *choose(struct edges *edges)
{
    int at = (int)dice(edges, EDGES);
    for (int i = 0; i < EDGES; i++, at = (at + 1) % EDGES)
        if (edges->windows[at].up)
            return &edges->windows[at];
    return NULL;
}

static void count(struct edges *edges, const struct ask *ask, int edge, int body)
{
    struct world *world = edges->world;
    world_count(world, POINT_asked);
    if (body > 0)
        world_count(world, POINT_asked_with_other_body);
    if (ask->sent_count == 0 || ask->verb == VERB_GET)
        return;
    if (edge != ask->last_edge)
        world_count(world, POINT_asked_elsewhere);
    if (now_ms(edges) > ask->again_at_ms + MUCH_LATER_MS)
        world_count(world, POINT_asked_much_later);
}

static void send(struct edges *edges, struct ask *ask, int body)
{
    static const char *const waits[] = {"wait=0", "wait=1", "wait=10"};
    struct window *window = choose(edges);
    if (window == NULL)
        return;
    int edge = (int)(window - edges->windows);
    count(edges, ask, edge, body);
    struct visit *visit = window_visit(window, ask, body);
    if (ask->kind != ASK_RESERVE && ask->kind != ASK_SHOW) {
        snprintf(visit->authorization, sizeof visit->authorization, "Bearer %s",
                 ask->customer->secret);
        visit->request.headers.authorization = text_of(visit->authorization);
    }
    if (ask->kind == ASK_LOOK && dice(edges, 2))
        visit->request.queries[QUERY_WAIT] = text_of("2");
    if (ask->verb != VERB_GET && dice(edges, 3) == 0)
        visit->request.headers.prefer = text_of(waits[dice(edges, 3)]);
    ask->sent_count++;
    ask->last_edge = edge;
    ask->again_at_ms = now_ms(edges) + 500 + (int64_t)dice(edges, 4000);
}

/* Somebody loses patience; he asks again at once, as a rule elsewhere. */
static void leave(struct edges *edges)
{
    const struct window *window = choose(edges);
    for (struct visit *visit = window ? window->visits : NULL; visit; visit = visit->next) {
        if (!visit->waited || visit->gone || visit->request.connection == NULL)
            continue;
        visit->gone = true;
        world_count(edges->world, POINT_client_gone);
        send(edges, visit->ask, visit->body);
        return;
    }
}

static void begin(struct edges *edges, struct customer *customer)
{
    if (customer->ask_count == 0)
        reserve(edges, customer);
    else if (dice(edges, 3))
        check_out(edges, customer);
    else
        cancel(edges, customer);
    struct ask *ask = &customer->asks[customer->ask_count - 1];
    send(edges, ask, 0);
    if (dice(edges, 10) == 0) /* twice, on both maybe */
        send(edges, ask, 0);
    if (ask->body_count > 1 && dice(edges, 4) == 0)
        send(edges, ask, 1);
}

/* Again: what has no answer yet, and rarely what has. */
static void repeat(struct edges *edges, struct ask *ask)
{
    if (ask->settled ? dice(edges, 8) == 0 : now_ms(edges) >= ask->again_at_ms)
        send(edges, ask, ask->body_count > 1 && dice(edges, 4) == 0);
}

static void act(struct edges *edges)
{
    struct customer *customer = &edges->customers[dice(edges, CUSTOMERS)];
    uint64_t what = dice(edges, 10);
    if (customer->ask_count == 0 ||
        (what < 3 && customer->secret[0] && customer->ask_count < ASKS_MAX))
        begin(edges, customer);
    else if (what < 4)
        send(edges,
             customer->secret[0] && dice(edges, 3) ? &customer->look : &customer->look_at_show, 0);
    else if (what < 5)
        leave(edges);
    else
        repeat(edges, &customer->asks[dice(edges, (uint64_t)customer->ask_count)]);
}

/* Nothing new is begun; for a while old things are asked once more. */
static void act_at_rest(struct edges *edges)
{
    bool curious = now_ms(edges) < edges->rested_at_ms + CURIOUS_MS && dice(edges, 4) == 0;
    uint64_t who = dice(edges, CUSTOMERS);
    for (int i = 0; i < CUSTOMERS; i++)
        for (int k = 0; k < edges->customers[i].ask_count; k++) {
            struct ask *ask = &edges->customers[i].asks[k];
            if (!ask->settled && now_ms(edges) >= ask->again_at_ms)
                send(edges, ask, 0);
            else if (ask->settled && curious && (uint64_t)i == who)
                repeat(edges, ask);
        }
}

void customers_act(struct edges *edges)
{
    if (edges->resting)
        act_at_rest(edges);
    else if (dice(edges, 3) == 0)
        act(edges);
}

const struct ask *customers_waiting(const struct edges *edges)
{
    for (int i = 0; i < CUSTOMERS; i++)
        for (int k = 0; k < edges->customers[i].ask_count; k++)
            if (!edges->customers[i].asks[k].settled)
                return &edges->customers[i].asks[k];
    return NULL;
}

/* ---- what they are told ---------------------------------------------------------------------- */

/* The first text member of that name, of the body as the edge prints it. */
static void take_member(const struct answer *answer, const char *name, char *out, size_t size)
{
    char pattern[40];
    int pattern_size = snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    const char *at = answer->body.size ? strstr(answer->body.data, pattern) : NULL;
    out[0] = '\0';
    if (at)
        snprintf(out, size, "%.*s", (int)strcspn(at + pattern_size, "\""), at + pattern_size);
}

static const char *header_of(const struct answer *answer, const char *name)
{
    for (int i = 0; i < answer->header_count; i++)
        if (strcmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

/* Places in the log that the answer names. */
static void take_offsets(const struct answer *answer, struct given *given)
{
    char position[48];
    long long offset, etag[3];
    const char *header = header_of(answer, "ETag");
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        given->offsets[topic] = -1;
    if (header && sscanf(header, "\"%lld.%lld.%lld\"", &etag[0], &etag[1], &etag[2]) == 3)
        for (int i = 0; i < 3; i++)
            given->offsets[1 + 2 * i] = etag[i];
    header = header_of(answer, "X-Log-Position");
    if (header && sscanf(header, "%*d:%lld", &offset) == 1)
        given->offsets[TOPIC_SHOWS_EVENTS] = offset;
    take_member(answer, "position", position, sizeof position);
    if (sscanf(position, "shows.events/%*d@%lld", &offset) == 1)
        given->offsets[TOPIC_SHOWS_EVENTS] = offset;
}

static void take_seats(const struct answer *answer, struct given *given)
{
    static const char *const names[SEATS_TOLD] = {"capacity", "held", "sold", "blocked"};
    const char *at = strstr(answer->body.data, "\"availability\":");
    for (int i = 0; i < SEATS_TOLD && at; i++) {
        char pattern[16];
        snprintf(pattern, sizeof pattern, "\"%s\":", names[i]);
        at = strstr(at, pattern);
        given->seats[i] = at ? strtoll(at + strlen(pattern), NULL, 10) : -1;
    }
}

static struct given *add_given(struct edges *edges)
{
    if (edges->given_count == edges->given_max) {
        edges->given_max = edges->given_max ? edges->given_max * 2 : 64;
        edges->journal = memory_grow(edges->journal, edges->given_max * sizeof *edges->journal);
    }
    return &edges->journal[edges->given_count++];
}

bool given_is_final(const struct given *given)
{
    return given->status != 202 && given->status != 404 && given->status != 503;
}

static void learn_secret(struct edges *edges, struct customer *customer, const char *secret)
{
    if (customer->secret[0] && strcmp(customer->secret, secret) != 0)
        snprintf(edges->world->breach, WORLD_BREACH_SIZE, "a retry was told another secret: %s",
                 secret);
    memcpy(customer->secret, secret, sizeof customer->secret);
}

static void count_answer(struct edges *edges, const struct answer *answer, const char *code)
{
    struct world *world = edges->world;
    world_count(world, POINT_answered);
    if (answer->status == 202)
        world_count(world, POINT_answered_late);
    if (header_of(answer, "Idempotent-Replayed"))
        world_count(world, POINT_answered_again);
    if (strcmp(code, "key_reused") == 0)
        world_count(world, POINT_answered_key_reused);
    if (strcmp(code, "catching_up") == 0)
        world_count(world, POINT_answered_catching_up);
    if (strcmp(code, "bus_unavailable") == 0)
        world_count(world, strstr(answer->body.data, "nothing was sent")
                               ? POINT_answered_out_of_reach
                               : POINT_answered_not_acknowledged);
}

void customers_told(struct visit *visit)
{
    struct edges *edges = visit->window->edges;
    struct ask *ask = visit->ask;
    const struct answer *answer = &visit->request.answer;
    struct given *given = add_given(edges);
    char secret[sizeof ask->customer->secret];
    int partition = topic_partition_of(text_of(ask->customer->show_id), WORLD_PARTITIONS);
    *given = (struct given){.ask = ask,
                            .body = visit->body,
                            .status = answer->status,
                            .edge = (int)(visit->window - edges->windows),
                            .at_ms = now_ms(edges)};
    if (answer->status >= 400) /* tickets have codes, too */
        take_member(answer, "code", given->code, sizeof given->code);
    take_member(answer, "reservation_id", given->named, sizeof given->named);
    take_member(answer, "status", given->said, sizeof given->said);
    take_member(answer, "secret", secret, sizeof secret);
    take_offsets(answer, given);
    if (ask->kind == ASK_SHOW && answer->status == 200)
        take_seats(answer, given);
    given->life = visit->window->life;
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        given->log_ends[topic] = sim_end(edges->world->sim, topic, partition);
        given->log_known[topic] = visit->window->log_known[topic][partition];
    }
    if (secret[0])
        learn_secret(edges, ask->customer, secret);
    /* A show that nobody knows when all is over was never made. */
    ask->settled |=
        visit->body == 0 && (given_is_final(given) || (given->status == 404 && edges->resting));
    count_answer(edges, answer, given->code);
    uint64_t *hash = &edges->world->edges_hash;
    *hash = *hash * 0x9e3779b97f4a7c15u + (uint64_t)answer->status;
    *hash ^= crc32c_add(0, answer->body.data, answer->body.size);
    story_tell(edges->world, "edge-%d: %s %s (body %d, key %s) %d %.*s", given->edge,
               verb_name(ask->verb), ask->path, visit->body, ask->key, answer->status,
               (int)(answer->body.size ? answer->body.size - 1 : 0),
               answer->body.data ? answer->body.data : "");
}
