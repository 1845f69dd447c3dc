/* To be preloaded into a real program, with all its libraries: the n-th allocation of the process
 * fails, once, or with all behind it. What n is stands in the file STAGEDOOR_FAMINE, which a test
 * writes while the program runs: three numbers, see below. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct famine {
    _Atomic int64_t until;  /* allocations to go; 0: plenty */
    _Atomic int64_t failed; /* how many did */
    int64_t lasts;          /* 1: all behind it fail as well */
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static struct famine *famine;

__attribute__((constructor)) static void open_famine(void)
{
    const char *path = getenv("STAGEDOOR_FAMINE");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *place = mmap(NULL, sizeof *famine, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    famine = place == MAP_FAILED ? NULL : place;
}

static int fails(void)
{
    if (famine == NULL || atomic_load(&famine->until) <= 0)
        return 0;
    int64_t left = atomic_fetch_sub(&famine->until, 1);
    if (left > 1)
        return 0;
    if (famine->lasts)
        atomic_store(&famine->until, 1);
    else if (left < 1)
        return 0; /* another thread was first */
    atomic_fetch_add(&famine->failed, 1);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}
