/* Both reflected CRCs by nibble tables: small enough to read, fast enough for kilobytes. CRC-32C is
 * taken of every record that is decided on, and x86-64 processors have an instruction for it: ten
 * times faster, the same sum. */
#include "base/crc.h"

#include <string.h>

static const uint32_t ieee[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

static const uint32_t castagnoli[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t crc_add(const uint32_t table[16], uint32_t sum, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    sum = ~sum;
    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        sum = sum >> 4 ^ table[sum & 15];
        sum = sum >> 4 ^ table[sum & 15];
    }
    return ~sum;
}

uint32_t crc32_of(const void *data, size_t size)
{
    return crc_add(ieee, 0, data, size);
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t add_by_instruction(uint32_t sum, const void *data,
                                                                     size_t size)
{
    const unsigned char *bytes = data;
    uint64_t wide = ~sum, word;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; size; bytes++, size--)
        narrow = __builtin_ia32_crc32qi(narrow, *bytes);
    return ~narrow;
}
#endif

uint32_t crc32c_add(uint32_t sum, const void *data, size_t size)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return add_by_instruction(sum, data, size);
#endif
    return crc_add(castagnoli, sum, data, size);
}
