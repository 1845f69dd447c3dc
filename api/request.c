/* A request's own memory, and building its answer. */
#include "api/request.h"

#include "api/stream.h"
#include "schemas/json.h"

#include <stdarg.h>

static const char *const verb_names[] = {"GET",    "POST",    "PUT",  "PATCH",
                                         "DELETE", "OPTIONS", "OTHER"};

const char *verb_name(enum verb verb)
{
    return verb_names[verb];
}

enum verb verb_named(struct text name)
{
    int verb = 0;
    while (verb < VERB_OTHER && !text_is(name, verb_names[verb]))
        verb++;
    return (enum verb)verb;
}

const char *query_name(enum query query)
{
    static const char *const names[QUERY_COUNT] = {
        [QUERY_WAIT] = "wait",     [QUERY_Q] = "q",         [QUERY_STATUS] = "status",
        [QUERY_CURSOR] = "cursor", [QUERY_LIMIT] = "limit", [QUERY_MIN_POSITION] = "min_position",
        [QUERY_AFTER] = "after",   [QUERY_TYPES] = "types", [QUERY_VERBOSE] = "verbose"};
    return names[query];
}

void request_init(struct request *request)
{
    *request = (struct request){.holders = 1};
}

void request_release(struct request *request)
{
    if (request->answer.stream)
        stream_release(request->answer.stream);
    buffer_release(&request->body);
    buffer_release(&request->answer.body);
    errand_release(&request->errand);
    arena_release(&request->arena);
}

/* The weak comparison: W/ makes no difference. No tag of ours has a comma. */
bool request_knows(struct text if_none_match, struct text etag)
{
    while (if_none_match.size) {
        struct text tag = text_trim(text_cut(&if_none_match, ','));
        if (text_starts(tag, "W/"))
            tag = (struct text){tag.data + 2, tag.size - 2};
        if (text_is(tag, "*") || text_equal(tag, etag))
            return true;
    }
    return false;
}

bool request_matches(struct text if_match, struct text etag)
{
    if (if_match.data == NULL)
        return true;
    while (if_match.size) {
        struct text tag = text_trim(text_cut(&if_match, ','));
        if (text_is(tag, "*") || text_equal(tag, etag))
            return true;
    }
    return false;
}

void answer_header(struct request *request, const char *name, const char *format, ...)
{
    struct answer *answer = &request->answer;
    struct buffer value = {0};
    va_list arguments;
    if (answer->header_count == ANSWER_HEADERS_MAX)
        return;
    va_start(arguments, format);
    buffer_vprint(&value, format, arguments);
    va_end(arguments);
    answer->headers[answer->header_count++] =
        (struct answer_header){name, arena_text(&request->arena, buffer_view(&value)).data};
    buffer_release(&value);
}

struct buffer *answer_open(struct request *request, int status)
{
    struct answer *answer = &request->answer;
    answer->status = status;
    answer->content_type = "application/json";
    answer->cache_control = NULL;
    buffer_clear(&answer->body);
    json_put_open(&answer->body, NULL, '{');
    return &answer->body;
}

void answer_close(struct request *request)
{
    json_put_close(&request->answer.body, '}');
    buffer_byte(&request->answer.body, '\n');
}

void answer_clear(struct request *request)
{
    buffer_clear(&request->answer.body);
    request->answer.header_count = request->answer.kept_count;
    request->answer.cache_control = NULL;
    request->answer.status = request->answer.problem = 0;
}
