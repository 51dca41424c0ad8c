/* fdatasync as it is on a disk where it takes BILLING_FLUSH_NANOSECONDS (below a second) at least. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static int (*flush)(int);
static long shortest;

__attribute__((constructor)) static void prepare(void) {
    flush = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    shortest = atol(getenv("BILLING_FLUSH_NANOSECONDS"));
    prctl(PR_SET_TIMERSLACK, 1UL);
}

int fdatasync(int descriptor) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int result = flush(descriptor);
    int error = errno;
    until.tv_nsec += shortest;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec += 1;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
    errno = error;
    return result;
}
