/* Small phrases, each in one way, so that every command says them alike. */
#include "story/words.h"

#include "base/rfc3339.h"

#include <stdio.h>

enum { DAY_MS = 24 * 3600 * 1000, TIME_START = 11, TIME_SIZE = 8, DAY_SIZE = 10 };

/* ISO 4217: how many of an amount's digits stand behind the point. */
static int digits_of(struct text currency)
{
    static const char none[] =
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
    static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
    if (currency.size != 3)
        return 2;
    if (memmem(none, sizeof none - 1, currency.data, currency.size))
        return 0;
    return memmem(three, sizeof three - 1, currency.data, currency.size) ? 3 : 2;
}

void words_money(struct buffer *out, int64_t amount_minor, struct text currency)
{
    static const int64_t units[] = {1, 10, 100, 1000};
    int digits = digits_of(currency);
    int64_t unit = units[digits];
    words_safe(out, currency, ID_SIZE_MAX);
    buffer_print(out, "%s%lld", currency.size ? " " : "", (long long)(amount_minor / unit));
    if (digits)
        buffer_print(out, ".%0*lld", digits, (long long)(amount_minor % unit));
}

void words_time(struct buffer *out, int64_t at_ms, int64_t near_ms)
{
    char text[RFC3339_SIZE];
    if (at_ms < 0 || at_ms > TIME_MS_MAX) {
        buffer_i64(out, at_ms);
        return;
    }
    rfc3339_print(at_ms, text);
    if (near_ms < 0 || near_ms / DAY_MS != at_ms / DAY_MS)
        buffer_print(out, "%.*s ", DAY_SIZE, text);
    buffer_add(out, text + TIME_START, TIME_SIZE);
}

void words_span(struct buffer *out, int64_t span_ms)
{
    int64_t s = span_ms / 1000, min = s / 60, h = min / 60;
    if (span_ms < 0)
        buffer_byte(out, '-');
    if (span_ms < 0)
        words_span(out, -span_ms);
    else if (span_ms < 1000)
        buffer_print(out, "%lld ms", (long long)span_ms);
    else if (s < 60)
        buffer_print(out, "%lld.%02lld s", (long long)s, (long long)(span_ms % 1000 / 10));
    else if (min < 60)
        buffer_print(out, "%lld min %lld s", (long long)min, (long long)(s % 60));
    else if (h < 24)
        buffer_print(out, "%lld h %lld min", (long long)h, (long long)(min % 60));
    else
        buffer_print(out, "%lld d %lld h", (long long)(h / 24), (long long)(h % 24));
}

/* ---- seats and tickets ----------------------------------------------------------------------- */
static void range(struct buffer *out, int64_t first, int64_t last)
{
    buffer_i64(out, first);
    if (last > first)
        buffer_print(out, "-%lld", (long long)last);
}

void words_numbers(struct buffer *out, const struct numbers *numbers)
{
    const char *between = "";
    for (int64_t first = numbers_next(numbers, 0); first;) {
        int64_t last = first, next = numbers_next(numbers, last);
        while (next == last + 1) {
            last = next;
            next = numbers_next(numbers, last);
        }
        buffer_string(out, between);
        range(out, first, last);
        between = ", ";
        first = next;
    }
}

void words_lines(struct buffer *out, const struct lines *lines)
{
    for (int i = 0; i < lines->count; i++)
        buffer_print(out, "%s%lld %.*s", i ? ", " : "", (long long)lines->items[i].quantity,
                     TEXT_PRINT(lines->items[i].tier_id));
}

void words_tickets(struct buffer *out, const struct tickets *tickets)
{
    for (int i = 0; i < tickets->count; i++) {
        const struct ticket_range *item = &tickets->items[i];
        buffer_print(out, "%s%.*s ", i ? ", " : "", TEXT_PRINT(item->tier_id));
        range(out, item->first, item->first + item->count - 1);
    }
}

void words_tiers(struct buffer *out, const struct tiers *tiers, struct text currency)
{
    for (int i = 0; i < tiers->count; i++) {
        const struct tier *tier = &tiers->items[i];
        buffer_print(out, "%s%.*s ", i ? ", " : "", TEXT_PRINT(tier->tier_id));
        words_money(out, tier->amount_minor, currency);
        if (tier->capacity >= 0)
            buffer_print(out, " (%lld seats)", (long long)tier->capacity);
    }
}

void words_after(struct buffer *out, const struct after *after)
{
    buffer_print(out, "%lld of %lld seats free", (long long)after->free,
                 (long long)after->capacity);
    if (after->oversold_by)
        buffer_print(out, ", oversold by %lld", (long long)after->oversold_by);
}

void words_payment(struct buffer *out, const struct payment *payment)
{
    words_money(out, payment->amount_minor, payment->currency);
    switch (payment->method) {
    case method_none:
        buffer_string(out, ", nothing to pay");
        break;
    case method_cash:
        buffer_string(out, " in cash");
        break;
    case method_card:
        buffer_string(out, " by card");
        break;
    case method_comp:
        buffer_string(out, " as a gift of the house");
        break;
    case method_external:
        buffer_string(out, " online");
        break;
    case method_COUNT:
        break;
    }
    if (payment->provider.data)
        buffer_print(out, " (%.*s%s%.*s)", TEXT_PRINT(payment->provider),
                     payment->provider_ref.data ? " " : "", TEXT_PRINT(payment->provider_ref));
}

/* ---- strangers' texts ------------------------------------------------------------------------ */
void words_safe(struct buffer *out, struct text text, size_t size_max)
{
    size_t size = text.size < size_max ? text.size : size_max;
    while (size < text.size && size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        /* U+0080 to U+009F are controls as well: C2 80 to C2 9F. */
        bool control = byte < ' ' || byte == 0x7f ||
                       (byte == 0xc2 && i + 1 < size && (unsigned char)text.data[i + 1] < 0xa0);
        i += control && byte == 0xc2;
        buffer_byte(out, control ? '?' : (char)byte);
    }
    if (size < text.size)
        buffer_string(out, "…");
}

/* How many bytes the character at the start of `text` has; 0: it is none, or a control. */
static size_t printable_size(struct text text)
{
    const unsigned char *byte = (const unsigned char *)text.data;
    if (byte[0] < 0x80)
        return byte[0] >= ' ' && byte[0] != 0x7f;
    size_t size = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    if (byte[0] < 0xc2 || byte[0] > 0xf4 || size > text.size)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    bool bad = (byte[0] == 0xc2 && byte[1] < 0xa0) || (byte[0] == 0xe0 && byte[1] < 0xa0) ||
               (byte[0] == 0xed && byte[1] > 0x9f) || (byte[0] == 0xf0 && byte[1] < 0x90) ||
               (byte[0] == 0xf4 && byte[1] > 0x8f);
    return bad ? 0 : size;
}

void words_visible(struct buffer *out, struct text text, bool lines)
{
    for (size_t at = 0; at < text.size;) {
        struct text rest = text_from(text.data + at, text.size - at);
        size_t size = printable_size(rest);
        if (lines && (rest.data[0] == '\n' || rest.data[0] == '\t'))
            size = 1;
        if (size)
            buffer_add(out, rest.data, size);
        else
            buffer_print(out, "\\x%02x", (unsigned char)rest.data[0]);
        at += size ? size : 1;
    }
}

size_t words_width(struct text text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.size; i++)
        width += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return width;
}

void words_pad(struct buffer *out, size_t start, size_t columns)
{
    size_t width = words_width(text_from(out->data + start, out->size - start));
    for (; width < columns; width++)
        buffer_byte(out, ' ');
}
