/* refused: what the services would not do, and why; one such record; saying it again. */
#include "base/clock.h"
#include "cli/append.h"
#include "cli/refused.h"
#include "cli/when.h"
#include "schemas/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct refused_command {
    const struct command *command;
    struct log_options log;
    const char *topic_text, *code_text, *since_text;
    bool json, yes, same_id, force;

    int topic; /* -1: any */
    int code;  /* -1: any */
    int64_t since_ms;
    struct log_reader reader;
};

/* ---- the list -------------------------------------------------------------------------------- */
static int read_filters(struct refused_command *refused)
{
    enum code code;
    refused->topic = refused->code = -1;
    if (refused->topic_text) {
        refused->topic = topic_named(text_of(refused->topic_text));
        if (refused->topic < 0)
            return topic_unknown(refused->command, refused->topic_text);
    }
    if (refused->code_text) {
        if (!code_named(text_of(refused->code_text), &code)) {
            struct buffer codes = {0};
            for (int i = 0; i < code_COUNT; i++)
                buffer_print(&codes, "%s%s", i ? ", " : "", code_name((enum code)i));
            command_fail(refused->command, END_USAGE, "unknown code '%s'; there are: %s",
                         refused->code_text, codes.data);
            buffer_release(&codes);
            return END_USAGE;
        }
        refused->code = (int)code;
    }
    if (refused->since_text &&
        !when_parse(text_of(refused->since_text), clock_wall_ms(), &refused->since_ms))
        return command_fail(refused->command, END_USAGE, "--since takes " WHEN_HELP "; not '%s'",
                            refused->since_text);
    return END_OK;
}

static bool is_asked_for(const struct refused_command *refused, const struct kept *refusal,
                         const struct message *message)
{
    struct place place;
    if (refusal->append_ms < refused->since_ms ||
        (refused->code >= 0 && (int)message->code != refused->code))
        return false;
    return refused->topic < 0 || (refused_place(refusal, &place) && place.topic == refused->topic);
}

static void take(const struct refused_command *refused, struct record_list *list)
{
    const struct log_reader *reader = &refused->reader;
    if (reader->news != FOLLOWER_MESSAGE || reader->item.message.type != MESSAGE_Refused)
        return;
    struct kept look = {.append_ms = reader->item.record->append_ms,
                        .record = *reader->item.record};
    if (is_asked_for(refused, &look, &reader->item.message))
        record_list_add(list, reader->news, &reader->item);
}

static void print_list(const struct refused_command *refused, struct record_list *list)
{
    struct buffer out = {0};
    record_list_sort(list);
    for (size_t i = 0; i < list->count; i++) {
        if (refused->json)
            refused_print_json(list->items[i], &out);
        else
            refused_print_line(list->items[i], &out);
        fwrite(out.data, 1, out.size, stdout);
        buffer_clear(&out);
    }
    if (list->count == 0 && !refused->json)
        printf("nothing was refused\n");
    buffer_release(&out);
}

static int run_list(struct refused_command *refused)
{
    struct record_list list = {0};
    struct log_wish wish = {.containing = TEXT("Refused")};
    enum log_step step;
    int end = read_filters(refused);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        wish.topics[topic] = topic_is_events(topic);
    if (end != END_OK ||
        !log_reader_open(&refused->reader, refused->command, &refused->log, &wish, &end))
        return end;
    while ((step = log_reader_next(&refused->reader)) == LOG_ITEM)
        take(refused, &list);
    end = refused->reader.lost ? END_NO : END_OK;
    if (step == LOG_END)
        print_list(refused, &list);
    else
        end = refused->reader.end;
    record_list_release(&list);
    return end;
}

/* ---- one record ------------------------------------------------------------------------------ */
static int open_record(struct refused_command *refused, const char *place_text,
                       struct refused_record *found)
{
    struct place place;
    int end;
    if (!place_parse(text_of(place_text), &place))
        return command_fail(refused->command, END_USAGE,
                            "'%s' is no place; say TOPIC/PARTITION@OFFSET, as stagedoor refused "
                            "prints it",
                            place_text);
    if (!log_reader_open(&refused->reader, refused->command, &refused->log, NULL, &end))
        return end;
    return refused_find(&refused->reader, &place, found);
}

static int show(struct refused_command *refused, const struct refused_record *found)
{
    struct buffer out = {0};
    if (refused->json)
        refused_print_record_json(found, &out);
    else
        refused_print_record(found, &out);
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
    return END_OK;
}

/* ---- saying it again ------------------------------------------------------------------------- */
static int look_twice(const struct refused_command *refused, const struct refused_record *found,
                      const char *why)
{
    if (topic_is_events(found->record->place.topic))
        return command_fail(refused->command, END_NO,
                            "only commands can be published again; this is what a service said");
    if (refused->force)
        return END_OK;
    if (found->refusal == NULL)
        return command_fail(refused->command, END_NO,
                            "nobody has refused it; --force publishes it all the same");
    if (why)
        return command_fail(refused->command, END_NO,
                            "it would be refused again: %s; mend a copy and use stagedoor publish, "
                            "or --force",
                            why);
    return END_OK;
}

static int confirm(const struct refused_command *refused, const struct republication *again)
{
    if (refused->yes)
        return END_OK;
    if (!isatty(STDIN_FILENO))
        return command_fail(refused->command, END_USAGE,
                            "nobody is there to be asked; say --yes to publish it again");
    fprintf(stderr, "publish it again to %s/%d with ce_id %.*s? [y/N] ", topic_name(again->topic),
            again->partition, TEXT_PRINT(again->id));
    fflush(stderr);
    int answer = getchar();
    return answer == 'y' || answer == 'Y'
               ? END_OK
               : command_fail(refused->command, END_NO, "nothing was published");
}

static void print_published(const struct refused_command *refused,
                            const struct republication *again, const struct place *place)
{
    struct buffer where = {0}, out = {0};
    append_print(place, &where);
    if (refused->json) {
        json_put_open(&out, NULL, '{');
        json_put_text(&out, "place", buffer_view(&where));
        json_put_text(&out, "id", again->id);
        json_put_close(&out, '}');
    } else {
        buffer_print(&out, "%s", where.data);
    }
    puts(out.data);
    buffer_release(&where);
    buffer_release(&out);
}

static int republish(struct refused_command *refused, const struct refused_record *found)
{
    struct republication again;
    const char *why;
    struct place place;
    republication_build(&again, found->record, refused->same_id,
                        refused->reader.installation.partition_count, &why);
    int end = look_twice(refused, found, why);
    if (end == END_OK)
        end = confirm(refused, &again);
    if (end == END_OK)
        end = append_record(refused->command, refused->reader.bus, again.topic, again.partition,
                            &again.record, &place);
    if (end == END_OK)
        print_published(refused, &again, &place);
    republication_release(&again);
    return end;
}

/* ---- the command ----------------------------------------------------------------------------- */
static int run_one(struct refused_command *refused, const struct operands *operands)
{
    struct refused_record found = {0};
    bool again = strcmp(operands->items[0], "republish") == 0;
    if (operands->count != 2 || (!again && strcmp(operands->items[0], "show") != 0))
        return command_fail(refused->command, END_USAGE,
                            "say nothing, show PLACE or republish PLACE; see --help");
    int end = open_record(refused, operands->items[1], &found);
    if (end == END_OK && found.record)
        end = again ? republish(refused, &found) : show(refused, &found);
    refused_release(&found);
    return end;
}

int command_refused(const struct command *command, int argc, char **argv)
{
    struct refused_command refused = {.command = command};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&refused.log),
        OPTION_TEXT("topic", "TOPIC", NULL, &refused.topic_text,
                    "only what was refused in this topic"),
        OPTION_TEXT("code", "CODE", NULL, &refused.code_text, "only with this code"),
        OPTION_TEXT("since", "TIME", NULL, &refused.since_text, WHEN_HELP),
        OPTION_FLAG("json", 0, NULL, &refused.json, "one JSON object a line"),
        OPTION_FLAG("yes", 'y', NULL, &refused.yes, "republish without asking"),
        OPTION_FLAG("same-id", 0, NULL, &refused.same_id,
                    "republish under the same ce_id: a repeat, if it was answered there"),
        OPTION_FLAG("force", 0, NULL, &refused.force,
                    "republish also what was not refused, or will be again"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    end = operands.count ? run_one(&refused, &operands) : run_list(&refused);
    if (refused.reader.command)
        log_reader_close(&refused.reader);
    return end;
}
