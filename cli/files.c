#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_read(const char *path, size_t size_max, struct buffer *bytes)
{
    char piece[4096];
    FILE *file = fopen(path, "re");
    buffer_clear(bytes);
    if (file == NULL)
        return false;
    for (size_t size; (size = fread(piece, 1, sizeof piece, file)) > 0 && bytes->size <= size_max;)
        buffer_add(bytes, piece, size);
    bool good = !ferror(file) && bytes->size <= size_max;
    if (bytes->size > size_max)
        errno = EFBIG;
    fclose(file);
    return good;
}

static bool write_all(int file, struct text bytes)
{
    while (bytes.size) {
        ssize_t size = write(file, bytes.data, bytes.size);
        if (size < 0 && errno != EINTR)
            return false;
        if (size > 0)
            bytes = text_from(bytes.data + size, bytes.size - (size_t)size);
    }
    return true;
}

/* Closing must not hide why. */
static bool finish(int file, bool good)
{
    int problem = errno;
    close(file);
    errno = problem;
    return good;
}

static bool settle(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC);
    return file >= 0 && finish(file, fsync(file) == 0);
}

static bool settle_folder(const char *path)
{
    struct buffer folder = {0};
    const char *slash = strrchr(path, '/');
    buffer_add(&folder, slash ? path : ".", slash ? (size_t)(slash - path) + 1 : 1);
    buffer_byte(&folder, '\0');
    bool good = settle(folder.data, O_RDONLY | O_DIRECTORY);
    buffer_release(&folder);
    return good;
}

bool file_make(const char *path, struct text bytes, int mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0)
        return false;
    return finish(file, write_all(file, bytes) && fsync(file) == 0) && settle_folder(path);
}

bool file_give_name(const char *from, const char *to)
{
    if (!settle(from, O_RDONLY) || link(from, to) != 0)
        return false;
    unlink(from);
    return settle_folder(to);
}
