/* libcurl does HTTP, epoll does the waiting, and the plan does the pacing. */
#include "cli/load.h"

#include "base/clock.h"
#include "base/memory.h"
#include "cli/web.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    SHARD_SIZE_MAX = 64,
    EVENTS_PER_TURN = 512,
    DESCRIPTORS_SPARE = 64,
    BODY_SIZE_MAX = 64 * 1024,
    RECEIVE_SIZE = 4096,
    PAUSE_FIRST_MS = 20,
    PAUSE_MAX_MS = 2000,
    CONNECT_TIMEOUT_MS = 5000
};

struct load;

struct shard {
    struct load *load;
    CURLM *multi;
    int index;
    int64_t due_at_ms; /* libcurl's own timer; INT64_MAX: none */
    char source[32];
};

struct slot {
    struct load *load;
    struct shard *shard;
    CURL *curl;
    struct curl_slist *headers;
    struct load_item item;
    struct heap_node pause; /* in load->pauses while it waits to ask again */
    struct slot *next_free;
    struct buffer url, body, location;
    int64_t retry_after_ms;
    bool busy;
};

struct load {
    const struct load_plan *plan;
    struct shard *shards;
    int shard_count;
    struct slot *slots;
    struct slot *free;
    int busy_count;
    struct heap pauses;
    uint64_t pause_seq;
    int epoll, timer;
    int64_t started_at_us;
    int64_t next_number;
};

/* ---- pure ------------------------------------------------------------------------------------ */
int64_t load_intended_us(int64_t number, int64_t rate)
{
    return number / rate * 1000000 + number % rate * 1000000 / rate;
}

int64_t load_pause_ms(int retry_count, int64_t retry_after_ms)
{
    int64_t pause_ms = PAUSE_FIRST_MS;
    for (int i = 1; i < retry_count && pause_ms < PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    pause_ms = pause_ms > retry_after_ms ? pause_ms : retry_after_ms;
    return pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
}

/* ---- what libcurl calls ---------------------------------------------------------------------- */
static size_t take_body(char *data, size_t one, size_t size, void *user)
{
    struct slot *slot = user;
    (void)one;
    if (slot->body.size + size > BODY_SIZE_MAX)
        return 0;
    buffer_add(&slot->body, data, size);
    return size;
}

static size_t take_header(char *data, size_t one, size_t size, void *user)
{
    struct slot *slot = user;
    struct text line = text_from(data, size), location = web_header(line, "Location");
    int64_t seconds;
    (void)one;
    if (location.size) {
        buffer_clear(&slot->location);
        buffer_text(&slot->location, location);
    }
    if (text_to_i64(web_header(line, "Retry-After"), &seconds) && seconds < 3600)
        slot->retry_after_ms = seconds * 1000;
    return size;
}

static int watch_socket(CURL *curl, curl_socket_t fd, int what, void *user, void *known)
{
    struct shard *shard = user;
    (void)curl;
    struct epoll_event event = {.data.u64 = (uint64_t)shard->index << 32 | (uint32_t)fd};
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(shard->load->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    int result = epoll_ctl(shard->load->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (result != 0 && errno == EEXIST)
        epoll_ctl(shard->load->epoll, EPOLL_CTL_MOD, fd, &event);
    if (!known)
        curl_multi_assign(shard->multi, fd, shard);
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct shard *shard = user;
    (void)multi;
    shard->due_at_ms = timeout_ms < 0 ? INT64_MAX : clock_monotonic_ms() + timeout_ms;
    return 0;
}

/* ---- a request ------------------------------------------------------------------------------- */
static struct curl_slist *headers_of(const struct load_item *item)
{
    struct curl_slist *headers = NULL;
    struct buffer line = {0};
    if (item->body.size)
        headers = curl_slist_append(headers, "Content-Type: application/json");
    if (item->key[0]) {
        buffer_print(&line, "Idempotency-Key: %s", item->key);
        headers = curl_slist_append(headers, line.data);
    }
    if (item->bearer.size) {
        buffer_clear(&line);
        buffer_print(&line, "Authorization: Bearer %s", item->bearer.data);
        headers = curl_slist_append(headers, line.data);
    }
    buffer_release(&line);
    return headers;
}

static void send_request(struct slot *slot)
{
    const struct load_item *item = &slot->item;
    buffer_clear(&slot->url);
    buffer_print(&slot->url, "%s%s", slot->load->plan->url, item->path.data);
    buffer_clear(&slot->body);
    buffer_clear(&slot->location);
    slot->retry_after_ms = 0;
    curl_slist_free_all(slot->headers);
    slot->headers = headers_of(item);
    curl_easy_setopt(slot->curl, CURLOPT_URL, slot->url.data);
    curl_easy_setopt(slot->curl, CURLOPT_HTTPHEADER, slot->headers);
    if (item->body.size) {
        curl_easy_setopt(slot->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDSIZE, (long)item->body.size);
        curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDS, item->body.data);
    } else {
        curl_easy_setopt(slot->curl, CURLOPT_HTTPGET, 1L);
    }
    CURLMcode result = curl_multi_add_handle(slot->shard->multi, slot->curl);
    assert(result == CURLM_OK);
}

static void begin_item(struct load *load, int64_t intended_at_us)
{
    struct slot *slot = load->free;
    load->free = slot->next_free;
    load->busy_count++;
    slot->busy = true;
    struct load_item *item = &slot->item;
    item->number = load->next_number++;
    item->begun_at_us = clock_monotonic_us();
    item->intended_at_us = intended_at_us < 0 ? item->begun_at_us : intended_at_us;
    item->retry_count = 0;
    item->stage = 0;
    item->key[0] = item->id[0] = '\0';
    buffer_clear(&item->path);
    buffer_clear(&item->body);
    buffer_clear(&item->bearer);
    load->plan->begin(load->plan->user, item);
    send_request(slot);
}

static void end_item(struct slot *slot)
{
    struct load *load = slot->load;
    slot->busy = false;
    slot->next_free = load->free;
    load->free = slot;
    load->busy_count--;
}

static void ask_again(struct slot *slot, const struct load_answer *answer)
{
    struct load *load = slot->load;
    struct load_item *item = &slot->item;
    int64_t spent_ms = (clock_monotonic_us() - item->begun_at_us) / 1000;
    if (spent_ms >= load->plan->patience_ms) {
        load->plan->given_up(load->plan->user, item, answer);
        end_item(slot);
        return;
    }
    item->retry_count++;
    int64_t pause_ms = load_pause_ms(item->retry_count, answer->retry_after_ms);
    heap_set_take(&load->pauses, &slot->pause, clock_monotonic_ms() + pause_ms, load->pause_seq++);
}

static void take_answer(struct slot *slot, CURLcode result)
{
    struct load *load = slot->load;
    struct load_answer answer = {.body = buffer_view(&slot->body),
                                 .location = buffer_view(&slot->location),
                                 .retry_after_ms = slot->retry_after_ms,
                                 .error = ""};
    if (result == CURLE_OK)
        curl_easy_getinfo(slot->curl, CURLINFO_RESPONSE_CODE, &answer.status);
    else
        answer.error = curl_easy_strerror(result);
    switch (load->plan->answered(load->plan->user, &slot->item, &answer)) {
    case LOAD_DONE:
        end_item(slot);
        return;
    case LOAD_GO_ON:
        send_request(slot);
        return;
    case LOAD_AGAIN:
        ask_again(slot, &answer);
        return;
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */
static void read_answers(struct shard *shard)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(shard->multi, &left))) {
        struct slot *slot;
        CURL *curl = message->easy_handle;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(curl, CURLINFO_PRIVATE, &slot);
        curl_multi_remove_handle(shard->multi, curl); /* `message` is gone with it */
        take_answer(slot, result);
    }
}

static bool may_begin(const struct load *load, int64_t intended_us)
{
    const struct load_plan *plan = load->plan;
    if (plan->stop && *plan->stop)
        return false;
    if (plan->count && load->next_number >= plan->count)
        return false;
    return plan->duration_ms == 0 || intended_us < plan->duration_ms * 1000;
}

/* Begins what is due; gives the time since the start at which the next is, or INT64_MAX. */
static int64_t begin_due(struct load *load)
{
    while (true) {
        int64_t now_us = clock_monotonic_us() - load->started_at_us;
        int64_t due_us =
            load->plan->rate ? load_intended_us(load->next_number, load->plan->rate) : now_us;
        if (!may_begin(load, due_us) || load->free == NULL)
            return INT64_MAX;
        if (due_us > now_us)
            return due_us;
        begin_item(load, load->plan->rate ? load->started_at_us + due_us : -1);
    }
}

static int64_t send_paused(struct load *load)
{
    for (;;) {
        struct heap_node *first = heap_first(&load->pauses);
        if (first == NULL)
            return INT64_MAX;
        if (first->at_ms > clock_monotonic_ms())
            return first->at_ms;
        heap_remove(&load->pauses, first);
        send_request(memory_owner(first, struct slot, pause));
    }
}

static int64_t run_timers(struct load *load)
{
    int64_t next_ms = INT64_MAX;
    for (int i = 0; i < load->shard_count; i++) {
        struct shard *shard = &load->shards[i];
        for (int again = 0; again < 4 && shard->due_at_ms <= clock_monotonic_ms(); again++) {
            int running;
            shard->due_at_ms = INT64_MAX;
            curl_multi_socket_action(shard->multi, CURL_SOCKET_TIMEOUT, 0, &running);
            read_answers(shard);
        }
        next_ms = shard->due_at_ms < next_ms ? shard->due_at_ms : next_ms;
    }
    return next_ms;
}

static void set_alarm(struct load *load, int64_t at_us)
{
    struct itimerspec when = {.it_value = {at_us / 1000000, at_us % 1000000 * 1000}};
    if (at_us == INT64_MAX)
        when.it_value = (struct timespec){0, 0};
    timerfd_settime(load->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void wait_for_sockets(struct load *load)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(load->epoll, events, EVENTS_PER_TURN, 1000);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == UINT64_MAX) {
            uint64_t expired;
            ssize_t size = read(load->timer, &expired, sizeof expired);
            (void)size;
            continue;
        }
        struct shard *shard = &load->shards[events[i].data.u64 >> 32];
        int fd = (int)(uint32_t)events[i].data.u64, running;
        int bits = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(shard->multi, fd, bits, &running);
        read_answers(shard);
    }
}

static int64_t earlier_us(int64_t at_us, int64_t at_ms)
{
    return at_ms != INT64_MAX && at_ms * 1000 < at_us ? at_ms * 1000 : at_us;
}

static void turn_until_done(struct load *load)
{
    for (;;) {
        if (load->plan->stop && *load->plan->stop > 1)
            return;
        int64_t paused_ms = send_paused(load);
        int64_t begin_us = begin_due(load);
        int64_t timer_ms = run_timers(load);
        bool over = !may_begin(load, load->plan->rate
                                         ? load_intended_us(load->next_number, load->plan->rate)
                                         : clock_monotonic_us() - load->started_at_us);
        if (over && load->busy_count == 0)
            return;
        if (!over && load->free && load->plan->rate == 0)
            continue; /* a timer freed a slot */
        int64_t at_us = begin_us == INT64_MAX ? INT64_MAX : load->started_at_us + begin_us;
        at_us = earlier_us(earlier_us(at_us, paused_ms), timer_ms);
        set_alarm(load, at_us);
        wait_for_sockets(load);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */
static void open_shard(struct load *load, int index, int size)
{
    struct shard *shard = &load->shards[index];
    shard->load = load;
    shard->index = index;
    shard->due_at_ms = INT64_MAX;
    shard->multi = curl_multi_init();
    assert(shard->multi);
    if (load->plan->source_count)
        snprintf(shard->source, sizeof shard->source, "host!127.0.0.%d",
                 1 + index % load->plan->source_count);
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard);
    curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, (long)size);
}

static void open_slot(struct load *load, struct slot *slot, struct shard *shard)
{
    CURL *curl = curl_easy_init();
    assert(curl);
    *slot = (struct slot){.load = load, .shard = shard, .curl = curl, .next_free = load->free};
    load->free = slot;
    curl_easy_setopt(curl, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "stagedoor-bench");
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)RECEIVE_SIZE);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)load->plan->request_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, slot);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, slot);
    if (shard->source[0])
        curl_easy_setopt(curl, CURLOPT_INTERFACE, shard->source);
}

static void load_open(struct load *load)
{
    int connections = load->plan->connection_count, sources = load->plan->source_count;
    int shard_size = sources ? (connections + sources - 1) / sources : connections;
    shard_size = shard_size > SHARD_SIZE_MAX ? SHARD_SIZE_MAX : shard_size;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    assert(load->epoll >= 0 && load->timer >= 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
    epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->timer, &event);
    load->shard_count = (connections + shard_size - 1) / shard_size;
    load->shards = memory_new((size_t)load->shard_count * sizeof *load->shards);
    load->slots = memory_new((size_t)connections * sizeof *load->slots);
    for (int i = 0; i < load->shard_count; i++)
        open_shard(load, i, shard_size);
    for (int i = connections - 1; i >= 0; i--)
        open_slot(load, &load->slots[i], &load->shards[i / shard_size]);
}

static void slot_close(struct slot *slot)
{
    if (slot->busy)
        curl_multi_remove_handle(slot->shard->multi, slot->curl);
    curl_easy_cleanup(slot->curl);
    curl_slist_free_all(slot->headers);
    buffer_release(&slot->item.path);
    buffer_release(&slot->item.body);
    buffer_release(&slot->item.bearer);
    buffer_release(&slot->url);
    buffer_release(&slot->body);
    buffer_release(&slot->location);
}

static void load_close(struct load *load)
{
    for (int i = 0; i < load->plan->connection_count; i++)
        slot_close(&load->slots[i]);
    for (int i = 0; i < load->shard_count; i++)
        curl_multi_cleanup(load->shards[i].multi);
    heap_release(&load->pauses);
    memory_free(load->slots);
    memory_free(load->shards);
    close(load->epoll);
    close(load->timer);
    curl_global_cleanup();
}

bool load_reserve_descriptors(int connection_count, int *allowed)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)connection_count + DESCRIPTORS_SPARE;
    *allowed = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = needed;
        if (limit.rlim_max < needed)
            limit.rlim_max = needed; /* permitted to root */
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            getrlimit(RLIMIT_NOFILE, &limit);
    }
    *allowed = limit.rlim_cur > INT32_MAX ? INT32_MAX : (int)limit.rlim_cur;
    return limit.rlim_cur >= needed;
}

struct load_result load_run(const struct load_plan *plan)
{
    assert(plan->connection_count >= 1 && plan->connection_count <= LOAD_CONNECTIONS_MAX);
    assert(plan->count > 0 || plan->duration_ms > 0);
    struct load load = {.plan = plan};
    load_open(&load);
    load.started_at_us = clock_monotonic_us();
    turn_until_done(&load);
    struct load_result result = {.begun_count = load.next_number,
                                 .dropped_count = load.busy_count,
                                 .elapsed_us = clock_monotonic_us() - load.started_at_us};
    load_close(&load);
    return result;
}
