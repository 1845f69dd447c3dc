/* backup: an installation on sqlite in one file, taken while it runs. */
#include "cli/backup.h"
#include "cli/files.h"

static int keep_files(struct backup *backup)
{
    struct buffer path = {0}, bytes = {0};
    struct bus_error error;
    int end = END_OK;
    for (int i = 0; i < BACKUP_FILES && end == END_OK; i++) {
        backup->kept[i] = file_exists(backup_in_data(backup, backup_files[i], &path));
        if (!backup->kept[i])
            continue;
        if (!file_read(path.data, BACKUP_FILE_SIZE_MAX, &bytes))
            end = backup_failure(backup, "read", path.data);
        else if (!archive_put(backup->made_path.data, backup_files[i], buffer_view(&bytes), &error))
            end = command_fail(backup->command, END_SYSTEM, "%s", error.text);
    }
    buffer_release(&path);
    buffer_release(&bytes);
    return end;
}

static int fill(struct backup *backup)
{
    struct bus_error error;
    int end = END_OK;
    if (!archive_make(backup->path.data, backup->made_path.data, &error) ||
        !archive_look(backup->made_path.data, &backup->facts, &error))
        end = command_fail(backup->command, END_SYSTEM, "%s", error.text);
    if (end == END_OK)
        end = keep_files(backup);
    if (end == END_OK && !file_give_name(backup->made_path.data, backup->archive))
        end = backup_failure(backup, "make", backup->archive);
    return end;
}

static int back_up(struct backup *backup)
{
    int end;
    struct bus *bus =
        log_open(backup->command, &backup->log, false, 0, &backup->installation, &end);
    if (bus == NULL)
        return end;
    bus_close(bus);
    if (file_exists(backup->archive))
        return command_fail(backup->command, END_NO,
                            "'%s' is there already; give another name, as with $(date +%%F-%%H%%M)",
                            backup->archive);
    end = backup_make_empty(backup, backup->archive, "partial", 0600);
    if (end == END_OK)
        end = fill(backup);
    backup_remove_made(backup);
    if (end == END_OK)
        backup_print(backup, "backup");
    return end;
}

int command_backup(const struct command *command, int argc, char **argv)
{
    return backup_run(command, argc, argv, back_up);
}
