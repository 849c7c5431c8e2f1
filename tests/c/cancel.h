/* Threads that are cancelled before and during an operation. */
#ifndef AKV_TESTS_CANCEL_H
#define AKV_TESTS_CANCEL_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum when {
    /* The cancellation is pending when the operation starts. The first cancellation point in the
     * operation would act on it. */
    BEFORE,
    /* It comes from another thread, while the vault is about to answer. */
    DURING,
    /* It is pending, but the thread has disabled cancellation itself. */
    DISABLED
};

struct cancelled {
    int (*operation)(void *);
    void *argument;
    enum when when;
    atomic_int begun, done;
    int result, state;
};

static inline void cancel_fail(const char *what, enum when when)
{
    fprintf(stderr, "%s (%d)\n", what, (int)when);
    exit(1);
}

static inline void *cancelled_thread(void *argument)
{
    struct cancelled *work = argument;

    if (work->when == DISABLED)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    if (work->when != DURING)
        pthread_cancel(pthread_self());
    atomic_store(&work->begun, 1);
    work->result = work->operation(work->argument);
    /* Setting the state is not a cancellation point. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &work->state);
    atomic_store(&work->done, 1);
    pthread_setcancelstate(work->state, NULL);
    if (work->when == DISABLED)
        return NULL;
    for (;;)
        pause();
}

/* Runs an operation in a thread that is cancelled. The operation completes, then the thread ends,
 * and its cancellation state is unchanged. Returns the operation's result. */
static inline int run_cancelled(int (*operation)(void *), void *argument, enum when when)
{
    struct cancelled work = {.operation = operation, .argument = argument, .when = when};
    const int expected = when == DISABLED ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
    pthread_t thread;
    void *value;

    if (pthread_create(&thread, NULL, cancelled_thread, &work) != 0)
        cancel_fail("cannot start a thread", when);
    while (!atomic_load(&work.begun))
        sched_yield();
    if (when == DURING)
        pthread_cancel(thread);
    if (pthread_join(thread, &value) != 0)
        cancel_fail("cannot join the thread", when);
    if (!atomic_load(&work.done))
        cancel_fail("the thread ended in the middle of the operation", when);
    if (value != (when == DISABLED ? NULL : PTHREAD_CANCELED))
        cancel_fail("the thread was not cancelled after the operation", when);
    if (work.state != expected)
        cancel_fail("the state of cancellation is another one than before", when);
    return work.result;
}

/* Cancels an operation in every way; each time it must return `expected`. */
static inline void run_cancelled_always(int (*operation)(void *), void *argument, int expected)
{
    for (enum when when = BEFORE; when <= DISABLED; when++)
        if (run_cancelled(operation, argument, when) != expected)
            cancel_fail("the operation has another result than expected", when);
}

#endif
