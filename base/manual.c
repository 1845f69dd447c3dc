/* mdoc wants a sentence to begin a line, a line to be short, and what looks like a request to be
 * escaped; the rest is the table. */
#include "base/manual.h"

#include <ctype.h>
#include <string.h>

enum { LINE_MAX_SIZE = 78 };

/* ---- text ------------------------------------------------------------------------------------ */

static void put_escaped(struct text text, struct buffer *out)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\\')
            buffer_string(out, "\\e");
        else if (text.data[i] == '-' || text.data[i] == '`')
            buffer_print(out, "\\%c", text.data[i]); /* to be copied, not to be beautiful */
        else
            buffer_byte(out, text.data[i]);
}

/* At the start of a line a dot or an apostrophe would be a request. */
static void put_word(struct text word, bool first, struct buffer *out)
{
    if (first && (word.data[0] == '.' || word.data[0] == '\''))
        buffer_string(out, "\\&");
    put_escaped(word, out);
}

static bool ends_sentence(struct text word)
{
    while (word.size > 1 && strchr(")'\"", word.data[word.size - 1]))
        word.size--;
    return strchr(".!?", word.data[word.size - 1]) != NULL;
}

/* Words of a line, behind `*column` columns of the line before it. */
static void fill(struct text line, size_t *column, struct buffer *out)
{
    while (line.size) {
        struct text word = text_cut(&line, ' ');
        if (word.size == 0)
            continue;
        if (*column && *column + 1 + word.size > LINE_MAX_SIZE) {
            buffer_byte(out, '\n');
            *column = 0;
        }
        if (*column)
            buffer_byte(out, ' ');
        put_word(word, *column == 0, out);
        *column += word.size + (*column > 0);
        if (ends_sentence(word)) {
            buffer_byte(out, '\n');
            *column = 0;
        }
    }
}

static void end_line(size_t *column, struct buffer *out)
{
    if (*column)
        buffer_byte(out, '\n');
    *column = 0;
}

void manual_text(struct text text, struct buffer *out)
{
    size_t column = 0;
    bool literal = false;
    while (text.size) {
        struct text line = text_cut(&text, '\n');
        bool indented = line.size > 2 && line.data[0] == ' ' && line.data[1] == ' ';
        if (indented != literal) {
            end_line(&column, out);
            buffer_string(out, indented ? ".Bd -literal -offset indent\n" : ".Ed\n.Pp\n");
            literal = indented;
        }
        if (!indented) {
            fill(line, &column, out);
            continue;
        }
        put_word(text_from(line.data + 2, line.size - 2), true, out);
        buffer_byte(out, '\n');
    }
    end_line(&column, out);
    if (literal)
        buffer_string(out, ".Ed\n");
}

/* ---- operands: "[show|republish PLACE]" ------------------------------------------------------ */

enum operand_kind { OPERAND_MARK, OPERAND_PLACEHOLDER, OPERAND_WORD };

/* Cuts the next piece off; empty when there is none. */
static struct text next_operand(struct text *rest, enum operand_kind *kind)
{
    while (rest->size && rest->data[0] == ' ')
        *rest = text_from(rest->data + 1, rest->size - 1);
    size_t size = strcspn(rest->data, " []|");
    if (size > rest->size)
        size = rest->size;
    if (size == 0 && rest->size)
        size = 1;
    struct text piece = text_from(rest->data, size);
    *rest = text_from(rest->data + size, rest->size - size);
    *kind = OPERAND_PLACEHOLDER;
    if (piece.size && strchr("[]|", piece.data[0]))
        *kind = OPERAND_MARK;
    else if (piece.size && islower((unsigned char)piece.data[0]))
        *kind = OPERAND_WORD;
    return piece;
}

static void put_operand(struct text piece, enum operand_kind kind, struct buffer *out)
{
    switch (kind) {
    case OPERAND_MARK:
        buffer_string(out, piece.data[0] == '[' ? ".Oo\n" : piece.data[0] == ']' ? ".Oc\n" : "|\n");
        return;
    case OPERAND_PLACEHOLDER:
    case OPERAND_WORD:
        buffer_print(out, ".%s ", kind == OPERAND_WORD ? "Cm" : "Ar");
        put_escaped(piece, out);
        buffer_byte(out, '\n');
        return;
    }
}

/* ---- the page -------------------------------------------------------------------------------- */

void manual_name(const char *name, int section, struct text summary, struct buffer *out)
{
    buffer_string(out, ".Dd $Mdocdate$\n.Dt ");
    for (const char *at = name; *at; at++)
        buffer_byte(out, (char)toupper((unsigned char)(*at == ' ' ? '-' : *at)));
    buffer_print(out, " %d\n.Os\n.Sh NAME\n.Nm ", section);
    for (const char *at = name; *at; at++)
        buffer_byte(out, *at == ' ' ? '-' : *at);
    buffer_string(out, "\n.Nd ");
    put_escaped(summary, out);
    buffer_byte(out, '\n');
}

static void put_synopsis(const struct option_table *table, struct buffer *out)
{
    enum operand_kind kind;
    buffer_print(out, ".Sh SYNOPSIS\n.Nm %s\n", table->program);
    for (int i = 0; i < table->count; i++)
        if (table->specs[i].needed)
            buffer_print(out, ".Fl -%s Ar %s\n", table->specs[i].name, table->specs[i].argument);
    buffer_string(out, ".Op Ar OPTIONS\n");
    struct text rest = text_of(table->operands);
    for (struct text piece; (piece = next_operand(&rest, &kind)).size;)
        put_operand(piece, kind, out);
}

/* One line of help, however a terminal breaks it. */
static void put_flat(const char *help, struct buffer *out)
{
    bool space = false;
    for (; *help; help++) {
        bool blank = *help == ' ' || *help == '\n';
        if (!blank && space)
            buffer_byte(out, ' ');
        if (!blank)
            buffer_byte(out, *help);
        space = blank;
    }
}

static void put_option(const struct option_spec *spec, struct buffer *out)
{
    struct buffer help = {0};
    buffer_string(out, ".It ");
    if (spec->letter)
        buffer_print(out, "Fl %c , ", spec->letter);
    buffer_print(out, "Fl -%s", spec->name);
    if (spec->argument)
        buffer_print(out, " Ar \"%s\"", spec->argument);
    buffer_byte(out, '\n');
    put_flat(spec->help, &help);
    if (spec->otherwise)
        buffer_print(&help, " (%s)", spec->otherwise);
    manual_text(buffer_view(&help), out);
    buffer_release(&help);
    if (spec->env)
        buffer_print(out, ".Pq Ev %s\n", spec->env);
}

void manual_page(const struct option_table *table, struct buffer *out)
{
    struct text about = text_of(table->about), summary = text_cut(&about, '\n');
    bool is_command = strchr(table->program, ' ') != NULL;
    manual_name(table->program, is_command ? 1 : 8, summary, out);
    put_synopsis(table, out);
    buffer_string(out, ".Sh DESCRIPTION\n");
    manual_text(about, out);
    if (about.size)
        buffer_string(out, ".Pp\n");
    buffer_string(out, "The options are:\n.Bl -tag -width Ds\n");
    for (int i = 0; i < table->count; i++)
        put_option(&table->specs[i], out);
    buffer_string(out, ".It Fl -version\nof this build\n"
                       ".It Fl -help\nthe short of this page\n.El\n");
    if (table->more)
        buffer_string(out, ".Pp\n");
    manual_text(text_of(table->more), out);
}

/* ---- words for a shell ----------------------------------------------------------------------- */

static void put_words(const struct option_spec *spec, struct buffer *out)
{
    buffer_print(out, "--%s\t%s\t", spec->name, spec->argument ? spec->argument : "-");
    put_flat(spec->help, out);
    buffer_byte(out, '\n');
}

void manual_words(const struct option_table *table, struct buffer *out)
{
    enum operand_kind kind;
    struct text rest = text_of(table->operands);
    for (struct text piece; (piece = next_operand(&rest, &kind)).size;)
        if (kind == OPERAND_WORD)
            buffer_print(out, "%.*s\t-\t\n", TEXT_PRINT(piece));
    for (int i = 0; i < table->count; i++)
        put_words(&table->specs[i], out);
    buffer_string(out, "--version\t-\tof this build\n--help\t-\twhat can be said\n");
}
