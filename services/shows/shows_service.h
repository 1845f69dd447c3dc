/* shows_service.h: the shows core as data for the loop: its topics and its part of the
 * choreography. */
#ifndef SERVICES_SHOWS_SERVICE_H
#define SERVICES_SHOWS_SERVICE_H

#include "bus/service.h"

extern const struct service_descriptor shows_service;

#endif
