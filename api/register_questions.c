/* What is asked of the register: each question one statement, on the register's thread. */
#include "api/register_file.h"
#include "schemas/json.h"

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
