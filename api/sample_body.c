/* Lenient where the sample was, and nowhere else. */
#include "api/sample_body.h"

#include "api/problem.h"
#include "schemas/json.h"

#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* application/x-www-form-urlencoded, one value. */
static struct text unescape(struct arena *arena, struct text text)
{
    char *out = arena_take(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool escaped = text.data[i] == '%' && i + 2 < text.size && hex(text.data[i + 1]) >= 0 &&
                       hex(text.data[i + 2]) >= 0;
        if (escaped) {
            out[size++] = (char)(hex(text.data[i + 1]) * 16 + hex(text.data[i + 2]));
            i += 2;
        } else {
            out[size++] = text.data[i] == '+' ? ' ' : text.data[i];
        }
    }
    out[size] = '\0';
    return (struct text){out, size};
}

static struct text form_value(struct request *request, const char *name)
{
    struct text rest = buffer_view(&request->body);
    while (rest.size) {
        struct text value = text_cut(&rest, '&');
        if (text_is(text_cut(&value, '='), name))
            return unescape(&request->arena, value);
    }
    return (struct text){NULL, 0};
}

/* A text, or a number as its digits. */
static struct text json_value(struct request *request, const struct json *document,
                              const char *name)
{
    const struct json *member = json_is_object(document) ? json_member(document, name) : NULL;
    struct text text = {NULL, 0};
    int64_t number;
    if (member && json_text(member, &text))
        return arena_text(&request->arena, text);
    if (member && json_i64(member, &number))
        return arena_print(&request->arena, "%lld", (long long)number);
    return text;
}

static bool is_form(const struct request *request)
{
    return text_starts(request->headers.content_type, "application/x-www-form-urlencoded");
}

static bool read_members(struct request *request, struct sample_body *body, struct text *count)
{
    const char *problem = "it is empty";
    size_t at = 0;
    if (is_form(request)) {
        body->name = form_value(request, "name");
        body->show_id = form_value(request, "showID");
        *count = form_value(request, "count");
        return true;
    }
    struct json *document =
        request->body.size ? json_parse(buffer_view(&request->body), &problem, &at) : NULL;
    if (document == NULL) {
        problem_answer(request, PROBLEM_invalid, "the body is not JSON: %s, at byte %zu", problem,
                       at);
        return false;
    }
    body->name = json_value(request, document, "name");
    body->show_id = json_value(request, document, "showID");
    *count = json_value(request, document, "count");
    json_free(document);
    return true;
}

bool sample_body_read(struct request *request, struct sample_body *body, int wanted)
{
    struct text count = {NULL, 0};
    if (!read_members(request, body, &count))
        return false;
    if ((wanted & SAMPLE_NAME) && body->name.size == 0)
        problem_answer(request, PROBLEM_invalid, "name is missing");
    else if ((wanted & SAMPLE_SHOW) && body->show_id.size == 0)
        problem_answer(request, PROBLEM_invalid, "showID is missing");
    else if ((wanted & SAMPLE_COUNT) &&
             (!text_to_i64(count, &body->count) || body->count < 1 || body->count > SEATS_MAX))
        problem_answer(request, PROBLEM_invalid, "count must be a whole number above 0");
    return request->answer.status == 0;
}
