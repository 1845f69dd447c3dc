/* What to look at when no broker will speak to us, from what librdkafka complained of. */
#include "bus/kafka.h"

#include <string.h>

enum { SCRAM_MENDED = 0x02060100 };

/* The first whose words are in the complaint. */
static const struct kafka_sign {
    const char *words, *advice;
} signs[] = {
    {"Unsupported SASL mechanism", "look at sasl.mechanism"},
    {"nvalid username or password", "look at sasl.username and sasl.password"},
    {"invalid credentials", "look at sasl.username and sasl.password"},
    {"uthentication fail", "look at sasl.username and sasl.password"},
    {"certificate verify failed", "look at ssl.ca.location: it must name who signed the broker's"},
    {"alert", "it wants a certificate that it trusts: look at ssl.certificate.location and "
              "ssl.key.location"},
    {"isconnected", "it may want TLS or a password at that port: look at security.protocol"},
};

const char *kafka_advice(const char *complaint)
{
    /* It sends its nonce twice, which brokers took until Kafka 4. */
    if (strstr(complaint, "SCRAM") && strstr(complaint, "invalid credentials") &&
        rd_kafka_version() < SCRAM_MENDED)
        return "Kafka 4 takes SCRAM only with librdkafka 2.6.1 or later, and this is an older one: "
               "use PLAIN over TLS, or certificates; else look at sasl.password";
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strstr(complaint, signs[i].words))
            return signs[i].advice;
    return "is Kafka running? try: make kafka-up";
}
