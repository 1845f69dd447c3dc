/* save: what runs now, so that the same can be begun again. */
#include "cli/connect.h"
#include "cli/manager_call.h"
#include "cli/saved.h"

#include <stdio.h>

enum { PARTS_MAX = 8 };

/* ---- what runs ------------------------------------------------------------------------------- */
struct saving {
    struct buffer *out; /* {"arguments":[ … so far */
    struct {
        char name[32];
        int count;
    } parts[PARTS_MAX];
    int part_count;
};

static void take_house(void *context, const struct json *house, struct text text)
{
    struct saving *saving = context;
    const struct json *parts = json_member(house, "parts");
    const struct json *arguments = json_member(house, "arguments");
    struct text word;
    (void)text;
    for (const struct json *item = parts ? json_first(parts) : NULL; item; item = json_next(item))
        if (json_text(item, &word) && saving->part_count < PARTS_MAX)
            snprintf(saving->parts[saving->part_count++].name, sizeof saving->parts->name, "%.*s",
                     TEXT_PRINT(word));
    for (const struct json *item = arguments ? json_first(arguments) : NULL; item;
         item = json_next(item))
        if (json_text(item, &word))
            json_put_text(saving->out, NULL, word);
}

/* What was stopped by hand is not there tomorrow either. */
static void count_process(void *context, const struct json *process, struct text text)
{
    struct saving *saving = context;
    struct text part, state;
    (void)text;
    if (!json_text(json_member(process, "part"), &part) ||
        !json_text(json_member(process, "state"), &state))
        return;
    for (int i = 0; i < saving->part_count; i++)
        if (text_is(part, saving->parts[i].name) && !text_is(state, "stopped"))
            saving->parts[i].count++;
}

static void put_counts(struct saving *saving)
{
    for (int i = 0; i < saving->part_count; i++) {
        struct buffer argument = {0};
        buffer_print(&argument, "%s=%d", saving->parts[i].name, saving->parts[i].count);
        json_put_text(saving->out, NULL, text_of("--scale"));
        json_put_text(saving->out, NULL, buffer_view(&argument));
        buffer_release(&argument);
    }
}

int command_save(const struct command *command, int argc, char **argv)
{
    const char *data = DATA_DEFAULT;
    struct buffer out = {0};
    struct saving saving = {.out = &out};
    const struct option_spec specs[] = {
        HOUSE_OPTION(&data),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    json_put_open(&out, NULL, '{');
    json_put_open(&out, "arguments", '[');
    const char *about[] = {"about"}, *list[] = {"ls"};
    end = manager_call(command, data, about, 1, false, take_house, &saving);
    if (end == END_OK)
        end = manager_call(command, data, list, 1, false, count_process, &saving);
    put_counts(&saving);
    json_put_close(&out, ']');
    json_put_close(&out, '}');
    buffer_byte(&out, '\n');
    if (end == END_OK)
        end = saved_write(command, data, buffer_view(&out));
    if (end == END_OK)
        printf("saved; again: stagedoor resurrect --data %s\n", data);
    buffer_release(&out);
    return end;
}
