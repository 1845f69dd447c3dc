/* options.h: what the edge is told when it starts: the command line, and behind it the
 * environment, STAGEDOOR_BUS for --bus and so on. Parsed once; constant afterwards. */
#ifndef API_OPTIONS_H
#define API_OPTIONS_H

#include "api/address.h"
#include "api/request.h"
#include "bus/settings.h"

enum { LISTENERS_MAX = 8, PAY_URLS_MAX = 16, CORS_ORIGINS_MAX = 16 };

#define EDGE_PROGRAM "stagedoor-edge"

struct listen_address {
    char host[256];
    char port[8];
    enum listener_kind kind;
    int activated; /* the descriptor systemd opened it as; 0: nobody has */
    bool lent;     /* its socket stays when this process goes; others may serve it meanwhile */
};

#define PAYMENT_ID_MARK "{payment_id}"

/* Where a customer pays: a text with "{payment_id}" in it. */
struct pay_url {
    char provider[PROVIDER_SIZE_MAX + 1];
    struct text url;
};

struct options {
    struct bus_settings bus;
    struct listen_address listeners[LISTENERS_MAX];
    int listener_count;
    const char *data; /* folder of register.db, and of the keys */
    const char *keys; /* unless they are in another one; "": they are not */
    int connections_max;
    int per_address_max;
    int in_flight_max;
    int rate, burst, key_rate; /* requests a second, and at once; 0: no limit */
    struct networks trusted_proxies;
    struct text cors_origins[CORS_ORIGINS_MAX];
    int cors_origin_count;
    struct pay_url pay_urls[PAY_URLS_MAX];
    int pay_url_count;
    bool sample;       /* the routes of the course project are served */
    const char *admin; /* of its admin listener; NULL: there is none */
    enum log_level log_level;
    enum log_format log_format;
    bool check; /* only look whether all this would work */
    struct option_file file;
};

/* As options_parse. Texts stay in argv and environment. */
enum options_result options_read_edge(int count, char **arguments, struct options *options,
                                      struct buffer *said);

/* Of that provider; NULL: it is not one a customer may be sent to. */
const struct pay_url *options_pay_url(const struct options *options, struct text provider);

/* Whether a host is reached from this machine only. */
bool options_is_loopback(const char *host);

#endif
