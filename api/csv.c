/* A comma before every cell but the first of its line. */
#include "api/csv.h"

#include <string.h>

static void separate(struct buffer *row)
{
    if (row->size && row->data[row->size - 1] != '\n')
        buffer_byte(row, ',');
}

void csv_text(struct buffer *row, struct text text)
{
    separate(row);
    buffer_byte(row, '"'); /* always: an empty first cell would look like the start of a line */
    if (text.size && text.data[0] && strchr("=+-@\t\r", text.data[0]))
        buffer_byte(row, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            buffer_byte(row, '"');
        buffer_byte(row, text.data[i]);
    }
    buffer_byte(row, '"');
}

void csv_plain(struct buffer *row, struct text text)
{
    separate(row);
    buffer_text(row, text);
}

void csv_i64(struct buffer *row, int64_t number)
{
    separate(row);
    buffer_i64(row, number);
}

void csv_end(struct buffer *row)
{
    buffer_string(row, "\r\n");
}
