/* Lines to whoever reads them: a terminal, and the logbook. */
#include "manager/logbook.h"
#include "manager/supervisor_internal.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_MS = 50 /* for a reader of our output that is a little slow */ };

static const char own_name[] = "stagedoor";

static bool taken(const struct supervisor *supervisor)
{
    struct pollfd poll_output = {.fd = supervisor->output, .events = POLLOUT};
    return poll(&poll_output, 1, supervisor->dropping ? 0 : PATIENCE_MS) == 1;
}

static void speak(struct supervisor *supervisor, const char *name, int colour, struct text line)
{
    if (!taken(supervisor)) {
        supervisor->dropping = true;
        supervisor->dropped_count++;
        return;
    }
    struct buffer *out = &supervisor->line;
    buffer_clear(out);
    if (supervisor->dropping) {
        buffer_print(out, "%-*s | %llu lines were dropped, because nobody read them\n",
                     supervisor->width, own_name, (unsigned long long)supervisor->dropped_count);
        supervisor->dropping = false;
        supervisor->dropped_count = 0;
    }
    line_prefix(name, supervisor->width, supervisor->colours ? colour : 0, line, out);
    ssize_t written = write(supervisor->output, out->data, out->size);
    (void)written; /* there is nobody left to tell */
}

void voice_line(struct supervisor *supervisor, const char *name, int colour, struct text line)
{
    if (supervisor->output >= 0)
        speak(supervisor, name, colour, line);
    if (supervisor->logbook)
        logbook_write(supervisor->logbook, name, line);
}

void supervisor_speak_to(struct supervisor *supervisor, int output)
{
    supervisor->output = output;
}

void supervisor_say(struct supervisor *supervisor, const char *format, ...)
{
    struct buffer line = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&line, format, arguments);
    va_end(arguments);
    voice_line(supervisor, own_name, 0, buffer_view(&line));
    buffer_release(&line);
}
