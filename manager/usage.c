#include "manager/usage.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool usage_read(pid_t pid, struct usage *usage)
{
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    const char *behind_name = strrchr(text, ')'); /* the name may hold anything */
    unsigned long user, system;
    long pages;
    if (behind_name == NULL ||
        sscanf(behind_name + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d "
               "%*u %*u %ld",
               &user, &system, &pages) != 3)
        return false;
    usage->cpu_ms = (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
    usage->memory_bytes = (int64_t)pages * sysconf(_SC_PAGESIZE);
    return true;
}
