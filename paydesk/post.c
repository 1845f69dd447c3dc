/* libcurl's multi interface, a slot for each callback under way. */
#include "paydesk/post.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { CALL_TIMEOUT_MS = 15 * 1000, CONNECT_TIMEOUT_MS = 3000, SHOWN_MAX = 300 };

struct slot {
    CURL *curl;
    bool busy;
    int64_t seq, tries;
    struct text webhook_id, body;
    struct curl_slist *headers;
    struct buffer said; /* the beginning of what the edge answered */
};

struct post {
    struct ledger *ledger;
    const char *provider;
    struct signature_key key;
    struct buffer url, line;
    CURLM *multi;
    struct slot slots[POST_SLOTS];
    int busy_count;
    struct post_counts counts;
};

/* ---- what an answer means -------------------------------------------------------------------- */

enum post_verdict post_verdict(long status)
{
    if (status >= 200 && status <= 299)
        return POST_TAKEN;
    if (status == 0 || status == 401 || status == 408 || status == 429 || status >= 500)
        return POST_AGAIN;
    return POST_REFUSED;
}

int64_t post_again_ms(int64_t tries, int64_t retry_after_s)
{
    int64_t wait_ms = POST_AGAIN_FIRST_MS;
    for (int64_t i = 0; i < tries && wait_ms < POST_AGAIN_MAX_MS; i++)
        wait_ms *= 2;
    wait_ms = wait_ms < POST_AGAIN_MAX_MS ? wait_ms : POST_AGAIN_MAX_MS;
    int64_t asked_ms = retry_after_s * 1000;
    asked_ms = asked_ms < POST_AGAIN_MAX_MS ? asked_ms : POST_AGAIN_MAX_MS;
    return asked_ms > wait_ms ? asked_ms : wait_ms;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static size_t take_answer(char *data, size_t one, size_t size, void *user)
{
    struct slot *slot = user;
    (void)one;
    size_t room = slot->said.size < SHOWN_MAX ? SHOWN_MAX - slot->said.size : 0;
    buffer_add(&slot->said, data, size < room ? size : room);
    return size;
}

struct post *post_new(struct ledger *ledger, const char *edge, const char *provider,
                      const struct signature_key *key)
{
    struct post *post = memory_new(sizeof *post);
    struct text base = text_of(edge);
    while (base.size && base.data[base.size - 1] == '/')
        base.size--;
    post->ledger = ledger;
    post->provider = provider;
    post->key = *key;
    buffer_print(&post->url, "%.*s/v1/payments/callbacks/%s", TEXT_PRINT(base), provider);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    post->multi = curl_multi_init();
    assert(post->multi);
    for (int i = 0; i < POST_SLOTS; i++) {
        post->slots[i].curl = curl_easy_init();
        assert(post->slots[i].curl);
    }
    return post;
}

static void vacate(struct post *post, struct slot *slot)
{
    curl_multi_remove_handle(post->multi, slot->curl);
    curl_slist_free_all(slot->headers);
    slot->headers = NULL;
    text_free(&slot->webhook_id);
    text_free(&slot->body);
    slot->busy = false;
    post->busy_count--;
}

void post_free(struct post *post)
{
    if (post == NULL)
        return;
    for (int i = 0; i < POST_SLOTS; i++) {
        if (post->slots[i].busy)
            vacate(post, &post->slots[i]);
        curl_easy_cleanup(post->slots[i].curl);
        buffer_release(&post->slots[i].said);
    }
    curl_multi_cleanup(post->multi);
    curl_global_cleanup();
    buffer_release(&post->url);
    buffer_release(&post->line);
    memory_free(post);
}

/* ---- hearing --------------------------------------------------------------------------------- */

/* One line for people: what the edge said, without its line breaks. */
static struct text problem_of(struct post *post, struct slot *slot, CURLcode result, long status)
{
    struct buffer *line = &post->line;
    buffer_clear(line);
    if (result != CURLE_OK)
        buffer_print(line, "no answer from '%s': %s", post->url.data, curl_easy_strerror(result));
    else
        buffer_print(line, "status %ld: %.*s", status, TEXT_PRINT(buffer_view(&slot->said)));
    for (size_t i = 0; i < line->size; i++)
        if ((unsigned char)line->data[i] < ' ')
            line->data[i] = ' ';
    return buffer_view(line);
}

static void hear(struct post *post, struct slot *slot, CURLcode result, int64_t now_ms)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    if (result == CURLE_OK) {
        curl_easy_getinfo(slot->curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(slot->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    }
    struct text problem = problem_of(post, slot, result, status);
    int64_t wait_ms = post_again_ms(slot->tries, retry_after_s);
    switch (post_verdict(status)) {
    case POST_TAKEN:
        post->counts.told++;
        ledger_told(post->ledger, slot->seq);
        log_line(LOG_INFO, post->provider, "%.*s: told, status %ld", TEXT_PRINT(slot->webhook_id),
                 status);
        return;
    case POST_AGAIN:
        post->counts.again++;
        ledger_again(post->ledger, slot->seq, now_ms + wait_ms, problem);
        log_line(LOG_WARNING, post->provider, "%.*s: try %lld: %.*s; again in %lld ms",
                 TEXT_PRINT(slot->webhook_id), (long long)slot->tries + 1, TEXT_PRINT(problem),
                 (long long)wait_ms);
        return;
    case POST_REFUSED:
        post->counts.refused++;
        ledger_refused(post->ledger, slot->seq, problem);
        log_line(LOG_ERROR, post->provider,
                 "%.*s: the edge will not take it, a person must look: %.*s; when that is mended, "
                 "start the paydesk again: %.*s",
                 TEXT_PRINT(slot->webhook_id), TEXT_PRINT(problem), TEXT_PRINT(slot->body));
        return;
    }
}

void post_collect(struct post *post, int64_t now_ms)
{
    int running, left;
    curl_multi_perform(post->multi, &running);
    for (CURLMsg *done; (done = curl_multi_info_read(post->multi, &left)) != NULL;) {
        struct slot *slot = NULL;
        if (done->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, &slot);
        hear(post, slot, done->data.result, now_ms);
        vacate(post, slot);
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

static void add_header(struct post *post, struct slot *slot, const char *name, struct text value)
{
    buffer_clear(&post->line);
    buffer_print(&post->line, "%s: %.*s", name, TEXT_PRINT(value));
    slot->headers = curl_slist_append(slot->headers, post->line.data);
}

static void sign(struct post *post, struct slot *slot, int64_t now_ms)
{
    char signature[SIGNATURE_SIZE], timestamp[24];
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)(now_ms / 1000));
    signature_print(&post->key, slot->webhook_id, now_ms / 1000, slot->body, signature);
    add_header(post, slot, "Content-Type", text_of("application/json"));
    add_header(post, slot, "webhook-id", slot->webhook_id);
    add_header(post, slot, "webhook-timestamp", text_of(timestamp));
    add_header(post, slot, "webhook-signature", text_of(signature));
}

/* No redirects: who answers elsewhere is not the edge that was named. */
static void prepare(struct post *post, struct slot *slot)
{
    CURL *curl = slot->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, post->url.data);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "stagedoor-paydesk/" STAGEDOOR_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, slot->headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)slot->body.size);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, slot->body.data);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CALL_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, slot);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, slot);
}

static struct slot *free_slot(struct post *post)
{
    for (int i = 0; i < POST_SLOTS; i++)
        if (!post->slots[i].busy)
            return &post->slots[i];
    return NULL;
}

static bool is_under_way(const struct post *post, int64_t seq)
{
    for (int i = 0; i < POST_SLOTS; i++)
        if (post->slots[i].busy && post->slots[i].seq == seq)
            return true;
    return false;
}

static void start(struct post *post, struct slot *slot, const struct ledger_answer *answer,
                  int64_t now_ms)
{
    slot->busy = true;
    post->busy_count++;
    slot->seq = answer->seq;
    slot->tries = answer->tries;
    slot->webhook_id = text_copy(answer->webhook_id);
    slot->body = text_copy(answer->body);
    buffer_clear(&slot->said);
    sign(post, slot, now_ms);
    prepare(post, slot);
    curl_multi_add_handle(post->multi, slot->curl);
}

void post_send(struct post *post, int64_t now_ms)
{
    struct ledger_answer answer;
    struct slot *slot;
    int before = post->busy_count, running;
    for (int n = 0; (slot = free_slot(post)) && ledger_owed(post->ledger, now_ms, n, &answer); n++)
        if (!is_under_way(post, answer.seq))
            start(post, slot, &answer, now_ms);
    if (post->busy_count > before)
        curl_multi_perform(post->multi, &running);
}

int post_under_way(const struct post *post)
{
    return post->busy_count;
}

const struct post_counts *post_counts(const struct post *post)
{
    return &post->counts;
}
