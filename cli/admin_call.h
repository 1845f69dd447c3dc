/* admin_call.h: asking an instance of a house at its admin socket (process/admin.h). One thread. */
#ifndef CLI_ADMIN_CALL_H
#define CLI_ADMIN_CALL_H

#include "base/text.h"

/* The answer's status, and its body in `body`, which is cleared first; 0: nobody answers there.
 * `folder` holds the sockets, `name` is the instance's. */
int admin_call(const char *folder, const char *name, const char *method, const char *path,
               struct buffer *body);

#endif
