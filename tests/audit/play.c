/* play: prints the log of the evening a record a line as JSON; log_text.py makes good.log of it. */
#include "schemas/json.h"
#include "tests/support/evening.h"

#include <stdio.h>

static void print_record(int topic, int partition, int64_t offset, const struct bus_record *record)
{
    struct buffer out = {0};
    json_put_open(&out, NULL, '{');
    json_put_text(&out, "topic", text_of(topic_name(topic)));
    json_put_i64(&out, "partition", partition);
    json_put_i64(&out, "offset", offset);
    json_put_i64(&out, "append_ms", record->append_ms);
    if (record->key.data)
        json_put_text(&out, "key", record->key);
    json_put_open(&out, "headers", '[');
    for (int i = 0; i < record->header_count; i++) {
        json_put_open(&out, NULL, '[');
        json_put_text(&out, NULL, record->headers[i].name);
        json_put_text(&out, NULL, record->headers[i].value);
        json_put_close(&out, ']');
    }
    json_put_close(&out, ']');
    json_put_text(&out, "value", record->value);
    json_put_close(&out, '}');
    printf("%.*s\n", TEXT_PRINT(buffer_view(&out)));
    buffer_release(&out);
}

int main(void)
{
    struct installation installation;
    struct bus_record record;
    const struct sim *sim = evening_play(&installation);
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int partition = 0; partition < EVENING_PARTITIONS; partition++)
            for (int64_t at = 0; sim_record(sim, topic, partition, at, &record); at++)
                print_record(topic, partition, at, &record);
    evening_end();
    return 0;
}
