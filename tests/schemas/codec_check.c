/* Asks the codec, line by line, for whoever wants to compare it with something else.
 *
 *   in    <Name> TAB <JSON on one line>
 *   out   ok | invalid <field> <detail> | undecodable <detail> | unknown
 *
 * One line out for each line in. */
#include "schemas/codec.h"

#include <stdio.h>
#include <stdlib.h>

static void answer(struct text line, struct arena *arena)
{
    static struct message message;
    struct codec_error error;
    enum message_type type = message_named(text_cut(&line, '\t'));
    if (type == MESSAGE_NONE) {
        puts("unknown");
        return;
    }
    switch (codec_decode(type, line, arena, &message, &error)) {
    case CODEC_OK:
        puts("ok");
        return;
    case CODEC_INVALID:
        printf("invalid %s %s\n", error.field, error.detail);
        return;
    case CODEC_UNDECODABLE:
        printf("undecodable %s\n", error.detail);
        return;
    }
}

int main(void)
{
    struct arena arena = {0};
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t size; (size = getline(&line, &capacity, stdin)) > 0;) {
        size -= line[size - 1] == '\n';
        answer(text_from(line, (size_t)size), &arena);
        arena_reset(&arena);
    }
    free(line);
    arena_release(&arena);
    return 0;
}
