/* What is told of a table, to the manual and to a shell. */
#include "base/manual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool is_there(struct text text, const char *wanted)
{
    for (size_t i = 0; i < text.size; i++)
        if (text_starts(text_from(text.data + i, text.size - i), wanted))
            return true;
    return false;
}

static void manual__text_is_escaped_filled_and_left_alone_where_indented(void **state)
{
    static const struct {
        const char *given, *when, *then;
    } rows[] = {
        {"one\ntwo", "lines are short", "one two\n"},
        {"One. Two.", "a sentence ends", "One.\nTwo.\n"},
        {"(see one.) Two", "a sentence ends in a bracket", "(see one.)\nTwo\n"},
        {".so 'x", "it looks like a request", "\\&.so 'x\n"},
        {"'one", "it looks like a request", "\\&'one\n"},
        {"a\\b --c `d", "it would be made beautiful", "a\\eb \\-\\-c \\`d\n"},
        {"a:\n  b  c\n  .d\ne", "lines are indented",
         "a:\n.Bd -literal -offset indent\nb  c\n\\&.d\n.Ed\n.Pp\ne\n"},
        {"  a", "it ends indented", ".Bd -literal -offset indent\na\n.Ed\n"},
        {"", "there is none", ""},
        {"0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789",
         "a line is too long",
         "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\n"
         "0123456789\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        manual_text(text_of(rows[i].given), &out);
        buffer_byte(&out, '\0');
        if (strcmp(out.data, rows[i].then) != 0)
            fail_msg("when %s: '%s'", rows[i].when, out.data);
        buffer_release(&out);
    }
}

static void manual__operands_are_words_and_placeholders(void **state)
{
    struct buffer page = {0}, words = {0};
    const struct option_table table = {.program = "stagedoor refused",
                                       .operands = "[show|republish PLACE]",
                                       .about = "what was refused\n"};
    (void)state;
    manual_page(&table, &page);
    manual_words(&table, &words);
    assert_true(is_there(buffer_view(&page), ".Dt STAGEDOOR-REFUSED 1\n"));
    assert_true(is_there(buffer_view(&page), ".Nd what was refused\n"));
    assert_true(is_there(buffer_view(&page), ".Oo\n.Cm show\n|\n.Cm republish\n.Ar PLACE\n.Oc\n"));
    assert_true(text_starts(buffer_view(&words), "show\t-\t\nrepublish\t-\t\n--"));
    assert_false(is_there(buffer_view(&words), "PLACE"));
    buffer_release(&page);
    buffer_release(&words);
}

static void manual__an_option_is_told_whole(void **state)
{
    bool quiet = false;
    const char *bus = NULL;
    struct buffer page = {0}, words = {0};
    const struct option_spec specs[] = {
        OPTION_NEEDED("bus", "URL", "STAGEDOOR_BUS", &bus, "sqlite:x", "where\n    it is"),
        OPTION_FLAG("quiet", 'q', NULL, &quiet, "says nothing"),
    };
    const struct option_table table = {
        .program = "stagedoor-edge", .operands = "", .specs = specs, .count = 2};
    (void)state;
    manual_page(&table, &page);
    manual_words(&table, &words);
    assert_true(is_there(buffer_view(&page), ".Dt STAGEDOOR-EDGE 8\n"));
    assert_true(is_there(buffer_view(&page), ".Nm stagedoor-edge\n.Fl -bus Ar URL\n.Op Ar"));
    assert_true(is_there(buffer_view(&page),
                         ".It Fl -bus Ar \"URL\"\nwhere it is\n.Pq Ev STAGEDOOR_BUS\n"
                         ".It Fl q , Fl -quiet\nsays nothing\n"));
    assert_true(
        text_starts(buffer_view(&words), "--bus\tURL\twhere it is\n--quiet\t-\tsays nothing\n"));
    buffer_release(&page);
    buffer_release(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manual__text_is_escaped_filled_and_left_alone_where_indented),
        cmocka_unit_test(manual__operands_are_words_and_placeholders),
        cmocka_unit_test(manual__an_option_is_told_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
