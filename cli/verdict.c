/* Reading problem documents and reservations without trusting them. */
#include "cli/verdict.h"

#include "schemas/json.h"

#include <stdio.h>
#include <string.h>

static void keep(char *out, size_t size, struct text text)
{
    size_t length = text.size < size ? text.size : size - 1;
    if (length)
        memcpy(out, text.data, length);
    out[length] = '\0';
}

static struct text member(const struct json *document, const char *name)
{
    struct text text = {NULL, 0};
    if (document && json_is_object(document))
        json_text(json_member(document, name), &text);
    return text;
}

/* What the status of a reservation means: it exists, so the command was taken. */
static void read_reservation(const struct json *document, struct verdict *verdict)
{
    static const char *const good[] = {"held", "paying", "confirmed"};
    struct text status = member(document, "status");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (text_is(status, good[i])) {
            verdict->kind = VERDICT_HELD;
            return;
        }
    if (text_is(status, "requested")) {
        verdict->kind = VERDICT_WAIT;
        return;
    }
    verdict->kind = text_is(status, "rejected") ? VERDICT_REFUSED : VERDICT_ERROR;
    struct text code = member(document, "code");
    if (code.size == 0)
        code = member(document, "reason");
    if (code.size == 0)
        code = status.size ? status : text_of("unreadable");
    keep(verdict->code, sizeof verdict->code, code);
}

static enum verdict_kind kind_of(long status)
{
    if (status == 0 || status == 429 || (status >= 502 && status <= 504))
        return VERDICT_RETRY;
    return status == 409 || status == 410 ? VERDICT_REFUSED : VERDICT_ERROR;
}

void verdict_read(long status, struct text body, struct verdict *verdict)
{
    const char *problem;
    size_t at;
    struct json *document = body.size ? json_parse(body, &problem, &at) : NULL;
    *verdict = (struct verdict){.kind = kind_of(status)};
    keep(verdict->reservation_id, sizeof verdict->reservation_id,
         member(document, "reservation_id"));
    keep(verdict->secret, sizeof verdict->secret, member(document, "secret"));
    if (status == 200 || status == 201) {
        read_reservation(document, verdict);
    } else if (status == 202) {
        verdict->kind = VERDICT_WAIT;
    } else {
        keep(verdict->code, sizeof verdict->code, member(document, "code"));
        if (status == 0)
            snprintf(verdict->code, sizeof verdict->code, "no_answer");
        else if (verdict->code[0] == '\0')
            snprintf(verdict->code, sizeof verdict->code, "status_%ld", status);
    }
    json_free(document);
}

struct text location_path(struct text location)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (text_starts(location, schemes[i])) {
            size_t at = strlen(schemes[i]);
            while (at < location.size && location.data[at] != '/')
                at++;
            return text_from(location.data + at, location.size - at);
        }
    return text_starts(location, "/") ? location : text_from(NULL, 0);
}
