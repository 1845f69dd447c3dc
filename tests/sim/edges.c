/* Edge processes: what stagedoor-edge starts as threads is turned by hand here. */
#include "tests/sim/edges.h"

#include "api/bus_thread.h"
#include "api/register.h"
#include "api/routes.h"
#include "base/crc.h"
#include "base/memory.h"
#include "tests/sim/clock.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char key_lines[] = "id " HEX "\nsign 01 " HEX "\n";
static const struct sim_faults quiet;

enum {
    ROUNDS_MAX = 1000, /* of an evening with edges: they read it all, many times */
    LAST_TURNS = 20
};

/* ---- requests -------------------------------------------------------------------------------- */

static struct visit *visit_of(struct request *request)
{
    return memory_owner(request, struct visit, request);
}

static void visit_free(struct visit *visit)
{
    struct visit **link = &visit->window->visits;
    while (*link != visit)
        link = &(*link)->next;
    *link = visit->next;
    request_release(&visit->request);
    memory_free(visit);
}

static void suspend(struct request *request)
{
    assert(!visit_of(request)->waited);
    visit_of(request)->waited = true;
}

/* Sent, and its connection done with it. */
static void visit_end(struct visit *visit)
{
    assert(visit->request.answer.status);
    if (!visit->gone)
        customers_told(visit);
    visit->request.connection = NULL;
    if (--visit->request.holders == 0)
        visit_free(visit);
}

static void resume(struct request *request)
{
    struct visit *visit = visit_of(request);
    if (request->connection)
        visit_end(visit);
    else
        visit_free(visit);
}

struct visit *window_visit(struct window *window, struct ask *ask, int body)
{
    struct visit *visit = memory_new(sizeof *visit);
    struct request *request = &visit->request;
    assert(window->up);
    request_init(request);
    visit->window = window;
    visit->ask = ask;
    visit->body = body;
    visit->next = window->visits;
    window->visits = visit;
    request->verb = ask->verb;
    request->path = text_of(ask->path);
    request->headers.idempotency_key = text_of(ask->key[0] ? ask->key : NULL);
    if (ask->bodies[body][0])
        buffer_string(&request->body, ask->bodies[body]);
    request->suspend = suspend;
    request->resume = resume;
    request->connection = window;
    return visit;
}

static void route_visits(struct window *window)
{
    for (struct visit *next, *visit = window->visits; visit; visit = next) {
        next = visit->next;
        if (visit->routed)
            continue;
        visit->routed = true;
        route_request(&window->edge, &visit->request);
        if (!visit->waited)
            visit_end(visit);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static void open_register(struct window *window, const char *folder)
{
    char why[REGISTER_ERROR_SIZE];
    window->file = register_open(folder, why);
    bool loaded = window->file && register_load(window->file, &window->edge, why);
    if (!loaded)
        printf("%s\n", why);
    assert(loaded);
    for (int i = 0; i < TOPIC_COUNT * WORLD_PARTITIONS; i++)
        if (window->edge.positions[i].next > 0) {
            world_count(window->edges->world, POINT_edge_register_resumed);
            return;
        }
}

void window_open(struct edges *edges, struct window *window, const char *folder)
{
    struct bus_options options = {.client = "edge",
                                  .append_timeout_ms = ERRAND_ACKNOWLEDGED_WITHIN_MS};
    struct world *world = edges->world;
    struct edge *edge = &window->edge;
    struct bus_error error;
    *window = (struct window){.edges = edges,
                              .up = true,
                              .folder = folder,
                              .unwritable = window->unwritable,
                              .life = window->life + 1};
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < WORLD_PARTITIONS; partition++)
            window->log_known[topic][partition] = sim_end(world->sim, topic, partition);
    window->options = (struct options){.in_flight_max = 100, .data = folder, .pay_url_count = 1};
    window->options.pay_urls[0] =
        (struct pay_url){"paydesk", TEXT("https://pay.example/{payment_id}")};
    edge->options = &window->options;
    edge->keys = &edges->keys;
    sim_set_faults(world->sim, &quiet); /* as process_start does */
    clock_hurry(true);
    window->bus = sim_bus_open(world->sim, &options);
    bus_thread_on(edge, window->bus, &error);
    clock_hurry(false);
    sim_set_faults(world->sim, &world->faults);
    if (edge->bus_thread == NULL) { /* the log is out of reach */
        window->up = false;
        return;
    }
    edge_init(edge);
    if (folder)
        open_register(window, folder);
    bus_thread_follow(edge->bus_thread);
}

static void window_end(struct window *window)
{
    while (window->visits)
        visit_free(window->visits);
    register_close(window->file);
    edge_release(&window->edge);
    window->up = false;
}

void window_crash(struct window *window)
{
    bus_thread_close(window->edge.bus_thread); /* which tells nobody, as a death does */
    window_end(window);
}

void window_turn(struct window *window)
{
    route_visits(window);
    bus_thread_turn(window->edge.bus_thread, 0);
}

/* ---- misfortunes ----------------------------------------------------------------------------- */

/* As world_strikes, with the edges' own dice. */
static bool strikes(struct edges *edges, enum point point, uint64_t one, uint64_t in)
{
    if (!prng_chance(&edges->prng, one, in) || edges->world->plan->without[point])
        return false;
    world_count(edges->world, point);
    return true;
}

static void tell(const struct window *window, const char *what)
{
    story_tell(window->edges->world, "edge-%d %s", (int)(window - window->edges->windows), what);
}

/* What those who wait were waiting for. */
static void die(struct window *window)
{
    struct world *world = window->edges->world;
    bool queued = false, published = false, waiting = false;
    for (const struct visit *visit = window->visits; visit; visit = visit->next) {
        const struct errand *errand = &visit->request.errand;
        if (errand->phase != ERRAND_WAITING)
            continue;
        queued |= errand->queued;
        published |= !errand->queued && !errand->acknowledged;
        waiting |= errand->acknowledged;
    }
    if (queued)
        world_count(world, POINT_edge_crash_queued);
    if (published)
        world_count(world, POINT_edge_crash_published);
    if (waiting)
        world_count(world, POINT_edge_crash_waiting);
    if (!window->edge.caught_up)
        world_count(world, POINT_edge_crash_starting);
    tell(window, "dies");
    window_crash(window);
}

/* As main.c does at SIGTERM. */
static void window_stop(struct window *window)
{
    struct edge *edge = &window->edge;
    edge_lock(edge);
    edge->draining = true;
    errands_dismiss(edge);
    struct request *done = edge_take_done(edge);
    edge_unlock(edge);
    edge_resume(edge, done);
    if (window->file)
        register_flush(window->file);
    window_crash(window);
}

static void window_start(struct window *window)
{
    window_open(window->edges, window, window->folder);
}

static void window_thaw(struct window *window)
{
    if (!window->frozen)
        return;
    window->frozen = false;
    sim_freeze(window->bus, false);
    tell(window, "goes on");
}

static void strike(struct window *window)
{
    struct edges *edges = window->edges;
    if (!window->up) {
        if (prng_chance(&edges->prng, 1, 15))
            window_start(window);
    } else if (strikes(edges, POINT_edge_crash, 1,
                       !window->edge.caught_up              ? 40
                       : window->edge.errands.in_flight > 0 ? 60
                                                            : 300)) {
        die(window);
    } else if (strikes(edges, POINT_edge_stop, 1, 400)) {
        tell(window, "is stopped");
        window_stop(window);
    } else if (window->frozen) {
        if (prng_chance(&edges->prng, 1, 30))
            window_thaw(window);
    } else if (strikes(edges, POINT_edge_freeze, 1, 300)) {
        tell(window, "freezes");
        window->frozen = true;
        sim_freeze(window->bus, true);
    }
}

/* As a full disk would: a batch fails at its last statement. */
static void set_register_writable(struct window *window, bool writable)
{
    sqlite3 *keeper = window->edges->keepers[window - window->edges->windows];
    int result = sqlite3_exec(keeper,
                              writable ? "DROP TRIGGER IF EXISTS full"
                                       : "CREATE TRIGGER full BEFORE INSERT ON positions"
                                         " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
                              NULL, NULL, NULL);
    assert(result == SQLITE_OK);
    window->unwritable = !writable;
    tell(window, writable ? "can write its register again" : "cannot write its register");
}

static void strike_register(struct window *window)
{
    struct edges *edges = window->edges;
    if (window->unwritable) {
        if (prng_chance(&edges->prng, 1, 80))
            set_register_writable(window, true);
    } else if (window->file && strikes(edges, POINT_edge_register_unwritable, 1, 200)) {
        set_register_writable(window, false);
    }
}

/* Between a customer's command and its append. */
static bool dies_before_publishing(struct window *window)
{
    route_visits(window);
    if (window->edge.errands.sent_first == NULL || !strikes(window->edges, POINT_edge_crash, 1, 60))
        return false;
    die(window);
    return true;
}

/* ---- the seam -------------------------------------------------------------------------------- */

static void make_registers(struct edges *edges)
{
    static const char *const folders[EDGES] = {"file:/edge-0?vfs=memdb&folder=",
                                               "file:/edge-1?vfs=memdb&folder="};
    for (int i = 0; i < EDGES; i++) {
        sqlite3 *keeper;
        edges->windows[i].folder = folders[i];
        int result =
            sqlite3_open_v2(folders[i], &keeper, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
        assert(result == SQLITE_OK);
        edges->keepers[i] = keeper;
    }
}

void edges_open(struct world *world)
{
    static bool configured;
    char why[KEYS_ERROR_SIZE];
    struct prng prng = {world->plan->seed ^ 0xd6e8feb86659fd93u}; /* the world's dice stay */
    if (world->workload->rounds > ROUNDS_MAX || !prng_chance(&prng, 1, 3) ||
        world->plan->without[POINT_edges])
        return;
    world_count(world, POINT_edges);
    /* The register opens what it is told by name; a name may be that of a file in memory. */
    if (!configured)
        sqlite3_config(SQLITE_CONFIG_URI, 1);
    configured = true;
    struct edges *edges = world->edges = memory_new(sizeof *edges);
    edges->world = world;
    edges->prng = prng;
    bool parsed = keys_parse(text_of(key_lines), &edges->keys, why);
    assert(parsed);
    for (int i = 0; i < EDGES; i++)
        edges->windows[i] = (struct window){.edges = edges};
    if (strikes(edges, POINT_edge_register, 1, 4))
        make_registers(edges);
    for (int i = 0; i < EDGES; i++)
        window_start(&edges->windows[i]);
}

void edges_act(struct world *world, bool faults)
{
    struct edges *edges = world->edges;
    if (edges == NULL)
        return;
    customers_act(edges);
    for (int i = 0; i < EDGES; i++) {
        struct window *window = &edges->windows[i];
        if (faults) {
            strike(window);
            strike_register(window);
        }
        if (!window->up || window->frozen || prng_chance(&edges->prng, 1, 4))
            continue;
        if (faults && dies_before_publishing(window))
            continue;
        window_turn(window);
        if (window->file && prng_chance(&edges->prng, 1, 20))
            register_turn(window->file);
    }
}

void edges_rest(struct world *world)
{
    struct edges *edges = world->edges;
    if (edges == NULL)
        return;
    edges->resting = true;
    edges->rested_at_ms = sim_now_ms(world->sim);
    for (int i = 0; i < EDGES; i++) {
        if (!edges->windows[i].up)
            window_start(&edges->windows[i]);
        window_thaw(&edges->windows[i]);
        if (edges->windows[i].unwritable)
            set_register_writable(&edges->windows[i], true);
    }
}

void edges_read_on(struct world *world)
{
    struct edges *edges = world->edges;
    for (int i = 0; i < EDGES && edges; i++)
        for (int turn = 0; turn < LAST_TURNS; turn++)
            window_turn(&edges->windows[i]);
}

void edges_free(struct world *world)
{
    struct edges *edges = world->edges;
    if (edges == NULL)
        return;
    for (int i = 0; i < EDGES; i++) {
        if (edges->windows[i].up)
            window_crash(&edges->windows[i]);
        sqlite3_close(edges->keepers[i]);
    }
    memory_free(edges->journal);
    memory_free(edges);
    world->edges = NULL;
}
