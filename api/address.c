/* Parsing by inet_pton; networks by comparing bits. */
#include "api/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const struct address *address)
{
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

static bool parse_plain(struct text text, struct address *address)
{
    char name[INET6_ADDRSTRLEN];
    if (text.size == 0 || text.size >= sizeof name || memchr(text.data, '\0', text.size))
        return false;
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    memcpy(address->bytes, mapped, sizeof mapped);
    return inet_pton(AF_INET, name, address->bytes + sizeof mapped) == 1 ||
           inet_pton(AF_INET6, name, address->bytes) == 1;
}

bool address_parse(struct text text, struct address *address)
{
    if (text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"')
        text = text_from(text.data + 1, text.size - 2);
    const char *close = text.size && text.data[0] == '[' ? memchr(text.data, ']', text.size) : NULL;
    if (close)
        return parse_plain(text_from(text.data + 1, (size_t)(close - text.data) - 1), address);
    if (parse_plain(text, address))
        return true;
    struct text rest = text;
    struct text host = text_cut(&rest, ':');
    return rest.size && !memchr(rest.data, ':', rest.size) && parse_plain(host, address);
}

struct address address_of(const struct sockaddr *socket_address)
{
    struct address address = {{0}};
    if (socket_address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, socket_address, sizeof v6);
        memcpy(address.bytes, &v6.sin6_addr, sizeof address.bytes);
    } else if (socket_address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, socket_address, sizeof v4);
        memcpy(address.bytes, mapped, sizeof mapped);
        memcpy(address.bytes + sizeof mapped, &v4.sin_addr, 4);
    }
    return address;
}

bool address_is_loopback(const struct address *address)
{
    static const struct address own = {{[15] = 1}};
    return is_v4(address) ? address->bytes[12] == 127 : memcmp(address, &own, sizeof own) == 0;
}

struct address address_customer(const struct address *address)
{
    struct address customer = *address;
    if (!is_v4(address))
        memset(customer.bytes + 8, 0, 8);
    return customer;
}

/* ---- networks -------------------------------------------------------------------------------- */

static bool shares(const struct address *a, const struct address *b, int bits)
{
    int bytes = bits / 8, rest = bits % 8;
    if (memcmp(a->bytes, b->bytes, (size_t)bytes) != 0)
        return false;
    return rest == 0 || ((a->bytes[bytes] ^ b->bytes[bytes]) >> (8 - rest)) == 0;
}

static bool is_clear_beyond(const struct address *address, int bits)
{
    for (int bit = bits; bit < 128; bit++)
        if (address->bytes[bit / 8] >> (7 - bit % 8) & 1)
            return false;
    return true;
}

bool network_parse(struct text text, struct network *network)
{
    struct text width = text;
    struct text plain = text_cut(&width, '/');
    int64_t bits;
    if (!parse_plain(plain, &network->address))
        return false;
    int own = is_v4(&network->address) && !memchr(plain.data, ':', plain.size) ? 32 : 128;
    if (width.data == NULL)
        bits = own;
    else if (!text_to_i64(width, &bits) || bits < 0 || bits > own)
        return false;
    network->bits = (int)bits + 128 - own;
    return is_clear_beyond(&network->address, network->bits);
}

bool networks_have(const struct networks *networks, const struct address *address)
{
    for (int i = 0; i < networks->count; i++)
        if (shares(&networks->items[i].address, address, networks->items[i].bits))
            return true;
    return false;
}

/* ---- proxies --------------------------------------------------------------------------------- */

/* The last element of a list, taken off it. */
static struct text cut_last(struct text *list)
{
    size_t at = list->size;
    while (at > 0 && list->data[at - 1] != ',')
        at--;
    struct text last = text_from(list->data + at, list->size - at);
    list->size = at > 0 ? at - 1 : 0;
    return text_trim(last);
}

/* The value of for= in one element of Forwarded. */
static struct text for_whom(struct text element)
{
    while (element.size) {
        struct text pair = text_trim(text_cut(&element, ';'));
        if (pair.size > 4 && strncasecmp(pair.data, "for=", 4) == 0)
            return text_from(pair.data + 4, pair.size - 4);
    }
    return text_from(NULL, 0);
}

struct address address_behind(const struct networks *trusted, const struct address *peer,
                              struct text forwarded, struct text x_forwarded_for)
{
    struct text list = forwarded.data ? forwarded : x_forwarded_for;
    struct address address = *peer, next;
    while (list.size && networks_have(trusted, &address)) {
        struct text element = cut_last(&list);
        if (!address_parse(forwarded.data ? for_whom(element) : element, &next))
            break; /* "unknown", or a name the proxy made up */
        address = next;
    }
    return address;
}
