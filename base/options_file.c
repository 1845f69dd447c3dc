/* The file behind --config. */
#include "base/options_reading.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Sections rank: those of other programs, what stands above all sections, and then our own. */
enum { RANK_OTHERS, RANK_ALL };

struct lines {
    struct option_reading *reading;
    int number; /* of the line, from 1 */
    int rank;   /* of the section it is in */
    int wanted; /* the rank whose settings are taken now */
};

void option_file_release(struct option_file *file)
{
    memory_free(file->bytes);
    *file = (struct option_file){.path = NULL};
}

/* ---- words ----------------------------------------------------------------------------------- */

/* How many letters must be changed, added or left out (Levenshtein). */
static size_t distance(struct text a, struct text b)
{
    enum { WORD_MAX = 64 };
    size_t row[WORD_MAX + 1];
    if (a.size > WORD_MAX || b.size > WORD_MAX)
        return WORD_MAX;
    for (size_t i = 0; i <= b.size; i++)
        row[i] = i;
    for (size_t i = 0; i < a.size; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.size; j++) {
            size_t above = row[j + 1], best = corner + (a.data[i] != b.data[j]);
            best = above + 1 < best ? above + 1 : best;
            row[j + 1] = row[j] + 1 < best ? row[j] + 1 : best;
            corner = above;
        }
    }
    return row[b.size];
}

static const char *nearest(const char *const *words, struct text word)
{
    const char *best = words[0];
    for (int i = 1; words[i]; i++)
        if (distance(word, text_of(words[i])) < distance(word, text_of(best)))
            best = words[i];
    return best;
}

static bool is_one_of(const char *const *words, struct text word)
{
    for (; *words; words++)
        if (text_is(word, *words))
            return true;
    return false;
}

/* ---- one line -------------------------------------------------------------------------------- */

static bool wrong_line(const struct lines *lines, const char *what, struct text subject,
                       const char *advice, const char *word)
{
    return option_wrong(lines->reading, "%s:%d: %s '%.*s'; %s '%s'", lines->reading->config,
                        lines->number, what, subject.size > 80 ? 80 : (int)subject.size,
                        subject.data, advice, word);
}

static bool read_section(struct lines *lines, struct text line)
{
    const struct option_table *table = lines->reading->table;
    struct text name = {line.data + 1, line.size - 1};
    if (name.size == 0 || name.data[name.size - 1] != ']')
        return wrong_line(lines, "no section is", line, "it begins like", "[edge]");
    name.size--;
    if (!is_one_of(table->words->sections, name))
        return wrong_line(lines, "unknown section", name, "the nearest is",
                          nearest(table->words->sections, name));
    int count = 0;
    lines->rank = RANK_OTHERS;
    while (table->sections[count])
        count++;
    for (int i = 0; i < count; i++)
        if (text_is(name, table->sections[i]))
            lines->rank = RANK_ALL + count - i;
    return true;
}

/* The row of a name; -1: it is not ours. Of a property `*rest` is its own name. */
static int row_of(const struct option_reading *reading, struct text name, struct text *rest)
{
    for (int i = 0; i < reading->table->count; i++) {
        const struct option_spec *spec = &reading->specs[i];
        size_t size = strlen(spec->name);
        *rest = (struct text){NULL, 0};
        if (spec->env && !spec->properties && text_is(name, spec->name))
            return i;
        if (spec->properties && text_starts(name, spec->name) && name.size > size &&
            name.data[size] == '.') {
            *rest = (struct text){name.data + size + 1, name.size - size - 1};
            return i;
        }
    }
    return -1;
}

/* A word that ends in a dot stands for all properties behind it. */
static bool is_known(const struct option_reading *reading, struct text name)
{
    for (const char *const *word = reading->table->words->names; *word; word++) {
        size_t size = strlen(*word);
        if (text_is(name, *word) || ((*word)[size - 1] == '.' && text_starts(name, *word)))
            return true;
    }
    return false;
}

static bool give(struct lines *lines, int row, struct text property, const char *value)
{
    struct option_reading *reading = lines->reading;
    const struct option_origin *held = &reading->given[row].origin;
    const struct option_origin origin = {OPTION_FILE, lines->number, lines->rank};
    if (property.data)
        return option_give_property(reading, row, property, value, origin);
    if (held->source > OPTION_FILE || held->rank > lines->rank || value[0] == '\0')
        return true;
    return option_give(reading, row, value, origin) ||
           option_wrong(reading, " (%s:%d)", reading->config, lines->number);
}

static bool read_setting(struct lines *lines, struct text line)
{
    char *bytes = lines->reading->table->file->bytes;
    struct text value = line, property;
    struct text name = text_trim(text_cut(&value, '='));
    if (value.data == NULL)
        return wrong_line(lines, "no setting is", line, "say", "NAME = VALUE");
    value = text_trim(value);
    bytes[value.data + value.size - bytes] = '\0'; /* there is room, see read_bytes */
    int row = row_of(lines->reading, name, &property);
    if (row >= 0)
        return lines->rank != lines->wanted || give(lines, row, property, value.data);
    return is_known(lines->reading, name) ||
           wrong_line(lines, "unknown setting", name, "the nearest is",
                      nearest(lines->reading->table->words->names, name));
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\0';
}

static bool read_lines(struct option_reading *reading, size_t size, int wanted)
{
    struct lines lines = {reading, 0, RANK_ALL, wanted};
    struct text rest = {reading->table->file->bytes, size};
    bool good = true;
    while (good && rest.data) {
        struct text line = text_cut(&rest, '\n');
        lines.number++;
        while (line.size && is_blank(line.data[line.size - 1]))
            line.size--;
        line = text_trim(line);
        if (line.size == 0 || line.data[0] == '#')
            continue;
        good = line.data[0] == '[' ? read_section(&lines, line) : read_setting(&lines, line);
    }
    return good;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Behind each line there is a byte, for the end of a value that ends with its line. */
static bool read_bytes(struct option_reading *reading, struct buffer *bytes)
{
    FILE *file = fopen(reading->config, "re");
    int byte = EOF;
    while (file && (byte = getc(file)) != EOF) {
        if (byte == '\n')
            buffer_byte(bytes, '\0');
        buffer_byte(bytes, (char)byte);
    }
    bool good = file && !ferror(file);
    if (!good)
        option_wrong(reading, "cannot read the configuration '%s': %s; name another: --config FILE",
                     reading->config, strerror(errno));
    if (file)
        fclose(file);
    return good;
}

/* Once for each rank, the highest first: so what is given is never taken back. */
bool option_file_read(struct option_reading *reading)
{
    const struct option_table *table = reading->table;
    struct buffer bytes = {0};
    bool good = read_bytes(reading, &bytes);
    int rank = RANK_ALL;
    buffer_byte(&bytes, '\0');
    option_file_release(table->file);
    *table->file = (struct option_file){reading->config, bytes.data};
    for (int i = 0; table->sections[i]; i++)
        rank++;
    for (; good && rank >= RANK_ALL; rank--)
        good = read_lines(reading, bytes.size, rank);
    return good;
}
