/* ready: for scripts, health checks and `up` itself. */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/connect.h"
#include "cli/web.h"

#include <stdio.h>
#include <time.h>

enum { ASK_EVERY_MS = 50, ASK_TIMEOUT_MS = 2000, WAIT_S_MAX = 24 * 3600 };

int command_ready(const struct command *command, int argc, char **argv)
{
    const char *url = URL_DEFAULT;
    int64_t wait_s = 30;
    bool quiet = false;
    const struct option_spec specs[] = {
        OPTION_TEXT("url", "URL", "STAGEDOOR_URL", &url, "of the edge (" URL_DEFAULT ")"),
        OPTION_COUNT("wait", 0, "S", NULL, &wait_s, 0, WAIT_S_MAX,
                     "give up after this many seconds (30)"),
        OPTION_FLAG("quiet", 'q', NULL, &quiet, "say nothing"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    struct web *web = web_open(url, NULL);
    struct web_call call = {.method = "GET", .path = "/readyz", .timeout_ms = ASK_TIMEOUT_MS};
    int64_t until_ms = clock_monotonic_ms() + wait_s * 1000;
    struct web_answer answer = web_do(web, &call);
    while (answer.status != 200 && clock_monotonic_ms() < until_ms) {
        struct timespec pause = {0, ASK_EVERY_MS * 1000000L};
        nanosleep(&pause, NULL);
        answer = web_do(web, &call);
    }
    end = END_OK;
    if (answer.status == 200) {
        if (!quiet)
            printf("ready\n");
    } else {
        char why[WEB_ERROR_SIZE];
        end = command_fail(command, answer.status ? END_NO : END_SYSTEM, "not ready: %s",
                           web_problem(&answer, why));
    }
    web_close(web);
    return end;
}
