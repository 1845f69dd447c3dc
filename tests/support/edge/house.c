/* Opening the house, letting time pass in it, and closing it. */
#include "tests/support/edge/house.h"

#include "api/bus_thread.h"
#include "base/memory.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char key_lines[] =
    "local\nid " HEX "\nsign 01 " HEX
    "\nkey chief admin 41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb"
    "\ncallback paydesk whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    "\ncallback cardbox whsec_HxECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/* ---- time ------------------------------------------------------------------------------------ */

void house_turn(struct house *house)
{
    sim_advance(house->sim, 1);
    house->now_ms++;
    for (int i = 0; i < HOUSE_SERVICES; i++)
        if (!house->closed[i])
            service_step(house->services[i], house->now_ms, 0);
    bus_thread_turn(house->edge.bus_thread, 0);
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void hire(struct house *house, int at, const struct service_descriptor *descriptor)
{
    struct bus_options options = {.client = descriptor->name};
    struct service_options service_options = {descriptor->name, (uint64_t)at + 1, NULL};
    struct installation installation;
    struct bus_error error;
    house->buses[at] = sim_bus_open(house->sim, &options);
    enum bus_result result = installation_open(house->buses[at], false, 0, &installation, &error);
    assert(result == BUS_OK);
    house->services[at] =
        service_new(house->buses[at], descriptor, &installation, &service_options);
}

void house_open_edge(struct house *house)
{
    char why[KEYS_ERROR_SIZE];
    struct bus_options options = {.client = "edge"};
    struct bus_error error;
    struct edge *edge = &house->edge;
    *edge = (struct edge){.options = &house->options, .open_sample = true};
    house->options = (struct options){.sample = true, .in_flight_max = 100, .data = house->folder};
    house->options.pay_urls[0] =
        (struct pay_url){"paydesk", text_of("https://pay.example/{payment_id}?x")};
    house->options.pay_url_count = 1;
    edge_init(edge);
    edge->keys = &house->keys;
    bool good = keys_parse(text_of(key_lines), &house->keys, why) &&
                bus_thread_on(edge, sim_bus_open(house->sim, &options), &error);
    assert(good);
    house->file = register_open(house->folder, why);
    good = house->file && register_load(house->file, edge, why);
    assert(good);
    bus_thread_follow(edge->bus_thread);
    edge->caught_up = true;
}

void house_close_edge(struct house *house)
{
    bus_thread_close(house->edge.bus_thread);
    register_close(house->file);
    edge_release(&house->edge);
}

void house_lose_edge(struct house *house)
{
    static void *lost; /* where whoever looks for leaks finds them */
    static size_t lost_count;
    struct house *copy = memory_new(sizeof *copy);
    *copy = *house;
    lost = memory_append(lost, lost_count++, copy);
    house->lost_an_edge = true;
    house_open_edge(house);
}

/* As `stagedoor topics create` does before anybody starts. */
static void make_topics(struct house *house, int partition_count)
{
    struct bus_options options = {.client = "topics"};
    struct installation installation;
    struct bus_error error;
    struct bus *bus = sim_bus_open(house->sim, &options);
    enum bus_result result = installation_open(bus, true, partition_count, &installation, &error);
    assert(result == BUS_OK);
    bus_close(bus);
}

struct house *house_new(int partition_count)
{
    struct house *house = memory_new(sizeof *house);
    house->sim = sim_new(7, INT64_C(1800000000000));
    snprintf(house->folder, sizeof house->folder, "/tmp/edge-house-XXXXXX");
    const char *made = mkdtemp(house->folder);
    assert(made);
    make_topics(house, partition_count);
    house_open_edge(house);
    hire(house, 0, &shows_service);
    hire(house, 1, &reservations_service);
    hire(house, 2, &checkout_service);
    for (int i = 0; i < 50; i++)
        house_turn(house);
    return house;
}

static void remove_folder(const struct house *house)
{
    static const char *const names[] = {"register.db", "register.db-wal", "register.db-shm"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", house->folder, names[i]);
        unlink(path);
    }
    rmdir(house->folder);
}

void house_free(struct house *house)
{
    house_close_edge(house);
    for (int i = 0; i < HOUSE_SERVICES; i++) {
        service_free(house->services[i]);
        bus_close(house->buses[i]);
    }
    if (!house->lost_an_edge)
        sim_free(house->sim);
    remove_folder(house);
    memory_free(house);
}

/* ---- requests -------------------------------------------------------------------------------- */

static void suspend(struct request *request)
{
    ((struct house *)request->connection)->suspended++;
}

static void resume(struct request *request)
{
    ((struct house *)request->connection)->resumed++;
}

struct request *house_request(struct house *house, enum verb verb, struct text path)
{
    struct request *request = memory_new(sizeof *request);
    request_init(request);
    request->verb = verb;
    request->path = path;
    request->suspend = suspend;
    request->resume = resume;
    request->connection = house;
    return request;
}

void house_finish(struct house *house, struct request *request)
{
    for (int i = 0; i < HOUSE_TURNS_MAX && (request->answer.status == 0 || request->holders > 1);
         i++) {
        house_turn(house);
        if (house->file && request->errand.question) {
            bool turned = register_turn(house->file);
            assert(turned);
        }
    }
    assert(request->answer.status != 0);
}

void house_end(struct request *request)
{
    request_release(request);
    memory_free(request);
}
