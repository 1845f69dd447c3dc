/* TOPIC/PARTITION@OFFSET */
#include "bus/place.h"

bool place_parse(struct text text, struct place *place)
{
    struct text rest = text, topic = text_cut(&rest, '/');
    int64_t partition;
    *place = (struct place){.topic = topic_named(topic)};
    if (place->topic < 0 || !text_to_i64(text_cut(&rest, '@'), &partition) ||
        partition >= PARTITIONS_MAX)
        return false;
    place->partition = (int)partition;
    return text_to_i64(rest, &place->offset);
}

void place_print(const struct place *place, struct buffer *out)
{
    buffer_print(out, "%s/%d@%lld", topic_name(place->topic), place->partition,
                 (long long)place->offset);
}
