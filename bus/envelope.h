/* envelope.h: between a message and a record: CloudEvents 1.0, Kafka binding.
 *
 * Commands may come in binary mode (context in ce_* headers, value = data) or structured mode
 * (content-type application/cloudevents+json, value = the whole event). A publisher need give no
 * more than ce_type and a JSON value. Events are binary mode only. Source: CloudEvents 1.0.2,
 * kafka-protocol-binding §3. Any thread. */
#ifndef BUS_ENVELOPE_H
#define BUS_ENVELOPE_H

#include "bus/bus.h"
#include "bus/place.h"
#include "schemas/codec.h"

enum envelope_result {
    ENVELOPE_OK,
    ENVELOPE_UNDECODABLE,  /* no CloudEvent, no JSON object, or too large */
    ENVELOPE_UNKNOWN_TYPE, /* no message of that name is spoken on this topic */
    ENVELOPE_INVALID /* the type is known, a field is wrong; `type` and the good fields are set */
};

/* Reads a record into `message`, texts in `arena`. A command without ce_id gets
 * "<topic>/<partition>/<offset>", without fingerprint a hash of its value, so that repeats can be
 * told from conflicts. */
enum envelope_result envelope_read(const struct bus_record *record, const struct place *place,
                                   struct arena *arena, struct message *message,
                                   struct codec_error *error);

/* A record being built; S_init is {0}; release gives the memory back. Reusable. */
struct envelope {
    struct buffer bytes;
    struct bus_header headers[BUS_HEADERS_MAX];
    size_t starts[BUS_HEADERS_MAX + 2];
    int header_count;
    struct bus_record record; /* borrowed from the envelope until the next write */
};

/* Builds the record of a command or event as `speaker` says it: key = show_id if the message has
 * one and is no Refused, context headers from message->id, cause_id, correlation_id (default:
 * reservation_id, else show_id), actor, traceparent and at_ms (0: no ce_time), value = its JSON.
 * Then envelope_header adds more; envelope_close sets `record`. */
void envelope_open(struct envelope *envelope, const struct message *message, enum speaker speaker);
void envelope_header(struct envelope *envelope, const char *name, struct text value);
const struct bus_record *envelope_close(struct envelope *envelope);
void envelope_release(struct envelope *envelope);

/* The fingerprint of a body: 16 hex digits of its hash. `out` has 17 bytes. For telling apart, not
 * for secrecy. */
void envelope_fingerprint(struct text body, char out[17]);

#endif
