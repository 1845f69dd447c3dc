/* openapi.h: schemas/openapi.json and openapi.html, as they are served. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "base/text.h"

struct text openapi_text(void);
struct text openapi_html(void);

#endif
