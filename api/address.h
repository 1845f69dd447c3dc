/* address.h: where a request comes from: IP addresses, networks, and whom a proxy speaks for.
 *
 * An address is kept as IPv6; an IPv4 one is mapped (::ffff:a.b.c.d, RFC 4291 2.5.5.2), so both
 * kinds compare and lie in networks alike. Pure; any thread. */
#ifndef API_ADDRESS_H
#define API_ADDRESS_H

#include "base/text.h"

struct sockaddr;

struct address {
    unsigned char bytes[16];
};

struct network {
    struct address address;
    int bits; /* of the 128 that count */
};

enum { NETWORKS_MAX = 16 };

struct networks {
    struct network items[NETWORKS_MAX];
    int count;
};

/* "192.0.2.1", "2001:db8::1"; also as it stands in Forwarded: "[2001:db8::1]:4711", with quotes,
 * and "192.0.2.1:4711". false: it is no address. */
bool address_parse(struct text text, struct address *address);

/* Of a connection's other end; what is neither IPv4 nor IPv6 becomes ::. */
struct address address_of(const struct sockaddr *socket_address);

bool address_is_loopback(const struct address *address);

/* What one customer has: an IPv4 address, or the first 64 bits of an IPv6 one. */
struct address address_customer(const struct address *address);

/* "10.0.0.0/8", "2001:db8::/32", or one address. false: it is none, or has bits beyond its mask. */
bool network_parse(struct text text, struct network *network);

bool networks_have(const struct networks *networks, const struct address *address);

/* Who is behind the connection of `peer`: peer itself, unless it is a trusted proxy; then the last
 * address of Forwarded (RFC 7239) or else X-Forwarded-For that is not a trusted proxy's. Whatever
 * stands in front of it, anybody may have written. data NULL: there is no such header. */
struct address address_behind(const struct networks *trusted, const struct address *peer,
                              struct text forwarded, struct text x_forwarded_for);

#endif
