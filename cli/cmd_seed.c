/* seed: the three shows of the sample this project replaces, with their bookings.
 *
 * Everything goes through the edge, as a box office would do it. Ids and idempotency keys are
 * fixed, so a second run, or one after a crash, does what is missing and nothing else. */
#include "base/memory.h"
#include "cli/connect.h"
#include "cli/web.h"
#include "schemas/json.h"

#include <stdio.h>

enum { PATIENCE_MS = 20 * 1000, BOOKINGS_MAX = 11 };

struct booking {
    const char *name;
    int quantity;
};

struct seed_show {
    const char *id;
    const char *name;
    const char *starts_at;
    int capacity;
    int blocked;
    struct booking bookings[BOOKINGS_MAX];
};

static const struct seed_show shows[] = {
    {"5b805a00297ae6047030f2e0",
     "yodeling Concert",
     "2035-06-15T18:30:00.000Z",
     100,
     0,
     {{"WDJ", 3}, {"Eve", 7}}},
    {"5b805a570cee1505a52bc75d",
     "Shakespeare Play",
     "2035-07-20T19:00:00.000Z",
     50,
     10,
     {{NULL, 0}}},
    {"5b805a790cee1505a52bc75e",
     "Food Poison Rally",
     "2035-08-25T17:00:00.000Z",
     500,
     0,
     {{"WDJ", 75},
      {"Eve", 125},
      {"Scooby", 50},
      {"Jungle", 25},
      {"Daryle", 25},
      {"Cheryle", 100},
      {"Meryle", 10},
      {"Jones", 15},
      {"Jinkins", 50},
      {"Johanas", 20},
      {"Jerry", 5}}},
};

/* Where the seeding stands. Buffers are reused from call to call. */
struct seed {
    const struct command *command;
    struct web *web;
    struct buffer path, key, body;
    int done_count; /* writes that changed something or were answered again */
};

static int booked(const struct seed_show *show)
{
    int sum = 0;
    for (int i = 0; i < BOOKINGS_MAX && show->bookings[i].name; i++)
        sum += show->bookings[i].quantity;
    return sum;
}

static int64_t member_i64(const struct json *object, const char *name)
{
    int64_t number = 0;
    if (object)
        json_i64(json_member(object, name), &number);
    return number;
}

/* Whether an earlier run finished: then whatever people did since is theirs. */
static bool seeded(struct seed *seed, const struct seed_show *show)
{
    const char *why;
    size_t at;
    buffer_clear(&seed->path);
    buffer_print(&seed->path, "/v1/shows/%s", show->id);
    struct web_call call = {.method = "GET", .path = seed->path.data};
    struct web_answer answer = web_do(seed->web, &call);
    struct json *document = answer.status == 200 ? json_parse(answer.body, &why, &at) : NULL;
    if (document == NULL)
        return false;
    const struct json *use =
        json_is_object(document) ? json_member(document, "availability") : NULL;
    bool done = use && member_i64(use, "sold") >= booked(show) &&
                member_i64(use, "blocked") >= show->blocked;
    json_free(document);
    return done;
}

static struct web_answer write_settled(struct seed *seed, const char *method)
{
    struct web_call call = {.method = method,
                            .path = seed->path.data,
                            .idempotency_key = seed->key.data,
                            .body = seed->body.data};
    return web_settle(seed->web, &call, PATIENCE_MS);
}

static bool succeeded(struct seed *seed, const struct web_answer *answer, const char *what,
                      const char *name)
{
    char why[WEB_ERROR_SIZE];
    if (answer->status == 200 || answer->status == 201) {
        seed->done_count++;
        return true;
    }
    command_fail(seed->command, END_SYSTEM, "%s '%s' failed: %s", what, name,
                 web_problem(answer, why));
    return false;
}

static void set_key(struct seed *seed, const struct seed_show *show, const char *what,
                    const char *name)
{
    buffer_clear(&seed->key);
    buffer_print(&seed->key, "stagedoor-seed-%s-%s-%s", show->id, what, name);
}

static bool create_show(struct seed *seed, const struct seed_show *show)
{
    buffer_clear(&seed->path);
    buffer_string(&seed->path, "/v1/shows");
    buffer_clear(&seed->body);
    json_put_open(&seed->body, NULL, '{');
    json_put_text(&seed->body, "show_id", text_of(show->id));
    json_put_text(&seed->body, "name", text_of(show->name));
    json_put_text(&seed->body, "starts_at", text_of(show->starts_at));
    json_put_i64(&seed->body, "capacity", show->capacity);
    json_put_text(&seed->body, "currency", text_of("EUR"));
    json_put_i64(&seed->body, "max_per_order", 1000);
    json_put_close(&seed->body, '}');
    set_key(seed, show, "show", "show");
    struct web_answer answer = write_settled(seed, "POST");
    return succeeded(seed, &answer, "creating show", show->name);
}

static bool set_block(struct seed *seed, const struct seed_show *show)
{
    if (show->blocked == 0)
        return true;
    buffer_clear(&seed->path);
    buffer_print(&seed->path, "/v1/shows/%s/blocks/sample", show->id);
    buffer_clear(&seed->body);
    buffer_print(&seed->body, "{\"quantity\":%d}", show->blocked);
    set_key(seed, show, "block", "sample");
    struct web_answer answer = write_settled(seed, "PUT");
    return succeeded(seed, &answer, "blocking seats of", show->name);
}

/* Puts the path of the checkout into seed->path when the reservation just answered wants one. */
static bool wants_checkout(struct seed *seed, struct text body)
{
    const char *why;
    size_t at;
    struct text id = {NULL, 0}, status = {NULL, 0};
    struct json *document = json_parse(body, &why, &at);
    if (document == NULL)
        return false;
    if (json_is_object(document)) {
        json_text(json_member(document, "reservation_id"), &id);
        json_text(json_member(document, "status"), &status);
    }
    bool wants = id.size && text_is(status, "held");
    if (wants) {
        buffer_clear(&seed->path);
        buffer_print(&seed->path, "/v1/reservations/%.*s/checkout", TEXT_PRINT(id));
    }
    json_free(document);
    return wants;
}

static bool book(struct seed *seed, const struct seed_show *show, const struct booking *booking)
{
    buffer_clear(&seed->path);
    buffer_print(&seed->path, "/v1/shows/%s/reservations", show->id);
    buffer_clear(&seed->body);
    json_put_open(&seed->body, NULL, '{');
    json_put_i64(&seed->body, "quantity", booking->quantity);
    json_put_text(&seed->body, "name", text_of(booking->name));
    json_put_close(&seed->body, '}');
    set_key(seed, show, "reservation", booking->name);
    struct web_answer answer = write_settled(seed, "POST");
    if (!succeeded(seed, &answer, "reserving for", booking->name))
        return false;
    if (!wants_checkout(seed, answer.body))
        return true;
    buffer_clear(&seed->body);
    buffer_string(&seed->body, "{\"method\":\"none\"}");
    set_key(seed, show, "checkout", booking->name);
    answer = write_settled(seed, "POST");
    return succeeded(seed, &answer, "checkout for", booking->name);
}

static bool seed_one(struct seed *seed, const struct seed_show *show)
{
    if (seeded(seed, show)) {
        printf("'%s' is there already\n", show->name);
        return true;
    }
    if (!create_show(seed, show) || !set_block(seed, show))
        return false;
    for (int i = 0; i < BOOKINGS_MAX && show->bookings[i].name; i++)
        if (!book(seed, show, &show->bookings[i]))
            return false;
    printf("'%s': %d seats, %d sold, %d blocked\n", show->name, show->capacity, booked(show),
           show->blocked);
    return true;
}

int command_seed(const struct command *command, int argc, char **argv)
{
    const char *url = URL_DEFAULT, *key = NULL, *data = DATA_DEFAULT;
    const struct option_spec specs[] = {
        OPTION_TEXT("url", "URL", "STAGEDOOR_URL", &url, "of the edge (" URL_DEFAULT ")"),
        OPTION_TEXT("key", "KEY", "STAGEDOOR_KEY", &key, "an API key with the admin role"),
        OPTION_TEXT("data", "DIR", "STAGEDOOR_DATA", &data,
                    "else: take the key that `up` left in DIR (var)"),
    };
    struct operands operands;
    char signin[KEY_SIZE_MAX];
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (key == NULL && read_signin(data, signin))
        key = signin;
    struct seed seed = {.command = command, .web = web_open(url, key)};
    bool good = true;
    for (size_t i = 0; good && i < sizeof shows / sizeof *shows; i++)
        good = seed_one(&seed, &shows[i]);
    web_close(seed.web);
    buffer_release(&seed.path);
    buffer_release(&seed.key);
    buffer_release(&seed.body);
    return good ? END_OK : END_SYSTEM;
}
