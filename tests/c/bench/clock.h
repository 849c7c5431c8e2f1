/* Time for the benchmarks. */
#ifndef AKV_BENCH_CLOCK_H
#define AKV_BENCH_CLOCK_H

#include <sys/resource.h>
#include <time.h>

/* Seconds since some moment. */
static inline double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Seconds of processor time that all threads of this process have used, in user and kernel mode. */
static inline double cpu_time(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

#endif
