/* background.h: a process that goes on without its terminal.
 *
 * The one that was started waits for the one that goes on, prints what that says until it has left,
 * and ends then: so whoever types the command sees it succeed or fail. daemon(7), without the
 * double fork: the one that goes on opens no terminal. */
#ifndef CLI_BACKGROUND_H
#define CLI_BACKGROUND_H

#include <stdbool.h>

/* Returns twice: false in the process that goes on, in a session of its own; true in the one that
 * was started, when the other has left (`*end` is END_OK) or ended before that (`*end` is how). */
bool background_enter(int *end);

/* From now on nobody listens to standard output and standard error. */
void background_leave(void);

#endif
