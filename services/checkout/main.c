/* stagedoor-checkout: the money, as a service of the log. */
#include "bus/service.h"
#include "services/checkout/checkout_service.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &checkout_service);
}
