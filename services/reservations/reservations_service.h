/* reservations_service.h: the reservations core as data for the loop: its topics and its part of
 * the choreography. */
#ifndef SERVICES_RESERVATIONS_SERVICE_H
#define SERVICES_RESERVATIONS_SERVICE_H

#include "bus/service.h"

extern const struct service_descriptor reservations_service;

#endif
