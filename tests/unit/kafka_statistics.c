/* The round trip in what librdkafka tells of itself. */
#include "bus/kafka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BROKER(name, avg, cnt)                                                                     \
    "\"" name "\":{\"name\":\"" name "\",\"int_latency\":{\"min\":0,\"avg\":77777,\"cnt\":9},"     \
    "\"rtt\":{\"min\":100,\"max\":900,\"avg\":" avg ",\"sum\":1,\"p99\":880,\"cnt\":" cnt "},"     \
    "\"throttle\":{\"avg\":88888,\"cnt\":4}}"

static void kafka_statistics__the_slowest_broker_that_was_asked(void **state)
{
    static const struct {
        const char *statistics;
        int64_t answer_us;
    } rows[] = {
        {"{\"brokers\":{" BROKER("a:9092/1", "512", "3") "}}", 512},
        {"{\"brokers\":{" BROKER("a:9092/1", "512", "3") "," BROKER("b:9092/2", "2048", "1") "}}",
         2048},
        {"{\"brokers\":{" BROKER("a:9092/1", "512", "3") "," BROKER("b:9092/2", "0", "0") "}}",
         512},
        {"{\"brokers\":{" BROKER("a:9092/1", "0", "0") "}}", -1},
        {"{\"brokers\":{}}", -1},
        {"\"rtt\":", -1},
        {"\"rtt\":{", -1},
        {"", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(kafka_statistics_answer_us(rows[i].statistics), rows[i].answer_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kafka_statistics__the_slowest_broker_that_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
