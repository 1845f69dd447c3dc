/* bench: buyers in a hurry, and a count afterwards.
 *
 * Every request has a key of its own and is asked again with it until it is settled, so at the end
 * each is held, refused with a reason, or an error. Then the show is asked how many seats it gave
 * away: no more than it has, and as many as were promised here. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/prng.h"
#include "cli/connect.h"
#include "cli/load.h"
#include "cli/timings.h"
#include "cli/verdict.h"
#include "cli/web.h"
#include "schemas/json.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    TALLY_MAX = 32,
    OPEN_LOOP_CONNECTIONS = 400, /* an edge takes 512 from one address */
    PATIENCE_S_DEFAULT = 30,
    REQUEST_TIMEOUT_MS = 15 * 1000,
    WAIT_S = 10,       /* of one long poll */
    AGREE_MS = 10000,  /* for the show's count to catch up with the answers */
    HOLD_TTL_S = 7200, /* of a show made here: no hold comes back during a run */
    CREATE_MS = 10000
};

enum stage { STAGE_ASKING, STAGE_WAITING };

struct tally {
    char code[VERDICT_CODE_SIZE];
    int64_t count;
};

/* Counts by code, in the order of appearance; what does not fit is counted under the last. */
struct tallies {
    struct tally items[TALLY_MAX];
    int count;
    int64_t sum;
};

struct seats {
    int64_t capacity, held, sold, blocked, oversold_by;
};

struct bench {
    const struct command *command;
    const char *url, *key, *data, *show, *name, *journal_path;
    int64_t connection_count, rate, count, seconds, create_seats, source_count, patience_s;
    bool json, others;

    struct text base_url; /* owned; without a slash at its end */
    char show_id[80];
    struct prng prng;
    FILE *journal;
    struct timings timings;
    int64_t held_count, waited_count;
    struct tallies refused, errors, retries;
    struct seats before, after;
    struct load_result result;
    const char *breach; /* NULL: none */
};

static volatile int stop_count;

static void on_signal(int number)
{
    (void)number;
    stop_count++;
}

static void tally(struct tallies *tallies, const char *code)
{
    int i = 0;
    while (i < tallies->count && strcmp(tallies->items[i].code, code) != 0)
        i++;
    if (i == tallies->count && i < TALLY_MAX)
        snprintf(tallies->items[tallies->count++].code, VERDICT_CODE_SIZE, "%s", code);
    tallies->items[i < TALLY_MAX ? i : TALLY_MAX - 1].count++;
    tallies->sum++;
}

/* ---- the journey of one buyer ---------------------------------------------------------------- */
static void begin(void *user, struct load_item *item)
{
    struct bench *bench = user;
    uint64_t high = prng_next(&bench->prng), low = prng_next(&bench->prng);
    snprintf(item->key, sizeof item->key, "%016llx%016llx", (unsigned long long)high,
             (unsigned long long)low);
    buffer_print(&item->path, "/v1/shows/%s/reservations", bench->show_id);
    json_put_open(&item->body, NULL, '{');
    json_put_i64(&item->body, "quantity", 1);
    json_put_text(&item->body, "name", text_of(bench->name));
    json_put_close(&item->body, '}');
    item->stage = STAGE_ASKING;
}

static void write_journal(struct bench *bench, const struct load_item *item, long status,
                          const char *outcome, const char *code, int64_t latency_us)
{
    struct buffer line = {0};
    if (bench->journal == NULL)
        return;
    json_put_open(&line, NULL, '{');
    json_put_text(&line, "key", text_of(item->key));
    json_put_text(&line, "show_id", text_of(bench->show_id));
    json_put_text(&line, "outcome", text_of(outcome));
    json_put_i64(&line, "status", status);
    json_put_text(&line, "reservation_id", text_of(item->id));
    json_put_text(&line, "code", text_of(code));
    json_put_i64(&line, "retries", item->retry_count);
    json_put_i64(&line, "latency_us", latency_us);
    json_put_close(&line, '}');
    buffer_byte(&line, '\n');
    fwrite(line.data, 1, line.size, bench->journal);
    buffer_release(&line);
}

static enum load_step settle(struct bench *bench, struct load_item *item, long status,
                             const struct verdict *verdict)
{
    static const char *const outcomes[] = {[VERDICT_HELD] = "held",
                                           [VERDICT_REFUSED] = "refused",
                                           [VERDICT_WAIT] = "error",
                                           [VERDICT_RETRY] = "error",
                                           [VERDICT_ERROR] = "error"};
    int64_t latency_us = clock_monotonic_us() - item->intended_at_us;
    if (verdict->kind == VERDICT_HELD)
        bench->held_count++;
    else
        tally(verdict->kind == VERDICT_REFUSED ? &bench->refused : &bench->errors, verdict->code);
    if (verdict->kind == VERDICT_HELD || verdict->kind == VERDICT_REFUSED)
        timings_add(&bench->timings, latency_us);
    write_journal(bench, item, status, outcomes[verdict->kind], verdict->code, latency_us);
    return LOAD_DONE;
}

/* From asking to waiting: the reservation is polled with its own secret. */
static enum load_step wait_for(struct bench *bench, struct load_item *item,
                               const struct verdict *verdict, const struct load_answer *answer)
{
    struct text path = location_path(answer->location);
    if (item->stage == STAGE_WAITING)
        return LOAD_GO_ON;
    if (path.size == 0 || verdict->secret[0] == '\0')
        return LOAD_AGAIN; /* asking with the same key is a way to wait as well */
    bench->waited_count++;
    item->stage = STAGE_WAITING;
    buffer_clear(&item->path);
    buffer_print(&item->path, "%.*s%cwait=%d", TEXT_PRINT(path),
                 memchr(path.data, '?', path.size) ? '&' : '?', WAIT_S);
    buffer_clear(&item->body);
    buffer_clear(&item->bearer);
    buffer_string(&item->bearer, verdict->secret);
    return LOAD_GO_ON;
}

static enum load_step answered(void *user, struct load_item *item, const struct load_answer *answer)
{
    struct bench *bench = user;
    struct verdict verdict;
    int64_t spent_ms = (clock_monotonic_us() - item->begun_at_us) / 1000;
    verdict_read(answer->status, answer->body, &verdict);
    if (verdict.reservation_id[0])
        memcpy(item->id, verdict.reservation_id, sizeof item->id);
    switch (verdict.kind) {
    case VERDICT_HELD:
    case VERDICT_REFUSED:
    case VERDICT_ERROR:
        return settle(bench, item, answer->status, &verdict);
    case VERDICT_WAIT:
        if (spent_ms < bench->patience_s * 1000)
            return wait_for(bench, item, &verdict, answer);
        snprintf(verdict.code, sizeof verdict.code, "undecided");
        return settle(bench, item, answer->status, &verdict);
    case VERDICT_RETRY:
        tally(&bench->retries, verdict.code);
        return LOAD_AGAIN;
    }
    return LOAD_DONE;
}

static void given_up(void *user, struct load_item *item, const struct load_answer *answer)
{
    struct verdict verdict;
    verdict_read(answer->status, answer->body, &verdict);
    settle(user, item, answer->status, &verdict);
}

/* ---- the show -------------------------------------------------------------------------------- */
static int64_t seat_count(const struct json *use, const char *name)
{
    int64_t number = 0;
    json_i64(json_member(use, name), &number);
    return number;
}

static int read_show(struct bench *bench, struct web *web, struct seats *seats)
{
    struct buffer path = {0};
    const char *problem;
    char why[WEB_ERROR_SIZE];
    size_t at;
    buffer_print(&path, "/v1/shows/%s", bench->show_id);
    struct web_call call = {.method = "GET", .path = path.data};
    struct web_answer answer = web_settle(web, &call, CREATE_MS);
    buffer_release(&path);
    if (answer.status != 200)
        return command_fail(bench->command, answer.status == 404 ? END_NO : END_SYSTEM,
                            "cannot read show '%s': %s", bench->show_id, web_problem(&answer, why));
    struct json *document = json_parse(answer.body, &problem, &at);
    const struct json *use =
        document && json_is_object(document) ? json_member(document, "availability") : NULL;
    int end = END_OK;
    if (use && json_is_object(use))
        *seats = (struct seats){seat_count(use, "capacity"), seat_count(use, "held"),
                                seat_count(use, "sold"), seat_count(use, "blocked"),
                                seat_count(use, "oversold_by")};
    else
        end = command_fail(bench->command, END_SYSTEM, "the show's answer has no availability");
    json_free(document);
    return end;
}

static int create_show(struct bench *bench, struct web *web)
{
    struct buffer body = {0};
    char why[WEB_ERROR_SIZE], key[128];
    json_put_open(&body, NULL, '{');
    json_put_text(&body, "show_id", text_of(bench->show_id));
    json_put_text(&body, "name", text_of("bench"));
    json_put_text(&body, "starts_at", text_of("2036-01-01T20:00:00.000Z"));
    json_put_i64(&body, "capacity", bench->create_seats);
    json_put_text(&body, "currency", text_of("EUR"));
    json_put_i64(&body, "hold_ttl_s", HOLD_TTL_S);
    json_put_close(&body, '}');
    snprintf(key, sizeof key, "stagedoor-bench-show-%s", bench->show_id);
    struct web_call call = {
        .method = "POST", .path = "/v1/shows", .idempotency_key = key, .body = body.data};
    struct web_answer answer = web_settle(web, &call, CREATE_MS);
    buffer_release(&body);
    if (answer.status == 200 || answer.status == 201)
        return END_OK;
    return command_fail(bench->command, END_SYSTEM, "cannot create show '%s': %s", bench->show_id,
                        web_problem(&answer, why));
}

static int64_t taken(const struct seats *seats)
{
    return seats->held + seats->sold;
}

/* What is wrong with the count, or NULL. Requests that ended as errors may have been held. */
static const char *find_breach(const struct bench *bench)
{
    const struct seats *after = &bench->after;
    int64_t unknown = bench->errors.sum + bench->result.dropped_count;
    int64_t given = taken(after) - taken(&bench->before);
    if (taken(after) + after->blocked > after->capacity || after->oversold_by > 0)
        return "the show is oversold";
    if (bench->others)
        return NULL;
    if (given < bench->held_count)
        return "fewer seats are taken than were promised";
    if (given > bench->held_count + unknown)
        return "more seats are taken than were promised";
    return NULL;
}

/* The view may lag behind the last answers: ask until it agrees, or for long enough. */
static int check_show(struct bench *bench, struct web *web)
{
    int64_t until_ms = clock_monotonic_ms() + AGREE_MS;
    for (;;) {
        int end = read_show(bench, web, &bench->after);
        if (end != END_OK)
            return end;
        bench->breach = find_breach(bench);
        if (bench->breach == NULL || clock_monotonic_ms() >= until_ms)
            return bench->breach ? END_NO : END_OK;
        struct timespec pause = {0, 100 * 1000000};
        nanosleep(&pause, NULL);
    }
}

/* ---- the report ------------------------------------------------------------------------------ */
static double milliseconds(struct bench *bench, double percent)
{
    return (double)timings_percentile_us(&bench->timings, percent) / 1000;
}

static double per_second(const struct bench *bench)
{
    int64_t settled = bench->held_count + bench->refused.sum;
    return bench->result.elapsed_us ? (double)settled * 1e6 / (double)bench->result.elapsed_us : 0;
}

static void print_tallies(const char *name, const struct tallies *tallies)
{
    printf("  %-8s %9lld", name, (long long)tallies->sum);
    for (int i = 0; i < tallies->count; i++)
        printf("  %s %lld", tallies->items[i].code, (long long)tallies->items[i].count);
    printf("\n");
}

static void print_report(struct bench *bench)
{
    const struct seats *after = &bench->after;
    printf("bench reserve: %lld requests in %.2f s, %.0f settled a second, %lld at once\n",
           (long long)bench->result.begun_count, (double)bench->result.elapsed_us / 1e6,
           per_second(bench), (long long)bench->connection_count);
    if (bench->rate)
        printf("  open loop, %lld a second, timed from the intended start\n",
               (long long)bench->rate);
    printf("  %-8s %9lld\n", "held", (long long)bench->held_count);
    print_tallies("refused", &bench->refused);
    print_tallies("errors", &bench->errors);
    print_tallies("retries", &bench->retries);
    if (bench->waited_count)
        printf("  %-8s %9lld  answered 202 first\n", "waited", (long long)bench->waited_count);
    if (bench->result.dropped_count)
        printf("  %-8s %9lld\n", "dropped", (long long)bench->result.dropped_count);
    printf("  latency ms  p50 %.1f  p90 %.1f  p99 %.1f  max %.1f\n", milliseconds(bench, 50),
           milliseconds(bench, 90), milliseconds(bench, 99), milliseconds(bench, 100));
    printf("  show '%s': capacity %lld, held %lld, sold %lld, blocked %lld: %s\n", bench->show_id,
           (long long)after->capacity, (long long)after->held, (long long)after->sold,
           (long long)after->blocked, bench->breach ? bench->breach : "not oversold, count agrees");
}

static void put_tallies(struct buffer *out, const char *name, const struct tallies *tallies)
{
    json_put_open(out, name, '{');
    for (int i = 0; i < tallies->count; i++)
        json_put_i64(out, tallies->items[i].code, tallies->items[i].count);
    json_put_close(out, '}');
}

static void put_seats(struct buffer *out, const struct bench *bench)
{
    const struct seats *after = &bench->after;
    json_put_open(out, "show", '{');
    json_put_text(out, "show_id", text_of(bench->show_id));
    json_put_i64(out, "capacity", after->capacity);
    json_put_i64(out, "held", after->held);
    json_put_i64(out, "sold", after->sold);
    json_put_i64(out, "blocked", after->blocked);
    json_put_i64(out, "oversold_by", after->oversold_by);
    json_put_i64(out, "taken_before", taken(&bench->before));
    json_put_close(out, '}');
}

static void print_json(struct bench *bench)
{
    static const struct {
        const char *name;
        double percent;
    } percentiles[] = {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"max", 100}};
    struct buffer out = {0};
    json_put_open(&out, NULL, '{');
    json_put_i64(&out, "requests", bench->result.begun_count);
    json_put_i64(&out, "elapsed_us", bench->result.elapsed_us);
    json_put_i64(&out, "settled_per_second", (int64_t)per_second(bench));
    json_put_i64(&out, "connections", bench->connection_count);
    json_put_i64(&out, "rate", bench->rate);
    json_put_i64(&out, "held", bench->held_count);
    put_tallies(&out, "refused", &bench->refused);
    put_tallies(&out, "errors", &bench->errors);
    put_tallies(&out, "retries", &bench->retries);
    json_put_i64(&out, "waited", bench->waited_count);
    json_put_i64(&out, "dropped", bench->result.dropped_count);
    json_put_open(&out, "latency_us", '{');
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++)
        json_put_i64(&out, percentiles[i].name,
                     timings_percentile_us(&bench->timings, percentiles[i].percent));
    json_put_close(&out, '}');
    put_seats(&out, bench);
    if (bench->breach)
        json_put_text(&out, "breach", text_of(bench->breach));
    else
        json_put_null(&out, "breach");
    json_put_close(&out, '}');
    printf("%s\n", out.data);
    buffer_release(&out);
}

/* ---- the command ----------------------------------------------------------------------------- */
static int prepare(struct bench *bench, struct web *web)
{
    int allowed;
    if (!load_reserve_descriptors((int)bench->connection_count, &allowed))
        return command_fail(bench->command, END_SYSTEM,
                            "%lld connections need more descriptors than the %d permitted; try: "
                            "ulimit -n 65536",
                            (long long)bench->connection_count, allowed);
    if (bench->journal_path && (bench->journal = fopen(bench->journal_path, "we")) == NULL)
        return command_fail(bench->command, END_SYSTEM, "cannot write '%s': %s",
                            bench->journal_path, strerror(errno));
    if (bench->show)
        snprintf(bench->show_id, sizeof bench->show_id, "%s", bench->show);
    else
        snprintf(bench->show_id, sizeof bench->show_id, "bench-%08x",
                 (unsigned)prng_next(&bench->prng));
    int end = bench->create_seats ? create_show(bench, web) : END_OK;
    return end == END_OK ? read_show(bench, web, &bench->before) : end;
}

static void run_load(struct bench *bench)
{
    struct load_plan plan = {.url = bench->base_url.data,
                             .connection_count = (int)bench->connection_count,
                             .rate = bench->rate,
                             .count = bench->count,
                             .duration_ms = bench->seconds * 1000,
                             .source_count = (int)bench->source_count,
                             .request_timeout_ms = REQUEST_TIMEOUT_MS,
                             .patience_ms = (int)bench->patience_s * 1000,
                             .user = bench,
                             .begin = begin,
                             .answered = answered,
                             .given_up = given_up,
                             .stop = &stop_count};
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    bench->result = load_run(&plan);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

static int run(struct bench *bench)
{
    char signin[KEY_SIZE_MAX];
    struct text base = text_of(bench->url);
    while (base.size && base.data[base.size - 1] == '/')
        base.size--;
    bench->base_url = text_copy(base);
    if (bench->key == NULL && read_signin(bench->data, signin))
        bench->key = signin;
    struct web *web = web_open(bench->url, bench->key);
    int end = prepare(bench, web);
    if (end == END_OK) {
        run_load(bench);
        end = check_show(bench, web);
        if (end == END_OK || end == END_NO) {
            if (bench->json)
                print_json(bench);
            else
                print_report(bench);
        }
        if (end == END_OK && bench->errors.sum)
            end = END_SYSTEM;
    }
    web_close(web);
    if (bench->journal && fclose(bench->journal) != 0 && end == END_OK)
        end = command_fail(bench->command, END_SYSTEM, "cannot write '%s': %s", bench->journal_path,
                           strerror(errno));
    timings_release(&bench->timings);
    text_free(&bench->base_url);
    return end;
}

static int check_options(struct bench *bench, const struct operands *operands)
{
    if (operands->count != 1 || strcmp(operands->items[0], "reserve") != 0)
        return command_fail(bench->command, END_USAGE, "say reserve; see --help");
    if (bench->show == NULL && bench->create_seats == 0)
        return command_fail(bench->command, END_USAGE, "--show ID or --create SEATS is needed");
    if (bench->count && bench->seconds)
        return command_fail(bench->command, END_USAGE, "either --count or --seconds, not both");
    if (bench->show && strlen(bench->show) >= sizeof bench->show_id)
        return command_fail(bench->command, END_USAGE, "the show's id is too long");
    if (bench->count == 0 && bench->seconds == 0)
        bench->count = 1000;
    if (bench->connection_count == 0)
        bench->connection_count = bench->rate ? OPEN_LOOP_CONNECTIONS : 1;
    return END_OK;
}

int command_bench(const struct command *command, int argc, char **argv)
{
    struct bench bench = {.command = command,
                          .url = URL_DEFAULT,
                          .data = DATA_DEFAULT,
                          .name = "bench",
                          .patience_s = PATIENCE_S_DEFAULT,
                          .prng = {prng_seed_random()}};
    const struct option_spec specs[] = {
        OPTION_TEXT("url", "URL", "STAGEDOOR_URL", &bench.url, "of the edge (" URL_DEFAULT ")"),
        OPTION_TEXT("show", "ID", NULL, &bench.show, "to reserve from"),
        OPTION_COUNT("create", 0, "SEATS", NULL, &bench.create_seats, 1, 1000000,
                     "make the show first, with so many seats"),
        OPTION_TEXT("key", "KEY", "STAGEDOOR_KEY", &bench.key,
                    "an API key with the admin role, for --create"),
        OPTION_TEXT("data", "DIR", "STAGEDOOR_DATA", &bench.data,
                    "else: take the key that `up` left in DIR (var)"),
        OPTION_COUNT("connections", 'c', "N", NULL, &bench.connection_count, 1,
                     LOAD_CONNECTIONS_MAX, "at once (1; with --rate 400)"),
        OPTION_COUNT("rate", 'R', "N", NULL, &bench.rate, 1, LOAD_RATE_MAX,
                     "begin N a second, answered or not (open loop)"),
        OPTION_COUNT("count", 'n', "N", NULL, &bench.count, 1, INT32_MAX, "requests in all (1000)"),
        OPTION_COUNT("seconds", 0, "S", NULL, &bench.seconds, 1, 86400, "instead of a count"),
        OPTION_COUNT("sources", 0, "N", NULL, &bench.source_count, 1, LOAD_SOURCES_MAX,
                     "come from 127.0.0.1 to 127.0.0.N"),
        OPTION_COUNT("patience", 0, "S", NULL, &bench.patience_s, 0, 3600,
                     "ask again for so long when there is no answer (30)"),
        OPTION_TEXT("name", "NAME", NULL, &bench.name, "of the holder (bench)"),
        OPTION_FLAG("others", 0, NULL, &bench.others,
                    "others buy as well: check only that it is not oversold"),
        OPTION_TEXT("journal", "FILE", NULL, &bench.journal_path, "one JSON line for each request"),
        OPTION_FLAG("json", 0, NULL, &bench.json, "the report as one JSON object"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    end = check_options(&bench, &operands);
    return end == END_OK ? run(&bench) : end;
}
