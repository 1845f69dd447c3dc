/* The names of the points. */
#include "tests/sim/points.h"

#include <string.h>

static const char *const words[POINT_COUNT] = {
#define X(name) #name,
    POINTS(X)
#undef X
};

const char *point_name(enum point point)
{
    return words[point];
}

bool point_named(const char *name, enum point *point)
{
    for (int i = 0; i < POINT_COUNT; i++)
        if (strcmp(words[i], name) == 0) {
            *point = (enum point)i;
            return true;
        }
    return false;
}
