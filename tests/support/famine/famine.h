/* famine.h: the n-th allocation from now on fails, once: malloc, calloc and realloc of our own
 * code, and OpenSSL's. The log has plenty: bus_append and bus_poll never fail for it. A test with
 * it is called unit/X_memory, and is linked so that these calls, and abort, come here first. One
 * thread. */
#ifndef TESTS_SUPPORT_FAMINE_H
#define TESTS_SUPPORT_FAMINE_H

#include <stdbool.h>
#include <stdint.h>

/* Before anything else is called: OpenSSL takes an allocator only then. */
void famine_prepare(void);

enum famine_end {
    FAMINE_NONE,     /* the deed was done, and needed fewer allocations */
    FAMINE_SURVIVED, /* one failed, and the deed was done all the same */
    FAMINE_ABORTED,  /* one failed, and the process would have ended by abort, saying why; what the
                        deed had in its hands is left behind, as there */
    FAMINE_DIED      /* the same, but nobody would know why */
};

/* Does it with the n-th allocation failing; n from 1. */
enum famine_end famine_deed(int64_t n, void (*deed)(void *context), void *context);

/* Does it with one failing, n = 1, 2, … until it needs no more. The deed itself asserts that what
 * it did was right; FAMINE_DIED ends the test. How each of them ended. */
struct famine_tally {
    int64_t survived, aborted;
};
struct famine_tally famine_each(void (*deed)(void *context), void *context);

#endif
