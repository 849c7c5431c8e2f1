/* TLS servers inside ASYNC jobs, in every state that a paused handshake can be in. For OpenSSL 1.1.1
 * and later. */
#ifndef AKV_TESTS_JOB_TLS_STEPS_H
#define AKV_TESTS_JOB_TLS_STEPS_H

#include "job.h"

#include <openssl/ssl.h>
#include <pthread.h>

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

#endif
