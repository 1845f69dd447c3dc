/* options.h: what the edge is told when it starts: the command line, and behind it the
 * environment, STAGEDOOR_BUS for --bus and so on. Parsed once; constant afterwards. */
#ifndef API_OPTIONS_H
#define API_OPTIONS_H

#include "api/request.h"
#include "base/log.h"

enum { LISTENERS_MAX = 8, OPTIONS_ERROR_SIZE = 512 };

struct listen_address {
    char host[256];
    char port[8];
    enum listener_kind kind;
};

struct options {
    const char *bus;
    struct listen_address listeners[LISTENERS_MAX];
    int listener_count;
    const char *data;         /* folder of keys and register.db */
    const char *topic_prefix; /* "" for none */
    int connections_max;
    int per_address_max;
    int in_flight_max;
    bool sample; /* the routes of the course project are served */
    enum log_level log_level;
    bool help, version;
};

/* false: `error` (OPTIONS_ERROR_SIZE bytes) says what is wrong, in one line. Texts stay in argv
 * and environment. */
bool options_parse(int count, char **arguments, struct options *options, char *error);

const char *options_help(void);

/* Whether a host is reached from this machine only. */
bool options_is_loopback(const char *host);

#endif
