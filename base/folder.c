#include "base/folder.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

bool folder_make(const char *path)
{
    char part[PATH_MAX];
    struct stat found;
    size_t size = strlen(path);
    errno = ENAMETOOLONG;
    if (size >= sizeof part)
        return false;
    memcpy(part, path, size + 1);
    for (char *slash = size ? strchr(part + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    if (mkdir(part, 0700) != 0 && errno != EEXIST)
        return false;
    if (stat(part, &found) != 0)
        return false;
    errno = ENOTDIR;
    return S_ISDIR(found.st_mode);
}
