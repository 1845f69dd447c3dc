/* Cutting bytes into lines. A child may write half a line, or rubbish. */
#include "manager/line_reader.h"

#include <string.h>

static bool give(struct line_reader *reader, struct text *line)
{
    *line = text_from(reader->bytes, reader->size);
    reader->size = 0;
    return true;
}

bool line_reader_next(struct line_reader *reader, struct text *rest, struct text *line)
{
    while (rest->size) {
        char byte = *rest->data++;
        rest->size--;
        if (byte == '\n')
            return give(reader, line);
        if (((unsigned char)byte < ' ' && byte != '\t') || byte == '\x7f')
            byte = '?';
        reader->bytes[reader->size++] = byte;
        if (reader->size == LINE_SIZE_MAX)
            return give(reader, line);
    }
    return false;
}

bool line_reader_last(struct line_reader *reader, struct text *line)
{
    return reader->size > 0 && give(reader, line);
}

void line_prefix(const char *name, int width, int colour, struct text line, struct buffer *out)
{
    if (colour)
        buffer_print(out, "\033[%dm%-*s |\033[0m ", colour, width, name);
    else
        buffer_print(out, "%-*s | ", width, name);
    buffer_text(out, line);
    buffer_byte(out, '\n');
}
