/* The contract of the choreography as a program:
 *
 *   contract check ROOT    the rules hold, and what is written from the tables is what they say
 *                          today
 *   contract write ROOT    writes it: ROOT/schemas/asyncapi.yaml, and the drawings between the
 *                          marks in ROOT/ARCHITECTURE.md
 *
 * Exit 0; 1: a breach, each told on a line as file:line; 100 usage; 111 a file cannot be read or
 * written. */
#include "contract/asyncapi.h"
#include "contract/contract.h"
#include "contract/story.h"
#include "contract/yaml.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_BREACH = 1, EXIT_USAGE = 100, EXIT_SYSTEM = 111 };

static const struct service_descriptor *const services[] = {&shows_service, &reservations_service,
                                                            &checkout_service};
enum { SERVICE_COUNT = sizeof services / sizeof *services };

/* ---- files ----------------------------------------------------------------------------------- */

static void fail(const char *verb, const char *path)
{
    fprintf(stderr, "contract: cannot %s '%s': %s\n", verb, path, strerror(errno));
    exit(EXIT_SYSTEM);
}

/* Empty when it is not there. */
static void read_file(const char *path, struct buffer *content)
{
    char piece[4096];
    FILE *file = fopen(path, "re");
    if (file == NULL && errno == ENOENT)
        return;
    if (file == NULL)
        fail("read", path);
    for (size_t size; (size = fread(piece, 1, sizeof piece, file)) > 0;)
        buffer_add(content, piece, size);
    if (ferror(file))
        fail("read", path);
    fclose(file);
}

static void write_file(const char *path, struct text content)
{
    FILE *file = fopen(path, "we");
    bool written = file && fwrite(content.data, 1, content.size, file) == content.size;
    bool closed = file && fclose(file) == 0;
    if (!written || !closed)
        fail("write", path);
}

/* ---- what is written from the tables --------------------------------------------------------- */

static void print_asyncapi(const char *root, struct buffer *out)
{
    struct buffer files[MESSAGE_COUNT] = {{0}}, json = {0};
    struct text examples[MESSAGE_COUNT];
    for (int type = 0; type < MESSAGE_COUNT; type++) {
        struct buffer path = {0};
        buffer_print(&path, "%s/schemas/examples/%s.json", root,
                     message_name((enum message_type)type));
        read_file(path.data, &files[type]);
        examples[type] = buffer_view(&files[type]);
        buffer_release(&path);
    }
    asyncapi_print(services, SERVICE_COUNT, examples, &json);
    buffer_string(out, "# Written by make schemas from the tables of the services; do not edit.\n");
    yaml_print(buffer_view(&json), out);
    for (int type = 0; type < MESSAGE_COUNT; type++)
        buffer_release(&files[type]);
    buffer_release(&json);
}

static const char story_begin[] = "<!-- written by make schemas: -->\n";
static const char story_end[] = "<!-- until here -->\n";

/* The page with the drawings of today between the marks; false: it has no marks. */
static bool print_page(struct text page, struct buffer *out)
{
    const char *begin = page.size ? strstr(page.data, story_begin) : NULL;
    const char *end = begin ? strstr(begin, story_end) : NULL;
    if (end == NULL)
        return false;
    begin += sizeof story_begin - 1;
    buffer_add(out, page.data, (size_t)(begin - page.data));
    buffer_byte(out, '\n');
    story_print(services, SERVICE_COUNT, out);
    buffer_text(out, text_from(end, page.size - (size_t)(end - page.data)));
    return true;
}

/* ---- check, write ---------------------------------------------------------------------------- */

/* Writes the file or, `write` false, says that it is stale. True: it is as it should be. */
static bool settle(const char *root, const char *name, struct text old, struct text new, bool write)
{
    struct buffer path = {0};
    bool same = text_equal(old, new);
    buffer_print(&path, "%s/%s", root, name);
    if (!same && write)
        write_file(path.data, new);
    else if (!same)
        printf("%s:1: is stale; write it again: make schemas\n", name);
    buffer_release(&path);
    return same || write;
}

static bool settle_asyncapi(const char *root, bool write)
{
    static const char name[] = "schemas/asyncapi.yaml";
    struct buffer path = {0}, old = {0}, new = {0};
    buffer_print(&path, "%s/%s", root, name);
    read_file(path.data, &old);
    print_asyncapi(root, &new);
    bool good = settle(root, name, buffer_view(&old), buffer_view(&new), write);
    buffer_release(&path);
    buffer_release(&old);
    buffer_release(&new);
    return good;
}

static bool settle_page(const char *root, bool write)
{
    static const char name[] = "ARCHITECTURE.md";
    struct buffer path = {0}, old = {0}, new = {0};
    buffer_print(&path, "%s/%s", root, name);
    read_file(path.data, &old);
    bool good = print_page(buffer_view(&old), &new);
    if (!good)
        printf("%s:1: has no place for the drawings; put the lines '%.*s' and '%.*s' into it\n",
               name, (int)sizeof story_begin - 2, story_begin, (int)sizeof story_end - 2,
               story_end);
    else
        good = settle(root, name, buffer_view(&old), buffer_view(&new), write);
    buffer_release(&path);
    buffer_release(&old);
    buffer_release(&new);
    return good;
}

/* Nothing is written from tables that contradict each other. */
static int run(const char *root, bool write)
{
    struct buffer breaches = {0};
    bool good = contract_check(services, SERVICE_COUNT, &breaches) == 0 &&
                story_check(services, SERVICE_COUNT, &breaches) == 0;
    fwrite(breaches.data, 1, breaches.size, stdout);
    buffer_release(&breaches);
    if (!good)
        return EXIT_BREACH;
    bool published = settle_asyncapi(root, write);
    bool drawn = settle_page(root, write);
    return published && drawn ? 0 : EXIT_BREACH;
}

int main(int count, char **arguments)
{
    bool write = count == 3 && strcmp(arguments[1], "write") == 0;
    if (count != 3 || (!write && strcmp(arguments[1], "check") != 0)) {
        fprintf(stderr, "usage: contract check|write ROOT\n");
        return EXIT_USAGE;
    }
    return run(arguments[2], write);
}
