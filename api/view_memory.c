/* The owned parts of shows and reservations: each list is one block, its texts behind its items. */
#include "api/view.h"

#include "base/memory.h"

#include <string.h>

void view_set(char *field, size_t size, struct text text)
{
    size_t length = text.size < size - 1 ? text.size : size - 1;
    while (length < text.size && length > 0 && ((unsigned char)text.data[length] & 0xc0) == 0x80)
        length--; /* never half a character */
    if (length)
        memcpy(field, text.data, length);
    field[length] = '\0';
}

static struct text put(char **at, struct text text)
{
    struct text copy = {text.data ? *at : NULL, text.size};
    if (text.data == NULL)
        return copy;
    if (text.size)
        memcpy(*at, text.data, text.size);
    (*at)[text.size] = '\0';
    *at += text.size + 1;
    return copy;
}

/* ---- reservations ---------------------------------------------------------------------------- */

static struct line *copy_lines(const struct line *lines, int count)
{
    size_t size = (size_t)count * sizeof *lines;
    for (int i = 0; i < count; i++)
        size += lines[i].tier_id.size + 1;
    struct line *copy = memory_new(size);
    char *at = (char *)(copy + count);
    for (int i = 0; i < count; i++) {
        copy[i] = lines[i];
        copy[i].tier_id = put(&at, lines[i].tier_id);
    }
    return copy;
}

static struct ticket_range *copy_tickets(const struct ticket_range *tickets, int count)
{
    size_t size = (size_t)count * sizeof *tickets;
    for (int i = 0; i < count; i++)
        size += tickets[i].tier_id.size + 1;
    struct ticket_range *copy = memory_new(size);
    char *at = (char *)(copy + count);
    for (int i = 0; i < count; i++) {
        copy[i] = tickets[i];
        copy[i].tier_id = put(&at, tickets[i].tier_id);
    }
    return copy;
}

static struct holder copy_holder(const struct holder *holder)
{
    struct holder copy;
    char *at = memory_new(holder->name.size + holder->email.size + holder->phone.size + 3);
    copy.name =
        put(&at, (struct text){holder->name.data ? holder->name.data : "", holder->name.size});
    copy.email = put(&at, holder->email);
    copy.phone = put(&at, holder->phone);
    return copy;
}

/* Of plain items, which own nothing. */
static void *copy_block(const void *items, int count, size_t item_size)
{
    size_t size = (size_t)count * item_size;
    void *copy = size ? memory_new(size) : NULL;
    if (size)
        memcpy(copy, items, size);
    return copy;
}

static struct replays copy_replays(const struct replays *replays)
{
    struct replays copy = *replays;
    copy.items = copy_block(replays->items, replays->count, sizeof *replays->items);
    return copy;
}

static struct ticket_state *copy_states(const struct ticket_state *states, int count)
{
    struct ticket_state *copy = copy_block(states, count, sizeof *states);
    for (int i = 0; i < count; i++)
        if (states[i].holder.name.data)
            copy[i].holder = copy_holder(&states[i].holder);
    return copy;
}

static char *copy_string(struct text text)
{
    return (char *)text_copy(text).data;
}

void view_set_holder(struct reservation *reservation, const struct holder *holder)
{
    char *old = (char *)reservation->holder.name.data;
    reservation->holder = copy_holder(holder);
    memory_free(old);
}

void view_set_lines(struct reservation *reservation, const struct lines *lines)
{
    struct line *old = reservation->lines;
    reservation->lines = copy_lines(lines->items, lines->count);
    reservation->line_count = lines->count;
    memory_free(old);
}

void view_set_tickets(struct reservation *reservation, const struct tickets *tickets)
{
    struct ticket_range *old = reservation->tickets;
    reservation->tickets = copy_tickets(tickets->items, tickets->count);
    reservation->ticket_count = tickets->count;
    memory_free(old);
}

void view_set_note(struct reservation *reservation, struct text note)
{
    char *old = reservation->note;
    reservation->note = note.data ? copy_string(note) : NULL;
    memory_free(old);
}

void view_set_late_payment(struct reservation *reservation, struct text payment_id)
{
    char *old = reservation->late_payment_id;
    reservation->late_payment_id = copy_string(payment_id);
    memory_free(old);
}

/* Kept by id: the order in which they are first heard of differs from edge to edge. */
struct attempt *view_add_attempt(struct reservation *reservation, struct text payment_id)
{
    int count = reservation->attempt_count++, at = count;
    reservation->attempts =
        memory_grow(reservation->attempts, (size_t)(count + 1) * sizeof *reservation->attempts);
    struct attempt added = {.started_offset = -1, .amount_minor = -1};
    view_set(added.payment_id, sizeof added.payment_id, payment_id);
    for (; at > 0 && strcmp(reservation->attempts[at - 1].payment_id, added.payment_id) > 0; at--)
        reservation->attempts[at] = reservation->attempts[at - 1];
    reservation->attempts[at] = added;
    return &reservation->attempts[at];
}

struct repayment *view_add_repayment(struct reservation *reservation, struct text refund_id)
{
    int count = reservation->repayment_count++;
    reservation->repayments =
        memory_grow(reservation->repayments, (size_t)(count + 1) * sizeof *reservation->repayments);
    struct repayment *repayment = &reservation->repayments[count];
    *repayment = (struct repayment){.attempt = 1};
    view_set(repayment->refund_id, sizeof repayment->refund_id, refund_id);
    return repayment;
}

struct ticket_state *view_add_ticket(struct reservation *reservation, int64_t number)
{
    int count = reservation->state_count++;
    reservation->states =
        memory_grow(reservation->states, (size_t)(count + 1) * sizeof *reservation->states);
    struct ticket_state *ticket = &reservation->states[count];
    *ticket = (struct ticket_state){.number = number, .generation = 1};
    return ticket;
}

void view_ticket_set_holder(struct ticket_state *ticket, const struct holder *holder)
{
    char *old = (char *)ticket->holder.name.data;
    ticket->holder = copy_holder(holder);
    memory_free(old);
}

struct reservation *view_reservation_new(struct text reservation_id, struct text show_id)
{
    struct reservation *reservation = memory_new(sizeof *reservation);
    view_set(reservation->reservation_id, sizeof reservation->reservation_id, reservation_id);
    view_set(reservation->show_id, sizeof reservation->show_id, show_id);
    reservation->refusal = (struct refusal){reason_COUNT, -1, -1, -1, -1, -1, -1};
    reservation->offsets[0] = reservation->offsets[1] = reservation->offsets[2] = -1;
    reservation->replays.count_max = VIEW_REPLAYS_MAX;
    return reservation;
}

struct reservation *view_reservation_copy(const struct reservation *reservation)
{
    struct reservation *copy = memory_new(sizeof *copy);
    *copy = *reservation;
    copy->dirty = copy->settled = false;
    copy->next_dirty = copy->next_settled = copy->namesake = NULL;
    if (reservation->holder.name.data) /* nobody asked for what was refused unread */
        copy->holder = copy_holder(&reservation->holder);
    copy->lines = copy_lines(reservation->lines, reservation->line_count);
    copy->tickets = copy_tickets(reservation->tickets, reservation->ticket_count);
    copy->note = reservation->note ? copy_string(text_of(reservation->note)) : NULL;
    if (reservation->late_payment_id)
        copy->late_payment_id = copy_string(text_of(reservation->late_payment_id));
    copy->states = copy_states(reservation->states, reservation->state_count);
    copy->attempts = copy_block(reservation->attempts, reservation->attempt_count,
                                sizeof *reservation->attempts);
    copy->repayments = copy_block(reservation->repayments, reservation->repayment_count,
                                  sizeof *reservation->repayments);
    copy->replays = copy_replays(&reservation->replays);
    return copy;
}

void view_reservation_free(struct reservation *reservation)
{
    if (reservation == NULL)
        return;
    memory_free((char *)reservation->holder.name.data);
    memory_free(reservation->lines);
    memory_free(reservation->tickets);
    for (int i = 0; i < reservation->state_count; i++)
        memory_free((char *)reservation->states[i].holder.name.data);
    memory_free(reservation->states);
    memory_free(reservation->note);
    memory_free(reservation->late_payment_id);
    memory_free(reservation->attempts);
    memory_free(reservation->repayments);
    memory_free(reservation->replays.items);
    memory_free(reservation);
}

/* ---- shows ----------------------------------------------------------------------------------- */

static struct tier *copy_tiers(const struct tier *tiers, int count)
{
    size_t size = (size_t)count * sizeof *tiers;
    for (int i = 0; i < count; i++)
        size += tiers[i].tier_id.size + tiers[i].name.size + 2;
    struct tier *copy = memory_new(size);
    char *at = (char *)(copy + count);
    for (int i = 0; i < count; i++) {
        copy[i] = tiers[i];
        copy[i].tier_id = put(&at, tiers[i].tier_id);
        copy[i].name = put(&at, tiers[i].name);
    }
    return copy;
}

void view_show_set_name(struct show *show, struct text name)
{
    char *old = show->name;
    show->name = copy_string(name);
    memory_free(old);
}

void view_show_set_why(struct show *show, struct text why)
{
    char *old = show->cancelled_why;
    show->cancelled_why = why.data ? copy_string(why) : NULL;
    memory_free(old);
}

void view_show_set_tiers(struct show *show, const struct tiers *tiers)
{
    struct tier *old = show->tiers;
    show->tiers = copy_tiers(tiers->items, tiers->count);
    show->tier_count = tiers->count;
    if (tiers->count == 1)
        view_set(show->lone_tier, sizeof show->lone_tier, tiers->items[0].tier_id);
    memory_free(old);
}

void view_show_set_block(struct show *show, struct text block_id, int64_t quantity,
                         struct text note)
{
    int at = 0;
    while (at < show->block_count && !text_is(block_id, show->blocks[at].block_id))
        at++;
    if (at == show->block_count) {
        if (quantity == 0)
            return;
        show->blocks = memory_grow(show->blocks, (size_t)(at + 1) * sizeof *show->blocks);
        show->blocks[at] = (struct block){0};
        view_set(show->blocks[at].block_id, VIEW_ID_SIZE, block_id);
        show->block_count++;
    }
    struct block *block = &show->blocks[at];
    memory_free(block->note);
    block->note = note.size ? copy_string(note) : NULL;
    block->quantity = quantity;
    if (quantity == 0) {
        memory_free(block->note);
        show->blocks[at] = show->blocks[--show->block_count];
    }
}

struct show *view_show_new(struct text show_id)
{
    struct show *show = memory_new(sizeof *show);
    view_set(show->show_id, sizeof show->show_id, show_id);
    show->name = copy_string(text_of(""));
    show->replays.count_max = VIEW_SHOW_REPLAYS_MAX;
    show->offset = show->other_offset = -1;
    return show;
}

struct show *view_show_copy(const struct show *show)
{
    struct show *copy = memory_new(sizeof *copy);
    *copy = *show;
    copy->dirty = false;
    copy->next_dirty = NULL;
    copy->name = copy_string(text_of(show->name));
    copy->cancelled_why = show->cancelled_why ? copy_string(text_of(show->cancelled_why)) : NULL;
    copy->tiers = copy_tiers(show->tiers, show->tier_count);
    copy->blocks = memory_new((size_t)show->block_count * sizeof *show->blocks);
    for (int i = 0; i < show->block_count; i++) {
        copy->blocks[i] = show->blocks[i];
        if (show->blocks[i].note)
            copy->blocks[i].note = copy_string(text_of(show->blocks[i].note));
    }
    copy->replays = (struct replays){NULL, 0, show->replays.count_max};
    if (show->replays_dirty)
        copy->replays = copy_replays(&show->replays);
    return copy;
}

void view_show_free(struct show *show)
{
    if (show == NULL)
        return;
    for (int i = 0; i < show->block_count; i++)
        memory_free(show->blocks[i].note);
    memory_free(show->blocks);
    memory_free(show->replays.items);
    memory_free(show->tiers);
    memory_free(show->name);
    memory_free(show->cancelled_why);
    memory_free(show);
}

/* ---- replays --------------------------------------------------------------------------------- */

struct replay *view_replay_add(struct replays *replays)
{
    if (replays->count == replays->count_max) {
        memmove(replays->items, replays->items + 1,
                (size_t)(replays->count - 1) * sizeof *replays->items);
        replays->count--;
    }
    replays->items =
        memory_grow(replays->items, (size_t)(replays->count + 1) * sizeof *replays->items);
    struct replay *replay = &replays->items[replays->count++];
    *replay = (struct replay){
        .answer = MESSAGE_NONE, .code = code_COUNT, .reason = reason_COUNT, .available = -1};
    return replay;
}

const struct replay *view_replay(const struct replays *replays, struct text command_id)
{
    for (int i = replays->count - 1; i >= 0 && command_id.size; i--)
        if (text_is(command_id, replays->items[i].command_id))
            return &replays->items[i];
    return NULL;
}
