/* The seats of a show on a few lines. */
#include "cli/show_print.h"

#include "base/rfc3339.h"
#include "story/words.h"
#include "schemas/json.h"

void show_print_moment(struct buffer *out, int64_t at_ms)
{
    words_time(out, at_ms, -1);
    buffer_print(out, ".%03d", (int)(at_ms % 1000));
}

/* ---- reservations ---------------------------------------------------------------------------- */
void show_print_bookings(const struct show_fold *fold, struct buffer *out)
{
    struct booking_count counts[BOOKING_STATUS_COUNT];
    const char *between = ": ";
    show_fold_count(fold, counts);
    buffer_print(out, "%zu reservation%s", fold->booking_count,
                 fold->booking_count == 1 ? "" : "s");
    for (int i = 0; i < BOOKING_STATUS_COUNT; i++) {
        if (counts[i].reservations == 0)
            continue;
        buffer_print(out, "%s%lld %s (%lld seat%s)", between, (long long)counts[i].reservations,
                     booking_status_name((enum booking_status)i), (long long)counts[i].seats,
                     counts[i].seats == 1 ? "" : "s");
        between = ", ";
    }
    buffer_byte(out, '\n');
}

void show_print_bookings_json(const struct show_fold *fold, struct buffer *out)
{
    struct booking_count counts[BOOKING_STATUS_COUNT];
    show_fold_count(fold, counts);
    json_put_open(out, "reservations", '{');
    json_put_i64(out, "count", (int64_t)fold->booking_count);
    for (int i = 0; i < BOOKING_STATUS_COUNT; i++) {
        json_put_open(out, booking_status_name((enum booking_status)i), '{');
        json_put_i64(out, "reservations", counts[i].reservations);
        json_put_i64(out, "seats", counts[i].seats);
        json_put_close(out, '}');
    }
    json_put_close(out, '}');
}

/* ---- the show -------------------------------------------------------------------------------- */
/* Its last description, texts in `arena`. false: none was seen. */
static bool describe(const struct show_fold *fold, struct arena *arena, struct message *show)
{
    if (fold->described.count == 0)
        return false;
    kept_message(fold->described.items[fold->described.count - 1], arena, show);
    return true;
}

static void put_window(const struct message *show, int64_t at_ms, struct buffer *out)
{
    buffer_string(out, "; sale from ");
    words_time(out, show->on_sale_at_ms, at_ms);
    buffer_string(out, " until ");
    words_time(out, show->off_sale_at_ms, at_ms);
    buffer_string(out, "; the show begins ");
    words_time(out, show->starts_at_ms, at_ms);
    buffer_byte(out, '\n');
}

static void put_seats(const struct after *after, struct buffer *out)
{
    buffer_print(out, "  seats: %lld of %lld free, %lld held, %lld sold, %lld blocked",
                 (long long)after->free, (long long)after->capacity, (long long)after->held,
                 (long long)after->sold, (long long)after->blocked);
    if (after->oversold_by)
        buffer_print(out, ", oversold by %lld", (long long)after->oversold_by);
    buffer_byte(out, '\n');
}

static const struct tier_use *use_of(const struct after *after, struct text tier_id)
{
    for (int i = 0; i < after->tier_count; i++)
        if (text_equal(after->tiers[i].tier_id, tier_id))
            return &after->tiers[i];
    return NULL;
}

static void put_tiers(const struct show_fold *fold, const struct message *show, struct buffer *out)
{
    for (int i = 0; i < show->tiers.count; i++) {
        const struct tier *tier = &show->tiers.items[i];
        const struct tier_use *use = use_of(&fold->after, tier->tier_id);
        buffer_print(out, "  tier %.*s, ", TEXT_PRINT(tier->tier_id));
        words_money(out, tier->amount_minor, show->currency);
        buffer_print(out, ": %lld held, %lld sold", (long long)(use ? use->held : 0),
                     (long long)(use ? use->sold : 0));
        if (tier->capacity >= 0)
            buffer_print(out, " of %lld", (long long)tier->capacity);
        buffer_byte(out, '\n');
    }
}

static void put_blocks(const struct show_fold *fold, struct buffer *out)
{
    for (int i = 0; i < fold->block_count; i++)
        if (fold->blocks[i].quantity)
            buffer_print(out, "  block %.*s: %lld\n", TEXT_PRINT(fold->blocks[i].block_id),
                         (long long)fold->blocks[i].quantity);
}

void show_print(const struct show_fold *fold, int64_t at_ms, struct buffer *out)
{
    struct arena arena = {0};
    struct message show;
    bool described = describe(fold, &arena, &show);
    buffer_print(out, "show %.*s", TEXT_PRINT(fold->show_id));
    if (described)
        buffer_print(out, ", \"%.*s\"", TEXT_PRINT(show.name));
    buffer_string(out, ", at ");
    show_print_moment(out, at_ms);
    buffer_print(out, " (%s/%d@%lld, seq %lld; all times UTC)\n", topic_name(fold->place.topic),
                 fold->place.partition, (long long)fold->place.offset, (long long)fold->seq);
    if (described) {
        buffer_print(out, "  %s", show_fold_status(fold, &show, at_ms));
        put_window(&show, at_ms, out);
    }
    put_seats(&fold->after, out);
    if (described)
        put_tiers(fold, &show, out);
    put_blocks(fold, out);
    buffer_string(out, "  ");
    show_print_bookings(fold, out);
    arena_release(&arena);
}

/* ---- for programs ---------------------------------------------------------------------------- */
static void put_time(struct buffer *out, const char *name, int64_t at_ms)
{
    char time[RFC3339_SIZE];
    json_put_text(out, name, text_of(rfc3339_print(at_ms, time)));
}

static void put_json_seats(const struct after *after, struct buffer *out)
{
    json_put_open(out, "seats", '{');
    json_put_i64(out, "capacity", after->capacity);
    json_put_i64(out, "held", after->held);
    json_put_i64(out, "sold", after->sold);
    json_put_i64(out, "blocked", after->blocked);
    json_put_i64(out, "free", after->free);
    json_put_i64(out, "oversold_by", after->oversold_by);
    json_put_close(out, '}');
}

static void put_json_tiers(const struct show_fold *fold, const struct message *show,
                           struct buffer *out)
{
    json_put_open(out, "tiers", '[');
    for (int i = 0; i < show->tiers.count; i++) {
        const struct tier *tier = &show->tiers.items[i];
        const struct tier_use *use = use_of(&fold->after, tier->tier_id);
        json_put_open(out, NULL, '{');
        json_put_text(out, "tier_id", tier->tier_id);
        json_put_text(out, "name", tier->name);
        json_put_i64(out, "amount_minor", tier->amount_minor);
        if (tier->capacity >= 0)
            json_put_i64(out, "capacity", tier->capacity);
        json_put_i64(out, "held", use ? use->held : 0);
        json_put_i64(out, "sold", use ? use->sold : 0);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_json_description(const struct show_fold *fold, int64_t at_ms, struct buffer *out)
{
    struct arena arena = {0};
    struct message show;
    if (describe(fold, &arena, &show)) {
        json_put_text(out, "name", show.name);
        json_put_text(out, "status", text_of(show_fold_status(fold, &show, at_ms)));
        put_time(out, "starts_at", show.starts_at_ms);
        put_time(out, "on_sale_at", show.on_sale_at_ms);
        put_time(out, "off_sale_at", show.off_sale_at_ms);
        json_put_text(out, "currency", show.currency);
        put_json_tiers(fold, &show, out);
    }
    arena_release(&arena);
}

void show_print_json(const struct show_fold *fold, int64_t at_ms, struct buffer *out)
{
    struct buffer place = {0};
    json_put_open(out, NULL, '{');
    json_put_text(out, "show_id", fold->show_id);
    put_time(out, "at", at_ms);
    buffer_print(&place, "%s/%d@%lld", topic_name(fold->place.topic), fold->place.partition,
                 (long long)fold->place.offset);
    json_put_text(out, "place", buffer_view(&place));
    json_put_i64(out, "seq", fold->seq);
    put_json_description(fold, at_ms, out);
    put_json_seats(&fold->after, out);
    json_put_open(out, "blocks", '[');
    for (int i = 0; i < fold->block_count; i++) {
        json_put_open(out, NULL, '{');
        json_put_text(out, "block_id", fold->blocks[i].block_id);
        json_put_i64(out, "quantity", fold->blocks[i].quantity);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    show_print_bookings_json(fold, out);
    json_put_close(out, '}');
    buffer_byte(out, '\n');
    buffer_release(&place);
}
