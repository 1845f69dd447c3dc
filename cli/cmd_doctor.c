/* doctor: what is wrong with this installation, the gravest first, and what mends it. */
#include "base/memory.h"
#include "cli/doctor.h"
#include "schemas/json.h"
#include "story/words.h"

#include <stdarg.h>
#include <stdio.h>

/* Those further down use what those above them found. */
static const struct {
    const char *name;
    void (*look)(struct doctor *doctor);
} looks[] = {
    {"folder", doctor_folder}, {"disk", doctor_disk},     {"bus", doctor_bus},
    {"topics", doctor_topics}, {"place", doctor_place},   {"owners", doctor_owners},
    {"builds", doctor_builds}, {"clocks", doctor_clocks}, {"edge", doctor_edge},
};
enum { LOOK_COUNT = sizeof looks / sizeof *looks };

void doctor_find(struct doctor *doctor, enum bus_state state, const char *mend, const char *format,
                 ...)
{
    va_list arguments;
    doctor->findings =
        memory_grow(doctor->findings, (doctor->count + 1) * sizeof *doctor->findings);
    struct bus_finding *finding = &doctor->findings[doctor->count++];
    *finding = (struct bus_finding){.state = state, .about = doctor->look};
    va_start(arguments, format);
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
    snprintf(finding->mend, sizeof finding->mend, "%s", mend);
}

static const char *state_name(enum bus_state state)
{
    switch (state) {
    case BUS_FINE:
        return "fine";
    case BUS_NOTE:
        return "note";
    case BUS_WRONG:
        return "wrong";
    case BUS_GRAVE:
        return "grave";
    }
    return "?";
}

static void put_text(struct buffer *out, const struct bus_finding *finding)
{
    size_t start = out->size;
    buffer_string(out, state_name(finding->state));
    words_pad(out, start, 6);
    start = out->size;
    buffer_string(out, finding->about);
    words_pad(out, start, 7);
    words_visible(out, text_of(finding->text), false);
    buffer_byte(out, '\n');
    if (finding->mend[0])
        buffer_print(out, "              → %s\n", finding->mend);
}

static void put_json(struct buffer *out, const struct bus_finding *finding)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "look", text_of(finding->about));
    json_put_text(out, "state", text_of(state_name(finding->state)));
    json_put_text(out, "text", text_of(finding->text));
    if (finding->mend[0])
        json_put_text(out, "mend", text_of(finding->mend));
    json_put_close(out, '}');
}

/* The gravest first, and among equals as they were found. Returns whether anything is wrong. */
static bool print(const struct doctor *doctor, bool json)
{
    struct buffer out = {0};
    bool wrong = false;
    if (json)
        json_put_open(&out, NULL, '[');
    for (int state = BUS_GRAVE; state >= BUS_FINE; state--)
        for (size_t i = 0; i < doctor->count; i++) {
            const struct bus_finding *finding = &doctor->findings[i];
            if ((int)finding->state != state)
                continue;
            wrong = wrong || state >= BUS_WRONG;
            if (json)
                put_json(&out, finding);
            else
                put_text(&out, finding);
        }
    if (json) {
        json_put_close(&out, ']');
        buffer_byte(&out, '\n');
    }
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
    return wrong;
}

int command_doctor(const struct command *command, int argc, char **argv)
{
    static struct doctor doctor;
    bool json = false;
    doctor = (struct doctor){.command = command, .url = URL_DEFAULT};
    const struct option_spec specs[] = {
        LOG_OPTIONS(&doctor.log),
        OPTION_TEXT("url", "URL", "STAGEDOOR_URL", &doctor.url, "of the edge (" URL_DEFAULT ")"),
        OPTION_FLAG("json", 0, NULL, &json, "one JSON array"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    for (int i = 0; i < LOOK_COUNT; i++) {
        doctor.look = looks[i].name;
        looks[i].look(&doctor);
    }
    end = print(&doctor, json) ? END_NO : END_OK;
    log_reader_close(&doctor.reader);
    owners_release(&doctor.owners);
    memory_free(doctor.findings);
    return end;
}
