#include "cli/saved.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAVED_SIZE_MAX = 64 * 1024 };

int saved_write(const struct command *command, const char *data, struct text json)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    snprintf(path, sizeof path, "%s/" SAVED_NAME, data);
    snprintf(fresh, sizeof fresh, "%s/" SAVED_NAME ".new", data);
    FILE *file = fopen(fresh, "we");
    bool good = file && fchmod(fileno(file), 0600) == 0 &&
                fwrite(json.data, 1, json.size, file) == json.size && fflush(file) == 0 &&
                fsync(fileno(file)) == 0;
    if (file)
        good = fclose(file) == 0 && good;
    if (good && rename(fresh, path) == 0)
        return END_OK;
    return command_fail(command, END_SYSTEM, "cannot write '%s': %s", path, strerror(errno));
}

int saved_read(const struct command *command, const char *data, struct saved *saved)
{
    static char bytes[SAVED_SIZE_MAX];
    char path[PATH_MAX];
    const char *problem = "it is too long";
    size_t at = 0;
    *saved = (struct saved){NULL, NULL};
    snprintf(path, sizeof path, "%s/" SAVED_NAME, data);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return command_fail(command, END_NO, "cannot read '%s': %s; make it: stagedoor save", path,
                            strerror(errno));
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    if (size < sizeof bytes)
        saved->document = json_parse(text_from(bytes, size), &problem, &at);
    if (saved->document) {
        saved->arguments = json_member(saved->document, "arguments");
        problem = "it has no arguments";
    }
    if (saved->arguments && json_is_array(saved->arguments))
        return END_OK;
    saved_release(saved);
    return command_fail(command, END_SYSTEM, "'%s' is not what `save` wrote: %s; save again", path,
                        problem);
}

void saved_release(struct saved *saved)
{
    json_free(saved->document);
    *saved = (struct saved){NULL, NULL};
}
