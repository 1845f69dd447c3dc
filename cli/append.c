/* What may go wrong on the way into the log, in words. */
#include "cli/append.h"

#include "base/clock.h"

enum { ANSWER_WAIT_MS = 30 * 1000, POLL_MS = 100 };

static int await_answer(const struct command *command, struct bus *bus, struct place *place)
{
    int64_t until_ms = clock_monotonic_ms() + ANSWER_WAIT_MS;
    while (clock_monotonic_ms() < until_ms) {
        struct bus_event event;
        if (!bus_poll(bus, POLL_MS, &event))
            continue;
        if (event.type == BUS_FAILED)
            return command_fail(command, END_SYSTEM,
                                "not appended: %s; it may have landed all the same",
                                event.reason ? event.reason : "the log did not answer");
        if (event.type != BUS_APPENDED)
            continue;
        *place = (struct place){event.topic, event.partition, event.offset};
        return END_OK;
    }
    return command_fail(command, END_SYSTEM,
                        "no answer from the log; it may have landed all the same");
}

int append_record(const struct command *command, struct bus *bus, int topic, int partition,
                  const struct bus_record *record, struct place *place)
{
    switch (bus_append(bus, topic, partition, record, 1)) {
    case BUS_OK:
        return await_answer(command, bus, place);
    case BUS_INVALID:
        return command_fail(command, END_NO, "the record is too large");
    case BUS_FULL:
    case BUS_UNREACHABLE:
    case BUS_UNFIT:
        break;
    }
    return command_fail(command, END_SYSTEM, "the log does not take the record now");
}

void append_print(const struct place *place, struct buffer *out)
{
    buffer_print(out, "%s/%d@", topic_name(place->topic), place->partition);
    if (place->offset >= 0)
        buffer_i64(out, place->offset);
    else
        buffer_byte(out, '?');
}
