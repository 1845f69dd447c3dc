/* The bird in the mine: with STAGEDOOR_CANARY=1 it must fail, or else nobody would hear the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void canary__fails_when_it_is_told_to(void **state)
{
    const char *told = getenv("STAGEDOOR_CANARY");
    (void)state;
    if (told && strcmp(told, "1") == 0)
        fail_msg("the canary fails on purpose: STAGEDOOR_CANARY=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(canary__fails_when_it_is_told_to)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
