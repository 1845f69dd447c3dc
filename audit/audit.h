/* audit.h: reads a log once and says whether it holds: the invariants of the choreography, checked
 * by a fold of its own that shares no decision with the services.
 *
 * The user reads the six topics and shows every record to the auditor: each topic's partition from
 * offset 0 in the order of its offsets, topics and partitions in any interleaving. Inside a
 * partition number the auditor puts the topics into the order in which things were caused: an
 * outcome is judged when everything that its sd_positions say was read has been judged. What is
 * read ahead of its turn is kept meanwhile; audit_wants says which partition to read on with, so
 * that little is.
 *
 * At every record:
 *   1  held, sold, blocked ≥ 0 per show and tier; no more than there is, but by a forced capacity
 *   2  `after` equals the fold; seq without gaps
 *   3  a hold: held, then resized or extended, then sold, released or expired, once; no resize once
 *      a checkout began
 *   4  no cause has two outcomes, no repeat has one, and none that needs one is passed over
 *   5  no false refusal: the reason of every rejection is the first that applies
 *   6  decisions follow the offsets of what they answer; their time is the log's, never going back;
 *      (if the log's clock was steady) what is due waits for what was appended before, and what lay
 *      there when an owner took over is handled in the order of its append times
 *   7  sold without a live hold only if it expired, the seats are free and nothing is against it
 *   8  stamps, positions and what was read there; an outcome of something that does not count
 *   9  no hold expires before its time and grace; extensions within their bounds; (if the log's
 *      clock was steady) nothing is decided before the time it was due
 *  10  nothing held or resized outside the sale's window; nothing but endings after ShowCancelled;
 *      caps per order and per person
 *  11  tickets: as many as seats were sold, none before, each returned or let in as it may be
 *  12  money: each payment ends in seats or in its refund, no refund twice or beyond its payment
 *  13  prices, amounts and currency are those of the hold, all the way
 *  14  keys lie in their partition; every cause exists, with the bytes it had, and may be one
 *  16  (if asked) the core decides the same again, to the byte, and nothing where nothing was said
 * At rest only (audit_finish):
 *   4  what lies behind the last position of a service needs no outcome
 *  12  what was captured and not refunded is what valid tickets cost, and what was kept on return
 *  15  no hold outlives its time by the log's clock, no show cancellation is left half done
 *
 * Not here: 17, which needs the clients' journals; whether views equal the fold, which needs the
 * views. In 16 what never reaches a core is checked by its code only, and Progress and
 * Refused{internal} are exempt.
 *
 * After a breach the fold goes on with what the log says, but no core is asked again in that
 * partition. One cause may breach much, so look at the first: the one whose record was appended
 * first. No bytes make it crash.
 *
 * Cost: about 17 µs of processor a record, 21 with replay; no scan over anything that grows.
 * Memory: about 1.5 KB a reservation (190 bytes a record of an ordinary sale; with replay 340, for
 * the states of the cores), two bits a record, and the bytes of what was read ahead. One thread;
 * reads no clock. */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "bus/envelope.h"
#include "bus/installation.h"

enum { AUDIT_INVARIANT_MAX = 16, AUDIT_TEXT_SIZE = 400 };

struct audit;

struct audit_options {
    bool replay; /* 16, by the cores this program was built with */
    /* The log's clock was never set back and never stood still. Then what a service may have
     * thought that it shows is never more than what it shows, and it can be judged whether timers
     * waited for their time and for what had been appended before it, and whether a backlog was
     * handled in the order of its append times: 6, 9. */
    bool steady_clock;
    int64_t clock_slack_ms; /* but for that much, as a clock that is kept in time is set back */
    /* Every accepted event, in the order of judging; NULL: nobody wants to know. Borrowed. */
    void (*told)(void *context, const struct place *place, const struct message *event,
                 struct text source, struct text value);
    void *context;
};

struct audit_breach {
    int invariant;
    struct place place;
    int64_t append_ms;          /* of the record there */
    char text[AUDIT_TEXT_SIZE]; /* for people: what it says, and what is so */
};

struct audit_counts {
    uint64_t records, commands, outcomes, progress, claims, voids;
    uint64_t doubts;  /* void ones that could have meant a log cut short */
    uint64_t repeats; /* commands that rightly had no outcome */
    uint64_t replayed;
    uint64_t other_rules; /* not replayed: decided by another version of the core */
    uint64_t by_topic[TOPIC_COUNT];
    uint64_t by_type[MESSAGE_COUNT]; /* commands as they name themselves, accepted events */
    uint64_t by_reason[reason_COUNT];
    uint64_t by_code[code_COUNT];
    uint64_t seats_held, seats_sold, seats_returned, shows;
};

/* `installation` and `options` are copied. */
struct audit *audit_new(const struct installation *installation,
                        const struct audit_options *options);
void audit_free(struct audit *audit);

/* The next record of a partition; everything is copied. */
void audit_read(struct audit *audit, const struct place *place, const struct bus_record *record);

/* Everything below `offset` was read: what is missing are holes of the backend's own. */
void audit_reached(struct audit *audit, int topic, int partition, int64_t offset);

/* Whether the partition should be read on with now, or others first. A hint: when it is false for
 * all that are not at their end, any may be. */
bool audit_wants(const struct audit *audit, int topic, int partition);

/* All was read. `at_rest`: nothing was under way in the log when its ends were taken, so what is
 * not there is missing. Else services were running: what they had not read, or what they had read
 * beyond those ends, is no breach. `now_ms`: what the log's clock shows; 0: as its newest record
 * does. Once. */
void audit_finish(struct audit *audit, bool at_rest, int64_t now_ms);

/* The breach whose record was appended first; NULL: none. Valid until the next call that reads. */
const struct audit_breach *audit_first(const struct audit *audit);

/* How many; `invariant` 0: of all. */
uint64_t audit_breach_count(const struct audit *audit, int invariant);

const struct audit_counts *audit_counts(const struct audit *audit);

/* The seats of a show by the fold; false: no such show. Tier ids are the auditor's. */
bool audit_seats(const struct audit *audit, struct text show_id, struct after *seats);

/* What an invariant says, in a few words. Static. */
const char *audit_invariant_text(int invariant);

#endif
