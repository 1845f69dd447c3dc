#include "cli/background.h"

#include "base/exit_code.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The last thing that is said by a process that goes on. */
static const char left_mark = '\0';

static void print(const char *bytes, size_t size)
{
    for (ssize_t part; size && (part = write(STDOUT_FILENO, bytes, size)) > 0; size -= (size_t)part)
        bytes += part;
}

/* Prints what comes until the other end is closed; says whether that process has left. */
static bool pass_on(int from)
{
    char bytes[4096];
    for (;;) {
        ssize_t size = read(from, bytes, sizeof bytes);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return false;
        bool left = bytes[size - 1] == left_mark;
        print(bytes, (size_t)size - left);
        if (left)
            return true;
    }
}

bool background_enter(int *end)
{
    int ends[2];
    fflush(NULL);
    pid_t pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (pid < 0) {
        fprintf(stderr, "stagedoor up: cannot start in the background: %s\n", strerror(errno));
        *end = END_SYSTEM;
        return true;
    }
    if (pid > 0) {
        int status = 0;
        close(ends[1]);
        *end = END_OK;
        if (!pass_on(ends[0]) && waitpid(pid, &status, 0) == pid)
            *end = WIFEXITED(status) ? WEXITSTATUS(status) : END_SYSTEM;
        return true;
    }
    setsid();
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(nothing);
    close(ends[0]);
    close(ends[1]);
    return false;
}

void background_leave(void)
{
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ssize_t told = write(STDOUT_FILENO, &left_mark, 1);
    (void)told; /* or there is nobody any more */
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    close(nothing);
}
