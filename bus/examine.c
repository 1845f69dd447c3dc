#include "bus/examine.h"

#include "bus/backend.h"

#include <stdarg.h>
#include <stdio.h>

void bus_examine(struct bus *bus, const struct bus_examination *examination)
{
    if (bus->backend->examine)
        bus->backend->examine(bus, examination);
}

void bus_examined(const struct bus_examination *examination, enum bus_state state,
                  const char *about, const char *mend, const char *format, ...)
{
    struct bus_finding finding = {.state = state, .about = about};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.text, sizeof finding.text, format, arguments);
    va_end(arguments);
    snprintf(finding.mend, sizeof finding.mend, "%s", mend);
    examination->tell(examination->context, &finding);
}
