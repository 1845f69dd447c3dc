/* What is looked up in the register: lists of reservations, what needs a person, the report. */
#include "api/handlers.h"

#include "api/attention.h"
#include "api/register.h"
#include "api/reservations_csv.h"
#include "base/clock.h"
#include "schemas/json.h"

#include <string.h>

enum { LIST_WAIT_MS = 10 * 1000, REPORT_WAIT_MS = 30 * 1000 };

/* ---- GET /v1/shows/{id}/reservations --------------------------------------------------------- */

static void put_next(struct request *request, struct text cursor)
{
    const struct list_wish *wish = request->errand.details;
    struct buffer link = {0};
    json_put_text(&request->answer.body, "cursor", cursor);
    buffer_print(&link, "<%.*s?limit=%lld&cursor=%.*s", TEXT_PRINT(request->path),
                 (long long)wish->limit, TEXT_PRINT(cursor));
    if (wish->status.size)
        buffer_print(&link, "&status=%.*s", TEXT_PRINT(wish->status));
    if (wish->q.size) {
        buffer_string(&link, "&q=");
        query_escape(&link, wish->q);
    }
    answer_header(request, "Link", "%s>; rel=\"next\"", link.data);
    buffer_release(&link);
}

static bool list_look(struct edge *edge, struct request *request)
{
    (void)edge;
    if (!request->errand.answered)
        return false;
    struct text list = buffer_view(&request->errand.result);
    struct text cursor = text_cut(&list, '\n');
    struct buffer *out = answer_open(request, 200);
    json_put_open(out, "reservations", '[');
    buffer_text(out, list);
    json_put_close(out, ']');
    if (cursor.size)
        put_next(request, cursor);
    answer_close(request);
    return true;
}

static void list_late(struct edge *edge, struct request *request)
{
    (void)edge;
    problem_answer(request, PROBLEM_overloaded, "the register does not keep up");
}

static const struct errand_kind list = {"list", list_look, list_late};

static bool read_status(struct request *request, struct list_wish *wish)
{
    wish->status = arena_text(&request->arena, request->queries[QUERY_STATUS]);
    for (int status = STATUS_REQUESTED; status <= STATUS_CANCELLED; status++)
        if (wish->status.size == 0 ||
            text_is(wish->status, view_status_name((enum reservation_status)status)))
            return true;
    problem_answer(request, PROBLEM_invalid,
                   "status must be a reservation's: held, confirmed, cancelled, …");
    return false;
}

/* A clerk may read it when the connection has gone already. */
static bool read_wish(struct request *request, struct list_wish *wish)
{
    struct text cursor = arena_text(&request->arena, request->queries[QUERY_CURSOR]);
    *wish = (struct list_wish){.q = arena_text(&request->arena, request->queries[QUERY_Q]),
                               .after_ms = -1};
    if (!request_limit(request, &wish->limit) || !read_status(request, wish))
        return false;
    if (cursor.size == 0)
        return true;
    struct text id = cursor;
    if (text_to_i64(text_cut(&id, '.'), &wish->after_ms) && uuid_valid(id)) {
        wish->after_id = id;
        return true;
    }
    problem_answer(request, PROBLEM_invalid, "cursor must be that of an earlier answer");
    return false;
}

/* Whether text/csv is what is liked best; what is as good as another is JSON. */
static bool wants_csv(const struct request *request)
{
    struct text rest = request->headers.accept;
    struct text first = text_cut(&rest, ',');
    return text_is(text_trim(text_cut(&first, ';')), "text/csv");
}

static void answer_table(struct edge *edge, struct request *request, const struct list_wish *wish)
{
    request->answer.stream = reservations_csv(edge, text_of(request->errand.show_id), wish);
    request->answer.status = 200;
    request->answer.content_type = "text/csv; charset=utf-8; header=present";
    answer_header(request, "Content-Disposition", "attachment; filename=\"%s.csv\"",
                  request->errand.show_id);
}

void handle_list_reservations(struct edge *edge, struct request *request)
{
    struct errand *errand = &request->errand;
    struct list_wish *wish = arena_take(&request->arena, sizeof *wish);
    if (!read_wish(request, wish))
        return;
    errand->details = wish;
    view_set(errand->show_id, sizeof errand->show_id, request->parts[0]);
    edge_lock(edge);
    if (view_show(&edge->view, request->parts[0]) == NULL) {
        problem_answer(request, PROBLEM_not_found, "there is no such show");
    } else if (wants_csv(request)) {
        answer_table(edge, request, wish);
    } else {
        clerks_begin(edge, request, &list, register_list, LIST_WAIT_MS);
    }
    edge_unlock(edge);
}

/* ---- GET /v1/attention ----------------------------------------------------------------------- */

static bool attention_look(struct edge *edge, struct request *request)
{
    const struct list_wish *wish = request->errand.details;
    if (!request->errand.answered)
        return false;
    struct text matters = buffer_view(&request->errand.result);
    struct text cursor = text_cut(&matters, '\n');
    struct buffer *out = answer_open(request, 200);
    json_put_open(out, "attention", '[');
    for (int i = 0; i < edge->view.show_count && wish->after_id.size == 0; i++)
        attention_put_show(out, edge->view.list[i]);
    if (matters.size) {
        if (out->data[out->size - 1] == '}')
            buffer_byte(out, ',');
        buffer_text(out, matters);
    }
    json_put_close(out, ']');
    if (cursor.size)
        put_next(request, cursor);
    answer_close(request);
    return true;
}

static const struct errand_kind attention = {"attention", attention_look, list_late};

void handle_attention(struct edge *edge, struct request *request)
{
    struct list_wish *wish = arena_take(&request->arena, sizeof *wish);
    if (!read_wish(request, wish))
        return;
    request->errand.details = wish;
    edge_lock(edge);
    clerks_begin(edge, request, &attention, register_attention, LIST_WAIT_MS);
    edge_unlock(edge);
}

/* ---- GET /v1/shows/{id}/report --------------------------------------------------------------- */

static bool report_look(struct edge *edge, struct request *request)
{
    if (!request->errand.answered)
        return false;
    const struct show *show = view_show(&edge->view, text_of(request->errand.show_id));
    struct buffer *out = answer_open(request, 200);
    render_show(out, "show", show, clock_wall_ms());
    buffer_byte(out, ',');
    buffer_text(out, buffer_view(&request->errand.result));
    answer_close(request);
    return true;
}

static const struct errand_kind report = {"report", report_look, list_late};

void handle_report(struct edge *edge, struct request *request)
{
    view_set(request->errand.show_id, sizeof request->errand.show_id, request->parts[0]);
    edge_lock(edge);
    const struct show *show = view_show(&edge->view, request->parts[0]);
    if (show) {
        request->errand.details = arena_text(&request->arena, text_of(show->currency)).data;
        clerks_begin(edge, request, &report, register_report, REPORT_WAIT_MS);
    } else {
        problem_answer(request, PROBLEM_not_found, "there is no such show");
    }
    edge_unlock(edge);
}
