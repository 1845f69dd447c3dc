/* What base/clock.h promises, where time passes only when the simulator says so. */
#include "tests/sim/clock.h"

#include "base/clock.h"

enum { HURRY_MS = 50 };

static const struct sim *followed;
static int64_t ahead_ms;
static bool hurried;

void clock_follow(const struct sim *sim)
{
    followed = sim;
}

void clock_hurry(bool hurry)
{
    hurried = hurry;
    ahead_ms = 0;
}

int64_t clock_monotonic_ms(void)
{
    ahead_ms += hurried ? HURRY_MS : 0;
    return followed ? sim_now_ms(followed) + ahead_ms : 0;
}

int64_t clock_monotonic_us(void)
{
    return clock_monotonic_ms() * 1000;
}

int64_t clock_wall_ms(void)
{
    return followed ? sim_log_ms(followed) : 0;
}

int64_t clock_wall_us(void)
{
    return clock_wall_ms() * 1000;
}
