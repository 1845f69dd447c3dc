/* One row, one JSON object; names are those of the structs. */
#include "api/register_rows.h"

#include "schemas/json.h"

static void put_string(struct buffer *out, const char *name, const char *value)
{
    if (value[0])
        json_put_text(out, name, text_of(value));
}

static struct text get_text(const struct json *object, const char *name)
{
    struct text text = {NULL, 0};
    const struct json *member = json_member(object, name);
    if (member)
        json_text(member, &text);
    return text;
}

static int64_t get_i64(const struct json *object, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;
    const struct json *member = json_member(object, name);
    if (member)
        json_i64(member, &number);
    return number;
}

static bool get_bool(const struct json *object, const char *name)
{
    bool truth = false;
    const struct json *member = json_member(object, name);
    return member && json_bool(member, &truth) && truth;
}

#define SET(field, object, name) view_set(field, sizeof(field), get_text(object, name))

/* ---- replays --------------------------------------------------------------------------------- */

static void put_replays(struct buffer *out, const char *name, const struct replays *replays)
{
    json_put_open(out, name, '[');
    for (int i = 0; i < replays->count; i++) {
        const struct replay *replay = &replays->items[i];
        json_put_open(out, NULL, '{');
        put_string(out, "command_id", replay->command_id);
        put_string(out, "event_id", replay->event_id);
        put_string(out, "fingerprint", replay->fingerprint);
        if (replay->answer != MESSAGE_NONE)
            put_string(out, "answer", message_name(replay->answer));
        if (replay->code != code_COUNT)
            put_string(out, "code", code_name(replay->code));
        if (replay->reason != reason_COUNT)
            put_string(out, "reason", reason_name(replay->reason));
        if (replay->available >= 0)
            json_put_i64(out, "available", replay->available);
        put_string(out, "detail", replay->detail);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void get_replays(const struct json *list, struct replays *replays)
{
    for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item)) {
        struct replay *replay = view_replay_add(replays);
        SET(replay->command_id, item, "command_id");
        SET(replay->event_id, item, "event_id");
        SET(replay->fingerprint, item, "fingerprint");
        replay->answer = message_named(get_text(item, "answer"));
        code_named(get_text(item, "code"), &replay->code);
        reason_named(get_text(item, "reason"), &replay->reason);
        replay->available = get_i64(item, "available", -1);
        SET(replay->detail, item, "detail");
    }
}

void row_put_replays(struct buffer *out, const struct replays *replays)
{
    put_replays(out, NULL, replays);
}

void row_read_replays(struct text text, struct replays *replays)
{
    const char *problem;
    size_t at;
    struct json *document = json_parse(text, &problem, &at);
    get_replays(document, replays);
    json_free(document);
}

/* ---- reservations ---------------------------------------------------------------------------- */

static void put_holder(struct buffer *out, const struct holder *holder)
{
    if (holder->name.data == NULL)
        return;
    json_put_open(out, "holder", '{');
    json_put_text(out, "name", holder->name);
    if (holder->email.data)
        json_put_text(out, "email", holder->email);
    if (holder->phone.data)
        json_put_text(out, "phone", holder->phone);
    json_put_close(out, '}');
}

static void put_numbers(struct buffer *out, const char *name, const struct numbers *numbers)
{
    int64_t number = numbers_next(numbers, 0);
    if (number == 0)
        return;
    json_put_open(out, name, '[');
    for (; number; number = numbers_next(numbers, number))
        json_put_i64(out, NULL, number);
    json_put_close(out, ']');
}

static void put_tickets(struct buffer *out, const struct reservation *reservation)
{
    json_put_open(out, "tickets", '[');
    for (int i = 0; i < reservation->ticket_count; i++) {
        json_put_open(out, NULL, '{');
        json_put_text(out, "tier_id", reservation->tickets[i].tier_id);
        json_put_i64(out, "first", reservation->tickets[i].first);
        json_put_i64(out, "count", reservation->tickets[i].count);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    json_put_open(out, "states", '[');
    for (int i = 0; i < reservation->state_count; i++) {
        const struct ticket_state *ticket = &reservation->states[i];
        json_put_open(out, NULL, '{');
        json_put_i64(out, "number", ticket->number);
        json_put_i64(out, "generation", ticket->generation);
        put_holder(out, &ticket->holder);
        put_string(out, "list_id", ticket->list_id);
        json_put_i64(out, "entry", ticket->entry);
        json_put_i64(out, "entry_at_ms", ticket->entry_at_ms);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    put_numbers(out, "returned", &reservation->returned);
    put_numbers(out, "cancelled", &reservation->cancelled);
}

static void put_lines(struct buffer *out, const struct reservation *reservation)
{
    json_put_open(out, "lines", '[');
    for (int i = 0; i < reservation->line_count; i++) {
        json_put_open(out, NULL, '{');
        json_put_text(out, "tier_id", reservation->lines[i].tier_id);
        json_put_i64(out, "quantity", reservation->lines[i].quantity);
        json_put_i64(out, "unit_amount_minor", reservation->lines[i].unit_amount_minor);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_attempts(struct buffer *out, const struct reservation *reservation)
{
    json_put_open(out, "attempts", '[');
    for (int i = 0; i < reservation->attempt_count; i++) {
        const struct attempt *attempt = &reservation->attempts[i];
        json_put_open(out, NULL, '{');
        put_string(out, "payment_id", attempt->payment_id);
        put_string(out, "fingerprint", attempt->fingerprint);
        json_put_i64(out, "money", attempt->money);
        json_put_i64(out, "extension", attempt->extension);
        json_put_i64(out, "method", attempt->method);
        json_put_i64(out, "money_reason", attempt->money_reason);
        json_put_i64(out, "seats_reason", attempt->seats_reason);
        put_string(out, "provider", attempt->provider);
        put_string(out, "provider_ref", attempt->provider_ref);
        json_put_i64(out, "recorded", attempt->recorded);
        put_string(out, "recorded_as", attempt->recorded_as);
        json_put_bool(out, "requested", attempt->requested);
        json_put_bool(out, "closed", attempt->closed);
        json_put_bool(out, "superseded", attempt->superseded);
        json_put_i64(out, "started_offset", attempt->started_offset);
        json_put_i64(out, "pay_by_ms", attempt->pay_by_ms);
        json_put_i64(out, "amount_minor", attempt->amount_minor);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_repayments(struct buffer *out, const struct reservation *reservation)
{
    json_put_open(out, "repayments", '[');
    for (int i = 0; i < reservation->repayment_count; i++) {
        const struct repayment *repayment = &reservation->repayments[i];
        json_put_open(out, NULL, '{');
        put_string(out, "refund_id", repayment->refund_id);
        put_string(out, "payment_id", repayment->payment_id);
        put_string(out, "currency", repayment->currency);
        json_put_i64(out, "amount_minor", repayment->amount_minor);
        json_put_i64(out, "attempt", repayment->attempt);
        json_put_bool(out, "manual", repayment->manual);
        json_put_i64(out, "status", repayment->status);
        put_string(out, "recorded_as", repayment->recorded_as);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_refusal(struct buffer *out, const struct refusal *refusal)
{
    if (refusal->reason == reason_COUNT)
        return;
    json_put_open(out, "refusal", '{');
    put_string(out, "reason", reason_name(refusal->reason));
    json_put_i64(out, "available", refusal->available);
    json_put_i64(out, "retry_after_s", refusal->retry_after_s);
    json_put_i64(out, "seq", refusal->seq);
    json_put_i64(out, "sold", refusal->sold);
    json_put_i64(out, "held", refusal->held);
    json_put_i64(out, "offset", refusal->offset);
    json_put_close(out, '}');
}

void row_put_reservation(struct buffer *out, const struct reservation *reservation)
{
    json_put_open(out, NULL, '{');
    put_string(out, "reservation_id", reservation->reservation_id);
    put_string(out, "show_id", reservation->show_id);
    put_string(out, "fingerprint", reservation->fingerprint);
    json_put_i64(out, "booking", reservation->booking);
    json_put_i64(out, "seats", reservation->seats);
    put_string(out, "refused_code", code_name(reservation->refused_code));
    put_refusal(out, &reservation->refusal);
    put_holder(out, &reservation->holder);
    if (reservation->note)
        json_put_text(out, "note", text_of(reservation->note));
    if (reservation->late_payment_id)
        put_string(out, "late_payment_id", reservation->late_payment_id);
    put_lines(out, reservation);
    put_tickets(out, reservation);
    json_put_bool(out, "priced", reservation->priced);
    put_string(out, "reference", reservation->reference);
    put_string(out, "currency", reservation->currency);
    json_put_i64(out, "quantity", reservation->quantity);
    json_put_i64(out, "amount_minor", reservation->amount_minor);
    json_put_i64(out, "expires_at_ms", reservation->expires_at_ms);
    json_put_i64(out, "created_at_ms", reservation->created_at_ms);
    put_attempts(out, reservation);
    put_repayments(out, reservation);
    put_replays(out, "replays", &reservation->replays);
    json_put_i64(out, "shows_offset", reservation->offsets[0]);
    json_put_i64(out, "reservations_offset", reservation->offsets[1]);
    json_put_i64(out, "checkout_offset", reservation->offsets[2]);
    json_put_close(out, '}');
}

static void get_lists(const struct json *row, struct reservation *reservation)
{
    struct lines lines = {.count = 0};
    struct tickets tickets = {.count = 0};
    const struct json *list = json_member(row, "lines");
    for (const struct json *item = list ? json_first(list) : NULL; item && lines.count < LINES_MAX;
         item = json_next(item))
        lines.items[lines.count++] =
            (struct line){get_text(item, "tier_id"), get_i64(item, "quantity", 0),
                          get_i64(item, "unit_amount_minor", 0)};
    list = json_member(row, "tickets");
    for (const struct json *item = list ? json_first(list) : NULL;
         item && tickets.count < LINES_MAX; item = json_next(item))
        tickets.items[tickets.count++] = (struct ticket_range){
            get_text(item, "tier_id"), get_i64(item, "first", 0), get_i64(item, "count", 0)};
    view_set_lines(reservation, &lines);
    view_set_tickets(reservation, &tickets);
}

static struct holder get_holder(const struct json *holder)
{
    return (struct holder){get_text(holder, "name"), get_text(holder, "email"),
                           get_text(holder, "phone")};
}

static void get_numbers(const struct json *list, struct numbers *numbers)
{
    int64_t number;
    for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item))
        if (json_i64(item, &number) && number >= 1 && number <= NUMBERS_MAX)
            numbers_add(numbers, number);
}

static void get_states(const struct json *list, struct reservation *reservation)
{
    for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item)) {
        struct ticket_state *ticket = view_add_ticket(reservation, get_i64(item, "number", 0));
        const struct json *holder = json_member(item, "holder");
        struct holder found;
        ticket->generation = get_i64(item, "generation", 1);
        SET(ticket->list_id, item, "list_id");
        ticket->entry = (enum entry)get_i64(item, "entry", 0);
        ticket->entry_at_ms = get_i64(item, "entry_at_ms", 0);
        if (holder == NULL)
            continue;
        found = get_holder(holder);
        view_ticket_set_holder(ticket, &found);
    }
}

static void get_attempts(const struct json *list, struct reservation *reservation)
{
    for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item)) {
        struct attempt *attempt = view_add_attempt(reservation, get_text(item, "payment_id"));
        SET(attempt->fingerprint, item, "fingerprint");
        attempt->money = (enum money)get_i64(item, "money", 0);
        attempt->extension = (enum extension)get_i64(item, "extension", 0);
        attempt->method = (enum method)get_i64(item, "method", 0);
        attempt->money_reason = (enum reason)get_i64(item, "money_reason", 0);
        attempt->seats_reason = (enum reason)get_i64(item, "seats_reason", 0);
        SET(attempt->provider, item, "provider");
        SET(attempt->provider_ref, item, "provider_ref");
        attempt->recorded = (int)get_i64(item, "recorded", 0);
        SET(attempt->recorded_as, item, "recorded_as");
        attempt->requested = get_bool(item, "requested");
        attempt->closed = get_bool(item, "closed");
        attempt->superseded = get_bool(item, "superseded");
        attempt->started_offset = get_i64(item, "started_offset", -1);
        attempt->pay_by_ms = get_i64(item, "pay_by_ms", 0);
        attempt->amount_minor = get_i64(item, "amount_minor", -1);
    }
}

static void get_repayments(const struct json *list, struct reservation *reservation)
{
    for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item)) {
        struct repayment *repayment = view_add_repayment(reservation, get_text(item, "refund_id"));
        SET(repayment->payment_id, item, "payment_id");
        SET(repayment->currency, item, "currency");
        repayment->amount_minor = get_i64(item, "amount_minor", 0);
        repayment->attempt = get_i64(item, "attempt", 1);
        repayment->manual = get_bool(item, "manual");
        repayment->status = (enum repayment_status)get_i64(item, "status", 0);
        SET(repayment->recorded_as, item, "recorded_as");
    }
}

static void get_refusal(const struct json *row, struct refusal *refusal)
{
    if (row == NULL)
        return;
    reason_named(get_text(row, "reason"), &refusal->reason);
    refusal->available = get_i64(row, "available", -1);
    refusal->retry_after_s = get_i64(row, "retry_after_s", -1);
    refusal->seq = get_i64(row, "seq", -1);
    refusal->sold = get_i64(row, "sold", -1);
    refusal->held = get_i64(row, "held", -1);
    refusal->offset = get_i64(row, "offset", -1);
}

static struct reservation *get_reservation(const struct json *row)
{
    struct reservation *reservation =
        view_reservation_new(get_text(row, "reservation_id"), get_text(row, "show_id"));
    const struct json *holder = json_member(row, "holder");
    SET(reservation->fingerprint, row, "fingerprint");
    reservation->booking = (enum booking)get_i64(row, "booking", 0);
    reservation->seats = (enum seats)get_i64(row, "seats", 0);
    code_named(get_text(row, "refused_code"), &reservation->refused_code);
    get_refusal(json_member(row, "refusal"), &reservation->refusal);
    const struct json *note = json_member(row, "note");
    struct holder found;
    if (holder) {
        found = get_holder(holder);
        view_set_holder(reservation, &found);
    }
    if (note)
        view_set_note(reservation, get_text(row, "note"));
    if (json_member(row, "late_payment_id"))
        view_set_late_payment(reservation, get_text(row, "late_payment_id"));
    get_lists(row, reservation);
    get_states(json_member(row, "states"), reservation);
    get_numbers(json_member(row, "returned"), &reservation->returned);
    get_numbers(json_member(row, "cancelled"), &reservation->cancelled);
    reservation->priced = get_bool(row, "priced");
    SET(reservation->reference, row, "reference");
    SET(reservation->currency, row, "currency");
    reservation->quantity = get_i64(row, "quantity", 0);
    reservation->amount_minor = get_i64(row, "amount_minor", 0);
    reservation->expires_at_ms = get_i64(row, "expires_at_ms", 0);
    reservation->created_at_ms = get_i64(row, "created_at_ms", 0);
    get_attempts(json_member(row, "attempts"), reservation);
    get_repayments(json_member(row, "repayments"), reservation);
    get_replays(json_member(row, "replays"), &reservation->replays);
    reservation->offsets[0] = get_i64(row, "shows_offset", -1);
    reservation->offsets[1] = get_i64(row, "reservations_offset", -1);
    reservation->offsets[2] = get_i64(row, "checkout_offset", -1);
    return reservation;
}

struct reservation *row_read_reservation(struct text text)
{
    const char *problem;
    size_t at;
    struct json *document = json_parse(text, &problem, &at);
    struct reservation *reservation =
        document && json_is_object(document) ? get_reservation(document) : NULL;
    json_free(document);
    return reservation;
}

/* ---- shows ----------------------------------------------------------------------------------- */

static void put_seats(struct buffer *out, const struct show *show)
{
    json_put_open(out, "tiers", '[');
    for (int i = 0; i < show->tier_count; i++) {
        json_put_open(out, NULL, '{');
        json_put_text(out, "tier_id", show->tiers[i].tier_id);
        json_put_text(out, "name", show->tiers[i].name);
        json_put_i64(out, "amount_minor", show->tiers[i].amount_minor);
        json_put_i64(out, "capacity", show->tiers[i].capacity);
        json_put_i64(out, "held", show->tier_held[i]);
        json_put_i64(out, "sold", show->tier_sold[i]);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    put_string(out, "lone_tier", show->lone_tier);
    json_put_open(out, "blocks", '[');
    for (int i = 0; i < show->block_count; i++) {
        json_put_open(out, NULL, '{');
        put_string(out, "block_id", show->blocks[i].block_id);
        json_put_i64(out, "quantity", show->blocks[i].quantity);
        if (show->blocks[i].note)
            put_string(out, "note", show->blocks[i].note);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

/* The plain numbers of a show, for writing and reading alike. */
#define SHOW_NUMBERS                                                                               \
    FIELD_I64(starts_at_ms)                                                                        \
    FIELD_I64(on_sale_at_ms)                                                                       \
    FIELD_I64(off_sale_at_ms)                                                                      \
    FIELD_I64(max_per_order)                                                                       \
    FIELD_I64(max_per_person)                                                                      \
    FIELD_I64(hold_ttl_s)                                                                          \
    FIELD_I64(pay_window_s)                                                                        \
    FIELD_I64(customer_cancel_until_ms)                                                            \
    FIELD_I64(seq)                                                                                 \
    FIELD_I64(capacity)                                                                            \
    FIELD_I64(held)                                                                                \
    FIELD_I64(sold)                                                                                \
    FIELD_I64(blocked)                                                                             \
    FIELD_I64(free)                                                                                \
    FIELD_I64(oversold_by)                                                                         \
    FIELD_I64(winding_open)                                                                        \
    FIELD_I64(offset)                                                                              \
    FIELD_I64(other_offset)

/* And its plain facts. */
#define SHOW_FACTS                                                                                 \
    FIELD_BOOL(created)                                                                            \
    FIELD_BOOL(paused)                                                                             \
    FIELD_BOOL(cancelled)                                                                          \
    FIELD_BOOL(archived)                                                                           \
    FIELD_BOOL(bookings_archived)                                                                  \
    FIELD_BOOL(payments_archived)

void row_put_show(struct buffer *out, const struct show *show)
{
    json_put_open(out, NULL, '{');
    put_string(out, "show_id", show->show_id);
    put_string(out, "fingerprint", show->fingerprint);
    put_string(out, "name", show->name);
    put_string(out, "currency", show->currency);
    if (show->cancelled_why)
        json_put_text(out, "cancelled_why", text_of(show->cancelled_why));
    json_put_i64(out, "cancelled_refund", show->cancelled_refund);
    json_put_i64(out, "winding", show->winding);
    json_put_i64(out, "partition", show->partition);
#define FIELD_BOOL(field) json_put_bool(out, #field, show->field);
    SHOW_FACTS
#undef FIELD_BOOL
#define FIELD_I64(field) json_put_i64(out, #field, show->field);
    SHOW_NUMBERS
#undef FIELD_I64
    put_seats(out, show);
    json_put_close(out, '}');
}

static void get_seats(const struct json *row, struct show *show)
{
    struct tiers tiers = {.count = 0};
    const struct json *list = json_member(row, "tiers");
    for (const struct json *item = list ? json_first(list) : NULL; item && tiers.count < TIERS_MAX;
         item = json_next(item)) {
        show->tier_held[tiers.count] = get_i64(item, "held", 0);
        show->tier_sold[tiers.count] = get_i64(item, "sold", 0);
        tiers.items[tiers.count++] =
            (struct tier){get_text(item, "tier_id"), get_text(item, "name"),
                          get_i64(item, "amount_minor", 0), get_i64(item, "capacity", -1)};
    }
    SET(show->lone_tier, row, "lone_tier");
    view_show_set_tiers(show, &tiers);
    list = json_member(row, "blocks");
    for (const struct json *item = list ? json_first(list) : NULL; item; item = json_next(item))
        view_show_set_block(show, get_text(item, "block_id"), get_i64(item, "quantity", 0),
                            get_text(item, "note"));
}

struct show *row_read_show(struct text text)
{
    const char *problem;
    size_t at;
    struct json *row = json_parse(text, &problem, &at);
    if (row == NULL || !json_is_object(row)) {
        json_free(row);
        return NULL;
    }
    struct show *show = view_show_new(get_text(row, "show_id"));
    SET(show->fingerprint, row, "fingerprint");
    view_show_set_name(show, get_text(row, "name"));
    SET(show->currency, row, "currency");
    if (json_member(row, "cancelled_why"))
        view_show_set_why(show, get_text(row, "cancelled_why"));
    show->cancelled_refund = (enum refund)get_i64(row, "cancelled_refund", 0);
    show->winding = (enum winding)get_i64(row, "winding", 0);
    show->partition = (int)get_i64(row, "partition", 0);
#define FIELD_BOOL(field) show->field = get_bool(row, #field);
    SHOW_FACTS
#undef FIELD_BOOL
#define FIELD_I64(field) show->field = get_i64(row, #field, 0);
    SHOW_NUMBERS
#undef FIELD_I64
    get_seats(row, show);
    json_free(row);
    return show;
}
