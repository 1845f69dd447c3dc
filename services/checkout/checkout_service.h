/* checkout_service.h: the checkout core as data for the loop: its topics and its part of the
 * choreography. */
#ifndef SERVICES_CHECKOUT_SERVICE_H
#define SERVICES_CHECKOUT_SERVICE_H

#include "bus/service.h"

extern const struct service_descriptor checkout_service;

#endif
