/* An example moved to today. */
#include "cli/examples.h"

#include "base/arena.h"
#include "schemas/codec.h"

#include <assert.h>

#define DAY_MS INT64_C(86400000)
/* When the story of schemas/examples takes place: 2026-10-03. */
#define WRITTEN_MS INT64_C(1791050000000)

void example_print(enum message_type type, int64_t now_ms, struct buffer *out)
{
    struct arena arena = {0};
    struct message message;
    struct codec_error error;
    enum codec_result result = codec_decode(type, example_text(type), &arena, &message, &error);
    assert(result == CODEC_OK); /* tests/schemas holds every example against the codec */
    if (now_ms > WRITTEN_MS)
        message_shift_times(&message, (now_ms - WRITTEN_MS + DAY_MS - 1) / DAY_MS * DAY_MS);
    message.has[FIELD_fingerprint] = false;
    codec_encode(&message, out);
    arena_release(&arena);
}
