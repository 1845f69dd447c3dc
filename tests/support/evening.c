/* The three real services, one of them restarted in the middle, and a zombie's late word. Names,
 * seats and times are chosen so that a person can follow it. */
#include "tests/support/evening.h"

#include "bus/fence.h"
#include "bus/service.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"

#include <assert.h>
#include <stdio.h>

enum { SERVICES = 3, TURN_MS = 7 };
#define START_MS INT64_C(1790000000000)
#define SHOW     "tempest"
#define ANN      "0a000000-0000-4000-8000-000000000001"
#define BOB      "0b000000-0000-4000-8000-000000000002"
#define CAS      "0c000000-0000-4000-8000-000000000003"
#define DEE      "0d000000-0000-4000-8000-000000000004"
#define EVE      "0e000000-0000-4000-8000-000000000005"
#define PAYMENT  "aa000000-0000-4000-8000-00000000000a"

static const struct service_descriptor *const descriptors[SERVICES] = {
    &shows_service, &reservations_service, &checkout_service};

static struct {
    struct sim *sim;
    struct bus *crowd, *buses[SERVICES];
    struct service *services[SERVICES];
    struct installation installation;
    int commands, entries;
} stage;

/* ---- the house ------------------------------------------------------------------------------- */

static void enter(int which)
{
    struct bus_options options = {.client = descriptors[which]->name, .instance = "one"};
    struct service_options service_options = {"one", (uint64_t)++stage.entries, NULL};
    struct installation installation;
    struct bus_error error;
    stage.buses[which] = sim_bus_open(stage.sim, &options);
    enum bus_result result = installation_open(stage.buses[which], false, 0, &installation, &error);
    assert(result == BUS_OK);
    stage.services[which] =
        service_new(stage.buses[which], descriptors[which], &installation, &service_options);
}

static void leave(int which)
{
    service_free(stage.services[which]);
    bus_close(stage.buses[which]);
}

static void pass_time(int64_t for_ms)
{
    struct bus_event event;
    for (int64_t until_ms = sim_now_ms(stage.sim) + for_ms; sim_now_ms(stage.sim) < until_ms;) {
        sim_advance(stage.sim, TURN_MS);
        for (int i = 0; i < SERVICES; i++)
            service_step(stage.services[i], sim_now_ms(stage.sim), 0);
        while (bus_poll(stage.crowd, 0, &event))
            ;
    }
}

static void open_house(void)
{
    struct bus_options options = {.client = "crowd"};
    struct bus_error error;
    stage.sim = sim_new(42, START_MS);
    stage.crowd = sim_bus_open(stage.sim, &options);
    enum bus_result result =
        installation_open(stage.crowd, true, EVENING_PARTITIONS, &stage.installation, &error);
    assert(result == BUS_OK);
    for (int i = 0; i < SERVICES; i++)
        enter(i);
    pass_time(1000);
}

/* ---- what people ask for --------------------------------------------------------------------- */

/* The command `json`, and time for all that comes of it. */
static void say(int topic, const char *type, const char *json)
{
    char id[24], ce_type[64];
    snprintf(id, sizeof id, "command-%d", ++stage.commands);
    snprintf(ce_type, sizeof ce_type, "stagedoor.%.*s.%s",
             (int)(text_of(topic_name(topic)).size - sizeof ".commands" + 1), topic_name(topic),
             type);
    struct bus_header headers[] = {{TEXT("ce_id"), text_of(id)},
                                   {TEXT("ce_type"), text_of(ce_type)}};
    struct bus_record record = {
        .key = TEXT(SHOW), .value = text_of(json), .headers = headers, .header_count = 2};
    bus_append(stage.crowd, topic, topic_partition_of(record.key, EVENING_PARTITIONS), &record, 0);
    pass_time(200);
}

#define OF(reservation_id) "{\"show_id\":\"" SHOW "\",\"reservation_id\":\"" reservation_id "\","

static void reserve(const char *json)
{
    say(TOPIC_RESERVATIONS_COMMANDS, "RequestReservation", json);
}

#define WANTS(reservation_id, quantity, name)                                                      \
    OF(reservation_id)                                                                             \
    "\"lines\":[{\"tier_id\":\"stalls\",\"quantity\":" quantity "}],"                              \
    "\"holder\":{\"name\":\"" name "\"},\"channel\":\"web\"}"

static void ann_buys(void)
{
    reserve(WANTS(ANN, "2", "Ann"));
    say(TOPIC_CHECKOUT_COMMANDS, "StartCheckout",
        OF(ANN) "\"payment_id\":\"" PAYMENT "\",\"method\":\"external\",\"by\":\"customer\","
                "\"provider\":\"paypenny\"}");
    say(TOPIC_CHECKOUT_COMMANDS, "RecordPayment",
        OF(ANN) "\"payment_id\":\"" PAYMENT "\",\"result\":\"succeeded\",\"amount_minor\":3000,"
                "\"currency\":\"EUR\",\"provider\":\"paypenny\",\"provider_ref\":\"first\"}");
}

/* The provider takes the money a second time: it has to go back. */
static void ann_pays_twice(void)
{
    say(TOPIC_CHECKOUT_COMMANDS, "RecordPayment",
        OF(ANN) "\"payment_id\":\"" PAYMENT "\",\"result\":\"succeeded\",\"amount_minor\":3000,"
                "\"currency\":\"EUR\",\"provider\":\"paypenny\",\"provider_ref\":\"second\"}");
}

static void ann_at_the_door(void)
{
    say(TOPIC_RESERVATIONS_COMMANDS, "CheckInTicket",
        "{\"show_id\":\"" SHOW "\",\"ticket_id\":\"" ANN "-1\",\"generation\":1,"
        "\"list_id\":\"main\",\"entry\":\"in\",\"nonce\":\"n1\"}");
    say(TOPIC_RESERVATIONS_COMMANDS, "CancelReservation",
        OF(ANN) "\"tickets\":[2],\"by\":\"staff\",\"refund\":\"full\"}");
}

/* A writer that has been fenced says what it had on its tongue: void. */
static void zombie_speaks(void)
{
    int partition = topic_partition_of(text_of(SHOW), EVENING_PARTITIONS);
    struct bus_record record;
    for (int64_t at = 0; sim_record(stage.sim, TOPIC_SHOWS_EVENTS, partition, at, &record); at++)
        if (record_header(&record, "sd_stamp", NULL).size) {
            bus_append(stage.crowd, TOPIC_SHOWS_EVENTS, partition, &record, 0);
            break;
        }
    pass_time(50);
}

const struct sim *evening_play(struct installation *installation)
{
    open_house();
    say(TOPIC_SHOWS_COMMANDS, "CreateShow",
        "{\"show_id\":\"" SHOW "\",\"name\":\"The Tempest\",\"starts_at_ms\":1790086400000,"
        "\"capacity\":4,\"currency\":\"EUR\",\"tiers\":[{\"tier_id\":\"stalls\",\"name\":"
        "\"Stalls\",\"amount_minor\":1500}],\"hold_ttl_s\":60,\"pay_window_s\":60}");
    ann_buys();
    reserve(WANTS(BOB, "2", "Bob"));
    reserve(WANTS(CAS, "1", "Cas"));
    ann_pays_twice();
    pass_time(95000); /* Bob's time is over */
    leave(0);
    enter(0);
    pass_time(1000);
    zombie_speaks();
    reserve(WANTS(DEE, "1", "Dee"));
    say(TOPIC_RESERVATIONS_COMMANDS, "CancelReservation",
        OF(DEE) "\"by\":\"customer\",\"refund\":\"none\"}");
    ann_at_the_door();
    say(TOPIC_RESERVATIONS_COMMANDS, "RequestReservation", "{\"show_id\":\"" SHOW "\"}");
    reserve(WANTS(EVE, "1", "Eve"));
    say(TOPIC_CHECKOUT_COMMANDS, "StartCheckout",
        OF(EVE) "\"payment_id\":\"" EVE "\",\"method\":\"cash\",\"by\":\"staff\"}");
    pass_time(12000); /* whoever passed something over says so */
    *installation = stage.installation;
    return stage.sim;
}

void evening_end(void)
{
    for (int i = 0; i < SERVICES; i++)
        leave(i);
    bus_close(stage.crowd);
    sim_free(stage.sim);
}
