/* export: the log as lines of JSON, to be kept, or imported into another bus. */
#include "cli/connect.h"
#include "cli/files.h"
#include "cli/log_walk.h"
#include "schemas/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct export
{
    const struct command *command;
    struct log_options log;
    bool json;
    const char *path;           /* "-": standard output */
    struct buffer partial_path; /* what is written until all is there */
    FILE *out;
};

static int cannot(const struct export *export, const char *verb, const char *path)
{
    return command_fail(export->command, END_SYSTEM, "cannot %s '%s': %s", verb, path,
                        strerror(errno));
}

static bool put_line(void *context, struct text line)
{
    const struct export *export = context;
    if (fwrite(line.data, 1, line.size, export->out) == line.size && putc('\n', export->out) != EOF)
        return true;
    cannot(export, "write", export->path);
    return false;
}

static int open_file(struct export *export)
{
    export->out = stdout;
    if (strcmp(export->path, "-") == 0)
        return END_OK;
    if (file_exists(export->path))
        return command_fail(export->command, END_NO, "'%s' is there already; give another name",
                            export->path);
    buffer_print(&export->partial_path, "%s.partial", export->path);
    /* Names and addresses of customers are in it. */
    if (!file_make(export->partial_path.data, text_from("", 0), 0600) ||
        (export->out = fopen(export->partial_path.data, "we")) == NULL)
        return cannot(export, "make", export->partial_path.data);
    return END_OK;
}

static int close_file(struct export *export, int end)
{
    bool whole = fflush(export->out) == 0 && !ferror(export->out);
    if (end == END_OK && !whole)
        end = cannot(export, "write", export->path);
    if (export->out == stdout)
        return end;
    fclose(export->out);
    if (end == END_OK && !file_give_name(export->partial_path.data, export->path))
        end = cannot(export, "make", export->path);
    unlink(export->partial_path.data);
    return end;
}

static void print(const struct export *export, const struct installation *installation,
                  const struct log_sum *sum)
{
    struct buffer out = {0};
    FILE *to = export->out == stdout ? stderr : stdout;
    if (export->json) {
        json_put_open(&out, NULL, '{');
        json_put_text(&out, "export", text_of(export->path));
        json_put_text(&out, "installation", text_of(installation->id));
        json_put_i64(&out, "records", (int64_t)sum->record_count);
        json_put_close(&out, '}');
    } else {
        buffer_print(&out, "export '%s': installation %s, %d partitions, %llu records",
                     export->path, installation->id, installation->partition_count,
                     (unsigned long long)sum->record_count);
    }
    fprintf(to, "%s\n", out.data);
    buffer_release(&out);
}

static int write_log(struct export *export, struct bus *bus,
                     const struct installation *installation)
{
    static struct log_sum sum;
    const struct log_walk_wish wish = {.take = put_line, .context = export};
    struct buffer line = {0};
    int end = open_file(export);
    if (end != END_OK)
        return end;
    log_line_put_head(&line, installation);
    end = put_line(export, buffer_view(&line)) ? END_OK : END_SYSTEM;
    if (end == END_OK)
        end = log_walk(export->command, bus, installation->partition_count, &wish, &sum);
    buffer_clear(&line);
    log_line_put_tail(&line, &sum, installation->partition_count);
    if (end == END_OK && !put_line(export, buffer_view(&line)))
        end = END_SYSTEM;
    buffer_release(&line);
    end = close_file(export, end);
    if (end == END_OK)
        print(export, installation, &sum);
    return end;
}

int command_export(const struct command *command, int argc, char **argv)
{
    struct export export = {.command = command};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&export.log),
        OPTION_FLAG("json", 0, NULL, &export.json, "say what was written as JSON"),
    };
    struct operands operands;
    struct installation installation;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (operands.count != 1 || operands.items[0][0] == '\0')
        return command_fail(command, END_USAGE, "say which file, or -; see --help");
    export.path = operands.items[0];
    struct bus *bus = log_open(command, &export.log, false, 0, &installation, &end);
    if (bus == NULL)
        return end;
    end = write_log(&export, bus, &installation);
    bus_close(bus);
    buffer_release(&export.partial_path);
    return end;
}
