/* stagedoor-shows: the seats, as a service of the log. */
#include "bus/service.h"
#include "services/shows/shows_service.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &shows_service);
}
