/* Signatures and TLS servers inside ASYNC jobs, in every state that a paused job can be in. For
 * OpenSSL 1.1.1 and later. Each step prints its name when it has passed. */
#ifndef AKV_TESTS_JOB_STEPS_H
#define AKV_TESTS_JOB_STEPS_H

#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
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

static inline void on_thread(void *(*step)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, step, argument) != 0 || pthread_join(thread, NULL) != 0)
        die("no thread");
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

/* Handshakes of many clients, on one thread. */
struct handshake {
    SSL *server, *client;
};

static inline struct handshake handshake_new(SSL_CTX *const contexts[2])
{
    struct handshake tls = {SSL_new(contexts[0]), SSL_new(contexts[1])};
    BIO *pair[2];

    if (BIO_new_bio_pair(&pair[0], 65536, &pair[1], 65536) != 1)
        die("no pair of BIOs");
    SSL_set_bio(tls.server, pair[0], pair[0]);
    SSL_set_bio(tls.client, pair[1], pair[1]);
    SSL_set_accept_state(tls.server);
    SSL_set_connect_state(tls.client);
    SSL_set_mode(tls.server, SSL_MODE_ASYNC);
    return tls;
}

/* Up to the server's signature. */
static inline struct handshake handshake_open(SSL_CTX *const contexts[2])
{
    struct handshake tls = handshake_new(contexts);

    SSL_do_handshake(tls.client);
    SSL_do_handshake(tls.server);
    return tls;
}

/* Resumes a connection's jobs when they should be. */
static inline void finish_async(SSL *connection)
{
    OSSL_ASYNC_FD descriptor = -1;
    size_t count = 0;

    while (SSL_waiting_for_async(connection)) {
        if (SSL_get_all_async_fds(connection, NULL, &count) != 1 || count != 1
            || SSL_get_all_async_fds(connection, &descriptor, &count) != 1
            || !is_readable(descriptor, 20000))
            die("no descriptor to wait for");
        SSL_do_handshake(connection);
    }
}

static inline void handshake_finish(struct handshake *tls)
{
    finish_async(tls->server);
    for (int i = 0; i < 10 && !(SSL_is_init_finished(tls->server)
                                && SSL_is_init_finished(tls->client)); i++) {
        SSL_do_handshake(tls->client);
        SSL_do_handshake(tls->server);
    }
    if (!SSL_is_init_finished(tls->server) || !SSL_is_init_finished(tls->client))
        die("no handshake");
}

static inline void *free_connection(void *argument)
{
    SSL_free(argument);
    return NULL;
}

static inline void server_open(SSL_CTX *contexts[2], EVP_PKEY *key, const char *certificate)
{
    contexts[0] = SSL_CTX_new(TLS_server_method());
    contexts[1] = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_use_certificate_chain_file(contexts[0], certificate) != 1
        || SSL_CTX_use_PrivateKey(contexts[0], key) != 1)
        die("no server");
}

static inline void handshakes(EVP_PKEY *key, const char *certificate)
{
    SSL_CTX *contexts[2];
    struct handshake all[MANY];

    server_open(contexts, key, certificate);
    for (int i = 0; i < MANY; i++) {
        all[i] = handshake_open(contexts);
        if (!SSL_waiting_for_async(all[i].server))
            die("the server does not wait for its key");
    }
    for (int i = 0; i < MANY; i++) {
        /* One in four is dropped while its key is in use, by this thread or by another one. */
        if (i % 4 != 3)
            handshake_finish(&all[i]);
        if (i % 8 == 7)
            on_thread(free_connection, all[i].server);
        else
            SSL_free(all[i].server);
        SSL_free(all[i].client);
    }
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    passed("handshakes");
}

static inline int accept_in_job(void *argument)
{
    return SSL_do_handshake(*(SSL **)argument) == 1;
}

/* A server in a job of the host starts no job of its own, whatever its mode: the host's is paused. */
static inline void nested(EVP_PKEY *key, const char *certificate)
{
    SSL_CTX *contexts[2];
    struct handshake tls;
    struct job job;

    server_open(contexts, key, certificate);
    tls = handshake_new(contexts);
    SSL_do_handshake(tls.client);
    job_open_for(&job, accept_in_job, tls.server);
    job_start(&job);
    if (SSL_waiting_for_async(tls.server))
        die("a job inside a job");
    job_wait(&job);
    if (job_run(&job) != ASYNC_FINISH)
        die("the host's job is paused without a reason");
    job_close(&job);
    handshake_finish(&tls);
    SSL_free(tls.server);
    SSL_free(tls.client);
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    passed("nested");
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static inline int count_call(void *argument)
{
    __atomic_add_fetch((int *)argument, 1, __ATOMIC_SEQ_CST);
    return 1;
}

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

static inline int count_connection(SSL *connection, void *argument)
{
    /* It must still exist. */
    return SSL_is_server(connection) && count_call(argument);
}

/* Callbacks of libssl, which get the connection. One in four is freed before its answer. */
static inline void ssl_callback(EVP_PKEY *key, const char *certificate)
{
    SSL_CTX *contexts[2];
    struct handshake all[MANY];
    int calls = 0;

    server_open(contexts, key, certificate);
    SSL_CTX_set_async_callback(contexts[0], count_connection);
    SSL_CTX_set_async_callback_arg(contexts[0], &calls);
    for (int i = 0; i < MANY; i++) {
        int status = 0;

        all[i] = handshake_open(contexts);
        if (SSL_get_async_status(all[i].server, &status) != 1 || status != ASYNC_STATUS_OK)
            die("the status does not announce a call");
    }
    for (int i = 0; i < MANY; i++) {
        if (i % 4 != 3)
            handshake_finish(&all[i]);
        SSL_free(all[i].server);
        SSL_free(all[i].client);
    }
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    if (__atomic_load_n(&calls, __ATOMIC_SEQ_CST) < MANY / 4 * 3)
        die("a connection is not called back");
    passed("callback of libssl");
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
    handshakes(key, certificate);
    nested(key, certificate);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    callback(key);
    ssl_callback(key, certificate);
#endif
}

#endif
