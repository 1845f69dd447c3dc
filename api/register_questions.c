/* What is asked of the register: each question one statement, on the register's thread. */
#include "api/register_file.h"
#include "api/register_rows.h"
#include "api/render.h"
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

void register_list_all(struct register_file *file, struct request *request, struct buffer *result)
{
    sqlite3_stmt *statement;
    char current[VIEW_ID_SIZE] = "";
    (void)request;
    json_put_open(result, NULL, '{');
    if (sqlite3_prepare_v2(file->writer,
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

void register_list_show(struct register_file *file, struct request *request, struct buffer *result)
{
    sqlite3_stmt *statement = NULL;
    json_put_open(result, NULL, '[');
    if (sqlite3_prepare_v2(file->writer,
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

static void put_reservation(struct buffer *out, struct text row)
{
    struct reservation *reservation = row_read_reservation(row);
    if (reservation == NULL)
        return;
    json_put_open(out, NULL, '{');
    render_reservation(out, NULL, reservation, NULL);
    json_put_close(out, '}');
    view_reservation_free(reservation);
}

void register_list(struct register_file *file, struct request *request, struct buffer *result)
{
    const struct list_wish *wish = request->errand.details;
    struct buffer list = {0};
    sqlite3_stmt *statement = NULL;
    char last[UUID_SIZE + 24] = "", next[sizeof last] = "";
    if (sqlite3_prepare_v2(file->writer, list_text, -1, &statement, NULL) == SQLITE_OK) {
        register_bind(statement, 1, text_of(request->errand.show_id));
        register_bind(statement, 2, wish->status);
        register_bind(statement, 3, wish->q);
        sqlite3_bind_int64(statement, 4, wish->after_ms);
        register_bind(statement, 5, wish->after_id);
        sqlite3_bind_int64(statement, 6, wish->limit);
    }
    for (int64_t count = 0; statement && sqlite3_step(statement) == SQLITE_ROW; count++) {
        if (count == wish->limit) {
            memcpy(next, last, sizeof next);
            break;
        }
        put_reservation(&list, register_column(statement, 0));
        snprintf(last, sizeof last, "%lld.%.36s", (long long)sqlite3_column_int64(statement, 1),
                 (const char *)sqlite3_column_text(statement, 2));
    }
    sqlite3_finalize(statement);
    buffer_print(result, "%s\n", next);
    buffer_text(result, buffer_view(&list));
    buffer_release(&list);
}

void register_find_name(struct register_file *file, struct request *request, struct buffer *result)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(
            file->writer,
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

void register_find_payment(struct register_file *file, struct request *request,
                           struct buffer *result)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(file->writer,
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
