/* cJSON behind our own names, so that its leniency ends here. */
#include "schemas/json.h"

#include "base/memory.h"
#include "schemas/message.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Or a lack of memory would look like a document that is no JSON: a command refused for ever, an
 * event that nobody can read. Before main, so before any thread. */
__attribute__((constructor)) static void allocate_as_we_do(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){memory_new, memory_free});
}

static const cJSON *node(const struct json *value)
{
    return (const cJSON *)value;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, or a stranger's object of some thousand keys would cost a hundred milliseconds. */
static bool has_key_twice(const cJSON *object)
{
    size_t count = 0;
    bool twice = false;
    const char **keys = memory_new((size_t)cJSON_GetArraySize(object) * sizeof *keys);
    for (const cJSON *child = object->child; child; child = child->next)
        keys[count++] = child->string;
    qsort(keys, count, sizeof *keys, by_key);
    for (size_t i = 1; i < count; i++)
        twice = twice || strcmp(keys[i - 1], keys[i]) == 0;
    memory_free(keys);
    return twice;
}

/* cJSON keeps every duplicate and finds the first: two readers would see two messages. */
static bool has_duplicate(const cJSON *value)
{
    for (const cJSON *child = value->child; child; child = child->next)
        if (has_duplicate(child))
            return true;
    return cJSON_IsObject(value) && value->child && has_key_twice(value);
}

struct json *json_parse(struct text text, const char **problem, size_t *at)
{
    *problem = json_problem(text, at);
    if (*problem)
        return NULL;
    cJSON *document = cJSON_ParseWithLength(text.data, text.size);
    *at = 0;
    if (document == NULL)
        *problem = "it cannot be read";
    else if (has_duplicate(document))
        *problem = "an object has the same key twice";
    if (*problem == NULL)
        return (struct json *)document;
    cJSON_Delete(document);
    return NULL;
}

void json_free(struct json *document)
{
    cJSON_Delete((cJSON *)document);
}

bool json_is_object(const struct json *value)
{
    return cJSON_IsObject(node(value));
}

bool json_is_array(const struct json *value)
{
    return cJSON_IsArray(node(value));
}

const struct json *json_member(const struct json *object, const char *name)
{
    return (const struct json *)cJSON_GetObjectItemCaseSensitive(node(object), name);
}

const struct json *json_first(const struct json *container)
{
    return (const struct json *)node(container)->child;
}

const struct json *json_next(const struct json *item)
{
    return (const struct json *)node(item)->next;
}

const char *json_key(const struct json *member)
{
    return node(member)->string;
}

int json_size(const struct json *container)
{
    return cJSON_GetArraySize(node(container));
}

bool json_text(const struct json *value, struct text *text)
{
    if (!cJSON_IsString(node(value)))
        return false;
    *text = text_of(node(value)->valuestring);
    return true;
}

bool json_i64(const struct json *value, int64_t *number)
{
    if (!cJSON_IsNumber(node(value)))
        return false;
    double wide = node(value)->valuedouble;
    if (!(fabs(wide) <= (double)COUNTER_MAX) || floor(wide) != wide)
        return false;
    *number = (int64_t)wide;
    return true;
}

bool json_bool(const struct json *value, bool *truth)
{
    if (!cJSON_IsBool(node(value)))
        return false;
    *truth = cJSON_IsTrue(node(value));
    return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The comma and the name. A value may only follow '{', '[' or, with a comma, another value. */
static void put_name(struct buffer *out, const char *name)
{
    if (out->size && out->data[out->size - 1] != '{' && out->data[out->size - 1] != '[')
        buffer_byte(out, ',');
    if (name == NULL)
        return;
    buffer_quoted(out, text_of(name));
    buffer_byte(out, ':');
}

void json_put_open(struct buffer *out, const char *name, char bracket)
{
    put_name(out, name);
    buffer_byte(out, bracket);
}

void json_put_close(struct buffer *out, char bracket)
{
    buffer_byte(out, bracket);
}

void json_put_text(struct buffer *out, const char *name, struct text text)
{
    put_name(out, name);
    buffer_quoted(out, text);
}

void json_put_i64(struct buffer *out, const char *name, int64_t number)
{
    put_name(out, name);
    buffer_i64(out, number);
}

void json_put_bool(struct buffer *out, const char *name, bool truth)
{
    put_name(out, name);
    buffer_string(out, truth ? "true" : "false");
}

void json_put_null(struct buffer *out, const char *name)
{
    put_name(out, name);
    buffer_string(out, "null");
}

void json_put_raw(struct buffer *out, const char *name, struct text json)
{
    put_name(out, name);
    buffer_text(out, json);
}
