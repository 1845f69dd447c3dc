/* What strangers and our own faults may do to the loop: odd bytes, notes of dying owners, a clock
 * that is set. */
#include "bus/envelope.h"
#include "bus/service.h"
#include "bus/sim.h"
#include "schemas/refusal.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 1790000000 };

struct house {
    struct sim *sim;
    struct bus *bus; /* of the strangers */
    struct bus *service_bus;
    struct service *service;
    struct installation installation;
};

static struct bus *open_bus(struct house *house, const char *name, bool create)
{
    struct bus_options options = {.client = name, .instance = name};
    struct bus_error error;
    struct bus *bus = sim_bus_open(house->sim, &options);
    assert_int_equal(installation_open(bus, create, 1, &house->installation, &error), BUS_OK);
    return bus;
}

static void hire(struct house *house, const struct service_descriptor *descriptor)
{
    struct service_options options = {"one", 7, NULL};
    house->service_bus = open_bus(house, descriptor->name, false);
    house->service = service_new(house->service_bus, descriptor, &house->installation, &options);
}

static void dismiss(struct house *house)
{
    service_free(house->service);
    bus_close(house->service_bus);
}

static struct house house_open(const struct service_descriptor *descriptor)
{
    struct house house = {.sim = sim_new(1, START_MS * INT64_C(1000))};
    house.bus = open_bus(&house, "stranger", true);
    hire(&house, descriptor);
    return house;
}

static void house_close(struct house *house)
{
    dismiss(house);
    bus_close(house->bus);
    sim_free(house->sim);
}

static void pass(struct house *house, int64_t ms)
{
    for (int64_t i = 0; i < ms; i += 10) {
        sim_advance(house->sim, 10);
        service_step(house->service, sim_now_ms(house->sim), 0);
    }
}

static void send(struct house *house, int topic, const char *type, const char *value)
{
    struct bus_header header = {TEXT("ce_type"), text_of(type)};
    struct bus_record record = {.value = text_of(value), .headers = &header, .header_count = 1};
    struct bus_event event;
    assert_int_equal(bus_append(house->bus, topic, 0, &record, 0), BUS_OK);
    while (bus_poll(house->bus, 0, &event))
        ;
}

/* The last record of a topic as a message. */
static struct message last(struct house *house, int topic, struct arena *arena)
{
    struct place place = {topic, 0, sim_end(house->sim, topic, 0) - 1};
    struct bus_record record;
    struct message message;
    struct codec_error error;
    assert_true(sim_record(house->sim, topic, 0, place.offset, &record));
    assert_int_equal(envelope_read(&record, &place, arena, &message, &error), ENVELOPE_OK);
    return message;
}

static void hostile__odd_bytes_in_a_type_are_refused_readably(void **state)
{
    static const char *const types[] = {"\xff\xfe", "a\x01z", "x\x7f", "stagedoor.shows.OpenSale\n",
                                        "\xc3"};
    struct house house = house_open(&shows_service);
    struct arena arena = {0};
    (void)state;
    pass(&house, 1000);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        send(&house, TOPIC_SHOWS_COMMANDS, types[i], "{}");
        pass(&house, 100);
        assert_int_equal(last(&house, TOPIC_SHOWS_EVENTS, &arena).code, code_unknown_type);
    }
    assert_int_equal(service_phase(house.service, 0), DESK_RUNNING);
    dismiss(&house);
    hire(&house, &shows_service); /* whoever comes next can read it all */
    pass(&house, 10000);
    assert_int_equal(service_phase(house.service, 0), DESK_RUNNING);
    arena_release(&arena);
    house_close(&house);
}

static const char request[] =
    "{\"show_id\":\"s\",\"reservation_id\":\"11111111-1111-4111-8111-111111111111\",\"lines\":"
    "[{\"tier_id\":\"standard\",\"quantity\":1}],\"holder\":{\"name\":\"Eve\"},\"channel\":"
    "\"web\"}";

static void hostile__idle_restarts_refuse_nobody(void **state)
{
    struct house house = house_open(&reservations_service);
    struct arena arena = {0};
    (void)state;
    for (int i = 0; i < 12; i++) {
        pass(&house, 200);
        dismiss(&house);
        hire(&house, &reservations_service);
    }
    pass(&house, 10000);
    send(&house, TOPIC_RESERVATIONS_COMMANDS, "stagedoor.reservations.RequestReservation", request);
    pass(&house, 1000);
    assert_int_equal(last(&house, TOPIC_RESERVATIONS_EVENTS, &arena).type,
                     MESSAGE_ReservationRequested);
    arena_release(&arena);
    house_close(&house);
}

/* An owner that wrote down what it would decide, and was never heard of again. */
static void die_on(struct house *house, int64_t offset, uint64_t nonce)
{
    struct bus_header claim[] = {{TEXT("ce_type"), TEXT("stagedoor.bus.Claimed")},
                                 {TEXT("sd_claim"), {NULL, 0}}};
    struct bus_header note[] = {{TEXT("ce_type"), TEXT("stagedoor.bus.Progress")},
                                {TEXT("sd_stamp"), {NULL, 0}},
                                {TEXT("sd_source"), {NULL, 0}},
                                {TEXT("sd_positions"), TEXT("0;0")}};
    char mark[64], stamp[64], source[64];
    long long at = sim_end(house->sim, TOPIC_RESERVATIONS_EVENTS, 0);
    snprintf(mark, sizeof mark, "%016llx/%s", (unsigned long long)nonce, house->installation.id);
    snprintf(stamp, sizeof stamp, "%lld-%016llx.1", at, (unsigned long long)nonce);
    snprintf(source, sizeof source, "reservations.commands/0@%lld#00000000", (long long)offset);
    claim[1].value = text_of(mark);
    note[1].value = text_of(stamp);
    note[2].value = text_of(source);
    struct bus_record records[] = {{.value = TEXT("{}"), .headers = claim, .header_count = 2},
                                   {.value = TEXT("{}"), .headers = note, .header_count = 4}};
    for (int i = 0; i < 2; i++)
        assert_int_equal(bus_append(house->bus, TOPIC_RESERVATIONS_EVENTS, 0, &records[i], 0),
                         BUS_OK);
}

static enum message_type after_deaths(int deaths)
{
    struct house house = house_open(&reservations_service);
    struct arena arena = {0};
    dismiss(&house);
    send(&house, TOPIC_RESERVATIONS_COMMANDS, "stagedoor.reservations.RequestReservation", request);
    for (int i = 0; i < deaths; i++)
        die_on(&house, 0, (uint64_t)i + 1);
    hire(&house, &reservations_service);
    pass(&house, 10000);
    struct message answer = last(&house, TOPIC_RESERVATIONS_EVENTS, &arena);
    assert_true(answer.type != MESSAGE_Refused || answer.code == code_internal);
    arena_release(&arena);
    house_close(&house);
    return answer.type;
}

static void hostile__an_input_that_ends_five_owners_is_refused(void **state)
{
    (void)state;
    assert_int_equal(after_deaths(4), MESSAGE_ReservationRequested);
    assert_int_equal(after_deaths(5), MESSAGE_Refused);
}

/* A hold of 60 s and 30 of grace lasts 90, also when an hour is put on while we own. */
static void hostile__a_hold_lasts_as_long_when_the_clock_is_set_forward(void **state)
{
    struct house house = house_open(&shows_service);
    struct arena arena = {0};
    char show[256];
    (void)state;
    snprintf(show, sizeof show,
             "{\"show_id\":\"s\",\"name\":\"S\",\"starts_at_ms\":%lld,\"capacity\":5,\"currency\":"
             "\"EUR\",\"hold_ttl_s\":60}",
             START_MS * 1000LL + 86400000);
    pass(&house, 1000);
    send(&house, TOPIC_SHOWS_COMMANDS, "stagedoor.shows.CreateShow", show);
    pass(&house, 1000);
    sim_step_clock(house.sim, 3600 * 1000);
    send(&house, TOPIC_SHOWS_COMMANDS, "stagedoor.shows.OpenSale", "{\"show_id\":\"s\"}");
    pass(&house, 1000);
    int64_t at = sim_end(house.sim, TOPIC_RESERVATIONS_EVENTS, 0);
    die_on(&house, 0, 9); /* a claim of reservations; its event follows */
    char stamp[64];
    snprintf(stamp, sizeof stamp, "%lld-%016llx.2", (long long)at, 9ULL);
    struct bus_header headers[] = {
        {TEXT("ce_type"), TEXT("stagedoor.reservations.ReservationRequested")},
        {TEXT("sd_stamp"), text_of(stamp)}};
    struct bus_record record = {.value = text_of(request), .headers = headers, .header_count = 2};
    assert_int_equal(bus_append(house.bus, TOPIC_RESERVATIONS_EVENTS, 0, &record, 0), BUS_OK);
    pass(&house, 1000);
    assert_int_equal(last(&house, TOPIC_SHOWS_EVENTS, &arena).type, MESSAGE_SeatsHeld);
    pass(&house, 80 * 1000);
    assert_int_not_equal(last(&house, TOPIC_SHOWS_EVENTS, &arena).type, MESSAGE_HoldExpired);
    int64_t end = sim_end(house.sim, TOPIC_SHOWS_EVENTS, 0);
    pass(&house, 20 * 1000);
    assert_true(sim_end(house.sim, TOPIC_SHOWS_EVENTS, 0) > end);
    arena_release(&arena);
    house_close(&house);
}

/* ---- a core that says what it has not declared ----------------------------------------------- */

static enum message_type lie; /* what the core says to everything */

static bool decide_lie(const void *core, const struct message *input, int64_t now_ms,
                       struct message *outcome)
{
    (void)core;
    (void)now_ms;
    if (lie == MESSAGE_Refused && input)
        return refuse(outcome, input, code_wrong_state, NULL, "no");
    message_init(outcome, lie);
    return true;
}

static int64_t due_at_once(const void *core)
{
    (void)core;
    return START_MS * INT64_C(1000);
}

static bool due_lie(const void *core, int64_t now_ms, struct message *outcome)
{
    return decide_lie(core, NULL, now_ms, outcome);
}

static void meet(const struct service_descriptor *liar, int topic, const char *type)
{
    struct house house = house_open(liar);
    pass(&house, 1000);
    if (type) {
        die_on(&house, 0, 9); /* a claim of reservations; its event follows */
        struct bus_header headers[] = {{TEXT("ce_type"), text_of(type)}, {TEXT("sd_stamp"), {0}}};
        char stamp[64];
        snprintf(stamp, sizeof stamp, "%lld-%016llx.2",
                 (long long)sim_end(house.sim, TOPIC_RESERVATIONS_EVENTS, 0) - 2, 9ULL);
        headers[1].value = text_of(stamp);
        struct bus_record record = {
            .value = text_of(topic_is_events(topic) ? request : "{\"show_id\":\"s\"}"),
            .headers = headers,
            .header_count = topic_is_events(topic) ? 2 : 1};
        assert_int_equal(bus_append(house.bus, topic, 0, &record, 0), BUS_OK);
    }
    pass(&house, 10000);
    house_close(&house);
}

/* How a process ends whose core lies, and the last it says. */
static bool dies_of(const struct service_descriptor *liar, int topic, const char *type, char *said,
                    size_t size)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (dup2(ends[1], STDERR_FILENO) < 0)
            _exit(2);
        meet(liar, topic, type);
        _exit(0);
    }
    close(ends[1]);
    size_t got = 0;
    for (ssize_t n; (n = read(ends[0], said + got, size - 1 - got)) > 0;)
        got += (size_t)n;
    said[got] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void hostile__an_outcome_that_is_not_declared_ends_the_owner(void **state)
{
    static const char requested[] = "stagedoor.reservations.ReservationRequested";
    static const char opened[] = "stagedoor.shows.OpenSale";
    static const struct {
        int topic;
        const char *type; /* NULL: the timer */
        enum message_type lie;
        const char *said; /* NULL: it lives */
    } rows[] = {
        {TOPIC_SHOWS_COMMANDS, opened, MESSAGE_SeatsHeld, "cannot answer OpenSale with SeatsHeld:"},
        {TOPIC_RESERVATIONS_EVENTS, requested, MESSAGE_HoldReleased,
         "cannot answer ReservationRequested with HoldReleased:"},
        /* Refusing is for commands: whoever said an event does not wait for an answer. */
        {TOPIC_RESERVATIONS_EVENTS, requested, MESSAGE_Refused,
         "cannot answer ReservationRequested with Refused:"},
        {0, NULL, MESSAGE_SeatsSold, "cannot answer the timer with SeatsSold:"},
        {0, NULL, MESSAGE_Refused, "cannot answer the timer with Refused:"},
        {TOPIC_SHOWS_COMMANDS, opened, MESSAGE_Refused, NULL},
        /* What the loop refuses by itself is no word of the core. */
        {TOPIC_SHOWS_COMMANDS, "stagedoor.shows.Unheard", MESSAGE_SeatsHeld, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char said[8192];
        struct service_descriptor liar = shows_service;
        liar.decide = decide_lie;
        liar.due_at = rows[i].type ? NULL : due_at_once;
        liar.due = due_lie;
        lie = rows[i].lie;
        bool died = dies_of(&liar, rows[i].topic, rows[i].type, said, sizeof said);
        if (died != (rows[i].said != NULL))
            fail_msg("row %zu %s: %s", i, died ? "died" : "lived", said);
        if (died && (!strstr(said, rows[i].said) || !strstr(said, "mend the core, or declare the "
                                                                  "outcome in services/shows/"
                                                                  "shows_service.c")))
            fail_msg("row %zu says: %s", i, said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile__odd_bytes_in_a_type_are_refused_readably),
        cmocka_unit_test(hostile__idle_restarts_refuse_nobody),
        cmocka_unit_test(hostile__an_input_that_ends_five_owners_is_refused),
        cmocka_unit_test(hostile__a_hold_lasts_as_long_when_the_clock_is_set_forward),
        cmocka_unit_test(hostile__an_outcome_that_is_not_declared_ends_the_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
