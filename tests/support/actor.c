#include "tests/support/actor.h"

#include "base/clock.h"
#include "process/notify.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t told;

static void on_signal(int number)
{
    (void)number;
    told = 1;
}

static void stay(void)
{
    sigset_t end, before;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, &before);
    while (!told)
        sigsuspend(&before);
    puts("gone");
    exit(EXIT_SUCCESS);
}

void actor_play(int argc, char **argv)
{
    struct notify notify;
    if (argc < 2 || strcmp(argv[1], "--actor") != 0)
        return;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, on_signal);
    notify_open(&notify);
    for (int i = 2; i < argc; i++) {
        const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(word, "ready") == 0)
            notify_tend(&notify, clock_monotonic_ms(), true, "here");
        else if (strcmp(word, "say") == 0)
            puts(argv[++i]);
        else if (strcmp(word, "deaf") == 0)
            signal(SIGTERM, SIG_IGN);
        else if (strcmp(word, "stay") == 0)
            stay();
        else if (strcmp(word, "freeze") == 0)
            raise(SIGSTOP);
        else if (strcmp(word, "killed") == 0)
            raise(SIGKILL);
        else if (strcmp(word, "exit") == 0)
            exit(atoi(next));
    }
    exit(EXIT_SUCCESS);
}
