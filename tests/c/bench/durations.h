/* Durations of operations, and their quantiles. */
#ifndef AKV_BENCH_DURATIONS_H
#define AKV_BENCH_DURATIONS_H

#include "base.h"

struct durations {
    double *seconds;
    size_t count, room;
};

static inline void add_duration(struct durations *durations, double seconds)
{
    if (durations->count == durations->room) {
        durations->room = durations->room == 0 ? 4096 : durations->room * 2;
        durations->seconds =
            realloc(durations->seconds, durations->room * sizeof(*durations->seconds));
        if (durations->seconds == NULL)
            die("no memory");
    }
    durations->seconds[durations->count++] = seconds;
}

static int compare_durations(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static inline void sort_durations(struct durations *durations)
{
    if (durations->count > 0)
        qsort(durations->seconds, durations->count, sizeof(*durations->seconds),
              compare_durations);
}

/* The duration below which this share of the sorted ones lies, in milliseconds. */
static inline double quantile_ms(const struct durations *durations, double share)
{
    size_t rank = (size_t)(share * (double)durations->count);

    if (durations->count == 0)
        return 0;
    return durations->seconds[rank < durations->count ? rank : durations->count - 1] * 1e3;
}

#endif
