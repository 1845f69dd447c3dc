/* reservations_core_state.h: what the reservations core remembers. Private to the core's files. */
#ifndef SERVICES_RESERVATIONS_CORE_STATE_H
#define SERVICES_RESERVATIONS_CORE_STATE_H

#include "base/heap.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/recent.h"
#include "schemas/refusal.h"
#include "services/reservations/reservations_core.h"

enum {
    BOOKING_COMMANDS_REMEMBERED = 16,
    TICKET_COMMANDS_REMEMBERED = 4,
    CANCELLATIONS_PER_MS = 10 /* of a cancelled show, by the log's time: other inputs in between */
};

enum booking_status {
    BOOKING_REFUSED,
    BOOKING_REQUESTED,
    BOOKING_REJECTED,
    BOOKING_CONFIRMED,
    BOOKING_RELEASED,
    BOOKING_EXPIRED,
    BOOKING_CANCELLED
};

/* A cancellation that shows has not answered yet. */
struct pending {
    struct text request_id; /* of its CancellationRequested */
    bool by_show;
    bool all;
    struct numbers tickets; /* unless all */
};

/* Where somebody went in or out: each list has its own inside. */
struct door {
    struct text list_id;
    bool in;
};

/* What happened to one ticket; made when something does. */
struct ticket {
    int64_t generation;
    bool used; /* was let in once */
    struct door *doors;
    int door_count;
    struct recent commands; /* ce_ids of refusals; transfers and entries by their identity */
};

struct booking {
    struct text reservation_id;
    struct text fingerprint; /* of its RequestReservation */
    struct house *house;
    enum booking_status status;
    int64_t ticket_count;      /* issued, from 1 */
    struct numbers *cancelled; /* tickets; NULL: none yet */
    struct ticket *tickets;    /* ticket_count of them; NULL: nothing happened to any */
    struct pending *pending;
    int pending_count;
    struct recent commands;
};

/* The bookings of one show. */
struct house {
    struct text show_id;
    bool archived; /* only the id is left */
    struct booking **bookings;
    size_t booking_count;
    struct {
        bool under_way;
        enum refund refund;
        size_t next, end; /* bookings still to be asked for */
        size_t asked, unanswered;
        int64_t at_ms; /* of the next step */
    } cancellation;
    struct heap_node due; /* in reservations->due */
};

struct reservations {
    struct map bookings; /* reservation_id → struct booking */
    struct map houses;   /* show_id → struct house */
    struct house **house_list;
    size_t house_count;
    struct heap due;
};

struct house *house_find(const struct reservations *reservations, struct text show_id);
bool house_archived(const struct reservations *reservations, struct text show_id);
/* The booking of the message, if it is that show's. */
struct booking *booking_find(const struct reservations *reservations,
                             const struct message *message);
/* The booking of a message that names a ticket, whatever the show; its number. */
struct booking *booking_of_ticket(const struct reservations *reservations, struct text ticket_id,
                                  int64_t *number);
/* Still worth a cancellation: requested, or with tickets left. */
bool booking_open(const struct booking *booking);

struct numbers tickets_valid(const struct booking *booking);
/* Those whose cancellation shows has not answered yet. */
struct numbers tickets_pending(const struct booking *booking);
struct ticket ticket_at(const struct booking *booking, int64_t number); /* as it is, or was made */
bool ticket_in(const struct ticket *ticket, struct text list_id);

/* What makes two transfers or two entries of one ticket the same: its key in ticket->commands. It
 * begins with a line feed, which keeps it apart from any sane ce_id. `key` is empty before, and the
 * caller's. */
void put_transfer_key(int64_t generation, struct buffer *key);
void put_entry_key(const struct message *message, struct buffer *key);

bool decide_booking_command(const struct reservations *reservations, const struct message *input,
                            struct message *outcome);
bool decide_entry(const struct reservations *reservations, const struct message *input,
                  struct message *outcome);
bool decide_transfer(const struct reservations *reservations, const struct message *input,
                     struct message *outcome);

#endif
