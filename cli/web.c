/* A thin cover over libcurl's easy interface. */
#include "cli/web.h"

#include "base/clock.h"
#include "base/memory.h"
#include "schemas/json.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { CALL_TIMEOUT_MS = 10 * 1000, CONNECT_TIMEOUT_MS = 3000, PAUSE_MS = 50, PAUSE_MAX_MS = 1000 };

struct web {
    CURL *curl;
    struct text url;
    struct text key;
    struct buffer path, body, location, line;
    int64_t retry_after_s;
    char error[CURL_ERROR_SIZE + 100];
};

static size_t take_body(char *data, size_t one, size_t size, void *user)
{
    struct web *web = user;
    (void)one;
    if (web->body.size + size > WEB_BODY_SIZE_MAX)
        return 0;
    buffer_add(&web->body, data, size);
    return size;
}

struct text web_header(struct text line, const char *name)
{
    struct text value = line, head = text_cut(&value, ':');
    if (head.size != strlen(name) || strncasecmp(head.data, name, head.size) != 0)
        return text_from(NULL, 0);
    while (value.size && (value.data[0] == ' ' || value.data[0] == '\t'))
        value = text_from(value.data + 1, value.size - 1);
    while (value.size && (unsigned char)value.data[value.size - 1] <= ' ')
        value.size--;
    return value;
}

static size_t take_header(char *data, size_t one, size_t size, void *user)
{
    struct web *web = user;
    (void)one;
    struct text line = text_from(data, size), value = web_header(line, "Location");
    if (value.size) {
        buffer_clear(&web->location);
        buffer_text(&web->location, value);
    }
    value = web_header(line, "Retry-After");
    if (value.size && !text_to_i64(value, &web->retry_after_s))
        web->retry_after_s = 0;
    return size;
}

struct web *web_open(const char *url, const char *key)
{
    struct web *web = memory_new(sizeof *web);
    struct text base = text_of(url);
    while (base.size && base.data[base.size - 1] == '/')
        base.size--;
    web->url = text_copy(base);
    if (key)
        web->key = text_copy(text_of(key));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    web->curl = curl_easy_init();
    assert(web->curl);
    return web;
}

void web_close(struct web *web)
{
    curl_easy_cleanup(web->curl);
    curl_global_cleanup();
    buffer_release(&web->path);
    buffer_release(&web->body);
    buffer_release(&web->location);
    buffer_release(&web->line);
    text_free(&web->url);
    text_free(&web->key);
    memory_free(web);
}

static struct curl_slist *add_header(struct web *web, struct curl_slist *headers, const char *name,
                                     struct text value)
{
    buffer_clear(&web->line);
    buffer_print(&web->line, "%s: %.*s", name, TEXT_PRINT(value));
    return curl_slist_append(headers, web->line.data);
}

static struct curl_slist *headers_of(struct web *web, const struct web_call *call)
{
    struct curl_slist *headers = NULL;
    struct text bearer = call->bearer ? text_of(call->bearer) : web->key;
    if (call->body)
        headers = add_header(web, headers, "Content-Type", text_of("application/json"));
    if (call->idempotency_key)
        headers = add_header(web, headers, "Idempotency-Key", text_of(call->idempotency_key));
    if (bearer.size) {
        buffer_clear(&web->line);
        buffer_print(&web->line, "Authorization: Bearer %.*s", TEXT_PRINT(bearer));
        headers = curl_slist_append(headers, web->line.data);
    }
    return headers;
}

static void prepare(struct web *web, const struct web_call *call, struct curl_slist *headers)
{
    CURL *curl = web->curl;
    curl_easy_reset(curl);
    buffer_clear(&web->path);
    buffer_print(&web->path, "%.*s%s", TEXT_PRINT(web->url), call->path);
    curl_easy_setopt(curl, CURLOPT_URL, web->path.data);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     (long)(call->timeout_ms ? call->timeout_ms : CALL_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, web);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, web);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "stagedoor");
    if (call->body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
}

struct web_answer web_do(struct web *web, const struct web_call *call)
{
    struct curl_slist *headers = headers_of(web, call);
    struct web_answer answer = {.error = ""};
    buffer_clear(&web->body);
    buffer_clear(&web->location);
    web->retry_after_s = 0;
    prepare(web, call, headers);
    CURLcode result = curl_easy_perform(web->curl);
    if (result == CURLE_OK) {
        curl_easy_getinfo(web->curl, CURLINFO_RESPONSE_CODE, &answer.status);
    } else {
        snprintf(web->error, sizeof web->error, "cannot reach '%.*s': %s", TEXT_PRINT(web->url),
                 curl_easy_strerror(result));
        answer.error = web->error;
    }
    curl_slist_free_all(headers);
    answer.body = buffer_view(&web->body);
    answer.location = buffer_view(&web->location);
    answer.retry_after_s = web->retry_after_s;
    return answer;
}

static bool unsettled(long status)
{
    return status == 0 || status == 202 || status == 429 || (status >= 502 && status <= 504);
}

struct web_answer web_settle(struct web *web, const struct web_call *call, int patience_ms)
{
    int64_t until_ms = clock_monotonic_ms() + patience_ms;
    int64_t pause_ms = PAUSE_MS;
    for (;;) {
        struct web_answer answer = web_do(web, call);
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (!unsettled(answer.status) || left_ms <= 0)
            return answer;
        int64_t wait_ms = pause_ms;
        if (answer.status == 429 && answer.retry_after_s > 0)
            wait_ms = answer.retry_after_s * 1000;
        wait_ms = wait_ms < left_ms ? wait_ms : left_ms;
        struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000};
        nanosleep(&wait, NULL);
        pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
    }
}

const char *web_problem(const struct web_answer *answer, char out[WEB_ERROR_SIZE])
{
    const char *why;
    size_t at;
    struct text code = {NULL, 0}, detail = {NULL, 0};
    if (answer->status == 0) {
        snprintf(out, WEB_ERROR_SIZE, "%s", answer->error);
        return out;
    }
    struct json *document = json_parse(answer->body, &why, &at);
    if (document && json_is_object(document)) {
        json_text(json_member(document, "code"), &code);
        const struct json *reasons = json_member(document, "reasons"); /* of /readyz */
        const struct json *first = json_is_array(reasons) ? json_first(reasons) : NULL;
        if (!json_text(json_member(document, "detail"), &detail) &&
            !json_text(json_member(document, "error"), &detail))
            json_text(first, &detail);
    }
    snprintf(out, WEB_ERROR_SIZE, "status %ld%s%.*s%s%.*s", answer->status, code.size ? " " : "",
             code.size > 60 ? 60 : (int)code.size, code.data, detail.size ? ": " : "",
             detail.size > 200 ? 200 : (int)detail.size, detail.data);
    json_free(document);
    return out;
}
