/* Reads which shows there are, sends each its command, and reads on until all are answered; shows
 * that were made or opened meanwhile come next. */
#include "cli/switch_sales.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "bus/envelope.h"
#include "cli/log_reader.h"
#include "schemas/json.h"

#include <stdio.h>

enum { WAIT_S = 30 };

struct switching {
    const struct command *command;
    const struct sales_switch *way;
    struct log_options log;
    const char *reason;
    bool all, json;
    int64_t wait_s;
    const struct operands *shows;

    struct log_reader reader;
    struct sales sales;
    size_t open_count; /* sent and not answered */
};

/* ---- sending --------------------------------------------------------------------------------- */
static bool send(struct switching *self, struct sale *sale)
{
    struct message message;
    struct envelope envelope = {0};
    char id[UUID_SIZE];
    int partition = topic_partition_of(sale->show_id, self->reader.installation.partition_count);
    message_init(&message, self->way->type);
    message.id = text_of(uuid_random(id));
    message.actor = text_of(self->all ? self->way->actor_all : self->way->actor_one);
    message.at_ms = clock_wall_ms();
    message_set(&message, show_id, sale->show_id);
    if (self->reason)
        message_set(&message, why, text_of(self->reason));
    envelope_open(&envelope, &message, SPEAKER_shows);
    enum bus_result result =
        bus_append(self->reader.bus, TOPIC_SHOWS_COMMANDS, partition, envelope_close(&envelope), 0);
    envelope_release(&envelope);
    if (result != BUS_OK)
        return false;
    sale->asked = text_copy(text_of(id));
    self->open_count++;
    return true;
}

static bool is_wanted(const struct switching *self, const struct sale *sale)
{
    if (sale->asked.data || sale->over)
        return false;
    if (self->all)
        return self->way->wants(sale);
    for (int i = 0; i < self->shows->count; i++)
        if (text_is(sale->show_id, self->shows->items[i]))
            return sale->paused == (self->way->type == MESSAGE_OpenSale);
    return false;
}

/* As many as the bus takes now. */
static void send_wanted(struct switching *self)
{
    for (size_t i = 0; i < self->sales.count; i++)
        if (is_wanted(self, self->sales.items[i]) && !send(self, self->sales.items[i]))
            return;
}

/* ---- the outcomes ---------------------------------------------------------------------------- */
static void count_open(struct switching *self)
{
    self->open_count = 0;
    for (size_t i = 0; i < self->sales.count; i++)
        self->open_count += self->sales.items[i]->asked.data && !self->sales.items[i]->answered;
}

static enum log_step read_on(struct switching *self)
{
    enum log_step step = log_reader_next(&self->reader);
    if (step == LOG_ITEM && self->reader.news == FOLLOWER_MESSAGE)
        sales_take(&self->sales, &self->reader.item);
    return step;
}

/* END_OK also when some are without an answer in the end: each is told. */
static int switch_all(struct switching *self)
{
    enum log_step step;
    while ((step = read_on(self)) == LOG_ITEM)
        ;
    if (step == LOG_OVER)
        return self->reader.end;
    self->reader.until_ms = clock_monotonic_ms() + self->wait_s * 1000;
    for (send_wanted(self); self->open_count && read_on(self) == LOG_ITEM; send_wanted(self))
        count_open(self);
    return END_OK;
}

static const char *outcome_of(const struct switching *self, const struct sale *sale)
{
    if (sale->asked.data == NULL)
        return sale->over ? "is over" : self->way->before;
    if (!sale->answered)
        return "has not answered; the command is in the log";
    return sale->refused == code_COUNT ? self->way->done : "refused";
}

static bool is_told(const struct switching *self, const struct sale *sale)
{
    if (sale->asked.data)
        return true;
    for (int i = 0; i < self->shows->count; i++)
        if (text_is(sale->show_id, self->shows->items[i]))
            return true;
    return self->all && !sale->over;
}

static void print(const struct switching *self)
{
    struct buffer out = {0};
    if (self->json)
        json_put_open(&out, NULL, '[');
    for (size_t i = 0; i < self->sales.count; i++) {
        const struct sale *sale = self->sales.items[i];
        const char *outcome = outcome_of(self, sale);
        bool refused = sale->refused != code_COUNT;
        if (!is_told(self, sale))
            continue;
        if (!self->json) {
            buffer_print(&out, "%.*s: %s%s%s\n", TEXT_PRINT(sale->show_id), outcome,
                         refused ? ": " : "", refused ? code_name(sale->refused) : "");
            continue;
        }
        json_put_open(&out, NULL, '{');
        json_put_text(&out, "show_id", sale->show_id);
        json_put_text(&out, "outcome", text_of(outcome));
        json_put_bool(&out, "changed", sale->answered && !refused);
        if (refused)
            json_put_text(&out, "code", text_of(code_name(sale->refused)));
        json_put_close(&out, '}');
    }
    if (self->json) {
        json_put_close(&out, ']');
        buffer_byte(&out, '\n');
    }
    if (out.size == 0)
        buffer_string(&out, "there is no show to be switched\n");
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
}

/* ---- the verdict ----------------------------------------------------------------------------- */
static int unknown_shows(const struct switching *self)
{
    int end = END_OK;
    for (int i = 0; i < self->shows->count; i++)
        if (sales_find(&self->sales, text_of(self->shows->items[i])) == NULL)
            end =
                command_fail(self->command, END_NO, "there is no show '%s'", self->shows->items[i]);
    return end;
}

static int verdict(const struct switching *self)
{
    int end = unknown_shows(self);
    for (size_t i = 0; i < self->sales.count; i++)
        if (self->sales.items[i]->refused != code_COUNT)
            end = END_NO;
    if (self->open_count == 0)
        return end;
    return command_fail(self->command, END_SYSTEM,
                        "%zu shows have not answered in %lld s; it is done as soon as shows runs: "
                        "stagedoor owners",
                        self->open_count, (long long)self->wait_s);
}

static int run(struct switching *self)
{
    struct log_wish wish = {.topics[TOPIC_SHOWS_EVENTS] = true};
    int end;
    if (!log_reader_open(&self->reader, self->command, &self->log, &wish, &end))
        return end;
    end = switch_all(self);
    if (end == END_OK) {
        count_open(self);
        print(self);
        end = self->reader.lost ? END_NO : verdict(self);
    }
    log_reader_close(&self->reader);
    sales_release(&self->sales);
    return end;
}

int switch_sales(const struct command *command, int argc, char **argv,
                 const struct sales_switch *way)
{
    static struct switching self;
    struct operands operands;
    self = (struct switching){.command = command, .way = way, .shows = &operands, .wait_s = WAIT_S};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&self.log),
        OPTION_FLAG("all", 0, NULL, &self.all, way->what_all),
        OPTION_TEXT("reason", "TEXT", NULL, &self.reason, "for the record"),
        OPTION_COUNT("wait", 0, "S", NULL, &self.wait_s, 1, 3600, "for the answers (30)"),
        OPTION_FLAG("json", 0, NULL, &self.json, "one JSON array"),
    };
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (self.all == (operands.count > 0))
        return command_fail(command, END_USAGE, "say which shows, or --all; see --help");
    return run(&self);
}
