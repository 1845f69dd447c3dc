/* crc.h: the two checksums the log uses. Pure; any thread. */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 (IEEE 802.3, as in zlib): librdkafka's default partitioner hashes keys with it. */
uint32_t crc32_of(const void *data, size_t size);

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), continued: start with sum 0. */
uint32_t crc32c_add(uint32_t sum, const void *data, size_t size);

#endif
