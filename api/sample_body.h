/* sample_body.h: the bodies of the course project: JSON or a form, a count as a number or as
 * digits, whatever else is in there ignored. Any thread, for its own request. */
#ifndef API_SAMPLE_BODY_H
#define API_SAMPLE_BODY_H

#include "api/request.h"
#include "schemas/message.h"

enum { SAMPLE_NAME = 1, SAMPLE_COUNT = 2, SAMPLE_SHOW = 4 };

/* In the request's arena; only what was asked for is set. */
struct sample_body {
    struct text name, show_id;
    int64_t count; /* 1 .. SEATS_MAX */
};

/* false: something asked for is missing or wrong, and the request is answered 400. */
bool sample_body_read(struct request *request, struct sample_body *body, int wanted);

#endif
