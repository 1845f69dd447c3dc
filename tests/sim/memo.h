/* memo.h: every value is decoded once a seed, however often it is read.
 *
 * Decoding is pure, and in a simulated evening with its crashes and recoveries each record is read
 * dozens of times: without this, reading JSON is more than half of the simulator's time. While the
 * memo is on, codec_decode of a value seen before copies what came out the first time; so records
 * are passed as structs, while the log keeps their bytes. The second run of every seed may do
 * without, and must leave the same log. One thread. */
#ifndef TESTS_SIM_MEMO_H
#define TESTS_SIM_MEMO_H

#include <stdbool.h>

void memo_use(bool on);
void memo_forget(void); /* between seeds: what was handed out is gone */

#endif
