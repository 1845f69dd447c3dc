/* The contract of the choreography, checked: contract check
 *
 * Exit 0; 1: a breach, each told on a line; 100 usage. */
#include "contract/contract.h"
#include "services/checkout/checkout_service.h"
#include "services/reservations/reservations_service.h"
#include "services/shows/shows_service.h"

#include <stdio.h>

enum { EXIT_BREACH = 1, EXIT_USAGE = 100 };

static const struct service_descriptor *const services[] = {&shows_service, &reservations_service,
                                                            &checkout_service};
enum { SERVICE_COUNT = sizeof services / sizeof *services };

static int check(void)
{
    struct buffer breaches = {0};
    int count = contract_check(services, SERVICE_COUNT, &breaches);
    fwrite(breaches.data, 1, breaches.size, stdout);
    buffer_release(&breaches);
    return count ? EXIT_BREACH : 0;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "check") == 0)
        return check();
    fprintf(stderr, "usage: contract check\n");
    return EXIT_USAGE;
}
