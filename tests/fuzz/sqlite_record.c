/* How headers lie in a row of the SQLite log: any bytes come back as they were, and a row that
 * people wrote into reads to something that is written and read as itself. */
#include "bus/sqlite.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A row as the log would give it: bytes of its own, for they are undone in place. */
struct row {
    char *bytes;
    struct bus_header headers[BUS_HEADERS_MAX];
    struct bus_record record;
};

static void read_row(struct row *row, struct text text)
{
    row->bytes = malloc(text.size + 1);
    if (text.size)
        memcpy(row->bytes, text.data, text.size);
    row->record = (struct bus_record){.headers = row->headers};
    row->record.header_count = sqlite_headers_read(row->bytes, text.size, row->headers);
    assert(row->record.header_count >= 0 && row->record.header_count <= BUS_HEADERS_MAX + 1);
}

static void compare(const struct bus_record *a, const struct bus_record *b)
{
    assert(a->header_count == b->header_count);
    for (int i = 0; i < a->header_count; i++) {
        assert(text_equal(a->headers[i].name, b->headers[i].name));
        assert(text_equal(a->headers[i].value, b->headers[i].value));
        assert((a->headers[i].value.data == NULL) == (b->headers[i].value.data == NULL));
    }
}

/* What is written is plain text, and reads back as what it was. */
static void check_written(const struct bus_record *record)
{
    struct buffer written = {0}, rewritten = {0};
    struct row row;
    sqlite_headers_write(&written, record);
    assert(sqlite_plain_text(written.data, written.size));
    read_row(&row, buffer_view(&written));
    compare(record, &row.record);
    sqlite_headers_write(&rewritten, &row.record);
    assert(text_equal(buffer_view(&written), buffer_view(&rewritten)));
    free(row.bytes);
    buffer_release(&written);
    buffer_release(&rewritten);
}

/* Headers of any bytes: names and values are what stands between bytes 0xff; one of a single 0xfe
 * is no value at all. */
static void check_any_headers(struct text rest)
{
    struct bus_header headers[BUS_HEADERS_MAX];
    struct bus_record record = {.headers = headers};
    while (rest.data && record.header_count < BUS_HEADERS_MAX) {
        struct bus_header *header = &headers[record.header_count++];
        header->name = text_cut(&rest, '\xff');
        header->value = text_cut(&rest, '\xff');
        if (header->value.data == NULL)
            header->value = text_of("");
        if (text_is(header->value, "\xfe"))
            header->value = text_from(NULL, 0);
    }
    check_written(&record);
}

void fuzz_one(struct text input)
{
    struct row row;
    check_any_headers(input);
    read_row(&row, input);
    if (row.record.header_count <= BUS_HEADERS_MAX)
        check_written(&row.record);
    free(row.bytes);
}

void fuzz_seeds(void)
{
    fuzz_seed(text_of("ce_type: stagedoor.shows.SeatsHeld\nsd_stamp: 815-00c0ffee00c0ffee.3\n"));
    fuzz_seed(text_of("a\\x3ab: \\\\ \\n \\xff\nno value\nempty:\nwithout space:x\n: \n\n"));
    fuzz_seed(text_of("ce_id\xff"
                      "1\xff"
                      "a:b\xff\xfe\xff\xc3\xa9\xff\x80\n\\\xff\xff"));
    fuzz_word("\\x00");
    fuzz_word(": ");
}
