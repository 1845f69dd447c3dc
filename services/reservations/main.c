/* stagedoor-reservations: the bookings, as a service of the log. */
#include "bus/service.h"
#include "services/reservations/reservations_service.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &reservations_service);
}
