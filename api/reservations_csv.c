/* Whoever comes last, the reader who leaves or the clerk, frees it. */
#include "api/reservations_csv.h"

#include "api/csv.h"
#include "base/memory.h"
#include "base/rfc3339.h"

#include <string.h>

enum { PIECE_ROWS = 200 };

static const char head[] = "reservation_id,reference,status,name,email,phone,quantity,amount_minor,"
                           "currency,created_at\r\n";

struct table {
    struct stream stream; /* first: the shell knows it by this address */
    struct clerk_job job;
    struct edge *edge;
    struct text show_id, status, q; /* its own */
    int64_t after_ms;
    char after_id[UUID_SIZE];

    pthread_mutex_t lock; /* everything below */
    struct buffer piece;
    size_t sent;   /* of the piece */
    bool asked;    /* a clerk has it, or will */
    bool complete; /* there is no piece behind this one */
    bool left;     /* the reader has gone */
};

static void table_free(struct table *table)
{
    stream_destroy(&table->stream);
    text_free(&table->show_id);
    text_free(&table->status);
    text_free(&table->q);
    buffer_release(&table->piece);
    pthread_mutex_destroy(&table->lock);
    memory_free(table);
}

static void put_row(void *context, const struct reservation *reservation)
{
    struct table *table = context;
    struct buffer *row = &table->piece;
    const struct holder *holder = &reservation->holder;
    char time[RFC3339_SIZE];
    csv_plain(row, text_of(reservation->reservation_id));
    csv_plain(row, text_of(reservation->reference));
    csv_plain(row, text_of(view_status_name(view_status(reservation))));
    csv_text(row, holder->name);
    csv_text(row, holder->email);
    csv_plain(row, holder->phone);
    csv_i64(row, reservation->quantity);
    csv_i64(row, reservation->amount_minor);
    csv_plain(row, text_of(reservation->currency));
    csv_plain(row, text_of(rfc3339_print(reservation->created_at_ms, time)));
    csv_end(row);
    table->after_ms = reservation->created_at_ms;
    memcpy(table->after_id, reservation->reservation_id, sizeof table->after_id);
}

/* While it is asked, nobody else touches the piece. */
static void fill(struct clerk_job *job, struct clerk *clerk)
{
    struct table *table = memory_owner(job, struct table, job);
    struct list_wish wish = {table->status, table->q, table->after_ms, text_of(table->after_id),
                             PIECE_ROWS};
    bool more = register_each(clerk, table->show_id, &wish, put_row, table);
    pthread_mutex_lock(&table->lock);
    bool left = table->left;
    table->asked = false;
    table->complete = !more;
    if (!left)
        stream_wake(&table->stream);
    pthread_mutex_unlock(&table->lock);
    if (left)
        table_free(table);
}

static ssize_t take(struct table *table, char *out, size_t max)
{
    if (table->asked)
        return 0;
    size_t left = table->piece.size - table->sent;
    size_t size = left < max ? left : max;
    if (size) {
        memcpy(out, table->piece.data + table->sent, size);
        table->sent += size;
        return (ssize_t)size;
    }
    if (table->complete)
        return STREAM_END;
    buffer_clear(&table->piece);
    table->sent = 0;
    edge_lock(table->edge);
    table->asked = register_post(table->edge->register_file, &table->job);
    edge_unlock(table->edge);
    return table->asked ? 0 : STREAM_BROKEN;
}

static ssize_t read_table(struct stream *stream, char *out, size_t max)
{
    struct table *table = memory_owner(stream, struct table, stream);
    pthread_mutex_lock(&table->lock);
    ssize_t size = take(table, out, max);
    pthread_mutex_unlock(&table->lock);
    return size;
}

static void release_table(struct stream *stream)
{
    struct table *table = memory_owner(stream, struct table, stream);
    pthread_mutex_lock(&table->lock);
    bool asked = table->asked;
    table->left = true;
    pthread_mutex_unlock(&table->lock);
    if (!asked)
        table_free(table);
}

struct stream *reservations_csv(struct edge *edge, struct text show_id,
                                const struct list_wish *wish)
{
    struct table *table = memory_new(sizeof *table);
    stream_init(&table->stream, read_table, release_table);
    table->job.run = fill;
    table->edge = edge;
    table->show_id = text_copy(show_id);
    table->status = text_copy(wish->status);
    table->q = text_copy(wish->q);
    table->after_ms = -1;
    pthread_mutex_init(&table->lock, NULL);
    buffer_string(&table->piece, head);
    return &table->stream;
}
