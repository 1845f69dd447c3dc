/* core_play.h: a core on the rehearsal stage: commands and events in, outcomes out, in one line
 * each.
 *
 *     @630 ReservationRequested r2 lines=standard:3 channel=web
 *
 * is a step: a time (seconds and milliseconds since the curtain rose, "@630.001"; absent: the same
 * as before), the name of a message, and its fields by their JSON names. Short forms:
 *
 *     r2 p2 s2        a reservation_id, payment_id, show_id
 *     r2-3            the ticket_id of the third ticket of r2
 *     f2              the refund_id of the second refund this core asked for, else an unknown one
 *     T600            a time
 *     tiers=          tier:price[:capacity],…
 *     lines= old=     tier:quantity[:price],…
 *     payment=        p1:cash:1500:EUR[:ref[:provider]]
 *     tickets=        numbers, 1+3; in a ReservationConfirmed tier:first:count,…
 *     ^c9             the id of the outcome that command c9 had
 *     ^SeatsHeld      the id of the last outcome of that type; "^SeatsHeld:r2": about r2
 *
 * What a message needs and the step does not say gets a default: s1, r1, p1, f1, r1-1,
 * list_id=door, nonce=n1, provider=bank, entry=in, result=succeeded (of a refund: completed),
 * tickets=1, one seat of tier standard for 1500 EUR, the show at T864000, any other time T600. A
 * HoldExtended is one for a checkout, with pay_by_ms, amount_minor and currency, unless it says
 * another cause. Beside fields a step may say id, cause_id and actor. A step without a message lets
 * time pass.
 *
 * An expectation is written alike: "SeatsHeld quantity=3 after.held=5 note=-" ("-": absent), or
 * "none". Beside JSON names it may ask for at_ms, cause_id and actor.
 *
 * A script is a list of steps joined by ";". Each must have an outcome that refuses or rejects no
 * command or wish, unless it says otherwise: "step -> expectation".
 *
 * Every decision is made three times and must give the same bytes: twice on the state (deciding
 * changes nothing), and on a second state that only ever saw what came back from records (replay).
 * What is due before a step is decided before it, as the loop does. On failure the test fails and
 * says which step. One thread. */
#ifndef TESTS_SUPPORT_CORE_PLAY_H
#define TESTS_SUPPORT_CORE_PLAY_H

#include "bus/envelope.h"
#include "bus/service.h"
#include "bus/sim.h"

#define PLAY_START_MS INT64_C(1800000000000)

struct play;

struct play *play_open(const struct service_descriptor *service);
void play_close(struct play *play);

/* Shows every outcome to `watch` before it is applied. */
void play_watch(struct play *play, void (*watch)(void *user, const struct message *outcome),
                void *user);

/* For who watches: what the outcome answers, NULL: the timer's. */
const struct message *play_heard(const struct play *play);

/* One step: its outcome, or NULL for none; valid until the next step. Of a step without a message:
 * the last outcome that was due. */
const struct message *play_step(struct play *play, const char *step);

/* A script; answers the outcome of the last step. */
const struct message *play_script(struct play *play, const char *script);

/* The message of a step without a time, for whoever wants to put it into a record: valid until the
 * next step. */
const struct message *play_message(struct play *play, const char *step);

/* Folds an outcome that the core did not decide: the loop's own refusals. */
void play_apply(struct play *play, const struct message *outcome);

/* The outcome (NULL: none) is as the expectation says, else the test fails. */
void play_expect(struct play *play, const struct message *outcome, const char *expectation);

const void *play_state(const struct play *play);
int64_t play_now_ms(const struct play *play);

/* What came out of all plays so far. */
struct play_seen {
    int types[MESSAGE_COUNT];
    int codes[code_COUNT];
    int reasons[reason_COUNT];
};
const struct play_seen *play_seen(void);

/* Every code or reason was seen, but for those listed (as words of messages.def, ended by NULL):
 * the loop or another core says them, and this one must not. */
void play_expect_codes_seen(const char *const *others);
void play_expect_reasons_seen(const char *const *others);

/* The house style of table tests: given | when | then. */
struct play_row {
    const char *given; /* a script; may be "" */
    const char *when;  /* a step */
    const char *then;  /* an expectation */
};
void play_table(const struct service_descriptor *service, const struct play_row *rows, size_t count,
                const char *always); /* a script before each row */

#define PLAY_TABLE(service, rows, always)                                                          \
    play_table(&(service), rows, sizeof(rows) / sizeof *(rows), always)

/* ---- the same words in a simulated log -------------------------------------------------------
 *
 * An installation with one show for each partition, a door through which commands and the events of
 * other services come in, and what the shows topic tells of it. The other services have owners of
 * their own here, who claim before they speak. */
enum { PLAY_PARTITIONS = 2 };

extern const char *const play_show_ids[PLAY_PARTITIONS]; /* shows by the partition they lie in */

struct play_log {
    struct sim *sim;
    struct installation installation;
    struct bus *door;
    struct play *words;
    struct envelope envelope;
    int64_t epochs[TOPIC_COUNT][PLAY_PARTITIONS]; /* of the other owners; 0: none yet */
    uint64_t n[TOPIC_COUNT][PLAY_PARTITIONS];
    char *told;
};

struct play_log *play_log_open(uint64_t seed);
void play_log_close(struct play_log *log); /* every other handle is closed before */

/* A handle of another process; the faults of the log end, for opening waits by the machine's clock.
 */
struct bus *play_log_enter(struct play_log *log, const char *instance);

void play_fault(struct play_log *log, struct sim_faults faults); /* from now on … */
void play_heal(struct play_log *log);                            /* … and none any more */

/* Time passes and nobody is at work, until so many seconds after the start. */
void play_sleep_until(struct play_log *log, int64_t at_s);

/* A step without a time goes into its topic, with the show of the partition. */
void play_say(struct play_log *log, int partition, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reservations asks for seats of the show without a price; checkout says they are paid. */
void play_request(struct play_log *log, int partition, int reservation, int quantity);
void play_pay(struct play_log *log, int partition, int reservation);

/* A record as it is; `stamp` NULL: none. */
void play_raw(struct play_log *log, int topic, int partition, const char *type, const char *stamp,
              const char *value);

/* A claim of that installation by somebody; answers its offset. */
int64_t play_claim(struct play_log *log, int topic, int partition, const char *installation);

/* The next stamp of the other owner of `topic`; valid until the next. */
const char *play_next_stamp(struct play_log *log, int topic, int partition);

/* What shows.events accepted, from an offset on: events by name, refusals by code, a claim as "|",
 * Progress as "~". Valid until asked again. */
const char *play_told_from(struct play_log *log, int partition, int64_t from);
const char *play_told(struct play_log *log, int partition);
int play_times(struct play_log *log, int partition,
               const char *word); /* how often a word is told */

void play_expect_told(struct play_log *log, int partition, const char *words);
void play_expect_times(struct play_log *log, int partition, const char *word, int times);

/* Every record of `topic` has exactly one accepted outcome of shows that names it, in order. */
void play_expect_answered_once(struct play_log *log, int topic, int partition);

#endif
