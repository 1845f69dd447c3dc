/* What is asked of the register: each question one statement. */
#include "api/attention.h"
#include "api/register_file.h"
#include "api/register_rows.h"
#include "api/render.h"
#include "api/report.h"
#include "schemas/json.h"

#include <stdio.h>
#include <string.h>

#define ALIVE " status IN ('held', 'paying', 'payment_unknown', 'confirmed') "

static void put_guest(struct buffer *out, sqlite3_stmt *row)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "name", register_column(row, 0));
    json_put_i64(out, "guests", sqlite3_column_int64(row, 1));
    json_put_close(out, '}');
}

void register_list_all(struct clerk *clerk, struct request *request, struct buffer *result)
{
    sqlite3_stmt *statement;
    char current[VIEW_ID_SIZE] = "";
    (void)request;
    json_put_open(result, NULL, '{');
    if (sqlite3_prepare_v2(clerk->file,
                           "SELECT name, quantity, show_id FROM reservations WHERE" ALIVE
                           "ORDER BY show_id, created_at_ms",
                           -1, &statement, NULL) != SQLITE_OK)
        statement = NULL;
    while (statement && sqlite3_step(statement) == SQLITE_ROW) {
        if (!text_is(register_column(statement, 2), current)) {
            if (current[0])
                json_put_close(result, ']');
            view_set(current, sizeof current, register_column(statement, 2));
            json_put_open(result, current, '[');
        }
        put_guest(result, statement);
    }
    if (current[0])
        json_put_close(result, ']');
    json_put_close(result, '}');
    sqlite3_finalize(statement);
}

void register_list_show(struct clerk *clerk, struct request *request, struct buffer *result)
{
    sqlite3_stmt *statement = NULL;
    json_put_open(result, NULL, '[');
    if (sqlite3_prepare_v2(clerk->file,
                           "SELECT name, quantity FROM reservations WHERE show_id = ? AND" ALIVE
                           "ORDER BY created_at_ms",
                           -1, &statement, NULL) == SQLITE_OK) {
        register_bind(statement, 1, text_of(request->errand.show_id));
        while (sqlite3_step(statement) == SQLITE_ROW)
            put_guest(result, statement);
    }
    json_put_close(result, ']');
    sqlite3_finalize(statement);
}

/* One more than is told says whether there are more. */
static const char list_text[] =
    "SELECT value, created_at_ms, reservation_id FROM reservations"
    " WHERE show_id = ?1 AND status <> '' AND (?2 = '' OR status = ?2)"
    " AND (?3 = '' OR instr(lower(name), lower(?3)) OR instr(lower(email), lower(?3))"
    "      OR reference = upper(?3) OR reservation_id = lower(?3))"
    " AND (created_at_ms, reservation_id) > (?4, ?5)"
    " ORDER BY created_at_ms, reservation_id LIMIT ?6 + 1";

static void tell_row(sqlite3_stmt *row,
                     void (*tell)(void *context, const struct reservation *reservation),
                     void *context)
{
    struct reservation *reservation = row_read_reservation(register_column(row, 0));
    if (reservation)
        tell(context, reservation);
    view_reservation_free(reservation);
}

bool register_each(const struct clerk *clerk, struct text show_id, const struct list_wish *wish,
                   void (*tell)(void *context, const struct reservation *reservation),
                   void *context)
{
    sqlite3_stmt *statement = NULL;
    int64_t count = 0;
    if (sqlite3_prepare_v2(clerk->file, list_text, -1, &statement, NULL) != SQLITE_OK)
        return false;
    register_bind(statement, 1, show_id);
    register_bind(statement, 2, wish->status);
    register_bind(statement, 3, wish->q);
    sqlite3_bind_int64(statement, 4, wish->after_ms);
    register_bind(statement, 5, wish->after_id);
    sqlite3_bind_int64(statement, 6, wish->limit);
    while (sqlite3_step(statement) == SQLITE_ROW && ++count <= wish->limit)
        tell_row(statement, tell, context);
    sqlite3_finalize(statement);
    return count > wish->limit;
}

struct listing {
    struct buffer list;
    char last[UUID_SIZE + 24]; /* the place of the last one told */
};

static void note_place(struct listing *listing, const struct reservation *reservation)
{
    snprintf(listing->last, sizeof listing->last, "%lld.%s", (long long)reservation->created_at_ms,
             reservation->reservation_id);
}

static void put_reservation(void *context, const struct reservation *reservation)
{
    struct listing *listing = context;
    json_put_open(&listing->list, NULL, '{');
    render_reservation(&listing->list, NULL, reservation, NULL);
    json_put_close(&listing->list, '}');
    note_place(listing, reservation);
}

static void put_matters(void *context, const struct reservation *reservation)
{
    struct listing *listing = context;
    attention_put(&listing->list, reservation);
    note_place(listing, reservation);
}

static void put_listing(struct listing *listing, bool more, struct buffer *result)
{
    buffer_print(result, "%s\n", more ? listing->last : "");
    buffer_text(result, buffer_view(&listing->list));
    buffer_release(&listing->list);
}

void register_list(struct clerk *clerk, struct request *request, struct buffer *result)
{
    struct listing listing = {.list = {0}};
    bool more = register_each(clerk, text_of(request->errand.show_id), request->errand.details,
                              put_reservation, &listing);
    put_listing(&listing, more, result);
}

static const char attention_text[] =
    "SELECT value, created_at_ms, reservation_id FROM reservations WHERE attention = 1"
    " AND (created_at_ms, reservation_id) > (?1, ?2)"
    " ORDER BY created_at_ms, reservation_id LIMIT ?3 + 1";

void register_attention(struct clerk *clerk, struct request *request, struct buffer *result)
{
    const struct list_wish *wish = request->errand.details;
    struct listing listing = {.list = {0}};
    sqlite3_stmt *statement = NULL;
    int64_t count = 0;
    if (sqlite3_prepare_v2(clerk->file, attention_text, -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, wish->after_ms);
        register_bind(statement, 2, wish->after_id);
        sqlite3_bind_int64(statement, 3, wish->limit);
        while (sqlite3_step(statement) == SQLITE_ROW && ++count <= wish->limit)
            tell_row(statement, put_matters, &listing);
    }
    sqlite3_finalize(statement);
    put_listing(&listing, count > wish->limit, result);
}

void register_report(struct clerk *clerk, struct request *request, struct buffer *result)
{
    struct report report = {.currency = request->errand.details};
    struct list_wish all = {.after_ms = -1, .limit = INT64_MAX - 1};
    register_each(clerk, text_of(request->errand.show_id), &all, report_add, &report);
    report_put(result, &report);
    report_release(&report);
}

void register_find_name(struct clerk *clerk, struct request *request, struct buffer *result)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(
            clerk->file,
            "SELECT reservation_id FROM reservations WHERE show_id = ? AND name = ? AND" ALIVE
            "LIMIT 2",
            -1, &statement, NULL) == SQLITE_OK) {
        register_bind(statement, 1, text_of(request->errand.show_id));
        register_bind(statement, 2, request->errand.name);
        while (sqlite3_step(statement) == SQLITE_ROW)
            buffer_text(result, register_column(statement, 0));
    }
    sqlite3_finalize(statement);
}

void register_find_payment(struct clerk *clerk, struct request *request, struct buffer *result)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(clerk->file,
                           "SELECT reservation_id, show_id FROM payments WHERE id = ? LIMIT 16", -1,
                           &statement, NULL) == SQLITE_OK) {
        register_bind(statement, 1, request->errand.name);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            buffer_text(result, register_column(statement, 0));
            buffer_byte(result, ' ');
            buffer_text(result, register_column(statement, 1));
            buffer_byte(result, '\n');
        }
    }
    sqlite3_finalize(statement);
}
