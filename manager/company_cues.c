/* Giving the cues of a change, and waiting for each. */
#include "base/clock.h"
#include "manager/company_internal.h"

/* The child a cue is about; false: it is not there (any more). */
static bool look_at(const struct company *company, const struct cue *cue, struct child_look *look)
{
    int index = supervisor_find(company->supervisor, cue->name);
    if (index >= 0)
        supervisor_look(company->supervisor, index, look);
    return index >= 0;
}

static void give(struct company *company, struct cue *cue)
{
    struct child_look look;
    bool there = look_at(company, cue, &look);
    cue->done = !there && cue->kind != CUE_BEGIN;
    if (cue->done)
        return;
    if (!there)
        company->cast(company->house, cue->part, cue->number, cue->name);
    else if (cue->kind == CUE_BEGIN)
        supervisor_begin(company->supervisor, cue->name);
    else if (cue->kind == CUE_END)
        supervisor_end(company->supervisor, cue->name);
    else if (look.state == CHILD_OVER)
        supervisor_forget(company->supervisor, cue->name);
}

static void give_next(struct company *company)
{
    struct cue_sheet *sheet = &company->sheet;
    do {
        struct cue *cue = &sheet->cues[sheet->behind++];
        if (!sheet->failed || cue->always)
            give(company, cue);
        else
            cue->done = true;
    } while (sheet->behind < sheet->count && sheet->cues[sheet->behind].together);
    sheet->given_at_ms = clock_monotonic_ms();
}

static void tell(struct company *company, struct buffer *said, const char *name, const char *what)
{
    buffer_print(said, "%s %s\n", name, what);
    supervisor_say(company->supervisor, "%s: %s %s", company->order, name, what);
}

static void fail(struct company *company, struct cue *cue, struct buffer *said, const char *why)
{
    cue->done = true;
    company->sheet.failed = true;
    tell(company, said, cue->name, why);
    buffer_print(said, "nothing more was changed; see: stagedoor logs %s\n", cue->name);
}

static void look_for_ready(struct company *company, struct cue *cue, const struct child_look *look,
                           struct buffer *said)
{
    if (look->ready) {
        cue->done = true;
        tell(company, said, cue->name, "is ready");
    } else if (look->state == CHILD_OVER) {
        fail(company, cue, said, "does not run");
    } else if (look->deaths_in_a_row >= CUE_DEATHS_MAX) {
        fail(company, cue, said, "dies again and again");
    } else if (clock_monotonic_ms() - company->sheet.given_at_ms > CUE_PATIENCE_MS) {
        fail(company, cue, said, "did not become ready in time");
    }
}

static void look_after(struct company *company, struct cue *cue, struct buffer *said)
{
    struct child_look look;
    bool there = look_at(company, cue, &look);
    if (cue->kind == CUE_BEGIN && there) {
        look_for_ready(company, cue, &look, said);
    } else if (cue->kind == CUE_BEGIN) {
        fail(company, cue, said, "is not there");
    } else if (cue->kind == CUE_FORGET) {
        cue->done = true;
    } else if (!there || look.state == CHILD_OVER) {
        cue->done = true;
        tell(company, said, cue->name, "is stopped");
    }
}

/* Whether all that was given is done. */
static bool wait_for_given(struct company *company, struct buffer *said)
{
    struct cue_sheet *sheet = &company->sheet;
    bool done = true;
    for (int i = sheet->first; i < sheet->behind; i++) {
        if (!sheet->cues[i].done)
            look_after(company, &sheet->cues[i], said);
        done = done && sheet->cues[i].done;
    }
    return done;
}

enum company_state company_turn(struct company *company, struct buffer *said)
{
    struct cue_sheet *sheet = &company->sheet;
    if (!company->changing)
        return COMPANY_IDLE;
    while (wait_for_given(company, said)) {
        sheet->first = sheet->behind;
        if (sheet->behind == sheet->count) {
            company->changing = false;
            return sheet->failed ? COMPANY_FAILED : COMPANY_CHANGED;
        }
        give_next(company);
    }
    return COMPANY_CHANGING;
}
