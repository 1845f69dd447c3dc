/* Between libFuzzer and a target; and the writer of first inputs: PROGRAM --seeds=FOLDER. */
#include "tests/fuzz/fuzz.h"

#include "base/crc.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- first inputs ---------------------------------------------------------------------------- */

static const char *folder;

static void write_file(const char *name, struct text contents, const char *mode)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, mode);
    if (file == NULL || fwrite(contents.data, 1, contents.size, file) != contents.size ||
        fclose(file) != 0) {
        fprintf(stderr, "cannot write '%s'\n", path);
        exit(111);
    }
}

void fuzz_seed(struct text input)
{
    char name[32];
    snprintf(name, sizeof name, "seed-%08x", crc32_of(input.data, input.size));
    write_file(name, input, "w");
}

void fuzz_seed_print(const char *format, ...)
{
    struct buffer input = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(&input, format, arguments);
    va_end(arguments);
    fuzz_seed(buffer_view(&input));
    buffer_release(&input);
}

/* libFuzzer's dictionary: a quoted word a line. */
void fuzz_word(const char *word)
{
    struct buffer line = {0};
    buffer_byte(&line, '"');
    for (const char *at = word; *at; at++)
        buffer_print(&line, "\\x%02x", (unsigned char)*at);
    buffer_string(&line, "\"\n");
    write_file("words.dict", buffer_view(&line), "a");
    buffer_release(&line);
}

/* ---- inputs ---------------------------------------------------------------------------------- */

unsigned fuzz_byte(struct text *rest)
{
    if (rest->size == 0)
        return 0;
    unsigned byte = (unsigned char)rest->data[0];
    *rest = text_from(rest->data + 1, rest->size - 1);
    return byte;
}

struct text fuzz_cut(struct text *rest, const char *mark)
{
    size_t size = strlen(mark);
    const char *at = rest->size ? memmem(rest->data, rest->size, mark, size) : NULL;
    struct text head = *rest;
    if (at == NULL) {
        *rest = text_from(NULL, 0);
        return head;
    }
    head.size = (size_t)(at - rest->data);
    *rest = text_from(at + size, rest->size - head.size - size);
    return head;
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const char option[] = "--seeds=";
    log_set_level(LOG_ERROR);
    for (int i = 1; i < *count; i++)
        if (strncmp((*arguments)[i], option, sizeof option - 1) == 0) {
            folder = (*arguments)[i] + sizeof option - 1;
            fuzz_seeds();
            exit(0);
        }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_one(text_from(data, size));
    return 0;
}
