/* A wall clock that is wrong, and nothing else: the monotonic clocks are left alone.
 *
 * By CHAOS_SKEW seconds for this process, and by as many more as the file CHAOS_SKEW_FILE holds, a
 * number that all processes of the run share and that may change at any moment. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long nothing;
static volatile long *shared = &nothing;
static long own;

__attribute__((constructor)) static void begin(void)
{
    const char *seconds = getenv("CHAOS_SKEW"), *path = getenv("CHAOS_SKEW_FILE");
    own = seconds ? atol(seconds) : 0;
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        shared = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        at->tv_sec += own + *shared;
    return failed;
}

int gettimeofday(struct timeval *at, void *zone)
{
    static int (*real)(struct timeval *, void *);
    if (!real)
        real = dlsym(RTLD_NEXT, "gettimeofday");
    int failed = real(at, zone);
    if (!failed)
        at->tv_sec += own + *shared;
    return failed;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at)
        *at = now.tv_sec;
    return now.tv_sec;
}
