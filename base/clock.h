/* clock.h: the machine's clocks. Cores may not include this: their time is an argument. Any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_ms(void); /* since some start; never goes back; for timeouts */
int64_t clock_monotonic_us(void); /* the same in microseconds; for measuring */
int64_t clock_wall_ms(void);      /* UTC epoch milliseconds; may jump; for people only */
int64_t clock_wall_us(void);      /* the same in microseconds */

#endif
