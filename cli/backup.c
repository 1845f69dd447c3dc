/* Where an installation on sqlite lies, and what is said of it. */
#include "cli/backup.h"

#include "base/rfc3339.h"
#include "cli/files.h"
#include "schemas/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const backup_files[BACKUP_FILES] = {"keys", "signin"};

int backup_failure(const struct backup *backup, const char *verb, const char *path)
{
    return command_fail(backup->command, END_SYSTEM, "cannot %s '%s': %s", verb, path,
                        strerror(errno));
}

const char *backup_data(const struct backup *backup)
{
    return backup->log.data ? backup->log.data : DATA_DEFAULT;
}

const char *backup_in_data(const struct backup *backup, const char *name, struct buffer *path)
{
    buffer_clear(path);
    buffer_print(path, "%s/%s", backup_data(backup), name);
    return path->data;
}

static int find_path(struct backup *backup)
{
    static const char scheme[] = "sqlite:";
    struct buffer url = {0};
    bool embedded = strncmp(log_url(&backup->log, &url), scheme, strlen(scheme)) == 0;
    if (embedded)
        buffer_string(&backup->path, url.data + strlen(scheme));
    buffer_release(&url);
    return embedded ? END_OK
                    : command_fail(backup->command, END_USAGE,
                                   "this is for logs in an SQLite file; of Kafka: stagedoor export "
                                   "FILE, stagedoor import FILE");
}

/* An empty file that nobody else has made: a second one who tries is told. */
int backup_make_empty(struct backup *backup, const char *of, const char *suffix, int mode)
{
    buffer_print(&backup->made_path, "%s.%s", of, suffix);
    if (file_make(backup->made_path.data, text_from("", 0), mode))
        return END_OK;
    int end =
        errno == EEXIST
            ? command_fail(backup->command, END_NO,
                           "'%s' is there: somebody is at it, or was interrupted; then: rm %s",
                           backup->made_path.data, backup->made_path.data)
            : backup_failure(backup, "make", backup->made_path.data);
    buffer_clear(&backup->made_path);
    return end;
}

void backup_remove_made(const struct backup *backup)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-wake", "-journal"};
    struct buffer path = {0};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes && backup->made_path.size; i++) {
        buffer_clear(&path);
        buffer_print(&path, "%s%s", backup->made_path.data, suffixes[i]);
        unlink(path.data);
    }
    buffer_release(&path);
}

void backup_print(const struct backup *backup, const char *done)
{
    char newest[RFC3339_SIZE];
    struct buffer out = {0};
    rfc3339_print(backup->facts.newest_ms, newest);
    if (backup->json) {
        json_put_open(&out, NULL, '{');
        json_put_text(&out, done, text_of(backup->archive));
        json_put_text(&out, "log", buffer_view(&backup->path));
        json_put_text(&out, "installation", text_of(backup->installation.id));
        json_put_i64(&out, "records", backup->facts.record_count);
        json_put_text(&out, "newest", text_of(newest));
        json_put_open(&out, "files", '[');
        for (int i = 0; i < BACKUP_FILES; i++)
            if (backup->kept[i])
                json_put_text(&out, NULL, text_of(backup_files[i]));
        json_put_close(&out, ']');
        json_put_close(&out, '}');
    } else {
        buffer_print(&out, "%s '%s': installation %s, %lld records, the newest of %s", done,
                     backup->archive, backup->installation.id,
                     (long long)backup->facts.record_count, newest);
        for (int i = 0; i < BACKUP_FILES; i++)
            if (backup->kept[i])
                buffer_print(&out, ", %s", backup_files[i]);
    }
    puts(out.data);
    buffer_release(&out);
}

int backup_run(const struct command *command, int argc, char **argv, int (*work)(struct backup *))
{
    struct backup backup = {.command = command};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&backup.log),
        OPTION_FLAG("json", 0, NULL, &backup.json, "one JSON object"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (operands.count != 1 || operands.items[0][0] == '\0')
        return command_fail(command, END_USAGE, "say which file; see --help");
    backup.archive = operands.items[0];
    end = find_path(&backup);
    if (end == END_OK)
        end = work(&backup);
    buffer_release(&backup.path);
    buffer_release(&backup.made_path);
    return end;
}
