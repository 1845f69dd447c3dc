/* flow: what happened to one reservation, or to one show, and what came of what.
 *
 * One reading of the whole log finds every record that names the id: a command may lie in the wrong
 * partition, and one without outcome is found in no other way. */
#include "base/uuid.h"
#include "cli/log_reader.h"
#include "cli/show_print.h"
#include "schemas/json.h"
#include "schemas/ticket.h"
#include "story/flow.h"
#include "story/subject.h"

#include <stdio.h>

struct flow_command {
    const struct command *command;
    struct log_options log;
    bool json, mermaid, all;

    struct log_reader reader;
    struct text id;                 /* what is looked for */
    char reservation_id[UUID_SIZE]; /* of the payment or refund that `id` names */
    enum subject subject;           /* the best that was found */
    char show_id[ID_SIZE_MAX + 1];
    struct show_fold fold;
    struct record_list list;
};

/* ---- which records --------------------------------------------------------------------------- */
static void copy(char *out, size_t size, struct text text)
{
    snprintf(out, size, "%.*s", TEXT_PRINT(text));
}

static void take(struct flow_command *flow)
{
    const struct follower_item *item = &flow->reader.item;
    const struct message *message = &item->message;
    bool event = topic_is_events(item->place.topic);
    /* Of a command that could not be read its good fields are there all the same. */
    if (flow->reader.news != FOLLOWER_MESSAGE && (event || flow->reader.news != FOLLOWER_VOID))
        return;
    enum subject subject = subject_of(message, flow->id);
    if (subject == SUBJECT_NONE)
        return;
    if (subject < flow->subject)
        flow->subject = subject;
    if (message_has(message, show_id) && flow->show_id[0] == '\0')
        copy(flow->show_id, sizeof flow->show_id, message->show_id);
    if (subject == SUBJECT_PAYMENT && message_has(message, reservation_id))
        copy(flow->reservation_id, sizeof flow->reservation_id, message->reservation_id);
    if (subject == SUBJECT_SHOW && event)
        show_fold_take(&flow->fold, item);
    if (subject != SUBJECT_SHOW || flow->all || !subject_is_a_reservation(message))
        record_list_add(&flow->list, flow->reader.news, item);
}

static int read_log(struct flow_command *flow)
{
    for (;;)
        switch (log_reader_next(&flow->reader)) {
        case LOG_ITEM:
            take(flow);
            break;
        case LOG_END:
            record_list_sort(&flow->list);
            return END_OK;
        case LOG_OVER:
            return flow->reader.end;
        }
}

static int read_again(struct flow_command *flow, struct text id)
{
    struct log_wish wish = {.containing = id};
    record_list_release(&flow->list);
    flow->id = id;
    flow->subject = SUBJECT_NONE;
    log_reader_restart(&flow->reader, &wish);
    return read_log(flow);
}

/* ---- telling it ------------------------------------------------------------------------------ */
static const char *subject_word(const struct flow_command *flow)
{
    return flow->subject == SUBJECT_SHOW ? "show" : "reservation";
}

static void print_text(const struct flow_command *flow, const struct flow *forest,
                       struct buffer *out)
{
    buffer_print(out, "%s %.*s", subject_word(flow), TEXT_PRINT(flow->id));
    if (flow->subject != SUBJECT_SHOW && flow->show_id[0])
        buffer_print(out, " of show %s", flow->show_id);
    if (flow->list.count) {
        buffer_string(out, ", from ");
        show_print_moment(out, forest->began_ms);
        buffer_string(out, " (all times UTC)");
    }
    buffer_string(out, "\n\n");
    flow_print_text(forest, out);
    if (flow->subject != SUBJECT_SHOW)
        return;
    buffer_byte(out, '\n');
    show_print_bookings(&flow->fold, out);
    if (!flow->all && flow->fold.booking_count)
        buffer_string(out, "each of them: stagedoor flow RESERVATION_ID; all: --all\n");
}

static void print_json(const struct flow_command *flow, const struct flow *forest,
                       struct buffer *out)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "kind", text_of(subject_word(flow)));
    json_put_text(out, "id", flow->id);
    if (flow->show_id[0])
        json_put_text(out, "show_id", text_of(flow->show_id));
    flow_print_json(forest, out);
    if (flow->subject == SUBJECT_SHOW)
        show_print_bookings_json(&flow->fold, out);
    json_put_close(out, '}');
    buffer_byte(out, '\n');
}

static int print(const struct flow_command *flow)
{
    struct flow forest;
    struct buffer out = {0};
    if (flow->subject == SUBJECT_NONE) {
        int end =
            command_fail(flow->command, END_NO,
                         "nothing in the log names '%.*s'; the log is '%s', another: --bus URL",
                         TEXT_PRINT(flow->id), log_url(&flow->log, &out));
        buffer_release(&out);
        return end;
    }
    flow_build(&forest, &flow->list);
    if (flow->mermaid)
        flow_print_mermaid(&forest, &out);
    else if (flow->json)
        print_json(flow, &forest, &out);
    else
        print_text(flow, &forest, &out);
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
    flow_release(&forest);
    return flow->reader.lost ? END_NO : END_OK;
}

/* ---- the command ----------------------------------------------------------------------------- */
static int run(struct flow_command *flow)
{
    struct text reservation_id;
    int64_t number;
    int end;
    if (ticket_id_parse(flow->id, &reservation_id, &number))
        flow->id = reservation_id;
    flow->fold = (struct show_fold){.show_id = flow->id};
    struct log_wish wish = {.containing = flow->id};
    if (!log_reader_open(&flow->reader, flow->command, &flow->log, &wish, &end))
        return end;
    end = read_log(flow);
    if (end == END_OK && flow->subject == SUBJECT_PAYMENT && flow->reservation_id[0])
        end = read_again(flow, text_of(flow->reservation_id));
    if (end == END_OK)
        end = print(flow);
    log_reader_close(&flow->reader);
    show_fold_release(&flow->fold);
    record_list_release(&flow->list);
    return end;
}

int command_flow(const struct command *command, int argc, char **argv)
{
    static struct flow_command flow;
    flow = (struct flow_command){.command = command, .subject = SUBJECT_NONE};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&flow.log),
        OPTION_FLAG("json", 0, NULL, &flow.json, "one JSON document"),
        OPTION_FLAG("mermaid", 0, NULL, &flow.mermaid, "a Mermaid sequenceDiagram"),
        OPTION_FLAG("all", 0, NULL, &flow.all, "of a show: every reservation as well"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (operands.count != 1 || operands.items[0][0] == '\0')
        return command_fail(command, END_USAGE, "say which reservation or show; see --help");
    if (flow.json && flow.mermaid)
        return command_fail(command, END_USAGE, "say --json or --mermaid, not both");
    flow.id = text_of(operands.items[0]);
    return run(&flow);
}
