/* openapi.h: schemas/openapi.json, as it is served. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "base/text.h"

struct text openapi_text(void);

#endif
