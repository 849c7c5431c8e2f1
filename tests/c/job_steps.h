/* Signatures inside ASYNC jobs, in every state that a paused job can be in. For OpenSSL 1.1.1 and
 * later. Each step prints its name when it has passed. */
#ifndef AKV_TESTS_JOB_STEPS_H
#define AKV_TESTS_JOB_STEPS_H

#include "job.h"
#include "job_tls_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* All jobs are in flight before the first has ended. */
static inline void together(EVP_PKEY *key)
{
    struct job jobs[MANY];

    for (unsigned long i = 0; i < MANY; i++) {
        job_open(&jobs[i], key, i);
        job_start(&jobs[i]);
    }
    for (int i = 0; i < MANY; i++)
        job_finish(&jobs[MANY - 1 - i]);
    passed("together");
}

/* The host resumes a job before its operation has ended, as often as its client sends a byte. */
static inline void early(EVP_PKEY *key)
{
    struct job job;

    job_open(&job, key, 1);
    for (int i = 0; i < 200; i++) {
        job_start(&job);
        for (clock_t start = clock(); clock() - start < CLOCKS_PER_SEC / 100000;)
            ;
    }
    job_finish(&job);
    passed("early");
}

/* The host does not wait at all. Under valgrind a round takes as long as a pause. */
static inline void spinning(EVP_PKEY *key)
{
    struct job job;
    int rounds = getenv("WITHOUT_CHILDREN") == NULL ? 0 : -100000000;

    job_open(&job, key, 2);
    while (job_run(&job) == ASYNC_PAUSE)
        if (++rounds > 100000)
            die("it never blocks");
    if (job.result != 1 || !is_signed(&job.signing))
        die("no signature");
    job_close(&job);
    passed("spinning");
}

/* The host does not allow pauses. */
static inline void blocked(EVP_PKEY *key)
{
    struct job job;

    job_open(&job, key, 3);
    job.signing.blocked = 1;
    if (job_run(&job) != ASYNC_FINISH || job.result != 1 || !is_signed(&job.signing))
        die("no signature");
    job_close(&job);
    passed("blocked");
}

/* One wait context has one descriptor for all of its operations. */
static inline void again(EVP_PKEY *key)
{
    struct job job;
    OSSL_ASYNC_FD first;

    job_open(&job, key, 4);
    job_start(&job);
    first = descriptor_of(job.context);
    job_wait(&job);
    if (job_run(&job) != ASYNC_FINISH)
        die("the first operation");
    job.job = NULL;
    job_start(&job);
    if (descriptor_of(job.context) != first)
        die("another descriptor");
    job_finish(&job);
    if (fcntl(first, F_GETFD) != -1 || errno != EBADF)
        die("the descriptor is still open");
    passed("again");
}

/* The host frees the wait context of a paused job and forgets the job, as HAProxy does. The descriptors
 * are closed with it, and no event of theirs follows, although the operation may still end. */
static inline void abandoned(EVP_PKEY *key)
{
    struct epoll_event event = {EPOLLIN, {NULL}};
    int events = epoll_create1(EPOLL_CLOEXEC);
    struct job jobs[MANY], last;

    for (unsigned long i = 0; i < MANY; i++) {
        OSSL_ASYNC_FD descriptor;

        job_open(&jobs[i], key, i);
        job_start(&jobs[i]);
        descriptor = descriptor_of(jobs[i].context);
        if (epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event) != 0)
            die("no epoll");
        ASYNC_WAIT_CTX_free(jobs[i].context);
        if (fcntl(descriptor, F_GETFD) != -1)
            die("the descriptor is still open");
    }
    /* Those of the others would have come by then. */
    job_open(&last, key, MANY);
    job_start(&last);
    job_finish(&last);
    if (epoll_wait(events, &event, 1, 0) != 0)
        die("an event of a closed descriptor");
    close(events);
    passed("abandoned");
}

static inline void *start(void *argument)
{
    job_start(argument);
    return NULL;
}

static inline void *free_context(void *argument)
{
    ASYNC_WAIT_CTX_free(argument);
    return NULL;
}

/* A thread ends while its job is paused, and another one frees the wait context. (libcrypto resumes
 * no job on another thread: async_start_func keeps the context of the first.) */
static inline void of_ended_thread(EVP_PKEY *key)
{
    struct job job, other;

    job_open(&job, key, 7);
    on_thread(start, &job);
    on_thread(free_context, job.context);
    job_open(&other, key, 8);
    job_start(&other);
    job_finish(&other);
    passed("ended thread");
}

/* A thread that waits in a job can be cancelled by its host while the job is paused. */
static inline void *start_and_wait_for_ever(void *argument)
{
    job_start(argument);
    for (;;)
        pause();
    return NULL;
}

static inline void cancelled(EVP_PKEY *key)
{
    struct job job;
    pthread_t thread;
    void *result = NULL;

    job_open(&job, key, 9);
    if (pthread_create(&thread, NULL, start_and_wait_for_ever, &job) != 0
        || pthread_cancel(thread) != 0 || pthread_join(thread, &result) != 0
        || result != PTHREAD_CANCELED)
        die("the thread is not cancelled");
    job_close(&job);
    passed("cancelled");
}

/* A child of fork can neither end its parent's operation nor wake its parent. */
static inline void forked(EVP_PKEY *key)
{
    struct job job;
    pid_t child;
    int status = 0;

    job_open(&job, key, 10);
    job_start(&job);
    child = fork();
    if (child == 0) {
        struct job own;

        /* The parent must not miss what the child has seen. */
        job_wait(&job);
        if (job_run(&job) != ASYNC_FINISH || job.result == 1)
            _exit(2);
        ASYNC_WAIT_CTX_free(job.context);
        job_open(&own, key, 11);
        job_start(&own);
        job_finish(&own);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "the child ended with %d\n", status);
        die("the child");
    }
    job_finish(&job);
    passed("fork");
}

/* The host closes all descriptors while a job is paused, its own wait descriptor included, and opens files
 * under their numbers. It can still resume the job, which then fails; the next one succeeds. */
static inline void closed(EVP_PKEY *key)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct job job;
        int file;

        job_open(&job, key, 16);
        job_start(&job);
        for (int number = 3; number < 256; number++)
            close(number);
        while ((file = open("/dev/zero", O_RDONLY | O_CLOEXEC)) < 64)
            if (file < 0)
                _exit(2);
        alarm(60);
        while (job_run(&job) == ASYNC_PAUSE)
            ;
        if (job.result == 1 || ERR_peek_error() == 0)
            _exit(3);
        ERR_clear_error();
        ASYNC_WAIT_CTX_free(job.context);
        for (int number = 3; number < 64; number++)
            if (fcntl(number, F_GETFD) == -1)
                _exit(4);
        job_open(&job, key, 17);
        job_start(&job);
        job_finish(&job);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "the child ended with %d\n", status);
        die("the child");
    }
    passed("closed descriptors");
}

/* The service does not answer; the operation ends with its deadline. */
static inline void late(EVP_PKEY *key)
{
    struct job job;

    job_open(&job, key, 12);
    job_start(&job);
    job_wait(&job);
    if (job_run(&job) != ASYNC_FINISH || job.result == 1 || ERR_peek_error() == 0)
        die("the deadline does not end it");
    job_close(&job);
    passed("late");
}

/* The service does not answer: operations end with their deadline, and then at once (fail-fast). */
static inline void down(EVP_PKEY *key)
{
    struct job job;

    for (int i = 0; i < 3; i++)
        late(key);
    job_open(&job, key, 13);
    /* It may be paused, but it is resumed without a request. */
    if (job_end(&job) == 1 || ERR_peek_error() == 0)
        die("it does not fail");
    ERR_print_errors_fp(stdout);
    job_close(&job);
}

/* The service has faults: prints how many of the signatures succeed, and the errors of the others. */
static inline void faults(EVP_PKEY *key)
{
    struct job jobs[MANY];
    int succeeded = 0;

    for (unsigned long i = 0; i < MANY; i++) {
        job_open(&jobs[i], key, i);
        job_start(&jobs[i]);
    }
    for (int i = 0; i < MANY; i++) {
        int ok = job_end(&jobs[i]) == 1;

        if (ok != (ERR_peek_error() == 0) || (ok && !is_signed(&jobs[i].signing)))
            die("neither a signature nor an error");
        ERR_print_errors_fp(stdout);
        succeeded += ok;
        job_close(&jobs[i]);
    }
    printf("%d of %d\n", succeeded, MANY);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
/* The host's callback is called once when a job should be resumed, and not after its context is
 * gone. */
static inline void callback(EVP_PKEY *key)
{
    struct job job, abandoned_job, last;
    int calls = 0, late_calls = 0;

    job_open(&job, key, 13);
    ASYNC_WAIT_CTX_set_callback(job.context, count_call, &calls);
    job_start(&job);
    if (ASYNC_WAIT_CTX_get_status(job.context) != ASYNC_STATUS_OK)
        die("the status does not announce a call");
    job_open(&abandoned_job, key, 14);
    ASYNC_WAIT_CTX_set_callback(abandoned_job.context, count_call, &late_calls);
    job_start(&abandoned_job);
    ASYNC_WAIT_CTX_free(abandoned_job.context);
    for (int waited = 0; __atomic_load_n(&calls, __ATOMIC_SEQ_CST) == 0; waited++)
        if (waited > 20000 || poll(NULL, 0, 1) != 0)
            die("the callback is not called");
    job_finish(&job);
    job_open(&last, key, 15);
    job_start(&last);
    job_finish(&last);
    if (__atomic_load_n(&calls, __ATOMIC_SEQ_CST) != 1
        || __atomic_load_n(&late_calls, __ATOMIC_SEQ_CST) != 0)
        die("the callback is not called once");
    passed("callback");
}
#endif

static inline void every_step(EVP_PKEY *key, const char *certificate)
{
    if (!ASYNC_is_capable() || ASYNC_init_thread(0, 0) != 1)
        die("no jobs");
    together(key);
    early(key);
    spinning(key);
    blocked(key);
    again(key);
    abandoned(key);
    of_ended_thread(key);
    cancelled(key);
    forked(key);
    closed(key);
    handshakes(key, certificate);
    nested(key, certificate);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    callback(key);
    ssl_callback(key, certificate);
#endif
}

#endif
