/* verify: reads the whole log to the ends it had when the reading began, and has it judged. */
#include "cli/connect.h"
#include "cli/log_audit.h"
#include "cli/verify_print.h"

#include <stdio.h>

static int print(const struct audit *audit, bool json)
{
    struct buffer out = {0};
    if (json)
        verify_print_json(audit, &out);
    else
        verify_print_text(audit, &out);
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
    return audit_first(audit) ? END_NO : END_OK;
}

int command_verify(const struct command *command, int argc, char **argv)
{
    struct log_options log = {0};
    struct audit_options options = {0};
    struct installation installation;
    bool json = false, running = false;
    const struct option_spec specs[] = {
        LOG_OPTIONS(&log),
        OPTION_FLAG("replay", 0, NULL, &options.replay,
                    "also decide everything again and compare byte for byte"),
        OPTION_FLAG("steady-clock", 0, NULL, &options.steady_clock,
                    "the broker's clock was never set back: also check what waits for its time"),
        OPTION_COUNT("clock-slack", 0, "MS", NULL, &options.clock_slack_ms, 0, 3600 * 1000,
                     "but by so much, as a clock that is kept in time is (0)"),
        OPTION_FLAG("running", 0, NULL, &running,
                    "services are at work: what they have not read yet is not missing"),
        OPTION_FLAG("json", 0, NULL, &json, "one JSON object"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    struct bus *bus = log_open(command, &log, false, 0, &installation, &end);
    if (bus == NULL)
        return end;
    struct audit *audit = log_audit(command, bus, &installation, &options, !running, &end);
    if (audit) {
        end = print(audit, json);
        audit_free(audit);
    }
    bus_close(bus);
    return end;
}
