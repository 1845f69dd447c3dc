/* One walk over the JSON, which is known to be good. */
#include "contract/yaml.h"

#include <ctype.h>

struct yaml {
    const char *at; /* in the JSON */
    struct buffer *out;
    struct buffer text; /* the string at hand, without escapes */
};

static void value(struct yaml *yaml, int depth, bool in_list);

/* ---- reading --------------------------------------------------------------------------------- */

static char next(struct yaml *yaml)
{
    while (isspace((unsigned char)*yaml->at))
        yaml->at++;
    return *yaml->at;
}

/* Over the string at hand; `*raw` is all of it with its quotes. False: it has other escapes than
 * \" and \\, and yaml->text is not it. */
static bool read_string(struct yaml *yaml, struct text *raw)
{
    const char *start = yaml->at;
    bool simple = true;
    buffer_clear(&yaml->text);
    for (yaml->at++; *yaml->at != '"'; yaml->at++) {
        if (*yaml->at == '\\') {
            yaml->at++;
            simple = simple && (*yaml->at == '"' || *yaml->at == '\\');
        }
        buffer_byte(&yaml->text, *yaml->at);
    }
    yaml->at++;
    *raw = text_from(start, (size_t)(yaml->at - start));
    return simple;
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* A word that YAML, in one of its versions, reads as something else. */
static bool is_taken(struct text text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "y",   "n",  NULL};
    for (int i = 0; words[i]; i++)
        if (text.size == strlen(words[i]) && strncasecmp(text.data, words[i], text.size) == 0)
            return true;
    return false;
}

/* What nobody takes for anything but a text: begins with a letter, and nothing that means
 * something. */
static bool is_plain(struct text text)
{
    if (text.size == 0 || !(isalpha((unsigned char)text.data[0]) || text.data[0] == '$') ||
        text.data[text.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!isalnum((unsigned char)text.data[i]) && !strchr(" _-./$(),;=", text.data[i]))
            return false;
    return !is_taken(text);
}

/* Folding turns single spaces into line ends, and back when it is read. */
static bool is_foldable(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool space = text.data[i] == ' ';
        if (space && (i == 0 || i + 1 == text.size || text.data[i + 1] == ' '))
            return false;
    }
    return memchr(text.data, ' ', text.size) != NULL;
}

static void new_line(struct yaml *yaml, int depth)
{
    buffer_byte(yaml->out, '\n');
    for (int i = 0; i < depth; i++)
        buffer_string(yaml->out, "  ");
}

static void folded(struct yaml *yaml, struct text rest, int depth)
{
    size_t column = YAML_COLUMNS_MAX;
    buffer_string(yaml->out, ">-");
    while (rest.data) {
        struct text word = text_cut(&rest, ' ');
        if (column + 1 + word.size > YAML_COLUMNS_MAX) {
            new_line(yaml, depth);
            column = (size_t)depth * 2;
        } else {
            buffer_byte(yaml->out, ' ');
            column++;
        }
        buffer_text(yaml->out, word);
        column += word.size;
    }
}

static void quoted(struct yaml *yaml, struct text text)
{
    buffer_byte(yaml->out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'')
            buffer_byte(yaml->out, '\'');
        buffer_byte(yaml->out, text.data[i]);
    }
    buffer_byte(yaml->out, '\'');
}

/* `depth` of what would follow on its own line; 0: it may not be folded. */
static void string(struct yaml *yaml, int depth)
{
    struct text raw;
    bool simple = read_string(yaml, &raw);
    struct text text = buffer_view(&yaml->text);
    if (!simple)
        buffer_text(yaml->out, raw); /* in YAML, too, this is the text with its escapes */
    else if (depth && text.size + (size_t)depth * 2 > YAML_COLUMNS_MAX - 20 && is_foldable(text))
        folded(yaml, text, depth);
    else if (is_plain(text))
        buffer_text(yaml->out, text);
    else
        quoted(yaml, text);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void members(struct yaml *yaml, int depth, bool in_list)
{
    for (yaml->at++; next(yaml) != '}'; yaml->at += next(yaml) == ',') {
        next(yaml);
        if (!in_list) /* the first stands behind the dash */
            new_line(yaml, depth);
        in_list = false;
        string(yaml, 0);
        next(yaml);
        yaml->at++;
        buffer_byte(yaml->out, ':');
        value(yaml, depth, false);
    }
    yaml->at++;
}

static void items(struct yaml *yaml, int depth)
{
    for (yaml->at++; next(yaml) != ']'; yaml->at += next(yaml) == ',') {
        new_line(yaml, depth);
        buffer_byte(yaml->out, '-');
        value(yaml, depth, true);
    }
    yaml->at++;
}

static bool is_empty(struct yaml *yaml)
{
    struct yaml ahead = {.at = yaml->at + 1};
    char c = next(&ahead);
    if (c != '}' && c != ']')
        return false;
    yaml->at = ahead.at + 1;
    return true;
}

/* Behind a key or a dash at `depth`. */
static void value(struct yaml *yaml, int depth, bool in_list)
{
    char c = next(yaml);
    if ((c == '{' || c == '[') && is_empty(yaml)) {
        buffer_string(yaml->out, c == '{' ? " {}" : " []");
    } else if (c == '{') {
        if (in_list)
            buffer_byte(yaml->out, ' ');
        members(yaml, depth + 1, in_list);
    } else if (c == '[') {
        items(yaml, depth + 1);
    } else if (c == '"') {
        buffer_byte(yaml->out, ' ');
        string(yaml, depth + 1);
    } else {
        size_t size = strcspn(yaml->at, ",]} \n\t\r");
        buffer_byte(yaml->out, ' ');
        buffer_add(yaml->out, yaml->at, size);
        yaml->at += size;
    }
}

void yaml_print(struct text json, struct buffer *out)
{
    struct buffer document = {0}, body = {0};
    struct yaml yaml = {.out = &body};
    buffer_text(&document, json);
    yaml.at = document.data;
    value(&yaml, -1, false);
    struct text text = buffer_view(&body);
    size_t skip = text.data[0] == '\n' || text.data[0] == ' '; /* it stands behind no key */
    buffer_add(out, text.data + skip, text.size - skip);
    buffer_byte(out, '\n');
    buffer_release(&yaml.text);
    buffer_release(&body);
    buffer_release(&document);
}
