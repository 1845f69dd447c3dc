/* Records as texts, both ways. */
#include "tests/fuzz/record.h"

#include "bus/sqlite.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static char *copy_of(struct text text)
{
    char *copy = malloc(text.size ? text.size : 1);
    if (text.size)
        memcpy(copy, text.data, text.size);
    return copy;
}

void record_text_read(struct record_text *made, struct text text)
{
    struct text value = text, lines = fuzz_cut(&value, "\n\n");
    made->bytes = copy_of(lines);
    made->value = copy_of(value);
    made->record = (struct bus_record){.headers = made->headers,
                                       .value = {made->value, value.size},
                                       .append_ms = INT64_C(1795289400000)};
    made->record.header_count = sqlite_headers_read(made->bytes, lines.size, made->headers);
    for (int i = 0; i < made->record.header_count && i < BUS_HEADERS_MAX; i++)
        if (text_is(made->headers[i].name, "key"))
            made->record.key = made->headers[i].value;
}

void record_text_release(struct record_text *made)
{
    free(made->bytes);
    free(made->value);
}

void record_text_print(const struct bus_record *record, struct buffer *out)
{
    sqlite_headers_write(out, record);
    buffer_byte(out, '\n');
    buffer_text(out, record->value);
}
