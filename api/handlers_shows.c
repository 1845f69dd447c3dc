/* Shows: listing, looking, and what an admin may do to them. All commands share one errand. */
#include "api/handlers.h"

#include "api/viewers.h"
#include "base/clock.h"
#include "schemas/json.h"

#include <string.h>
#include <strings.h>

/* ---- GET /v1/shows --------------------------------------------------------------------------- */

static bool contains(const char *name, struct text part)
{
    size_t size = strlen(name);
    for (size_t at = 0; at + part.size <= size; at++)
        if (strncasecmp(name + at, part.data, part.size) == 0)
            return true;
    return false;
}

/* A cursor is the place of the last show shown: <starts_at_ms>.<show_id>. */
static bool is_behind(const struct show *show, struct text cursor)
{
    int64_t starts_at_ms;
    struct text id = cursor;
    if (cursor.size == 0 || !text_to_i64(text_cut(&id, '.'), &starts_at_ms))
        return true;
    if (show->starts_at_ms != starts_at_ms)
        return show->starts_at_ms > starts_at_ms;
    struct text own = text_of(show->show_id);
    int order = memcmp(own.data, id.data ? id.data : "", own.size < id.size ? own.size : id.size);
    return order > 0 || (order == 0 && own.size > id.size);
}

static bool is_wanted(const struct request *request, const struct show *show, int64_t now_ms)
{
    struct text q = request->queries[QUERY_Q], status = request->queries[QUERY_STATUS];
    return is_behind(show, request->queries[QUERY_CURSOR]) &&
           (q.size == 0 || contains(show->name, q)) &&
           (status.size == 0 ||
            text_is(status, view_show_status_name(view_show_status(show, now_ms))));
}

void handle_list_shows(struct edge *edge, struct request *request)
{
    int64_t now_ms = clock_wall_ms(), limit, count = 0;
    const struct show *last = NULL;
    if (!request_limit(request, &limit))
        return;
    struct buffer *out = answer_open(request, 200);
    json_put_open(out, "shows", '[');
    edge_lock(edge);
    for (int i = 0; i < edge->view.show_count; i++) {
        const struct show *show = edge->view.list[i];
        if (!is_wanted(request, show, now_ms))
            continue;
        if (count++ == limit)
            break;
        render_show(out, NULL, show, now_ms);
        last = show;
    }
    json_put_close(out, ']');
    if (last && count > limit) {
        struct text cursor =
            arena_print(&request->arena, "%lld.%s", (long long)last->starts_at_ms, last->show_id);
        json_put_text(out, "cursor", cursor);
        answer_header(request, "Link", "</v1/shows?cursor=%s&limit=%lld>; rel=\"next\"",
                      cursor.data, (long long)limit);
    }
    edge_unlock(edge);
    answer_close(request);
}

struct page *page_of(struct edge *edge, struct text show_id)
{
    int64_t now_ms = clock_wall_ms();
    struct page *page = playbill_take(&edge->playbill, show_id, now_ms);
    if (page)
        return page;
    edge_lock(edge);
    const struct show *show = view_show(&edge->view, show_id);
    if (show) {
        page = render_page(show, now_ms);
        if (edge->lost == NULL)
            playbill_put_up(&edge->playbill, show_id, page);
    }
    edge_unlock(edge);
    return page;
}

/* ?min_position=PARTITION:OFFSET: not before this edge has read shows.events up to there. The
 * errand waits for the partition by its name, and keeps the place in stage and count. */
static bool has_read(const struct edge *edge, const struct errand *errand)
{
    int partitions = edge->installation.partition_count;
    return edge->positions[TOPIC_SHOWS_EVENTS * partitions + errand->stage].next > errand->count;
}

static bool reach_look(struct edge *edge, struct request *request)
{
    if (!has_read(edge, &request->errand))
        return false;
    const struct show *show = view_show(&edge->view, request->parts[0]);
    if (show)
        answer_show(request, 200, show);
    else
        problem_answer(request, PROBLEM_not_found, "there is no such show");
    return true;
}

static void reach_late(struct edge *edge, struct request *request)
{
    (void)edge;
    problem_answer(request, PROBLEM_catching_up, "this server has not read as far as that yet");
}

static const struct errand_kind reach = {"reach", reach_look, reach_late};

static void answer_from(struct edge *edge, struct request *request, struct text position)
{
    struct errand *errand = &request->errand;
    struct text offset = position, partition = text_cut(&offset, ':');
    int64_t number;
    if (!text_to_i64(partition, &number) || number >= edge->installation.partition_count ||
        !text_to_i64(offset, &errand->count)) {
        problem_answer(request, PROBLEM_invalid,
                       "min_position must be PARTITION:OFFSET, as X-Log-Position says it");
        return;
    }
    errand->stage = (int)number;
    errand_await_partition(errand, TOPIC_SHOWS_EVENTS, errand->stage);
    edge_lock(edge);
    errand_begin(edge, request, &reach, request_wait_ms(request));
    edge_unlock(edge);
}

void handle_show(struct edge *edge, struct request *request)
{
    if (request->queries[QUERY_MIN_POSITION].data) {
        answer_from(edge, request, request->queries[QUERY_MIN_POSITION]);
        return;
    }
    struct page *page = page_of(edge, request->parts[0]);
    if (page)
        answer_page(request, 200, page);
    else
        problem_answer(request, PROBLEM_not_found, "there is no such show");
    page_drop(page);
}

/* ---- GET /v1/shows/{id}/stream --------------------------------------------------------------- */

void handle_stream(struct edge *edge, struct request *request)
{
    struct page *page = page_of(edge, request->parts[0]);
    page_drop(page);
    if (page == NULL) {
        problem_answer(request, PROBLEM_not_found, "there is no such show");
        return;
    }
    if (edge->viewers)
        request->answer.stream =
            viewers_admit(edge->viewers, request->parts[0], request->headers.last_event_id);
    if (request->answer.stream == NULL) {
        problem_answer(request, PROBLEM_overloaded, "too many are watching; look now and then");
        return;
    }
    answer_header(request, "X-Accel-Buffering", "no"); /* for proxies that hold answers back */
    request->answer.status = 200;
    request->answer.content_type = "text/event-stream";
}

/* ---- commands -------------------------------------------------------------------------------- */

enum stage { CHANGES, CREATES, CREATES_NAMED };

/* Whose show is it that has this id already? */
static bool created_look(struct request *request, const struct show *show)
{
    bool named = request->errand.stage == CREATES_NAMED;
    bool same =
        show->fingerprint[0] ? strcmp(show->fingerprint, request->errand.fingerprint) == 0 : !named;
    if (same)
        answer_show(request, 201, show);
    else if (named)
        problem_answer(request, PROBLEM_wrong_state, "there is another show with this show_id");
    else
        answer_if_reused(request, show->fingerprint);
    if (same)
        answer_header(request, "Location", "/v1/shows/%s", show->show_id);
    return true;
}

static bool show_look(struct edge *edge, struct request *request)
{
    const struct errand *errand = &request->errand;
    const struct show *show = view_show(&edge->view, text_of(errand->show_id));
    const struct replay *replay =
        show ? view_replay(&show->replays, text_of(errand->command_id)) : NULL;
    if (show && errand->stage != CHANGES)
        return created_look(request, show);
    if (answer_if_settled(request, replay))
        return true;
    if (replay == NULL)
        return false;
    answer_show(request, 200, show);
    return true;
}

static void show_late(struct edge *edge, struct request *request)
{
    const struct show *show = view_show(&edge->view, text_of(request->errand.show_id));
    if (show_look(edge, request))
        return;
    answer_accepted(request, "/v1/shows/%s", request->errand.show_id);
    if (show) {
        answer_show(request, 202, show);
        return;
    }
    struct buffer *out = answer_open(request, 202);
    json_put_text(out, "show_id", text_of(request->errand.show_id));
    json_put_text(out, "status", text_of("requested"));
    answer_close(request);
}

static const struct errand_kind show_command = {"show", show_look, show_late};

/* Who says If-Match means the show as he saw it: shows itself is told, where the command can. A
 * repeat is let through, or it would fail because it was done. */
static bool is_as_seen(struct request *request, const struct show *show, struct message *command)
{
    char etag[TAG_SIZE];
    if (request->headers.if_match.data == NULL ||
        view_replay(&show->replays, text_of(request->errand.command_id)))
        return true;
    if (answer_unless_matching(request, render_show_tag(show, clock_wall_ms(), etag)))
        return false;
    if (message_may(command->type, FIELD_expected_seq) && !message_has(command, expected_seq))
        message_set(command, expected_seq, show->seq);
    return true;
}

static void begin(struct edge *edge, struct request *request, struct message *command)
{
    struct errand *errand = &request->errand;
    message_set(command, show_id, text_of(errand->show_id));
    if (!command_check(request, command))
        return;
    edge_lock(edge);
    const struct show *show = view_show(&edge->view, text_of(errand->show_id));
    if (errand->stage == CHANGES && show == NULL) {
        problem_answer(request, PROBLEM_not_found, "there is no such show");
    } else if (errand->stage != CHANGES || is_as_seen(request, show, command)) {
        errand_prepare(edge, request, command);
        errand_begin(edge, request, &show_command, request_wait_ms(request));
    }
    edge_unlock(edge);
}

static void open_change(struct request *request, struct message *command, enum message_type type)
{
    request->errand.stage = CHANGES;
    view_set(request->errand.show_id, VIEW_ID_SIZE, request->parts[0]);
    message_init(command, type);
}

/* ---- POST /v1/shows -------------------------------------------------------------------------- */

static void read_rules(struct body *body, struct message *command)
{
    body_take(body, time, "on_sale_at", command, on_sale_at_ms);
    body_take(body, time, "off_sale_at", command, off_sale_at_ms);
    body_take(body, time, "customer_cancel_until", command, customer_cancel_until_ms);
    body_take(body, i64, "max_per_order", command, max_per_order);
    body_take(body, i64, "max_per_person", command, max_per_person);
    body_take(body, i64, "hold_ttl_s", command, hold_ttl_s);
    body_take(body, i64, "pay_window_s", command, pay_window_s);
}

/* Name, time, currency and tiers, and the rules. */
static void read_description(struct body *body, struct message *command)
{
    struct text currency = {NULL, 0};
    struct tiers tiers;
    body_take(body, text, "name", command, name);
    body_take(body, time, "starts_at", command, starts_at_ms);
    body_text(body, "currency", &currency);
    if (body_tiers(body, &tiers, &currency))
        message_set(command, tiers, tiers);
    if (currency.size)
        message_set(command, currency, currency);
    read_rules(body, command);
}

static bool read_show(struct request *request, struct message *command, struct text *show_id)
{
    struct body body;
    if (!body_open(&body, request, false))
        return body_close(&body);
    body_text(&body, "show_id", show_id);
    read_description(&body, command);
    body_take(&body, i64, "capacity", command, capacity);
    body_require(&body, "name", message_has(command, name));
    body_require(&body, "starts_at", message_has(command, starts_at_ms));
    body_require(&body, "capacity", message_has(command, capacity));
    if (!message_has(command, currency))
        message_set(command, currency, text_of("EUR"));
    return body_close(&body);
}

void handle_create_show(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct errand *errand = &request->errand;
    struct text show_id = {NULL, 0};
    message_init(&command, MESSAGE_CreateShow);
    if (!request_identify(edge, request, false) || !read_show(request, &command, &show_id))
        return;
    if (show_id.size > ID_SIZE_MAX) {
        problem_field(request, "/show_id", "must be 1 to %d of A-Z a-z 0-9 _ -", ID_SIZE_MAX);
        return;
    }
    errand->stage = show_id.data ? CREATES_NAMED : CREATES;
    view_set(errand->show_id, VIEW_ID_SIZE, show_id.data ? show_id : text_of(errand->command_id));
    begin(edge, request, &command);
}

/* ---- PATCH /v1/shows/{id} -------------------------------------------------------------------- */

void handle_update_show(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct body body;
    open_change(request, &command, MESSAGE_UpdateShow);
    if (body_open(&body, request, false)) {
        read_description(&body, &command);
        bool any = memchr(command.has, 1, sizeof command.has) != NULL;
        body_take(&body, i64, "expected_seq", &command, expected_seq);
        if (body.good && !any)
            problem_field(request, "", "give what is to change");
        body.good = request->answer.status == 0;
    }
    if (body_close(&body) && request_identify(edge, request, false))
        begin(edge, request, &command);
}

/* ---- GET /v1/shows/{id}/blocks --------------------------------------------------------------- */

static void answer_blocks(struct request *request, const struct show *show)
{
    struct buffer *out = answer_open(request, 200);
    json_put_text(out, "show_id", text_of(show->show_id));
    json_put_i64(out, "blocked", show->blocked);
    json_put_open(out, "blocks", '[');
    for (int i = 0; i < show->block_count; i++) {
        const struct block *block = &show->blocks[i];
        json_put_open(out, NULL, '{');
        json_put_text(out, "block_id", text_of(block->block_id));
        json_put_i64(out, "quantity", block->quantity);
        if (block->note)
            json_put_text(out, "note", text_of(block->note));
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    answer_close(request);
}

void handle_blocks(struct edge *edge, struct request *request)
{
    edge_lock(edge);
    const struct show *show = view_show(&edge->view, request->parts[0]);
    if (show)
        answer_blocks(request, show);
    else
        problem_answer(request, PROBLEM_not_found, "there is no such show");
    edge_unlock(edge);
}

/* ---- the rest -------------------------------------------------------------------------------- */

void handle_set_capacity(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct body body;
    open_change(request, &command, MESSAGE_SetCapacity);
    if (body_open(&body, request, false)) {
        body_take(&body, i64, "capacity", &command, capacity);
        body_require(&body, "capacity", message_has(&command, capacity));
        body_take(&body, bool, "force", &command, force);
        body_take(&body, i64, "expected_seq", &command, expected_seq);
    }
    if (body_close(&body) && request_identify(edge, request, false))
        begin(edge, request, &command);
}

void handle_set_block(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct body body;
    open_change(request, &command, MESSAGE_SetBlock);
    message_set(&command, block_id, request->parts[1]);
    if (body_open(&body, request, false)) {
        body_take(&body, i64, "quantity", &command, block_quantity);
        body_require(&body, "quantity", message_has(&command, block_quantity));
        body_take(&body, i64, "expected_quantity", &command, expected_quantity);
        body_take(&body, text, "note", &command, note);
    }
    if (body_close(&body) && request_identify(edge, request, false))
        begin(edge, request, &command);
}

static void switch_sale(struct edge *edge, struct request *request, enum message_type type)
{
    static _Thread_local struct message command;
    struct body body;
    open_change(request, &command, type);
    if (body_open(&body, request, true))
        body_take(&body, text, "reason", &command, why);
    if (body_close(&body) && request_identify(edge, request, false))
        begin(edge, request, &command);
}

void handle_cancel_show(struct edge *edge, struct request *request)
{
    static _Thread_local struct message command;
    struct body body;
    open_change(request, &command, MESSAGE_CancelShow);
    if (body_open(&body, request, false)) {
        body_take(&body, text, "reason", &command, why);
        body_require(&body, "reason", message_has(&command, why));
        body_take(&body, refund, "refund", &command, refund);
        body_require(&body, "refund", message_has(&command, refund));
    }
    if (body_close(&body) && request_identify(edge, request, false))
        begin(edge, request, &command);
}

void handle_open_sale(struct edge *edge, struct request *request)
{
    switch_sale(edge, request, MESSAGE_OpenSale);
}

void handle_pause_sale(struct edge *edge, struct request *request)
{
    switch_sale(edge, request, MESSAGE_PauseSale);
}
