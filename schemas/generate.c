/* Writes the JSON Schema of every message: generate DIRECTORY
 *
 * What the codec enforces, for people who publish from another language:
 * DIRECTORY/<service>.<Name>.schema.json, in the order and with the words of messages.def, so the
 * same tables give the same bytes. Exit 0; 100 usage; 111 a file cannot be written. */
#include "schemas/codec.h"
#include "schemas/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { EXIT_USAGE = 100, EXIT_SYSTEM = 111 };

static void new_line(struct buffer *out, int depth)
{
    buffer_byte(out, '\n');
    for (int i = 0; i < depth; i++)
        buffer_string(out, "  ");
}

/* From `at`, which is at a quote, to behind the closing one. */
static size_t string_end(struct text json, size_t at)
{
    for (at++; json.data[at] != '"'; at++)
        if (json.data[at] == '\\')
            at++;
    return at + 1;
}

/* Compact JSON on many lines, two spaces per depth; empty lists stay on theirs. */
static void spread(struct text json, struct buffer *out)
{
    int depth = 0;
    for (size_t i = 0; i < json.size;) {
        char c = json.data[i];
        size_t end = c == '"' ? string_end(json, i) : i + 1;
        bool empty = (c == '[' || c == '{') && (json.data[i + 1] == ']' || json.data[i + 1] == '}');
        if (c == ']' || c == '}')
            new_line(out, --depth);
        end += empty;
        buffer_add(out, json.data + i, end - i);
        if ((c == '[' || c == '{') && !empty)
            new_line(out, ++depth);
        else if (c == ',')
            new_line(out, depth);
        else if (c == ':')
            buffer_byte(out, ' ');
        i = end;
    }
    buffer_byte(out, '\n');
}

static bool write_file(const char *path, struct text content)
{
    FILE *file = fopen(path, "we");
    bool written = file && fwrite(content.data, 1, content.size, file) == content.size;
    bool closed = file && fclose(file) == 0;
    if (!written || !closed)
        fprintf(stderr, "cannot write '%s': %s\n", path, strerror(errno));
    return written && closed;
}

static bool write_schema(const char *directory, enum message_type type)
{
    struct buffer compact = {0}, pretty = {0}, path = {0};
    size_t at;
    codec_schema(type, &compact);
    assert(json_problem(buffer_view(&compact), &at) == NULL);
    spread(buffer_view(&compact), &pretty);
    buffer_print(&path, "%s/%s.%s.schema.json", directory, speaker_name(message_speaker(type)),
                 message_name(type));
    bool written = write_file(path.data, buffer_view(&pretty));
    buffer_release(&compact);
    buffer_release(&pretty);
    buffer_release(&path);
    return written;
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: generate DIRECTORY\n");
        return EXIT_USAGE;
    }
    if (mkdir(arguments[1], 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "cannot make '%s': %s\n", arguments[1], strerror(errno));
        return EXIT_SYSTEM;
    }
    for (int type = 0; type < MESSAGE_COUNT; type++)
        if (!write_schema(arguments[1], (enum message_type)type))
            return EXIT_SYSTEM;
    return 0;
}
