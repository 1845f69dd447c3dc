/* An input on which our own assert fires would kill every owner in turn, for ever.
 *
 * When three claims in a row brought no outcome, owners become cautious: before deciding on an
 * input they write it down (a Progress record whose sd_source names it) and wait until that is
 * read back. An input that was written down five times and never answered is refused without
 * asking the core. Claims alone prove nothing: somebody may simply have restarted an idle service,
 * and its next customer must not pay for that. */
#include "bus/desk.h"

#include "base/log.h"

enum { CLAIMS_IN_A_ROW = 3, TRIES_MAX = 5 };

void caution_read_claim(struct desk *desk)
{
    desk->claims_since++;
}

void caution_read_outcome(struct desk *desk)
{
    desk->claims_since = 0;
    desk->tries = 0;
}

static bool same_input(const struct source *a, int topic, int64_t offset)
{
    return a->offset == offset && text_is(a->topic, topic_name(topic));
}

void caution_read_note(struct desk *desk, struct text header)
{
    struct source source;
    if (header.size == 0 || !source_parse(header, &source) || source.timer ||
        topic_named(source.topic) < 0)
        return;
    int topic = topic_named(source.topic);
    desk->tries =
        desk->tries > 0 && same_input(&desk->trying, topic, source.offset) ? desk->tries + 1 : 1;
    desk->trying = source;
    desk->trying.topic = text_of(topic_name(topic)); /* the header's bytes do not stay */
}

void caution_begin(struct desk *desk)
{
    desk->cautious = desk->claims_since > CLAIMS_IN_A_ROW; /* ours is one of them */
    desk->tried_n = 0;
    if (desk->cautious)
        desk_say(
            desk, LOG_WARNING,
            "%d claims in a row without an outcome: in case an input ends its owners, the next "
            "is noted before it is decided",
            desk->claims_since);
}

bool caution_passes(struct desk *desk, int which, int64_t offset, const struct bus_record *record)
{
    int topic = desk->service->descriptor->inputs[which];
    if (!desk->cautious || same_input(&desk->survived, topic, offset))
        return true;
    struct source source = {false, text_of(topic_name(topic)), desk->partition, offset,
                            source_crc(record)};
    if (desk->tried_n == 0 && desk_progress(desk, &source) == DECIDED)
        desk->tried_n = desk->n;
    return desk->tried_n != 0 && desk->own.n >= desk->tried_n;
}

/* Whoever decided and then could not append need not fear the same input again. */
void caution_survived(struct desk *desk, const struct source *source)
{
    desk->survived = *source;
    desk->cautious = false;
}

bool caution_refuses(const struct desk *desk, const struct source *source)
{
    if (!desk->cautious || desk->tries < TRIES_MAX ||
        !same_input(&desk->trying, topic_named(source->topic), source->offset))
        return false;
    desk_say(desk, LOG_ERROR,
             "ALARM: %.*s at offset %lld ended its owner %d times; refusing it without deciding. "
             "Keep the core dumps and report it",
             TEXT_PRINT(source->topic), (long long)source->offset, desk->tries);
    return true;
}
