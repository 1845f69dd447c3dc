/* Linked with --wrap: our calls of malloc are __wrap_malloc here, and __real_malloc the library's.
 */
#include "tests/support/famine/famine.h"

#include "bus/bus.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#else
static void __lsan_ignore_object(const void *block)
{
    (void)block;
}
#endif

enum { HELD_MAX = 1 << 16 };

/* What the deed has allocated and not given back. */
static void *held[HELD_MAX];
static int held_count;

static int64_t until_famine; /* allocations; 0: there is plenty */
static bool failed, catching;
static jmp_buf caught;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_abort(void) __attribute__((noreturn));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_abort(void) __attribute__((noreturn));
void __real_free(void *block);
void __wrap_free(void *block);

static void *hold(void *block)
{
    if (catching && block && held_count < HELD_MAX)
        held[held_count++] = block;
    return block;
}

static void let_go(const void *block)
{
    for (int i = held_count; i-- > 0;)
        if (held[i] == block) {
            held[i] = held[--held_count];
            return;
        }
}

static bool fails(void)
{
    if (until_famine == 0 || --until_famine > 0)
        return false;
    failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : hold(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : hold(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    let_go(old);
    return hold(__real_realloc(old, size));
}

void __wrap_free(void *block)
{
    let_go(block);
    __real_free(block);
}

void __wrap_abort(void)
{
    if (catching)
        longjmp(caught, 1);
    __real_abort();
}

/* ---- the log is somewhere else, and has plenty ----------------------------------------------- */

enum bus_result __real_bus_append(struct bus *bus, int topic, int partition,
                                  const struct bus_record *record, uint64_t tag);
bool __real_bus_poll(struct bus *bus, int timeout_ms, struct bus_event *event);
enum bus_result __wrap_bus_append(struct bus *bus, int topic, int partition,
                                  const struct bus_record *record, uint64_t tag);
bool __wrap_bus_poll(struct bus *bus, int timeout_ms, struct bus_event *event);

enum bus_result __wrap_bus_append(struct bus *bus, int topic, int partition,
                                  const struct bus_record *record, uint64_t tag)
{
    int64_t left = until_famine;
    until_famine = 0;
    enum bus_result result = __real_bus_append(bus, topic, partition, record, tag);
    until_famine = left;
    return result;
}

bool __wrap_bus_poll(struct bus *bus, int timeout_ms, struct bus_event *event)
{
    int64_t left = until_famine;
    until_famine = 0;
    bool polled = __real_bus_poll(bus, timeout_ms, event);
    until_famine = left;
    return polled;
}

/* ---- OpenSSL --------------------------------------------------------------------------------- */

static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return __wrap_malloc(size);
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return __wrap_realloc(old, size);
}

static void crypto_free(void *block, const char *file, int line)
{
    (void)file, (void)line;
    __wrap_free(block);
}

void famine_prepare(void)
{
    int set = CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
    assert(set == 1);
}

/* ---- deeds ----------------------------------------------------------------------------------- */

/* Thousands of deaths need not be read by anybody; the sanitizer writes to the descriptor. */
static char last_words[256];
static FILE *own_stderr;

static void begin(int64_t n)
{
    failed = false;
    held_count = 0;
    last_words[0] = '\0';
    own_stderr = stderr;
    FILE *words = fmemopen(last_words, sizeof last_words, "w");
    assert(words);
    setbuf(words, NULL);
    stderr = words;
    catching = true;
    until_famine = n;
}

static void end(void)
{
    until_famine = 0;
    catching = false;
    fclose(stderr);
    stderr = own_stderr;
}

enum famine_end famine_deed(int64_t n, void (*deed)(void *context), void *context)
{
    begin(n);
    if (setjmp(caught) == 0) {
        deed(context);
        end();
        return failed ? FAMINE_SURVIVED : FAMINE_NONE;
    }
    end();
    for (int i = 0; i < held_count; i++)
        __lsan_ignore_object(held[i]); /* what a process has when it ends is no leak */
    return strstr(last_words, "out of memory: ") ? FAMINE_ABORTED : FAMINE_DIED;
}

struct famine_tally famine_each(void (*deed)(void *context), void *context)
{
    struct famine_tally tally = {0, 0};
    enum famine_end last;
    for (int64_t n = 1; (last = famine_deed(n, deed, context)) != FAMINE_NONE; n++) {
        tally.survived += last == FAMINE_SURVIVED;
        tally.aborted += last == FAMINE_ABORTED;
        if (last == FAMINE_DIED) {
            fprintf(stderr, "at allocation %lld it ended in silence\n", (long long)n);
            abort();
        }
    }
    return tally;
}
