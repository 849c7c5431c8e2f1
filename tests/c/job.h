/* ASYNC jobs that sign, or do something else. For OpenSSL 1.1.1 and later. */
#ifndef AKV_TESTS_JOB_H
#define AKV_TESTS_JOB_H

#include "base.h"
#include "job_valgrind.h"

#include <dirent.h>
#include <openssl/async.h>
#include <poll.h>
#include <pthread.h>

/* Jobs that are paused at the same time, on one thread. */
#define MANY 24

/* A signature of a message that depends on its number. */
struct signing {
    EVP_PKEY *key;
    unsigned long number;
    unsigned char signature[SIGNATURE_MAX];
    size_t length;
    int blocked;
};

static inline int sign_in_job(void *argument)
{
    struct signing *signing = *(struct signing **)argument;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok;

    if (signing->blocked)
        ASYNC_block_pause();
    signing->length = sizeof(signing->signature);
    ok = context != NULL
        && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signing->key) == 1
        && EVP_DigestSign(context, signing->signature, &signing->length,
                          (unsigned char *)&signing->number, sizeof(signing->number))
            == 1;
    if (signing->blocked)
        ASYNC_unblock_pause();
    EVP_MD_CTX_free(context);
    return ok;
}

static inline int is_signed(struct signing *signing)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL
        && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, signing->key) == 1
        && EVP_DigestVerify(context, signing->signature, signing->length,
                            (unsigned char *)&signing->number, sizeof(signing->number))
            == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

/* A job, with its wait context and its result. */
struct job {
    ASYNC_JOB *job;
    ASYNC_WAIT_CTX *context;
    /* Gets the address of the argument. */
    int (*work)(void *);
    void *argument;
    struct signing signing;
    int result;
};

static inline void job_open_for(struct job *job, int (*work)(void *), void *argument)
{
    memset(job, 0, sizeof(*job));
    job->context = ASYNC_WAIT_CTX_new();
    job->work = work;
    job->argument = argument;
    if (job->context == NULL)
        die("no wait context");
}

static inline void job_open(struct job *job, EVP_PKEY *key, unsigned long number)
{
    job_open_for(job, sign_in_job, &job->signing);
    job->signing.key = key;
    job->signing.number = number;
}

/* Starts or resumes the job, and returns what ASYNC_start_job does. */
static inline int job_run(struct job *job)
{
    return ASYNC_start_job(&job->job, job->context, &job->result, job->work, &job->argument,
                           sizeof(job->argument));
}

static inline void job_start(struct job *job)
{
    if (job_run(job) != ASYNC_PAUSE)
        die("the job is not paused");
}

/* The descriptor of a wait context, of which there must be one. */
static inline OSSL_ASYNC_FD descriptor_of(ASYNC_WAIT_CTX *context)
{
    OSSL_ASYNC_FD descriptor = -1;
    size_t count = 0;

    if (ASYNC_WAIT_CTX_get_all_fds(context, NULL, &count) != 1 || count != 1
        || ASYNC_WAIT_CTX_get_all_fds(context, &descriptor, &count) != 1)
        die("not one descriptor");
    return descriptor;
}

static inline int is_readable(OSSL_ASYNC_FD descriptor, int timeout)
{
    struct pollfd poll_one = {descriptor, POLLIN, 0};

    return poll(&poll_one, 1, timeout) == 1 && (poll_one.revents & POLLIN);
}

/* Waits until the job should be resumed. */
static inline void job_wait(struct job *job)
{
    if (!is_readable(descriptor_of(job->context), 20000))
        die("the descriptor never became readable");
}

/* Resumes the job whenever it should be, and returns its result. */
static inline int job_end(struct job *job)
{
    int state;

    while ((state = job_run(job)) == ASYNC_PAUSE)
        job_wait(job);
    if (state != ASYNC_FINISH)
        die("the job has failed");
    return job->result;
}

static inline void job_close(struct job *job)
{
    ASYNC_WAIT_CTX_free(job->context);
    ERR_clear_error();
}

/* Resumes the job when it should be, and checks its signature. */
static inline void job_finish(struct job *job)
{
    job_wait(job);
    if (job_run(job) != ASYNC_FINISH || job->result != 1 || !is_signed(&job->signing))
        die("no signature");
    if (is_readable(descriptor_of(job->context), 0))
        die("the descriptor is readable without a reason");
    job_close(job);
}

static inline long open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    long count = 0;

    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static inline void passed(const char *step)
{
    printf("%s\n", step);
    fflush(stdout);
}

static inline void on_thread(void *(*step)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, step, argument) != 0 || pthread_join(thread, NULL) != 0)
        die("no thread");
}

static inline int count_call(void *argument)
{
    __atomic_add_fetch((int *)argument, 1, __ATOMIC_SEQ_CST);
    return 1;
}

#endif
